"""Compiled kernels that fill a graded octree with tetrahedra; `lattice` says how."""

from __future__ import annotations

import numpy as np
from numba import njit

from ..numerics.compiling import OPTIONS


@njit(**OPTIONS)
def number_leaves(level, leaf, origins):
    """Return how many leaves an octree has, numbered in the order of their first cell.

    Parameters
    ----------
    level : ndarray of uint8, shape (nz, ny, nx)
        Level of the leaf that each finest cell belongs to; its edge is 2^level cells.
    leaf : ndarray of int32, shape (nz, ny, nx)
        Receives the number of the leaf of each cell.
    origins : ndarray of int32, shape (n, 3)
        Receives the first cell of each leaf; may be empty, to count only.
    """
    count = 0
    for k in range(level.shape[0]):
        for j in range(level.shape[1]):
            for i in range(level.shape[2]):
                low = (1 << level[k, j, i]) - 1
                if (k & low) | (j & low) | (i & low):
                    continue
                if origins.shape[0]:
                    origins[count, 0], origins[count, 1], origins[count, 2] = k, j, i
                    for a in range(k, k + low + 1):
                        for b in range(j, j + low + 1):
                            for c in range(i, i + low + 1):
                                leaf[a, b, c] = count
                count += 1
    return count


@njit(**OPTIONS)
def number_corners(level, origins, corner, places, first):
    """Give numbers to the corners of all leaves from `first` on; return the one after the last.

    Parameters
    ----------
    corner : ndarray of int32, shape (nz + 1, ny + 1, nx + 1)
        -1 at first.
    places : ndarray of int32, shape (n, 3)
        Receives where they are, in half cells. May be empty, to count only.
    """
    count = first
    for n in range(origins.shape[0]):
        k, j, i = origins[n, 0], origins[n, 1], origins[n, 2]
        w = 1 << level[k, j, i]
        for c in range(8):
            a, b, d = k + w * (c >> 2 & 1), j + w * (c >> 1 & 1), i + w * (c & 1)
            if corner[a, b, d] < 0:
                corner[a, b, d] = count
                if places.shape[0]:
                    places[count, 0], places[count, 1], places[count, 2] = 2 * a, 2 * b, 2 * d
                count += 1
    return count


@njit(**OPTIONS)
def fill(level, leaf, origins, corner, places, cells, first_face):
    """Write the tetrahedra of all leaves; return how many, and how many vertices there are.

    Parameters
    ----------
    places : ndarray of int32, shape (n, 3)
        Vertices in half cells. The centres of the leaves come first, then the corners; the centres
        of faces on the box are added from `first_face` on. Empty to count only, as is `cells`.
    cells : ndarray of int32, shape (m, 4)
    """
    shape = level.shape
    tets, points = 0, first_face
    square = np.empty((4, 3), np.int64)
    step = np.empty(3, np.int64)
    for n in range(origins.shape[0]):
        at = origins[n]
        here = level[at[0], at[1], at[2]]
        w = 1 << here
        for face in range(6):
            axis, high = face >> 1, face & 1
            b, c = (axis + 1) % 3, (axis + 2) % 3
            for s in range(4):
                square[s, axis] = at[axis] + w * high
                square[s, b] = at[b] + w * (s == 1 or s == 2)
                square[s, c] = at[c] + w * (s >= 2)
            step[:] = at
            step[axis] += w if high else -1
            if step[axis] < 0 or step[axis] >= shape[axis]:
                # On the box: the pyramid over the face, cut in four around the centre of the face.
                if places.shape[0]:
                    for d in range(3):
                        places[points, d] = square[0, d] + square[2, d]
                tets = _around(n, points, square, w, corner, cells, tets)
                points += 1
                continue
            other = leaf[step[0], step[1], step[2]]
            there = level[step[0], step[1], step[2]]
            if there == here and high:
                tets = _around(n, other, square, w, corner, cells, tets)
            elif there > here:
                tets = _halved(n, other, square, axis, origins[other], corner, cells, tets)
    return tets, points


@njit(**OPTIONS)
def _around(p, q, square, w, corner, cells, tets):
    """Write the tetrahedra between the segment from p to q and the edges of a square around it."""
    for s in range(4):
        t = (s + 1) & 3
        e0 = corner[square[s, 0], square[s, 1], square[s, 2]]
        e1 = corner[square[t, 0], square[t, 1], square[t, 2]]
        middle = -1
        if w > 1:
            middle = corner[
                (square[s, 0] + square[t, 0]) >> 1,
                (square[s, 1] + square[t, 1]) >> 1,
                (square[s, 2] + square[t, 2]) >> 1,
            ]
        if middle < 0:
            tets = _write(cells, tets, p, q, e0, e1)
        else:
            tets = _write(cells, tets, p, q, e0, middle)
            tets = _write(cells, tets, p, q, middle, e1)
    return tets


@njit(**OPTIONS)
def _halved(p, q, square, axis, big, corner, cells, tets):
    """Write the tetrahedra on a square between a leaf p and a leaf q of twice the edge.

    The square is halved by the diagonal through the centre of the large face.
    """
    # Its corner with even distance from the large leaf along both axes is one of the large face.
    b, c = (axis + 1) % 3, (axis + 2) % 3
    w = abs(square[2, b] - square[0, b])
    first = 0
    for s in range(4):
        if (square[s, b] - big[b]) % (2 * w) == 0 and (square[s, c] - big[c]) % (2 * w) == 0:
            first = s
    v0, v1, v2, v3 = 0, 0, 0, 0
    for s in range(4):
        r = square[(first + s) & 3]
        v = corner[r[0], r[1], r[2]]
        if s == 0:
            v0 = v
        elif s == 1:
            v1 = v
        elif s == 2:
            v2 = v
        else:
            v3 = v
    tets = _write(cells, tets, p, v0, v1, v2)
    tets = _write(cells, tets, p, v0, v2, v3)
    tets = _write(cells, tets, q, v0, v1, v2)
    return _write(cells, tets, q, v0, v2, v3)


@njit(**OPTIONS)
def _write(cells, tets, a, b, c, d):
    if cells.shape[0]:
        cells[tets, 0], cells[tets, 1], cells[tets, 2], cells[tets, 3] = a, b, c, d
    return tets + 1


@njit(**OPTIONS)
def mark_cells(first, end, mixed, cells_per_sample, lowest, highest, wish):
    """Wish for the lowest level where a finest cell overlaps a mixed sample, else the highest."""
    low, high = np.empty(3, np.int64), np.empty(3, np.int64)
    at = np.empty(3, np.int64)
    for k in range(first, end):
        for j in range(wish.shape[1]):
            for i in range(wish.shape[2]):
                at[0], at[1], at[2] = k, j, i
                for d in range(3):
                    low[d] = int(at[d] / cells_per_sample[d] + 1e-9)
                    high[d] = min(int((at[d] + 1) / cells_per_sample[d] - 1e-9), mixed.shape[d] - 1)
                found = False
                for c in range(low[0], high[0] + 1):
                    for b in range(low[1], high[1] + 1):
                        for a in range(low[2], high[2] + 1):
                            found |= mixed[c, b, a]
                wish[k, j, i] = lowest if found else highest


@njit(**OPTIONS)
def turn(first, end, points, cells):
    """Give tetrahedra a positive volume."""
    for t in range(first, end):
        p, q, r, s = (
            points[cells[t, 0]],
            points[cells[t, 1]],
            points[cells[t, 2]],
            points[cells[t, 3]],
        )
        az, ay, ax = q[0] - p[0], q[1] - p[1], q[2] - p[2]
        bz, by, bx = r[0] - p[0], r[1] - p[1], r[2] - p[2]
        cz, cy, cx = s[0] - p[0], s[1] - p[1], s[2] - p[2]
        volume = az * (by * cx - bx * cy) + ay * (bx * cz - bz * cx) + ax * (bz * cy - by * cz)
        if volume < 0.0:
            cells[t, 2], cells[t, 3] = cells[t, 3], cells[t, 2]
