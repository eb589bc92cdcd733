"""How an image moves as a whole: its growth along an axis, and where its voxels go."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..microstructure import Direction, Microstructure, axis_index
from .voxel_results import Swelling

__all__ = ["image_growth", "voxel_displacement"]


def image_growth(
    micro: Microstructure, solids: Iterable[str], found: Swelling, direction: Direction = "z"
) -> float | None:
    """Return by how much an image grows along an axis, over its length.

    Parameters
    ----------
    micro : Microstructure
    solids : iterable of str
        The phases that are solid.
    found : Swelling
    direction : {"z", "y", "x"}

    Returns
    -------
    float or None
        Where the image repeats itself, or plates carry it along, that is its mean strain. Where a
        face is free, the mean displacement of the solid on it counts; None if there is none, unless
        plates have grown apart.
    """
    axis = axis_index(direction)
    strain = float(found.mean_strain[axis])
    if found.displacement.shape[1 + axis] == micro.shape[axis]:
        return strain
    solid = np.isin(micro.labels, [micro.label(name) for name in solids])
    ends = []
    for end in (0, -1):
        here = np.take(solid, end, axis=axis)
        if not here.any():
            return strain or None
        moved = _between_corners(np.take(found.displacement[axis], end, axis=axis), here.shape)
        ends.append(float(moved[here].mean()))
    return strain + (ends[1] - ends[0]) / micro.extent[axis]


def voxel_displacement(micro: Microstructure, found: Swelling) -> NDArray[np.float32]:
    """Return the whole displacement of each voxel, that of the mean strain included.

    Parameters
    ----------
    micro : Microstructure
    found : Swelling

    Returns
    -------
    ndarray of float32, shape (3, nz, ny, nx)
        Components (z, y, x), in m; the outer corner of the first voxel stays where it is.
    """
    zz, yy, xx, yx, zx, zy = found.mean_strain
    # Shear strains are twice those of the tensor.
    strain = np.array([[zz, zy / 2, zx / 2], [zy / 2, yy, yx / 2], [zx / 2, yx / 2, xx]])
    places = np.meshgrid(
        *[(np.arange(n) + 0.5) * h for n, h in zip(micro.shape, micro.voxel_size, strict=True)],
        indexing="ij", sparse=True,
    )  # fmt: skip
    moved = [
        _between_corners(own, micro.shape) + sum(row[k] * places[k] for k in range(3))
        for own, row in zip(found.displacement, strain, strict=True)
    ]
    return np.asarray(moved, np.float32)


def _between_corners(values: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Return means over the corners of each cell; along periodic axes the first follow the last."""
    for axis, count in enumerate(shape):
        if values.shape[axis] == count:
            first = np.take(values, [0], axis=axis)
            values = np.concatenate([values, first], axis=axis)
        low = np.take(values, range(count), axis=axis)
        values = 0.5 * (low + np.take(values, range(1, count + 1), axis=axis))
    return values
