"""Flexible GMRES for systems that are neither symmetric nor small.

Saad, SIAM J. Sci. Comput. 14 (1993) 461: the preconditioner may change from step to step. Vectors
that are kept are in single precision; the residual is computed anew in double precision at each
restart, so what is returned is true.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from . import directed_kernels as kernels
from .krylov import ConvergenceError
from .threads import over_slabs, slab_bounds

__all__ = ["GeneralSolution", "solve_general"]

REMEMBERED = 30  # steps until the residual is computed anew
TRUSTED = 1e-6  # of the residual at a restart: below that, rounding decides

Vector = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class GeneralSolution:
    """The solution of a system.

    Parameters
    ----------
    values : ndarray of float64
    iterations : int
        Applications of the preconditioner.
    residual : float
        Norm of what is left of the right-hand side.
    """

    values: Vector
    iterations: int
    residual: float


def solve_general(
    product: Callable[[Vector], Vector],
    precondition: Callable[[Vector], NDArray],
    rhs: Vector,
    target: float,
    *,
    guess: Vector | None = None,
    max_iterations: int = 300,
) -> GeneralSolution:
    """Solve A u = rhs until the norm of the residual is below a target.

    Parameters
    ----------
    product : callable
        Returns A u, a new array.
    precondition : callable
        Returns an approximate solution of A u = r. It need not be linear, nor the same each time.
    rhs : ndarray of float64, shape (nz, ny, nx)
    target : float
        Norm at which to stop.
    guess : ndarray of float64, optional
        To start from; it is copied.
    max_iterations : int

    Returns
    -------
    GeneralSolution

    Raises
    ------
    ConvergenceError
        If the target is not reached.
    """
    u = np.zeros_like(rhs) if guess is None else guess.astype(float)
    residual = rhs.copy() if guess is None else rhs - product(u)
    start = norm = _norm(residual)
    iterations = 0
    while not norm <= target:
        if iterations >= max_iterations or not np.isfinite(norm):
            raise ConvergenceError(
                f"no convergence: in {iterations} iterations the residual went from {start:.1e} to "
                f"{norm:.1e}, wanted {target:.1e}; loosen the tolerance, or raise max_iterations"
            )
        goal = max(0.9 * target, TRUSTED * norm)
        count = min(REMEMBERED, max_iterations - iterations)
        iterations += _restart(product, precondition, u, residual, norm, goal, count)
        residual = rhs - product(u)
        norm = _norm(residual)
    return GeneralSolution(u, iterations, norm)


def _restart(
    product: Callable[[Vector], Vector],
    precondition: Callable[[Vector], NDArray],
    u: Vector,
    residual: Vector,
    norm: float,
    goal: float,
    count: int,
) -> int:
    """Improve u by up to `count` steps; return how many there were."""
    basis = [(residual / norm).astype(np.float32)]
    steps: list[NDArray[np.float32]] = []
    hessenberg = np.zeros((count + 1, count))
    wanted = np.zeros(count + 1)
    wanted[0] = norm
    for k in range(count):
        # Rounded before it is multiplied, so that a step and its product belong together.
        z = np.asarray(precondition(basis[k].astype(float)), np.float32)
        w = product(z.astype(float))
        for i, v in enumerate(basis):
            hessenberg[i, k] = _dot(v, w)
            over_slabs(kernels.subtract, slab_bounds(w.shape), w, hessenberg[i, k], v)
        length = _norm(w)
        hessenberg[k + 1, k] = length
        steps.append(z)
        part = hessenberg[: k + 2, : k + 1]
        shares, *_ = np.linalg.lstsq(part, wanted[: k + 2], rcond=None)
        left = _norm(wanted[: k + 2] - part @ shares)
        if left <= goal or not length > 0.0:
            break
        basis.append((w / length).astype(np.float32))
    for share, z in zip(shares, steps, strict=True):
        u += share * z
    return len(steps)


def _dot(u: NDArray, v: NDArray) -> float:
    """Return u.v, summed in an order that does not depend on the number of threads."""
    sums = np.empty(len(u))
    over_slabs(kernels.dot, slab_bounds(u.shape), u, v, sums)
    return float(sums.sum())


def _norm(u: NDArray) -> float:
    return float(np.sqrt(np.square(u, dtype=float).sum()))
