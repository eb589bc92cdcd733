"""Trilinear hexahedra that a plane cuts into two solids.

The displacement in the element is that of its corners, u_i, with a kink of the strength m at the
plane (immersed finite elements; in two dimensions see arXiv:1804.01157)::

    u = sum of N_i (u_i - f_i m) + f m,   f = max(d, 0)

for the trilinear functions N_i and the distance d to the plane, positive in the second solid; f_i
is f at the corners, so that the values there stay what they are. The kink follows from the corners:
tractions, with the mean strains at the plane, are equal on both of its sides. So a solution that is
linear on either side of the plane is in this space, however different the solids are. Where they
are the same there is no kink.

With B the strain that corners make, N m the strain of the tensor sym(m n) for the normal n, D the
difference of two solids (second less first) and [F m]_i = f_i m ::

    m = Q^-1 N' (D p - D C B_p u),   Q = N' (C_2 N - D C B_p F),   B_p the mean of B at the plane

where p are the stresses of the eigenstrains. The energy of these functions, exact but for the
quadrature over the two parts, gives the matrix of the element, its load and its mean strains.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .elements import PAIRS, corners

__all__ = ["CutElements", "across", "cut_elements"]

Matrix = NDArray[np.float64]
POINTS = 16  # of the quadrature, along each edge
HALVINGS = 40
ROWS = 256  # elements worked on at a time


@dataclass(frozen=True, eq=False)
class CutElements:
    """Matrices of cut elements; the parts are the first and the second solid.

    Parameters
    ----------
    stiffness : ndarray, shape (m, 24, 24)
        Forces at the corners, of displacements.
    loads : ndarray, shape (m, 2, 24, 6)
        Forces at the corners, of the stress of the eigenstrain in each part.
    strains : ndarray, shape (m, 2, 6, 24)
        Mean strain of each part, of displacements.
    kinks : ndarray, shape (m, 2, 6, 6)
        Mean strain of each part, of the difference of the two stresses.
    """

    stiffness: Matrix
    loads: Matrix
    strains: Matrix
    kinks: Matrix


def across(normal: Matrix) -> Matrix:
    """Return N, shape (..., 6, 3): N m is the strain of sym(m n), for normals of shape (..., 3)."""
    out = np.zeros((*normal.shape[:-1], 6, 3))
    for s, (a, c) in enumerate(PAIRS):
        out[..., s, a] = normal[..., c]
        out[..., s, c] = normal[..., a]
    return out


def cut_elements(
    first: Matrix, second: Matrix, normal: Matrix, share: Matrix, edges: Matrix
) -> CutElements:
    """Return the matrices of elements that a plane cuts.

    Parameters
    ----------
    first, second : ndarray, shape (m, 6, 6)
        Stiffnesses.
    normal : ndarray, shape (m, 3)
        Of length 1, from the first to the second.
    share : ndarray, shape (m,)
        Of the second, more than 0 and less than 1.
    edges : ndarray, shape (3,)
        Of an element.
    """
    count = len(share)
    out = CutElements(
        np.empty((count, 24, 24)), np.empty((count, 2, 24, 6)), np.empty((count, 2, 6, 24)),
        np.empty((count, 2, 6, 6)),
    )  # fmt: skip
    points = _Points(edges)
    for start in range(0, count, ROWS):
        part = slice(start, start + ROWS)
        _fill(out, part, points, first[part], second[part], normal[part], share[part])
    return out


class _Points:
    """Points of a quadrature, with the gradients of the eight functions."""

    def __init__(self, edges: Matrix) -> None:
        line = (np.arange(POINTS) + 0.5) / POINTS
        at = np.stack(np.meshgrid(line, line, line, indexing="ij"), -1).reshape(-1, 3)
        ends = corners()
        values = np.where(ends == 1, at[:, None], 1.0 - at[:, None])
        slopes = (2.0 * ends - 1.0) / edges
        others = [np.prod(np.delete(values, a, 2), axis=2) for a in range(3)]
        gradients = np.stack([slopes[:, a] * others[a] for a in range(3)], -1)
        self.edges = edges
        self.volume = float(np.prod(edges))
        self.at, self.corners = at * edges, ends * edges
        self.gradients = gradients.reshape(len(at), 24) / len(at)
        products = gradients.reshape(-1, 24)[:, :, None] * gradients.reshape(-1, 24)[:, None]
        self.products = products.reshape(len(at), 576) / len(at)

    def beyond(self, normal: Matrix, share: Matrix) -> tuple[Matrix, Matrix]:
        """Return the share of each point beyond planes, and the places of these along normals."""
        along = normal @ self.at.T
        width = (np.abs(normal) @ self.edges / POINTS)[:, None]
        low, high = along.min(axis=1) - width[:, 0], along.max(axis=1) + width[:, 0]
        for _ in range(HALVINGS):
            place = 0.5 * (low + high)
            found = np.clip(0.5 + (along - place[:, None]) / width, 0.0, 1.0)
            more = found.mean(axis=1) > share
            low, high = np.where(more, place, low), np.where(more, high, place)
        return found, place


def _fill(
    out: CutElements,
    part: slice,
    points: _Points,
    first: Matrix,
    second: Matrix,
    normal: Matrix,
    share: Matrix,
) -> None:
    weights, place = points.beyond(normal, share)
    near = ((weights > 0.0) & (weights < 1.0)).astype(float)
    near /= near.mean(axis=1, keepdims=True)
    whole = np.broadcast_to(points.gradients.sum(axis=0), (len(share), 24))
    b_second = _strain_of(weights @ points.gradients)
    b_first = _strain_of(whole) - b_second
    b_plane = _strain_of(near @ points.gradients)
    products = weights @ points.products
    stiffness = _energy(points.products.sum(axis=0) - products, first) + _energy(products, second)

    n = across(normal)
    height = np.maximum(points.corners @ normal[..., None] - place[:, None, None], 0.0)
    at_corners = (height[..., None] * np.eye(3)).reshape(-1, 24, 3)
    step = second - first
    flat = np.swapaxes(n, 1, 2)
    q = np.linalg.inv(flat @ (second @ n - step @ b_plane @ at_corners))
    of_stress = q @ flat
    of_corners = -of_stress @ step @ b_plane

    # The trilinear part of the displacement, of displacements and of differences of stress.
    smooth = np.eye(24) - at_corners @ of_corners
    smooth_kink = -at_corners @ of_stress
    f = share[:, None, None]
    kink, kink_of_stress = n @ of_corners, n @ of_stress
    turned, bent = np.swapaxes(smooth, 1, 2), np.swapaxes(kink, 1, 2)
    mixed = turned @ np.swapaxes(b_second, 1, 2) @ second
    total = turned @ stiffness @ smooth + bent @ second @ (f * kink)
    total += mixed @ kink + np.swapaxes(mixed @ kink, 1, 2)
    held = turned @ stiffness @ smooth_kink + mixed @ kink_of_stress
    held += bent @ second @ (b_second @ smooth_kink + f * kink_of_stress)
    out.stiffness[part] = 0.5 * points.volume * (total + np.swapaxes(total, 1, 2))
    own_first = turned @ np.swapaxes(b_first, 1, 2)
    own_second = turned @ np.swapaxes(b_second, 1, 2) + f * bent
    out.loads[part, 0] = points.volume * (own_first + held)
    out.loads[part, 1] = points.volume * (own_second - held)
    out.strains[part, 0] = b_first / (1.0 - f) @ smooth
    out.strains[part, 1] = b_second / f @ smooth + kink
    out.kinks[part, 0] = b_first / (1.0 - f) @ smooth_kink
    out.kinks[part, 1] = b_second / f @ smooth_kink + kink_of_stress


def _strain_of(gradients: Matrix) -> Matrix:
    """Return B, shape (m, 6, 24), of gradients of the eight functions, shape (m, 24)."""
    g = gradients.reshape(-1, 8, 3)
    out = np.zeros((len(g), 6, 8, 3))
    for s, (a, c) in enumerate(PAIRS):
        out[:, s, :, a] = g[:, :, c]
        out[:, s, :, c] = g[:, :, a]
    return out.reshape(-1, 6, 24)


def _energy(products: Matrix, stiffness: Matrix) -> Matrix:
    """Return the sum of B' C B from products of gradients, shapes (m, 576) and (m, 6, 6)."""
    pair = np.empty((3, 3), np.int64)
    for s, (a, c) in enumerate(PAIRS):
        pair[a, c] = pair[c, a] = s
    tensor = stiffness[:, pair[:, :, None, None], pair[None, None]]
    g = products.reshape(-1, 8, 3, 8, 3)
    found: Matrix = np.einsum("mparc,miajc->mipjr", tensor, g, optimize=True)
    return found.reshape(-1, 24, 24)
