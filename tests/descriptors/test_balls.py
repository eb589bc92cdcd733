from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import microtwin as mt
from microtwin.descriptors import constrictivity, intruded_diameter, local_thickness
from microtwin.geometry import distance_map

TWO = {"solid": 0, "pore": 1}


def image(mask, voxel_size=1.0):
    return mt.Microstructure(np.asarray(mask, np.uint8), voxel_size, TWO)


def balls_one_by_one(radius, edges):
    """Largest radius of the balls that hold each voxel, by painting every ball."""
    out = np.zeros_like(radius)
    places = np.indices(radius.shape)
    for centre in np.argwhere(radius > 0):
        away = (places - centre[:, None, None, None]) * np.reshape(edges, (3, 1, 1, 1))
        r = radius[tuple(centre)]
        inside = (away**2).sum(axis=0) < r * r * (1 - 1e-6)
        out = np.maximum(out, np.where(inside, r, 0))
    return out


def widest_ways(radius, layer):
    """Least radius on the widest way from a layer, by sinking the threshold level by level."""
    from scipy.ndimage import label

    width = np.zeros_like(radius)
    for level in np.unique(radius[radius > 0])[::-1]:
        clusters, _ = label(radius >= level)
        reached = np.unique(clusters[layer])
        joined = np.isin(clusters, reached[reached > 0])
        width[joined & (width == 0)] = level
    return width


@settings(max_examples=30, deadline=None)
@given(
    shape=st.tuples(*[st.integers(3, 10)] * 3),
    edges=st.tuples(*[st.sampled_from([1.0, 0.7, 1.5])] * 3),
    seed=st.integers(0, 1000),
    share=st.sampled_from([0.6, 0.9, 0.99]),
)
def test_local_thickness_is_that_of_all_balls(shape, edges, seed, share):
    mask = np.random.default_rng(seed).random(shape) < share
    mask[0, 0, 0], mask[-1, -1, -1] = False, True
    thickness, sizes = local_thickness(image(mask, edges), "pore")
    expected = 2 * balls_one_by_one(distance_map(mask, edges), edges)
    assert thickness == pytest.approx(expected, rel=1e-5)
    assert sizes.shares.sum() == pytest.approx(1.0)
    assert sizes.mean == pytest.approx(thickness[mask].mean(), rel=1e-5)


@settings(max_examples=20, deadline=None)
@given(
    shape=st.tuples(*[st.integers(3, 9)] * 3),
    seed=st.integers(0, 1000),
    direction=st.sampled_from("zyx"),
)
def test_intrusion_follows_the_widest_way(shape, seed, direction):
    mask = np.random.default_rng(seed).random(shape) < 0.85
    mask[0, 0, 0], mask[-1, -1, -1] = False, True
    axis = "zyx".index(direction)
    layer = tuple(slice(0, 1) if a == axis else slice(None) for a in range(3))
    width = widest_ways(distance_map(mask, (1.0, 1.0, 1.0)), layer)
    diameter, sizes = intruded_diameter(image(mask), "pore", direction)
    assert diameter == pytest.approx(2 * balls_one_by_one(width, (1.0, 1.0, 1.0)), rel=1e-5)
    assert sizes.shares.sum() == pytest.approx(np.mean(diameter[mask] > 0))
    thickness, _ = local_thickness(image(mask), "pore")
    assert np.all(diameter <= thickness * (1 + 1e-6))


@pytest.mark.parametrize(("kind", "offset"), [("slab", 0.7), ("cylinder", -0.2), ("sphere", -1.0)])
@pytest.mark.parametrize("diameter", [5.0, 9.0, 13.0])
def test_known_diameters(kind, offset, diameter):
    generator = np.random.default_rng(1)
    n = 40
    found = []
    for _ in range(12):
        axis = generator.standard_normal(3)
        axis /= np.linalg.norm(axis)
        away = np.indices((n, n, n)).reshape(3, -1).T + 0.5 - n / 2 - generator.random(3)
        along = away @ axis
        square = np.sum(away**2, axis=1)
        distance = {
            "slab": np.abs(along),
            "cylinder": np.sqrt(square - along**2),
            "sphere": np.sqrt(square),
        }[kind]
        found.append(local_thickness(image((distance < diameter / 2).reshape((n,) * 3)), "pore")[1])
    assert np.mean([sizes.mean for sizes in found]) == pytest.approx(diameter + offset, abs=0.35)


def test_balls_larger_than_are_compared():
    mask = np.ones((3, 3, 230), bool)
    mask[:, :, 0] = False
    thickness, _ = local_thickness(image(mask), "pore")
    # One ball around the last voxel, 229 from the wall, holds all others.
    assert np.all(thickness[:, :, 1:] == 2 * 229)


def test_a_period_continues_the_image():
    micro = mt.generation.lattice_spheres(24, radius=8.0, voxel_size=1e-6)
    moved = mt.Microstructure(np.roll(micro.labels, (5, 11, 7), (0, 1, 2)), 1e-6, micro.phases)
    for phase in micro.phases:
        thickness, _ = local_thickness(micro, phase, periodic=True)
        other, _ = local_thickness(moved, phase, periodic=True)
        assert np.array_equal(np.roll(thickness, (5, 11, 7), (0, 1, 2)), other)


def test_constrictivity_of_channels():
    straight = np.zeros((20, 15, 15), bool)
    straight[:, 3:10, 3:10] = True
    assert constrictivity(image(straight), "pore") == 1.0
    # A channel of 3 voxels between chambers of 11: distances to the wall 2 and 6.
    narrow = np.zeros((46, 15, 15), bool)
    narrow[:, 6:9, 6:9] = True
    narrow[10:21, 2:13, 2:13] = narrow[25:36, 2:13, 2:13] = True
    # Balls are cut at corners of the chamber, so that its median is a little below 12.
    assert constrictivity(image(narrow), "pore") == pytest.approx((4 / 12) ** 2, rel=0.35)
    closed = straight.copy()
    closed[3] = False
    assert constrictivity(image(closed), "pore") == 0.0


def test_quantiles():
    sizes = mt.descriptors.SizeDistribution(np.array([1.0, 2.0, 4.0]), np.array([0.2, 0.3, 0.3]))
    assert [sizes.quantile(q) for q in (0.1, 0.3, 0.5, 0.7, 0.9)] == [4.0, 4.0, 2.0, 1.0, 0.0]
    assert sizes.mean == pytest.approx((0.2 + 0.6 + 1.2) / 0.8)
    with pytest.raises(ValueError, match="share 0 is not allowed"):
        sizes.quantile(0)


@pytest.mark.parametrize(("value", "words"), [(0, "has no voxel"), (1, "fills the whole image")])
def test_one_phase_has_no_sizes(value, words):
    with pytest.raises(ValueError, match=words):
        local_thickness(image(np.full((4, 4, 4), value)), "pore")


def test_units():
    mask = np.zeros((8, 9, 10), bool)
    mask[2:5] = True
    metres, _ = local_thickness(image(mask, 4e-7), "pore")
    assert math.isclose(metres.max(), 4 * 4e-7, rel_tol=1e-6)
