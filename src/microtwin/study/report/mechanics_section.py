"""The section on swelling: thickness, stress, the ligaments that bear most, and what fails."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .digits import length, number, percent, readable_unit, scaled, value_with_uncertainty
from .ligament_figures import ligament_figure
from .markup import Html, figure, table, text
from .mechanics_figures import failure_figure, stress_distribution_figure, stress_figure
from .model import MechanicsView, ReportData
from .words import coarse_problem, quantity_name, sampling_problem

__all__ = ["mechanics_section"]

_MEGAPASCAL, _GIGAPASCAL = 1e6, 1e9
_MEASURES = ("von_mises_stress", "maximum_principal_stress", "hydrostatic_stress")
_FAILURES = ("failing_binder_fraction", "debonding_area_fraction", "cracking_particle_fraction")
_CONDITIONS = ("median", "95th percentile", "99th percentile")
_FACES = {
    "electrode": "The sides are held as the foil and the neighbourhood hold them (rollers), and "
    "flat plates at both ends of z follow the thickness",
    "periodic": "The image repeats itself in all directions",
}
_COMPONENT_WORDS = {"zz": "z", "yy": "y", "xx": "x"}


def mechanics_section(data: ReportData) -> str:
    """Return what was assumed, how much swells, the stress, the ligaments, and what fails."""
    view = data.mechanics
    if view is None:
        return ""
    body = f"<p>{_assumptions(view)}</p><p>{_findings(data, view)}</p>"
    body += f"<h3>Stress</h3>{_stress(data, view)}"
    body += f"<h3>Ligaments</h3>{_ligaments(view)}"
    if view.numbers["failing"]:
        body += f"<h3>What fails</h3>{_failure(data, view)}"
    interface = _INTERFACES[view.parameters["interface"]]
    return body + f'<p class="remark">{_NOT_COVERED.format(interface=interface)}</p>'


_INTERFACES = {
    "voxel": "along the staircase of voxels",
    "smooth": "that cut voxels, as far as labels tell where they are",
}
_NOT_COVERED = (
    "Sampling is the scatter between the eight octants of the image, each solved by itself, over "
    "the root of eight: what varies over longer distances is not in it. Small strains, linear "
    "elastic solids that stick together, and interfaces {interface}. Failure "
    "does not change the stress: nothing cracks, yields or comes off. Material constants are taken "
    "as exact; their error moves the whole field, and its effect on what fails is shown where a "
    "relative error of the field is given. Ligaments that a face of the image cuts meet their "
    "mirror image or the outside there, which a real electrode does not have."
)


def _assumptions(view: MechanicsView) -> str:
    given = view.parameters
    solids = "; ".join(
        f"{text(name)} has a Young's modulus of {number(part['young'] / _GIGAPASCAL, 3)} GPa and a "
        f"Poisson's ratio of {number(part['poisson'], 2)}"
        for name, part in given["materials"].items()
    )
    swelling = " and ".join(
        f"{text(name)} by {_strain_words(strain)}" for name, strain in given["swelling"].items()
    )
    return (
        f"Elastic solids: {solids}; the other phases are void. Swelling: {swelling}. "
        f"{_faces(given)}{_given_means(given)}. Stress is averaged over "
        f"{length(view.numbers['averaging_length'], 3)} within each phase, as single voxels at "
        "edges depend on the grid."
    )


def _strain_words(strain: Any) -> str:
    if isinstance(strain, (int, float)):
        return f"{percent(strain, 2)} in each direction"
    return f"({', '.join(percent(part, 2) for part in strain)}) as zz, yy, xx, yx, zx, zy"


def _faces(given: Mapping[str, Any]) -> str:
    faces = given["faces"]
    if isinstance(faces, str):
        return _FACES[faces]
    words = ", ".join(f"{text(name)} {_condition(part)}" for name, part in faces.items())
    return f"Faces: {words}; axes without a face named repeat themselves"


def _condition(part: Any) -> str:
    if isinstance(part, str):
        return part
    ((kind, value),) = part.items()
    if kind == "displacement":
        return f"moved outwards by {length(value, 3)}"
    if kind == "pressure":
        return f"pushed inwards by {number(value / _MEGAPASCAL, 3)} MPa"
    return f"under ({', '.join(number(v / _MEGAPASCAL, 3) for v in value)}) MPa along z, y, x"


def _given_means(given: Mapping[str, Any]) -> str:
    """Return mean strains and stresses that were asked for, after a semicolon."""
    strains = [f"{name} at {percent(v, 2)}" for name, v in (given["mean_strain"] or {}).items()]
    stresses = [
        f"{name} of {number(v / _MEGAPASCAL, 3)} MPa"
        for name, v in (given["mean_stress"] or {}).items()
    ]
    words = f"; mean strain {' and '.join(strains)} held" if strains else ""
    return words + (
        f"; mean stress {' and '.join(stresses)} (pull is positive)" if stresses else ""
    )


def _findings(data: ReportData, view: MechanicsView) -> str:
    sentences = []
    thickness = _one(data, "swelling_strain", direction="z")
    if thickness is not None:
        change = _one(data, "thickness_change", direction="z")
        shown = _percent_with_uncertainty(thickness)
        sentences.append(
            f"The electrode becomes thicker by <strong>{shown}</strong>, which is "
            f"{_readable(change)} of the {length(data.micro.extent[0], 3)} imaged."
            if thickness["value"] >= 0.0
            else f"The electrode becomes thinner, by <strong>{shown}</strong>."
        )
    held = _all(data, "mean_stress")
    if held:
        words = " and ".join(
            f"{_megapascals(q)} MPa along {_COMPONENT_WORDS[q['direction']]}" for q in held
        )
        sentences.append(
            f"Where it may not grow, the mean stress over the whole volume is {words} (pressure is "
            "negative)."
        )
    energy = _one(data, "elastic_energy_density")
    if energy is not None:
        sentences.append(f"It holds {_readable(energy)} of elastic energy.")
    floating = view.numbers["floating"]
    if floating > 0.0:
        sentences.append(
            f"{percent(floating, 2)} of the solid hangs on nothing and bears nothing from outside."
        )
    sentences.append(f"The solver took {int(view.numbers['iterations'])} iterations.")
    problems = coarse_problem(view.numbers) + sampling_problem(view.numbers)
    return " ".join(sentences) + problems


def _stress(data: ReportData, view: MechanicsView) -> str:
    phases = list(dict.fromkeys(q["phase"] for q in _all(data, "von_mises_stress")))
    rows = [
        (
            phase,
            quantity_name(name),
            *(_megapascals(_one(data, name, phase=phase, condition=c)) for c in _CONDITIONS),
        )
        for phase in phases
        for name in _MEASURES
    ]
    body: str = table(
        ("Phase", "Stress, MPa", *map(str.capitalize, _CONDITIONS)),
        rows,
        caption="Percentiles over the volume of each phase: so much of it bears no more. "
        "Uncertainties join the change on voxels twice as large, averaged over the same length, "
        "with the scatter between eight parts of the image as far as they are known.",
        words=2,
    )
    body += figure(
        stress_figure(data.micro, view.von_mises, view.loads),
        "Von Mises stress in the plane that cuts most of the ligaments with the highest loads; "
        "each phase has its own scale, which ends at the 99.5th percentile. Numbers are ranks.",
    )
    return body + figure(
        stress_distribution_figure(view.distributions, data.micro),
        "Distribution of the von Mises stress over the volume of each phase.",
    )


def _ligaments(view: MechanicsView) -> str:
    loads, listed = view.loads, view.parameters["ligaments"]
    if loads is None:
        return f"<p>{_no_ligaments(view)}</p>"
    found = loads.ligaments
    binder, contacts = found.kind.count("binder"), found.kind.count("contact")
    body = (
        f"<p>{number(binder)} ligaments of {text(found.phases['binder'])} join particles that are "
        f"no more than {length(view.numbers['widest_gap'], 3)} apart, and "
        f"{number(contacts)} pairs of particles touch. Ranks are by the highest von Mises stress "
        "averaged over the length. All of them are in ligaments.csv, which "
        "<code>microtwin export</code> copies.</p>"
    )
    if binder:
        body += figure(
            ligament_figure(loads, count=listed),
            "Left: the ligaments of binder with the highest loads. Then all of them over the "
            "distance of the particles that they join, and contacts over their area.",
        )
    rows = []
    for rank, k in enumerate(loads.top(listed, kind="binder"), 1):
        a, b = found.particles[k]
        rows.append(
            (
                f"{rank}",
                f"{a}–{b}",
                *(number(1e6 * x, 3) for x in found.centre[k]),
                number(1e6 * found.mean_gap[k], 2),
                number(1e12 * found.area[k], 2),
                number(loads.peak_von_mises[k] / _MEGAPASCAL, 3),
                number(loads.normal_stress[k] / _MEGAPASCAL, 3),
                number(1e6 * loads.force[k], 3),
                "yes" if found.touches_border[k] else "no",
            )
        )
    if not rows:
        return body
    return body + table(
        (
            "Rank",
            "Particles",
            "z, µm",
            "y, µm",
            "x, µm",
            "Gap, µm",
            "Area, µm²",
            "Peak, MPa",
            "Along axis, MPa",
            "Force, µN",
            "Cut",
        ),
        rows,
        caption="The ligaments of binder that bear most. Stress and force along the axis are "
        "positive where particles are pulled apart; a face of the image cuts the last column's.",
    )


def _no_ligaments(view: MechanicsView) -> str:
    if not view.parameters["ligaments"]:
        return "Ligaments were not looked for (ligaments: 0)."
    if view.parameters["binder"] is None or view.parameters["particles"] is None:
        return (
            "No ligaments were looked for: name the phases of the particles and of the binder "
            "under mechanics."
        )
    return "No binder joins two particles within the widest gap."


def _failure(data: ReportData, view: MechanicsView) -> str:
    given = view.parameters["strength"]
    body = f"<p>{_strengths(given)}</p>"
    rows = []
    for name in filter(view.numbers["failing"].get, _FAILURES):
        _, low, high = view.numbers["failing"][name]
        quantity = _one(data, name)
        row = (quantity_name(name), _percent_with_uncertainty(quantity))
        between = (f"{percent(low)} to {percent(high)}",) if given["field_error"] else ()
        rows.append((*row, *between))
    error = percent(given["field_error"], 0)
    more = (f"Whole field {error} lower to higher",) if given["field_error"] else ()
    body += table(
        ("Share expected to fail", "Share", *more),
        rows,
        caption="An index is stress over strength; shares are those in which it exceeds 1.",
    )
    if view.binder_index is not None:
        phase = view.parameters["binder"]
        body += figure(
            failure_figure(data.micro, view.binder_index, phase, view.numbers["curves"]),
            f"Left: Drucker and Prager's index of {phase} in the plane with most of it above 1. "
            "Right: the share that fails if all strengths are multiplied by a factor.",
        )
    return body + _cracks(view)


def _strengths(given: Mapping[str, Any]) -> str:
    words = []
    if given["binder"]:
        part = given["binder"]
        words.append(
            f"the binder bears {_mpa(part['tensile'])} of pull and {_mpa(part['compressive'])} of "
            "pressure along one axis (Drucker and Prager)"
        )
    if given["particles"]:
        part = given["particles"]
        price = (
            f"a toughness of {number(part['toughness'] / _MEGAPASCAL, 3)} MPa√m"
            if part["toughness"]
            else f"a fracture energy of {number(part['fracture_energy'], 3)} J/m²"
        )
        flaw = f" and flaws of {length(part['flaw'], 3)}" if part["flaw"] else ""
        words.append(
            f"particles have {price}{flaw}; one counts as cracking if its energy pays for a crack"
            + (" and the flaw grows" if part["flaw"] else "")
        )
    if given["interface"]:
        part = given["interface"]
        words.append(
            f"their interface bears {_mpa(part['normal'])} across and {_mpa(part['shear'])} along"
        )
    scatter = ""
    if given["scatter"]:
        scatter = f" Strengths scatter by {percent(given['scatter'], 0)} (lognormal)."
    elif given["weibull_modulus"]:
        scatter = (
            f" Strengths scatter with Weibull's modulus {number(given['weibull_modulus'], 3)}."
        )
    sentence = "; ".join(words)
    return f"{sentence[:1].upper()}{sentence[1:]}.{scatter}"


def _cracks(view: MechanicsView) -> str:
    cracks = view.numbers["cracks"]
    if cracks is None:
        return ""
    flawed = bool(view.parameters["strength"]["particles"]["flaw"])
    rows = []
    for part in cracks["nearest"]:
        critical = part["critical_flaw"]
        rows.append(
            (
                f"{part['particle']}",
                number(1e6 * part["diameter"], 3),
                number(part["maximum_principal"] / _MEGAPASCAL, 3),
                # Nothing grows where nothing is pulled; stored JSON has no infinity.
                "∞" if critical is None else length(critical, 3),
                *([number(part["flaw_index"], 2)] if flawed else []),
                number(part["energy_index"], 2),
            )
        )
    heads = ["Particle", "Diameter, µm", "Largest pull, MPa", "Smallest flaw that grows"]
    heads += ["Flaw index"] if flawed else []
    return table(
        (*heads, "Energy index"),
        rows,
        caption=f"The particles that are nearest to cracking; {number(cracks['cracking'])} of "
        f"{number(cracks['particles'])} may crack. With an energy index below 1 a particle cannot "
        "break in two, whatever its flaws. Particles are cut by the faces of the image.",
    )


def _mpa(pascals: float) -> str:
    return f"{number(pascals / _MEGAPASCAL, 3)} MPa"


def _all(data: ReportData, name: str) -> list[Mapping[str, Any]]:
    return [q for q in data.results.get("quantities", []) if q["name"] == name]


def _one(data: ReportData, name: str, **of: str) -> Mapping[str, Any] | None:
    """Return the quantity of this name, phase, direction and condition; None if there is none."""
    fitting = (q for q in _all(data, name) if all(q[key] == value for key, value in of.items()))
    return next(fitting, None)


def _percent_with_uncertainty(quantity: Mapping[str, Any] | None) -> str:
    if quantity is None or quantity["value"] is None:
        return "–"
    total = quantity["uncertainty"]["total"]
    shown = None if total is None else 100 * total
    if not shown:
        return percent(quantity["value"], 2)
    return value_with_uncertainty(100 * quantity["value"], shown, "%")


def _megapascals(quantity: Mapping[str, Any] | None) -> Html:
    if quantity is None:
        return Html("–")
    total = scaled(quantity["uncertainty"]["total"], _MEGAPASCAL)
    return text(value_with_uncertainty(scaled(quantity["value"], _MEGAPASCAL), total))


def _readable(quantity: Mapping[str, Any] | None) -> str:
    if quantity is None:
        return "–"
    factor, unit = readable_unit(quantity["value"], quantity["unit"])
    total = scaled(quantity["uncertainty"]["total"], factor)
    return value_with_uncertainty(scaled(quantity["value"], factor), total, unit)
