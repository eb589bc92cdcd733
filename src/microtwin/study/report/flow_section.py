"""The section on viscous flow: permeability, dispersion, breakthrough, filling."""

from __future__ import annotations

from collections.abc import Sequence

from .digits import length, number, percent, seconds
from .flow_figures import breakthrough_figure, dispersion_figure, flow_figure, tracer_figure
from .markup import callout, figure, table
from .model import FlowView, ReportData
from .words import coarse_problem

__all__ = ["flow_section"]

_DARCY = 9.869233e-13  # m^2
_BOUNDARIES = {
    "faces": "pressures fixed on the two outer faces, sides that the fluid slips along",
    "mirror": "the image joined to its reflection",
    "periodic": "the image repeats",
}
_WALLS = {
    "smooth": "fluid sticks to the interface rebuilt within the voxels",
    "voxel": "fluid sticks to the staircase of voxels",
}


def flow_section(data: ReportData) -> str:
    """Return permeabilities, pictures of the flow, dispersion and breakthrough."""
    views = data.flows
    if not views:
        return ""
    first = views[0].numbers
    body = (
        f"<p>Slow viscous flow through {first['phase']}: {_BOUNDARIES[first['boundary']]}; "
        f"{_WALLS[first['interface']]}.{coarse_problem(first)}</p>"
    )
    body += "".join(callout(v.numbers["message"]) for v in views if not v.numbers["percolates"])
    body += _permeabilities(views)
    for view in views:
        body += figure(
            flow_figure(view),
            f"Flow along {view.numbers['direction']}, middle plane. Colours of the speed end at "
            "the 99.5th percentile.",
        )
    return body + _dispersion(views) + _breakthrough(views) + _filling(views)


def _permeabilities(views: Sequence[FlowView]) -> str:
    rows = []
    for view in views:
        numbers = view.numbers
        found = {q[0]: q[2] for q in numbers["quantities"]}
        k = found["permeability"]
        rows.append(
            (
                numbers["direction"],
                "∞" if k is None else f"{number(k, 4)} m²",
                "∞" if k is None else f"{number(k / _DARCY, 4)} D",
                number(found.get("hydraulic_tortuosity"), 3),
                percent(numbers["percolating_fraction"]),
                number(numbers["iterations"]),
                number(numbers["flux_spread"], 2),
            )
        )
    head = ("Along", "Permeability", "in darcy", "Streamlines", "Percolating", "Iterations")
    return table(
        (*head, "Flux spread"),
        rows,
        caption="Permeability; length of streamlines over that of the image; share of the phase "
        "that percolates; spread of the flux between layers.",
    )


def _dispersion(views: Sequence[FlowView]) -> str:
    known = [view for view in views if view.numbers["dispersion"] is not None]
    if not known:
        return ""
    rows, body = [], ""
    for view in known:
        part = view.numbers["dispersion"]
        for n, peclet in enumerate(part["peclet"]):
            rows.append(
                (
                    view.numbers["direction"],
                    number(peclet, 3),
                    number(part["longitudinal"][n], 4),
                    number(part["transverse"][n], 4),
                    number(part["cell_peclet"][n], 2),
                    percent(part["numerical_share"][n]),
                )
            )
        if max(part["numerical_share"]) > 0.1:
            body += callout(part["message"])
    extent = length(known[0].numbers["dispersion"]["length"], 3)
    body += figure(
        dispersion_figure(known),
        f"Dispersion over the molecular diffusivity; Péclet numbers with a length of {extent} and "
        "the mean velocity in the pores. Dotted: without flow.",
    )
    return body + table(
        ("Along", "Péclet", "Along the flow", "Across", "Of a voxel", "By the scheme"),
        rows,
        caption="Dispersion over diffusivity, the largest Péclet number of a voxel, and the share "
        "of the dispersion that the scheme adds.",
    )


def _breakthrough(views: Sequence[FlowView]) -> str:
    known = [view for view in views if view.numbers["breakthrough"] is not None]
    if not known:
        return ""
    body = ""
    for view in known:
        part = view.numbers["breakthrough"]
        kind = "a step" if part["pulse"] is None else f"a pulse of {seconds(part['pulse'])}"
        words = (
            f"Along {view.numbers['direction']}, {kind} of a tracer with a diffusivity of "
            f"{number(part['diffusivity'], 3)} m²/s, retardation {number(part['retardation'], 3)}, "
            f"mean velocity in the pores {number(part['velocity'], 3)} m/s. {part['message']}"
        )
        if part["fit"] is not None:
            fit = part["fit"]
            words += (
                f" The column with the same curve has a dispersion of "
                f"{number(fit['dispersion'], 3)} m²/s, "
                f"{number(fit['dispersion'] / part['diffusivity'], 3)} times the diffusivity, and "
                f"a velocity of {number(fit['velocity'] / part['velocity'], 3)} times the mean."
            )
        words += f" Balance of the tracer: {number(part['balance'], 1)}."
        body += f"<p>{words}</p>"
    body += figure(
        breakthrough_figure(known),
        "Concentration of the effluent, averaged over the flow; a tracer that nothing holds back "
        "and nothing spreads would arrive after one pore volume.",
    )
    for view in known:
        body += figure(
            tracer_figure(view),
            f"The tracer in the middle plane, flow along {view.numbers['direction']}.",
        )
    return body


def _filling(views: Sequence[FlowView]) -> str:
    rows = []
    for view in views:
        part = view.numbers["filling"]
        if part is None:
            continue
        time = "never: it does not wet" if part["seconds"] is None else seconds(part["seconds"])
        rows.append(
            (
                view.numbers["direction"],
                time,
                f"{number(part['capillary_pressure'] / 1e3, 3)} kPa",
                length(part["pore_radius"], 3),
                length(part["length"], 3),
            )
        )
    if not rows:
        return ""
    return table(
        ("Along", "Filled after", "Capillary pressure", "Radius of pores", "Over"),
        rows,
        caption="A wetting liquid that is sucked in, an estimate within a factor of a few.",
    )
