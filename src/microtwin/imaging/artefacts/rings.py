"""Rings about the rotation axis, measured on voxels in the open.

Least squares of what is left of the grey values on profiles that are linear between whole
distances from the axis. A detector pixel sees a ring of its own during a whole turn; during half
a turn it sees half a ring, and the pixel on the other side of the axis the other half, so that
each half has its own profile.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...numerics.threads import even_shares, over_slabs
from ..layers import Layers, float_slabs
from .open_voxels import HALO, open_classes

__all__ = ["find_rings", "radii"]

# Rings are what varies within so many voxels of radius; slower courses belong to the shading.
_WIDEST_RING = 25
# Sectors in which the rings are added up, to find where their halves begin.
_SECTORS = 24


def radii(shape: Sequence[int], centre: tuple[float, float]) -> int:
    """Return how many whole distances from the axis the profiles of a slice have."""
    ny, nx = shape
    far_y = max(centre[0], ny - 1 - centre[0])
    far_x = max(centre[1], nx - 1 - centre[1])
    return int(np.hypot(far_y, far_x)) + 3


def find_rings(
    volume: Layers,
    means: Sequence[float],
    thresholds: NDArray[np.float32],
    noise: float,
    centre: tuple[float, float],
    *,
    split: float | None = None,
) -> tuple[NDArray[np.float32], float]:
    """Measure the rings; return the profiles and where a half begins.

    What the slices have in common is known far better than what is their own; the own part is
    shrunk as its share of noise demands: a normal prior whose variance at each distance is what
    the scatter over the slices holds beyond the noise.

    Parameters
    ----------
    volume : Layers
        The scan without drift and shading.
    means : sequence of float
        Grey value of each class.
    thresholds : ndarray of float32
        Grey values between the classes.
    noise : float
        Standard deviation of the grey values within a class.
    centre : (float, float)
        Row and column of the rotation axis.
    split : float, optional
        Angle at which a half begins, if it is known.

    Returns
    -------
    profiles : ndarray of float32, shape (nz, 2, n_radii)
    split : float
        Angle at which the first half begins, in radians from x towards y.
    """
    from .correction_kernels import ring_sums

    nz = volume.shape[0]
    sums = np.zeros((3, nz, _SECTORS, radii(volume.shape[1:], centre)), np.float32)
    # Beyond halfway to another class a voxel is likely to be of that one; strong rings are not.
    limit = np.float32(max(3.0 * noise, _least_gap(means) / 2))
    for first, start, stop, values in float_slabs(volume, HALO):
        _, classes = open_classes(values, thresholds)
        inside = slice(start - first, stop - first)
        args = (values[inside], classes[inside], np.asarray(means, np.float32), limit, *centre)
        over_slabs(ring_sums, even_shares(stop - start), *args, sums[:, start:stop])
    if split is None:
        begin = _where_halves_begin(sums.sum(axis=1, dtype=float))
    else:
        begin = round(split / (2 * np.pi) * _SECTORS)
    halves = _in_halves(sums, begin)
    common = _fast_part(
        np.array([_profile(halves[:, :, half].sum(axis=1)) for half in (0, 1)]),
        halves[1].sum(axis=0),
    )
    for half, course in enumerate(common):
        halves[0, :, half] -= _times(halves[:, :, half], course)
    variance = noise**2
    # Diagonal entries are two thirds of the voxels of a ring, the right side has their variance.
    weight = np.maximum(halves[1], 1e-9)
    scatter = halves[0] ** 2 - variance * halves[1]
    real = np.sum(scatter, axis=0) / np.sum(weight**2, axis=0)
    prior = np.maximum(_running_mean(real, 9), 1e-4 * variance)
    own = np.array(
        [
            [_profile(halves[:, z, half], variance / prior[half]) for half in (0, 1)]
            for z in range(nz)
        ]
    )
    own = _fast_part(own, halves[1])
    return (common + own).astype(np.float32), 2 * np.pi * begin / _SECTORS


def _least_gap(means: Sequence[float]) -> float:
    return float(np.min(np.diff(np.sort(means)), initial=np.inf))


def _in_halves(sums: NDArray[np.floating], begin: int) -> NDArray[np.float64]:
    """Add up the sectors of each half; the axis of sectors is the last but one."""
    turned = np.roll(sums, -begin, axis=-2)
    shape = (*sums.shape[:-2], 2, _SECTORS // 2, sums.shape[-1])
    return turned.reshape(shape).sum(axis=-2, dtype=float)


def _where_halves_begin(sums: NDArray[np.float64]) -> int:
    """Return the sector from which profiles of two halves explain most of the squares."""
    explained = []
    for begin in range(_SECTORS // 2):
        halves = _in_halves(sums, begin)
        profiles = np.array([_profile(halves[:, half]) for half in (0, 1)])
        courses = _fast_part(profiles, halves[1])
        fitted = [_times(halves[:, half], courses[half]) for half in (0, 1)]
        explained.append(np.sum(courses * (2 * halves[0] - fitted)))
    return int(np.argmax(explained))


def _profile(
    sums: NDArray[np.float64], ridge: NDArray[np.float64] | float = 1.0
) -> NDArray[np.float64]:
    """Solve the normal equations of a profile; the ridge keeps empty rings at zero."""
    from scipy.linalg import solveh_banded

    right, diagonal, beside = sums
    # The two parts are rounded to float32 when they are added up.
    bands = np.vstack([np.r_[0.0, beside[:-1]], diagonal * (1 + 1e-6) + ridge])
    return solveh_banded(bands, right, check_finite=False)


def _times(sums: NDArray[np.float64], course: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the normal matrix times a profile."""
    _, diagonal, beside = sums
    product = diagonal * course
    product[..., :-1] += beside[..., :-1] * course[..., 1:]
    product[..., 1:] += beside[..., :-1] * course[..., :-1]
    return product


def _fast_part(courses: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return profiles less their running mean over the radius, weighted by the voxels of a ring."""
    weights = weights + 1.0
    smooth = _running_mean(weights * courses, _WIDEST_RING) / _running_mean(weights, _WIDEST_RING)
    return courses - smooth


def _running_mean(values: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    from scipy.ndimage import uniform_filter1d

    return uniform_filter1d(values, width, axis=-1, mode="nearest")
