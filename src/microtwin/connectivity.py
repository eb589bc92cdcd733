"""Which voxels belong together, and which clusters carry a flux through the image.

Voxels are connected through their faces (6-connectivity), the convention of every finite-volume
code. A cluster *percolates* along a direction if it touches both outer faces of the image, or,
in a periodic image, if it winds around the period in that direction.
"""

from __future__ import annotations

from itertools import product
from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["carrying_clusters", "label_clusters", "percolating_mask", "reaching_clusters"]


def label_clusters(
    mask: NDArray[np.bool_], periodic: bool = False, connectivity: Literal[6, 26] = 6
) -> tuple[NDArray[np.integer], int]:
    """Label the connected clusters of a mask.

    Parameters
    ----------
    mask : ndarray of bool, shape (nz, ny, nx)
    periodic : bool
        Whether clusters are joined across the outer faces of the image.
    connectivity : {6, 26}
        Voxels are connected through faces, or through faces, edges and corners; the latter is
        for what a face-connected phase leaves over, and for bodies that hold at a corner.

    Returns
    -------
    clusters : ndarray of unsigned int, shape (nz, ny, nx)
        0 outside the mask, 1 ... n inside.
    n : int
        Number of clusters.
    """
    import cc3d

    clusters, n = cc3d.connected_components(
        mask, connectivity=connectivity, binary_image=True, return_N=True
    )
    if not periodic:
        return clusters, int(n)
    if connectivity == 26:
        return _join_around(clusters, int(n))
    roots, numbers = np.unique(_wrap(clusters, int(n))[0], return_inverse=True)
    return numbers.astype(clusters.dtype)[clusters], len(roots) - 1


def carrying_clusters(
    mask: NDArray[np.bool_], axis: int, periodic: bool = False
) -> NDArray[np.integer]:
    """Label the clusters of a mask that percolate along an axis, and leave out the others.

    Parameters
    ----------
    mask : ndarray of bool, shape (nz, ny, nx)
    axis : int
        Array axis of the flux.
    periodic : bool
        False: a cluster percolates if it touches both outer faces. True: all three axes are
        periodic and the cluster must connect to its own image along the axis.

    Returns
    -------
    ndarray of unsigned int, shape (nz, ny, nx)
        A number above 0 for each percolating cluster, 0 elsewhere.
    """
    clusters, n = label_clusters(mask)
    number = np.zeros(n + 1, clusters.dtype)
    if periodic:
        root, winds = _wrap(clusters, n)
        number[winds[:, axis]] = root[winds[:, axis]]
    else:
        both = np.intersect1d(clusters.take(0, axis), clusters.take(-1, axis))
        number[both] = both
    number[0] = 0
    return clusters if np.array_equal(number, np.arange(n + 1)) else number[clusters]


def reaching_clusters(
    mask: NDArray[np.bool_], axis: int, layer: Literal[0, -1]
) -> NDArray[np.uint32]:
    """Label the clusters of a mask that reach one outer face, and leave out the others.

    Parameters
    ----------
    mask : ndarray of bool, shape (nz, ny, nx)
    axis : int
        Array axis that the face is normal to.
    layer : {0, -1}
        The first or the last layer of voxels along it.

    Returns
    -------
    ndarray of uint32, shape (nz, ny, nx)
        A number above 0 for each cluster that has a voxel in the layer, 0 elsewhere.
    """
    clusters, n = label_clusters(mask)
    keep = np.zeros(n + 1, bool)
    keep[clusters.take(layer, axis)] = True
    keep[0] = False
    return np.where(keep[clusters], clusters, 0).astype(np.uint32)


def percolating_mask(
    mask: NDArray[np.bool_], axis: int, periodic: bool = False
) -> NDArray[np.bool_]:
    """Return the part of a mask that percolates along an axis.

    Parameters
    ----------
    mask : ndarray of bool, shape (nz, ny, nx)
    axis, periodic
        As in `carrying_clusters`.

    Returns
    -------
    ndarray of bool, shape (nz, ny, nx)
    """
    return carrying_clusters(mask, axis, periodic) > 0


def _join_around(clusters: NDArray[np.integer], n: int) -> tuple[NDArray[np.integer], int]:
    """Join clusters that touch across the period, be it at a corner."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    pairs = []
    for axis in range(3):
        last, first = clusters.take(-1, axis), clusters.take(0, axis)
        for shift in product((-1, 0, 1), repeat=2):
            both = np.stack([last.ravel(), np.roll(first, shift, (0, 1)).ravel()])
            pairs.append(np.unique(both[:, (both > 0).all(axis=0)], axis=1))
    a, b = np.concatenate(pairs, axis=1)
    graph = coo_array((np.ones(len(a), bool), (a, b)), shape=(n + 1, n + 1))
    count, numbers = connected_components(graph, directed=False)
    return numbers.astype(clusters.dtype)[clusters], count - 1


def _wrap(clusters: NDArray[np.integer], n: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Join clusters across the period: the root of each, and along which axes it winds (n + 1, 3).

    Union-find, where every cluster stores its lattice offset to its root. Joining two clusters that
    are already joined, but at another offset, closes a loop around the period; the difference of
    the offsets is the winding vector.
    """
    parent = np.arange(n + 1)
    offset = np.zeros((n + 1, 3), np.int64)
    winds = np.zeros((n + 1, 3), bool)

    def find(i: int) -> tuple[int, NDArray[np.int64]]:
        path = []
        while parent[i] != i:
            path.append(i)
            i = int(parent[i])
        total = np.zeros(3, np.int64)
        for node in reversed(path):
            total = total + offset[node]
            parent[node], offset[node] = i, total
        return i, total

    for axis in range(3):
        pairs = np.stack([clusters.take(-1, axis).ravel(), clusters.take(0, axis).ravel()], 1)
        pairs = np.unique(pairs[(pairs > 0).all(1)], axis=0)
        step = np.zeros(3, np.int64)
        step[axis] = 1
        for a, b in pairs:
            (root_a, offset_a), (root_b, offset_b) = find(int(a)), find(int(b))
            shift = offset_a + step - offset_b
            if root_a == root_b:
                winds[root_a] |= shift != 0
            else:
                parent[root_b], offset[root_b] = root_a, shift
                winds[root_a] |= winds[root_b]
    root = np.array([find(i)[0] for i in range(n + 1)])
    return root, winds[root]
