"""Linear systems of elastic elements: conjugate gradients with smoothed aggregation multigrid.

Aggregates reproduce the rigid motions (Vanek, Mandel & Brezina, Computing 56 (1996) 179), and the
smoother takes the three unknowns of a node together. At order 2 the vertices alone are the first
coarse level: the shape functions are hierarchical, so its matrix is a part of the whole one.
Motions that nothing holds are taken out of all vectors.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import bsr_matrix

from ..numerics import ConvergenceError
from .mesh_motions import FreeMotions

__all__ = ["solve_held"]

Vector = NDArray[np.float64]
ITERATIONS = 1000
STRENGTH = 0.05  # couplings weaker than this do not join an aggregate


def solve_held(
    matrix: bsr_matrix,
    load: Vector,
    values: Vector,
    motions: Vector,
    free: FreeMotions,
    tol: float,
) -> tuple[Vector, int, float]:
    """Solve for the displacement, with some unknowns given.

    Parameters
    ----------
    matrix : bsr_matrix, shape (3 count, 3 count), blocks of 3 x 3
    load : ndarray, shape (count, 3)
        In N.
    values : ndarray, shape (count, 3)
        Given unknowns, NaN where there is none.
    motions : ndarray, shape (n, 3, 6)
        Rigid motions of the n vertices.
    free : FreeMotions
    tol : float
        Norm of the residual over that of the right-hand side at which to stop.

    Returns
    -------
    displacement : ndarray, shape (count, 3)
        Without a share in the free motions.
    iterations : int
    residual : float

    Raises
    ------
    ConvergenceError
        If the residual stays above ten times the tolerance, or the matrix is not positive.
    ImportError
        If PyAMG is not installed.
    """
    given = np.isfinite(values).ravel()
    known = np.where(given, np.nan_to_num(values.ravel()), 0.0)
    right = np.where(given, 0.0, load.ravel() - matrix @ known)
    right = free.removed(right)
    scale = float(np.linalg.norm(right))
    if scale == 0.0:
        return known.reshape(-1, 3), 0, 0.0
    inner = _without(matrix, given)
    cycle = _multigrid(inner, motions, given)
    found, iterations = _conjugate_gradients(inner, right, cycle, free.removed, tol * scale)
    residual = float(np.linalg.norm(right - free.removed(inner @ found))) / scale
    if not residual <= 10.0 * tol:
        raise ConvergenceError(
            f"elasticity on the mesh stopped after {iterations} iterations with a residual of "
            f"{residual:.2g}; {tol:g} was asked for. Contrasts of stiffness above 1e6, Poisson's "
            "ratios close to 0.5 or very stiff interfaces may be the cause"
        )
    return (known + found).reshape(-1, 3), iterations, residual


def _without(matrix: bsr_matrix, given: NDArray[np.bool_]) -> bsr_matrix:
    """Return the matrix with given unknowns cut off, their diagonal kept."""
    if not given.any():
        return matrix
    free = (~given).reshape(-1, 3).astype(float)
    rows = np.repeat(np.arange(len(free)), np.diff(matrix.indptr))
    data = matrix.data * free[rows][:, :, None] * free[matrix.indices][:, None, :]
    diagonal = np.flatnonzero(rows == matrix.indices)
    at = np.arange(3)
    kept = matrix.data[diagonal][:, at, at]
    data[diagonal[:, None], at, at] += (1.0 - free[rows[diagonal]]) * kept
    return bsr_matrix((data, matrix.indices, matrix.indptr), shape=matrix.shape)


def _multigrid(matrix: bsr_matrix, motions: Vector, given: NDArray[np.bool_]) -> Any:
    """Return one cycle of multigrid as an operator."""
    try:
        import pyamg
        from pyamg.multilevel import MultilevelSolver
        from pyamg.relaxation.smoothing import change_smoothers
    except ImportError:
        raise ImportError(
            "finite elements need PyAMG, which is not installed: pip install 'microtwin[mesh]'"
        ) from None

    vertices = 3 * len(motions)
    candidates = motions.reshape(vertices, 6) * ~given[:vertices, None]
    linear = matrix if vertices == matrix.shape[0] else _leading(matrix, vertices)
    # Forwards on the way down and backwards on the way up: the cycle is symmetric.
    down = ("block_gauss_seidel", {"sweep": "forward"})
    up = ("block_gauss_seidel", {"sweep": "backward"})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its advice on formats
        solver = pyamg.smoothed_aggregation_solver(
            linear,
            B=candidates,
            symmetry="symmetric",
            strength=("symmetric", {"theta": STRENGTH}),
            presmoother=down,
            postsmoother=up,
            improve_candidates=None,
            max_coarse=50,  # nodes: its inverse is dense
        )
        if linear is not matrix:
            finest = MultilevelSolver.Level()
            finest.A = matrix
            finest.P = _injection(matrix.shape[0] // 3, len(motions))
            finest.R = finest.P.T.tobsr((3, 3))
            solver = MultilevelSolver([finest, *solver.levels], coarse_solver="pinv")
            change_smoothers(solver, down, up)
    return solver.aspreconditioner()


def _leading(matrix: bsr_matrix, size: int) -> bsr_matrix:
    part = matrix.tocsr()[:size, :size].tobsr((3, 3))
    part.sort_indices()
    return part


def _injection(blocks: int, leading: int) -> bsr_matrix:
    """Return the matrix that has the first blocks of a vector, and zeros beyond."""
    data = np.tile(np.eye(3), (leading, 1, 1))
    ends = np.minimum(np.arange(blocks + 1), leading)
    return bsr_matrix((data, np.arange(leading), ends), shape=(3 * blocks, 3 * leading))


def _conjugate_gradients(
    matrix: bsr_matrix,
    right: Vector,
    cycle: Any,
    removed: Callable[[Vector], Vector],
    limit: float,
) -> tuple[Vector, int]:
    """Return the solution to a norm of the residual, among vectors without free motions."""
    x = np.zeros_like(right)
    residual = right.copy()
    direction, before = x, 1.0
    for iteration in range(ITERATIONS + 1):
        if np.linalg.norm(residual) <= limit:
            return x, iteration
        preconditioned = removed(cycle @ residual)
        now = float(residual @ preconditioned)
        direction = preconditioned + (now / before) * direction
        image = removed(matrix @ direction)
        curvature = float(direction @ image)
        if not (curvature > 0.0 and now > 0.0):
            raise ConvergenceError("the stiffness is not positive: the body would give way")
        x = x + now / curvature * direction
        residual = residual - now / curvature * image
        before = now
    return x, ITERATIONS
