"""Voxels away from interfaces, on which artefacts are measured.

A voxel lies in the open if the smoothed grey values of the voxels around it, at a distance along
the axes, are of the same class as its own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ...numerics.threads import even_shares, over_slabs
from ..layers import Layers, float_slabs

__all__ = [
    "HALO",
    "OpenVoxels",
    "class_means",
    "open_classes",
    "robust_noise",
    "sample_open_voxels",
    "with_classes",
]

# Classes are told apart on a picture smoothed by so many voxels, and hold in the open if they
# hold so many voxels around.
_SMOOTH = 1.0
_OPEN = 2
# Layers beyond a slab that both need.
HALO = 6
# Voxels that are sampled.
_SAMPLE = 500_000
# A value that so large a share of the voxels has exactly is that of a mask, or saturated.
_MASKED = 0.1


@dataclass(frozen=True, eq=False)
class OpenVoxels:
    """Voxels in the open: where they are, grey value, smoothed grey value, class.

    Parameters
    ----------
    place : ndarray of int32, shape (3, n)
    value, smooth : ndarray of float64, shape (n,)
    label : ndarray of uint8, shape (n,)
    share : float
        Share of the voxels of the scan that lie in the open.
    """

    place: NDArray[np.int32]
    value: NDArray[np.float64]
    smooth: NDArray[np.float64]
    label: NDArray[np.uint8]
    share: float


def open_classes(
    values: NDArray[np.float32], thresholds: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Return the smoothed values, and the class of the voxels in the open."""
    from scipy.ndimage import gaussian_filter

    from .correction_kernels import classes_in_the_open

    smooth = gaussian_filter(values, _SMOOTH, truncate=3.0)
    classes = np.empty(values.shape, np.uint8)
    shares = even_shares(len(values))
    over_slabs(classes_in_the_open, shares, smooth, thresholds, _OPEN, classes)
    return smooth, classes


def sample_open_voxels(volume: Layers, thresholds: NDArray[np.float32]) -> OpenVoxels:
    """Sample voxels in the open, as many from each layer as another of the same size would give."""
    from .correction_kernels import NO_CLASS

    nz, ny, nx = volume.shape
    stride = max(1, nz * ny * nx // (2 * _SAMPLE))
    parts, found = [], 0
    for first, start, stop, values in float_slabs(volume, HALO):
        smooth, classes = open_classes(values, thresholds)
        inside = slice(start - first, stop - first)
        # A step through the voxels in the open does not follow the rows; layer by layer, for
        # places take eight bytes each.
        picked = []
        for number, layer in enumerate(classes[inside]):
            flat = np.flatnonzero(layer.ravel() != NO_CLASS)
            picked.append(flat[-found % stride :: stride] + number * layer.size)
            found += flat.size
        chosen = np.concatenate(picked)
        place = np.array(np.unravel_index(chosen, (stop - start, ny, nx)), np.int32)
        place[0] += start
        parts.append((place, values[inside].ravel()[chosen], smooth[inside].ravel()[chosen]))
    place = np.concatenate([part[0] for part in parts], axis=1)
    if place.shape[1] < 1000:
        raise ValueError(
            f"only {place.shape[1]} of the voxels that were looked at lie in the open, {_OPEN} "
            "voxels away from all interfaces, and 1000 are needed; switch the corrections off, or "
            "scan with finer voxels"
        )
    value = np.concatenate([part[1] for part in parts]).astype(float)
    smooth_value = np.concatenate([part[2] for part in parts]).astype(float)
    label = np.zeros(value.shape, np.uint8)
    return OpenVoxels(place, value, smooth_value, label, found / (nz * ny * nx))


def with_classes(
    points: OpenVoxels,
    thresholds: NDArray[np.float32],
    smooth: NDArray[np.float64] | None = None,
) -> OpenVoxels:
    """Return the points with classes by their smoothed grey values, or by given ones."""
    values = points.smooth if smooth is None else smooth
    return replace(points, label=np.searchsorted(thresholds, values).astype(np.uint8))


def class_means(
    values: NDArray[np.float64], label: NDArray[np.uint8], classes: int
) -> NDArray[np.float64]:
    """Return the mean of the values of each class; of one without any, that of its neighbours."""
    counts = np.bincount(label, minlength=classes)
    filled = np.flatnonzero(counts)
    means = np.bincount(label, values, classes)[filled] / counts[filled]
    return np.interp(np.arange(classes), filled, means)


def robust_noise(
    values: NDArray[np.float64], label: NDArray[np.uint8], means: NDArray[np.float64]
) -> float:
    """Return the standard deviation within the classes, from the median deviation.

    A masked or saturated part of the scan, a value that many have exactly, tells nothing and is
    left out. Pictures without noise get a little, by which rings are told and weighted.
    """
    known, counts = np.unique(values, return_counts=True)
    constant = known[counts > _MASKED * values.size]
    kept = ~np.isin(values, constant)
    noise = 0.0
    if kept.any():
        noise = 1.4826 * float(np.median(np.abs(values - means[label])[kept]))
    return float(max(noise, 1e-6 * np.abs(means).max(), 1e-30))
