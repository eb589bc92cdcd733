"""Poor tetrahedra are replaced: edges and faces between them are taken out, vertices are joined."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..numerics.threads import even_shares, over_slabs
from . import reconnection_kernels as kernels
from .complex_kernels import CELLS, CLOCK, Complex, cells_around, gather_sets, qualities
from .complexes import with_room
from .field_kernels import Fields

__all__ = ["poor_cells", "reconnect"]

ALIKE = 0.06  # difference of qualities within which it does not matter which is mended first
CLOSE = 0.1  # voxels that a new edge may leave its interface by, as far as the image can tell


def cell_qualities(mesh: Complex, chosen: NDArray[np.integer] | None = None) -> NDArray[np.float64]:
    """Return the quality of each place for a tetrahedron, or of some; 2 where there is none."""
    cells = mesh.cells[: mesh.counts[CELLS]] if chosen is None else mesh.cells[chosen]
    quality = np.empty(len(cells))
    over_slabs(qualities, even_shares(len(cells)), mesh.points, cells, quality)
    quality[cells[:, 0] < 0] = 2.0
    return quality


def poor_cells(
    mesh: Complex, target: float, at: NDArray[np.integer] | None = None
) -> NDArray[np.int64]:
    """Return the tetrahedra of a quality below a target, the worst first.

    Parameters
    ----------
    mesh : Complex
    target : float
    at : ndarray of int, optional
        Only tetrahedra at these vertices.

    Returns
    -------
    ndarray of int
    """
    chosen = None
    if at is not None:
        found = np.empty(cells_around(mesh, at, np.empty(0, np.int32)), np.int32)
        cells_around(mesh, at, found)
        chosen = np.unique(found)
    quality = cell_qualities(mesh, chosen)
    poor = np.flatnonzero(quality < target)
    # Those about as good stay in their order, which is one in space: memory is slow otherwise.
    poor = poor[np.argsort(np.floor(quality[poor] / ALIKE), kind="stable")]
    return poor if chosen is None else chosen[poor].astype(np.int64)


def reconnect(
    mesh: Complex,
    fields: Fields,
    poor: NDArray[np.integer],
    target: float,
    since: int = 0,
    close: float = CLOSE,
) -> Complex:
    """Return the mesh with poor tetrahedra mended, the worst first.

    Edges are taken out and the tetrahedra around them made anew, also an edge on an interface, if
    the interface stays where it is; faces within a phase are replaced by an edge across; a vertex
    is joined with a neighbour on the same interface. Each only if the worst of the tetrahedra
    concerned gets better.

    Parameters
    ----------
    mesh : Complex
    fields : Fields
    poor : ndarray of int
        Tetrahedra to mend, in this order.
    target : float
        Quality (sine of the smallest dihedral angle) up to which a tetrahedron is poor.
    since : int
        Tetrahedra around which nothing has changed since this time are passed over.
    close : float
        How far the middle of a new edge may leave its interface, in units of length.

    Returns
    -------
    Complex
    """
    mesh = with_room(mesh, 0, 2 * len(poor) + 1000)
    mesh.counts[CLOCK] += 1
    kernels.reconnect(mesh, fields, poor, target, close, since)
    gather_sets(mesh)
    return mesh
