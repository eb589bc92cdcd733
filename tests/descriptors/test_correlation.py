from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import microtwin as mt
from microtwin.descriptors import boolean_two_point, gaussian_two_point, two_point
from microtwin.generation import boolean_spheres, gaussian_field, laminate

TWO = {"a": 0, "b": 1}


@settings(max_examples=20, deadline=None)
@given(shape=st.tuples(*[st.integers(4, 9)] * 3), seed=st.integers(0, 1000), periodic=st.booleans())
def test_matches_counting_pairs(shape, seed, periodic):
    labels = np.random.default_rng(seed).integers(0, 2, shape).astype(np.uint8)
    found = two_point(mt.Microstructure(labels, 1.0, TWO), "b", 2, periodic).probability
    inside = labels.astype(float)
    for lag in [(0, 0, 0), (1, 0, 0), (2, -1, 1), (-2, 2, 0), (0, -1, -2)]:
        moved = inside * np.roll(inside, [-s for s in lag], (0, 1, 2))
        if not periodic:
            moved = moved[
                tuple(slice(max(-s, 0), n - max(s, 0)) for s, n in zip(lag, shape, strict=True))
            ]
        # Rounding of a float32 transform.
        assert found[tuple(2 + s for s in lag)] == pytest.approx(moved.mean(), abs=1e-5)


def test_zero_lag_symmetry_and_lines():
    micro = gaussian_field((20, 24, 28), 2.0, 0.3, seed=1, voxel_size=(1e-6, 2e-6, 3e-6))
    found = two_point(micro, "pore", 6)
    table = found.probability
    assert table[6, 6, 6] == pytest.approx(0.3, abs=1e-4)
    np.testing.assert_allclose(table, table[::-1, ::-1, ::-1], atol=1e-6)
    for axis, name in enumerate("zyx"):
        distance, line = found.along(name)
        assert distance == pytest.approx(np.arange(7) * (axis + 1) * 1e-6)
        assert line[2] == pytest.approx(table[tuple(8 if a == axis else 6 for a in range(3))])


def test_laminate_is_a_triangle_wave():
    distance, line = two_point(laminate((16, 4, 4), (1, 0, 0)), "a", periodic=True).along("z")
    assert distance.size == 9
    np.testing.assert_allclose(line, 0.5 - np.arange(9) / 16, atol=1e-6)


@pytest.mark.parametrize("periodic", [True, False])
def test_boolean_model(periodic):
    # At the measured porosity S2 scatters little: its error is that of the pair counts.
    micro = boolean_spheres(96, 5.0, 0.5, seed=2, voxel_size=1.0)
    distance, measured = two_point(micro, "pore", 15, periodic).radial()
    exact = boolean_two_point(distance, 5.0, micro.volume_fraction("pore"))
    np.testing.assert_allclose(measured, exact, atol=0.012)


@pytest.mark.parametrize("phase", ["pore", "solid"])
def test_gaussian_field(phase):
    micro = gaussian_field(96, 3.0, 0.4, seed=0, voxel_size=1.0)
    distance, measured = two_point(micro, phase, 20, periodic=True).radial()
    fraction = micro.volume_fraction(phase)
    np.testing.assert_allclose(measured, gaussian_two_point(distance, 3.0, fraction), atol=0.01)


@pytest.mark.parametrize("lag", [0, 5, 1.5])
def test_bad_lags_are_named(lag):
    micro = mt.Microstructure(np.zeros((8, 9, 10), np.uint8), 1.0, TWO)
    with pytest.raises(ValueError, match="from 1 to 4"):
        two_point(micro, "a", lag, periodic=True)
