"""The section on species that diffuse and react: what was assumed, what is left, and where."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .digits import given as given_number
from .digits import length, number, percent, seconds
from .markup import callout, figure, table
from .model import ReportData, UptakeView
from .uptake_figures import (
    concentration_figure,
    course_figure,
    distance_figure,
    frames_figure,
    level_lines,
)
from .words import coarse_problem

__all__ = ["uptake_section"]

NOTHING = 1e-6  # of the highest concentration


def uptake_section(data: ReportData) -> str:
    """Return input, maps, the viable rim, the course over time and the balances."""
    view = data.uptake
    if view is None:
        return ""
    body = f"<p>{_assumptions(view)}{coarse_problem(view.numbers)}</p>" + _input_table(view)
    body += figure(concentration_figure(view, data.micro), _map_words(view, data))
    body += _left_table(view) + _viability(view, data)
    if view.course is not None:
        body += figure(course_figure(view), "Amounts in the image, and since the start.")
        for index, frames in enumerate(view.frames):
            name = view.scales[index][0]
            body += figure(
                frames_figure(view, index, frames, data.micro),
                f"{name} in the same plane at several times.",
            )
    return body + _balances(view)


def _map_words(view: UptakeView, data: ReportData) -> str:
    words = f"Concentration in the middle plane across {view.numbers['shown']['across']}"
    if any(np.isnan(plane).any() for plane in view.planes):
        words += "; grey is what the species does not enter"
    lines = level_lines(view, data.micro)
    if lines:
        of = view.numbers["shown"]["viability"]["of"]
        shown = [f"{given_number(level)} {unit} ({style})" for level, unit, style in lines]
        words += f"; white lines are levels of {of}: {' and '.join(shown)}"
    return words + "."


def _left_table(view: UptakeView) -> str:
    """Return the lowest, mean and highest concentration in the unit in which it was given."""
    scale = {name: (factor, unit) for name, factor, unit in view.scales}
    rows = []
    for name, phase, *values in view.numbers["left"]:
        factor, unit = scale[name]
        # What is left of a species that runs out is rounding.
        shown = [number(factor * v if v > NOTHING * values[-1] else 0.0, 3) for v in values]
        rows.append((name, phase, *shown, unit))
    return table(
        ("Species", "In", "Lowest", "Mean", "Highest", "Unit"),
        rows,
        caption="Concentrations.",
        words=2,
    )


def _assumptions(view: UptakeView) -> str:
    given = view.numbers["shown"]
    duration = given["duration"]
    kind = "Steady state" if duration is None else f"Over {seconds(duration)}"
    walls = (
        "the image repeats along all axes"
        if given["boundary"] == "periodic"
        else "nothing passes faces of the box that are not named"
    )
    words = (
        f"{kind}: diffusion on the embedded boundary, reactions in the volume of phases or on the "
        f"area of interfaces; {walls}."
    )
    if any(part["unsupplied"] for part in view.numbers["species"].values()):
        words += " What no source reaches is left out of a steady state."
    return words


def _input_table(view: UptakeView) -> str:
    given, rows = view.numbers["shown"], []
    for name, factor, unit in view.scales:
        part = given["species"][name]
        diffusivity = ", ".join(f"{given_number(d)} in {p}" for p, d in part["diffusivity"].items())
        supply = ", ".join(_supply(p, s, factor, unit) for p, s in part["supply"].items())
        extra = [f"{given_number(k)} in {p}" for p, k in part["partition"].items()]
        rows.append((name, diffusivity, supply or "none", ", ".join(extra) or "–"))
    reactions = [_reaction(part, view) for part in given["reactions"]]
    return table(
        ("Species", "Diffusivity, m²/s", "Supply", "Partition"), rows, caption="Species.", words=4
    ) + (
        table(("Where", "Rate", "Amounts"), reactions, caption="Reactions.", words=3)
        if reactions
        else ""
    )


def _supply(place: str, given: Mapping[str, float], factor: float, unit: str) -> str:
    if "flux" in given:
        return f"{given_number(given['flux'])} mol/m²/s through {place}"
    level = f"{given_number(factor * given['concentration'])} {unit} at {place}"
    if "permeability" in given:
        level += f" through a wall or film of {given_number(given['permeability'])} m/s"
    return level


def _reaction(part: Mapping[str, Any], view: UptakeView) -> tuple[str, str, str]:
    scale = {name: (factor, unit) for name, factor, unit in view.scales}
    of = part["of"]
    factor, unit = scale[of]
    surface = "/" in part["where"]
    if part["first_order"] is not None:
        rate = f"{given_number(part['first_order'])} {'m/s' if surface else '1/s'} × {of}"
    elif part["zero_order"] is not None:
        rate = f"{_rate(part['zero_order'], surface, factor, unit)} while there is {of}"
    else:
        law = part["michaelis_menten"]
        rate = (
            f"{_rate(law['maximum'], surface, factor, unit)} × {of} / "
            f"({given_number(factor * law['half_saturation'])} {unit} + {of})"
        )
    for name, k in part["limited_by"].items():
        f, u = scale[name]
        rate += f" × {name} / ({given_number(f * k)} {u} + {name})"
    for name, k in part["inhibited_by"].items():
        f, u = scale[name]
        rate += f" / (1 + {name} / {given_number(f * k)} {u})"
    amounts = part["amounts"] or {of: -1.0}
    return part["where"], rate, ", ".join(f"{given_number(a)} {n}" for n, a in amounts.items())


def _rate(value: float, surface: bool, factor: float, unit: str) -> str:
    if surface:
        return f"{given_number(value)} mol/m²/s"
    return f"{given_number(factor * value)} {unit}/s"


def _viability(view: UptakeView, data: ReportData) -> str:
    found, given = view.numbers["viability"], view.numbers["shown"]["viability"]
    if found is None:
        return ""
    _, factor, unit = next(scale for scale in view.scales if scale[0] == given["of"])
    phases = " and ".join(given["phases"])
    level = f"{given_number(factor * given['threshold'])} {unit}"
    share = percent(found["viable_fraction"]) if found["cores"] else "All"
    words = [f"{share} of {phases} has at least {level} {given['of']}"]
    if found["cores"]:
        count = found["cores"]
        cores = "one core" if count == 1 else f"{number(count)} separate cores"
        rim = found["rim"]
        if count == 1:
            radius = length(found["core_radius"], 3)
            cores += f", as much as a ball of {radius} radius"
        words.append(f"{percent(found['core_fraction'])} lies in {cores}")
        if rim[1] is not None:
            words.append(
                f"the core begins at {length(rim[1], 3)} from the source (median; 5th to 95th "
                f"percentile {length(rim[0], 3)} to {length(rim[2], 3)})"
            )
    else:
        words.append("there is no core")
    if found["hypoxic_fraction"] is not None:
        low = f"{given_number(factor * given['hypoxic'])} {unit}"
        words.append(f"{percent(found['hypoxic_fraction'])} has less than {low}")
    body = f"<p>{'; '.join(words)}.</p>"
    if found["unknown"]:
        body += callout(f"{percent(found['unknown'])} of {phases} is out of reach of the species.")
    right = "thickness of the rim where cores begin" if len(view.rim) else "volume by distance"
    counted = given["sources"] or list(view.numbers["shown"]["species"][given["of"]]["supply"])
    source = " or ".join(counted) or "all that is not tissue"
    return body + figure(
        distance_figure(view, data.micro),
        f"Left: {given['of']} by distance from {source}, median and 5th to 95th percentile, and "
        f"the thresholds. Right: {right}.",
    )


def _balances(view: UptakeView) -> str:
    rows = []
    per = "mol/s" if view.numbers["shown"]["duration"] is None else "mol"
    for name, part in view.numbers["species"].items():
        rows += [
            (name, f"{'from' if v >= 0.0 else 'to'} {place}", number(abs(v), 4))
            for place, v in part["inflow"].items()
        ]
        rows += [
            (name, f"{'made' if v > 0.0 else 'used up'} in {place}", number(abs(v), 4))
            for place, v in part["made"].items()
        ]
        if part["stored"] is not None:
            rows.append((name, "in the image at the end", number(part["stored"], 4)))
        rows.append((name, "missing, over all that flows", number(abs(part["balance"]), 1)))
        if part["unsupplied"]:
            rows.append((name, "of its voxels out of reach", percent(part["unsupplied"], 2)))
    return table(
        ("Species", "Balance", per),
        rows,
        caption="Where each species comes from and goes.",
        words=2,
    )
