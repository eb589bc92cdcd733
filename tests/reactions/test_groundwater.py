"""The words and units of hydrogeology."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from microtwin.reactions import groundwater

SOIL = ("1.6 g/cm3", "40 %")


@given(st.floats(1e-6, 1e3), st.floats(500.0, 3000.0), st.floats(0.01, 0.9))
def test_retardation_is_the_slope_of_what_is_held(kd, density, porosity):
    r = groundwater.retardation_factor(kd, density, porosity)
    assert r == pytest.approx(1.0 + density * kd / porosity)
    law = groundwater.linear(kd, density, porosity)
    held = float(law.slope(np.ones(1), 1.0)[0])
    assert held == pytest.approx(r - 1.0, rel=1e-6, abs=1e-12)


def test_units_of_distribution():
    values = {groundwater.retardation_factor(k, *SOIL) for k in ("0.5 L/kg", "0.5 mL/g", 5e-4)}
    assert max(values) == pytest.approx(3.0) == min(values)


def test_bulk_density_of_sand():
    assert groundwater.bulk_density("35 %") == pytest.approx(0.65 * 2650.0)


def test_langmuir_by_mass_and_by_mole_agree():
    """5 mg/g and 0.2 L/mg of a solute of 100 g/mol are 0.05 mol/kg and 20 m^3/mol."""
    mass = groundwater.langmuir("5 mg/g", "0.2 L/mg", *SOIL, molar_mass="100 g/mol")
    mole = groundwater.langmuir(0.05, 20.0, *SOIL)
    assert mass.capacity == pytest.approx(mole.capacity) == pytest.approx(0.05 * 4000.0)
    assert mass.affinity == pytest.approx(mole.affinity)
    mixed = groundwater.langmuir("0.05 mol/kg", "20 m3/mol", *SOIL, molar_mass=0.1)
    assert mixed.capacity == pytest.approx(mole.capacity)
    assert mixed.affinity == pytest.approx(mole.affinity)


@given(st.floats(0.1, 1.0), st.floats(0.01, 100.0), st.floats(0.1, 1e3))
def test_freundlich_in_milligrams(exponent, constant, milligrams):
    """K (c in mg/L)^n in mg/kg, whatever the molar mass."""
    m = 0.131
    law = groundwater.freundlich(constant, exponent, *SOIL, molar_mass=m)
    c = milligrams * 1e-3 / m
    held = float(law.amount(np.array([c]), c)[0])  # mol in a m^3 of water
    milligrams_per_kg = held / 4000.0 * m * 1e6
    assert milligrams_per_kg == pytest.approx(constant * milligrams**exponent, rel=1e-9)


def test_half_of_it_is_left_after_a_half_life():
    k = groundwater.decay("30 days").constant
    assert np.exp(-k * 30 * 86400) == pytest.approx(0.5)


def test_conductivity_of_a_darcy_and_back():
    """About 1e-5 m/s with water at 20 C."""
    k = groundwater.hydraulic_conductivity("1 darcy")
    assert k == pytest.approx(9.869233e-13 * 998.2 * 9.80665 / 1.002e-3, rel=1e-6)
    assert groundwater.permeability(k) == pytest.approx(9.869233e-13, rel=1e-6, abs=0.0)
    assert groundwater.permeability("1 m/day") == pytest.approx(1.185e-12, rel=1e-3, abs=0.0)


def test_numbers_without_unit():
    assert groundwater.peclet_number("1 m/day", "0.5 mm", 1e-9) == pytest.approx(5.787, rel=1e-3)
    law = groundwater.decay("1 day")
    slow = groundwater.damkohler_number(law, "1 m", velocity="1 m/day")
    assert slow == pytest.approx(np.log(2.0))
    assert groundwater.damkohler_number(9.0, 1e-3, diffusivity=1e-6) == pytest.approx(9.0)


def test_diffusivities_are_those_of_small_molecules():
    values = np.array(list(groundwater.DIFFUSIVITY.values()))
    assert ((values > 4e-10) & (values < 1e-8)).all()
    assert groundwater.diffusivity("SO42-") == 1.06e-9


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: groundwater.diffusivity("gold"), "'gold' is not known; give it as a number"),
        (lambda: groundwater.retardation_factor("0.5 L", *SOIL), "K_d '0.5 L'"),
        (lambda: groundwater.retardation_factor(0.0, *SOIL), "K_d 0.0 is not allowed"),
        (lambda: groundwater.linear(1e-3, 1600.0, 40.0), "porosity 40.0 is not allowed"),
        (lambda: groundwater.langmuir("5 mg/g", 1.0, *SOIL), "capacity '5 mg/g'"),
        (lambda: groundwater.freundlich(-1.0, 1.0, *SOIL), "Freundlich constant -1.0"),
        (lambda: groundwater.decay("30"), "half-life '30' has no unit"),
        (lambda: groundwater.damkohler_number(1.0, 1.0), "give one of them"),
        (
            lambda: groundwater.damkohler_number(1.0, 1.0, velocity=1.0, diffusivity=1.0),
            "give one of them",
        ),
        (lambda: groundwater.permeability(1e-5, viscosity="0 Pa s"), "viscosity 0.0"),
    ],
)
def test_problems_are_said(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_a_negative_amount_by_mass_is_called_negative():
    with pytest.raises(ValueError, match="give a number above 0"):
        groundwater.langmuir("-1 mg/g", "1 L/mg", "1.6 g/cm3", 0.4, molar_mass="100 g/mol")
