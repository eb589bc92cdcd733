from __future__ import annotations

import math

import numpy as np
import pytest

from microtwin.generation import lattice_spheres, lattice_spheres_level_set

COUNT = {"sc": 1, "bcc": 2, "fcc": 4}


@pytest.mark.parametrize("lattice", ["sc", "bcc", "fcc"])
def test_volume_fraction_of_the_image(lattice):
    # Counting centres scatters by the surface voxels: far below 1 % at 64 voxels per cell.
    micro = lattice_spheres(64, volume_fraction=0.4, lattice=lattice)
    assert micro.volume_fraction("sphere") == pytest.approx(0.4, rel=0.01)


@pytest.mark.parametrize("lattice", ["sc", "bcc", "fcc"])
def test_radius_and_volume_fraction_agree(lattice):
    n, radius = 20, 5.5
    fraction = COUNT[lattice] * 4 / 3 * math.pi * radius**3 / n**3
    a = lattice_spheres_level_set(n, volume_fraction=fraction, lattice=lattice)
    b = lattice_spheres_level_set(n, radius=radius, lattice=lattice)
    np.testing.assert_allclose(a, b, atol=1e-5)


def test_level_set_is_the_signed_distance():
    level = lattice_spheres_level_set(12, radius=3.0)
    assert level[6, 6, 6] == pytest.approx(math.sqrt(0.75) - 3.0)
    assert level[6, 6, 0] == pytest.approx(math.sqrt(0.5 + 5.5**2) - 3.0)


def test_lattice_has_cubic_symmetry_and_is_periodic():
    level = lattice_spheres_level_set(10, radius=3.0, lattice="fcc")
    assert np.array_equal(level, level.transpose(2, 0, 1))
    assert np.array_equal(level, level[::-1])
    # Face-centred: shifting by half a cell along two axes changes nothing.
    np.testing.assert_allclose(np.roll(level, (5, 5), (0, 1)), level, atol=1e-6)


def test_origin_moves_the_lattice():
    moved = lattice_spheres_level_set(10, radius=3.0, origin=(2.0, 0.0, -1.0))
    still = lattice_spheres_level_set(10, radius=3.0)
    np.testing.assert_allclose(np.roll(still, (2, -1), (0, 2)), moved, atol=1e-6)


def test_cells_repeat():
    one = lattice_spheres(8, radius=3.0, lattice="bcc").labels
    assert np.array_equal(
        lattice_spheres(8, radius=3.0, lattice="bcc", cells=2).labels, np.tile(one, (2, 2, 2))
    )


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="either volume_fraction or radius"):
        lattice_spheres(8)
    with pytest.raises(ValueError, match=r"touch at 0\.5236"):
        lattice_spheres(8, volume_fraction=0.6)
    with pytest.raises(ValueError, match="'hcp' is not known"):
        lattice_spheres(8, radius=2.0, lattice="hcp")
    with pytest.raises(ValueError, match="radius -1"):
        lattice_spheres(8, radius=-1.0)
