"""A concentration that diffuses in its phase, and one implicit step of it in time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..numerics import Field, GridOperator, correction, weighted_sum
from ..numerics.correction_kernels import add_everywhere
from ..numerics.threads import over_slabs, slab_bounds
from . import half_cell_kernels as kernels

__all__ = ["Species"]

# The multigrid cycle serves while the step changes by less than this factor.
STALE = 1.3


class Species:
    """A concentration that diffuses: its operator for one step, and its solver.

    Parameters
    ----------
    links : GridOperator
    volume : ndarray of float32
        Share of each voxel, in the layout of vectors.
    present : ndarray of float32
        1 where there is a value.
    square : float
        Square of the first edge of a voxel, in m^2.
    room : sequence of 5 ndarrays of float32
        Memory to work in, of the same shape; the residual is kept in the first.
    """

    def __init__(
        self,
        links: GridOperator,
        volume: NDArray[np.float32],
        present: NDArray[np.float32],
        square: float,
        room: Sequence[NDArray[np.float32]],
    ) -> None:
        self.links, self.volume, self.present, self.square = links, volume, present, square
        self.whole = float(volume.sum(dtype=float))
        self.slabs = slab_bounds(links.shape)
        self.residual = room[0]
        self.room = [[part] for part in room[1:]]
        self.rate = self.cycle_rate = 0.0
        self.solver: Field | None = None
        self.operator = links

    def set_links(self, diffusivity: float, scale: NDArray[np.float32] | None = None) -> None:
        """Set the diffusivity, and what multiplies it in each voxel."""
        self.operator = self.links.with_mass(None, diffusivity, scale)
        self.rate = 0.0

    def set_rate(self, rate: float) -> None:
        """Set the rate of the step, 1 / s."""
        if rate == self.rate:
            return
        mass = self.volume * np.float32(rate * self.square)
        whole, old = self.operator.sharing(mass, False), self.solver
        fresh = old is None or not 1.0 / STALE < rate / self.cycle_rate < STALE
        self.solver = Field(whole, None if fresh or old is None else old.hierarchy)
        self.rate = rate
        if fresh:
            self.cycle_rate = rate

    def begin(
        self,
        now: NDArray[np.float64],
        before: NDArray[np.float64],
        forward: float,
        weights: tuple[float, float, float],
    ) -> NDArray[np.float64]:
        """Return the concentration continued from the last steps, and keep its residual."""
        guess = np.empty_like(now)
        args = (guess, self.residual, now, before, self.volume, forward)
        over_slabs(kernels.begin_step, self.slabs, *args, *(w * self.square for w in weights))
        self.operator.subtract_product(self.residual, guess, 1.0)
        return guess

    def bring(self, value: NDArray[np.float64], target: float) -> None:
        """Change the concentration until its residual is small."""
        assert self.solver is not None
        found = correction(self.solver, [self.residual], target, room=self.room)
        args = (value, found.parts[0], 0.0, self.present)
        over_slabs(add_everywhere, self.slabs, *args)

    def settle(self, value: NDArray[np.float64], amount: float) -> float:
        """Add a constant so that there is a given amount; return what was missing, over it all."""
        missing = amount - weighted_sum(value, self.volume)
        change = self.room[0][0]
        change[...] = 0
        args = (value, change, missing / self.whole, self.present)
        over_slabs(add_everywhere, self.slabs, *args)
        return missing
