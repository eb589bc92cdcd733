"""Links from voxels to the surface of a phase, and across the interface between two.

Labels tell on which side of a surface the centre of a voxel lies, not how far from it. Smoothing
them with a Gaussian kernel of deviation s turns a plane at the distance d into Phi(d / s), so that
the smoothed labels of two centres say where the link between them crosses the surface, and their
gradient in which direction it faces.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from ..numerics.threads import even_shares, over_slabs
from .surface_kernels import smoothed

__all__ = ["NEAREST", "Crossings", "crossings"]

SMOOTHING = 1.0  # voxels: standard deviation of the kernel
REACH = 3  # voxels
NEAREST = 0.05  # of a link: no surface is taken to be nearer to the centre of a voxel
STEEPEST = 0.05  # least cosine between a link and the normal of the surface that it crosses


@dataclass(frozen=True, eq=False)
class Crossings:
    """Links along one axis that cross a surface.

    Parameters
    ----------
    voxel : ndarray of int64, shape (n,)
        On this side, in C order.
    face : ndarray of int64, shape (n,)
        The voxel before the face that is crossed.
    other : ndarray of int64, shape (n,)
        Voxel on the other side.
    share : ndarray of float64, shape (n,)
        Of the link, from the centre of `voxel` to the surface.
    cosine : ndarray of float64, shape (n,)
        Between the link and the normal of the surface.
    """

    voxel: NDArray[np.int64]
    face: NDArray[np.int64]
    other: NDArray[np.int64]
    share: NDArray[np.float64]
    cosine: NDArray[np.float64]


def crossings(
    here: NDArray[np.bool_],
    beyond: NDArray[np.bool_],
    voxel_size: tuple[float, float, float],
    periodic: bool,
) -> list[Crossings]:
    """Return the links from one side to the other, for each axis.

    Parameters
    ----------
    here, beyond : ndarray of bool, shape (nz, ny, nx)
        The voxels of both sides.
    voxel_size : 3 floats
    periodic : bool

    Returns
    -------
    list of 3 Crossings
    """
    pairs = []
    for axis in range(3):
        after = [np.roll(mask, -1, axis) for mask in (here, beyond)]
        if not periodic:
            for mask in after:
                np.moveaxis(mask, axis, 0)[-1] = False
        up, down = np.flatnonzero(here & after[1]), np.flatnonzero(beyond & after[0])
        up_next, down_next = _after(up, here.shape, axis), _after(down, here.shape, axis)
        pairs.append(
            (
                np.concatenate([up, down_next]),
                np.concatenate([up, down]),
                np.concatenate([up_next, down]),
            )
        )
    points = np.unique(np.concatenate([part for pair in pairs for part in (pair[0], pair[2])]))
    sides = here.view(np.uint8) + 2 * beyond.view(np.uint8)
    distance, normal = _distances(points, sides, voxel_size, periodic)
    found = []
    for axis, (voxel, face, other) in enumerate(pairs):
        mine, theirs = np.searchsorted(points, voxel), np.searchsorted(points, other)
        a, b = distance[mine], distance[theirs]
        with np.errstate(invalid="ignore", divide="ignore"):
            share = np.where((a > 0.0) & (b < 0.0), a / (a - b), 0.5)  # 0.5 where it is unclear
        cosine = np.abs(0.5 * (normal[mine, axis] + normal[theirs, axis]))
        found.append(
            Crossings(
                voxel, face, other, np.clip(share, NEAREST, 1.0), np.clip(cosine, STEEPEST, 1.0)
            )
        )
    return found


def _after(voxel: NDArray[np.int64], shape: tuple[int, ...], axis: int) -> NDArray[np.int64]:
    """Return the next voxel along an axis, across the period at its end."""
    index = list(np.unravel_index(voxel, shape))
    index[axis] = (index[axis] + 1) % shape[axis]
    return np.ravel_multi_index(index, shape).astype(np.int64)


def _distances(
    points: NDArray[np.int64],
    sides: NDArray[np.uint8],
    voxel_size: tuple[float, float, float],
    periodic: bool,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how far points lie from the surface, in voxels, and its normal there."""
    out = np.zeros((len(points), 4))
    if len(points) == 0:
        return out[:, 0], out[:, 1:]
    index = np.stack(np.unravel_index(points, sides.shape), axis=1).astype(np.int64)
    weights = np.exp(-0.5 * (np.arange(-REACH, REACH + 1) / SMOOTHING) ** 2)
    args = (index, sides, weights, 1.0 / np.array(voxel_size), periodic, out)
    over_slabs(smoothed, even_shares(len(points)), *args)
    return SMOOTHING * ndtri(np.clip(out[:, 0], 1e-6, 1.0 - 1e-6)), out[:, 1:]
