"""The one file that knows NGSolve."""

from __future__ import annotations

from typing import Any

import numpy as np

from .files import boundary_names, boundary_triangles
from .tetrahedra import TetrahedralMesh

__all__ = ["ngsolve_mesh"]


def _netgen() -> Any:
    try:
        import netgen.meshing
    except ImportError:
        raise ImportError(
            "finite elements need NGSolve, which is not installed: pip install 'microtwin[mesh]'"
        ) from None
    return netgen.meshing


def ngsolve_mesh(mesh: TetrahedralMesh) -> Any:
    """Return a mesh as an ``ngsolve.Mesh``; `TetrahedralMesh.to_ngsolve` tells more."""
    netgen = _netgen()
    import ngsolve

    made = netgen.Mesh(dim=3)
    made.AddPoints(np.ascontiguousarray(mesh.points[:, ::-1]))
    cells = mesh.cells[:, [0, 1, 3, 2]]
    for number, name in enumerate(mesh.phases):
        made.SetMaterial(number + 1, name)
        mine = np.ascontiguousarray(cells[mesh.phase == number])
        made.AddElements(dim=3, index=number + 1, data=mine, base=0)
    triangles, boundary = boundary_triangles(mesh)
    for number, name in enumerate(boundary_names(mesh)):
        made.Add(netgen.FaceDescriptor(surfnr=number + 1, bc=number + 1))
        made.SetBCName(number, name)
        mine = np.ascontiguousarray(triangles[boundary == number][:, ::-1])
        made.AddElements(dim=2, index=number + 1, data=mine, base=0)
    return ngsolve.Mesh(made)
