"""Where a voltage is reached: guesses for lengths of steps and currents, and from what to start."""

from __future__ import annotations

import numpy as np

from .half_cell_state import Start, State

__all__ = ["crossing", "start_from", "tempered"]

FLAT = 0.1  # V
CLOSE = 1.0  # V: a state that misses a voltage by less is one to start from


def start_from(state: State, miss: float) -> Start | None:
    """Return a state that misses a voltage by not too much as one to start the next try from."""
    if abs(miss) >= CLOSE:
        return None
    return Start(state.solid, state.electrolyte, state.current)


def tempered(miss: float) -> float:
    """Return a voltage that is missed with what is beyond some tenths of a volt flattened.

    Beyond the ends of its curve a voltage falls off, and a secant to there says nothing.
    """
    return float(np.sign(miss) * FLAT * np.log1p(abs(miss) / FLAT))


def crossing(
    low: tuple[float, float],
    high: tuple[float, float],
    farther: tuple[float, float] | None,
    halve: bool,
) -> float:
    """Return where a line that is above 0 at one place and below at the other may cross it.

    Behind the edge of a cliff it is as good as straight: two points there say more than one on
    each side.
    """
    width = high[0] - low[0]
    if halve:
        return low[0] + 0.5 * width
    if farther is not None and farther[1] != high[1]:
        at = high[0] - high[1] * (farther[0] - high[0]) / (farther[1] - high[1])
        if low[0] < at < high[0]:
            return at
    ends = tempered(low[1]), tempered(high[1])
    return low[0] + width * min(max(ends[0] / (ends[0] - ends[1]), 0.1), 0.9)
