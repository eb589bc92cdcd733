"""Compiled kernels of trilinear hexahedra on a periodic grid (see `hexahedra`).

A row of elements is worked on in pieces. In an element the displacement is a sum of eight modes:
1, z, y, x, zy, zx, yx and zyx in the coordinates from -1 to 1. Strains of different parity do no
work on each other, so that the energy is a sum of seven: that of the mean strain, of the parts of
the strain that grow along one axis, and of those that grow along two. The modes of the nodes along
z and y are formed for a whole piece, those along x in the loop over its elements.

All rows of a piece lie in one array `w` at constant distances: so the compiler sees that they do
not overlap, and uses the vector units.
"""

from __future__ import annotations

from numba import njit

from microtwin.numerics.compiling import FAST, INNER

PIECE = 128  # elements in a piece
STRIDE = 144  # from one row to the next
START = 8  # of the elements in a row
NODES = 0  # four modes of three components: p, z, y, zy of component c in rows 4 c ...
MODULI = 12  # 21 rows, upper half of the stiffness
FORCES = 33  # seven modes of three components: z, y, x, zy, zx, yx, zyx in rows 7 c ...
ROWS = 54


@njit(**INNER)
def _two(u, v, one, c, k, j, i):
    """Return the value at a node; where the displacement is a sum of two, that sum."""
    if v is None:
        return u[c, k, j, i]
    return one * u[c, k, j, i] + one * v[c, k, j, i]


@njit(**INNER)
def _load_nodes(w, u, v, one, k, above, j, behind, start, n):
    """Set the modes along z and y of the nodes of a piece."""
    nx = u.shape[3]
    inside = min(n + 1, nx - start)
    for c in range(3):
        at = (NODES + 4 * c) * STRIDE + START
        for q in range(inside):
            i = start + q
            a, b = _two(u, v, one, c, k, j, i), _two(u, v, one, c, k, behind, i)
            d, e = _two(u, v, one, c, above, j, i), _two(u, v, one, c, above, behind, i)
            w[at + q] = a + b + d + e
            w[at + STRIDE + q] = d + e - a - b
            w[at + 2 * STRIDE + q] = b + e - a - d
            w[at + 3 * STRIDE + q] = a + e - b - d
        if inside == n:
            a, b = _two(u, v, one, c, k, j, 0), _two(u, v, one, c, k, behind, 0)
            d, e = _two(u, v, one, c, above, j, 0), _two(u, v, one, c, above, behind, 0)
            w[at + n] = a + b + d + e
            w[at + STRIDE + n] = d + e - a - b
            w[at + 2 * STRIDE + n] = b + e - a - d
            w[at + 3 * STRIDE + n] = a + e - b - d


@njit(**INNER)
def _load_moduli(w, last, number, table, k, j, start, n):
    """Set the stiffness of each element of a piece, where it is another than in the last piece."""
    for q in range(n):
        m = number[k, j, start + q]
        if m != last[q]:
            last[q] = m
            for s in range(21):
                w[(MODULI + s) * STRIDE + START + q] = table[m, s]


@njit(**INNER)
def _load_elements(w, n, slopes, volume, strain, totals):
    """Set the modes of the forces of a piece; add volume times mean stress to totals."""
    gz, gy, gx = slopes[0], slopes[1], slopes[2]
    third, ninth = volume / 3, volume / 9
    a1, a2, a3, a4, a5, a6 = strain[0], strain[1], strain[2], strain[3], strain[4], strain[5]
    t1 = w[0] * 0
    t2, t3, t4, t5, t6 = t1, t1, t1, t1, t1
    m, f = MODULI * STRIDE + START, FORCES * STRIDE + START
    for q in range(n):
        c11, c12, c13 = w[m + q], w[m + STRIDE + q], w[m + 2 * STRIDE + q]
        c14, c15, c16 = w[m + 3 * STRIDE + q], w[m + 4 * STRIDE + q], w[m + 5 * STRIDE + q]
        c22, c23, c24 = w[m + 6 * STRIDE + q], w[m + 7 * STRIDE + q], w[m + 8 * STRIDE + q]
        c25, c26, c33 = w[m + 9 * STRIDE + q], w[m + 10 * STRIDE + q], w[m + 11 * STRIDE + q]
        c34, c35, c36 = w[m + 12 * STRIDE + q], w[m + 13 * STRIDE + q], w[m + 14 * STRIDE + q]
        c44, c45, c46 = w[m + 15 * STRIDE + q], w[m + 16 * STRIDE + q], w[m + 17 * STRIDE + q]
        c55, c56, c66 = w[m + 18 * STRIDE + q], w[m + 19 * STRIDE + q], w[m + 20 * STRIDE + q]
        o = START + q
        # The modes of the displacement: a capital for the component.
        z_x = gx * (w[o + 1] - w[o])
        z_z, z_zx = gz * (w[STRIDE + o + 1] + w[STRIDE + o]), w[STRIDE + o + 1] - w[STRIDE + o]
        o += 2 * STRIDE
        z_y, z_yx = gy * (w[o + 1] + w[o]), w[o + 1] - w[o]
        z_zy, z_zyx = w[STRIDE + o + 1] + w[STRIDE + o], w[STRIDE + o + 1] - w[STRIDE + o]
        o += 2 * STRIDE
        y_x = gx * (w[o + 1] - w[o])
        y_z, y_zx = gz * (w[STRIDE + o + 1] + w[STRIDE + o]), w[STRIDE + o + 1] - w[STRIDE + o]
        o += 2 * STRIDE
        y_y, y_yx = gy * (w[o + 1] + w[o]), w[o + 1] - w[o]
        y_zy, y_zyx = w[STRIDE + o + 1] + w[STRIDE + o], w[STRIDE + o + 1] - w[STRIDE + o]
        o += 2 * STRIDE
        x_x = gx * (w[o + 1] - w[o])
        x_z, x_zx = gz * (w[STRIDE + o + 1] + w[STRIDE + o]), w[STRIDE + o + 1] - w[STRIDE + o]
        o += 2 * STRIDE
        x_y, x_yx = gy * (w[o + 1] + w[o]), w[o + 1] - w[o]
        x_zy, x_zyx = w[STRIDE + o + 1] + w[STRIDE + o], w[STRIDE + o + 1] - w[STRIDE + o]

        # Mean strain.
        e1, e2, e3 = z_z + a1, y_y + a2, x_x + a3
        e4, e5, e6 = y_x + x_y + a4, z_x + x_z + a5, z_y + y_z + a6
        s1 = volume * (c11 * e1 + c12 * e2 + c13 * e3 + c14 * e4 + c15 * e5 + c16 * e6)
        s2 = volume * (c12 * e1 + c22 * e2 + c23 * e3 + c24 * e4 + c25 * e5 + c26 * e6)
        s3 = volume * (c13 * e1 + c23 * e2 + c33 * e3 + c34 * e4 + c35 * e5 + c36 * e6)
        s4 = volume * (c14 * e1 + c24 * e2 + c34 * e3 + c44 * e4 + c45 * e5 + c46 * e6)
        s5 = volume * (c15 * e1 + c25 * e2 + c35 * e3 + c45 * e4 + c55 * e5 + c56 * e6)
        s6 = volume * (c16 * e1 + c26 * e2 + c36 * e3 + c46 * e4 + c56 * e5 + c66 * e6)
        t1, t2, t3, t4, t5, t6 = t1 + s1, t2 + s2, t3 + s3, t4 + s4, t5 + s5, t6 + s6
        w[f + q], w[f + STRIDE + q], w[f + 2 * STRIDE + q] = gz * s1, gy * s6, gx * s5
        w[f + 7 * STRIDE + q], w[f + 8 * STRIDE + q] = gz * s6, gy * s2
        w[f + 9 * STRIDE + q], w[f + 14 * STRIDE + q] = gx * s4, gz * s5
        w[f + 15 * STRIDE + q], w[f + 16 * STRIDE + q] = gy * s4, gx * s3

        # The part that grows along z.
        e2, e3, e4 = gy * y_zy, gx * x_zx, gx * y_zx + gy * x_zy
        e5, e6 = gx * z_zx, gy * z_zy
        z2 = third * (c22 * e2 + c23 * e3 + c24 * e4 + c25 * e5 + c26 * e6)
        z3 = third * (c23 * e2 + c33 * e3 + c34 * e4 + c35 * e5 + c36 * e6)
        z4 = third * (c24 * e2 + c34 * e3 + c44 * e4 + c45 * e5 + c46 * e6)
        z5 = third * (c25 * e2 + c35 * e3 + c45 * e4 + c55 * e5 + c56 * e6)
        z6 = third * (c26 * e2 + c36 * e3 + c46 * e4 + c56 * e5 + c66 * e6)
        # Along y.
        e1, e3, e4 = gz * z_zy, gx * x_yx, gx * y_yx
        e5, e6 = gx * z_yx + gz * x_zy, gz * y_zy
        y1 = third * (c11 * e1 + c13 * e3 + c14 * e4 + c15 * e5 + c16 * e6)
        y3 = third * (c13 * e1 + c33 * e3 + c34 * e4 + c35 * e5 + c36 * e6)
        y4 = third * (c14 * e1 + c34 * e3 + c44 * e4 + c45 * e5 + c46 * e6)
        y5 = third * (c15 * e1 + c35 * e3 + c45 * e4 + c55 * e5 + c56 * e6)
        y6 = third * (c16 * e1 + c36 * e3 + c46 * e4 + c56 * e5 + c66 * e6)
        # Along x.
        e1, e2, e4 = gz * z_zx, gy * y_yx, gy * x_yx
        e5, e6 = gz * x_zx, gy * z_yx + gz * y_zx
        x1 = third * (c11 * e1 + c12 * e2 + c14 * e4 + c15 * e5 + c16 * e6)
        x2 = third * (c12 * e1 + c22 * e2 + c24 * e4 + c25 * e5 + c26 * e6)
        x4 = third * (c14 * e1 + c24 * e2 + c44 * e4 + c45 * e5 + c46 * e6)
        x5 = third * (c15 * e1 + c25 * e2 + c45 * e4 + c55 * e5 + c56 * e6)
        x6 = third * (c16 * e1 + c26 * e2 + c46 * e4 + c56 * e5 + c66 * e6)
        w[f + 3 * STRIDE + q] = gz * y1 + gy * z6
        w[f + 4 * STRIDE + q] = gz * x1 + gx * z5
        w[f + 5 * STRIDE + q] = gy * x6 + gx * y5
        w[f + 10 * STRIDE + q] = gz * y6 + gy * z2
        w[f + 11 * STRIDE + q] = gz * x6 + gx * z4
        w[f + 12 * STRIDE + q] = gy * x2 + gx * y4
        w[f + 17 * STRIDE + q] = gz * y5 + gy * z4
        w[f + 18 * STRIDE + q] = gz * x5 + gx * z3
        w[f + 19 * STRIDE + q] = gy * x4 + gx * y3

        # Those along two axes: each is the gradient along the third.
        a, b, c = ninth * gz * gz, ninth * gy * gy, ninth * gx * gx
        w[f + 6 * STRIDE + q] = (
            a * (c11 * z_zyx + c15 * x_zyx + c16 * y_zyx)
            + b * (c26 * y_zyx + c46 * x_zyx + c66 * z_zyx)
            + c * (c35 * x_zyx + c45 * y_zyx + c55 * z_zyx)
        )
        w[f + 13 * STRIDE + q] = (
            a * (c16 * z_zyx + c56 * x_zyx + c66 * y_zyx)
            + b * (c22 * y_zyx + c24 * x_zyx + c26 * z_zyx)
            + c * (c34 * x_zyx + c44 * y_zyx + c45 * z_zyx)
        )
        w[f + 20 * STRIDE + q] = (
            a * (c15 * z_zyx + c55 * x_zyx + c56 * y_zyx)
            + b * (c24 * y_zyx + c44 * x_zyx + c46 * z_zyx)
            + c * (c33 * x_zyx + c34 * y_zyx + c35 * z_zyx)
        )
    totals[0] += t1
    totals[1] += t2
    totals[2] += t3
    totals[3] += t4
    totals[4] += t5
    totals[5] += t6


@njit(**INNER)
def _add_forces(w, lower, upper, j, behind, start, n):
    """Add the forces of a piece to two planes of nodes, shape (3, ny, nx + 1)."""
    for row in range(FORCES, ROWS):
        w[row * STRIDE + START - 1] = 0
        w[row * STRIDE + START + n] = 0
    for c in range(3):
        at = (FORCES + 7 * c) * STRIDE + START
        for q in range(n + 1):
            o, i = at + q, start + q
            p = w[o + 2 * STRIDE - 1] - w[o + 2 * STRIDE]
            z = w[o] + w[o - 1] + w[o + 4 * STRIDE - 1] - w[o + 4 * STRIDE]
            o += STRIDE
            y = w[o] + w[o - 1] + w[o + 4 * STRIDE - 1] - w[o + 4 * STRIDE]
            o += 2 * STRIDE
            zy = w[o] + w[o - 1] + w[o + 3 * STRIDE - 1] - w[o + 3 * STRIDE]
            lower[c, j, i] += p - z - y + zy
            lower[c, behind, i] += p - z + y - zy
            upper[c, j, i] += p + z - y - zy
            upper[c, behind, i] += p + z + y + zy


@njit(**INNER)
def _take_mean_out(vector):
    """Subtract the mean over the eight corners from each component."""
    for c in range(3):
        total = vector[0] * 0
        for n in range(8):
            total += vector[3 * n + c]
        for n in range(8):
            vector[3 * n + c] -= total / 8


@njit(**INNER)
def _add_cut(corners, matrix, share, affine, u, v, one, at, strain, lower, upper, totals):
    """Add the forces of an element that is cut; add volume times mean stress to totals.

    Means over the corners are taken out before and after: so a translation exerts nothing, and
    forces are in balance, to the last digit.
    """
    k, above, j, behind, i = at
    moved, forces = corners[0], corners[1]
    nx = u.shape[3]
    right = i + 1 if i + 1 < nx else 0
    for n in range(8):
        kk, jj, ii = above if n >> 2 else k, behind if n >> 1 & 1 else j, right if n & 1 else i
        for c in range(3):
            value = _two(u, v, one, c, kk, jj, ii)
            for s in range(6):
                value += affine[3 * n + c, s] * strain[s]
            moved[3 * n + c] = share * value
            forces[3 * n + c] = 0
    _take_mean_out(moved)
    for row in range(24):
        for column in range(24):
            forces[column] += moved[row] * matrix[row, column]
    _take_mean_out(forces)
    for n in range(8):
        plane = upper if n >> 2 else lower
        jj = behind if n >> 1 & 1 else j
        for c in range(3):
            plane[c, jj, i + (n & 1)] += forces[3 * n + c]
    for s in range(6):
        for row in range(24):
            totals[s] += affine[row, s] * forces[row]


@njit(**INNER)
def _layer(work, grid, u, v, k, strain, lower, upper, totals):
    """Add the forces of a layer of elements to the planes of nodes below and above it."""
    w, last, _, one, corners = work
    number, table, slopes, volume, cut, shares, matrices, affine = grid
    nz, ny, nx = number.shape
    void = table.shape[0] - 1
    above = k + 1 if k + 1 < nz else 0
    for j in range(ny):
        behind = j + 1 if j + 1 < ny else 0
        for start in range(0, nx, PIECE):
            n = min(PIECE, nx - start)
            solid = False
            for q in range(n):
                solid = solid or number[k, j, start + q] != void
            if solid:
                _load_nodes(w, u, v, one[0], k, above, j, behind, start, n)
                _load_moduli(w, last, number, table, k, j, start, n)
                _load_elements(w, n, slopes, volume[0], strain, totals)
                _add_forces(w, lower, upper, j, behind, start, n)
            if solid and len(matrices):
                for q in range(n):
                    m = number[k, j, start + q]
                    if cut[m] >= 0:
                        at = (k, above, j, behind, start + q)
                        _add_cut(
                            corners, matrices[cut[m]], shares[m], affine, u, v, one[0], at, strain,
                            lower, upper, totals,
                        )  # fmt: skip


@njit(**INNER)
def _begin(first, work, grid, u, v, strain, totals):
    """Find what the layer below the first plane exerts on it; it belongs to another slab."""
    _, last, planes, _, _ = work
    last[:] = -1
    planes[:] = 0
    below = first - 1 if first > 0 else grid[0].shape[0] - 1
    _layer(work, grid, u, v, below, strain, planes[0], planes[1], totals)
    totals[:] = 0


@njit(**INNER)
def _plane(k, first, work, grid, u, v, strain, totals):
    """Return the forces on plane k, shape (3, ny, nx + 1); planes must be asked for in order."""
    planes = work[2]
    upper = (k - first) % 2
    lower = 1 - upper
    planes[upper] = 0
    _layer(work, grid, u, v, k, strain, planes[lower], planes[upper], totals)
    nx = grid[0].shape[2]
    for c in range(3):
        for j in range(planes.shape[2]):
            planes[lower, c, j, 0] += planes[lower, c, j, nx]
    return lower


@njit(**FAST)
def product(first, end, slab, works, grid, out, u, strain, totals):
    """Set out to the forces of displacements u, and totals[slab] to volume times stress."""
    work = works[slab]
    _begin(first, work, grid, u, None, strain, totals[slab])
    for k in range(first, end):
        found = work[2][_plane(k, first, work, grid, u, None, strain, totals[slab])]
        for c in range(3):
            for j in range(out.shape[2]):
                for i in range(out.shape[3]):
                    out[c, k, j, i] = found[c, j, i]


@njit(**FAST)
def residual(first, end, slab, works, grid, out, load, u, v, strain, totals):
    """Set out to the load less the forces of u, or of u + v, and totals[slab] as `product`."""
    work = works[slab]
    _begin(first, work, grid, u, v, strain, totals[slab])
    for k in range(first, end):
        found = work[2][_plane(k, first, work, grid, u, v, strain, totals[slab])]
        for c in range(3):
            for j in range(out.shape[2]):
                for i in range(out.shape[3]):
                    out[c, k, j, i] = load[c, k, j, i] - found[c, j, i]


@njit(**INNER)
def blocks(inverse, r0, r1, r2, k, j, i):
    """Return the product of a symmetric block with a vector."""
    zz, yy, xx = inverse[0, k, j, i], inverse[1, k, j, i], inverse[2, k, j, i]
    yx, zx, zy = inverse[3, k, j, i], inverse[4, k, j, i], inverse[5, k, j, i]
    return zz * r0 + zy * r1 + zx * r2, zy * r0 + yy * r1 + yx * r2, zx * r0 + yx * r1 + xx * r2


@njit(**FAST)
def descend(first, end, slab, works, grid, d, rhs, u, strain, inverse, a, b, totals):
    """Set d to a d + b D^-1 (rhs - A u), with the inverse of the diagonal blocks."""
    work = works[slab]
    _begin(first, work, grid, u, None, strain, totals[slab])
    for k in range(first, end):
        found = work[2][_plane(k, first, work, grid, u, None, strain, totals[slab])]
        for j in range(d.shape[2]):
            for i in range(d.shape[3]):
                r0 = rhs[0, k, j, i] - found[0, j, i]
                r1 = rhs[1, k, j, i] - found[1, j, i]
                r2 = rhs[2, k, j, i] - found[2, j, i]
                z, y, x = blocks(inverse, r0, r1, r2, k, j, i)
                d[0, k, j, i] = a * d[0, k, j, i] + b * z
                d[1, k, j, i] = a * d[1, k, j, i] + b * y
                d[2, k, j, i] = a * d[2, k, j, i] + b * x


@njit(**FAST)
def scaled(first, end, d, rhs, inverse, b):
    """Set d to b D^-1 rhs."""
    for k in range(first, end):
        for j in range(d.shape[2]):
            for i in range(d.shape[3]):
                z, y, x = blocks(
                    inverse, rhs[0, k, j, i], rhs[1, k, j, i], rhs[2, k, j, i], k, j, i
                )
                d[0, k, j, i], d[1, k, j, i], d[2, k, j, i] = b * z, b * y, b * x


@njit(**FAST)
def diagonal(first, end, inverse, number, corners, fixed):
    """Set the inverses of the diagonal blocks; 0 where nothing is solid or a component is held.

    `corners`, shape (m, 8, 6), holds the block of each corner of each kind of element; `fixed`,
    shape (3, nz, ny, nx) or broadcast to it, the components that are held.
    """
    nz, ny, nx = number.shape
    for k in range(first, end):
        for j in range(ny):
            for i in range(nx):
                s0, s1, s2, s3, s4, s5 = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
                for n in range(8):
                    kk, jj, ii = k - (n >> 2), j - (n >> 1 & 1), i - (n & 1)
                    kk, jj = kk + nz * (kk < 0), jj + ny * (jj < 0)
                    block = corners[number[kk, jj, ii + nx * (ii < 0)], n]
                    s0, s1, s2 = s0 + block[0], s1 + block[1], s2 + block[2]
                    s3, s4, s5 = s3 + block[3], s4 + block[4], s5 + block[5]
                z, y, x = fixed[0, k, j, i], fixed[1, k, j, i], fixed[2, k, j, i]
                s3, s4, s5 = s3 * (not (y or x)), s4 * (not (z or x)), s5 * (not (z or y))
                s0, s1, s2 = 1.0 if z else s0, 1.0 if y else s1, 1.0 if x else s2
                least = s0 * s1 * s2 - s0 * s3 * s3 - s1 * s4 * s4 - s2 * s5 * s5 + 2 * s3 * s4 * s5
                if s0 + s1 + s2 == 0.0 or least == 0.0:
                    for s in range(6):
                        inverse[s, k, j, i] = 0.0
                    continue
                inverse[0, k, j, i] = 0.0 if z else (s1 * s2 - s3 * s3) / least
                inverse[1, k, j, i] = 0.0 if y else (s0 * s2 - s4 * s4) / least
                inverse[2, k, j, i] = 0.0 if x else (s0 * s1 - s5 * s5) / least
                inverse[3, k, j, i] = (s4 * s5 - s0 * s3) / least
                inverse[4, k, j, i] = (s3 * s5 - s1 * s4) / least
                inverse[5, k, j, i] = (s3 * s4 - s2 * s5) / least


@njit(**FAST)
def strains(first, end, out, u, strain, slopes):
    """Set out, shape (6, nz, ny, nx), to the mean strain of each element."""
    nz, ny, nx = u.shape[1:]
    for k in range(first, end):
        above = k + 1 if k + 1 < nz else 0
        for j in range(ny):
            behind = j + 1 if j + 1 < ny else 0
            for i in range(nx):
                right = i + 1 if i + 1 < nx else 0
                for s in range(6):
                    out[s, k, j, i] = strain[s]
                for c in range(3):
                    a, b = u[c, k, j, i], u[c, k, j, right]
                    d, e = u[c, k, behind, i], u[c, k, behind, right]
                    f, g = u[c, above, j, i], u[c, above, j, right]
                    p, q = u[c, above, behind, i], u[c, above, behind, right]
                    z = slopes[0] * (f + g + p + q - a - b - d - e)
                    y = slopes[1] * (d + e + p + q - a - b - f - g)
                    x = slopes[2] * (b + e + g + q - a - d - f - p)
                    if c == 0:
                        out[0, k, j, i] += z
                        out[5, k, j, i] += y
                        out[4, k, j, i] += x
                    elif c == 1:
                        out[5, k, j, i] += z
                        out[1, k, j, i] += y
                        out[3, k, j, i] += x
                    else:
                        out[4, k, j, i] += z
                        out[3, k, j, i] += y
                        out[2, k, j, i] += x


@njit(**FAST)
def load(first, end, out, stress, slopes, volume):
    """Set out to the forces of a stress that is uniform in each element, shape (6, nz, ny, nx)."""
    nz, ny, nx = stress.shape[1:]
    for k in range(first, end):
        for j in range(ny):
            for i in range(nx):
                z, y, x = 0.0, 0.0, 0.0
                for n in range(8):
                    kk, jj, ii = k - (n >> 2), j - (n >> 1 & 1), i - (n & 1)
                    kk, jj, ii = kk + nz * (kk < 0), jj + ny * (jj < 0), ii + nx * (ii < 0)
                    gz = slopes[0] if n >> 2 else -slopes[0]
                    gy = slopes[1] if n >> 1 & 1 else -slopes[1]
                    gx = slopes[2] if n & 1 else -slopes[2]
                    yx, zx, zy = stress[3, kk, jj, ii], stress[4, kk, jj, ii], stress[5, kk, jj, ii]
                    z += gz * stress[0, kk, jj, ii] + gy * zy + gx * zx
                    y += gz * zy + gy * stress[1, kk, jj, ii] + gx * yx
                    x += gz * zx + gy * yx + gx * stress[2, kk, jj, ii]
                out[0, k, j, i] = volume * z
                out[1, k, j, i] = volume * y
                out[2, k, j, i] = volume * x


@njit(**FAST)
def add_cut_loads(out, totals, forces, number, cut, shares, loads, affine, stresses):
    """Add the forces of stresses in the two parts of elements that are cut, shape (2, 6, n)."""
    nz, ny, nx = number.shape
    found = 0
    for k in range(nz):
        for j in range(ny):
            for i in range(nx):
                m = number[k, j, i]
                if cut[m] < 0:
                    continue
                _forces_of_parts(forces, loads[cut[m]], stresses, found, shares[m])
                found += 1
                for n in range(8):
                    kk, jj, ii = k + (n >> 2), j + (n >> 1 & 1), i + (n & 1)
                    kk, jj, ii = kk - nz * (kk == nz), jj - ny * (jj == ny), ii - nx * (ii == nx)
                    for c in range(3):
                        out[c, kk, jj, ii] += forces[3 * n + c]
                for s in range(6):
                    for row in range(24):
                        totals[s] += affine[row, s] * forces[row]


@njit(**INNER)
def _forces_of_parts(forces, loads, stresses, found, share):
    for row in range(24):
        total = 0.0
        for part in range(2):
            for s in range(6):
                total += loads[part, row, s] * stresses[part, s, found]
        forces[row] = share * total


@njit(**FAST)
def cut_strains(out, moved, u, strain, number, cut, strains, kinks, affine, steps):
    """Set out, shape (2, 6, n), to the mean strains in the parts of elements that are cut.

    `steps`, shape (6, n), are the differences of the stresses of the eigenstrains.
    """
    nz, ny, nx = number.shape
    found = 0
    for k in range(nz):
        for j in range(ny):
            for i in range(nx):
                row = cut[number[k, j, i]]
                if row < 0:
                    continue
                for n in range(8):
                    kk, jj, ii = k + (n >> 2), j + (n >> 1 & 1), i + (n & 1)
                    kk, jj, ii = kk - nz * (kk == nz), jj - ny * (jj == ny), ii - nx * (ii == nx)
                    for c in range(3):
                        value = u[c, kk, jj, ii]
                        for s in range(6):
                            value += affine[3 * n + c, s] * strain[s]
                        moved[3 * n + c] = value
                for part in range(2):
                    for s in range(6):
                        total = 0.0
                        for c in range(24):
                            total += strains[row, part, s, c] * moved[c]
                        for c in range(6):
                            total += kinks[row, part, s, c] * steps[c, found]
                        out[part, s, found] = total
                found += 1
