"""How often lattice lines cross the boundary of a set of voxels, from 2x2x2 configurations.

Every cube of 2x2x2 voxel centres shows one of 256 patterns of inside and outside. The histogram
of patterns holds all that is needed: a table tells for each pattern how many of the lines that
join its corners cross the boundary, for each of the 13 directions.
"""

from __future__ import annotations

import itertools
from functools import lru_cache

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from .orientation import DIRECTIONS

__all__ = ["configuration_histogram", "projected_areas"]


def configuration_histogram(
    labels: NDArray[np.uint8], member: NDArray[np.bool_], periodic: bool
) -> NDArray[np.int64]:
    """Count the 2x2x2 configurations of a set of labels.

    Parameters
    ----------
    labels : ndarray of uint8, shape (nz, ny, nx)
    member : ndarray of bool, shape (256,)
        Whether a label belongs to the set.
    periodic : bool
        Whether cubes reach across the outer faces to the opposite side. Otherwise only the
        (nz - 1)(ny - 1)(nx - 1) cubes inside the image count.

    Returns
    -------
    ndarray of int64, shape (256,)
        Corner (dz, dy, dx) of a cube is bit dz + 2 dy + 4 dx of its configuration.
    """
    return np.asarray(_histogram(labels, member, periodic).sum(axis=0))


def projected_areas(
    histogram: NDArray[np.int64], voxel_size: tuple[float, float, float]
) -> NDArray[np.float64]:
    """Return the boundary area projected along each of the 13 directions.

    Along direction k, one lattice line passes through each area V / d_k (V the voxel volume,
    d_k the distance of neighbours on the line), so N_k crossings project to N_k V / d_k.

    Parameters
    ----------
    histogram : ndarray, shape (256,)
        From `configuration_histogram`.
    voxel_size : 3 floats
        Voxel edges (z, y, x) in metres.

    Returns
    -------
    ndarray, shape (13,)
        In m^2, in the order of `microtwin.descriptors.orientation.DIRECTIONS`.
    """
    spacing = np.linalg.norm(np.array(DIRECTIONS) * voxel_size, axis=1)
    return (histogram @ _crossing_table()) * (np.prod(voxel_size) / spacing)


@lru_cache(maxsize=1)
def _crossing_table() -> NDArray[np.float64]:
    """Boundary crossings per configuration and direction, shape (256, 13).

    A pair of corners on an edge of the cube is shared by four cubes and counts a quarter, on a
    face diagonal by two and counts half, on a space diagonal it belongs to one cube alone.
    """
    table = np.zeros((256, len(DIRECTIONS)))
    inside = (np.arange(256)[:, None] >> np.arange(8)) & 1
    corners = list(itertools.product((0, 1), repeat=3))
    for a, b in itertools.permutations(corners, 2):
        difference = tuple(j - i for i, j in zip(a, b, strict=True))
        if difference in DIRECTIONS:
            share = 0.5 ** difference.count(0)
            bit_a, bit_b = (c[0] + 2 * c[1] + 4 * c[2] for c in (a, b))
            crosses = inside[:, bit_a] != inside[:, bit_b]
            table[:, DIRECTIONS.index(difference)] += share * crosses
    return table


@njit(cache=True, nogil=True, parallel=True)
def _histogram(labels, member, periodic):  # type: ignore[no-untyped-def]
    nz, ny, nx = labels.shape
    layers, rows = (nz, ny) if periodic else (nz - 1, ny - 1)
    counts = np.zeros((layers, 256), np.int64)
    bit = member.astype(np.int64)
    for z in prange(layers):
        z1 = (z + 1) % nz
        for y in range(rows):
            y1 = (y + 1) % ny
            first = (
                bit[labels[z, y, 0]]
                | bit[labels[z1, y, 0]] << 1
                | bit[labels[z, y1, 0]] << 2
                | bit[labels[z1, y1, 0]] << 3
            )
            # The four voxels of a column are the right side of one cube and the left of the next.
            left = first
            for x in range(1, nx):
                right = (
                    bit[labels[z, y, x]]
                    | bit[labels[z1, y, x]] << 1
                    | bit[labels[z, y1, x]] << 2
                    | bit[labels[z1, y1, x]] << 3
                )
                counts[z, left | right << 4] += 1
                left = right
            if periodic:
                counts[z, left | first << 4] += 1
    return counts
