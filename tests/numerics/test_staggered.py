"""The staggered grid: differences on grids of every parity, and their transposes."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from microtwin.numerics.quarters import from_quarters, to_quarters
from microtwin.numerics.staggered import open_faces, staggered_grid

FACTORS = (1.0, 0.5, 2.0)
SHAPES = [(3, 4, 5), (4, 5, 4), (2, 2, 2), (5, 3, 3), (3, 2, 7)]
everywhere = pytest.mark.parametrize("shape", SHAPES)
rings = pytest.mark.parametrize("ring", [True, False])


def random_set(shape, seed=3):
    return np.random.default_rng(seed).random(shape) < 0.7


@everywhere
@rings
def test_force_is_the_drive_less_the_difference(shape, ring):
    inside = random_set(shape)
    grid = staggered_grid(inside, FACTORS, ring)
    p = np.random.default_rng(1).random(shape)
    for axis in range(3):
        out = to_quarters(np.full(grid.face_shape(axis), np.nan))
        grid.force(out, to_quarters(p), axis, 0.25)
        found = from_quarters(out, grid.face_shape(axis))
        opened = open_faces(inside, axis, ring)
        if axis == 0 and not ring:
            padded = np.pad(p, [(1, 1), (0, 0), (0, 0)])
            drive = np.full(found.shape, 0.25)
            drive[[0, -1]] = 0.125
            expected = drive - FACTORS[0] * np.diff(padded, axis=0)
        else:
            expected = 0.25 - FACTORS[axis] * (np.roll(p, -1, axis) - p)
        assert_allclose(found, np.where(opened, expected, 0.0), atol=1e-15)


@everywhere
@rings
def test_the_divergence_is_the_transpose_of_the_force(shape, ring):
    inside = random_set(shape, 8)
    grid = staggered_grid(inside, FACTORS, ring)
    rng = np.random.default_rng(2)
    p = to_quarters(rng.random(shape))
    for axis in range(3):
        u = rng.random(grid.face_shape(axis)) * open_faces(inside, axis, ring)
        u = to_quarters(u)
        force, out = np.zeros_like(u), np.zeros_like(p)
        grid.force(force, p, axis)
        grid.add_divergence(out, u, axis)
        assert_allclose((out * p).sum(), (u * force).sum(), rtol=1e-13)


@everywhere
@rings
def test_what_is_packed_comes_back(shape, ring):
    inside = random_set(shape, 5)
    grid = staggered_grid(inside, FACTORS, ring)
    for axis in range(3):
        opened = open_faces(inside, axis, ring)
        u = np.random.default_rng(4).random(opened.shape) * opened
        values = np.empty(opened.sum())
        grid.pack(values, to_quarters(u), axis)
        assert_array_equal(grid.on_grid(values, axis), u)


def test_outer_faces():
    inside = np.ones((3, 4, 5), bool)
    assert open_faces(inside, 0, False).shape == (4, 4, 5)
    assert open_faces(inside, 0, False).all()
    assert not open_faces(inside, 1, False)[:, -1].any()
    assert open_faces(inside, 2, True).all()
