from __future__ import annotations

import numpy as np
import pytest

import microtwin as mt
from microtwin.descriptors import particle_shapes
from microtwin.generation import ParticleType, packed_particles, paint

TWO = {"pore": 0, "active": 1}


@pytest.mark.parametrize("seed", range(5))
def test_an_ellipsoid_of_any_direction_on_voxels_of_three_edges(seed):
    edges = np.array([1.0, 0.8, 1.2]) * 1e-6
    shape = (50, 60, 40)
    axes, _ = np.linalg.qr(np.random.default_rng(seed).standard_normal((3, 3)))
    semi_axes = np.array([18.0, 9.0, 6.0]) * 1e-6
    away = (np.indices(shape).reshape(3, -1).T + 0.5 - np.array(shape) / 2) * edges
    inside = np.sum((away @ axes / semi_axes) ** 2, axis=1).reshape(shape) < 1
    found = particle_shapes(mt.Microstructure(inside.astype(np.uint8), edges, TWO), "active")
    assert found.semi_axes[0] == pytest.approx(semi_axes, rel=0.015)
    assert np.abs(np.sum(found.axes[0] * axes.T, axis=1)) == pytest.approx(1.0, abs=2e-3)
    assert found.aspect_ratios[0] == pytest.approx(3.0, rel=0.015)
    assert found.diameters[0] == pytest.approx(2 * semi_axes.prod() ** (1 / 3), rel=2e-3)
    assert found.orientation_tensor() == pytest.approx(np.outer(axes[:, 0], axes[:, 0]), abs=5e-3)
    assert found.complete.tolist() == [True]
    assert found.mean_contacts == 0.0


def test_packed_spheres():
    spheres = packed_particles(96, 4e-7, ParticleType((6e-6, 1e-6)), 0.45, 1, periodic=False)
    owner = paint(spheres, 96)
    micro = mt.Microstructure((owner > 0).astype(np.uint8), 4e-7, TWO)
    found = particle_shapes(micro, "active")
    assert len(found.diameters) == pytest.approx(len(spheres), rel=0.03)
    assert np.median(found.aspect_ratios) < 1.06
    # Walls do not cut spheres; the median by volume is that of the packing.
    radii = np.sort(spheres.diameters / 2)
    share = np.cumsum(radii**3) / np.sum(radii**3)
    median = 2 * radii[np.searchsorted(share, 0.5)]
    assert found.sizes.quantile(0.5) == pytest.approx(median, rel=0.03)
    assert found.sizes.shares.sum() == pytest.approx(1.0)
    assert np.trace(found.orientation_tensor()) == pytest.approx(1.0)
    # Each contact is counted at both particles.
    assert found.contacts.sum() % 2 == 0


def test_no_particle():
    micro = mt.Microstructure(np.zeros((4, 4, 4), np.uint8), 1e-6, TWO)
    with pytest.raises(ValueError, match="has no voxel"):
        particle_shapes(micro, "active")
