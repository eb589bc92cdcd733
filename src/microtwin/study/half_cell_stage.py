"""The stage that discharges an imaged electrode against lithium."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..microstructure import Microstructure
from .live import say
from .stages import SHORTEST_FOR_TWO_GRIDS, microstructure_of
from .store import StageOutput
from .stored_states import evenly, packed
from .tasks import Inputs
from .variation import block_means, varied

if TYPE_CHECKING:
    from ..electrochemistry import HalfCell, HalfCellRun, State

__all__ = ["HALF_CELL_UNITS", "LOSSES", "cell_arguments", "half_cell", "rate_name"]

Params = Mapping[str, Any]

# The quantities of results.json, with their units.
HALF_CELL_UNITS = {
    "discharge_capacity": "A h/m^2",
    "capacity_utilisation": "1",
    "mean_voltage": "V",
    "discharge_energy": "W h/m^2",
    "inactive_active_fraction": "1",
    "plating_area_fraction": "1",
}
LOSSES = (
    "equilibrium",
    "solid_diffusion",
    "kinetic",
    "ohmic_solid",
    "ohmic_electrolyte",
    "electrolyte_concentration",
    "counter_electrode",
)
STEPS_OF_FIELDS = 10  # states that are written for ParaView
POINTS = 200  # of the comparison of two voltage curves
LARGER = ", on larger voxels"
PARTICLES = 2000  # of which the filling is kept


def rate_name(c_rate: float) -> str:
    """Return the name of a C-rate: "1C", "0.1C"."""
    return f"{c_rate:g}C"


def half_cell(params: Params, inputs: Inputs) -> StageOutput:
    """Discharge the electrode, do it again on larger voxels, and keep pictures on the way."""
    from ..electrochemistry import particle_filling
    from ..imaging import separate_particles

    micro = microstructure_of(inputs["microstructure"])
    factor = varied(micro, params["variation"])
    found = _discharged(micro, params, inputs, factor, max(params["frames"], _states(params)), "")
    numbers: dict[str, Any] = {**_numbers(found), "discretisation": {}}
    numbers |= {
        "ended": found.ended,
        "complete": found.complete,
        "steps": len(found.records) - 1,
        "inactive": vars(found.cell.grid.inactive),
        "capacity_of_image": _areal_capacity(found.cell),
        "stoichiometries": list(found.cell.material.stoichiometries),
        "material": found.cell.material.source,
        "electrolyte": found.cell.electrolyte.source,
        "balance": max(
            max(r.step.lithium_balance, r.step.salt_balance) for r in found.records
        ),
    }  # fmt: skip
    arrays = _arrays(found)
    if params["discretisation"] and min(micro.shape) >= SHORTEST_FOR_TWO_GRIDS:
        try:
            coarse = _discharged(micro.coarsen(2), params, inputs, block_means(factor), 0, LARGER)
        except ValueError as problem:
            # What is connected here may not be on larger voxels; the discharge itself is there.
            numbers["coarse_problem"] = str(problem)
        else:
            numbers["discretisation"] = _differences(numbers, _numbers(coarse))
            arrays["coarse_curve"] = _curve(coarse)
            numbers["voltage_difference"] = _voltage_difference(found, coarse)
    labels = separate_particles(micro, params["active"]).labels
    particles = particle_filling(found.cell, found.cell.state, labels)
    arrays["particles"] = np.stack(
        [particles.volume, particles.stoichiometry, particles.depth]
    )[:, :PARTICLES]  # fmt: skip
    files: dict[str, Any] = {"curve.csv": partial(_write_curve, found)}
    if _states(params):
        chosen = evenly(len(found.kept), _states(params))
        arrays["states"] = np.stack([found.kept[k]["packed"] for k in chosen])
        arrays["states_at"] = arrays["kept_at"][chosen]
    if params["frames"] and len(arrays["planes"]) > 1:
        files["discharge.gif"] = partial(_write_movie, micro, arrays, params)
    if params["fields"]:
        files["fields.vtkhdf"] = partial(_write_fields, micro, found)
    return StageOutput(numbers, arrays, files)


def _states(params: Params) -> int:
    """Return at how many times lithium is kept for other stages; 0 if none reads it.

    Studies without such a stage keep the key that they had.
    """
    return int(params.get("states", 0))


def _differences(
    fine: Mapping[str, float | None], coarse: Mapping[str, float | None]
) -> dict[str, float]:
    pairs = ((name, fine[name], other) for name, other in coarse.items())
    return {name: abs(a - b) for name, a, b in pairs if a is not None and b is not None}


def _discharged(
    micro: Microstructure,
    params: Params,
    inputs: Inputs,
    factor: NDArray[np.float64] | None,
    frames: int,
    note: str,
) -> HalfCellRun:
    from ..electrochemistry import ConstantCurrent, Record, half_cell, run

    cell = half_cell(micro, **cell_arguments(params, inputs, factor))
    fields_every = max(1, -(-frames // STEPS_OF_FIELDS)) if params["fields"] else 0
    count = 0

    def extract(cell: HalfCell, state: State) -> dict[str, NDArray]:
        nonlocal count
        count += 1
        whole = bool(fields_every) and (count - 1) % fields_every == 0
        return _picture(cell, state, whole, bool(frames and _states(params)))

    def watch(record: Record) -> None:
        say(
            f"{record.voltage:.3f} V, {record.charge / _areal_capacity(cell):.0%} "
            f"of the capacity{note}"
        )

    phase = ConstantCurrent(params["c_rate"], params["until_voltage"])
    return run(cell, [phase], keep=frames, extract=extract, watch=watch)


def cell_arguments(
    params: Params, inputs: Inputs, factor: NDArray[np.float64] | None
) -> dict[str, Any]:
    """Return the arguments of `microtwin.electrochemistry.half_cell` after the image.

    With a factor on the exchange current density of each voxel.
    """
    from ..electrochemistry import Separator, read_electrolyte, read_material

    names = ("active", "pore", "conductivities", "stoichiometry", "film_resistance", "temperature")
    found = {name: params[name] for name in names}
    found["exchange_factor"] = 1.0 if factor is None else factor
    found["chemistry"] = params["chemistry"]
    if "chemistry" in inputs.sources:
        found["chemistry"] = read_material(inputs.sources["chemistry"])
    found["electrolyte"] = params["electrolyte"]
    if "electrolyte" in inputs.sources:
        found["electrolyte"] = read_electrolyte(inputs.sources["electrolyte"])
    if params["separator"] is not None:
        found["separator"] = Separator(**params["separator"])
    porous = params["porous_phases"] or {}
    found["porous_phases"] = {
        name: (part["porosity"], part["tortuosity_factor"]) for name, part in porous.items()
    }
    return found


def _areal_capacity(cell: HalfCell) -> float:
    """Return the capacity of the image between its ends, in A h/m^2."""
    return cell.capacity / 3600.0 / cell.grid.cross_section


def _picture(cell: HalfCell, state: State, whole: bool, lithium: bool) -> dict[str, NDArray]:
    """Return a plane through the middle and profiles, and fields and lithium if wanted."""
    from ..electrochemistry import depth_profile, fields

    on_voxels = fields(cell, state)
    middle = cell.grid.shape[1] // 2
    profile = depth_profile(cell, state)
    found: dict[str, NDArray] = {
        "stoichiometry": on_voxels.stoichiometry[:, middle].astype(np.float16),
        "salt": on_voxels.salt[:, middle].astype(np.float32),
        "profile": np.stack(list(profile.values())),
        "current_plane": _through(cell, state),
    }
    if lithium:
        found["packed"] = packed(on_voxels.stoichiometry)
    if whole:
        found |= {
            "whole_stoichiometry": on_voxels.stoichiometry.astype(np.float16),
            "whole_salt": on_voxels.salt,
            "whole_current": on_voxels.current_density,
            "whole_surface_potential": on_voxels.surface_potential,
        }
    return found


def _through(cell: HalfCell, state: State) -> NDArray[np.float32]:
    """Return the current seen along y, per area of the picture, in A/m^2."""
    grid = cell.grid
    index = grid.facets.active_voxel
    size = int(np.prod(grid.shape))
    current = np.bincount(index, state.current * grid.area, size).reshape(grid.shape)
    face = grid.voxel_size[0] * grid.voxel_size[2]
    return np.asarray(current.sum(axis=1) / face, np.float32)


def _numbers(found: HalfCellRun) -> dict[str, float | None]:
    """Return the numbers that voxels of another size would change; no mean of no charge."""
    from ..electrochemistry import reaction

    charge, voltage = found.charge, found.voltage
    passed = float(charge[-1] - charge[0])
    energy = float(np.sum(0.5 * (voltage[1:] + voltage[:-1]) * np.diff(charge)))
    result = reaction(found.cell, found.cell.state)
    against = result.overpotential + found.cell.tables.potential(found.cell.state.surface)
    area = result.facets.area
    return {
        "discharge_capacity": float(charge[-1]),
        "capacity_utilisation": float(charge[-1]) / _areal_capacity(found.cell),
        "mean_voltage": energy / passed if passed > 0.0 else None,
        "discharge_energy": energy,
        "inactive_active_fraction": found.cell.grid.inactive.active,
        "plating_area_fraction": float(area[against < 0.0].sum() / area.sum()),
    }


def _curve(found: HalfCellRun) -> NDArray[np.float64]:
    """Return time, voltage, charge and mean stoichiometry of every step."""
    stoichiometry = np.array([r.stoichiometry for r in found.records])
    return np.stack([found.time, found.voltage, found.charge, stoichiometry])


def _arrays(found: HalfCellRun) -> dict[str, NDArray]:
    kept = found.kept
    return {
        "curve": _curve(found),
        "losses": np.array([[getattr(r.losses, n) for n in LOSSES] for r in found.records]),
        "kept_at": np.array(found.kept_at),
        "planes": np.stack([k["stoichiometry"] for k in kept]),
        "salt": kept[-1]["salt"],
        "current_plane": kept[-1]["current_plane"],
        "profiles": np.stack([k["profile"] for k in kept]),
    }


def _voltage_difference(fine: HalfCellRun, coarse: HalfCellRun) -> float:
    """Return the root mean square difference of two voltages over the charge both reach, in V."""
    end = min(fine.charge[-1], coarse.charge[-1])
    # The last part, where the voltage falls off, says more about the end than about the curve.
    at = np.linspace(0.0, 0.95 * end, POINTS)
    difference = np.interp(at, fine.charge, fine.voltage)
    difference = difference - np.interp(at, coarse.charge, coarse.voltage)
    return float(np.sqrt(np.square(difference).mean()))


def _write_curve(found: HalfCellRun, path: Path) -> None:
    """Write one line per step: time, voltage, current, charge, and where the voltage goes."""
    section = found.cell.grid.cross_section
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        losses = [f"{name} / V" for name in LOSSES]
        table.writerow(
            ["Test Time / s", "Voltage / V", "Current / A", "Current Density / A.m-2",
             "Charge Density / Ah.m-2", "Stoichiometry", *losses]
        )  # fmt: skip
        for r in found.records:
            parts = [f"{getattr(r.losses, name):.6f}" for name in LOSSES]
            table.writerow(
                [f"{r.time:.6g}", f"{r.voltage:.6f}", f"{r.current_density * section:.6g}",
                 f"{r.current_density:.6g}", f"{r.charge:.6g}", f"{r.stoichiometry:.6f}", *parts]
            )  # fmt: skip


def _write_movie(
    micro: Microstructure, arrays: Mapping[str, NDArray], params: Params, path: Path
) -> None:
    from .report import write_discharge_movie

    write_discharge_movie(path, micro, arrays, params["active"])


def _write_fields(micro: Microstructure, found: HalfCellRun, path: Path) -> None:
    """Write the states that were kept whole as a series in time for ParaView."""
    from .report import write_vtkhdf_series

    names = ("stoichiometry", "salt", "current", "surface_potential")
    steps = (
        (found.records[at].time, {name: kept[f"whole_{name}"] for name in names})
        for at, kept in zip(found.kept_at, found.kept, strict=True)
        if "whole_salt" in kept
    )
    write_vtkhdf_series(path, micro, steps)
