"""Salt that the current carries where the transference number differs from that at rest.

Lithium ions carry the share t of the current i. With a constant t the divergence of t i / F is that
of the current at the interface alone. What a t that depends on the concentration adds,
div((t - t_rest) i / F), is a sum over the links of the electrolyte: whatever leaves one voxel
arrives in the next, so the amount of salt stays exact.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..numerics import GridOperator
from .kinetics import FARADAY

__all__ = ["Migration"]


class Migration:
    """What migration adds to the balance of salt in one step.

    Parameters
    ----------
    conduction : GridOperator
        Of the electrolyte.
    deviation : ndarray of float32
        Transference number less that at rest, as a vector.
    residual : ndarray of float32
        Of the balance of salt, over the unit of the grid; it is changed in place.
    """

    def __init__(
        self, conduction: GridOperator, deviation: NDArray[np.float32], residual: NDArray
    ) -> None:
        self._operator = conduction.with_mass(None, 1.0 / FARADAY, deviation)
        self._residual = residual
        self._there = np.zeros_like(residual)

    def renew(self, potential: NDArray[np.float64]) -> None:
        """Set what migration adds at a potential psi, in V, in place of what was added before."""
        self._residual -= self._there
        self._there[...] = 0
        self._operator.subtract_product(self._there, potential, 1.0)
        self._residual += self._there
