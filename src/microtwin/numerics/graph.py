"""Coarse grids that keep separate what is separate: clusters of a phase as the unknowns.

Blocks of 2 x 2 x 2 voxels merge all that is in them: two grains that do not touch, the two sides
of a thin wall. Where phases of very different conductivity lie scattered, corrections that are
constant on blocks then reach across gaps where no current flows, and the iteration stalls. Here a
block has one unknown for each cluster of strongly linked nodes in it. The nodes have no grid any
more, but their blocks do: links lead to the same block or to one beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from microtwin.numerics import graph_kernels as kernels
from microtwin.numerics.operator import COARSE_SWEEPS, factorized
from microtwin.numerics.threads import over_slabs, thread_count

__all__ = ["Graph", "GraphOperator", "coarsened", "graph_of_links"]

STRENGTH = 0.15  # a link this much weaker than the strongest one of a node is weak for it
RELENTING = 0.5  # factor on that from level to level
SHARE = 20_000  # nodes: fewer are not worth another thread


@dataclass(frozen=True, eq=False)
class Graph:
    """Nodes with links, each in a block of a grid.

    Parameters
    ----------
    shape : tuple of 3 ints
        Blocks along z, y and x.
    block : ndarray of int64, shape (n,)
        The block of each node, counted in C order.
    kind : ndarray of int8, shape (n,)
        Nodes of different kinds, the fields of a network, are not merged.
    indptr : ndarray of int64, shape (n + 1,)
    index : ndarray of int32
    g : ndarray of float32
        The links of node i are ``index[indptr[i] : indptr[i + 1]]``, with these conductances.
    ends : ndarray of float32, shape (n,)
        Conductance to a fixed potential of zero.
    mass : ndarray of float32, shape (n,)
        Reaction or capacity.
    """

    shape: tuple[int, int, int]
    block: NDArray[np.int64]
    kind: NDArray[np.int8]
    indptr: NDArray[np.int64]
    index: NDArray[np.int32]
    g: NDArray[np.float32]
    ends: NDArray[np.float32]
    mass: NDArray[np.float32]


def graph_of_links(
    shape: tuple[int, int, int],
    block: NDArray[np.int64],
    kind: NDArray[np.int8],
    links: tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]],
    ends: NDArray[np.float32],
    mass: NDArray[np.float32],
) -> Graph:
    """Return the graph of a list of links.

    Parameters
    ----------
    shape, block, kind, ends, mass
        See `Graph`.
    links : tuple of 3 ndarrays
        Both nodes and the conductance of each link.

    Returns
    -------
    Graph
    """
    n, count = len(block), len(links[0])
    indptr = np.zeros(n + 1, np.int64)
    index, g = np.empty(2 * count, np.int32), np.empty(2 * count, np.float32)
    kernels.linked(n, *links, indptr, index, g)
    return Graph(shape, block, kind, indptr, index, g, ends, mass)


def _colours(graph: Graph, block: NDArray[np.int64], shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Return a colour for each block, such that linked blocks differ.

    The colours of a chess board, and further ones for the last layer of blocks along axes with an
    odd number of blocks, which across a period would meet its own colour.
    """
    position = np.array(np.unravel_index(block, shape))
    last = np.array([(p == n - 1) & (n % 2 == 1) for p, n in zip(position, shape, strict=True)])
    return position.sum(axis=0) % 2 + 2 * (np.array([1, 2, 4]) @ last)


def coarsened(graph: Graph, strength: float) -> tuple[Graph, NDArray[np.int32], NDArray[np.int64]]:
    """Merge the strongly linked nodes of each block of 2 x 2 x 2 blocks.

    Parameters
    ----------
    graph : Graph
    strength : float
        A link is strong for a node if it conducts at least this part of its strongest one.

    Returns
    -------
    coarse : Graph
        Its nodes are ordered by the colour of their block: see `GraphOperator`. As on grids,
        links between blocks are halved, see `GridOperator.coarsen`; those within a block are not.
    parent : ndarray of int32, shape (n,)
        The coarse node of each node; -1 for nodes and clusters that need no correction: they
        are linked to nothing outside.
    starts : ndarray of int64
        Where the blocks of each colour start among the coarse nodes, and the number of nodes.
    """
    shape = tuple((n + 1) // 2 for n in graph.shape)
    position = np.unravel_index(graph.block, graph.shape)
    block = np.ravel_multi_index(tuple(p // 2 for p in position), shape)
    del position
    kind = graph.kind.copy()
    rows = (graph.indptr, graph.index, graph.g)
    representative = kernels.clustered(*rows, block, kind, strength)
    roots, cluster = np.unique(representative, return_inverse=True)
    del representative
    loss = np.bincount(cluster, graph.ends.astype(float) + graph.mass, len(roots))
    size = np.bincount(cluster)
    alive = (loss > 0.0) & (size > 1)  # a node on its own is solved exactly by relaxation
    kernels.mark_linked(graph.indptr, graph.index, cluster, alive)
    colour = _colours(graph, block[roots], shape)
    order = np.lexsort((block[roots], colour))
    order = order[alive[order]]
    number = np.full(len(roots), -1, np.int32)
    number[order] = np.arange(len(order))
    parent: NDArray[np.int32] = number[cluster]
    starts, members = _member_lists(parent, len(order))
    indptr, index, g = kernels.merged(*rows, graph.block, parent, starts, members)
    inside = parent >= 0
    ends = 0.5 * np.bincount(parent[inside], graph.ends[inside], len(order))
    mass = np.bincount(parent[inside], graph.mass[inside], len(order))
    coarse = Graph(
        shape, block[roots][order], kind[roots][order], indptr, index, g,  # type: ignore[arg-type]
        ends.astype(np.float32), mass.astype(np.float32),
    )  # fmt: skip
    changes = np.flatnonzero(np.diff(colour[order])) + 1
    return coarse, parent, np.array([0, *changes, len(order)])


def _member_lists(
    parent: NDArray[np.int32], count: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the nodes of each coarse node: where each list starts, and all lists in a row."""
    members = np.argsort(parent, kind="stable")
    starts = np.searchsorted(parent[members], np.arange(count + 1))
    return starts, members


class GraphOperator:
    """The operator on a graph, with the methods of `GridOperator` that a coarse level needs.

    Parameters
    ----------
    graph : Graph
        Ordered by the colours of its blocks.
    colours : ndarray of int64
        Where the nodes of each colour start, and the number of nodes. Nodes of one colour are
        linked only within their block: blocks can be relaxed at the same time.
    strength : float
        What counts as a strong link when it is coarsened, see `coarsened`.
    """

    def __init__(
        self, graph: Graph, colours: NDArray[np.int64], strength: float = STRENGTH
    ) -> None:
        self.graph = graph
        self.shape = graph.shape
        self.size = len(graph.block)
        self.sweeps = COARSE_SWEEPS
        self._strength = strength
        self._loss = graph.ends + graph.mass
        owner = np.repeat(np.arange(self.size), np.diff(graph.indptr))
        diagonal = self._loss + np.bincount(owner, graph.g, self.size)
        self._op = (graph.indptr, graph.index, graph.g, diagonal.astype(np.float32))
        self._groups = _shares(-(-self.size // kernels.GROUP), self.size)
        self._sums = np.empty((-(-self.size // kernels.GROUP), 3))
        self._nodes = _shares(self.size, self.size)
        self._colours = [self._whole_blocks(a, b) for a, b in pairwise(colours.tolist())]
        self._parent = np.empty(0, np.int32)
        self._members: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None

    @property
    def can_coarsen(self) -> bool:
        """Whether there is a coarser level."""
        return max(self.shape) > 1

    def _whole_blocks(self, first: int, end: int) -> list[tuple[int, int]]:
        """Split a range of nodes into shares that do not cut a block."""
        block = self.graph.block
        cuts = []
        for _, cut in _shares(end - first, end - first):
            cut += first
            while cut < end and block[cut] == block[cut - 1]:
                cut += 1
            cuts.append(cut)
        return list(zip([first, *cuts[:-1]], cuts, strict=True))

    def zeros(self, dtype: type = np.float32) -> NDArray:
        """Return a vector of zeros."""
        return np.zeros(self.size, dtype)

    def smooth_and_restrict(self, u: NDArray, rhs: NDArray, coarse: NDArray) -> None:
        """Smooth A u = rhs from u = 0 and set coarse to the sums of rhs - A u over clusters."""
        assert self._members is not None
        u[...] = 0
        for _ in range(self.sweeps):
            for shares in self._colours:
                over_slabs(kernels.relax, shares, u, rhs, self._op, False)
        shares = _shares(len(coarse), self.size)
        over_slabs(kernels.restrict_residual, shares, coarse, u, rhs, self._op, *self._members)

    def prolong_and_smooth(
        self, u: NDArray, coarse: NDArray, rhs: NDArray, v: NDArray
    ) -> tuple[float, float, float]:
        """Add the coarse correction to u, smooth in the reverse order; u.A u, u.A v and u.rhs."""
        over_slabs(kernels.prolong, self._nodes, u, coarse, self._parent)
        for _ in range(self.sweeps):
            for shares in reversed(self._colours):
                over_slabs(kernels.relax, shares, u, rhs, self._op, True)
        return self.products(u, v, rhs)

    def products(self, u: NDArray, v: NDArray, rhs: NDArray) -> tuple[float, float, float]:
        """Return u.A u, u.A v and u.rhs."""
        args = (u, v, rhs, self._op, self._loss, self._sums)
        over_slabs(kernels.products, self._groups, *args)
        own, cross, load = self._sums.sum(axis=0)
        return float(own), float(cross), float(load)

    def subtract_product(self, r: NDArray, u: NDArray, factor: float) -> float:
        """Subtract factor A u from r and return the square of the norm of r."""
        sums = np.empty(len(self._sums))
        over_slabs(kernels.subtract_product, self._groups, r, u, np.float32(factor), self._op, sums)
        return float(sums.sum())

    def dot(self, u: NDArray, v: NDArray) -> float:
        """Return u.v."""
        return float(np.sum(u * v, dtype=float))

    def combine(self, u: NDArray, a: float, v: NDArray, b: float) -> None:
        """Overwrite u with a u + b v."""
        u[...] = np.float32(a) * u + np.float32(b) * v

    def coarsen(self) -> GraphOperator:
        """Return the operator on clusters of nodes, and remember which they are."""
        coarse, self._parent, colours = coarsened(self.graph, self._strength)
        self._members = _member_lists(self._parent, len(coarse.block))
        return GraphOperator(coarse, colours, RELENTING * self._strength)

    def factorize(self) -> Callable[[NDArray], NDArray]:
        """Return a function that solves A u = rhs directly, for a small graph."""
        import scipy.sparse as sp

        indptr, index, g, diagonal = self._op
        links = sp.csr_array((g.astype(float), index, indptr), (self.size, self.size))
        matrix = (sp.diags_array(diagonal.astype(float)) - links).tocsr()
        return factorized(matrix, np.arange(self.size))


def _shares(n: int, work: int) -> list[tuple[int, int]]:
    """Split n things into one share per thread, fewer if there is little work."""
    shares = max(1, min(thread_count(), work // SHARE, n))
    return [(s * n // shares, (s + 1) * n // shares) for s in range(shares)]
