"""Spherical particles in a box, and the images painted from them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from .checks import checked_periodic, checked_shape, checked_triple

__all__ = ["Particles", "paint", "surface_distances"]


@dataclass(frozen=True, eq=False)
class Particles:
    """Spheres in a box.

    Parameters
    ----------
    centres : ndarray of float, shape (n, 3)
        Sphere centres in metres, in the order (z, y, x); the box starts at 0.
    radii : ndarray of float, shape (n,)
        Sphere radii in metres.
    extent : 3 floats
        Edges of the box along (z, y, x) in metres.
    periodic : 3 bools
        Along which axes the box repeats itself.

    Raises
    ------
    ValueError
        If the arrays do not fit together or a radius is not positive.
    """

    centres: NDArray[np.float64]
    radii: NDArray[np.float64]
    extent: tuple[float, float, float]
    periodic: tuple[bool, bool, bool] = (True, True, True)

    def __post_init__(self) -> None:
        centres = np.array(self.centres, float, ndmin=2)
        radii = np.array(self.radii, float, ndmin=1)
        if centres.shape != (radii.size, 3):
            raise ValueError(
                f"centres of shape {centres.shape} do not fit {radii.size} radii; "
                "give one row (z, y, x) in metres per radius"
            )
        if not np.all(radii > 0):
            raise ValueError("a particle radius is not positive; give radii in metres, all above 0")
        extent = checked_triple(self.extent, "extent", "give the box edges (z, y, x) in metres")
        for array in (centres, radii):
            array.flags.writeable = False
        object.__setattr__(self, "centres", centres)
        object.__setattr__(self, "radii", radii)
        object.__setattr__(self, "extent", extent)
        object.__setattr__(self, "periodic", checked_periodic(self.periodic))

    def __len__(self) -> int:
        return int(self.radii.size)

    @property
    def volume_fraction(self) -> float:
        """Sum of the sphere volumes over the volume of the box; overlaps count twice."""
        return float(4.0 / 3.0 * math.pi * np.sum(self.radii**3) / math.prod(self.extent))


def surface_distances(
    particles: Particles, shape: int | Sequence[int], reach: float
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int32]]:
    """Measure from each voxel centre the distance to the nearest and second nearest particle.

    Distances are to the surface, negative inside a particle. The image covers the box of the
    particles, so its voxels measure ``extent / shape``.

    Parameters
    ----------
    particles : Particles
    shape : int or 3 ints
        Voxels along (z, y, x).
    reach : float
        Distances are measured up to this far from a surface, in metres.

    Returns
    -------
    first, second : ndarray of float32, shape (nz, ny, nx)
        Signed distance in metres to the nearest and second nearest surface; ``reach`` where
        there is none within reach.
    owner : ndarray of int32, shape (nz, ny, nx)
        Index of the nearest particle, -1 where there is none within reach.

    Raises
    ------
    ValueError
        If the shape is not allowed or the reach is negative.
    """
    shape = checked_shape(shape)
    if not (math.isfinite(reach) and reach >= 0):
        raise ValueError(f"reach {reach!r} is not allowed; give a distance in metres, 0 or more")
    first = np.full(shape, reach, np.float32)
    second = np.full(shape, reach, np.float32)
    owner = np.full(shape, -1, np.int32)
    voxel = np.array(particles.extent) / shape
    _measure(
        particles.centres,
        particles.radii,
        voxel,
        np.array(particles.periodic),
        reach,
        first,
        second,
        owner,
    )
    return first, second, owner


def paint(particles: Particles, shape: int | Sequence[int]) -> NDArray[np.int32]:
    """Paint particles into an image.

    Parameters
    ----------
    particles : Particles
    shape : int or 3 ints
        Voxels along (z, y, x); the image covers the box of the particles.

    Returns
    -------
    ndarray of int32, shape (nz, ny, nx)
        0 outside all particles, i + 1 inside particle i. Where particles overlap, the one
        whose surface is farther away owns the voxel.

    Raises
    ------
    ValueError
        If the shape is not allowed.
    """
    first, _, owner = surface_distances(particles, shape, reach=0.0)
    owner += 1
    owner[first >= 0] = 0
    return owner


@njit(cache=True, nogil=True, inline="always")
def _window(centre: float, half: float, voxel: float, n: int, periodic: bool) -> tuple[int, int]:
    """Range of voxel indices whose centres lie within ``half`` of a centre, at most one period."""
    low = math.ceil((centre - half) / voxel - 0.5)
    high = math.floor((centre + half) / voxel - 0.5) + 1
    if not periodic:
        return max(low, 0), min(high, n)
    if high - low > n:
        low = math.ceil(centre / voxel - 0.5 * n - 0.5)
        high = low + n
    return low, high


@njit(cache=True, nogil=True, parallel=True)
def _measure(  # type: ignore[no-untyped-def]
    centres, radii, voxel, periodic, reach, first, second, owner
):
    nz, ny, nx = first.shape
    length = nz * voxel[0]
    # Each thread owns whole layers, so particles are visited in the same order in every voxel
    # and the result does not depend on the number of threads.
    for k in prange(nz):
        for i in range(radii.size):
            dz = (k + 0.5) * voxel[0] - centres[i, 0]
            if periodic[0]:
                dz -= length * np.round(dz / length)
            outer = radii[i] + reach
            if abs(dz) >= outer:
                continue
            half = math.sqrt(outer * outer - dz * dz)
            y_low, y_high = _window(centres[i, 1], half, voxel[1], ny, periodic[1])
            for jj in range(y_low, y_high):
                dy = (jj + 0.5) * voxel[1] - centres[i, 1]
                rest = half * half - dy * dy
                if rest <= 0.0:
                    continue
                x_low, x_high = _window(centres[i, 2], math.sqrt(rest), voxel[2], nx, periodic[2])
                j = jj % ny
                for mm in range(x_low, x_high):
                    dx = (mm + 0.5) * voxel[2] - centres[i, 2]
                    distance = np.float32(math.sqrt(dz * dz + dy * dy + dx * dx) - radii[i])
                    m = mm % nx
                    if distance < first[k, j, m]:
                        second[k, j, m] = first[k, j, m]
                        first[k, j, m] = distance
                        owner[k, j, m] = i
                    elif distance < second[k, j, m]:
                        second[k, j, m] = distance
