from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from microtwin.connectivity import label_clusters, percolating_mask, reaching_clusters

masks = hnp.arrays(bool, st.tuples(*[st.integers(2, 5)] * 3), elements=st.booleans())


def winding_by_tiling(mask: np.ndarray, axis: int) -> np.ndarray:
    """Find the voxels that connect to their own copy in another period along an axis.

    Brute force: repeat the image, label without periodicity, and look in the middle copy which
    voxels share a cluster with a copy that is shifted along the axis. A path may wander through
    the periods on its way, so there are as many copies as it can possibly visit.
    """
    copies = 7
    tiled = np.tile(mask, (copies,) * 3)
    clusters, _ = ndimage.label(tiled)
    n = mask.shape
    grid = clusters.reshape(copies, n[0], copies, n[1], copies, n[2]).transpose(0, 2, 4, 1, 3, 5)
    middle = copies // 2
    home = grid[middle, middle, middle]
    winds = np.zeros(mask.shape, bool)
    for shift in np.ndindex(copies, copies, copies):
        if shift[axis] != middle:
            winds |= mask & (grid[shift] == home)
    return winds


@given(masks)
def test_clusters_are_face_connected_pieces(mask):
    ours, n = label_clusters(mask)
    theirs, m = ndimage.label(mask)
    assert n == m
    assert np.array_equal(ours > 0, mask)
    # The same partition: each pair of numbers belongs together one to one.
    pairs = np.unique(np.stack([ours[mask], theirs[mask]]), axis=1)
    assert pairs.shape[1] == n


@given(masks, st.integers(0, 2))
def test_percolating_clusters_touch_both_faces(mask, axis):
    clusters, n = ndimage.label(mask)
    expected = np.zeros_like(mask)
    for i in range(1, n + 1):
        piece = clusters == i
        if piece.take(0, axis).any() and piece.take(-1, axis).any():
            expected |= piece
    assert np.array_equal(percolating_mask(mask, axis), expected)


@given(masks, st.integers(0, 2))
def test_periodic_percolation_is_winding(mask, axis):
    assert np.array_equal(
        percolating_mask(mask, axis, periodic=True), winding_by_tiling(mask, axis)
    )


def test_touching_both_faces_is_not_enough_in_a_periodic_image():
    mask = np.zeros((4, 4, 4), bool)
    mask[:2, 1, 1] = True
    mask[1, 1, 1:3] = True
    mask[1:, 1, 2] = True  # ends at another place than it began
    assert percolating_mask(mask, 0).sum() == mask.sum()
    assert not percolating_mask(mask, 0, periodic=True).any()


def test_a_diagonal_path_winds_along_both_axes():
    # A staircase that climbs one period along z while it goes one period along x.
    mask = np.zeros((3, 2, 3), bool)
    for k in range(3):
        mask[k, 0, k] = mask[k, 0, (k + 1) % 3] = True
    for axis, expected in ((0, True), (1, False), (2, True)):
        assert percolating_mask(mask, axis, periodic=True).any() == expected


def test_pieces_join_through_the_period():
    # Two pieces, neither of which winds alone; together they do, across the faces of x.
    mask = np.zeros((4, 2, 4), bool)
    mask[:2, 0, 0] = True
    mask[2:, 0, 3] = True
    mask[1, 0, 3] = True
    mask[3, 0, 0] = True
    mask[0, 0, 0] = True
    assert np.array_equal(percolating_mask(mask, 0, periodic=True), winding_by_tiling(mask, 0))
    assert percolating_mask(mask, 0, periodic=True).any()


@pytest.mark.parametrize("periodic", [False, True])
def test_full_and_empty(periodic):
    full = np.ones((3, 4, 5), bool)
    for axis in range(3):
        assert percolating_mask(full, axis, periodic).all()
        assert not percolating_mask(~full, axis, periodic).any()


def test_clusters_that_reach_one_face():
    mask = np.zeros((5, 3, 3), bool)
    mask[:3, 0, 0] = mask[3:, 2, 2] = mask[1:4, 0, 2] = True
    low, high = reaching_clusters(mask, 0, 0), reaching_clusters(mask, 0, -1)
    assert np.argwhere(low).tolist() == [[0, 0, 0], [1, 0, 0], [2, 0, 0]]
    assert np.argwhere(high).tolist() == [[3, 2, 2], [4, 2, 2]]
    assert np.array_equal(np.moveaxis(low, 0, 2), reaching_clusters(np.moveaxis(mask, 0, 2), 2, 0))


def test_corners_join_clusters_around_the_period():
    mask = np.zeros((4, 5, 6), bool)
    mask[0, 0, 0] = mask[-1, -1, -1] = mask[2, 2, 2] = True
    assert label_clusters(mask, periodic=True)[1] == 3
    clusters, count = label_clusters(mask, periodic=True, connectivity=26)
    assert count == 2
    assert clusters[0, 0, 0] == clusters[-1, -1, -1] != clusters[2, 2, 2]
    assert clusters[1, 1, 1] == 0
