"""Where the voltage of a half cell goes: equilibrium, and what transport and reaction cost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .half_cell_model import HalfCell
from .half_cell_state import State

__all__ = ["Losses", "losses"]


@dataclass(frozen=True)
class Losses:
    """The parts of a cell voltage, in V; they add up to it.

    Each is a mean over the interface, weighted by the magnitude of the current; on discharge all
    but the first are negative as a rule.

    Parameters
    ----------
    equilibrium : float
        Open-circuit potential at the mean stoichiometry.
    solid_diffusion : float
        What the surface differs from that, a shift of its potential included.
    kinetic : float
        Overpotential of the reaction, with its film.
    ohmic_solid, ohmic_electrolyte : float
    electrolyte_concentration : float
        What the gradient of the salt concentration costs.
    counter_electrode : float
        Overpotential at the lithium.
    """

    equilibrium: float
    solid_diffusion: float
    kinetic: float
    ohmic_solid: float
    ohmic_electrolyte: float
    electrolyte_concentration: float
    counter_electrode: float

    @property
    def voltage(self) -> float:
        """Their sum."""
        return float(sum(vars(self).values()))


def losses(cell: HalfCell, state: State) -> Losses:
    """Return the parts of the voltage of a state.

    Where no facet carries any, all count by their area.
    """
    grid = cell.grid
    weight: NDArray[np.float64] = np.abs(state.current) * grid.area
    if not weight.any():
        weight = grid.area
    weight = weight / weight.sum()
    front = cell.in_front_of_lithium(state)
    equilibrium = float(cell.tables.potential(cell.mean_stoichiometry(state)))
    surface = float(weight @ (cell.tables.potential(state.surface) + cell.potential_shift))
    solid = float(weight @ state.solid.reshape(-1)[grid.solid_place])
    liquid = float(weight @ state.electrolyte.reshape(-1)[grid.liquid_place])
    salt = cell.concentration_potential(state.salt.reshape(-1)[grid.liquid_place])
    concentration = float(weight @ salt) - front.concentration_potential
    kinetic = solid - liquid - float(weight @ salt) - surface
    return Losses(
        equilibrium,
        surface - equilibrium,
        kinetic,
        -solid,
        liquid - front.potential,
        concentration,
        -front.overpotential,
    )
