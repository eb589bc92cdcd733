"""Regions of a sample, and the grid about the rotation axis that holds them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["Grid", "Region"]

Region = Literal["circle", "square"] | tuple[slice, slice, slice]


@dataclass(frozen=True)
class Grid:
    """Which voxels are reconstructed.

    Parameters
    ----------
    rows : (int, int)
        First row of the detector, and the one after the last.
    centred : (int, int)
        The grid (ny, nx) about the rotation axis that is back-projected.
    window : (slice, slice)
        The part of it that is kept, along (y, x).
    circle : float or None
        Radius in voxels beyond which there is nothing, if there is one.
    """

    rows: tuple[int, int]
    centred: tuple[int, int]
    window: tuple[slice, slice]
    circle: float | None

    @property
    def shape(self) -> tuple[int, int]:
        """Voxels along (y, x)."""
        y, x = (part.stop - part.start for part in self.window)
        return (y, x)

    @classmethod
    def of(cls, region: Region, rows: int, radius: float) -> Grid:
        """Return the grid of a region.

        Parameters
        ----------
        region : {"circle", "square"} or 3 slices
            As in `microtwin.imaging.reconstruct`.
        rows : int
            Rows of the detector.
        radius : float
            Radius in voxels of the circle that all views see.

        Raises
        ------
        ValueError
            If the region is not known, is empty, or has gaps.
        """
        edge = 2 * int(radius) + 1
        if region == "circle":
            whole = slice(0, edge)
            return cls((0, rows), (edge, edge), (whole, whole), radius)
        if region == "square":
            edge = max(2, int(np.sqrt(2) * radius))
            whole = slice(0, edge)
            return cls((0, rows), (edge, edge), (whole, whole), None)
        if not isinstance(region, tuple) or len(region) != 3:
            raise ValueError(
                f"region={region!r} is not known; use 'circle', 'square', or three slices along "
                "(z, y, x)"
            )
        parts = [part.indices(n) for part, n in zip(region, (rows, edge, edge), strict=True)]
        if any(step != 1 or stop - start < 1 for start, stop, step in parts):
            raise ValueError(
                f"region {region!r} leaves nothing of {rows} x {edge} x {edge} voxels; use slices "
                "inside of it with step 1"
            )
        (z0, z1, _), *across = parts
        centred, window = [], []
        for start, stop, _ in across:
            # The smallest grid about the axis that holds the part.
            half = max(abs(start - edge // 2), abs(stop - 1 - edge // 2))
            centred.append(2 * half + 1)
            offset = half - edge // 2
            window.append(slice(start + offset, stop + offset))
        return cls((z0, z1), (centred[0], centred[1]), (window[0], window[1]), None)

    def outside(self) -> NDArray[np.bool_]:
        """Return the voxels of a slice, shape (ny, nx), that not all views see."""
        assert self.circle is not None
        y, x = (np.arange(n) - (n - 1) / 2 for n in self.shape)
        return y[:, None] ** 2 + x[None, :] ** 2 > self.circle**2

    def require_memory(self, beside: int) -> None:
        """Raise a `ValueError` if the result and some bytes beside it do not fit in memory."""
        import psutil

        count = self.rows[1] - self.rows[0]
        needed = 4 * count * self.shape[0] * self.shape[1] + beside
        available = psutil.virtual_memory().available
        if needed > available:
            raise ValueError(
                f"{count} x {self.shape[0]} x {self.shape[1]} voxels need {needed / 1e9:.3g} GB of "
                f"memory and {available / 1e9:.3g} GB are available; reconstruct a part, for "
                "example region=(slice(0, 100), slice(None), slice(None))"
            )
