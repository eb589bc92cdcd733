"""Compiled loops over the voxels near each particle.

``bodies`` is the tuple (kinds, surfaces, spans) of `forms.packed_bodies`; ``placed`` is
(body, centres, axes, rotations, half, box) of the particles: number of the body, centre, semi-axes,
rotation with the axes of the particle as columns, reach along the axes of the image, and reach
along the axes of the particle. Lengths are in metres, in the order (z, y, x).

Every thread owns whole planes and visits the particles in order, so the result does not depend on
the number of threads.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from ..numerics.compiling import INNER, OPTIONS
from .form_kernels import SPHERE, gauge_and_distance

__all__ = ["measure_distances", "measure_gauges"]


@njit(**INNER)
def _window(centre, half, voxel, n, periodic):
    """Range of voxel indices whose centres lie within ``half`` of a centre, at most one period."""
    low = math.ceil((centre - half) / voxel - 0.5)
    high = math.floor((centre + half) / voxel - 0.5) + 1
    if not periodic:
        return max(low, 0), min(high, n)
    if high - low > n:
        low = math.ceil(centre / voxel - 0.5 * n - 0.5)
        high = low + n
    return low, high


@njit(**INNER)
def _from_plane(k, centre, voxel, n, periodic):
    """Distance of a plane of voxels from a centre along z, to the nearest image of it."""
    apart = (k + 0.5) * voxel - centre
    if periodic:
        apart -= n * voxel * np.round(apart / (n * voxel))
    return apart


@njit(**INNER)
def _in_frame(rotation, dz, dy, dx):
    """Components of a vector along the axes of a particle."""
    return (
        rotation[0, 0] * dz + rotation[1, 0] * dy + rotation[2, 0] * dx,
        rotation[0, 1] * dz + rotation[1, 1] * dy + rotation[2, 1] * dx,
        rotation[0, 2] * dz + rotation[1, 2] * dy + rotation[2, 2] * dx,
    )


@njit(**INNER)
def _row(kind, rotation, box, half, dz, dy, grow, margin):
    """Range of distances along x in which a row may come near a particle.

    The particle reaches ``grow`` times its box, plus the margin.
    """
    if kind == SPHERE:
        outer = grow * box[0] + margin
        rest = outer * outer - dz * dz - dy * dy
        if rest <= 0.0:
            return 1.0, -1.0
        return -math.sqrt(rest), math.sqrt(rest)
    low, high = -(grow * half[2] + margin), grow * half[2] + margin
    for axis in range(3):
        outer = grow * box[axis] + margin
        start = rotation[0, axis] * dz + rotation[1, axis] * dy
        slope = rotation[2, axis]
        if abs(slope) > 1e-9:
            a, b = (-outer - start) / slope, (outer - start) / slope
            low, high = max(low, min(a, b)), min(high, max(a, b))
        elif abs(start) > outer:
            return 1.0, -1.0
    return low, high


@njit(**OPTIONS)
def measure_distances(
    first_plane, end_plane, bodies, placed, voxel, periodic, reach, first, second, owner
):
    """Keep the two smallest distances to a surface in each voxel, and whose the first one is."""
    kinds, surfaces, spans = bodies
    body, centres, axes, rotations, half, box = placed
    nz, ny, nx = first.shape
    for k in range(first_plane, end_plane):
        for i in range(body.size):
            dz = _from_plane(k, centres[i, 0], voxel[0], nz, periodic[0])
            if abs(dz) >= half[i, 0] + reach:
                continue
            b, rotation = body[i], rotations[i]
            y_low, y_high = _window(centres[i, 1], half[i, 1] + reach, voxel[1], ny, periodic[1])
            for jj in range(y_low, y_high):
                dy = (jj + 0.5) * voxel[1] - centres[i, 1]
                low, high = _row(kinds[b], rotation, box[i], half[i], dz, dy, 1.0, reach)
                if low > high:
                    continue
                middle = 0.5 * (low + high)
                x_low, x_high = _window(
                    centres[i, 2] + middle, high - middle, voxel[2], nx, periodic[2]
                )
                j = jj % ny
                for mm in range(x_low, x_high):
                    dx = (mm + 0.5) * voxel[2] - centres[i, 2]
                    if kinds[b] == SPHERE:
                        d = math.sqrt(dz * dz + dy * dy + dx * dx) - box[i, 0]
                    else:
                        p, q, r = _in_frame(rotation, dz, dy, dx)
                        _, d = gauge_and_distance(
                            kinds[b], surfaces, spans[b, 0], spans[b, 1], axes[i], p, q, r
                        )
                    distance = np.float32(d)
                    m = mm % nx
                    if distance < first[k, j, m]:
                        second[k, j, m] = first[k, j, m]
                        first[k, j, m] = distance
                        owner[k, j, m] = i
                    elif distance < second[k, j, m]:
                        second[k, j, m] = distance


@njit(**OPTIONS)
def measure_gauges(first_plane, end_plane, bodies, placed, voxel, periodic, limit, group, gauges):
    """Keep the smallest gauge over the particles of each group in each voxel, up to a limit."""
    kinds, surfaces, spans = bodies
    body, centres, axes, rotations, half, box = placed
    _, nz, ny, nx = gauges.shape
    for k in range(first_plane, end_plane):
        for i in range(body.size):
            dz = _from_plane(k, centres[i, 0], voxel[0], nz, periodic[0])
            if abs(dz) >= limit * half[i, 0]:
                continue
            b, g, rotation = body[i], group[i], rotations[i]
            y_low, y_high = _window(centres[i, 1], limit * half[i, 1], voxel[1], ny, periodic[1])
            for jj in range(y_low, y_high):
                dy = (jj + 0.5) * voxel[1] - centres[i, 1]
                low, high = _row(kinds[b], rotation, box[i], half[i], dz, dy, limit, 0.0)
                if low > high:
                    continue
                middle = 0.5 * (low + high)
                x_low, x_high = _window(
                    centres[i, 2] + middle, high - middle, voxel[2], nx, periodic[2]
                )
                j = jj % ny
                for mm in range(x_low, x_high):
                    dx = (mm + 0.5) * voxel[2] - centres[i, 2]
                    p, q, r = _in_frame(rotation, dz, dy, dx)
                    gauge, _ = gauge_and_distance(
                        kinds[b], surfaces, spans[b, 0], spans[b, 1], axes[i], p, q, r
                    )
                    m = mm % nx
                    gauges[g, k, j, m] = min(gauges[g, k, j, m], np.float32(gauge))
