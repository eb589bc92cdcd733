from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from microtwin.generation import laminate, laminate_level_set


def test_layers_along_z():
    labels = laminate((8, 3, 4), waves=(2, 0, 0), fraction=0.5).labels
    assert labels[:, 0, 0].tolist() == [0, 0, 1, 1, 0, 0, 1, 1]
    assert (labels == labels[:, :1, :1]).all()


@pytest.mark.parametrize("waves", [(1, 1, 0), (2, -1, 0), (1, 2, 3)])
def test_fraction_is_exact_when_planes_divide(waves):
    assert laminate(24, waves, fraction=0.25).volume_fraction("a") == pytest.approx(0.25, abs=1e-12)


@settings(max_examples=30, deadline=None)
@given(
    shape=st.tuples(*[st.integers(6, 16)] * 3),
    waves=st.tuples(*[st.integers(-2, 2)] * 3).filter(any),
    shift=st.floats(0, 1),
)
def test_level_set_is_periodic_and_has_unit_slope(shape, waves, shift):
    level = laminate_level_set(shape, waves, 0.4, shift).astype(float)
    normal = np.array(waves) / shape
    period = 1 / np.linalg.norm(normal)
    # Distance to the nearest boundary is at most half of the thicker layer.
    assert level.max() <= 0.2 * period + 1e-5
    assert level.min() >= -0.3 * period - 1e-5
    # One step changes the distance by the component of the normal, also across the period.
    for axis in range(3):
        step = np.abs(np.roll(level, -1, axis) - level)
        assert step.max() <= abs(normal[axis]) * period + 1e-5


def test_tilted_layers_follow_their_normal():
    level = laminate_level_set(20, (1, 1, 0))
    # (z, y) -> (z + 1, y - 1) stays on one layer of a 45 degree laminate.
    np.testing.assert_allclose(np.roll(level, (1, -1), (0, 1)), level, atol=1e-5)


def test_bad_arguments_are_named():
    for waves in [(0, 0, 0), (0.5, 0, 0), (1, 1)]:
        with pytest.raises(ValueError, match="waves"):
            laminate(8, waves)
    with pytest.raises(ValueError, match="fraction"):
        laminate(8, fraction=0.0)
