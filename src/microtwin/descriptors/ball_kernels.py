"""Compiled loops of the balls that fit a phase; `balls` says what they compute."""

from __future__ import annotations

from math import ceil, sqrt

import numpy as np
from numba import njit

from ..numerics.compiling import INNER, OPTIONS

__all__ = ["BLOCK", "ROUNDING", "bottlenecks", "largest_balls", "list_open", "paint_balls"]

# Edge of the blocks that are stepped over when all of their voxels are painted.
BLOCK = 4

# Of squared distances in voxels, in single precision: less than any difference between two.
ROUNDING = 1e-2


@njit(**INNER)
def _held(radius, steps, table, per_square, z, y, x):
    """Tell whether the ball of a neighbour holds all voxels of the ball of a voxel."""
    nz, ny, nx = radius.shape
    here = radius[z, y, x]
    entry = ceil(here * here * per_square - ROUNDING)
    for dz in range(max(-1, -z), min(1, nz - 1 - z) + 1):
        for dy in range(max(-1, -y), min(1, ny - 1 - y) + 1):
            for dx in range(max(-1, -x), min(1, nx - 1 - x) + 1):
                there = radius[z + dz, y + dy, x + dx]
                if there <= here:
                    continue
                if entry < table.shape[1]:
                    needed = table[dz * dz + 2 * dy * dy + 4 * dx * dx, entry]
                else:
                    needed = here + sqrt(
                        (dz * steps[0]) ** 2 + (dy * steps[1]) ** 2 + (dx * steps[2]) ** 2
                    )
                if there >= needed:
                    return True
    return False


@njit(**OPTIONS)
def largest_balls(first, end, radius, steps, table, per_square, keep):
    """Mark the voxels whose ball no ball of a neighbour holds, for some planes.

    ``table[o, k]`` is the radius from which a ball at a neighbour holds every voxel of a ball of
    squared radius up to ``k / per_square``; bit 0, 1, 2 of o tell whether the neighbour is shifted
    along z, y, x.
    """
    _, ny, nx = radius.shape
    for z in range(first, end):
        for y in range(ny):
            for x in range(nx):
                here = radius[z, y, x]
                if here <= 0:
                    keep[z, y, x] = False
                    continue
                keep[z, y, x] = not _held(radius, steps, table, per_square, z, y, x)


@njit(**OPTIONS)
def list_open(first, end, radius, left, places):
    """List the voxels of a positive radius in each block, for some layers of blocks.

    ``left`` counts them, and ``places`` holds their places in the block, 16 z + 4 y + x.
    """
    nz, ny, nx = radius.shape
    left[first:end] = 0
    for z in range(BLOCK * first, min(BLOCK * end, nz)):
        for y in range(ny):
            for x in range(nx):
                if radius[z, y, x] > 0:
                    bz, by, bx = z // BLOCK, y // BLOCK, x // BLOCK
                    place = BLOCK * BLOCK * (z % BLOCK) + BLOCK * (y % BLOCK) + x % BLOCK
                    places[bz, by, bx, left[bz, by, bx]] = place
                    left[bz, by, bx] += 1


@njit(**INNER)
def _gap(low, centre):
    """Return how far a voxel is from the nearest of a block that starts at `low`, in voxels."""
    return max(0, low - centre, centre - (low + BLOCK - 1))


@njit(**OPTIONS)
def paint_balls(first, end, order, radius, steps, left, places, out):
    """Give each voxel the radius of the first ball in the order that holds it.

    For some layers of blocks; ``left`` and ``places`` list the voxels of each block that are not
    painted. Most balls hold few voxels that larger ones did not, so blocks are soon stepped over.
    """
    nz, ny, nx = out.shape
    bottom, top = BLOCK * first, min(BLOCK * end, nz)
    hz, hy, hx = steps[0] ** 2, steps[1] ** 2, steps[2] ** 2
    for centre in order:
        z0, rest = divmod(centre, ny * nx)
        y0, x0 = divmod(rest, nx)
        value = radius[z0, y0, x0]
        r = np.float64(value)
        # Voxels nearer than the radius belong to the ball, not those at it.
        ball = r * r * (1 - 5e-7)
        reach = int(r / steps[0])
        low, high = max(bottom, z0 - reach), min(top, z0 + reach + 1)
        reach = int(r / steps[1])
        front, back = max(0, y0 - reach), min(ny, y0 + reach + 1)
        reach = int(r / steps[2])
        west, east = max(0, x0 - reach), min(nx, x0 + reach + 1)
        if low >= high:
            continue
        for bz in range(low // BLOCK, (high - 1) // BLOCK + 1):
            in_z = ball - hz * _gap(BLOCK * bz, z0) ** 2
            for by in range(front // BLOCK, (back - 1) // BLOCK + 1):
                in_y = in_z - hy * _gap(BLOCK * by, y0) ** 2
                for bx in range(west // BLOCK, (east - 1) // BLOCK + 1):
                    count = left[bz, by, bx]
                    if count == 0 or hx * _gap(BLOCK * bx, x0) ** 2 > in_y:
                        continue
                    i = 0
                    while i < count:
                        place = places[bz, by, bx, i]
                        z = BLOCK * bz + place // (BLOCK * BLOCK)
                        y = BLOCK * by + place // BLOCK % BLOCK
                        x = BLOCK * bx + place % BLOCK
                        if hz * (z - z0) ** 2 + hy * (y - y0) ** 2 + hx * (x - x0) ** 2 <= ball:
                            out[z, y, x] = value
                            count -= 1
                            places[bz, by, bx, i] = places[bz, by, bx, count]
                        else:
                            i += 1
                    left[bz, by, bx] = count


@njit(**INNER)
def _push(heap, size, radius, i):
    """Add voxel i to a heap with the largest radius on top."""
    at = size
    while at > 0:
        above = (at - 1) // 2
        if radius[heap[above]] >= radius[i]:
            break
        heap[at] = heap[above]
        at = above
    heap[at] = i


@njit(**INNER)
def _pop(heap, size, radius):
    """Take away the top of a heap of so many voxels."""
    top, i = heap[0], heap[size - 1]
    at = 0
    while True:
        below = 2 * at + 1
        if below >= size - 1:
            break
        if below + 1 < size - 1 and radius[heap[below + 1]] > radius[heap[below]]:
            below += 1
        if radius[heap[below]] <= radius[i]:
            break
        heap[at] = heap[below]
        at = below
    heap[at] = i
    return top


@njit(**OPTIONS)
def bottlenecks(radius, inlet, heap, out):
    """Write the least radius on the widest way from the inlet to each voxel.

    Flat arrays but for the shape of `out`, which starts at 0; the inlet holds numbers of voxels.
    Voxels are connected through faces. Ways are followed in the order of their width, so the
    first that arrives is the widest.
    """
    nz, ny, nx = out.shape
    width = out.reshape(-1)
    size = 0
    for i in inlet:
        width[i] = radius[i]
        _push(heap, size, width, i)
        size += 1
    while size > 0:
        i = _pop(heap, size, width)
        size -= 1
        z, rest = divmod(i, ny * nx)
        y, x = divmod(rest, nx)
        for side in range(6):
            if side == 0:
                inside, j = z > 0, i - ny * nx
            elif side == 1:
                inside, j = z < nz - 1, i + ny * nx
            elif side == 2:
                inside, j = y > 0, i - nx
            elif side == 3:
                inside, j = y < ny - 1, i + nx
            elif side == 4:
                inside, j = x > 0, i - 1
            else:
                inside, j = x < nx - 1, i + 1
            if inside and width[j] == 0 and radius[j] > 0:
                # A voxel that is reached is never reached by a wider way later: all voxels on
                # the heap are at least as narrow as the one that was just taken off it.
                width[j] = min(width[i], radius[j])
                _push(heap, size, width, j)
                size += 1
