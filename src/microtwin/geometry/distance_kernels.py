"""Compiled loops of the distance map; `distances` says what they compute."""

from __future__ import annotations

from math import sqrt

import numpy as np
from numba import njit

from ..numerics.compiling import OPTIONS

__all__ = ["distances_along_rows", "distances_along_z"]

_FAR = np.inf
# Columns that are copied out at once: they share lines of the cache.
_TOGETHER = 16


@njit(**OPTIONS)
def _lower_envelope(line, low, high, square, heads, bounds, values):
    """Replace squared distances by the least of ``line[j] + square (i - j)^2``, low <= j < high.

    ``heads``, ``bounds`` and ``values`` are room to work in, as long as the line.
    """
    last = -1
    for j in range(low, high):
        if line[j] == _FAR:
            continue
        start = -np.inf
        while last >= 0:
            k = heads[last]
            start = (line[j] - line[k]) / (2 * square * (j - k)) + 0.5 * (j + k)
            if start > bounds[last]:
                break
            last -= 1
            start = -np.inf
        last += 1
        heads[last] = j
        bounds[last] = start
    if last < 0:
        return
    for p in range(last + 1):
        values[p] = line[heads[p]]
    p = 0
    for i in range(low, high):
        while p < last and bounds[p + 1] <= i:
            p += 1
        line[i] = values[p] + square * (i - heads[p]) ** 2


@njit(**OPTIONS)
def _along_line(line, square, heads, bounds, values):
    """Replace squared distances along a line by the least over the line.

    The lower envelope of parabolas (P. F. Felzenszwalb, D. P. Huttenlocher, Theory Comput. 8
    (2012) 415), piece by piece: no parabola reaches beyond a zero.
    """
    n = line.size
    low = 0
    while low < n:
        if line[low] == 0 and (low + 1 == n or line[low + 1] == 0):
            low += 1
            continue
        high = low + 1
        while high < n and line[high] != 0:
            high += 1
        _lower_envelope(line, low, min(high + 1, n), square, heads, bounds, values)
        low = high


@njit(**OPTIONS)
def distances_along_rows(first, end, mask, steps, out):
    """Write the squared distance to the background within each plane, for some planes."""
    _, ny, nx = mask.shape
    columns, values = np.empty((_TOGETHER, ny)), np.empty(ny)
    heads, bounds = np.empty(ny, np.int64), np.empty(ny)
    for z in range(first, end):
        # Along x the nearest voxel outside is the last one before or the first one behind.
        for y in range(ny):
            away = _FAR
            for x in range(nx):
                away = away + steps[2] if mask[z, y, x] else 0.0
                out[z, y, x] = away
            away = _FAR
            for x in range(nx - 1, -1, -1):
                away = away + steps[2] if mask[z, y, x] else 0.0
                out[z, y, x] = min(away, out[z, y, x]) ** 2
        for x0 in range(0, nx, _TOGETHER):
            width = min(_TOGETHER, nx - x0)
            for y in range(ny):
                for i in range(width):
                    columns[i, y] = out[z, y, x0 + i]
            for i in range(width):
                _along_line(columns[i], steps[1] ** 2, heads, bounds, values)
            for y in range(ny):
                for i in range(width):
                    out[z, y, x0 + i] = columns[i, y]


@njit(**OPTIONS)
def distances_along_z(first, end, steps, out):
    """Turn squared distances within planes into distances, for some rows y."""
    nz, _, nx = out.shape
    columns, values = np.empty((_TOGETHER, nz)), np.empty(nz)
    heads, bounds = np.empty(nz, np.int64), np.empty(nz)
    for y in range(first, end):
        for x0 in range(0, nx, _TOGETHER):
            width = min(_TOGETHER, nx - x0)
            for z in range(nz):
                for i in range(width):
                    columns[i, z] = out[z, y, x0 + i]
            for i in range(width):
                _along_line(columns[i], steps[0] ** 2, heads, bounds, values)
            for z in range(nz):
                for i in range(width):
                    out[z, y, x0 + i] = sqrt(columns[i, z])
