"""Lithium as it is kept for other stages."""

from __future__ import annotations

import numpy as np

from microtwin.study.stored_states import evenly, packed, unpacked


def test_sixteen_bits_keep_stoichiometries_and_what_takes_no_part():
    x = np.array([0.0, 1e-6, 0.123456, 0.5, 1.0, np.nan, 1.0003, -1e-4], np.float32)
    back = unpacked(packed(x))
    assert np.isnan(back).tolist() == np.isnan(x).tolist()
    known = np.isfinite(x)
    # Half a step of 1 / 65534; what is beyond the ends by rounding comes back to them.
    assert np.abs(back - np.clip(x, 0, 1))[known].max() <= 0.51 / 65534
    assert packed(x).dtype == np.uint16


def test_states_are_kept_evenly_with_the_first_and_the_last():
    assert evenly(12, 4) == [0, 4, 7, 11]
    assert evenly(3, 10) == [0, 1, 2]
    assert evenly(1, 10) == [0]
