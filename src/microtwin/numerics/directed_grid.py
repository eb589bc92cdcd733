"""Grids of voxels whose faces conduct and carry along: diffusion in a flow, and its multigrid.

`DirectedGrid` is the operator that is solved for, of second order; `DirectedMultigrid`
preconditions it with levels of first order that are M-matrices, on which one relaxation after the
other converges in any flow.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import directed_kernels as kernels
from .threads import over_slabs, slab_bounds

__all__ = ["DirectedGrid", "DirectedMultigrid"]

Faces = tuple[NDArray, ...]

# Share of the fourth difference, of the flow that diffusion does not smooth: that of the scheme of
# Leonard, Comput. Methods Appl. Mech. Eng. 19 (1979) 59.
BENDING = 1.0 / 16.0

DIRECT_SIZE = 600  # voxels: below this the coarse problem is factorised
KRYLOV_LEVELS = 2  # coarse levels that take two Krylov steps
GOOD_ENOUGH = 0.3  # one step suffices if it reduces the residual by this factor
TINY_SHIFT = 1e-9  # of the diagonal: gives systems that leave a constant free a solution


class DirectedGrid:
    """What leaves each voxel by diffusion and with the flow.

    Parameters
    ----------
    flows : 3 ndarrays of float64, shape (nz, ny, nx)
        Volume per time through the face after each voxel along z, y and x, along the axis; the last
        face joins the last voxel to the first. As much flows into each voxel as out of it.
    links : 3 ndarrays of float64, shape (nz, ny, nx)
        Conductance of the same faces, not negative.

    Notes
    -----
    Through a face with the flow q and the conductance g passes q (a + b) / 2 + g (a - b), with
    the values a and b before and behind it. Where flow carries more over a face than diffusion
    can smooth, abs(q) > 2 g, fourth differences along the axis are added.

    Attributes
    ----------
    bending : 3 ndarrays of float64, shape (nz, ny, nx)
        Weight of the square of the second difference of each voxel along each axis.
    largest_cell_number : float
        Largest ratio of flow to conductance over all faces through which both pass.
    """

    def __init__(self, flows: Faces, links: Faces) -> None:
        self.bending = tuple(_bending(flows[a], links[a], a) for a in range(3))
        self.largest_cell_number = max(
            float((np.abs(q[g > 0.0]) / g[g > 0.0]).max(initial=0.0))
            for q, g in zip(flows, links, strict=True)
        )
        self._level = _level(flows, links)
        self._moments = None
        if any(b.any() for b in self.bending):
            self._moments = tuple(np.empty(q.shape) for q in flows)

    def product(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what leaves each voxel in all."""
        slabs = slab_bounds(x.shape)
        out = np.empty_like(x)
        over_slabs(kernels.level_product, slabs, out, x, self._level)
        if self._moments is not None:
            over_slabs(kernels.bend, slabs, self._moments, x, self.bending)
            over_slabs(kernels.add_bending, slabs, out, self._moments, self._level)
        return out


def _bending(flow: NDArray, link: NDArray, axis: int) -> NDArray[np.float64]:
    """Return the weight of the second difference of each voxel; 0 beside faces that are closed."""
    excess = np.maximum(np.abs(flow) - 2.0 * link, 0.0)
    through = (link > 0.0) & (np.roll(link, 1, axis) > 0.0)
    return BENDING * 0.5 * (excess + np.roll(excess, 1, axis)) * through


class DirectedMultigrid:
    """Multigrid cycles for a `DirectedGrid`, as a preconditioner.

    Parameters
    ----------
    flows, links
        As of `DirectedGrid`.

    Notes
    -----
    On each level the face between two voxels passes (G + q / 2) a - (G - q / 2) b, where G is the
    larger one of g and abs(q) / 2: the mean where diffusion is strong, upwind values where it is
    weak. Blocks of 2 x 2 x 2 voxels with one value each make the next level. Their flows are sums;
    conductances are halved, since the blocks lie twice as far apart. One relaxation goes up along
    the axes before, one goes down after the coarse correction. On the first coarse levels two steps
    of GMRES are taken, as in the K-cycle of `Multigrid`.
    """

    def __init__(self, flows: Faces, links: Faces) -> None:
        self._levels: list[tuple[Any, ...]] = []
        self._factors: list[tuple[int, ...]] = []
        while True:
            self._levels.append(_level(flows, tuple(map(_strengthened, flows, links))))
            shape = flows[0].shape
            factors = tuple(2 if n > 3 else 1 for n in shape)
            if flows[0].size <= DIRECT_SIZE or max(factors) == 1:
                break
            self._factors.append(factors)
            coarse = tuple(-(-n // f) for n, f in zip(shape, factors, strict=True))
            flows = _summed(flows, coarse, factors, (1.0, 1.0, 1.0))
            links = _summed(links, coarse, factors, tuple(1.0 / f for f in factors))
        self._direct = _factorized(self._levels[-1])

    def precondition(self, rhs: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return an approximate solution of A u = rhs."""
        return self._cycle(0, rhs)

    def _cycle(self, n: int, rhs: NDArray[np.float64]) -> NDArray[np.float64]:
        if n == len(self._levels) - 1:
            return self._direct(rhs)
        level, factors = self._levels[n], self._factors[n]
        u = np.zeros_like(rhs)
        kernels.sweep(u, rhs, level, False)
        left = np.empty(self._levels[n + 1][6].shape)
        # Half as many planes, but as much work as on this level.
        halves = [(a // factors[0], b // factors[0]) for a, b in slab_bounds(u.shape)]
        halves[-1] = (halves[-1][0], len(left))
        over_slabs(kernels.restrict_residual, halves, left, u, rhs, level, factors)
        correction = self._coarse(n + 1, left)
        over_slabs(kernels.add_blocks, slab_bounds(u.shape), u, correction, level, factors)
        kernels.sweep(u, rhs, level, True)
        return u

    def _coarse(self, n: int, rhs: NDArray[np.float64]) -> NDArray[np.float64]:
        first = self._cycle(n, rhs)
        if n > KRYLOV_LEVELS or n == len(self._levels) - 1:
            return first
        moved = self._product(n, first)
        square = float((moved * moved).sum())
        if square == 0.0:
            return first
        step = float((moved * rhs).sum()) / square
        left = rhs - step * moved
        if float((left * left).sum()) <= GOOD_ENOUGH**2 * float((rhs * rhs).sum()):
            return step * first
        second = self._cycle(n, left)
        also = self._product(n, second)
        also_square, cross = float((also * also).sum()), float((also * moved).sum())
        determinant = square * also_square - cross**2
        if determinant <= 1e-12 * square * also_square:
            return step * first
        a, b = float((moved * rhs).sum()), float((also * rhs).sum())
        one = (a * also_square - b * cross) / determinant
        other = (b * square - a * cross) / determinant
        return one * first + other * second

    def _product(self, n: int, x: NDArray[np.float64]) -> NDArray[np.float64]:
        out = np.empty_like(x)
        over_slabs(kernels.level_product, slab_bounds(x.shape), out, x, self._levels[n])
        return out


def _strengthened(flow: NDArray, link: NDArray) -> NDArray:
    """Return conductances with which no weight is negative."""
    return np.maximum(link, 0.5 * np.abs(flow))


def _level(flows: Faces, links: Faces) -> tuple[Any, ...]:
    """Return what the kernels call a level: mean values on faces."""
    ahead = [g + 0.5 * q for q, g in zip(flows, links, strict=True)]
    back = [g - 0.5 * q for q, g in zip(flows, links, strict=True)]
    diagonal = sum(ahead) + sum(np.roll(b, 1, a) for a, b in enumerate(back))
    return (*ahead, *back, diagonal)


def _summed(
    faces: Faces,
    shape: tuple[int, ...],
    factors: tuple[int, ...],
    weights: tuple[float, ...],
) -> Faces:
    sums = tuple(np.empty(shape) for _ in range(3))
    for axis in range(3):
        kernels.coarse_faces(sums[axis], faces[axis], axis, factors, weights[axis])
    return sums


def _factorized(level: tuple[Any, ...]) -> Callable[[NDArray], NDArray[np.float64]]:
    """Return a function that solves the system of a level directly."""
    import scipy.sparse as sp
    from scipy.sparse.linalg import splu

    diagonal = level[6]
    there = diagonal > 0.0
    index = np.arange(diagonal.size).reshape(diagonal.shape)
    values, rows, columns = [diagonal.ravel()], [index.ravel()], [index.ravel()]
    for axis in range(3):
        after = np.roll(index, -1, axis).ravel()
        values += [-level[axis].ravel(), -level[3 + axis].ravel()]
        rows += [after, index.ravel()]
        columns += [index.ravel(), after]
    entries = (np.concatenate(rows), np.concatenate(columns))
    matrix = sp.csr_array((np.concatenate(values), entries), (index.size, index.size))
    inner = index[there]
    matrix = matrix[inner][:, inner]
    matrix = matrix + sp.diags_array(TINY_SHIFT * diagonal[there])
    factor = splu(matrix.tocsc())
    floating = bool(np.abs(matrix.sum(axis=0)).max() <= 1e-6 * diagonal.max())

    def solve(rhs: NDArray) -> NDArray[np.float64]:
        u = np.zeros(rhs.shape)
        found = factor.solve(rhs[there])
        u[there] = found - found.mean() if floating else found
        return u

    return solve
