"""Sampling: how much of a value is due to the finite size of the image.

The image is cut into sub-volumes of several sizes; the scatter of the property between them,
extrapolated to the volume of the whole image, is its sampling uncertainty. The theory page
derives the law, Var = D^2 A3 / V (Kanit et al. 2003, Int. J. Solids Struct. 40, 3647), and what
one image can and cannot tell.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import NormalDist
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from microtwin.microstructure import Microstructure

from .coarsening import coarsen_for
from .covariance import IntegralRange, integral_range
from .scaling import VarianceLaw, fit_variance_law
from .sentences import sampling_sentence

__all__ = ["SamplingStudy", "SubvolumeRow", "subvolume_study"]

# Below this edge a sub-volume is mostly boundary and its property means little.
MIN_EDGE = 8
TARGETS = (0.05, 0.01)


@dataclass(frozen=True)
class SubvolumeRow:
    """A property over sub-volumes of one size.

    Attributes
    ----------
    shape : tuple of int
        Voxels of a sub-volume along (z, y, x), on the grid that was studied.
    edge_voxels, edge : float
        Edge of the cube of equal volume, in voxels of the image and in metres.
    volume : float
        Volume of a sub-volume (m^3).
    count : int
        Number of sub-volumes.
    zeros : int
        How many of them have the value 0 (the phase does not percolate there). They are counted.
    mean, std : float
        Mean and standard deviation (n - 1 in the denominator) over the sub-volumes.
    fraction_std, fraction_std_predicted : float or None
        Standard deviation of the volume fraction over the sub-volumes, and the one that the
        covariance of the image predicts for their size; None if no phase was named.
    """

    shape: tuple[int, int, int]
    edge_voxels: float
    edge: float
    volume: float
    count: int
    zeros: int
    mean: float
    std: float
    fraction_std: float | None
    fraction_std_predicted: float | None


@dataclass(frozen=True, eq=False)
class SamplingStudy:
    """Scatter of a property over sub-volumes and its extrapolation to the whole image.

    Attributes
    ----------
    rows : tuple of SubvolumeRow
        From large to small sub-volumes.
    whole : float
        Value on the whole image.
    std_whole : float
        Standard deviation expected between images as large as this one: the sampling term of the
        error budget.
    interval : tuple of float
        90 % confidence interval of ``std_whole``, from the number of sub-volumes alone.
    law : VarianceLaw
        The fitted law, with the exponent used and the one observed.
    edge_for : mapping of float to float
        Relative standard uncertainty -> edge of the cube that reaches it (m). Empty if the value
        is 0.
    size_effect : float
        Mean over the largest sub-volumes minus the whole: the bias of small samples, which is
        kept apart from the variance.
    coarsening : int
        Factor by which the image was coarsened for the sub-volumes.
    integral_range : IntegralRange or None
        Of the phase, from the covariance of the image; None if no phase was named.
    fraction_std_whole : float or None
        Standard deviation of the phase's volume fraction for images as large as this one, from
        the integral range alone.
    fraction_correlation : float or None
        Correlation between the property and the volume fraction over sub-volumes, for
        `microtwin.trust.tortuosity_uncertainty`.
    reliable : bool
        False if the image is not large enough to tell.
    sentence : str
        The verdict in plain words.
    """

    rows: tuple[SubvolumeRow, ...]
    whole: float
    std_whole: float
    interval: tuple[float, float]
    law: VarianceLaw
    edge_for: Mapping[float, float]
    size_effect: float
    coarsening: int
    integral_range: IntegralRange | None = field(repr=False)
    fraction_std_whole: float | None
    fraction_correlation: float | None
    reliable: bool
    sentence: str

    @property
    def edges(self) -> NDArray[np.float64]:
        """Edge of each size of sub-volume (m)."""
        return np.array([row.edge for row in self.rows])

    @property
    def counts(self) -> NDArray[np.int64]:
        """Number of sub-volumes of each size."""
        return np.array([row.count for row in self.rows])

    @property
    def means(self) -> NDArray[np.float64]:
        """Mean over the sub-volumes of each size."""
        return np.array([row.mean for row in self.rows])

    @property
    def stds(self) -> NDArray[np.float64]:
        """Standard deviation over the sub-volumes of each size."""
        return np.array([row.std for row in self.rows])

    @property
    def value_interval(self) -> tuple[float, float]:
        """The 90 % interval in which the value of a very large sample lies."""
        half = NormalDist().inv_cdf(0.95) * self.std_whole
        return self.whole - half, self.whole + half

    @property
    def fitted_std(self) -> NDArray[np.float64]:
        """Standard deviation of each size of sub-volume by the fitted law."""
        return self.law.fitted_std


def subvolume_study(
    micro: Microstructure,
    quantity: Callable[[Microstructure], float],
    *,
    phase: str | None = None,
    whole: float | None = None,
    whole_coarse: float | None = None,
    divisions: Sequence[int] = (2, 3, 4),
    coarsening: int | None = None,
    exponent: float | None = 1.0,
    max_count: int | None = None,
    seed: int = 0,
) -> SamplingStudy:
    """Estimate how representative one image is, from sub-volumes of it.

    On the image coarsened by 2, all sub-volumes of one size cost together about 1/8 of the solve
    on the whole image, so that three sizes cost 3/8. The coarse grid biases all sub-volumes
    alike, and only the ratio of their scatter to the coarse whole is used.

    Parameters
    ----------
    micro : Microstructure
        The image.
    quantity : callable
        ``quantity(micro)`` returns a finite number: D_eff/D_0 (0 where the phase does not
        percolate) rather than the tortuosity factor.
    phase : str, optional
        Phase that the quantity belongs to. The coarsened image keeps it where it is; its
        covariance corrects for sub-volumes that are not large against the structure; the
        correlation of the quantity with its volume fraction is reported.
    whole : float, optional
        Value on the whole image if known. Without it, the value on the studied grid is used.
    whole_coarse : float, optional
        Value on the whole coarsened image, if known (the discretisation study computes it).
    divisions : sequence of int
        Sizes of sub-volumes: the edge is about the cube root of the volume over 2, 3, 4. Flat
        images are cut less along their short axes, so that sub-volumes stay compact; sizes below
        8 voxels on a divided axis are left out.
    coarsening : {1, 2}, optional
        Study the image as it is, or coarsened by 2. By default 2 where two sizes of sub-volumes
        remain; a smaller image is studied as it is, with one size only, to bound the cost.
    exponent : float or None
        The variance falls as V^-exponent; 1 for structures of short range. None fits it.
    max_count : int, optional
        At most this many sub-volumes of one size, chosen at random.
    seed : int
        For that choice.

    Returns
    -------
    SamplingStudy

    Raises
    ------
    ValueError
        If the image is too small to be cut, the quantity is not finite, or a parameter is not
        allowed.
    """
    if coarsening not in (None, 1, 2) or (max_count is not None and max_count < 2):
        raise ValueError(
            f"coarsening={coarsening!r}, max_count={max_count!r} is not allowed; "
            "use coarsening 1 or 2, and at least 2 sub-volumes of each size"
        )
    coarsening, cuts = _plan(micro, divisions, coarsening)
    studied = micro if coarsening == 1 else coarsen_for(micro, phase, coarsening)
    covariance = _covariance_of(micro, phase)
    reference = whole if coarsening == 1 else whole_coarse
    reference = _value(quantity, studied) if reference is None else float(reference)
    whole = reference if whole is None else float(whole)
    scale = whole / reference if reference else 1.0

    rng = np.random.default_rng(seed)
    rows, samples, fractions = [], [], []
    for cut in cuts:
        parts = _tiles(studied, cut, max_count, rng)
        values, shares = _evaluate(parts, quantity, phase)
        rows.append(_row(studied, cut, coarsening, scale * values, shares, covariance))
        samples.append(values)
        fractions.append(shares)
    law = fit_variance_law(
        volumes=[row.volume for row in rows],
        counts=[row.count for row in rows],
        stds=[row.std for row in rows],
        volume=math.prod(micro.extent),
        factors=_finite_size_factors(rows, studied, covariance),
        exponent=exponent,
    )
    edge_for = {t: law.volume_for(t * abs(whole)) ** (1 / 3) for t in TARGETS} if whole else {}
    size_effect = rows[0].mean - whole
    reliable, sentence = sampling_sentence(rows, whole, law, edge_for, covariance)
    return SamplingStudy(
        rows=tuple(rows),
        whole=whole,
        std_whole=law.std,
        interval=law.interval,
        law=law,
        edge_for=MappingProxyType(edge_for),
        size_effect=size_effect,
        coarsening=coarsening,
        integral_range=covariance,
        fraction_std_whole=(
            None if covariance is None else math.sqrt(covariance.variance(micro.extent))
        ),
        fraction_correlation=_correlation(samples, fractions) if phase is not None else None,
        reliable=reliable,
        sentence=sentence,
    )


def _plan(
    micro: Microstructure, divisions: Sequence[int], coarsening: int | None
) -> tuple[int, list[tuple[int, int, int]]]:
    """Choose the grid and how many pieces each axis is cut into, for each size."""
    if not divisions or any(int(k) != k or k < 2 for k in divisions):
        raise ValueError(
            f"divisions={tuple(divisions)!r} is not allowed; use whole numbers from 2 up"
        )
    coarse = tuple(n // 2 for n in micro.shape)
    possible = {
        1: _cuts(micro.shape, micro.extent, divisions),
        2: _cuts(coarse, micro.extent, divisions) if min(coarse) >= 2 else [],
    }
    if coarsening is None:
        coarsening = 2 if len(possible[2]) >= min(2, len(set(divisions))) else 1
        # On the full grid every size costs as much as the main solve: keep one, with many pieces.
        possible[1] = possible[1][-1:]
    if not possible[coarsening]:
        raise ValueError(
            f"an image of shape {micro.shape} cannot be cut into sub-volumes with edges of at "
            f"least {MIN_EDGE} voxels at coarsening {coarsening}; use an image with at least "
            f"{2 * MIN_EDGE * coarsening} voxels on its long axes"
        )
    return coarsening, possible[coarsening]


def _cuts(
    shape: Sequence[int], extent: Sequence[float], divisions: Sequence[int]
) -> list[tuple[int, int, int]]:
    mean_edge = math.prod(extent) ** (1 / 3)
    cuts = []
    for k in sorted(set(divisions)):
        z, y, x = (max(1, round(length * k / mean_edge)) for length in extent)
        if all(c == 1 or n // c >= MIN_EDGE for n, c in zip(shape, (z, y, x), strict=True)):
            cuts.append((z, y, x))
    return cuts


def _tiles(
    micro: Microstructure,
    cut: tuple[int, int, int],
    max_count: int | None,
    rng: np.random.Generator,
) -> Iterator[Microstructure]:
    """Yield the sub-volumes of one size, side by side without overlap."""
    edges = [n // c for n, c in zip(micro.shape, cut, strict=True)]
    places = list(itertools.product(*(range(c) for c in cut)))
    if max_count is not None and max_count < len(places):
        chosen = np.sort(rng.choice(len(places), max_count, replace=False))
        places = [places[i] for i in chosen]
    for place in places:
        z, y, x = (slice(i * e, (i + 1) * e) for i, e in zip(place, edges, strict=True))
        yield micro.crop(z, y, x)


def _evaluate(
    parts: Iterator[Microstructure], quantity: Callable[[Microstructure], float], phase: str | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    values, shares = [], []
    for part in parts:
        values.append(_value(quantity, part))
        shares.append(math.nan if phase is None else part.volume_fraction(phase))
    return np.array(values), np.array(shares)


def _value(quantity: Callable[[Microstructure], float], micro: Microstructure) -> float:
    value = float(quantity(micro))
    if not math.isfinite(value):
        raise ValueError(
            f"the quantity is {value} on a sub-volume of shape {micro.shape}; study D_eff/D_0, "
            "which is 0 where the phase does not percolate, instead of the tortuosity factor"
        )
    return value


def _row(
    micro: Microstructure,
    cut: tuple[int, int, int],
    coarsening: int,
    values: NDArray[np.float64],
    shares: NDArray[np.float64],
    covariance: IntegralRange | None,
) -> SubvolumeRow:
    nz, ny, nx = (n // c for n, c in zip(micro.shape, cut, strict=True))
    dz, dy, dx = micro.voxel_size
    predicted = None if covariance is None else covariance.variance((nz * dz, ny * dy, nx * dx))
    voxels = nz * ny * nx
    volume = voxels * math.prod(micro.voxel_size)
    return SubvolumeRow(
        shape=(nz, ny, nx),
        edge_voxels=coarsening * voxels ** (1 / 3),
        edge=volume ** (1 / 3),
        volume=volume,
        count=values.size,
        zeros=int(np.count_nonzero(values == 0)),
        mean=float(values.mean()),
        std=float(values.std(ddof=1)),
        fraction_std=None if covariance is None else float(shares.std(ddof=1)),
        fraction_std_predicted=None if predicted is None else math.sqrt(predicted),
    )


def _covariance_of(micro: Microstructure, phase: str | None) -> IntegralRange | None:
    if phase is None or micro.volume_fraction(phase) in (0.0, 1.0):
        return None
    return integral_range(micro, phase)


def _finite_size_factors(
    rows: Sequence[SubvolumeRow], micro: Microstructure, covariance: IntegralRange | None
) -> list[float]:
    if covariance is None:
        return [1.0] * len(rows)
    extents = [
        tuple(n * h for n, h in zip(row.shape, micro.voxel_size, strict=True)) for row in rows
    ]
    return [covariance.finite_size_factor(extent) for extent in extents]


def _correlation(
    samples: Sequence[NDArray[np.float64]], fractions: Sequence[NDArray[np.float64]]
) -> float | None:
    """Correlation of value and volume fraction, each taken about the mean of its own size."""
    a = np.concatenate([s - s.mean() for s in samples])
    b = np.concatenate([f - f.mean() for f in fractions])
    norm = math.sqrt(float(a @ a) * float(b @ b))
    return float(np.clip(a @ b / norm, -1, 1)) if norm else None
