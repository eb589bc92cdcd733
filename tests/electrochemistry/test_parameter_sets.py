from __future__ import annotations

import numpy as np
import pytest

from microtwin.electrochemistry import (
    electrolyte_from_pybamm,
    known_parameter_sets,
    material_from_pybamm,
    separator_from_pybamm,
)
from microtwin.electrochemistry.materials import curve

pytest.importorskip("pybamm")

SETS = [
    "Chen2020:positive", "Chen2020:negative", "Marquis2019:positive", "Marquis2019:negative",
    "Ai2020:positive", "Ai2020:negative", "Xu2019:positive", "ORegan2022:positive",
    "ORegan2022:negative", "Prada2013:positive", "Ecker2015:positive", "Ecker2015:negative",
    "Mohtat2020:positive", "OKane2022:positive", "Ecker2015_graphite_halfcell:positive",
]  # fmt: skip


@pytest.mark.parametrize("name", SETS)
def test_a_set_gives_a_material_and_an_electrolyte(name):
    material = material_from_pybamm(name)
    full, empty = material.stoichiometries
    assert 0.0 < full < empty < 1.0
    x = np.linspace(full, empty, 20)
    volts = material.open_circuit_potential(x)
    low, high = material.voltage_window
    assert volts.shape == x.shape
    assert np.all((volts > low - 0.05) & (volts < high + 0.05))
    j0 = material.exchange_current_density(
        np.full(3, 1000.0), np.array([0.2, 0.5, 0.8]) * material.maximum_concentration
    )
    assert np.all((j0 > 1e-3) & (j0 < 100.0))
    liquid = electrolyte_from_pybamm(name)
    carried = curve(liquid.transference_number, np.array([500.0, 1000.0, 1500.0]))
    assert np.all((carried > 0.0) & (carried < 0.6))
    assert 500.0 < liquid.concentration < 1500.0


def test_values_are_those_of_the_set():
    material = material_from_pybamm("Chen2020:positive")
    assert material.maximum_concentration == 63104.0
    assert material.diffusivity == 4e-15
    assert material.conductivity == 0.18
    assert material.voltage_window == (2.5, 4.2)
    most = material.maximum_concentration
    j0 = material.exchange_current_density(np.array([1000.0]), np.array([0.5 * most]))
    # 3.42e-6 sqrt(c_e c_s (c_max - c_s)), Chen et al., J. Electrochem. Soc. 167 (2020) 080534.
    assert j0[0] == pytest.approx(3.42e-6 * np.sqrt(1000.0) * 0.5 * most, rel=1e-12)
    assert separator_from_pybamm("Chen2020").thickness == 1.2e-5
    assert electrolyte_from_pybamm("Chen2020").transference_number == 0.2594
    assert "Chen2020" in known_parameter_sets()


def test_values_are_those_at_the_temperature():
    cold, warm = (material_from_pybamm("Chen2020:positive", t) for t in (298.15, 318.15))
    at = (np.array([1000.0]), np.array([3e4]))
    # Arrhenius with the activation energy of the set, 17.8 kJ/mol.
    ratio = np.exp(17800.0 / 8.314 * (1.0 / 298.15 - 1.0 / 318.15))
    found = warm.exchange_current_density(*at) / cold.exchange_current_density(*at)
    assert found[0] == pytest.approx(ratio, rel=1e-3)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Chen2020", "name a parameter set and one of its electrodes"),
        ("Chen2021:positive", "parameter set 'Chen2021' is not known"),
        ("Xu2019:negative", "has no usable negative electrode"),
        ("Sulzer2019:positive", "has no usable positive electrode"),
    ],
)
def test_sets_that_do_not_fit_are_refused(name, words):
    with pytest.raises(ValueError, match=words):
        material_from_pybamm(name)


def test_a_set_without_an_electrolyte_is_refused():
    with pytest.raises(ValueError, match="has no usable electrolyte"):
        electrolyte_from_pybamm("ECM_Example")
