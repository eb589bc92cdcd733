"""The embedded boundary from a continuous field."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geometry.reference import images, pieces
from microtwin.connectivity import label_clusters
from microtwin.geometry import level_set_geometry

WHOLE = 248


def distance(n, radius, shift):
    centre = n / 2 - 0.5 + np.asarray(shift)
    position = np.moveaxis(np.indices((n,) * 3), 0, -1) - centre
    return radius - np.linalg.norm(position, axis=-1)


def field(labels, seed):
    """Return a random field that is positive where the label is 0."""
    size = np.random.default_rng(seed).uniform(0.05, 1, labels.shape)
    return np.where(labels == 0, size, -size)


@pytest.mark.parametrize("offset", [0.0, 0.2, 0.37, 0.49, -0.3])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_plane_along_the_grid_is_where_the_field_says(offset, axis):
    position = np.moveaxis(np.broadcast_to(np.arange(8.0)[:, None, None], (8, 6, 5)), 0, axis)
    geometry = level_set_geometry(3.5 + offset - position)
    # Half of 1/62 of an octant in each of the cut voxels.
    assert geometry.volume_fraction * 8 == pytest.approx(4 + offset, abs=0.5 / 62)
    across = geometry.faces[1 if axis == 0 else 0].astype(float) / WHOLE
    inside = np.take(across, range(3), axis)
    inside = inside[:, :-1] if axis == 0 else inside[:-1]
    np.testing.assert_array_equal(inside, 1.0)


@pytest.mark.parametrize("normal", [(1, 0.3, 0.1), (0.4, 1, -0.7), (-0.2, 0.5, 1), (1, 1, 1)])
def test_tilted_plane_has_its_volume_and_openings(normal):
    """A trilinear field is linear here: the cuts are exact to the rounding of the bytes."""
    n = 16
    normal = np.asarray(normal) / np.linalg.norm(normal)
    position = np.indices((n,) * 3) - (n - 1) / 2
    level = 0.3 - np.tensordot(normal, position, 1)
    geometry = level_set_geometry(level)
    rng = np.random.default_rng(0)
    inner = slice(2, -2)
    points = (np.arange(40) + 0.5) / 40 - 0.5
    for axis in range(3):
        other = [a for a in range(3) if a != axis]
        u, v = np.meshgrid(points, points)
        shift = normal[other[0]] * u + normal[other[1]] * v
        middle = level[inner, inner, inner] - 0.5 * normal[axis]
        expected = (middle[..., None, None] - shift >= 0).mean((-1, -2))
        face = geometry.faces[axis][inner, inner, inner] / WHOLE
        chosen = face > 0
        assert np.abs(face - expected)[chosen].max() <= 0.5 / 62 + 0.02
        assert np.mean(chosen == (expected > 0)) > 0.97
    samples = rng.uniform(-n / 2, n / 2, (3, 400_000))
    inside = np.abs(samples).max(0) <= n / 2 - 1
    expected = (0.3 - normal @ samples[:, inside] >= 0).mean()
    # The outermost half voxels are continued flat.
    assert geometry.volume_fraction == pytest.approx(expected, abs=0.01)


def test_spheres_converge_at_second_order():
    errors = []
    for radius in (5, 10, 20):
        n = 2 * radius + 5
        volume = level_set_geometry(distance(n, radius, (0.2, -0.1, 0.3))).volume_fraction * n**3
        errors.append(1 - volume / (4 / 3 * np.pi * radius**3))
    # Linear cuts of a convex body: 50 % / R^2 too small.
    np.testing.assert_allclose(np.array(errors) * np.array([25, 100, 400]), 0.5, rtol=0.05)
    assert np.log2(errors[0] / errors[1]) == pytest.approx(2.0, abs=0.1)
    assert np.log2(errors[1] / errors[2]) == pytest.approx(2.0, abs=0.1)


@settings(max_examples=25)
@given(images(2), st.booleans(), st.integers(0, 100))
def test_unit_of_the_field_does_not_matter(labels, periodic, seed):
    level = field(labels, seed)
    one, two = (
        level_set_geometry(level, None, periodic),
        level_set_geometry(256 * level, None, periodic),
    )
    assert one.volume_fraction == two.volume_fraction
    for a, b in zip((*one.faces, *one.outer), (*two.faces, *two.outer), strict=True):
        np.testing.assert_array_equal(a, b)


@given(images(2), st.booleans(), st.integers(0, 100))
def test_links_keep_the_clusters_of_the_sign(labels, periodic, seed):
    level = field(labels, seed)
    clusters, n = label_clusters(labels == 0, periodic)
    joined = pieces(level_set_geometry(level, None, periodic))
    inside = labels == 0
    pairs = {(int(a), int(b)) for a, b in zip(clusters[inside], joined[inside], strict=True)}
    assert len({b for _, b in pairs}) >= n
    assert len(pairs) == len({b for _, b in pairs})  # no piece in two clusters


@given(images(2, high=6), st.integers(0, 100))
def test_periodic_fields_may_be_rolled(labels, seed):
    level, axes = field(labels, seed), (0, 1, 2)
    geometry = level_set_geometry(level, None, True)
    rolled = level_set_geometry(np.roll(level, (1, 2, 3), axes), None, True)
    assert rolled.volume_fraction == geometry.volume_fraction
    for one, two in zip(geometry.faces, rolled.faces, strict=True):
        np.testing.assert_array_equal(np.roll(one, (1, 2, 3), axes), two)


def channel_mismatch(section, n, periodic):
    """Return the difference of volume and open area of a straight channel, in units of a face."""
    level = np.broadcast_to(section, (n, *section.shape))
    geometry = level_set_geometry(level, None, periodic)
    volume = geometry.volume_fraction * section.size * WHOLE
    layers = geometry.faces[0].sum((1, 2), dtype=int)[: n if periodic else -1]
    return np.abs(layers - volume).max()


@given(st.floats(2, 4), st.floats(4, 6), st.floats(4, 6), st.integers(2, 6), st.booleans())
def test_straight_round_channel_has_the_same_area_everywhere(radius, y, x, n, periodic):
    rows, columns = np.indices((11, 12))
    section = radius - np.hypot(rows - y, columns - x)
    # Areas and volumes are cut by the same triangles and round alike, but for a value halfway
    # between two bytes in a few cells.
    assert channel_mismatch(section, n, periodic) <= 2.0


@pytest.mark.xfail(
    strict=True, reason="a sliver that comes in between two diagonal voxels has volume, no area"
)
def test_channel_of_uncorrelated_values():
    rng = np.random.default_rng(80)
    assert channel_mismatch(rng.standard_normal(rng.integers(2, 8, 2)), 3, False) <= 1.0


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused(value):
    level = np.ones((4, 4, 4))
    level[1, 2, 3] = value
    with pytest.raises(ValueError, match="NaN or infinite"):
        level_set_geometry(level)
