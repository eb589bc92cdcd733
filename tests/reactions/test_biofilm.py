"""The words and units of biofilms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import microtwin as mt
from microtwin.reactions import (
    FirstOrder,
    MichaelisMenten,
    biofilm,
    exact,
    solve_uptake,
    steady_state,
)

FILM = 100e-6


def film(voxels=40):
    return mt.Microstructure(np.ones((voxels, 2, 2), np.uint8), FILM / voxels, {"film": 1})


@given(st.floats(0.0, 1e3))
def test_demand_goes_there_and_back(milligrams):
    c = biofilm.oxygen_demand(f"{milligrams!r} mg/L")
    assert 1e3 * biofilm.mass_concentration(c) == pytest.approx(milligrams, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("text", ["8 mg/L", "8 mg COD/L", "8 mg O2/L", "8 g/m3", "0.25002 mM"])
def test_units_of_demand(text):
    assert biofilm.oxygen_demand(text) == pytest.approx(8e-3 / 0.031998, rel=1e-4)


def test_growth_takes_oxygen_for_what_does_not_become_biomass():
    reaction = biofilm.aerobic_growth("film", yielded="60 %")
    assert reaction.amounts == {"substrate": -1.0, "oxygen": pytest.approx(-0.4)}
    law = reaction.laws["substrate"]
    assert isinstance(law, MichaelisMenten)
    # 6 per day, 10 kg/m^3, yield 0.6: 100 kg/m^3/day of COD.
    assert biofilm.mass_concentration(law.maximum) == pytest.approx(100.0 / 86400.0)
    assert biofilm.mass_concentration(law.half_saturation) == pytest.approx(4e-3)


def test_both_are_used_in_that_proportion():
    species = {
        "substrate": biofilm.substrate("film", {"z_high": "30 mg COD/L"}, layer="50 um"),
        "oxygen": biofilm.oxygen("film", {"z_high": "8 mg/L"}, layer="50 um"),
    }
    found = steady_state(film(), species, [biofilm.aerobic_growth("film")])
    used = {name: one.made["film"] for name, one in found.species.items()}
    assert used["oxygen"] / used["substrate"] == pytest.approx(0.39, rel=1e-6)
    for one in found.species.values():
        assert one.concentration[0].max() < one.concentration[-1].min()


def test_little_substrate_is_taken_up_at_order_one():
    law = biofilm.substrate_uptake(biomass="0.5 kg COD/m3")
    species = biofilm.substrate("film", {"z_high": "0.004 mg COD/L"})
    d = species.diffusivity["film"]
    modulus = biofilm.thiele_modulus("100 um", law, d)
    assert 0.5 < modulus < 3.0
    found = solve_uptake(film(), {"film": d}, {"film": law}, species.supplies)
    share = exact.slab_effectiveness(modulus)
    # A thousandth of the half saturation, and 40 voxels.
    assert found.effectiveness["film"] == pytest.approx(share, rel=3e-3)


def test_a_boundary_layer_is_a_resistance():
    species = biofilm.oxygen("film", {"z_high": "8 mg/L"}, layer="60 um")
    d, supply = species.diffusivity["film"], species.supplies
    law = FirstOrder(d / FILM**2 * 4.0)
    found = solve_uptake(film(), {"film": d}, {"film": law}, supply)
    inside = d / FILM * 2.0 * np.tanh(2.0)
    outside = 2.42e-9 / 60e-6
    flux = biofilm.oxygen_demand("8 mg/L") / (1.0 / inside + 1.0 / outside)
    assert found.inflow["z_high"] == pytest.approx(flux * (2 * FILM / 40) ** 2, rel=2e-3, abs=0.0)


def test_penetration():
    law = biofilm.substrate_uptake()
    depth = biofilm.penetration_depth("4 mg/L", law, "1.7e-10 m2/s")
    assert depth == pytest.approx(
        np.sqrt(2 * 1.7e-10 * 4e-3 / biofilm.mass_concentration(law.maximum))
    )
    assert biofilm.penetration_depth("4 mg/L", law.maximum, 1.7e-10) == pytest.approx(depth)


def test_standing_water_and_other_exchanges_are_kept():
    wall = biofilm.boundary_layer("10 um", 2e-9, "8 mg/L")
    species = biofilm.oxygen("film", {"x_low": wall}, relative_diffusivity="50 %", water="water")
    assert species.diffusivity == {
        "film": pytest.approx(1.21e-9, rel=1e-6, abs=0.0),
        "water": 2.42e-9,
    }
    assert species.supplies["x_low"] is wall


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: biofilm.oxygen_demand("8 mg"), "concentration '8 mg' is not allowed"),
        (lambda: biofilm.oxygen_demand(-1.0), "give a number, 0 or more"),
        (lambda: biofilm.boundary_layer(0.0, 2e-9, 0.2), "thickness 0.0"),
        (lambda: biofilm.oxygen("film", {}, relative_diffusivity=1.5), "above 0, at most 1"),
        (lambda: biofilm.substrate_uptake(yielded=1.0), "yield 1.0 is not allowed"),
        (lambda: biofilm.substrate_uptake(growth="6 day"), "growth rate '6 day'"),
        (lambda: biofilm.thiele_modulus(-1.0, biofilm.substrate_uptake(), 1e-9), "thickness -1.0"),
    ],
)
def test_problems_are_said(call, words):
    with pytest.raises(ValueError, match=words):
        call()
