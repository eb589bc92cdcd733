"""Compiled kernels of the scalar grid operator: one unknown per voxel, links through faces.

The operator on a grid of shape (nz, ny, nx) is::

    (A u)[i] = sum over the six faces of  w_axis g_face (u[i] - u[neighbour])  +  d[i] u[i]

``g[axis][k, j, i]`` is the conductance of the face between a voxel and its successor along the
axis; the face after the last voxel joins it to the first one (it is zero unless the grid is
periodic). `w` holds one weight per axis. ``d`` is non-negative and stored by plane: plane k uses
``d[plane[k]]``, so that a term that lives on the two outer planes costs two planes, not a volume.
The tuple ``(gz, gy, gx, d, plane, w, wraps)`` is called `op` below; `wraps` tells whether any
face after a last voxel along x conducts.

What happens at one voxel is said once, in a function that is compiled into the loops: ``k, j, i``
is the voxel, ``km, jm, im`` its predecessors and ``kp, jp, ip`` its successors on the ring.

Rows run along x, contiguous in memory. A loop writes into a row of its own and only then over the
old values: without that the compiler must assume that a row overlaps its neighbours and falls
back to scalar code, several times slower. Red-black sweeps likewise compute whole rows and keep
every other value by a mask of zeros and ones.

Every kernel treats the planes from `first` up to `end`, so that slabs of planes can go to threads
(`threads.over_slabs`). Sums are kept per plane and added up in order by the caller: the results
do not depend on the number of slabs.

The conductances may be bytes (their unit is then the business of the caller) or float32.
Unknowns, right-hand sides and directions are float32; only `step` keeps the solution in float64.
"""

from __future__ import annotations

import numpy as np
from numba import float32 as f4
from numba import float64 as f8
from numba import njit

from microtwin.numerics.compiling import FAST

ROW = 2048  # values computed at a time; they stay in the first-level cache
TINY = np.float32(1e-30)  # turns 0/0 of a voxel without links into 0


@njit(**FAST)
def _around(k, n):
    """Return the predecessor and the successor of k on a ring of n."""
    return (k - 1 if k > 0 else n - 1), (k + 1 if k < n - 1 else 0)


@njit(inline="always", **FAST)
def _solved(a, b, c, e, f, g, left, right, front, back, below, above, rhs, d, w):
    """Return the value that solves the equation of one voxel: six faces, six neighbours."""
    total = w[2] * (a + b) + w[1] * (c + e) + w[0] * (f + g) + d
    x, y, z = a * left + b * right, c * front + e * back, f * below + g * above
    return (w[2] * x + w[1] * y + w[0] * z + rhs) / max(total, TINY)


@njit(inline="always", **FAST)
def _relaxed(u, rhs, op, kd, k, km, kp, j, jm, jp, i, im, ip):
    """Return the value that solves the equation of voxel (k, j, i)."""
    gz, gy, gx, d, _, w, _ = op
    return _solved(
        f4(gx[k, j, im]), f4(gx[k, j, i]), f4(gy[k, jm, i]), f4(gy[k, j, i]),
        f4(gz[km, j, i]), f4(gz[k, j, i]),
        u[k, j, im], u[k, j, ip], u[k, jm, i], u[k, jp, i], u[km, j, i], u[kp, j, i],
        rhs[k, j, i], d[kd, j, i], w,
    )  # fmt: skip


@njit(**FAST)
def _relax_edges(u, rhs, op, colour, k):
    """Relax the voxels of a plane whose neighbours may lie on its other side, one by one."""
    nz, ny, nx = u.shape
    km, kp = _around(k, nz)
    kd = op[4][k]
    for j in range(ny):
        jm, jp = _around(j, ny)
        first = (k + j + colour) & 1
        if j == 0 or j == ny - 1:
            for i in range(first, nx, 2):
                im, ip = _around(i, nx)
                u[k, j, i] = _relaxed(u, rhs, op, kd, k, km, kp, j, jm, jp, i, im, ip)
        elif op[6]:
            if first == 0:
                u[k, j, 0] = _relaxed(u, rhs, op, kd, k, km, kp, j, jm, jp, 0, nx - 1, 1)
            if (nx - 1 - first) % 2 == 0:
                u[k, j, nx - 1] = _relaxed(u, rhs, op, kd, k, km, kp, j, jm, jp, nx - 1, nx - 2, 0)


@njit(**FAST)
def _relax_plane(u, rhs, op, masks, colour, k, row):
    """Relax one colour of plane k; the middle of the plane is one long row, see above."""
    gz, gy, gx, d, plane, w, _ = op
    nz, ny, nx = u.shape
    km, kp = _around(k, nz)
    kd, c = plane[k], (k + colour) & 1
    n = ny * nx
    v, b = u.reshape(nz, n), rhs.reshape(nz, n)
    fz, fy, fx = gz.reshape(nz, n), gy.reshape(nz, n), gx.reshape(nz, n)
    e = d.reshape(d.shape[0], n)
    _relax_edges(u, rhs, op, colour, k)
    for start in range(nx, n - nx, row.shape[0]):
        stop = min(start + row.shape[0], n - nx)
        # Slices, so that the compiler sees indices that start at 0.
        own, mask = v[k, start:stop], masks[c, start:stop]
        left, right = v[k, start - 1 : stop - 1], v[k, start + 1 : stop + 1]
        front, back = v[k, start - nx : stop - nx], v[k, start + nx : stop + nx]
        below, above = v[km, start:stop], v[kp, start:stop]
        gxm, gxp = fx[k, start - 1 : stop - 1], fx[k, start:stop]
        gym, gyp = fy[k, start - nx : stop - nx], fy[k, start:stop]
        gzm, gzp = fz[km, start:stop], fz[k, start:stop]
        source, diagonal = b[k, start:stop], e[kd, start:stop]
        for q in range(stop - start):
            value = _solved(
                f4(gxm[q]), f4(gxp[q]), f4(gym[q]), f4(gyp[q]), f4(gzm[q]), f4(gzp[q]),
                left[q], right[q], front[q], back[q], below[q], above[q],
                source[q], diagonal[q], w,
            )  # fmt: skip
            row[q] = own[q] + f4(mask[q]) * (value - own[q])
        for q in range(stop - start):
            own[q] = row[q]


@njit(inline="always", **FAST)
def _scaled(rhs, op, kd, k, km, j, jm, i, im):
    """Return rhs / diagonal of a voxel."""
    gz, gy, gx, d, _, w, _ = op
    x = f4(gx[k, j, im]) + f4(gx[k, j, i])
    y = f4(gy[k, jm, i]) + f4(gy[k, j, i])
    z = f4(gz[km, j, i]) + f4(gz[k, j, i])
    return rhs[k, j, i] / max(w[2] * x + w[1] * y + w[0] * z + d[kd, j, i], TINY)


@njit(**FAST)
def _scale_plane(u, rhs, op, k):
    """Half a sweep from u = 0: rhs / diagonal; the other colour is overwritten next."""
    nz, ny, nx = u.shape
    km, _ = _around(k, nz)
    kd = op[4][k]
    for j in range(ny):
        jm, _ = _around(j, ny)
        u[k, j, 0] = _scaled(rhs, op, kd, k, km, j, jm, 0, nx - 1)
        for i in range(1, nx):
            u[k, j, i] = _scaled(rhs, op, kd, k, km, j, jm, i, i - 1)


@njit(**FAST)
def _prolong_plane(u, coarse, k):
    _, ny, nx = u.shape
    for j in range(ny):
        for ii in range(nx // 2):
            e = coarse[k // 2, j // 2, ii]
            u[k, j, 2 * ii] += e
            u[k, j, 2 * ii + 1] += e
        if nx % 2:
            u[k, j, nx - 1] += coarse[k // 2, j // 2, nx // 2]


@njit(**FAST)
def prolong(first, end, u, coarse):
    """Add the value of its block to every voxel."""
    for k in range(first, end):
        _prolong_plane(u, coarse, k)


@njit(**FAST)
def _dot_plane(u, v, k):
    total = 0.0
    for j in range(u.shape[1]):
        part = f4(0)
        for i in range(u.shape[2]):
            part += u[k, j, i] * v[k, j, i]
        total += f8(part)
    return total


@njit(**FAST)
def _stage(u, rhs, coarse, op, masks, sums, from_zero, stage, last_stage, k, row):
    """Stage 0 prepares plane k, the later ones relax one colour of it after the other."""
    k = k % u.shape[0]
    if stage > 0:
        _relax_plane(u, rhs, op, masks, stage & 1, k, row)
    elif from_zero:
        _scale_plane(u, rhs, op, k)
    else:
        _prolong_plane(u, coarse, k)
    if stage == last_stage:
        sums[k] = _dot_plane(u, rhs, k)


@njit(**FAST)
def smooth_wave(first, end, u, rhs, coarse, op, masks, sums, from_zero, last_stage):
    """Run all smoothing stages through a slab, each one plane behind the one before.

    From zero, stage 0 sets the first colour; otherwise stage 0 adds the coarse correction. Stages
    1 to `last_stage` relax colour 1, 0, 1, ... in turn; after the last one the parts of u.rhs are
    left in sums. A stage may treat a plane once the stage before has treated it and both its
    neighbours, so the range of planes shrinks by one per stage at both ends of the slab. The wedges
    left open at the seams are the business of `smooth_seam`.
    """
    row = np.empty(ROW, np.float32)
    for k in range(first, end):
        for stage in range(min(last_stage, (k - first) // 2) + 1):
            _stage(u, rhs, coarse, op, masks, sums, from_zero, stage, last_stage, k - stage, row)


@njit(**FAST)
def smooth_seam(seam, u, rhs, coarse, op, masks, sums, from_zero, last_stage):
    """Do what `smooth_wave` left open on both sides of a seam (plane 0 is a seam of the ring)."""
    row = np.empty(ROW, np.float32)
    for stage in range(1, last_stage + 1):
        for k in range(seam - stage, seam + stage):
            _stage(u, rhs, coarse, op, masks, sums, from_zero, stage, last_stage, k, row)


@njit(**FAST)
def smooth_thin(u, rhs, coarse, op, masks, sums, from_zero, last_stage):
    """Do the same, stage after stage, on a grid with too few planes for a wave."""
    row = np.empty(ROW, np.float32)
    for stage in range(last_stage + 1):
        for k in range(u.shape[0]):
            _stage(u, rhs, coarse, op, masks, sums, from_zero, stage, last_stage, k, row)


@njit(inline="always", **FAST)
def _product(u, op, kd, k, km, kp, j, jm, jp, i, im, ip):
    """Return (A u) of a voxel."""
    gz, gy, gx, d, _, w, _ = op
    c = u[k, j, i]
    x = f4(gx[k, j, im]) * (c - u[k, j, im]) + f4(gx[k, j, i]) * (c - u[k, j, ip])
    y = f4(gy[k, jm, i]) * (c - u[k, jm, i]) + f4(gy[k, j, i]) * (c - u[k, jp, i])
    z = f4(gz[km, j, i]) * (c - u[km, j, i]) + f4(gz[k, j, i]) * (c - u[kp, j, i])
    return w[2] * x + w[1] * y + w[0] * z + d[kd, j, i] * c


@njit(inline="always", **FAST)
def _product_row(row, u, op, k, km, kp, j, jm, jp):
    nx = u.shape[2]
    kd = op[4][k]
    row[0] = _product(u, op, kd, k, km, kp, j, jm, jp, 0, nx - 1, 1)
    for i in range(1, nx - 1):
        row[i] = _product(u, op, kd, k, km, kp, j, jm, jp, i, i - 1, i + 1)
    row[nx - 1] = _product(u, op, kd, k, km, kp, j, jm, jp, nx - 1, nx - 2, 0)


@njit(**FAST)
def restrict_residual(first, end, coarse, u, rhs, op):
    """Set coarse to the sum of rhs - A u over each block of 2 x 2 x 2 voxels (coarse planes)."""
    nz, ny, nx = u.shape
    _, my, mx = coarse.shape
    row, total = np.empty(nx, np.float32), np.zeros(2 * mx, np.float32)
    for kk in range(first, end):
        for jj in range(my):
            total[:] = 0
            for k in range(2 * kk, min(2 * kk + 2, nz)):
                km, kp = _around(k, nz)
                for j in range(2 * jj, min(2 * jj + 2, ny)):
                    jm, jp = _around(j, ny)
                    _product_row(row, u, op, k, km, kp, j, jm, jp)
                    for i in range(nx):
                        total[i] += rhs[k, j, i] - row[i]
            for ii in range(mx):
                coarse[kk, jj, ii] = total[2 * ii] + total[2 * ii + 1]


@njit(**FAST)
def subtract_product(first, end, r, u, factor, op, norms):
    """Subtract factor (A u) from r and leave the square norm of each plane of r in norms."""
    nz, ny, nx = u.shape
    row = np.empty(nx, np.float32)
    for k in range(first, end):
        km, kp = _around(k, nz)
        for j in range(ny):
            jm, jp = _around(j, ny)
            _product_row(row, u, op, k, km, kp, j, jm, jp)
            for i in range(nx):
                r[k, j, i] -= factor * row[i]
        norms[k] = _dot_plane(r, r, k)


@njit(inline="always", **FAST)
def _energy(u, v, op, kd, k, kp, j, jp, i, ip):
    """Return the parts of u.A u and u.A v of a voxel and the faces after it."""
    gz, gy, gx, d, _, w, _ = op
    c, e = u[k, j, i], v[k, j, i]
    x, y, z = u[k, j, ip] - c, u[k, jp, i] - c, u[kp, j, i] - c
    a, b, f = w[2] * f4(gx[k, j, i]) * x, w[1] * f4(gy[k, j, i]) * y, w[0] * f4(gz[k, j, i]) * z
    m = d[kd, j, i] * c
    own = a * x + b * y + f * z + m * c
    cross = a * (v[k, j, ip] - e) + b * (v[k, jp, i] - e) + f * (v[kp, j, i] - e) + m * e
    return own, cross


@njit(**FAST)
def energies(first, end, u, v, op, sums):
    """Leave the parts of u.A u and u.A v in sums, shape (nz, 2)."""
    nz, ny, nx = u.shape
    for k in range(first, end):
        _, kp = _around(k, nz)
        kd = op[4][k]
        own, cross = 0.0, 0.0
        for j in range(ny):
            _, jp = _around(j, ny)
            a, b = _energy(u, v, op, kd, k, kp, j, jp, nx - 1, 0)
            for i in range(nx - 1):
                c, e = _energy(u, v, op, kd, k, kp, j, jp, i, i + 1)
                a += c
                b += e
            own += f8(a)
            cross += f8(b)
        sums[k, 0], sums[k, 1] = own, cross


@njit(**FAST)
def combine(first, end, u, a, v, b):
    """Set u to a u + b v."""
    for k in range(first, end):
        for j in range(u.shape[1]):
            for i in range(u.shape[2]):
                u[k, j, i] = a * u[k, j, i] + b * v[k, j, i]


@njit(**FAST)
def _move_plane(x, p, z, alpha, beta, k):
    for j in range(x.shape[1]):
        for i in range(x.shape[2]):
            p[k, j, i] = z[k, j, i] + beta * p[k, j, i]
        for i in range(x.shape[2]):
            x[k, j, i] += alpha * p[k, j, i]


@njit(inline="always", **FAST)
def _balance(x, drive, op, kd, k, km, kp, j, jm, jp, i, im, ip):
    """Return the net flux into a voxel; the affine field `drive` is part of every difference."""
    gz, gy, gx, d, _, w, _ = op
    c, ez, ey, ex = x[k, j, i], drive[0], drive[1], drive[2]
    a = gx[k, j, im] * (x[k, j, im] - c - ex) + gx[k, j, i] * (x[k, j, ip] - c + ex)
    b = gy[k, jm, i] * (x[k, jm, i] - c - ey) + gy[k, j, i] * (x[k, jp, i] - c + ey)
    f = gz[km, j, i] * (x[km, j, i] - c - ez) + gz[k, j, i] * (x[kp, j, i] - c + ez)
    return w[2] * a + w[1] * b + w[0] * f - d[kd, j, i] * c


@njit(**FAST)
def _balance_plane(r, x, p, rhs, rhs_plane, drive, op, sums, k):
    gz, w = op[0], op[5]
    nz, ny, nx = x.shape
    km, kp = _around(k, nz)
    kr, kd = rhs_plane[k], op[4][k]
    norm, flux, along = 0.0, 0.0, 0.0
    for j in range(ny):
        jm, jp = _around(j, ny)
        r[k, j, 0] = rhs[kr, j, 0] + _balance(x, drive, op, kd, k, km, kp, j, jm, jp, 0, nx - 1, 1)
        for i in range(1, nx - 1):
            r[k, j, i] = rhs[kr, j, i] + _balance(
                x, drive, op, kd, k, km, kp, j, jm, jp, i, i - 1, i + 1
            )
        i = nx - 1
        r[k, j, i] = rhs[kr, j, i] + _balance(x, drive, op, kd, k, km, kp, j, jm, jp, i, i - 1, 0)
        part, other = f4(0), f4(0)
        for i in range(nx):
            part += r[k, j, i] * r[k, j, i]
            other += r[k, j, i] * p[k, j, i]
        norm += f8(part)
        along += f8(other)
        for i in range(nx):
            flux += gz[k, j, i] * (x[kp, j, i] - x[k, j, i] + drive[0])
    sums[k, 0], sums[k, 1], sums[k, 2] = norm, w[0] * flux, along


@njit(**FAST)
def step_wave(first, end, x, r, p, z, alpha, beta, rhs, rhs_plane, drive, op, sums):
    """Set p to z + beta p, add alpha p to x, set r to the residual of x.

    The residual is that of the total field: x plus the affine field whose difference from voxel
    to voxel along each axis is `drive`. It is computed anew from x, so it does not drift.
    `sums`, shape (nz, 3), receives per plane the square norm of r, the flux to the next plane (sum
    of w g difference over the faces) and p.r. The residual of the first and last plane of a slab
    waits for its neighbours: `step_seam`.
    """
    for k in range(first, end):
        _move_plane(x, p, z, alpha, beta, k)
        if k - 1 > first:
            _balance_plane(r, x, p, rhs, rhs_plane, drive, op, sums, k - 1)


@njit(**FAST)
def step_seam(first, end, x, r, p, rhs, rhs_plane, drive, op, sums):
    """Set r on the first and last plane of a slab (see `step_wave`)."""
    _balance_plane(r, x, p, rhs, rhs_plane, drive, op, sums, first)
    if end - 1 > first:
        _balance_plane(r, x, p, rhs, rhs_plane, drive, op, sums, end - 1)


@njit(**FAST)
def relax_colour(first, end, u, rhs, op, masks, colour):
    """Relax one colour of A u = rhs."""
    row = np.empty(ROW, np.float32)
    for k in range(first, end):
        _relax_plane(u, rhs, op, masks, colour, k, row)


@njit(inline="always", **FAST)
def _gathered(u, op, kd, k, km, kp, j, jm, jp, i, im, ip):
    """Return inflow from the neighbours of a voxel, and its diagonal."""
    gz, gy, gx, d, _, w, _ = op
    a, b = w[2] * f4(gx[k, j, im]), w[2] * f4(gx[k, j, i])
    c, e = w[1] * f4(gy[k, jm, i]), w[1] * f4(gy[k, j, i])
    f, g = w[0] * f4(gz[km, j, i]), w[0] * f4(gz[k, j, i])
    x, y = a * u[k, j, im] + b * u[k, j, ip], c * u[k, jm, i] + e * u[k, jp, i]
    z = f * u[km, j, i] + g * u[kp, j, i]
    return x + y + z, (a + b) + (c + e) + (f + g) + d[kd, j, i]


@njit(**FAST)
def relax_pair(first, end, u, v, rhs, source, op, other, coupling, colour):
    """Relax one colour of two coupled fields u and v, both values of a voxel at once.

    However strong the coupling, what the two fields have in common is relaxed as well.
    """
    nz, ny, nx = u.shape
    for k in range(first, end):
        km, kp = _around(k, nz)
        kd, ke = op[4][k], other[4][k]
        for j in range(ny):
            jm, jp = _around(j, ny)
            for i in range((k + j + colour) & 1, nx, 2):
                im, ip = _around(i, nx)
                s, a = _gathered(u, op, kd, k, km, kp, j, jm, jp, i, im, ip)
                t, b = _gathered(v, other, ke, k, km, kp, j, jm, jp, i, im, ip)
                s, t, c = s + rhs[k, j, i], t + source[k, j, i], coupling[k, j, i]
                # (a + c) u - c v = s and (b + c) v - c u = t, v eliminated first: nothing cancels,
                # however large c is, and a field may be absent.
                total = max(b + c, TINY)
                share = c / total
                value = (s + share * t) / max(a + share * b, TINY)
                u[k, j, i] = value
                v[k, j, i] = (t + c * value) / total


@njit(**FAST)
def add_coupled(first, end, out, rhs, u, coupling):
    """Set out to rhs + coupling u."""
    for k in range(first, end):
        for j in range(u.shape[1]):
            for i in range(u.shape[2]):
                out[k, j, i] = rhs[k, j, i] + coupling[k, j, i] * u[k, j, i]


@njit(**FAST)
def exchange(first, end, r, s, u, v, coupling, factor):
    """Let factor coupling (u - v) flow out of r and into s."""
    for k in range(first, end):
        for j in range(u.shape[1]):
            for i in range(u.shape[2]):
                flow = f4(factor * coupling[k, j, i] * (u[k, j, i] - v[k, j, i]))
                r[k, j, i] -= flow
                s[k, j, i] += flow


@njit(**FAST)
def coupling_energies(first, end, a, b, c, d, coupling, sums):
    """Leave the parts of sum coupling (a - b)^2 and sum coupling (a - b)(c - d) in sums."""
    for k in range(first, end):
        own, cross = 0.0, 0.0
        for j in range(a.shape[1]):
            p, q = f4(0), f4(0)
            for i in range(a.shape[2]):
                e = a[k, j, i] - b[k, j, i]
                g = coupling[k, j, i] * e
                p += g * e
                q += g * (c[k, j, i] - d[k, j, i])
            own += f8(p)
            cross += f8(q)
        sums[k, 0], sums[k, 1] = own, cross


@njit(**FAST)
def dot(first, end, u, v, sums):
    """Leave the parts of u.v in sums."""
    for k in range(first, end):
        sums[k] = _dot_plane(u, v, k)


@njit(**FAST)
def through_flux(first, end, x, drive, op, sums):
    """Leave the flux through all faces after the voxels of each plane in sums, shape (nz, 3)."""
    gz, gy, gx, _, _, w, _ = op
    nz, ny, nx = x.shape
    for k in range(first, end):
        _, kp = _around(k, nz)
        z, y, e = 0.0, 0.0, 0.0
        for j in range(ny):
            _, jp = _around(j, ny)
            for i in range(nx):
                _, ip = _around(i, nx)
                c = x[k, j, i]
                z += gz[k, j, i] * (x[kp, j, i] - c + drive[0])
                y += gy[k, j, i] * (x[k, jp, i] - c + drive[1])
                e += gx[k, j, i] * (x[k, j, ip] - c + drive[2])
        sums[k, 0], sums[k, 1], sums[k, 2] = w[0] * z, w[1] * y, w[2] * e


@njit(**FAST)
def coarse_faces(first, end, coarse, fine, axis, factor):
    """Set each coarse conductance to factor times the sum of the fine ones in its face."""
    nz, ny, nx = fine.shape
    _, my, mx = coarse.shape
    for kk in range(first, end):
        for jj in range(my):
            for ii in range(mx):
                total = f4(0)
                for k in range(2 * kk, min(2 * kk + 2, nz)):
                    if axis == 0 and k % 2 == 0 and k != nz - 1:
                        continue
                    for j in range(2 * jj, min(2 * jj + 2, ny)):
                        if axis == 1 and j % 2 == 0 and j != ny - 1:
                            continue
                        for i in range(2 * ii, min(2 * ii + 2, nx)):
                            if axis == 2 and i % 2 == 0 and i != nx - 1:
                                continue
                            total += f4(fine[k, j, i])
                coarse[kk, jj, ii] = f4(factor) * total
