"""Films one voxel thick: which faces are theirs, and what is left of the interface there."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from microtwin.geometry import area_vectors, face_openings, film_faces

images = st.builds(
    lambda shape, seed: np.random.default_rng(seed).integers(0, 3, shape).astype(np.uint8),
    st.tuples(*[st.integers(2, 6)] * 3),
    st.integers(0, 1000),
)


def stack(*layers):
    return np.broadcast_to(np.array(layers, np.uint8)[:, None, None], (len(layers), 3, 4)).copy()


def marked_after(labels, periodic=False):
    faces = film_faces(labels, periodic)
    assert (faces == faces[:, :1, :1]).all()
    return (faces[:, 0, 0] & 1).tolist()


def test_both_faces_of_a_film_are_marked():
    assert marked_after(stack(1, 1, 2, 1, 1)) == [0, 1, 1, 0, 0]
    assert marked_after(stack(1, 1, 2, 3, 3)) == [0, 1, 1, 0, 0]


def test_layers_of_two_voxels_are_no_films():
    assert marked_after(stack(1, 1, 2, 2, 1, 1)) == [0] * 6
    # At the end the layer is continued, or across the period it is thin.
    assert marked_after(stack(1, 1, 2)) == [0, 0, 0]
    assert marked_after(stack(1, 1, 2), periodic=True) == [0, 1, 1]


def test_what_does_not_matter_bounds_films_but_has_no_faces():
    assert marked_after(stack(1, 1, 2, 0, 0)) == [0, 1, 0, 0, 0]
    assert marked_after(stack(1, 1, 0, 1, 1)) == [0] * 5


@given(images, st.booleans(), st.permutations([0, 1, 2]))
def test_marks_turn_with_the_image(labels, periodic, order):
    faces = film_faces(labels, periodic)
    turned = film_faces(np.ascontiguousarray(labels.transpose(order)), periodic)
    for axis in range(3):
        there = (turned >> axis & 1).transpose(np.argsort(order))
        np.testing.assert_array_equal(faces >> order[axis] & 1, there)


@given(images, st.booleans())
def test_openings_of_all_labels_fill_a_face(labels, periodic):
    voxels = [np.arange(labels.size)] * 3
    total = sum(np.array(face_openings(labels, label, voxels, periodic)) for label in range(3))
    # Each share is rounded to a multiple of 1 / 62 of a quarter of the face.
    np.testing.assert_allclose(total, 1.0, atol=3 * 0.5 / 62)


@given(images)
def test_no_interface_is_left_if_all_faces_are_sealed(labels):
    sealed = np.full(labels.shape, 7, np.uint8)
    assert not area_vectors(labels, 0, 1, True, sealed).any()


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_sealed_film_leaves_the_other_interfaces_alone(axis):
    labels = np.moveaxis(stack(1, 1, 2, 1, 1, 2, 2, 2), 0, axis).copy()
    sealed = film_faces(labels)
    free, left = (area_vectors(labels, 1, 2, sealed=s) for s in (None, sealed))
    free, left = (np.moveaxis(v, axis + 1, 1)[axis, :, 0, 0] for v in (free, left))
    # Before and after a free interface half of the area lies on either side.
    np.testing.assert_allclose(free[4:6], [0.5, 0.5])
    np.testing.assert_allclose(left, [0, 0, 0, 0, 0.5, 0.5, 0, 0])
