"""Compiled kernels that find and mend places where a phase touches itself; `topology` says how."""

from __future__ import annotations

import numpy as np
from numba import njit

from ..numerics.compiling import INNER, OPTIONS
from .complex_kernels import (
    CELLS,
    CLOCK,
    DEAD,
    RINGS,
    STAR,
    VERTICES,
    count_bits,
    mark_star,
    place,
    star,
)

# How a star is mended: piece by piece, or as a whole; numbers from 0 on are phases.
NOT_UNITED, MOST = -2, -1


@njit(**INNER)
def volume(mesh, t):
    """Return six times the volume of a tetrahedron."""
    c, x = mesh.cells[t], mesh.points
    p, q, r, s = x[c[0]], x[c[1]], x[c[2]], x[c[3]]
    az, ay, ax = q[0] - p[0], q[1] - p[1], q[2] - p[2]
    bz, by, bx = r[0] - p[0], r[1] - p[1], r[2] - p[2]
    cz, cy, cx = s[0] - p[0], s[1] - p[1], s[2] - p[2]
    return az * (by * cx - bx * cy) + ay * (bx * cz - bz * cx) + ax * (bz * cy - by * cz)


@njit(**INNER)
def _shared(mesh, s, t):
    """Return how many vertices two tetrahedra share."""
    n = 0
    for i in range(4):
        n += place(mesh, t, mesh.cells[s, i]) >= 0
    return n


@njit(**INNER)
def _find_neighbours(mesh, tets, n, beside):
    """Write up to three tetrahedra of a star that share a face with each of them, -1 beyond."""
    for a in range(n):
        beside[a, 0] = beside[a, 1] = beside[a, 2] = -1
    for a in range(n):
        for b in range(a):
            if _shared(mesh, tets[a], tets[b]) != 3:
                continue
            for c, d in ((a, b), (b, a)):
                m = 0
                while m < 2 and beside[c, m] >= 0:
                    m += 1
                beside[c, m] = d


@njit(**INNER)
def _pieces(mesh, tets, n, beside, phase, inside, piece, stack):
    """Return how many pieces a phase (or all others) makes in a star, connected through faces.

    `piece` receives the number of the piece of each tetrahedron, -1 outside.
    """
    for k in range(n):
        piece[k] = -2 if (mesh.phase[tets[k]] == phase) == inside else -1
    count = 0
    for k in range(n):
        if piece[k] != -2:
            continue
        top = 0
        stack[0] = k
        piece[k] = count
        while top >= 0:
            a = stack[top]
            top -= 1
            for m in range(3):
                b = beside[a, m]
                if b >= 0 and piece[b] == -2:
                    piece[b] = count
                    top += 1
                    stack[top] = b
        count += 1
    return count


@njit(**INNER)
def _smallest(mesh, tets, n, piece, count):
    """Return the number of the piece of least volume."""
    best, least = 0, np.inf
    for c in range(count):
        total = 0.0
        for k in range(n):
            if piece[k] == c:
                total += volume(mesh, tets[k])
        if total < least:
            best, least = c, total
    return best


@njit(**INNER)
def _around(mesh, tets, n, beside, piece, chosen, own):
    """Return the phase that shares most faces with a piece, other than its own."""
    best, most = -1, 0
    for k in range(n):
        other = mesh.phase[tets[k]]
        if other == own or piece[k] == chosen:
            continue
        faces = 0
        for a in range(n):
            if mesh.phase[tets[a]] == other and piece[a] != chosen:
                for m in range(3):
                    b = beside[a, m]
                    faces += b >= 0 and piece[b] == chosen
        if faces > most or (faces == most and other < best):
            best, most = other, faces
    return best


@njit(**INNER)
def _edge_star(mesh, tets, n, v, around):
    """Write the tetrahedra of a star that have another vertex as well; return how many."""
    m = 0
    for k in range(n):
        if place(mesh, tets[k], v) >= 0:
            around[m] = tets[k]
            m += 1
    return m


@njit(**INNER)
def _fault(mesh, tets, n, phases, beside, piece, stack, chosen_phase):
    """Find a phase that touches itself; return how many pieces it makes, 0 for none.

    `chosen_phase` receives the phase, and whether the pieces are its own (1) or those around it.
    """
    for p in range(64):
        if not phases >> p & 1:
            continue
        for inside in (True, False):
            count = _pieces(mesh, tets, n, beside, p, inside, piece, stack)
            if count > 1:
                chosen_phase[0], chosen_phase[1] = p, inside
                return count
    return 0


@njit(**INNER)
def _phases(mesh, tets, n):
    phases = 0
    for k in range(n):
        phases |= 1 << mesh.phase[tets[k]]
    return phases


@njit(**INNER)
def _vertex(mesh, v, scratch, change, united):
    """Tell whether a phase touches itself at a vertex or an edge of it; mend it if asked."""
    tets, around, beside, piece, stack, ids, what = scratch
    n = star(mesh, v, tets)
    if n > STAR or count_bits(_phases(mesh, tets, n)) < 2:
        return False
    _find_neighbours(mesh, tets, n, beside)
    count = _fault(mesh, tets, n, _phases(mesh, tets, n), beside, piece, stack, what)
    if count == 0 and mesh.box[v]:
        # What touches itself at an edge inside the box divides the others in two. On the box it
        # need not: there the edges count one by one.
        m = 0
        for k in range(n):
            for i in range(4):
                w = mesh.cells[tets[k], i]
                at = 0
                while at < m and ids[at] != w:
                    at += 1
                if w == v or at < m or m == RINGS or not mesh.box[v] & mesh.box[w]:
                    continue
                ids[m] = w
                m += 1
                size = _edge_star(mesh, tets, n, w, around)
                phases = _phases(mesh, around, size)
                if count_bits(phases) < 2:
                    continue
                _find_neighbours(mesh, around, size, beside)
                for p in range(64):
                    if phases >> p & 1:
                        arcs = _pieces(mesh, around, size, beside, p, True, piece, stack)
                        if arcs > 1:
                            if change:
                                _change(mesh, around, size, beside, piece, arcs, p, True, united)
                            return True
    if count == 0:
        return False
    if change:
        _change(mesh, tets, n, beside, piece, count, what[0], what[1] == 1, united)
    return True


@njit(**INNER)
def _unite(mesh, tets, n, phase):
    """Give a whole star to one phase, by default (-1) the one that fills most of it."""
    best, most = phase, 0.0
    for k in range(n if phase < 0 else 0):
        total = 0.0
        for a in range(n):
            if mesh.phase[tets[a]] == mesh.phase[tets[k]]:
                total += volume(mesh, tets[a])
        if total > most:
            best, most = mesh.phase[tets[k]], total
    for k in range(n):
        mesh.phase[tets[k]] = best


@njit(**INNER)
def _change(mesh, tets, n, beside, piece, count, p, inside, united):
    """Give the smallest piece to its surroundings, or the whole star to one phase."""
    if united > NOT_UNITED:
        _unite(mesh, tets, n, united)
        return
    chosen = _smallest(mesh, tets, n, piece, count)
    new = _around(mesh, tets, n, beside, piece, chosen, p) if inside else p
    for k in range(n):
        if new >= 0 and piece[k] == chosen:
            mesh.phase[tets[k]] = new


@njit(**OPTIONS)
def _scratch():
    return (
        np.empty(STAR, np.int64),
        np.empty(STAR, np.int64),
        np.empty((STAR, 3), np.int64),
        np.empty(STAR, np.int64),
        np.empty(STAR, np.int64),
        np.empty(RINGS, np.int64),
        np.empty(2, np.int64),
    )


@njit(**OPTIONS)
def mend(mesh, todo, united):
    """Mend vertices at which a phase touches itself; return how many there were.

    Parameters
    ----------
    todo : ndarray of bool, shape (vertices,)
        Vertices to look at; afterwards those around which something changed.
    united : int
        -2: the smallest piece goes to the phase around it. -1: the whole star gets the phase that
        fills most of it; or it gets the phase of this number.
    """
    scratch = _scratch()
    tets = scratch[0]
    again = np.zeros(todo.size, np.bool_)
    total = 0
    for v in range(todo.size):
        if not todo[v] or mesh.first[v] < 0 or not _vertex(mesh, v, scratch, True, united):
            continue
        total += 1
        n = star(mesh, v, tets)
        for k in range(n):
            for i in range(4):
                again[mesh.cells[tets[k], i]] = True
    todo[:] = again
    return total


@njit(**OPTIONS)
def find_faults(mesh, faulty):
    """Mark the vertices at which a phase touches itself."""
    scratch = _scratch()
    for v in range(mesh.counts[VERTICES]):
        # A star too large to look at is not known to be sound.
        faulty[v] = mesh.first[v] >= 0 and (
            star(mesh, v, scratch[0]) > STAR or _vertex(mesh, v, scratch, False, NOT_UNITED)
        )


@njit(**OPTIONS)
def total_volumes(mesh, out):
    """Add up the volume of each phase."""
    out[:] = 0.0
    for t in range(mesh.counts[CELLS]):
        if mesh.cells[t, 0] != DEAD:
            out[mesh.phase[t]] += volume(mesh, t) / 6.0


@njit(**INNER)
def _neighbour_phase(mesh, t, tets, n, counts):
    """Count the faces of a tetrahedron by the phase across, from the star of one vertex."""
    for k in range(n):
        if tets[k] != t and _shared(mesh, tets[k], t) == 3:
            counts[mesh.phase[tets[k]]] += 1


@njit(**OPTIONS)
def yield_cells(mesh, chosen):
    """Give tetrahedra to the phase with most faces around them; return how many were given.

    Only where no phase then touches itself. The phases at their vertices are brought up to date.
    """
    scratch = _scratch()
    tets = scratch[0]
    counts = np.empty(64, np.int64)
    given = 0
    for m in range(chosen.size):
        t = chosen[m]
        if mesh.cells[t, 0] == DEAD:
            continue
        old = mesh.phase[t]
        counts[:] = 0
        crowded = False
        for i in range(4):
            n = star(mesh, mesh.cells[t, i], tets)
            crowded = crowded or n > STAR
            if n <= STAR:
                _neighbour_phase(mesh, t, tets, n, counts)
        if crowded:
            continue
        # Each face was seen from its three vertices.
        best = -1
        for p in range(64):
            if p != old and counts[p] > 0 and (best < 0 or counts[p] > counts[best]):
                best = p
        if best < 0:
            continue
        mesh.phase[t] = best
        good = True
        for i in range(4):
            good = good and not _vertex(mesh, mesh.cells[t, i], scratch, False, NOT_UNITED)
        if not good:
            mesh.phase[t] = old
            continue
        given += 1
        for i in range(4):
            v = mesh.cells[t, i]
            n = star(mesh, v, tets)
            mesh.sets[v] = _phases(mesh, tets, n)
            mesh.changed[v] = mesh.counts[CLOCK]
    return given


@njit(**OPTIONS)
def dissolve(mesh, chosen, todo):
    """Give the smallest star at a vertex of each tetrahedron to one phase; mark what changed."""
    tets = np.empty(STAR, np.int64)
    for m in range(chosen.size):
        t = chosen[m]
        vertex, least = -1, np.inf
        for i in range(4):
            n = star(mesh, mesh.cells[t, i], tets)
            if n > STAR or count_bits(_phases(mesh, tets, n)) < 2:
                continue
            total = 0.0
            for k in range(n):
                total += volume(mesh, tets[k])
            if total < least:
                vertex, least = mesh.cells[t, i], total
        if vertex < 0:
            continue
        n = star(mesh, vertex, tets)
        _unite(mesh, tets, n, MOST)
        mark_star(mesh, tets, n)
        for k in range(n):
            for i in range(4):
                todo[mesh.cells[tets[k], i]] = True
