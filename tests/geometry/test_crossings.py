from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from microtwin.geometry.crossings import configuration_histogram, projected_areas
from microtwin.geometry.orientation import DIRECTIONS


def member_of(*labels: int) -> np.ndarray:
    member = np.zeros(256, bool)
    member[list(labels)] = True
    return member


@settings(max_examples=20, deadline=None)
@given(
    shape=st.tuples(*[st.integers(2, 6)] * 3),
    seed=st.integers(0, 1000),
    periodic=st.booleans(),
)
def test_histogram_matches_a_plain_loop(shape, seed, periodic):
    labels = np.random.default_rng(seed).integers(0, 3, shape).astype(np.uint8)
    inside = np.isin(labels, (0, 2))
    expected = np.zeros(256, int)
    counts = [n if periodic else n - 1 for n in shape]
    for z, y, x in np.ndindex(*counts):
        code = 0
        for dz, dy, dx in np.ndindex(2, 2, 2):
            corner = inside[(z + dz) % shape[0], (y + dy) % shape[1], (x + dx) % shape[2]]
            code |= int(corner) << (dz + 2 * dy + 4 * dx)
        expected[code] += 1
    assert np.array_equal(configuration_histogram(labels, member_of(0, 2), periodic), expected)


@settings(max_examples=20, deadline=None)
@given(shape=st.tuples(*[st.integers(3, 7)] * 3), seed=st.integers(0, 1000))
def test_periodic_crossings_are_counted_once_each(shape, seed):
    labels = np.random.default_rng(seed).integers(0, 2, shape).astype(np.uint8)
    voxel_size = (1.0, 2.0, 0.5)
    histogram = configuration_histogram(labels, member_of(1), periodic=True)
    measured = projected_areas(histogram, voxel_size)
    for value, direction in zip(measured, DIRECTIONS, strict=True):
        crossings = np.sum(labels != np.roll(labels, direction, (0, 1, 2)))
        spacing = np.linalg.norm(np.multiply(direction, voxel_size))
        assert value == pytest.approx(crossings * 1.0 / spacing)


def test_parts_add_up_to_the_whole():
    # Cubes of an open image belong to one part only, if the parts share a layer of voxels.
    labels = np.random.default_rng(0).integers(0, 2, (9, 8, 7)).astype(np.uint8)
    whole = configuration_histogram(labels, member_of(1), periodic=False)
    parts = [
        configuration_histogram(part, member_of(1), periodic=False)
        for part in (labels[:5], labels[4:])
    ]
    assert np.array_equal(whole, sum(parts))
    assert whole.sum() == 8 * 7 * 6
