"""Coarser images in which one phase keeps its place."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from microtwin import Microstructure
from microtwin.trust import coarsen_for

PHASES = {"pore": 0, "active": 1, "binder": 2}


def block(*labels):
    """Return two blocks of 2^3 voxels per axis, all with the same content."""
    one = np.array(labels, np.uint8).reshape(2, 2, 2)
    return Microstructure(np.tile(one, (2, 2, 2)), 1.0, PHASES)


def test_a_split_majority_outvotes_the_phase():
    micro = block(0, 0, 0, 1, 1, 2, 2, 1)
    assert np.all(coarsen_for(micro, "pore").labels == 1)
    assert coarsen_for(micro, "pore").voxel_size == (2.0, 2.0, 2.0)
    # Four of eight is a tie: it goes alternately, as on a chess board.
    assert coarsen_for(block(0, 0, 0, 0, 1, 1, 2, 2), "pore").volume_fraction("pore") == 0.5
    assert np.all(coarsen_for(block(0, 0, 0, 0, 0, 1, 1, 2), "pore").labels == 0)


def test_a_thin_third_phase_does_not_feed_the_pore():
    """Layers pore 4, binder 1, active 3, placed at random: the pore keeps its fraction."""
    rng = np.random.default_rng(0)
    period = np.repeat(np.array([0, 2, 1], np.uint8), [4, 1, 3])
    lines = [np.tile(np.roll(period, rng.integers(8)), 4) for _ in range(1024)]
    micro = Microstructure(np.stack(lines).reshape(32, 32, 32), 1.0, PHASES)
    fraction = coarsen_for(micro, "pore").volume_fraction("pore")
    # Blocks of four independent lines; 4096 of them scatter by 0.8 %.
    assert fraction == pytest.approx(0.5, abs=0.025)
    assert micro.coarsen().volume_fraction("pore") > fraction + 0.03


@given(st.integers(0, 2**32 - 1), st.sampled_from([2, 3]))
def test_a_block_belongs_to_the_phase_if_most_of_it_does(seed, factor):
    labels = np.random.default_rng(seed).integers(0, 3, (6, 6, 6)).astype(np.uint8)
    micro = Microstructure(labels, 1.0, PHASES)
    for phase in PHASES:
        share = micro.coarse_fractions(phase, factor)
        inside = coarsen_for(micro, phase, factor).mask(phase)
        assert np.all(inside[share > 0.5001])
        assert not np.any(inside[share < 0.4999])


def test_two_phases_or_none_in_particular_are_a_plain_majority():
    labels = np.random.default_rng(0).integers(0, 2, (8, 8, 8)).astype(np.uint8)
    two = Microstructure(labels, 1.0, {"pore": 0, "solid": 1})
    assert np.array_equal(coarsen_for(two, "pore").labels, two.coarsen().labels)
    three = Microstructure(labels, 1.0, PHASES)
    assert np.array_equal(coarsen_for(three, None).labels, three.coarsen().labels)
