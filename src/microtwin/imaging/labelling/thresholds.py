"""Labels from grey values by thresholds, found from the histogram or from known fractions.

A threshold knows nothing of the neighbours of a voxel: with noise it makes speckles, and between
a dark and a bright phase it makes a film of the grey one between them. It is a baseline, and a
start for methods that know more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ...composition import checked_fractions
from ...microstructure import Microstructure, Scan
from ..layers import Layers
from .histogram import Histogram, classes_of, grey_histogram, quantile_levels, thin_slabs

__all__ = [
    "Thresholds",
    "find_thresholds",
    "inverted_contrast",
    "label_by_thresholds",
    "thresholds_for_fractions",
]

# Distances are summed over pairs of bins: more would gain nothing and take memory.
_BINS = 1024
_MOST_CLASSES = 16
# The mixture has converged when a round gains less of the log-likelihood per voxel.
_GAIN = 1e-10
_MOST_ROUNDS = 20_000
# A class that takes a fraction further off than this from what is asked for is worth a word.
_WORTH_A_WORD = 1e-3
# The order of the phases is doubted where it leaves so many times the variance within classes
# and lies so many times higher in the valleys of the histogram as its reverse does; and if the
# reverse explains at least this share of the variance and lies in valleys no higher than this.
_DOUBT = 1.25
_LEAST_ETA = 0.5
_HIGHEST_VALLEY = 0.8
# Sum of the differences of fractions that are taken for the same, and for quite others.
_SAME_FRACTIONS = 0.15
_OTHER_FRACTIONS = 0.8
# Share of the voxels over which a density of grey values is measured.
_WINDOW = 0.04


@dataclass(frozen=True)
class Thresholds:
    """Thresholds that divide the grey values of a scan into classes, from dark to bright.

    Attributes
    ----------
    values : tuple of float
        Ascending. A voxel of class k is brighter than threshold k - 1 and not brighter than
        threshold k.
    method : str
    fractions : tuple of float
        Share of the voxels in each class.
    means : tuple of float
        Mean grey value of each class; NaN for a class without voxels.
    between_class_variance : float
        Otsu's eta: the variance of the grey values that the classes explain, as a share of all
        of it. It says how well the histogram separates, from 0 to 1. Segmentations of scans of
        low eta are unsure (P. Pietsch et al., Sustain. Energy Fuels 2 (2018) 598).
    note : str
        What was asked for and could not be had; empty if nothing.
    """

    values: tuple[float, ...]
    method: str
    fractions: tuple[float, ...]
    means: tuple[float, ...]
    between_class_variance: float
    note: str = ""


def find_thresholds(
    scan: Scan | NDArray | Layers,
    classes: int = 2,
    method: Literal["otsu", "gaussian mixture"] = "otsu",
) -> Thresholds:
    """Find thresholds from the histogram of the grey values.

    Parameters
    ----------
    scan : Scan, array of shape (nz, ny, nx), or stored volume
        Only its histogram is used, of at most 1024 bins, read slab by slab.
    classes : int
        Number of classes, 2 to 16.
    method : {"otsu", "gaussian mixture"}
        ``"otsu"``: the thresholds with the largest between-class variance (N. Otsu, IEEE Trans.
        Syst. Man Cybern. 9 (1979) 62), found exactly for any number of classes by dynamic
        programming. ``"gaussian mixture"``: a normal distribution for each class, fitted by
        expectation maximisation to the histogram (A. P. Dempster et al., J. R. Stat. Soc. B 39
        (1977) 1), and the grey values where the more probable class changes. It suits classes of
        unequal size or width; Otsu's thresholds then are shifted towards the large class.

    Returns
    -------
    Thresholds

    Raises
    ------
    ValueError
        If there are fewer grey values than classes; if the number of classes or the method is not
        allowed; if the mixture does not converge or its classes do not separate.
    """
    if int(classes) != classes or not 2 <= classes <= _MOST_CLASSES:
        raise ValueError(
            f"{classes!r} classes are not allowed; give a whole number from 2 to {_MOST_CLASSES}"
        )
    if method not in ("otsu", "gaussian mixture"):
        raise ValueError(f"method {method!r} is not known; use 'otsu' or 'gaussian mixture'")
    histogram = grey_histogram(_layers(scan), _BINS)
    different = int(np.count_nonzero(histogram.counts))
    if different < classes:
        raise ValueError(
            f"the scan has {different} different grey value(s), too few for {classes} classes; "
            "give fewer classes, or look whether the image is empty"
        )
    cuts = _otsu_cuts(histogram, int(classes))
    if method == "gaussian mixture":
        cuts = _mixture_cuts(histogram, cuts)
    return _described(histogram, tuple(float(histogram.upper[c]) for c in cuts), method)


def thresholds_for_fractions(
    scan: Scan | NDArray | Layers, fractions: Mapping[str, float] | Sequence[float]
) -> Thresholds:
    """Find the thresholds that give known fractions: the quantiles of the grey values.

    Parameters
    ----------
    scan : Scan, array of shape (nz, ny, nx), or stored volume
        Read slab by slab.
    fractions : mapping of str to float, or sequence of float
        Volume fraction of each phase, in the order from dark to bright; the sum is 1.

    Returns
    -------
    Thresholds
        Its `fractions` are those that the thresholds give. Voxels of equal grey value stay
        together, which in an image of few levels can be many; the `note` says so where a fraction
        is missed by more than 0.1 %.

    Raises
    ------
    ValueError
        If the fractions are not from 0 to 1 or their sum is not 1.
    """
    named = _named(fractions)
    wanted = np.array(list(checked_fractions(named, list(named)).values()))
    volume = _layers(scan)
    values = quantile_levels(volume, list(np.cumsum(wanted)[:-1]))
    found = _described(grey_histogram(volume, _BINS), tuple(values), "known fractions")
    counts, sums = _class_sums(volume, values)
    shares = counts / counts.sum()
    means = np.divide(sums, counts, out=np.full(len(counts), np.nan), where=counts > 0)
    note = ""
    # Rounded, so that of two phases that miss by the same the first is named.
    worst = int(np.argmax(np.round(np.abs(shares - wanted), 9)))
    if abs(shares[worst] - wanted[worst]) > _WORTH_A_WORD:
        note = (
            f"{list(named)[worst]} has the fraction {shares[worst]:.4f} instead of "
            f"{wanted[worst]:.4f}, for voxels of equal grey value stay together"
        )
    return replace(
        found, fractions=tuple(map(float, shares)), means=tuple(map(float, means)), note=note
    )


def label_by_thresholds(
    scan: Scan, thresholds: Thresholds | Sequence[float], phases: Sequence[str]
) -> Microstructure:
    """Label the voxels of a scan by thresholds.

    Parameters
    ----------
    scan : Scan
    thresholds : Thresholds or sequence of float
        Ascending, one fewer than phases.
    phases : sequence of str
        Names from the darkest to the brightest.

    Returns
    -------
    Microstructure
        Labels 0, 1, 2 ... in the order of the phases. A grey value equal to a threshold belongs
        to the darker phase.

    Raises
    ------
    ValueError
        If the number of thresholds does not fit the phases, or they do not ascend.
    """
    values = list(thresholds.values if isinstance(thresholds, Thresholds) else thresholds)
    if len(values) != len(phases) - 1:
        raise ValueError(
            f"{len(values)} threshold(s) do not divide {len(phases)} phases; give one fewer than "
            f"phases ({', '.join(phases)})"
        )
    if not np.all(np.isfinite(values)) or np.any(np.diff(values) < 0):
        raise ValueError(f"thresholds {values} do not ascend; give them from dark to bright")
    labels = np.empty(scan.shape, np.uint8)
    for start, stop, slab in thin_slabs(scan):
        labels[start:stop] = classes_of(slab, values)
    return Microstructure(labels, scan.voxel_size, {name: k for k, name in enumerate(phases)})


def inverted_contrast(scan: Scan | NDArray | Layers, fractions: Mapping[str, float]) -> str | None:
    """Tell whether the histogram speaks for the reverse of the order from dark to bright.

    The histogram is cut at the quantiles of the known fractions, in the order given and in the
    reverse. The wrong order cuts through the modes instead of the valleys between them, and its
    classes explain less of the variance (Otsu's eta). The order is doubted only if the reverse
    cuts lie in valleys, of at most 4/5 of the modes beside them and of the height of the cuts of
    the given order, and leave at most 4/5 of the variance within classes and half of all of it.
    It is doubted too if the fractions of Otsu's classes are the known ones in reverse, to a sum
    of differences of 0.15, and differ from those in the given order by 0.8 or more.

    Parameters
    ----------
    scan : Scan, array of shape (nz, ny, nx), or stored volume
    fractions : mapping of str to float
        Known fractions of the phases, in the order that is thought to be from dark to bright.

    Returns
    -------
    str or None
        A sentence that names both orders and what speaks for the reverse; None where the order
        fits, or where the histogram cannot tell (equal fractions, say).

    Raises
    ------
    ValueError
        If the fractions are not from 0 to 1 or their sum is not 1.
    """
    known = checked_fractions(fractions, list(fractions))
    histogram = grey_histogram(_layers(scan), _BINS)
    shares = list(known.values())
    given, turned = (_eta_of_shares(histogram, order) for order in (shares, shares[::-1]))
    names = ", ".join(known)
    if _fractions_are_reversed(histogram, shares):
        return (
            f"the phases are given from dark to bright as {names}, but their known fractions fit "
            "the classes of the grey values in the reverse order; check which phase is bright"
        )
    if turned < _LEAST_ETA or 1 - given < _DOUBT * (1 - turned):
        return None
    # A wide mode beside a narrow one can deceive the variance, but it has no valley in its flank.
    given_height, height = (_valley_height(histogram, order) for order in (shares, shares[::-1]))
    if height > _HIGHEST_VALLEY or given_height < _DOUBT * height:
        return None
    return (
        f"the phases are given from dark to bright as {names}, but with their known "
        f"fractions the grey values fit the reverse order better (classes explain "
        f"{100 * turned:.0f} % of the variance instead of {100 * given:.0f} %); check which phase "
        "is bright"
    )


def _fractions_are_reversed(histogram: Histogram, shares: Sequence[float]) -> bool:
    """Whether the classes of Otsu's method have the known fractions in the reverse order."""
    cuts = _otsu_cuts(histogram, len(shares))
    below = np.cumsum(histogram.counts)[list(cuts)] / histogram.counts.sum()
    found = np.diff(below, prepend=0.0, append=1.0)
    given, turned = (np.abs(found - order).sum() for order in (shares, shares[::-1]))
    return bool(turned <= _SAME_FRACTIONS and given >= _OTHER_FRACTIONS)


def _layers(scan: Scan | NDArray | Layers) -> Layers:
    # A scan without a scale: the histogram needs none, but the checks of its values.
    return Scan(scan, 1.0) if isinstance(scan, np.ndarray) else scan


def _named(fractions: Mapping[str, float] | Sequence[float]) -> dict[str, float]:
    if isinstance(fractions, Mapping):
        return dict(fractions)
    return {f"class {k + 1}": share for k, share in enumerate(fractions)}


def _otsu_cuts(histogram: Histogram, classes: int) -> list[int]:
    """Return the last bin of each class but the brightest, for the largest variance between them.

    The variance between classes is, up to a constant, the sum of ``S^2 / W`` over the classes
    with W the number and S the sum of their grey values; as it is a sum over ranges of bins, the
    best division into k classes is made of a best division into k - 1.
    """
    # About the mean, because squares of large numbers lose what is small beside them.
    levels = histogram.levels - np.average(histogram.levels, weights=histogram.counts)
    number = np.concatenate([[0.0], np.cumsum(histogram.counts)])
    total = np.concatenate([[0.0], np.cumsum(histogram.counts * levels)])
    n = levels.size
    with np.errstate(invalid="ignore", divide="ignore"):
        gain = (total[None] - total[:, None]) ** 2 / (number[None] - number[:, None])
    # A class has voxels; the first bin of a class comes before its end.
    gain[~(number[None] > number[:, None])] = -np.inf
    best = gain[0]
    froms = []
    for _ in range(classes - 1):
        sums = best[:, None] + gain
        froms.append(np.argmax(sums, axis=0))
        best = sums[froms[-1], np.arange(n + 1)]
    ends = [n]
    for chosen in reversed(froms):
        ends.append(int(chosen[ends[-1]]))
    return [_middle_of_gap(histogram.counts, end - 1) for end in reversed(ends[1:])]


def _middle_of_gap(counts: NDArray[np.int64], cut: int) -> int:
    """Move a cut that has empty bins beside it to the middle of them: all are equally good."""
    used = np.flatnonzero(counts)
    below = used[np.searchsorted(used, cut, side="right") - 1]
    above = used[np.searchsorted(used, cut, side="right")]
    return int((below + above - 1) // 2)


def _mixture_cuts(histogram: Histogram, cuts: Sequence[int]) -> list[int]:
    """Return the last bin where each class is more probable than the next brighter one."""
    levels, counts = histogram.levels, histogram.counts.astype(float)
    spacing = levels[1] - levels[0]
    owner = np.searchsorted(cuts, np.arange(levels.size), side="left")
    share = np.eye(len(cuts) + 1)[owner].T * counts
    before = -np.inf
    for _ in range(_MOST_ROUNDS):
        number = np.maximum(share.sum(axis=1), 1e-12 * counts.sum())
        means = share @ levels / number
        # A bin is not narrower than itself: the variance of a uniform distribution over it.
        variances = (
            np.array([s @ (levels - m) ** 2 for s, m in zip(share, means, strict=True)]) / number
            + spacing**2 / 12
        )
        density = -0.5 * (levels - means[:, None]) ** 2 / variances[:, None]
        density += np.log(number / counts.sum() / np.sqrt(variances))[:, None]
        largest = density.max(axis=0)
        probable = np.exp(density - largest)
        total = probable.sum(axis=0)
        after = float(counts @ (np.log(total) + largest) / counts.sum())
        if after - before < _GAIN:
            break
        before = after
        share = probable / total * counts
    else:
        raise ValueError(
            f"the Gaussian mixture has not converged in {_MOST_ROUNDS} rounds; the classes hardly "
            "differ: use fewer of them, or method='otsu'"
        )
    return _crossings(levels, means, density)


def _crossings(levels: NDArray, means: NDArray, density: NDArray) -> list[int]:
    order = np.argsort(means)
    cuts = []
    for dark, bright in pairwise(order):
        between = np.flatnonzero((levels >= means[dark]) & (levels <= means[bright]))
        brighter = density[bright, between] > density[dark, between]
        if between.size < 2 or brighter[0] or not brighter[-1]:
            raise ValueError(
                f"the classes of mean {means[dark]:.4g} and {means[bright]:.4g} of the Gaussian "
                "mixture do not separate; use fewer classes, or method='otsu'"
            )
        cuts.append(int(between[np.argmax(brighter)]) - 1)
    return cuts


def _described(histogram: Histogram, values: tuple[float, ...], method: str) -> Thresholds:
    owner = np.searchsorted(values, histogram.upper, side="left")
    owner[-1] = len(values)
    counts = np.bincount(owner, histogram.counts, len(values) + 1)
    sums = np.bincount(owner, histogram.counts * histogram.levels, len(values) + 1)
    means = np.divide(sums, counts, out=np.full(counts.size, np.nan), where=counts > 0)
    return Thresholds(
        values,
        method,
        tuple(map(float, counts / counts.sum())),
        tuple(map(float, means)),
        _eta(histogram, np.nan_to_num(means), counts),
    )


def _eta(histogram: Histogram, means: NDArray, counts: NDArray) -> float:
    mean = np.average(histogram.levels, weights=histogram.counts)
    variance = np.average((histogram.levels - mean) ** 2, weights=histogram.counts)
    if variance == 0:
        return 0.0
    return float(np.average((means - mean) ** 2, weights=counts) / variance)


def _eta_of_shares(histogram: Histogram, shares: Sequence[float]) -> float:
    """Return the explained variance of classes that divide the voxels, sorted by grey value."""
    ends = np.concatenate([[0], np.cumsum(histogram.counts)]).astype(float)
    sums = np.concatenate([[0.0], np.cumsum(histogram.counts * histogram.levels)])
    # Within a bin voxels are divided at will, so that ties do not speak for an order.
    edges = np.concatenate([[0.0], np.cumsum(shares)]) * ends[-1]
    counts = np.diff(edges)
    totals = np.diff(np.interp(edges, ends, sums))
    means = np.divide(totals, counts, out=np.zeros(counts.size), where=counts > 0)
    return _eta(histogram, means, counts)


def _valley_height(histogram: Histogram, shares: Sequence[float]) -> float:
    """Return the density of grey values at the cuts over that of the lower mode around each.

    The mean over the cuts; 1 for a cut in a flank or on a mode.
    """
    ends = np.append(0.0, np.cumsum(histogram.counts) / histogram.counts.sum())
    edges = _edges(histogram)

    def density(places: NDArray) -> NDArray:
        low, high = np.clip(places - _WINDOW / 2, 0, 1), np.clip(places + _WINDOW / 2, 0, 1)
        return (high - low) / (np.interp(high, ends, edges) - np.interp(low, ends, edges))

    bounds = np.append(0.0, np.cumsum(shares))
    modes = [density(np.linspace(a, b, 101)).max() for a, b in pairwise(bounds)]
    # The highest mode on either side: that of a rare phase is itself in the valley of others.
    below, above = np.maximum.accumulate(modes), np.maximum.accumulate(modes[::-1])[::-1]
    lower = np.minimum(below[:-1], above[1:])
    return float(np.mean(density(bounds[1:-1]) / lower))


def _edges(histogram: Histogram) -> NDArray[np.float64]:
    half = 0.5 * (histogram.levels[1] - histogram.levels[0]) if histogram.levels.size > 1 else 0.5
    return np.append(histogram.levels[0] - half, histogram.levels + half)


def _class_sums(volume: Layers, values: Sequence[float]) -> tuple[NDArray, NDArray]:
    """Return the number of voxels and the sum of the grey values of each class."""
    counts, sums = np.zeros(len(values) + 1), np.zeros(len(values) + 1)
    for _, _, slab in thin_slabs(volume):
        classes = classes_of(slab, values).ravel()
        counts += np.bincount(classes, minlength=counts.size)
        sums += np.bincount(classes, slab.ravel(), counts.size)
    return counts, sums
