"""Compiled loops of the corrections: which voxels are in the open, and sums over rings."""

from __future__ import annotations

from math import atan2, cos, floor, pi, sin, sqrt

import numpy as np
from numba import njit

from ...numerics.compiling import ALLOCATING

__all__ = ["classes_in_the_open", "ring_sums", "subtract_rings"]

NO_CLASS = 255


@njit(**ALLOCATING)
def classes_in_the_open(first, end, smooth, thresholds, distance, out):
    """Write the class of each voxel whose class is that of all voxels at a distance along the axes.

    The class is the number of thresholds below the grey value; all others get `NO_CLASS`.
    """
    nz, ny, nx = smooth.shape
    for z in range(first, end):
        for y in range(ny):
            for x in range(nx):
                value = smooth[z, y, x]
                low, high = np.float32(-np.inf), np.float32(np.inf)
                number = 0
                for t in thresholds:
                    if value > t:
                        low = t
                        number += 1
                    else:
                        high = min(high, t)
                same = True
                for axis in range(3):
                    for side in (-distance, distance):
                        pz = z + side if axis == 0 else z
                        py = y + side if axis == 1 else y
                        px = x + side if axis == 2 else x
                        pz, py, px = (
                            min(max(pz, 0), nz - 1),
                            min(max(py, 0), ny - 1),
                            min(max(px, 0), nx - 1),
                        )
                        other = smooth[pz, py, px]
                        same = same and other > low and other <= high
                out[z, y, x] = number if same else NO_CLASS


@njit(**ALLOCATING)
def ring_sums(first, end, values, classes, means, limit, centre_y, centre_x, sums):
    """Add up what is left of the grey values, by slice, sector and distance from the axis.

    A ring profile is linear between whole distances. ``sums[0]`` gets the right side of its normal
    equations, ``sums[1]`` and ``sums[2]`` the diagonal and the one beside it. Values further than
    `limit` from the mean of their class are left out.
    """
    _, ny, nx = values.shape
    sectors = sums.shape[2]
    for z in range(first, end):
        for y in range(ny):
            for x in range(nx):
                number = classes[z, y, x]
                if number == NO_CLASS:
                    continue
                rest = values[z, y, x] - means[number]
                if abs(rest) > limit:
                    continue
                dy, dx = y - centre_y, x - centre_x
                turn = atan2(dy, dx) / (2 * pi)
                sector = int((turn - floor(turn)) * sectors) % sectors
                radius = sqrt(dy * dy + dx * dx)
                low = int(radius)
                upper = np.float32(radius - low)
                lower = 1 - upper
                sums[0, z, sector, low] += lower * rest
                sums[0, z, sector, low + 1] += upper * rest
                sums[1, z, sector, low] += lower * lower
                sums[1, z, sector, low + 1] += upper * upper
                sums[2, z, sector, low] += lower * upper


@njit(**ALLOCATING)
def subtract_rings(first, end, values, profiles, split, centre_y, centre_x):
    """Subtract ``profiles[z, half, distance from the axis]`` from the values, in place.

    The first half of a ring begins at the angle `split` (from x towards y) and covers half a turn.
    """
    _, ny, nx = values.shape
    cosine, sine = cos(split), sin(split)
    for z in range(first, end):
        for y in range(ny):
            for x in range(nx):
                dy, dx = y - centre_y, x - centre_x
                profile = profiles[z, 0 if dy * cosine - dx * sine >= 0 else 1]
                radius = sqrt(dy * dy + dx * dx)
                low = int(radius)
                upper = np.float32(radius - low)
                values[z, y, x] -= profile[low] + upper * (profile[low + 1] - profile[low])
