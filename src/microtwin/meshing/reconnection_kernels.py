"""Compiled kernels that connect vertices in other ways, or join two; `reconnection` says how."""

from __future__ import annotations

import numpy as np
from numba import njit

from ..numerics.compiling import INNER, OPTIONS
from .complex_kernels import (
    CELLS,
    DEAD,
    RINGS,
    STAR,
    WIDE,
    add,
    cell_quality,
    count_bits,
    edge_star,
    opposite_faces,
    place,
    qualities_at,
    quality,
    remove,
    rename,
    star_quality,
)
from .field_kernels import difference
from .relaxation_kernels import neighbours

RING = 10  # vertices around an edge that is taken out, at most
SHORT = 0.5  # shortest edge over the longest, below which its ends are joined first
GAIN = 1e-3  # least gain in quality
NEAR = 0.06  # how far, as a share of its length, the middle of a new edge may leave an interface


@njit(**INNER)
def _opposite(mesh, t, a, b):
    """Return the other two vertices (p, q) of a tetrahedron such that (a, b, p, q) is positive."""
    i, j = place(mesh, t, a), place(mesh, t, b)
    k = 0
    while k in (i, j):
        k += 1
    m = 6 - i - j - k
    # Count the inversions of the permutation (i, j, k, m).
    odd = (i > j) ^ (i > k) ^ (i > m) ^ (j > k) ^ (j > m) ^ (k > m)
    if odd:
        k, m = m, k
    return mesh.cells[t, k], mesh.cells[t, m]


@njit(**INNER)
def _ring(mesh, a, b, tets, n, ring, phases, ends):
    """Order the vertices around an edge, and the phases between them; return how many.

    The count of vertices is that of the tetrahedra if they go all around; then the first is
    written once more at the end. It is one more at the box, and -1 if the ring is too long.
    """
    if n + 1 > RING:
        return -1
    for k in range(n):
        ends[k, 0], ends[k, 1] = _opposite(mesh, tets[k], a, b)
    start = 0
    for k in range(n):
        first = True
        for m in range(n):
            first = first and ends[m, 1] != ends[k, 0]
        if first:
            start = k
    at = start
    for k in range(n):
        ring[k], ring[k + 1] = ends[at, 0], ends[at, 1]
        phases[k] = mesh.phase[tets[at]]
        for m in range(n):
            if ends[m, 0] == ring[k + 1]:
                at = m
                break
    return n if ring[n] == ring[0] else n + 1


@njit(**INNER)
def _best_cut(mesh, a, b, ring, low, high, table, choice, floor):
    """Fill the table of the best triangulation of the polygon of ring vertices low ... high."""
    x = mesh.points
    for i in range(low, high):
        table[i, i + 1] = 2.0
    for width in range(2, high - low + 1):
        for i in range(low, high - width + 1):
            j = i + width
            best, at = -2.0, -1
            for k in range(i + 1, j):
                q = min(table[i, k], table[k, j])
                if q <= floor or q <= best:
                    continue
                p, r, s = x[ring[i]], x[ring[k]], x[ring[j]]
                q = min(q, quality(p, r, s, x[b]))
                if q > best:
                    q = min(q, quality(p, s, r, x[a]))
                if q > best:
                    best, at = q, k
            table[i, j] = best
            choice[i, j] = at
    return table[low, high]


@njit(**INNER)
def _fill(mesh, a, b, ring, low, high, choice, phase, stack):
    """Add the tetrahedra of the best triangulation of a polygon."""
    top = 0
    stack[0, 0], stack[0, 1] = low, high
    while top >= 0:
        i, j = stack[top, 0], stack[top, 1]
        top -= 1
        if j - i < 2:
            continue
        k = choice[i, j]
        add(mesh, ring[i], ring[k], ring[j], b, phase)
        add(mesh, ring[i], ring[j], ring[k], a, phase)
        top += 1
        stack[top, 0], stack[top, 1] = i, k
        top += 1
        stack[top, 0], stack[top, 1] = k, j


@njit(**INNER)
def _distance(mesh, fields, u, v, p, q, gradient):
    """Return how far the middle of an edge is from the interface of two phases, and its length."""
    x, y = mesh.points[u], mesh.points[v]
    g = difference(
        fields,
        0.5 * (x[0] + y[0]),
        0.5 * (x[1] + y[1]),
        0.5 * (x[2] + y[2]),
        p,
        q,
        gradient,
    )
    slope = np.sqrt(gradient[0] ** 2 + gradient[1] ** 2 + gradient[2] ** 2)
    length = np.sqrt((x[0] - y[0]) ** 2 + (x[1] - y[1]) ** 2 + (x[2] - y[2]) ** 2)
    return abs(g) / max(slope, 0.05), length


@njit(**INNER)
def _phases_around(mesh, u, v, tets):
    """Return the bits of the phases around an edge."""
    n = edge_star(mesh, u, v, tets)
    bits = 0
    for k in range(min(n, tets.size)):
        bits |= 1 << mesh.phase[tets[k]]
    return bits


@njit(**INNER)
def _take_out(mesh, fields, a, b, tets, others, close, work):
    """Take an edge out if the tetrahedra around it get better without it."""
    ring, phases, turned, ends, table, choice, stack, gradient = work
    n = edge_star(mesh, a, b, tets)
    if n > tets.size or n < 2:
        return False
    count = _ring(mesh, a, b, tets, n, ring, phases, ends)
    if count < 3:
        return False
    old = star_quality(mesh, tets, n, -2.0) + GAIN
    changes = 0
    for k in range(1, n):
        changes += phases[k] != phases[k - 1]
    if count == n + 1:
        # On the box: possible only in a plane face of it, within one phase.
        face = mesh.box[a] & mesh.box[b] & mesh.box[ring[0]] & mesh.box[ring[n]]
        if changes or face == 0:
            return False
        if _best_cut(mesh, a, b, ring, 0, n, table, choice, old) <= old:
            return False
        for k in range(n):
            remove(mesh, tets[k])
        _fill(mesh, a, b, ring, 0, n, choice, phases[0], stack)
        return True
    if mesh.box[a] & mesh.box[b]:
        return False
    if changes == 0:
        if _best_cut(mesh, a, b, ring, 0, n - 1, table, choice, old) <= old:
            return False
        for k in range(n):
            remove(mesh, tets[k])
        _fill(mesh, a, b, ring, 0, n - 1, choice, phases[0], stack)
        return True
    changes += phases[0] != phases[n - 1]
    if changes != 2:
        return False
    # On an interface: turn the ring so that it starts where the phase changes.
    start = 0
    while phases[start] == phases[(start - 1) % n]:
        start += 1
    for k in range(n):
        turned[k] = phases[(start + k) % n]
    for k in range(n):
        phases[k] = turned[k]
    for k in range(n):
        turned[k] = ring[(start + k) % n]
    for k in range(n):
        ring[k] = turned[k]
    ring[n] = ring[0]
    middle = 1
    while phases[middle] == phases[0]:
        middle += 1
    p, q = phases[0], phases[n - 1]
    before, _ = _distance(mesh, fields, a, b, p, q, gradient)
    after, length = _distance(mesh, fields, ring[0], ring[middle], p, q, gradient)
    if after > max(before, NEAR * length, close):
        return False
    if _best_cut(mesh, a, b, ring, 0, middle, table, choice, old) <= old:
        return False
    if _best_cut(mesh, a, b, ring, middle, n, table, choice, old) <= old:
        return False
    if middle == 1 or middle == n - 1:
        # One phase loses its only tetrahedron at the edge: the edge across it must be inside.
        inner = p if middle == 1 else q
        if mesh.box[ring[0]] & mesh.box[ring[middle]]:
            return False
        if _phases_around(mesh, ring[0], ring[middle], others) != 1 << inner:
            return False
    for k in range(n):
        remove(mesh, tets[k])
    _fill(mesh, a, b, ring, 0, middle, choice, p, stack)
    _fill(mesh, a, b, ring, middle, n, choice, q, stack)
    return True


@njit(**INNER)
def _take_out_face(mesh, t, i, tets):
    """Replace the face opposite to vertex i by an edge across it, if that is better."""
    p = mesh.cells[t, i]
    x = mesh.cells[t, (i + 1) & 3]
    y = mesh.cells[t, (i + 2) & 3]
    z = mesh.cells[t, (i + 3) & 3]
    if i & 1 == 0:
        y, z = z, y
    other, q = -1, -1
    n = edge_star(mesh, x, y, tets)
    for k in range(min(n, tets.size)):
        s = tets[k]
        if s != t and place(mesh, s, z) >= 0:
            other = s
    if other < 0 or mesh.phase[other] != mesh.phase[t]:
        return False
    for j in range(4):
        v = mesh.cells[other, j]
        if v != x and v != y and v != z:
            q = v
    c = mesh.points
    old = min(cell_quality(mesh, t), cell_quality(mesh, other)) + GAIN
    if quality(c[q], c[p], c[x], c[y]) <= old:
        return False
    if quality(c[q], c[p], c[y], c[z]) <= old or quality(c[q], c[p], c[z], c[x]) <= old:
        return False
    phase = mesh.phase[t]
    remove(mesh, t)
    remove(mesh, other)
    add(mesh, q, p, x, y, phase)
    add(mesh, q, p, y, z, phase)
    add(mesh, q, p, z, x, phase)
    return True


@njit(**INNER)
def _star(mesh, u, tets, faces, values):
    """Write the star of a vertex; return its size, 0 if too large, and the lowest quality."""
    n = opposite_faces(mesh, u, tets, faces)
    if n > tets.size:
        return 0, 0.0
    x = mesh.points[u]
    qualities_at(x[0], x[1], x[2], faces, n, values)
    lowest = 2.0
    for k in range(n):
        lowest = min(lowest, values[k])
    return n, lowest


@njit(**INNER)
def _join(mesh, fields, u, v, star, floor, others, close, ids, masks, gradient):
    """Move vertex u onto v, and so remove it, if its tetrahedra get better than a floor."""
    tets, n, faces, values = star
    if mesh.sets[u] & ~mesh.sets[v] or mesh.box[u] & ~mesh.box[v]:
        return False
    x = mesh.points[v]
    qualities_at(x[0], x[1], x[2], faces, n, values)
    for k in range(n):
        if values[k] <= floor and place(mesh, tets[k], v) < 0:
            return False
    phases = mesh.sets[u]
    if count_bits(phases) > 1:
        if _phases_around(mesh, u, v, others) != phases:
            return False
        if not _keeps_interface(mesh, fields, u, v, tets, n, others, close, ids, masks, gradient):
            return False
    for k in range(n):
        t = tets[k]
        if place(mesh, t, v) >= 0:
            remove(mesh, t)
        else:
            rename(mesh, t, u, v)
    return True


@njit(**INNER)
def _keeps_interface(mesh, fields, u, v, tets, n, others, close, ids, masks, gradient):
    """Tell whether joining u to v keeps the topology and the place of the interfaces at u."""
    m = neighbours(mesh, u, tets, n, ids, masks)
    if m == ids.size:
        return False
    faces = 0
    around = edge_star(mesh, u, v, others)
    for k in range(around):
        for i in range(4):
            w = mesh.cells[others[k], i]
            if w in (u, v):
                continue
            # Each face at the edge is seen from both sides, or once on the box.
            for j in range(around):
                if j != k and place(mesh, others[j], w) >= 0:
                    faces += mesh.phase[others[j]] != mesh.phase[others[k]]
    faces //= 2
    common = 0
    for k in range(m):
        w = ids[k]
        if w == v or count_bits(masks[k]) < 2:
            continue
        shared = _phases_around(mesh, v, w, others)
        on_box = mesh.box[v] & mesh.box[w] and not mesh.box[u] & mesh.box[w]
        if shared and on_box and masks[k] & ~shared:
            # A phase would touch the box along an edge only.
            return False
        if count_bits(shared) >= 2:
            common += 1
            if count_bits(shared) >= 3 and count_bits(masks[k]) >= 3:
                return False
        elif shared == 0:
            p, q = -1, -1
            for b in range(64):
                if masks[k] >> b & 1:
                    if p < 0:
                        p = b
                    elif q < 0:
                        q = b
            far, length = _distance(mesh, fields, v, w, p, q, gradient)
            if far > max(NEAR * length, close):
                return False
    return common == faces


@njit(**INNER)
def _shortest(mesh, t):
    """Return the places of the ends of the shortest edge, and its length over the longest."""
    least, most, first, second = np.inf, 0.0, 0, 1
    for i in range(4):
        for j in range(i):
            x, y = mesh.points[mesh.cells[t, i]], mesh.points[mesh.cells[t, j]]
            length = (x[0] - y[0]) ** 2 + (x[1] - y[1]) ** 2 + (x[2] - y[2]) ** 2
            most = max(most, length)
            if length < least:
                least, first, second = length, i, j
    return first, second, np.sqrt(least / most)


@njit(**OPTIONS)
def reconnect(mesh, fields, chosen, target, close, since):
    """Mend tetrahedra of a quality below a target, in the order given; return how many.

    Those around which nothing has changed since a certain time are passed over. Stops where the
    room for tetrahedra ends.
    """
    tets, others = np.empty(STAR, np.int64), np.empty(STAR, np.int64)
    ids, masks = np.empty(RINGS, np.int64), np.empty(RINGS, np.int64)
    gradient = np.empty(3)
    work = (
        np.empty(RING + 1, np.int64),
        np.empty(RING + 1, np.int64),
        np.empty(RING + 1, np.int64),
        np.empty((RING + 1, 2), np.int64),
        np.empty((RING + 1, RING + 1)),
        np.empty((RING + 1, RING + 1), np.int64),
        np.empty((4 * RING, 2), np.int64),
        gradient,
    )
    faces, values = np.empty((9, WIDE)), np.empty(STAR)
    scratch = (others, close, ids, masks, gradient)
    mended = 0
    for m in range(chosen.size):
        t = chosen[m]
        if mesh.counts[CELLS] + 4 * RING > len(mesh.cells):
            break
        if mesh.cells[t, 0] == DEAD or cell_quality(mesh, t) >= target:
            continue
        done = False
        latest = 0
        for i in range(4):
            latest = max(latest, mesh.changed[mesh.cells[t, i]])
        if latest < since:
            continue
        first, second, short = _shortest(mesh, t)
        for i, j in ((first, second), (second, first)):
            if short < SHORT and not done:
                u, v = mesh.cells[t, i], mesh.cells[t, j]
                n, lowest = _star(mesh, u, tets, faces, values)
                star = (tets, n, faces, values)
                done = n > 0 and _join(mesh, fields, u, v, star, lowest + GAIN, *scratch)
        for i in range(4):
            for j in range(i):
                if not done:
                    a, b = mesh.cells[t, i], mesh.cells[t, j]
                    done = _take_out(mesh, fields, a, b, tets, others, close, work)
        for i in range(4):
            if not done:
                done = _take_out_face(mesh, t, i, tets)
        for i in range(4):
            if done:
                break
            u = mesh.cells[t, i]
            n, lowest = _star(mesh, u, tets, faces, values)
            star = (tets, n, faces, values)
            for j in range(4):
                if i != j and n > 0 and not done:
                    v = mesh.cells[t, j]
                    done = _join(mesh, fields, u, v, star, lowest + GAIN, *scratch)
        mended += done
    return mended
