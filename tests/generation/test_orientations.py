from __future__ import annotations

import numpy as np
import pytest

from microtwin.generation.orientations import axes_with_order, frames_along


@pytest.mark.parametrize("order", [-0.5, -0.3, 0.0, 0.4, 0.9, 1.0])
@pytest.mark.parametrize("axis", ["z", "x"])
def test_the_order_parameter_is_met(order, axis):
    n = 20_000
    axes = axes_with_order(order, axis, n, np.random.default_rng(3))
    assert np.allclose(np.linalg.norm(axes, axis=1), 1.0)
    index = "zyx".index(axis)
    # The standard deviation of (3 cos^2 - 1) / 2 is at most 0.45: three standard errors.
    assert np.mean(1.5 * axes[:, index] ** 2 - 0.5) == pytest.approx(order, abs=0.01)
    # No direction is preferred about the axis, nor one of its two senses.
    assert np.abs(axes.mean(axis=0)).max() < 0.025
    others = np.delete(axes, index, axis=1)
    assert np.mean(others[:, 0] ** 2) == pytest.approx(np.mean(others[:, 1] ** 2), abs=0.015)


def test_frames_are_rotations_about_the_axis():
    rng = np.random.default_rng(0)
    axes = axes_with_order(0.0, "z", 500, rng)
    frames = frames_along(axes, rng)
    assert np.allclose(frames[:, :, 0], axes)
    assert np.allclose(np.swapaxes(frames, 1, 2) @ frames, np.eye(3), atol=1e-12)
    assert np.allclose(np.linalg.det(frames), 1.0)
