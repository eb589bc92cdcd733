from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from microtwin.generation import Particles, paint, surface_distances


def brute_force(particles: Particles, shape: tuple[int, int, int]) -> np.ndarray:
    """Distances from every voxel centre to every surface, the nearest periodic image of each."""
    voxel = np.array(particles.extent) / shape
    points = (np.stack(np.indices(shape), -1) + 0.5) * voxel
    offset = points[..., None, :] - particles.centres
    wrapped = offset - particles.extent * np.round(offset / particles.extent)
    offset = np.where(particles.periodic, wrapped, offset)
    return np.linalg.norm(offset, axis=-1) - particles.semi_axes[:, 0]


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(2, 8),
    shape=st.tuples(*[st.integers(3, 9)] * 3),
    periodic=st.tuples(*[st.booleans()] * 3),
    reach=st.floats(0.0, 3.0),
)
def test_distances_match_brute_force(seed, n, shape, periodic, reach):
    rng = np.random.default_rng(seed)
    extent = (8.0, 9.0, 10.0)
    spheres = Particles(rng.random((n, 3)) * extent, 0.5 + 2 * rng.random(n), extent, periodic)
    first, second, owner = surface_distances(spheres, shape, reach)
    exact = brute_force(spheres, shape)
    ranked = np.sort(exact, axis=-1)
    np.testing.assert_allclose(first, np.minimum(ranked[..., 0], reach), atol=1e-5)
    np.testing.assert_allclose(second, np.minimum(ranked[..., 1], reach), atol=1e-5)
    near = ranked[..., 0] < reach - 1e-5
    assert np.array_equal(owner[near], exact.argmin(-1)[near])


def test_painted_volume_and_wrapping():
    corner = Particles([[0.0, 0.0, 0.0]], [6.0], (20.0, 20.0, 20.0))
    middle = Particles([[10.0, 10.0, 10.0]], [6.0], (20.0, 20.0, 20.0))
    image = paint(corner, 40)
    assert np.array_equal(image, np.roll(paint(middle, 40), 20, (0, 1, 2)))
    assert set(np.unique(image)) == {0, 1}
    # A ball of radius 12 voxels is counted to 1 %.
    assert (image > 0).mean() == pytest.approx(corner.volume_fraction, rel=0.01)


def test_walled_sphere_is_cut():
    spheres = Particles([[0.0, 5.0, 5.0]], [2.0], (10.0, 10.0, 10.0), (False, True, True))
    image = paint(spheres, 20)
    assert image[0].any()
    assert not image[-1].any()


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="do not fit 2 particles"):
        Particles([[0.0, 0.0, 0.0]], [1.0, 1.0], (4.0, 4.0, 4.0))
    with pytest.raises(ValueError, match="not positive"):
        Particles([[0.0, 0.0, 0.0]], [0.0], (4.0, 4.0, 4.0))
    with pytest.raises(ValueError, match="reach"):
        surface_distances(Particles([[0.0, 0.0, 0.0]], [1.0], (4.0, 4.0, 4.0)), 4, -1.0)
