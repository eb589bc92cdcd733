"""Compiled loops of the distance map; `distances` says what they compute."""

from __future__ import annotations

from math import sqrt

import numpy as np
from numba import njit

from ..numerics.compiling import OPTIONS

__all__ = ["distances_along_rows", "distances_along_z"]

_FAR = np.inf


@njit(**OPTIONS)
def _lower_envelope(line, step, heads, bounds):
    """Replace squared distances along a line by the least of ``line[j] + (step (i - j))^2``.

    The lower envelope of parabolas (P. F. Felzenszwalb, D. P. Huttenlocher, Theory Comput. 8
    (2012) 415).
    """
    last = -1
    square = step * step
    for j in range(line.size):
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
    values = np.empty(last + 1)
    for p in range(last + 1):
        values[p] = line[heads[p]]
    p = 0
    for i in range(line.size):
        while p < last and bounds[p + 1] <= i:
            p += 1
        line[i] = values[p] + square * (i - heads[p]) ** 2


@njit(**OPTIONS)
def distances_along_rows(first, end, mask, steps, out):
    """Write the squared distance to the background within each plane, for some planes."""
    _, ny, nx = mask.shape
    row, column = np.empty(nx), np.empty(ny)
    heads, bounds = np.empty(max(ny, nx), np.int64), np.empty(max(ny, nx))
    for z in range(first, end):
        for y in range(ny):
            for x in range(nx):
                row[x] = _FAR if mask[z, y, x] else 0.0
            _lower_envelope(row, steps[2], heads, bounds)
            out[z, y] = row
        for x in range(nx):
            for y in range(ny):
                column[y] = out[z, y, x]
            _lower_envelope(column, steps[1], heads, bounds)
            for y in range(ny):
                out[z, y, x] = column[y]


@njit(**OPTIONS)
def distances_along_z(first, end, steps, out):
    """Turn squared distances within planes into distances, for some rows y."""
    nz, _, nx = out.shape
    column, heads, bounds = np.empty(nz), np.empty(nz, np.int64), np.empty(nz)
    for y in range(first, end):
        for x in range(nx):
            for z in range(nz):
                column[z] = out[z, y, x]
            _lower_envelope(column, steps[0], heads, bounds)
            for z in range(nz):
                out[z, y, x] = sqrt(column[z])
