"""The compiled geometry of a particle, callable from Python."""

from __future__ import annotations

import numpy as np
from numba import njit

from microtwin.generation.form_kernels import gauge_and_distance, support
from microtwin.generation.forms import KINDS, Body

__all__ = ["gauge", "support_point"]


@njit
def _gauge(kind, data, a, point):
    return gauge_and_distance(kind, data, 0, len(data), a, point[0], point[1], point[2])


@njit
def _support(kind, hull, a, rotation, u):
    return support(kind, hull, 0, len(hull), a, rotation, (u[0], u[1], u[2]))


def gauge(body: Body, semi_axes: np.ndarray, point: np.ndarray) -> tuple[float, float]:
    """Return gauge and distance of a point in the frame of a particle."""
    return _gauge(KINDS[body.form], body.surface, semi_axes, np.asarray(point, float))


def support_point(
    body: Body, semi_axes: np.ndarray, rotation: np.ndarray, u: np.ndarray
) -> np.ndarray:
    """Return the point of a particle that lies farthest along u."""
    return np.array(_support(KINDS[body.form], body.hull, semi_axes, rotation, u))
