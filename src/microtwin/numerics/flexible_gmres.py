"""Flexible GMRES for systems that are not symmetric, real or complex.

Saad, SIAM J. Sci. Comput. 14 (1993) 461: the preconditioner may change from step to step. Vectors
that are kept are in single precision; the residual is computed anew in double precision at each
restart, so what is returned is true.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import directed_kernels as kernels
from .krylov import ConvergenceError
from .threads import over_slabs, slab_bounds

__all__ = ["GeneralSolution", "solve_general"]

REMEMBERED = 30  # steps until the residual is computed anew
TRUSTED = 1e-6  # of the residual at a restart: below that, rounding decides
REACHED = 0.7  # of the target: rounding leaves a little more than the steps promise

Vector = NDArray[Any]


@dataclass(frozen=True, eq=False)
class GeneralSolution:
    """The solution of a system.

    Parameters
    ----------
    values : ndarray of float64 or complex128
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
    double_steps: bool = False,
) -> GeneralSolution:
    """Solve A u = rhs until the norm of the residual is below a target.

    Parameters
    ----------
    product : callable
        Returns A u, a new array.
    precondition : callable
        Returns an approximate solution of A u = r. It need not be linear, nor the same each time.
    rhs : ndarray of float64, shape (nz, ny, nx), or of complex128 of any shape
    target : float
        Norm at which to stop.
    guess : ndarray like rhs, optional
        To start from; it is copied.
    max_iterations : int
    double_steps : bool
        Whether steps are kept in double precision. In single precision a level that little holds
        drowns what differs from place to place.

    Returns
    -------
    GeneralSolution

    Raises
    ------
    ConvergenceError
        If the target is not reached.
    """
    u = np.zeros_like(rhs) if guess is None else guess.astype(rhs.dtype)
    residual = rhs.copy() if guess is None else rhs - product(u)
    start = norm = norm_of(residual)
    iterations = 0
    while not norm <= target:
        if iterations >= max_iterations or not np.isfinite(norm):
            raise ConvergenceError(
                f"no convergence: in {iterations} iterations the residual went from {start:.1e} to "
                f"{norm:.1e}, wanted {target:.1e}; loosen the tolerance, or raise max_iterations"
            )
        goal = max(REACHED * target, TRUSTED * norm)
        count = min(REMEMBERED, max_iterations - iterations)
        iterations += _restart(product, precondition, u, residual, norm, goal, count, double_steps)
        residual = rhs - product(u)
        norm = norm_of(residual)
    return GeneralSolution(u, iterations, norm)


def _restart(
    product: Callable[[Vector], Vector],
    precondition: Callable[[Vector], NDArray],
    u: Vector,
    residual: Vector,
    norm: float,
    goal: float,
    count: int,
    double_steps: bool,
) -> int:
    """Improve u by up to `count` steps; return how many there were."""
    wide = residual.dtype
    narrow = np.dtype(np.complex64 if wide.kind == "c" else np.float32)
    basis = [(residual / norm).astype(narrow)]
    steps: list[NDArray] = []
    hessenberg = np.zeros((count + 1, count), wide)
    wanted = np.zeros(count + 1, wide)
    wanted[0] = norm
    for k in range(count):
        # Rounded before it is multiplied, so that a step and its product belong together.
        z = np.asarray(precondition(basis[k].astype(wide)), wide if double_steps else narrow)
        w = product(z.astype(wide))
        for i, v in enumerate(basis):
            hessenberg[i, k] = _dot(v, w)
            _subtract(w, hessenberg[i, k], v)
        length = norm_of(w)
        hessenberg[k + 1, k] = length
        steps.append(z)
        part = hessenberg[: k + 2, : k + 1]
        shares, *_ = np.linalg.lstsq(part, wanted[: k + 2], rcond=None)
        left = norm_of(wanted[: k + 2] - part @ shares)
        if left <= goal or not length > 0.0:
            break
        basis.append((w / length).astype(narrow))
    for share, z in zip(shares, steps, strict=True):
        u += share * z
    return len(steps)


def _dot(u: NDArray, v: NDArray) -> Any:
    """Return u.v, summed in an order that does not depend on the number of threads."""
    if np.iscomplexobj(v):
        # Not a product of BLAS, whose threads would go on spinning on the cores used here.
        return complex((u.conj() * v).sum())
    sums = np.empty(len(u))
    over_slabs(kernels.dot, slab_bounds(u.shape), u, v, sums)
    return float(sums.sum())


def _subtract(u: NDArray, factor: Any, v: NDArray) -> None:
    """Subtract factor v from u."""
    if np.iscomplexobj(u):
        u -= factor * v
    else:
        over_slabs(kernels.subtract, slab_bounds(u.shape), u, factor, v)


def norm_of(u: NDArray) -> float:
    """Return the Euclidean norm.

    Parameters
    ----------
    u : ndarray, real or complex
    """
    total = float(np.square(u.real, dtype=float).sum())
    if np.iscomplexobj(u):
        total += float(np.square(u.imag, dtype=float).sum())
    return math.sqrt(total)
