"""The section on the reaction: where it is, how uneven, and its hot spots."""

from __future__ import annotations

from .digits import length, number, percent
from .markup import figure, table
from .model import ReactionView, ReportData
from .reaction_figures import distribution_figure, maps_figure

__all__ = ["reaction_section"]


def reaction_section(data: ReportData) -> str:
    """Return what was assumed, maps of the current density, and the hot spots."""
    view = data.reaction
    if view is None:
        return ""
    body = f"<p>{_assumptions(view)}</p><p>{_findings(view)}</p>"
    body += figure(
        maps_figure(view, data.micro),
        "Left: current density of the interface in the middle plane across y. Right: current seen "
        "along y, per area of the picture. Colours end at the 99.5th percentile.",
    )
    body += figure(
        distribution_figure(view, data.micro),
        "Left: share of the reacting area by current density, the last bar with all beyond; hot "
        "spots lie beyond the line. "
        "Right: share of the current in each layer.",
    )
    return body + _spots(view)


def _assumptions(view: ReactionView) -> str:
    given = view.parameters
    kinetics = " and ".join(
        f"{number(value, 3)} A/m² on {name}" for name, value in given["active"].items()
    )
    variation = ""
    if given["variation"]:
        part = given["variation"]
        variation = (
            f" in the mean, varying at random by {percent(part['deviation'], 0)} (standard "
            f"deviation) with a correlation length of {length(part['correlation_length'], 3)}"
        )
    return (
        f"Butler-Volmer kinetics with an overpotential of {number(given['overpotential'], 3)} V "
        f"everywhere, at {number(given['temperature'], 4)} K, with an exchange current density of "
        f"{kinetics}{variation}. Ohmic drop and concentrations are left out: what differs from "
        "place to place is due to kinetics and coverings alone."
    )


def _findings(view: ReactionView) -> str:
    numbers = view.numbers
    covered = numbers["blocked_surface_fraction"]
    shut = ""
    if covered > 0.0:
        shut = f"{percent(covered)} of the active surface is covered and does not react. "
    uneven = (
        f"The 95th percentile of the current density is "
        f"{number(numbers['current_concentration_ratio'], 3)} times its mean of "
        f"{number(numbers['interface_current_density'], 3)} A/m²; "
    )
    count = int(numbers["count"])
    if count == 0:
        return shut + uneven + "no place is a hot spot."
    places = "one hot spot carries" if count == 1 else f"{number(count)} hot spots carry"
    return (
        f"{shut}{uneven}{places} {percent(numbers['hot_spot_current_fraction'])} of the current on "
        f"{percent(numbers['hot_spot_area_fraction'])} of the area."
    )


def _spots(view: ReactionView) -> str:
    rows = [
        (*(length(x, 4) for x in place), length(width, 3), number(mean, 3), percent(share, 2))
        for place, width, mean, share in view.numbers["spots"]
    ]
    if not rows:
        return ""
    multiple = number(view.parameters["hot_above"], 3)
    return table(
        ("z", "y", "x", "Diameter", "Mean, A/m²", "Share of current"),
        rows,
        caption=f"The hot spots that carry most: connected regions above {multiple} times the "
        "mean; diameters are those of discs of the same area.",
    )
