"""A mesh of tetrahedra that can change: compiled primitives.

All tetrahedra at a vertex hang on a chain. A chain is made of corners; corner 4 t + i is vertex i
of tetrahedron t.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..numerics.compiling import INNER, OPTIONS

DEAD = -1
VERTICES, CELLS, FREE, CLOCK = 0, 1, 2, 3  # places in `Complex.counts`
STAR = 512  # tetrahedra at a vertex at most; what would make more is not done
RINGS = 256  # neighbours of a vertex that are looked at; a star of 508 tetrahedra has as many
WIDE = STAR + 8  # room for the faces of a star: rows a power of two apart would share cache lines
TINY = 1e-300


class Complex(NamedTuple):
    """Tetrahedra, and room for more.

    Parameters
    ----------
    points : ndarray of float, shape (vertex room, 3)
        In the order (z, y, x).
    box : ndarray of uint8, shape (vertex room,)
        Bits of the faces of the box that each vertex lies on, two per axis.
    sets : ndarray of int64, shape (vertex room,)
        Bits of the phases that meet at each vertex.
    cells : ndarray of int32, shape (cell room, 4)
        Vertices of positively oriented tetrahedra; the first is -1 where there is none.
    phase : ndarray of int16, shape (cell room,)
    first : ndarray of int32, shape (vertex room,)
        First corner of the chain of each vertex, -1 where it is empty.
    after : ndarray of int32, shape (4 * cell room,)
        Next corner of the chain.
    free : ndarray of int32, shape (cell room,)
        Stack of places for tetrahedra that are free again.
    changed : ndarray of int32, shape (vertex room,)
        When something changed last in the star of each vertex.
    counts : ndarray of int64, shape (4,)
        Vertices, places for tetrahedra ever used, places on the stack, and the time: a number that
        grows with each pass over the mesh.
    """

    points: NDArray[np.float64]
    box: NDArray[np.uint8]
    sets: NDArray[np.int64]
    cells: NDArray[np.int32]
    phase: NDArray[np.int16]
    first: NDArray[np.int32]
    after: NDArray[np.int32]
    free: NDArray[np.int32]
    changed: NDArray[np.int32]
    counts: NDArray[np.int64]


@njit(**OPTIONS)
def link_all(mesh):
    """Hang all tetrahedra on the chains of their vertices."""
    mesh.first[:] = -1
    for t in range(mesh.counts[CELLS] - 1, -1, -1):
        if mesh.cells[t, 0] != DEAD:
            link(mesh, t)


@njit(**INNER)
def link(mesh, t):
    """Hang a tetrahedron on the chains of its vertices."""
    for i in range(4):
        hang(mesh, t, i)


@njit(**INNER)
def hang(mesh, t, i):
    """Hang one corner on the chain of its vertex."""
    v = mesh.cells[t, i]
    mesh.changed[v] = mesh.counts[CLOCK]
    mesh.after[4 * t + i] = mesh.first[v]
    mesh.first[v] = 4 * t + i


@njit(**INNER)
def unhang(mesh, t, i):
    """Take one corner off the chain of its vertex."""
    v = mesh.cells[t, i]
    corner = 4 * t + i
    at = mesh.first[v]
    if at == corner:
        mesh.first[v] = mesh.after[corner]
        return
    while mesh.after[at] != corner:
        at = mesh.after[at]
    mesh.after[at] = mesh.after[corner]


@njit(**INNER)
def add(mesh, a, b, c, d, phase):
    """Add a tetrahedron; return its place."""
    counts = mesh.counts
    if counts[FREE] > 0:
        counts[FREE] -= 1
        t = mesh.free[counts[FREE]]
    else:
        t = counts[CELLS]
        counts[CELLS] += 1
    cell = mesh.cells[t]
    cell[0], cell[1], cell[2], cell[3] = a, b, c, d
    mesh.phase[t] = phase
    link(mesh, t)
    return t


@njit(**INNER)
def remove(mesh, t):
    """Remove a tetrahedron."""
    for i in range(4):
        unhang(mesh, t, i)
    mesh.cells[t, 0] = DEAD
    mesh.free[mesh.counts[FREE]] = t
    mesh.counts[FREE] += 1


@njit(**INNER)
def rename(mesh, t, old, new):
    """Give a tetrahedron another vertex in the place of one."""
    i = place(mesh, t, old)
    unhang(mesh, t, i)
    mesh.cells[t, i] = new
    hang(mesh, t, i)


@njit(**INNER)
def place(mesh, t, v):
    """Return the place of a vertex in a tetrahedron, -1 if it is none of its vertices."""
    for i in range(4):
        if mesh.cells[t, i] == v:
            return i
    return -1


@njit(**INNER)
def mark_star(mesh, tets, n):
    """Note at the vertices of some tetrahedra that something changed."""
    for k in range(n):
        for i in range(4):
            mesh.changed[mesh.cells[tets[k], i]] = mesh.counts[CLOCK]


@njit(**INNER)
def star(mesh, v, out):
    """Write the tetrahedra at a vertex; return how many, one more than fit if they do not."""
    n = 0
    corner = mesh.first[v]
    while corner >= 0:
        if n == out.size:
            return n + 1
        out[n] = corner >> 2
        n += 1
        corner = mesh.after[corner]
    return n


@njit(**INNER)
def edge_star(mesh, u, v, out):
    """Write the tetrahedra at an edge; return how many, one more than fit if they do not."""
    n = 0
    corner = mesh.first[u]
    while corner >= 0:
        t = corner >> 2
        if place(mesh, t, v) >= 0:
            if n == out.size:
                return n + 1
            out[n] = t
            n += 1
        corner = mesh.after[corner]
    return n


@njit(**INNER)
def split_edge(mesh, u, v, z, y, x, phases, tets):
    """Put a vertex on an edge and halve all tetrahedra at the edge; return the vertex, or -1."""
    n = edge_star(mesh, u, v, tets)
    if n == 0 or n > tets.size:
        return -1
    m = mesh.counts[VERTICES]
    mesh.counts[VERTICES] += 1
    mesh.points[m, 0], mesh.points[m, 1], mesh.points[m, 2] = z, y, x
    mesh.box[m] = mesh.box[u] & mesh.box[v]
    mesh.sets[m] = phases
    mesh.first[m] = -1
    for k in range(n):
        t = tets[k]
        a, b = mesh.cells[t, 0], mesh.cells[t, 1]
        c, d = mesh.cells[t, 2], mesh.cells[t, 3]
        rename(mesh, t, v, m)
        a = m if a == u else a
        b = m if b == u else b
        c = m if c == u else c
        d = m if d == u else d
        add(mesh, a, b, c, d, mesh.phase[t])
    return m


@njit(**INNER)
def _lower(a, b):
    """Return the lower of two numbers; `min` would be compiled as a branch, seldom foreseen."""
    return a if a < b else b


@njit(**INNER)
def _quality(az, ay, ax, bz, by, bx, cz, cy, cx):
    """Return the smallest sine of a dihedral angle, from the three edges at a vertex.

    At an edge of length l between faces of area A and B, the sine is 3 V l / (2 A B). It is
    negative if the tetrahedron is inverted.
    """
    # Twice the area vectors of the faces at the vertex, and of the one opposite.
    uz, uy, ux = by * cx - bx * cy, bx * cz - bz * cx, bz * cy - by * cz
    vz, vy, vx = cy * ax - cx * ay, cx * az - cz * ax, cz * ay - cy * az
    wz, wy, wx = ay * bx - ax * by, ax * bz - az * bx, az * by - ay * bz
    oz, oy, ox = uz + vz + wz, uy + vy + wy, ux + vx + wx
    volume = az * uz + ay * uy + ax * ux
    uu, vv = uz * uz + uy * uy + ux * ux, vz * vz + vy * vy + vx * vx
    ww, oo = wz * wz + wy * wy + wx * wx, oz * oz + oy * oy + ox * ox
    dz, dy, dx = bz - az, by - ay, bx - ax
    ez, ey, ex = cz - az, cy - ay, cx - ax
    fz, fy, fx = cz - bz, cy - by, cx - bx
    first = _lower((az * az + ay * ay + ax * ax) * uu, (bz * bz + by * by + bx * bx) * vv)
    first = _lower(first, (cz * cz + cy * cy + cx * cx) * ww) * oo
    second = _lower((dz * dz + dy * dy + dx * dx) * vv, (ez * ez + ey * ey + ex * ex) * ww) * uu
    second = _lower(second, (fz * fz + fy * fy + fx * fx) * vv * ww)
    product = uu * vv * ww * oo
    # A face without area leaves no volume either.
    return volume * np.sqrt(_lower(first, second) / (product if product > TINY else TINY))


@njit(**INNER)
def quality(p, q, r, s):
    """Return the smallest sine of a dihedral angle of a tetrahedron, negative if inverted."""
    return _quality(
        q[0] - p[0],
        q[1] - p[1],
        q[2] - p[2],
        r[0] - p[0],
        r[1] - p[1],
        r[2] - p[2],
        s[0] - p[0],
        s[1] - p[1],
        s[2] - p[2],
    )


@njit(**INNER)
def cell_quality(mesh, t):
    """Return the quality of a tetrahedron."""
    c, x = mesh.cells[t], mesh.points
    return quality(x[c[0]], x[c[1]], x[c[2]], x[c[3]])


@njit(**INNER)
def star_quality(mesh, tets, n, floor):
    """Return the lowest quality of some tetrahedra; stop once it is below a floor."""
    worst = 2.0
    for k in range(n):
        worst = _lower(worst, cell_quality(mesh, tets[k]))
        if worst < floor:
            break
    return worst


@njit(**INNER)
def opposite_faces(mesh, v, tets, faces):
    """Write the tetrahedra at a vertex, and their faces opposite to it; return how many.

    One more than fit if they do not. The faces are coordinates side by side, as the vector units
    take them: faces[3 i + d, k] is coordinate d of vertex i of face k.
    """
    n = 0
    corner = mesh.first[v]
    while corner >= 0:
        if n == tets.size:
            return n + 1
        t, i = corner >> 2, corner & 3
        tets[n] = t
        a, b, c = mesh.cells[t, (i + 1) & 3], mesh.cells[t, (i + 2) & 3], mesh.cells[t, (i + 3) & 3]
        if i & 1:
            b, c = c, b
        for d in range(3):
            faces[d, n] = mesh.points[a, d]
            faces[3 + d, n] = mesh.points[b, d]
            faces[6 + d, n] = mesh.points[c, d]
        n += 1
        corner = mesh.after[corner]
    return n


@njit(**INNER)
def qualities_at(z, y, x, faces, n, out):
    """Write the quality of the tetrahedra between a point and some faces."""
    for k in range(n):
        out[k] = _quality(
            faces[0, k] - z,
            faces[1, k] - y,
            faces[2, k] - x,
            faces[3, k] - z,
            faces[4, k] - y,
            faces[5, k] - x,
            faces[6, k] - z,
            faces[7, k] - y,
            faces[8, k] - x,
        )


@njit(**INNER)
def fixed_axes(box):
    """Return the bits of the axes along which a vertex with these box bits may not move."""
    return ((box & 3) != 0) + 2 * ((box & 12) != 0) + 4 * ((box & 48) != 0)


@njit(**INNER)
def count_bits(bits):
    """Return how many bits are set."""
    n = 0
    while bits:
        bits &= bits - 1
        n += 1
    return n


@njit(**OPTIONS)
def gather_sets(mesh):
    """Set the phases that meet at each vertex from the tetrahedra there."""
    mesh.sets[: mesh.counts[VERTICES]] = 0
    for t in range(mesh.counts[CELLS]):
        if mesh.cells[t, 0] != DEAD:
            for i in range(4):
                mesh.sets[mesh.cells[t, i]] |= 1 << mesh.phase[t]


@njit(**OPTIONS)
def qualities(first, end, points, cells, out):
    """Write the quality of each tetrahedron, shape (m,)."""
    faces, values = np.empty((9, WIDE)), np.empty(STAR)
    for low in range(first, end, STAR):
        n = min(STAR, end - low)
        for k in range(n):
            c = cells[low + k]
            for i in range(3):
                for d in range(3):
                    faces[3 * i + d, k] = points[c[i + 1], d] - points[c[0], d]
        qualities_at(0.0, 0.0, 0.0, faces, n, values)
        for k in range(n):
            out[low + k] = values[k]


@njit(**OPTIONS)
def cells_around(mesh, vertices, found):
    """Write the tetrahedra at some vertices, several times if at several; return how many.

    `found` may be empty, to count only.
    """
    n = 0
    for k in range(vertices.size):
        corner = mesh.first[vertices[k]]
        while corner >= 0:
            if found.size:
                found[n] = corner >> 2
            n += 1
            corner = mesh.after[corner]
    return n
