"""Compiled kernels that move vertices; `relaxation` says how."""

from __future__ import annotations

import numpy as np
from numba import njit

from ..numerics.compiling import INNER, OPTIONS
from .complex_kernels import (
    CLOCK,
    RINGS,
    STAR,
    WIDE,
    count_bits,
    fixed_axes,
    mark_star,
    opposite_faces,
    qualities_at,
)
from .field_kernels import NEAR, project

STILL = 1e-3  # a shorter move is none, in units of length
GAIN = 5e-3  # least gain in quality for which a vertex moves
ENOUGH = 0.45  # quality (sine of the smallest dihedral angle) that is left alone
AROUND = 14  # places around a vertex
GOLDEN = 2.399963229728653  # angle by which they follow one another
POOR = 0.37  # below it, places around a vertex are tried


@njit(**OPTIONS)
def colour(mesh, vertices, colours):
    """Give each of some vertices the lowest colour that none of its neighbours has.

    Parameters
    ----------
    vertices : ndarray of int, shape (n,)
    colours : ndarray of int16, shape (vertices of the mesh,)
        -1 at first.
    """
    used = np.full(STAR, -1, np.int64)
    for n in range(vertices.size):
        v = vertices[n]
        corner = mesh.first[v]
        while corner >= 0:
            for i in range(4):
                c = colours[mesh.cells[corner >> 2, i]]
                if 0 <= c < STAR:
                    used[c] = v
            corner = mesh.after[corner]
        c = 0
        while used[c] == v:
            c += 1
        colours[v] = c


@njit(**INNER)
def neighbours(mesh, v, tets, n, ids, masks):
    """Write the neighbours of a vertex, and the phases around the edge to each; return how many."""
    m = 0
    for k in range(n):
        t = tets[k]
        bit = 1 << mesh.phase[t]
        for i in range(4):
            w = mesh.cells[t, i]
            if w == v:
                continue
            at = 0
            while at < m and ids[at] != w:
                at += 1
            if at == m:
                if m == ids.size:
                    return m
                ids[m] = w
                masks[m] = 0
                m += 1
            masks[at] |= bit
    return m


@njit(**INNER)
def _mean(mesh, v, ids, masks, m, out):
    """Average the neighbours that lie on what v must stay on; return how many, and how far."""
    phases, box = mesh.sets[v], mesh.box[v]
    count = 0
    reach = 0.0
    out[0] = out[1] = out[2] = 0.0
    p = mesh.points[v]
    for k in range(m):
        w = ids[k]
        if masks[k] & phases != phases or mesh.box[w] & box != box:
            continue
        q = mesh.points[w]
        count += 1
        for d in range(3):
            out[d] += q[d]
        reach += np.sqrt((q[0] - p[0]) ** 2 + (q[1] - p[1]) ** 2 + (q[2] - p[2]) ** 2)
    if count:
        for d in range(3):
            out[d] /= count
        reach /= count
    return count, reach


@njit(**INNER)
def _quality_at(point, faces, n, floor, values):
    """Return the lowest quality of the tetrahedra between a point and some faces.

    The worst face is put first: it most likely tells at once that other points are no better.
    """
    z, y, x = point[0], point[1], point[2]
    qualities_at(z, y, x, faces, 1, values)
    if values[0] < floor:
        return values[0]
    qualities_at(z, y, x, faces, n, values)
    worst = 0
    for k in range(1, n):
        if values[k] < values[worst]:
            worst = k
    for d in range(9):
        faces[d, 0], faces[d, worst] = faces[d, worst], faces[d, 0]
    return values[worst]


@njit(**INNER)
def _try(fields, phases, fixed, star, best, slack, point, rows):
    """Return the quality of a star with its vertex at a point (on what it must stay on).

    With some slack, the point may be that far from what the vertex should stay on; otherwise it is
    moved there. If it cannot be, or the quality does not get better than `best`, returns `best`.
    """
    faces, n, values = star
    if count_bits(phases) > 1:
        pz, py, px = point[0], point[1], point[2]
        if not project(fields, phases, fixed, point, rows) < 10 * NEAR:
            return best
        if slack > 0.0:
            if (point[0] - pz) ** 2 + (point[1] - py) ** 2 + (point[2] - px) ** 2 > slack**2:
                return best
            point[0], point[1], point[2] = pz, py, px
    q = _quality_at(point, faces, n, best + GAIN, values)
    return q if q > best + GAIN else best


@njit(**INNER)
def _settle(fields, phases, fixed, star, x, quality, least, point, rows):
    """Move a vertex onto its interface, or as near as quality allows; return the quality then."""
    faces, n, values = star
    oz, oy, ox = x[0], x[1], x[2]
    point[0], point[1], point[2] = oz, oy, ox
    left = project(fields, phases, fixed, point, rows)
    dz, dy, dx = point[0] - oz, point[1] - oy, point[2] - ox
    if not left < 10 * NEAR or dz * dz + dy * dy + dx * dx < 1e-12:
        return quality
    floor = min(quality, least)
    share = 1.0
    for _ in range(3):
        point[0], point[1], point[2] = oz + share * dz, oy + share * dy, ox + share * dx
        q = _quality_at(point, faces, n, floor, values)
        if q >= floor and q > 0.0:
            x[0], x[1], x[2] = point[0], point[1], point[2]
            return q
        share *= 0.5
    return quality


@njit(**INNER)
def _smooth(fields, phases, fixed, star, x, quality, mean, point, rows):
    """Move a vertex towards the mean of its neighbours; return the quality then."""
    oz, oy, ox = x[0], x[1], x[2]
    share = 1.0
    for _ in range(3):
        point[0] = oz + share * (mean[0] - oz)
        point[1] = oy + share * (mean[1] - oy)
        point[2] = ox + share * (mean[2] - ox)
        q = _try(fields, phases, fixed, star, quality, 0.0, point, rows)
        if q > quality:
            x[0], x[1], x[2] = point[0], point[1], point[2]
            return q
        share *= 0.5
    return quality


@njit(**INNER)
def _search(fields, phases, fixed, star, x, quality, step, slack, tries, turn, point, rows):
    """Try places around a vertex; halve the distance where none is better."""
    for m in range(tries):
        best = quality
        oz, oy, ox = x[0], x[1], x[2]
        for k in range(AROUND):
            # Even on a sphere, and turned from one time to the next.
            height = 1.0 - (2 * k + 1) / AROUND
            wide = np.sqrt(1.0 - height * height)
            angle = GOLDEN * (k + AROUND * (m + turn))
            point[0] = oz + (0.0 if fixed & 1 else step * height)
            point[1] = oy + (0.0 if fixed & 2 else step * wide * np.cos(angle))
            point[2] = ox + (0.0 if fixed & 4 else step * wide * np.sin(angle))
            q = _try(fields, phases, fixed, star, best, slack, point, rows)
            if q > best:
                best = q
                x[0], x[1], x[2] = point[0], point[1], point[2]
        if best <= quality:
            step *= 0.5
        quality = best
        if quality > POOR:
            break
    return quality


@njit(**INNER)
def _relax(mesh, fields, v, searched, settle, least, slack, tries, scratch):
    """Move one vertex."""
    tets, faces, values, ids, masks, rows, point, mean = scratch
    now = mesh.counts[CLOCK]
    fixed = fixed_axes(mesh.box[v])
    phases = mesh.sets[v]
    placed = count_bits(phases) > 1
    calm = mesh.changed[v] < searched[v]
    if fixed == 7 or (calm and not (settle and placed)):
        return
    n = opposite_faces(mesh, v, tets, faces)
    if n > tets.size:
        return
    searched[v] = now
    star = (faces, n, values)
    x = mesh.points[v]
    sz, sy, sx = x[0], x[1], x[2]
    quality = _quality_at(x, faces, n, -2.0, values)
    if placed:
        quality = _settle(fields, phases, fixed, star, x, quality, least, point, rows)
        calm = calm and (x[0] - sz) ** 2 + (x[1] - sy) ** 2 + (x[2] - sx) ** 2 < STILL**2
    if calm:
        return
    if quality < ENOUGH:
        m = neighbours(mesh, v, tets, n, ids, masks)
        count, reach = _mean(mesh, v, ids, masks, m, mean)
        if count > 1:
            quality = _smooth(fields, phases, fixed, star, x, quality, mean, point, rows)
        around = (tries, now, point, rows)
        if tries and quality < POOR:
            step = 0.2 * reach if count else 0.2
            quality = _search(fields, phases, fixed, star, x, quality, step, 0.0, *around)
        if tries and slack > 0.0 and quality < least and placed:
            _search(fields, phases, fixed, star, x, quality, slack, slack, *around)
    if (x[0] - sz) ** 2 + (x[1] - sy) ** 2 + (x[2] - sx) ** 2 > STILL**2:
        mark_star(mesh, tets, n)


@njit(**OPTIONS)
def relax(first, end, mesh, fields, vertices, searched, settle, least, slack, tries):
    """Move some vertices, no two of which may be neighbours; `relaxation.relax` says how.

    Parameters
    ----------
    searched : ndarray of int32, shape (vertices of the mesh,)
        When each vertex was last found to be well placed, or without a better place around it.
    settle : bool
        Whether to bring all others back onto their interface as well, because it moved.
    """
    scratch = (
        np.empty(STAR, np.int64),
        np.empty((9, WIDE)),
        np.empty(STAR),
        np.empty(RINGS, np.int64),
        np.empty(RINGS, np.int64),
        np.empty((4, 4)),
        np.empty(3),
        np.empty(3),
    )
    for k in range(first, end):
        _relax(mesh, fields, vertices[k], searched, settle, least, slack, tries, scratch)
