"""How much of a phase, or of the interface between two, each unknown stands for."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..geometry import facet_areas, phase_fractions
from ..microstructure import Microstructure
from .species import Place

__all__ = ["measure"]


def measure(
    micro: Microstructure, place: Place, present: NDArray[np.bool_], periodic: bool = False
) -> NDArray[np.float32]:
    """Return the extent of a place in every voxel that has an unknown.

    Parameters
    ----------
    micro : Microstructure
    place : str or (str, str)
        A phase, or the interface between two.
    present : ndarray of bool, shape (nz, ny, nx)
        Voxels with an unknown. What lies in others belongs to those beside them.
    periodic : bool

    Returns
    -------
    ndarray of float32, shape (nz, ny, nx)
        Volume over that of the voxel; or area over the volume of the voxel, in 1/m.
    """
    if isinstance(place, str):
        share = phase_fractions(micro.labels, micro.label(place), periodic)
        return _gathered(share, present, periodic)
    facets = facet_areas(micro, [place], periodic)[0]
    area = np.linalg.norm(facets.vector, axis=1) / np.prod(micro.voxel_size)
    density = np.bincount(facets.voxel, area, present.size).reshape(micro.shape)
    return _gathered(density.astype(np.float32), present, periodic, everywhere=True)


def _gathered(
    share: NDArray[np.float32],
    present: NDArray[np.bool_],
    periodic: bool,
    everywhere: bool = False,
) -> NDArray[np.float32]:
    """Give what lies in voxels without unknowns to their neighbours that have some.

    Neighbours through the faces, in equal parts: those that hold some of the same, or all.
    """
    kept = share * present
    voxel = np.flatnonzero((share > 0.0) & ~present)
    if len(voxel) == 0:
        return kept
    lost = share.reshape(-1)[voxel].astype(float)
    index = np.stack(np.unravel_index(voxel, share.shape))
    takes = present if everywhere else kept > 0.0
    beside = []
    for axis in range(3):
        for way in (1, -1):
            there = index.copy()
            there[axis] += way
            n = share.shape[axis]
            there[axis] = there[axis] % n if periodic else np.clip(there[axis], 0, n - 1)
            beside.append(np.ravel_multi_index(tuple(there), share.shape))
    able = np.stack([takes.reshape(-1)[number] for number in beside])
    part = lost / np.maximum(able.sum(axis=0), 1)
    for number, can in zip(beside, able, strict=True):
        np.add.at(kept.reshape(-1), number[can], part[can].astype(np.float32))
    return np.asarray(kept, np.float32)
