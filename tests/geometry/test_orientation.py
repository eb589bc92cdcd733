from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from microtwin.geometry.orientation import (
    DIRECTIONS,
    area_from_projections,
    crofton_area,
    crofton_weights,
)

CUBE = (1.0, 1.0, 1.0)


def projections(normals, areas, voxel_size=CUBE):
    """Exact projected areas of flat pieces with these normals and areas."""
    u = np.array(DIRECTIONS) * voxel_size
    u /= np.linalg.norm(u, axis=1, keepdims=True)
    n = np.array(normals, float)
    n /= np.linalg.norm(n, axis=1, keepdims=True)
    return np.abs(u @ n.T) @ np.array(areas, float)


def test_weights_of_cubic_voxels_are_the_published_ones():
    # Legland, Kieu & Devaux 2007, table 1, for 13 directions (each direction and its opposite).
    weights = dict(zip(DIRECTIONS, crofton_weights(CUBE), strict=True))
    assert weights[0, 0, 1] == pytest.approx(2 * 0.04577789120476, rel=1e-9)
    assert weights[0, 1, 1] == pytest.approx(2 * 0.03698062787608, rel=1e-9)
    assert weights[1, 1, 1] == pytest.approx(2 * 0.03519563978232, rel=1e-9)


@given(st.tuples(*[st.floats(0.2, 5.0)] * 3))
@settings(max_examples=20, deadline=None)
def test_weights_sum_to_one(voxel_size):
    weights = crofton_weights(voxel_size)
    assert weights.sum() == pytest.approx(1.0)
    assert (weights > 0).all()


@pytest.mark.parametrize(
    "voxel_size",
    [CUBE, (2.0, 1.0, 1.0), (1.0, 1.5, 0.7), (1.0, 6.0, 6.0), (12.0, 1.0, 1.0), (1.0, 12.0, 12.0)],
)
def test_isotropic_surface_is_exact(voxel_size):
    # On the sphere the mean of abs(u . n) is 1/2 for every u.
    assert crofton_area(np.full(13, 0.5), voxel_size) == pytest.approx(1.0, rel=1e-12)
    assert area_from_projections(np.full(13, 0.5), voxel_size) == pytest.approx(1.0, rel=1e-5)


@pytest.mark.parametrize("normal", DIRECTIONS)
def test_planes_along_lattice_directions(normal):
    area = area_from_projections(projections([normal], [3.0]), CUBE)
    assert area == pytest.approx(3.0, rel=5e-4)


def test_planes_of_any_direction():
    # 13 projections cannot tell a tilted plane from a fan of planes: up to 2.5 % too much.
    normals = np.random.default_rng(0).standard_normal((200, 3))
    errors = [area_from_projections(projections([n], [1.0]), CUBE) - 1.0 for n in normals]
    assert min(errors) > -1e-3
    assert max(errors) < 0.026
    # Crofton's formula alone errs to both sides, by up to 7.3 %.
    plain = [crofton_area(projections([n], [1.0]), CUBE) - 1.0 for n in normals]
    assert min(plain) < -0.05
    assert crofton_area(projections([(1, 0, 0)], [1.0]), CUBE) == pytest.approx(0.9266, abs=1e-4)


@given(edges=st.tuples(*[st.floats(0.1, 10.0)] * 3))
@settings(max_examples=30, deadline=None)
def test_boxes(edges):
    a, b, c = edges
    exact = 2 * (a * b + b * c + c * a)
    measured = area_from_projections(
        projections(np.eye(3), [2 * b * c, 2 * a * c, 2 * a * b]), CUBE
    )
    # The entropy weight blurs the three normals by 0.2 %.
    assert measured == pytest.approx(exact, rel=3e-3)


@given(
    values=st.lists(st.floats(0.0, 100.0), min_size=13, max_size=13), factor=st.floats(1e-12, 1e3)
)
@example(
    # Far from any surface: multipliers of 1e4, where the objective has few digits left.
    values=[0, 1.09375, 1, 91, 91.87890625, 0, 100, 100, 6.38671875, 1, 6.38671875, 45.84594974, 1],
    factor=1.0,
)
@settings(max_examples=50, deadline=None)
def test_any_counts_give_an_area_that_scales(values, factor):
    # Even projections that no surface has (pure noise) give a finite area.
    projected = np.array(values)
    area = area_from_projections(projected, CUBE)
    assert np.isfinite(area)
    assert area >= 0.0
    assert area_from_projections(factor * projected, CUBE) == pytest.approx(
        factor * area, rel=1e-4, abs=0.0
    )


def test_no_surface_has_no_area():
    assert area_from_projections(np.zeros(13), CUBE) == 0.0
