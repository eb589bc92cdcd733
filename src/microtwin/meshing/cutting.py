"""A lattice is made to conform to the interfaces between phases.

Every vertex carries the set of phases that meet there: one at first, the winner of the fields.
Vertices near an interface are moved onto it and carry both phases. An edge whose ends share no
phase is cut where the phase changes, the longest first, and the vertex there carries the phases of
both ends; so a cut of an edge from an interface to a third phase makes a vertex of a triple line.
When all vertices of each tetrahedron share a phase, that is the phase of the tetrahedron.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ..numerics.threads import even_shares, over_slabs
from . import cutting_kernels as kernels
from .complex_kernels import CELLS, STAR, VERTICES, Complex, gather_sets
from .complexes import with_room
from .field_kernels import Fields

__all__ = ["cut_lattice"]

ROUNDS = 30  # of cutting what is left; 3 are the most that random images needed
SNAPS = 2
ALIKE = 0.1  # difference of nearness to a cut within which it does not matter who moves first


def _edges(
    mesh: Complex, fields: Fields, mixed: NDArray[np.bool_] | None = None
) -> NDArray[np.int32]:
    """Return the edges whose ends share no phase (or lie at mixed samples), the longest first."""
    where = np.empty((0, 0, 0), bool) if mixed is None else mixed
    # Seldom does a vertex have more neighbours of higher number than this.
    edges = np.empty((10 * int(mesh.counts[VERTICES]), 2), np.int32)
    count = kernels.collect_edges(mesh, where, fields.steps, edges)
    if count > len(edges):
        edges = np.empty((count, 2), np.int32)
        kernels.collect_edges(mesh, where, fields.steps, edges)
    edges = edges[:count]
    lengths = np.linalg.norm(mesh.points[edges[:, 0]] - mesh.points[edges[:, 1]], axis=1)
    # Lengths of a lattice differ by rounding only: then the numbers of the vertices decide.
    return edges[np.lexsort((edges[:, 1], edges[:, 0], -np.round(lengths, 9)))]


def cut_lattice(mesh: Complex, fields: Fields, mixed: NDArray[np.bool_]) -> Complex:
    """Return the mesh with interfaces along faces of its tetrahedra, and their phases.

    Parameters
    ----------
    mesh : Complex
        As `make_complex` gives it; changed in place.
    fields : Fields
    mixed : ndarray of bool, shape (nz, ny, nx)
        Samples around which more than one phase wins: there edges are searched for phases between
        their ends, such as thin films.

    Returns
    -------
    Complex
    """
    edges = _edges(mesh, fields, mixed)
    share = np.empty(len(edges))
    over_slabs(kernels.hidden_phases, even_shares(len(edges)), mesh, fields, edges, share)
    hidden = share > 0
    mesh = _split(kernels.split_at, mesh, fields, edges[hidden], share[hidden])
    for _ in range(SNAPS):
        vertices = np.unique(_edges(mesh, fields))
        near = np.empty(len(vertices))
        over_slabs(kernels.nearest_cuts, even_shares(len(vertices)), mesh, fields, vertices, near)
        # The nearest first; those about as near stay in their order, which is one in space.
        order = np.argsort(np.floor(near / ALIKE), kind="stable")
        if kernels.snap(mesh, fields, vertices[order[near[order] < 1.0]]) == 0:
            break
    for _ in range(ROUNDS):
        edges = _edges(mesh, fields)
        if len(edges) == 0:
            break
        mesh = _split(kernels.cut_edges, mesh, fields, edges)
    for _ in range(ROUNDS):
        mesh = with_room(mesh, 10_000, 100_000)
        if kernels.join_sets(mesh) == 0:
            break
    count = int(mesh.counts[CELLS])
    over_slabs(kernels.assign_phases, even_shares(count), mesh, fields)
    gather_sets(mesh)
    return mesh


def _split(kernel: Callable[..., int], mesh: Complex, fields: Fields, *edges: NDArray) -> Complex:
    """Split edges with a kernel that stops where the room ends."""
    done = 0
    while done < len(edges[0]):
        left = len(edges[0]) - done
        mesh = with_room(mesh, left, 8 * left + 2 * STAR)
        done = kernel(mesh, fields, *edges, done)
    return mesh
