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


def test_only_what_is_asked_for_is_discharged(monkeypatch):
    solve, exponents = pybamm.Simulation.solve, []

    def counted(self, t_eval, inputs):
        exponents.append(inputs["Positive electrode Bruggeman coefficient (electrolyte)"])
        return solve(self, t_eval, inputs=inputs)

    whole = rate_capability(electrode(), c_rates=[1.0, 2.0], model="SPMe")
    monkeypatch.setattr(pybamm.Simulation, "solve", counted)
    found = rate_capability(electrode(), c_rates=[1.0, 2.0], model="SPMe", variants=["measured"])
    assert exponents == [electrode().bruggeman_exponent] * 2
    assert found.capacities == pytest.approx(whole.capacities, rel=1e-12)
    assert found.guess is found.guessed_exponent is found.lower is found.upper is None
    # A base set without a number to guess with serves as well.
    base = pybamm.ParameterValues("Chen2020")
    base["Positive electrode Bruggeman coefficient (electrolyte)"] = "[input]"
    with pytest.raises(ValueError, match="a guess to compare with needs a number"):
        rate_capability(electrode(), base, [1.0], model="SPMe")
    again = rate_capability(electrode(), base, [1.0], model="SPMe", variants=["measured"])
    assert again.capacities == pytest.approx(whole.capacities[:1], rel=1e-12)


def test_the_guess_is_the_measurement_where_it_is_right():
    given = electrode(liquid_transport_efficiency=0.34**1.5)
    found = rate_capability(given, c_rates=[2.0], model="SPMe")
    assert found.guess == pytest.approx(found.capacities, rel=1e-9)
    # Straight pores are the most there can be.
    best = electrode(liquid_transport_efficiency=0.335)
    assert rate_capability(best, c_rates=[2.0], model="SPMe").notes == ()


def test_a_rate_that_fails_is_a_note():
    found = rate_capability(electrode(), c_rates=[1.0, 2000.0], model="DFN")
    alone = rate_capability(electrode(), c_rates=[1.0], model="DFN", variants=["measured"])
    assert found.capacities[0] == pytest.approx(alone.capacities[0], rel=1e-9)
    # The solver gives up, or finds the voltage below the lowest; which of them is its own affair.
    variants = (found.capacities, found.guess, found.lower, found.upper)
    assert all(np.nan_to_num(array[1]) == 0.0 for array in variants)
    assert [note.partition(":")[0] for note in found.notes] == [
        f"{name}, 2000C" for name in ("measured", "guessed", "lower", "upper")
    ]


def test_a_voltage_that_is_too_low_at_once_is_no_capacity(monkeypatch):
    def low(self, t_eval, inputs):
        raise pybamm.SolverError(
            "Events ['Minimum voltage [V]'] are non-positive at initial conditions"
        )

    monkeypatch.setattr(pybamm.Simulation, "solve", low)
    found = rate_capability(electrode(), c_rates=[9.0], model="SPM", variants=["measured"])
    assert found.capacities.tolist() == [0.0]
    assert found.notes == ("measured, 9C: the voltage is below the lowest at once.",)


def test_a_voltage_that_is_not_reached_is_a_note():
    found = rate_capability(electrode(), c_rates=[0.2], model="SPM", stoichiometries=(0.4, 0.45))
    assert found.capacities[0] == pytest.approx(1.2 * found.nominal, rel=1e-6)
    assert "lowest voltage was not reached" in found.notes[0]


def test_no_lower_end_where_the_uncertainty_is_as_large_as_the_value():
    given = electrode(liquid_transport_efficiency=0.02)
    found = rate_capability(given, c_rates=[0.5], model="SPMe")
    assert np.isnan(found.lower).all()
    better = electrode(liquid_transport_efficiency=0.04)
    upper = rate_capability(better, c_rates=[0.5], model="SPMe", variants=["measured"])
    assert found.upper == pytest.approx(upper.capacities, rel=1e-9)
    assert found.upper[0] > found.capacities[0]
    assert "no lower end" in found.notes[0]


def test_a_solver_that_raises_does_not_end_the_others(monkeypatch):
    solve = pybamm.Simulation.solve

    def moody(self, t_eval, inputs):
        if inputs["Current function [A]"] > 5.0:
            raise RuntimeError("no luck\nat all")
        return solve(self, t_eval, inputs=inputs)

    monkeypatch.setattr(pybamm.Simulation, "solve", moody)
    found = rate_capability(electrode(), c_rates=[0.5, 4.0], model="SPM")
    whole = rate_capability(electrode(), c_rates=[0.5], model="SPM", variants=["measured"])
    assert found.capacities[0] == pytest.approx(whole.capacities[0], rel=1e-9)
    assert np.isnan(found.capacities[1])
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
        ({"variants": ["guess"]}, "give 'measured'"),
        ({"variants": ["measured", "best"]}, "give 'measured'"),
    ],
)
def test_what_is_not_allowed(arguments, message):
    with pytest.raises(ValueError, match=message):
        rate_capability(electrode(), **arguments)
