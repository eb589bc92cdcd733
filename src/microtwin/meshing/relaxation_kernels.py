"""Compiled kernels that move vertices; `relaxation` says how."""

from __future__ import annotations

import numpy as np
from numba import njit

from ..numerics.compiling import INNER, OPTIONS
from .complex_kernels import (
    CLOCK,
    RINGS,
    STAR,
    count_bits,
    fixed_axes,
    mark_star,
    star,
    star_quality,
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
def _quality_at(mesh, v, point, tets, n, floor):
    """Return the quality of a star with its vertex at a point; leaves the vertex there."""
    x = mesh.points[v]
    x[0], x[1], x[2] = point[0], point[1], point[2]
    return star_quality(mesh, tets, n, floor)


@njit(**INNER)
def _try(mesh, fields, v, phases, fixed, tets, n, best, slack, point, rows):
    """Move a vertex to a point (on what it must stay on) if its star gets better than `best`.

    With some slack, the point may be that far from what the vertex should stay on. Returns the
    quality afterwards.
    """
    x = mesh.points[v]
    oz, oy, ox = x[0], x[1], x[2]
    if count_bits(phases) > 1:
        pz, py, px = point[0], point[1], point[2]
        if not project(fields, phases, fixed, point, rows) < 10 * NEAR:
            return best
        if slack > 0.0:
            if (point[0] - pz) ** 2 + (point[1] - py) ** 2 + (point[2] - px) ** 2 > slack**2:
                return best
            point[0], point[1], point[2] = pz, py, px
    q = _quality_at(mesh, v, point, tets, n, best + GAIN)
    if q > best + GAIN:
        return q
    x[0], x[1], x[2] = oz, oy, ox
    return best


@njit(**INNER)
def _settle(mesh, fields, v, phases, fixed, tets, n, quality, least, point, rows):
    """Move a vertex onto its interface, or as near as quality allows; return the quality then."""
    x = mesh.points[v]
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
        q = _quality_at(mesh, v, point, tets, n, floor)
        if q >= floor and q > 0.0:
            return q
        share *= 0.5
    x[0], x[1], x[2] = oz, oy, ox
    return quality


@njit(**INNER)
def _search(mesh, fields, v, phases, fixed, tets, n, quality, step, slack, tries, point, rows):
    """Try places around a vertex; halve the distance where none is better."""
    x = mesh.points[v]
    for m in range(tries):
        best = quality
        bz, by, bx = x[0], x[1], x[2]
        oz, oy, ox = bz, by, bx
        for k in range(AROUND):
            # Even on a sphere, and turned from one time to the next.
            height = 1.0 - (2 * k + 1) / AROUND
            wide = np.sqrt(1.0 - height * height)
            angle = GOLDEN * (k + AROUND * (m + mesh.counts[CLOCK]))
            dz = 0.0 if fixed & 1 else step * height
            dy = 0.0 if fixed & 2 else step * wide * np.cos(angle)
            dx = 0.0 if fixed & 4 else step * wide * np.sin(angle)
            point[0], point[1], point[2] = oz + dz, oy + dy, ox + dx
            q = _try(mesh, fields, v, phases, fixed, tets, n, best, slack, point, rows)
            if q > best:
                best = q
                bz, by, bx = x[0], x[1], x[2]
                x[0], x[1], x[2] = oz, oy, ox
        x[0], x[1], x[2] = bz, by, bx
        if best <= quality:
            step *= 0.5
        quality = best
        if quality > POOR:
            break
    return quality


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
    tets = np.empty(STAR, np.int64)
    ids, masks = np.empty(RINGS, np.int64), np.empty(RINGS, np.int64)
    rows, point, mean = np.empty((4, 4)), np.empty(3), np.empty(3)
    now = mesh.counts[CLOCK]
    for k in range(first, end):
        v = vertices[k]
        fixed = fixed_axes(mesh.box[v])
        phases = mesh.sets[v]
        placed = count_bits(phases) > 1
        calm = mesh.changed[v] < searched[v]
        if fixed == 7 or (calm and not (settle and placed)):
            continue
        n = star(mesh, v, tets)
        if n > tets.size:
            continue
        searched[v] = now
        x = mesh.points[v]
        sz, sy, sx = x[0], x[1], x[2]
        quality = star_quality(mesh, tets, n, -2.0)
        if placed:
            quality = _settle(mesh, fields, v, phases, fixed, tets, n, quality, least, point, rows)
            calm = calm and (x[0] - sz) ** 2 + (x[1] - sy) ** 2 + (x[2] - sx) ** 2 < STILL**2
        if calm:
            continue
        if quality < ENOUGH:
            m = neighbours(mesh, v, tets, n, ids, masks)
            count, reach = _mean(mesh, v, ids, masks, m, mean)
            oz, oy, ox = x[0], x[1], x[2]
            share = 1.0
            for _ in range(3 if count > 1 else 0):
                point[0] = oz + share * (mean[0] - oz)
                point[1] = oy + share * (mean[1] - oy)
                point[2] = ox + share * (mean[2] - ox)
                q = _try(mesh, fields, v, phases, fixed, tets, n, quality, 0.0, point, rows)
                if q > quality:
                    quality = q
                    break
                share *= 0.5
            if tries and quality < POOR:
                step = 0.2 * reach if count else 0.2
                quality = _search(
                    mesh,
                    fields,
                    v,
                    phases,
                    fixed,
                    tets,
                    n,
                    quality,
                    step,
                    0.0,
                    tries,
                    point,
                    rows,
                )
            if tries and slack > 0.0 and quality < least and placed:
                _search(
                    mesh,
                    fields,
                    v,
                    phases,
                    fixed,
                    tets,
                    n,
                    quality,
                    slack,
                    slack,
                    tries,
                    point,
                    rows,
                )
        if (x[0] - sz) ** 2 + (x[1] - sy) ** 2 + (x[2] - sx) ** 2 > STILL**2:
            mark_star(mesh, tets, n)
