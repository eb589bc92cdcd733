"""Periodic two-phase laminates at any rational angle: geometry with an exact effective tensor."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..microstructure import Microstructure
from .checks import Shape, checked_fraction, checked_shape, checked_triple

__all__ = ["laminate", "laminate_level_set"]


def laminate_level_set(
    shape: int | Sequence[int],
    waves: Sequence[int] = (1, 0, 0),
    fraction: float = 0.5,
    shift: float = 0.0,
) -> NDArray[np.float32]:
    """Return the signed distance to the layer boundaries of a laminate, in voxels.

    The position along the layer normal is s = a z / nz + b y / ny + c x / nx with whole numbers
    (a, b, c), which makes the image exactly periodic. The period is
    1 / sqrt((a / nz)^2 + (b / ny)^2 + (c / nx)^2) voxels and the normal has the direction
    (a / nz, b / ny, c / nx).

    Parameters
    ----------
    shape : int or 3 ints
        Voxels along (z, y, x).
    waves : 3 ints
        Number of periods (a, b, c) along each axis of the image; signs tilt the layers either
        way. (1, 0, 0) stacks one pair of layers along z, (1, 1, 0) tilts them by 45 degrees in
        a cubic image.
    fraction : float
        Volume fraction of phase a.
    shift : float
        Moves the layers by this part of a period. At zero the first boundary lies halfway
        between two planes of voxel centres, so that no centre falls on it.

    Returns
    -------
    ndarray of float32, shape (nz, ny, nx)
        Positive in phase a, negative in phase b.

    Raises
    ------
    ValueError
        If the waves are not three whole numbers with one of them non-zero, or the fraction is
        not between 0 and 1.
    """
    shape = checked_shape(shape)
    checked_fraction(fraction, "fraction")
    a, b, c = _checked_waves(waves)
    # Centres sample s at whole multiples of 1 / planes, after the half-voxel offset is dropped.
    planes = math.lcm(*(n // math.gcd(n, w) for n, w in zip(shape, (a, b, c), strict=True)))
    z, y, x = np.ix_(*(np.arange(n) * (w / n) for n, w in zip(shape, (a, b, c), strict=True)))
    s = z + y + x + (0.5 / planes - shift)
    wavenumber = math.hypot(a / shape[0], b / shape[1], c / shape[2])
    from_middle = np.abs((s - 0.5 * fraction + 0.5) % 1.0 - 0.5)
    # Within a: distance to its own boundary; within b the same expression is negative and
    # reaches -(1 - fraction) / 2 in the middle of b.
    return ((0.5 * fraction - from_middle) / wavenumber).astype(np.float32)


def laminate(
    shape: int | Sequence[int],
    waves: Sequence[int] = (1, 0, 0),
    fraction: float = 0.5,
    shift: float = 0.0,
    voxel_size: float | Sequence[float] = 1e-6,
) -> Microstructure:
    """Return a periodic laminate of two phases.

    Parameters
    ----------
    shape, waves, fraction, shift
        As in `laminate_level_set`.
    voxel_size : float or 3 floats
        Voxel edge(s) in metres.

    Returns
    -------
    Microstructure
        With the phases a = 0 and b = 1.

    Raises
    ------
    ValueError
        As `laminate_level_set`.
    """
    level = laminate_level_set(shape, waves, fraction, shift)
    size = checked_triple(voxel_size, "voxel size", "give the edge in metres, for example 1e-6")
    return Microstructure((level < 0).view(np.uint8), size, {"a": 0, "b": 1})


def _checked_waves(waves: Sequence[int]) -> Shape:
    values = tuple(waves)
    if len(values) != 3 or any(int(w) != w for w in values) or not any(values):
        raise ValueError(
            f"waves {waves!r} are not allowed; give three whole numbers of periods along "
            "(z, y, x), not all zero"
        )
    return (int(values[0]), int(values[1]), int(values[2]))
