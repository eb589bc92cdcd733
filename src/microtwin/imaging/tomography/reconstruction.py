"""From projections to a grey-scale volume."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...microstructure import Scan
from .flat_field import LineIntegrals, line_integrals
from .parallel_beam import Filter, filtered_back_projection
from .projections import Projections
from .regions import Grid, Region
from .rotation_axis import (
    Axis,
    Finder,
    angular_range,
    extended_view,
    find_axis,
    is_full_turn,
    is_truncated,
    opposite_difference,
)
from .stripes import Stripes, remove_stripes, stripe_energy

__all__ = ["Reconstruction", "reconstruct"]

# Rows that pass through the kernels of the back-projection together.
_TOGETHER = 16
_SLAB_BYTES = 2**29
_LEAST_RANGE = np.deg2rad(150)
# Views that have nothing in common differ by the root of two of their contrast.
_UNLIKE = 1.0


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """A reconstructed volume, and what was done to get it.

    Parameters
    ----------
    scan : Scan
        float32, linear attenuation in 1/m.
    centre : float
        Column of the rotation axis on the detector, in pixels from the middle of the first.
    centre_method : str
        How it was found; see `microtwin.imaging.tomography.rotation_axis.Axis`.
    opposite_difference : float
        How much opposite views differ about this axis, relative to their contrast, in the rows
        that were looked at; NaN where there are none.
    angular_range : float
        Radians that the views cover.
    mean_transmission : float
        Mean of all transmissions.
    dead_pixels : int
        Pixels of the detector filled in from their neighbours.
    opaque, saturated : float
        Share of the transmissions too small to be told from zero, and of the counts at the
        largest number of their type.
    stripe_energy : (float, float)
        Mean energy of the stripes of a sinogram before and after their removal; see
        `microtwin.imaging.tomography.stripes.stripe_energy`.
    extended : bool
        Opposite views were joined to wider ones.
    truncated : bool
        The sample is wider than the detector, and the views were continued beyond its edges.
    flats, darks : int
        Frames that the correction used.
    """

    scan: Scan
    centre: float
    centre_method: str
    opposite_difference: float
    angular_range: float
    mean_transmission: float
    dead_pixels: int
    opaque: float
    saturated: float
    stripe_energy: tuple[float, float]
    extended: bool
    truncated: bool
    flats: int
    darks: int

    def summary(self) -> str:
        """Return in some lines what was done, for a person to read."""
        frames = [
            f"{count} {noun}" if count else f"no {noun}"
            for noun, count in (("flats", self.flats), ("darks", self.darks))
        ]
        before, after = self.stripe_energy
        lines = [
            repr(self.scan),
            f"views over {np.rad2deg(self.angular_range):.4g} degrees, {' and '.join(frames)}",
            f"rotation axis at column {self.centre:.2f} ({self.centre_method}); opposite views "
            f"differ by {self.opposite_difference:.2g} of their contrast",
            f"mean transmission {self.mean_transmission:.3f}, {self.opaque:.2%} opaque, "
            f"{self.saturated:.2%} saturated, {self.dead_pixels} dead pixels filled in",
            f"energy of the stripes {before:.3g}, after their removal {after:.3g}",
        ]
        if self.extended:
            lines.append("opposite views joined, because the axis is near an edge")
        if self.truncated:
            lines.append(
                "the sample is wider than the detector: values are right up to a smooth background"
            )
        return "\n".join(lines)


def reconstruct(
    projections: Projections,
    *,
    centre: float | Finder = "auto",
    stripes: Stripes = "gain",
    air: int = 0,
    extended: bool = False,
    truncated: bool | None = None,
    region: Region = "circle",
    filter: Filter = "ramp",
    saturation: float = 0.01,
    slab: int | None = None,
) -> Reconstruction:
    """Reconstruct a volume from the projections of a parallel beam.

    Counts become line integrals (`microtwin.imaging.tomography.flat_field.line_integrals`), stripes
    are taken out of the sinograms, and each row of the detector is back-projected to a slice. Rows
    are read, corrected and back-projected in slabs; only the result is in memory as a whole. The
    result does not depend on the thickness of the slabs.

    Parameters
    ----------
    projections : Projections
        With a pixel size.
    centre : float or {"auto", "vo", "phase"}, optional
        Column of the rotation axis, or how to find it from three rows of the detector; see
        `microtwin.imaging.tomography.rotation_axis.find_axis`.
    stripes : {"none", "gain", "sorting", "all"}, optional
        Removal of stripes; see `microtwin.imaging.tomography.stripes.remove_stripes`.
    air : int, optional
        Columns at both edges that see only air in all projections. Their mean transmission is
        set to 1, row by row: against the drift of the beam, and instead of missing flats.
    extended : bool, optional
        The axis is near one edge of the detector, and the views of a whole turn are joined to
        ones of half a turn, nearly twice as wide.
    truncated : bool, optional
        The sample is wider than the detector: views are continued smoothly beyond its edges,
        which takes the bright rim away. By default decided from three rows.
    region : {"circle", "square"} or 3 slices, optional
        ``"circle"``: the square around the circle that all views see, 0 outside of it.
        ``"square"``: the largest square inside this circle. Slices (z, y, x) are those of the
        former, with what some views see of its corners; z are rows of the detector, and only
        these are read.
    filter : {"ramp", "hann"}, optional
        See `microtwin.imaging.tomography.parallel_beam.filtered_back_projection`.
    saturation : float, optional
        Share of saturated counts from which the projections are refused.
    slab : int, optional
        Rows in memory together; by default as many as fit into half a gigabyte.

    Returns
    -------
    Reconstruction
        A single row, as of one sinogram, is repeated, for a scan has at least two layers.

    Raises
    ------
    ValueError
        If there is no pixel size; if the views cover less than 150 degrees; if the projections
        are constant, hold NaN, or more saturated counts than allowed; if flats or darks do not
        fit; if the axis is not found or off the detector; if the region is empty or the result
        does not fit in memory; if algotom is needed and not installed.
    """
    size = _checked_pixel_size(projections)
    covered = angular_range(projections.angles)
    if covered < _LEAST_RANGE:
        raise ValueError(
            f"the views cover {np.rad2deg(covered):.4g} degrees, and at least 150 are needed for "
            "slices without a missing wedge; check that the angles are in radians"
        )
    full_turn = is_full_turn(projections.angles)
    if extended and not full_turn:
        raise ValueError(
            f"extended=True needs views over a whole turn, and these cover "
            f"{np.rad2deg(covered):.4g} degrees; leave it out"
        )
    preview = _preview(projections, stripes, air, saturation)
    axis = _axis(preview, projections.angles, centre, extended)
    difference = opposite_difference(preview, projections.angles, axis.column)
    if axis.method != "given" and difference > _UNLIKE:
        raise ValueError(
            f"about the rotation axis found at column {axis.column:.2f} ({axis.method}), opposite "
            f"views differ by {difference:.2g} of their contrast, as much as unrelated ones; check "
            "that the frames are whole and the angles right, or give centre"
        )
    if extended:
        preview, _, _ = extended_view(preview, projections.angles, axis.column)
    pad = 0
    if is_truncated(preview) if truncated is None else truncated:
        pad = preview.shape[2] // 2
    widened = _Widening(projections.angles, axis.column, extended, pad)
    grid = Grid.of(region, projections.shape[1], widened.radius(projections.shape[2]))
    del preview

    start, stop = grid.rows
    thickness = _slab_rows(projections, grid, slab)
    grid.require_memory(_SLAB_BYTES)
    values = np.empty((stop - start, *grid.shape), np.float32)
    totals = _Totals()
    for first in range(start, stop, thickness):
        last = min(first + thickness, stop)
        corrected = line_integrals(projections, first, last, air=air)
        _require_unsaturated(corrected.saturated, saturation)
        before = stripe_energy(corrected.values)
        sinograms = remove_stripes(corrected.values, stripes)
        totals.add(corrected, before, stripe_energy(sinograms))
        wide, angles, column = widened.apply(sinograms)
        slices = filtered_back_projection(
            wide, angles, centre=column, shape=grid.centred, filter=filter
        )
        values[first - start : last - start] = slices[:, grid.window[0], grid.window[1]]
    values /= np.float32(size[1])
    if grid.circle is not None:
        values[:, grid.outside()] = 0
    if len(values) == 1:
        values = np.repeat(values, 2, axis=0)
    return Reconstruction(
        Scan(values, (size[0], size[1], size[1])),
        axis.column,
        axis.method,
        difference,
        covered,
        totals.mean(totals.transmission),
        totals.dead,
        totals.mean(totals.opaque),
        totals.mean(totals.saturated),
        (totals.mean(totals.energy_before), totals.mean(totals.energy_after)),
        extended,
        pad > 0,
        0 if projections.flats is None else projections.flats.shape[0],
        0 if projections.darks is None else projections.darks.shape[0],
    )


class _Totals:
    """Sums over the rows of what the correction met."""

    def __init__(self) -> None:
        self.rows = self.dead = 0
        self.transmission = self.opaque = self.saturated = 0.0
        self.energy_before = self.energy_after = 0.0

    def add(
        self,
        corrected: LineIntegrals,
        before: NDArray[np.float64],
        after: NDArray[np.float64],
    ) -> None:
        rows = len(corrected.values)
        self.rows += rows
        self.dead += corrected.dead
        self.transmission += rows * corrected.mean_transmission
        self.opaque += rows * corrected.opaque
        self.saturated += rows * corrected.saturated
        self.energy_before += float(before.sum())
        self.energy_after += float(after.sum())

    def mean(self, total: float) -> float:
        return total / self.rows


@dataclass(frozen=True)
class _Widening:
    """How sinograms are made wider before the back-projection."""

    angles: NDArray[np.float64]
    centre: float
    extended: bool
    pad: int

    def apply(
        self, sinograms: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float64], float]:
        angles, centre = self.angles, self.centre
        if self.extended:
            sinograms, angles, centre = extended_view(sinograms, angles, centre)
        if self.pad:
            sinograms, centre = _continued(sinograms, self.pad), centre + self.pad
        return sinograms, angles, centre

    def radius(self, columns: int) -> float:
        """Return the radius in pixels of the circle that all views see."""
        sides = (self.centre, columns - 1 - self.centre)
        return max(sides) if self.extended else min(sides)


def _continued(sinograms: NDArray[np.float32], pad: int) -> NDArray[np.float32]:
    """Let the values at both edges run out to zero along half a cosine."""
    width = max(1, min(5, sinograms.shape[2] // 50))
    fade = ((1 + np.cos(np.pi * (np.arange(pad) + 1) / (pad + 1))) / 2).astype(np.float32)
    left = sinograms[:, :, :width].mean(axis=2, keepdims=True) * fade[::-1]
    right = sinograms[:, :, -width:].mean(axis=2, keepdims=True) * fade
    return np.concatenate([left, sinograms, right], axis=2)


def _checked_pixel_size(projections: Projections) -> tuple[float, float]:
    if projections.pixel_size is None:
        raise ValueError(
            "the projections have no pixel size, without which attenuation has no unit and a scan "
            "no scale; give read_projections(..., pixel_size='1.6 um')"
        )
    return projections.pixel_size


def _preview(
    projections: Projections, stripes: Stripes, air: int, saturation: float
) -> NDArray[np.float32]:
    """Return sinograms of three rows, or of all if there are no more, without stripes."""
    rows = projections.shape[1]
    chosen = sorted({rows // 4, rows // 2, 3 * rows // 4})
    parts = []
    for row in chosen:
        corrected = line_integrals(projections, row, row + 1, air=air)
        _require_unsaturated(corrected.saturated, saturation)
        parts.append(corrected.values)
    preview = np.concatenate(parts)
    if np.ptp(preview) < 1e-6 * max(1.0, float(np.abs(preview).max())):
        raise ValueError(
            f"the projections are constant in rows {', '.join(map(str, chosen))}: there is no "
            "sample in them; check the file and the flats"
        )
    return remove_stripes(preview, stripes)


def _require_unsaturated(share: float, allowed: float) -> None:
    if share > allowed:
        raise ValueError(
            f"{share:.1%} of the counts are at the largest number of their type, so the detector "
            f"was saturated, and {allowed:.1%} are allowed; give saturation={share + 0.01:.2f} to "
            "go on all the same"
        )


def _axis(
    preview: NDArray[np.float32],
    angles: NDArray[np.float64],
    centre: float | Finder,
    extended: bool,
) -> Axis:
    columns = preview.shape[2]
    if isinstance(centre, str):
        axis = find_axis(preview, angles, centre, extended=extended)
    else:
        axis = Axis(float(centre), "given")
    if not 1 <= axis.column <= columns - 2:
        raise ValueError(
            f"the rotation axis at column {axis.column:g} is outside of the {columns} columns of "
            "the detector, or at their edge; give centre as a column counted from 0"
        )
    return axis


def _slab_rows(projections: Projections, grid: Grid, given: int | None) -> int:
    if given is not None:
        if int(given) != given or given < 1:
            raise ValueError(f"slab={given!r} is not allowed; give a whole number of rows above 0")
        return int(given)
    count, _, columns = projections.shape
    # Counts, transmissions, sinograms, widened and filtered ones, and the slices twice.
    one = 4 * count * columns * 8 + 4 * 2 * grid.centred[0] * grid.centred[1]
    return max(1, _SLAB_BYTES // one // _TOGETHER) * _TOGETHER
