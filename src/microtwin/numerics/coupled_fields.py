"""Corrections to several fields whose coupling is not symmetric.

Each field has its own symmetric operator and multigrid cycle; what ties them to each other, such as
a reaction that takes part of one and makes another, is a diagonal block of any sign.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from .corrections import Field
from .flexible_gmres import solve_general

__all__ = ["coupled_correction"]

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
        By field.
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
    Flexible GMRES over a block Gauss-Seidel sweep with one multigrid cycle for each field.
    """

    def split(stack: NDArray, factors: Sequence[float]) -> Vector:
        return [
            np.multiply(part[:, 0], factor, dtype=np.float32)
            for part, factor in zip(np.split(stack, len(fields)), factors, strict=True)
        ]

    def stacked(parts: Vector, factors: Sequence[float]) -> NDArray[np.float64]:
        return np.concatenate(
            [
                np.multiply(part[:, None], factor, dtype=float)
                for part, factor in zip(parts, factors, strict=True)
            ]
        )

    # Unknowns are scaled like residuals, so that both are of the same size for all fields.
    inverse = [1.0 / w for w in weights]

    def product(u: NDArray[np.float64]) -> NDArray[np.float64]:
        return stacked(_product(fields, ties, split(u, inverse)), weights)

    def precondition(r: NDArray[np.float64]) -> NDArray[np.float64]:
        return stacked(_swept(fields, ties, split(r, inverse)), weights)

    found = solve_general(
        product, precondition, stacked(residual, weights), target, max_iterations=max_iterations
    )
    return split(found.values, inverse), found.iterations


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
