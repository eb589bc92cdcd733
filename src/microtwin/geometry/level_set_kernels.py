"""Compiled kernels that cut dual cells with a level set; `level_set` says what they compute."""

from __future__ import annotations

import numpy as np
from numba import njit

from microtwin.geometry.kernels import ALL_OTHER, FULL, voxel_index
from microtwin.numerics.compiling import OPTIONS


@njit(**OPTIONS)
def _corners(corner, field, k, j, i, periodic):
    """Fetch the eight values around a dual cell; the voxel indices of its high corner are given."""
    nz, ny, nx = field.shape
    for c in range(8):
        kk = voxel_index(k - 1 + (c >> 2 & 1), nz, periodic)
        jj = voxel_index(j - 1 + (c >> 1 & 1), ny, periodic)
        ii = voxel_index(i - 1 + (c & 1), nx, periodic)
        corner[c] = field[kk, jj, ii]


@njit(**OPTIONS)
def classify(first, end, cells, mixed, field, periodic):
    """Mark each dual cell as full (0), empty (ALL_OTHER) or cut (-1), and count the last ones."""
    corner = np.empty(8, np.float32)
    for k in range(first, end):
        for j in range(cells.shape[1]):
            for i in range(cells.shape[2]):
                _corners(corner, field, k, j, i, periodic)
                inside = 0
                for c in range(8):
                    inside += corner[c] >= 0.0
                cells[k, j, i] = 0 if inside == 8 else (ALL_OTHER if inside == 0 else -1)
                mixed[k] += cells[k, j, i] == -1


@njit(**OPTIONS)
def _triangle(a, b, c):
    """Return the share of a triangle in which a linear field with these values is positive."""
    inside = (a >= 0) + (b >= 0) + (c >= 0)
    if inside == 0 or inside == 3:
        return 1.0 if inside else 0.0
    if (b >= 0) != (a >= 0) and (b >= 0) != (c >= 0):
        a, b = b, a
    elif (c >= 0) != (a >= 0) and (c >= 0) != (b >= 0):
        a, c = c, a
    corner = a * a / ((a - b) * (a - c))
    return corner if inside == 1 else 1.0 - corner


@njit(**OPTIONS)
def _tetrahedron(a, b, c, d):
    """Return the share of a tetrahedron in which a linear field with these values is positive."""
    v = np.sort(np.array([a, b, c, d]))
    if v[0] >= 0 or v[3] < 0:
        return 1.0 if v[0] >= 0 else 0.0
    if v[1] >= 0:
        return 1.0 + v[0] ** 3 / ((v[1] - v[0]) * (v[2] - v[0]) * (v[3] - v[0]))
    if v[2] < 0:
        return v[3] ** 3 / ((v[3] - v[0]) * (v[3] - v[1]) * (v[3] - v[2]))
    # Two and two: the wedge at the two high corners.
    p, q = v[3], v[2]
    s, t = p / (p - v[0]), p / (p - v[1])
    e, f = q / (q - v[0]), q / (q - v[1])
    return s * t * (1 - f) + s * f * (1 - e) + e * f


@njit(**OPTIONS)
def slice_cells(first, end, cells, start, field, periodic, edges, faces, octants):
    """Cut the quarter faces and octants of each mixed dual cell with the zero surface.

    Trilinear interpolation at the corners of an octant is a mean over 1, 2, 4 or 8 voxels.
    """
    corner = np.empty(8, np.float32)
    value = np.empty((3, 3, 3))  # the field at half steps through the dual cell
    for k in range(first, end):
        row = start[k]
        for j in range(cells.shape[1]):
            for i in range(cells.shape[2]):
                if cells[k, j, i] != -1:
                    continue
                cells[k, j, i] = row
                _corners(corner, field, k, j, i, periodic)
                for a in range(3):
                    for b in range(3):
                        for g in range(3):
                            total = 0.0
                            for c in range(8):
                                z = 0.5 * a if c >> 2 & 1 else 1 - 0.5 * a
                                y = 0.5 * b if c >> 1 & 1 else 1 - 0.5 * b
                                x = 0.5 * g if c & 1 else 1 - 0.5 * g
                                total += z * y * x * corner[c]
                            value[a, b, g] = total
                for e in range(12):
                    faces[row, e] = round(FULL * _quarter(value, edges[e, 0], e // 4))
                for c in range(8):
                    octants[row, c] = round(FULL * _octant(value, c))
                row += 1


@njit(**OPTIONS)
def _quarter(value, low, axis):
    """Return the share of the quarter face on the edge that starts at a corner along an axis."""
    a, b, c = low >> 2 & 1, low >> 1 & 1, low & 1
    # Coordinates in half steps: the corner at the edge, and the centre of the cell.
    if axis == 0:
        v00, v11 = value[1, 2 * b, 2 * c], value[1, 1, 1]
        v01, v10 = value[1, 2 * b, 1], value[1, 1, 2 * c]
    elif axis == 1:
        v00, v11 = value[2 * a, 1, 2 * c], value[1, 1, 1]
        v01, v10 = value[2 * a, 1, 1], value[1, 1, 2 * c]
    else:
        v00, v11 = value[2 * a, 2 * b, 1], value[1, 1, 1]
        v01, v10 = value[2 * a, 1, 1], value[1, 2 * b, 1]
    return 0.5 * (_triangle(v00, v01, v11) + _triangle(v00, v10, v11))


@njit(**OPTIONS)
def _octant(value, c):
    """Return the share of an octant: six tetrahedra around the line from voxel to centre."""
    a, b, g = 2 * (c >> 2 & 1), 2 * (c >> 1 & 1), 2 * (c & 1)
    tip, centre = value[a, b, g], value[1, 1, 1]
    z, y, x = value[1, b, g], value[a, 1, g], value[a, b, 1]
    zy, zx, yx = value[1, 1, g], value[1, b, 1], value[a, 1, 1]
    total = _tetrahedron(tip, z, zy, centre) + _tetrahedron(tip, z, zx, centre)
    total += _tetrahedron(tip, y, zy, centre) + _tetrahedron(tip, y, yx, centre)
    total += _tetrahedron(tip, x, zx, centre) + _tetrahedron(tip, x, yx, centre)
    return total / 6.0
