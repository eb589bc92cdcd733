from __future__ import annotations

import sys

import numpy as np
import pytest

from microtwin.electrochemistry import material_from_pybamm
from microtwin.upscaling import (
    electrode_capacity,
    half_cell_parameters,
    model_options,
    rate_capability,
    to_pybamm,
)
from upscaling.electrodes import electrode

pybamm = pytest.importorskip("pybamm")
FARADAY = 96485.33212
POINTS = {"x_n": 6, "x_s": 6, "x_p": 12, "r_n": 10, "r_p": 10}


def discharged(values, options, model="SPMe", end=60.0):
    simulation = pybamm.Simulation(
        getattr(pybamm.lithium_ion, model)(options), parameter_values=values, var_pts=POINTS
    )
    return simulation.solve([0.0, end])


@pytest.mark.parametrize("side", ["positive", "negative"])
def test_the_model_has_the_measured_numbers(side):
    given = electrode()
    solution = discharged(to_pybamm(given, "Chen2020", side), model_options(given))
    found = {
        name: solution[f"X-averaged {side} {name}"].entries[-1]
        for name in (
            "electrolyte transport efficiency",
            "electrode transport efficiency",
            "electrode surface area to volume ratio [m-1]",
            "electrode interface utilisation",
        )
    }
    assert found["electrolyte transport efficiency"] == pytest.approx(0.13, rel=1e-12)
    # The conductivity is effective already.
    assert found["electrode transport efficiency"] == 1.0
    area = found["electrode surface area to volume ratio [m-1]"]
    area *= found["electrode interface utilisation"]
    assert area == pytest.approx(given.specific_surface.value, rel=1e-12)


def test_area_counts_in_the_kinetics():
    # A small current over half the area has twice the overpotential.
    overpotentials = []
    for share in (1.0, 0.5):
        given = electrode(specific_surface=share * 3 * 0.58 / 5e-6)
        values = to_pybamm(given)
        values["Current function [A]"] = 1e-3
        solution = discharged(values, model_options(given), end=1.0)
        name = "X-averaged positive electrode reaction overpotential [V]"
        overpotentials.append(solution[name].entries[0])
    assert overpotentials[1] / overpotentials[0] == pytest.approx(2.0, rel=1e-3)


def test_capacity_and_start():
    given = electrode()
    values = to_pybamm(given, "Chen2020", stoichiometries=(0.27, 0.9))
    most = values["Maximum concentration in positive electrode [mol.m-3]"]
    expected = FARADAY * most * 0.63 * 0.58 * 70e-6 / 3600
    assert electrode_capacity(given, most, (0.27, 0.9)) == pytest.approx(expected, rel=1e-9)
    area = values["Electrode height [m]"] * values["Electrode width [m]"]
    assert values["Nominal cell capacity [A.h]"] == pytest.approx(expected * area, rel=1e-9)
    assert values["Current function [A]"] == values["Nominal cell capacity [A.h]"]
    assert values["Initial concentration in positive electrode [mol.m-3]"] == 0.27 * most
    # By default in equilibrium at the ends of the window; the negative one is full when charged.
    for side, charged in (("positive", 0), ("negative", 1)):
        values = to_pybamm(given, "Chen2020", side)
        material = material_from_pybamm(f"Chen2020:{side}")
        start = values[f"Initial concentration in {side} electrode [mol.m-3]"]
        assert start / material.maximum_concentration == pytest.approx(
            material.stoichiometries[charged]
        )


def test_what_was_not_measured_stays():
    given = electrode(solid_conductivity=None)
    base = pybamm.ParameterValues("Ecker2015")
    before = dict(base.items())
    values = to_pybamm(given, base)
    assert dict(base.items()) == before
    changed = {key for key in values if key not in before or values[key] != before[key]}
    assert changed == {
        "Positive electrode thickness [m]",
        "Positive electrode porosity",
        "Positive electrode active material volume fraction",
        "Positive particle radius [m]",
        "Positive electrode Bruggeman coefficient (electrolyte)",
        "Initial positive electrode interface utilisation",
        "Initial negative electrode interface utilisation",
        "Initial concentration in positive electrode [mol.m-3]",
        "Nominal cell capacity [A.h]",
        "Current function [A]",
    }


def test_options():
    assert model_options(electrode()) == {"interface utilisation": "constant"}
    spheres = electrode(specific_surface=3 * 0.58 / 5e-6)
    assert model_options(spheres) == {}
    assert model_options(spheres, half_cell=True) == {"working electrode": "positive"}


@pytest.mark.parametrize("half", [False, True])
def test_round_trip_through_the_json_of_pybamm(half, tmp_path):
    given = electrode()
    values = (half_cell_parameters if half else to_pybamm)(given)
    values.to_json(str(tmp_path / "set.json"))
    again = pybamm.ParameterValues.from_json(tmp_path / "set.json")
    assert set(again.keys()) == set(values.keys())
    for key in values:
        if not callable(values[key]):
            assert again[key] == values[key], key
    options = model_options(given, half_cell=half)
    first, second = (discharged(v, options)["Voltage [V]"].entries[-1] for v in (values, again))
    assert second == pytest.approx(first, abs=1e-6)


def by_hand(side):
    """Return the half cell written out, with functions of the set under the positive keys."""
    source, lithium = pybamm.ParameterValues("Chen2020"), pybamm.ParameterValues("Xu2019")
    title = side.capitalize()
    material = material_from_pybamm(f"Chen2020:{side}")
    first, last = material.stoichiometries
    most = material.maximum_concentration
    capacity = FARADAY * most * (last - first) * 0.58 * 70e-6 / 3600 * 0.065 * 1.58
    values = {
        "Positive electrode thickness [m]": 70e-6,
        "Positive electrode porosity": 0.34,
        "Positive electrode active material volume fraction": 0.58,
        "Positive particle radius [m]": 5e-6,
        "Positive electrode Bruggeman coefficient (electrolyte)": np.log(0.13) / np.log(0.34),
        "Positive electrode Bruggeman coefficient (electrode)": 0.0,
        "Positive electrode conductivity [S.m-1]": 0.4,
        "Positive electrode charge transfer coefficient": 0.5,
        "Positive electrode double-layer capacity [F.m-2]": 0.2,
        "Positive electrode OCP entropic change [V.K-1]": 0.0,
        "Positive electrode OCP [V]": source[f"{title} electrode OCP [V]"],
        "Positive particle diffusivity [m2.s-1]": source[f"{title} particle diffusivity [m2.s-1]"],
        "Positive electrode exchange-current density [A.m-2]": source[
            f"{title} electrode exchange-current density [A.m-2]"
        ],
        "Maximum concentration in positive electrode [mol.m-3]": most,
        "Initial concentration in positive electrode [mol.m-3]": first * most,
        "Initial positive electrode interface utilisation": 0.5,
        "Initial negative electrode interface utilisation": 1.0,
        "Lower voltage cut-off [V]": material.voltage_window[0],
        "Upper voltage cut-off [V]": material.voltage_window[1],
        "Nominal cell capacity [A.h]": capacity,
        "Current function [A]": capacity,
    }
    shared = (
        "Separator", "Electrolyte", "Electrode h", "Electrode w", "Cation", "Thermodynamic",
        "Reference", "Ambient", "Number", "Initial temperature", "Initial concentration in elec",
        "Contact",
    )  # fmt: skip
    values |= {key: source[key] for key in source if key.startswith(shared)}
    return pybamm.ParameterValues(
        values
        | {key: lithium[key] for key in lithium if "ithium metal" in key}
        | {
            "Negative electrode thickness [m]": 700e-6,
            "Negative electrode conductivity [S.m-1]": 10776000.0,
            "Negative electrode OCP [V]": 0.0,
            "Negative electrode OCP entropic change [V.K-1]": 0.0,
            "Negative electrode charge transfer coefficient": 0.5,
            "Negative electrode double-layer capacity [F.m-2]": 0.2,
        }
    )


@pytest.mark.parametrize("side", ["positive", "negative"])
def test_half_cell_is_that_written_by_hand(side):
    given = electrode()
    options = {"working electrode": "positive", "interface utilisation": "constant"}
    assert model_options(given, half_cell=True) == options
    values = half_cell_parameters(given, "Chen2020", side)
    times = np.linspace(0.0, 3000.0, 6)
    voltages = []
    for each in (values, by_hand(side)):
        each["Current function [A]"] /= 4.0  # graphite reaches its lowest voltage early
        solution = discharged(each, options, "DFN", 3000.0)
        voltages.append(solution["Voltage [V]"](times))
    assert np.allclose(*voltages, rtol=0.0, atol=1e-8)
    material = material_from_pybamm(f"Chen2020:{side}")
    assert 0.0 < material.voltage_window[1] - voltages[0][0] < 0.4


def test_half_cell_in_another_window():
    values = half_cell_parameters(electrode(), voltage_window=(3.0, 4.0))
    material = material_from_pybamm("Chen2020:positive")
    most = material.maximum_concentration
    start = values["Initial concentration in positive electrode [mol.m-3]"] / most
    assert material.open_circuit_potential(np.array([start]))[0] == pytest.approx(4.0, abs=1e-3)
    low, high = (values[f"{end} voltage cut-off [V]"] for end in ("Lower", "Upper"))
    ends = [values[f"Open-circuit voltage at {end}% SOC [V]"] for end in (0, 100)]
    assert [low, high] == ends == [3.0, 4.0]
    end = material.stoichiometry_at(3.0)
    capacity = electrode_capacity(electrode(), most, (start, end))
    area = values["Electrode height [m]"] * values["Electrode width [m]"]
    assert values["Nominal cell capacity [A.h]"] == pytest.approx(capacity * area, rel=1e-9)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"electrode": "cathode"}, "electrode 'cathode' is not allowed"),
        ({"base": "Chen"}, "parameter set 'Chen' is not known"),
        ({"base": 3}, "base 3 is not allowed"),
        ({"base": "Chen2020_composite", "electrode": "negative"}, "is a blend"),
        ({"base": "Xu2019", "electrode": "negative"}, "no usable negative electrode"),
        ({"stoichiometries": (0.9, 0.3)}, "rising, between 0 and 1"),
        ({"stoichiometries": (0.0, 0.3)}, "rising, between 0 and 1"),
        ({"stoichiometries": 0.3}, "rising, between 0 and 1"),
    ],
)
@pytest.mark.parametrize("function", [to_pybamm, half_cell_parameters])
def test_what_is_not_allowed(function, arguments, message):
    with pytest.raises(ValueError, match=message):
        function(electrode(), **arguments)


@pytest.mark.parametrize("window", [(4.0, 3.0), (3.0, 3.0), (3.0,), (3.0, np.nan), 3.0, "34"])
@pytest.mark.parametrize("function", [half_cell_parameters, rate_capability])
def test_windows_that_are_not_allowed(function, window):
    with pytest.raises(ValueError, match=r"voltage window .* is not allowed; give two numbers"):
        function(electrode(), voltage_window=window)


@pytest.mark.parametrize("function", [half_cell_parameters, rate_capability])
def test_a_window_beyond_the_curve_of_the_material(function):
    with pytest.raises(ValueError, match=r"between 0 and 1 V .* takes up no lithium"):
        function(electrode(), voltage_window=(0.0, 1.0))


def test_pores_that_do_not_lead_through():
    with pytest.raises(ValueError, match="pores that lead through"):
        to_pybamm(electrode(liquid_transport_efficiency=0.0))
    with pytest.raises(ValueError, match="no solid leads through"):
        to_pybamm(electrode(solid_conductivity=0.0))


def test_without_pybamm(monkeypatch):
    monkeypatch.setitem(sys.modules, "pybamm", None)
    with pytest.raises(ImportError, match=r"cell models need PyBaMM.*microtwin\[cell\]"):
        to_pybamm(electrode())
