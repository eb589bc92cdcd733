"""The benchmark measures something; how much is not a matter of tests."""

from __future__ import annotations

import numpy as np
import pytest

from microtwin.generation import gaussian_field
from microtwin.transport import tortuosity_factor
from microtwin.transport.bench import copy_bandwidth, run_bench


def test_a_row_per_size_with_the_numbers_of_the_solve():
    rows = run_bench([40, 48], repeats=1)
    assert [row["size"] for row in rows] == [40, 48]
    micro = gaussian_field((40, 40, 40), 1.0, 0.4, seed=1)
    result = tortuosity_factor(micro, "pore", interface="voxel")
    assert rows[0]["relative_diffusivity"] == result.relative_diffusivity
    assert rows[0]["iterations"] == result.iterations
    assert rows[0]["iterations_to_1_percent"] <= rows[0]["iterations"]
    for row in rows:
        assert 0.0 < row["ns_per_voxel_iteration"] < np.inf
        assert row["bytes_per_voxel"] >= 1.0


def test_bandwidth_is_positive():
    assert 0.0 < copy_bandwidth(megabytes=8, repeats=1) < np.inf


def test_sizes_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="at least 16"):
        run_bench([8])
    with pytest.raises(ValueError, match="at least one repeat"):
        run_bench([32], repeats=0)
