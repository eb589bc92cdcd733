from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from microtwin.numerics.quarters import (
    clear_last,
    from_quarters,
    plane_length,
    to_quarters,
    vector_positions,
)

shapes = st.tuples(*[st.integers(1, 9)] * 3)


@given(shapes, st.sampled_from([np.uint8, np.float32, np.float64]))
def test_there_and_back(shape, dtype):
    grid = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    quarters = to_quarters(grid)
    assert quarters.shape == (shape[0], plane_length(*shape[1:]))
    assert quarters.dtype == dtype
    np.testing.assert_array_equal(from_quarters(quarters, shape), grid)


@given(shapes)
def test_every_voxel_stands_where_the_layout_says(shape):
    grid = 1 + np.arange(np.prod(shape)).reshape(shape)
    my, mx = (shape[1] + 1) // 2, (shape[2] + 1) // 2
    split = to_quarters(grid).reshape(shape[0], 4, my + 1, mx)
    for k, j, i in np.ndindex(*shape):
        assert split[k, 2 * (j % 2) + i % 2, 1 + j // 2, i // 2] == grid[k, j, i]
    # Guard rows and the ends of odd grids are zero.
    assert np.count_nonzero(split) == grid.size
    assert not split[:, :, 0].any()


@given(shapes)
def test_positions_lead_to_the_voxels(shape):
    grid = np.arange(np.prod(shape)).reshape(shape)
    positions = vector_positions(np.indices(shape).reshape(3, -1), shape)
    np.testing.assert_array_equal(to_quarters(grid).ravel()[positions], grid.ravel())


@given(shapes, st.sampled_from([1, 2]))
def test_clear_last(shape, axis):
    grid = 1 + np.arange(np.prod(shape)).reshape(shape)
    quarters = to_quarters(grid)
    clear_last(quarters, *shape[1:], axis)
    grid[(slice(None),) * axis + (-1,)] = 0
    np.testing.assert_array_equal(from_quarters(quarters, shape), grid)


@pytest.mark.parametrize("dtype", [np.float32, np.int64])
def test_type_of_the_result(dtype):
    assert to_quarters(np.ones((2, 3, 4), np.uint8), dtype).dtype == dtype
