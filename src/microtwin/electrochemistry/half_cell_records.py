"""What a run of a half cell leaves: a record of every step, and the states that were kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .half_cell_model import HalfCell
from .half_cell_state import Step
from .step_lengths import HOUR
from .voltage_losses import Losses

__all__ = ["HalfCellRun", "Record"]


@dataclass(frozen=True)
class Record:
    """What is kept of every step.

    Parameters
    ----------
    time : float
        In s.
    phase : int
        Number of the phase of the protocol.
    voltage : float
        In V.
    current_density : float
        Over the collector, in A/m^2; positive on discharge.
    charge : float
        Since the start, in A h/m^2 of the collector.
    stoichiometry : float
        Mean of the active material.
    losses : Losses
    step : Step
    """

    time: float
    phase: int
    voltage: float
    current_density: float
    charge: float
    stoichiometry: float
    losses: Losses
    step: Step = field(repr=False)


@dataclass(frozen=True, eq=False)
class HalfCellRun:
    """A run of a half cell.

    Attributes
    ----------
    records : tuple of Record
    kept : tuple
        What was kept along the way: states, or what `extract` made of them; the last always among
        them.
    kept_at : tuple of int
        Number of the record of each.
    cell : HalfCell
    ended : str
        Why it ended.
    complete : bool
        Whether all phases came to their end; otherwise a step could not be taken.
    """

    records: tuple[Record, ...] = field(repr=False)
    kept: tuple[Any, ...] = field(repr=False)
    kept_at: tuple[int, ...] = field(repr=False)
    cell: HalfCell = field(repr=False)
    ended: str
    complete: bool

    @property
    def time(self) -> NDArray[np.float64]:
        """In s."""
        return np.array([r.time for r in self.records])

    @property
    def voltage(self) -> NDArray[np.float64]:
        """In V."""
        return np.array([r.voltage for r in self.records])

    @property
    def current_density(self) -> NDArray[np.float64]:
        """Over the collector, in A/m^2; positive on discharge."""
        return np.array([r.current_density for r in self.records])

    @property
    def charge(self) -> NDArray[np.float64]:
        """Since the start, in A h/m^2 of the collector."""
        return np.array([r.charge for r in self.records])

    @property
    def capacity(self) -> float:
        """Largest charge passed in either direction, in A h/m^2 of the collector."""
        return float(np.abs(self.charge).max())

    @property
    def utilisation(self) -> float:
        """Capacity over that of the active material in its voltage window."""
        return self.capacity / (self.cell.capacity / HOUR / self.cell.grid.cross_section)
