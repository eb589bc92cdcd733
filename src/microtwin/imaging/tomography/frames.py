"""The frames of a detector that lie in a file, read by rows; what a file tells of projections."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..files.stored import StoredVolume

__all__ = ["FoundProjections", "StoredFrames", "frames_of_volume"]

# Frames that pass through memory together where a file gives only whole ones.
_TOGETHER = 16


@dataclass(frozen=True, eq=False)
class StoredFrames:
    """Frames of a detector in a file, not yet in memory.

    Parameters
    ----------
    shape : tuple of int
        Frames, rows and columns.
    dtype : numpy dtype
        Type of one pixel.
    read_rows : callable
        ``read_rows(start, stop)`` returns the detector rows ``start`` to ``stop - 1`` of all
        frames as an array of shape (frames, stop - start, columns).
    """

    shape: tuple[int, int, int]
    dtype: np.dtype
    read_rows: Callable[[int, int], NDArray]


@dataclass(frozen=True, eq=False)
class FoundProjections:
    """What a file tells of projections; the caller gives what is missing.

    Parameters
    ----------
    values : StoredFrames
        The projections.
    angles : ndarray, shape (n_angles,), or None
        Radians.
    flats, darks : StoredFrames or None
        Frames without a sample, and without a beam.
    pixel_size : (float, float) or None
        Height and width of a pixel in metres.
    companions : tuple of Path
        Other files that any of these come from.
    """

    values: StoredFrames
    angles: NDArray[np.float64] | None = None
    flats: StoredFrames | None = None
    darks: StoredFrames | None = None
    pixel_size: tuple[float, float] | None = None
    companions: tuple[Path, ...] = ()


def frames_of_volume(volume: StoredVolume) -> StoredFrames:
    """Return the layers of a stored volume as frames; every read passes over the whole file."""
    count = volume.shape[0]

    def read_rows(start: int, stop: int) -> NDArray:
        parts = [
            volume.read_layers(first, min(first + _TOGETHER, count))[:, start:stop]
            for first in range(0, count, _TOGETHER)
        ]
        return np.concatenate(parts)

    return StoredFrames(volume.shape, volume.dtype, read_rows)
