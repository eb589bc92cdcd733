from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.measure import euler_number

import microtwin as mt
from microtwin.descriptors import (
    betti_numbers,
    euler_density,
    gaussian_euler_density,
    gaussian_mean_curvature,
    minkowski_functionals,
)
from microtwin.descriptors.verification import digitised_ellipsoid

TWO = {"solid": 0, "pore": 1}


def image(mask, voxel_size=1.0):
    return mt.Microstructure(np.asarray(mask, np.uint8), voxel_size, TWO)


@settings(max_examples=50, deadline=None)
@given(
    shape=st.tuples(*[st.integers(2, 9)] * 3),
    seed=st.integers(0, 1000),
    share=st.sampled_from([0.1, 0.5, 0.9]),
)
def test_euler_number_is_that_of_another_code(shape, seed, share):
    mask = np.random.default_rng(seed).random(shape) < share
    found = betti_numbers(image(mask), "pore")
    assert found.euler_number == euler_number(mask, connectivity=1)
    assert min(found.pieces, found.tunnels, found.cavities) >= 0


def test_shapes():
    ball = np.zeros((9, 9, 9), bool)
    ball[2:7, 2:7, 2:7] = True
    shell = ball.copy()
    shell[3:6, 3:6, 3:6] = False
    kernel = shell.copy()
    kernel[4, 4, 4] = True
    ring = ball.copy()
    ring[:, 4, 4] = False
    two_holes = ball.copy()
    two_holes[:, 3, 3] = two_holes[:, 5, 5] = False
    for mask, expected in [
        (ball, (1, 0, 0)),
        (shell, (1, 0, 1)),
        (kernel, (2, 0, 1)),
        (ring, (1, 1, 0)),
        (two_holes, (1, 2, 0)),
        (np.zeros((3, 3, 3)), (0, 0, 0)),
        (np.ones((3, 3, 3)), (1, 0, 0)),
    ]:
        found = betti_numbers(image(mask), "pore")
        assert (found.pieces, found.tunnels, found.cavities) == expected


def test_diagonal_neighbours_enclose_a_cavity_only_through_faces():
    # An octahedral cage: six voxels around one, which touch along edges only.
    cage = np.zeros((5, 5, 5), bool)
    for axis in range(3):
        for side in (1, 3):
            place = [2, 2, 2]
            place[axis] = side
            cage[tuple(place)] = True
    found = betti_numbers(image(cage), "pore")
    assert (found.pieces, found.tunnels, found.cavities) == (6, 0, 0)


def test_periodic_lattice_of_pipes():
    # Three pipes that meet in one node per period: one vertex, three edges.
    mask = np.zeros((8, 8, 8), bool)
    mask[:, 4, 4] = mask[4, :, 4] = mask[4, 4, :] = True
    assert euler_density(image(mask), "pore", periodic=True) * 8**3 == pytest.approx(-2.0)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), periodic=st.booleans())
def test_a_phase_and_the_rest_curve_the_other_way(seed, periodic):
    mask = np.random.default_rng(seed).random((6, 7, 8)) < 0.5
    pore = minkowski_functionals(image(mask, (1.0, 2.0, 1.5)), "pore", periodic)
    solid = minkowski_functionals(image(mask, (1.0, 2.0, 1.5)), "solid", periodic)
    assert pore.mean_curvature == pytest.approx(-solid.mean_curvature)
    assert pore.surface == pytest.approx(solid.surface)
    assert pore.volume + solid.volume == pytest.approx(1.0)


@pytest.mark.parametrize(("radius", "limit"), [(5, 0.02), (10, 0.005), (20, 0.002)])
def test_spheres(radius, limit):
    offsets = np.random.default_rng(3).random((20, 3))
    found = [
        minkowski_functionals(digitised_ellipsoid((radius,) * 3, tuple(o)), "inside")
        for o in offsets
    ]
    volume = (2 * radius + 5) ** 3
    curvature = volume * np.mean([f.mean_curvature for f in found])
    assert curvature == pytest.approx(4 * math.pi * radius, rel=limit)
    assert all(f.euler_number * volume == pytest.approx(1.0) for f in found)
    average = np.mean([f.average_mean_curvature for f in found])
    assert average == pytest.approx(1 / radius, rel=2 * limit)


def test_gaussian_fields_follow_the_kinematic_formula():
    found = [
        minkowski_functionals(mt.generation.gaussian_field(96, 4.0, 0.3, s, 1.0), "pore", True)
        for s in range(8)
    ]
    curvature = [f.mean_curvature for f in found]
    euler = [f.euler_number for f in found]
    # Three standard errors of the mean.
    error = 3 * np.std(curvature) / math.sqrt(8)
    assert np.mean(curvature) == pytest.approx(gaussian_mean_curvature(4.0, 0.3), abs=error)
    error = 3 * np.std(euler) / math.sqrt(8)
    assert np.mean(euler) == pytest.approx(gaussian_euler_density(4.0, 0.3), abs=error)
    assert gaussian_mean_curvature(4.0, 0.7) == pytest.approx(-gaussian_mean_curvature(4.0, 0.3))
