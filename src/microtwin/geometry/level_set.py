"""The embedded boundary of a phase from a continuous field instead of labels.

A field at the voxel centres, positive inside the phase, knows where the interface is to a small
fraction of a voxel: a signed distance, or the probability of the phase minus the largest of the
others. It is interpolated trilinearly in each dual cell (see `catalogue`), and its zero surface
cuts quarter faces and octants. Both are split into simplices along the same diagonals, in which the
field is taken as linear: the error of an area is of second order, and in a structure that does
not change along an axis volumes and apertures agree exactly.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from microtwin.geometry import level_set_kernels as kernels
from microtwin.geometry.apertures import PhaseGeometry, assemble
from microtwin.geometry.catalogue import EDGES, PATTERNS, pattern_table
from microtwin.geometry.kernels import ALL_OTHER
from microtwin.numerics.threads import over_slabs, slab_bounds

__all__ = ["level_set_geometry"]


def level_set_geometry(
    level_set: NDArray[np.floating],
    clusters: NDArray[np.integer] | None = None,
    periodic: bool = False,
) -> PhaseGeometry:
    """Return the embedded boundary of the phase in which a field is not negative.

    Parameters
    ----------
    level_set : ndarray of float, shape (nz, ny, nx)
        Value at the voxel centres, not negative inside the phase. Only its zero surface counts, so
        the unit is free.
    clusters : ndarray of unsigned int, shape (nz, ny, nx), optional
        Number of the cluster of each voxel of the phase, as in `smooth_geometry`.
    periodic : bool
        Whether the field repeats along all three axes; otherwise its outermost layer is continued.

    Returns
    -------
    PhaseGeometry

    Raises
    ------
    ValueError
        If the field holds NaN or infinite values.
    """
    if not np.isfinite(level_set).all():
        raise ValueError(
            "the level set holds NaN or infinite values; give a finite number at each voxel"
        )
    field = np.ascontiguousarray(level_set, np.float32)
    cells = np.empty(tuple(n + 1 for n in field.shape), np.int32)
    slabs = slab_bounds(cells.shape)
    mixed = np.zeros(cells.shape[0], np.int64)
    over_slabs(kernels.classify, slabs, cells, mixed, field, periodic)
    # Every cell that the surface cuts gets rows of its own, behind those of the label patterns.
    start = PATTERNS + np.concatenate([[0], np.cumsum(mixed)])
    table = pattern_table()
    table.include(np.array([0, ALL_OTHER]))
    faces = np.concatenate([table.faces, np.empty((mixed.sum(), 12), np.uint8)])
    octants = np.concatenate([table.octants, np.empty((mixed.sum(), 8), np.uint8)])
    over_slabs(kernels.slice_cells, slabs, cells, start, field, periodic, EDGES, faces, octants)
    inside = (field >= 0.0).view(np.uint8)
    return assemble(inside, 1, cells, faces, octants, clusters, periodic)
