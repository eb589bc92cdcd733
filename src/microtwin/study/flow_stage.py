"""The stage that computes a viscous flow, and lets tracers and liquids run through it."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..microstructure import Microstructure, axis_index
from ..numerics import ConvergenceError
from .live import say
from .stages import (
    SHORTEST_FOR_TWO_GRIDS,
    check,
    microstructure_of,
    slice_axes,
    write_fields,
)
from .store import StageOutput
from .tasks import Inputs

if TYPE_CHECKING:
    from ..transport import Breakthrough, Dispersion, FillingTime, Permeability

__all__ = ["CURVE_FILE", "flow_through"]

Params = Mapping[str, Any]
Row = tuple[str, str | None, float, str]

CURVE_FILE = "breakthrough.csv"
BALANCE = 1e-8
RESOLVED = 0.1  # share of the dispersion that the scheme may contribute
POINTS = 400  # of a breakthrough curve that is kept
SHOTS = 3  # pictures of the tracer


def flow_through(params: Params, inputs: Inputs) -> StageOutput:
    """Compute the flow in one direction, what it carries, and the same on larger voxels."""
    from ..trust import coarsen_for

    micro = microstructure_of(inputs["microstructure"])
    flow = _flow(micro, params, "")
    carried = _carry(micro, flow, params, "")
    rows = _rows(flow, *carried)
    changes: dict[str, float] = {}
    problem = None
    if params["discretisation"] and min(micro.shape) >= SHORTEST_FOR_TWO_GRIDS:
        coarse = coarsen_for(micro, params["phase"])
        try:
            other = _flow(coarse, params, " on larger voxels")
            # The same Péclet numbers: grains look larger on larger voxels.
            length = None if carried[0] is None else carried[0].length
            told = _rows(other, *_carry(coarse, other, params, " on larger voxels", length))
        except (ValueError, ConvergenceError) as error:
            # On larger voxels thin pores may be closed: the flow itself is there.
            problem = str(error)
        else:
            known = {(name, condition): value for name, condition, value, _ in told}
            changes = {
                f"{name}/{condition}": abs(value - known[name, condition])
                for name, condition, value, _ in rows
                if (name, condition) in known and np.isfinite(value)
            }
    dispersion, curve, filling = carried
    numbers: dict[str, Any] = {
        "quantities": [
            [name, condition, value if np.isfinite(value) else None, unit,
             changes.get(f"{name}/{condition}")]
            for name, condition, value, unit in rows
        ],
        "coarse_problem": problem,
        "voxel_size": micro.voxel_size,
        "phase": flow.phase,
        "direction": flow.direction,
        "boundary": flow.boundary,
        "interface": flow.interface,
        "percolates": flow.percolates,
        "message": flow.message,
        "iterations": flow.iterations,
        "residual": flow.residual,
        "flux_spread": flow.flux_spread,
        "largest_divergence": flow.largest_divergence,
        "volume_fraction": flow.volume_fraction,
        "percolating_fraction": flow.percolating_fraction,
        "dispersion": None if dispersion is None else _dispersion_numbers(dispersion),
        "breakthrough": None if curve is None else _curve_numbers(curve),
        "filling": None if filling is None else _filling_numbers(filling),
    }  # fmt: skip
    arrays, files = _pictures(micro, flow, curve), {}
    if params["fields"] and flow.percolates and np.isfinite(flow.permeability):
        fields: dict[str, NDArray] = {
            "velocity": flow.velocity().astype(np.float32),
            "pressure": flow.pressure(),
        }
        files["fields.vtkhdf"] = partial(write_fields, micro, fields)
    if curve is not None:
        files[CURVE_FILE] = partial(_write_curve, arrays["curve"])
    return StageOutput(numbers, arrays, files, _checks(flow, params, dispersion, curve))


def _flow(micro: Microstructure, params: Params, note: str) -> Permeability:
    from ..transport import permeability

    return permeability(
        micro, params["phase"], params["direction"], params["boundary"], params["interface"],
        params["tol"],
        progress=lambda n, rest, _: say(f"flow{note}, iteration {n}, residual {rest:.0e}"),
    )  # fmt: skip


def _carry(
    micro: Microstructure,
    flow: Permeability,
    params: Params,
    note: str,
    length: float | None = None,
) -> tuple[Dispersion | None, Breakthrough | None, FillingTime | None]:
    """Return dispersion, breakthrough and filling, as far as asked for, if there is flow."""
    from ..transport import breakthrough, dispersion, filling_time

    found: list[Any] = [None, None, None]
    if not flow.percolates or not np.isfinite(flow.permeability):
        return found[0], found[1], found[2]
    part = params["dispersion"]
    if part is not None:
        found[0] = dispersion(
            micro, flow, part["peclet"], length=part["length"] or length,
            watch=lambda peclet, _: say(f"dispersion{note}, Pe {peclet:g}"),
        )  # fmt: skip
    part = params["breakthrough"]
    if part is not None:
        length = micro.extent[axis_index(flow.direction)]
        passing = length / part["velocity"]
        shots = [passing * part["retardation"] * share for share in (0.25, 0.5, 1.0)]
        found[1] = breakthrough(
            micro, flow, part["diffusivity"], part["velocity"], pulse=part["pulse"],
            retardation=part["retardation"], decay=part["decay"],
            pore_volumes=part["pore_volumes"], snapshots=[] if note else shots,
            watch=lambda volumes, _: say(f"breakthrough{note}, {volumes:.2f} pore volumes"),
        )  # fmt: skip
    if params["filling"] is not None:
        found[2] = filling_time(micro, flow, **params["filling"])
    return found[0], found[1], found[2]


def _rows(
    flow: Permeability,
    dispersion: Dispersion | None,
    curve: Breakthrough | None,
    filling: FillingTime | None,
) -> list[Row]:
    """Return the quantities: name, condition, value and unit."""
    rows: list[Row] = [("permeability", None, flow.permeability, "m^2")]
    if flow.percolates and np.isfinite(flow.permeability):
        rows.append(("hydraulic_tortuosity", None, flow.hydraulic_tortuosity(), "1"))
    if dispersion is not None:
        for n, peclet in enumerate(dispersion.peclet):
            at = f"Pe {peclet:g}"
            rows.append(("longitudinal_dispersion", at, float(dispersion.longitudinal[n]), "1"))
            rows.append(("transverse_dispersion", at, float(dispersion.transverse[n]), "1"))
    if curve is not None:
        rows.append(("effluent_concentration", None, float(curve.concentration[-1]), "1"))
        fit = _fitted(curve)
        if fit is not None:
            rows.append(("apparent_dispersion", None, fit.dispersion, "m^2/s"))
            rows.append(("apparent_velocity", None, fit.velocity, "m/s"))
    if filling is not None:
        rows.append(("filling_time", None, filling.seconds, "s"))
    return rows


def _fitted(curve: Breakthrough) -> Any:
    """Return the column with the same curve; None where too little has arrived, or it decays."""
    if curve.decay > 0.0:
        return None
    try:
        return curve.fit
    except ValueError:
        return None


def _dispersion_numbers(found: Dispersion) -> dict[str, Any]:
    return {
        "peclet": found.peclet,
        "longitudinal": found.longitudinal,
        "transverse": found.transverse,
        "cell_peclet": found.cell_peclet,
        "numerical_share": found.numerical_share,
        "length": found.length,
        "message": found.message,
    }


def _curve_numbers(curve: Breakthrough) -> dict[str, Any]:
    fit = _fitted(curve)
    names = ["injected", "left", "stored", "decayed", "balance", "lowest", "highest", "velocity"]
    names += ["diffusivity", "retardation", "decay", "pulse", "length", "cell_peclet"]
    names += ["numerical_share", "message"]
    return {
        **{name: getattr(curve, name) for name in names},
        "snapshot_times": curve.snapshot_times,
        "fit": None
        if fit is None
        else {"velocity": fit.velocity, "dispersion": fit.dispersion, "misfit": fit.misfit},
    }


def _filling_numbers(found: FillingTime) -> dict[str, Any]:
    names = ("seconds", "capillary_pressure", "pore_radius", "length")
    return {
        name: getattr(found, name) if np.isfinite(getattr(found, name)) else None for name in names
    }


def _checks(
    flow: Permeability,
    params: Params,
    dispersion: Dispersion | None,
    curve: Breakthrough | None,
) -> list[dict[str, Any]]:
    if not flow.percolates:
        return [check("percolates", 0.0, 1.0, "warn")]
    found = [
        check("flux_spread", flow.flux_spread, params["tol"], flow.flux_spread <= params["tol"])
    ]
    if dispersion is not None:
        worst = float(dispersion.numerical_share.max())
        verdict = "pass" if worst <= RESOLVED else "warn"
        found.append(check("numerical_dispersion", worst, RESOLVED, verdict))
    if curve is not None:
        missing = abs(curve.balance)
        found.append(check("mass_balance", missing, BALANCE, missing <= BALANCE))
        verdict = "pass" if curve.numerical_share <= RESOLVED else "warn"
        found.append(check("numerical_mixing", curve.numerical_share, RESOLVED, verdict))
    return found


def _pictures(
    micro: Microstructure, flow: Permeability, curve: Breakthrough | None
) -> dict[str, NDArray]:
    """Return speed and pressure in the middle plane, the breakthrough curve, and the tracer."""
    arrays: dict[str, NDArray] = {}
    if not flow.percolates or not np.isfinite(flow.permeability):
        return arrays
    rows, columns = slice_axes(flow.direction)
    across = next(n for n in range(3) if n not in (axis_index(rows), axis_index(columns)))
    middle = micro.shape[across] // 2
    velocity = flow.velocity().take(middle, axis=across + 1)
    speed = np.sqrt(np.square(velocity).sum(axis=0))
    inside = (micro.labels == micro.label(flow.phase)).take(middle, axis=across)
    mean = float(np.linalg.norm(flow.interstitial_velocity))
    arrays["speed"] = np.where(inside, speed / mean, np.nan).astype(np.float32)
    arrays["pressure"] = np.asarray(flow.pressure().take(middle, axis=across), np.float32)
    if curve is not None:
        kept = np.unique(np.linspace(0, len(curve.times) - 1, POINTS).round().astype(int))
        arrays["curve"] = np.stack(
            [curve.times[kept], curve.pore_volumes[kept], curve.concentration[kept]]
        )
        if len(curve.snapshots):
            arrays["tracer"] = np.asarray(curve.snapshots.take(middle, axis=across + 1))
    return arrays


def _write_curve(curve: NDArray[np.float64], path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(
            ["time [s]", "pore volumes [1]", "concentration over that at the inlet [1]"]
        )
        writer.writerows([f"{value:.8g}" for value in row] for row in curve.T)
