"""Exact solutions satisfy their equations and conditions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import microtwin as mt
from microtwin.reactions import ZeroOrder, exact, solve_uptake

D, C0, A = 2e-9, 0.2, 0.04
LIMIT = np.sqrt(6.0 * D * C0 / A)
moduli = st.floats(1e-2, 50.0)


@given(moduli)
def test_a_slab_takes_up_what_its_profile_says(phi):
    """Mean of cosh(phi x) / cosh(phi) by Gauss's rule, 60 points."""
    x, w = np.polynomial.legendre.leggauss(60)
    mean = 0.5 * float(w @ (np.cosh(phi * 0.5 * (x + 1.0)) / np.cosh(phi)))
    assert exact.slab_effectiveness(phi) == pytest.approx(mean, rel=1e-9)


@given(moduli)
def test_a_sphere_takes_up_what_its_profile_says(phi):
    x, w = np.polynomial.legendre.leggauss(60)
    r = 0.5 * (x + 1.0)
    mean = 1.5 * float(w @ (r * np.sinh(phi * r) / np.sinh(phi)))
    assert exact.sphere_effectiveness(phi) == pytest.approx(mean, rel=1e-9)


def test_the_series_of_small_spheres_meets_the_formula():
    below, above = (exact.sphere_effectiveness(exact.SMALL * s) for s in (0.999, 1.001))
    assert below == pytest.approx(1.0, abs=1e-6)
    assert above == pytest.approx(below, abs=1e-8)


def test_limits_of_order_zero():
    assert exact.diffusion_limit(D, C0, A) == pytest.approx(LIMIT, rel=1e-12, abs=0.0)
    # sqrt(2) and sqrt(6): a slab lets the species in less deep than a sphere is wide.
    assert exact.penetration_depth(D, C0, A) == pytest.approx(
        LIMIT / np.sqrt(3.0), rel=1e-12, abs=0.0
    )


@given(st.floats(1.001, 20.0))
def test_a_core_has_neither_concentration_nor_slope(times):
    radius = times * LIMIT
    core = exact.spheroid_core(radius, D, C0, A)
    assert 0.0 < core < radius

    def c(r):
        return exact.spheroid_concentration(r, radius, D, C0, A)

    assert c(core) == pytest.approx(0.0, abs=1e-12)
    assert c(radius * (1.0 - 1e-12)) == pytest.approx(C0, rel=1e-6)
    # Near the core c is a (r - r_n)^2 / (2 D) to leading order, so its slope vanishes there.
    step = 1e-3 * min(core, radius - core)
    assert c(core + step) == pytest.approx(A * step**2 / (2.0 * D), rel=5e-3)
    # What enters is what the rim takes up.
    slope = A / (3.0 * D) * (radius - core**3 / radius**2)
    near = (C0 - c(radius * (1 - 1e-6))) / (radius * 1e-6)
    assert near == pytest.approx(slope, rel=1e-3)


@given(st.floats(0.01, 1.0))
def test_no_core_up_to_the_limit(times):
    radius = times * LIMIT
    assert exact.spheroid_core(radius, D, C0, A) == 0.0
    centre = exact.spheroid_concentration(0.0, radius, D, C0, A)
    assert centre == pytest.approx(C0 * (1.0 - times**2), abs=1e-9)


def test_outside_of_a_spheroid_is_medium():
    assert exact.spheroid_concentration(2.0 * LIMIT, LIMIT, D, C0, A) == C0


def test_krogh_balances_and_is_closed_at_the_edge():
    vessel, tissue = 5e-6, 40e-6
    r = np.linspace(vessel, tissue, 2001)
    c = exact.krogh_concentration(r, vessel, tissue, D, C0, A)
    assert c[0] == C0
    flux = D * np.gradient(c, r, edge_order=2)
    assert flux[-1] == pytest.approx(0.0, abs=1e-5 * abs(flux[0]))
    supply = -2.0 * np.pi * vessel * flux[0]
    assert supply == pytest.approx(A * np.pi * (tissue**2 - vessel**2), rel=1e-4, abs=0.0)
    # D (r c')' / r = M in between.
    inner = np.gradient(r * flux, r)[5:-5] / r[5:-5]
    np.testing.assert_allclose(inner, A, rtol=1e-3)


def test_krogh_is_what_the_solver_gives():
    """A vessel of 8 voxels radius in tissue of 32, 6 % left at the edge: within 2 % of the supply.

    What a radius of 8 voxels is on labels scatters by some tenths of a voxel.
    """
    voxel = 1e-6
    vessel, tissue = 8 * voxel, 32 * voxel
    place = (np.indices((2, 68, 68))[1:] + 0.5 - 34.0) * voxel
    r = np.sqrt((place**2).sum(axis=0))
    labels = np.where(r < vessel, 0, np.where(r < tissue, 1, 2)).astype(np.uint8)
    micro = mt.Microstructure(labels, voxel, {"vessel": 0, "tissue": 1, "other": 2})
    found = solve_uptake(micro, {"tissue": D}, {"tissue": ZeroOrder(20 * A)}, {"vessel": C0})
    inside = labels == 1
    wanted = exact.krogh_concentration(r[inside], vessel, tissue, D, C0, 20 * A)
    assert wanted.min() < 0.1 * C0
    assert np.abs(found.concentration[inside] - wanted).max() < 0.02 * C0


def test_a_cosine_decays():
    x = np.linspace(0.0, 1e-3, 11)
    start = exact.decay_of_cosine(x, 0.0, 1e-3, D)
    np.testing.assert_allclose(start, 1.0 + np.cos(np.pi * x / 1e-3))
    half = np.log(2.0) * (1e-3 / np.pi) ** 2 / D
    np.testing.assert_allclose(exact.decay_of_cosine(x, half, 1e-3, D) - 1.0, (start - 1.0) / 2.0)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: exact.slab_effectiveness(0.0), "Thiele modulus 0.0"),
        (lambda: exact.sphere_effectiveness(-1.0), "Thiele modulus -1.0"),
        (lambda: exact.diffusion_limit(-D, C0, A), "diffusivity -2e-09"),
        (lambda: exact.penetration_depth(D, float("nan"), A), "concentration nan"),
        (lambda: exact.spheroid_core(0.0, D, C0, A), "radius 0.0"),
        (lambda: exact.krogh_concentration(1e-5, 5e-6, 5e-6, D, C0, A), "above the vessel radius"),
        (lambda: exact.krogh_concentration(1e-6, 5e-6, 4e-5, D, C0, A), "between the vessel"),
        (lambda: exact.krogh_concentration(1e-5, 5e-6, 1e-3, D, C0, A), "give a smaller radius"),
        (lambda: exact.decay_of_cosine(0.0, -1.0, 1.0, D), "time -1.0"),
    ],
)
def test_problems_are_said(call, words):
    with pytest.raises(ValueError, match=words):
        call()
