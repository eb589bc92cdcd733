from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mechanics.stresses import matrices, turned
from microtwin.mechanics import (
    energy_density,
    hydrostatic,
    isotropic,
    maximum_principal,
    principal_stresses,
    stress_measure,
    tresca,
    von_mises,
)

SEEDS = st.integers(0, 10_000)


def random_stress(seed, count=20):
    return np.random.default_rng(seed).normal(size=(6, count)) * 1e7


@given(SEEDS)
def test_principal_stresses_are_eigenvalues(seed):
    stress = random_stress(seed)
    expected = np.linalg.eigvalsh(matrices(stress))[:, ::-1].T
    np.testing.assert_allclose(principal_stresses(stress), expected, atol=1e-7 * 1e7)


@given(SEEDS, SEEDS)
def test_nothing_changes_when_the_axes_are_turned(seed, other):
    stress = random_stress(seed)
    new = turned(stress, other)
    for measure in (von_mises, hydrostatic, maximum_principal, tresca):
        np.testing.assert_allclose(measure(new), measure(stress), rtol=1e-9, atol=1.0)


@given(SEEDS, st.floats(0.01, 100.0))
def test_measures_grow_with_the_stress(seed, factor):
    stress = random_stress(seed)
    for measure in (von_mises, hydrostatic, maximum_principal, tresca):
        np.testing.assert_allclose(measure(factor * stress), factor * measure(stress), rtol=1e-7)


@given(SEEDS, st.floats(-1e8, 1e8))
def test_a_pressure_shears_nothing(seed, pressure):
    stress = random_stress(seed)
    more = stress.copy()
    more[:3] += pressure
    np.testing.assert_allclose(von_mises(more), von_mises(stress), rtol=1e-6)
    np.testing.assert_allclose(hydrostatic(more), hydrostatic(stress) + pressure, atol=1e-6)
    # von Mises lies between the sides of Tresca's hexagon: sqrt(3) / 2 to 1.
    ratio = von_mises(stress) / tresca(stress)
    assert (ratio > 0.866).all() and (ratio < 1.0 + 1e-9).all()


@given(SEEDS, st.sampled_from([(2.0, 2.0, -1.0), (5.0, 1.0, 1.0), (3.0, 3.0, 3.0), (0, 0, 0)]))
def test_where_principal_stresses_coincide(seed, values):
    stress = np.zeros((6, 1))
    stress[:3, 0] = values
    found = principal_stresses(turned(1e6 * stress, seed))[:, 0]
    np.testing.assert_allclose(found, 1e6 * np.sort(values)[::-1], atol=1e6 * 1e-6)


def test_numbers_that_are_known():
    """A pull, a shear and a pressure."""
    stress = np.zeros((6, 3))
    stress[0, 0], stress[3, 1], stress[:3, 2] = 2e6, 1e6, -3e6
    np.testing.assert_allclose(von_mises(stress), [2e6, np.sqrt(3.0) * 1e6, 0.0])
    np.testing.assert_allclose(tresca(stress), [2e6, 2e6, 0.0], atol=1e-6)
    np.testing.assert_allclose(hydrostatic(stress), [2e6 / 3, 0.0, -3e6])
    np.testing.assert_allclose(maximum_principal(stress), [2e6, 1e6, -3e6], rtol=1e-12)
    solid = isotropic(1e9, 0.25)
    # sigma^2 / 2E, tau^2 / 2G, p^2 / 2K.
    expected = [4e12 / 2e9, 1e12 / (2 * 0.4e9), 9e12 / (2 * 1e9 / 1.5)]
    np.testing.assert_allclose(energy_density(stress, solid), expected)


def test_single_precision_stays_so_and_blocks_do_not_matter():
    stress = random_stress(3, 200_000).astype(np.float32).reshape(6, 20, 100, 100)
    found = principal_stresses(stress)
    assert found.dtype == np.float32 and found.shape == (3, 20, 100, 100)
    part = principal_stresses(stress[:, 7:8].astype(float))
    np.testing.assert_allclose(found[:, 7:8], part, rtol=1e-6, atol=10.0)
    assert (von_mises(stress)[-1] == von_mises(np.ascontiguousarray(stress[:, -1]))).all()


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"stress of shape \(3, 4\)"):
        von_mises(np.zeros((3, 4)))
    with pytest.raises(ValueError, match="measure 'pressure' is not known"):
        stress_measure(np.zeros((6, 1)), "pressure")
