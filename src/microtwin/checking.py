"""Checks of what a caller gives that several rooms need."""

from __future__ import annotations

import math
from typing import TypeGuard

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["checked_frequencies", "is_number"]


def is_number(value: object) -> TypeGuard[float]:
    """Tell whether a value is a finite number; true and false are none."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        return False
    return math.isfinite(value)


def checked_frequencies(frequencies: ArrayLike) -> NDArray[np.float64]:
    """Return frequencies as an array, shape (n,); a `ValueError` says what is allowed."""
    try:
        values = np.atleast_1d(np.asarray(frequencies, float))
    except (TypeError, ValueError):
        values = np.empty(0)
    if values.ndim != 1 or not len(values) or not (np.isfinite(values) & (values > 0.0)).all():
        raise ValueError(
            f"frequencies {frequencies!r} are not allowed; give one or more numbers above 0, in Hz"
        )
    return values
