"""The section on the cell model: its parameters, and capacities at several rates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .digits import number, value_with_uncertainty
from .drawing import SERIES, drawn
from .markup import details, figure, table, text
from .model import Array, CellView, HalfCellView, ReportData

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
# What must agree between the cell model and a discharge on the image, besides the material.
_SAME = ("active", "pore", "porous_phases")


def cell_section(data: ReportData) -> str:
    """Return the parameters with their uncertainties and sources, and the rate capability."""
    view = data.cell
    if view is None:
        return ""
    found = view.numbers["parameters"]
    named = [(title, found[name]) for name, title in _NAMES.items() if name in found]
    given = view.parameters
    body = ""
    if view.rates is not None:
        body += (
            f"<p>The imaged electrode takes the place of the {text(given['electrode'])} electrode "
            f"of the parameter set {text(given['base'])}. Its Bruggeman exponent is "
            f"{number(view.numbers['bruggeman_exponent'], 3)}; the set has "
            f"{number(view.numbers['guessed_exponent'], 3)}. 1 C takes "
            f"{number(view.numbers['nominal'], 4)} A h/m².</p>"
        )
    if named:
        body += table(("Parameter", "Value", "Unit"), [(t, *_value(part)) for t, part in named])
        sources = "".join(f"<li>{text(title)}: {text(p['source'])}</li>" for title, p in named)
        body += details("Where these numbers are from", f"<ul>{sources}</ul>")
    if view.rates is not None:
        shown = _shown(view, data.half_cells)
        body += figure(_rate_figure(view.rates, shown), _caption(view, view.rates, shown))
    return body + "".join(f"<p>{text(_sentence(note))}</p>" for note in view.numbers["notes"])


def _sentence(note: str) -> str:
    """Return a note with a capital letter in front and a full stop at its end."""
    return f"{note[:1].upper()}{note[1:].rstrip('.')}."


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
    if abs(thickness / view.numbers["image_height"] - 1.0) >= 0.01:
        return ()
    given = view.parameters
    chemistry = f"{given['base']}:{given['electrode']}"
    return tuple(
        cell
        for cell in cells
        if cell.parameters["chemistry"] == chemistry
        # A study file may leave porous phases out, or say that there are none: null or {}.
        and all((cell.parameters[name] or None) == (given[name] or None) for name in _SAME)
    )


def _caption(view: CellView, rates: Array, shown: tuple[HalfCellView, ...]) -> str:
    words = (
        f"Capacity against lithium by rate: the {view.parameters['model']} of PyBaMM with the "
        "parameters of this image"
    )
    if np.isfinite(rates[2]).any():
        words += ", the band with its transport efficiency moved by its uncertainty"
    words += "; dashed, with the Bruggeman exponent of the parameter set."
    if np.isfinite(rates[5]).any():
        words += (
            " In these models lithium reaches the inside of particles through all of their "
            "surface, covered or not. Dotted: spheres so large that their whole surface is the "
            "free one. On the image lithium spreads sideways from the free surface: the two curves "
            "bracket the influence of the covered area. The shape and contacts of particles are in "
            "neither."
        )
    if shown:
        words += " Points: discharges resolved on the image."
    return words


def _rate_figure(rates: Array, shown: tuple[HalfCellView, ...]) -> str:
    c, free, lower, upper, guess, whole = rates
    with drawn("rate-capability", (5.8, 3.1), "Capacity over the C-rate.") as drawing:
        axes = drawing.figure.subplots()
        if np.isfinite(lower).any() and np.isfinite(upper).any():
            axes.fill_between(c, lower, upper, color=SERIES[0], alpha=0.2, linewidth=0)
        axes.plot(c, free, "o-", color=SERIES[0], markersize=3.5, label="parameters of the image")
        axes.plot(c, guess, "--", color=SERIES[1], label="exponent of the set")
        if np.isfinite(whole).any():
            axes.plot(c, whole, ":", color=SERIES[2], label="spheres of free surface")
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
