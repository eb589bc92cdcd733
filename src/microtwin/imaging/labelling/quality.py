"""How good a scan and its segmentation are, told without knowing the truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ...microstructure import Microstructure
from ..layers import Layers, float_slabs

__all__ = ["Quality", "assess_quality"]

Verdict = Literal["pass", "warn"]

# From these limits on labels of virtual scans become unreliable: see docs/theory/segmentation.
LEAST_CONTRAST = 2.0
LEAST_ETA = 0.7
MOST_AMBIGUOUS = 0.25
MOST_UNBALANCED = 0.05
MOST_FLOATING = 0.02
MOST_SATURATED = 0.01
# Voxels away from interfaces that make a mean.
_FEW = 100


@dataclass(frozen=True)
class Quality:
    """Figures of merit of a segmentation.

    Parameters
    ----------
    means, deviations : mapping of str to float
        Mean and standard deviation of the grey values of each phase away from interfaces (over
        all its voxels where fewer than 100 are). Phases without voxels have none.
    between_class_variance : float
        Otsu's eta: share of the variance of the grey values that lies between the phases, 0 to 1.
    contrast_to_noise : mapping of str to float
        Difference of the means of phases next to each other in grey, over the root mean square
        of their deviations; by names such as "pore/binder".
    saturated : float
        Share of the voxels at the smallest or the largest grey value of the scan, less than a
        share of 0.001 counting as none.
    floating : mapping of str to float
        Share of the pore space that is not connected to most of it, and share of the solid that
        is not connected to most of the solid.
    resolution : float or None
        Full width at half maximum of the response of the instrument in metres, along the axis on
        which it is widest, where the segmentation has found the blur.
    balance : float or None
        Mean of the scan less the one that its phases would have with the known fractions, in
        units of the contrast between the darkest and the brightest phase: what a phase of them
        would have to give the other. Blur does not change it. None without known fractions, or
        where the grey value of a phase is not known.
    ambiguous : float or None
        Share of the voxels whose most probable phase has a probability below 0.9.
    """

    means: Mapping[str, float]
    deviations: Mapping[str, float]
    between_class_variance: float
    contrast_to_noise: Mapping[str, float]
    saturated: float
    floating: Mapping[str, float]
    resolution: float | None
    balance: float | None
    ambiguous: float | None

    def checks(self) -> list[tuple[str, float, float, Verdict]]:
        """Return name, value, limit and verdict of each check."""
        found = [
            _at_least("between_class_variance", self.between_class_variance, LEAST_ETA),
            _at_most("saturated_voxels", self.saturated, MOST_SATURATED),
        ]
        if self.contrast_to_noise:
            least = min(self.contrast_to_noise.values())
            found.insert(1, _at_least("contrast_to_noise", least, LEAST_CONTRAST))
        if self.balance is not None:
            found.append(_at_most("grey_value_balance", abs(self.balance), MOST_UNBALANCED))
        if self.ambiguous is not None:
            found.append(_at_most("ambiguous_voxels", self.ambiguous, MOST_AMBIGUOUS))
        if "solid" in self.floating:
            found.append(_at_most("floating_solid", self.floating["solid"], MOST_FLOATING))
        return found


def _at_least(name: str, value: float, limit: float) -> tuple[str, float, float, Verdict]:
    return name, value, limit, "pass" if value >= limit else "warn"


def _at_most(name: str, value: float, limit: float) -> tuple[str, float, float, Verdict]:
    return name, value, limit, "pass" if value <= limit else "warn"


def assess_quality(
    volume: Layers,
    micro: Microstructure,
    *,
    blur: Sequence[float] | None = None,
    known_fractions: Mapping[str, float] | None = None,
    grey_values: Mapping[str, float] | None = None,
    ambiguous: float | None = None,
    raw: Layers | None = None,
) -> Quality:
    """Judge a segmentation by the scan that it was made from.

    Parameters
    ----------
    volume : Layers
        The corrected scan, in memory or in a file.
    micro : Microstructure
        Its labels.
    blur : 3 floats, optional
        Standard deviation of the response of the instrument along (z, y, x), in voxels.
    known_fractions : mapping of str to float, optional
        Fractions from the laboratory.
    grey_values : mapping of str to float, optional
        Of each phase in the open, for the balance with known fractions; by default the means of
        its voxels away from interfaces, if there are enough.
    ambiguous : float, optional
        Share of voxels without a clear phase.
    raw : Layers, optional
        The scan before the corrections, where they differ from place to place: they make unequal
        grey values of equal ones, and saturated voxels can no longer be told.

    Returns
    -------
    Quality

    Raises
    ------
    ValueError
        If scan and labels differ in shape.
    """
    for scan in (volume, raw or volume):
        if scan.shape != micro.shape:
            raise ValueError(
                f"the scan has shape {scan.shape} and the labels {micro.shape}; they must be equal"
            )
    # Of all voxels of each label, and of those away from interfaces.
    counts, sums, squares = np.zeros((3, 2, 256))
    extremes = _Extremes()
    for first, start, stop, values in float_slabs(volume, 2):
        labels = micro.labels[first : first + len(values)]
        inside = slice(start - first, stop - first)
        if raw is None:
            extremes.add(values[inside])
        open_ = _same_around(labels)[inside].ravel()
        flat, numbers = values[inside].ravel(), labels[inside].ravel()
        for kind, chosen in enumerate((np.ones_like(open_), open_)):
            own, grey = numbers[chosen], flat[chosen].astype(float)
            counts[kind] += np.bincount(own, minlength=256)
            sums[kind] += np.bincount(own, grey, 256)
            squares[kind] += np.bincount(own, grey * grey, 256)
    if raw is not None:
        for _, _, _, values in float_slabs(raw, 0):
            extremes.add(values)
    total, mean = counts[0].sum(), sums[0].sum() / counts[0].sum()
    variance = squares[0].sum() / total - mean**2
    class_means = sums[0] / np.maximum(counts[0], 1)
    between = float(np.sum(counts[0] * (class_means - mean) ** 2) / total)
    means, deviations = {}, {}
    for name, label in micro.phases.items():
        if not counts[0][label]:
            continue
        # Enough voxels away from interfaces, or else all of them.
        kind = 1 if counts[1][label] >= _FEW else 0
        n = counts[kind][label]
        means[name] = float(sums[kind][label] / n)
        spread = squares[kind][label] / n - means[name] ** 2
        deviations[name] = float(np.sqrt(max(spread, 0.0)))
    if grey_values is None:
        grey_values = {name: means[name] for name in means if counts[1][micro.label(name)] >= _FEW}
    return Quality(
        means,
        deviations,
        between / variance if variance > 0 else 0.0,
        _contrasts(means, deviations),
        extremes.share(int(total)),
        _floating(micro),
        None if blur is None else float(2.3548 * np.max(np.multiply(blur, micro.voxel_size))),
        None if known_fractions is None else _balance(float(mean), known_fractions, grey_values),
        ambiguous,
    )


def _balance(
    mean: float, fractions: Mapping[str, float], grey_values: Mapping[str, float]
) -> float | None:
    present = [name for name, fraction in fractions.items() if fraction > 0]
    contrast = float(np.ptp(list(grey_values.values()))) if grey_values else 0.0
    if contrast == 0 or any(name not in grey_values for name in present):
        return None
    return (mean - sum(fractions[name] * grey_values[name] for name in present)) / contrast


class _Extremes:
    """Counts how many voxels have the smallest and the largest grey value."""

    def __init__(self) -> None:
        self._low, self._high = np.inf, -np.inf
        self._lows = self._highs = 0

    def add(self, values: NDArray) -> None:
        low, high = float(values.min()), float(values.max())
        if low < self._low:
            self._low, self._lows = low, 0
        if high > self._high:
            self._high, self._highs = high, 0
        self._lows += int(np.count_nonzero(values == self._low))
        self._highs += int(np.count_nonzero(values == self._high))

    def share(self, total: int) -> float:
        shares = [n / total for n in (self._lows, self._highs)]
        return sum(share for share in shares if share > 0.001)


def _same_around(labels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Mark voxels whose label is that of all voxels two steps away along the axes."""
    same = np.ones(labels.shape, bool)
    for axis in range(3):
        turned, marks = np.moveaxis(labels, axis, 0), np.moveaxis(same, axis, 0)
        equal = turned[2:] == turned[:-2]
        marks[2:] &= equal
        marks[:-2] &= equal
    return same


def _contrasts(means: Mapping[str, float], deviations: Mapping[str, float]) -> dict[str, float]:
    ordered = sorted(means, key=lambda name: means[name])
    found = {}
    for dark, bright in pairwise(ordered):
        noise = np.sqrt((deviations[dark] ** 2 + deviations[bright] ** 2) / 2)
        difference = means[bright] - means[dark]
        found[f"{dark}/{bright}"] = float(difference / noise) if noise > 0 else float("inf")
    return found


def _floating(micro: Microstructure) -> dict[str, float]:
    """Return the share of pore and of solid outside the largest cluster, through faces."""
    import cc3d

    pore = next((name for name in micro.phase_names if name.startswith("pore")), None)
    shares = {}
    masks = {"pore": micro.mask(pore)} if pore is not None else {}
    if pore is not None:
        masks["solid"] = ~masks["pore"]
    for name, mask in masks.items():
        clusters = cc3d.connected_components(mask, connectivity=6)
        sizes = np.bincount(clusters.ravel())[1:]
        if sizes.size:
            shares[name] = float(1.0 - sizes.max() / sizes.sum())
    return shares
