"""Compiled loops of the shortest paths; `paths` says what they compute."""

from __future__ import annotations

from math import sqrt

import numpy as np
from numba import njit

from ..numerics.compiling import OPTIONS

__all__ = ["shortest_paths"]

# Voxels that a bucket holds before it grows.
_LEAST_ROOM = 1024


@njit(**OPTIONS)
def shortest_paths(mask, starts, steps, length):
    """Write the length of the shortest path from the starts to each voxel of a mask.

    ``length`` is infinite before, and stays so where no path leads. Voxels wait in buckets one
    shortest edge wide. No step is shorter, so the voxels of the first bucket are final whatever
    their order (E. V. Denardo, B. L. Fox, Oper. Res. 27, 161 (1979)).
    """
    nz, ny, nx = mask.shape
    # The step to the neighbour (dz, dy, dx) is number 9 (dz + 1) + 3 (dy + 1) + (dx + 1).
    run = np.empty(27, np.float32)
    longest = 0.0
    shortest = min(steps[0], steps[1], steps[2])
    for k in range(27):
        dz, dy, dx = k // 9 - 1, k // 3 % 3 - 1, k % 3 - 1
        run[k] = sqrt((dz * steps[0]) ** 2 + (dy * steps[1]) ** 2 + (dx * steps[2]) ** 2)
        longest = max(longest, run[k])
    n_buckets = int(longest / shortest) + 2
    buckets = [np.empty(_LEAST_ROOM, np.int64) for _ in range(n_buckets)]
    sizes = np.zeros(n_buckets, np.int64)
    flat, inside = length.reshape(-1), mask.reshape(-1)
    final = np.zeros(flat.size, np.bool_)
    buckets[0] = starts.copy()
    sizes[0] = starts.size
    for i in starts:
        flat[i] = 0.0
    waiting, turn = starts.size, 0
    while waiting > 0:
        slot = turn % n_buckets
        bucket = buckets[slot]
        for at in range(sizes[slot]):
            i = bucket[at]
            if final[i]:
                continue
            final[i] = True
            here = flat[i]
            z, rest = divmod(i, ny * nx)
            y, x = divmod(rest, nx)
            for dz in range(max(-1, -z), min(1, nz - 1 - z) + 1):
                for dy in range(max(-1, -y), min(1, ny - 1 - y) + 1):
                    for dx in range(max(-1, -x), min(1, nx - 1 - x) + 1):
                        j = i + (dz * ny + dy) * nx + dx
                        if not inside[j] or final[j]:
                            continue
                        there = here + run[9 * (dz + 1) + 3 * (dy + 1) + dx + 1]
                        if there < flat[j]:
                            flat[j] = there
                            # Rounding must not put a voxel back into the bucket in hand.
                            goal = max(int(there / shortest), turn + 1) % n_buckets
                            if sizes[goal] == buckets[goal].size:
                                grown = np.empty(2 * sizes[goal], np.int64)
                                grown[: sizes[goal]] = buckets[goal]
                                buckets[goal] = grown
                            buckets[goal][sizes[goal]] = j
                            sizes[goal] += 1
                            waiting += 1
        waiting -= sizes[slot]
        sizes[slot] = 0
        turn += 1
