"""What is seen of a mesh: cut by a plane, or with a part taken away."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..microstructure import Direction, axis_index
from .tetrahedra import TetrahedralMesh

__all__ = ["cut_away", "plane_section"]

# Faces opposite to each corner, seen from outside.
_FACES = np.array([[1, 2, 3], [0, 3, 2], [0, 1, 3], [0, 2, 1]])
_EDGES = np.array([[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]])


def plane_section(
    mesh: TetrahedralMesh, direction: Direction, position: float
) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """Return the polygons in which a plane cuts the tetrahedra.

    Parameters
    ----------
    mesh : TetrahedralMesh
    direction : {"z", "y", "x"}
        Normal of the plane.
    position : float
        Along it, in metres.

    Returns
    -------
    polygons : ndarray, shape (k, 4, 2)
        Corners in metres along the two other axes, in the order of the axes; the last one is
        written twice for a triangle.
    phase : ndarray of uint8, shape (k,)

    Raises
    ------
    ValueError
        If the direction is not known.
    """
    axis = axis_index(direction)
    others = [a for a in range(3) if a != axis]
    # A plane through vertices would cut no edge there.
    height = mesh.points[:, axis] - position
    height = np.where(height == 0.0, 1e-12 * mesh.extent[axis], height)
    above = (height > 0.0)[mesh.cells]
    polygons, phases = [], []
    for count in (1, 2, 3):
        chosen = np.flatnonzero(above.sum(axis=1) == count)
        if len(chosen) == 0:
            continue
        cells, side = mesh.cells[chosen], above[chosen]
        first, second = cells[:, _EDGES[:, 0]], cells[:, _EDGES[:, 1]]
        crossing = side[:, _EDGES[:, 0]] != side[:, _EDGES[:, 1]]
        a, b = height[first], height[second]
        # Edges that do not cross count for nothing below.
        share = (a / np.where(crossing, a - b, 1.0))[:, :, None]
        points = (1 - share) * mesh.points[first] + share * mesh.points[second]
        corners = 4 if count == 2 else 3
        order = np.argsort(~crossing, axis=1, kind="stable")[:, :corners]
        cut = np.take_along_axis(points, order[:, :, None], axis=1)[:, :, others]
        if corners == 3:
            cut = np.concatenate([cut, cut[:, -1:]], axis=1)
        else:
            # Around the middle.
            place = cut - cut.mean(axis=1, keepdims=True)
            around = np.argsort(np.arctan2(place[..., 1], place[..., 0]), axis=1)
            cut = np.take_along_axis(cut, around[:, :, None], axis=1)
        polygons.append(cut)
        phases.append(mesh.phase[chosen])
    if not polygons:
        return np.empty((0, 4, 2)), np.empty(0, np.uint8)
    return np.concatenate(polygons), np.concatenate(phases)


def cut_away(
    mesh: TetrahedralMesh, kept: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """Return the outer faces of a part of the tetrahedra.

    Parameters
    ----------
    mesh : TetrahedralMesh
    kept : ndarray of bool, shape (m,)
        Tetrahedra that are left.

    Returns
    -------
    triangles : ndarray, shape (f, 3, 3)
        Corners in metres, in the order (z, y, x); by the right-hand rule their normals point out.
    phase : ndarray of uint8, shape (f,)
    """
    chosen = np.flatnonzero(kept)
    faces = mesh.cells[chosen][:, _FACES].reshape(-1, 3)
    owner = np.repeat(chosen, 4)
    keys = np.sort(faces, axis=1)
    order = np.lexsort(keys.T)
    same = (keys[order[1:]] == keys[order[:-1]]).all(axis=1)
    shared = np.zeros(len(faces), bool)
    shared[order[1:][same]] = True
    shared[order[:-1][same]] = True
    outer = np.flatnonzero(~shared)
    return mesh.points[faces[outer]], mesh.phase[owner[outer]]
