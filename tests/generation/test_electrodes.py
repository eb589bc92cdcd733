from __future__ import annotations

import numpy as np
import pytest

from microtwin.connectivity import percolating_mask
from microtwin.generation import electrode


@pytest.mark.parametrize(
    ("porosity", "binder", "periodic"),
    [(0.40, 0.10, True), (0.30, 0.05, (False, True, True)), (0.50, 0.0, False)],
)
def test_fractions_are_met_and_phases_percolate(porosity, binder, periodic):
    micro = electrode(
        (64, 72, 80), porosity=porosity, binder_fraction=binder, seed=1, periodic=periodic
    )
    voxel = 1.0 / micro.labels.size
    assert micro.volume_fraction("pore") == pytest.approx(porosity, abs=voxel)
    assert micro.volume_fraction("binder") == pytest.approx(binder, abs=voxel)
    for axis in range(3):
        assert percolating_mask(micro.mask("pore"), axis).sum() > 0.97 * micro.mask("pore").sum()
        solid = micro.mask(["active", "binder"])
        assert percolating_mask(solid, axis).sum() > 0.9 * solid.sum()


def test_same_seed_same_bits():
    a, b, c = (electrode(48, seed=seed).labels for seed in (1, 1, 2))
    assert np.array_equal(a, b)
    assert not np.array_equal(a, c)


def test_binder_sits_between_particles():
    # Binder voxels have an active neighbour within two voxels more often than pore voxels.
    micro = electrode(64, seed=4)
    near = micro.mask("active")
    for _ in range(2):
        grown = near.copy()
        for axis in range(3):
            for step in (-1, 1):
                grown |= np.roll(near, step, axis)
        near = grown
    binder, pore = (near[micro.mask(phase)].mean() for phase in ("binder", "pore"))
    assert binder > 0.85
    assert pore < 0.6


def test_particle_diameter_sets_the_scale():
    def surface_voxels(diameter: float) -> int:
        active = electrode(64, particle_diameter=diameter, seed=0).mask("active")
        return sum(int((active != np.roll(active, 1, axis)).sum()) for axis in range(3))

    # Specific surface goes as 1 / d; few particles fit at the larger size.
    assert surface_voxels(4e-6) / surface_voxels(8e-6) == pytest.approx(2.0, rel=0.25)


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="leave"):
        electrode(32, porosity=0.6, binder_fraction=0.4)
    with pytest.raises(ValueError, match="do not fit a box"):
        electrode(16, particle_diameter=10e-6)
    with pytest.raises(ValueError, match="particle diameter"):
        electrode(32, particle_diameter=-1.0)
    with pytest.raises(ValueError, match="does not percolate along z"):
        electrode(32, porosity=0.005, binder_fraction=0.55, seed=0)
