"""Compiled loops of the separation of particles; `particles` says what they compute."""

from __future__ import annotations

from math import sqrt

from numba import njit

from ...numerics.compiling import INNER, OPTIONS

__all__ = [
    "climb",
    "count_faces",
    "faces",
    "join_basins",
    "measure",
    "number_basins",
]


@njit(**OPTIONS)
def climb(first, end, distance, steps, link):
    """Write to each voxel the number of the neighbour up the steepest slope, for some planes.

    A voxel that no neighbour is higher than points to a neighbour across a face that is as high
    and comes earlier, or to itself; one outside the phase to -1.
    """
    nz, ny, nx = distance.shape
    for z in range(first, end):
        for y in range(ny):
            for x in range(nx):
                here = distance[z, y, x]
                own = (z * ny + y) * nx + x
                if here == 0:
                    link[z, y, x] = -1
                    continue
                best, target = 0.0, own
                for dz in range(max(-1, -z), min(1, nz - 1 - z) + 1):
                    for dy in range(max(-1, -y), min(1, ny - 1 - y) + 1):
                        for dx in range(max(-1, -x), min(1, nx - 1 - x) + 1):
                            rise = distance[z + dz, y + dy, x + dx] - here
                            number = own + (dz * ny + dy) * nx + dx
                            if rise > 0:
                                run = sqrt(
                                    (dz * steps[0]) ** 2
                                    + (dy * steps[1]) ** 2
                                    + (dx * steps[2]) ** 2
                                )
                                if rise / run > best:
                                    best, target = rise / run, number
                            elif (
                                best == 0.0
                                and rise == 0
                                and number < target
                                and abs(dz) + abs(dy) + abs(dx) == 1
                            ):
                                target = number
                link[z, y, x] = target


@njit(**OPTIONS)
def number_basins(link):
    """Replace the links by the number of the summit they lead to, from 1; 0 outside the phase.

    Returns how many summits there are.
    """
    for i in range(link.size):
        top = i
        while link[top] >= 0 and link[top] != top:
            top = link[top]
        # All that is passed on the way leads to the same summit.
        at = i
        while link[at] >= 0 and link[at] != top:
            following = link[at]
            link[at] = top
            at = following
    count = 0
    for i in range(link.size):
        if link[i] == i:
            count += 1
            link[i] = -1 - count
    for i in range(link.size):
        if link[i] >= 0:
            link[i] = link[link[i]]
    for i in range(link.size):
        link[i] = -1 - link[i]
    return count


@njit(**OPTIONS)
def count_faces(first, end, labels, counts):
    """Write to ``counts[z]`` how many faces in and above plane z divide two labels above 0."""
    nz, ny, nx = labels.shape
    for z in range(first, end):
        count = 0
        for y in range(ny):
            for x in range(nx):
                own = labels[z, y, x]
                if own == 0:
                    continue
                for axis in range(3):
                    k, j, i = z + (axis == 0), y + (axis == 1), x + (axis == 2)
                    if k < nz and j < ny and i < nx:
                        count += labels[k, j, i] > 0 and labels[k, j, i] != own
        counts[z] = count


@njit(**OPTIONS)
def faces(first, end, labels, distance, starts, pairs, heights, axes):
    """Write the two labels beside each such face, the lower distance of the two, and its axis.

    What belongs to plane z begins at ``starts[z]``. The lower label comes first; the axis
    (1, 2, 3) is negative where this turns the face around.
    """
    nz, ny, nx = labels.shape
    for z in range(first, end):
        place = starts[z]
        for y in range(ny):
            for x in range(nx):
                own = labels[z, y, x]
                if own == 0:
                    continue
                for axis in range(3):
                    k, j, i = z + (axis == 0), y + (axis == 1), x + (axis == 2)
                    if k < nz and j < ny and i < nx:
                        other = labels[k, j, i]
                        if other > 0 and other != own:
                            pairs[place, 0] = min(own, other)
                            pairs[place, 1] = max(own, other)
                            heights[place] = min(distance[z, y, x], distance[k, j, i])
                            axes[place] = axis + 1 if own < other else -axis - 1
                            place += 1


@njit(**INNER)
def _root(parent, i):
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@njit(**OPTIONS)
def join_basins(order, pairs, heights, peaks, share, least, parent):
    """Join basins across saddles that are too shallow, from the highest saddle downwards.

    The lower of two summits is kept if it rises above the saddle by the share of its height and
    by the least rise.
    """
    for k in order:
        a, b = _root(parent, pairs[k, 0]), _root(parent, pairs[k, 1])
        if a == b:
            continue
        if peaks[a] < peaks[b]:
            a, b = b, a
        rise = peaks[b] - heights[k]
        if rise < max(share * peaks[b], least):
            parent[b] = a
    for i in range(parent.size):
        parent[i] = _root(parent, i)


@njit(**OPTIONS)
def measure(labels, counts, sums, touches):
    """Count the voxels of each label, add up their places, and note which touch a face."""
    nz, ny, nx = labels.shape
    for z in range(nz):
        for y in range(ny):
            for x in range(nx):
                label = labels[z, y, x]
                counts[label] += 1
                sums[label, 0] += z
                sums[label, 1] += y
                sums[label, 2] += x
                at_end = z == 0 or y == 0 or x == 0
                if at_end or z == nz - 1 or y == ny - 1 or x == nx - 1:
                    touches[label] = True
