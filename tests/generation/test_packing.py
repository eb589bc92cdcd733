from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from microtwin.generation import Particles, boolean_spheres, packed_spheres


def worst_overlap(spheres: Particles) -> float:
    offset = spheres.centres[:, None] - spheres.centres
    wrapped = offset - spheres.extent * np.round(offset / spheres.extent)
    distance = np.linalg.norm(np.where(spheres.periodic, wrapped, offset), axis=-1)
    touching = spheres.radii[:, None] + spheres.radii
    upper = np.triu_indices(len(spheres), 1)
    return float(np.max(1.0 - distance[upper] / touching[upper]))


@pytest.mark.parametrize("periodic", [True, False, (False, True, True)])
@pytest.mark.parametrize("solid_fraction", [0.2, 0.5])
def test_no_overlap_beyond_the_tolerance(periodic, solid_fraction):
    spheres = packed_spheres(60, 1e-6, (12e-6, 4e-6), solid_fraction, seed=3, periodic=periodic)
    assert worst_overlap(spheres) <= 0.01 + 1e-9
    assert spheres.volume_fraction == pytest.approx(solid_fraction, rel=1e-9)
    for axis, wraps in enumerate(spheres.periodic):
        low = spheres.centres[:, axis] - (0 if wraps else spheres.radii)
        high = spheres.centres[:, axis] + (0 if wraps else spheres.radii)
        assert low.min() >= -1e-15
        assert high.max() <= spheres.extent[axis] + 1e-15


def test_same_seed_same_packing():
    a, b, c = (packed_spheres(40, 1.0, (10.0, 2.0), 0.4, seed=s) for s in (5, 5, 6))
    assert np.array_equal(a.centres, b.centres)
    assert np.array_equal(a.radii, b.radii)
    assert a.centres.shape != c.centres.shape or not np.array_equal(a.centres, c.centres)


def test_lognormal_diameters_have_the_mean_and_deviation_asked_for():
    # About 1100 particles: mean within 3 standard errors of 1 %, deviation within 10 %.
    spheres = packed_spheres(120, 1.0, (10.0, 3.0), 0.4, seed=0)
    diameters = 2 * spheres.radii
    assert diameters.mean() == pytest.approx(10.0, rel=0.03)
    assert diameters.std() == pytest.approx(3.0, rel=0.1)


def test_scipy_distribution_as_sampler():
    spheres = packed_spheres(60, 1.0, scipy.stats.uniform(8.0, 4.0), 0.3, seed=1)
    # The common factor that meets the solid fraction is near 1.
    assert spheres.radii.min() > 0.5 * 8 * 0.95
    assert spheres.radii.max() < 0.5 * 12 * 1.05


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="do not fit a box"):
        packed_spheres(8, 1.0, (10.0, 0.0), 0.5)
    with pytest.raises(ValueError, match="still overlap"):
        packed_spheres(30, 1.0, (10.0, 0.0), 0.80)
    with pytest.raises(ValueError, match="standard deviation"):
        packed_spheres(30, 1.0, (-1.0, 0.0), 0.3)
    with pytest.raises(ValueError, match="above 0"):
        packed_spheres(30, 1.0, scipy.stats.norm(0.0, 1.0), 0.3)


def test_boolean_model_has_the_expected_porosity():
    # Integral range at R = 4, eps = 0.5 is 3.27 R^3: 16 images of 48^3 give a standard error
    # of 0.5 sqrt(209 / (16 x 110592)) = 0.0054; three of them are allowed.
    images = [boolean_spheres(48, 4.0, 0.5, seed) for seed in range(16)]
    assert np.mean([m.volume_fraction("pore") for m in images]) == pytest.approx(0.5, abs=0.017)
    assert np.array_equal(images[3].labels, boolean_spheres(48, 4.0, 0.5, 3).labels)


def test_boolean_model_refuses_spheres_larger_than_the_image():
    with pytest.raises(ValueError, match="at most 8"):
        boolean_spheres(16, 9.0, 0.5)
