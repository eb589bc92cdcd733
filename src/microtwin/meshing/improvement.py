"""A conforming mesh is made good: rounds of reconnection, relaxation and correction of volumes.

At last the few tetrahedra that are still poor get more effort, and details smaller than a voxel
that spoil them are taken away.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .complex_kernels import CLOCK, Complex
from .field_kernels import Fields
from .reconnection import poor_cells, reconnect
from .relaxation import relax
from .topology import dissolve, yield_cells
from .volumes import corrected

__all__ = ["improve"]

# Qualities are sines of the smallest dihedral angle.
POOR = math.sin(math.radians(21.0))  # tetrahedra below are reconnected
STUBBORN = math.sin(math.radians(17.0))  # tetrahedra below get more effort in the end
# By round: sweeps of relaxation; how often places around a vertex are tried; whether volumes are
# corrected; the quality below which tetrahedra are looked at although nothing has changed around
# them; the quality that bringing a vertex onto its interface may cost; how far, in voxels, a vertex
# may stay from its interface where that saves a tetrahedron poorer than that.
ROUNDS = (
    (1, 0, False, 2.0, 0.1, 0.0),
    (1, 2, True, 0.45, 0.2, 0.15),
    (1, 2, True, 0.30, 0.3, 0.3),
    (1, 2, False, 0.30, 0.3, 0.3),
    (1, 0, True, 0.0, 0.3, 0.0),
)
EFFORTS = 12  # rounds for what is still poor
FAR = 0.7  # slack in those, in voxels
CLOSE = 0.5  # how far new facets may leave the interface in those, in voxels


def improve(
    mesh: Complex, fields: Fields, volumes: NDArray[np.float64] | None
) -> tuple[Complex, Fields]:
    """Return the mesh with better tetrahedra and the right volumes, and the fields it is true to.

    Parameters
    ----------
    mesh : Complex
    fields : Fields
    volumes : ndarray, shape (phases,), optional
        That the phases should have; by default the fields are left as they are.

    Returns
    -------
    Complex, Fields
    """
    searched = np.zeros(len(mesh.first), np.int32)
    last = 0
    for sweeps, tries, correct, anew, least, slack in ROUNDS:
        now = int(mesh.counts[CLOCK])
        mesh = reconnect(mesh, fields, poor_cells(mesh, POOR), POOR, since=last)
        last = now
        moved = correct and volumes is not None
        if moved:
            fields = corrected(mesh, fields, volumes)  # type: ignore[arg-type]
        searched[mesh.cells[poor_cells(mesh, anew)].ravel()] = 0
        relax(mesh, fields, searched, sweeps, moved, least, slack, tries)
    return _persist(mesh, fields, searched), fields


def _persist(mesh: Complex, fields: Fields, searched: NDArray[np.int32]) -> Complex:
    """Spend more effort on the tetrahedra that are still poor."""
    least = ROUNDS[-1][4]
    poor = poor_cells(mesh, STUBBORN)
    for k in range(EFFORTS):
        if len(poor) == 0:
            break
        around = np.unique(mesh.cells[poor])
        mesh = reconnect(mesh, fields, poor, STUBBORN, close=CLOSE)
        around = around[mesh.first[around] >= 0]
        poor = poor_cells(mesh, STUBBORN, around)
        if k % 3 == 1:
            yield_cells(mesh, poor)
        elif k % 3 == 2:
            dissolve(mesh, poor)
        around = np.unique(mesh.cells[poor])
        # Both sweeps look at them, in other directions each time, even if the first finds nothing.
        mesh.changed[around] = mesh.counts[CLOCK] + 1
        searched[around] = 0
        relax(mesh, fields, searched, 2, False, least, FAR, tries=6, vertices=around)
        poor = poor_cells(mesh, STUBBORN, around)
    return mesh
