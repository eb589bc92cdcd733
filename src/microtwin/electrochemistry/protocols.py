"""What is done to a cell: constant current, constant voltage, rest, and profiles of current."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..checking import is_number

__all__ = ["ConstantCurrent", "ConstantVoltage", "CurrentProfile", "Phase", "Rest"]


@dataclass(frozen=True)
class ConstantCurrent:
    """A constant current until a voltage or a time is reached.

    Parameters
    ----------
    c_rate : float
        Positive on discharge, negative on charge; 1 takes the capacity of the image in an hour.
    until_voltage : float, optional
        In V; by default the end of the voltage window that the current leads to.
    until_time : float, optional
        After the start of this phase, in s.
    """

    c_rate: float
    until_voltage: float | None = None
    until_time: float | None = None

    def __post_init__(self) -> None:
        if not is_number(self.c_rate) or self.c_rate == 0.0:
            raise ValueError(
                f"c_rate {self.c_rate!r} is not allowed; give a number above 0 for discharge or "
                "below 0 for charge"
            )
        _optional("until_voltage", self.until_voltage, "V")
        _duration("until_time", self.until_time)


@dataclass(frozen=True)
class ConstantVoltage:
    """A constant voltage until the current has fallen or a time has passed.

    Parameters
    ----------
    voltage : float
        In V.
    until_c_rate : float
        Of the magnitude of the current.
    until_time : float, optional
        After the start of this phase, in s.
    """

    voltage: float
    until_c_rate: float = 0.05
    until_time: float | None = None

    def __post_init__(self) -> None:
        if not is_number(self.voltage):
            raise ValueError(f"voltage {self.voltage!r} is not allowed; give a number, in V")
        if not is_number(self.until_c_rate) or self.until_c_rate <= 0.0:
            raise ValueError(
                f"until_c_rate {self.until_c_rate!r} is not allowed; give a number above 0"
            )
        _duration("until_time", self.until_time)


@dataclass(frozen=True)
class Rest:
    """No current for a time, in s."""

    time: float

    def __post_init__(self) -> None:
        _duration("time", self.time)


@dataclass(frozen=True)
class CurrentProfile:
    """A current that follows straight lines between given points.

    Parameters
    ----------
    times : sequence of float
        After the start of this phase, in s, growing from 0.
    c_rates : sequence of float
        At these times; positive on discharge. Two equal times make a jump.
    until_voltages : tuple of 2 floats, optional
        Lowest and highest voltage, at which it ends early; by default the voltage window.
    """

    times: Sequence[float]
    c_rates: Sequence[float]
    until_voltages: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        times, rates = np.asarray(self.times, float), np.asarray(self.c_rates, float)
        if times.shape != rates.shape or times.ndim != 1 or len(times) < 2:
            raise ValueError("a current profile needs as many times as c_rates, two or more")
        if not (np.isfinite(times).all() and np.isfinite(rates).all()):
            raise ValueError("a time or c_rate of a current profile is no number")
        if times[0] != 0.0 or (np.diff(times) < 0.0).any() or times[-1] <= 0.0:
            raise ValueError("the times of a current profile must start at 0 and grow")
        limits = self.until_voltages
        if limits is not None and not (
            len(limits) == 2 and all(map(is_number, limits)) and limits[0] < limits[1]
        ):
            raise ValueError(
                f"until_voltages {limits!r} are not allowed; give the lowest and the highest "
                "voltage, in V"
            )


Phase = ConstantCurrent | ConstantVoltage | CurrentProfile | Rest


def _optional(name: str, value: float | None, unit: str) -> None:
    if value is not None and not is_number(value):
        raise ValueError(f"{name} {value!r} is not allowed; give a number, in {unit}")


def _duration(name: str, value: float | None) -> None:
    if value is not None and not (is_number(value) and value > 0.0):
        raise ValueError(f"{name} {value!r} is not allowed; give seconds above 0")
