"""The solid part of a mesh, and how its tetrahedra hang together.

Tetrahedra are joined where they share a facet, unless the interface there is imperfect. What
touches at an edge or at a vertex only is not joined: contact along a line, or at a point, bears
nothing in a continuum, and would turn like a hinge. So each vertex is split into as many as there
are groups of joined tetrahedra around it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ..meshing import TetrahedralMesh

__all__ = ["Interface", "SolidMesh", "solid_mesh"]

Indices = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Interface:
    """The facets between two solid phases.

    Parameters
    ----------
    phases : (str, str)
        The one with the lower number in the mesh first; normals point from it to the other.
    facets : ndarray of int, shape (k,)
        Places in ``mesh.facets`` of the whole mesh.
    vertices : ndarray of int, shape (k, 2, 3)
        Of the solid part, on the side of either phase, in the order of ``mesh.facets``.
    cells : ndarray of int, shape (k, 2)
        Tetrahedra of the solid part on both sides.
    normals : ndarray, shape (k, 3)
        Of length 1.
    areas : ndarray, shape (k,)
        In m^2.
    """

    phases: tuple[str, str]
    facets: Indices = field(repr=False)
    vertices: Indices = field(repr=False)
    cells: Indices = field(repr=False)
    normals: NDArray[np.float64] = field(repr=False)
    areas: NDArray[np.float64] = field(repr=False)


@dataclass(frozen=True, eq=False)
class SolidMesh:
    """The part of a mesh that is solid.

    Parameters
    ----------
    mesh : TetrahedralMesh
        Without void, its vertices split; it has no facets between phases.
    cells : ndarray of int, shape (m,)
        Its tetrahedra in the whole mesh.
    points : ndarray of int, shape (n,)
        Its vertices in the whole mesh.
    pieces : ndarray of int, shape (n,)
        By vertex: the piece that it belongs to. Tetrahedra of one piece are joined by facets.
    interfaces : dict of (str, str) to Interface
        Between each two phases that meet.
    """

    mesh: TetrahedralMesh
    cells: Indices = field(repr=False)
    points: Indices = field(repr=False)
    pieces: Indices = field(repr=False)
    interfaces: dict[tuple[str, str], Interface] = field(repr=False)

    def pair(self, first: str, second: str) -> tuple[str, str]:
        """Return two phases in the order of an interface."""
        low, high = sorted((first, second), key=self.mesh.number)
        return low, high


def solid_mesh(
    mesh: TetrahedralMesh, solids: Collection[str], apart: Collection[frozenset[str]] = ()
) -> SolidMesh:
    """Return the part of a mesh that is solid, split where it is not joined.

    Parameters
    ----------
    mesh : TetrahedralMesh
    solids : collection of str
        Phases of the mesh; the others are void.
    apart : collection of sets of two str
        Phases that are not joined where they meet.

    Returns
    -------
    SolidMesh

    Raises
    ------
    ValueError
        If no tetrahedron is solid.
    """
    numbers = [mesh.number(name) for name in solids]
    cells = np.flatnonzero(np.isin(mesh.phase, numbers))
    if len(cells) == 0:
        raise ValueError(
            f"no phase of the mesh has a material, so nothing is solid; the mesh has "
            f"{', '.join(mesh.phases)}"
        )
    corners, phase = mesh.cells[cells], mesh.phase[cells]
    beside, at = _neighbours(corners)
    pairs = phase[beside]
    joined = np.ones(len(beside), bool)
    for pair in apart:
        low, high = sorted(mesh.number(name) for name in pair)
        joined &= ~((pairs.min(axis=1) == low) & (pairs.max(axis=1) == high))
    split, points = _split(corners, beside[joined], at[joined])
    _, piece = _components(len(cells), beside[joined])
    pieces = np.empty(len(points), np.intp)
    pieces[split] = piece[:, None]
    place = np.full(len(mesh.cells), -1)
    place[cells] = np.arange(len(cells))
    return SolidMesh(
        _part(mesh, cells, place, split, points),
        cells,
        points,
        pieces,
        _interfaces(mesh, cells, split, beside, at),
    )


def _neighbours(corners: NDArray[np.int32]) -> tuple[Indices, Indices]:
    """Return pairs of tetrahedra that share a facet, and where its vertices are in each.

    The second, shape (k, 2, 3), holds the places 0 to 3 of the same three vertices in both.
    """
    opposite = np.array([[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]])
    facets = corners[:, opposite].reshape(-1, 3)
    order = np.argsort(facets, axis=1)
    facets = np.take_along_axis(facets, order, axis=1)
    places = np.take_along_axis(np.tile(opposite, (len(corners), 1)), order, axis=1)
    by = np.lexsort(facets.T)
    same = np.flatnonzero((facets[by[1:]] == facets[by[:-1]]).all(axis=1))
    both = np.stack([by[same], by[same + 1]], axis=1)
    return both // 4, places[both]


def _components(count: int, pairs: Indices) -> tuple[int, Indices]:
    graph = coo_array((np.ones(len(pairs), np.int8), (pairs[:, 0], pairs[:, 1])), (count, count))
    number, labels = connected_components(graph, directed=False)
    return int(number), labels


def _split(corners: NDArray[np.int32], beside: Indices, at: Indices) -> tuple[Indices, Indices]:
    """Return the vertices of each tetrahedron after splitting, and what they were."""
    ends = (4 * beside[:, :, None] + at).transpose(0, 2, 1).reshape(-1, 2)
    count, group = _components(corners.size, ends)
    was = np.empty(count, np.intp)
    was[group] = corners.ravel()
    # In the order of the mesh: neighbours in space stay close in memory.
    order = np.argsort(was, kind="stable")
    rank = np.empty(count, np.intp)
    rank[order] = np.arange(count)
    return rank[group].reshape(-1, 4), was[order]


def _part(
    mesh: TetrahedralMesh, cells: Indices, place: Indices, split: Indices, points: Indices
) -> TetrahedralMesh:
    kept = place[mesh.box_facet_cells] >= 0
    owner = place[mesh.box_facet_cells[kept]]
    on_box = mesh.box_facets[kept]
    corner = (mesh.cells[cells][owner][:, None, :] == on_box[:, :, None]).argmax(axis=2)
    return replace(
        mesh,
        points=mesh.points[points],
        cells=split.astype(np.int32),
        phase=mesh.phase[cells],
        facets=np.empty((0, 3), np.int32),
        facet_phases=np.empty((0, 2), np.uint8),
        box_facets=np.take_along_axis(split[owner], corner, axis=1).astype(np.int32),
        box_facet_cells=owner.astype(np.int32),
        box_facet_faces=mesh.box_facet_faces[kept],
        fractions=None,
        image=None,
    )


def _interfaces(
    mesh: TetrahedralMesh, cells: Indices, split: Indices, beside: Indices, at: Indices
) -> dict[tuple[str, str], Interface]:
    phase, corners = mesh.phase[cells], mesh.cells[cells]
    between = phase[beside[:, 0]] != phase[beside[:, 1]]
    beside, at = beside[between], at[between]
    # The first phase has the lower number, as in the mesh.
    turned = phase[beside[:, 0]] > phase[beside[:, 1]]
    beside[turned], at[turned] = beside[turned, ::-1], at[turned, ::-1]
    found = np.take_along_axis(split[beside], at, axis=2)  # (k, 2, 3)
    keys = np.take_along_axis(corners[beside[:, 0]], at[:, 0], axis=1)
    wanted = np.sort(mesh.facets, axis=1)
    solid = np.isin(mesh.facet_phases, np.unique(phase)).all(axis=1)
    rows = np.flatnonzero(solid)
    rows = rows[np.lexsort(wanted[rows].T)]
    order = np.lexsort(keys.T)
    beside, found, keys = beside[order], found[order], keys[order]
    # Back from sorted vertices to the order of the facet, by which its normal is defined.
    place = (keys[:, None, :] == mesh.facets[rows][:, :, None]).argmax(axis=2)
    found = np.take_along_axis(found, place[:, None, :], axis=2)
    a, b, c = mesh.points[mesh.facets[rows]].transpose(1, 0, 2)
    normals = np.cross(b - a, c - a)
    length = np.linalg.norm(normals, axis=1)
    result = {}
    for low, high in np.unique(mesh.facet_phases[rows], axis=0):
        here = np.flatnonzero((mesh.facet_phases[rows] == (low, high)).all(axis=1))
        here = here[np.argsort(rows[here])]
        names = (mesh.phases[low], mesh.phases[high])
        result[names] = Interface(
            names,
            rows[here],
            found[here],
            beside[here],
            normals[here] / length[here, None],
            0.5 * length[here],
        )
    return result
