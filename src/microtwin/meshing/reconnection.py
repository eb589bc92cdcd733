"""Poor tetrahedra are replaced: edges and faces between them are taken out, vertices are joined."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..numerics.threads import even_shares, over_slabs
from . import reconnection_kernels as kernels
from .complex_kernels import CELLS, CLOCK, Complex, gather_sets, qualities
from .complexes import with_room
from .field_kernels import Fields

__all__ = ["cell_qualities", "reconnect"]

CLOSE = 0.1


def cell_qualities(mesh: Complex) -> NDArray[np.float64]:
    """Return the quality of each place for a tetrahedron; 2 where there is none."""
    count = int(mesh.counts[CELLS])
    quality = np.empty(count)
    over_slabs(qualities, even_shares(count), mesh.points, mesh.cells, quality)
    quality[mesh.cells[:count, 0] < 0] = 2.0
    return quality


def reconnect(
    mesh: Complex, fields: Fields, target: float, since: int = 0, close: float = CLOSE
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
    target : float
        Quality (sine of the smallest dihedral angle) below which a tetrahedron is poor.
    since : int
        Tetrahedra around which nothing has changed since this time are passed over.
    close : float
        How far the middle of a new edge may leave its interface, in units of length.

    Returns
    -------
    Complex
    """
    quality = cell_qualities(mesh)
    poor = np.flatnonzero(quality < target)
    poor = poor[np.argsort(quality[poor], kind="stable")]
    mesh = with_room(mesh, 0, 2 * len(poor) + 1000)
    mesh.counts[CLOCK] += 1
    kernels.reconnect(mesh, fields, poor, target, close, since)
    gather_sets(mesh)
    return mesh
