from __future__ import annotations

import math

import numpy as np
import pytest

from microtwin.descriptors import (
    boolean_specific_surface,
    boolean_two_point,
    gaussian_specific_surface,
    gaussian_two_point,
    surface_area,
)
from microtwin.generation import gaussian_field


@pytest.mark.parametrize("porosity", [0.2, 0.5, 0.8])
def test_limits_of_the_two_point_probability(porosity):
    for function in (boolean_two_point, gaussian_two_point):
        near, far = function(np.array([0.0, 100.0]), 2.0, porosity)
        assert near == pytest.approx(porosity, rel=1e-6)
        assert far == pytest.approx(porosity**2, rel=1e-6)


@pytest.mark.parametrize("porosity", [0.2, 0.5, 0.8])
def test_surface_is_the_slope_at_zero(porosity):
    # Debye: S2'(0) = -s / 4.
    step = 1e-4
    for two_point, surface in (
        (boolean_two_point, boolean_specific_surface),
        (gaussian_two_point, gaussian_specific_surface),
    ):
        slope = (two_point(step, 2.0, porosity) - porosity) / step
        assert -4 * slope == pytest.approx(surface(2.0, porosity), rel=1e-3)


def test_gaussian_two_point_at_the_median_is_elementary():
    # For a threshold of zero the integral is arcsin(rho) / (2 pi), the orthant probability.
    r = np.linspace(0, 10, 7)
    exact = 0.25 + np.arcsin(np.exp(-(r**2) / 36)) / (2 * math.pi)
    np.testing.assert_allclose(gaussian_two_point(r, 3.0, 0.5), exact, rtol=1e-12)


def test_gaussian_surface_of_images():
    # Eight images of 72^3 scatter by 1 % in the mean; voxels at l = 4 hide 0.5 %.
    images = [gaussian_field(72, 4.0, 0.4, seed, voxel_size=1.0) for seed in range(8)]
    measured = [surface_area(m, "pore", periodic=True) / m.labels.size for m in images]
    assert np.mean(measured) == pytest.approx(gaussian_specific_surface(4.0, 0.4), rel=0.03)
