"""Grey values of the phases, read off voxels in the open.

A thin phase is a faint shoulder in the histogram of all voxels, for every interface between a
dark and a bright phase holds its grey value too. Voxels whose surroundings are as grey as they
are themselves belong to no interface; in their histogram each phase is a peak of its own.

A phase that is nowhere thick enough to have such voxels has no peak. Where volume fractions are
known its grey value follows all the same: no blur changes the mean of a scan,

    mean(f) = sum of fraction_k mu_k .
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..artefacts.denoising import noise_level
from ..layers import Layers, float_slabs, sampled_blocks
from .thresholds import find_thresholds

__all__ = ["GreyLevels", "find_grey_levels", "halfway", "mean_grey_value"]

_SMOOTH = 1.0
# A voxel is in the open if the six voxels at this distance differ by less than so many standard
# deviations of the smoothed noise.
_DISTANCE = 2
# Along a shorter axis voxels at the border, which have a neighbour on one side only, count too.
_THICK = 4 * _DISTANCE
_ALIKE = 4.0
_SAMPLE = 6_000_000
_LEAST_VOXELS = 500
_BINS_PER_DEVIATION = 3
# A peak stands out of its surroundings by so many standard deviations of the counts.
_PROMINENCE = 4.0
_MOST_PEAKS = 8
# Differences that are left when interfaces are left out are noise only up to so many times what
# second differences show, or up to this part of the range of the grey values in a clear scan.
_MOST_NOISE = 3.0
_GENTLE = 0.05
# Peaks that explain the grey values so much worse than Otsu's classes are not those of the phases.
_WORSE = 2.0
# Grey values of one phase still differ from place to place by this share of the contrast when a
# scan has been corrected: by up to 0.007 between peaks and least squares on virtual scans with
# beam hardening.
_UNEVEN = 0.01
# Where little of a phase is in the open, blur pulls its peak in: by 0.04 to 0.13 of the contrast
# on Gaussian fields with pores 6 to 8 voxels wide, a blur of 0.9 and noise of a quarter of it.
_PULLED_IN = 0.1
_LITTLE = 0.15


Origin = Literal["peak", "balance", "classes"]


@dataclass(frozen=True)
class GreyLevels:
    """Grey values of phases in the open.

    Parameters
    ----------
    means : tuple of float
        From dark to bright.
    uncertainties : tuple of float
        Standard uncertainty of each of the means.
    origins : tuple of {"peak", "balance", "classes"}
        Where each comes from: a peak of the histogram, the balance of the mean grey value with
        known fractions, or classes by Otsu's method, which interfaces distort.
    peaks : tuple of float
        Grey values of all peaks of the histogram, from dark to bright. More than phases mean that
        some phases look different in different places, or that one was not named.
    share : float
        Share of the voxels that lie in the open.
    """

    means: tuple[float, ...]
    uncertainties: tuple[float, ...]
    origins: tuple[Origin, ...]
    peaks: tuple[float, ...]
    share: float

    @property
    def found(self) -> int:
        """How many of the means are peaks of the histogram."""
        return self.origins.count("peak")

    @property
    def thresholds(self) -> NDArray[np.float32]:
        """Grey values halfway between the phases."""
        return halfway(self.means)


def halfway(means: tuple[float, ...]) -> NDArray[np.float32]:
    """Return the grey values halfway between means that ascend."""
    values = np.array(means)
    return ((values[1:] + values[:-1]) / 2).astype(np.float32)


def mean_grey_value(volume: Layers) -> float:
    """Return the mean of all voxels."""
    sums = [float(np.sum(values, dtype=float)) for *_, values in float_slabs(volume, 0)]
    return sum(sums) / float(np.prod(volume.shape))


def find_grey_levels(
    volume: Layers, phases: int, *, fractions: Sequence[float] | NDArray[np.float64] | None = None
) -> GreyLevels:
    """Find the grey values of the phases of a scan.

    Parameters
    ----------
    volume : Layers
        The scan, in memory or in a file; blocks that are spread over it are read.
    phases : int
        How many phases there are. Of more peaks those are taken that explain the grey values in
        the open best, each by the nearest.
    fractions : sequence of float, optional
        Known volume fraction of each phase, from dark to bright. They tell the grey value of a
        phase without a peak, if it is the only one.

    Returns
    -------
    GreyLevels

    Raises
    ------
    ValueError
        If the scan is constant, or has fewer than 500 voxels; if the fractions are not one for
        each phase.
    """
    from scipy.ndimage import gaussian_filter

    if fractions is not None and len(fractions) != phases:
        raise ValueError(
            f"{len(fractions)} fractions are given for {phases} phases; give one for each"
        )
    open_values, gentle_values, everything, extremes, voxels = [], [], [], [], 0
    near_interfaces = 0
    for block in sampled_blocks(volume, _SAMPLE, (12, 1, 1)):
        smooth = gaussian_filter(block, _SMOOTH, truncate=3.0)
        spread = _spread_of_noise(smooth)
        open_values.append(smooth[_in_the_open(smooth, spread)])
        largest = _largest_spread(block, smooth)
        gentle_values.append(
            open_values[-1] if spread <= largest else smooth[_in_the_open(smooth, largest)]
        )
        near_interfaces += block.size * (spread > largest)
        everything.append(smooth[::2, ::2, ::2].ravel())
        extremes += [float(block.min()), float(block.max())]
        voxels += block.size
    if min(extremes) == max(extremes):
        raise ValueError(
            f"the scan is constant (grey value {extremes[0]:g}), so there is nothing to segment; "
            "check the file"
        )
    if voxels < _LEAST_VOXELS:
        raise ValueError(
            f"a scan of {' x '.join(map(str, volume.shape))} voxels is too small to tell the grey "
            f"values of phases; at least {_LEAST_VOXELS} voxels are needed"
        )
    values = np.concatenate(open_values)
    peaks = _peaks(values)
    if len(peaks) < phases:
        # Where everything is near an interface, what was taken for noise is interfaces, and a
        # peak is anywhere.
        values = np.concatenate(gentle_values)
        peaks = _peaks(values)
    share = values.size / voxels
    greys = np.concatenate(everything)
    # Any shape of three axes will do for a histogram.
    classes = find_thresholds(greys[: greys.size // 4 * 4].reshape(2, 2, -1), phases).means
    means = _chosen(peaks, classes, values, greys)
    origins: tuple[Origin, ...] = tuple("peak" if m in peaks else "classes" for m in means)
    uneven = np.full(phases, _UNEVEN)
    if near_interfaces > 0.5 * voxels:
        # What lies in the open of each phase: every eighth grey value is kept of all.
        all_of_it = np.bincount(np.searchsorted(halfway(means), greys), minlength=phases)
        found = np.bincount(np.searchsorted(halfway(means), values), minlength=phases) / 8
        uneven[found < _LITTLE * all_of_it] = _PULLED_IN
    uncertainties = _uncertainties(means, origins, uneven, peaks)
    levels = GreyLevels(means, uncertainties, origins, peaks, share)
    if fractions is None or origins.count("classes") != 1:
        return levels
    return _balanced(levels, mean_grey_value(volume), np.asarray(fractions, float))


def _chosen(
    peaks: tuple[float, ...],
    classes: tuple[float, ...],
    values: NDArray[np.float32],
    greys: NDArray[np.float32],
) -> tuple[float, ...]:
    """Return as many means as there are classes, peaks where there are some."""
    if len(peaks) < len(classes):
        best = _filled(peaks, classes)
    else:
        best = min(combinations(peaks, len(classes)), key=lambda some: _unexplained(values, some))
    # Peaks of one phase that looks different in different places would leave another one out.
    return classes if _unexplained(greys, best) > _WORSE * _unexplained(greys, classes) else best


def _uncertainties(
    means: tuple[float, ...],
    origins: tuple[Origin, ...],
    uneven: NDArray[np.float64],
    peaks: tuple[float, ...],
) -> tuple[float, ...]:
    """Return a share of the contrast for peaks; a class is anywhere halfway to its neighbour.

    Of more peaks than phases, a phase may be anywhere halfway to one that was left out.
    """
    gaps = np.diff(means)
    nearest = np.minimum(np.append(gaps, np.inf), np.append(np.inf, gaps))
    of_peaks = uneven * (means[-1] - means[0])
    if len(peaks) > len(means):
        others = [peak for peak in peaks if peak not in means]
        left_out = np.abs(np.subtract.outer(means, others)).min(axis=1) / 2
        of_peaks = np.maximum(of_peaks, left_out)
    return tuple(
        min(float(of_peak), float(gap) / 2) if origin == "peak" else float(gap) / 2
        for gap, origin, of_peak in zip(nearest, origins, of_peaks, strict=True)
    )


def _balanced(levels: GreyLevels, mean: float, fractions: NDArray[np.float64]) -> GreyLevels:
    """Return levels with the one that is no peak from the balance, if it is then better known."""
    place = levels.origins.index("classes")
    means, uncertainties = np.array(levels.means), np.array(levels.uncertainties)
    others = np.arange(means.size) != place
    if fractions[place] <= 0:
        return levels
    value = (mean - fractions[others] @ means[others]) / fractions[place]
    # The other means are wrong independently of each other.
    uncertainty = np.linalg.norm(fractions[others] * uncertainties[others]) / fractions[place]
    means[place] = value
    if uncertainty >= uncertainties[place] or (np.diff(means) <= 0).any():
        return levels
    uncertainties[place] = uncertainty
    origins: list[Origin] = list(levels.origins)
    origins[place] = "balance"
    return replace(
        levels,
        means=tuple(means.tolist()),
        uncertainties=tuple(uncertainties.tolist()),
        origins=tuple(origins),
    )


def _unexplained(values: NDArray[np.float32], means: tuple[float, ...]) -> float:
    """Return the mean square distance of values from the nearest of some means."""
    ordered = np.asarray(means, np.float32)
    nearest = np.searchsorted(halfway(means), values)
    return float(np.mean(np.square(values - ordered[nearest], dtype=float)))


def _in_the_open(smooth: NDArray[np.float32], spread: float) -> NDArray[np.bool_]:
    """Mark the voxels whose neighbours differ by no more than noise of a standard deviation."""
    limit = _ALIKE / np.sqrt(2) * spread
    alike = np.ones(smooth.shape, bool)
    for axis in range(3):
        near = np.moveaxis(alike, axis, 0)
        same = _differences(smooth, axis) <= limit
        near[_DISTANCE:] &= same
        near[:-_DISTANCE] &= same
        if len(near) >= _THICK:
            near[:_DISTANCE] = near[-_DISTANCE:] = False
    return alike


def _differences(smooth: NDArray[np.float32], axis: int) -> NDArray[np.float32]:
    turned = np.moveaxis(smooth, axis, 0)
    return np.abs(turned[_DISTANCE:] - turned[:-_DISTANCE])


def _spread_of_noise(smooth: NDArray[np.float32]) -> float:
    """Return the standard deviation of differences that are due to noise, not to interfaces.

    Differences beyond 2.5 standard deviations are left out, again and again; those that noise
    itself has beyond are made up for (a factor of 1.07 for normal noise).
    """
    # Noise is told along the longest axis; along z slices may differ as wholes.
    differences = _differences(smooth, 1 if smooth.shape[1] > smooth.shape[2] else 2)
    if not differences.size:
        return 0.0
    spread = float(np.sqrt(np.mean(np.square(differences, dtype=float))))
    for _ in range(30):
        kept = differences[differences <= 2.5 * spread]
        new = 1.07 * float(np.sqrt(np.mean(np.square(kept, dtype=float)))) if kept.size else 0.0
        if new >= 0.999 * spread:
            break
        spread = new
    return spread


def _largest_spread(block: NDArray[np.float32], smooth: NDArray[np.float32]) -> float:
    """Return the largest standard deviation of differences that noise can have.

    From what second differences show, which structures that are not small hardly have, were it
    white; and from the range of the grey values.
    """
    if min(block.shape[1:]) < 3:
        return np.inf
    from scipy.ndimage import gaussian_filter1d

    point = np.zeros(6 * _DISTANCE + 1)
    point[point.size // 2] = 1.0
    line = gaussian_filter1d(point, _SMOOTH, truncate=3.0)
    along = np.sum((line - np.roll(line, _DISTANCE)) ** 2)
    white = noise_level(block) * float(np.sqrt(along)) * float(np.sum(line**2))
    low, high = np.quantile(smooth[::2, ::2, ::2], (0.01, 0.99))
    return max(_MOST_NOISE * white, _GENTLE * float(high - low))


def _peaks(values: NDArray[np.float32]) -> tuple[float, ...]:
    """Return where the histogram peaks, at most at the eight most prominent places.

    The square roots of counts all have the same standard deviation, one half, so that a small
    peak of a rare phase is judged like a large one.
    """
    from scipy.ndimage import gaussian_filter1d
    from scipy.signal import find_peaks

    if values.size < 100:
        return ()
    low, high = np.quantile(values, (1e-5, 1 - 1e-5))
    # The width of a peak is that of the noise after smoothing; the narrowest quarter shows it.
    spread = _narrowest(values)
    wanted = (high - low) / spread * _BINS_PER_DEVIATION if spread > 0 else np.inf
    bins = int(np.clip(wanted, 16, 2000))
    margin = 3 * (high - low) / bins
    counts, edges = np.histogram(values, bins + 6, (low - margin, high + margin))
    heights = 2.0 * gaussian_filter1d(np.sqrt(counts), 1.0, mode="constant")
    places, facts = find_peaks(heights, prominence=_PROMINENCE)
    middles = (edges[1:] + edges[:-1]) / 2
    found = []
    for place in sorted(places[np.argsort(facts["prominences"])[::-1][:_MOST_PEAKS]]):
        around = slice(max(place - 2, 0), place + 3)
        found.append(float(np.average(middles[around], weights=counts[around] + 1e-9)))
    return tuple(found)


def _narrowest(values: NDArray[np.float32]) -> float:
    """Return the standard deviation of the narrowest peak-like quarter of the values."""
    ordered = np.sort(values[:: max(1, values.size // 200_000)])
    n = ordered.size // 4
    width = float(np.min(ordered[n:] - ordered[:-n]))
    # A quarter of all values, if they lie around the middle of a peak that holds half of them:
    # within 0.67 standard deviations on either side.
    return width / 1.35


def _filled(peaks: tuple[float, ...], classes: tuple[float, ...]) -> tuple[float, ...]:
    """Add the class means of Otsu's method that are furthest from the peaks."""
    left = list(classes)
    # Each peak stands for the class it is nearest to.
    for peak in peaks:
        left.remove(min(left, key=lambda value: abs(value - peak)))
    return tuple(sorted([*peaks, *left]))
