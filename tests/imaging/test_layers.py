from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from microtwin import Scan
from microtwin.imaging.layers import float_slabs, sampled_blocks, slab_layers


class Stored:
    """A volume of which only layers can be read, and which tells how many were."""

    def __init__(self, values):
        self.values = values
        self.shape = values.shape
        self.read = 0

    def read_layers(self, start, stop):
        assert 0 <= start < stop <= self.shape[0]
        self.read += stop - start
        return self.values[start:stop]


def numbered(shape, dtype=np.float32):
    return Stored(np.arange(np.prod(shape)).reshape(shape).astype(dtype))


def test_slabs_cover_the_volume_once_and_carry_their_halo():
    volume = numbered((23, 3, 4), np.uint16)
    seen = []
    for first, start, stop, values in float_slabs(volume, 3, layers=7):
        assert values.dtype == np.float32
        assert first == max(start - 3, 0)
        assert_array_equal(values, volume.values[first : min(stop + 3, 23)])
        seen += list(range(start, stop))
    assert seen == list(range(23))
    # Layers of two halos are read once.
    assert volume.read == 23


@pytest.mark.parametrize(
    ("shape", "layers"), [((9, 4, 4), 196608), ((9, 512, 512), 16), ((9, 4000, 4000), 16)]
)
def test_thickness_of_slabs_depends_on_nothing_but_the_layers(shape, layers):
    assert slab_layers(shape) == layers


@pytest.mark.parametrize("shape", [(2, 3, 4), (20, 30, 40)])
def test_a_small_volume_is_sampled_whole(shape):
    (block,) = sampled_blocks(numbered(shape, np.uint8), 24_000)
    assert block.shape == shape
    assert block.dtype == np.float32


@pytest.mark.parametrize("grid", [(3, 2, 2), (12, 1, 1)])
@pytest.mark.parametrize(
    "shape",
    [(96, 96, 96), (2, 300, 300), (7, 200, 200), (20, 150, 90), (300, 30, 30), (40, 9, 900)],
)
def test_blocks_lie_apart_inside_the_volume_and_are_as_large_as_asked_for(shape, grid):
    wanted = int(0.3 * np.prod(shape))
    volume = numbered(shape, np.float64)
    blocks = sampled_blocks(volume, wanted, grid)
    numbers = np.concatenate([block.ravel() for block in blocks])
    # None twice, each a piece of the volume.
    assert len(np.unique(numbers)) == len(numbers)
    for block in blocks:
        z, y, x = np.unravel_index(int(block[0, 0, 0]), shape)
        there = tuple(slice(s, s + n) for s, n in zip((z, y, x), block.shape, strict=True))
        assert_array_equal(block, volume.values[there])
        # Thick enough to have an inside, as far as the volume is.
        assert min(b - min(8, n) for b, n in zip(block.shape, shape, strict=True)) >= 0
    # Edges are rounded down to whole voxels; those of thin cells to no less than eight.
    assert 0.5 * wanted < len(numbers) < 1.5 * wanted
    # Spread over the whole: their mean is in the middle.
    assert np.mean(numbers) == pytest.approx(np.prod(shape) / 2, rel=0.1)


def test_layers_that_are_not_finite_are_named():
    values = np.zeros((20, 8, 8))
    values[13, 2, 3] = np.nan
    message = "layer 13 of the volume holds NaN or infinite values; crop them away or fill them in"
    with pytest.raises(ValueError, match=message):
        list(float_slabs(Stored(values), 2, layers=6))
    with pytest.raises(ValueError, match=message):
        sampled_blocks(Stored(values), 10_000)


def test_scans_are_layers():
    scan = Scan(np.arange(24, dtype=np.int16).reshape(2, 3, 4), 1e-6)
    ((first, start, stop, values),) = float_slabs(scan, 5)
    assert (first, start, stop) == (0, 0, 2)
    assert_array_equal(values, scan.values)
