"""Linear systems of impedances: a symmetric positive definite part and an imaginary one.

At one frequency, conduction or diffusion with storage is (A + j B) u = b with real, symmetric and
positive semi-definite A and B. Written for real and imaginary part, the matrix that is
preconditioned by

    [A, -B; B, A + 2 B]

has all its eigenvalues between 1/2 and 1, whatever A, B and the frequency are, and that
preconditioner costs two solves with the real A + B (`presb`; Axelsson, Neytcheva & Ahmad, Numer.
Algorithms 66 (2014) 811). One multigrid cycle does for each. Outside runs `flexible_gmres`, which
allows preconditioners that change.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from .flexible_gmres import GeneralSolution, norm_of, solve_general
from .multigrid import Multigrid
from .operator import GridOperator

__all__ = ["ComplexField", "complex_product", "presb"]

ITERATIONS = 100

Complex = NDArray[np.complex128]


def presb(
    solve_sum: Callable[[NDArray[np.float64]], NDArray],
    imaginary: Callable[[NDArray], NDArray],
    rhs: Complex,
) -> Complex:
    """Return an approximate solution of (A + j B) u = rhs, by two real solves.

    Parameters
    ----------
    solve_sum : callable
        Solves (A + B) v = f approximately.
    imaginary : callable
        Returns B v.
    rhs : ndarray of complex128
    """
    both = solve_sum(rhs.real + rhs.imag)
    second = solve_sum(rhs.imag - imaginary(both))
    found = np.empty(rhs.shape, complex)
    found.real = both - second
    found.imag = second
    return found


def complex_product(operator: GridOperator, u: Complex) -> Complex:
    """Return the product of a real operator with a complex vector, of the same shape."""
    out = np.empty(u.shape, complex)
    flow = operator.zeros(float)
    for part, of in ((out.real, u.real), (out.imag, u.imag)):
        flow[...] = 0
        operator.subtract_product(flow, np.ascontiguousarray(of).reshape(flow.shape), -1.0)
        part[...] = flow.reshape(u.shape)
    return out


class ComplexField:
    """A field on the grid with storage, at one frequency: (K + j w M) u = b.

    Parameters
    ----------
    operator : GridOperator
        K. Its own mass, if it has one, is real.
    storage : ndarray, in the layout of vectors
        w M, not negative.
    """

    def __init__(self, operator: GridOperator, storage: NDArray) -> None:
        self.operator = operator
        self.storage = storage.astype(float)
        mass = storage.astype(np.float32)
        both = mass if operator.mass is None else mass + operator.load(operator.mass.grid())
        self._cycle = Multigrid(operator.with_mass(both))
        self._room = [operator.zeros() for _ in range(2)]
        # Where no end fixes the level, the storage does, however little it is: rounding would drown
        # it, so it is set apart.
        floating = operator.ends is None and operator.mass is None
        self._stored = float(self.storage.sum()) if floating else 0.0
        if self._stored > 0.0:
            self._present = operator.load(operator.with_mass(mass).diagonal() > 0.0).astype(float)

    def product(self, u: Complex) -> Complex:
        """Return (K + j w M) u."""
        return complex_product(self.operator, u) + 1j * (self.storage * u)

    def precondition(self, rhs: Complex) -> Complex:
        """Return an approximate solution, whose level is exact where no end fixes it."""
        found = presb(self._solve_sum, lambda v: self.storage * v, rhs)
        if self._stored > 0.0:
            missing = complex(rhs.sum()) / 1j - complex((self.storage * found).sum())
            found += self._present * (missing / self._stored)
        return found

    def solve(self, rhs: Complex, rtol: float) -> GeneralSolution:
        """Solve to a residual of `rtol` times the norm of the right-hand side.

        Raises
        ------
        ConvergenceError
            If it is not reached.
        """
        target = rtol * norm_of(rhs)
        guess = None
        if self._stored > 0.0:
            guess = self._present * (complex(rhs.sum()) / (1j * self._stored))
        return solve_general(
            self.product,
            self.precondition,
            rhs,
            target,
            guess=guess,
            max_iterations=ITERATIONS,
        )

    def _solve_sum(self, rhs: NDArray[np.float64]) -> NDArray[np.float64]:
        u, f = self._room
        # Single precision has no room for what is tiny.
        largest = float(np.abs(rhs).max())
        if largest == 0.0:
            return np.zeros(rhs.shape)
        f[...] = rhs / largest
        stiffness, _, slope = self._cycle.precondition(u, f, f)
        return u * (largest * slope / stiffness)
