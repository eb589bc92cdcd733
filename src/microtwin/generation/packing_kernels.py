"""Compiled sweeps that push overlapping particles apart; `packing` says how they are used."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from ..numerics.compiling import INNER, OPTIONS
from .form_kernels import SPHERE, support

__all__ = ["gather_pushes", "near_pairs", "separate_pairs", "turn_and_measure"]

# Steps by which the direction of a pair is improved each time it is looked at; their length, for a
# gradient as long as the sum of the bounding radii; and what is left of it after one that failed.
_STEPS = 2
_LENGTH = 0.5
_SHORTER = 0.4


@njit(**INNER)
def _separation(kinds, hulls, spans, body, axes, rotations, i, j, r, u):
    """Width of the gap between two particles seen along u, and its gradient in u."""
    a, b = body[i], body[j]
    p = support(kinds[a], hulls, spans[a, 0], spans[a, 1], axes[i], rotations[i], u)
    back = (-u[0], -u[1], -u[2])
    q = support(kinds[b], hulls, spans[b, 0], spans[b, 1], axes[j], rotations[j], back)
    g = (r[0] - p[0] + q[0], r[1] - p[1] + q[1], r[2] - p[2] + q[2])
    # The middle between both support points, from the centre of the first particle.
    c = (0.5 * (r[0] + p[0] + q[0]), 0.5 * (r[1] + p[1] + q[1]), 0.5 * (r[2] + p[2] + q[2]))
    return g[0] * u[0] + g[1] * u[1] + g[2] * u[2], g, c


@njit(**OPTIONS)
def separate_pairs(
    first_pair, end_pair, pairs, kinds, hulls, spans, body, axes, rotations, centres, shifts,
    bound, widths, directions, overlaps, arms, slack, travel,
):  # fmt: skip
    """Measure the overlap of each pair along a direction that separates it best.

    The gap between two convex bodies along u is s(u) = r . u - h_a(u) - h_b(-u), with r from the
    one centre to the other and h the support functions; the largest s over all directions is
    their distance, or minus the depth of the overlap. *Any* direction proves that the overlap is
    not deeper than -s(u), so it need not be the best one. Each call improves it by some steps.

    ``shifts`` says which image of the second particle a pair is about; ``bound`` is the radius
    around each centre, ``widths`` the smallest semi-axis. Written are ``directions`` (unit vectors
    from the first towards the second, or zeros before the first call), ``overlaps`` (relative to
    the sum of the widths, 0 when apart), ``arms`` (from each of the two centres to where they
    touch) and ``slack`` (the gap). A pair is not looked at until its particles, which moved their
    surfaces by at most ``travel`` since the last call, may have closed the gap.
    """
    r = np.empty(3)
    for k in range(first_pair, end_pair):
        i, j = pairs[k, 0], pairs[k, 1]
        slack[k] -= travel[i] + travel[j]
        if slack[k] > 0.0:
            continue
        square = 0.0
        for axis in range(3):
            r[axis] = centres[j, axis] - centres[i, axis] + shifts[k, axis]
            square += r[axis] * r[axis]
        length = math.sqrt(square)
        width = widths[i] + widths[j]
        reach = bound[i] + bound[j]
        if length >= reach:
            overlaps[k] = 0.0
            slack[k] = length - reach
            continue
        if length < 1e-9 * reach:
            r[0] += 1e-9 * reach
            length = math.sqrt(r[0] * r[0] + r[1] * r[1] + r[2] * r[2])
        u = (r[0] / length, r[1] / length, r[2] / length)
        c = (0.5 * r[0], 0.5 * r[1], 0.5 * r[2])
        if kinds[body[i]] == SPHERE and kinds[body[j]] == SPHERE:
            s = length - reach
        else:
            v = (directions[k, 0], directions[k, 1], directions[k, 2])
            if v[0] * v[0] + v[1] * v[1] + v[2] * v[2] > 0.5:
                u = v
                s, g, c = _separation(kinds, hulls, spans, body, axes, rotations, i, j, r, u)
            else:
                s, g, c = _separation(kinds, hulls, spans, body, axes, rotations, i, j, r, u)
                for owner in range(2):
                    turned = rotations[i if owner == 0 else j]
                    for axis in range(3):
                        along = (
                            turned[0, axis] * r[0] + turned[1, axis] * r[1] + turned[2, axis] * r[2]
                        )
                        side = 1.0 if along >= 0.0 else -1.0
                        v = (side * turned[0, axis], side * turned[1, axis], side * turned[2, axis])
                        t, h, d = _separation(
                            kinds, hulls, spans, body, axes, rotations, i, j, r, v
                        )
                        if t > s:
                            s, g, c, u = t, h, d, v
            step = _LENGTH / reach
            for _ in range(_STEPS):
                if s >= 0.0:
                    break
                v = (
                    u[0] + step * (g[0] - s * u[0]),
                    u[1] + step * (g[1] - s * u[1]),
                    u[2] + step * (g[2] - s * u[2]),
                )
                size = math.sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2])
                v = (v[0] / size, v[1] / size, v[2] / size)
                t, h, d = _separation(kinds, hulls, spans, body, axes, rotations, i, j, r, v)
                if t > s:
                    s, g, c, u = t, h, d, v
                else:
                    step *= _SHORTER
        for axis in range(3):
            arms[k, 0, axis], arms[k, 1, axis] = c[axis], c[axis] - r[axis]
        directions[k, 0], directions[k, 1], directions[k, 2] = u
        overlaps[k] = max(0.0, -s / width)
        slack[k] = s


@njit(**OPTIONS)
def gather_pushes(
    start, partner, pair, side, directions, overlaps, arms, widths, mass, gyration,
    relaxation, moves, turns,
):  # fmt: skip
    """Add up, for each particle, the pushes of the pairs it belongs to, and how they turn it.

    The pairs of particle i are the entries ``start[i]`` to ``start[i + 1]`` of ``partner``,
    ``pair`` and ``side`` (0 where it is the first of the pair, 1 where it is the second). The
    lighter particle gives way; a factor 2 keeps equal ones at ``relaxation`` of half the overlap.
    A push m at the arm c turns a particle by c x m over the squares of arm and of ``gyration``.
    """
    for i in range(len(moves)):
        for axis in range(3):
            moves[i, axis] = 0.0
            turns[i, axis] = 0.0
        for e in range(start[i], start[i + 1]):
            k, j = pair[e], partner[e]
            if overlaps[k] <= 0.0:
                continue
            share = 2.0 * mass[j] / (mass[i] + mass[j])
            push = relaxation * share * overlaps[k] * (widths[i] + widths[j])
            if side[e] == 0:
                push = -push
            m = (push * directions[k, 0], push * directions[k, 1], push * directions[k, 2])
            c = arms[k, side[e]]
            inertia = c[0] * c[0] + c[1] * c[1] + c[2] * c[2] + gyration[i] * gyration[i]
            for axis in range(3):
                one, two = (axis + 1) % 3, (axis + 2) % 3
                moves[i, axis] += m[axis]
                turns[i, axis] += (c[one] * m[two] - c[two] * m[one]) / inertia


@njit(**OPTIONS)
def turn_and_measure(moves, turns, bound, rotations, travel):
    """Turn each particle about its centre by a small rotation vector (Rodrigues' formula).

    Writes how far any point of a particle travels at most by its move and its turn.
    """
    for i in range(len(turns)):
        m, w = moves[i], turns[i]
        travel[i] = math.sqrt(m[0] * m[0] + m[1] * m[1] + m[2] * m[2])
        angle = math.sqrt(w[0] * w[0] + w[1] * w[1] + w[2] * w[2])
        if angle < 1e-12:
            continue
        size = min(angle, 0.2)  # a turn that is larger leaves the linear range
        travel[i] += size * bound[i]
        sine, cosine = math.sin(size), math.cos(size)
        n = (w[0] / angle, w[1] / angle, w[2] / angle)
        for column in range(3):
            v = (rotations[i, 0, column], rotations[i, 1, column], rotations[i, 2, column])
            along = (n[0] * v[0] + n[1] * v[1] + n[2] * v[2]) * (1.0 - cosine)
            for axis in range(3):
                one, two = (axis + 1) % 3, (axis + 2) % 3
                across = n[one] * v[two] - n[two] * v[one]
                rotations[i, axis, column] = v[axis] * cosine + across * sine + n[axis] * along


@njit(**OPTIONS)
def near_pairs(centres, bound, box, periodic, skin, cells, start, members, pairs):
    """Count the pairs whose bounding balls are closer than the skin, and write those that fit.

    Particles are sorted by bound, the largest first. The particles of cell c of a grid over the
    box, ``cells`` along (z, y, x), are ``members[start[c] : start[c + 1]]``; each particle looks
    for smaller ones in the cells that its own size lets it reach. Returns the number of pairs,
    which may be more than there is room for in ``pairs``.
    """
    nz, ny, nx = cells
    found = 0
    low, high = np.empty(3, np.int64), np.empty(3, np.int64)
    for i in range(len(centres)):
        reach = 2.0 * bound[i] + skin
        for axis in range(3):
            n = cells[axis]
            low[axis] = math.floor((centres[i, axis] - reach) / box[axis] * n)
            high[axis] = math.floor((centres[i, axis] + reach) / box[axis] * n)
            if not periodic[axis]:
                low[axis], high[axis] = max(low[axis], 0), min(high[axis], n - 1)
            elif high[axis] - low[axis] >= n:
                low[axis], high[axis] = 0, n - 1
        for cz in range(low[0], high[0] + 1):
            for cy in range(low[1], high[1] + 1):
                for cx in range(low[2], high[2] + 1):
                    cell = ((cz % nz) * ny + cy % ny) * nx + cx % nx
                    for e in range(start[cell], start[cell + 1]):
                        j = members[e]
                        if j <= i:
                            continue
                        square = 0.0
                        for axis in range(3):
                            r = centres[j, axis] - centres[i, axis]
                            if periodic[axis]:
                                r -= box[axis] * np.round(r / box[axis])
                            square += r * r
                        if square < (bound[i] + bound[j] + skin) ** 2:
                            if found < len(pairs):
                                pairs[found, 0], pairs[found, 1] = i, j
                            found += 1
    return found
