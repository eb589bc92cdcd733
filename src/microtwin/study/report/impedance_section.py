"""The sections on impedances: of a symmetric cell that blocks, and of a half cell at rest."""

from __future__ import annotations

import math

from .digits import frequency, number, percent, value_with_uncertainty
from .impedance_figures import CM2, blocking_figure, half_cell_figure
from .markup import Html, figure, table
from .model import HalfCellImpedanceView, ImpedanceView, ReportData
from .words import coarse_problem

__all__ = ["half_cell_impedance_section", "impedance_section"]

# Tortuosity factors that differ by less are said to agree.
_SAME = 0.01


def impedance_section(data: ReportData) -> str:
    """Return what was assumed, the ionic resistance by three ways, and the spectrum."""
    view = data.impedance
    if view is None:
        return ""
    body = f"<p>{_assumptions(view, data)}</p>"
    body += _ways(view)
    body += f"<p>{_difference(view)}</p>"
    return body + figure(
        blocking_figure(view),
        "Impedance of one electrode. Left: in the complex plane, with equal axes. The transmission "
        "line has the same resistance and capacitance; its slope is 45° where the charge does not "
        "reach the collector, and its real part ends at a third of the resistance. Far above the "
        "characteristic frequency the current gets no deeper than a pore is wide, and no line "
        "fits. Right: over the frequency.",
    )


def _assumptions(view: ImpedanceView, data: ReportData) -> str:
    given, numbers = view.parameters, view.numbers
    solids = given["solids"] or [n for n in data.micro.phase_names if n != given["phase"]]
    connected = float(numbers["connected_fraction"])
    apart = (
        f" {percent(1.0 - connected, 2)} of the phase is not connected to the separator and takes "
        "no part."
        if connected < 0.9999
        else ""
    )
    return (
        f"Two equal electrodes that charge their double layer and do not react, as in the "
        f"measurement of the ionic resistance: an electrolyte of "
        f"{given['conductivity']:.3g} S/m in {given['phase']}, "
        f"{given['capacitance']:.3g} F/m² on the surface of {' and '.join(solids)}, the "
        f"collector at the low end of {given['direction']} and the separator at the high one. "
        f"Numbers are those of one electrode for the area of the collector. Its walls hold "
        f"{number(numbers['areal_capacitance'], 3)} F/m²; below about "
        f"{frequency(numbers['characteristic_frequency'])}, 1/(2πRC), they are charged over the "
        f"whole depth.{apart}{coarse_problem(numbers)}"
    )


def _ways(view: ImpedanceView) -> str:
    """Return resistance and tortuosity factor from the impedance, a fit and steady diffusion."""
    numbers, change = view.numbers, view.numbers["discretisation"]
    tau, resistance = numbers["impedance_tortuosity_factor"], numbers["ionic_resistance"]
    fitted, steady = numbers["fitted_ionic_resistance"], numbers["tortuosity_factor"]
    of_fraction = float(view.parameters["conductivity"]) * numbers["steady_volume_fraction"]
    straight = numbers["thickness"] / of_fraction  # resistance at a tortuosity factor of 1
    of_fit = change.get("fitted_ionic_resistance")
    of_steady = change.get("tortuosity_factor")
    none = ("–", "–")
    rows = [
        (
            "Impedance: three times the real part at frequency 0",
            _shown(resistance, change.get("ionic_resistance"), CM2),
            _shown(tau, change.get("impedance_tortuosity_factor")),
        ),
        (
            "Transmission line fitted to the spectrum, as in a measurement",
            *(none if fitted is None else (
                _shown(fitted, of_fit, CM2), _shown(fitted, of_fit, tau / resistance)
            )),
        ),
        (
            "Steady diffusion",
            *(("∞", "∞") if steady is None else (
                _shown(steady, of_steady, CM2 * straight), _shown(steady, of_steady)
            )),
        ),
    ]  # fmt: skip
    return table(
        ("", Html("R<sub>ion</sub>, Ω cm²"), "Tortuosity factor"),
        rows,
        caption="Ionic resistance and tortuosity factor by three ways; uncertainties are the "
        "change on voxels twice as large",
    )


def _shown(value: float, change: float | None, factor: float = 1.0) -> str:
    """Return a value and its change on larger voxels, both times a factor."""
    return value_with_uncertainty(factor * value, None if change is None else factor * change)


def _difference(view: ImpedanceView) -> str:
    """Say why the impedance and steady diffusion see different tortuosity factors."""
    numbers = view.numbers
    phase, steady = numbers["phase"], numbers["tortuosity_factor"]
    if steady is None:
        return (
            f"No path of {phase} leads from one end of the image to the other, so steady diffusion "
            "is impossible. Pores that end in themselves are charged all the same, and have an "
            "impedance."
        )
    tau, change = numbers["impedance_tortuosity_factor"], numbers["discretisation"]
    apart = abs(tau / steady - 1.0)
    if apart < _SAME:
        return "The impedance and steady diffusion agree within a per cent."
    names = ("impedance_tortuosity_factor", "tortuosity_factor")
    unresolved = (
        " The difference is smaller than what changes on voxels twice as large, so part of it may "
        "be due to the size of the voxels."
        if abs(tau - steady) < math.hypot(*(change.get(name, 0.0) for name in names))
        else ""
    )
    return (
        f"The tortuosity factor from the impedance is {percent(apart, 0 if apart > 0.1 else 1)} "
        f"{'higher' if tau > steady else 'lower'} than that of steady diffusion. Its current falls "
        "from the full one at the separator to none at the collector, so pores near the separator "
        "count most; and pores that end in themselves are charged, though no steady current passes "
        "them. In an electrode that is thick against its pores and the same at every depth both "
        f"agree.{unresolved}"
    )


def half_cell_impedance_section(data: ReportData) -> str:
    """Return what was assumed, resistances, and the spectra of all stoichiometries."""
    views = sorted(data.half_cell_impedances, key=lambda view: view.numbers["stoichiometry"])
    if not views:
        return ""
    coarse = any(view.coarse is not None for view in views)
    dotted = " Dotted: on voxels twice as large." if coarse else ""
    body = f"<p>{_half_cell_assumptions(views[0])}</p>" + _resistances(views)
    return body + figure(
        half_cell_figure(views),
        "Impedance for the area of the collector, with separator and lithium. Left: in the complex "
        "plane, with equal axes and powers of ten of the frequency marked; towards low frequencies "
        f"the filling of the particles takes it out of the picture. Right: over the frequency."
        f"{dotted}",
    )


def _half_cell_assumptions(view: HalfCellImpedanceView) -> str:
    given, numbers = view.parameters, view.numbers
    return (
        "Small changes about a state at rest: conduction, diffusion of lithium and of salt, and on "
        f"every facet of the interface the reaction beside a double layer of "
        f"{given['double_layer_capacitance']:.3g} F/m², at "
        f"{number(given['temperature'], 4)} K. Active material: {numbers['material']}; "
        f"electrolyte: {numbers['electrolyte']}. The reaction at the lithium electrode adds "
        f"{number(CM2 * numbers['lithium_resistance'], 3)} Ω cm².{coarse_problem(numbers)}"
    )


def _resistances(views: list[HalfCellImpedanceView]) -> str:
    rows = []
    for view in views:
        numbers, change = view.numbers, view.numbers["discretisation"]
        shown = []
        for name in ("cell_resistance", "charge_transfer_resistance"):
            shown.append(_shown(numbers[name], change.get(name), CM2))
        x, rest = numbers["stoichiometry"], numbers["open_circuit_voltage"]
        rows.append((f"{x:.4g}", number(rest, 4), *shown))
    return table(
        ("Stoichiometry", "Open circuit, V", "Real part at 1 kHz, Ω cm²", "Reaction, Ω cm²"),
        rows,
        caption="Resistances for the area of the collector. Reaction: all facets side by side, by "
        "their kinetics alone; in the spectrum it is mixed with the ohmic drop in the pores. "
        "Uncertainties are the change on voxels twice as large.",
    )
