"""Discharge, charge and cycles of an imaged electrode against lithium."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..checking import is_number
from ..microstructure import Microstructure
from .cell_grid import cell_grid
from .checkpoints import load_checkpoint
from .half_cell_model import HalfCell
from .half_cell_records import HalfCellRun
from .half_cell_runs import Watch, run
from .interfaces import PerFacet, at_facets, named_phases
from .kinetics import ROOM
from .materials import ElectrodeMaterial, Electrolyte, Separator
from .parameter_sets import (
    electrolyte_from_pybamm,
    material_from_pybamm,
    separator_from_pybamm,
)
from .protocols import ConstantCurrent, ConstantVoltage, Phase, Rest

__all__ = ["charge", "cycle", "discharge", "half_cell"]

# Of phases other than the active one that conduct electrons, where none are given.
BINDER_CONDUCTIVITY = 100.0  # S/m


def half_cell(
    micro: Microstructure,
    chemistry: str | ElectrodeMaterial,
    electrolyte: str | Electrolyte | None = None,
    *,
    separator: Separator | None = None,
    active: str = "active",
    pore: str = "pore",
    conductivities: Mapping[str, float] | None = None,
    porous_phases: Mapping[str, tuple[float, float]] | None = None,
    stoichiometry: float | None = None,
    film_resistance: PerFacet = 0.0,
    exchange_factor: PerFacet = 1.0,
    temperature: float = ROOM,
) -> HalfCell:
    """Return the half cell of an imaged electrode, a separator and lithium.

    Parameters
    ----------
    micro : Microstructure
        The electrode: its current collector is at z = 0, its separator follows at the other end.
    chemistry : str or ElectrodeMaterial
        The active material; a name stands for a parameter set of PyBaMM and one of its electrodes,
        as in "Chen2020:positive".
    electrolyte : str or Electrolyte, optional
        By default that of the parameter set of the active material.
    separator : Separator, optional
        By default that of the parameter set of the active material, otherwise 12 um with porosity
        0.47.
    active, pore : str
        Names of the phase that reacts and of that which holds free electrolyte.
    conductivities : mapping of str to float, optional
        Electronic conductivity of phases, in S/m. By default the active material has that of its
        material, and every other phase but the pore 100 S/m; 0 for phases that do not conduct.
    porous_phases : mapping of str to (float, float), optional
        Porosity and tortuosity factor of phases that hold electrolyte in pores too small for the
        image, as the binder may. Where they cover active material, it reacts over the share of the
        area that their porosity is.
    stoichiometry : float, optional
        Of the active material at the start; by default that in equilibrium at the upper end of its
        voltage window.
    film_resistance : float, array, mapping or callable
        Of the surface, in ohm m^2; as in `interface_current`.
    exchange_factor : float, array, mapping or callable
        Factor on the exchange current density, to make it differ from place to place.
    temperature : float
        In K. Parameter sets are taken at it; own materials and electrolytes must be given at it.

    Returns
    -------
    HalfCell

    Raises
    ------
    ValueError
        If a name is not known, a number is not allowed, or the active material is not connected to
        collector and electrolyte.
    ImportError
        If a parameter set is named and PyBaMM is not there.
    """
    material = _material(chemistry, temperature)
    if not isinstance(material, ElectrodeMaterial):
        raise ValueError(
            f"chemistry {chemistry!r} is not allowed; give an ElectrodeMaterial or a name such as "
            "'Chen2020:positive'"
        )
    if electrolyte is None and not isinstance(chemistry, str):
        raise ValueError("an own active material needs an electrolyte: give one, or a name")
    liquid = electrolyte or chemistry
    if isinstance(liquid, str):
        liquid = electrolyte_from_pybamm(liquid, temperature)
    if separator is None:
        named = isinstance(chemistry, str)
        separator = separator_from_pybamm(chemistry) if named else Separator()  # type: ignore[arg-type]
    named_phases(micro.phase_names, [active, pore])
    electronic = _conductivities(micro, conductivities, material, active, pore)
    holding = {pore: (1.0, 1.0)} | _porous(micro, porous_phases, active, pore)
    grid = cell_grid(micro, electronic, holding, separator, active)
    film = at_facets(film_resistance, grid.facets, "film_resistance")
    factor = at_facets(exchange_factor, grid.facets, "exchange_factor")
    for name, values in (("film_resistance", film), ("exchange_factor", factor)):
        if not (np.isfinite(values) & (values >= 0.0)).all():
            raise ValueError(f"{name} is negative or no number somewhere; give 0 or more")
    return HalfCell(
        grid,
        material,
        liquid,  # type: ignore[arg-type]
        temperature=temperature,
        stoichiometry=stoichiometry,
        film_resistance=film,
        exchange_factor=factor,
    )


def discharge(
    micro: Microstructure,
    chemistry: str | ElectrodeMaterial = "Chen2020:positive",
    c_rate: float = 1.0,
    *,
    until_voltage: float | None = None,
    keep: int = 0,
    watch: Watch | None = None,
    checkpoint: str | Path | None = None,
    resume: str | Path | None = None,
    **cell: Any,
) -> HalfCellRun:
    """Discharge an imaged electrode against lithium: its active material takes up lithium.

    Parameters
    ----------
    micro : Microstructure
    chemistry : str or ElectrodeMaterial
        As in `half_cell`.
    c_rate : float
        1 takes the capacity of the image, between the ends of the voltage window of its material,
        in an hour.
    until_voltage : float, optional
        In V; by default the lower end of the voltage window.
    keep : int
        How many states to keep for fields and films, besides the last.
    watch : callable, optional
        Called with the `Record` of each step.
    checkpoint : path, optional
        File to write the state to every ten steps, at the end, or where a step fails.
    resume : path, optional
        Checkpoint to go on from.
    **cell
        Further arguments of `half_cell`.

    Returns
    -------
    HalfCellRun

    Raises
    ------
    ValueError
        As `half_cell`, or if the rate is not positive.
    """
    _positive(c_rate)
    phases = [ConstantCurrent(c_rate, until_voltage)]
    return _through(micro, chemistry, phases, keep, watch, checkpoint, resume, cell)


def charge(
    micro: Microstructure,
    chemistry: str | ElectrodeMaterial = "Chen2020:positive",
    c_rate: float = 1.0,
    *,
    until_voltage: float | None = None,
    hold_until: float | None = None,
    keep: int = 0,
    watch: Watch | None = None,
    checkpoint: str | Path | None = None,
    resume: str | Path | None = None,
    **cell: Any,
) -> HalfCellRun:
    """Charge an imaged electrode against lithium: its active material gives lithium off.

    It starts at the lower end of the voltage window unless a stoichiometry or a checkpoint is
    given.

    Parameters
    ----------
    hold_until : float, optional
        Then hold the voltage until the current has fallen to this C-rate.
    micro, chemistry, c_rate, until_voltage, keep, watch, checkpoint, resume, **cell
        As in `discharge`; the voltage is by default the upper end of the window.

    Returns
    -------
    HalfCellRun
    """
    _positive(c_rate)
    material = _material(chemistry, cell.get("temperature", ROOM))
    if resume is None and cell.get("stoichiometry") is None:
        cell = cell | {"stoichiometry": material.stoichiometries[1]}
    phases: list[Phase] = [ConstantCurrent(-c_rate, until_voltage)]
    if hold_until is not None:
        top = material.voltage_window[1] if until_voltage is None else until_voltage
        phases.append(ConstantVoltage(top, hold_until))
    return _through(micro, chemistry, phases, keep, watch, checkpoint, resume, cell)


def cycle(
    micro: Microstructure,
    chemistry: str | ElectrodeMaterial = "Chen2020:positive",
    protocol: Sequence[Phase] | None = None,
    *,
    cycles: int = 1,
    keep: int = 0,
    watch: Watch | None = None,
    checkpoint: str | Path | None = None,
    resume: str | Path | None = None,
    **cell: Any,
) -> HalfCellRun:
    """Take an imaged electrode through a protocol, once or several times.

    Parameters
    ----------
    protocol : sequence of ConstantCurrent, ConstantVoltage, CurrentProfile and Rest, optional
        By default discharge at 1C, ten minutes of rest, charge at 1C, and the upper voltage held
        until the current is C/20.
    cycles : int
        How often.
    micro, chemistry, keep, watch, checkpoint, resume, **cell
        As in `discharge`.

    Returns
    -------
    HalfCellRun
    """
    if not isinstance(cycles, int) or isinstance(cycles, bool) or cycles < 1:
        raise ValueError(f"cycles {cycles!r} is not allowed; give a whole number from 1 up")
    if protocol is None:
        material = _material(chemistry, cell.get("temperature", ROOM))
        top = material.voltage_window[1]
        protocol = [
            ConstantCurrent(1.0), Rest(600.0), ConstantCurrent(-1.0), ConstantVoltage(top, 0.05)
        ]  # fmt: skip
    phases = list(protocol) * cycles
    return _through(micro, chemistry, phases, keep, watch, checkpoint, resume, cell)


def _through(
    micro: Microstructure,
    chemistry: str | ElectrodeMaterial,
    phases: Sequence[Phase],
    keep: int,
    watch: Watch | None,
    checkpoint: str | Path | None,
    resume: str | Path | None,
    arguments: Mapping[str, Any],
) -> HalfCellRun:
    cell = half_cell(micro, chemistry, **arguments)
    if resume is not None:
        load_checkpoint(cell, resume)
    return run(cell, phases, keep=keep, watch=watch, checkpoint=checkpoint)


def _material(chemistry: str | ElectrodeMaterial, temperature: float) -> ElectrodeMaterial:
    if not (is_number(temperature) and temperature > 0.0):
        raise ValueError(f"temperature {temperature!r} is not allowed; give kelvins above 0")
    named = isinstance(chemistry, str)
    return material_from_pybamm(chemistry, temperature) if named else chemistry  # type: ignore[arg-type, return-value]


def _positive(c_rate: float) -> None:
    if not (is_number(c_rate) and c_rate > 0.0):
        raise ValueError(f"c_rate {c_rate!r} is not allowed; give a number above 0")


def _conductivities(
    micro: Microstructure,
    given: Mapping[str, float] | None,
    material: ElectrodeMaterial,
    active: str,
    pore: str,
) -> dict[str, float]:
    named_phases(micro.phase_names, [active, *(given or {})])
    others = [name for name in micro.phase_names if name not in (active, pore)]
    found = {active: material.conductivity} | dict.fromkeys(others, BINDER_CONDUCTIVITY)
    for name, value in (given or {}).items():
        if not is_number(value) or value < 0.0:
            raise ValueError(
                f"conductivity {value!r} of {name!r} is not allowed; give 0 or more, in S/m"
            )
        found[name] = float(value)
    if found[active] == 0.0:
        raise ValueError(
            f"{active!r} must conduct electrons; give it a conductivity above 0, in S/m"
        )
    return {name: value for name, value in found.items() if value > 0.0}


def _porous(
    micro: Microstructure,
    given: Mapping[str, tuple[float, float]] | None,
    active: str,
    pore: str,
) -> dict[str, tuple[float, float]]:
    found: dict[str, tuple[float, float]] = {}
    if not given:
        return found
    named_phases(micro.phase_names, list(given))
    for name, pair in given.items():
        if name in (active, pore):
            raise ValueError(f"{name!r} cannot be a porous phase; name another one, as the binder")
        good = isinstance(pair, (tuple, list)) and len(pair) == 2 and all(map(is_number, pair))
        if not good or not (0.0 < pair[0] <= 1.0 and pair[1] > 0.0):
            raise ValueError(
                f"porous phase {name!r}: {pair!r} is not allowed; give its porosity, up to 1, and "
                "its tortuosity factor"
            )
        found[name] = (float(pair[0]), float(pair[1]))
    return found
