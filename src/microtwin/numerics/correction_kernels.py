"""Compiled kernels for corrections to a state that is kept in double precision."""

from __future__ import annotations

from numba import float32 as f4
from numba import float64 as f8
from numba import njit

from microtwin.numerics.compiling import FAST
from microtwin.numerics.kernels import PIECE, dot_slices, links, places, star


@njit(**FAST)
def step_down(first, end, y, r, p, q, alpha, sums):
    """Add alpha p to y, subtract alpha q from r, and leave the parts of r.r in sums."""
    for k in range(first, end):
        a, b, c, e = y[k], r[k], p[k], q[k]
        total = 0.0
        for start in range(0, a.shape[0], PIECE):
            part = f4(0)
            for i in range(start, min(start + PIECE, a.shape[0])):
                a[i] += alpha * c[i]
                rest = b[i] - alpha * e[i]
                b[i] = rest
                part += rest * rest
            total += f8(part)
        sums[k] = total


@njit(**FAST)
def two_dots(first, end, u, v, w, sums):
    """Leave the parts of u.v and u.w in sums, shape (nz, 2)."""
    for k in range(first, end):
        sums[k, 0] = dot_slices(u[k], v[k])
        sums[k, 1] = dot_slices(u[k], w[k])


@njit(**FAST)
def add_everywhere(first, end, state, change, constant, present):
    """Add a correction, and a constant where a field exists, to a state in double precision."""
    for k in range(first, end):
        a, b, c = state[k], change[k], present[k]
        for q in range(a.shape[0]):
            a[q] += f8(b[q]) + constant * f8(c[q])


@njit(**FAST)
def weighted_sum(first, end, state, weight, sums):
    """Leave the parts of the sum of weight times state, in double precision, in sums."""
    for k in range(first, end):
        a, b = state[k], weight[k]
        total = 0.0
        for q in range(a.shape[0]):
            total += a[q] * f8(b[q])
        sums[k] = total


@njit(**FAST)
def scale_links(first, end, out, op, factor):
    """Set the three links after each voxel to those of op times the mean factor of both voxels.

    What wraps around is not treated.
    """
    nz = factor.shape[0]
    for k in range(first, end):
        kp = k + 1 if k < nz - 1 else k
        for quarter in range(4):
            at = places(op, quarter // 2, quarter % 2)
            own, _, right, _, back, _, above = star(factor, k, k, kp, at)
            _, gr, _, gb, _, gu, _ = links(op, k, k, at)
            size, start = at[0], at[1]
            z, y, x = out[0][k, start:], out[1][k, start:], out[2][k, start:]
            for q in range(size):
                half = f4(0.5) * own[q]
                z[q] = f4(gu[q]) * (half + f4(0.5) * above[q])
                y[q] = f4(gb[q]) * (half + f4(0.5) * back[q])
                x[q] = f4(gr[q]) * (half + f4(0.5) * right[q])
