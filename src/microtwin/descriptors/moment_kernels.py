"""Compiled loop that sums the second moments of particles; `particle_shapes` says what for."""

from __future__ import annotations

from numba import njit

from ..numerics.compiling import OPTIONS

__all__ = ["add_second_moments"]


@njit(**OPTIONS)
def add_second_moments(labels, centroids, sums):
    """Add the products of the distances of voxels from the centroid of their particle.

    Particle k is row k - 1 of ``centroids``, in voxel indices, and of ``sums``: zz, yy, xx, yz, xz,
    xy.
    """
    nz, ny, nx = labels.shape
    for z in range(nz):
        for y in range(ny):
            for x in range(nx):
                k = labels[z, y, x] - 1
                if k < 0:
                    continue
                dz, dy, dx = z - centroids[k, 0], y - centroids[k, 1], x - centroids[k, 2]
                sums[k, 0] += dz * dz
                sums[k, 1] += dy * dy
                sums[k, 2] += dx * dx
                sums[k, 3] += dy * dz
                sums[k, 4] += dx * dz
                sums[k, 5] += dx * dy
