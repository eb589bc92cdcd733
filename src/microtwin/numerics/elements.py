"""Matrices of trilinear hexahedra."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["PAIRS", "affine_part", "corners", "doubled_elements", "element_matrix", "upper_part"]

Matrix = NDArray[np.float64]
# The two axes of each of the six components of a strain.
PAIRS = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))


def upper_part(blocks: Matrix) -> Matrix:
    """Return the six numbers of symmetric blocks, shape (..., 3, 3), as those of a strain."""
    return np.stack([blocks[..., a, b] for a, b in PAIRS], axis=-1)


def corners() -> NDArray[np.int64]:
    """Return the corners of a cell as 0 and 1 along each axis, shape (8, 3)."""
    return np.array([(n >> 2, n >> 1 & 1, n & 1) for n in range(8)])


def affine_part(edges: Matrix) -> Matrix:
    """Return the displacements of the corners, shape (24, 6), for strains of 1."""
    out = np.zeros((24, 6))
    for n, corner in enumerate(corners() * edges):
        for s, (a, c) in enumerate(PAIRS):
            out[3 * n + a, s] += 0.5 * corner[c]
            out[3 * n + c, s] += 0.5 * corner[a]
    return out


def _gradients(edges: Matrix, at: Matrix) -> Matrix:
    """Return B, shape (6, 24), at a place from -1 to 1 along each axis."""
    b = np.zeros((6, 24))
    for n, corner in enumerate(2 * corners() - 1):
        shape = 0.5 * (1.0 + corner * at)
        slopes = [
            corner[a] / edges[a] * np.prod([shape[o] for o in range(3) if o != a]) for a in range(3)
        ]
        for s, (a, c) in enumerate(PAIRS):
            b[s, 3 * n + a] += slopes[c]
            if a != c:
                b[s, 3 * n + c] += slopes[a]
    return b


def element_matrix(stiffness: Matrix, edges: Matrix) -> Matrix:
    """Return the matrices of elements, shape (..., 24, 24), by Gauss quadrature."""
    total = np.zeros((*stiffness.shape[:-2], 24, 24))
    for corner in 2 * corners() - 1:
        b = _gradients(edges, corner / np.sqrt(3.0))
        total += float(np.prod(edges)) / 8.0 * b.T @ stiffness @ b
    return 0.5 * (total + total.swapaxes(-1, -2))


def doubled_elements(elements: Matrix) -> Matrix:
    """Return the matrix of eight equal elements in the trilinear functions of their cell.

    Shapes (..., 24, 24).
    """
    places = corners()
    total = np.zeros(elements.shape)
    for m in places:
        weight = np.array(
            [[np.prod(np.where(b, m + p, 2 - m - p)) / 8.0 for b in places] for p in places]
        )
        whole = np.kron(weight, np.eye(3))
        total += whole.T @ elements @ whole
    return total
