"""The blur of an instrument: a Gaussian response, followed so far that nothing is left."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["FARTHEST", "blurred", "response", "response_stencil", "weights_by_plane"]

# The blur is followed to this distance in voxels at most: bands are wider than twice of it.
FARTHEST = 6


def blurred(values: NDArray, blur: float | Sequence[float] | NDArray) -> NDArray[np.float32]:
    """Return values as the instrument sees them: under its Gaussian response, in float32.

    Parameters
    ----------
    values : ndarray, shape (nz, ny, nx)
    blur : float or 3 floats
        Standard deviation of the response in voxels, along (z, y, x); 0 leaves the values as they
        are. The response is cut off at 3 standard deviations, and at 6 voxels.

    Returns
    -------
    ndarray of float32, shape (nz, ny, nx)
    """
    from scipy.ndimage import correlate1d

    weights, _ = response(blur)
    out = np.asarray(values, np.float32)
    for axis in range(3):
        out = correlate1d(out, weights[axis], axis, mode="reflect")
    return out


def response(
    blur: float | Sequence[float] | NDArray,
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return the Gaussian along each axis, shape (3, n), and how far it is followed along x.

    Weights below a thousandth of the largest are left out: an ellipsoid instead of a box.
    """
    widths = np.broadcast_to(np.asarray(blur, float), (3,))
    # So little blur that there is none: all weights but one are zero.
    widths = np.maximum(widths, 0.01)
    radius = int(min(FARTHEST, max(1, np.ceil(3.0 * widths.max()))))
    place = np.arange(-radius, radius + 1)
    squares = (place / widths[:, None]) ** 2
    weights = np.exp(-0.5 * squares)
    left = 2 * np.log(1000.0) - np.add.outer(squares[0], squares[1])
    reach = np.minimum(np.sqrt(np.maximum(left, 0)) * widths[2], radius)
    weights /= weights.sum(axis=1, keepdims=True)
    return weights.astype(np.float32), np.where(left >= 0, reach, -1).astype(np.int64)


def response_stencil(weights: NDArray[np.float32], reach: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the response in three dimensions, its rows along x padded to octets."""
    side = weights.shape[1]
    radius = side // 2
    stencil = np.zeros((side, side, -(-side // 8) * 8), np.float32)
    near = np.abs(np.arange(side) - radius) <= reach[..., None]
    stencil[..., :side] = np.einsum("z,y,x->zyx", *weights) * near
    return stencil


def weights_by_plane(weights: NDArray[np.float32], planes: int) -> NDArray[np.float32]:
    """Return the weight of a source in each plane for the planes around it.

    Beyond its ends the image is continued as in a mirror: sources near an end count twice, and
    all others as they would anywhere.
    """
    radius = len(weights) // 2
    target = np.arange(planes)
    table = np.zeros((planes, 2 * radius + 1), np.float32)
    for shift, weight in enumerate(weights, -radius):
        source = (target + shift) % (2 * planes)
        source = np.where(source < planes, source, 2 * planes - 1 - source)
        np.add.at(table, (source, radius + target - source), weight)
    return table
