"""Area vectors and phase fractions, voxel by voxel."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geometry.reference import images, sampled_fractions, sampled_openings
from microtwin.generation import gaussian_field
from microtwin.geometry import area_vectors, phase_fractions, smooth_geometry


def ball(radius, shift=(0.2, -0.1, 0.3)):
    n = 2 * radius + 5
    centre = n / 2 - 0.5 + np.array(shift)
    distance = np.linalg.norm(np.moveaxis(np.indices((n,) * 3), 0, -1) - centre, axis=-1)
    return (distance > radius).astype(np.uint8)


def magnitude(vectors):
    return float(np.sqrt((vectors.astype(float) ** 2).sum(0)).sum())


@given(images(3), st.booleans())
def test_fractions_of_all_phases_add_up_to_one(labels, periodic):
    total = sum(phase_fractions(labels, phase, periodic) for phase in range(3))
    # Each of 3 phases rounds each of 8 octants by at most half of 1/62 of the octant.
    assert np.abs(total - 1).max() <= 3 * 0.5 / 62
    assert total.mean() == pytest.approx(1.0, abs=0.003)


@given(images(2), st.booleans())
def test_fractions_of_two_phases_add_up_exactly(labels, periodic):
    total = phase_fractions(labels, 0, periodic) + phase_fractions(labels, 1, periodic)
    np.testing.assert_allclose(total, 1.0, rtol=0, atol=1e-7)


@settings(max_examples=15)
@given(images(4, high=5), st.booleans())
def test_fractions_are_those_of_the_interpolated_indicators(labels, periodic):
    fractions = phase_fractions(labels, 1, periodic)
    sampled = sampled_fractions(labels, 1, periodic)
    np.testing.assert_allclose(fractions, sampled, rtol=0, atol=0.51 / 62)
    # A voxel holds more of its own phase than the corner that nothing can take from it.
    assert (fractions[labels == 1] > 1 / 8).all()


def test_fractions_agree_with_the_volume_of_the_geometry():
    """Where no piece of the phase is left out: in a field without thin features."""
    labels = gaussian_field(24, 4.0, 0.5, seed=1).labels
    fractions = phase_fractions(labels, 1)
    volume = smooth_geometry(labels, 1).volume_fraction
    assert fractions.mean(dtype=float) == pytest.approx(volume, abs=1e-4)


@settings(max_examples=15)
@given(images(2, high=5), st.booleans())
def test_area_vectors_close_the_surface_of_each_voxel(labels, periodic):
    vectors = area_vectors(labels, 0, 1, periodic)
    for axis in range(3):
        before = sampled_openings(labels, 0, axis, periodic, -0.5)
        after = sampled_openings(labels, 0, axis, periodic, 0.5)
        # Two faces of four quarters, each rounded by at most half of 1/62 of a quarter.
        np.testing.assert_allclose(vectors[axis], before - after, rtol=0, atol=4.1 / 248)


@given(images(3), st.booleans())
def test_area_vectors_change_sign_with_the_side(labels, periodic):
    for one, two in itertools.combinations(range(3), 2):
        there = area_vectors(labels, one, two, periodic)
        np.testing.assert_array_equal(there, -area_vectors(labels, two, one, periodic))


@given(images(2))
def test_area_vectors_of_a_periodic_image_add_up_to_nothing(labels):
    total = area_vectors(labels, 0, 1, True).sum((1, 2, 3), dtype=float)
    np.testing.assert_allclose(total, 0.0, atol=1e-3)


@given(images(2), st.permutations(range(3)))
def test_no_axis_is_special(labels, order):
    vectors = area_vectors(labels, 0, 1)
    turned = area_vectors(np.ascontiguousarray(labels.transpose(order)), 0, 1)
    for axis in range(3):
        np.testing.assert_array_equal(turned[axis], vectors[order[axis]].transpose(order))


@given(images(3), st.tuples(*[st.integers(0, 6)] * 3))
def test_periodic_images_may_be_rolled(labels, shift):
    rolled = np.roll(labels, shift, (0, 1, 2))
    vectors = np.roll(area_vectors(labels, 0, 1, True), shift, (1, 2, 3))
    np.testing.assert_array_equal(area_vectors(rolled, 0, 1, True), vectors)
    fractions = np.roll(phase_fractions(labels, 0, True), shift, (0, 1, 2))
    np.testing.assert_array_equal(phase_fractions(rolled, 0, True), fractions)


@pytest.mark.parametrize("slope", [(0.0, 0.0), (0.5, 0.0), (1.0, 0.0), (0.31, 0.17), (0.7, -0.4)])
def test_planes_have_their_area_vector(slope):
    """z < z0 + a y + b x: the vector over the image is (1, -a, -b) times its cross-section."""
    n = 32
    z, y, x = np.indices((64, n, n))
    a, b = slope
    labels = (z > 31.7 + a * (y - 15.5) + b * (x - 15.5)).astype(np.uint8)
    total = area_vectors(labels, 0, 1).sum((1, 2, 3), dtype=float)
    # The outermost layer is continued flat beyond the image: up to a voxel over the edge n.
    np.testing.assert_allclose(total / n**2, [1, -a, -b], atol=1.01 / n)


@pytest.mark.parametrize("slope", [(0.0, 0.0), (0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.31, 0.17)])
def test_planes_have_their_area(slope):
    n = 32
    z, y, x = np.indices((64, n, n))
    a, b = slope
    labels = (z > 31.7 + a * (y - 15.5) + b * (x - 15.5)).astype(np.uint8)
    area = magnitude(area_vectors(labels, 0, 1)[:, :, 4:-4, 4:-4]) / (n - 8) ** 2
    exact = np.sqrt(1 + a**2 + b**2)
    # Labels show a slope as steps, which the interpolation smooths but for ripples: +2.7 % in
    # the mean over directions, +4.7 % at most.
    assert -0.001 <= area / exact - 1 <= 0.05


@pytest.mark.parametrize("radius", [5, 10, 20])
def test_spheres(radius):
    labels = ball(radius)
    area = magnitude(area_vectors(labels, 0, 1))
    # Ripples of the label surface: +3 % for large spheres, less where rounding shrinks them.
    assert 0.0 <= area / (4 * np.pi * radius**2) - 1 <= 0.035
    vectors = area_vectors(labels, 0, 1).astype(float)
    # Divergence theorem over the ball: sum of position . area = 3 volumes.
    position = np.indices(labels.shape) - labels.shape[0] / 2
    volume = float(phase_fractions(labels, 0).sum(dtype=float))
    assert (position * vectors).sum() / 3 == pytest.approx(volume, rel=0.02)


def test_normals_point_out_of_the_phase():
    labels = ball(10, (0, 0, 0))
    vectors = area_vectors(labels, 0, 1).astype(float)
    position = np.indices(labels.shape) - (labels.shape[0] - 1) / 2
    outward = (position * vectors).sum(0)
    length = np.linalg.norm(vectors, axis=0) * np.linalg.norm(position, axis=0)
    wide = np.linalg.norm(vectors, axis=0) > 0.3
    assert (outward[wide] / length[wide]).min() > 0.9


def test_phases_that_never_meet_share_no_area():
    labels = np.zeros((12, 4, 4), np.uint8)
    labels[4:8], labels[8:] = 1, 2
    assert not area_vectors(labels, 0, 2).any()
    total = area_vectors(labels, 0, 1).sum((1, 2, 3))
    np.testing.assert_allclose(total, [16, 0, 0], atol=1e-5)


def test_three_phases_at_a_line_keep_most_of_their_areas():
    """Sectors around an axis: flat interfaces between each pair."""
    n = 24
    y, x = np.indices((n, n)) - (n - 1) / 2
    angle = np.arctan2(y, x)
    section = np.select([np.abs(angle) < np.pi / 2, angle > 0], [0, 1], 2).astype(np.uint8)
    labels = np.ascontiguousarray(np.broadcast_to(section, (4, n, n)))
    # Interface of 1 and 2: half the width, in every layer, normal along y.
    total = area_vectors(labels, 1, 2).sum((1, 2, 3), dtype=float)
    np.testing.assert_allclose(total, [0, -4 * n / 2, 0], atol=4 * 1.0)
    total = area_vectors(labels, 0, 1).sum((1, 2, 3), dtype=float)
    np.testing.assert_allclose(total, [0, 0, -4 * n / 2], atol=4 * 1.0)
