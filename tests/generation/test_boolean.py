from __future__ import annotations

import numpy as np
import pytest

from microtwin.generation import boolean_spheres


def test_boolean_model_has_the_expected_porosity():
    # Integral range at R = 4, eps = 0.5 is 3.27 R^3: 16 images of 48^3 give a standard error
    # of 0.5 sqrt(209 / (16 x 110592)) = 0.0054; three of them are allowed.
    images = [boolean_spheres(48, 4.0, 0.5, seed) for seed in range(16)]
    assert np.mean([m.volume_fraction("pore") for m in images]) == pytest.approx(0.5, abs=0.017)
    assert np.array_equal(images[3].labels, boolean_spheres(48, 4.0, 0.5, 3).labels)


def test_boolean_model_refuses_spheres_larger_than_the_image():
    with pytest.raises(ValueError, match="at most 8"):
        boolean_spheres(16, 9.0, 0.5)
