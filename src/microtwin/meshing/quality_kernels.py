"""Compiled kernels that measure tetrahedra; `quality` says what."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from ..numerics.compiling import OPTIONS
from .complex_kernels import CELLS, place


@njit(**OPTIONS)
def shapes(first, end, points, cells, out):
    """Write how each tetrahedron is shaped, shape (m, 4).

    Smallest and largest dihedral angle in degrees; the aspect ratio, longest edge over the radius
    of the inscribed sphere, and the scaled Jacobian, the volume spanned by the three edges at a
    corner over the product of their lengths, smallest of the corners: both 1 if regular.
    """
    normal = np.empty((4, 3))
    edge = np.empty((6, 3))
    length = np.empty(6)
    for t in range(first, end):
        c = cells[t]
        m = 0
        for i in range(4):
            for j in range(i):
                for d in range(3):
                    edge[m, d] = points[c[i], d] - points[c[j], d]
                length[m] = math.sqrt(edge[m, 0] ** 2 + edge[m, 1] ** 2 + edge[m, 2] ** 2)
                m += 1
        volume = 0.0
        surface = 0.0
        for i in range(4):
            p, q, r = points[c[(i + 1) & 3]], points[c[(i + 2) & 3]], points[c[(i + 3) & 3]]
            az, ay, ax = q[0] - p[0], q[1] - p[1], q[2] - p[2]
            bz, by, bx = r[0] - p[0], r[1] - p[1], r[2] - p[2]
            sign = -1.0 if i & 1 else 1.0
            nz = sign * (ay * bx - ax * by)
            ny = sign * (ax * bz - az * bx)
            nx = sign * (az * by - ay * bz)
            size = math.sqrt(nz * nz + ny * ny + nx * nx)
            surface += 0.5 * size
            o = points[c[i]]
            if i == 0:
                volume = (nz * (p[0] - o[0]) + ny * (p[1] - o[1]) + nx * (p[2] - o[2])) / 6.0
            size = max(size, 1e-300)
            normal[i, 0], normal[i, 1], normal[i, 2] = nz / size, ny / size, nx / size
        low, high = 180.0, 0.0
        for i in range(4):
            for j in range(i):
                dot = 0.0
                for d in range(3):
                    dot -= normal[i, d] * normal[j, d]
                angle = math.degrees(math.acos(min(1.0, max(-1.0, dot))))
                low, high = min(low, angle), max(high, angle)
        longest = length.max()
        # Edges in the order 10, 20, 21, 30, 31, 32.
        jacobian = length[0] * length[1] * length[3]
        jacobian = max(jacobian, length[0] * length[2] * length[4])
        jacobian = max(jacobian, length[1] * length[2] * length[5])
        jacobian = max(jacobian, length[3] * length[4] * length[5])
        out[t, 0], out[t, 1] = low, high
        if volume > 0.0:
            out[t, 2] = longest * surface / (3.0 * volume) / (2.0 * math.sqrt(6.0))
        else:
            out[t, 2] = np.inf
        out[t, 3] = math.sqrt(2.0) * 6.0 * volume / jacobian


@njit(**OPTIONS)
def face_pairs(mesh, pairs):
    """Write the other tetrahedron at each face, shape (m, 4); return how many faces do not fit.

    -1 stands for a face on the box. A face fits if it is shared by two tetrahedra or, on the box,
    belongs to one.
    """
    wrong = 0
    for t in range(mesh.counts[CELLS]):
        for i in range(4):
            a, b = mesh.cells[t, (i + 1) & 3], mesh.cells[t, (i + 2) & 3]
            c = mesh.cells[t, (i + 3) & 3]
            others, other = 0, -1
            corner = mesh.first[a]
            while corner >= 0:
                s = corner >> 2
                if s != t and place(mesh, s, b) >= 0 and place(mesh, s, c) >= 0:
                    others += 1
                    other = s
                corner = mesh.after[corner]
            on_box = mesh.box[a] & mesh.box[b] & mesh.box[c] != 0
            wrong += others != (0 if on_box else 1)
            pairs[t, i] = other
    return wrong
