"""How a stress is distributed over a phase."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..microstructure import Microstructure
from .averaging import Window, averaged_stress
from .field_checks import checked_shares, checked_stress, checked_weights
from .invariants import stress_measure

__all__ = [
    "StressDistribution",
    "phase_distributions",
    "stress_distribution",
    "weighted_percentiles",
]

BINS = 60
SHARES = (0.5, 0.95, 0.99)
# A logarithmic axis starts here, and what lies below counts in its first bin.
LOW = 1e-3

Vector = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class StressDistribution:
    """Distribution of a value over a volume.

    Parameters
    ----------
    mean, minimum, maximum : float
        In Pa for stresses. On voxels the extremes depend on the grid; percentiles hardly do.
    percentiles : dict of float to float
        By the share of the volume in which the value is not exceeded.
    edges : ndarray, shape (n + 1,)
        Of the bins of a histogram.
    shares : ndarray, shape (n,)
        Of the volume in each bin; they add up to 1.
    scale : {"log", "linear"}
        Of the edges.
    """

    mean: float
    minimum: float
    maximum: float
    percentiles: dict[float, float]
    edges: Vector = field(repr=False)
    shares: Vector = field(repr=False)
    scale: Literal["log", "linear"]


def weighted_percentiles(
    values: ArrayLike, weights: ArrayLike | None = None, shares: Iterable[float] = SHARES
) -> dict[float, float]:
    """Return the values that given shares of a volume do not exceed.

    Parameters
    ----------
    values : array, any shape
    weights : array of the same shape, optional
        A mask, or the share of each voxel that counts.
    shares : iterable of float
        From 0 to 1: 0.95 for the 95th percentile.

    Returns
    -------
    dict of float to float
        The least value at or below which at least the share lies; 0 gives the smallest.

    Raises
    ------
    ValueError
        If a share is not from 0 to 1, no voxel counts, or shapes do not fit.

    Examples
    --------
    >>> weighted_percentiles([1.0, 2.0, 3.0, 4.0], [1.0, 1.0, 1.0, 0.0], [0.5])
    {0.5: 2.0}
    """
    wanted = checked_shares(shares)
    return _percentiles(*_sorted(values, weights), wanted)


def stress_distribution(
    values: ArrayLike,
    weights: ArrayLike | None = None,
    *,
    shares: Iterable[float] = SHARES,
    bins: int = BINS,
    scale: Literal["log", "linear"] = "log",
) -> StressDistribution:
    """Return the distribution of a scalar over voxels.

    Parameters
    ----------
    values : array, any shape
        Such as the von Mises stress of each voxel, in Pa.
    weights : array of the same shape, optional
        A mask, or the share of each voxel that counts.
    shares : iterable of float
        At which percentiles are taken, from 0 to 1.
    bins : int
        Of the histogram.
    scale : {"log", "linear"}
        Of its edges. Logarithmic ones start at the value that a thousandth of what is positive
        does not exceed; what lies below, and what is not positive, counts in the first bin.

    Returns
    -------
    StressDistribution

    Raises
    ------
    ValueError
        If an argument is not allowed, no voxel counts, or shapes do not fit.
    """
    wanted = checked_shares(shares)
    if isinstance(bins, bool) or int(bins) != bins or bins < 1:
        raise ValueError(f"bins {bins!r} is not allowed; give a whole number above 0")
    if scale not in ("log", "linear"):
        raise ValueError(f"scale {scale!r} is not known; give 'log' or 'linear'")
    v, w = _sorted(values, weights)
    edges = _edges(v, w, int(bins), scale)
    counted, _ = np.histogram(np.clip(v, edges[0], edges[-1]), edges, weights=w)
    return StressDistribution(
        mean=float(np.average(v, weights=w)),
        minimum=float(v[0]),
        maximum=float(v[-1]),
        percentiles=_percentiles(v, w, wanted),
        edges=edges,
        shares=counted / counted.sum(),
        scale=scale,
    )


def phase_distributions(
    micro: Microstructure,
    stress: ArrayLike,
    phases: Sequence[str],
    *,
    measure: str = "von_mises",
    length: float | None = None,
    window: Window = "ball",
    periodic: bool = False,
    shares: Iterable[float] = SHARES,
    bins: int = BINS,
) -> dict[str, StressDistribution]:
    """Return the distribution of a scalar of the stress over each of some phases.

    Parameters
    ----------
    micro : Microstructure
    stress : array, shape (6, nz, ny, nx)
        In Pa.
    phases : sequence of str
    measure : {"von_mises", "hydrostatic", "maximum_principal", "tresca"}
    length : float, optional
        In m: the stress is averaged over it first, within each phase. Percentiles near 1 can only
        be compared between grids with one.
    window, periodic
        As in `averaged_stress`.
    shares, bins
        As in `stress_distribution`. The histogram is logarithmic for measures that cannot be
        negative.

    Returns
    -------
    dict of str to StressDistribution

    Raises
    ------
    ValueError
        If an argument is not allowed, a phase is not in the image or has no voxel, or shapes do not
        fit.
    """
    s = checked_stress(stress, ndim=4)
    if s.shape[1:] != micro.shape:
        raise ValueError(
            f"a stress of shape {s.shape} does not fit an image of shape {micro.shape}; give "
            "(6, nz, ny, nx) of that image"
        )
    wanted = checked_shares(shares)
    found = {}
    for name in phases:
        here = micro.mask(name)
        if not here.any():
            raise ValueError(f"phase {name!r} has no voxel in this image; leave it out")
        if length is not None:
            values = averaged_stress(
                s, here, length, micro.voxel_size, window=window, periodic=periodic
            )[:, here]
        else:
            values = s[:, here]
        found[name] = stress_distribution(
            stress_measure(values, measure),
            shares=wanted,
            bins=bins,
            scale="log" if measure in ("von_mises", "tresca") else "linear",
        )
    return found


def _sorted(values: ArrayLike, weights: ArrayLike | None) -> tuple[Vector, Vector]:
    v = np.asarray(values, float)
    w = checked_weights(weights, v.shape)
    there = w > 0
    v, w = v[there], w[there].astype(float)
    if not np.isfinite(v).all():
        raise ValueError("some values that count are not finite; give finite ones, or weight 0")
    order = np.argsort(v, kind="stable")
    return v[order], w[order]


def _percentiles(v: Vector, w: Vector, shares: tuple[float, ...]) -> dict[float, float]:
    below = np.cumsum(w)
    # Sums of weights are rounded: half the volume is reached by half of the voxels.
    limits = np.array(shares) * below[-1] * (1.0 - 1e-12)
    places = np.minimum(np.searchsorted(below, limits), len(v) - 1)
    return {share: float(v[place]) for share, place in zip(shares, places, strict=True)}


def _edges(v: Vector, w: Vector, bins: int, scale: str) -> Vector:
    low, high = float(v[0]), float(v[-1])
    if scale == "log":
        first = int(np.searchsorted(v, 0.0, side="right"))
        if first == len(v):  # nothing is positive
            return np.geomspace(0.5, 1.0, bins + 1)
        low = _percentiles(v[first:], w[first:], (LOW,))[LOW]
        return np.geomspace(low, high if high > low * (1.0 + 1e-9) else 1.01 * low, bins + 1)
    spread = high - low
    return np.linspace(low, high if spread > 0.0 else low + max(abs(low), 1.0) * 1e-2, bins + 1)
