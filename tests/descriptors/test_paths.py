from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.graph import MCP_Geometric

import microtwin as mt
from microtwin.descriptors import geodesic_tortuosity, path_lengths

TWO = {"solid": 0, "pore": 1}


@settings(max_examples=30, deadline=None)
@given(
    shape=st.tuples(*[st.integers(2, 9)] * 3),
    edges=st.tuples(*[st.sampled_from([1e-6, 4e-7, 3e-6])] * 3),
    seed=st.integers(0, 1000),
    direction=st.sampled_from("zyx"),
)
def test_lengths_are_those_of_another_code(shape, edges, seed, direction):
    mask = np.random.default_rng(seed).random(shape) < 0.6
    axis = "zyx".index(direction)
    found = path_lengths(mt.Microstructure(mask.astype(np.uint8), edges, TWO), "pore", direction)
    starts = [tuple(place) for place in np.argwhere(mask) if place[axis] == 0]
    if not starts:
        assert np.all(np.isinf(found))
        return
    # Of positive cost everywhere in the mask; closed where it is negative.
    router = MCP_Geometric(np.where(mask, 1.0, -1.0), sampling=edges)
    expected, _ = router.find_costs(starts)
    assert found == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("direction", ["z", "y", "x"])
def test_open_space_is_straight(direction):
    micro = mt.Microstructure(np.ones((5, 6, 7), np.uint8), (1e-6, 2e-6, 3e-6), TWO)
    assert geodesic_tortuosity(micro, "pore", direction) == pytest.approx(1.0, rel=1e-6)


def test_a_staircase():
    labels = np.zeros((9, 3, 9), np.uint8)
    for i in range(9):
        labels[i, 1, i] = 1
    micro = mt.Microstructure(labels, 1e-6, TWO)
    assert geodesic_tortuosity(micro, "pore") == pytest.approx(math.sqrt(2), rel=1e-6)


def test_no_way_through():
    labels = np.ones((5, 4, 4), np.uint8)
    labels[2] = 0
    assert geodesic_tortuosity(mt.Microstructure(labels, 1e-6, TWO), "pore") == math.inf
