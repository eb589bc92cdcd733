"""The stages that compute impedances: of a symmetric cell that blocks, of a half cell at rest."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..microstructure import Microstructure
from ..numerics import ConvergenceError
from .half_cell_stage import LARGER, cell_arguments
from .live import say
from .stages import SHORTEST_FOR_TWO_GRIDS, microstructure_of, write_json
from .store import StageOutput
from .tasks import Inputs
from .variation import block_means, varied

if TYPE_CHECKING:
    from ..electrochemistry import HalfCell
    from ..transport import Impedance, TortuosityResult

__all__ = [
    "HALF_CELL_IMPEDANCE_UNITS",
    "IMPEDANCE_UNITS",
    "PER_DECADE",
    "SPECTRUM_FILES",
    "count_of",
    "half_cell_impedance",
    "impedance",
    "state_name",
]

Params = Mapping[str, Any]

# The quantities of results.json, with their units. The tortuosity factor is that of steady
# diffusion; it is listed where the study has no solve of the same case.
IMPEDANCE_UNITS = {
    "ionic_resistance": "ohm m^2",
    "impedance_tortuosity_factor": "1",
    "tortuosity_factor": "1",
    "fitted_ionic_resistance": "ohm m^2",
    "areal_capacitance": "F/m^2",
    "characteristic_frequency": "Hz",
}
HALF_CELL_IMPEDANCE_UNITS = {
    "cell_resistance": "ohm m^2",
    "charge_transfer_resistance": "ohm m^2",
}
# What `microtwin export` copies.
SPECTRUM_FILES = ("spectrum.csv", "spectrum.json")
# At which the resistance of cells is given (IEC 61960-3).
AC_FREQUENCY = 1e3  # Hz
PER_DECADE = 5
LINE_POINTS = 200


def state_name(stoichiometry: float | None) -> str:
    """Return the name of the state at which a half cell rests: "0.5", "start"."""
    return "start" if stoichiometry is None else f"{stoichiometry:g}"


def count_of(span: tuple[float, float], per_decade: int) -> int:
    """Return how many frequencies lie between two in Hz, both counted; at least three."""
    return max(3, round(per_decade * math.log10(span[1] / span[0])) + 1)


def impedance(params: Params, inputs: Inputs) -> StageOutput:
    """Charge the electrode at all frequencies, diffuse through it, and both on larger voxels."""
    from ..transport import transmission_line
    from ..trust import coarsen_for

    micro = microstructure_of(inputs["microstructure"])
    span = params["frequencies"]
    wanted = None if span is None else _between(span, PER_DECADE)
    found, steady = _charged(micro, params, wanted, "")
    numbers: dict[str, Any] = {**_charged_numbers(found, steady), "discretisation": {}}
    if params["discretisation"] and min(micro.shape) >= SHORTEST_FOR_TWO_GRIDS:
        coarse = coarsen_for(micro, params["phase"])
        try:
            other = _charged_numbers(*_charged(coarse, params, found.frequencies, LARGER))
        except (ValueError, ConvergenceError) as problem:
            # On larger voxels thin pores may be closed: the spectrum itself is there.
            numbers["coarse_problem"] = str(problem)
        else:
            numbers["discretisation"] = _changes(numbers, other)
    numbers |= {
        name: getattr(found, name)
        for name in (
            "phase",
            "direction",
            "interface",
            "volume_fraction",
            "connected_fraction",
            "thickness",
        )
    }
    numbers |= {
        "steady_volume_fraction": steady.volume_fraction,
        "message": steady.message,
        "iterations": max(found.iterations),
    }
    f = np.geomspace(found.frequencies.max(), found.frequencies.min(), LINE_POINTS)
    line = transmission_line(f, found.ionic_resistance, found.capacitance)
    order = np.argsort(-found.frequencies)
    spectrum = _rows(found.frequencies[order], found.impedance[order])
    content = {
        **_with_units(numbers, IMPEDANCE_UNITS),
        "conductivity": _value(params["conductivity"], "S/m"),
        "double_layer_capacitance": _value(params["capacitance"], "F/m^2"),
        "thickness": _value(found.thickness, "m"),
        "volume_fraction": _value(found.volume_fraction, "1"),
        "phase": found.phase,
        "direction": found.direction,
    }
    arrays = {"spectrum": spectrum, "line": _rows(f, line)}
    return StageOutput(numbers, arrays, _files(spectrum, content))


def _charged(
    micro: Microstructure, params: Params, frequencies: NDArray | None, note: str
) -> tuple[Impedance, TortuosityResult]:
    from ..transport import blocking_impedance, tortuosity_factor

    phase, direction, interface = (params[key] for key in ("phase", "direction", "interface"))
    say(f"steady diffusion{note}")
    steady = tortuosity_factor(micro, phase, direction, interface=interface)
    say(f"charging the walls{note}")
    found = blocking_impedance(
        micro,
        phase,
        frequencies,
        direction=direction,
        interface=interface,
        conductivity=params["conductivity"],
        capacitance=params["capacitance"],
        solids=params["solids"],
        watch=_counting(None if frequencies is None else len(frequencies), note),
    )
    return found, steady


def _counting(whole: int | None, note: str) -> Callable[[float, complex], None]:
    """Return what says, after each frequency, how many there were."""
    numbers = count(1)
    end = "" if whole is None else f"/{whole}"
    return lambda frequency, _: say(f"{next(numbers)}{end} frequencies{note}")


def _charged_numbers(found: Impedance, steady: TortuosityResult) -> dict[str, float | None]:
    """Return the numbers that voxels of another size would change; None where there is none."""
    fitted = None
    # On one side of the characteristic frequency a line cannot be told.
    with suppress(ValueError):
        fitted = found.fitted_resistance()
    tau = steady.tortuosity_factor
    return {
        "ionic_resistance": found.ionic_resistance,
        "impedance_tortuosity_factor": found.tortuosity_factor,
        "tortuosity_factor": tau if math.isfinite(tau) else None,
        "fitted_ionic_resistance": fitted,
        "areal_capacitance": found.capacitance,
        "characteristic_frequency": found.characteristic_frequency,
    }


def _changes(fine: Params, coarse: Params) -> dict[str, float]:
    """Return how far two sets of numbers differ, where both have one."""
    return {
        name: abs(fine[name] - value)
        for name, value in coarse.items()
        if value is not None and fine[name] is not None
    }


@dataclass(frozen=True, eq=False)
class _AtRest:
    """A half cell and its impedance: rows of `_rows`, and resistances in ohm m^2."""

    cell: HalfCell
    spectrum: NDArray[np.float64]
    cell_resistance: float
    lithium_resistance: float


def half_cell_impedance(params: Params, inputs: Inputs) -> StageOutput:
    """Find the impedance of the half cell at rest at one stoichiometry; again on larger voxels."""
    micro = microstructure_of(inputs["microstructure"])
    factor = varied(micro, params["variation"])
    found = _at_rest(micro, params, inputs, factor, "")
    numbers: dict[str, Any] = {**_resistances(found), "discretisation": {}}
    arrays = {"spectrum": found.spectrum}
    if params["discretisation"] and min(micro.shape) >= SHORTEST_FOR_TWO_GRIDS:
        try:
            coarse = _at_rest(micro.coarsen(2), params, inputs, block_means(factor), LARGER)
        except (ValueError, ConvergenceError) as problem:
            numbers["coarse_problem"] = str(problem)
        else:
            numbers["discretisation"] = _changes(numbers, _resistances(coarse))
            arrays["coarse_spectrum"] = coarse.spectrum
    cell = found.cell
    conditions = {
        "stoichiometry": _value(cell.mean_stoichiometry(cell.state), "1"),
        "open_circuit_voltage": _value(cell.state.voltage, "V"),
        "lithium_resistance": _value(found.lithium_resistance, "ohm m^2"),
        "double_layer_capacitance": _value(params["double_layer_capacitance"], "F/m^2"),
        "temperature": _value(params["temperature"], "K"),
        "thickness": _value(micro.extent[0], "m"),
    }
    sources = {"material": cell.material.source, "electrolyte": cell.electrolyte.source}
    content = {**_with_units(numbers, HALF_CELL_IMPEDANCE_UNITS), **conditions, **sources}
    numbers |= {name: part["value"] for name, part in conditions.items()} | sources
    return StageOutput(numbers, arrays, _files(found.spectrum, content))


def _at_rest(
    micro: Microstructure,
    params: Params,
    inputs: Inputs,
    factor: NDArray[np.float64] | None,
    note: str,
) -> _AtRest:
    from ..electrochemistry import half_cell, half_cell_impedance

    cell = half_cell(micro, **cell_arguments(params, inputs, factor))
    low, high = params["frequencies"]
    wanted = _between((low, high), params["per_decade"])[::-1]
    beside = np.isclose(wanted, AC_FREQUENCY, rtol=1e-9)
    if not beside.any():
        wanted, beside = np.append(wanted, AC_FREQUENCY), np.append(beside, True)
    found = half_cell_impedance(
        cell,
        wanted,
        double_layer_capacitance=params["double_layer_capacitance"],
        watch=_counting(len(wanted), note),
    )
    values = found.impedance
    shown = (wanted >= low * (1.0 - 1e-9)) & (wanted <= high * (1.0 + 1e-9))
    order = np.argsort(-wanted[shown])
    spectrum = _rows(wanted[shown][order], values[shown][order])
    return _AtRest(cell, spectrum, float(values[beside][0].real), found.lithium_resistance)


def _resistances(found: _AtRest) -> dict[str, float]:
    """Return the real part at `AC_FREQUENCY`, and what the reaction resists by itself."""
    from ..electrochemistry import reaction

    cell = found.cell
    on = reaction(cell, cell.state)
    # All facets side by side, each with R T / (F j_0): no ohmic drop, no film, no diffusion.
    conductance = float(on.exchange_current_density @ on.facets.area) / cell.tables.thermal
    return {
        "cell_resistance": found.cell_resistance,
        "charge_transfer_resistance": cell.grid.cross_section / conductance,
    }


def _between(span: tuple[float, float], per_decade: int) -> NDArray[np.float64]:
    return np.geomspace(span[0], span[1], count_of(span, per_decade))


def _rows(frequencies: NDArray, values: NDArray) -> NDArray[np.float64]:
    """Return frequencies (Hz), real and imaginary parts (ohm m^2) as three rows."""
    return np.stack([frequencies, values.real, values.imag])


def _value(value: float | None, unit: str) -> dict[str, Any]:
    return {"value": value, "unit": unit}


def _with_units(numbers: Params, units: Mapping[str, str]) -> dict[str, Any]:
    return {name: _value(numbers[name], unit) for name, unit in units.items()}


def _files(spectrum: NDArray, content: Mapping[str, Any]) -> dict[str, Any]:
    table, conditions = SPECTRUM_FILES
    return {table: partial(_write_table, spectrum), conditions: partial(write_json, content)}


def _write_table(spectrum: NDArray, path: Path) -> None:
    """Write one line per frequency, from the highest on."""
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(
            ["Frequency / Hz", "Z_re / ohm.m2", "Z_im / ohm.m2", "|Z| / ohm.m2", "Phase / deg"]
        )
        for frequency, real, imaginary in spectrum.T:
            polar = math.hypot(real, imaginary), math.degrees(math.atan2(imaginary, real))
            numbers = (frequency, real, imaginary, *polar)
            table.writerow([f"{number:.8g}" for number in numbers])
