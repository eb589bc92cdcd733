"""Electrodes and a BPX file for the tests of this folder."""

from __future__ import annotations

import copy
from typing import Any

from microtwin.upscaling import ElectrodeParameters

# Of a positive electrode, but for the area: half of that of spheres.
NUMBERS = {
    "thickness": 70e-6,
    "porosity": 0.34,
    "active_fraction": 0.58,
    "liquid_transport_efficiency": 0.13,
    "specific_surface": 0.5 * 3 * 0.58 / 5e-6,
    "particle_radius": 5e-6,
    "solid_conductivity": 0.4,
}
UNCERTAINTIES = {"liquid_transport_efficiency": 0.02, "porosity": 0.01}


def electrode(**changes: Any) -> ElectrodeParameters:
    numbers = {name: value for name, value in (NUMBERS | changes).items() if value is not None}
    return ElectrodeParameters.from_numbers(
        source="Made up for a test.", uncertainties=UNCERTAINTIES, **numbers
    )


def _electrode(radius: float, thickness: float, most: float, window: tuple, ocp: str) -> dict:
    return {
        "Thickness [m]": thickness,
        "Porosity": 0.25,
        "Transport efficiency": 0.125,
        "Conductivity [S.m-1]": 0.18,
        "Minimum stoichiometry": window[0],
        "Maximum stoichiometry": window[1],
        "Maximum concentration [mol.m-3]": most,
        "Particle radius [m]": radius,
        "Surface area per unit volume [m-1]": 3 * 0.7 / radius,
        "Diffusivity [m2.s-1]": 4e-15,
        "OCP [V]": ocp,
        "Entropic change coefficient [V.K-1]": 0.0,
        "Reaction rate constant [mol.m-2.s-1]": 3e-6,
    }


TEMPLATE: dict[str, Any] = {
    "Header": {
        "BPX": "1.1.0",
        "Title": "A cell for tests",
        "Description": "Numbers near those of a real cell.",
        "Model": "DFN",
    },
    "Parameterisation": {
        "Cell": {
            "Electrode area [m2]": 0.1,
            "External surface area [m2]": 0.00531,
            "Volume [m3]": 2.42e-05,
            "Number of electrode pairs connected in parallel to make a cell": 1,
            "Lower voltage cut-off [V]": 2.5,
            "Upper voltage cut-off [V]": 4.2,
            "Nominal cell capacity [A.h]": 5.0,
            "Reference temperature [K]": 298.15,
        },
        "Electrolyte": {
            "Cation transference number": 0.26,
            "Diffusivity [m2.s-1]": "8.794e-17 * x * x - 3.972e-13 * x + 4.862e-10",
            "Conductivity [S.m-1]": 0.95,
        },
        "Negative electrode": _electrode(
            5.86e-6, 85e-6, 33133.0, (0.03, 0.9), "0.2 + 1.5 * exp(-30 * x) - 0.1 * x"
        ),
        "Positive electrode": _electrode(5.22e-6, 75e-6, 63104.0, (0.27, 0.85), "4.5 - x"),
        "Separator": {"Thickness [m]": 1.2e-05, "Porosity": 0.47, "Transport efficiency": 0.322},
    },
    "State": {
        "Initial conditions": {
            "Initial temperature [K]": 298.15,
            "Initial electrolyte concentration [mol.m-3]": 1000,
        },
        "Thermal environment": {"Ambient temperature [K]": 298.15},
    },
}


def template() -> dict[str, Any]:
    return copy.deepcopy(TEMPLATE)


def old_template() -> dict[str, Any]:
    """Return the same cell as BPX 0.4."""
    content = template()
    del content["State"]
    content["Header"]["BPX"] = 0.4
    cell = content["Parameterisation"]
    cell["Cell"] |= {"Initial temperature [K]": 298.15, "Ambient temperature [K]": 298.15}
    cell["Electrolyte"]["Initial concentration [mol.m-3]"] = 1000
    return content
