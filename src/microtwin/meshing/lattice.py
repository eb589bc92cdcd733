"""A graded lattice of good tetrahedra that fills a box.

The box is cut into cubes by an octree whose neighbours, over faces, edges and corners, differ by
one level at most. Between two cubes of one size lies a body-centred cubic lattice: four
tetrahedra around the segment that joins their centres (dihedral angles 60 and 90 degrees, twelve
per cube). Where sizes change, and on the box, pyramids from the centres are cut in two or four
(F. Labelle, J. R. Shewchuk, ACM Trans. Graph. 26, 57 (2007), with whole cubes at the box).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..numerics.threads import even_shares, over_slabs
from . import lattice_kernels as kernels

__all__ = ["COARSEST", "Lattice", "balanced_levels", "count_leaves", "fill_box"]

COARSEST = 6  # levels above the finest


@dataclass(frozen=True, eq=False)
class Lattice:
    """Tetrahedra that fill a box.

    Parameters
    ----------
    points : ndarray of float, shape (n, 3)
        In the unit of the box, in the order (z, y, x).
    cells : ndarray of int32, shape (m, 4)
    box : ndarray of uint8, shape (n,)
        Bits of the faces of the box that each point lies on: 1 and 2 for the low and the high face
        along z, 4 and 8 along y, 16 and 32 along x.
    """

    points: NDArray[np.float64]
    cells: NDArray[np.int32]
    box: NDArray[np.uint8]


def balanced_levels(wish: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return octree levels no higher than wished, with neighbours that differ by one at most.

    Parameters
    ----------
    wish : ndarray of uint8, shape (nz, ny, nx)
        Highest level wished for at each finest cell.

    Returns
    -------
    ndarray of uint8, shape (nz, ny, nx)
        Level of the leaf that each cell belongs to. Leaves do not reach beyond the box.
    """
    nz, ny, nx = wish.shape
    level = np.zeros(wish.shape, np.uint8)
    lowest: NDArray[np.uint8] = wish
    allowed: NDArray[np.bool_] = np.ones(wish.shape, bool)
    for n in range(1, COARSEST + 1):
        # A leaf of level n needs leaves of level n - 1 at least all around it.
        calm = ~ndimage.binary_dilation(~allowed, np.ones((3, 3, 3)))
        # Where the number of cells is odd, the last block would reach beyond the box.
        allowed = np.asarray(_blocks(calm, False).all(axis=(1, 3, 5)))
        lowest = _blocks(lowest, 0).min(axis=(1, 3, 5))
        allowed &= lowest >= n
        if not allowed.any():
            break
        fine: NDArray[np.bool_] = allowed
        for axis in range(3):
            fine = np.repeat(fine, 2**n, axis)
        level[fine[:nz, :ny, :nx]] = n
    return level


def _blocks(array: NDArray, beyond: float) -> NDArray:
    """Return the array as blocks of 2x2x2, shape (nz, 2, ny, 2, nx, 2), filled up where odd."""
    padded = np.pad(array, [(0, n % 2) for n in array.shape], constant_values=beyond)
    nz, ny, nx = (n // 2 for n in padded.shape)
    return padded.reshape(nz, 2, ny, 2, nx, 2)


def count_leaves(level: NDArray[np.uint8]) -> int:
    """Return the number of leaves of an octree given as the level of each cell."""
    counts = np.bincount(level.ravel())
    return int(sum(count / 8**n for n, count in enumerate(counts)))


def fill_box(level: NDArray[np.uint8], extent: tuple[float, ...]) -> Lattice:
    """Return the lattice of an octree.

    Parameters
    ----------
    level : ndarray of uint8, shape (nz, ny, nx)
        As `balanced_levels` gives it.
    extent : tuple of 3 floats
        Edges of the box.

    Returns
    -------
    Lattice
    """
    leaf = np.empty(level.shape, np.int32)
    origins = np.empty((count_leaves(level), 3), np.int32)
    leaves = kernels.number_leaves(level, leaf, origins)
    corner = np.full([n + 1 for n in level.shape], -1, np.int32)
    none = np.empty((0, 3), np.int32)
    corners = kernels.number_corners(level, origins, corner, none, leaves)
    tree = (level, leaf, origins, corner)
    tets, vertices = kernels.fill(*tree, none, np.empty((0, 4), np.int32), corners)
    places = np.empty((vertices, 3), np.int32)
    cells = np.empty((tets, 4), np.int32)
    edges = np.left_shift(1, level[tuple(origins.T)].astype(np.int32))
    places[:leaves] = 2 * origins + edges[:, None]
    corner[:] = -1
    kernels.number_corners(level, origins, corner, places, leaves)
    kernels.fill(*tree, places, cells, corners)

    box = np.zeros(vertices, np.uint8)
    for axis, n in enumerate(level.shape):
        box |= np.where(places[:, axis] == 0, np.uint8(1 << 2 * axis), np.uint8(0))
        box |= np.where(places[:, axis] == 2 * n, np.uint8(2 << 2 * axis), np.uint8(0))
    points = places * (np.array(extent) / (2.0 * np.array(level.shape)))
    over_slabs(kernels.turn, even_shares(tets), points, cells)
    return Lattice(points, cells, box)
