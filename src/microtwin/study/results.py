"""The summary of a run: every number with its error budget, its checks and its source.

The models below are the definition of results.json. The JSON Schema made from them is published
as ``results.schema.json`` in this folder, for readers in other languages.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ..microstructure import AXES, Direction
from ..trust import ErrorBudget
from .errors import StudyError
from .half_cell_stage import HALF_CELL_UNITS
from .impedance_stage import HALF_CELL_IMPEDANCE_UNITS, IMPEDANCE_UNITS
from .reaction_stage import REACTION_UNITS
from .reading import StudyFile
from .stages import DESCRIPTOR_UNITS
from .store import Entry

__all__ = ["SCHEMA_FILE", "SCHEMA_VERSION", "Results", "json_schema", "read_results", "summarise"]

SCHEMA_VERSION: Literal["1.0"] = "1.0"
SCHEMA_FILE = Path(__file__).with_name("results.schema.json")

Verdict = Literal["pass", "warn", "fail"]
Term = Annotated[float, Field(ge=0)] | None


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Check(_Record):
    """A comparison of a number with a limit."""

    name: str
    value: float | None
    limit: float | None
    verdict: Verdict


class Uncertainty(_Record):
    """Absolute standard uncertainties in the unit of the quantity; null where not estimated."""

    discretisation: Term = None
    sampling: Term = None
    segmentation: Term = None
    material: Term = None
    total: Term = None


class Quantity(_Record):
    """One result. A value that is not a finite number is null and is said in `text`."""

    name: str
    phase: str | None
    direction: str | None
    condition: Annotated[
        str | None, Field(description="what else it depends on, such as the C-rate")
    ] = None
    value: float | None
    text: str | None = None
    unit: str
    uncertainty: Uncertainty
    checks: list[Check]
    source: Annotated[str, Field(description="stage and key of the record: <stage>/<key>")]

    @property
    def verdict(self) -> Verdict:
        """The most serious verdict of its checks; "pass" if there is none."""
        return worst(check.verdict for check in self.checks)


class Image(_Record):
    """The microstructure that the results belong to; lengths in metres, order (z, y, x)."""

    shape: tuple[int, int, int]
    voxel_size: tuple[float, float, float]
    extent: tuple[float, float, float]
    phases: dict[str, int]
    volume_fractions: dict[str, float]


class Results(_Record):
    """The content of results.json."""

    schema_version: Literal["1.0"] = SCHEMA_VERSION
    study: str
    verdict: Verdict
    microstructure: Image
    quantities: list[Quantity]


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of results.json."""
    schema = Results.model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def read_results(path: Path) -> Results:
    """Read a results.json.

    Raises
    ------
    StudyError
        If there is no such file or it does not follow the schema.
    """
    try:
        return Results.model_validate_json(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StudyError(f"there is no {path}; run the study first") from None
    except ValueError as error:
        raise StudyError(f"{path} is damaged; run the study again to write it anew") from error


def write_results(results: Results) -> str:
    """Return the text of results.json; equal results are equal text."""
    return json.dumps(results.model_dump(mode="json"), indent=2, allow_nan=False) + "\n"


def summarise(file: StudyFile, entries: Mapping[str, Entry]) -> Results:
    """Collect the quantities of a finished run.

    Parameters
    ----------
    file : StudyFile
    entries : mapping of str to Entry
        The stored results by stage name.

    Returns
    -------
    Results
    """
    target = file.study.uncertainty.target
    numbers = entries["microstructure"].numbers
    # Stored JSON has sorted keys; phases are listed in the order of their labels.
    phases = dict(sorted(numbers["phases"].items(), key=lambda item: item[1]))
    image = Image(
        shape=numbers["shape"],
        voxel_size=numbers["voxel_size"],
        extent=numbers["extent"],
        phases=phases,
        volume_fractions={phase: numbers["volume_fractions"][phase] for phase in phases},
    )
    quantities = [
        *_fractions(image, entries, target),
        *_transport(entries, target),
        *_tensor(entries, target),
        *_impedance(entries, target),
        *_descriptors(image, entries, target),
        *_mesh(entries),
        *_reaction(entries, target),
        *_flow(entries, target),
        *_uptake(entries, target),
        *_half_cell(entries, target),
        *_half_cell_impedance(entries, target),
        *_mechanics(entries, target),
        *_mechanics_along(entries, target),
        *_particles(entries),
        *_quality(entries),
    ]
    verdict = worst(quantity.verdict for quantity in quantities)
    return Results(
        study=file.study.name, verdict=verdict, microstructure=image, quantities=quantities
    )


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the most serious of some verdicts; "pass" if there is none."""
    order: tuple[Verdict, ...] = ("pass", "warn", "fail")
    return max(verdicts, key=order.index, default="pass")


def _source(entry: Entry) -> str:
    return f"{entry.stage}/{entry.key}"


def _uncertainty(**terms: float | None) -> Uncertainty:
    budget = ErrorBudget(**terms)
    return Uncertainty(**budget.terms, total=budget.total)


def _segmentation(entries: Mapping[str, Entry], name: str, of: str) -> float | None:
    """Return the part of the segmentation in the uncertainty of a quantity, where it is known."""
    entry = entries.get("segmentation")
    if entry is None:
        return None
    found = entry.numbers["quantities"].get(f"{name}/{of}")
    return None if found is None else found["uncertainty"]


def _finite_check(entries: Mapping[str, Entry], name: str, of: str) -> list[Check]:
    """Warn when a quantity is not finite on some plausible segmentations: a part is then unknown.

    A phase may percolate on the chosen labels only.
    """
    entry = entries.get("segmentation")
    share = None if entry is None else entry.numbers["finite"].get(f"{name}/{of}")
    if share is None:
        return []
    return [Check(name="finite_on_segmentations", value=share, limit=1.0, verdict="warn")]


def _budget_check(value: float | None, terms: Uncertainty, target: float) -> list[Check]:
    """Warn when the total uncertainty is a larger share of the value than the study wants."""
    if terms.total is None or not value:
        return []
    share = terms.total / abs(value)
    verdict: Verdict = "pass" if share <= target else "warn"
    return [Check(name="relative_uncertainty", value=share, limit=target, verdict=verdict)]


def _fractions(image: Image, entries: Mapping[str, Entry], target: float) -> Iterable[Quantity]:
    for phase, value in image.volume_fractions.items():
        entry = entries.get(f"fractions/{phase}", entries["microstructure"])
        terms = _uncertainty(
            **entry.numbers.get("uncertainty", {}),
            segmentation=_segmentation(entries, "volume_fraction", phase),
        )
        yield Quantity(
            name="volume_fraction",
            phase=phase,
            direction=None,
            value=value,
            unit="1",
            uncertainty=terms,
            checks=[*_checks_of(entry, phase), *_budget_check(value, terms, target)],
            source=_source(entry),
        )


def _checks_of(entry: Entry, phase: str) -> list[Check]:
    """Return the checks of a study of one phase; the microstructure has none of its own."""
    if entry.numbers.get("phase") != phase:
        return []
    return [Check.model_validate(check) for check in entry.record["checks"]]


def _descriptors(image: Image, entries: Mapping[str, Entry], target: float) -> Iterable[Quantity]:
    entry = entries.get("descriptors")
    if entry is None:
        return
    numbers = entry.numbers
    for name, unit in DESCRIPTOR_UNITS.items():
        changes = numbers["discretisation"].get(name, {})
        for phase, found in _by_label(numbers[name], image):
            # Stored JSON has sorted keys; results are in the order z, y, x.
            by_direction: dict[Direction | None, float | None] = (
                {axis: found[axis] for axis in AXES}
                if isinstance(found, Mapping)
                else {None: found}
            )
            for direction, value in by_direction.items():
                change = changes.get(phase)
                terms = _uncertainty(
                    discretisation=change.get(direction) if isinstance(change, Mapping) else change,
                    segmentation=_segmentation(entries, name, phase),
                )
                yield Quantity(
                    name=name,
                    phase=phase,
                    direction=direction,
                    value=value,
                    text=None if value is not None else _INFINITE[name],
                    unit=unit,
                    uncertainty=terms,
                    checks=[
                        *_finite_check(entries, name, phase),
                        *_budget_check(value, terms, target),
                    ],
                    source=_source(entry),
                )


def _by_label(values: Mapping[str, Any], image: Image) -> list[tuple[str, Any]]:
    """Return values of phases, or of pairs such as "pore/active", in the order of the labels."""
    order = list(image.phases)
    return sorted(values.items(), key=lambda item: [order.index(p) for p in item[0].split("/")])


def _transport(entries: Mapping[str, Entry], target: float) -> Iterable[Quantity]:
    for stage, entry in entries.items():
        if not stage.startswith("transport/"):
            continue
        case = stage.removeprefix("transport/")
        numbers = entry.numbers
        studies = {
            term: entries[f"{term}/{case}"]
            for term in ("discretisation", "sampling")
            if f"{term}/{case}" in entries
        }
        other = entries.get(f"cross_verification/{case}")
        solved = [
            Check.model_validate(check)
            for part in (entry, *studies.values())
            for check in part.record["checks"]
        ]
        for name in ("tortuosity_factor", "relative_diffusivity"):
            value = numbers[name]
            known = {term: part.numbers["uncertainty"][name] for term, part in studies.items()}
            if other is not None and value:
                # What a second method sees differently is an error of the discretisation too.
                gap = abs(other.numbers["extrapolated"][1] / numbers["relative_diffusivity"] - 1.0)
                known["discretisation"] = max(known.get("discretisation") or 0.0, gap * value)
            terms = _uncertainty(
                **known,
                segmentation=_segmentation(entries, name, case),
            )
            yield Quantity(
                name=name,
                phase=numbers["phase"],
                direction=numbers["direction"],
                value=value,
                text=None if value is not None else numbers["message"],
                unit="1",
                uncertainty=terms,
                checks=[
                    *solved,
                    *_finite_check(entries, name, case),
                    *_budget_check(value, terms, target),
                ],
                source=_source(entry),
            )
        yield Quantity(
            name="percolating_fraction",
            phase=numbers["phase"],
            direction=numbers["direction"],
            value=numbers["percolating_fraction"],
            unit="1",
            uncertainty=Uncertainty(),
            checks=[],
            source=_source(entry),
        )


def _tensor(entries: Mapping[str, Entry], target: float) -> Iterable[Quantity]:
    entry = entries.get("homogenize")
    if entry is None:
        return
    numbers = entry.numbers
    solved = [Check.model_validate(check) for check in entry.record["checks"]]
    spread = numbers["discretisation"]
    for name, (row, column) in COMPONENTS.items():
        value = numbers["tensor"][row][column]
        terms = _uncertainty(
            discretisation=None if spread is None else spread[row][column],
            segmentation=_segmentation(entries, "effective_conductivity", name),
        )
        # Off-diagonal terms are close to zero: a relative uncertainty says nothing about them.
        budget = _budget_check(value, terms, target) if row == column else []
        yield Quantity(
            name="effective_conductivity",
            phase=None,
            direction=name,
            value=value,
            unit=numbers["unit"],
            uncertainty=terms,
            checks=[*solved, *budget],
            source=_source(entry),
        )


def _impedance(entries: Mapping[str, Entry], target: float) -> Iterable[Quantity]:
    """Yield what the impedance of the symmetric cell comes to."""
    entry = entries.get("impedance")
    if entry is None:
        return
    numbers = entry.numbers
    missing = {
        "fitted_ionic_resistance": "the frequencies lie on one side of the characteristic one",
        "tortuosity_factor": numbers["message"],
    }
    for name, unit in IMPEDANCE_UNITS.items():
        solved = f"transport/{numbers['phase']}-{numbers['direction']}" in entries
        if name == "tortuosity_factor" and solved:
            continue
        value = numbers[name]
        terms = _uncertainty(discretisation=numbers["discretisation"].get(name))
        yield Quantity(
            name=name,
            phase=numbers["phase"],
            direction=numbers["direction"],
            value=value,
            text=None if value is not None else missing[name],
            unit=unit,
            uncertainty=terms,
            checks=_budget_check(value, terms, target),
            source=_source(entry),
        )


def _mesh(entries: Mapping[str, Entry]) -> Iterable[Quantity]:
    """Yield how good the mesh is, and transport on it."""
    entry = entries.get("mesh")
    if entry is None:
        return
    numbers, nothing = entry.numbers, Uncertainty()
    checks = [Check.model_validate(check) for check in entry.record["checks"]]
    angles = [check for check in checks if "angle" in check.name]
    others = [check for check in checks if check not in angles]
    for name, value, unit, own in (
        ("mesh_cells", numbers["cells"], "1", others),
        ("smallest_dihedral_angle", numbers["smallest_angle"], "deg", angles),
    ):
        yield Quantity(
            name=name,
            phase=None,
            direction=None,
            value=value,
            unit=unit,
            uncertainty=nothing,
            checks=own,
            source=_source(entry),
        )
    for stage, other in entries.items():
        if not stage.startswith("cross_verification/"):
            continue
        # What voxels see differently is an error of the mesh too.
        on_voxels, on_mesh = other.numbers["extrapolated"]
        gap = abs(on_mesh - on_voxels)
        yield Quantity(
            name="mesh_relative_diffusivity",
            phase=other.numbers["phase"],
            direction=other.numbers["direction"],
            value=on_mesh,
            unit="1",
            uncertainty=_uncertainty(discretisation=max(other.numbers["errors"][1], gap)),
            checks=[Check.model_validate(check) for check in other.record["checks"]],
            source=_source(other),
        )


def _reaction(entries: Mapping[str, Entry], target: float) -> Iterable[Quantity]:
    """Yield what the reaction on the interface comes to."""
    entry = entries.get("reaction")
    if entry is None:
        return
    numbers = entry.numbers
    for name, unit in REACTION_UNITS.items():
        terms = _uncertainty(discretisation=numbers["discretisation"].get(name))
        yield Quantity(
            name=name,
            phase=None,
            direction=None,
            value=numbers[name],
            unit=unit,
            uncertainty=terms,
            checks=_budget_check(numbers[name], terms, target),
            source=_source(entry),
        )


def _flow(entries: Mapping[str, Entry], target: float) -> Iterable[Quantity]:
    """Yield what flows through the image, and what it carries, for each direction."""
    for stage, entry in entries.items():
        if not stage.startswith("flow/"):
            continue
        numbers = entry.numbers
        solved = [Check.model_validate(check) for check in entry.record["checks"]]
        for name, condition, value, unit, change in numbers["quantities"]:
            terms = _uncertainty(discretisation=change)
            yield Quantity(
                name=name,
                phase=numbers["phase"],
                direction=numbers["direction"],
                condition=condition,
                value=value,
                text=None if value is not None else f"infinite: {numbers['message']}",
                unit=unit,
                uncertainty=terms,
                checks=[*solved, *_budget_check(value, terms, target)],
                source=_source(entry),
            )


def _uptake(entries: Mapping[str, Entry], target: float) -> Iterable[Quantity]:
    """Yield what species that diffuse and react come to."""
    entry = entries.get("uptake")
    if entry is None:
        return
    solved = [Check.model_validate(check) for check in entry.record["checks"]]
    for name, phase, condition, value, unit, change in entry.numbers["quantities"]:
        terms = _uncertainty(discretisation=change)
        yield Quantity(
            name=name,
            phase=phase,
            direction=None,
            condition=condition,
            value=value,
            unit=unit,
            uncertainty=terms,
            checks=[*solved, *_budget_check(value, terms, target)],
            source=_source(entry),
        )


def _half_cell(entries: Mapping[str, Entry], target: float) -> Iterable[Quantity]:
    """Yield what discharges against lithium come to, for each C-rate."""
    for name, entry in entries.items():
        if not name.startswith("half_cell/"):
            continue
        numbers, rate = entry.numbers, name.removeprefix("half_cell/")
        whole: Verdict = "pass" if numbers["complete"] else "warn"
        ended = Check(name="ended_as_asked", value=None, limit=None, verdict=whole)
        for quantity, unit in HALF_CELL_UNITS.items():
            terms = _uncertainty(discretisation=numbers["discretisation"].get(quantity))
            checks = list(_budget_check(numbers[quantity], terms, target))
            yield Quantity(
                name=quantity,
                phase=None,
                direction=None,
                condition=rate,
                value=numbers[quantity],
                unit=unit,
                uncertainty=terms,
                checks=[*checks, ended] if quantity == "discharge_capacity" else checks,
                source=_source(entry),
            )


def _half_cell_impedance(entries: Mapping[str, Entry], target: float) -> Iterable[Quantity]:
    """Yield resistances of the half cell at rest, for each stoichiometry."""
    for name, entry in entries.items():
        if not name.startswith("half_cell_impedance/"):
            continue
        numbers = entry.numbers
        for quantity, unit in HALF_CELL_IMPEDANCE_UNITS.items():
            terms = _uncertainty(discretisation=numbers["discretisation"].get(quantity))
            yield Quantity(
                name=quantity,
                phase=None,
                direction=None,
                condition=f"stoichiometry {numbers['stoichiometry']:.4g}",
                value=numbers[quantity],
                unit=unit,
                uncertainty=terms,
                checks=_budget_check(numbers[quantity], terms, target),
                source=_source(entry),
            )


# Of other mechanical quantities, near zero or one of many, a relative uncertainty says little.
_BUDGETED = ("swelling_strain", "elastic_energy_density", "young_modulus", "bulk_modulus")


def _mechanics(entries: Mapping[str, Entry], target: float) -> Iterable[Quantity]:
    """Yield what swelling and stiffness come to; the first of a stage has the checks of it."""
    for stage in ("mechanics", "stiffness"):
        entry = entries.get(stage)
        if entry is None:
            continue
        checks = [Check.model_validate(check) for check in entry.record["checks"]]
        if "problem" in entry.numbers:
            yield Quantity(
                name="bulk_modulus",
                phase=None,
                direction=None,
                value=None,
                text=f"no effective stiffness: {entry.numbers['problem']}",
                unit="Pa",
                uncertainty=Uncertainty(),
                checks=[],
                source=_source(entry),
            )
        for row in entry.numbers["quantities"]:
            name, of = row["name"], row["direction"] or "image"
            known = {term: row[term] for term in ("discretisation", "sampling")}
            segmentation = _segmentation(entries, name, of)
            terms = _uncertainty(**known, segmentation=segmentation)
            budget = _budget_check(row["value"], terms, target) if name in _BUDGETED else []
            yield Quantity(
                **{key: row[key] for key in ("name", "phase", "direction", "condition")},
                value=row["value"],
                unit=row["unit"],
                uncertainty=terms,
                checks=[*checks, *_finite_check(entries, name, of), *budget],
                source=_source(entry),
            )
            checks = []


def _mechanics_along(entries: Mapping[str, Entry], target: float) -> Iterable[Quantity]:
    """Yield what the stress along a discharge comes to; the first quantity has the checks."""
    for stage, entry in entries.items():
        if not stage.startswith("mechanics_along/"):
            continue
        rate = stage.removeprefix("mechanics_along/")
        checks = [Check.model_validate(check) for check in entry.record["checks"]]
        for row in entry.numbers["quantities"]:
            terms = _uncertainty(discretisation=row["discretisation"])
            followed = row["name"].removeprefix("largest_")
            budget = _budget_check(row["value"], terms, target) if followed in _BUDGETED else []
            yield Quantity(
                **{key: row[key] for key in ("name", "phase", "direction", "value", "unit")},
                condition=", ".join(filter(None, (row["condition"], rate))),
                uncertainty=terms,
                checks=[*checks, *budget],
                source=_source(entry),
            )
            checks = []


def _particles(entries: Mapping[str, Entry]) -> Iterable[Quantity]:
    """Yield by how much generated particles were grown to meet their fraction."""
    entry = entries["microstructure"]
    if "particles" not in entry.numbers:
        return
    yield Quantity(
        name="particle_growth",
        phase=None,
        direction=None,
        value=entry.numbers["particles"]["growth"],
        unit="1",
        uncertainty=Uncertainty(),
        checks=[Check.model_validate(check) for check in entry.record["checks"]],
        source=_source(entry),
    )


def _quality(entries: Mapping[str, Entry]) -> Iterable[Quantity]:
    """Yield the figures of merit of a segmented scan, each with its check."""
    entry = entries["microstructure"]
    quality = entry.numbers.get("quality")
    if quality is None:
        return
    checks = {check["name"]: Check.model_validate(check) for check in entry.record["checks"]}
    contrasts = quality["contrast_to_noise"]
    rows = [("between_class_variance", None, quality["between_class_variance"], "1")]
    rows += [("contrast_to_noise", pair, value, "1") for pair, value in contrasts.items()]
    rows += [("saturated_voxels", None, quality["saturated"], "1")]
    if quality["ambiguous"] is not None:
        rows.append(("ambiguous_voxels", None, quality["ambiguous"], "1"))
    if quality["resolution"] is not None:
        rows.append(("resolution", None, quality["resolution"], "m"))
    if "floating_solid" in checks:
        rows.append(("floating_solid", None, quality["floating"]["solid"], "1"))
    for name in ("grey_value_balance", "known_fractions_met"):
        if name in checks:
            rows.append((name, None, checks[name].value, "1"))
    worst_pair = min(contrasts, key=lambda pair: contrasts[pair])
    for name, of, value, unit in rows:
        own = [] if of not in (None, worst_pair) else [checks[name]] if name in checks else []
        yield Quantity(
            name=name,
            phase=of,
            direction=None,
            value=value,
            unit=unit,
            uncertainty=Uncertainty(),
            checks=own,
            source=_source(entry),
        )


_INFINITE = {
    "hydraulic_diameter": "infinite: the phase has no surface",
    "mean_chord": "infinite: no line along this axis leaves the phase",
    "geodesic_tortuosity": "infinite: no path leads through the image",
}
COMPONENTS = {"zz": (0, 0), "yy": (1, 1), "xx": (2, 2), "yz": (0, 1), "xz": (0, 2), "xy": (1, 2)}
