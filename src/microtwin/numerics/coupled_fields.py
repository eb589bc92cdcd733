"""Corrections to several fields whose coupling is not symmetric, by flexible residuals.

Each field has its own symmetric operator and multigrid cycle; what ties them to each other, such as
a reaction that takes part of one and makes another, is a diagonal block of any sign.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from .corrections import Field, combine, dot
from .krylov import ConvergenceError

__all__ = ["coupled_correction"]

REMEMBERED = 20  # directions

Vector = list[NDArray[np.float32]]


def coupled_correction(
    fields: Sequence[Field],
    ties: Mapping[tuple[int, int], NDArray[np.float32]],
    residual: Vector,
    target: float,
    weights: Sequence[float],
    max_iterations: int = 100,
) -> tuple[Vector, int]:
    """Solve A y = residual until the norm of what is left is below a target.

    Parameters
    ----------
    fields : sequence of Field
        The diagonal blocks of A.
    ties : mapping of (int, int) to vector of float32
        Diagonals of the other blocks, by row and column; also of blocks on the diagonal, where they
        come on top of the operator of the field.
    residual : list of vectors of float32
        By field; it is overwritten with what is left of it.
    target : float
        Norm at which to stop.
    weights : sequence of float
        Of the fields in the norm: their residuals may be in different units.
    max_iterations : int

    Returns
    -------
    solution : list of vectors of float32
    iterations : int

    Raises
    ------
    ConvergenceError
        If the target is not reached.

    Notes
    -----
    Generalised conjugate residuals with truncation (Eisenstat, Elman and Schultz, SIAM J. Numer.
    Anal. 20 (1983) 345): directions may come from any preconditioner, here a block Gauss-Seidel
    sweep with one multigrid cycle for each field.
    """
    y = [np.zeros_like(part) for part in residual]
    kept: list[tuple[Vector, Vector, float]] = []
    start = norm = _norm(residual, weights)
    iterations = 0
    while not norm <= target:
        if iterations == max_iterations or not np.isfinite(norm):
            raise ConvergenceError(
                f"a correction of {len(fields)} fields did not converge: in {iterations} "
                f"iterations the residual went from {start:.1e} to {norm:.1e}, wanted {target:.1e}"
            )
        p = _swept(fields, ties, residual)
        q = _product(fields, ties, p)
        for direction, image, square in kept:
            share = -_dot(image, q, weights) / square
            for f in range(len(fields)):
                combine(p[f], 1.0, direction[f], share)
                combine(q[f], 1.0, image[f], share)
        square = _dot(q, q, weights)
        if not square > 0.0:
            raise ConvergenceError(
                f"a correction of {len(fields)} fields came to a stand after {iterations} "
                f"iterations: residual {norm:.1e}, wanted {target:.1e}"
            )
        step = _dot(q, residual, weights) / square
        for f in range(len(fields)):
            combine(y[f], 1.0, p[f], step)
            combine(residual[f], 1.0, q[f], -step)
        kept = [*kept[-REMEMBERED + 1 :], (p, q, square)]
        norm = _norm(residual, weights)
        iterations += 1
    return y, iterations


def _swept(
    fields: Sequence[Field], ties: Mapping[tuple[int, int], NDArray[np.float32]], rhs: Vector
) -> Vector:
    """Return an approximate solution: a cycle for each field, with what is known of others."""
    out: Vector = []
    for f, one in enumerate(fields):
        own = rhs[f].copy()
        for (row, column), tie in ties.items():
            if row == f and column < f:
                own -= tie * out[column]
        z = np.zeros_like(own)
        one.precondition([z], [own])
        out.append(z)
    return out


def _product(
    fields: Sequence[Field], ties: Mapping[tuple[int, int], NDArray[np.float32]], p: Vector
) -> Vector:
    out = [np.empty_like(part) for part in p]
    for f, field in enumerate(fields):
        field.product([out[f]], [p[f]])
    for (row, column), tie in ties.items():
        out[row] += tie * p[column]
    return out


def _dot(u: Vector, v: Vector, weights: Sequence[float]) -> float:
    return sum(w * w * dot(a, b) for a, b, w in zip(u, v, weights, strict=True))


def _norm(u: Vector, weights: Sequence[float]) -> float:
    return float(np.sqrt(_dot(u, u, weights)))
