"""Grey values of the phases, read off voxels in the open.

A thin phase is a faint shoulder in the histogram of all voxels, for every interface between a
dark and a bright phase holds its grey value too. Voxels whose surroundings are as grey as they
are themselves belong to no interface; in their histogram each phase is a peak of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .layers import Layers, sampled_blocks

__all__ = ["GreyLevels", "find_grey_levels"]

_SMOOTH = 1.0
# A voxel is in the open if the six voxels at this distance differ by less than so many standard
# deviations of the smoothed noise.
_DISTANCE = 2
_ALIKE = 4.0
_SAMPLE = 6_000_000
_BINS_PER_DEVIATION = 3
# A peak stands out of its surroundings by so many standard deviations of the counts.
_PROMINENCE = 4.0


@dataclass(frozen=True)
class GreyLevels:
    """Grey values of phases in the open.

    Parameters
    ----------
    means : tuple of float
        From dark to bright.
    found : int
        How many of them are peaks of the histogram. Where it is smaller than the number of
        phases, the other means are those of classes by Otsu's method, which interfaces distort.
    peaks : int
        How many peaks the histogram has.
    share : float
        Share of the voxels that lie in the open.
    """

    means: tuple[float, ...]
    found: int
    peaks: int
    share: float

    @property
    def thresholds(self) -> NDArray[np.float32]:
        """Grey values halfway between the phases."""
        means = np.array(self.means)
        return ((means[1:] + means[:-1]) / 2).astype(np.float32)


def find_grey_levels(volume: Layers, phases: int) -> GreyLevels:
    """Find the grey values of the phases of a scan.

    Parameters
    ----------
    volume : Layers
        The scan, in memory or in a file; blocks that are spread over it are read.
    phases : int
        How many phases there are; the most prominent peaks are taken.

    Returns
    -------
    GreyLevels

    Raises
    ------
    ValueError
        If the scan is constant.
    """
    from scipy.ndimage import gaussian_filter

    open_values, extremes, voxels = [], [], 0
    for block in sampled_blocks(volume, _SAMPLE, (12, 1, 1)):
        smooth = gaussian_filter(block, _SMOOTH, truncate=3.0)
        open_values.append(smooth[_in_the_open(smooth)])
        extremes += [float(block.min()), float(block.max())]
        voxels += block.size
    if min(extremes) == max(extremes):
        raise ValueError(
            f"the scan is constant (grey value {extremes[0]:g}), so there is nothing to segment; "
            "check the file"
        )
    values = np.concatenate(open_values)
    peaks, prominence = _peaks(values)
    best = np.sort(np.argsort(prominence)[::-1][:phases])
    means = tuple(float(peak) for peak in peaks[best])
    share = values.size / voxels
    if len(means) == phases:
        return GreyLevels(means, phases, len(peaks), share)
    return GreyLevels(_filled(means, volume, phases), len(means), len(peaks), share)


def _in_the_open(smooth: NDArray[np.float32]) -> NDArray[np.bool_]:
    differences = []
    for axis in range(3):
        turned = np.moveaxis(smooth, axis, 0)
        differences.append(np.abs(turned[_DISTANCE:] - turned[:-_DISTANCE]))
    limit = _ALIKE / np.sqrt(2) * _spread_of_noise(differences[-1])
    inside = np.zeros(smooth.shape, bool)
    core = (slice(_DISTANCE, -_DISTANCE),) * 3
    alike = np.ones(smooth.shape, bool)
    for axis, difference in enumerate(differences):
        near = np.moveaxis(alike, axis, 0)
        same = difference <= limit
        near[_DISTANCE:] &= same
        near[:-_DISTANCE] &= same
    inside[core] = alike[core]
    return inside


def _spread_of_noise(differences: NDArray[np.float32]) -> float:
    """Return the standard deviation of differences that are due to noise, not to interfaces.

    Differences beyond 2.5 standard deviations are left out, again and again; those that noise
    itself has beyond are made up for (a factor of 1.07 for normal noise).
    """
    spread = float(np.sqrt(np.mean(np.square(differences, dtype=float))))
    for _ in range(30):
        kept = differences[differences <= 2.5 * spread]
        new = 1.07 * float(np.sqrt(np.mean(np.square(kept, dtype=float)))) if kept.size else 0.0
        if new >= 0.999 * spread:
            break
        spread = new
    return spread


def _peaks(values: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return where the histogram peaks, and how far each peak stands out.

    The square roots of counts all have the same standard deviation, one half, so that a small
    peak of a rare phase is judged like a large one.
    """
    from scipy.ndimage import gaussian_filter1d
    from scipy.signal import find_peaks

    if values.size < 100:
        return np.empty(0), np.empty(0)
    low, high = np.quantile(values, (1e-5, 1 - 1e-5))
    # The width of a peak is that of the noise after smoothing; the narrowest quarter shows it.
    spread = _narrowest(values)
    bins = int(np.clip((high - low) / max(spread, 1e-12) * _BINS_PER_DEVIATION, 16, 2000))
    margin = 3 * (high - low) / bins
    counts, edges = np.histogram(values, bins + 6, (low - margin, high + margin))
    heights = 2.0 * gaussian_filter1d(np.sqrt(counts), 1.0, mode="constant")
    places, facts = find_peaks(heights, prominence=_PROMINENCE)
    middles = (edges[1:] + edges[:-1]) / 2
    found = []
    for place in places:
        around = slice(max(place - 2, 0), place + 3)
        found.append(np.average(middles[around], weights=counts[around] + 1e-9))
    return np.array(found), facts["prominences"]


def _narrowest(values: NDArray[np.float32]) -> float:
    """Return the standard deviation of the narrowest peak-like quarter of the values."""
    ordered = np.sort(values[:: max(1, values.size // 200_000)])
    n = ordered.size // 4
    width = float(np.min(ordered[n:] - ordered[:-n]))
    # A quarter of all values, if they lie around the middle of a peak that holds half of them:
    # within 0.67 standard deviations on either side.
    return width / 1.35


def _filled(means: tuple[float, ...], volume: Layers, phases: int) -> tuple[float, ...]:
    """Add the class means of Otsu's method that are furthest from the peaks."""
    from .thresholds import find_thresholds

    classes = list(find_thresholds(volume, phases).means)
    if not means:
        return tuple(classes)
    # Each peak stands for the class it is nearest to.
    for mean in means:
        classes.remove(min(classes, key=lambda value: abs(value - mean)))
    return tuple(sorted([*means, *classes]))
