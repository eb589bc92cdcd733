"""Compiled loops of parallel-beam tomography; the slices are the last axis of every array."""

from __future__ import annotations

from math import floor

import numpy as np
from numba import njit

from ...numerics.compiling import ALLOCATING

__all__ = ["back_project_block", "project_block"]

# Lines of a slice that pass over one projection together, so that both stay in the cache.
_LINES = 8


@njit(**ALLOCATING)
def project_block(first, end, slices, directions, out):
    """Add the line integrals of ``slices[y, x, r]`` to ``out[angle, column, r]``, some angles."""
    ny, nx, rows = slices.shape
    columns = out.shape[1]
    middle_y, middle_x, middle = 0.5 * (ny - 1), 0.5 * (nx - 1), 0.5 * (columns - 1)
    for a in range(first, end):
        cosine, sine = directions[a, 0], directions[a, 1]
        steep = abs(sine) >= abs(cosine)
        step = np.float32(1.0 / max(abs(sine), abs(cosine)))
        for s in range(columns):
            offset = s - middle
            sums = out[a, s]
            for line in range(nx if steep else ny):
                if steep:
                    place = (offset - (line - middle_x) * cosine) / sine + middle_y
                    last = ny
                else:
                    place = (offset - (line - middle_y) * sine) / cosine + middle_x
                    last = nx
                low = floor(place)
                if low < -1 or low >= last:
                    continue
                upper = np.float32(place - low) * step
                lower = step - upper
                # Beyond the outermost pixels the slice falls linearly to nothing.
                if low >= 0:
                    values = slices[low, line] if steep else slices[line, low]
                    for r in range(rows):
                        sums[r] += lower * values[r]
                if low + 1 < last:
                    values = slices[low + 1, line] if steep else slices[line, low + 1]
                    for r in range(rows):
                        sums[r] += upper * values[r]


@njit(**ALLOCATING)
def back_project_block(first, end, filtered, directions, centre, out):
    """Add the rows ``filtered[angle, column, r]`` to the pixels ``out[y, x, r]``, some lines y."""
    ny, nx, rows = out.shape
    columns = filtered.shape[1]
    middle_y, middle_x = 0.5 * (ny - 1), 0.5 * (nx - 1)
    for tile in range(first // _LINES, (end + _LINES - 1) // _LINES):
        for a in range(directions.shape[0]):
            cosine, sine = directions[a, 0], directions[a, 1]
            for y in range(max(tile * _LINES, first), min((tile + 1) * _LINES, end)):
                start = centre - middle_x * cosine + (y - middle_y) * sine
                for x in range(nx):
                    place = start + x * cosine
                    low = floor(place)
                    if low < 0 or low >= columns - 1:
                        continue
                    upper = np.float32(place - low)
                    lower = np.float32(1.0) - upper
                    near, far, pixel = filtered[a, low], filtered[a, low + 1], out[y, x]
                    for r in range(rows):
                        pixel[r] += lower * near[r] + upper * far[r]
