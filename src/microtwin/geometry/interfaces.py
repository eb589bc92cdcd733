"""Area and orientation of the interface between two phases, voxel by voxel."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from microtwin.geometry.apertures import label_patterns
from microtwin.geometry.catalogue import FULL, pattern_table
from microtwin.numerics.threads import over_slabs, slab_bounds

__all__ = ["area_vectors", "phase_fractions"]

OPTIONS = {"nogil": True, "cache": True, "error_model": "numpy"}


def area_vectors(
    labels: NDArray[np.uint8], phase: int, other: int, periodic: bool = False
) -> NDArray[np.float32]:
    """Return the interface between two phases in every voxel as a vector.

    The sum of the open fractions of a phase over the faces of a voxel, each times its outward
    normal, is minus the area vector of the interface that bounds the phase inside the voxel
    (divergence theorem). Where only two phases meet, this is the interface between them. Where a
    third one meets them, the three vectors do not determine three interfaces; of all that agree
    with them the smallest is taken, (A_phase - A_other) / 3.

    Parameters
    ----------
    labels : ndarray of uint8, shape (nz, ny, nx)
    phase, other : int
        Labels of the two phases.
    periodic : bool
        Whether the image repeats; otherwise its outermost layer is continued.

    Returns
    -------
    ndarray of float32, shape (3, nz, ny, nx)
        Components (z, y, x) of the normal that points out of `phase` into `other`, times the area in
        units of the face of a voxel normal to that axis.
    """
    table = pattern_table()
    result = np.zeros((3, *labels.shape), np.float32)
    first = label_patterns(labels, phase, periodic)
    second = label_patterns(labels, other, periodic)
    slabs = slab_bounds(labels.shape)
    over_slabs(_areas, slabs, result, first, second, table.faces, table.octants)
    return result


def phase_fractions(
    labels: NDArray[np.uint8], phase: int, periodic: bool = False
) -> NDArray[np.float32]:
    """Return the fraction of each voxel that a phase fills.

    Parameters
    ----------
    labels, phase, periodic
        As in `area_vectors`.

    Returns
    -------
    ndarray of float32, shape (nz, ny, nx)
    """
    patterns = label_patterns(labels, phase, periodic)
    result = np.empty(labels.shape, np.float32)
    over_slabs(_fractions, slab_bounds(labels.shape), result, patterns, pattern_table().octants)
    return result


@njit(**OPTIONS)
def _octants(patterns, octant, k, j, i):
    """Return how much of a voxel the phase fills, 8 * FULL for all of it."""
    total = 0
    for a in range(2):
        for b in range(2):
            for c in range(2):
                total += octant[patterns[k + 1 - a, j + 1 - b, i + 1 - c], 4 * a + 2 * b + c]
    return total


@njit(**OPTIONS)
def _fractions(first, end, result, patterns, octant):
    for k in range(first, end):
        for j in range(result.shape[1]):
            for i in range(result.shape[2]):
                result[k, j, i] = _octants(patterns, octant, k, j, i) / (8.0 * FULL)


@njit(**OPTIONS)
def _imbalance(patterns, quarter, k, j, i):
    """Return opening of the lower minus opening of the upper face along (z, y, x)."""
    z, y, x = 0, 0, 0
    for a in range(2):
        for b in range(2):
            e, f, g = 2 * a + b, 4 + 2 * a + b, 8 + 2 * a + b
            z += quarter[patterns[k, j + 1 - a, i + 1 - b], e]
            z -= quarter[patterns[k + 1, j + 1 - a, i + 1 - b], e]
            y += quarter[patterns[k + 1 - a, j, i + 1 - b], f]
            y -= quarter[patterns[k + 1 - a, j + 1, i + 1 - b], f]
            x += quarter[patterns[k + 1 - a, j + 1 - b, i], g]
            x -= quarter[patterns[k + 1 - a, j + 1 - b, i + 1], g]
    return z, y, x


@njit(**OPTIONS)
def _areas(first, end, result, mine, theirs, quarter, octant):
    _, nz, ny, nx = result.shape
    unit = 1.0 / (4 * FULL)
    for k in range(first, end):
        for j in range(ny):
            for i in range(nx):
                a, b = _imbalance(mine, quarter, k, j, i), _imbalance(theirs, quarter, k, j, i)
                if (a[0] | a[1] | a[2]) == 0 or (b[0] | b[1] | b[2]) == 0:
                    continue
                both = _octants(mine, octant, k, j, i) + _octants(theirs, octant, k, j, i)
                # A few units of rounding in the octants do not make a third phase.
                share = unit / (2.0 if both >= 8 * FULL - 8 else 3.0)
                for axis in range(3):
                    result[axis, k, j, i] = share * (a[axis] - b[axis])
