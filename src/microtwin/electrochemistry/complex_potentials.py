"""The potentials of a cell at one frequency, tied to each other by complex admittances."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..numerics import TiedFields, presb

__all__ = ["ComplexPotentials"]

INNER = 0.03  # residual of the real systems within a preconditioner

Complex = NDArray[np.complex128]


class ComplexPotentials:
    """Both potentials as one vector, that of the solid first, tied by complex admittances.

    Parameters
    ----------
    fields : TiedFields
    places : 2 ndarrays of int64, shape (facets,)
    feed : ndarray, shape (facets,)
        Area over the unit of the grid.
    present : ndarray of float32
        1 where the electrolyte has a value.
    """

    def __init__(
        self,
        fields: TiedFields,
        places: tuple[NDArray[np.int64], NDArray[np.int64]],
        feed: NDArray[np.float64],
        present: NDArray[np.float32],
    ) -> None:
        self.fields, self.feed = fields, feed
        self.present = present.reshape(-1)
        self.first, self.second = places
        self.split = int(np.prod(fields.shapes[0]))

    def tie(self, admittance: Complex) -> None:
        """Set the admittance of each facet, in S/m^2."""
        self.admittance = self.feed * admittance
        self.fields.tie(np.abs(self.admittance.real) + np.abs(self.admittance.imag))

    def precondition(self, rhs: Complex) -> Complex:
        """Return an approximate solution."""
        return presb(self._solve_sum, self._imaginary, rhs)

    def _drop(self, u: NDArray) -> NDArray:
        return u[self.first] - u[self.split + self.second]

    def _spread(self, out: NDArray, flow: NDArray) -> None:
        np.add.at(out, self.first, flow)
        np.subtract.at(out, self.split + self.second, flow)

    def _imaginary(self, v: NDArray[np.float64]) -> NDArray[np.float64]:
        out = np.zeros_like(v)
        self._spread(out, self.admittance.imag * self._drop(v))
        return out

    def _solve_sum(self, rhs: NDArray[np.float64]) -> NDArray[np.float64]:
        # Single precision has no room for what is tiny.
        largest = float(np.abs(rhs).max())
        if largest == 0.0:
            return np.zeros_like(rhs)
        scaled = rhs / largest
        parts = [
            part.astype(np.float32).reshape(shape)
            for part, shape in zip(
                (scaled[: self.split], scaled[self.split :]), self.fields.shapes, strict=True
            )
        ]
        target = INNER * float(np.sqrt(np.square(scaled).sum()))
        step = self.fields.solve(parts, target)
        found = np.concatenate([part.reshape(-1) for part in step.parts]).astype(float)
        found[self.split :] += step.shift * self.present
        return largest * found
