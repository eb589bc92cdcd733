"""A Boolean model on the voxel lattice, whose covariance is known exactly.

Every voxel is a germ with probability p, independently of all others, and each germ carries a
digitised ball. The complement of the balls is the pore. A point is pore if none of the n voxels
of a ball around it is a germ, so phi = (1 - p)^n, and two points at lag r are both pore with the
probability S2(r) = (1 - p)^(2 n - overlap(r)). This is the formula of overlapping spheres with
volumes counted in voxels, and free of digitisation error.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, signal

from microtwin import Microstructure


def ball(radius: int) -> NDArray[np.float64]:
    """Return a digitised ball, 1 inside, in a cube of 2 radius + 1 voxels."""
    squares = (np.indices((2 * radius + 1,) * 3) - radius) ** 2
    return (squares.sum(0) <= radius**2).astype(float)


def boolean_model(edge: int, radius: int, phi: float, seed: int) -> Microstructure:
    """Return a cube cut out of an infinite Boolean model with the pore fraction phi."""
    p = 1 - phi ** (1 / ball(radius).sum())
    germs = np.random.default_rng(seed).random((edge + 2 * radius,) * 3) < p
    distance = ndimage.distance_transform_edt(~germs)
    inner = slice(radius, -radius)
    solid = distance[inner, inner, inner] <= radius
    return Microstructure(solid.astype(np.uint8), 1.0, {"pore": 0, "solid": 1})


def covariance(radius: int, phi: float) -> NDArray[np.float64]:
    """Return S2(r) - phi^2 at all lags where it is not zero, lag zero in the middle."""
    shape = ball(radius)
    overlap = np.rint(signal.fftconvolve(shape, shape))
    return phi ** (2 - overlap / shape.sum()) - phi**2


def exact_integral_range(radius: int, phi: float) -> float:
    """Return A3 in voxels."""
    return float(covariance(radius, phi).sum() / (phi * (1 - phi)))


def exact_variance(radius: int, phi: float, edge: int) -> float:
    """Return the variance of the pore fraction over cubes."""
    c = covariance(radius, phi)
    half = c.shape[0] // 2
    overlap = np.maximum(0.0, 1 - np.abs(np.arange(-half, half + 1)) / edge)
    return float(c @ overlap @ overlap @ overlap) / edge**3
