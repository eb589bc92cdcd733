"""A level of a multigrid hierarchy that is smoothed by Chebyshev polynomials."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import vector_kernels
from .threads import even_shares, over_slabs

__all__ = ["SmoothedLevel"]

Vector = NDArray[np.float32]
DEGREE = 2  # products with the matrix before the coarse correction, and after it
STEPS_TO_BULK = 8
STEPS_BEYOND = 12  # degree of the polynomial that brings out what is larger
SAFETY = 1.1


class SmoothedLevel:
    """What levels share; they are flat vectors of float32.

    The smoother is the Chebyshev polynomial of the fourth kind in D^-1 A (Lottes, Numer. Linear
    Algebra Appl. 30 (2023) e2518), with D the diagonal blocks: it asks for a bound of the largest
    eigenvalue only. It is symmetric, and the same on any number of threads.

    A level says how long a vector is (`size`), what A is (`image`), how to descend (`_descend`,
    `_scaled`), and how to pass forces down and corrections up (`_restrict`, `_prolong`).
    """

    size: int
    krylov_levels = 3
    # Bodies that hang on something soft leave small residuals and large errors.
    good_enough = 0.2
    # Coarse levels hardly hold what floats, so that the rounding of forces on it returns amplified.
    trusted = 1e-2

    def image(self, out: Vector, u: Vector) -> None:
        """Set out to A u."""
        raise NotImplementedError

    def residual(self, out: Vector, rhs: Vector, u: Vector) -> None:
        """Set out to rhs - A u."""
        raise NotImplementedError

    def _scaled(self, d: Vector, rhs: Vector, factor: float) -> None:
        """Set d to factor D^-1 rhs."""
        raise NotImplementedError

    def _descend(self, d: Vector, rhs: Vector, u: Vector, a: float, b: float) -> None:
        """Set d to a d + b D^-1 (rhs - A u)."""
        raise NotImplementedError

    def _restrict(self, coarse: Vector, residual: Vector) -> None:
        raise NotImplementedError

    def _prolong(self, u: Vector, correction: Vector) -> None:
        raise NotImplementedError

    def prepare(self) -> None:
        """Find the largest eigenvalue of D^-1 A, and make room for the cycles.

        Powers of D^-1 A find the bulk of the spectrum. A few voxels may stand out of it, which
        their share in a random vector hides: a Chebyshev polynomial makes them large.
        """
        self._step, self._image = self.zeros(), self.zeros()
        rng = np.random.default_rng(0)
        before, nothing = self._step, self.zeros()
        before[...] = rng.standard_normal(self.size).astype(np.float32)
        self._scaled(before, before.copy(), 1.0)
        value, now = self._power(before, nothing)
        for _ in range(STEPS_TO_BULK - 1):
            value, now = self._power(now, nothing)
        if value > 0.0:
            before = now / np.float32(np.sqrt(self.dot(now, now)))
            now = before.copy()
            self._descend(now, nothing, before, -1.0, -2.0 / value)
            for _ in range(STEPS_BEYOND - 1):
                self._descend(before, nothing, now, -1.0, -4.0 / value)
                self.combine(before, 1.0, now, -2.0)
                before, now = now, before
            value = max(value, self._power(now, nothing)[0])
        self._step[...] = 0.0
        self.bound = SAFETY * value

    def _power(self, u: Vector, nothing: Vector) -> tuple[float, Vector]:
        """Return how much longer D^-1 A makes u, and D^-1 A u for a u of length 1."""
        norm = np.sqrt(self.dot(u, u))
        image = self.zeros()
        if norm > 0.0:
            self._descend(image, nothing, u / np.float32(norm), 0.0, -1.0)
        return float(np.sqrt(self.dot(image, image))), image

    def zeros(self) -> Vector:
        """Return a vector of zeros."""
        return np.zeros(self.size, np.float32)

    def dot(self, u: Vector, v: Vector) -> float:
        """Return the product of two vectors."""
        sums = np.zeros(-(-len(u) // vector_kernels.BLOCK))
        over_slabs(vector_kernels.dot, even_shares(len(sums)), u, v, sums)
        return float(sums.sum())

    def combine(self, u: Vector, a: float, v: Vector, b: float) -> None:
        """Set u to a u + b v."""
        shares = even_shares(len(u))
        over_slabs(vector_kernels.combine, shares, u, np.float32(a), v, np.float32(b))

    def smooth_and_restrict(self, u: Vector, rhs: Vector, coarse: Vector) -> None:
        """Overwrite u with an approximate solution, and coarse with the forces that it leaves."""
        self._scaled(self._step, rhs, 4.0 / (3.0 * self.bound))
        u[...] = self._step
        self._smooth(u, rhs, 1)
        self.residual(self._image, rhs, u)
        coarse[...] = 0.0
        self._restrict(coarse, self._image)

    def prolong_and_smooth(
        self, u: Vector, correction: Vector, rhs: Vector, v: Vector
    ) -> tuple[float, float, float]:
        """Correct u and smooth it; return u.A u, u.A v and u.rhs. The image of u is kept."""
        self._prolong(u, correction)
        self._descend(self._step, rhs, u, 0.0, 4.0 / (3.0 * self.bound))
        self.combine(u, 1.0, self._step, 1.0)
        self._smooth(u, rhs, 1)
        return self.products(u, v, rhs)

    def _smooth(self, u: Vector, rhs: Vector, begin: int) -> None:
        for k in range(begin, DEGREE):
            a, b = (2 * k - 1) / (2 * k + 3), (8 * k + 4) / (2 * k + 3) / self.bound
            self._descend(self._step, rhs, u, a, b)
            self.combine(u, 1.0, self._step, 1.0)

    def products(self, u: Vector, v: Vector, rhs: Vector) -> tuple[float, float, float]:
        """Return u.A u, u.A v and u.rhs; the image of u is kept."""
        self.image(self._image, u)
        return self.dot(u, self._image), self.dot(v, self._image), self.dot(u, rhs)

    def subtract_product(self, r: Vector, u: Vector, factor: float) -> float:
        """Subtract factor A u from r, for the u whose image is kept; return the square of r."""
        self.combine(r, 1.0, self._image, -factor)
        return self.dot(r, r)

    def factorize(self) -> Callable[[NDArray[Any]], NDArray[Any]]:
        """Return a function that solves directly."""
        raise NotImplementedError
