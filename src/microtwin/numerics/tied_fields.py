"""Two fields tied to each other at many places, each with a multigrid cycle of its own.

Where the ties are weak against the links within the fields, as those of an electrochemical reaction
between solid and electrolyte are, the two cycles side by side are a good preconditioner for both
fields together. One mode they cannot know: that the level of one field is held by the ties alone.
It is taken out and solved for directly (`correction`, its `constant`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from . import tied_kernels as kernels
from .corrections import Correction, Vector, combine, correction, dot
from .krylov import ConvergenceError
from .multigrid import Multigrid
from .operator import GridOperator

__all__ = ["TiedFields"]

# The cycles may know ties and links of earlier steps until a digit costs this many times as many
# iterations as with fresh ones.
STALE = 1.5
ITERATIONS = 60


class Level:
    """The vector that is 0 in the first field and 1 in the second, which the ties alone hold.

    Parameters
    ----------
    present, ends
        See `TiedFields`.
    """

    def __init__(
        self, present: NDArray[np.float32], ends: tuple[NDArray[np.int64], NDArray[np.int64]]
    ) -> None:
        self.present, self.ends = present, ends
        self.conductance = np.zeros(len(ends[0]), np.float32)
        self.energy = 0.0

    def tie(self, conductance: NDArray[np.float64]) -> None:
        """Set the conductance of each tie, shape (n,)."""
        self.conductance = conductance.astype(np.float32)
        self.energy = float(self.conductance.sum(dtype=float))

    def along(self, v: Vector) -> float:
        """Return its product with a vector."""
        return dot(self.present, v[1])

    def pull(self, v: Vector) -> float:
        """Return its product with A v."""
        flat = (part.reshape(-1) for part in v)
        return float(kernels.gather_difference(*flat, *self.ends, self.conductance))

    def add(self, v: Vector, factor: float) -> None:
        """Add a multiple of it to a vector."""
        combine(v[1], 1.0, self.present, factor)

    def add_pull(self, v: Vector, factor: float) -> None:
        """Add a multiple of A times it to a vector."""
        for part, end, sign in zip(v, self.ends, (-1.0, 1.0), strict=True):
            kernels.scatter(part.reshape(-1), end, self.conductance, sign * factor)


class TiedFields:
    """Two fields on one grid of planes, of which the first may have fewer planes than the second.

    The first field must be held somewhere (`ends`); the second one only by the ties.

    Parameters
    ----------
    first, second : GridOperator
        Without what the ties add to their diagonals.
    ends : 2 ndarrays of int64, shape (n,)
        Where each tie stands in the flat vector of the first and of the second field.
    present : ndarray of float32
        1 where the second field exists, in the layout of its vectors.

    Attributes
    ----------
    room : list of 4 vectors
        Memory that `solve` works in.
    """

    def __init__(
        self,
        first: GridOperator,
        second: GridOperator,
        ends: tuple[NDArray[np.int64], NDArray[np.int64]],
        present: NDArray[np.float32],
    ) -> None:
        self.fields = [first, second]
        self.shapes = [first.zeros().shape, second.zeros().shape]
        self._ends = ends
        self._level = Level(present, ends)
        self._cycles: list[Multigrid] = []
        self._second_mass = present
        self._stale = True
        self._fresh: float | None = None
        self.room = [[np.zeros(s, np.float32) for s in self.shapes] for _ in range(4)]

    def tie(self, conductance: NDArray[np.float64]) -> None:
        """Set the conductance of each tie, shape (n,)."""
        self._level.tie(conductance)
        if self._stale:
            self._renew_cycles(conductance)

    def replace_second(self, operator: GridOperator) -> None:
        """Set the links of the second field anew."""
        self.fields[1] = operator
        if self._cycles:
            self._cycles[1].renew_finest(operator.sharing(self._second_mass, False))

    def _renew_cycles(self, conductance: NDArray[np.float64]) -> None:
        self._cycles, self._fresh, self._stale = [], None, False
        masses = [np.zeros(shape, np.float32) for shape in self.shapes]
        for field, end, mass in zip(self.fields, self._ends, masses, strict=True):
            kernels.scatter(mass.reshape(-1), end, conductance, 1.0)
            self._cycles.append(Multigrid(field.sharing(mass, False)))
        self._second_mass = masses[1]

    def product(self, out: Vector, p: Vector) -> None:
        """Set out to A p."""
        for f, field in enumerate(self.fields):
            out[f][...] = 0
            field.subtract_product(out[f], p[f], -1.0)
        flat = (part.reshape(-1) for part in (*out, *p))
        kernels.add_ties(*flat, *self._ends, self._level.conductance)

    def precondition(self, z: Vector, r: Vector) -> None:
        """Set z to an approximate solution of A z = r."""
        for cycle, a, b in zip(self._cycles, z, r, strict=True):
            cycle.precondition(a, b, b)

    def solve(self, residual: Vector, target: float) -> Correction:
        """Return the correction after which the norm of the residual is below a target.

        After a failure, `tie` renews the cycles.

        Raises
        ------
        ConvergenceError
            If it is not reached.
        """
        try:
            found = correction(
                self, residual, target, constant=self._level,
                room=self.room, max_iterations=ITERATIONS,
            )  # fmt: skip
        except ConvergenceError:
            self._stale = True
            raise
        if found.iterations == 0:
            return found
        if self._fresh is None:
            self._fresh = found.cost
        elif found.cost > STALE * self._fresh:
            self._stale = True
        return found
