"""Rings about the rotation axis, measured on voxels in the open.

Least squares of what is left of the grey values on profiles that are linear between whole
distances from the axis. A detector pixel sees a ring of its own during a whole turn; during half
a turn it sees half a ring, and the pixel on the other side of the axis the other half, so that
each half has its own profile.

At the axis itself rings are as small as the material, and no voxel lies in the open. There the
error of each column of voxels is measured on slices in which the surroundings of the axis are of
one class.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import EllipsisType

import numpy as np
from numpy.typing import NDArray

from ...numerics.threads import even_shares, over_slabs
from ..layers import Layers, float_slabs
from .open_voxels import HALO, open_classes

__all__ = ["Rings", "find_rings", "no_rings"]

# Rings are what varies within so many voxels of radius; slower courses belong to the shading.
_WIDEST_RING = 25
# Sectors in which the rings are added up, to find where their halves begin.
_SECTORS = 24


# Columns within the first distance of the axis are corrected one by one, where all voxels between
# the other two distances are of one class, in so many slices.
_CORE = 3.5
_AROUND = (4.0, 6.0)
_FEWEST_SLICES = 20


@dataclass(frozen=True, eq=False)
class Rings:
    """Rings of a scan.

    Parameters
    ----------
    profiles : ndarray of float32, shape (nz, 2, n_radii)
        What is added at each distance (in voxels) from the axis, in either half of the rings.
    split : float
        Angle at which the first half begins, in radians from x towards y.
    centre : (float, float)
        Row and column of the rotation axis.
    core : ndarray of float32, shape (13, 13)
        What is added, beyond the profiles, to the columns of voxels in a square around the axis.
    """

    profiles: NDArray[np.float32]
    split: float
    centre: tuple[float, float]
    core: NDArray[np.float32]

    def subtract_from(self, values: NDArray[np.float32], start: int) -> None:
        """Take the rings away from the layers that begin at `start`, in place."""
        from .correction_kernels import subtract_rings

        profiles = np.ascontiguousarray(self.profiles[start : start + len(values)])
        place = (self.split, *self.centre)
        over_slabs(subtract_rings, even_shares(len(values)), values, profiles, *place)
        square = _square(self.centre, values.shape[1:])
        if square is not None:
            values[square] -= self.core

    @property
    def size(self) -> float:
        """Root mean square of the rings over the area of the slices, in grey values."""
        radius = np.arange(self.profiles.shape[-1]) + 0.1
        return float(np.sqrt(np.average(np.mean(self.profiles**2, axis=(0, 1)), weights=radius)))

    def __add__(self, other: Rings) -> Rings:
        """Return both together; they must have the same axis and the same halves."""
        return Rings(
            self.profiles + other.profiles, self.split, self.centre, self.core + other.core
        )


def no_rings(shape: Sequence[int], centre: tuple[float, float]) -> Rings:
    """Return rings of height zero for a scan of some shape."""
    nz, ny, nx = shape
    far_y = max(centre[0], ny - 1 - centre[0])
    far_x = max(centre[1], nx - 1 - centre[1])
    profiles = np.zeros((nz, 2, int(np.hypot(far_y, far_x)) + 3), np.float32)
    side = 2 * int(_AROUND[1]) + 1
    return Rings(profiles, 0.0, centre, np.zeros((side, side), np.float32))


def find_rings(
    volume: Layers,
    means: Sequence[float],
    thresholds: NDArray[np.float32],
    noise: float,
    centre: tuple[float, float],
    *,
    split: float | None = None,
) -> Rings:
    """Measure the rings.

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
    Rings
    """
    from .correction_kernels import ring_sums

    nz = volume.shape[0]
    found = no_rings(volume.shape, centre)
    sums = np.zeros((3, nz, _SECTORS, found.profiles.shape[-1]), np.float32)
    square = _square(centre, volume.shape[1:])
    columns = np.zeros((nz, *found.core.shape), np.float32)
    # Beyond halfway to another class a voxel is likely to be of that one; strong rings are not.
    limit = np.float32(max(3.0 * noise, _least_gap(means) / 2))
    for first, start, stop, values in float_slabs(volume, HALO):
        _, classes = open_classes(values, thresholds)
        inside = slice(start - first, stop - first)
        args = (values[inside], classes[inside], np.asarray(means, np.float32), limit, *centre)
        over_slabs(ring_sums, even_shares(stop - start), *args, sums[:, start:stop])
        if square is not None:
            columns[start:stop] = values[inside][square]
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
    found = Rings(
        (common + own).astype(np.float32), 2 * np.pi * begin / _SECTORS, centre, found.core
    )
    if square is None:
        return found
    middle = _middle_of_square(centre)
    replace(found, centre=middle).subtract_from(columns, 0)
    return replace(found, core=_core(columns, middle, means, thresholds, noise))


def _square(
    centre: tuple[float, float], shape: Sequence[int]
) -> tuple[EllipsisType, slice, slice] | None:
    """Return the square around the axis, or None if it is not inside the slices."""
    reach = int(_AROUND[1])
    spans = [slice(round(place) - reach, round(place) + reach + 1) for place in centre]
    inside = all(s.start >= 0 and s.stop <= n for s, n in zip(spans, shape, strict=True))
    return (..., spans[0], spans[1]) if inside else None


def _middle_of_square(centre: tuple[float, float]) -> tuple[float, float]:
    y, x = (place - round(place) + int(_AROUND[1]) for place in centre)
    return y, x


def _core(
    columns: NDArray[np.float32],
    centre: tuple[float, float],
    means: Sequence[float],
    thresholds: NDArray[np.float32],
    noise: float,
) -> NDArray[np.float32]:
    """Return the error of each column near the axis, shrunk by its share of noise.

    Parameters
    ----------
    columns : ndarray of float32, shape (nz, n, n)
        Grey values in a square around the axis, without the profiles.
    centre : (float, float)
        Place of the axis in the square.
    """
    from scipy.ndimage import gaussian_filter

    n = columns.shape[1]
    y, x = np.mgrid[:n, :n]
    radius = np.hypot(y - centre[0], x - centre[1])
    around = (radius >= _AROUND[0]) & (radius < _AROUND[1])
    smooth = gaussian_filter(columns, 1.0, truncate=3.0)
    classes = np.searchsorted(thresholds, smooth[:, around])
    alike = (classes == classes[:, :1]).all(axis=1)
    core = np.zeros((n, n), np.float32)
    if alike.sum() < _FEWEST_SLICES:
        return core
    inner = radius < _CORE
    ideal = np.asarray(means)[classes[alike, 0]]
    # The median: now and then there is something in the middle.
    error = np.median(columns[alike][:, inner] - ideal[:, None], axis=0)
    variance = np.pi / 2 * noise**2 / alike.sum()
    core[inner] = max(0.0, 1.0 - variance / max(float(np.mean(error**2)), 1e-30)) * error
    return core


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
