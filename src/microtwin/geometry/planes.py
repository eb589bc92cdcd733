"""Planes that cut a voxel: where they lie, from the volume that they cut off."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["plane_distance"]

# Normals along the grid are tilted by this much: the formula divides by their components.
LEAST_COMPONENT = 1e-3
HALVINGS = 40


def plane_distance(
    fraction: ArrayLike, normal: NDArray[np.floating], voxel_size: ArrayLike
) -> NDArray[np.float64]:
    """Return the signed distance from the centre of a voxel to the plane that bounds a phase in it.

    Parameters
    ----------
    fraction : array_like, shape (n,)
        Share of the voxel that the phase fills.
    normal : ndarray, shape (n, 3)
        Unit normals (z, y, x) out of the phase.
    voxel_size : 3 floats
        Edges of the voxel, in metres.

    Returns
    -------
    ndarray, shape (n,)
        In metres along the normal; negative where the centre lies outside of the phase.

    Notes
    -----
    A plane at the height a above the corner of a box with the components m of its normal times its
    edges cuts off the volume

        (a^3 - sum (a - m_i)^3 + sum (a - m_i - m_j)^3 - (a - sum m)^3) / (6 m_1 m_2 m_3),

    in which negative differences count as 0 (Scardovelli & Zaleski, J. Comput. Phys. 164 (2000)
    228). It grows with a, so a is found by halving.
    """
    share = np.clip(np.asarray(fraction, float), 0.0, 1.0)
    edges = np.asarray(voxel_size, float)
    unit = edges.mean()
    m = np.maximum(np.abs(normal) * (edges / unit), LEAST_COMPONENT)
    total = m.sum(axis=1)
    volume = 6.0 * np.prod(m, axis=1)
    # By symmetry the smaller part is looked for: nothing cancels there.
    smaller = np.minimum(share, 1.0 - share)
    low, high = np.zeros_like(total), 0.5 * total
    for _ in range(HALVINGS):
        height = 0.5 * (low + high)
        below = _cut(height, m) < smaller * volume
        low, high = np.where(below, height, low), np.where(below, high, height)
    depth = 0.5 * total - 0.5 * (low + high)
    return np.asarray(np.where(share < 0.5, -depth, depth) * unit)


def _cut(height: NDArray[np.float64], m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the volume below planes, no higher than the centre, times 6 m_1 m_2 m_3."""
    volume = height**3
    for i in range(3):
        volume -= np.maximum(height - m[:, i], 0.0) ** 3
        pair = m[:, i] + m[:, (i + 1) % 3]
        volume += np.maximum(height - pair, 0.0) ** 3
    return volume
