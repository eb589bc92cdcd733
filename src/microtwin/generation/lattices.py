"""Cubic lattices of equal spheres: geometry with series solutions for verification."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..microstructure import Microstructure
from .checks import checked_fraction, checked_triple

__all__ = ["Lattice", "lattice_spheres", "lattice_spheres_level_set"]

Lattice = Literal["sc", "bcc", "fcc"]

# Sphere centres in units of the cubic cell. One sphere sits in the middle of the cell, so that
# the simple cubic cell shows it whole.
_BASIS = {
    "sc": ((0.5, 0.5, 0.5),),
    "bcc": ((0.5, 0.5, 0.5), (0.0, 0.0, 0.0)),
    "fcc": ((0.5, 0.5, 0.5), (0.5, 0.0, 0.0), (0.0, 0.5, 0.0), (0.0, 0.0, 0.5)),
}
# Radius of touching spheres in units of the cubic cell.
_TOUCHING = {"sc": 0.5, "bcc": math.sqrt(3.0) / 4.0, "fcc": math.sqrt(2.0) / 4.0}


def lattice_spheres_level_set(
    n: int,
    volume_fraction: float | None = None,
    radius: float | None = None,
    lattice: Lattice = "sc",
    cells: int = 1,
    origin: Sequence[float] = (0.0, 0.0, 0.0),
) -> NDArray[np.float32]:
    """Return the signed distance to the spheres of a cubic lattice, in voxels.

    Parameters
    ----------
    n : int
        Voxels along the edge of one cubic cell.
    volume_fraction : float, optional
        Volume fraction of the spheres, up to touching. Give this or `radius`.
    radius : float, optional
        Sphere radius in voxels; spheres larger than touching overlap.
    lattice : {"sc", "bcc", "fcc"}
        Simple, body-centred or face-centred cubic.
    cells : int
        Number of cells along each axis of the image.
    origin : 3 floats
        Shift of the lattice in voxels along (z, y, x). At zero, one sphere is centred in the cell.

    Returns
    -------
    ndarray of float32, shape (n * cells,) * 3
        Distance from each voxel centre to the nearest sphere surface, negative inside a sphere.

    Raises
    ------
    ValueError
        If neither or both of radius and volume fraction are given, if the volume fraction is
        not between 0 and that of touching spheres, or if the lattice is unknown.
    """
    radius = _radius(n, volume_fraction, radius, lattice)
    centres = np.arange(n) + 0.5
    squared = np.full((n, n, n), np.inf, np.float32)
    for point in _BASIS[lattice]:
        offsets = []
        for position, shift in zip(point, origin, strict=True):
            offset = centres - (position * n + shift)
            offsets.append((offset - n * np.round(offset / n)) ** 2)
        z, y, x = np.ix_(*offsets)
        np.minimum(squared, (z + y + x).astype(np.float32), out=squared)
    level = np.sqrt(squared, out=squared)
    level -= np.float32(radius)
    return np.tile(level, (cells, cells, cells))


def lattice_spheres(
    n: int,
    volume_fraction: float | None = None,
    radius: float | None = None,
    lattice: Lattice = "sc",
    cells: int = 1,
    origin: Sequence[float] = (0.0, 0.0, 0.0),
    voxel_size: float = 1e-6,
) -> Microstructure:
    """Return a periodic image of equal spheres on a cubic lattice.

    Parameters
    ----------
    n, volume_fraction, radius, lattice, cells, origin
        As in `lattice_spheres_level_set`; lengths in voxels.
    voxel_size : float
        Voxel edge in metres.

    Returns
    -------
    Microstructure
        With the phases matrix = 0 and sphere = 1. A voxel is sphere when its centre lies inside
        one, so the fraction of the image approaches `volume_fraction` as `n` grows.

    Raises
    ------
    ValueError
        As `lattice_spheres_level_set`.
    """
    level = lattice_spheres_level_set(n, volume_fraction, radius, lattice, cells, origin)
    size = checked_triple(voxel_size, "voxel size", "give the edge in metres, for example 1e-6")
    return Microstructure((level < 0).view(np.uint8), size, {"matrix": 0, "sphere": 1})


def _radius(n: int, volume_fraction: float | None, radius: float | None, lattice: str) -> float:
    if lattice not in _BASIS:
        raise ValueError(f"lattice {lattice!r} is not known; use 'sc', 'bcc' or 'fcc'")
    if int(n) != n or n < 2:
        raise ValueError(f"n = {n!r} voxels per cell is not allowed; use a whole number from 2")
    if (volume_fraction is None) == (radius is None):
        raise ValueError(
            "a lattice of spheres needs either volume_fraction or radius (in voxels), not both"
        )
    if radius is not None:
        if not radius > 0:
            raise ValueError(f"radius {radius!r} is not allowed; give a positive number of voxels")
        return radius
    assert volume_fraction is not None
    checked_fraction(volume_fraction, "volume fraction")
    reduced = (3.0 * volume_fraction / (4.0 * math.pi * len(_BASIS[lattice]))) ** (1.0 / 3.0)
    if reduced > _TOUCHING[lattice]:
        most = 4.0 / 3.0 * math.pi * len(_BASIS[lattice]) * _TOUCHING[lattice] ** 3
        raise ValueError(
            f"volume fraction {volume_fraction} of a {lattice} lattice is not allowed, because "
            f"spheres touch at {most:.4f}; give the radius of overlapping spheres instead"
        )
    return reduced * n
