"""Compiled kernels that build coarse spaces of typed pieces (see `typed_levels`).

Pieces lie in the cells of a coarse grid; a cell may hold several. Each has eight corners, bit 2 of
whose number says that it is the upper one along z, bit 1 along y, bit 0 along x.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from microtwin.numerics.compiling import ALLOCATING, FAST, INNER


@njit(**INNER)
def root(parent, a):
    """Return what stands for the set of a; paths are halved on the way."""
    while parent[a] != a:
        parent[a] = parent[parent[a]]
        a = parent[a]
    return a


@njit(**INNER)
def unite(parent, a, b):
    """Make one set of two; the smaller number stands for it."""
    a, b = root(parent, a), root(parent, b)
    if a < b:
        parent[b] = a
    elif b < a:
        parent[a] = b


@njit(**FAST)
def pieces_of_voxels(kinds, cells, piece, cell_of, local):
    """Give numbers to the pieces: voxels of one kind within 2 x 2 x 2 that are joined by faces.

    `kinds` holds the kind of each voxel, 0 for void. `piece` takes the piece of each voxel, -1 for
    none, and `cell_of` the cell of each piece; `local` is room for eight.

    Returns
    -------
    count : int
    """
    nz, ny, nx = kinds.shape
    count = 0
    for cell in range(cells[0] * cells[1] * cells[2]):
        z = cell // (cells[1] * cells[2])
        y = cell // cells[2] % cells[1]
        x = cell % cells[2]
        for n in range(8):
            local[n] = n
        for n in range(8):
            k, j, i = 2 * z + (n >> 2), 2 * y + (n >> 1 & 1), 2 * x + (n & 1)
            if k >= nz or j >= ny or i >= nx:
                continue
            kind = kinds[k, j, i]
            if kind == 0:
                continue
            if n & 4 and kinds[k - 1, j, i] == kind:
                unite(local, n, n - 4)
            if n & 2 and kinds[k, j - 1, i] == kind:
                unite(local, n, n - 2)
            if n & 1 and kinds[k, j, i - 1] == kind:
                unite(local, n, n - 1)
        for n in range(8):
            k, j, i = 2 * z + (n >> 2), 2 * y + (n >> 1 & 1), 2 * x + (n & 1)
            if k >= nz or j >= ny or i >= nx:
                continue
            if kinds[k, j, i] == 0:
                piece[k, j, i] = -1
                continue
            top = root(local, n)
            if top == n:
                piece[k, j, i] = count
                cell_of[count] = cell
                count += 1
            else:
                piece[k, j, i] = piece[
                    2 * z + (top >> 2), 2 * y + (top >> 1 & 1), 2 * x + (top & 1)
                ]
    return count


@njit(**FAST)
def links_of_voxels(kinds, piece, links):
    """List the pairs of pieces that share faces of voxels across a face of coarse cells.

    `links`, shape (m, 3), takes lower piece, upper piece and axis. A pair of one face is listed
    once. Without room (m = 0) they are only counted.

    Returns
    -------
    count : int
    """
    nz, ny, nx = kinds.shape
    count = 0
    for axis in range(3):
        length = kinds.shape[axis]
        sz, sy, sx = 1 if axis == 0 else 2, 1 if axis == 1 else 2, 1 if axis == 2 else 2
        for k0 in range(0, nz, sz):
            for j0 in range(0, ny, sy):
                for i0 in range(0, nx, sx):
                    at = k0 if axis == 0 else (j0 if axis == 1 else i0)
                    if at % 2 == 0 and at + 1 < length:
                        continue  # within a cell
                    a0, b0, a1, b1, a2, b2 = -1, -1, -1, -1, -1, -1
                    for n in range(4):
                        if axis == 0:
                            k, j, i = k0, j0 + (n >> 1), i0 + (n & 1)
                        elif axis == 1:
                            k, j, i = k0 + (n >> 1), j0, i0 + (n & 1)
                        else:
                            k, j, i = k0 + (n >> 1), j0 + (n & 1), i0
                        if k >= nz or j >= ny or i >= nx:
                            continue
                        kk = k + 1 if axis == 0 else k
                        jj = j + 1 if axis == 1 else j
                        ii = i + 1 if axis == 2 else i
                        kk, jj, ii = kk * (kk < nz), jj * (jj < ny), ii * (ii < nx)
                        kind = kinds[k, j, i]
                        if kind == 0 or kinds[kk, jj, ii] != kind:
                            continue
                        p, q = piece[k, j, i], piece[kk, jj, ii]
                        if (p == a0 and q == b0) or (p == a1 and q == b1) or (p == a2 and q == b2):
                            continue
                        a2, b2, a1, b1, a0, b0 = a1, b1, a0, b0, p, q
                        if links.shape[0] > 0:
                            links[count, 0], links[count, 1], links[count, 2] = p, q, axis
                        count += 1
    return count


@njit(**FAST)
def unite_corners(parent, links):
    """Make one of the corners that pieces share across faces; corner n of piece p is 8 p + n."""
    for m in range(links.shape[0]):
        p, q, bit = links[m, 0], links[m, 1], 4 >> links[m, 2]
        for n in range(8):
            if n & bit:
                unite(parent, 8 * p + n, 8 * q + n - bit)


@njit(**FAST)
def unite_pieces(parent, links, inner):
    """Make one of the pieces that links join within a coarse cell."""
    for m in range(links.shape[0]):
        if inner[m]:
            unite(parent, links[m, 0], links[m, 1])


@njit(**INNER)
def weights(code, corners, values):
    """List the corners of a cell that a place in it depends on, and how much; return their number.

    `code` is 9 a + 3 b + c for a place at a / 2, b / 2, c / 2 of the edges.
    """
    a, b, c = code // 9, code // 3 % 3, code % 3
    count = 0
    for n in range(8):
        u, v, w = n >> 2, n >> 1 & 1, n & 1
        value = (a if u else 2 - a) * (b if v else 2 - b) * (c if w else 2 - c)
        if value > 0:
            corners[count], values[count] = n, value * 0.125
            count += 1
    return count


@njit(**INNER)
def half_edges(at, upper, length):
    """Return where the lower or upper side of a layer lies in its coarse cell, in half edges.

    The last cell of an odd number of layers has but one.
    """
    if at == length - 1 and at % 2 == 0:
        return 2 * upper
    return at % 2 + upper


@njit(**INNER)
def home_of(octant, k, j, i, nz, ny, nx):
    """Return the voxel from whose piece a node takes its place, and the code of the place."""
    kk, jj, ii = k - (octant >> 2), j - (octant >> 1 & 1), i - (octant & 1)
    kk, jj, ii = kk + nz * (kk < 0), jj + ny * (jj < 0), ii + nx * (ii < 0)
    code = 9 * half_edges(kk, octant >> 2, nz) + 3 * half_edges(jj, octant >> 1 & 1, ny)
    return kk, jj, ii, code + half_edges(ii, octant & 1, nx)


@njit(**FAST)
def homes_of_nodes(first, end, kinds, octant):
    """Set from which of the eight voxels around it a node takes its place; 255 if none is solid.

    Bits of an octant say that the voxel lies below the node. Stiffer kinds go before.
    """
    nz, ny, nx = kinds.shape
    for k in range(first, end):
        for j in range(ny):
            for i in range(nx):
                best, found = 0, 255
                for n in range(8):
                    kk, jj, ii = k - (n >> 2), j - (n >> 1 & 1), i - (n & 1)
                    kk, jj = kk + nz * (kk < 0), jj + ny * (jj < 0)
                    kind = kinds[kk, jj, ii + nx * (ii < 0)]
                    if kind > best:
                        best, found = kind, n
                octant[k, j, i] = found


@njit(**FAST)
def mark_corners(octant, piece, parent, held, used, touched, corners, values):
    """Mark the corners on which some node depends, and those on which held components do."""
    nz, ny, nx = octant.shape
    for k in range(nz):
        for j in range(ny):
            for i in range(nx):
                if octant[k, j, i] == 255:
                    continue
                kk, jj, ii, code = home_of(octant[k, j, i], k, j, i, nz, ny, nx)
                for m in range(weights(code, corners, values)):
                    top = root(parent, 8 * piece[kk, jj, ii] + corners[m])
                    used[top] = 1
                    for c in range(3):
                        if held[c, k, j, i]:
                            touched[top, c] = True


@njit(**FAST)
def number_corners(parent, used, unknowns, owner):
    """Give numbers to the corners that are used; `owner` takes the first corner of each.

    Returns
    -------
    count : int
    """
    count = 0
    for m in range(parent.shape[0]):
        top = root(parent, m)
        if not used[top]:
            unknowns[m] = -1
        elif top == m:
            unknowns[m] = count
            owner[count] = m
            count += 1
        else:
            unknowns[m] = unknowns[top]
    return count


# The matrix of the first coarse level, cell by cell.


@njit(**INNER)
def _cell_unknowns(
    z, y, x, octant, piece, unknowns, number, void, found, place, weight, many, room
):
    """List the unknowns of a coarse cell, and for its 27 nodes their places in that list.

    Nodes that none of its solid voxels touches are left out.

    Returns
    -------
    count : int
    """
    nz, ny, nx = number.shape
    corners, values = room
    count = 0
    for n in range(27):
        a, b, c = n // 9, n // 3 % 3, n % 3
        many[n] = 0
        touched = False
        for m in range(8):
            p, q, r = a - (m >> 2), b - (m >> 1 & 1), c - (m & 1)
            if p < 0 or q < 0 or r < 0 or p > 1 or q > 1 or r > 1:
                continue
            p, q, r = 2 * z + p, 2 * y + q, 2 * x + r
            if p < nz and q < ny and r < nx and number[p, q, r] != void:
                touched = True
        if not touched:
            continue
        k, j, i = 2 * z + a, 2 * y + b, 2 * x + c
        k, j, i = k - nz * (k >= nz), j - ny * (j >= ny), i - nx * (i >= nx)
        if octant[k, j, i] == 255:
            continue
        kk, jj, ii, code = home_of(octant[k, j, i], k, j, i, nz, ny, nx)
        at = 8 * piece[kk, jj, ii]
        for m in range(weights(code, corners, values)):
            u = unknowns[at + corners[m]]
            spot = 0
            while spot < count and found[spot] != u:
                spot += 1
            if spot == count:
                found[count] = u
                count += 1
            place[n, m], weight[n, m] = spot, values[m]
            many[n] = m + 1
    return count


@njit(**ALLOCATING)
def cell_sizes(first, end, cells, octant, piece, unknowns, number, void, sizes, lists, starts):
    """Count the unknowns of each coarse cell, and list them where there is room."""
    found, place, weight = np.empty(216, np.int32), np.empty((27, 8), np.int32), np.empty((27, 8))
    many, room = np.empty(27, np.int32), (np.empty(8, np.int64), np.empty(8))
    for z in range(first, end):
        for y in range(cells[1]):
            for x in range(cells[2]):
                at = (z * cells[1] + y) * cells[2] + x
                n = _cell_unknowns(
                    z, y, x, octant, piece, unknowns, number, void, found, place, weight, many, room
                )
                sizes[at] = n
                if lists.shape[0] > 0:
                    for m in range(n):
                        lists[starts[at] + m] = found[m]


@njit(**ALLOCATING)
def row_sizes(
    first, end, cell_starts, cell_lists, of_starts, of_cells, count, sizes, starts, columns
):
    """Count the unknowns that share a cell with each, and list them where there is room."""
    seen = np.full(count, -1, np.int32)
    for u in range(first, end):
        n = 0
        at = starts[u]
        for m in range(of_starts[u], of_starts[u + 1]):
            cell = of_cells[m]
            for s in range(cell_starts[cell], cell_starts[cell + 1]):
                v = cell_lists[s]
                if seen[v] != u:
                    seen[v] = u
                    if columns.shape[0] > 0:
                        columns[at + n] = v
                    n += 1
        if columns.shape[0] > 0:
            columns[at : at + n].sort()
        sizes[u] = n


@njit(**INNER)
def position(columns, low, high, wanted):
    """Return where a column stands in a row."""
    while high - low > 1:
        middle = (low + high) // 2
        if columns[middle] <= wanted:
            low = middle
        else:
            high = middle
    return low


@njit(**ALLOCATING)
def add_cells(
    first, end, layers, cells, octant, piece, unknowns, number, void, matrices, doubled, held,
    starts, columns, values,
):  # fmt: skip
    """Add the energy of some layers of coarse cells to a matrix of blocks.

    `matrices`, shape (m, 24, 24), holds that of each kind of element, `doubled` that of eight of
    them in the trilinear functions of their cell; `held`, shape (3, nz, ny, nx) or broadcast to it,
    the components that do not move.
    """
    nz, ny, nx = number.shape
    found, place, weight = np.empty(216, np.int32), np.empty((27, 8), np.int32), np.empty((27, 8))
    many, room = np.empty(27, np.int32), (np.empty(8, np.int64), np.empty(8))
    whole = np.empty((27, 27, 3, 3))
    half = np.empty((216, 3, 3))
    mine = np.empty((216, 216, 3, 3))
    free = np.empty((27, 3))
    for position_of_layer in range(first, end):
        z = layers[position_of_layer]
        for y in range(cells[1]):
            for x in range(cells[2]):
                count = _cell_unknowns(
                    z, y, x, octant, piece, unknowns, number, void, found, place, weight, many, room
                )
                if count == 0:
                    continue
                anything_held = False
                for n in range(27):
                    k, j, i = 2 * z + n // 9, 2 * y + n // 3 % 3, 2 * x + n % 3
                    k, j, i = k - nz * (k >= nz), j - ny * (j >= ny), i - nx * (i >= nx)
                    for c in range(3):
                        if many[n] and held[c, k, j, i]:
                            anything_held = True
                            free[n, c] = 0.0
                        else:
                            free[n, c] = 1.0
                kind = number[2 * z, 2 * y, 2 * x]
                same = count == 8 and not anything_held and kind != void
                for m in range(8):
                    k, j, i = 2 * z + (m >> 2), 2 * y + (m >> 1 & 1), 2 * x + (m & 1)
                    same = same and k < nz and j < ny and i < nx
                    if same:
                        same = number[k, j, i] == kind
                mine[:count, :count] = 0.0
                if same:
                    # Places of the corners in the list, in the order of the corners.
                    for m in range(8):
                        a = place[9 * 2 * (m >> 2) + 3 * 2 * (m >> 1 & 1) + 2 * (m & 1), 0]
                        for n in range(8):
                            b = place[9 * 2 * (n >> 2) + 3 * 2 * (n >> 1 & 1) + 2 * (n & 1), 0]
                            for c in range(3):
                                for d in range(3):
                                    mine[a, b, c, d] = doubled[kind, 3 * m + c, 3 * n + d]
                else:
                    whole[...] = 0.0
                    for m in range(8):
                        k, j, i = 2 * z + (m >> 2), 2 * y + (m >> 1 & 1), 2 * x + (m & 1)
                        if k >= nz or j >= ny or i >= nx or number[k, j, i] == void:
                            continue
                        matrix = matrices[number[k, j, i]]
                        for p in range(8):
                            a = 9 * ((m >> 2) + (p >> 2)) + 3 * ((m >> 1 & 1) + (p >> 1 & 1))
                            a += (m & 1) + (p & 1)
                            for q in range(8):
                                b = 9 * ((m >> 2) + (q >> 2)) + 3 * ((m >> 1 & 1) + (q >> 1 & 1))
                                b += (m & 1) + (q & 1)
                                for c in range(3):
                                    for d in range(3):
                                        whole[a, b, c, d] += matrix[3 * p + c, 3 * q + d]
                    for a in range(27):
                        if many[a] == 0:
                            continue
                        half[:count] = 0.0
                        for b in range(27):
                            if abs(a // 9 - b // 9) == 2 or abs(a // 3 % 3 - b // 3 % 3) == 2:
                                continue
                            if abs(a % 3 - b % 3) == 2:
                                continue
                            for m in range(many[b]):
                                v, w = place[b, m], weight[b, m]
                                for c in range(3):
                                    for d in range(3):
                                        half[v, c, d] += w * free[b, d] * whole[a, b, c, d]
                        for m in range(many[a]):
                            u, w = place[a, m], weight[a, m]
                            for v in range(count):
                                for c in range(3):
                                    for d in range(3):
                                        mine[u, v, c, d] += w * free[a, c] * half[v, c, d]
                for u in range(count):
                    low, high = starts[found[u]], starts[found[u] + 1]
                    for v in range(count):
                        at = position(columns, low, high, found[v])
                        for c in range(3):
                            for d in range(3):
                                values[at, c, d] += mine[u, v, c, d]


@njit(**FAST)
def restrict_nodes(first, end, slab, out, r, octant, piece, unknowns, corners, values):
    """Add the forces of some planes of nodes to those of the unknowns, shape (slabs, 3 n)."""
    nz, ny, nx = octant.shape
    for k in range(first, end):
        for j in range(ny):
            for i in range(nx):
                if octant[k, j, i] == 255:
                    continue
                kk, jj, ii, code = home_of(octant[k, j, i], k, j, i, nz, ny, nx)
                at = 8 * piece[kk, jj, ii]
                z, y, x = r[0, k, j, i], r[1, k, j, i], r[2, k, j, i]
                for m in range(weights(code, corners[slab], values[slab])):
                    u = 3 * unknowns[at + corners[slab, m]]
                    w = values[slab, m]
                    out[slab, u] += w * z
                    out[slab, u + 1] += w * y
                    out[slab, u + 2] += w * x


@njit(**FAST)
def prolong_nodes(first, end, slab, u, correction, octant, piece, unknowns, corners, values):
    """Add what the unknowns say to the displacements of some planes of nodes."""
    nz, ny, nx = octant.shape
    for k in range(first, end):
        for j in range(ny):
            for i in range(nx):
                if octant[k, j, i] == 255:
                    continue
                kk, jj, ii, code = home_of(octant[k, j, i], k, j, i, nz, ny, nx)
                at = 8 * piece[kk, jj, ii]
                z, y, x = u[0, k, j, i], u[1, k, j, i], u[2, k, j, i]
                for m in range(weights(code, corners[slab], values[slab])):
                    v = 3 * unknowns[at + corners[slab, m]]
                    w = values[slab, m]
                    z += w * correction[v]
                    y += w * correction[v + 1]
                    x += w * correction[v + 2]
                u[0, k, j, i], u[1, k, j, i], u[2, k, j, i] = z, y, x


@njit(**FAST)
def mark_roots(parent, corners, used):
    """Mark what stands for each of some corners."""
    for m in range(corners.shape[0]):
        used[root(parent, corners[m])] = 1
