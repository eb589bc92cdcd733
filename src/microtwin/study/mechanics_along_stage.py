"""The stage that follows a discharge with the stress which its lithium makes."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..microstructure import Microstructure
from .image_loads import image_arguments, of_the_image
from .live import say
from .mechanics_budget import budgeted, on_larger_voxels
from .mechanics_stage import MECHANICS_UNITS
from .stages import check, microstructure_of
from .store import StageOutput
from .stored_states import stored_stoichiometry, unpacked
from .stress_reading import (
    SHARES,
    ElasticCase,
    Quantities,
    StressReading,
    elastic_case,
    particles_that_may_crack,
    read_stress,
    stress_quantities,
)
from .tasks import Inputs
from .uncertainty import LOOSE_TOLERANCE

if TYPE_CHECKING:
    from ..degradation import LithiumStrain
    from ..mechanics import Swelling

__all__ = ["ALONG_UNITS", "follow"]

Params = Mapping[str, Any]

# Of these the largest on the way is a quantity of results.json.
LARGEST = "largest_"
ALONG_UNITS = {
    f"{LARGEST}{name}": unit
    for name, unit in MECHANICS_UNITS.items()
    if name not in ("hydrostatic_stress", "unheld_solid")
}
HIGH = SHARES[0.95]
MEGAPASCAL = 1e6


@dataclass(frozen=True, eq=False)
class Lithium:
    """What fills the active material on the way, and how far that swells it.

    Parameters
    ----------
    states : ndarray of uint16, shape (n, nz, ny, nx)
        Stoichiometries as `stored_states` packs them.
    strain : LithiumStrain
    start : float
        Stoichiometry at the start, which material that takes no part keeps.
    reference : float
        Stoichiometry without stress.
    """

    states: NDArray[np.uint16]
    strain: LithiumStrain
    start: float
    reference: float


@dataclass(frozen=True, eq=False)
class Course:
    """Quantities at each state of a discharge.

    Parameters
    ----------
    values : dict
        By quantity, one for each state, None where there is none.
    iterations : list of int
    residuals : list of float
        At which the solver stopped.
    """

    values: dict[tuple[str, str | None, str | None, str | None], list[float | None]]
    iterations: list[int]
    residuals: list[float]


Keep = Callable[["Swelling", StressReading], object]


def follow(params: Params, inputs: Inputs) -> StageOutput:
    """Solve for the stress at some states of a discharge, and again on larger voxels."""
    micro = microstructure_of(inputs["microstructure"])
    discharge = inputs["half_cell"]
    case, given = elastic_case(micro, params), params["along"]
    steps, states = stored_stoichiometry(discharge)
    curve = discharge.array("curve")
    start = float(curve[3, 0])
    reference = start if given["reference"] is None else given["reference"]
    strain = _strain(params, inputs)
    pictures: list[NDArray] = []
    fields: list[dict[str, NDArray]] = []

    def keep(found: Swelling, reading: StressReading) -> None:
        # Half precision, in MPa, is enough for pictures.
        middle = reading.von_mises[:, micro.shape[1] // 2] / MEGAPASCAL
        pictures.append(middle.astype(np.float16))
        if params["fields"]:
            fields.append(_fields(micro, found, reading))

    lithium = Lithium(states, strain, start, reference)
    course = _followed(micro, case, lithium, params["tol"], keep=keep)
    thickness = micro.extent[0]
    quantities = _largest(course)
    changes: Quantities = {}
    problem: str | None = None
    if params["discretisation"]:

        def again(image: Microstructure, note: str) -> Quantities:
            loose = max(LOOSE_TOLERANCE, params["tol"])
            return _largest(_followed(image, case, lithium, loose, note=note))

        changes, problem = on_larger_voxels(micro, quantities, again)
    for known in (quantities, changes):
        grown = known.get((f"{LARGEST}swelling_strain", None, "z", None))
        if grown is not None:
            known[f"{LARGEST}thickness_change", None, "z", None] = grown * thickness
    order = list(ALONG_UNITS)
    quantities = dict(sorted(quantities.items(), key=lambda item: order.index(item[0][0])))
    middle = micro.shape[1] // 2
    arrays = {
        "curve": curve,
        "states_at": np.array(steps),
        "stoichiometry": np.stack([unpacked(x[:, middle]).astype(np.float16) for x in states]),
        "von_mises": np.stack(pictures),
    }
    numbers = {
        "quantities": budgeted(quantities, ALONG_UNITS, changes, {}),
        "averaging_length": case.length,
        "reference": reference,
        "strains": strain(curve[3, list(steps)]) - strain(reference),
        "iterations": course.iterations,
        "coarse_problem": problem,
        "states": _plain(course),
    }
    files: dict[str, Any] = {
        "stress.csv": partial(_write_table, curve[:, list(steps)], course),
        "stress.gif": partial(_write_movie, micro, arrays, given["active"]),
    }
    if params["fields"]:
        files["fields.vtkhdf"] = partial(
            _write_fields, micro, curve[0, list(steps)], states, fields
        )
    worst = max(course.residuals)
    checks = [check("residual", worst, params["tol"], worst <= params["tol"])]
    return StageOutput(numbers, arrays, files, checks)


def _largest(course: Course) -> Quantities:
    """Return of each quantity the value that is farthest from 0, with its sign."""
    found: Quantities = {}
    for (name, phase, direction, condition), values in course.values.items():
        known = [value for value in values if value is not None]
        wanted = f"{LARGEST}{name}" in ALONG_UNITS and condition in (None, HIGH)
        if known and wanted:
            found[f"{LARGEST}{name}", phase, direction, condition] = max(known, key=abs)
    return found


def _followed(
    micro: Microstructure,
    case: ElasticCase,
    lithium: Lithium,
    tol: float,
    *,
    keep: Keep | None = None,
    note: str = "",
) -> Course:
    """Solve for one state after the other; larger voxels have the mean lithium of theirs."""
    from ..degradation import stress_along
    from ..mechanics import ElasticImage

    given = case.params["along"]
    image = ElasticImage(micro, case.solids, **image_arguments(case))
    particles = particles_that_may_crack(micro, case)
    residuals: list[float] = []

    def read(found: Swelling) -> Quantities:
        reading = read_stress(micro, found.stress, case, particles)
        if keep is not None:
            keep(found, reading)
        return of_the_image(micro, case, found) | stress_quantities(reading)

    def progress(iteration: int, residual: float) -> None:
        residuals[-1] = residual
        of = len(lithium.states)
        say(f"state {len(residuals)} of {of}, residual {residual:.1e}{note}")

    def fields() -> Iterator[NDArray[np.float32]]:
        for packed in lithium.states:
            residuals.append(0.0)
            yield _on_grid(unpacked(packed), micro.shape)

    found = [
        (state.reading, state.iterations)
        for state in stress_along(
            image, fields(), lithium.strain, reference=lithium.reference, active=given["active"],
            idle=lithium.start, others=case.params["swelling"], read=read, tol=tol,
            progress=progress,
        )
    ]  # fmt: skip
    names = dict.fromkeys(name for quantities, _ in found for name in quantities)
    values = {name: [quantities.get(name) for quantities, _ in found] for name in names}
    return Course(values, [count for _, count in found], residuals)


def _on_grid(field: NDArray[np.float32], shape: tuple[int, int, int]) -> NDArray[np.float32]:
    """Return a field on an image, or its means on voxels twice as large; NaN does not count."""
    if field.shape == shape:
        return field
    nz, ny, nx = shape
    blocks = field[: 2 * nz, : 2 * ny, : 2 * nx].reshape(nz, 2, ny, 2, nx, 2)
    known = np.isfinite(blocks)
    count = known.sum(axis=(1, 3, 5))
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.where(known, blocks, 0.0).sum(axis=(1, 3, 5)) / count
    return means.astype(np.float32)


def _strain(params: Params, inputs: Inputs) -> LithiumStrain:
    from ..degradation import LithiumStrain, read_lithium_strain

    given = params["along"]["strain"]
    if "strain" in inputs.sources:
        return read_lithium_strain(inputs.sources["strain"])
    if isinstance(given, Mapping):
        return LithiumStrain(np.array(given["stoichiometry"]), np.array(given["strain"]))
    return LithiumStrain.linear(given)


def _fields(micro: Microstructure, found: Swelling, reading: StressReading) -> dict[str, NDArray]:
    """Return scalars of the stress in Pa and the displacement in m, for ParaView."""
    from ..mechanics import voxel_displacement

    fields: dict[str, NDArray] = {
        "von_mises_averaged": reading.von_mises,
        "hydrostatic": found.hydrostatic,
        "displacement": voxel_displacement(micro, found),
    }
    if reading.binder_index is not None:
        fields["binder_index"] = reading.binder_index
    return fields


def _plain(course: Course) -> list[dict[str, Any]]:
    """Return the course of each quantity as rows that JSON can hold."""
    keys = ("name", "phase", "direction", "condition")
    return [
        dict(zip(keys, of, strict=True)) | {"unit": MECHANICS_UNITS[of[0]], "values": values}
        for of, values in course.values.items()
    ]


def _write_table(states: NDArray[np.float64], course: Course, path: Path) -> None:
    """Write one line for each state."""
    heads = ["time / s", "voltage / V", "charge / A h/m^2", "stoichiometry / 1"]
    for name, phase, direction, condition in course.values:
        words = " ".join(part for part in (name, phase, direction, condition) if part)
        heads.append(f"{words} / {MECHANICS_UNITS[name]}")
    rows: list[Sequence[float | None]] = [*states, *course.values.values()]
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(heads)
        for row in zip(*rows, strict=True):
            table.writerow(["" if value is None else f"{value:.7g}" for value in row])


def _write_movie(
    micro: Microstructure, arrays: Mapping[str, NDArray], active: str, path: Path
) -> None:
    from .report import write_stress_movie

    write_stress_movie(path, micro, arrays, active)


def _write_fields(
    micro: Microstructure,
    times: NDArray[np.float64],
    states: NDArray[np.uint16],
    fields: Sequence[Mapping[str, NDArray]],
    path: Path,
) -> None:
    """Write lithium, stress and displacement as a series in time for ParaView."""
    from .report import write_vtkhdf_series

    steps = (
        (float(time), {"stoichiometry": unpacked(packed), **own})
        for time, packed, own in zip(times, states, fields, strict=True)
    )
    write_vtkhdf_series(path, micro, steps)
