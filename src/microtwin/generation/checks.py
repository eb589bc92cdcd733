"""Checks of the arguments that every recipe shares."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

__all__ = ["checked_fraction", "checked_periodic", "checked_shape", "checked_triple"]

Shape = tuple[int, int, int]
Triple = tuple[float, float, float]


def checked_shape(shape: int | Sequence[int]) -> Shape:
    """Return a shape (nz, ny, nx) as three whole numbers; one number means a cube."""
    # NumPy's integers count too.
    values = (int(shape),) * 3 if isinstance(shape, int | np.integer) else tuple(shape)
    if len(values) != 3 or any(int(n) != n or n < 2 for n in values):
        raise ValueError(
            f"shape {shape!r} is not allowed; "
            "give three whole numbers (nz, ny, nx), each at least 2"
        )
    return (int(values[0]), int(values[1]), int(values[2]))


def checked_fraction(value: float, name: str) -> float:
    """Return a fraction that must lie strictly between 0 and 1."""
    if not 0.0 < value < 1.0:
        raise ValueError(
            f"{name} {value!r} is not allowed; give a fraction between 0 and 1, for example 0.4"
        )
    return float(value)


def checked_triple(value: float | Sequence[float], name: str, remedy: str) -> Triple:
    """Return one positive number, or three in the order (z, y, x), as three."""
    values = (float(value),) * 3 if isinstance(value, int | float | np.number) else tuple(value)
    if len(values) != 3 or not all(math.isfinite(v) and v > 0 for v in values):
        raise ValueError(f"{name} {value!r} is not allowed; {remedy}")
    return (float(values[0]), float(values[1]), float(values[2]))


def checked_periodic(periodic: bool | Sequence[bool]) -> tuple[bool, bool, bool]:
    """Return one flag, or three in the order (z, y, x), as three."""
    values = (periodic,) * 3 if isinstance(periodic, bool) else tuple(periodic)
    if len(values) != 3:
        raise ValueError(f"periodic {periodic!r} is not allowed; give one flag or three (z, y, x)")
    return (bool(values[0]), bool(values[1]), bool(values[2]))
