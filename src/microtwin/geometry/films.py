"""Films one voxel thick, whose two interfaces the embedded boundary cannot keep apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from microtwin.geometry import kernels
from microtwin.geometry.apertures import label_patterns
from microtwin.geometry.catalogue import pattern_table

__all__ = ["face_openings", "film_faces"]


def film_faces(labels: NDArray[np.uint8], periodic: bool = False) -> NDArray[np.uint8]:
    """Return the faces of films between two labels above zero.

    A voxel is a film along an axis if both its neighbours along it have other labels. Its
    interfaces lie on its two faces, and the pieces of the neighbours that the interpolation lets
    into it would meet in one value.

    Parameters
    ----------
    labels : ndarray of uint8, shape (nz, ny, nx)
        0 stands for what does not matter: its faces are not marked, but it bounds films.
    periodic : bool
        Whether the image repeats; otherwise its outermost layer is continued.

    Returns
    -------
    ndarray of uint8, shape (nz, ny, nx)
        Bit 0, 1 and 2 mark the face after the voxel along z, y and x.
    """
    marked = np.zeros(labels.shape, np.uint8)
    for axis in range(3):
        after = np.roll(labels, -1, axis)
        differ = labels != after
        if not periodic:
            differ[(slice(None),) * axis + (-1,)] = False
        film = differ & np.roll(differ, 1, axis)
        beside = film | np.roll(film, -1, axis)
        marked |= (differ & beside & (labels > 0) & (after > 0)).astype(np.uint8) << axis
    return marked


def face_openings(
    labels: NDArray[np.uint8],
    phase: int,
    voxels: Sequence[NDArray[np.int64]],
    periodic: bool,
) -> list[NDArray[np.float32]]:
    """Return the open part of some faces, with all pieces of the phase, connected or not.

    Parameters
    ----------
    labels : ndarray of uint8, shape (nz, ny, nx)
    phase : int
    voxels : sequence of 3 ndarrays of int64
        The voxels before the faces along z, y and x, counted in C order.
    periodic : bool
        As in `film_faces`.

    Returns
    -------
    list of 3 ndarrays of float32, of the same shapes
    """
    patterns, quarter = label_patterns(labels, phase, periodic), pattern_table().faces
    results = []
    for axis, chosen in enumerate(voxels):
        result = np.empty(len(chosen), np.float32)
        kernels.openings(result, axis, chosen, patterns, quarter, *labels.shape[1:])
        results.append(result / np.float32(4 * kernels.FULL))
    return results
