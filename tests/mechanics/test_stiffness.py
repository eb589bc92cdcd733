from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from microtwin.mechanics import (
    Solid,
    cubic,
    engineering_constants,
    isotropic,
    rotated,
    transversely_isotropic,
)

YOUNG = st.floats(1e8, 1e12)
POISSON = st.floats(-0.5, 0.45)


def turn(seed):
    q, r = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    return q * np.sign(np.diag(r))


@given(YOUNG, POISSON)
def test_what_goes_in_comes_out(young, poisson):
    found = engineering_constants(isotropic(young, poisson))
    np.testing.assert_allclose(found.young, young, rtol=1e-9)
    np.testing.assert_allclose(found.shear, young / (2.0 * (1.0 + poisson)), rtol=1e-9)
    np.testing.assert_allclose(list(found.poisson.values()), poisson, rtol=1e-6, atol=1e-9)


@given(YOUNG, POISSON, st.integers(0, 1000))
def test_an_isotropic_solid_is_the_same_however_it_is_turned(young, poisson, seed):
    solid = isotropic(young, poisson)
    np.testing.assert_allclose(
        rotated(solid, turn(seed)).stiffness, solid.stiffness, rtol=1e-9, atol=1e-9 * young
    )


@given(st.integers(0, 1000))
def test_turning_keeps_the_energy_of_a_strain_that_is_turned_too(seed):
    rng = np.random.default_rng(seed)
    r = turn(seed)
    solid = cubic(160e9, 60e9, 80e9)
    strain = rng.normal(size=(3, 3))
    strain = strain + strain.T

    def vector(e):
        return np.array([e[0, 0], e[1, 1], e[2, 2], 2 * e[1, 2], 2 * e[0, 2], 2 * e[0, 1]])

    own, other = vector(strain), vector(r @ strain @ r.T)
    energy = own @ solid.stiffness @ own
    assert other @ rotated(solid, r).stiffness @ other == pytest.approx(energy, rel=1e-9)


def test_a_quarter_turn_brings_a_cubic_crystal_back():
    solid = cubic(160e9, 60e9, 80e9)
    quarter = [[1, 0, 0], [0, 0, -1], [0, 1, 0]]
    np.testing.assert_allclose(rotated(solid, quarter).stiffness, solid.stiffness, atol=1.0)


@pytest.mark.parametrize("axis", ["z", "y", "x"])
def test_one_axis_differs(axis):
    solid = transversely_isotropic(30e9, 1000e9, 0.01, 0.17, 4e9, axis)
    found = engineering_constants(solid)
    at = "zyx".index(axis)
    assert found.young[at] == pytest.approx(30e9)
    assert found.young[at - 1] == pytest.approx(1000e9)
    assert found.shear[at] == pytest.approx(1000e9 / 2.34)
    assert found.shear[at - 1] == pytest.approx(4e9)
    other = "zyx"[at - 1]
    assert found.poisson[axis + other] == pytest.approx(0.01)
    # Energy is symmetric: nu_ij / E_i = nu_ji / E_j.
    assert found.poisson[other + axis] / 1000e9 == pytest.approx(0.01 / 30e9)


def test_bulk_and_shear_modulus_of_an_isotropic_solid():
    solid = isotropic(100e9, 0.25)
    assert solid.bulk_modulus == pytest.approx(100e9 / 1.5)
    assert solid.shear_modulus == pytest.approx(40e9)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: isotropic(-1.0, 0.3), "Young's modulus -1.0 is not allowed"),
        (lambda: isotropic(0.0, 0.3), "Young's modulus 0.0 is not allowed"),
        (lambda: isotropic(1e9, 0.5), "Poisson's ratio 0.5 is not allowed"),
        (lambda: isotropic(1e9, -1.0), "Poisson's ratio -1.0 is not allowed"),
        (lambda: cubic(1e9, 2e9, 1e9), "a strain costs no energy"),
        (lambda: transversely_isotropic(1e9, 1e9, 0.3, 0.3, 1e9, "w"), "axis 'w' is not known"),
        (lambda: transversely_isotropic(1e9, 1e9, 0.9, 0.9, 1e9), "not stable together"),
        (lambda: transversely_isotropic(1e9, 0.0, 0.3, 0.3, 1e9), "across 0.0 is not allowed"),
        (lambda: Solid(np.eye(3)), "shape \\(3, 3\\) is not allowed"),
        (lambda: Solid(np.triu(np.ones((6, 6)))), "is not symmetric"),
        (lambda: rotated(isotropic(1e9, 0.3), np.ones((3, 3))), "orthonormal rows"),
    ],
)
def test_what_does_not_fit_is_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()
