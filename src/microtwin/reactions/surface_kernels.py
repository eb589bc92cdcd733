"""Compiled kernel that turns labels around a voxel into a distance from a surface."""

from __future__ import annotations

import math

from numba import njit

from ..numerics.compiling import FAST


@njit(**FAST)
def smoothed(first, end, points, sides, weights, steps, periodic, out):
    """Smooth both sides of a surface around points.

    Parameters
    ----------
    points : ndarray of int64, shape (n, 3)
    sides : ndarray of uint8, shape (nz, ny, nx)
        1 on this side of the surface, 2 on the other, 0 elsewhere.
    weights : ndarray, shape (2 reach + 1,)
        Of the kernel along an axis.
    steps : ndarray, shape (3,)
        Inverse of the edges of a voxel.
    periodic : bool
        Whether the image repeats; else its outermost layer goes on.
    out : ndarray, shape (n, 4)
        Share of this side, and the unit vector in which it grows, left here.
    """
    nz, ny, nx = sides.shape
    reach = weights.shape[0] // 2
    for n in range(first, end):
        here = beyond = gz = gy = gx = 0.0
        for dz in range(-reach, reach + 1):
            k = points[n, 0] + dz
            k = k % nz if periodic else min(max(k, 0), nz - 1)
            for dy in range(-reach, reach + 1):
                j = points[n, 1] + dy
                j = j % ny if periodic else min(max(j, 0), ny - 1)
                plane = weights[dz + reach] * weights[dy + reach]
                for dx in range(-reach, reach + 1):
                    i = points[n, 2] + dx
                    i = i % nx if periodic else min(max(i, 0), nx - 1)
                    side = sides[k, j, i]
                    if side == 0:
                        continue
                    w = plane * weights[dx + reach]
                    if side == 1:
                        here += w
                    else:
                        beyond += w
                        w = -w
                    gz += w * dz
                    gy += w * dy
                    gx += w * dx
        gz, gy, gx = gz * steps[0], gy * steps[1], gx * steps[2]
        length = math.sqrt(gz * gz + gy * gy + gx * gx)
        if length == 0.0:
            length = 1.0
        out[n, 0] = here / (here + beyond)
        out[n, 1], out[n, 2], out[n, 3] = gz / length, gy / length, gx / length
