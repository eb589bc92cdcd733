"""Interfaces without points or edges at which a phase touches itself.

Around a vertex, each phase must fill one piece that holds together through faces, and so must all
other phases together; around an edge, each phase one arc. Then every interface is a surface, with
an edge only where three phases meet or at the box.
"""

from __future__ import annotations

from itertools import count

import numpy as np
from numpy.typing import NDArray

from . import topology_kernels as kernels
from .complex_kernels import CELLS, VERTICES, Complex, gather_sets

__all__ = ["dissolve", "faulty_vertices", "mend_topology", "yield_cells"]

PATIENCE = 4  # passes in one manner


def mend_topology(mesh: Complex, todo: NDArray[np.bool_] | None = None) -> None:
    """Give tetrahedra other phases, in place, until no phase touches itself.

    The smaller piece goes to the phase around it. Where that does not come to an end, the whole
    star of the vertex gets the phase that fills most of it, and at last the most frequent phase.

    Parameters
    ----------
    mesh : Complex
    todo : ndarray of bool, shape (vertices,), optional
        Vertices to look at, by default all; changed in place.
    """
    if todo is None:
        todo = np.ones(int(mesh.counts[VERTICES]), bool)
    united = kernels.NOT_UNITED
    for k in count():
        if kernels.mend(mesh, todo, united) == 0:
            break
        if k == PATIENCE:
            united = kernels.MOST
        elif k == 2 * PATIENCE:
            # One phase only grows from now on, so there is an end.
            alive = mesh.cells[: mesh.counts[CELLS], 0] >= 0
            united = int(np.bincount(mesh.phase[: mesh.counts[CELLS]][alive]).argmax())
    gather_sets(mesh)


def dissolve(mesh: Complex, cells: NDArray[np.integer]) -> None:
    """Take the details away that spoil some tetrahedra, in place.

    The smallest star around a vertex of each gets the phase that fills most of it.
    """
    todo = np.zeros(int(mesh.counts[VERTICES]), bool)
    kernels.dissolve(mesh, cells, todo)
    mend_topology(mesh, todo)


def yield_cells(mesh: Complex, cells: NDArray[np.integer]) -> None:
    """Give some tetrahedra to the phase with most faces around each, in place.

    Only where no phase then touches itself. What lies within one phase can be mended more easily.
    """
    kernels.yield_cells(mesh, cells)


def faulty_vertices(mesh: Complex) -> NDArray[np.int64]:
    """Return the vertices at which, or at an edge of which, a phase touches itself."""
    faulty = np.zeros(int(mesh.counts[VERTICES]), bool)
    kernels.find_faults(mesh, faulty)
    return np.flatnonzero(faulty)
