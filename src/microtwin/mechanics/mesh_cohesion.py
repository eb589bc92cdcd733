"""Imperfect interfaces: springs between the two sides, as a matrix.

Where the displacement jumps by [u], the traction on the sides is ::

    t = k_n n (n . [u]) + k_s ([u] - n (n . [u])),

linear also where the sides are pressed into each other. Their energy is half the integral of
t . [u] over the interface.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import bsr_matrix, coo_matrix

from ..checking import is_number
from ..meshing import TetrahedralMesh
from .mesh_elements import EDGE, Elements
from .mesh_pieces import Interface

__all__ = ["checked_debonding", "jump_means", "spring_matrix", "springs"]

Vector = NDArray[np.float64]


def checked_debonding(
    mesh: TetrahedralMesh,
    solids: Mapping[str, object],
    debonding: Mapping[tuple[str, str], tuple[float, float]],
) -> dict[frozenset[str], tuple[float, float]]:
    """Return the stiffness of each imperfect interface; a `ValueError` says what is allowed."""
    found: dict[frozenset[str], tuple[float, float]] = {}
    for pair, value in debonding.items():
        if not isinstance(pair, tuple) or len(set(pair)) != 2:
            raise ValueError(
                f"{pair!r} is no pair of phases; write debonding as ('active', 'binder'): "
                "(1e15, 1e14)"
            )
        for name in pair:
            mesh.number(name)
            if name not in solids:
                raise ValueError(f"phase {name!r} debonds but has no material; give it one")
        if frozenset(pair) in found:
            raise ValueError(f"the interface {pair!r} is given twice; give each pair once")
        if (
            not isinstance(value, (tuple, list))
            or len(value) != 2
            or not all(is_number(k) and k >= 0.0 for k in value)
        ):
            raise ValueError(
                f"the stiffness {value!r} of the interface {pair!r} is not allowed; give normal "
                "and shear stiffness, two numbers of 0 or more in Pa/m, or leave the pair out for "
                "a perfect bond"
            )
        found[frozenset(pair)] = (float(value[0]), float(value[1]))
    return found


def springs(normals: Vector, normal: float, shear: float) -> Vector:
    """Return the matrices that turn jumps into tractions, shape (k, 3, 3), in Pa/m."""
    along = normals[:, :, None] * normals[:, None, :]
    return shear * np.eye(3) + (normal - shear) * along


def spring_matrix(
    elements: Elements, interface: Interface, stiffness: tuple[float, float]
) -> bsr_matrix:
    """Return the matrix of the integral of t . [v] over an interface, in N/m."""
    mass = _mass(elements.order)
    blocks = elements.facet_blocks(interface.vertices)  # (k, 2, b)
    side = np.array([1.0, -1.0])
    own = springs(interface.normals, *stiffness) * interface.areas[:, None, None]
    values = np.einsum("ab,s,t,kij->ksatbij", mass, side, side, own)
    k, _, b = blocks.shape
    unknowns = 3 * blocks[..., None] + np.arange(3)  # (k, 2, b, 3)
    rows = np.broadcast_to(unknowns[:, :, :, None, None, :, None], (k, 2, b, 2, b, 3, 3))
    columns = np.broadcast_to(unknowns[:, None, None, :, :, None, :], (k, 2, b, 2, b, 3, 3))
    size = 3 * elements.count
    matrix = coo_matrix((values.ravel(), (rows.ravel(), columns.ravel())), shape=(size, size))
    return matrix.tobsr((3, 3))


def _mass(order: int) -> Vector:
    """Return the integrals of products of shape functions over a facet of unit area.

    Of lambda_1^a lambda_2^b lambda_3^c it is 2 a! b! c! / (a + b + c + 2)!.
    """
    vertices = (np.ones((3, 3)) + np.eye(3)) / 12.0
    if order == 1:
        return vertices
    inside = np.array([[2.0, 1.0, 2.0], [2.0, 2.0, 1.0], [1.0, 2.0, 2.0]]) / 60.0
    edges = (np.ones((3, 3)) + np.eye(3)) / 180.0
    return np.block([[vertices, EDGE * inside], [EDGE * inside.T, EDGE**2 * edges]])


def jump_means(elements: Elements, interface: Interface, displacement: Vector) -> Vector:
    """Return the mean displacement of the first side less that of the second, shape (k, 3)."""
    blocks = elements.facet_blocks(interface.vertices)
    shares = np.array([1.0 / 3.0] * 3 + [EDGE / 12.0] * 3)[: blocks.shape[2]]
    there = np.einsum("b,ksbi->ksi", shares, displacement[blocks])
    return np.asarray(there[:, 0] - there[:, 1])
