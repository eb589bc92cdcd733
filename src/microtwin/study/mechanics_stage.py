"""The stage in which phases swell and hold each other: thickness, stress, ligaments, failure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..microstructure import Microstructure
from .image_loads import free_strains, image_arguments, of_the_image
from .live import say
from .mechanics_budget import between_octants, budgeted, halved, on_larger_voxels
from .mechanics_sections import COMPONENTS
from .stages import check, microstructure_of, write_fields
from .store import StageOutput
from .stored_ligaments import ligament_arrays
from .stress_reading import (
    SHARES,
    ElasticCase,
    Quantities,
    StressReading,
    crack_index,
    elastic_case,
    ligament_loads,
    read_stress,
    strength_curves,
    stress_quantities,
    widest_gap,
)
from .tasks import Inputs
from .uncertainty import LOOSE_TOLERANCE

if TYPE_CHECKING:
    from ..mechanics import LigamentLoads, ParticleFracture, StressDistribution, Swelling

__all__ = ["LIGAMENT_LIST", "MECHANICS_UNITS", "OF_THE_WHOLE_IMAGE", "swell", "whole_image"]

Params = Mapping[str, Any]

# The quantities of results.json, with their units.
MECHANICS_UNITS = {
    "swelling_strain": "1",
    "thickness_change": "m",
    "mean_stress": "Pa",
    "elastic_energy_density": "J/m^3",
    "unheld_solid": "1",
    "von_mises_stress": "Pa",
    "maximum_principal_stress": "Pa",
    "hydrostatic_stress": "Pa",
    "failing_binder_fraction": "1",
    "cracking_particle_fraction": "1",
    "debonding_area_fraction": "1",
}
# Those that other plausible labels of a scan are solved for.
OF_THE_WHOLE_IMAGE = ("swelling_strain", "mean_stress", "elastic_energy_density")
LIGAMENT_LIST = "ligaments.csv"  # what `microtwin export` copies
# The mean stress where it is given, against the stress of the solids, in units of the tolerance.
BALANCE = 10.0
# Change of the 95th percentile of a phase on larger voxels up to which it has settled.
SETTLED = 0.1
# Share of the solid that may hang on nothing.
MOST_UNHELD = 0.02
PARTICLES_LISTED = 5


def swell(params: Params, inputs: Inputs) -> StageOutput:
    """Let phases swell; read the stress; do it again on larger voxels and in parts of the image."""
    micro = microstructure_of(inputs["microstructure"])
    case = elastic_case(micro, params)
    _require_resolved(micro, case)
    particles = _particles(micro, case)
    found, residual = _solved(micro, case, "")
    say("reading the stress")
    reading = read_stress(micro, found.stress, case, particles)
    quantities = _quantities(micro, case, found, reading)
    changes, errors, problems = _budget(micro, case, quantities)
    thickness = micro.extent[0]
    # The thickness follows from the strain, in parts of the image too.
    for known in (quantities, changes, errors):
        strain = known.get(("swelling_strain", None, "z", None))
        if strain is not None:
            known["thickness_change", None, "z", None] = strain * thickness
    # What hangs on nothing is counted, not computed.
    quantities["unheld_solid", None, None, None] = found.floating
    order = list(MECHANICS_UNITS)
    quantities = dict(sorted(quantities.items(), key=lambda item: order.index(item[0][0])))
    numbers = {
        "quantities": budgeted(quantities, MECHANICS_UNITS, changes, errors),
        "averaging_length": case.length,
        "widest_gap": None if particles is None else widest_gap(micro, case, particles),
        "mean_strain": found.mean_strain,
        "mean_stress": found.mean_stress,
        "iterations": found.iterations,
        "floating": found.floating,
        **problems,
        **_stored_reading(micro, case, reading),
    }
    # Half precision, in MPa, is enough for pictures.
    arrays: dict[str, NDArray] = {"von_mises": (reading.von_mises / 1e6).astype(np.float16)}
    if reading.binder_index is not None:
        arrays["binder_index"] = reading.binder_index.astype(np.float16)
    files: dict[str, Any] = {}
    loads = None
    if params["ligaments"] and params["binder"] is not None and particles is not None:
        say("looking for ligaments")
        loads = ligament_loads(micro, found.stress, case, particles)
    if loads is not None:
        arrays |= ligament_arrays(loads)
        files[LIGAMENT_LIST] = partial(_write_ligaments, loads)
    if params["fields"]:
        fields = _fields(micro, found, reading, loads)
        files["fields.vtkhdf"] = partial(write_fields, micro, fields)
    checks = _checks(case, found, residual, reading, changes)
    return StageOutput(numbers, arrays, files, checks)


def _require_resolved(micro: Microstructure, case: ElasticCase) -> None:
    """Refuse lengths below a voxel before anything is solved."""
    edge = max(micro.voxel_size)
    for key, length in (
        ("averaging_length", case.length),
        ("widest_gap", case.params["widest_gap"]),
    ):
        if length is not None and length < edge * (1.0 - 1e-9):
            raise ValueError(
                f"mechanics.{key} is {length:.4g} m, and below the edge of a voxel, {edge:.4g} m, "
                "nothing is known; give two voxels or more"
            )


def _budget(
    micro: Microstructure, case: ElasticCase, quantities: Quantities
) -> tuple[Quantities, Quantities, dict[str, str | None]]:
    """Return the error of the voxels and of the sample, and what stood in the way of either."""
    given = case.params
    loose = max(LOOSE_TOLERANCE, given["tol"])

    def again(image: Microstructure, note: str, faces: Any = given["faces"]) -> Quantities:
        other = case.with_faces(faces)
        found, _ = _solved(image, other, note, loose)
        return _quantities(image, other, found, read_stress(image, found.stress, other))

    changes: Quantities = {}
    errors: Quantities = {}
    problems: dict[str, str | None] = {}
    if given["discretisation"]:
        changes, problems["coarse_problem"] = on_larger_voxels(micro, quantities, again)
    if given["sampling"]:
        parts = partial(again, faces=halved(given["faces"]))
        errors, problems["sampling_problem"] = between_octants(micro, parts)
    return changes, errors, problems


def _stored_reading(
    micro: Microstructure, case: ElasticCase, reading: StressReading
) -> dict[str, Any]:
    """Return the part of a reading that is no quantity of results.json, for the report."""
    curves = {}
    if reading.binder_index is not None:
        here = micro.mask(case.params["binder"])
        curves = strength_curves(reading.binder_index[here], case)
    cracks = reading.cracks
    return {
        "distributions": {
            measure: {phase: _plain(distribution) for phase, distribution in phases.items()}
            for measure, phases in reading.distributions.items()
        },
        "failing": {name: [x.share, x.low, x.high] for name, x in reading.failing.items()},
        "cracks": None if cracks is None else _cracks(cracks, case.params),
        "curves": curves,
    }


def _particles(micro: Microstructure, case: ElasticCase) -> NDArray[np.int32] | None:
    """Return the particle of each voxel, where ligaments or cracks are asked for."""
    from ..imaging import separate_particles

    phase, given = case.params["particles"], case.params["strength"]["particles"]
    if phase is None or not (case.params["ligaments"] or given) or not micro.mask(phase).any():
        return None
    return separate_particles(micro, phase).labels


def whole_image(micro: Microstructure, params: Params) -> dict[str, float]:
    """Return what swelling comes to as a whole, by name and direction: "swelling_strain/z"."""
    case = elastic_case(micro, params)
    found, _ = _solved(micro, case, "", max(LOOSE_TOLERANCE, params["tol"]))
    return {
        f"{name}/{direction or 'image'}": float(value)
        for (name, _, direction, _), value in of_the_image(micro, case, found).items()
        if value is not None
    }


def _solved(
    micro: Microstructure, case: ElasticCase, note: str, tol: float | None = None
) -> tuple[Swelling, float]:
    """Return strain and stress, and the residual at which the solver stopped."""
    from ..mechanics import solve_swelling

    given = case.params
    last = [0.0]
    found = solve_swelling(
        micro,
        case.solids,
        given["swelling"],
        **image_arguments(case),
        tol=given["tol"] if tol is None else tol,
        progress=_counting(last, note),
    )
    return found, last[0]


def _counting(last: list[float], note: str) -> Callable[[int, float], None]:
    """Return what says each iteration, and keeps the last residual."""

    def progress(iteration: int, residual: float) -> None:
        last[0] = residual
        say(f"iteration {iteration}, residual {residual:.1e}{note}")

    return progress


def _quantities(
    micro: Microstructure, case: ElasticCase, found: Swelling, reading: StressReading
) -> Quantities:
    """Return the numbers that voxels of another size, or another sample, would change."""
    return of_the_image(micro, case, found) | stress_quantities(reading)


def _checks(
    case: ElasticCase,
    found: Swelling,
    residual: float,
    reading: StressReading,
    changes: Quantities,
) -> list[dict[str, Any]]:
    tol = case.params["tol"]
    checks = [check("residual", residual, tol, residual <= tol)]
    given, free = case.params["mean_stress"] or {}, free_strains(case)
    if free:
        gaps = [
            abs(found.mean_stress[COMPONENTS.index(name)] - given.get(name, 0.0)) for name in free
        ]
        # Where all swell freely there is no stress within; that which would hold them is a scale.
        inside = float(np.sqrt(np.square(found.stress).sum(axis=0).mean()))
        gap = max(gaps) / max(inside, _holding_stress(case), np.finfo(float).tiny)
        checks.append(check("mean_stress_as_given", gap, BALANCE * tol, gap <= BALANCE * tol))
    held = "pass" if found.floating <= MOST_UNHELD else "warn"
    checks.append(check("unheld_solid", found.floating, MOST_UNHELD, held))
    words = SHARES[0.95]
    shifts = [
        float(changes["von_mises_stress", phase, None, words] or 0.0)
        / max(distribution.percentiles[0.95], np.finfo(float).tiny)
        for phase, distribution in reading.distributions["von_mises_stress"].items()
        if ("von_mises_stress", phase, None, words) in changes
    ]
    if shifts:
        verdict = "pass" if max(shifts) <= SETTLED else "warn"
        checks.append(check("percentiles_settle", max(shifts), SETTLED, verdict))
    return checks


def _holding_stress(case: ElasticCase) -> float:
    """Return the largest stress that would hold a phase as it was, in Pa."""
    stresses = [
        case.solids[phase].stiffness @ _six(strain)
        for phase, strain in case.params["swelling"].items()
    ]
    return float(np.abs(stresses).max())


def _six(strain: Any) -> NDArray[np.float64]:
    """Return the components of a swelling that may be the same in all directions."""
    if isinstance(strain, (int, float)):
        return np.array([strain] * 3 + [0.0] * 3)
    return np.array(strain, float)


def _plain(found: StressDistribution) -> dict[str, Any]:
    return {
        "mean": found.mean,
        "minimum": found.minimum,
        "maximum": found.maximum,
        "percentiles": {f"{share:g}": value for share, value in found.percentiles.items()},
        "edges": found.edges,
        "shares": found.shares,
        "scale": found.scale,
    }


def _cracks(found: ParticleFracture, params: Params) -> dict[str, Any]:
    """Return how many particles may crack, and those that are nearest to it."""
    index = crack_index(found, params["strength"]["particles"]["flaw"])
    nearest = np.argsort(-index, kind="stable")[:PARTICLES_LISTED]
    there = found.volume > 0.0
    names = ("diameter", "maximum_principal", "critical_flaw", "flaw_index", "energy_index")
    return {
        "particles": int(there.sum()),
        "cracking": int((index > 1.0).sum()),
        "nearest": [
            {"particle": int(k) + 1} | {name: float(getattr(found, name)[k]) for name in names}
            for k in nearest
            if there[k]
        ],
    }


def _write_ligaments(loads: LigamentLoads, path: Path) -> None:
    from ..mechanics import write_ligaments

    write_ligaments(path, loads)


def _fields(
    micro: Microstructure, found: Swelling, reading: StressReading, loads: LigamentLoads | None
) -> dict[str, NDArray]:
    """Return scalars of the stress in Pa, the displacement in m, and the ligaments by number."""
    from ..mechanics import maximum_principal, voxel_displacement

    fields: dict[str, NDArray] = {
        "von_mises": found.von_mises,
        "von_mises_averaged": reading.von_mises,
        "hydrostatic": found.hydrostatic,
        "maximum_principal": maximum_principal(found.stress),
        "displacement": voxel_displacement(micro, found),
    }
    if reading.binder_index is not None:
        fields["binder_index"] = reading.binder_index
    if loads is not None:
        fields["ligament"] = loads.ligaments.region
    return fields
