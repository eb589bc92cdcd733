"""Compiled kernels that couple two fields on one grid inside each voxel (see `kernels`)."""

from __future__ import annotations

import numpy as np
from numba import float32 as f4
from numba import float64 as f8
from numba import njit

from microtwin.numerics.compiling import ALLOCATING, FAST, INNER
from microtwin.numerics.kernels import (
    PIECE,
    TINY,
    around,
    copy_plane,
    links,
    place,
    places,
    restore_ends,
    star,
    voxel,
    wraps,
)  # fmt: skip


@njit(inline="always", **FAST)
def _solved_pair(s, a, t, b, c):
    """Return u and v of (a + c) u - c v = s and (b + c) v - c u = t.

    v is eliminated first: nothing cancels, however large c is, and a field may be absent.
    """
    total = max(b + c, TINY)
    share = c / total
    value = (s + share * t) / max(a + share * b, TINY)
    return value, (t + c * value) / total


@njit(inline="always", **FAST)
def _gathered(left, right, front, back, below, above, gl, gr, gf, gb, gd, gu, diagonal, w):
    """Return the inflow from the neighbours of a voxel, and its diagonal."""
    a, b, c, e, f, g = f4(gl), f4(gr), f4(gf), f4(gb), f4(gd), f4(gu)
    x, y, z = a * left + b * right, c * front + e * back, f * below + g * above
    total = w[2] * (a + b) + w[1] * (c + e) + w[0] * (f + g) + diagonal
    return w[2] * x + w[1] * y + w[0] * z, total


@njit(**INNER)
def _gather_quarter(inflow, total, u, rhs, op, k, at):
    """Leave inflow plus right-hand side and the diagonal of the voxels of a quarter in two rows."""
    w = op[5]
    km, kp = around(k, u.shape[0])
    _, left, right, front, back, below, above = star(u, k, km, kp, at)
    gl, gr, gf, gb, gd, gu, diagonal = links(op, k, km, at)
    source = rhs[k, at[1] : at[1] + at[0]]
    for q in range(at[0]):
        s, a = _gathered(
            left[q], right[q], front[q], back[q], below[q], above[q],
            gl[q], gr[q], gf[q], gb[q], gd[q], gu[q], diagonal[q], w,
        )  # fmt: skip
        inflow[q] = s + source[q]
        total[q] = a


@njit(**INNER)
def _relax_voxel(u, v, rhs, source, op, other, coupling, k, j, i):
    own = place(op[8], op[9], j, i)
    s, a = voxel(u, op, k, j, i)
    t, b = voxel(v, other, k, j, i)
    pair = _solved_pair(s + rhs[k, own], a, t + source[k, own], b, coupling[k, own])
    u[k, own], v[k, own] = pair


@njit(**INNER)
def _relax_ends(u, v, rhs, source, op, other, coupling, colour, k):
    """Relax the voxels of a plane that have a neighbour on its other side, one by one."""
    ny, nx = op[8], op[9]
    for j in range(ny):
        first = (k + j + colour) & 1
        inner = 0 < j < ny - 1
        for i in range(0 if inner else first, nx, max(nx - 1, 1) if inner else 2):
            if (i - first) & 1 == 0:
                _relax_voxel(u, v, rhs, source, op, other, coupling, k, j, i)


@njit(**ALLOCATING)
def relax_pair(first, end, u, v, rhs, source, op, other, coupling, colour):
    """Relax one colour of two coupled fields u and v, both values of a voxel at once.

    However strong the coupling, what the two fields have in common is relaxed as well.
    """
    n = places(op, 0, 0)[0]
    s, a = np.empty(n, np.float32), np.empty(n, np.float32)
    t, b = np.empty(n, np.float32), np.empty(n, np.float32)
    before, partner_before = np.empty_like(u[0]), np.empty_like(v[0])
    odd = wraps(op) and (op[8] & 1 or op[9] & 1)
    for k in range(first, end):
        if odd:
            copy_plane(before, u[k])
            copy_plane(partner_before, v[k])
        for py in range(2):
            at = places(op, py, (k + colour + py) & 1)
            _gather_quarter(s, a, u, rhs, op, k, at)
            _gather_quarter(t, b, v, source, other, k, at)
            own, partner = u[k, at[1] : at[1] + n], v[k, at[1] : at[1] + n]
            c = coupling[k, at[1] : at[1] + n]
            for q in range(n):
                own[q], partner[q] = _solved_pair(s[q], a[q], t[q], b[q], c[q])
        if odd:
            restore_ends(u[k], before, op[8], op[9])
            restore_ends(v[k], partner_before, op[8], op[9])
        if wraps(op):
            _relax_ends(u, v, rhs, source, op, other, coupling, colour, k)


@njit(**FAST)
def add_coupled(first, end, out, rhs, u, coupling):
    """Set out to rhs + coupling u."""
    for k in range(first, end):
        a, b, c, e = out[k], rhs[k], u[k], coupling[k]
        for q in range(a.shape[0]):
            a[q] = b[q] + e[q] * c[q]


@njit(**FAST)
def exchange(first, end, r, s, u, v, coupling, factor):
    """Let factor coupling (u - v) flow out of r and into s."""
    for k in range(first, end):
        a, b, c, e, g = r[k], s[k], u[k], v[k], coupling[k]
        for q in range(a.shape[0]):
            flow = f4(factor * g[q] * (f8(c[q]) - f8(e[q])))
            a[q] -= flow
            b[q] += flow


@njit(**FAST)
def coupling_energies(first, end, a, b, c, d, coupling, sums):
    """Leave the parts of sum coupling (a - b)^2 and sum coupling (a - b)(c - d) in sums."""
    for k in range(first, end):
        own, cross = 0.0, 0.0
        e, f, g, h, weight = a[k], b[k], c[k], d[k], coupling[k]
        for start in range(0, e.shape[0], PIECE):
            s, t = f4(0), f4(0)
            for q in range(start, min(start + PIECE, e.shape[0])):
                step = e[q] - f[q]
                flow = weight[q] * step
                s += flow * step
                t += flow * (g[q] - h[q])
            own += f8(s)
            cross += f8(t)
        sums[k, 0], sums[k, 1] = own, cross


@njit(**FAST)
def add_bridged(first, end, out, u, own, other, g, shift):
    """Add g u of the other end of each link to its own end in `out`, which begins at `shift`."""
    for e in range(first, end):
        out[own[e] - shift] += g[e] * u[other[e]]


@njit(**FAST)
def exchange_bridged(first, end, r, u, own, other, g, factor):
    """Let factor g (u - u of the other end) flow out of r at the own end of each link."""
    for e in range(first, end):
        r[own[e]] -= f4(factor * g[e] * (f8(u[own[e]]) - f8(u[other[e]])))


@njit(**FAST)
def renew_bridged(first, end, r, x, y, own, other, g, rise):
    """Add to r what flows in at the own end of each link, whose affine field rises by `rise`.

    The potential is x + y. Links of one node stand beside each other and are summed up in double
    precision: what cancels is not rounded.
    """
    total = 0.0
    for e in range(first, end):
        i, j = own[e], other[e]
        total += g[e] * (f8(x[j]) - f8(x[i]) + f8(y[j]) - f8(y[i]) + rise[e])
        if e + 1 == end or own[e + 1] != i:
            r[i] += f4(total)
            total = 0.0
