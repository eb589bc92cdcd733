from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import distance_transform_edt

from microtwin.geometry import distance_map


@settings(max_examples=25)
@given(
    st.tuples(st.integers(2, 12), st.integers(2, 12), st.integers(2, 40)),
    st.tuples(*[st.floats(0.25, 4)] * 3),
    st.integers(0, 1000),
)
def test_distances_are_those_of_scipy(shape, edges, seed):
    mask = np.random.default_rng(seed).random(shape) < 0.9
    mask[0, 0, 0] = False
    expected = distance_transform_edt(mask, sampling=edges)
    # Single precision.
    assert distance_map(mask, edges) == pytest.approx(expected, rel=1e-5)


def test_a_full_image_knows_no_outside():
    assert np.all(np.isinf(distance_map(np.ones((3, 4, 5), bool), (1.0, 1.0, 1.0))))


def test_nanometres_stay_in_single_precision():
    mask = np.ones((3, 3, 9), bool)
    mask[:, :, 0] = False
    found = distance_map(mask, (1e-9, 1e-9, 1e-9))
    assert found[1, 1] == pytest.approx(1e-9 * np.arange(9), rel=1e-6, abs=0.0)
