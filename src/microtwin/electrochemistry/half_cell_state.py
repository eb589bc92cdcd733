"""What a half cell is like at one time, and how a step there was taken."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

__all__ = ["Before", "LithiumSide", "Start", "State", "Step"]


@dataclass(frozen=True, eq=False)
class State:
    """A half cell at one time.

    Parameters
    ----------
    time : float
        In s.
    charge : float
        Passed since the start, in C; positive on discharge.
    voltage : float
        In V.
    applied : float
        Current, in A; positive on discharge.
    since_jump : float
        Time since the current last jumped, in s.
    solid, electrolyte : ndarray of float64
        phi_s from the collector on, and psi, in V, as vectors of the network.
    lithium, salt : ndarray of float64
        Concentrations in mol/m^3, as vectors of the network.
    current : ndarray, shape (n,)
        Over the facets, in A/m^2; positive where lithium leaves the active material.
    surface : ndarray, shape (n,)
        Stoichiometry at the facets; where a field shifts the potential of lithium, that which it
        would be if the field were the same from the next voxel on.
    settled : ndarray, shape (n,)
        Current that the gradients behind the facets had followed when it last jumped, in A/m^2.
    """

    time: float
    charge: float
    voltage: float
    applied: float
    since_jump: float
    solid: NDArray[np.float64] = field(repr=False)
    electrolyte: NDArray[np.float64] = field(repr=False)
    lithium: NDArray[np.float64] = field(repr=False)
    salt: NDArray[np.float64] = field(repr=False)
    current: NDArray[np.float64] = field(repr=False)
    surface: NDArray[np.float64] = field(repr=False)
    settled: NDArray[np.float64] = field(repr=False)


@dataclass(frozen=True, eq=False)
class Before:
    """What a step needs to know of the state before the last one.

    Parameters
    ----------
    charge, applied : float
    lithium, salt, current : ndarray of float64
        As in `State`.
    solid_change, electrolyte_change : ndarray of float32
        By how much the potentials have changed since, in V.
    """

    charge: float
    applied: float
    lithium: NDArray[np.float64] = field(repr=False)
    salt: NDArray[np.float64] = field(repr=False)
    current: NDArray[np.float64] = field(repr=False)
    solid_change: NDArray[np.float32] = field(repr=False)
    electrolyte_change: NDArray[np.float32] = field(repr=False)


@dataclass(frozen=True, eq=False)
class Start:
    """Potentials and currents from which a step starts; it overwrites the potentials.

    Parameters
    ----------
    solid, electrolyte, current : ndarray of float64
        As in `State`.
    """

    solid: NDArray[np.float64]
    electrolyte: NDArray[np.float64]
    current: NDArray[np.float64]


@dataclass(frozen=True)
class Step:
    """How a step was taken.

    Parameters
    ----------
    length : float
        In s.
    outer, newton, iterations : int
        Rounds of concentrations and currents, Newton steps in all of them, and iterations of the
        linear solver for the potentials.
    lithium_balance, salt_balance : float
        What was missing from the balance of each species before it was made exact, over the lithium
        exchanged in the step, or that of a hundredth of 1C if that is more.
    """

    length: float
    outer: int
    newton: int
    iterations: int
    lithium_balance: float
    salt_balance: float


@dataclass(frozen=True)
class LithiumSide:
    """Electrolyte in front of the lithium electrode, and the overpotential at it.

    Parameters
    ----------
    potential : float
        psi, in V.
    concentration_potential : float
        Phi, in V.
    overpotential : float
        In V.
    """

    potential: float
    concentration_potential: float
    overpotential: float

    @property
    def voltage(self) -> float:
        """Of the cell, in V; the collector is at 0."""
        return -self.potential - self.concentration_potential - self.overpotential
