"""The stage that turns an imaged electrode into the parameters of a cell model, and runs it."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .live import say
from .stages import SHORTEST_FOR_TWO_GRIDS, microstructure_of
from .store import StageOutput
from .tasks import Inputs

if TYPE_CHECKING:
    from ..upscaling import ElectrodeParameters, RateCapability

__all__ = ["CELL_FILES", "cell"]

Params = Mapping[str, Any]

# What `microtwin export` copies.
CELL_FILES = ("electrode.json", "pybamm.json", "bpx.json")


def cell(params: Params, inputs: Inputs) -> StageOutput:
    """Measure the electrode, write parameter sets, and find its capacity at several rates."""
    from ..upscaling import measure_electrode, to_pybamm

    micro = microstructure_of(inputs["microstructure"])
    porous = params["porous_phases"] or {}
    say("measuring the electrode")
    found = measure_electrode(
        micro,
        params["active"],
        params["pore"],
        params["conductivities"],
        porous_phases={
            name: (part["porosity"], part["tortuosity_factor"]) for name, part in porous.items()
        },
        thickness=params["thickness"],
        discretisation=params["discretisation"] and min(micro.shape) >= SHORTEST_FOR_TWO_GRIDS,
    )
    base, side = params["base"], params["electrode"]
    files: dict[str, Any] = {"electrode.json": partial(_write_json, found.as_dict())}
    notes: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        values = to_pybamm(found, base, side)
        if "template" in inputs.sources:
            from ..upscaling import to_bpx, write_bpx

            content = to_bpx(found, inputs.sources["template"], side)
            files["bpx.json"] = partial(write_bpx, content)
    notes += [str(w.message) for w in caught if issubclass(w.category, UserWarning)]
    files["pybamm.json"] = partial(_write_pybamm, values)
    rates = {"free": _rates(found, params)}
    larger = _as_free_spheres(found)
    if larger is not None:
        rates["spheres"] = _rates(larger, params)
    for result in rates.values():
        notes += result.notes
    numbers = {
        "parameters": {
            name: {
                "value": q.value,
                "unit": q.unit,
                "uncertainty": q.uncertainty,
                "source": q.source,
            }
            for name, q in found.quantities().items()
        },
        "bruggeman_exponent": found.bruggeman_exponent,
        "guessed_exponent": rates["free"].guessed_exponent,
        "nominal": rates["free"].nominal,
        "interface_utilisation": found.interface_utilisation,
        "image_height": micro.extent[0],
        "notes": notes,
    }
    return StageOutput(numbers, _arrays(rates), files)


def _rates(parameters: ElectrodeParameters, params: Params) -> RateCapability:
    from ..upscaling import rate_capability

    say("discharges of the cell model")
    return rate_capability(
        parameters,
        params["base"],
        params["c_rates"],
        electrode=params["electrode"],
        model=params["model"],
    )


def _as_free_spheres(parameters: ElectrodeParameters) -> ElectrodeParameters | None:
    """Return spheres whose whole surface is the free one; None where nothing is covered.

    With the measured radius lithium reaches the inside through all of the surface, covered or not:
    too easily. In spheres this large it must go farther than around the cover: too hard.
    """
    radius = 3.0 * parameters.active_fraction.value / parameters.specific_surface.value
    if radius <= 1.02 * parameters.particle_radius.value:
        return None
    source = "three times the volume of the active material over its free surface"
    return replace(
        parameters,
        particle_radius=replace(
            parameters.particle_radius, value=radius, uncertainty=None, source=source
        ),
        particle_radii=None,
        radius_weights=None,
    )


def _arrays(rates: Mapping[str, RateCapability]) -> dict[str, NDArray]:
    """Return capacities, one row each; NaN where there is nothing to show."""
    free = rates["free"]
    nothing = np.full(len(free.c_rates), np.nan)
    return {
        "rates": np.stack(
            [
                free.c_rates,
                free.capacities,
                nothing if free.lower is None else free.lower,
                nothing if free.upper is None else free.upper,
                free.guess,
                rates["spheres"].capacities if "spheres" in rates else nothing,
            ]
        )
    }


def _write_json(content: Mapping[str, Any], path: Path) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _write_pybamm(values: Any, path: Path) -> None:
    """Write a parameter set as PyBaMM itself does."""
    values.to_json(str(path))
