"""A mesh that can change, made from a lattice, given more room, or put in order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..numerics.threads import even_shares, over_slabs
from .complex_kernels import CELLS, FREE, VERTICES, Complex, gather_sets, link_all
from .field_kernels import Fields, phases_at
from .lattice import Lattice

__all__ = ["in_order", "linked", "make_complex", "with_room"]


def make_complex(lattice: Lattice, fields: Fields) -> Complex:
    """Return the lattice as a mesh that can change, with the winning phase at each vertex."""
    n = len(lattice.points)
    winners = np.empty(n, np.int64)
    over_slabs(phases_at, even_shares(n), fields, lattice.points, winners)
    sets = np.left_shift(np.int64(1), winners)
    phase = np.zeros(len(lattice.cells), np.int16)
    return linked(lattice.points, lattice.box, lattice.cells, phase, sets)


def linked(
    points: NDArray[np.float64],
    box: NDArray[np.uint8],
    cells: NDArray[np.int32],
    phase: NDArray[np.int16],
    sets: NDArray[np.int64] | None = None,
) -> Complex:
    """Return a mesh that can change, with the phases at its vertices unless they are given."""
    n, m = len(points), len(cells)
    given = sets is not None
    if sets is None:
        sets = np.zeros(n, np.int64)
    mesh = Complex(
        points,
        box,
        sets,
        cells,
        phase,
        first=np.empty(n, np.int32),
        after=np.empty(4 * m, np.int32),
        free=np.empty(m, np.int32),
        changed=np.zeros(n, np.int32),
        counts=np.array([n, m, 0, 0], np.int64),
    )
    link_all(mesh)
    if not given:
        gather_sets(mesh)
    return mesh


def with_room(mesh: Complex, vertices: int, cells: int) -> Complex:
    """Return the mesh with room for more vertices and tetrahedra."""
    n = int(mesh.counts[VERTICES]) + vertices
    m = int(mesh.counts[CELLS] - mesh.counts[FREE]) + cells
    room = {name: n for name in ("points", "box", "sets", "first", "changed")}
    room |= {name: m for name in ("cells", "phase", "free")} | {"after": 4 * m}
    grown = {}
    for name, length in room.items():
        old = getattr(mesh, name)
        if length > len(old):
            grown[name] = np.empty((length, *old.shape[1:]), old.dtype)
            grown[name][: len(old)] = old
    return mesh._replace(**grown)


def in_order(mesh: Complex) -> Complex:
    """Return the mesh without gaps, with vertices and tetrahedra that are near each other in space.

    They are ordered along a Z-shaped curve through cubes (G. M. Morton, 1966).
    """
    cells = mesh.cells[: mesh.counts[CELLS]]
    alive = np.flatnonzero(cells[:, 0] >= 0)
    used = np.flatnonzero(mesh.first[: mesh.counts[VERTICES]] >= 0)
    order = used[np.argsort(_morton(mesh.points[used]), kind="stable")]
    number = np.full(int(mesh.counts[VERTICES]), -1, np.int32)
    number[order] = np.arange(len(order), dtype=np.int32)
    cells = number[cells[alive]]
    along = np.argsort(cells.min(axis=1), kind="stable")
    return linked(
        mesh.points[order],
        mesh.box[order],
        cells[along],
        mesh.phase[alive][along],
        mesh.sets[order],
    )


def _morton(points: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the place of each point on a Z-shaped curve through 1024^3 cubes around them."""
    low = points.min(axis=0)
    cube = np.minimum((points - low) / max(np.ptp(points), 1e-300) * 1024, 1023).astype(np.int64)
    key = np.zeros(len(points), np.int64)
    for bit in range(10):
        for axis in range(3):
            key |= (cube[:, axis] >> bit & 1) << (3 * bit + 2 - axis)
    return key
