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
from .corrections import Correction, Vector, correction
from .krylov import ConvergenceError
from .multigrid import Multigrid
from .operator import GridOperator
from .threads import even_shares, over_slabs

__all__ = ["TiedFields"]

# The cycles may know ties and links of earlier steps until a digit costs this many times as many
# iterations as with fresh ones.
STALE = 1.5
ITERATIONS = 60


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
        self._same = ends[0] == ends[1]
        self._apart = np.flatnonzero(~self._same)
        self._within = np.zeros(self.shapes[0], np.float32)
        self._across = tuple(np.ascontiguousarray(end[self._apart]) for end in ends)
        self._level = [None, present]
        self._pull = [np.zeros(shape, np.float32) for shape in self.shapes]
        self._cycles: list[Multigrid] = []
        self._stale = True
        self._fresh: float | None = None
        self.room = [[np.zeros(s, np.float32) for s in self.shapes] for _ in range(4)]

    def tie(self, conductance: NDArray[np.float64]) -> None:
        """Set the conductance of each tie, shape (n,)."""
        kernels.gather_ties(self._within.reshape(-1), *self._ends, conductance)
        self._g = conductance[self._apart].astype(np.float32)
        self._total = float(conductance.sum())
        for part in self._pull:
            part[...] = 0
        for f, sign in ((0, -1.0), (1, 1.0)):
            kernels.scatter(self._pull[f].reshape(-1), self._ends[f], conductance, sign)
        if self._stale:
            self._renew_cycles()

    def replace_second(self, operator: GridOperator) -> None:
        """Set the links of the second field anew."""
        self.fields[1] = operator
        if self._cycles:
            self._cycles[1].renew_finest(operator.sharing(self._masses[1], False))

    def _renew_cycles(self) -> None:
        self._cycles, self._fresh, self._stale = [], None, False
        self._masses = [np.abs(pull) for pull in self._pull]
        for field, mass in zip(self.fields, self._masses, strict=True):
            self._cycles.append(Multigrid(field.sharing(mass, False)))

    def product(self, out: Vector, p: Vector) -> None:
        """Set out to A p."""
        for f, field in enumerate(self.fields):
            out[f][...] = 0
            field.subtract_product(out[f], p[f], -1.0)
        planes = even_shares(self.shapes[0][0])
        over_slabs(kernels.add_ties, planes, *out, *p, self._within)
        flat = (part.reshape(-1) for part in (*out, *p))
        kernels.add_ties_across(*flat, *self._across, self._g)

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
        constant = (self._level, self._pull, self._total)
        try:
            found = correction(
                self, residual, target, constant=constant,
                room=self.room, max_iterations=ITERATIONS,
            )  # fmt: skip
        except ConvergenceError:
            self._stale = True
            raise
        if self._fresh is None:
            self._fresh = found.cost
        elif found.cost > STALE * self._fresh:
            self._stale = True
        return found
