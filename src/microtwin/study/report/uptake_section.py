"""The section on species that diffuse and react: what was assumed, what is left, and where."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .digits import length, number, percent, seconds
from .markup import callout, figure, table
from .model import ReportData, UptakeView
from .uptake_figures import (
    concentration_figure,
    course_figure,
    distance_figure,
    frames_figure,
)
from .words import coarse_problem

__all__ = ["uptake_section"]


def uptake_section(data: ReportData) -> str:
    """Return input, maps, the viable rim, the course over time and the balances."""
    view = data.uptake
    if view is None:
        return ""
    body = f"<p>{_assumptions(view)}{coarse_problem(view.numbers)}</p>" + _input_table(view)
    body += figure(
        concentration_figure(view, data.micro),
        "Concentration in the middle plane across y; grey is what the species does not enter"
        + (", and the white line the border of the core." if view.core_plane is not None else "."),
    )
    body += _viability(view)
    if view.course is not None:
        body += figure(course_figure(view), "Amounts in the image since the start.")
        body += figure(frames_figure(view, data.micro), "The first species at several times.")
    return body + _balances(view)


def _assumptions(view: UptakeView) -> str:
    given = view.numbers["shown"]
    duration = given["duration"]
    kind = "Steady state" if duration is None else f"Over {seconds(duration)}"
    walls = (
        "the image repeats along all axes"
        if given["boundary"] == "periodic"
        else "nothing passes faces of the box that are not named"
    )
    return (
        f"{kind}: diffusion on the embedded boundary, reactions in the volume of phases or on the "
        f"area of interfaces; {walls}. What no source reaches is left out of a steady state."
    )


def _input_table(view: UptakeView) -> str:
    given, rows = view.numbers["shown"], []
    for name, factor, unit in view.scales:
        part = given["species"][name]
        diffusivity = ", ".join(f"{number(d, 3)} in {p}" for p, d in part["diffusivity"].items())
        supply = ", ".join(_supply(p, s, factor, unit) for p, s in part["supply"].items())
        extra = [f"{number(k, 3)} in {p}" for p, k in part["partition"].items()]
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
        return f"{number(given['flux'], 3)} mol/m²/s through {place}"
    level = f"{number(factor * given['concentration'], 4)} {unit} at {place}"
    if "permeability" in given:
        level += f" behind a film of {number(given['permeability'], 3)} m/s"
    return level


def _reaction(part: Mapping[str, Any], view: UptakeView) -> tuple[str, str, str]:
    scale = {name: (factor, unit) for name, factor, unit in view.scales}
    of = part["of"]
    factor, unit = scale[of]
    surface = "/" in part["where"]
    if part["first_order"] is not None:
        rate = f"{number(part['first_order'], 3)} {'m/s' if surface else '1/s'} × {of}"
    elif part["zero_order"] is not None:
        rate = f"{_rate(part['zero_order'], surface, factor, unit)} while there is {of}"
    else:
        law = part["michaelis_menten"]
        rate = (
            f"{_rate(law['maximum'], surface, factor, unit)} × {of} / "
            f"({number(factor * law['half_saturation'], 3)} {unit} + {of})"
        )
    for name, k in part["limited_by"].items():
        f, u = scale[name]
        rate += f" × {name} / ({number(f * k, 3)} {u} + {name})"
    for name, k in part["inhibited_by"].items():
        f, u = scale[name]
        rate += f" / (1 + {name} / {number(f * k, 3)} {u})"
    amounts = part["amounts"] or {of: -1.0}
    return part["where"], rate, ", ".join(f"{number(a, 3)} {n}" for n, a in amounts.items())


def _rate(value: float, surface: bool, factor: float, unit: str) -> str:
    if surface:
        return f"{number(value, 3)} mol/m²/s"
    return f"{number(factor * value, 3)} {unit}/s"


def _viability(view: UptakeView) -> str:
    found, given = view.numbers["viability"], view.numbers["shown"]["viability"]
    if found is None:
        return ""
    _, factor, unit = next(scale for scale in view.scales if scale[0] == given["of"])
    phases = " and ".join(given["phases"])
    level = f"{number(factor * given['threshold'], 3)} {unit}"
    words = [f"{percent(found['viable_fraction'])} of {phases} has at least {level} {given['of']}"]
    if found["cores"]:
        count = found["cores"]
        cores = "one core" if count == 1 else f"{number(count)} separate cores"
        rim = found["rim"]
        words.append(
            f"{percent(found['core_fraction'])} lies in {cores}, behind a rim of "
            f"{length(rim[1], 3)} (median; 5th to 95th percentile {length(rim[0], 3)} to "
            f"{length(rim[2], 3)})"
        )
    else:
        words.append("there is no core")
    if found["hypoxic_fraction"] is not None:
        low = f"{number(factor * given['hypoxic'], 3)} {unit}"
        words.append(f"{percent(found['hypoxic_fraction'])} has less than {low}")
    body = f"<p>{'; '.join(words)}.</p>"
    if found["unknown"]:
        body += callout(f"{percent(found['unknown'])} of {phases} is out of reach of the species.")
    right = "thickness of the rim where cores begin" if len(view.rim) else "volume by distance"
    return body + figure(
        distance_figure(view),
        f"Left: {given['of']} by distance from the source, median and 5th to 95th percentile, and "
        f"the thresholds. Right: {right}.",
    )


def _balances(view: UptakeView) -> str:
    rows = []
    per = "mol/s" if view.numbers["shown"]["duration"] is None else "mol"
    for name, part in view.numbers["species"].items():
        rows += [(name, f"from {place}", number(v, 4)) for place, v in part["inflow"].items()]
        rows += [(name, f"made in {place}", number(v, 4)) for place, v in part["made"].items()]
        if part["stored"] is not None:
            rows.append((name, "in the image at the end", number(part["stored"], 4)))
        rows.append((name, "missing, over all that flows", number(part["balance"], 1)))
        if part["unsupplied"]:
            rows.append((name, "of its voxels out of reach", percent(part["unsupplied"], 2)))
    return table(
        ("Species", "Balance", per),
        rows,
        caption="Where each species comes from and goes.",
        words=2,
    )
