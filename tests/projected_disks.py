"""Disks whose projections are known exactly: the truth for tomography."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Disk = tuple[float, float, float, float]
"""x, y and radius in pixels from the rotation axis, and attenuation per pixel."""

DISKS: tuple[Disk, ...] = (
    (20, 10, 60, 0.01),
    (-30, 20, 12, 0.02),
    (50, -20, 8, 0.005),
    (0, -40, 15, 0.01),
)


def projected(
    disks: Sequence[Disk], angles: NDArray, columns: int, centre: float, rows: int = 2
) -> NDArray[np.float64]:
    """Return the line integrals, shape (n_angles, rows, columns), all rows alike.

    The ray at a distance s from the middle of a disk of radius r runs 2 sqrt(r^2 - s^2) inside.
    """
    out = np.zeros((len(angles), columns))
    for x, y, radius, attenuation in disks:
        middle = centre + x * np.cos(angles) + y * np.sin(angles)
        s = np.arange(columns) - middle[:, None]
        out += attenuation * 2 * np.sqrt(np.maximum(radius**2 - s**2, 0))
    return np.repeat(out[:, None], rows, axis=1)


def offsets(n: int) -> tuple[NDArray, NDArray]:
    """Return x and y of the pixels of a slice of n x n from its middle."""
    y, x = np.mgrid[:n, :n] - (n - 1) / 2
    return x, y


def inside(disk: Disk, n: int, margin: float) -> NDArray[np.bool_]:
    """Return the pixels of a slice that lie inside a disk, some pixels away from its rim."""
    x, y = offsets(n)
    return np.hypot(x - disk[0], y - disk[1]) < disk[2] - margin


def pictured(disks: Sequence[Disk], n: int) -> NDArray[np.float64]:
    """Return the attenuation of the pixels of a slice of n x n about the axis."""
    return sum(disk[3] * inside(disk, n, 0.0) for disk in disks)
