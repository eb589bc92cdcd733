from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from microtwin.imaging import StoredVolume, iter_slabs
from microtwin.imaging.files.stored import calibrated, take_layers


def counted(depth: int) -> tuple[StoredVolume, list[tuple[int, int]]]:
    """Return a volume whose layers hold their number, and the ranges that are read of it."""
    ranges = []

    def read_layers(start, stop):
        ranges.append((start, stop))
        return np.repeat(np.arange(start, stop), 6).reshape(-1, 2, 3)

    return StoredVolume(Path("a"), (depth, 2, 3), np.dtype(int), read_layers), ranges


@given(st.integers(1, 40), st.integers(1, 12), st.integers(0, 15))
def test_slabs_cover_all_layers_once(depth, layers, halo):
    volume, ranges = counted(depth)
    end = 0
    for start, stop, values in iter_slabs(volume, layers, halo):
        assert (start, stop) == (end, min(end + layers, depth))
        end = stop
        expected = np.arange(max(start - halo, 0), min(stop + halo, depth))
        assert np.array_equal(values[:, 0, 0], expected)
        # What one does to a slab must not be seen in the halo of the next.
        values[:] = -1
    assert end == depth
    assert [z for start, stop in ranges for z in range(start, stop)] == list(range(depth))


def test_slabs_are_read_one_at_a_time():
    volume, ranges = counted(100)
    for start, stop, values in iter_slabs(volume, 10, halo=2):
        assert len(values) <= 14
        assert ranges[-1][1] == min(stop + 2, 100)
        assert max(b - a for a, b in ranges) <= 12
        assert len(ranges) == start // 10 + 1 or stop == 100


@pytest.mark.parametrize(("layers", "halo"), [(0, 0), (-1, 0), (1.5, 0), (1, -1), (1, 0.5)])
def test_slabs_that_are_no_slabs(layers, halo):
    volume, _ = counted(4)
    with pytest.raises(ValueError, match=r"slabs of .* at least 1 layer and a halo of at least 0"):
        next(iter_slabs(volume, layers, halo))


@pytest.mark.parametrize("axes", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (0, 2, 1)])
def test_layers_of_an_array_in_any_order(axes):
    stored = np.arange(2 * 3 * 4, dtype=">i4").reshape(2, 3, 4)
    expected = stored.transpose(axes)
    layers = take_layers(stored, axes, 1, 2)
    assert layers.dtype == np.int32
    assert layers.dtype.isnative
    assert layers.flags.c_contiguous
    assert np.array_equal(layers, expected[1:2])
    padded = stored[None, :, :, None, :]
    shifted = [(1, 2, 4)[axis] for axis in axes]
    assert np.array_equal(take_layers(padded, shifted, 0, 2), expected[:2])


@pytest.mark.parametrize(
    ("sizes", "units", "expected", "note"),
    [
        ([1, -2, 3], ["um"] * 3, (1e-6, 2e-6, 3e-6), ""),
        ([1, 2, 3], ["mm", "\u00b5m", "\u03bcm"], (1e-3, 2e-6, 3e-6), ""),
        ([1, 2, 3], ["um", None, "um"], None, "1 x 2 x 3 along .* without a unit"),
        ([1, 2, 3], ["pixel"] * 3, None, "in 'pixel', no unit of length"),
        ([1, 0, 3], ["um"] * 3, None, "not three positive lengths"),
        ([1, float("nan"), 3], ["um"] * 3, None, "not three positive lengths"),
    ],
)
def test_voxel_sizes_of_metadata(sizes, units, expected, note):
    import re

    found, told = calibrated(sizes, units, "the spacings")
    assert found == (pytest.approx(expected) if expected else None)
    assert re.search(note, told)
