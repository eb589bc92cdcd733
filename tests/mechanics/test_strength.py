from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mechanics.stresses import turned
from microtwin.mechanics import (
    DruckerPrager,
    drucker_prager_friction,
    drucker_prager_index,
    drucker_prager_strengths,
    normal_and_shear,
    principal_index,
    traction_vectors,
    von_mises,
)

STRENGTH = st.floats(1e5, 1e9)
SEEDS = st.integers(0, 10_000)


def along(value, axis=0):
    stress = np.zeros(6)
    stress[axis] = value
    return stress


@given(STRENGTH, st.floats(1.0, 20.0))
def test_both_strengths_are_met(tensile, ratio):
    cone = drucker_prager_strengths(tensile, ratio * tensile)
    assert drucker_prager_index(along(tensile), cone) == pytest.approx(1.0)
    assert drucker_prager_index(along(-ratio * tensile, 2), cone) == pytest.approx(1.0)
    # In pure shear the cohesion is the strength.
    assert drucker_prager_index(along(cone.cohesion, 4), cone) == pytest.approx(1.0)


@given(STRENGTH, st.floats(0.0, 1.5))
def test_friction_meets_mohr_and_coulomb_in_compression(cohesion, angle):
    """Uniaxial strength 2 c cos(phi) / (1 - sin(phi)); without friction von Mises."""
    cone = drucker_prager_friction(cohesion, angle)
    strength = 2.0 * cohesion * np.cos(angle) / (1.0 - np.sin(angle))
    assert drucker_prager_index(along(-strength), cone) == pytest.approx(1.0, rel=1e-6)
    frictionless = drucker_prager_friction(cohesion, 0.0)
    stress = np.random.default_rng(1).normal(size=6) * 1e6
    expected = von_mises(stress) / (2.0 * cohesion)
    assert drucker_prager_index(stress, frictionless) == pytest.approx(expected)


@given(SEEDS, st.floats(0.0, 0.5), st.floats(0.1, 10.0))
def test_indices_do_not_know_the_axes_and_grow_with_the_stress(seed, slope, factor):
    stress = np.random.default_rng(seed).normal(size=(6, 5)) * 1e6
    cone = DruckerPrager(slope, 1e6)
    for index in (
        lambda s: drucker_prager_index(s, cone),
        lambda s: principal_index(s, 2e6),
    ):
        np.testing.assert_allclose(index(turned(stress, seed + 1)), index(stress), atol=1e-6)
        np.testing.assert_allclose(index(factor * stress), factor * index(stress), rtol=1e-6)
    # Pressure strengthens.
    pressed = stress.copy()
    pressed[:3] -= 1e6
    assert (drucker_prager_index(pressed, cone) <= drucker_prager_index(stress, cone) + 1e-9).all()


def test_the_largest_principal_stress_over_the_strength():
    assert principal_index(along(3e6, 5), 2e6) == pytest.approx(1.5)
    assert principal_index(along(-3e6), 2e6) == pytest.approx(0.0, abs=1e-7)


@given(SEEDS)
def test_tractions_are_those_of_the_matrix(seed):
    rng = np.random.default_rng(seed)
    stress = rng.normal(size=(6, 4))
    normals = rng.normal(size=(4, 3))
    normals /= np.linalg.norm(normals, axis=1)[:, None]
    zz, yy, xx, yx, zx, zy = stress[:, 0]
    by_hand = np.array([[zz, zy, zx], [zy, yy, yx], [zx, yx, xx]]) @ normals[0]
    found = traction_vectors(stress, normals)
    np.testing.assert_allclose(found[0], by_hand)
    normal, shear = normal_and_shear(stress, normals)
    np.testing.assert_allclose(normal**2 + shear**2, (found**2).sum(axis=1))
    with pytest.raises(ValueError, match="one vector"):
        traction_vectors(stress, normals[:2])


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: drucker_prager_strengths(0.0, 1e6), "tensile strength 0.0 is not allowed"),
        (lambda: drucker_prager_strengths(1e6, -1e6), "compressive strength -1000000.0"),
        (lambda: drucker_prager_strengths(2e6, 1e6), "pressure does not weaken"),
        (lambda: drucker_prager_friction(0.0, 0.3), "cohesion 0.0 is not allowed"),
        (lambda: drucker_prager_friction(1e6, 30.0), "give radians"),
        (lambda: DruckerPrager(-0.1, 1e6), "slope -0.1 is not allowed"),
        (lambda: principal_index(np.zeros(6), np.nan), "tensile strength nan is not allowed"),
    ],
)
def test_what_does_not_fit_is_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()
