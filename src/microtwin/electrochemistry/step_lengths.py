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
OF_VALUE = 3e-4  # error of a measure other than the voltage, over itself
GROWTH = 1.6
SLOWEST = 0.05  # C: smaller currents, and none, count as this
REFUSED = 5.0  # times the error that is allowed


class StepLengths:
    """Lengths of steps, from how well the voltage follows its continuation, or another measure.

    Parameters
    ----------
    accuracy : float
        Error of one step that is aimed at, in V.
    per_c : float
        Current at 1C, in A.
    measure : callable, optional
        Of a state, known to a share of itself; by default its voltage, known to an error in time.

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
        per_c: float,
        measure: Callable[[State], float] | None = None,
    ) -> None:
        self.accuracy, self.per_c = accuracy, per_c
        self.measure = measure or (lambda state: state.voltage)
        self.in_time = IN_TIME * HOUR if measure is None else 0.0
        self.of_value = 0.0 if measure is None else OF_VALUE
        self.volts = 1.0
        self.length, self.smooth = 0.0, False
        self.points: list[tuple[float, float]] = []

    def restart(self, before: float, after: float) -> None:
        """Begin anew where the current jumps, in A."""
        self.length = self.first(max(abs(before), abs(after)))
        self.smooth = False
        self.points = []

    def first(self, applied: float) -> float:
        """Return the length of the first step at a current, in s."""
        return FIRST * HOUR / self._rate(applied)

    def resume(self, length: float, smooth: bool) -> None:
        """Go on where the current does not jump, with a step of a given length."""
        self.length, self.smooth, self.points = length, smooth, []

    def _rate(self, applied: float) -> float:
        return max(abs(applied) / self.per_c, SLOWEST)

    def excess(self, state: State, step: Step) -> float:
        """Return the error of a step over the one allowed; 0 where it cannot be told."""
        if len(self.points) < 3:
            return 0.0
        t, v = np.array(self.points[-3:]).T
        fit = np.polynomial.polynomial.polyfit(t - t[-1], v, 2)
        expected = float(np.polynomial.polynomial.polyval(state.time - t[-1], fit))
        value = self.measure(state)
        error = 0.2 * self.volts * abs(value - expected)
        # Where the voltage falls steeply, an error in time so small is one of voltage, too.
        steep = self.volts * abs(value - v[-1]) / step.length
        allowed = self.accuracy + steep * self.in_time / self._rate(state.applied)
        allowed += self.volts * self.of_value * abs(value)
        return error / allowed

    def refuses(self, state: State, step: Step) -> bool:
        """Whether a step is to be taken again, half as long."""
        if step.length <= self.first(state.applied) or self.excess(state, step) <= REFUSED:
            return False
        self.length = 0.5 * step.length
        return True

    def took(self, state: State, step: Step) -> None:
        """Choose the step after one that was taken."""
        self.smooth = True
        excess = self.excess(state, step)
        factor = GROWTH if excess == 0.0 else 0.9 * excess ** (-1.0 / 3.0)
        self.points.append((state.time, self.measure(state)))
        factor = min(max(factor, 0.5), GROWTH)
        if step.outer > 5:
            factor = min(factor, 0.7)
        if 1.0 <= factor < 1.2:
            factor = 1.0  # what was found for this length can be used again
        longest = LONGEST * HOUR / self._rate(state.applied)
        self.length = min(factor * step.length, longest)
