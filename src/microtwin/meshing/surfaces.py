"""Interfaces between two phases as surface meshes."""

from __future__ import annotations

from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .tetrahedra import TetrahedralMesh

__all__ = ["SurfaceMesh", "interface_surface"]


@dataclass(frozen=True, eq=False)
class SurfaceMesh:
    """Facets between two phases.

    Parameters
    ----------
    points : ndarray of float, shape (n, 3)
        Vertices in metres, in the order (z, y, x).
    facets : ndarray of int32, shape (k, 3)
        Vertices of each facet; by the right-hand rule in (z, y, x), normals point from the first
        phase to the second.
    phases : tuple of 2 str
    """

    points: NDArray[np.float64] = field(repr=False)
    facets: NDArray[np.int32] = field(repr=False)
    phases: tuple[str, str]

    @property
    def area(self) -> float:
        """Area in m^2."""
        corners = self.points[self.facets]
        normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        return float(0.5 * np.linalg.norm(normal, axis=1).sum())

    def save(self, path: str | PathLike[str]) -> None:
        """Write the surface as ``.stl``, ``.ply``, ``.vtu`` or ``.obj``, in metres (x, y, z).

        Raises
        ------
        ValueError
            If the ending is none of these.
        """
        from .files import save_surface

        save_surface(self, Path(path))


def interface_surface(mesh: TetrahedralMesh, first: str, second: str) -> SurfaceMesh:
    """Return the interface between two phases of a mesh; `TetrahedralMesh.surface` tells more."""
    a, b = mesh.number(first), mesh.number(second)
    if a == b:
        raise ValueError(f"an interface lies between two phases, but {first!r} was given twice")
    low, high = min(a, b), max(a, b)
    chosen = (mesh.facet_phases[:, 0] == low) & (mesh.facet_phases[:, 1] == high)
    facets = mesh.facets[chosen]
    if len(facets) == 0:
        raise ValueError(f"{first!r} and {second!r} do not meet in this mesh")
    used, numbers = np.unique(facets, return_inverse=True)
    facets = numbers.reshape(-1, 3).astype(np.int32)
    if a > b:
        facets = facets[:, ::-1]
    return SurfaceMesh(mesh.points[used], np.ascontiguousarray(facets), (first, second))
