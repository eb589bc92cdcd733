"""Several fields on one grid: nodes are (voxel, field), linked in the grid and inside each voxel.

`NetworkOperator` has the methods of `GridOperator` that the solver uses; its vectors have one more
axis in front, for the fields. The multigrid cycle and the Krylov loop are the same. The coarse
levels are graphs (see `graph`) in which fields, and what is separate within a field, stay apart:
merging them would destroy the preconditioner wherever the coupling is weak or the conductivities
differ.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microtwin.numerics import coupling, graph_kernels
from microtwin.numerics.bridges import Bridges, BridgeTable
from microtwin.numerics.graph import (
    RELENTING,
    STRENGTH,
    Graph,
    GraphOperator,
    coarsened,
    graph_of_links,
)  # fmt: skip
from microtwin.numerics.operator import GridOperator, factorized
from microtwin.numerics.plane_fields import PlaneField, Source
from microtwin.numerics.quarters import from_quarters, to_quarters
from microtwin.numerics.threads import over_slabs, slab_bounds

__all__ = ["NetworkOperator"]


class NetworkOperator:
    """A symmetric positive semi-definite operator on several coupled fields.

    Parameters
    ----------
    fields : sequence of GridOperator
        The links of each field within the grid.
    couplings : mapping of (int, int) to ndarray of float32, shape (nz, ny, nx)
        Conductance between two fields inside each voxel, by their numbers (smaller first).
    bridges : Bridges, optional
        Links from one field to another across faces.
    """

    # Clusters are several times smaller from level to level, not eight times: more levels matter.
    krylov_levels = 5
    good_enough = 0.4  # one Krylov step suffices if it reduces the residual by this factor
    trusted = 1e-4  # see `krylov.solve`

    def __init__(
        self,
        fields: Sequence[GridOperator],
        couplings: Mapping[tuple[int, int], NDArray[np.float32]],
        bridges: Bridges | None = None,
    ) -> None:
        self.fields = list(fields)
        self.couplings = dict(couplings)
        grid = self.fields[0].shape
        self.shape = (len(self.fields), *grid)
        self._slabs = slab_bounds(grid)
        # Two planes belong to one layer of blocks.
        self._even_slabs = [(a // 2 * 2, b if b == grid[0] else b // 2 * 2) for a, b in self._slabs]
        self._sums = np.empty((grid[0], 2))
        self._work = np.zeros((2, *self.fields[0].zeros().shape), np.float32)
        self._wraps = any(field.wraps for field in self.fields)
        self._couplings = {pair: to_quarters(c) for pair, c in self.couplings.items()}
        self._bridges = BridgeTable(bridges or Bridges.none(), self.shape)
        # Seen from one field alone, its couplings and bridges are part of its diagonal.
        across = {}
        if len(self._bridges):
            across = {f: d for f, d in enumerate(self._bridges.diagonal()) if d.any()}
        self._relaxed = [self._alone(f, None, across) for f in range(len(self.fields))]
        self._paired = {
            (f, g): (self._alone(f, g, across), self._alone(g, f, across))
            for f, g in self.couplings
        }
        coupled = {f for pair in self.couplings for f in pair}
        self._single = [f for f in range(len(self.fields)) if f not in coupled]

    def _alone(self, f: int, partner: int | None, across: Mapping[int, NDArray]) -> GridOperator:
        """Return the operator of a field with its links to others, but for one, as diagonal."""
        field = self.fields[f]
        mass = [] if field.mass is None else [field.mass]
        own = [c for pair, c in self.couplings.items() if f in pair and partner not in pair]
        if f in across:
            own.append(across[f])
        if own:
            mass.append(PlaneField.dense(np.sum(own, axis=0)))
        total = None if not mass else mass[0] if len(mass) == 1 else mass[0].plus(mass[1])
        return field.sharing(total, self._wraps)

    @property
    def size(self) -> int:
        """Number of unknowns."""
        return int(np.prod(self.shape))

    def zeros(self, dtype: type = np.float32) -> NDArray:
        """Return a vector of zeros."""
        return np.zeros((len(self.fields), *self.fields[0].zeros(dtype).shape), dtype)

    def load(self, field: NDArray) -> NDArray:
        """Return fields on the grid as a vector."""
        return np.stack([to_quarters(part) for part in field])

    def unload(self, vector: NDArray, dtype: type | None = None) -> NDArray:
        """Return a vector as fields on the grid, by default of its own type."""
        return np.stack([from_quarters(part, self.shape[1:], dtype) for part in vector])

    def prepared(self, source: Sequence[Source]) -> list[tuple[Any, ...]]:
        """Return the sources in the form in which `step` takes them."""
        return [field.prepared(part) for field, part in zip(self.fields, source, strict=True)]

    def _others(self, f: int, partner: int | None) -> list[tuple[int, NDArray[np.float32]]]:
        """Return the fields, but for one partner, that a field is coupled to, and how."""
        others = [(pair[0] + pair[1] - f, c) for pair, c in self._couplings.items() if f in pair]
        return [(g, c) for g, c in others if g != partner]

    def _with_inflow(
        self,
        f: int,
        u: NDArray,
        rhs: NDArray,
        work: NDArray,
        colours: tuple[int, ...],
        partner: int | None = None,
    ) -> NDArray:
        """Return the right-hand side of field f with what flows in from the other fields.

        It is complete on the given colours.
        """
        total = rhs[f]
        for g, c in self._others(f, partner):
            over_slabs(coupling.add_coupled, self._slabs, work, total, u[g], c)
            total = work
        if self._bridges.of_field(f):
            if total is not work:
                work[...] = total
            for colour in colours:
                self._bridges.add_inflow(work, u, f, colour)
            total = work
        return total

    def _sweep(self, u: NDArray, rhs: NDArray, colours: tuple[int, int]) -> None:
        """Relax both colours, pair of fields after pair; in reverse order if the colours are."""
        pairs = list(self.couplings) if colours == (0, 1) else list(reversed(self.couplings))
        for colour in colours:
            for f in self._single:
                total = self._with_inflow(f, u, rhs, self._work[0], (colour,))
                self._relaxed[f].relax(u[f], total, colour)
            for pair in pairs:
                self._relax_pair(pair, u, rhs, colour)

    def _relax_pair(self, pair: tuple[int, int], u: NDArray, rhs: NDArray, colour: int) -> None:
        f, g = pair
        first, second = self._paired[pair]
        sources = (
            self._with_inflow(f, u, rhs, self._work[0], (colour,), g),
            self._with_inflow(g, u, rhs, self._work[1], (colour,), f),
        )
        args = (u[f], u[g], *sources, first.kernel_data, second.kernel_data)
        nz = self.shape[1]
        # The last plane waits for the others: across an odd period it has the colour of the first.
        slabs = slab_bounds((nz - 1, *self.shape[2:]))
        over_slabs(coupling.relax_pair, slabs, *args, self._couplings[pair], colour)
        coupling.relax_pair(nz - 1, nz, *args, self._couplings[pair], colour)

    def smooth_and_restrict(self, u: NDArray, rhs: NDArray, coarse: NDArray) -> None:
        """Smooth A u = rhs from u = 0 and set coarse to the sums of rhs - A u over clusters."""
        u[...] = 0
        for _ in range(self.fields[0].sweeps):
            self._sweep(u, rhs, (0, 1))
        coarse[...] = 0
        for f, field in enumerate(self._relaxed):
            residual = self._work[0]
            total = self._with_inflow(f, u, rhs, residual, (0, 1))
            if total is not residual:
                residual[...] = total
            field.subtract_product(residual, u[f], 1.0)
            over_slabs(graph_kernels.collect, self._even_slabs, coarse, residual, self._parent[f])

    def prolong_and_smooth(
        self, u: NDArray, coarse: NDArray, rhs: NDArray, v: NDArray
    ) -> tuple[float, float, float]:
        """Add the coarse correction to u, smooth in the reverse order; u.A u, u.A v and u.rhs."""
        for part, parent in zip(u, self._parent, strict=True):
            over_slabs(graph_kernels.distribute, self._slabs, part, coarse, parent)
        for _ in range(self.fields[0].sweeps):
            self._sweep(u, rhs, (1, 0))
        return self.products(u, v, rhs)

    def dot(self, u: NDArray, v: NDArray) -> float:
        """Return u.v, summed in an order that does not depend on the number of threads."""
        return sum(field.dot(u[f], v[f]) for f, field in enumerate(self.fields))

    def products(self, u: NDArray, v: NDArray, rhs: NDArray) -> tuple[float, float, float]:
        """Return u.A u, u.A v and u.rhs."""
        total = np.zeros(3)
        for f, field in enumerate(self.fields):
            total += field.products(u[f], v[f], rhs[f])
        for (f, g), c in self._couplings.items():
            args = (u[f], u[g], v[f], v[g], c, self._sums)
            over_slabs(coupling.coupling_energies, self._slabs, *args)
            total[:2] += self._sums.sum(axis=0)
        total[:2] += self._bridges.products(u, v)
        return float(total[0]), float(total[1]), float(total[2])

    def subtract_product(self, r: NDArray, u: NDArray, factor: float) -> float:
        """Subtract factor A u from r and return the square of the norm of r."""
        for f, field in enumerate(self.fields):
            field.subtract_product(r[f], u[f], factor)
        return self._exchange(r, u, factor)

    def _exchange(self, r: NDArray, u: NDArray, factor: float) -> float:
        self._exchange_within(r, u, factor)
        self._bridges.exchange(r, u, factor)
        return self.dot(r, r)

    def _exchange_within(self, r: NDArray, u: NDArray, factor: float) -> None:
        for (f, g), c in self._couplings.items():
            args = (r[f], r[g], u[f], u[g], c, float(factor))
            over_slabs(coupling.exchange, self._slabs, *args)

    def combine(self, u: NDArray, a: float, v: NDArray, b: float) -> None:
        """Overwrite u with a u + b v."""
        for f, field in enumerate(self.fields):
            field.combine(u[f], a, v[f], b)

    def renew(
        self, r: NDArray, x: NDArray, y: NDArray, source: Sequence[tuple[Any, ...]]
    ) -> tuple[float, NDArray[np.float64]]:
        """Compute the residual of x + y, as `GridOperator.renew`; one source per field."""
        flux = np.zeros(self.shape[1] + 1)
        for f, field in enumerate(self.fields):
            flux += field.renew(r[f], x[f], y[f], source[f])[1]
        drive = source[0][2]
        flux += self._bridges.flux(x, drive[0]) + self._bridges.flux(y, 0.0)
        self._bridges.renew(r, x, y, drive)
        for part in (x, y):
            self._exchange_within(r, part, 1.0)
        return self.dot(r, r), flux

    def split(self, x: NDArray, y: NDArray) -> None:
        """Keep x + y, but let x be the rounded sum and y the rounding error."""
        for f, field in enumerate(self.fields):
            field.split(x[f], y[f])

    def advance(
        self, y: NDArray, r: NDArray, p: NDArray, z: NDArray, alpha: float, beta: float
    ) -> tuple[float, NDArray[np.float64], float]:
        """Take a step, as `GridOperator.advance`."""
        flux = np.zeros(self.shape[1] + 1)
        for f, field in enumerate(self.fields):
            flux += field.advance(y[f], r[f], p[f], z[f], alpha, beta)[1]
        step = float(np.float32(alpha))  # as the fields do
        flux += step * self._bridges.flux(p, 0.0)
        norm = self._exchange(r, p, step)
        return norm, flux, self.dot(p, r)

    def mean_flux(self, x: NDArray, source: Sequence[Source]) -> NDArray[np.float64]:
        """Return the flux along (z, y, x), summed over fields and faces, over the voxels."""
        parts = [f.mean_flux(x[n], source[n]) for n, f in enumerate(self.fields)]
        across = self._bridges.total_flux(x, source[0].drive)
        if self.fields[0].ends is not None:  # as in the mean of a field
            across[0] *= self.shape[1] / (self.shape[1] - 1)
        return np.sum(parts, axis=0) + across / np.prod(self.shape[1:])

    @property
    def can_coarsen(self) -> bool:
        """Whether there is a coarser level."""
        return max(self.shape[1:]) > 1

    def coarsen(self) -> GraphOperator:
        """Return the operator on clusters of nodes, and remember which they are."""
        graph, number = self._graph()
        coarse, parent, colours = coarsened(graph, STRENGTH)
        of_node = np.concatenate([parent + 1, np.zeros(1, np.int32)])  # the last one for no node
        self._parent = [to_quarters(of_node[part]) for part in number]
        return GraphOperator(coarse, colours, RELENTING * STRENGTH)

    def _graph(self) -> tuple[Graph, NDArray[np.int32]]:
        """Return the links between all nodes that have any, and the number of each (voxel, field).

        The number is -1 where there is no node.
        """
        grid = self.shape[1:]
        exists = np.stack([field.diagonal() > 0.0 for field in self._relaxed])
        number = np.full(self.shape, -1, np.int32)
        count = int(np.count_nonzero(exists))
        if count >= 2**31:
            raise ValueError(
                f"{count} unknowns are too many; 2147483647 are possible: crop the image"
            )
        number[exists] = np.arange(count)
        heads, tails, conductances = [], [], []
        for own, field in zip(number, self.fields, strict=True):
            for axis, face in enumerate(field.faces):
                linked = face > 0
                heads.append(own[linked])
                tails.append(np.roll(own, -1, axis)[linked])
                conductances.append(np.float32(field.weights[axis]) * face[linked])
        for (f, g), c in self.couplings.items():
            linked = c > 0
            heads.append(number[f][linked])
            tails.append(number[g][linked])
            conductances.append(c[linked])
        heads.append(number.reshape(-1)[self._bridges.head])
        tails.append(number.reshape(-1)[self._bridges.tail])
        conductances.append(self._bridges.g)
        links = tuple(np.concatenate(part) for part in (heads, tails, conductances))
        del heads, tails, conductances
        block = np.broadcast_to(np.arange(np.prod(grid)).reshape(grid), self.shape)[exists]
        kind = np.repeat(np.arange(len(self.fields), dtype=np.int8), exists.sum(axis=(1, 2, 3)))
        ends, mass = (
            np.concatenate(
                [
                    np.zeros(part.sum(), np.float32) if term is None else term.grid()[part]
                    for term, part in zip(terms, exists, strict=True)
                ]
            )
            for terms in ([f.ends for f in self.fields], [f.mass for f in self.fields])
        )
        return graph_of_links(grid, block, kind, links, ends, mass), number  # type: ignore[arg-type]

    def factorize(self) -> Callable[[NDArray], NDArray]:
        """Return a function that solves A u = rhs directly, for a small grid."""
        import scipy.sparse as sp

        n = len(self.fields)
        blocks = [[None] * n for _ in range(n)]
        for f, field in enumerate(self._relaxed):
            blocks[f][f] = field.matrix()
        for (f, g), c in self.couplings.items():
            blocks[f][g] = blocks[g][f] = -sp.diags_array(c.ravel().astype(float))
        matrix = sp.block_array(blocks).tocsr()
        ends = (self._bridges.head, self._bridges.tail)
        across = sp.coo_array((self._bridges.g.astype(float), ends), matrix.shape).tocsr()
        matrix = matrix - across - across.T  # the diagonal has them already
        own = self.fields[0].positions()
        length = self.fields[0].zeros().size
        positions = np.concatenate([own + f * length for f in range(n)])
        return factorized(matrix, positions)
