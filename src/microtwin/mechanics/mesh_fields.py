"""Forces, displacements and means on meshes, at small strains and large."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import spsolve

from ..meshing import BOX_FACES, TetrahedralMesh
from .faces import Face
from .mesh_elements import Elements
from .mesh_motions import FreeMotions
from .mesh_pieces import SolidMesh

__all__ = [
    "on_vertices",
    "phase_means",
    "reactions_of",
    "refuse_unbalanced",
    "without_rigid_motion",
]

Vector = NDArray[np.float64]
BALANCED = 1e-8  # of the forces: what is left on a body that nothing holds counts as rounding


def refuse_unbalanced(forces: Vector, free: FreeMotions) -> None:
    """Refuse tractions that would move a body which nothing holds."""
    work = np.abs(free.basis.T @ forces.ravel())
    if len(work) and work.max() > BALANCED * np.linalg.norm(forces):
        raise ValueError(
            "a traction acts on a body that nothing holds against it, so it would fly off; hold a "
            "face with 'roller' or 'clamped', or load opposite faces alike"
        )


def without_rigid_motion(displacement: Vector, free: FreeMotions, solid: SolidMesh) -> Vector:
    """Return a displacement (count, 3) without free motions, in the mean over the volume.

    The mean is over the vertices, each with a quarter of the volume of its tetrahedra.
    """
    if free.basis.shape[1] == 0:
        return displacement
    share = np.zeros(len(displacement))
    part = solid.mesh
    share[: len(part.points)] = np.bincount(part.cells.ravel(), np.repeat(part.volumes, 4))
    weighted = free.basis.multiply(np.repeat(share / share.sum(), 3)[:, None]).tocsr()
    gram = (free.basis.T @ weighted).tocsc()  # blocks of up to six: bodies share no vertex
    size = spsolve(gram, weighted.T @ displacement.ravel())
    return displacement - (free.basis @ np.atleast_1d(size)).reshape(-1, 3)


def on_vertices(
    mesh: TetrahedralMesh, solid: SolidMesh, displacement: Vector
) -> tuple[Vector, dict[str, Vector]]:
    """Return a displacement of the solid part at the vertices of the mesh, of all and by phase."""

    def gathered(cells: NDArray[np.integer]) -> Vector:
        used = np.unique(cells)
        number = np.bincount(solid.points[used], minlength=len(mesh.points)).astype(float)
        number[number == 0.0] = np.nan
        sums = [
            np.bincount(solid.points[used], part, len(mesh.points)) for part in displacement[used].T
        ]
        return np.stack(sums, axis=1) / number[:, None]

    phase = solid.mesh.phase
    by_phase = {
        mesh.phases[number]: gathered(solid.mesh.cells[phase == number])
        for number in np.unique(phase)
    }
    return gathered(solid.mesh.cells), by_phase


def phase_means(
    mesh: TetrahedralMesh, phases: Mapping[str, object], values: Vector, volumes: Vector
) -> dict[str, Vector]:
    """Return the means over phases of values in tetrahedra, NaN for one without any."""
    means = {}
    for name in phases:
        here = mesh.phase == mesh.number(name)
        means[name] = (
            np.average(values[here], axis=0, weights=volumes[here])
            if here.any()
            else np.full(values.shape[1], np.nan)
        )
    return means


def reactions_of(
    elements: Elements, faces: Mapping[str, Face], values: Vector, left: Vector
) -> dict[str, Vector]:
    """Return the force on the body at each face that holds it."""
    mesh = elements.mesh
    given = np.isfinite(values[: len(mesh.points)])
    counted = np.zeros(given.shape, bool)
    found = {}
    for name, face in faces.items():
        holds = np.isfinite(face.held)
        if holds.any():
            here = np.zeros(given.shape, bool)
            at = np.unique(mesh.box_facets[mesh.box_facet_faces == BOX_FACES.index(name)])
            here[at] = holds & ~counted[at]
            counted |= here
            # The test function 1 has no part in the unknowns of edges.
            found[name] = np.where(here, left[: len(given)], 0.0).sum(axis=0)
    return found
