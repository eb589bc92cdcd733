"""Area and orientation of the interface between two phases, voxel by voxel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from microtwin.geometry import kernels
from microtwin.geometry.apertures import label_patterns
from microtwin.geometry.catalogue import pattern_table
from microtwin.numerics.threads import over_slabs, slab_bounds

__all__ = ["area_vectors", "phase_fractions"]


def area_vectors(
    labels: NDArray[np.uint8],
    phase: int,
    other: int,
    periodic: bool = False,
    sealed: NDArray[np.uint8] | None = None,
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
    sealed : ndarray of uint8, shape (nz, ny, nx), optional
        Faces at which the interface is left out, see `film_faces`: on either side they count as
        if the label of the voxel went on.

    Returns
    -------
    ndarray of float32, shape (3, nz, ny, nx)
        Components (z, y, x) of the normal that points out of `phase` into `other`, times the area
        in units of the face of a voxel normal to that axis.
    """
    table = pattern_table()
    result = np.zeros((3, *labels.shape), np.float32)
    first = label_patterns(labels, phase, periodic)
    second = label_patterns(labels, other, periodic)
    slabs = slab_bounds(labels.shape)
    if sealed is None:
        sealed = np.zeros(labels.shape, np.uint8)
    over_slabs(
        kernels.areas, slabs, result, labels, phase, other, sealed, first, second,
        table.faces, table.octants,
    )  # fmt: skip
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
    over_slabs(
        kernels.fractions, slab_bounds(labels.shape), result, patterns, pattern_table().octants
    )
    return result
