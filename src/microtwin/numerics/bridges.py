"""Links across faces from one field to another, as a list.

Links within a field and couplings within a voxel are arrays over the grid. What joins one field of
a voxel to another field of its neighbour is rare (the faces of thin films), and stands in a list.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from microtwin.numerics import coupling
from microtwin.numerics.quarters import plane_length, vector_positions
from microtwin.numerics.threads import over_slabs, thread_count

__all__ = ["BridgeTable", "Bridges"]

SHARE = 20_000  # links: fewer are not worth another thread


@dataclass(frozen=True, eq=False)
class Bridges:
    """Links of one field of a voxel to another field of the next voxel along an axis.

    Parameters
    ----------
    axis : ndarray of int, shape (n,)
        The axis of each link.
    voxel : ndarray of int64, shape (n,)
        The voxel before the face, counted in C order; the one after it is the next along the axis,
        after the last the first one.
    first, second : ndarray of int, shape (n,)
        Number of the field before and after the face.
    conductance : ndarray of float32, shape (n,)
        With the weight of the axis.
    """

    axis: NDArray[np.integer]
    voxel: NDArray[np.int64]
    first: NDArray[np.integer]
    second: NDArray[np.integer]
    conductance: NDArray[np.float32]

    @classmethod
    def none(cls) -> Bridges:
        """Return an empty list."""
        empty = np.zeros(0, np.int64)
        return cls(empty, empty, empty, empty, np.zeros(0, np.float32))


class BridgeTable:
    """Bridges in a network, in the order in which its kernels use them.

    Parameters
    ----------
    bridges : Bridges
    shape : tuple of 4 ints
        (fields, nz, ny, nx).
    """

    def __init__(self, bridges: Bridges, shape: tuple[int, int, int, int]) -> None:
        fields, *sides = shape
        grid = (sides[0], sides[1], sides[2])
        size, length = int(np.prod(grid)), grid[0] * plane_length(*grid[1:])
        here = np.array(np.unravel_index(bridges.voxel, grid)).reshape(3, -1)
        there = here.copy()
        there[bridges.axis, np.arange(len(bridges.voxel))] += 1
        there %= np.array(grid)[:, None]
        after = np.ravel_multi_index(tuple(there), grid)
        self.g = bridges.conductance.astype(np.float32)
        self.axis = bridges.axis.astype(np.int8)
        self.plane = here[0].astype(np.int32)
        # Numbers of (field, voxel), and their places in a vector.
        self.head, self.tail = bridges.first * size + bridges.voxel, bridges.second * size + after
        self._head = bridges.first * length + vector_positions(here, grid)
        self._tail = bridges.second * length + vector_positions(there, grid)
        # Both directions of each link, sorted by field and colour of the node that receives.
        own, other = (
            np.concatenate([self._head, self._tail]),
            np.concatenate([self._tail, self._head]),
        )
        field = np.concatenate([bridges.first, bridges.second])
        colour = np.concatenate([here.sum(axis=0), there.sum(axis=0)]) % 2
        order = np.lexsort((own, colour, field))
        self._own, self._other = own[order], other[order]
        self._both = np.concatenate([self.g, self.g])[order]
        self._along = np.concatenate([self.axis, self.axis])[order]
        self._direction = np.repeat(np.array([1, -1], np.int8), len(self.g))[order]
        starts = np.searchsorted((2 * field + colour)[order], np.arange(2 * fields + 1))
        self._shares = [self._whole_nodes(a, b) for a, b in pairwise(starts.tolist())]
        self._shape, self._length = shape, length

    def __len__(self) -> int:
        return len(self.g)

    def _whole_nodes(self, first: int, end: int) -> list[tuple[int, int]]:
        """Split a range of links into shares for the threads that do not cut a node."""
        n = max(1, min(thread_count(), (end - first) // SHARE))
        cuts = [first]
        for s in range(1, n):
            cut = first + s * (end - first) // n
            while cut < end and self._own[cut] == self._own[cut - 1]:
                cut += 1
            cuts.append(cut)
        return list(zip(cuts, [*cuts[1:], end], strict=True))

    def of_field(self, f: int) -> bool:
        """Whether a field has any bridge."""
        return any(a < b for shares in self._shares[2 * f : 2 * f + 2] for a, b in shares)

    def diagonal(self) -> NDArray[np.float32]:
        """Return the sum of the conductances at each (field, voxel)."""
        nodes = np.concatenate([self.head, self.tail])
        weights = np.concatenate([self.g, self.g])
        total = np.bincount(nodes, weights, int(np.prod(self._shape)))
        return total.reshape(self._shape).astype(np.float32)

    def add_inflow(self, out: NDArray, u: NDArray, f: int, colour: int) -> None:
        """Add to the vector of field f what flows in from across, on the voxels of one colour."""
        shift = f * self._length
        args = (out.reshape(-1), u.reshape(-1), self._own, self._other, self._both, shift)
        over_slabs(coupling.add_bridged, self._shares[2 * f + colour], *args)

    def exchange(self, r: NDArray, u: NDArray, factor: float) -> None:
        """Let factor g (u - u across) flow out of r."""
        args = (r.reshape(-1), u.reshape(-1), self._own, self._other, self._both, float(factor))
        for shares in self._shares:
            over_slabs(coupling.exchange_bridged, shares, *args)

    def renew(self, r: NDArray, x: NDArray, y: NDArray, drive: tuple[float, float, float]) -> None:
        """Add to r what flows in with the potential x + y and the affine field of `drive`."""
        rise = self._direction * np.array(drive)[self._along]
        flat = (v.reshape(-1) for v in (r, x, y))
        args = (*flat, self._own, self._other, self._both, rise)
        for shares in self._shares:
            over_slabs(coupling.renew_bridged, shares, *args)

    def _rise(self, u: NDArray) -> NDArray[np.float64]:
        flat = u.reshape(-1)
        return flat[self._tail].astype(float) - flat[self._head]

    def products(self, u: NDArray, v: NDArray) -> tuple[float, float]:
        """Return the parts of u.A u and u.A v."""
        rise = self.g * self._rise(u)
        return float((rise * self._rise(u)).sum()), float((rise * self._rise(v)).sum())

    def flux(self, u: NDArray, step: float) -> NDArray[np.float64]:
        """Return the flux along z, as `GridOperator.renew`; the affine field rises by `step`."""
        along = self.axis == 0
        flow = self.g[along] * (self._rise(u)[along] + step)
        total = np.bincount(self.plane[along], flow, self._shape[1]).astype(float)
        return np.concatenate([total[-1:], total])

    def total_flux(self, x: NDArray, drive: tuple[float, float, float]) -> NDArray[np.float64]:
        """Return the flux along (z, y, x) summed over all links; x is on the grid."""
        flat = x.reshape(-1)
        rise = flat[self.tail] - flat[self.head] + np.array(drive)[self.axis]
        return np.bincount(self.axis, self.g * rise, 3).astype(float)
