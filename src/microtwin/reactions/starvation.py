"""Where too little arrives: viable rim and starved core, from a concentration and a threshold."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import distance_transform_edt
from scipy.optimize import brentq

from ..checking import is_number
from ..connectivity import label_clusters
from ..geometry import distance_map
from ..meshing import BOX_FACES
from ..microstructure import Microstructure
from .places import measure

__all__ = ["Viability", "onset", "viability"]

Field = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Viability:
    """Viable rim and starved core of one or several phases.

    Attributes
    ----------
    volume : float
        Of the phases where the concentration is known, in m^3.
    core_fraction : float
        Share of it below the threshold: necrotic or starved.
    hypoxic_fraction : float or None
        Share of it below the second threshold, the core included; None without one.
    radius, core_radius : float
        Of balls of the same volume as the phases and the core, in m.
    hypoxic_radius : float or None
        The same of what lies below the second threshold.
    core_volumes : ndarray, shape (n,)
        Of separate cores, the largest first, in m^3. Cores that touch through faces of voxels are
        one.
    rim : ndarray, shape (m,)
        Distance in m from the nearest source to the core, where the core begins: one value for
        each pair of neighbouring voxels on either side. Its percentiles are those of the
        thickness of the rim.
    distance : ndarray of float32, shape (nz, ny, nx)
        From the nearest source, in m; NaN outside of the phases.
    core : ndarray of float32, shape (nz, ny, nx)
        Share of each voxel of the phases that lies below the threshold; 0 elsewhere.
    unknown : float
        Share of the voxels of the phases where the concentration is NaN; left out of all else.
    """

    volume: float
    core_fraction: float
    hypoxic_fraction: float | None
    radius: float
    core_radius: float
    hypoxic_radius: float | None
    core_volumes: Field = field(repr=False)
    rim: Field = field(repr=False)
    distance: NDArray[np.float32] = field(repr=False)
    core: NDArray[np.float32] = field(repr=False)
    unknown: float

    @property
    def core_volume(self) -> float:
        """Of all cores, in m^3."""
        return self.core_fraction * self.volume

    @property
    def viable_fraction(self) -> float:
        """Share of the phases that is not below the threshold."""
        return 1.0 - self.core_fraction

    @property
    def cores(self) -> int:
        """Number of separate cores."""
        return len(self.core_volumes)

    def rim_percentiles(self, percentages: ArrayLike = (5, 50, 95)) -> Field:
        """Return percentiles of the thickness of the rim, in m; NaN without a core or a rim.

        Parameters
        ----------
        percentages : array_like
            From 0 to 100.
        """
        return _percentiles(self.rim, percentages)

    def distance_percentiles(self, percentages: ArrayLike = (5, 50, 95)) -> Field:
        """Return percentiles of the distance to the nearest source over the phases, in m.

        Parameters
        ----------
        percentages : array_like
            From 0 to 100.
        """
        return _percentiles(self.distance[np.isfinite(self.distance)], percentages)


def viability(
    micro: Microstructure,
    concentration: NDArray[np.floating],
    phases: str | Iterable[str],
    threshold: float,
    hypoxic: float | None = None,
    *,
    sources: str | Iterable[str] | None = None,
    periodic: bool = False,
) -> Viability:
    """Return which part of a phase has too little of a species: core, rim, and how thick it is.

    Parameters
    ----------
    micro : Microstructure
    concentration : ndarray, shape (nz, ny, nx)
        Such as `SpeciesState.concentration`; NaN where the species never is.
    phases : str or iterable of str
        The tissue: what is to be supplied.
    threshold : float
        What lies below it is the core, in the unit of the concentration.
    hypoxic : float, optional
        A second threshold, not below the first.
    sources : str or iterable of str, optional
        Phases and faces of the box ("z_low" to "x_high") from which distances count. All that is
        not tissue, inside the image, if not given.
    periodic : bool
        Whether the image repeats: distances, gradients and cores then go on across its faces.

    Returns
    -------
    Viability

    Raises
    ------
    ValueError
        If a phase, source or threshold is not allowed, the shapes differ, the concentration is
        known nowhere in the phases, or there is no source in the image to count distances from.

    Notes
    -----
    Volumes are those of the embedded boundary. Where the level of the threshold crosses a voxel,
    the values in it count as evenly distributed, with the mean of a parabola and the variance of a
    plane: the mean is c + (sum of the second differences) / 24, the width w the root of the sum of
    squares of the smaller of the two changes along each axis, and 1/2 + (threshold - mean) / w of
    the voxel lies below. That is exact for plane levels along the grid, of order 2 and more in the
    voxel size where the field is smooth, and as good as counting voxels near kinks, such as the
    edge of what uptake of order zero leaves empty.

    Distances run straight, from centre to centre less half a voxel: right on average for surfaces
    along the grid, up to half a voxel too small for others, and of order 1. The place where the
    core begins is interpolated linearly between two centres.

    The same numbers tell of an electrode that is charged fast how much of its electrolyte runs out
    of salt. `microtwin.electrochemistry.fields` of a half cell has the concentration of salt as
    ``salt``, NaN outside of the electrolyte; salt comes from the separator, at z = L::

        salt = mt.electrochemistry.fields(cell, state).salt
        viability(micro, salt, "pore", threshold=100.0, sources=["z_high"])

    `onset` over the current gives the one at which that begins.

    Examples
    --------
    A slab supplied from one side, half of it below 1:

    >>> import numpy as np
    >>> import microtwin as mt
    >>> micro = mt.Microstructure(np.ones((40, 2, 2), np.uint8), 1e-6, {"tissue": 1})
    >>> c = np.broadcast_to((np.arange(40.0) + 0.5)[:, None, None] / 20.0, micro.shape)
    >>> found = mt.reactions.viability(micro, c, "tissue", 1.0, sources=["z_high"])
    >>> round(found.core_fraction, 9), (found.rim_percentiles() * 1e6).round(3)
    (0.5, array([20., 20., 20.]))
    """
    names = (phases,) if isinstance(phases, str) else tuple(phases)
    c = np.asarray(concentration, float)
    if c.shape != micro.shape:
        raise ValueError(
            f"the concentration has the shape {c.shape} and the image {micro.shape}; give the "
            "concentration on the voxels of the image"
        )
    _check_thresholds(threshold, hypoxic)
    tissue = micro.mask(names)
    there = tissue & np.isfinite(c)
    if not there.any():
        raise ValueError(
            f"the concentration is known nowhere in {', '.join(map(repr, names))}; name phases in "
            "which the species diffuses"
        )
    weight = np.zeros(c.shape)
    for name in names:
        weight += measure(micro, name, tissue, periodic)
    weight *= there
    mean, width = _in_voxels(c, there, periodic)
    core = _share_below(mean, width, there, threshold)
    total = float(weight.sum())
    volume = total * float(np.prod(micro.voxel_size))
    starved = float((weight * core).sum()) / total
    low = None
    if hypoxic is not None:
        low = float((weight * _share_below(mean, width, there, hypoxic)).sum()) / total
    distance = _distance(micro, tissue, sources, periodic)
    return Viability(
        volume,
        starved,
        low,
        _ball(volume),
        _ball(starved * volume),
        None if low is None else _ball(low * volume),
        _separate((c < threshold) & there, weight, starved * volume, periodic),
        _rim(c, there, threshold, distance, periodic),
        np.where(there, distance, np.nan).astype(np.float32),
        core.astype(np.float32),
        1.0 - float(there.sum() / tissue.sum()),
    )


def onset(
    concentration: Callable[[float], NDArray[np.floating]],
    threshold: float,
    bracket: tuple[float, float],
    *,
    tol: float = 1e-3,
) -> float:
    """Return the scale at which a core first appears: where the lowest value meets a threshold.

    Parameters
    ----------
    concentration : callable
        Returns the concentration at a scale: on an image whose voxels are so much larger, in a
        growing spheroid of that radius, in a cell at that current. NaN counts for nothing; index
        the array by the phase where others hold less than it.
    threshold : float
        Above 0 where a species runs out, as with uptake of order zero: a thousandth of the supply,
        for example.
    bracket : (float, float)
        Two scales, with a core at one of them.
    tol : float
        Relative, of the scale.

    Returns
    -------
    float
        The scale.

    Raises
    ------
    ValueError
        If there is a core at both ends of the bracket or at neither, or a number is not allowed.

    Notes
    -----
    Brent's method on the lowest concentration less the threshold. Steady states scale: voxels s
    times as large are the same as diffusivities over s^2, and a permeability over s.

    Examples
    --------
    A spheroid begins to have a core at sqrt(6 D c0 / a):

    >>> import numpy as np
    >>> from microtwin.reactions import exact, onset
    >>> r = np.linspace(0, 1, 50)
    >>> profile = lambda R: exact.spheroid_concentration(r * R, R, 2e-9, 160.0, 25.0)
    >>> round(onset(profile, 0.16, (1e-4, 5e-4)) * 1e6)
    277
    """
    _check_thresholds(threshold, None)
    low, high = bracket
    if not (is_number(low) and is_number(high) and 0.0 < low < high):
        raise ValueError(
            f"the bracket {bracket!r} is not allowed; give two scales above 0, the smaller first"
        )
    if not 0.0 < tol < 1.0:
        raise ValueError(f"tol {tol!r} is not allowed; it lies between 0 and 1, for example 1e-3")
    seen: dict[float, float] = {}

    def above(scale: float) -> float:
        if scale not in seen:
            values = np.asarray(concentration(scale))
            known = values[np.isfinite(values)]
            if not known.size:
                raise ValueError(
                    f"the concentration at the scale {scale:g} has no number in it; return values "
                    "of a phase in which the species diffuses"
                )
            seen[scale] = float(known.min()) - threshold
        return seen[scale]

    if (above(low) < 0.0) == (above(high) < 0.0):
        where = "below" if above(low) < 0.0 else "not below"
        raise ValueError(
            f"the lowest concentration is {where} the threshold {threshold!r} at both ends of the "
            f"bracket {bracket!r}; widen it, so that there is a core at one end"
        )
    return float(brentq(above, low, high, xtol=tol * low, rtol=max(tol, 1e-12)))


def _check_thresholds(threshold: float, hypoxic: float | None) -> None:
    if not (is_number(threshold) and threshold > 0.0):
        raise ValueError(
            f"threshold {threshold!r} is not allowed; give a number above 0, in the unit of the "
            "concentration"
        )
    if hypoxic is not None and not (is_number(hypoxic) and hypoxic >= threshold):
        raise ValueError(
            f"hypoxic {hypoxic!r} is not allowed; give a second threshold that is not below the "
            f"first, {threshold!r}"
        )


def _in_voxels(c: Field, there: Mask, periodic: bool) -> tuple[Field, Field]:
    """Return the mean of a field over each voxel, and the width of the values in it.

    The width is that of a uniform distribution of the same variance. Along an axis on which the
    field does not rise or fall through a voxel it counts as level: at walls, which nothing passes,
    and at the edge of what is empty. Second differences larger than a slope come from a kink.
    """
    if periodic:
        inner = (slice(1, -1),) * 3
        found = _in_voxels(np.pad(c, 1, "wrap"), np.pad(there, 1, "wrap"), False)
        return found[0][inner], found[1][inner]
    known = np.where(there, c, 0.0)
    mean, square = known.copy(), np.zeros_like(c)
    for axis in range(3):
        part = [slice(None)] * 3
        part[axis] = slice(1, None)
        upper = tuple(part)
        part[axis] = slice(None, -1)
        lower = tuple(part)
        step = (known[upper] - known[lower]) * (there[upper] & there[lower])
        below, above = np.zeros_like(c), np.zeros_like(c)
        below[upper], above[lower] = step, step
        slope = np.minimum(np.abs(below), np.abs(above)) * (below * above > 0.0)
        mean += np.clip(above - below, -slope, slope) / 24.0
        square += slope**2
    return mean, np.sqrt(square)


def _share_below(mean: Field, width: Field, there: Mask, threshold: float) -> Field:
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.clip(0.5 + (threshold - mean) / width, 0.0, 1.0)
    return np.where(there, np.where(width > 0.0, share, mean < threshold), 0.0)


def _distance(
    micro: Microstructure, tissue: Mask, sources: str | Iterable[str] | None, periodic: bool
) -> Field:
    """Return the distance of voxel centres from the surface of the nearest source, in m."""
    given = (sources,) if isinstance(sources, str) else None if sources is None else tuple(sources)
    faces = [name for name in given or () if name in BOX_FACES]
    named = [name for name in given or () if name not in BOX_FACES]
    source = ~tissue if given is None else micro.mask(named) if named else np.zeros_like(tissue)
    if (source & tissue).any():
        raise ValueError(
            f"{', '.join(map(repr, named))} cannot be both a source and what is supplied"
        )
    if not source.any() and not faces:
        raise ValueError(
            "the image holds no source to count distances from; name phases or faces of the box "
            f"({', '.join(BOX_FACES)}) as sources"
        )
    if faces and periodic:
        raise ValueError(
            f"a periodic image has no face {faces[0]!r}; name phases as sources, or periodic=False"
        )
    distance = np.full(tissue.shape, np.inf)
    if source.any():
        distance = _to_surface(source, micro.voxel_size, periodic)
    for name in faces:
        axis, n = "zyx".index(name[0]), tissue.shape["zyx".index(name[0])]
        along = (np.arange(n) + 0.5) * micro.voxel_size[axis]
        if name.endswith("high"):
            along = along[::-1]
        distance = np.minimum(distance, along.reshape([-1 if a == axis else 1 for a in range(3)]))
    return distance


def _to_surface(source: Mask, voxel_size: tuple[float, float, float], periodic: bool) -> Field:
    """Return the distance of voxel centres from the nearest one of a source, less half a voxel.

    Half of its edge along the way there.
    """
    if periodic:  # the nearest source is at most half a period away along each axis
        widths = [(n + 1) // 2 for n in source.shape]
        wide = np.pad(source, [(w, w) for w in widths], "wrap")
        inner = tuple(slice(w, -w) for w in widths)
        return _to_surface(wide, voxel_size, False)[inner]
    if len(set(voxel_size)) == 1:
        return distance_map(~source, voxel_size).astype(float) - 0.5 * voxel_size[0]
    distance, nearest = distance_transform_edt(~source, voxel_size, return_indices=True)
    square = np.zeros(source.shape)
    for axis, (n, h) in enumerate(zip(source.shape, voxel_size, strict=True)):
        own = np.arange(n).reshape([-1 if a == axis else 1 for a in range(3)])
        square += (h * h * (nearest[axis] - own)) ** 2
    half = 0.5 * np.sqrt(square) / np.where(source, 1.0, distance)
    return np.where(source, -0.5 * min(voxel_size), distance - half)


def _rim(c: Field, there: Mask, threshold: float, distance: Field, periodic: bool) -> Field:
    """Return the distance from the source wherever two neighbours have the threshold between."""
    found = []
    for axis in range(3):
        below = c < threshold
        crossed = there & np.roll(there, -1, axis) & (below != np.roll(below, -1, axis))
        if not periodic:
            np.moveaxis(crossed, axis, 0)[-1] = False
        one, other = c[crossed], np.roll(c, -1, axis)[crossed]
        part = (threshold - one) / (other - one)
        start, end = distance[crossed], np.roll(distance, -1, axis)[crossed]
        found.append(start + part * (end - start))
    return np.concatenate(found)


def _separate(core: Mask, weight: Field, volume: float, periodic: bool) -> Field:
    """Return the volumes of separate cores, the largest first; together they are the whole core."""
    clusters, n = label_clusters(core, periodic)
    if n == 0:
        return np.zeros(0)
    sizes = np.sort(np.bincount(clusters.reshape(-1), weight.reshape(-1), n + 1)[1:])[::-1]
    return sizes * (volume / sizes.sum())


def _ball(volume: float) -> float:
    return float(np.cbrt(3.0 * volume / (4.0 * np.pi)))


def _percentiles(values: NDArray[np.floating], percentages: ArrayLike) -> Field:
    wanted = np.asarray(percentages, float)
    if values.size == 0:
        return np.full(wanted.shape, np.nan)
    return np.asarray(np.percentile(values, wanted), np.float64)
