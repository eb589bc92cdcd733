"""The embedded boundary of one phase: how far each voxel face is open to it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from microtwin.connectivity import label_clusters
from microtwin.geometry import kernels
from microtwin.geometry.catalogue import PATTERNS, pattern_table
from microtwin.geometry.kernels import FULL
from microtwin.numerics.threads import over_slabs, slab_bounds

__all__ = ["PhaseGeometry", "assemble", "label_patterns", "smooth_geometry", "voxel_geometry"]


@dataclass(frozen=True, eq=False)
class PhaseGeometry:
    """Where one phase is, to a fraction of a voxel.

    Parameters
    ----------
    faces : 3 ndarrays of uint8, shape (nz, ny, nx)
        Open fraction, in units of `unit`, of the face after each voxel along z, y and x. The last
        face along an axis is the one across the period; closed if the image is not periodic.
    outer : tuple of 2 ndarrays of uint8, shape (ny, nx)
        Open fractions of the outer faces at the low and the high end of axis 0.
    unit : float
        Open fraction of a face per unit of its byte.
    volume_fraction : float
        Fraction of the image that the phase fills by this geometry: voxels of the phase, connected
        or not, and the pieces that voxels of other labels keep.
    """

    faces: tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]
    outer: tuple[NDArray[np.uint8], NDArray[np.uint8]]
    unit: float
    volume_fraction: float


def voxel_geometry(
    labels: NDArray[np.uint8],
    phase: int,
    clusters: NDArray[np.integer] | None = None,
    periodic: bool = False,
) -> PhaseGeometry:
    """Return the staircase geometry of a phase: faces between two voxels of it are open.

    Parameters
    ----------
    labels, phase, clusters, periodic
        As in `smooth_geometry`.

    Returns
    -------
    PhaseGeometry
    """
    mask = labels == phase
    fraction = float(np.count_nonzero(mask) / mask.size)
    inside = (mask if clusters is None else clusters > 0).view(np.uint8)
    faces = []
    for axis in range(3):
        face = np.zeros_like(inside)
        low, high = [slice(None)] * 3, [slice(None)] * 3
        low[axis], high[axis] = slice(0, -1), slice(1, None)
        np.bitwise_and(inside[tuple(low)], inside[tuple(high)], out=face[tuple(low)])
        if periodic:
            low[axis], high[axis] = slice(-1, None), slice(0, 1)
            np.bitwise_and(inside[tuple(low)], inside[tuple(high)], out=face[tuple(low)])
        faces.append(face)
    outer = (inside[0].copy(), inside[-1].copy())
    return PhaseGeometry(tuple(faces), outer, 1.0, fraction)  # type: ignore[arg-type]


def smooth_geometry(
    labels: NDArray[np.uint8],
    phase: int,
    clusters: NDArray[np.integer] | None = None,
    periodic: bool = False,
) -> PhaseGeometry:
    """Return the embedded boundary of one phase, rebuilt from the labels alone.

    Between the centres of eight voxels the indicators of all labels are interpolated trilinearly
    and the largest wins (see `catalogue`). The phase of a voxel centre is never changed, and two
    voxels of the phase that share a face stay connected.

    The connectivity of the labels is kept as well. A piece of the phase inside a voxel with
    another label belongs to one cluster of the phase only: its links to other clusters are closed.
    If such a voxel holds separate pieces on two sides (a thin wall), only the larger one is kept;
    otherwise the one value of the voxel would be a leak through the wall.

    Parameters
    ----------
    labels : ndarray of uint8, shape (nz, ny, nx)
    phase : int
        Label of the phase.
    clusters : ndarray of unsigned int, shape (nz, ny, nx), optional
        Number of the cluster of each voxel of the phase; voxels with 0 get no links. By default
        all clusters are kept.
    periodic : bool
        Whether the image repeats along all three axes; otherwise it continues beyond its outer
        faces as a copy of its outermost layer.

    Returns
    -------
    PhaseGeometry
    """
    patterns = label_patterns(labels, phase, periodic)
    table = pattern_table()
    return assemble(labels, phase, patterns, table.faces, table.octants, clusters, periodic)


def assemble(
    labels: NDArray[np.uint8],
    phase: int,
    patterns: NDArray[np.integer],
    quarter_faces: NDArray[np.uint8],
    octants: NDArray[np.uint8],
    clusters: NDArray[np.integer] | None,
    periodic: bool,
) -> PhaseGeometry:
    """Put the pieces of the dual cells together to a geometry that keeps the connectivity.

    Parameters
    ----------
    labels, phase, clusters, periodic
        As in `smooth_geometry`.
    patterns : ndarray of int, shape (nz + 1, ny + 1, nx + 1)
        Row of each dual cell in the two tables.
    quarter_faces, octants : ndarray of uint8, shape (n, 12) and (n, 8)
        Shares of the phase, see `catalogue`.

    Returns
    -------
    PhaseGeometry
    """
    slabs = slab_bounds(labels.shape)
    kept = np.empty(labels.shape, np.uint8)
    volumes = np.zeros(len(labels), np.int64)
    image = (labels, phase, periodic)
    shares = (quarter_faces, octants)
    over_slabs(kernels.keep_pieces, slabs, patterns, *image, *shares, kept, volumes)
    owners = label_clusters(labels == phase, periodic)[0] if clusters is None else clusters.copy()
    over_slabs(kernels.attach, slabs, patterns, quarter_faces, kept, owners, *image)
    faces = tuple(np.empty(labels.shape, np.uint8) for _ in range(3))
    over_slabs(kernels.open_faces, slabs, patterns, quarter_faces, kept, owners, faces, periodic)
    low, high = (np.empty(labels.shape[1:], np.uint8) for _ in range(2))
    kernels.open_ends(low, high, patterns, quarter_faces, kept, owners)
    fraction = float(volumes.sum() / (8.0 * FULL * labels.size))
    return PhaseGeometry(faces, (low, high), 1.0 / (4 * FULL), fraction)  # type: ignore[arg-type]


def label_patterns(labels: NDArray[np.uint8], phase: int, periodic: bool) -> NDArray[np.uint16]:
    """Return the label pattern of every dual cell, and make sure that the table knows them all.

    Parameters
    ----------
    labels, phase, periodic
        As in `smooth_geometry`.

    Returns
    -------
    ndarray of uint16, shape (nz + 1, ny + 1, nx + 1)
        Entry (k, j, i) is the dual cell between the centres of voxels k - 1 and k, and so on.
    """
    patterns = np.empty(tuple(n + 1 for n in labels.shape), np.uint16)
    present = np.zeros(PATTERNS, bool)
    over_slabs(
        kernels.match, slab_bounds(patterns.shape), patterns, present, labels, phase, periodic
    )
    pattern_table().include(np.flatnonzero(present))
    return patterns
