"""Compiled kernels of the Krylov steps on a grid (see `kernels` for the operator and the layout).

Vectors are float32. The solution is the sum of two of them; `renew` adds them up in float64, and
`through_flux` sees them added.
"""

from __future__ import annotations

import numpy as np
from numba import float32 as f4
from numba import float64 as f8
from numba import njit

from microtwin.numerics.compiling import ALLOCATING, FAST, INNER
from microtwin.numerics.kernels import (
    PIECE,
    across_x,
    across_y,
    add_wrapped,
    around,
    dot_slices,
    links,
    outflow,
    place,
    places,
    star,
    wraps,
)  # fmt: skip


@njit(**FAST)
def dot(first, end, u, v, sums):
    """Leave the parts of u.v in sums."""
    for k in range(first, end):
        sums[k] = dot_slices(u[k], v[k])


@njit(**FAST)
def combine(first, end, u, a, v, b):
    """Set u to a u + b v."""
    for k in range(first, end):
        s, t = u[k], v[k]
        for q in range(s.shape[0]):
            s[q] = a * s[q] + b * t[q]


@njit(**FAST)
def subtract_product(first, end, r, u, factor, op, norms):
    """Subtract factor (A u) from r and leave the square norm of each plane of r in norms."""
    w = op[5]
    for k in range(first, end):
        km, kp = around(k, u.shape[0])
        for quarter in range(4):
            at = places(op, quarter // 2, quarter % 2)
            own, left, right, front, back, below, above = star(u, k, km, kp, at)
            gl, gr, gf, gb, gd, gu, diagonal = links(op, k, km, at)
            out = r[k, at[1] : at[1] + at[0]]
            for q in range(at[0]):
                out[q] -= factor * outflow(
                    own[q], left[q], right[q], front[q], back[q], below[q], above[q],
                    gl[q], gr[q], gf[q], gb[q], gd[q], gu[q], diagonal[q], w,
                )  # fmt: skip
        if wraps(op):
            add_wrapped(r[k], factor, u, op, k)
        norms[k] = dot_slices(r[k], r[k])


@njit(**INNER)
def _move_plane(y, p, z, alpha, beta):
    for q in range(y.shape[0]):
        step = z[q] + beta * p[q]
        p[q] = step
        y[q] += alpha * step


@njit(**INNER)
def _piece_of_descent(
    out, own, left, right, front, back, below, above, gl, gr, gf, gb, gd, gu, diagonal, alpha, w
):
    """Subtract alpha (A p) from a piece; return its square, its product with p and the flux up."""
    square, along, through = f4(0), f4(0), f4(0)
    for q in range(out.shape[0]):
        c = own[q]
        x = f4(gl[q]) * (c - left[q]) + f4(gr[q]) * (c - right[q])
        y = f4(gf[q]) * (c - front[q]) + f4(gb[q]) * (c - back[q])
        up = f4(gu[q]) * (c - above[q])
        z = f4(gd[q]) * (c - below[q]) + up
        rest = out[q] - alpha * (w[2] * x + w[1] * y + w[0] * z + diagonal[q] * c)
        out[q] = rest
        square += rest * rest
        along += rest * c
        through -= up
    return square, along, through


@njit(**INNER)
def _descend_plane(r, p, alpha, op, sums, k):
    """Subtract alpha (A p) from plane k of r; leave r.r, p.r and the flux of p in sums."""
    w = op[5]
    km, kp = around(k, p.shape[0])
    square, along, through = 0.0, 0.0, 0.0
    for quarter in range(4):
        at = places(op, quarter // 2, quarter % 2)
        own, left, right, front, back, below, above = star(p, k, km, kp, at)
        gl, gr, gf, gb, gd, gu, diagonal = links(op, k, km, at)
        out = r[k, at[1] : at[1] + at[0]]
        for start in range(0, at[0], PIECE):
            a, b, c = _piece_of_descent(
                out[start : start + PIECE], own[start:], left[start:], right[start:],
                front[start:], back[start:], below[start:], above[start:], gl[start:], gr[start:],
                gf[start:], gb[start:], gd[start:], gu[start:], diagonal[start:], alpha, w,
            )  # fmt: skip
            square, along, through = square + f8(a), along + f8(b), through + f8(c)
    if wraps(op):
        add_wrapped(r[k], alpha, p, op, k)
        square, along = dot_slices(r[k], r[k]), dot_slices(r[k], p[k])
    sums[k, 0], sums[k, 1], sums[k, 2] = square, along, w[0] * through


@njit(**FAST)
def advance_wave(first, end, y, r, p, z, alpha, beta, op, sums):
    """Set p to z + beta p, add alpha p to y, and subtract alpha (A p) from r.

    `sums`, shape (nz, 3), receives per plane the square norm of r, p.r and the flux of p to the
    next plane (sum of w g difference over the faces). The first and last plane of r of a slab wait
    for its neighbours: `advance_seam`.
    """
    for k in range(first, end):
        _move_plane(y[k], p[k], z[k], alpha, beta)
        if k - 1 > first:
            _descend_plane(r, p, alpha, op, sums, k - 1)


@njit(**FAST)
def advance_seam(first, end, r, p, alpha, op, sums):
    """Treat the first and last plane of r of a slab (see `advance_wave`)."""
    _descend_plane(r, p, alpha, op, sums, first)
    if end - 1 > first:
        _descend_plane(r, p, alpha, op, sums, end - 1)


@njit(**FAST)
def split(first, end, x, y):
    """Bring a sum x + y of two numbers into the form of a rounded sum and its rounding error."""
    for k in range(first, end):
        s, t = x[k], y[k]
        for q in range(s.shape[0]):
            total = f8(s[q]) + f8(t[q])
            s[q] = f4(total)
            t[q] = f4(total - f8(s[q]))


@njit(**INNER)
def _balance_ends(r, x, planes, source, drive, op, k):
    """Set r in the voxels of a plane that have a neighbour on its other side."""
    gz, gy, gx, d, plane, w, wy, wx, ny, nx = op
    below, here, above = x[planes[0]], x[planes[1]], x[planes[2]]
    km = k - 1 if k > 0 else gz.shape[0] - 1
    ez, ey, ex = drive
    for j in range(ny):
        inner = 0 < j < ny - 1
        jm, jp = around(j, ny)
        for i in range(0, nx, max(nx - 1, 1) if inner else 1):
            im, ip = around(i, nx)
            own = place(ny, nx, j, i)
            left, front = place(ny, nx, j, im), place(ny, nx, jm, i)
            gl, gr = (gx[k, left] if i > 0 else wx[k, j]), (gx[k, own] if ip > 0 else wx[k, j])
            gf, gb = (gy[k, front] if j > 0 else wy[k, i]), (gy[k, own] if jp > 0 else wy[k, i])
            c = here[own]
            a = gl * (here[left] - c - ex) + gr * (here[place(ny, nx, j, ip)] - c + ex)
            b = gf * (here[front] - c - ey) + gb * (here[place(ny, nx, jp, i)] - c + ey)
            f = gz[km, own] * (below[own] - c - ez) + gz[k, own] * (above[own] - c + ez)
            r[own] = source[own] + (w[2] * a + w[1] * b + w[0] * f - d[plane[k], own] * c)


@njit(**INNER)
def _balance_plane(r, x, planes, rhs, drive, op, k):
    """Set r to the residual of plane k; return the flux to the next plane.

    `planes` says where the planes below, here and above stand in x.
    """
    w = op[5]
    km = k - 1 if k > 0 else op[0].shape[0] - 1
    ez, ey, ex = drive
    flux = 0.0
    for quarter in range(4):
        at = places(op, quarter // 2, quarter % 2)
        own, left, right, front, back, below, above = star(x, planes[1], planes[0], planes[2], at)
        gl, gr, gf, gb, gd, gu, diagonal = links(op, k, km, at)
        out, source = r[at[1] : at[1] + at[0]], rhs[at[1] : at[1] + at[0]]
        for q in range(at[0]):
            c = own[q]
            a = gl[q] * (left[q] - c - ex) + gr[q] * (right[q] - c + ex)
            b = gf[q] * (front[q] - c - ey) + gb[q] * (back[q] - c + ey)
            through = gu[q] * (above[q] - c + ez)
            f = gd[q] * (below[q] - c - ez) + through
            flux += through
            out[q] = source[q] + (w[2] * a + w[1] * b + w[0] * f - diagonal[q] * c)
    if wraps(op):
        _balance_ends(r, x, planes, rhs, drive, op, k)
    return w[0] * flux


@njit(**INNER)
def _add_planes(out, x, y):
    for q in range(out.shape[0]):
        out[q] = f8(x[q]) + f8(y[q])


@njit(**ALLOCATING)
def renew(first, end, r, x, y, rhs, rhs_plane, drive, op, sums):
    """Set r to the residual of x + y, in double precision.

    It is that of the total field: x + y and the affine field whose difference from voxel to voxel
    along each axis is `drive`. `sums`, shape (nz, 2), receives per plane the square norm of r and
    the flux to the next plane.
    """
    nz = x.shape[0]
    total = np.empty((3, x.shape[1]))
    below, _ = around(first, nz)
    _add_planes(total[0], x[below], y[below])
    _add_planes(total[1], x[first], y[first])
    for k in range(first, end):
        step = k - first
        planes = (step % 3, (step + 1) % 3, (step + 2) % 3)
        _, above = around(k, nz)
        _add_planes(total[planes[2]], x[above], y[above])
        sums[k, 1] = _balance_plane(r[k], total, planes, rhs[rhs_plane[k]], drive, op, k)
        sums[k, 0] = dot_slices(r[k], r[k])


@njit(**FAST)
def through_flux(first, end, x, drive, op, sums):
    """Leave the flux through all faces after the voxels of each plane in sums, shape (nz, 3)."""
    w = op[5]
    ez, ey, ex = drive
    for k in range(first, end):
        _, kp = around(k, x.shape[0])
        a, b, f = 0.0, 0.0, 0.0
        for quarter in range(4):
            at = places(op, quarter // 2, quarter % 2)
            own, _, right, _, back, _, above = star(x, k, k, kp, at)
            _, gr, _, gb, _, gu, _ = links(op, k, k, at)
            for q in range(at[0]):
                a += gr[q] * (right[q] - own[q] + ex)
                b += gb[q] * (back[q] - own[q] + ey)
                f += gu[q] * (above[q] - own[q] + ez)
        sums[k, 0], sums[k, 1], sums[k, 2] = w[0] * f, w[1] * b, w[2] * a
        if wraps(op):
            for i in range(op[9]):
                last, low, g = across_y(op, k, i)
                sums[k, 1] += g * (x[k, low] - x[k, last] + ey)
            for j in range(op[8]):
                last, low, g = across_x(op, k, j)
                sums[k, 2] += g * (x[k, low] - x[k, last] + ex)
