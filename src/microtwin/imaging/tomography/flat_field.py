"""From counts of a detector to line integrals: flats, darks, and the law of Beer and Lambert."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .projections import Projections

__all__ = ["LEAST_TRANSMISSION", "LineIntegrals", "line_integrals"]

LEAST_TRANSMISSION = 1e-4
"""Transmissions below this, zero and negative ones among them, are raised to it.

Its logarithm, 9.2, is more than a detector of 16 bits can tell from its noise.
"""

# A pixel with so little of the light of its neighbours does not answer to light.
_DEAD = 0.01
# Transmissions are about 1 beside the sample; counts are far above.
_LARGEST_MEDIAN = 3.0


@dataclass(frozen=True, eq=False)
class LineIntegrals:
    """Line integrals of some rows, and what was met on the way to them.

    Parameters
    ----------
    values : ndarray of float32, shape (rows, n_angles, columns)
        Line integrals of the linear attenuation, without unit.
    mean_transmission : float
        Mean of the transmissions before the logarithm.
    dead : int
        Pixels of the detector filled in from their neighbours in the row.
    opaque : float
        Share of the transmissions that were raised to `LEAST_TRANSMISSION`.
    saturated : float
        Share of the counts at the largest number of their type.
    """

    values: NDArray[np.float32]
    mean_transmission: float
    dead: int
    opaque: float
    saturated: float


def line_integrals(
    projections: Projections, start: int, stop: int, *, air: int = 0
) -> LineIntegrals:
    """Return the line integrals of some rows of the detector.

    With the means over the flats ``F`` and the darks ``D``, the transmission is
    ``T = (I - D) / (F - D)`` and the line integral ``p = -ln T`` (A. C. Kak, M. Slaney,
    Principles of Computerized Tomographic Imaging, IEEE Press 1988, section 4.1).

    Parameters
    ----------
    projections : Projections
    start, stop : int
        The rows are ``start`` to ``stop - 1``.
    air : int, optional
        So many columns at both edges see only air in every projection; their mean transmission
        is set to 1 in each row of each projection, which takes out the drift of the beam and
        stands in for missing flats.

    Returns
    -------
    LineIntegrals

    Raises
    ------
    ValueError
        If the frames hold NaN; if a projection is empty; if the flats are darker than the darks,
        or a row has no live pixel; if there are no flats and the values are no transmissions; if
        the air is dark.
    """
    counts = projections.read_rows(start, stop)
    saturated = _saturated(counts)
    _require_finite(counts, "the projections", start)
    _require_recorded(counts, start)
    transmitted = counts.astype(np.float32)
    del counts
    darks = _mean(projections.read_darks(start, stop), "the darks", start)
    flats = _mean(projections.read_flats(start, stop), "the flats", start)
    if darks is not None:
        transmitted -= darks
    dead = np.zeros(transmitted.shape[1:], bool)
    if flats is not None:
        beam = flats if darks is None else flats - darks
        dead = _dead(beam, start)
        transmitted /= np.where(dead, np.float32(1), beam)
        for row in np.flatnonzero(dead.any(axis=1)):
            _fill(transmitted[:, row], dead[row])
    elif air == 0:
        _require_transmissions(transmitted)
    if air:
        _set_air_to_one(transmitted, air, start)
    mean = float(transmitted.mean(dtype=np.float64))
    low = transmitted < LEAST_TRANSMISSION
    opaque = float(np.count_nonzero(low) / low.size)
    transmitted[low] = LEAST_TRANSMISSION
    np.log(transmitted, out=transmitted)
    np.negative(transmitted, out=transmitted)
    values = np.ascontiguousarray(np.moveaxis(transmitted, 1, 0))
    return LineIntegrals(values, mean, int(dead.sum()), opaque, saturated)


def _saturated(counts: NDArray) -> float:
    if counts.dtype.kind not in "ui":
        return 0.0
    return float(np.count_nonzero(counts == np.iinfo(counts.dtype).max) / counts.size)


def _require_finite(frames: NDArray, noun: str, start: int) -> None:
    if frames.dtype.kind != "f":
        return
    bad = int(frames.size - np.count_nonzero(np.isfinite(frames)))
    if bad:
        raise ValueError(
            f"{noun} hold {bad} NaN or infinite values in rows {start} to "
            f"{start + frames.shape[1] - 1}; replace them, or leave these frames out"
        )


def _require_recorded(counts: NDArray, start: int) -> None:
    """Frames that a scan had room for and did not reach are left at zero."""
    empty = np.flatnonzero(~counts.any(axis=(1, 2)))
    if empty.size:
        raise ValueError(
            f"{empty.size} of {len(counts)} projections, {empty[0]} the first of them, hold only "
            f"zeros in rows {start} to {start + counts.shape[1] - 1}, so the scan stopped "
            "half-way; leave these projections and their angles out"
        )


def _mean(frames: NDArray | None, noun: str, start: int) -> NDArray[np.float32] | None:
    if frames is None:
        return None
    _require_finite(frames, noun, start)
    return frames.mean(axis=0, dtype=np.float64).astype(np.float32)


def _dead(beam: NDArray[np.float32], start: int) -> NDArray[np.bool_]:
    """Return which pixels, shape (rows, columns), do not answer to light."""
    if np.count_nonzero(beam <= 0) > 0.5 * beam.size:
        raise ValueError(
            f"the flats are not brighter than the darks in {np.mean(beam <= 0):.0%} of the pixels "
            f"of rows {start} to {start + beam.shape[0] - 1}; check that flats and darks are not "
            "exchanged"
        )
    # Each row by itself, so that the result does not depend on the rows read together.
    dead = beam <= _DEAD * np.maximum(np.median(beam, axis=1, keepdims=True), 0)
    if dead.all(axis=1).any():
        row = start + int(np.flatnonzero(dead.all(axis=1))[0])
        raise ValueError(f"detector row {row} has no live pixel in the flats; leave this row out")
    return dead


def _fill(row: NDArray[np.float32], dead: NDArray[np.bool_]) -> None:
    """Interpolate dead columns of one row, shape (n_angles, columns), in place."""
    live, gaps = np.flatnonzero(~dead), np.flatnonzero(dead)
    right = np.clip(np.searchsorted(live, gaps), 1, max(len(live) - 1, 1))
    left = right - 1
    right = np.minimum(right, len(live) - 1)
    span = np.maximum(live[right] - live[left], 1)
    share = np.clip((gaps - live[left]) / span, 0, 1).astype(np.float32)
    row[:, gaps] = (1 - share) * row[:, live[left]] + share * row[:, live[right]]


def _require_transmissions(values: NDArray[np.float32]) -> None:
    median = float(np.median(values[:: max(1, len(values) // 50)]))
    if median > _LARGEST_MEDIAN:
        raise ValueError(
            f"there are no flats, and projections with a median of {median:.4g} are no "
            "transmissions from 0 to 1; give flats, or air=10 where so many columns at both edges "
            "see only air"
        )


def _set_air_to_one(transmitted: NDArray[np.float32], air: int, start: int) -> None:
    columns = transmitted.shape[2]
    if int(air) != air or not 0 < air <= columns // 4:
        raise ValueError(
            f"air={air!r} is not allowed for {columns} columns; use a whole number of columns "
            f"from 0 to {columns // 4}, as many at each edge"
        )
    edges = np.concatenate([transmitted[:, :, :air], transmitted[:, :, -air:]], axis=2)
    light = edges.mean(axis=2, keepdims=True, dtype=np.float64)
    if not (light > 0).all():
        raise ValueError(
            f"the {air} columns at both edges are dark in {np.count_nonzero(light <= 0)} rows of "
            f"projections from row {start}, so they see no air; give fewer, or air=0"
        )
    transmitted /= light.astype(np.float32)
