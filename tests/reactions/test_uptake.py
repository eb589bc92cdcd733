"""Steady diffusion with uptake against exact solutions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import microtwin as mt
from microtwin import reactions as rx
from microtwin.reactions import FirstOrder, MichaelisMenten, ZeroOrder, solve_uptake

D = 2e-9
RADIUS = 1e-4
AROUND = {"water": 1.0}


def spheroid(radius):
    """Return a ball of so many voxels radius in water, its centre off those of voxels."""
    edge = 2 * radius + 8
    place = np.indices((edge, edge, edge)) + 0.5 - 0.5 * edge + 0.13
    distance = np.sqrt((place**2).sum(axis=0))
    labels = (distance < radius).astype(np.uint8)
    micro = mt.Microstructure(labels, RADIUS / radius, {"water": 0, "tissue": 1})
    return micro, distance * RADIUS / radius


def slab(voxels=40):
    return mt.Microstructure(np.ones((voxels, 3, 2), np.uint8), RADIUS / voxels, {"film": 1})


def scattered(seed, shape=(7, 8, 9)):
    labels = np.random.default_rng(seed).integers(0, 4, shape).astype(np.uint8)
    labels[3, 4, 4:6] = 1, 2
    phases = {"wall": 0, "tissue": 1, "vessel": 2, "film": 3}
    return mt.Microstructure(labels, (1e-6, 1.3e-6, 0.8e-6), phases)


@pytest.mark.parametrize("modulus", [0.3, 3.0, 10.0])
def test_effectiveness_of_a_slab(modulus):
    law = FirstOrder(modulus**2 * D / RADIUS**2)
    errors = []
    for voxels in (20, 40):
        found = solve_uptake(slab(voxels), {"film": D}, {"film": law}, {"z_low": 1.0})
        errors.append(found.effectiveness["film"] / (np.tanh(modulus) / modulus) - 1.0)
    assert abs(errors[1]) < 0.01
    assert np.log2(errors[0] / errors[1]) == pytest.approx(2.0, abs=0.1)


@pytest.mark.parametrize("face", ["z_high", "y_low", "y_high", "x_low", "x_high"])
def test_each_face_supplies(face):
    axis = "zyx".index(face[0])
    labels = np.moveaxis(np.ones((20, 3, 2), np.uint8), 0, axis)
    micro = mt.Microstructure(labels, RADIUS / 20, {"film": 1})
    law = FirstOrder(9.0 * D / RADIUS**2)
    found = solve_uptake(micro, {"film": D}, {"film": law}, {face: 1.0})
    assert found.effectiveness["film"] == pytest.approx(np.tanh(3.0) / 3.0, rel=0.01)
    along = np.moveaxis(found.concentration, axis, 0)[:, 0, 0]
    assert (np.diff(along) > 0.0).all() == face.endswith("high")


def test_effectiveness_of_a_sphere():
    """Within 1 % at 32 voxels per radius, and an order of almost two on the staircase of labels."""
    phi = 3.0
    exact = 3.0 / phi**2 * (phi / np.tanh(phi) - 1.0)
    law = FirstOrder(phi**2 * D / RADIUS**2)
    errors = [
        solve_uptake(spheroid(n)[0], {"tissue": D}, {"tissue": law}, AROUND).effectiveness["tissue"]
        / exact
        - 1.0
        for n in (8, 16, 32)
    ]
    assert abs(errors[-1]) < 0.0025
    assert np.log2(errors[0] / errors[-1]) / 2.0 > 1.6


def test_the_core_of_a_spheroid():
    """Uptake of order zero: c and its slope are 0 at the core, whose radius solves a cubic."""
    law = ZeroOrder(12.0 * D / RADIUS**2)
    micro, distance = spheroid(16)
    found = solve_uptake(micro, {"tissue": D}, {"tissue": law}, AROUND)
    # 2 x^3 - 3 x^2 + 1 = 6 D c / (a R^2) = 1/2 for the radius x of the core over that of the whole.
    assert np.polyval([2.0, -3.0, 0.0, 0.5], 0.5) == 0.0
    core = found.concentration == 0.0
    radius = np.cbrt(core.sum() * 3.0 / (4.0 * np.pi)) / 16
    assert abs(radius - 0.5) < 0.5 / 16
    assert found.concentration[micro.mask("tissue")].min() == 0.0
    x = distance / RADIUS
    inside = (x > 0.55) & (x < 0.95)
    exact = 2.0 * (x**2 - 0.25) + 0.5 * (1.0 / np.maximum(x, 0.1) - 2.0)
    assert np.abs(found.concentration - exact)[inside].max() < 0.03
    assert found.effectiveness["tissue"] == pytest.approx(1.0 - 0.125, rel=0.01)


def test_no_core_in_a_small_spheroid():
    law = ZeroOrder(5.9 * D / RADIUS**2)
    micro, _ = spheroid(16)
    found = solve_uptake(micro, {"tissue": D}, {"tissue": law}, AROUND)
    assert found.effectiveness["tissue"] == pytest.approx(1.0, abs=1e-9)
    assert found.concentration.min() == pytest.approx(1.0 - 5.9 / 6.0, abs=0.02)


def test_saturation_lies_between_its_limits():
    """With little of the species uptake is of order one, with plenty of order zero."""
    v, k = 10.0 * D / RADIUS**2, 1e-3
    case = (slab(), {"film": D})
    scarce = solve_uptake(*case, {"film": MichaelisMenten(v, 1e3)}, {"z_low": 1.0})
    linear = solve_uptake(*case, {"film": FirstOrder(v / 1e3)}, {"z_low": 1.0})
    np.testing.assert_allclose(scarce.concentration, linear.concentration, rtol=1e-4)
    plenty = solve_uptake(*case, {"film": MichaelisMenten(v, k)}, {"z_low": 10.0})
    even = solve_uptake(*case, {"film": ZeroOrder(v)}, {"z_low": 10.0})
    np.testing.assert_allclose(plenty.concentration, even.concentration, rtol=2e-3)


@settings(max_examples=15, deadline=None)
@given(
    st.integers(0, 10_000),
    st.sampled_from(
        [
            FirstOrder(1e3),
            FirstOrder(1e7),
            MichaelisMenten(1e4, 0.3),
            ZeroOrder(1e2),
            ZeroOrder(1e5),
        ]
    ),
    st.booleans(),
)
def test_nothing_is_lost_whatever_the_image(seed, law, periodic):
    micro = scattered(seed)
    found = solve_uptake(
        micro, {"tissue": D, "film": 0.1 * D}, {"tissue": law}, {"vessel": 0.7}, periodic=periodic
    )
    assert abs(found.balance) < 1e-5
    assert sum(found.inflow.values()) > 0.0
    known = ~np.isnan(found.concentration)
    assert np.array_equal(known, ~micro.mask("wall"))
    assert found.concentration[known].min() >= 0.0
    assert found.concentration[known].max() <= 0.7 * (1.0 + 1e-6)
    assert 0.0 <= found.effectiveness["tissue"] <= 1.0 + 1e-6
    assert 0.0 <= found.unsupplied < 1.0


def test_what_no_source_reaches_holds_nothing():
    labels = np.ones((12, 4, 4), np.uint8)
    labels[5:7] = 0
    micro = mt.Microstructure(labels, 1e-6, {"wall": 0, "film": 1})
    found = solve_uptake(micro, {"film": D}, {"film": ZeroOrder(1.0)}, {"z_low": 1.0})
    assert found.unsupplied == pytest.approx(0.5)
    assert (found.concentration[7:] == 0.0).all()
    assert found.effectiveness["film"] == pytest.approx(0.5, abs=1e-6)


def test_sources_of_different_concentration_exchange():
    """Without much uptake the flux is that between two plates."""
    found = solve_uptake(
        slab(20), {"film": D}, {"film": FirstOrder(1e-9)}, {"z_low": 1.0, "z_high": 0.0}
    )
    area = 6 * (RADIUS / 20) ** 2
    assert found.inflow["z_low"] == pytest.approx(D * area / RADIUS, rel=1e-6, abs=0.0)
    assert found.inflow["z_high"] == pytest.approx(-D * area / RADIUS, rel=1e-6, abs=0.0)


TISSUE = ({"tissue": D}, {"tissue": FirstOrder(1.0)}, {"vessel": 1.0})


@pytest.mark.parametrize(
    ("at", "given", "words"),
    [
        (0, {"bone": D}, "there is no phase 'bone'"),
        (0, {"tissue": 0.0}, "diffusivity 0.0 of 'tissue'"),
        (0, {"tissue": float("nan")}, "diffusivity nan"),
        (0, {"film": D}, "does not diffuse in it"),
        (0, {"tissue": D, "vessel": D}, "cannot be both a source"),
        (1, {}, "no phase takes up"),
        (2, {}, "has no source"),
        (2, {"vein": 1.0}, "there is no source 'vein'"),
        (2, {"vessel": -1.0}, "concentration -1.0 of 'vessel'"),
        (2, {"vessel": 0.0}, "all sources have a concentration of 0"),
    ],
)
def test_problems_are_said(at, given, words):
    arguments = list(TISSUE)
    arguments[at] = given
    with pytest.raises(ValueError, match=words):
        solve_uptake(scattered(0), *arguments)


def test_a_source_that_touches_nothing_is_refused():
    labels = np.zeros((6, 5, 5), np.uint8)
    labels[0], labels[-1] = 1, 2
    micro = mt.Microstructure(labels, 1e-6, {"wall": 0, "tissue": 1, "vessel": 2})
    with pytest.raises(ValueError, match=r"no source \('vessel'\) touches"):
        solve_uptake(micro, *TISSUE)


def test_a_periodic_image_has_no_faces():
    with pytest.raises(ValueError, match="has no face 'z_low'"):
        solve_uptake(scattered(0), *TISSUE[:2], {"z_low": 1.0}, periodic=True)


@pytest.mark.parametrize(
    "make", [lambda: FirstOrder(-1.0), lambda: ZeroOrder(0.0), lambda: MichaelisMenten(1.0, -2.0)]
)
def test_rates_are_positive(make):
    with pytest.raises(ValueError, match="give a number above 0"):
        make()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: rx.Species({"tissue": "2e-9 m2/s"}), "diffusivity '2e-9 m2/s' of 'tissue'"),
        (lambda: rx.Species({"tissue": 2e-9}, {"medium": "160 mmHg"}), "concentration '160 mmHg'"),
        (lambda: rx.ZeroOrder("25 mmHg/s"), "rate '25 mmHg/s' is not allowed"),
        (lambda: rx.Exchange("6 cm/min", 0.1), "permeability '6 cm/min' is not allowed"),
    ],
)
def test_text_is_no_number(make, words):
    with pytest.raises(ValueError, match=words):
        make()
