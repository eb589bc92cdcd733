from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from microtwin.mechanics import (
    PENNY,
    critical_flaw,
    critical_size,
    flaw_index,
    fracture_energy,
    isotropic,
    particle_cracking,
)

SOLID = isotropic(150e9, 0.25)


def test_known_answers():
    """Irwin: K = sigma sqrt(pi a); a through crack of 1 um under 100 MPa has 0.177 MPa m^0.5."""
    assert flaw_index(100e6, 1e-6, 1e6, geometry=1.0) == pytest.approx(0.1772454, rel=1e-6)
    assert critical_flaw(100e6, 1e6, geometry=1.0) == pytest.approx(1e-4 / np.pi)
    np.testing.assert_allclose(PENNY, 0.63662, rtol=1e-5)
    # Griffith: sigma = sqrt(2 E gamma / (pi a)), in plane stress, with Gamma = 2 gamma.
    gamma, young, flaw = 1.0, 70e9, 1e-6
    stress = np.sqrt(2.0 * young * gamma / (np.pi * flaw))
    assert flaw_index(stress, flaw, np.sqrt(2.0 * gamma * young), geometry=1.0) == pytest.approx(1)
    assert fracture_energy(1e6, SOLID) == pytest.approx(1e12 * (1 - 0.0625) / 150e9)


@given(st.floats(1e6, 1e10), st.floats(1e5, 1e7), st.floats(0.5, 2.0))
def test_a_flaw_of_critical_size_has_index_one(stress, toughness, geometry):
    size = critical_flaw(stress, toughness, geometry=geometry)
    assert flaw_index(stress, size, toughness, geometry=geometry) == pytest.approx(1.0)


@given(st.floats(1e3, 1e8), st.floats(0.1, 100.0))
def test_at_the_critical_size_all_energy_pays_for_the_crack(density, gamma):
    d = float(critical_size(density, gamma))
    assert density * np.pi * d**3 / 6.0 == pytest.approx(gamma * np.pi * d**2 / 4.0)
    assert critical_size(2.0 * density, gamma) == pytest.approx(0.5 * d)
    # The form of Hu, Zhao and Suo: d = Gamma / (Z E e^2).
    strain, young, z = 0.01, 2.0 * density / 0.01**2, 0.2
    found = critical_size(density, gamma, factor=1.0 / (2.0 * z))
    assert found == pytest.approx(gamma / (z * young * strain**2))


def test_pressure_opens_nothing():
    assert critical_flaw(-1e9, 1e6) == np.inf
    assert flaw_index(-1e9, 1e-6, 1e6) < 0.0
    assert critical_size(0.0, 1.0) == np.inf


def balls():
    z, y, x = np.indices((20, 20, 40)) + 0.5
    numbers = np.zeros(z.shape, int)
    for number, middle, radius in ((1, 10.0, 8.0), (3, 30.0, 4.0)):
        numbers[(z - 10) ** 2 + (y - 10) ** 2 + (x - middle) ** 2 < radius**2] = number
    return numbers


def test_particles_under_an_even_pull():
    numbers = balls()
    stress = np.zeros((6, *numbers.shape))
    stress[2] = np.where(numbers == 1, 100e6, np.where(numbers == 3, 200e6, 0.0))
    found = particle_cracking(
        numbers, stress, SOLID, 1e-6, toughness=1e6, flaw=5e-6, length=3e-6
    )  # fmt: skip
    np.testing.assert_allclose(found.diameter[[0, 2]], [16e-6, 8e-6], rtol=0.02)
    assert found.volume[1] == 0.0 and np.isnan(found.diameter[1])
    np.testing.assert_allclose(found.maximum_principal[[0, 2]], [100e6, 200e6])
    density = np.array([100e6, 200e6]) ** 2 / (2.0 * 150e9)
    np.testing.assert_allclose(found.energy_density[[0, 2]], density)
    np.testing.assert_allclose(found.critical_flaw[[0, 2]], critical_flaw([100e6, 200e6], 1e6))
    # No flaw of 5 um fits into the small one.
    expected = [flaw_index(100e6, 5e-6, 1e6), flaw_index(200e6, 0.5 * found.diameter[2], 1e6)]
    np.testing.assert_allclose(found.flaw_index[[0, 2]], expected)
    size = critical_size(density, fracture_energy(1e6, SOLID))
    np.testing.assert_allclose(found.energy_index[[0, 2]], np.sqrt(found.diameter[[0, 2]] / size))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"toughness": 0.0}, "toughness 0.0 is not allowed"),
        ({"flaw": -1e-6}, "flaw -1e-06 is not allowed"),
        ({"length": 0.0}, "length 0.0 is not allowed"),
        ({"geometry": 0.0}, "geometry 0.0 is not allowed"),
        ({"particles": np.zeros((20, 20, 40), int)}, "no particle at all"),
        ({"particles": np.ones((20, 20), int)}, "do not fit a stress of shape"),
        ({"particles": np.ones((20, 20, 40))}, "one whole number for each voxel"),
    ],
)
def test_what_does_not_fit_is_refused(change, words):
    arguments = {
        "particles": balls(),
        "stress": np.zeros((6, 20, 20, 40)),
        "solid": SOLID,
        "voxel_size": 1e-6,
        "toughness": 1e6,
        "flaw": 1e-6,
        "length": 3e-6,
        **change,
    }
    with pytest.raises(ValueError, match=words):
        particle_cracking(**arguments)


def test_sizes_and_flaws_that_are_not_allowed_are_refused():
    with pytest.raises(ValueError, match=r"fracture energy 0\.0 is not allowed"):
        critical_size(1e6, 0.0)
    with pytest.raises(ValueError, match="give sizes from 0 up"):
        flaw_index(1e6, -1e-6, 1e6)
    with pytest.raises(ValueError, match="toughness"):
        critical_flaw(1e6, -1.0)
