"""Compiled kernels that make a lattice conform to the interfaces; `cutting` says how."""

from __future__ import annotations

import numpy as np
from numba import njit

from ..numerics.compiling import INNER, OPTIONS
from .complex_kernels import (
    CELLS,
    DEAD,
    RINGS,
    STAR,
    VERTICES,
    fixed_axes,
    split_edge,
    star,
    star_quality,
)
from .field_kernels import project, winner

LONG, SHORT = 0.25, 0.41  # cuts nearer to a vertex than this share of an edge move the vertex
SAFE = 0.12  # quality that the tetrahedra around a moved vertex must keep
EIGHTHS = 8
ROUGH, FINE = 12, 24  # halvings of an edge to find its cut: to compare, and to cut there
ENDS = 0.12  # nearest that a cut may be to the end of its edge, as a share


@njit(**INNER)
def _cut(fields, p, q, start, goal, halvings, scratch):
    """Return the share of the segment from p to q at which the phases `start` stop to win."""
    low, high = 0.0, 1.0
    both = start | goal
    for _ in range(halvings):
        t = 0.5 * (low + high)
        w = winner(
            fields,
            p[0] + t * (q[0] - p[0]),
            p[1] + t * (q[1] - p[1]),
            p[2] + t * (q[2] - p[2]),
            both,
            scratch,
        )
        if start >> w & 1:
            low = t
        else:
            high = t
    return 0.5 * (low + high)


@njit(**INNER)
def _threshold(p, q):
    """Return the share of a lattice edge within which a cut moves its vertex."""
    a, b, c = abs(q[0] - p[0]), abs(q[1] - p[1]), abs(q[2] - p[2])
    middle = a + b + c - max(a, b, c) - min(a, b, c)
    return LONG if middle < 0.3 * max(a, b, c) else SHORT


@njit(**INNER)
def _neighbours(mesh, v, ids):
    """Write the neighbours of a vertex; return how many."""
    m = 0
    corner = mesh.first[v]
    while corner >= 0:
        for i in range(4):
            w = mesh.cells[corner >> 2, i]
            at = 0
            while at < m and ids[at] != w:
                at += 1
            if at == m and w != v and m < ids.size:
                ids[m] = w
                m += 1
        corner = mesh.after[corner]
    return m


@njit(**OPTIONS)
def collect_edges(mesh, mixed, steps, edges):
    """Write the edges whose ends share no phase, as far as there is room; return how many.

    With samples marked as mixed, also the edges whose middle lies at one of them.
    """
    at = np.empty(3, np.int64)
    seen = np.full(mesh.counts[VERTICES], -1, np.int32)
    count = 0
    wanted = np.zeros(mesh.counts[VERTICES], np.bool_)
    if mixed.size == 0:
        for t in range(mesh.counts[CELLS]):
            c, s = mesh.cells[t], mesh.sets
            if c[0] != DEAD and s[c[0]] & s[c[1]] & s[c[2]] & s[c[3]] == 0:
                for i in range(4):
                    wanted[c[i]] = True
    else:
        wanted[:] = True
    for u in range(mesh.counts[VERTICES]):
        if mesh.first[u] < 0 or not wanted[u]:
            continue
        corner = mesh.first[u]
        while corner >= 0:
            for i in range(4):
                v = mesh.cells[corner >> 2, i]
                if v <= u or seen[v] == u:
                    continue
                seen[v] = u
                if mesh.sets[u] & mesh.sets[v]:
                    if mixed.size == 0:
                        continue
                    for d in range(3):
                        middle = 0.5 * (mesh.points[u, d] + mesh.points[v, d])
                        at[d] = min(int(middle / steps[d]), mixed.shape[d] - 1)
                    if not mixed[at[0], at[1], at[2]]:
                        continue
                if count < edges.shape[0]:
                    edges[count, 0], edges[count, 1] = u, v
                count += 1
            corner = mesh.after[corner]
    return count


@njit(**INNER)
def _nearest_cut(mesh, fields, v, ids, scratch):
    """Return how near the nearest cut of an edge of v is, over its threshold, and with whom."""
    nearest, other = np.inf, -1
    p = mesh.points[v]
    for k in range(_neighbours(mesh, v, ids)):
        w = ids[k]
        if mesh.sets[v] & mesh.sets[w]:
            continue
        q = mesh.points[w]
        limit = _threshold(p, q)
        # Most cuts are farther away: then one look tells.
        z = p[0] + limit * (q[0] - p[0])
        y = p[1] + limit * (q[1] - p[1])
        x = p[2] + limit * (q[2] - p[2])
        both = mesh.sets[v] | mesh.sets[w]
        if mesh.sets[v] >> winner(fields, z, y, x, both, scratch) & 1:
            continue
        share = _cut(fields, p, q, mesh.sets[v], mesh.sets[w], ROUGH, scratch) / limit
        if share < nearest or (share == nearest and w < other):
            nearest, other = share, w
    return nearest, other


@njit(**OPTIONS)
def nearest_cuts(first, end, mesh, fields, vertices, nearest):
    """Write how near the nearest cut of an edge of each vertex is, over its threshold."""
    ids = np.empty(RINGS, np.int64)
    scratch = np.empty(fields.values.shape[3])
    for n in range(first, end):
        nearest[n] = _nearest_cut(mesh, fields, vertices[n], ids, scratch)[0]


@njit(**INNER)
def _simple(mesh, v, tets, n, ids, group):
    """Tell whether the neighbours of v with a phase of v hang together, and so do all others.

    If not, v is in a thin film or neck, which would fall apart if v were on its surface.
    """
    m = _neighbours(mesh, v, ids)
    for k in range(m):
        group[k] = k
    for t in range(n):
        mine, other = -1, -1
        for i in range(4):
            w = mesh.cells[tets[t], i]
            if w == v:
                continue
            root = 0
            while ids[root] != w:
                root += 1
            while group[root] != root:
                root = group[root]
            # Those of one kind in a tetrahedron are neighbours of each other.
            with_v = mesh.sets[w] & mesh.sets[v] != 0
            before = mine if with_v else other
            if before >= 0:
                group[max(root, before)] = min(root, before)
                root = min(root, before)
            if with_v:
                mine = root
            else:
                other = root
    roots = 0
    for k in range(m):
        roots += group[k] == k
    return roots <= 2


@njit(**OPTIONS)
def snap(mesh, fields, vertices):
    """Move vertices with a near cut onto the interface, in the order given; return how many."""
    tets, ids = np.empty(STAR, np.int64), np.empty(RINGS, np.int64)
    scratch = np.empty(fields.values.shape[3])
    group = np.empty(RINGS, np.int64)
    rows, point, old = np.empty((4, 4)), np.empty(3), np.empty(3)
    moved = 0
    for n in range(vertices.size):
        v = vertices[n]
        share, w = _nearest_cut(mesh, fields, v, ids, scratch)
        if w < 0 or share >= 1.0:
            continue
        phases = mesh.sets[v] | mesh.sets[w]
        old[:] = mesh.points[v]
        point[:] = old
        left = project(fields, phases, fixed_axes(mesh.box[v]), point, rows)
        count = star(mesh, v, tets)
        if left > 1e-2 or count > tets.size or not _simple(mesh, v, tets, count, ids, group):
            continue
        mesh.points[v] = point
        if star_quality(mesh, tets, count, SAFE) < SAFE:
            mesh.points[v] = old
            continue
        mesh.sets[v] = phases
        moved += 1
    return moved


@njit(**OPTIONS)
def hidden_phases(first, end, mesh, fields, edges, share):
    """Write where, as a share of each edge, a phase wins that neither end has; 0 if nowhere.

    Every eighth of the edge is looked at. Of the longest run with such a phase, the middle counts.
    """
    scratch = np.empty(fields.values.shape[3])
    winners = np.empty(EIGHTHS + 1, np.int64)
    for n in range(first, end):
        u, v = edges[n, 0], edges[n, 1]
        p, q = mesh.points[u], mesh.points[v]
        known = mesh.sets[u] | mesh.sets[v]
        share[n] = 0.0
        longest = 0
        for m in range(1, EIGHTHS):
            t = m / EIGHTHS
            z, y, x = p[0] + t * (q[0] - p[0]), p[1] + t * (q[1] - p[1]), p[2] + t * (q[2] - p[2])
            winners[m] = winner(fields, z, y, x, -1, scratch)
        m = 1
        while m < EIGHTHS:
            w = winners[m]
            end_of_run = m
            while end_of_run + 1 < EIGHTHS and winners[end_of_run + 1] == w:
                end_of_run += 1
            if not known >> w & 1 and end_of_run - m + 1 > longest:
                longest = end_of_run - m + 1
                share[n] = 0.5 * (m + end_of_run) / EIGHTHS
            m = end_of_run + 1


@njit(**OPTIONS)
def split_at(mesh, fields, edges, share, start):
    """Put a vertex with the phase that wins there on each edge; stop where the room ends.

    The first edges are left out that `start` counts; the count of those done is returned.
    """
    tets = np.empty(STAR, np.int64)
    scratch = np.empty(fields.values.shape[3])
    for n in range(start, edges.shape[0]):
        if not _has_room(mesh):
            return n
        p, q = mesh.points[edges[n, 0]], mesh.points[edges[n, 1]]
        t = share[n]
        z, y, x = p[0] + t * (q[0] - p[0]), p[1] + t * (q[1] - p[1]), p[2] + t * (q[2] - p[2])
        w = winner(fields, z, y, x, -1, scratch)
        split_edge(mesh, edges[n, 0], edges[n, 1], z, y, x, 1 << w, tets)
    return edges.shape[0]


@njit(**OPTIONS)
def cut_edges(mesh, fields, edges, start):
    """Put a vertex where phases change on each edge, in the order given; as `split_at`."""
    tets = np.empty(STAR, np.int64)
    scratch = np.empty(fields.values.shape[3])
    for n in range(start, edges.shape[0]):
        if not _has_room(mesh):
            return n
        u, v = edges[n, 0], edges[n, 1]
        p, q = mesh.points[u], mesh.points[v]
        t = _cut(fields, p, q, mesh.sets[u], mesh.sets[v], FINE, scratch)
        t = min(max(t, ENDS), 1.0 - ENDS)
        z, y, x = p[0] + t * (q[0] - p[0]), p[1] + t * (q[1] - p[1]), p[2] + t * (q[2] - p[2])
        split_edge(mesh, u, v, z, y, x, mesh.sets[u] | mesh.sets[v], tets)
    return edges.shape[0]


@njit(**INNER)
def _has_room(mesh):
    """Tell whether one more edge can be split, whatever the number of tetrahedra around it."""
    return mesh.counts[VERTICES] < mesh.first.size and mesh.counts[CELLS] + STAR < len(mesh.cells)


@njit(**OPTIONS)
def join_sets(mesh):
    """Split what has no phase that all its vertices share; return how many edges were split.

    On a triangle (or else a tetrahedron) whose vertices share no phase, the longest edge gets a
    vertex at which all the phases of the triangle meet.
    """
    tets = np.empty(STAR, np.int64)
    added = 0
    end = mesh.counts[CELLS]
    for t in range(end):
        if mesh.cells[t, 0] == DEAD:
            continue
        c = mesh.cells[t]
        s = mesh.sets
        if s[c[0]] & s[c[1]] & s[c[2]] & s[c[3]]:
            continue
        skip = -1
        for i in range(4):
            common = -1
            for j in range(4):
                if j != i:
                    common &= s[c[j]]
            if common == 0:
                skip = i
                break
        longest, u, v, phases = 0.0, -1, -1, 0
        for i in range(4):
            if i == skip:
                continue
            phases |= s[c[i]]
            for j in range(i):
                if j == skip:
                    continue
                p, q = mesh.points[c[i]], mesh.points[c[j]]
                length = (p[0] - q[0]) ** 2 + (p[1] - q[1]) ** 2 + (p[2] - q[2]) ** 2
                if length > longest:
                    longest, u, v = length, c[i], c[j]
        if not _has_room(mesh):
            return max(added, 1)
        p, q = mesh.points[u], mesh.points[v]
        z, y, x = 0.5 * (p[0] + q[0]), 0.5 * (p[1] + q[1]), 0.5 * (p[2] + q[2])
        if split_edge(mesh, u, v, z, y, x, phases, tets) >= 0:
            added += 1
    return added


@njit(**OPTIONS)
def assign_phases(first, end, mesh, fields):
    """Give each tetrahedron the phase that all its vertices share, the largest at its centre."""
    scratch = np.empty(fields.values.shape[3])
    for t in range(first, end):
        if mesh.cells[t, 0] == DEAD:
            continue
        c, x = mesh.cells[t], mesh.points
        common = mesh.sets[c[0]] & mesh.sets[c[1]] & mesh.sets[c[2]] & mesh.sets[c[3]]
        z = 0.25 * (x[c[0], 0] + x[c[1], 0] + x[c[2], 0] + x[c[3], 0])
        y = 0.25 * (x[c[0], 1] + x[c[1], 1] + x[c[2], 1] + x[c[3], 1])
        w = 0.25 * (x[c[0], 2] + x[c[1], 2] + x[c[2], 2] + x[c[3], 2])
        mesh.phase[t] = winner(fields, z, y, w, common if common else -1, scratch)
