from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import ConvexHull

from generation.compiled_geometry import gauge, support_point
from microtwin.generation import Particles, paint, surface_distances
from microtwin.generation.form_kernels import FARTHEST, NEAREST
from microtwin.generation.forms import Body, bodies_of, plate_volume
from microtwin.generation.orientations import axes_with_order, frames_along

FORMS = ["ellipsoid", "plate", "polyhedron", "irregular"]


def body(form: str, seed: int = 0) -> Body:
    return bodies_of(form, facets=12, roughness=0.12, rng=np.random.default_rng(seed))[0]


def axes_of(form: str) -> np.ndarray:
    return np.array([0.3, 1.1, 1.1]) if form == "plate" else np.array([0.7, 1.0, 1.4])


@pytest.mark.parametrize("form", FORMS)
@given(point=st.tuples(*[st.floats(-2, 2)] * 3), factor=st.floats(0.1, 5))
def test_the_gauge_grows_with_the_distance_from_the_centre(form, point, factor):
    shape, axes = body(form), axes_of(form)
    point = np.array(point)
    if np.linalg.norm(point) < 0.05 or np.linalg.norm(factor * point) > 5:
        return
    one, more = gauge(shape, axes, point)[0], gauge(shape, axes, factor * point)[0]
    # Irregular bodies drop their waves far from the surface, where only the side matters.
    if form == "irregular" and not (0.5 < one < 2 and 0.5 < more < 2):
        return
    assert more == pytest.approx(factor * one, rel=1e-9)


@pytest.mark.parametrize("form", FORMS)
def test_gauge_and_distance_agree_on_what_is_inside(form):
    shape, axes = body(form, 5), axes_of(form)
    for point in np.random.default_rng(0).uniform(-1.6, 1.6, (2000, 3)):
        g, d = gauge(shape, axes, point)
        assert (g < 1) == (d < 0)


@pytest.mark.parametrize("form", FORMS)
def test_the_support_point_lies_on_the_hull(form):
    shape, axes = body(form, 2), axes_of(form)
    rng = np.random.default_rng(1)
    rotation = frames_along(axes_with_order(0.0, "z", 1, rng), rng)[0]
    inside = rng.uniform(-2, 2, (20_000, 3))
    inside = inside[[gauge(shape, axes, p)[0] < 1 for p in inside]] @ rotation.T
    for u in rng.standard_normal((20, 3)):
        u /= np.linalg.norm(u)
        point = support_point(shape, axes, rotation, u)
        reach = np.max(inside @ u)
        assert -1e-9 <= point @ u - reach < 0.4
        if form != "irregular":  # whose hull is a little too large
            assert gauge(shape, axes, rotation.T @ point)[0] == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("form", ["ellipsoid", "irregular"])
def test_distances_are_right_to_first_order(form):
    shape, axes = body(form, 3), 8.0 * np.array([0.8, 1.0, 1.2])
    rng = np.random.default_rng(2)
    # Points of the surface, from the gauge along random rays.
    rays = rng.standard_normal((60_000, 3))
    rays /= np.linalg.norm(rays, axis=1)[:, None]
    surface = np.array([ray * 7 / gauge(shape, axes, 7 * ray)[0] for ray in rays])
    from scipy.spatial import cKDTree

    tree = cKDTree(surface)
    for ray in rays[:200]:
        point = 1.05 * ray * 7 / gauge(shape, axes, 7 * ray)[0]
        exact = tree.query(point)[0]
        assert gauge(shape, axes, point)[1] == pytest.approx(exact, rel=0.12)


def test_hulls_hold_irregular_bodies():
    for seed in range(3):
        for shape in bodies_of("irregular", 12, 0.2, np.random.default_rng(seed))[:5]:
            rays = np.random.default_rng(9).standard_normal((3000, 3))
            rays /= np.linalg.norm(rays, axis=1)[:, None]
            points = np.array([ray / gauge(shape, np.ones(3), ray)[0] for ray in rays])
            for u in rays[:40]:
                assert np.max(points @ u) <= np.max(shape.hull @ u) * 1.01
            radii = np.linalg.norm(points, axis=1)
            assert radii.max() <= shape.reach < FARTHEST
            # The waves are left out nearer to the centre, where they must not matter.
            assert radii.min() > NEAREST


def test_the_distance_to_a_plate_is_exact():
    plate, axes = Body("plate"), np.array([0.2, 1.0, 1.0])
    assert gauge(plate, axes, (0.5, 0.3, 0.2))[1] == pytest.approx(0.3)
    assert gauge(plate, axes, (0.0, 2.0, 0.0))[1] == pytest.approx(1.0)
    assert gauge(plate, axes, (0.3, 0.8 + 0.4, 0.0))[1] == pytest.approx(0.5 - 0.2)
    assert gauge(plate, axes, (0.0, 0.0, 0.0))[1] == pytest.approx(-0.2)


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000), facets=st.integers(6, 40))
def test_polyhedra_have_the_volume_of_the_unit_ball(seed, facets):
    (first, *_) = bodies_of("polyhedron", facets, 0.1, np.random.default_rng(seed))
    assert ConvexHull(first.hull).volume == pytest.approx(4 / 3 * math.pi, rel=1e-9)
    # Corners lie on three facets, and behind all others.
    along = first.hull @ first.surface[:, :3].T - first.surface[:, 3]
    assert np.all(along < 1e-9) and np.all(np.sort(along, axis=1)[:, -3] > -1e-9)


@pytest.mark.parametrize("form", FORMS)
def test_painted_volumes_are_those_of_the_list(form):
    rng = np.random.default_rng(4)
    axes = 12.0 * axes_of(form)[None]
    frames = frames_along(axes_with_order(0.0, "z", 1, rng), rng)
    edge = (48.0,) * 3
    one = Particles([[24.2, 23.9, 24.4]], axes, edge, False, frames, [0], (body(form, 7),))
    filled = np.count_nonzero(paint(one, 48))
    # The error of counting voxels is about the square root of those at the surface.
    assert filled == pytest.approx(one.volumes[0], rel=0.01)
    assert one.diameters[0] == pytest.approx((6 * one.volumes[0] / math.pi) ** (1 / 3))


def test_plates_of_equal_axes_are_balls():
    assert plate_volume(np.array(1.0), np.array(1.0)) == pytest.approx(4 / 3 * math.pi)
    flat = plate_volume(np.array(1e-6), np.array(1.0))
    assert flat == pytest.approx(math.pi * 2e-6, rel=1e-5)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("periodic", [True, False])
def test_images_do_not_depend_on_the_windows(form, periodic):
    # Every voxel against every particle, one by one.
    rng = np.random.default_rng(11)
    n, shape = 6, (14, 16, 18)
    frames = frames_along(axes_with_order(0.0, "z", n, rng), rng)
    shapes = tuple(body(form, k) for k in range(2))
    axes = np.tile(2.2 * axes_of(form), (n, 1)) * rng.uniform(0.8, 1.2, (n, 1))
    box = Particles(
        rng.random((n, 3)) * shape, axes, shape, periodic, frames, np.arange(n) % 2, shapes
    )
    reach = 1.5
    first, second, owner = surface_distances(box, shape, reach)
    centres = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1) + 0.5
    found = np.full((n, *shape), reach)
    for i in range(n):
        apart = centres - box.centres[i]
        if periodic:
            apart -= np.array(shape) * np.round(apart / shape)
        local = apart @ frames[i]
        for at in np.ndindex(shape):
            found[(i, *at)] = min(reach, gauge(shapes[i % 2], axes[i], local[at])[1])
    found.sort(axis=0)
    # Beyond the corners of polyhedra and bumps the distance is a lower bound, and the window ends
    # at the true distance.
    known = reach if form in ("ellipsoid", "plate") else 0.5
    for ours, theirs in ((first, found[0]), (second, found[1])):
        assert np.allclose(np.minimum(ours, known), np.minimum(theirs, known), atol=1e-5)
    assert np.array_equal(owner < 0, first >= reach)
