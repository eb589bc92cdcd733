"""Tractions at interfaces that are bonded.

The stress of elements jumps there, and is poor in soft elements beside stiff ones. The forces of
one phase on the vertices of an interface are better: they are in balance with those of the other,
and equal to the integrals of the traction with the hat functions, ::

    int over the phase of  stress . grad(lambda_i) dV  =  int over the interface of  t lambda_i dA,

where the vertex lies on no other face that bears (Wheeler, SIAM J. Numer. Anal. 11 (1974) 764, for
fluxes). Divided by the integral of lambda_i they are tractions of the vertices.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..meshing import TetrahedralMesh
from .mesh_elements import Elements
from .mesh_pieces import Interface, SolidMesh
from .mesh_results import MeshTraction

__all__ = ["bonded_tractions", "both_orders"]

Vector = NDArray[np.float64]


def bonded_tractions(
    solid: SolidMesh, elements: Elements, interface: Interface, stress: Vector
) -> Vector:
    """Return the force of the second phase on the first per area, for each facet.

    Parameters
    ----------
    solid : SolidMesh
    elements : Elements
        Of its mesh.
    interface : Interface
    stress : ndarray, shape (m, q, 6)
        At the points of integration, in Pa.

    Returns
    -------
    ndarray, shape (k, 3)
        From the forces of the vertices; beside a third phase or the box, where other forces join
        them, the mean of the stress on both sides.
    """
    found = _mean_of_sides(elements, interface, stress)
    mesh = solid.mesh
    done = np.zeros(len(found), bool)
    for side, sign in ((0, 1.0), (1, -1.0)):
        phase, at = interface.phases[side], interface.vertices[:, side]
        bears = np.zeros(len(mesh.points), bool)
        bears[mesh.box_facets] = True
        for names, other in solid.interfaces.items():
            if phase in names and names != interface.phases:
                bears[other.vertices[:, names.index(phase)]] = True
        clear = ~bears[at].any(axis=1) & ~done
        if clear.any():
            forces = _vertex_forces(mesh, mesh.phase == mesh.number(phase), at, stress)
            shares = np.repeat(interface.areas / 3.0, 3)
            area = np.bincount(at.ravel(), shares, minlength=len(forces))
            of_vertices = sign * forces / np.where(area > 0.0, area, 1.0)[:, None]
            found[clear] = of_vertices[at[clear]].mean(axis=1)
            done |= clear
    return found


def _vertex_forces(
    mesh: TetrahedralMesh, mine: NDArray[np.bool_], at: NDArray[np.intp], stress: Vector
) -> Vector:
    """Return the forces of one phase on some vertices, shape (n, 3), in N."""
    wanted = np.zeros(len(mesh.points), bool)
    wanted[at] = True
    cells = np.flatnonzero(mine & wanted[mesh.cells].any(axis=1))
    corners = mesh.points[mesh.cells[cells]]
    # The gradients of three barycentric coordinates are the inverse of the edges; all four add up
    # to nothing.
    three = np.linalg.inv(corners[:, 1:] - corners[:, :1]).transpose(0, 2, 1)
    hats: Vector = np.concatenate([-three.sum(axis=1, keepdims=True), three], axis=1)
    loads = _on_plane(
        np.repeat(stress[cells].mean(axis=1) * mesh.volumes[cells, None], 4, axis=0),
        hats.reshape(-1, 3),
    )
    vertices = mesh.cells[cells].ravel()
    sums = [np.bincount(vertices, part, len(mesh.points)) for part in loads.T]
    return np.stack(sums, axis=1)


def _mean_of_sides(elements: Elements, interface: Interface, stress: Vector) -> Vector:
    """Return the traction at the centres of facets, the mean of the stress on both sides."""
    found = np.zeros((len(interface.facets), 3))
    centre = elements.mesh.points[interface.vertices[:, 0]].mean(axis=1)
    for side in range(2):
        cells = interface.cells[:, side]
        there = stress[cells]
        if elements.order == 1:
            at_centre = there[:, 0]
        else:
            # A linear field through the four points of integration.
            ones = np.ones((len(cells), 4, 1))
            points = elements.points[cells]
            reach = points - centre[:, None]
            reach /= np.abs(reach).max(axis=(1, 2), keepdims=True)
            system = np.concatenate([ones, reach], axis=2)
            at_centre = np.linalg.solve(system, there)[:, 0]
        found += 0.5 * _on_plane(at_centre, interface.normals)
    return found


def _on_plane(stress: Vector, normals: Vector) -> Vector:
    z, y, x, yx, zx, zy = stress.T
    tensor = np.array([[z, zy, zx], [zy, y, yx], [zx, yx, x]])
    return np.einsum("ijk,kj->ki", tensor, normals)


def both_orders(
    interface: Interface, vectors: Vector, jumps: Vector
) -> dict[tuple[str, str], MeshTraction]:
    """Return tractions and jumps, shape (k, 3), as seen from either phase."""
    normal = np.einsum("ki,ki->k", vectors, interface.normals)
    shear = np.linalg.norm(vectors - normal[:, None] * interface.normals, axis=1)
    first, second = interface.phases

    def seen(sign: float) -> MeshTraction:
        return MeshTraction(
            interface.facets, interface.areas, sign * vectors, normal, shear, sign * jumps
        )

    return {(first, second): seen(1.0), (second, first): seen(-1.0)}
