"""Rigid motions of the pieces of a mesh, and which of them nothing holds.

A rigid motion of a piece is written with six coefficients q: translations along (z, y, x) and
rotations around its centre. What holds it costs energy: a given displacement, and springs to other
pieces. The matrix of this energy over the coefficients of all pieces has the free motions as its
null space. Pieces that springs tie to each other are one body.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

from .mesh_cohesion import springs
from .mesh_elements import Elements
from .mesh_pieces import SolidMesh

__all__ = ["FreeMotions", "free_motions", "rigid_motions"]

Vector = NDArray[np.float64]
FREE = 1e-12  # of the largest eigenvalue of a body: below, nothing holds a motion


@dataclass(frozen=True, eq=False)
class FreeMotions:
    """The rigid motions that nothing holds.

    Parameters
    ----------
    basis : csr_array, shape (3 count, k)
        Orthonormal columns, each a motion of one body.
    bodies : ndarray of int, shape (n,)
        Body of each vertex of the solid part.
    number : dict of int to int
        How many free motions a body has, where it has some.
    """

    basis: csr_array = field(repr=False)
    bodies: NDArray[np.intp] = field(repr=False)
    number: dict[int, int]

    def removed(self, vector: Vector) -> Vector:
        """Return a vector (3 count,) without its share in the free motions."""
        if self.basis.shape[1] == 0:
            return vector
        return np.asarray(vector - self.basis @ (self.basis.T @ vector))


def rigid_motions(solid: SolidMesh) -> Vector:
    """Return the six rigid motions of each piece at its vertices, shape (n, 3, 6).

    Rotations have the centre of the vertices as their axis and are scaled to about 1.
    """
    points, pieces = solid.mesh.points, solid.pieces
    number = np.bincount(pieces).astype(float)
    centre = np.stack([np.bincount(pieces, x) for x in points.T], axis=1) / number[:, None]
    arm = points - centre[pieces]
    radius = np.sqrt(np.bincount(pieces, (arm**2).sum(axis=1)) / number)
    arm /= radius[pieces, None]
    motions = np.zeros((len(points), 3, 6))
    motions[:, :, :3] = np.eye(3)
    for axis in range(3):
        first, second = (axis + 1) % 3, (axis + 2) % 3
        motions[:, first, 3 + axis] = -arm[:, second]
        motions[:, second, 3 + axis] = arm[:, first]
    return motions


def free_motions(
    solid: SolidMesh,
    elements: Elements,
    motions: Vector,
    held: NDArray[np.bool_],
    debonding: Mapping[frozenset[str], tuple[float, float]],
) -> FreeMotions:
    """Return the rigid motions that nothing holds.

    Parameters
    ----------
    solid : SolidMesh
    elements : Elements
    motions : ndarray, shape (n, 3, 6)
        Of `rigid_motions`.
    held : ndarray of bool, shape (count, 3)
        Unknowns that are given.
    debonding : mapping of sets of two str to (float, float)
        Normal and shear stiffness of imperfect interfaces.

    Returns
    -------
    FreeMotions
    """
    pieces, n = solid.pieces, len(solid.points)
    count = int(pieces.max()) + 1
    energy = np.zeros((count, 6, 6))
    vertex, axis = np.nonzero(held[:n])
    each = motions[vertex, axis]
    np.add.at(energy, pieces[vertex], each[:, :, None] * each[:, None, :])
    parts = [(np.arange(count), np.arange(count), energy)]
    ties = [np.empty((0, 2), np.intp)]
    for pair, (normal, shear) in debonding.items():
        interface = solid.interfaces.get(solid.pair(*pair))
        if interface is None or normal == shear == 0.0:
            continue
        # Only what costs energy matters here, not how much.
        matrix = springs(interface.normals, float(normal > 0.0), float(shear > 0.0))
        at = interface.vertices  # (k, 2, 3)
        for s, t in np.ndindex(2, 2):
            sign = 1.0 if s == t else -1.0
            block = sign * np.einsum(
                "kvia,kij,kvjb->kab", motions[at[:, s]], matrix, motions[at[:, t]]
            )
            parts.append((pieces[at[:, s, 0]], pieces[at[:, t, 0]], block))
        ties.append(pieces[at[:, :, 0]])
    tie = np.concatenate(ties)
    graph = coo_array((np.ones(len(tie), np.int8), (tie[:, 0], tie[:, 1])), (count, count))
    bodies = connected_components(graph, directed=False)[1]
    total = _joined(parts, count)
    coefficients = _null_spaces(total, bodies)
    return FreeMotions(
        _basis(motions, pieces, coefficients, elements.count),
        bodies[pieces],
        {body: found[1].shape[2] for body, found in coefficients.items()},
    )


def _joined(
    parts: list[tuple[NDArray[np.intp], NDArray[np.intp], Vector]], count: int
) -> csr_array:
    rows, columns, values = (np.concatenate(part) for part in zip(*parts, strict=True))
    component = np.arange(6)
    at = (
        np.broadcast_to(6 * rows[:, None, None] + component[:, None], values.shape).ravel(),
        np.broadcast_to(6 * columns[:, None, None] + component, values.shape).ravel(),
    )
    return csr_array(coo_array((values.ravel(), at), shape=(6 * count, 6 * count)))


def _null_spaces(
    energy: csr_array, bodies: NDArray[np.intp]
) -> dict[int, tuple[NDArray[np.intp], Vector]]:
    """Return, for each body with free motions, its pieces and the coefficients (p, 6, k)."""
    found = {}
    order = np.argsort(bodies, kind="stable")
    ends = np.cumsum(np.bincount(bodies))
    for body, mine in enumerate(np.split(order, ends[:-1])):
        at = (6 * mine[:, None] + np.arange(6)).ravel()
        values, vectors = np.linalg.eigh(energy[at][:, at].toarray())
        free = values <= FREE * values[-1]
        if free.any():
            found[body] = (mine, vectors[:, free].reshape(len(mine), 6, -1))
    return found


def _basis(
    motions: Vector,
    pieces: NDArray[np.intp],
    coefficients: dict[int, tuple[NDArray[np.intp], Vector]],
    count: int,
) -> csr_array:
    order = np.argsort(pieces, kind="stable")
    groups = np.split(order, np.cumsum(np.bincount(pieces))[:-1])
    rows, columns, values = [], [], []
    start = 0
    for mine, q in coefficients.values():
        vertices = np.concatenate([groups[piece] for piece in mine])
        each = np.concatenate(
            [motions[groups[piece]] @ own for piece, own in zip(mine, q, strict=True)]
        )
        vectors = np.linalg.qr(each.reshape(3 * len(vertices), -1))[0]
        k = vectors.shape[1]
        unknowns = (3 * vertices[:, None] + np.arange(3)).ravel()
        rows.append(np.repeat(unknowns, k))
        columns.append(np.tile(np.arange(start, start + k), len(unknowns)))
        values.append(vectors.ravel())
        start += k
    if start == 0:
        return csr_array((3 * count, 0))
    at = (np.concatenate(rows), np.concatenate(columns))
    return csr_array(coo_array((np.concatenate(values), at), shape=(3 * count, start)))
