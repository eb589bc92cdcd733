from __future__ import annotations

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal
from scipy.ndimage import correlate1d

from microtwin.imaging.labelling.response import blurred


def test_blurred():
    spike = np.zeros((13, 13, 13))
    spike[6, 6, 6] = 1.0
    weights = np.exp(-0.5 * (np.arange(-3, 4) / 1.0) ** 2)
    expected = spike
    for axis in range(3):
        expected = correlate1d(expected, weights / weights.sum(), axis)
    assert_allclose(blurred(spike, 1.0), expected, atol=1e-6)
    assert_array_equal(blurred(spike, 0.0), spike)
    along_y = blurred(spike, (0.0, 1.0, 0.0))
    assert_allclose(along_y[6, 3:10, 6], weights / weights.sum(), atol=1e-6)
    assert_allclose(along_y.sum(), 1, rtol=1e-6)
    flat = np.full((2, 3, 4), 30_000, np.uint16)
    assert_allclose(blurred(flat, 2.0), 30_000, rtol=1e-6)
