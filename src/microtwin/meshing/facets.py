"""Facets of a mesh: between two phases, and on the box."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from . import facet_kernels as kernels
from .complex_kernels import Complex

__all__ = ["box_facets", "interface_facets"]


def interface_facets(mesh: Complex) -> tuple[NDArray[np.int32], NDArray[np.int16]]:
    """Return the facets between two phases, and the numbers of these.

    Returns
    -------
    facets : ndarray of int32, shape (n, 3)
        Vertices; the normal points from the first phase to the second.
    phases : ndarray of int16, shape (n, 2)
        The lower number first.
    """
    # Seldom are there more facets than a quarter of the tetrahedra.
    room = len(mesh.cells) // 4
    while True:
        facets, phases = np.empty((room, 3), np.int32), np.empty((room, 2), np.int16)
        n = kernels.interface_facets(mesh, facets, phases)
        if n <= room:
            return facets[:n].copy(), phases[:n].copy()
        room = n


def box_facets(
    mesh: Complex,
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.uint8]]:
    """Return the facets on the box, the tetrahedron of each, and its face of the box (0 to 5).

    Returns
    -------
    facets : ndarray of int32, shape (n, 3)
        Vertices; the normal points out of the box.
    cells : ndarray of int32, shape (n,)
    faces : ndarray of uint8, shape (n,)
        0 and 1 for the low and the high face along z, 2 and 3 along y, 4 and 5 along x.
    """
    facets, cells = np.empty((0, 3), np.int32), np.empty(0, np.int32)
    faces = np.empty(0, np.uint8)
    n = kernels.box_facets(mesh, facets, cells, faces)
    facets, cells, faces = np.empty((n, 3), np.int32), np.empty(n, np.int32), np.empty(n, np.uint8)
    kernels.box_facets(mesh, facets, cells, faces)
    return facets, cells, faces
