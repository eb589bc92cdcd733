from __future__ import annotations

import numpy as np
import pytest

from microtwin.electrochemistry import material_from_pybamm
from microtwin.upscaling import electrode_capacity, rate_capability
from upscaling.electrodes import electrode

pybamm = pytest.importorskip("pybamm")
SPHERES = 3 * 0.58 / 5e-6


def test_thick_electrodes_lose_capacity_to_the_pores():
    given = electrode(thickness=120e-6, specific_surface=SPHERES)
    found = rate_capability(given, c_rates=(0.05, 1.0, 3.0))
    material = material_from_pybamm("Chen2020:positive")
    nominal = electrode_capacity(given, material.maximum_concentration, material.stoichiometries)
    assert found.nominal == pytest.approx(nominal, rel=1e-9)
    assert found.notes == ()
    assert found.capacities[0] == pytest.approx(nominal, rel=0.03)
    assert (np.diff(found.capacities) < 0.0).all()
    assert found.exponent == pytest.approx(given.bruggeman_exponent)
    assert found.guessed_exponent == 1.5
    # Better pores, more capacity: 0.11, 0.13, 0.15, and 0.34**1.5 = 0.198 of the base set.
    fast = [array[2] for array in (found.lower, found.capacities, found.upper, found.guess)]
    assert (np.diff(fast) > 0.01 * nominal).all()


def test_the_guess_is_the_measurement_where_it_is_right():
    given = electrode(liquid_transport_efficiency=0.34**1.5)
    found = rate_capability(given, c_rates=[2.0], model="SPMe")
    assert found.guess == pytest.approx(found.capacities, rel=1e-9)
    # Straight pores are the most there can be.
    best = electrode(liquid_transport_efficiency=0.335)
    assert rate_capability(best, c_rates=[2.0], model="SPMe").notes == ()


def test_a_rate_that_fails_is_a_note():
    found = rate_capability(electrode(), c_rates=[1.0, 2000.0], model="DFN")
    assert found.capacities[0] > 0.0
    assert not found.capacities[1] > 0.0  # nothing, or not a number
    assert any("2000C" in note for note in found.notes)


def test_a_voltage_that_is_not_reached_is_a_note():
    found = rate_capability(electrode(), c_rates=[0.2], model="SPM", stoichiometries=(0.4, 0.45))
    assert found.capacities[0] == pytest.approx(1.2 * found.nominal, rel=1e-6)
    assert "lowest voltage was not reached" in found.notes[0]


def test_no_lower_end_where_the_uncertainty_is_as_large_as_the_value():
    given = electrode(liquid_transport_efficiency=0.02)
    found = rate_capability(given, c_rates=[0.5], model="SPMe")
    assert np.isnan(found.lower).all()
    assert found.upper[0] >= found.capacities[0]
    assert "no lower end" in found.notes[0]


def test_a_solver_that_raises_does_not_end_the_others(monkeypatch):
    solve = pybamm.Simulation.solve

    def moody(self, t_eval, inputs):
        if inputs["Current function [A]"] > 5.0:
            raise RuntimeError("no luck\nat all")
        return solve(self, t_eval, inputs=inputs)

    monkeypatch.setattr(pybamm.Simulation, "solve", moody)
    found = rate_capability(electrode(), c_rates=[0.5, 4.0], model="SPM")
    assert np.isnan(found.capacities).tolist() == [False, True]
    assert "measured, 4C: RuntimeError: no luck" in found.notes


def test_negative_electrodes():
    found = rate_capability(electrode(), c_rates=[0.05], electrode="negative", model="SPMe")
    assert found.capacities[0] == pytest.approx(found.nominal, rel=0.05)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"c_rates": [0.0]}, "give numbers above 0"),
        ({"c_rates": []}, "give numbers above 0"),
        ({"model": "P2D"}, "model 'P2D' is not allowed"),
        ({"electrode": "both"}, "electrode 'both'"),
    ],
)
def test_what_is_not_allowed(arguments, message):
    with pytest.raises(ValueError, match=message):
        rate_capability(electrode(), **arguments)
