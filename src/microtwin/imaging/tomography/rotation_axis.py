"""The rotation axis in projections: finding its column, and views half a turn apart."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .parallel_beam import filtered_back_projection
from .recon_extra import algotom

__all__ = [
    "Axis",
    "Finder",
    "angular_range",
    "extended_view",
    "find_axis",
    "is_full_turn",
    "is_truncated",
    "opposite_difference",
]

Finder = Literal["auto", "vo", "phase"]

# Views that the search by reconstruction uses at most, for its cost.
_VIEWS = 400
# Columns over which views are smoothed for it.
_BLUR = 4.0
# Pairs of opposite views that are compared at most in the search for the axis.
_PAIRS = 60
# Columns, relative to all, in which the sinogram metric looks on both sides of the middle.
_REACH = 1 / 8


@dataclass(frozen=True)
class Axis:
    """Where the rotation axis is.

    Parameters
    ----------
    column : float
        Its column, in pixels from the middle of the first one.
    method : str
        How it was found: ``"negativity"``, ``"vo"``, ``"phase"``, ``"overlap"`` or ``"given"``.
    """

    column: float
    method: str


def angular_range(angles: NDArray[np.float64]) -> float:
    """Return the angle in radians that views cover, each standing for one step."""
    distinct = np.unique(angles)
    step = np.median(np.diff(distinct)) if len(distinct) > 1 else 0.0
    return float(np.ptp(angles) + step)


def is_full_turn(angles: NDArray[np.float64]) -> bool:
    """Whether views cover all directions and their opposites, up to 10 degrees."""
    return angular_range(angles) > np.deg2rad(350)


def is_truncated(sinograms: NDArray[np.float32]) -> bool:
    """Whether the sample is wider than the detector: it is seen in the outermost columns.

    Parameters
    ----------
    sinograms : ndarray, shape (rows, n_angles, columns)
        Line integrals. More than 5 % of their largest mean over the views in the outermost 2 % of
        the columns, on either side, counts as sample.
    """
    mean = sinograms.mean(axis=1, dtype=np.float64)
    width = max(2, mean.shape[1] // 50)
    edges = max(float(mean[:, :width].mean()), float(mean[:, -width:].mean()))
    return edges > 0.05 * float(mean.max())


def find_axis(
    sinograms: NDArray[np.float32],
    angles: NDArray[np.float64],
    method: Finder = "auto",
    *,
    extended: bool = False,
) -> Axis:
    """Find the column of the rotation axis.

    Parameters
    ----------
    sinograms : ndarray of float32, shape (rows, n_angles, columns)
        Line integrals of a few rows with much of the sample in them.
    angles : ndarray, shape (n_angles,)
        Radians.
    method : {"auto", "vo", "phase"}
        ``"auto"``: of a whole turn, the axis about which opposite views differ least, in the
        middle half of the columns. Of half a turn, the centre of mass of each view follows a
        sine whose mean is the axis (S. G. Azevedo et al., IEEE Trans. Nucl. Sci. 37 (1990)
        1525); slices are reconstructed about axes near it, and the one with the least negative
        attenuation is taken (T. Donath, F. Beckmann, A. Schreyer, J. Opt. Soc. Am. A 23 (2006)
        1048); where the sample is wider than the detector, as ``"vo"``.
        ``"vo"``: the sinogram and its mirror image must fit to one of a whole turn (N. T. Vo et
        al., Opt. Express 22 (2014) 19078), searched within an eighth of the columns from the
        middle. ``"phase"``: the shift between opposite views, by phase correlation.
    extended : bool, optional
        The axis is near one edge of the detector, and the views cover a whole turn; it is the
        one about which opposite views differ least where they overlap, whatever the method.

    Returns
    -------
    Axis

    Raises
    ------
    ValueError
        If the method is not known, or finds no axis; if algotom is needed and not installed.
    """
    if method not in ("auto", "vo", "phase"):
        raise ValueError(
            f"centre={method!r} is not known; use 'auto', 'vo' or 'phase', or give a column"
        )
    if extended:
        return _by_overlap(sinograms, angles, max(8, sinograms.shape[2] // 32) / 2)
    if method == "phase":
        return _by_phase(sinograms, angles)
    if method == "auto" and is_full_turn(angles):
        return _by_overlap(sinograms, angles, sinograms.shape[2] / 4)
    if method == "auto" and not is_truncated(sinograms):
        return _by_negativity(sinograms, angles)
    return _by_wedge(sinograms, angles)


def extended_view(
    sinograms: NDArray[np.float32], angles: NDArray[np.float64], centre: float
) -> tuple[NDArray[np.float32], NDArray[np.float64], float]:
    """Join opposite views of a whole turn about an axis near one edge of the detector.

    ``p(angle + pi, s) = p(angle, 2 centre - s)``, so the views of the second half turn continue
    those of the first beyond the edge. In the overlap one fades into the other along a straight
    line; values between columns come from cubic splines, views between angles from straight
    lines.

    Parameters
    ----------
    sinograms : ndarray of float32, shape (rows, n_angles, columns)
        Line integrals.
    angles : ndarray, shape (n_angles,)
        Radians, a whole turn.
    centre : float
        Column of the rotation axis.

    Returns
    -------
    sinograms : ndarray of float32, shape (rows, n_half, wider)
        Views of half a turn.
    angles : ndarray, shape (n_half,)
        Radians.
    centre : float
        Column of the rotation axis in them.
    """
    from scipy.ndimage import shift

    columns = sinograms.shape[2]
    if centre < (columns - 1) / 2:
        # Seen from behind, the axis is near the far edge.
        sinograms, angles, centre = sinograms[:, :, ::-1], angles + np.pi, columns - 1 - centre
    turned = np.mod(angles - angles.min(), 2 * np.pi)
    order = np.argsort(turned, kind="stable")
    first = order[turned[order] < np.pi - 1e-9]
    before, after, share = _around(turned[order], turned[first] + np.pi)
    before, after = order[before], order[after]
    whole, part = divmod(2 * centre - (columns - 1), 1)
    added = int(whole)
    wide = np.empty((len(sinograms), len(first), columns + added + 1), np.float32)
    fade = np.clip((np.arange(columns) - (added + 1)) / max(columns - added - 2, 1), 0, 1)
    fade = (1 - fade).astype(np.float32)
    weight = share[:, None].astype(np.float32)
    for row, sinogram in zip(wide, sinograms, strict=True):
        behind = (1 - weight) * sinogram[before] + weight * sinogram[after]
        mirrored = np.pad(behind[:, ::-1], ((0, 0), (0, 1)), mode="edge")
        if part:
            mirrored = shift(mirrored, (0, part), order=3, mode="nearest")
        row[:, added:] = mirrored
        row[:, :added] = sinogram[first, :added]
        seen = fade[added:]
        row[:, added:columns] *= 1 - seen
        row[:, added:columns] += seen * sinogram[first, added:]
    return wide, angles[first], centre


def opposite_difference(
    sinograms: NDArray[np.float32], angles: NDArray[np.float64], centre: float
) -> float:
    """Return how much opposite views differ when one is mirrored at the axis.

    Zero for the right axis and perfect views. Of a whole turn all pairs are compared, of half a
    turn the two views that are closest to opposite.

    Parameters
    ----------
    sinograms : ndarray, shape (rows, n_angles, columns)
        Line integrals.
    angles : ndarray, shape (n_angles,)
        Radians.
    centre : float
        Column of the rotation axis.

    Returns
    -------
    float
        Root mean square of the differences over that of the views about their mean; NaN where
        opposite views share no column.
    """
    return _difference(sinograms, _opposite_pairs(angles), centre)


def _difference(
    sinograms: NDArray[np.float32], pairs: list[tuple[int, int]], centre: float
) -> float:
    columns = np.arange(sinograms.shape[2])
    mirrored = 2 * centre - columns
    shared = (mirrored >= 0) & (mirrored <= columns[-1])
    if np.count_nonzero(shared) < 2:
        return float("nan")
    differences = contrast = 0.0
    for one, other in pairs:
        for sinogram in sinograms:
            here = sinogram[one][shared].astype(np.float64)
            there = np.interp(mirrored[shared], columns, sinogram[other])
            differences += float(np.mean((here - there) ** 2))
            contrast += float(np.var(here))
    return float(np.sqrt(differences / contrast)) if contrast else float("nan")


def _opposite_pairs(angles: NDArray[np.float64]) -> list[tuple[int, int]]:
    turned = np.mod(angles - angles.min(), 2 * np.pi)
    order = np.argsort(turned, kind="stable")
    if not is_full_turn(angles):
        # A scan of a little more than half a turn holds one true pair; of less, the ends come
        # closest.
        miss = np.abs(np.ptp(angles) - np.pi)
        first, last = int(np.argmin(angles)), int(np.argmax(angles))
        if angles[last] - angles[first] > np.pi:
            last = int(np.argmin(np.abs(angles - angles[first] - np.pi)))
            miss = 0.0
        return [(first, last)] if miss < np.deg2rad(35) else []
    first = order[turned[order] < np.pi - 1e-9]
    before, after, share = _around(turned[order], turned[first] + np.pi)
    return [
        (int(one), int(order[after[i] if share[i] > 0.5 else before[i]]))
        for i, one in enumerate(first)
    ]


def _around(
    ordered: NDArray[np.float64], wanted: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return the places on both sides of angles on a full circle, and the share of the second."""
    after = np.searchsorted(ordered, wanted - 1e-12) % len(ordered)
    before = (after - 1) % len(ordered)
    gap = np.mod(ordered[after] - ordered[before], 2 * np.pi)
    share = np.mod(wanted - ordered[before], 2 * np.pi) / np.where(gap > 0, gap, 1)
    return before, after, np.clip(share, 0, 1)


def _half_turn(angles: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the views of the first half turn, in the order of their angles."""
    turned = np.mod(angles - angles.min(), 2 * np.pi)
    order = np.argsort(turned, kind="stable")
    return order[turned[order] < np.pi - 1e-9]


def _by_negativity(sinograms: NDArray[np.float32], angles: NDArray[np.float64]) -> Axis:
    from scipy.ndimage import gaussian_filter1d

    columns = sinograms.shape[2]
    start = _mass_centre(sinograms, angles)
    if not 0.1 * columns < start < 0.9 * columns:
        return _by_wedge(sinograms, angles)
    # At most half a turn: opposite views would blur a slice evenly about a wrong axis.
    views = _half_turn(angles)
    views = views[:: max(1, len(views) // _VIEWS)]
    # The arcs beside the sample are wide, and noise is negative wherever the axis is.
    blur = min(_BLUR, sinograms.shape[2] / 50)
    few, directions = gaussian_filter1d(sinograms[:, views], blur, axis=2), angles[views]

    def negativity(centre: float) -> float:
        edge = max(2, int(np.sqrt(2) * min(start, columns - 1 - start)) - 4)
        slices = filtered_back_projection(few, directions, centre=centre, shape=(edge, edge))
        return -float(np.minimum(slices, 0).sum(dtype=np.float64))

    values: dict[float, float] = {}

    def best_of(centres: NDArray[np.float64]) -> float:
        for centre in centres:
            key = round(float(np.clip(centre, 0, columns - 1)), 4)
            if key not in values:
                values[key] = negativity(key)
        return min(values, key=lambda key: values[key])

    best = start
    for _ in range(5):
        middle = best
        best = best_of(middle + np.arange(-2.0, 2.5))
        if abs(best - middle) < 1.5:
            break
    best = best_of(best + np.array([-0.75, -0.5, -0.25, 0.25, 0.5, 0.75]))
    near = np.array([key for key in values if abs(key - best) < 0.8])
    curvature, slope, _ = np.polyfit(near - best, [values[key] for key in near], 2)
    if curvature > 0:
        best += float(np.clip(-slope / (2 * curvature), -0.5, 0.5))
    return Axis(best, "negativity")


def _mass_centre(sinograms: NDArray[np.float32], angles: NDArray[np.float64]) -> float:
    total = sinograms.sum(axis=0, dtype=np.float64)
    mass = total.sum(axis=1)
    if not (mass > 0).all():
        return float("nan")
    centres = total @ np.arange(total.shape[1]) / mass
    terms = np.column_stack([np.ones_like(angles), np.cos(angles), np.sin(angles)])
    return float(np.linalg.lstsq(terms, centres, rcond=None)[0][0])


def _by_wedge(sinograms: NDArray[np.float32], angles: NDArray[np.float64]) -> Axis:
    columns = sinograms.shape[2]
    views = _half_turn(angles)
    low, high = columns / 2 - _REACH * columns, columns / 2 + _REACH * columns
    find = algotom("prep.calculation").find_center_vo
    with warnings.catch_warnings():
        # A minimum at the end of the range is refused below.
        warnings.simplefilter("ignore")
        found = [
            float(find(sinogram[views], low, high, step=0.1, ncore=1)) for sinogram in sinograms
        ]
    column = float(np.median(found))
    if not low + 1 < column < high - 1:
        raise ValueError(
            f"the rotation axis was not found within columns {low:.0f} to {high:.0f} of {columns}; "
            "give centre, or extended=True where it is near an edge of the detector"
        )
    return Axis(column, "vo")


def _by_phase(sinograms: NDArray[np.float32], angles: NDArray[np.float64]) -> Axis:
    pairs = _opposite_pairs(angles)
    if not pairs:
        raise ValueError(
            f"views over {np.rad2deg(angular_range(angles)):.0f} degrees hold no opposite ones, "
            "which centre='phase' compares; use 'auto' or 'vo'"
        )
    find = algotom("prep.calculation").find_center_based_phase_correlation
    if len(pairs) > 1:
        one, other = (list(views) for views in zip(*pairs, strict=True))
        found = [find(sinogram[one], sinogram[other]) for sinogram in sinograms]
        return Axis(float(np.median(found)), "phase")
    # The method takes pictures, and ignores two rows at the edges.
    one_view, other_view = (np.repeat(sinograms[:, view], 8, axis=0) for view in pairs[0])
    return Axis(float(find(one_view, other_view)), "phase")


def _by_overlap(sinograms: NDArray[np.float32], angles: NDArray[np.float64], margin: float) -> Axis:
    """Search between the columns that are a margin away from both edges."""
    from scipy.ndimage import gaussian_filter1d

    last = sinograms.shape[2] - 1
    # Values between columns are means with less noise, which would draw the axis to them.
    sinograms = gaussian_filter1d(sinograms, 1.0, axis=2)
    pairs = _opposite_pairs(angles)
    pairs = pairs[:: max(1, len(pairs) // _PAIRS)]

    def best_of(centres: list[float]) -> float:
        found = [_difference(sinograms, pairs, centre) for centre in centres]
        if np.isnan(found).all():
            raise ValueError(
                "opposite views have no contrast where they overlap, so the rotation axis cannot "
                "be found there; give centre"
            )
        return centres[int(np.nanargmin(found))]

    best = best_of(np.arange(np.ceil(margin), last - margin).tolist())
    for step in (0.25, 0.05):
        best = best_of((best + step * np.arange(-5, 6)).tolist())
    return Axis(best, "overlap")
