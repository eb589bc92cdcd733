"""The section on the cell model: its parameters, and capacities at several rates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .digits import number, value_with_uncertainty
from .drawing import SERIES, drawn
from .markup import details, figure, table, text
from .model import CellView, HalfCellView, ReportData

__all__ = ["cell_section"]

_NAMES = {
    "thickness": "Thickness",
    "porosity": "Porosity",
    "active_fraction": "Active material that is connected",
    "inert_fraction": "Other solids",
    "liquid_transport_efficiency": "Transport efficiency of the electrolyte",
    "solid_conductivity": "Effective conductivity of the solid",
    "bulk_solid_conductivity": "Conductivity of the active material",
    "specific_surface": "Reacting surface per volume",
    "particle_radius": "Radius of particles",
}


def cell_section(data: ReportData) -> str:
    """Return the parameters with their uncertainties and sources, and the rate capability."""
    view = data.cell
    if view is None:
        return ""
    found = view.numbers["parameters"]
    named = [(title, found[name]) for name, title in _NAMES.items() if name in found]
    given = view.parameters
    body = (
        f"<p>The imaged electrode takes the place of the {given['electrode']} electrode of the "
        f"parameter set {given['base']}. Its Bruggeman exponent is "
        f"{number(view.numbers['bruggeman_exponent'], 3)}; the set has "
        f"{number(view.numbers['guessed_exponent'], 3)}. 1 C takes "
        f"{number(view.numbers['nominal'], 4)} A h/m².</p>"
    )
    body += table(("Parameter", "Value", "Unit"), [(t, *_value(part)) for t, part in named])
    sources = "".join(f"<li>{text(title)}: {text(part['source'])}</li>" for title, part in named)
    body += details("Where these numbers are from", f"<ul>{sources}</ul>")
    body += figure(_rate_figure(view, data.half_cells), _caption(view, data.half_cells))
    if view.numbers["notes"]:
        body += "<p>" + " ".join(view.numbers["notes"]) + "</p>"
    return body


def _value(part: Mapping[str, Any]) -> tuple[Any, str]:
    """Return a value with its uncertainty, lengths in micrometres, and the unit."""
    value, uncertainty, unit = part["value"], part["uncertainty"], part["unit"]
    if unit == "m":
        value, unit = 1e6 * value, "µm"
        uncertainty = None if uncertainty is None else 1e6 * uncertainty
    return value_with_uncertainty(value, uncertainty), "" if unit == "1" else unit


def _shown(view: CellView, cells: tuple[HalfCellView, ...]) -> tuple[HalfCellView, ...]:
    """Return the discharges on the image that belong in the figure: those of the same electrode."""
    thickness = view.numbers["parameters"]["thickness"]["value"]
    same = abs(thickness / view.numbers["image_height"] - 1.0) < 0.01
    return cells if same else ()


def _caption(view: CellView, cells: tuple[HalfCellView, ...]) -> str:
    words = (
        f"Capacity against lithium by rate: the {view.parameters['model']} of PyBaMM with the "
        "parameters of this image"
    )
    rates = view.arrays["rates"]
    if np.isfinite(rates[2]).any():
        words += ", the band with its transport efficiency moved by its uncertainty"
    words += "; dashed, with the Bruggeman exponent of the parameter set."
    if np.isfinite(rates[5]).any():
        words += (
            " In these models lithium reaches the inside of particles through all of their "
            "surface, covered or not. Dotted: spheres so large that their whole surface is the "
            "free one. On the image lithium spreads sideways from the free surface: these two "
            "bracket the truth."
        )
    if _shown(view, cells):
        words += " Points: discharges resolved on the image."
    return words


def _rate_figure(view: CellView, cells: tuple[HalfCellView, ...]) -> str:
    rates = np.asarray(view.arrays["rates"], float)
    c, free, lower, upper, guess, whole = rates
    with drawn("rate-capability", (5.8, 3.1), "Capacity over the C-rate.") as drawing:
        axes = drawing.figure.subplots()
        if np.isfinite(lower).any() and np.isfinite(upper).any():
            axes.fill_between(c, lower, upper, color=SERIES[0], alpha=0.2, linewidth=0)
        axes.plot(c, free, "o-", color=SERIES[0], markersize=3.5, label="parameters of the image")
        axes.plot(c, guess, "--", color=SERIES[1], label="exponent of the set")
        if np.isfinite(whole).any():
            axes.plot(c, whole, ":", color=SERIES[2], label="spheres of free surface")
        shown = _shown(view, cells)
        if shown:
            at = [float(v.parameters["c_rate"]) for v in shown]
            values = [float(v.numbers["discharge_capacity"]) for v in shown]
            errors = [
                float(v.numbers["discretisation"].get("discharge_capacity", 0.0)) for v in shown
            ]
            axes.errorbar(
                at, values, errors, fmt="D", color=SERIES[3], markersize=5, capsize=3,
                label="resolved on the image",
            )  # fmt: skip
        axes.set_xscale("log")
        axes.set_xticks(c, [f"{value:g}" for value in c])
        axes.minorticks_off()
        axes.set_xlabel("C-rate")
        axes.set_ylabel("capacity (A h/m²)")
        axes.set_ylim(bottom=0.0)
        axes.grid(alpha=0.18)
        axes.legend()
    return drawing.html
