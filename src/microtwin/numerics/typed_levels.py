"""Coarse levels of an elastic grid that keep stiff, soft and void apart.

A cell of the coarse grid holds one trilinear element per *piece*: the voxels of one kind in it that
are joined by faces. Pieces of neighbouring cells share corners where they share faces of voxels; so
a corner of the grid may carry several unknowns. A node moves with a piece of the stiffest kind that
touches it. Soft layers between stiff bodies, gaps, and bodies that touch at an edge only are thus
kept on the coarse grid, however thin. The matrices are those of the fine grid in these functions
(Galerkin); deeper levels follow in the same way from the pieces of the level above.

Each matrix is made in double precision from that of the level above, and rounded once the next one
is there. Rounded matrices resist rigid motions a little, and sums of them resist more on each
level, until that hides how softly a stiff body hangs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import block_kernels
from . import typed_kernels as kernels
from .elements import doubled_elements
from .smoothed_level import SmoothedLevel, Vector
from .threads import even_shares, over_slabs

__all__ = ["Faces", "Pieces", "TypedLevel", "pieces_of_voxels"]

Ints = NDArray[np.int32]
COARSEST = 10  # cells along an edge of the coarsest grid
IDLE = 1e-12  # of the largest entry of a diagonal: what is less moves nothing
USUAL = 3.3  # norms of the blocks in a row, over that of its own, in a uniform solid
SHIFT = 1e-6  # of its diagonal, which then makes it definite


@dataclass(frozen=True, eq=False)
class Faces:
    """What holds the nodes on the six faces of a grid.

    Parameters
    ----------
    held : ndarray of bool, shape (3, 2, 3)
        By axis, side and component.
    ends : tuple of 3 int
        Along each axis, the plane of nodes of the upper side.
    """

    held: NDArray[np.bool_]
    ends: tuple[int, int, int]

    def coarser(self) -> Faces:
        """Return them for a grid of cells twice as large."""
        a, b, c = (-(-end // 2) for end in self.ends)
        return Faces(self.held, (a, b, c))

    def at(self, places: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Return which components of nodes are held, shape (n, 3), from places of shape (n, 3)."""
        out = np.zeros(places.shape, bool)
        for axis in range(3):
            for side, there in ((0, places[:, axis] == 0), (1, places[:, axis] >= self.ends[axis])):
                out |= there[:, None] & self.held[axis, side]
        return out


@dataclass(frozen=True, eq=False)
class Pieces:
    """The pieces of a coarse grid.

    Parameters
    ----------
    cells : tuple of 3 int
        Shape of the grid.
    cell_of : ndarray, shape (p,)
        The cell of each.
    links : ndarray, shape (m, 3)
        Lower piece, upper piece and axis, of pieces that share faces.
    """

    cells: tuple[int, int, int]
    cell_of: Ints
    links: Ints

    def coordinates(self, of: NDArray[np.integer]) -> NDArray[np.int64]:
        """Return the cells of some pieces as places in the grid, shape (n, 3)."""
        return np.stack(np.unravel_index(self.cell_of[of], self.cells), axis=1)

    def shared_corners(self) -> Ints:
        """Return for each corner, 8 p + n, another that is the same; a forest for `root`."""
        parent = np.arange(8 * len(self.cell_of), dtype=np.int32)
        kernels.unite_corners(parent, self.links)
        return parent

    def coarser(self) -> tuple[Pieces, Ints]:
        """Return those of cells twice as large, and in which of them each of these lies."""
        cells = np.array(self.cells)
        lower, upper, axis = self.links.T
        place = self.coordinates(lower)[np.arange(len(lower)), axis]
        inner = (place % 2 == 0) & (place + 1 < cells[axis])
        parent = np.arange(len(self.cell_of), dtype=np.int32)
        kernels.unite_pieces(parent, self.links, inner)
        while True:
            above = parent[parent]
            if np.array_equal(above, parent):
                break
            parent = above
        next_cells = (-(-self.cells[0] // 2), -(-self.cells[1] // 2), -(-self.cells[2] // 2))
        tops = np.flatnonzero(parent == np.arange(len(parent)))
        cell = np.ravel_multi_index(tuple((self.coordinates(tops) // 2).T), next_cells)
        order = np.argsort(cell, kind="stable")
        number = np.empty(len(parent), np.int32)
        number[tops[order]] = np.arange(len(tops), dtype=np.int32)
        into = number[parent]
        count = len(tops)
        code = (into[lower[~inner]].astype(np.int64) * count + into[upper[~inner]]) * 3 + axis[
            ~inner
        ]
        code = np.unique(code)
        links = np.stack([code // 3 // count, code // 3 % count, code % 3], axis=1)
        coarse = Pieces(next_cells, cell[order].astype(np.int32), links.astype(np.int32))
        return coarse, into


def pieces_of_voxels(kinds: NDArray[np.uint8]) -> tuple[Pieces, NDArray[np.int32]]:
    """Return the pieces of the first coarse grid, and the piece of each voxel, -1 for void.

    Parameters
    ----------
    kinds : ndarray, shape (nz, ny, nx)
        Kind of each voxel; 0 is void, stiffer kinds are larger.
    """
    nz, ny, nx = kinds.shape
    cells = (-(-nz // 2), -(-ny // 2), -(-nx // 2))
    piece = np.empty(kinds.shape, np.int32)
    cell_of = np.empty(4 * int(np.prod(cells)), np.int32)
    local = np.empty(8, np.int32)
    count = kernels.pieces_of_voxels(kinds, cells, piece, cell_of, local)
    links = np.empty((0, 3), np.int32)
    links = np.empty((kernels.links_of_voxels(kinds, piece, links), 3), np.int32)
    if len(links):
        kernels.links_of_voxels(kinds, piece, links)
    return Pieces(cells, cell_of[:count].copy(), links), piece


@dataclass(frozen=True, eq=False)
class _Rows:
    """Rows of a sparse matrix: where they start, columns, and a value for each."""

    starts: NDArray[np.int64]
    columns: Ints
    values: NDArray[Any]

    @property
    def parts(self) -> tuple[NDArray[np.int64], Ints, NDArray[Any]]:
        return self.starts, self.columns, self.values

    def rounded(self) -> _Rows:
        return _Rows(self.starts, self.columns, self.values.astype(np.float32))


class TypedLevel(SmoothedLevel):
    """A coarse level: a matrix of blocks, and the mean strain.

    Vectors hold three components of each unknown, then six of the mean strain.

    Parameters
    ----------
    pieces : Pieces
    corners : ndarray, shape (8 p,)
        The unknown at each corner of each piece; negative where none is.
    owner : ndarray, shape (n,)
        A corner of each unknown.
    matrix : _Rows
        With values of shape (m, 3, 3).
    affine : ndarray, shape (3 n, 6)
        Forces that mean strains exert.
    energy : ndarray, shape (6, 6)
        Of mean strains; 0 for components that are held.
    faces : Faces
    touched : ndarray of bool, shape (n, 3)
        Components on which some that are held depend.
    """

    def __init__(
        self,
        pieces: Pieces,
        corners: Ints,
        owner: Ints,
        matrix: _Rows,
        affine: NDArray[np.float32],
        energy: NDArray[np.float32],
        faces: Faces,
        touched: NDArray[np.bool_],
    ) -> None:
        self.pieces, self.corners, self.owner, self.faces = pieces, corners, owner, faces
        self.count = len(owner)
        self.size = 3 * self.count + 6
        self.matrix, self.affine, self.energy = matrix, affine, energy
        self._strained = bool(energy.any())
        self._hold(touched)
        self.prepare()

    def _hold(self, touched: NDArray[np.bool_]) -> None:
        """Take the components that are held out of the matrix, and invert its diagonal blocks."""
        places = self.pieces.coordinates(self.owner >> 3)
        places += np.stack([self.owner >> 2 & 1, self.owner >> 1 & 1, self.owner & 1], axis=1)
        # A piece close to a face that does not reach it moves freely.
        held = self.faces.at(places) & touched
        starts, columns, values = self.matrix.parts
        if held.any():
            over_slabs(block_kernels.hold, self._shares, starts, columns, values, held)
            self.affine[held.ravel()] = 0.0
        blocks = np.empty((self.count, 3, 3))
        over_slabs(block_kernels.own_blocks, self._shares, starts, columns, values, blocks)
        own = np.einsum("ncc->nc", blocks)
        # What moves nothing: components that are held, or that nodes which are held depend on.
        idle = held | (own <= IDLE * own.max(initial=0.0))
        blocks *= ~idle[:, :, None] * ~idle[:, None, :]
        blocks += idle[:, :, None] * np.eye(3)
        inverse = np.linalg.inv(blocks)
        inverse *= ~idle[:, :, None] * ~idle[:, None, :]
        # A piece of few nodes has more unknowns than they can tell apart, and eigenvalues up to 8:
        # rows that could be too large are divided by as much, so that the others may step farther.
        size, scale = np.empty(self.count), np.where(idle, 0.0, own).sum(axis=1)
        over_slabs(block_kernels.row_norms, self._shares, starts, columns, values, scale, size)
        inverse /= np.maximum(1.0, size / USUAL)[:, None, None]
        self._inverse = inverse.astype(np.float32)
        self._held = np.flatnonzero(held.ravel())

    def image(self, out: Vector, u: Vector) -> None:
        """Set out to A u."""
        over_slabs(block_kernels.multiply, self._shares, out, *self.matrix.parts, u)
        if self._strained:
            out[:-6] += self.affine @ u[-6:]
            out[-6:] = self.affine.T @ u[:-6] + self.energy @ u[-6:]
        else:
            out[-6:] = 0.0

    def residual(self, out: Vector, rhs: Vector, u: Vector) -> None:
        """Set out to rhs - A u."""
        self.image(out, u)
        self.combine(out, -1.0, rhs, 1.0)

    def _scaled(self, d: Vector, rhs: Vector, factor: float) -> None:
        over_slabs(block_kernels.scaled, self._shares, d, rhs, self._inverse, np.float32(factor))
        d[-6:] = 0.0

    def _descend(self, d: Vector, rhs: Vector, u: Vector, a: float, b: float) -> None:
        affine = self.affine @ u[-6:] if self._strained else u[:0]
        over_slabs(
            block_kernels.descend, self._shares, d, rhs, u, affine, *self.matrix.parts,
            self._inverse, np.float32(a), np.float32(b),
        )  # fmt: skip

    @property
    def _shares(self) -> list[tuple[int, int]]:
        return even_shares(self.count)

    def _restrict(self, coarse: Vector, residual: Vector) -> None:
        up = self._up
        over_slabs(
            block_kernels.interpolate, even_shares(len(up.starts) - 1), coarse, residual, *up.parts
        )
        coarse[self._coarse_held] = 0.0
        coarse[-6:] = residual[-6:]

    def _prolong(self, u: Vector, correction: Vector) -> None:
        over_slabs(block_kernels.interpolate, self._shares, u, correction, *self._down.parts)
        u[self._held] = 0.0
        u[-6:] += correction[-6:]

    @property
    def can_coarsen(self) -> bool:
        """Whether the grid can be made coarser."""
        return max(self.pieces.cells) > COARSEST

    def coarsen(self) -> TypedLevel:
        """Return the next level."""
        from scipy.sparse import csr_array

        pieces, into = self.pieces.coarser()
        parent = pieces.shared_corners()
        place = self.pieces.coordinates(self.owner >> 3)
        upper = np.stack([self.owner >> 2 & 1, self.owner >> 1 & 1, self.owner & 1], axis=1)
        alone = (place == np.array(self.pieces.cells) - 1) & (place % 2 == 0)
        half = np.where(alone, 2 * upper, place % 2 + upper)
        shares = np.stack([2 - half, half], axis=2) / 2.0  # by axis, of the lower and upper side
        bits = np.arange(8)
        weight = (
            shares[:, 0, bits >> 2] * shares[:, 1, bits >> 1 & 1] * shares[:, 2, bits & 1]
        ).astype(np.float32)
        corner = 8 * into[self.owner >> 3][:, None] + bits[None].astype(np.int32)
        rows, _ = np.nonzero(weight)
        at = corner[weight > 0.0]
        used = np.zeros(len(parent), np.uint8)
        kernels.mark_roots(parent, at, used)
        unknowns, owner = np.empty(len(parent), np.int32), np.empty(len(parent), np.int32)
        count = kernels.number_corners(parent, used, unknowns, owner)
        owner = owner[:count].copy()
        down = csr_array((weight[weight > 0.0], (rows, unknowns[at])), shape=(self.count, count))
        down.sum_duplicates()
        up = down.T.tocsr()
        held = np.zeros(3 * self.count, bool)
        held[self._held] = True
        touched = up @ held.reshape(-1, 3).astype(np.float32) > 0.0
        self._down = _Rows(down.indptr.astype(np.int64), down.indices.astype(np.int32), down.data)
        self._up = _Rows(up.indptr.astype(np.int64), up.indices.astype(np.int32), up.data)
        shares_of_rows = even_shares(count)
        sizes = np.zeros(count, np.int64)
        frame = (self._up.parts, self.matrix.parts, self._down.parts, count)
        none = np.empty(0, np.int32)
        over_slabs(
            block_kernels.coarse_row_sizes,
            shares_of_rows,
            *frame,
            sizes,
            np.zeros(count, np.int64),
            none,
        )
        starts = np.concatenate([[0], np.cumsum(sizes)])
        columns = np.empty(starts[-1], np.int32)
        over_slabs(block_kernels.coarse_row_sizes, shares_of_rows, *frame, sizes, starts, columns)
        values = np.zeros((len(columns), 3, 3))
        over_slabs(block_kernels.coarse_rows, shares_of_rows, *frame, starts, columns, values)
        affine = np.zeros((3 * count, 6), np.float32)
        for s in range(6):
            if self.affine[:, s].any():
                part = np.zeros(3 * count, np.float32)
                own = np.ascontiguousarray(self.affine[:, s])
                over_slabs(block_kernels.interpolate, shares_of_rows, part, own, *self._up.parts)
                affine[:, s] = part
        coarse = TypedLevel(
            pieces, unknowns, owner, _Rows(starts, columns, values), affine, self.energy,
            self.faces.coarser(), touched,
        )  # fmt: skip
        self._coarse_held = coarse.held
        self.matrix = self.matrix.rounded()
        return coarse

    @property
    def held(self) -> NDArray[np.int64]:
        """The entries of a vector that stay 0."""
        return self._held

    def factorize(self) -> Callable[[NDArray[Any]], NDArray[Any]]:
        """Return a function that solves directly.

        A small multiple of the diagonal holds what costs no energy.
        """
        from scipy.sparse import bsr_array, diags_array
        from scipy.sparse.linalg import splu

        starts, columns, values = self.matrix.parts
        n = 3 * self.count
        matrix = bsr_array((values.astype(float), columns, starts), shape=(n, n)).tocsc()
        own = matrix.diagonal()
        idle = own <= IDLE * own.max(initial=0.0)
        scale = np.where(idle, 0.0, 1.0 / np.sqrt(np.where(idle, 1.0, own)))
        scaled = diags_array(scale) @ matrix @ diags_array(scale) + diags_array(idle + SHIFT)
        factors = splu(
            scaled.tocsc(), permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0,
            options={"SymmetricMode": True},
        )  # fmt: skip

        def inverse(rhs: NDArray[np.float64]) -> NDArray[np.float64]:
            found: NDArray[np.float64] = scale * factors.solve(scale * rhs)
            return found

        # The mean strain is left when the others have been eliminated.
        free = np.flatnonzero(np.diag(self.energy))
        affine = self.affine[:, free].astype(float)
        answer = np.stack([inverse(column) for column in affine.T], 1) if len(free) else affine
        rest = self.energy[np.ix_(free, free)] - affine.T @ answer

        def solve(rhs: NDArray[Any]) -> NDArray[Any]:
            out = np.zeros(self.size)
            out[:n] = inverse(rhs[:n].astype(float))
            if len(free):
                strain = np.linalg.solve(rest, rhs[n:][free] - affine.T @ out[:n])
                out[:n] -= answer @ strain
                out[n + free] = strain
            return out.astype(np.float32)

        return solve


def cell_matrix(
    pieces: Pieces,
    number: NDArray[np.signedinteger],
    ways: tuple[NDArray[np.uint8], Ints, Ints],
    count: int,
    elements: NDArray[np.float64],
    held: NDArray[np.bool_],
) -> _Rows:
    """Return the matrix of the first coarse level, of blocks, cell by cell.

    Parameters
    ----------
    pieces : Pieces
    number : ndarray, shape (nz, ny, nx)
    ways : tuple
        The octant of each node, the piece of each voxel, the unknown at each corner of a piece.
    count : int
        Of unknowns.
    elements : ndarray, shape (m, 24, 24)
        The matrix of each kind of element; that of void is the last.
    held : ndarray of bool, shape (3, nz, ny, nx)
        Components of nodes that do not move.
    """
    cells = pieces.cells
    void = len(elements) - 1
    whole = int(np.prod(cells))
    sizes, none = np.zeros(whole, np.int64), np.empty(0, np.int32)
    frame = (cells, *ways, number, void)
    layers = even_shares(cells[0])
    over_slabs(kernels.cell_sizes, layers, *frame, sizes, none, np.zeros(whole, np.int64))
    cell_starts = np.concatenate([[0], np.cumsum(sizes)])
    lists = np.empty(cell_starts[-1], np.int32)
    over_slabs(kernels.cell_sizes, layers, *frame, sizes, lists, cell_starts)
    order = np.argsort(lists, kind="stable")
    of_cells = np.repeat(np.arange(whole, dtype=np.int32), sizes)[order]
    del order
    of_starts = np.concatenate([[0], np.cumsum(np.bincount(lists, minlength=count))])
    shares, row_sizes = even_shares(count), np.zeros(count, np.int64)
    frame_of_rows = (cell_starts, lists, of_starts, of_cells, count)
    nothing = np.zeros(count, np.int64)
    over_slabs(kernels.row_sizes, shares, *frame_of_rows, row_sizes, nothing, none)
    starts = np.concatenate([[0], np.cumsum(row_sizes)])
    columns = np.empty(starts[-1], np.int32)
    over_slabs(kernels.row_sizes, shares, *frame_of_rows, row_sizes, starts, columns)
    del lists, of_cells, cell_starts, of_starts, frame_of_rows
    values = np.zeros((len(columns), 3, 3))
    doubled = doubled_elements(elements)
    for group in apart(cells[0]):
        over_slabs(
            kernels.add_cells, even_shares(len(group)), group, *frame, elements, doubled, held,
            starts, columns, values,
        )  # fmt: skip
    return _Rows(starts, columns, values)


def apart(count: int) -> list[NDArray[np.int64]]:
    """Return the layers of a ring in groups within which none touches another."""
    even = count - count % 2 if count > 1 else 0
    groups = [np.arange(0, even, 2), np.arange(1, even, 2), np.arange(even, count)]
    return [group for group in groups if len(group)]
