"""How long steps in time may be."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .half_cell_state import State, Step

__all__ = ["HOUR", "StepLengths"]

HOUR = 3600.0
FIRST = 3e-4  # hours at 1C: first step after a jump of the current
LONGEST = 0.03  # hours at 1C
IN_TIME = 1e-4  # hours at 1C: error in the time at which a voltage is reached
GROWTH = 1.6


class StepLengths:
    """Lengths of steps, from how well the voltage follows its continuation, or another measure.

    Parameters
    ----------
    accuracy : float
        Error of one step that is aimed at, in V.
    rate : float
        C-rate, which sets the first and the longest step.
    measure : callable
        Of a state; by default its voltage.

    Attributes
    ----------
    length : float
        Of the next step, in s.
    smooth : bool
        Whether it continues the last one.
    volts : float
        What one unit of the measure counts.
    """

    def __init__(
        self,
        accuracy: float,
        rate: float,
        measure: Callable[[State], float] = lambda state: state.voltage,
    ) -> None:
        self.accuracy, self.rate, self.measure = accuracy, rate, measure
        self.volts = 1.0  # per unit of the measure
        self.restart()

    def restart(self) -> None:
        """Begin anew, after a jump of the current."""
        self.length = FIRST * HOUR / max(self.rate, 0.05)
        self.smooth = False
        self.points: list[tuple[float, float]] = []

    def took(self, state: State, step: Step) -> None:
        """Choose the next step."""
        self.smooth = True
        factor, value = GROWTH, self.measure(state)
        if len(self.points) >= 3:
            t, v = np.array(self.points[-3:]).T
            expected = float(np.polynomial.polynomial.polyval(
                state.time - t[-1], np.polynomial.polynomial.polyfit(t - t[-1], v, 2)
            ))  # fmt: skip
            error = 0.2 * self.volts * abs(value - expected)
            # Where the voltage falls steeply, an error in time so small is one of voltage, too.
            steep = self.volts * abs(value - v[-1]) / step.length
            allowed = self.accuracy + steep * IN_TIME * HOUR / max(self.rate, 0.05)
            factor = 0.9 * (allowed / max(error, 1e-12)) ** (1.0 / 3.0)
        self.points.append((state.time, value))
        factor = min(max(factor, 0.5), GROWTH)
        if step.outer > 5:
            factor = min(factor, 0.7)
        if 1.0 <= factor < 1.2:
            factor = 1.0  # what was found for this length can be used again
        longest = LONGEST * HOUR / max(self.rate, 0.05)
        self.length = min(factor * step.length, longest)
