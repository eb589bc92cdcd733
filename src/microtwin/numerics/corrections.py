"""Corrections to a state in double precision, by flexible conjugate gradients in float32.

In time stepping and in Newton's method a good approximation is known, and its residual, computed in
double precision, is to become a hundred or a thousand times smaller. `correction` does that for one
field or for two fields that are tied to each other; the state itself never passes through single
precision.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from . import correction_kernels as kernels
from . import krylov_kernels
from .krylov import ConvergenceError
from .multigrid import Multigrid
from .operator import GridOperator
from .threads import over_slabs, slab_bounds

__all__ = [
    "Constant",
    "Correction",
    "Field",
    "System",
    "combine",
    "correction",
    "dot",
    "weighted_sum",
]

# Updates of a residual in float32 are trusted until it is this much smaller than at the start.
TRUSTED = 1e-3

Vector = list[NDArray[np.float32]]


class Constant(Protocol):
    """A vector w whose part of a solution is found at once."""

    @property
    def energy(self) -> float:
        """w.A w."""

    def along(self, v: Vector) -> float:
        """Return w.v."""

    def pull(self, v: Vector) -> float:
        """Return w.A v."""

    def add(self, v: Vector, factor: float) -> None:
        """Add factor w to v."""

    def add_pull(self, v: Vector, factor: float) -> None:
        """Add factor A w to v."""


class System(Protocol):
    """A symmetric positive definite system in one or more fields."""

    @property
    def shapes(self) -> Sequence[tuple[int, int]]:
        """Shape of the part of a vector that belongs to each field."""

    def product(self, out: Vector, p: Vector) -> None:
        """Set out to A p."""

    def precondition(self, z: Vector, r: Vector) -> None:
        """Set z to an approximate solution of A z = r."""


@dataclass(frozen=True, eq=False)
class Correction:
    """A correction and how it was found.

    Parameters
    ----------
    parts : list of ndarray of float32
        By field.
    shift : float
        What else is to be added to all of the second field.
    iterations : int
    started, residual : float
        Norm of the residual, without what the shift takes away, and of what is left of it.
    """

    parts: Vector
    shift: float
    iterations: int
    started: float
    residual: float

    @property
    def cost(self) -> float:
        """Iterations for one digit; 0 where none was needed."""
        if self.iterations == 0:
            return 0.0
        return self.iterations / max(np.log10(self.started / max(self.residual, 1e-300)), 0.5)


class Field:
    """One field with its multigrid cycle.

    Parameters
    ----------
    operator : GridOperator
    hierarchy : Multigrid, optional
        Of another operator close to it, which is replaced on the finest level.
    """

    def __init__(self, operator: GridOperator, hierarchy: Multigrid | None = None) -> None:
        self.operator = operator
        if hierarchy is not None:
            hierarchy.renew_finest(operator)
        self.hierarchy = hierarchy or Multigrid(operator)
        self.shapes = [operator.zeros().shape]

    def product(self, out: Vector, p: Vector) -> None:
        """Set out to A p."""
        out[0][...] = 0
        self.operator.subtract_product(out[0], p[0], -1.0)

    def precondition(self, z: Vector, r: Vector) -> None:
        """Set z to an approximate solution of A z = r."""
        self.hierarchy.precondition(z[0], r[0], r[0])


def correction(
    system: System,
    residual: Vector,
    target: float,
    *,
    constant: Constant | None = None,
    room: Sequence[Vector] | None = None,
    max_iterations: int = 100,
) -> Correction:
    """Solve A y = residual until the norm of what is left is below a target, or a thousandth.

    Whoever wants more computes the residual anew from the corrected state, and asks again.

    Parameters
    ----------
    system : System
    residual : list of ndarray of float32
        By field; it is overwritten with what is left of it.
    target : float
        Norm at which to stop.
    constant : Constant, optional
        Its part of the solution is found at once and kept as a number of its own: a level that only
        weak links hold would drown the rest in rounding.
    room : sequence of 4 vectors, optional
        Memory to work in; the first holds the result.
    max_iterations : int

    Returns
    -------
    Correction

    Raises
    ------
    ConvergenceError
        If the target is not reached.

    Notes
    -----
    Directions are made conjugate to the last one and to w: deflation, as Nicolaides, SIAM J.
    Numer. Anal. 24 (1987) 355, with the flexible recurrence of `krylov.solve`.
    """
    y, p, z, q = room or [[np.zeros(s, np.float32) for s in system.shapes] for _ in range(4)]
    for part in (*y, *p):  # the room may hold anything, even what is no number
        part[...] = 0
    shift = 0.0
    if constant is not None:
        shift = constant.along(residual) / constant.energy
        constant.add_pull(residual, -shift)
    norm = float(np.sqrt(_dot(residual, residual)))
    start, iterations, curvature = norm, 0, 0.0
    target = max(target, TRUSTED * start)
    while not norm <= target:
        if iterations == max_iterations or not np.isfinite(norm):
            raise ConvergenceError(
                f"a correction did not converge: in {iterations} iterations the residual went from "
                f"{start:.1e} to {norm:.1e}, wanted {target:.1e}"
            )
        system.precondition(z, residual)
        if constant is not None:
            constant.add(z, -constant.pull(z) / constant.energy)
        beta = -_dot(z, q) / curvature if curvature > 0.0 else 0.0
        for f, part in enumerate(p):
            combine(part, beta, z[f], 1.0)
        system.product(q, p)
        curvature, slope = _two_dots(p, q, residual)
        if not (curvature > 0.0 and slope > 0.0):
            raise ConvergenceError(
                f"a correction came to a stand after {iterations} iterations: residual {norm:.1e}, "
                f"wanted {target:.1e}"
            )
        norm = _step_down(y, residual, p, q, slope / curvature)
        iterations += 1
    return Correction(y, shift, iterations, start, norm)


def weighted_sum(state: NDArray[np.float64], weight: NDArray[np.float32]) -> float:
    """Return the sum of weight times state, in double precision and always the same order."""
    sums = np.empty(len(state))
    over_slabs(kernels.weighted_sum, slab_bounds((*state.shape, 1)), state, weight, sums)
    return float(sums.sum())


def dot(u: NDArray[np.float32], v: NDArray[np.float32]) -> float:
    """Return u.v, summed in double precision and always the same order."""
    sums = np.empty(len(u))
    over_slabs(krylov_kernels.dot, slab_bounds((*u.shape, 1)), u, v, sums)
    return float(sums.sum())


def _dot(u: Vector, v: Vector) -> float:
    return sum(dot(a, b) for a, b in zip(u, v, strict=True))


def _two_dots(u: Vector, v: Vector, w: Vector) -> tuple[float, float]:
    total = np.zeros(2)
    for a, b, c in zip(u, v, w, strict=True):
        sums = np.empty((len(a), 2))
        over_slabs(kernels.two_dots, slab_bounds((*a.shape, 1)), a, b, c, sums)
        total += sums.sum(axis=0)
    return float(total[0]), float(total[1])


def combine(u: NDArray, a: float, v: NDArray, b: float) -> None:
    """Overwrite u with a u + b v."""
    args = (u, np.float32(a), v, np.float32(b))
    over_slabs(krylov_kernels.combine, slab_bounds((*u.shape, 1)), *args)


def _step_down(y: Vector, r: Vector, p: Vector, q: Vector, alpha: float) -> float:
    total = 0.0
    for parts in zip(y, r, p, q, strict=True):
        sums = np.empty(len(parts[0]))
        slabs = slab_bounds((*parts[0].shape, 1))
        over_slabs(kernels.step_down, slabs, *parts, np.float32(alpha), sums)
        total += float(sums.sum())
    return float(np.sqrt(total))
