"""The section on discharges against lithium: voltage, losses, and lithium in the particles."""

from __future__ import annotations

import base64

import numpy as np

from .digits import length, number, percent, seconds, value_with_uncertainty
from .half_cell_figures import (
    filling_figure,
    losses_figure,
    particles_figure,
    profiles_figure,
    voltage_figure,
)
from .markup import details, figure, table
from .model import HalfCellView, ReportData
from .words import coarse_problem

__all__ = ["half_cell_section"]


def half_cell_section(data: ReportData) -> str:
    """Return what was assumed, the voltage of all rates, and for each what happens inside."""
    views = sorted(data.half_cells, key=lambda view: float(view.parameters["c_rate"]))
    if not views:
        return ""
    body = f"<p>{_assumptions(views[0])}</p><p>{_connection(views[0])}</p>"
    body += _table(views)
    coarse = any(view.coarse is not None for view in views)
    dotted = " Dotted: on voxels twice as large." if coarse else ""
    body += figure(voltage_figure(views), f"Voltage over the charge.{dotted}")
    for view in views:
        inside = _inside(view, data)
        title = f"Inside at {view.parameters['c_rate']:g} C"
        body += details(title, inside) if len(views) > 1 and view is not views[-1] else inside
    return body


def _assumptions(view: HalfCellView) -> str:
    given = view.parameters
    full, empty = view.numbers["stoichiometries"]
    porous = ""
    for name, part in (given["porous_phases"] or {}).items():
        porous += (
            f" {name.capitalize()} holds electrolyte in pores of its own "
            f"({percent(part['porosity'], 0)}, tortuosity factor "
            f"{number(part['tortuosity_factor'], 3)})."
        )
    variation = ""
    if given["variation"]:
        part = given["variation"]
        variation = (
            f" The exchange current density varies at random by {percent(part['deviation'], 0)} "
            f"with a correlation length of {length(part['correlation_length'], 3)}."
        )
    return (
        f"Diffusion of lithium in the active material, electronic conduction in the solid, "
        f"diffusion and migration in the electrolyte, and Butler-Volmer kinetics on every facet of "
        f"the interface, at {number(given['temperature'], 4)} K. Active material: "
        f"{view.numbers['material']}; electrolyte: {view.numbers['electrolyte']}. 1 C takes "
        f"{number(view.numbers['capacity_of_image'], 4)} A h/m², the capacity of this image "
        f"between the stoichiometries {full:.3f} and {empty:.3f}.{porous}{variation}"
    )


def _connection(view: HalfCellView) -> str:
    inactive = view.numbers["inactive"]
    return (
        f"{percent(inactive['active'], 2)} of the active material is not connected to the "
        f"collector, and {percent(inactive['electrolyte'], 2)} of the electrolyte not to the "
        f"separator; with them {percent(inactive['area'], 2)} of the reacting area take no part."
        f"{coarse_problem(view.numbers)}"
    )


def _table(views: list[HalfCellView]) -> str:
    rows = []
    for view in views:
        numbers, change = view.numbers, view.numbers["discretisation"]
        difference = view.numbers.get("voltage_difference")
        rows.append(
            (
                f"{view.parameters['c_rate']:g} C",
                value_with_uncertainty(
                    numbers["discharge_capacity"], change.get("discharge_capacity")
                ),
                percent(numbers["capacity_utilisation"]),
                value_with_uncertainty(numbers["mean_voltage"], change.get("mean_voltage")),
                number(None if difference is None else 1e3 * difference, 2),
                numbers["ended"],
            )
        )
    return table(
        (
            "Rate",
            "Capacity, A h/m²",
            "Of the capacity",
            "Mean voltage, V",
            "Voltage to 2h, mV",
            "Ended because",
        ),
        rows,
        caption="Uncertainties are the change on voxels twice as large, as is the root mean square "
        "difference of the voltage over 95 % of the charge.",
    )


def _inside(view: HalfCellView, data: ReportData) -> str:
    rate = f"{view.parameters['c_rate']:g}"
    body = ""
    if view.movie is not None:
        picture = base64.b64encode(view.movie).decode()
        body += figure(
            f'<img alt="Lithium fills the particles." style="max-width: 100%" '
            f'src="data:image/gif;base64,{picture}">',
            f"Lithium in the middle plane across y during the discharge at {rate} C.",
        )
    body += figure(
        filling_figure(view, data.micro),
        f"Lithium in the middle plane across y at {rate} C; dark grey is active material that "
        "takes no part.",
    )
    body += figure(
        losses_figure(view),
        f"Where the voltage goes at {rate} C: means over the interface, weighted by the current. "
        "They add up to the open-circuit potential at the mean stoichiometry less the voltage.",
    )
    body += figure(
        profiles_figure(view, data.micro),
        f"Means of layers parallel to the collector at {rate} C, by charge passed.",
    )
    body += figure(
        particles_figure(view, data.micro),
        f"How much of its capacity each particle has given at the end, at {rate} C. Particles that "
        "touch are separated where they are narrow, and those at the faces of the image cut.",
    )
    return f"{body}<p>{_particles(view)}</p>"


def _particles(view: HalfCellView) -> str:
    volume, fill, _ = view.arrays["particles"]
    share = volume / volume.sum()
    mean = float((share * fill).sum())
    spread = float(np.sqrt((share * (fill - mean) ** 2).sum()))
    plating = float(view.numbers["plating_area_fraction"])
    risk = (
        f" On {percent(plating, 2)} of the area the active material is below the potential of "
        "lithium metal at the end, which may deposit there."
        if plating > 0.0
        else ""
    )
    particles = "one particle" if len(volume) == 1 else f"{len(volume)} particles"
    return (
        f"At the end the active material holds {mean:.3f} of the lithium it can hold, in "
        f"{particles} whose filling differs by {spread:.3f} (standard deviation by volume). "
        f"{int(view.numbers['steps'])} steps; every balance of lithium and salt was met to "
        f"{number(float(view.numbers['balance']), 1)} before it was made exact."
        f"{risk} It took {seconds(float(view.arrays['curve'][0, -1]))} of battery time."
    )
