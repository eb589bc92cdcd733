"""How an image moves as a whole."""

from __future__ import annotations

import numpy as np
import pytest

import microtwin as mt
from microtwin.meshing import BOX_FACES

mech = mt.mechanics
SOLID = {"solid": mech.isotropic(1e9, 0.0)}


def block(first=0):
    labels = np.ones((6, 4, 5), np.uint8)
    labels[:first] = 0
    return mt.Microstructure(labels, (2e-6, 1e-6, 1e-6), {"void": 0, "solid": 1})


@pytest.mark.parametrize(
    ("case", "growth"),
    [
        ({}, 0.01),
        ({"mean_strain": np.zeros(6)}, 0.0),
        ({"faces": dict.fromkeys(BOX_FACES, "roller")}, 0.0),
        ({"faces": {"z_low": "roller", "z_high": "free"}}, 0.01),
        ({"faces": {"z_low": "roller", "z_high": {"displacement": 0.6e-6}}}, 0.05),
    ],
)
def test_a_uniform_block_grows_by_its_strain_or_is_told(case, growth):
    micro = block()
    found = mech.solve_swelling(micro, SOLID, {"solid": 0.01}, tol=1e-8, **case)
    assert mech.image_growth(micro, SOLID, found) == pytest.approx(growth, rel=1e-6)
    moved = mech.voxel_displacement(micro, found)
    # From the middle of the first voxel to that of the last one are 5 of 6 lengths.
    across = (moved[0, -1] - moved[0, 0]).mean()
    assert across == pytest.approx(growth * 10e-6, rel=1e-5, abs=1e-15)


def test_a_free_face_without_solid_does_not_tell():
    micro = block(first=1)
    found = mech.solve_swelling(
        micro, SOLID, {"solid": 0.01}, faces={"z_low": "free", "z_high": "roller"}
    )
    assert mech.image_growth(micro, SOLID, found) is None
    assert mech.image_growth(micro, SOLID, found, "y") == pytest.approx(0.01, rel=1e-4)


def test_shear_of_the_image_moves_its_voxels():
    micro = block()
    strain = [0.0, 0.0, 0.0, 0.0, 0.02, 0.0]  # zx, twice that of the tensor
    found = mech.solve_swelling(micro, SOLID, {"solid": 0.0}, mean_strain=strain)
    moved = mech.voxel_displacement(micro, found)
    z = (np.arange(6) + 0.5) * 2e-6
    assert moved[2, :, 1, 2] == pytest.approx(0.01 * z, rel=1e-5)
