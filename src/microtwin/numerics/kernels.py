"""Compiled kernels of the scalar grid operator: one unknown per voxel, links through faces.

The operator on a grid of shape (nz, ny, nx) is::

    (A u)[i] = sum over the six faces of  w_axis g_face (u[i] - u[neighbour])  +  d[i] u[i]

The conductance of the face between a voxel and its successor along an axis is stored at the voxel.
All arrays but wy and wx lie in quarters (see `quarters`), shape (nz, length of a plane). `w` holds
one weight per axis. ``d`` is non-negative and stored by plane: plane k uses ``d[plane[k]]``, so
that a term that lives on the two outer planes costs two planes, not a volume. Faces that join the
last voxel along y or x to the first one, in periodic grids, are kept apart: ``wy[k, i]`` and
``wx[k, j]``, without elements if nothing wraps around. The tuple ``(gz, gy, gx, d, plane, w, wy,
wx, ny, nx)`` is called `op` below.

The loops run over whole quarters, through slices that start at 0: only then does the compiler see
that it may use the vector units. What wraps around is added voxel by voxel afterwards.

Every kernel treats the planes from `first` up to `end`, so that slabs of planes can go to threads
(`threads.over_slabs`). Sums are kept per plane and added up in order by the caller: the results
do not depend on the number of slabs.

The conductances may be bytes (their unit is then the business of the caller) or float32.
Unknowns and right-hand sides are float32.
"""

from __future__ import annotations

import numpy as np
from numba import float32 as f4
from numba import float64 as f8
from numba import njit

from microtwin.numerics.compiling import ALLOCATING, FAST, INNER

PIECE = 1024  # values summed up in single precision before the sum goes on in double
TINY = np.float32(1e-30)  # turns 0/0 of a voxel without links into 0


@njit(**INNER)
def around(k, n):
    """Return the predecessor and the successor of k on a ring of n."""
    return (k - 1 if k > 0 else n - 1), (k + 1 if k < n - 1 else 0)


@njit(inline="always", **FAST)
def _sizes(op):
    """Return the voxels of a quarter, of a row of it, and the distance between quarters."""
    my, mx = (op[8] + 1) // 2, (op[9] + 1) // 2
    return my * mx, mx, (my + 1) * mx


@njit(**INNER)
def place(ny, nx, j, i):
    """Return where the voxel in row j and column i of a plane lies."""
    my, mx = (ny + 1) // 2, (nx + 1) // 2
    return ((2 * (j & 1) + (i & 1)) * (my + 1) + 1 + j // 2) * mx + i // 2


@njit(**INNER)
def places(op, py, px):
    """Return the number of voxels of quarter (py, px), and where they and their neighbours start.

    The order is: the quarter itself, left, right, front and back.
    """
    n, mx, m = _sizes(op)
    beside, across = (2 * py + 1 - px) * m + mx, (2 * (1 - py) + px) * m + mx
    left, front = beside - 1 + px, across - mx + py * mx
    return n, (2 * py + px) * m + mx, left, left + 1, front, front + mx


@njit(**INNER)
def star(u, k, km, kp, at):
    """Return the values of a quarter and left, right, in front, behind, below and above."""
    n, own, left, right, front, back = at
    return (
        u[k, own : own + n], u[k, left : left + n], u[k, right : right + n],
        u[k, front : front + n], u[k, back : back + n], u[km, own : own + n], u[kp, own : own + n],
    )  # fmt: skip


@njit(**INNER)
def links(op, k, km, at):
    """Return the conductances of a quarter in the same order, and its part of d."""
    gz, gy, gx, d, plane, _, _, _, _, _ = op
    n, own, left, _, front, _ = at
    return (
        gx[k, left : left + n], gx[k, own : own + n], gy[k, front : front + n],
        gy[k, own : own + n], gz[km, own : own + n], gz[k, own : own + n],
        d[plane[k], own : own + n],
    )  # fmt: skip


@njit(inline="always", **FAST)
def wraps(op):
    """Whether faces join the ends of rows or columns."""
    return op[6].size > 0


@njit(**INNER)
def voxel(u, op, k, j, i):
    """Return the inflow from the neighbours of a voxel, around the ends too, and its diagonal."""
    gz, gy, gx, d, plane, w, wy, wx, ny, nx = op
    km, kp = around(k, u.shape[0])
    own = place(ny, nx, j, i)
    left, right = (
        place(ny, nx, j, i - 1 if i > 0 else nx - 1),
        place(ny, nx, j, i + 1 if i < nx - 1 else 0),
    )
    front, back = (
        place(ny, nx, j - 1 if j > 0 else ny - 1, i),
        place(ny, nx, j + 1 if j < ny - 1 else 0, i),
    )
    a = w[2] * (f4(gx[k, left]) if i > 0 else wx[k, j])
    b = w[2] * (f4(gx[k, own]) if i < nx - 1 else wx[k, j])
    c = w[1] * (f4(gy[k, front]) if j > 0 else wy[k, i])
    e = w[1] * (f4(gy[k, own]) if j < ny - 1 else wy[k, i])
    f, g = w[0] * f4(gz[km, own]), w[0] * f4(gz[k, own])
    inflow = a * u[k, left] + b * u[k, right] + c * u[k, front] + e * u[k, back]
    return inflow + f * u[km, own] + g * u[kp, own], (a + b) + (c + e) + (f + g) + d[plane[k], own]


@njit(**INNER)
def _relax_voxel(u, rhs, op, k, j, i, from_zero):
    inflow, total = voxel(u, op, k, j, i)
    own = place(op[8], op[9], j, i)
    u[k, own] = (rhs[k, own] + (f4(0) if from_zero else inflow)) / max(total, TINY)


@njit(**INNER)
def _relax_ends(u, rhs, op, colour, k, from_zero):
    """Relax the voxels of a plane that have a neighbour on its other side, one by one."""
    ny, nx = op[8], op[9]
    for j in range(ny):
        first = (k + j + colour) & 1
        inner = 0 < j < ny - 1
        for i in range(0 if inner else first, nx, max(nx - 1, 1) if inner else 2):
            if (i - first) & 1 == 0:
                _relax_voxel(u, rhs, op, k, j, i, from_zero)


@njit(**INNER)
def copy_plane(target, source):
    """Set target to source."""
    for q in range(target.shape[0]):
        target[q] = source[q]


@njit(**INNER)
def restore_ends(now, before, ny, nx):
    """Undo the change of the voxels of a plane that have a neighbour on its other side."""
    for j in range(ny):
        for i in range(0, nx, max(nx - 1, 1) if 0 < j < ny - 1 else 1):
            own = place(ny, nx, j, i)
            now[own] = before[own]


@njit(**INNER)
def _relax_plane(u, rhs, op, colour, k, before):
    """Relax one colour of plane k; `before` is room for a plane."""
    w = op[5]
    km, kp = around(k, u.shape[0])
    # Across an odd period two voxels of one colour are neighbours: one after the other, then.
    odd = wraps(op) and (op[8] & 1 or op[9] & 1)
    if odd:
        copy_plane(before, u[k])
    for py in range(2):
        at = places(op, py, (k + colour + py) & 1)
        own, left, right, front, back, below, above = star(u, k, km, kp, at)
        gl, gr, gf, gb, gd, gu, diagonal = links(op, k, km, at)
        source = rhs[k, at[1] : at[1] + at[0]]
        for q in range(at[0]):
            a, b, c, e, f, g = f4(gl[q]), f4(gr[q]), f4(gf[q]), f4(gb[q]), f4(gd[q]), f4(gu[q])
            total = w[2] * (a + b) + w[1] * (c + e) + w[0] * (f + g) + diagonal[q]
            x, y = a * left[q] + b * right[q], c * front[q] + e * back[q]
            z = f * below[q] + g * above[q]
            own[q] = (w[2] * x + w[1] * y + w[0] * z + source[q]) / max(total, TINY)
    if odd:
        restore_ends(u[k], before, op[8], op[9])
    if wraps(op):
        _relax_ends(u, rhs, op, colour, k, False)


@njit(**INNER)
def _scale_plane(u, rhs, op, k):
    """Relax the first colour of plane k from u = 0."""
    w = op[5]
    km, _ = around(k, u.shape[0])
    for py in range(2):
        at = places(op, py, (k + py) & 1)
        gl, gr, gf, gb, gd, gu, diagonal = links(op, k, km, at)
        own, source = u[k, at[1] : at[1] + at[0]], rhs[k, at[1] : at[1] + at[0]]
        for q in range(at[0]):
            x, y, z = f4(gl[q]) + f4(gr[q]), f4(gf[q]) + f4(gb[q]), f4(gd[q]) + f4(gu[q])
            own[q] = source[q] / max(w[2] * x + w[1] * y + w[0] * z + diagonal[q], TINY)
        at = places(op, py, (k + py + 1) & 1)
        u[k, at[1] : at[1] + at[0]] = 0
    if wraps(op):
        _relax_ends(u, rhs, op, 0, k, True)


@njit(**INNER)
def _spread_out(row, coarse, kk, jj):
    """Write row jj of plane kk of a coarse vector into a row without quarters."""
    mx = row.shape[0]
    half = (mx + 1) // 2
    m = coarse.shape[1] // 4
    even = (jj & 1) * 2 * m + (1 + jj // 2) * half
    for q in range(mx // 2):
        row[2 * q] = coarse[kk, even + q]
        row[2 * q + 1] = coarse[kk, even + m + q]
    if mx % 2:
        row[mx - 1] = coarse[kk, even + half - 1]


@njit(**INNER)
def _gather_in(coarse, row, kk, jj):
    """Write a row without quarters into row jj of plane kk of a coarse vector."""
    mx = row.shape[0]
    half = (mx + 1) // 2
    m = coarse.shape[1] // 4
    even = (jj & 1) * 2 * m + (1 + jj // 2) * half
    for q in range(mx // 2):
        coarse[kk, even + q] = row[2 * q]
        coarse[kk, even + m + q] = row[2 * q + 1]
    if mx % 2:
        coarse[kk, even + half - 1] = row[mx - 1]


@njit(**INNER)
def _prolong_plane(u, coarse, op, k, block):
    n, mx, m = _sizes(op)
    for jj in range(n // mx):
        _spread_out(block[jj * mx : (jj + 1) * mx], coarse, k // 2, jj)
    for quarter in range(4):
        own = u[k, quarter * m + mx : quarter * m + mx + n]
        for q in range(n):
            own[q] += block[q]


@njit(**INNER)
def dot_slices(u, v):
    """Return u.v, summed up in double precision."""
    total = 0.0
    for start in range(0, u.shape[0], PIECE):
        a, b = u[start : start + PIECE], v[start : start + PIECE]
        part = f4(0)
        for q in range(a.shape[0]):
            part += a[q] * b[q]
        total += f8(part)
    return total


@njit(inline="always", **FAST)
def outflow(c, left, right, front, back, below, above, gl, gr, gf, gb, gd, gu, diagonal, w):
    """Return (A u) of a voxel from its value, its neighbours and their conductances."""
    x = f4(gl) * (c - left) + f4(gr) * (c - right)
    y = f4(gf) * (c - front) + f4(gb) * (c - back)
    z = f4(gd) * (c - below) + f4(gu) * (c - above)
    return w[2] * x + w[1] * y + w[0] * z + diagonal * c


@njit(inline="always", **FAST)
def across_y(op, k, i):
    """Return where the ends of column i of a plane lie, and what joins the last to the first."""
    return place(op[8], op[9], op[8] - 1, i), place(op[8], op[9], 0, i), op[5][1] * op[6][k, i]


@njit(inline="always", **FAST)
def across_x(op, k, j):
    """Return where the ends of row j of a plane lie, and what joins the last to the first."""
    return place(op[8], op[9], j, op[9] - 1), place(op[8], op[9], j, 0), op[5][2] * op[7][k, j]


@njit(**INNER)
def add_wrapped(out, factor, u, op, k):
    """Let factor times the flows around the ends of plane k out of one end and into the other."""
    for i in range(op[9]):
        last, first, g = across_y(op, k, i)
        flow = factor * g * (u[k, last] - u[k, first])
        out[last] -= flow
        out[first] += flow
    for j in range(op[8]):
        last, first, g = across_x(op, k, j)
        flow = factor * g * (u[k, last] - u[k, first])
        out[last] -= flow
        out[first] += flow


@njit(**INNER)
def _restrict_plane(coarse, u, rhs, op, kk, settled, total, wrapped):
    """Set plane kk of coarse to the sum of rhs - A u over each block of 2 x 2 x 2 voxels.

    On the voxels of colour `settled` rhs - A u is zero already.
    """
    w, nz = op[5], u.shape[0]
    n, mx, _ = _sizes(op)
    total[:] = 0
    for k in range(2 * kk, min(2 * kk + 2, nz)):
        km, kp = around(k, nz)
        if wraps(op):
            wrapped[:] = 0
            add_wrapped(wrapped, f4(1), u, op, k)
        for quarter in range(4):
            py, px = quarter // 2, quarter % 2
            if (k + py + px) & 1 == settled:
                continue
            at = places(op, py, px)
            own, left, right, front, back, below, above = star(u, k, km, kp, at)
            gl, gr, gf, gb, gd, gu, diagonal = links(op, k, km, at)
            source = rhs[k, at[1] : at[1] + n]
            for q in range(n):
                total[q] += source[q] - outflow(
                    own[q], left[q], right[q], front[q], back[q], below[q], above[q],
                    gl[q], gr[q], gf[q], gb[q], gd[q], gu[q], diagonal[q], w,
                )  # fmt: skip
            if wraps(op):
                around_the_ends = wrapped[at[1] : at[1] + n]
                for q in range(n):
                    total[q] += around_the_ends[q]
    for jj in range(n // mx):
        _gather_in(coarse, total[jj * mx : (jj + 1) * mx], kk, jj)


@njit(**INNER)
def _piece_of_energies(
    own, right, back, above, other, vright, vback, vabove, gr, gb, gu, diagonal, source, w
):
    uu, uv, load = f4(0), f4(0), f4(0)
    for q in range(own.shape[0]):
        c, e = own[q], other[q]
        x, y, z = right[q] - c, back[q] - c, above[q] - c
        a, b, f = w[2] * f4(gr[q]) * x, w[1] * f4(gb[q]) * y, w[0] * f4(gu[q]) * z
        g = diagonal[q] * c
        uu += a * x + b * y + f * z + g * c
        uv += a * (vright[q] - e) + b * (vback[q] - e) + f * (vabove[q] - e) + g * e
        load += source[q] * c
    return uu, uv, load


@njit(**INNER)
def _quarter_energies(u, v, rhs, op, k, kp, at):
    """Return the parts of u.A u, u.A v and u.rhs of a quarter and the faces after its voxels."""
    w = op[5]
    own, _, right, _, back, _, above = star(u, k, k, kp, at)
    other, _, vright, _, vback, _, vabove = star(v, k, k, kp, at)
    _, gr, _, gb, _, gu, diagonal = links(op, k, k, at)
    source = rhs[k, at[1] : at[1] + at[0]]
    uu, uv, load = 0.0, 0.0, 0.0
    for start in range(0, at[0], PIECE):
        a, b, c = _piece_of_energies(
            own[start : start + PIECE], right[start:], back[start:], above[start:],
            other[start:], vright[start:], vback[start:], vabove[start:],
            gr[start:], gb[start:], gu[start:], diagonal[start:], source[start:], w,
        )  # fmt: skip
        uu, uv, load = uu + f8(a), uv + f8(b), load + f8(c)
    return uu, uv, load


@njit(**INNER)
def _wrapped_energies(u, v, op, k):
    own, cross = 0.0, 0.0
    for i in range(op[9]):
        last, first, g = across_y(op, k, i)
        step = u[k, last] - u[k, first]
        own += f8(g * step * step)
        cross += f8(g * step * (v[k, last] - v[k, first]))
    for j in range(op[8]):
        last, first, g = across_x(op, k, j)
        step = u[k, last] - u[k, first]
        own += f8(g * step * step)
        cross += f8(g * step * (v[k, last] - v[k, first]))
    return own, cross


@njit(**INNER)
def _energies_plane(u, v, rhs, op, k, sums):
    _, kp = around(k, u.shape[0])
    uu, uv, load = 0.0, 0.0, 0.0
    for quarter in range(4):
        at = places(op, quarter // 2, quarter % 2)
        a, b, c = _quarter_energies(u, v, rhs, op, k, kp, at)
        uu, uv, load = uu + a, uv + b, load + c
    if wraps(op):
        a, b = _wrapped_energies(u, v, op, k)
        uu, uv = uu + a, uv + b
    sums[k, 0], sums[k, 1], sums[k, 2] = uu, uv, load


@njit(**INNER)
def _three_dots(flow, own, other, source):
    """Return flow.own, flow.other and source.own."""
    uu, uv, load = 0.0, 0.0, 0.0
    for start in range(0, own.shape[0], PIECE):
        f, c, e, s = flow[start : start + PIECE], own[start:], other[start:], source[start:]
        a, b, d = f4(0), f4(0), f4(0)
        for q in range(f.shape[0]):
            a += f[q] * c[q]
            b += f[q] * e[q]
            d += s[q] * c[q]
        uu, uv, load = uu + f8(a), uv + f8(b), load + f8(d)
    return uu, uv, load


@njit(**INNER)
def _settled_energies_plane(u, v, rhs, op, k, settled, sums, flow, wrapped):
    """Leave the parts of u.A u, u.A v and u.rhs of the voxels of a plane in sums.

    On the voxels of colour `settled` A u is known: it is rhs.
    """
    w = op[5]
    km, kp = around(k, u.shape[0])
    if wraps(op):
        wrapped[:] = 0
        add_wrapped(wrapped, f4(-1), u, op, k)
    total = (0.0, 0.0, 0.0)
    for quarter in range(4):
        py, px = quarter // 2, quarter % 2
        at = places(op, py, px)
        own, left, right, front, back, below, above = star(u, k, km, kp, at)
        other, source = v[k, at[1] : at[1] + at[0]], rhs[k, at[1] : at[1] + at[0]]
        if (k + py + px) & 1 == settled:
            a, b, c = _three_dots(source, own, other, source)
        else:
            gl, gr, gf, gb, gd, gu, diagonal = links(op, k, km, at)
            for q in range(at[0]):
                flow[q] = outflow(
                    own[q], left[q], right[q], front[q], back[q], below[q], above[q],
                    gl[q], gr[q], gf[q], gb[q], gd[q], gu[q], diagonal[q], w,
                )  # fmt: skip
            if wraps(op):
                around_the_ends = wrapped[at[1] : at[1] + at[0]]
                for q in range(at[0]):
                    flow[q] += around_the_ends[q]
            a, b, c = _three_dots(flow, own, other, source)
        total = (total[0] + a, total[1] + b, total[2] + c)
    sums[k, 0], sums[k, 1], sums[k, 2] = total


PREPARE, RELAX, FINISH = range(3)


@njit(**ALLOCATING)
def smooth(first, end, tasks, u, rhs, coarse, v, op, settled, sums):
    """Do the tasks number `first` up to `end`: one row (what, detail, plane) for each.

    PREPARE 0 relaxes the first colour of a plane from u = 0, PREPARE 1 adds the coarse correction
    to it. RELAX c relaxes colour c of it. FINISH 0 sets a plane of `coarse` to the block sums of
    rhs - A u; FINISH 1 leaves the parts of u.A u, u.A v and u.rhs of a plane in sums, shape (nz,
    3). `settled` is the colour that the last half sweep has relaxed, if none of its voxels are
    neighbours; otherwise it is -1. In which order that may be done: `schedule`.
    """
    work, plane = np.empty(_sizes(op)[0], np.float32), np.empty(u.shape[1], np.float32)
    for task in range(first, end):
        what, detail, k = tasks[task]
        if what == RELAX:
            _relax_plane(u, rhs, op, detail, k, plane)
        elif what == PREPARE and detail == 0:
            _scale_plane(u, rhs, op, k)
        elif what == PREPARE:
            _prolong_plane(u, coarse, op, k, work)
        elif detail == 0:
            _restrict_plane(coarse, u, rhs, op, k, settled, work, plane)
        elif settled < 0:
            _energies_plane(u, v, rhs, op, k, sums)
        else:
            _settled_energies_plane(u, v, rhs, op, k, settled, sums, work, plane)


@njit(**FAST)
def coarse_faces(first, end, coarse, fine, axis, ny, nx, factor):
    """Set each coarse conductance, on the grid, to factor times the fine ones in its face.

    `fine` lies in quarters. A face between two blocks belongs to voxels of odd number along the
    axis, and at an odd end to the last one.
    """
    nz = fine.shape[0]
    my, mx = (ny + 1) // 2, (nx + 1) // 2
    for kk in range(first, end):
        total = coarse[kk].reshape(my * mx)
        total[:] = 0
        for k in range(2 * kk, min(2 * kk + 2, nz)):
            if axis == 0 and k % 2 == 0 and k != nz - 1:
                continue
            for quarter in range(4):
                if (axis == 1 and quarter < 2) or (axis == 2 and quarter % 2 == 0):
                    continue
                start = quarter * (my + 1) * mx + mx
                part = fine[k, start : start + my * mx]
                for q in range(my * mx):
                    total[q] += f4(factor) * f4(part[q])
