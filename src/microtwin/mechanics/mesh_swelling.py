"""Swelling of phases on a conforming mesh, small strains.

Find the displacement u with its given values so that for all v that vanish there ::

    sum over solids of      int eps(v) . C (eps(u) - e) dV
    + sum over interfaces   int [v] . k [u] dA
    = sum over faces        int v . t dA

with the eigenstrain e, the jump [u] over imperfect interfaces of stiffness k, and tractions t.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ..meshing import TetrahedralMesh
from .faces import Condition, checked_faces
from .mesh_cohesion import checked_debonding, jump_means, spring_matrix, springs
from .mesh_elements import Elements
from .mesh_faces import face_forces, held_values
from .mesh_fields import (
    on_vertices,
    phase_means,
    reactions_of,
    refuse_unbalanced,
    without_rigid_motion,
)
from .mesh_input import Eigenstrain, checked_numbers, checked_solids, strains_at_points
from .mesh_motions import free_motions, rigid_motions
from .mesh_pieces import SolidMesh, solid_mesh
from .mesh_results import MeshSwelling, MeshTraction
from .mesh_solver import solve_held
from .mesh_tractions import bonded_tractions, both_orders
from .stiffness import Solid

__all__ = ["mesh_swelling"]

Vector = NDArray[np.float64]


def mesh_swelling(
    mesh: TetrahedralMesh,
    materials: Mapping[str, Solid],
    eigenstrain: Mapping[str, Eigenstrain],
    *,
    faces: Mapping[str, Condition] | None = None,
    order: int = 1,
    debonding: Mapping[tuple[str, str], tuple[float, float]] | None = None,
    tol: float = 1e-8,
) -> MeshSwelling:
    """Solve for displacement and stress on a mesh where phases swell and hold each other.

    Parameters
    ----------
    mesh : TetrahedralMesh
    materials : mapping of str to Solid
        The phases that are solid; the others are void.
    eigenstrain : mapping of str to float, array or callable
        Strain that a phase would have by itself: a number for the same in each direction, six
        components (zz, yy, xx, yx, zx, zy), a field of either on the tetrahedra of the mesh, shape
        (m,) or (m, 6), or a function of points, shape (k, 3), along (z, y, x) in metres, that
        returns (k,) or (k, 6).
    faces : mapping of str to str or mapping, optional
        By face of the box (`meshing.BOX_FACES`): "free", which is the default, "roller" (no normal
        displacement), "clamped", ``{"displacement": d}`` along the outward normal in metres,
        ``{"pressure": p}`` in Pa, positive where it pushes on the body, or ``{"traction": (z, y,
        x)}`` in Pa.
    order : {1, 2}
        Of the elements.
    debonding : mapping of (str, str) to (float, float), optional
        Normal and shear stiffness in Pa/m of the interface between two phases. It is linear: sides
        that are pressed together penetrate each other by pressure over stiffness.
    tol : float
        Norm of the residual over that of the right-hand side.

    Returns
    -------
    MeshSwelling

    Raises
    ------
    ValueError
        If a name or number is not allowed, nothing is solid, or a force acts on a body that
        nothing holds.
    ConvergenceError
        If the solver does not reach the tolerance.
    ImportError
        If NGSolve or PyAMG is not installed.

    Notes
    -----
    What touches at an edge or a vertex only is not joined. Rigid motions that nothing holds are
    found, counted in `MeshSwelling.floating`, and taken out.

    Examples
    --------
    >>> import numpy as np
    >>> import microtwin as mt
    >>> labels = np.zeros((8, 8, 8), np.uint8)
    >>> labels[:4] = 1
    >>> micro = mt.Microstructure(labels, 1e-6, {"soft": 0, "stiff": 1})
    >>> mesh = mt.meshing.tetrahedralize(micro)
    >>> solid = mt.mechanics.isotropic(100e9, 0.25)
    >>> walls = dict.fromkeys(mt.meshing.BOX_FACES, "roller")
    >>> own = {"soft": 0.01, "stiff": 0.01}
    >>> found = mt.mechanics.mesh_swelling(mesh, dict.fromkeys(own, solid), own, faces=walls)
    >>> float(round(found.phase_stress["soft"][0] / 1e6))  # 3 K times the eigenstrain
    -2000.0
    """
    checked_numbers(order, tol)
    solids = checked_solids(mesh, materials)
    held_faces = checked_faces({} if faces is None else faces)
    loose = checked_debonding(mesh, solids, {} if debonding is None else debonding)
    solid = solid_mesh(mesh, solids, loose.keys())
    elements = Elements(solid.mesh, order)
    own = strains_at_points(mesh, solid, elements, solids, eigenstrain)
    values = held_values(elements, held_faces)
    motions = rigid_motions(solid)
    free = free_motions(solid, elements, motions, np.isfinite(values), loose)
    outer = face_forces(elements, held_faces)
    refuse_unbalanced(outer, free)

    stiffness_of = {name: material.stiffness for name, material in solids.items()}
    matrix = elements.stiffness(stiffness_of)
    for pair, stiffness in loose.items():
        interface = solid.interfaces.get(solid.pair(*pair))
        if interface is not None:
            matrix = (matrix + spring_matrix(elements, interface, stiffness)).tobsr((3, 3))
            matrix.sort_indices()
    by_cell = _by_cell(solid, stiffness_of)
    inner = elements.forces(np.einsum("mij,mqj->mqi", by_cell, own))
    found, iterations, residual = solve_held(matrix, outer + inner, values, motions, free, tol)
    found = without_rigid_motion(found, free, solid)
    elastic = elements.strains(found) - own
    stress = np.einsum("mij,mqj->mqi", by_cell, elastic)
    energy = 0.5 * float((elements.weights[..., None] * stress * elastic).sum())
    tractions: dict[tuple[str, str], MeshTraction] = {}
    for names, interface in solid.interfaces.items():
        pair = frozenset(names)
        jump = np.zeros((len(interface.facets), 3))
        if pair in loose:
            jump = jump_means(elements, interface, found)
            share = spring_matrix(elements, interface, loose[pair]) @ found.ravel()
            energy += 0.5 * float(found.ravel() @ share)
            vectors = -np.einsum("kij,kj->ki", springs(interface.normals, *loose[pair]), jump)
        else:
            vectors = bonded_tractions(solid, elements, interface, stress)
        tractions |= both_orders(interface, vectors, -jump)
    left = (matrix @ found.ravel()).reshape(-1, 3) - inner - outer
    displacement, by_phase = on_vertices(mesh, solid, found)
    strain = np.full((len(mesh.cells), 6), np.nan)
    strain[solid.cells] = (elastic + own).mean(axis=1)
    mean_stress = np.zeros((len(mesh.cells), 6))
    mean_stress[solid.cells] = stress.mean(axis=1)
    bodies = np.full(len(mesh.cells), -1)
    bodies[solid.cells] = free.bodies[solid.mesh.cells[:, 0]]
    return MeshSwelling(
        mesh=mesh,
        displacement=displacement,
        phase_displacement=by_phase,
        strain=strain,
        stress=mean_stress,
        phase_stress=phase_means(mesh, solids, mean_stress, mesh.volumes),
        interfaces=tractions,
        reactions=reactions_of(elements, held_faces, values, left),
        energy=energy,
        bodies=bodies,
        floating=free.number,
        iterations=iterations,
        residual=residual,
        unknowns=int(np.count_nonzero(np.isnan(values))),
    )


def _by_cell(solid: SolidMesh, stiffnesses: Mapping[str, Vector]) -> Vector:
    table = np.zeros((len(solid.mesh.phases), 6, 6))
    for name, c in stiffnesses.items():
        table[solid.mesh.number(name)] = c
    return table[solid.mesh.phase]
