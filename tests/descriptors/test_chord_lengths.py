from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import microtwin as mt
from microtwin.descriptors import chords, describe

TWO = {"solid": 0, "pore": 1}


def segments_in(mask, axis, steps, periodic):
    """Share of the segments of so many steps that lie in the mask."""
    line = np.moveaxis(mask, axis, 0)
    n = line.shape[0]
    starts = n if periodic else n - steps
    held = [
        np.all(line[(np.arange(steps + 1) + start) % n], axis=0).mean() for start in range(starts)
    ]
    return np.mean(held)


@settings(max_examples=40, deadline=None)
@given(
    shape=st.tuples(*[st.integers(2, 9)] * 3),
    seed=st.integers(0, 1000),
    direction=st.sampled_from("zyx"),
    periodic=st.booleans(),
    share=st.sampled_from([0.3, 0.8, 1.0]),
)
def test_lineal_path_is_the_share_of_segments(shape, seed, direction, periodic, share):
    mask = np.random.default_rng(seed).random(shape) < share
    micro = mt.Microstructure(mask.astype(np.uint8), 1e-6, TWO)
    found = chords(micro, "pore", direction, periodic)
    axis = "zyx".index(direction)
    expected = [segments_in(mask, axis, k, periodic) for k in range(shape[axis])]
    assert found.lineal_path() == pytest.approx(np.array(expected))
    assert (found.whole + found.cut) @ np.arange(shape[axis] + 1) == mask.sum()


def test_laminate():
    labels = np.zeros((12, 4, 5), np.uint8)
    labels[np.arange(12) % 6 // 2 == 1] = 1
    micro = mt.Microstructure(labels, (2e-6, 1e-6, 1e-6), TWO)
    for periodic in (False, True):
        found = chords(micro, "pore", "z", periodic)
        assert found.mean == pytest.approx(4e-6)
        assert chords(micro, "pore", "y", periodic).mean == math.inf
    assert found.density @ np.full(13, 2e-6) == pytest.approx(1.0)
    assert chords(micro.crop(z=slice(4, 8)), "pore").mean == 0.0


def test_mean_chord_is_four_times_volume_over_surface():
    micro = mt.generation.gaussian_field(96, 5.0, 0.4, seed=2)
    found = describe(micro, periodic=True, groups=["surface", "chords"])
    for phase in micro.phases:
        mean = np.mean(list(found.mean_chord[phase].values()))
        assert mean == pytest.approx(found.hydraulic_diameter[phase], rel=0.02)
