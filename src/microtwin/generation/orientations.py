"""Random directions with a preferred axis."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..microstructure import Direction, axis_index

__all__ = ["axes_with_order", "frames_along"]

_NODES = 4097
# The Watson distribution is a delta function to rounding beyond this concentration.
_SHARPEST = 3000.0


def axes_with_order(
    order: float, axis: Direction, n: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Draw directions from the Watson distribution with a given order parameter.

    The density on the sphere is proportional to exp(k cos^2 t), t the angle to the axis (Mardia
    & Jupp, Directional Statistics, 2000, section 9.4.2); k is chosen such that the mean of
    (3 cos^2 t - 1) / 2 is the order parameter.

    Parameters
    ----------
    order : float
        From -0.5 (all directions across the axis) over 0 (isotropic) to 1 (all along it).
    axis : {"z", "y", "x"}
    n : int
        Number of directions.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of float, shape (n, 3)
        Unit vectors in the order (z, y, x).
    """
    u, side = rng.random(n), rng.choice([-1.0, 1.0], n)
    angle = 2.0 * np.pi * rng.random(n)
    cosine, density = _watson(order)
    below = np.concatenate([[0.0], np.cumsum(0.5 * (density[1:] + density[:-1]) * np.diff(cosine))])
    along = np.interp(u, below / below[-1], cosine)
    if order == 1.0:
        along = np.ones(n)
    across = np.sqrt(np.maximum(0.0, 1.0 - along**2))
    index = axis_index(axis)
    directions = np.empty((n, 3))
    directions[:, index] = side * along
    directions[:, (index + 1) % 3] = across * np.cos(angle)
    directions[:, (index + 2) % 3] = across * np.sin(angle)
    return directions


def frames_along(axes: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Return rotation matrices whose first column is the axis, turned about it at random.

    Parameters
    ----------
    axes : ndarray of float, shape (n, 3)
        Unit vectors.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of float, shape (n, 3, 3)
    """
    helper = np.zeros_like(axes)
    # The coordinate axis that is farthest from the direction.
    helper[np.arange(len(axes)), np.argmin(np.abs(axes), axis=1)] = 1.0
    first = np.cross(axes, helper)
    first /= np.linalg.norm(first, axis=1)[:, None]
    second = np.cross(axes, first)
    angle = 2.0 * np.pi * rng.random(len(axes))[:, None]
    turned = np.cos(angle) * first + np.sin(angle) * second
    return np.stack([axes, turned, np.cross(axes, turned)], axis=2)


def _watson(order: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Cosines from 0 to 1, and the density of the distribution with this order parameter there."""
    from scipy.optimize import brentq

    # Nodes are denser at both ends, where the distribution piles up when it is sharp.
    cosine = 0.5 * (1.0 - np.cos(np.pi * np.linspace(0.0, 1.0, _NODES)))

    def density(k: float) -> NDArray[np.float64]:
        exponent = k * cosine**2
        return np.exp(exponent - exponent.max())

    def excess(k: float) -> float:
        weight = density(k)
        mean = np.trapezoid(weight * cosine**2, cosine) / np.trapezoid(weight, cosine)
        return float(1.5 * mean - 0.5 - order)

    if excess(_SHARPEST) <= 0.0:
        return cosine, density(_SHARPEST)
    if excess(-_SHARPEST) >= 0.0:
        return cosine, density(-_SHARPEST)
    return cosine, density(float(brentq(excess, -_SHARPEST, _SHARPEST, xtol=1e-9)))
