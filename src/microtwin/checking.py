"""Checks of what a caller gives that several rooms need."""

from __future__ import annotations

import math
from typing import TypeGuard

import numpy as np

__all__ = ["is_number"]


def is_number(value: object) -> TypeGuard[float]:
    """Tell whether a value is a finite number; true and false are none."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        return False
    return math.isfinite(value)
