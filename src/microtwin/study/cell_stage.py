"""The stage that turns an imaged electrode into the parameters of a cell model, and runs it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .live import say
from .stages import SHORTEST_FOR_TWO_GRIDS, microstructure_of, write_json
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
    from ..electrochemistry import NoInterfaceError
    from ..upscaling import measure_electrode, to_pybamm

    micro = microstructure_of(inputs["microstructure"])
    porous = params["porous_phases"] or {}
    numbers: dict[str, Any] = {
        "parameters": {},
        "bruggeman_exponent": None,
        "guessed_exponent": None,
        "nominal": None,
        "interface_utilisation": None,
        "image_height": micro.extent[0],
    }
    say("measuring the electrode")
    # An electrode that cannot work is a finding, and the other results of the study hold.
    try:
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
    except NoInterfaceError as error:
        return StageOutput(numbers | {"notes": [f"The electrode has no parameters: {error}."]})
    numbers |= {
        "parameters": {name: vars(q) for name, q in found.quantities().items()},
        "interface_utilisation": found.interface_utilisation,
    }
    files: dict[str, Any] = {"electrode.json": partial(write_json, found.as_dict())}
    try:
        found.check_conduction()
    except ValueError as error:
        note = f"There are no parameter sets of cell models and no capacities: {error}."
        return StageOutput(numbers | {"notes": [note]}, {}, files)
    base, side = params["base"], params["electrode"]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        values = to_pybamm(found, base, side)
        if "template" in inputs.sources:
            from ..upscaling import to_bpx, write_bpx

            content = to_bpx(found, inputs.sources["template"], side)
            files["bpx.json"] = partial(write_bpx, content)
    # Libraries tell their developers what is deprecated; that is no note on the electrode.
    notes = [
        str(w.message)
        for w in caught
        if issubclass(w.category, UserWarning) and not issubclass(w.category, DeprecationWarning)
    ]
    files["pybamm.json"] = partial(_write_pybamm, values)
    free = _rates(found, params, ("measured", "guess", "bounds"))
    notes += [f"With the parameters of the image: {note}" for note in free.notes]
    larger = _as_free_spheres(found)
    spheres = None if larger is None else _rates(larger, params, ("measured",))
    if spheres is not None:
        notes += [f"With spheres of free surface: {note}" for note in spheres.notes]
    numbers |= {
        "bruggeman_exponent": free.exponent,
        "guessed_exponent": free.guessed_exponent,
        "nominal": free.nominal,
        "notes": list(dict.fromkeys(notes)),
    }
    return StageOutput(numbers, _arrays(free, spheres), files)


def _rates(
    parameters: ElectrodeParameters, params: Params, variants: Sequence[str]
) -> RateCapability:
    from ..upscaling import rate_capability

    say("discharges of the cell model")
    return rate_capability(
        parameters,
        params["base"],
        params["c_rates"],
        electrode=params["electrode"],
        model=params["model"],
        variants=variants,
    )


def _as_free_spheres(parameters: ElectrodeParameters) -> ElectrodeParameters | None:
    """Return spheres whose whole surface is the free one; None where nothing is covered.

    With the measured radius lithium reaches the inside through all of the surface, covered or not:
    too easily. In spheres this large it must go farther than around the cover: too hard. Both are
    spheres, so shapes and contacts of particles are in neither.
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


def _arrays(free: RateCapability, spheres: RateCapability | None) -> dict[str, NDArray]:
    """Return capacities, one row each; NaN where there is nothing to show."""
    rows = [free.capacities, free.lower, free.upper, free.guess]
    rows.append(None if spheres is None else spheres.capacities)
    nothing = np.full(len(free.c_rates), np.nan)
    return {"rates": np.stack([free.c_rates, *(nothing if r is None else r for r in rows)])}


def _write_pybamm(values: Any, path: Path) -> None:
    """Write a parameter set as PyBaMM itself does."""
    values.to_json(str(path))
