"""The embedded boundary of one phase: how far each voxel face is open to it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from microtwin.connectivity import label_clusters
from microtwin.geometry.catalogue import ALL_OTHER, FULL, PATTERNS, pattern_table
from microtwin.numerics.threads import over_slabs, slab_bounds

__all__ = ["PhaseGeometry", "label_patterns", "smooth_geometry", "voxel_geometry"]

OPTIONS = {"nogil": True, "cache": True, "error_model": "numpy"}

# One bit per face of a voxel, in the order z-, z+, y-, y+, x-, x+.
ALL_FACES = 63


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
        Fraction of the image that the phase fills by this geometry, connected or not.
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
    another label belongs to one cluster of the phase only: its links to other clusters are closed. If
    such a voxel holds separate pieces on two sides (a thin wall), only the larger one keeps its
    links; otherwise the one value of the voxel would be a leak through the wall.

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
    nz, ny, nx = labels.shape
    patterns = label_patterns(labels, phase, periodic)
    table = pattern_table()
    slabs = slab_bounds(labels.shape)
    faces = tuple(np.empty(labels.shape, np.uint8) for _ in range(3))
    low = np.empty((ny, nx), np.uint8)
    links = np.empty(labels.shape, np.uint8)
    volumes = np.zeros(nz, np.int64)
    shares = (table.faces, table.octants)
    over_slabs(_cut, slabs, patterns, labels, phase, *shares, faces, low, links, volumes)
    del patterns
    owners = label_clusters(labels == phase, periodic)[0] if clusters is None else clusters.copy()
    over_slabs(_attach, slabs, faces, links, owners, labels, phase, periodic)
    low = np.where((owners[0] > 0) & (links[0] & 1 > 0), low, np.uint8(0))
    high = np.where((owners[-1] > 0) & (links[-1] & 2 > 0), faces[0][-1], np.uint8(0))
    over_slabs(_close, slabs, faces, links, owners, periodic)
    fraction = float(volumes.sum() / (8.0 * FULL * labels.size))
    return PhaseGeometry(faces, (low, high), 1.0 / (4 * FULL), fraction)  # type: ignore[arg-type]


def label_patterns(
    labels: NDArray[np.uint8], phase: int, periodic: bool
) -> NDArray[np.uint16]:
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
    over_slabs(_match, slab_bounds(patterns.shape), patterns, present, labels, phase, periodic)
    pattern_table().include(np.flatnonzero(present))
    return patterns


@njit(**OPTIONS)
def _voxel(k, n, periodic):
    """Return the index of a voxel that may lie one layer outside."""
    if periodic:
        return k % n
    return min(max(k, 0), n - 1)


@njit(**OPTIONS)
def _match(first, end, patterns, present, labels, phase, periodic):
    """Write the label pattern of each dual cell and mark the ones that occur."""
    nz, ny, nx = labels.shape
    corner = np.empty(8, np.uint8)
    for k in range(first, end):
        k0, k1 = _voxel(k - 1, nz, periodic), _voxel(k, nz, periodic)
        for j in range(ny + 1):
            j0, j1 = _voxel(j - 1, ny, periodic), _voxel(j, ny, periodic)
            for i in range(nx + 1):
                i0, i1 = _voxel(i - 1, nx, periodic), _voxel(i, nx, periodic)
                corner[0], corner[1] = labels[k0, j0, i0], labels[k0, j0, i1]
                corner[2], corner[3] = labels[k0, j1, i0], labels[k0, j1, i1]
                corner[4], corner[5] = labels[k1, j0, i0], labels[k1, j0, i1]
                corner[6], corner[7] = labels[k1, j1, i0], labels[k1, j1, i1]
                patterns[k, j, i] = _pattern(corner, phase)
                present[patterns[k, j, i]] = True


@njit(**OPTIONS)
def _pattern(corner, phase):
    """Return the number of a label pattern: 2 bits per corner, others by order of appearance."""
    same = True
    for c in range(1, 8):
        same = same and corner[c] == corner[0]
    if same:
        return 0 if corner[0] == phase else ALL_OTHER
    second, third, others = 256, 256, 0
    pattern = 0
    for c in range(8):
        label = corner[c]
        if label == phase:
            continue
        if others == 0:
            second, others = label, 1
        elif label != second and others == 1:
            third, others = label, 2
        digit = 1 if label == second else (2 if label == third else 3)
        pattern |= digit << (2 * c)
    return pattern


@njit(**OPTIONS)
def _cut(first, end, patterns, labels, phase, quarter, octant, faces, low, links, volumes):
    """Add up quarter faces and octants, and find which faces of a voxel its piece may use."""
    gz, gy, gx = faces
    _, ny, nx = labels.shape
    for k in range(first, end):
        for j in range(ny):
            for i in range(nx):
                z, y, x, v, mixed = 0, 0, 0, 0, False
                for a in range(2):
                    for b in range(2):
                        z += quarter[patterns[k + 1, j + 1 - a, i + 1 - b], 2 * a + b]
                        y += quarter[patterns[k + 1 - a, j + 1, i + 1 - b], 4 + 2 * a + b]
                        x += quarter[patterns[k + 1 - a, j + 1 - b, i + 1], 8 + 2 * a + b]
                        for c in range(2):
                            p = patterns[k + 1 - a, j + 1 - b, i + 1 - c]
                            v += octant[p, 4 * a + 2 * b + c]
                            mixed = mixed or (p != 0 and p != ALL_OTHER)
                gz[k, j, i], gy[k, j, i], gx[k, j, i] = z, y, x
                volumes[k] += v
                links[k, j, i] = ALL_FACES
                if mixed and labels[k, j, i] != phase:
                    links[k, j, i] = _largest_piece(patterns, quarter, k, j, i)
                if k == 0:
                    z = 0
                    for a in range(2):
                        for b in range(2):
                            z += quarter[patterns[0, j + 1 - a, i + 1 - b], 2 * a + b]
                    low[j, i] = z


@njit(**OPTIONS)
def _largest_piece(patterns, quarter, k, j, i):
    """Return the faces (bits) that touch the largest piece of the phase inside a voxel.

    Faces belong to one piece if the phase reaches both of them at a common corner of the voxel.
    """
    area = np.zeros(6, np.int64)
    joined = np.zeros(8, np.int64)
    for c in range(8):
        a, b, d = c >> 2 & 1, c >> 1 & 1, c & 1
        p = patterns[k + 1 - a, j + 1 - b, i + 1 - d]
        sizes = (quarter[p, 2 * b + d], quarter[p, 4 + 2 * a + d], quarter[p, 8 + 2 * a + b])
        sides = (1 - a, 3 - b, 5 - d)
        for n in range(3):
            if sizes[n] > 0:
                joined[c] |= 1 << sides[n]
                area[sides[n]] += sizes[n]
    best, best_area, seen = 0, 0, 0
    for side in range(6):
        if area[side] == 0 or seen >> side & 1:
            continue
        piece, before = 1 << side, 0
        while piece != before:
            before = piece
            for c in range(8):
                if joined[c] & piece:
                    piece |= joined[c]
        seen |= piece
        total = 0
        for other in range(6):
            if piece >> other & 1:
                total += area[other]
        if total > best_area:
            best, best_area = piece, total
    return best


@njit(**OPTIONS)
def _neighbour(k, j, i, side, shape, periodic):
    """Return the voxel across a face, and whether there is one."""
    at = [k, j, i]
    axis = side // 2
    at[axis] += 1 if side % 2 else -1
    inside = 0 <= at[axis] < shape[axis]
    if not inside and periodic:
        at[axis] %= shape[axis]
    return at[0], at[1], at[2], inside or periodic


@njit(**OPTIONS)
def _attach(first, end, faces, links, owners, labels, phase, periodic):
    """Give the piece in each voxel of another label to the cluster it shares most area with."""
    gz, gy, gx = faces
    shape = labels.shape
    for k in range(first, end):
        for j in range(shape[1]):
            for i in range(shape[2]):
                if labels[k, j, i] == phase:
                    continue
                best, owner = 0, 0
                for side in range(6):
                    if not links[k, j, i] >> side & 1:
                        continue
                    kk, jj, ii, exists = _neighbour(k, j, i, side, shape, periodic)
                    if not exists or labels[kk, jj, ii] != phase:
                        continue
                    a, b, c = (k, j, i) if side % 2 else (kk, jj, ii)
                    g = gz if side < 2 else (gy if side < 4 else gx)
                    if g[a, b, c] > best:
                        best, owner = g[a, b, c], owners[kk, jj, ii]
                owners[k, j, i] = owner


@njit(**OPTIONS)
def _close(first, end, faces, links, owners, periodic):
    """Close the faces between different clusters and those that a piece may not use."""
    shape = owners.shape
    for k in range(first, end):
        for j in range(shape[1]):
            for i in range(shape[2]):
                for axis in range(3):
                    side = 2 * axis + 1
                    kk, jj, ii, exists = _neighbour(k, j, i, side, shape, periodic)
                    keep = (
                        exists
                        and owners[k, j, i] > 0
                        and owners[k, j, i] == owners[kk, jj, ii]
                        and links[k, j, i] >> side & 1
                        and links[kk, jj, ii] >> (side - 1) & 1
                    )
                    if not keep:
                        faces[axis][k, j, i] = 0
