"""The reaction together with ohmic drop in solid and electrolyte: the secondary distribution.

Current enters the solid at the current collector (z = 0), crosses the interface, and leaves the
electrolyte through a plane at the other end that has one potential; none passes the sides. The
concentrations are what they are everywhere, so the reaction is as in `interface_current`, but its
overpotential differs from place to place (see `potentials`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..checking import is_number
from ..microstructure import Microstructure
from ..numerics import ConvergenceError
from .cell_grid import Inactive, cell_grid
from .cell_tables import kinetic_tables
from .interface_current import InterfaceCurrent
from .interfaces import PerFacet, at_facets, named_phases, reacting_interface
from .kinetics import ROOM
from .materials import Separator
from .potentials import Potentials

__all__ = ["SecondaryCurrent", "secondary_current"]

ACCURACY = 1e-6  # of the potential
RESIDUAL = 1e-6  # of the currents
SECANTS = 30
START = 1e-3
# A plane of this conductivity over that of the electrolyte has one potential.
PLATE = 1e4


@dataclass(frozen=True, eq=False)
class SecondaryCurrent(InterfaceCurrent):
    """Current over an interface with ohmic drop in solid and electrolyte.

    Attributes
    ----------
    potential : float
        Of the collector against the electrolyte at the other end, less that at equilibrium, in V.
    cell_current : float
        Into the collector, in A; positive if the reaction is anodic.
    cross_section : float
        Of the collector, in m^2.
    inactive : Inactive
        What is connected to nothing, and takes no part.
    """

    potential: float
    cell_current: float
    cross_section: float
    inactive: Inactive

    @property
    def resistance(self) -> float:
        """Potential over current, for the area of the collector, in ohm m^2."""
        return self.potential * self.cross_section / self.cell_current

    @property
    def utilisation(self) -> float:
        """Mean overpotential of the interface over the potential applied; 1 without ohmic drop."""
        return float(self.overpotential @ self.facets.area) / self.area / self.potential


def secondary_current(
    micro: Microstructure,
    potential: float,
    exchange_current_density: PerFacet,
    conductivities: Mapping[str, float],
    *,
    active: str = "active",
    electrolyte: str = "pore",
    film_resistance: PerFacet = 0.0,
    temperature: float = ROOM,
) -> SecondaryCurrent:
    """Return the current over the interface with ohmic drop in solid and electrolyte.

    Parameters
    ----------
    micro : Microstructure
        The collector is at z = 0, the separator at the other end.
    potential : float
        Of the collector against the electrolyte at the other end, less the difference at which no
        current flows, in V.
    exchange_current_density : float, array, mapping or callable
        As in `interface_current`.
    conductivities : mapping of str to float
        Of the active material, the electrolyte and all else that conducts, in S/m. What is neither
        is a conductor of electrons in perfect contact with the active material; it does not react.
    active, electrolyte : str
    film_resistance : float, array, mapping or callable
        In ohm m^2.
    temperature : float
        In K.

    Returns
    -------
    SecondaryCurrent

    Raises
    ------
    ValueError
        If a name is not known, a number is not allowed, active material and electrolyte do not
        meet, or no current can flow from one end to the other.
    ConvergenceError
        If the potentials do not converge.

    Notes
    -----
    Both transfer coefficients are 1/2.
    """
    if not is_number(potential) or potential == 0.0:
        raise ValueError(f"potential {potential!r} is not allowed; give volts other than 0")
    electronic = _checked(micro, conductivities, active, electrolyte)
    kappa = electronic.pop(electrolyte)
    plate = Separator(micro.voxel_size[0], 1.0, 1.0 / PLATE)
    grid = cell_grid(micro, electronic, {electrolyte: (1.0, 1.0)}, plate, active)
    j0 = at_facets(exchange_current_density, grid.facets, "exchange_current_density")
    film = at_facets(film_resistance, grid.facets, "film_resistance")
    for name, values in (("exchange_current_density", j0), ("film_resistance", film)):
        if not (np.isfinite(values) & (values >= 0.0)).all():
            raise ValueError(f"{name} is negative or no number somewhere; give 0 or more")
    if not j0.any():
        raise ValueError("exchange_current_density is 0 everywhere, so nothing reacts")
    tables = kinetic_tables(temperature)
    with np.errstate(divide="ignore"):
        ohmic = grid.ohmic_resistance(kappa, tables.thermal / j0)
    solver = Potentials(grid, tables, film + ohmic, j0)
    solver.set_conductivity(np.full(grid.liquid_volume.shape, kappa, np.float32))
    n = len(grid.area)
    solid = np.zeros(grid.active_volume.shape)
    liquid = -potential * grid.liquid_there.astype(float)
    salt = np.ones(grid.liquid_volume.shape)
    nothing, current = np.zeros(n), np.zeros(n)
    inlet = grid.inlet.astype(float)

    def potential_at(applied: float) -> float:
        scale = float(np.sqrt(np.square(applied / grid.area.sum() * solver.feed).sum()))
        solver.solve(solid, liquid, salt, nothing, nothing, current, applied, RESIDUAL * scale)
        return -float((inlet * liquid[-1]).sum())

    # A small part of what would flow without ohmic drop, and then the secant through the origin.
    kinetic = tables.thermal / float((j0 * grid.area).sum())
    applied, last = -START * potential / kinetic, (0.0, 0.0)
    for _ in range(SECANTS):
        reached = potential_at(applied)
        if abs(reached - potential) <= ACCURACY * abs(potential):
            break
        new = applied + (potential - reached) * (applied - last[0]) / (reached - last[1])
        last, applied = (applied, reached), new
    else:
        raise ConvergenceError(
            f"no current gives {potential:g} V: {applied:.3g} A gives {reached:.6g} V; apply less, "
            "or check the exchange current densities"
        )
    eta = solid.reshape(-1)[grid.solid_place] - liquid.reshape(-1)[grid.liquid_place]
    others = [name for name in micro.phase_names if name != active]
    whole = reacting_interface(micro, active, others)
    return SecondaryCurrent(
        grid.facets,
        current,
        eta - ohmic * current,
        j0,
        float(whole.area.sum() - grid.facets.area.sum()),
        float(potential),
        -applied,
        grid.cross_section,
        grid.inactive,
    )


def _checked(
    micro: Microstructure, conductivities: Mapping[str, float], active: str, electrolyte: str
) -> dict[str, float]:
    """Return the conductivities of the phases that conduct."""
    if not isinstance(conductivities, Mapping):
        raise ValueError(
            f"conductivities {conductivities!r} are not allowed; give them by name, as in "
            "{'active': 1.0, 'pore': 0.5}"
        )
    named_phases(micro.phase_names, [*conductivities, active, electrolyte])
    for name, value in conductivities.items():
        if not is_number(value) or value < 0.0:
            raise ValueError(
                f"conductivity {value!r} of {name!r} is not allowed; give 0 or more, in S/m"
            )
    found = {name: float(value) for name, value in conductivities.items() if value > 0.0}
    for name in (active, electrolyte):
        if name not in found:
            raise ValueError(f"{name!r} does not conduct; give it a conductivity above 0, in S/m")
    return found
