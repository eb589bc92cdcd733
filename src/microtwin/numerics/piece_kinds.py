"""Which voxels are of one kind on coarse grids."""

from __future__ import annotations

from itertools import product
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..connectivity import label_clusters

__all__ = ["SMALL", "kinds_of_voxels"]

SMALL = 9  # voxels: clusters below this are left to the fine grid
APART = 10.0  # ratio of moduli from which on solids are of two kinds on coarse grids


def kinds_of_voxels(
    number: NDArray[np.signedinteger], stiffnesses: NDArray[np.float64]
) -> NDArray[np.uint8]:
    """Return the kind of each voxel: stiff is 2, soft 1, void 0.

    Small soft clusters that hang on one stiff body count as stiff, and small clusters of solid as
    void: the fine grid alone deals with what is within them.

    Parameters
    ----------
    number : ndarray, shape (nz, ny, nx)
        Of a grid that repeats itself.
    stiffnesses : ndarray, shape (m, 6, 6)
        Of each number; that of void, 0, is the last.
    """
    void = len(stiffnesses) - 1
    present = np.unique(number)
    moduli = np.linalg.eigvalsh(stiffnesses)[:, 0]  # of the softest strain
    solid = moduli[present[present != void]]
    least, most = float(solid.min()), float(solid.max())
    kinds = np.where(moduli**2 >= least * most, 2, 1) if most > APART * least else moduli > 0.0
    kinds = np.array(kinds, np.uint8)
    kinds[void] = 0
    out = kinds[number]
    clusters = _small(out == 1, 6)
    out[(clusters > 0) & ~_bridges(clusters, out == 2)[clusters]] = 2
    clusters = _small(out > 0, 26)
    if not (clusters[out > 0] > 0).all():
        out[clusters > 0] = 0
    return out


def _small(mask: NDArray[np.bool_], connectivity: Literal[6, 26]) -> NDArray[np.integer]:
    """Return the clusters of a mask that are small, on a grid that repeats itself; 0 elsewhere."""
    clusters, _ = label_clusters(mask, periodic=True, connectivity=connectivity)
    large = np.bincount(clusters.ravel()) >= SMALL
    clusters[large[clusters]] = 0
    return clusters


def _bridges(clusters: NDArray[np.integer], stiff: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which clusters touch more than one stiff body, be it at a corner; they tie them."""
    bodies, many = label_clusters(stiff, periodic=True)
    count = int(clusters.max(initial=0)) + 1
    least, most = np.full(count, many + 1), np.zeros(count, np.int64)
    here = np.nonzero(clusters)
    own = clusters[here]
    for shift in product((-1, 0, 1), repeat=3):
        around = [(at + by) % n for at, by, n in zip(here, shift, clusters.shape, strict=True)]
        body = bodies[tuple(around)]
        np.minimum.at(least, own, np.where(body > 0, body, many + 1))
        np.maximum.at(most, own, body)
    return np.asarray(least < most)
