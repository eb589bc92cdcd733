"""The section on the stress along a discharge."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from .digits import length, number, percent, readable_unit, scaled, value_with_uncertainty
from .markup import figure, table, text
from .mechanics_along_figures import course_figure, failing_figure, percentiles_figure
from .model import MechanicsAlongView, ReportData
from .words import coarse_problem, quantity_name

__all__ = ["mechanics_along_section"]

_NOT_COVERED = (
    "At each state the solids are in equilibrium with the lithium that is there: what stress does "
    "to lithium is left out, and nothing yields, creeps or cracks, so that a state does not depend "
    "on those before. The uncertainty is that of larger voxels for the stress; the lithium is the "
    "same in both."
)


def mechanics_along_section(data: ReportData) -> str:
    """Return what was assumed, the film, the course over the charge, and the largest values."""
    return "".join(_of(view, data) for view in data.mechanics_along) + (
        f'<p class="remark">{_NOT_COVERED}</p>' if data.mechanics_along else ""
    )


def _of(view: MechanicsAlongView, data: ReportData) -> str:
    body = f"<p>{_assumptions(view)}</p>"
    if view.movie is not None:
        picture = base64.b64encode(view.movie).decode()
        body += figure(
            f'<img alt="Lithium and stress in a plane during the discharge." '
            f'style="max-width: 100%" src="data:image/gif;base64,{picture}">',
            "Lithium and von Mises stress in the middle plane across y. The stress is averaged "
            "within each phase; its scale is logarithmic, as stiff phases bear much more than soft "
            "ones.",
        )
    body += figure(
        course_figure(view, data.micro.extent[0]),
        "Change of the imaged thickness since there was no stress, and the mean pressure over the "
        "whole volume along axes that are held.",
    )
    body += figure(
        percentiles_figure(view, data.micro),
        "So much of the volume of each phase bears no more; stress is averaged over "
        f"{length(view.numbers['averaging_length'], 3)} within each phase.",
    )
    body += figure(
        failing_figure(view),
        "Share that is expected to fail. What has failed is not taken out, so a share that falls "
        "again does not mend.",
    )
    return body + _table(view, data)


def _assumptions(view: MechanicsAlongView) -> str:
    given, numbers = view.parameters["along"], view.numbers
    low, high = min(numbers["strains"]), max(numbers["strains"])
    how = (
        f"{percent(given['strain'], 2)} per unit of stoichiometry"
        if isinstance(given["strain"], (int, float))
        else "by a table"
    )
    return (
        f"The discharge at {given['c_rate']:g} C is followed at {len(view.states_at)} states. "
        f"{text(given['active']).capitalize()} swells with its lithium, {how}; there is no stress "
        f"at a stoichiometry of {numbers['reference']:.3f}. At the mean stoichiometry its linear "
        f"strain is from {percent(low, 2)} to {percent(high, 2)}. Solids and faces are those of "
        f"the section before. The solver took {', '.join(map(str, numbers['iterations']))} "
        f"iterations.{coarse_problem(numbers)}"
    )


def _table(view: MechanicsAlongView, data: ReportData) -> str:
    rate = f"{view.parameters['along']['c_rate']:g}C"
    rows = [
        (
            quantity_name(str(q["name"]).removeprefix("largest_")),
            q["phase"] or q["direction"] or "",
            _shown(q),
            number(view.charge[_at(view, q)], 3),
        )
        for q in data.results.get("quantities", [])
        if str(q["name"]).startswith("largest_") and str(q["condition"]).endswith(rate)
    ]
    return table(
        ("Largest on the way", "Of", "Value", "At A h/m²"),
        rows,
        caption="Farthest from 0 of all states, with its sign; stresses of phases are 95th "
        "percentiles.",
        words=2,
    )


def _at(view: MechanicsAlongView, quantity: Mapping[str, Any]) -> int:
    """Return at which state a quantity is largest; the thickness follows from the strain."""
    name = str(quantity["name"]).removeprefix("largest_").replace("thickness_change", "")
    condition = str(quantity["condition"]).rpartition(", ")[0] or None
    values = view.values(
        name or "swelling_strain",
        phase=quantity["phase"],
        direction=quantity["direction"],
        condition=condition,
    )
    return 0 if values is None else int(abs(values).argmax())


def _shown(quantity: Mapping[str, Any]) -> str:
    value, total = quantity["value"], quantity["uncertainty"]["total"]
    if quantity["unit"] == "1":
        return value_with_uncertainty(100.0 * value, scaled(total, 0.01), "%")
    factor, unit = readable_unit(value, quantity["unit"])
    return value_with_uncertainty(scaled(value, factor), scaled(total, factor), unit)
