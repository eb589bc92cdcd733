"""Compiled kernels that find the facets of a mesh between two phases, or on the box."""

from __future__ import annotations

import numpy as np
from numba import njit

from ..numerics.compiling import INNER, OPTIONS
from .complex_kernels import CELLS, DEAD, count_bits, place
from .field_kernels import difference

FLATTEST = 0.05  # slope of the difference of two fields that counts as none, per voxel


@njit(**INNER)
def _face(mesh, t, i):
    """Return the vertices opposite to one, so that by the right-hand rule the normal points out."""
    cell = mesh.cells[t]
    a, b, c = cell[(i + 1) & 3], cell[(i + 2) & 3], cell[(i + 3) & 3]
    if i & 1:
        b, c = c, b
    return a, b, c


@njit(**INNER)
def _across(mesh, t, a, b, c):
    """Return the tetrahedron on the other side of a face of t, -1 if there is none."""
    corner = mesh.first[a]
    while corner >= 0:
        s = corner >> 2
        if s != t and place(mesh, s, b) >= 0 and place(mesh, s, c) >= 0:
            return s
        corner = mesh.after[corner]
    return -1


@njit(**OPTIONS)
def interface_facets(mesh, facets, phases):
    """Write the facets between two phases, and the phases; return how many there are.

    Parameters
    ----------
    facets : ndarray of int32, shape (n, 3)
        The normal, by the right-hand rule, points out of the first phase, which has the lower
        number. Those beyond its length are only counted.
    phases : ndarray of int16, shape (n, 2)
    """
    n = 0
    for t in range(mesh.counts[CELLS]):
        if mesh.cells[t, 0] == DEAD:
            continue
        for i in range(4):
            a, b, c = _face(mesh, t, i)
            common = mesh.sets[a] & mesh.sets[b] & mesh.sets[c]
            if count_bits(common) < 2:
                continue
            s = _across(mesh, t, a, b, c)
            if s < 0 or mesh.phase[s] <= mesh.phase[t]:
                continue
            if n < facets.shape[0]:
                facets[n, 0], facets[n, 1], facets[n, 2] = a, b, c
                phases[n, 0], phases[n, 1] = mesh.phase[t], mesh.phase[s]
            n += 1
    return n


@njit(**OPTIONS)
def box_facets(mesh, facets, cells, face):
    """Write the facets on the box, their tetrahedra and the box faces; return how many."""
    n = 0
    for t in range(mesh.counts[CELLS]):
        if mesh.cells[t, 0] == DEAD:
            continue
        for i in range(4):
            a, b, c = _face(mesh, t, i)
            common = mesh.box[a] & mesh.box[b] & mesh.box[c]
            if common == 0 or _across(mesh, t, a, b, c) >= 0:
                continue
            if facets.shape[0]:
                facets[n, 0], facets[n, 1], facets[n, 2] = a, b, c
                cells[n] = t
                side = 0
                while not common >> side & 1:
                    side += 1
                face[n] = side
            n += 1
    return n


@njit(**OPTIONS)
def mobilities(mesh, fields, facets, phases, out):
    """Add up how fast each phase grows with the offset of each field, shape (phases, phases).

    Where the offset of a field grows by d, an interface moves by d over the slope of the
    difference of the two fields.
    """
    out[:] = 0.0
    gradient = np.empty(3)
    for n in range(facets.shape[0]):
        p, q = phases[n, 0], phases[n, 1]
        x, y, z = mesh.points[facets[n, 0]], mesh.points[facets[n, 1]], mesh.points[facets[n, 2]]
        u, v = y - x, z - x
        area = 0.5 * np.sqrt(
            (u[1] * v[2] - u[2] * v[1]) ** 2
            + (u[2] * v[0] - u[0] * v[2]) ** 2
            + (u[0] * v[1] - u[1] * v[0]) ** 2
        )
        c = (x + y + z) / 3.0
        difference(fields, c[0], c[1], c[2], p, q, gradient)
        slope = np.sqrt(gradient[0] ** 2 + gradient[1] ** 2 + gradient[2] ** 2)
        rate = area / max(slope, FLATTEST)
        out[p, p] += rate
        out[q, q] += rate
        out[p, q] -= rate
        out[q, p] -= rate
