from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import microtwin as mt
from microtwin.mechanics import debonding_index, interface_tractions, isotropic, solve_swelling

PHASES = {"void": 0, "shell": 1, "core": 2}


def ball(count, outer=0.42):
    z = (np.arange(count) + 0.5) / count - 0.5
    distance = np.sqrt(z[:, None, None] ** 2 + z[:, None] ** 2 + z**2)
    labels = np.where(distance < 0.25, 2, np.where(distance < outer, 1, 0)).astype(np.uint8)
    return mt.Microstructure(labels, 1e-6 / count, PHASES)


def test_an_even_stress_on_a_ball():
    """Under pressure the traction is normal; under a pull along z it is that of each normal."""
    micro = ball(24)
    stress = np.zeros((6, *micro.shape))
    stress[:3] = -5e6
    found = interface_tractions(micro, stress, ("core", "shell"), length=0.1e-6)
    np.testing.assert_allclose(found.normal, -5e6)
    np.testing.assert_allclose(found.shear, 0.0, atol=1.0)
    np.testing.assert_allclose(found.imbalance, 0.0, atol=1.0)
    assert found.area.sum() == pytest.approx(4.0 * np.pi * 0.25e-6**2, rel=0.02)
    pulled = np.zeros_like(stress)
    pulled[0] = 3e6
    found = interface_tractions(micro, pulled, ("core", "shell"), length=0.1e-6)
    cosine = found.vector[:, 0]
    np.testing.assert_allclose(found.normal, 3e6 * cosine**2, atol=1.0)
    np.testing.assert_allclose(
        found.shear, 3e6 * np.abs(cosine) * np.sqrt(1 - cosine**2), rtol=1e-5, atol=10.0
    )
    # Normals are even over the ball: a third of the pull on average.
    mean = np.average(found.normal, weights=found.area)
    assert mean == pytest.approx(1e6, rel=0.02)
    # Seen from the shell it is the same.
    other = interface_tractions(micro, pulled, ("shell", "core"), length=0.1e-6)
    assert np.average(other.normal, weights=other.area) == pytest.approx(mean)


def test_layers_pull_on_each_other_as_the_load_does():
    labels = np.ones((8, 6, 6), np.uint8)
    labels[:4] = 2
    micro = mt.Microstructure(labels, 1e-6, PHASES)
    solids = {"core": isotropic(100e9, 0.25), "shell": isotropic(1e9, 0.35)}
    load = [2e6, 0.0, 0.0, 0.0, 1e6, 0.0]
    solved = solve_swelling(micro, solids, {}, mean_stress=load, tol=1e-9)
    found = interface_tractions(micro, solved.stress, ("core", "shell"), length=3e-6)
    np.testing.assert_allclose(found.normal, 2e6, rtol=1e-6)
    np.testing.assert_allclose(found.shear, 1e6, rtol=1e-6)
    np.testing.assert_allclose(found.imbalance, 0.0, atol=10.0)


def test_a_core_presses_on_its_shell_as_lame_says():
    """On voxels, with a core a hundred times as stiff: the mean is right, facets scatter."""
    micro = ball(32)
    solids = {"core": isotropic(100e9, 0.25), "shell": isotropic(1e9, 0.3)}
    found = solve_swelling(micro, solids, {"core": 0.01}, tol=1e-3, interface="voxel")
    inner, outer = 0.25**3, 0.42**3
    k, g = solids["shell"].bulk_modulus, solids["shell"].shear_modulus
    soft = (inner / (3.0 * k) + outer / (4.0 * g)) / (outer - inner)
    pressure = 0.01 / (1.0 / (3.0 * solids["core"].bulk_modulus) + soft)
    t = interface_tractions(micro, found.stress, ("core", "shell"), length=0.1e-6)
    weights = t.area / t.area.sum()
    assert weights @ t.normal == pytest.approx(-pressure, rel=0.1)
    assert np.sqrt(weights @ (t.normal + pressure) ** 2) < 0.4 * pressure


@given(st.floats(-1e8, 1e8), st.floats(0.0, 1e8), st.floats(0.1, 10.0))
def test_pull_and_shear_together(normal, shear, factor):
    index = debonding_index(normal, shear, normal_strength=5e6, shear_strength=8e6)
    assert index == pytest.approx(np.hypot(max(normal, 0.0) / 5e6, shear / 8e6))
    more = debonding_index(factor * normal, factor * shear, normal_strength=5e6, shear_strength=8e6)
    assert more == pytest.approx(factor * index)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"pair": ("core", "core")}, "no interface with itself"),
        ({"pair": ("core", "glue")}, "phase 'glue' is not in"),
        ({"pair": ("core", "void")}, "do not meet"),
        ({"length": 0.01e-6}, "shorter than the edge of a voxel"),
        ({"stress": np.zeros((6, 3, 3, 3))}, "does not fit an image of shape"),
    ],
)
def test_what_does_not_fit_is_refused(change, words):
    micro = ball(12)
    arguments = {
        "stress": np.zeros((6, *micro.shape)),
        "pair": ("core", "shell"),
        "length": 0.2e-6,
        **change,
    }
    with pytest.raises(ValueError, match=words):
        interface_tractions(micro, **arguments)


def test_strengths_that_are_not_allowed_are_refused():
    with pytest.raises(ValueError, match=r"normal strength 0\.0 is not allowed"):
        debonding_index(1.0, 1.0, normal_strength=0.0, shear_strength=1.0)
    with pytest.raises(ValueError, match=r"shear strength -1\.0 is not allowed"):
        debonding_index(1.0, 1.0, normal_strength=1.0, shear_strength=-1.0)
