"""The layout of unknowns in memory: every plane in four quarters, by the parity of y and x.

Voxel (k, j, i) lies in quarter 2 (j mod 2) + (i mod 2) of plane k, at row j // 2 and column i // 2.
All voxels of one colour of the chess board are then two whole quarters of a plane, and the
neighbours of a quarter are whole quarters, too, at most one row or one column shifted: red-black
relaxation runs through memory in long contiguous loops and computes nothing in vain. The eight
voxels of a block of the next coarser grid have the same place in their quarters.

Quarters have a row of zeros in front, so that a shift by a row or a column finds no conductance
there, and where the grid is odd a last row or column of zeros.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from microtwin.numerics.threads import over_slabs, slab_bounds

__all__ = ["clear_last", "from_quarters", "plane_length", "to_quarters", "vector_positions"]


def _half(n: int) -> int:
    return (n + 1) // 2


def plane_length(ny: int, nx: int) -> int:
    """Return the number of values that a plane of ny x nx voxels takes in quarters."""
    return 4 * (_half(ny) + 1) * _half(nx)


def _views(quarters: NDArray, grid: NDArray) -> list[tuple[NDArray, NDArray]]:
    """Return the parts of both layouts that hold the same voxels."""
    nz, ny, nx = grid.shape
    split = quarters.reshape(nz, 4, _half(ny) + 1, _half(nx))
    pairs = []
    for j in range(2):
        for i in range(2):
            part = grid[:, j::2, i::2]
            pairs.append((split[:, 2 * j + i, 1 : part.shape[1] + 1, : part.shape[2]], part))
    return pairs


def to_quarters(grid: NDArray, dtype: type | None = None) -> NDArray:
    """Bring an array on the grid into quarters.

    Parameters
    ----------
    grid : ndarray, shape (nz, ny, nx)
    dtype : type, optional
        Type of the result, by default that of the input.

    Returns
    -------
    ndarray, shape (nz, plane_length(ny, nx))
    """
    nz, ny, nx = grid.shape
    quarters = np.zeros((nz, plane_length(ny, nx)), dtype or grid.dtype)

    def copy(first: int, end: int) -> None:
        for target, source in _views(quarters[first:end], grid[first:end]):
            target[...] = source

    over_slabs(copy, slab_bounds(grid.shape))
    return quarters


def from_quarters(
    quarters: NDArray, shape: tuple[int, int, int], dtype: type | None = None
) -> NDArray:
    """Bring an array in quarters back onto the grid of the given shape."""
    grid = np.empty(shape, dtype or quarters.dtype)

    def copy(first: int, end: int) -> None:
        for source, target in _views(quarters[first:end], grid[first:end]):
            target[...] = source

    over_slabs(copy, slab_bounds(shape))
    return grid


def clear_last(quarters: NDArray, ny: int, nx: int, axis: int) -> None:
    """Set the last row (axis 1) or the last column (axis 2) of every plane to zero."""
    split = quarters.reshape(len(quarters), 2, 2, _half(ny) + 1, _half(nx))
    if axis == 1:
        split[:, (ny - 1) % 2, :, _half(ny)] = 0
    else:
        split[:, :, (nx - 1) % 2, :, _half(nx) - 1] = 0


def vector_positions(voxels: NDArray[np.integer], shape: tuple[int, int, int]) -> NDArray[np.int64]:
    """Return where voxels stand in a flat vector.

    Parameters
    ----------
    voxels : ndarray of int, shape (3, n)
        Their indices along z, y and x.
    shape : tuple of 3 ints
        Shape of the grid.
    """
    _, ny, nx = shape
    k, j, i = voxels
    row = (2 * (j % 2) + i % 2) * (_half(ny) + 1) + 1 + j // 2
    return np.asarray(k * plane_length(ny, nx) + row * _half(nx) + i // 2, np.int64)
