from __future__ import annotations

import numpy as np
import pytest

from microtwin.descriptors import interface_area
from microtwin.generation import gaussian_field, plurigaussian

SHARES = {"pore": 0.4, "active": 0.45, "binder": 0.15}


@pytest.mark.parametrize("lengths", [4.0, (5.0, 2.0), ((4.0, 4.0, 2.0), 2.0)])
@pytest.mark.parametrize("periodic", [True, False])
def test_fractions_are_met_to_a_voxel(lengths, periodic):
    micro = plurigaussian((40, 44, 48), SHARES, lengths, seed=2, periodic=periodic)
    for name, share in SHARES.items():
        assert micro.volume_fraction(name) == pytest.approx(share, abs=1.01 / micro.labels.size)


def test_two_phases_are_a_cut_gaussian_field():
    one = plurigaussian(40, {"pore": 0.4, "solid": 0.6}, 3.0, seed=5)
    assert np.array_equal(one.labels, gaussian_field(40, 3.0, 0.4, seed=5).labels)


def test_contacts_follow_the_rule():
    nested = plurigaussian(64, SHARES, 6.0, seed=1)
    free = plurigaussian(64, SHARES, (6.0, 6.0), seed=1)

    def contact(micro):
        return interface_area(micro)[("pore", "binder")]

    # Cut from one field, pore and binder are parted by the active phase.
    assert contact(nested) < 0.02 * contact(free)


def test_bad_recipes_are_named():
    with pytest.raises(ValueError, match="sum is 1"):
        plurigaussian(16, {"a": 0.4, "b": 0.4}, 2.0)
    with pytest.raises(ValueError, match="do not fit 3 phases"):
        plurigaussian(16, SHARES, (2.0, 2.0, 2.0))
