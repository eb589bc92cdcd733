"""Sections with results: the key table, transport and tensors."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ...microstructure import AXES
from ..stages import DESCRIPTOR_UNITS
from .digits import (
    length,
    number,
    percent,
    readable_unit,
    rounded_like,
    scaled,
    uncertainty_term,
    unit_html,
    value_with_uncertainty,
)
from .markup import Html, badge, callout, details, figure, muted, table, text, verdict_kind
from .model import ReportData, TransportView
from .transport_figures import curves_figure, fields_figure
from .words import does_not_percolate, is_infinite, percolation_sentences, quantity_name

__all__ = ["results_section", "tensors_section", "transport_section"]

_SOURCES = ("discretisation", "sampling", "segmentation", "material")
_CASE = ("phase", "direction", "condition")
_NOT_ESTIMATED = "–"
# Figures of merit of a scan, which the section about it shows.
_OF_THE_SCAN = (
    "between_class_variance",
    "contrast_to_noise",
    "saturated_voxels",
    "ambiguous_voxels",
    "resolution",
    "floating_solid",
    "grey_value_balance",
    "known_fractions_met",
)
# Percentiles of the stress, which the section about it shows.
_OF_THE_STRESS = ("von_mises_stress", "maximum_principal_stress", "hydrostatic_stress")
_SHOWN_ELSEWHERE = (*_OF_THE_SCAN, *_OF_THE_STRESS, *DESCRIPTOR_UNITS)


def results_section(data: ReportData) -> str:
    """Return the table of results with their error budgets, and the verdicts on each."""
    quantities = data.results.get("quantities", [])
    body = "".join(callout(sentence) for sentence in percolation_sentences(data))
    if not quantities:
        return body + "<p>The study lists no quantities.</p>"
    sources = [s for s in _SOURCES if any(_uncertainty(q).get(s) is not None for q in quantities)]
    missing = [s for s in _SOURCES if s not in sources]
    # The value carries the total already; beside three sources the page has no room for it.
    shown = [*sources, "total"] if len(sources) < 3 else sources
    body += table(
        ["Quantity", "Of", "Value", *map(str.capitalize, shown), "Checks"],
        [_quantity_row(q, shown) for q in quantities if q.get("name") not in _SHOWN_ELSEWHERE],
        caption="Results with their standard uncertainties, in the unit of the value",
        words=2,
    )
    nowhere = f" The part of {' and '.join(missing)} was not estimated at all." if missing else ""
    body += (
        '<p class="remark">The uncertainties are absolute standard uncertainties; the total is the '
        "root of the sum of the squares of those that are known. A dash stands for a source "
        f"that was not estimated; it is not zero.{nowhere}</p>"
    )
    checks = [(q, check) for q in quantities for check in q.get("checks") or []]
    if checks:
        failed = any(verdict_kind(check.get("verdict")) == "bad" for _, check in checks)
        body += details(f"All {len(checks)} checks", _checks_table(checks), shown=failed)
    return body


def _place(quantity: Mapping[str, Any]) -> str:
    """Return "pore, z": phase, direction and condition as far as there are any."""
    return ", ".join(str(quantity[key]) for key in _CASE if quantity.get(key))


def _uncertainty(quantity: Mapping[str, Any]) -> Mapping[str, Any]:
    return quantity.get("uncertainty") or {}


def _quantity_row(quantity: Mapping[str, Any], sources: Iterable[str]) -> list[Any]:
    value, unit = quantity.get("value"), quantity.get("unit")
    budget = _uncertainty(quantity)
    factor, unit = readable_unit(value, unit)
    value, total = scaled(value, factor), scaled(budget.get("total"), factor)
    if does_not_percolate(quantity):
        shown: Any = "∞ (does not percolate)"
    elif value is None:
        shown = quantity.get("text") or "–"
    else:
        shown = Html(f"<strong>{text(value_with_uncertainty(value, total, unit))}</strong>")
    return [
        quantity_name(quantity.get("name")),
        Html(text(_place(quantity) or "–").replace("/", "/<wbr>")),
        shown,
        *(_term(scaled(budget.get(source), factor), value) for source in sources),
        _verdict(quantity.get("checks") or []),
    ]


def _term(term: Any, value: Any) -> Any:
    if term is None or (isinstance(term, float) and math.isnan(term)):
        return muted(_NOT_ESTIMATED)
    return uncertainty_term(term, value)


def _verdict(checks: list[Mapping[str, Any]]) -> Any:
    if not checks:
        return muted("none")
    kinds = [verdict_kind(check.get("verdict")) for check in checks]
    bad, notes = kinds.count("bad"), kinds.count("note")
    if bad:
        return badge("bad", f"{bad} of {len(kinds)} failed")
    if notes:
        return badge("note", f"{notes} of {len(kinds)} to note")
    return badge("good", f"{len(kinds)} passed")


def _checks_table(checks: list[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> str:
    rows = [
        [
            quantity_name(q.get("name")),
            _place(q) or "–",
            str(check.get("name", "–")).replace("_", " "),
            number(check.get("value"), 3),
            number(check.get("limit"), 3),
            badge(verdict_kind(check.get("verdict")), check.get("verdict", "–")),
        ]
        for q, check in checks
    ]
    return table(["Quantity", "Of", "Check", "Value", "Limit", "Verdict"], rows, words=3)


def transport_section(data: ReportData) -> str:
    """Return numbers and pictures of each solved transport problem."""
    if not data.transport:
        return ""
    names = [name for name in _HEADS if any(name in view.numbers for view in data.transport)]
    rows = [
        [
            f"{view.phase}, {view.direction}",
            f"{view.boundary}, {view.interface}",
            *(_transport_number(name, view.numbers.get(name)) for name in names),
        ]
        for view in data.transport
    ]
    head = ["Phase, direction", "Boundary, interface", *(_HEADS[name] for name in names)]
    return table(head, rows, caption="Solved problems", words=2) + "".join(
        f'<article id="transport-{i}">{_transport(view, i)}</article>'
        for i, view in enumerate(data.transport)
    )


_HEADS = {
    "tortuosity_factor": "τ",
    "relative_diffusivity": Html("D<sub>eff</sub>/D<sub>0</sub>"),
    "volume_fraction": "ε",
    "label_fraction": "ε by voxels",
    "percolating_fraction": "Percolates",
    "iterations": "Iterations",
    "residual": "Residual",
    "flux_spread": "Flux spread",
}


def _transport(view: TransportView, index: int) -> str:
    body = (
        f"<h3>{text(view.phase)} along {text(view.direction)} "
        f"<small>{text(view.boundary)} boundary, {text(view.interface)} interface</small></h3>"
    )
    if message := view.numbers.get("message"):
        body += callout(message) if is_infinite(view) else f"<p>{text(message)}</p>"
    fields = figure(
        fields_figure(view, f"fields-{index}"),
        f"Middle {''.join(view.slice_axes)} slice. Flux and dissipation are cut at their 99th and "
        "99.5th percentile; bright dissipation marks the bottlenecks. Outside the phase is grey.",
        "wide",
    )
    if not fields:
        body += '<p class="remark">There is no field to picture for this solve.</p>'
    curves = figure(
        curves_figure(view, f"curves-{index}"),
        "Through-flux of each layer (the same in all when converged), and residual of the solver.",
    )
    return body + fields + curves


def _transport_number(name: str, value: Any) -> str:
    if name == "percolating_fraction":
        return percent(value)
    if name in ("residual", "flux_spread"):
        return number(value, 2)
    return number(value)


def tensors_section(data: ReportData) -> str:
    """Return each effective tensor with its principal values and directions."""
    return "".join(_tensor(tensor) for tensor in data.tensors)


def _tensor(entry: Mapping[str, Any]) -> str:
    unit = unit_html(entry.get("unit"))
    body = f"<h3>{text(quantity_name(entry.get('name', 'tensor')))}"
    body += f" <small>in {text(unit)}</small></h3>" if unit else " <small>relative</small></h3>"
    matrix = np.asarray(entry["tensor"], float)
    largest = float(np.abs(matrix).max())
    rows = [
        [axis, *(rounded_like(float(value), largest) for value in row)]
        for axis, row in zip(AXES, matrix, strict=True)
    ]
    body += '<div class="pair">' + table(["", *AXES], rows, caption="Tensor")
    values, directions = entry.get("principal_values"), entry.get("principal_directions")
    if values is not None and directions is not None:
        columns = np.asarray(directions, float).T
        body += table(
            ["Principal value", "z", "y", "x", "Angle to z"],
            [
                [
                    rounded_like(float(value), largest),
                    *(rounded_like(float(part), 1.0, 4) for part in column),
                    _angle_to_z(column),
                ]
                for value, column in zip(values, columns, strict=True)
            ],
            caption="Principal values and unit vectors of their directions",
            words=0,
        )
    body += "</div>"
    if (ratio := entry.get("anisotropy_ratio")) is not None:
        body += f"<p>Anisotropy ratio (largest over smallest principal value): {number(ratio)}.</p>"
    return body


def _angle_to_z(direction: np.ndarray) -> str:
    size = float(np.linalg.norm(direction))
    cosine = min(1.0, abs(float(direction[0])) / size) if size else math.nan
    return f"{math.degrees(math.acos(cosine)):.0f}°" if math.isfinite(cosine) else "–"


def voxel_words(data: ReportData) -> str:
    """Return the voxel size for the line under the title."""
    return " × ".join(dict.fromkeys(length(value) for value in data.micro.voxel_size))
