"""Compiled loops over the probabilities of the phases."""

from __future__ import annotations

import numpy as np
from numba import njit

from ...numerics.compiling import OPTIONS

__all__ = ["most_probable", "ordered_labels", "shares_of_255"]

SURE = 230  # nine tenths of 255


@njit(**OPTIONS)
def shares_of_255(first, end, sums, weights, out):
    """Write weighted sums of each phase as shares that add up to 255; may be done in place."""
    phases, _, ny, nx = sums.shape
    for z in range(first, end):
        for y in range(ny):
            for x in range(nx):
                total = np.float32(0.0)
                for p in range(phases):
                    total += weights[p] * sums[p, z, y, x]
                if total <= 0:
                    total = np.float32(1.0)
                rest = 255
                best = 0
                most = -1
                for p in range(phases):
                    share = int(np.float32(255.0) * weights[p] * sums[p, z, y, x] / total + 0.5)
                    out[p, z, y, x] = share
                    rest -= share
                    if share > most:
                        best, most = p, share
                # What rounding leaves goes to the largest, which it changes least.
                out[best, z, y, x] = most + rest


@njit(**OPTIONS)
def most_probable(first, end, probabilities, weights, labels, unsure):
    """Write the phase of the largest weighted probability; count voxels that are not sure."""
    phases, _, ny, nx = probabilities.shape
    for z in range(first, end):
        for y in range(ny):
            for x in range(nx):
                best = 0
                largest = np.float32(-1.0)
                highest = 0
                for p in range(phases):
                    value = weights[p] * probabilities[p, z, y, x]
                    if value > largest:
                        best, largest = p, value
                    highest = max(highest, probabilities[p, z, y, x])
                labels[z, y, x] = best
                unsure[z] += highest < SURE


@njit(**OPTIONS)
def ordered_labels(first, end, probabilities, levels, field, labels):
    """Write the phase whose interval of cumulative probability holds the level of a field.

    ``levels[c]`` is the standard normal level below which c 255ths of all levels lie.
    """
    phases, _, ny, nx = probabilities.shape
    for z in range(first, end):
        for y in range(ny):
            for x in range(nx):
                level = field[z, y, x]
                total = 0
                label = phases - 1
                for p in range(phases - 1):
                    total += probabilities[p, z, y, x]
                    # Probabilities that were rounded one by one may add up to more.
                    if level < levels[min(total, 255)]:
                        label = p
                        break
                labels[z, y, x] = label
