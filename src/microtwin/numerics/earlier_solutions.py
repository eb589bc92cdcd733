"""A start from the solutions of earlier right-hand sides."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["MOST", "EarlierSolutions"]

MOST = 6
ROUNDING = 1e-12  # energies below this share of the largest say nothing in float32


class EarlierSolutions:
    """The last few solutions of A x = b, and what they say about the next.

    Of all their sums the one that is nearest to the solution in the energy of A is ::

        x = sum of c_i x_i,   (x_i . A x_j) c = x_i . b

    (P. F. Fischer, Projection techniques for iterative solution of Ax = b with successive
    right-hand sides, 1998). Each takes two vectors in float32.

    Parameters
    ----------
    most : int
        How many are kept.
    """

    def __init__(self, most: int = MOST) -> None:
        self.most = most
        self._kept: list[tuple[NDArray[np.float32], NDArray[np.float32]]] = []

    def __len__(self) -> int:
        return len(self._kept)

    def add(self, x: NDArray[np.float32], image: NDArray[np.float32]) -> None:
        """Keep a solution and its image A x; the oldest goes where there are too many."""
        self._kept.append((x, image))
        del self._kept[: -self.most]

    def start(self, operator: Any, source: NDArray[Any]) -> NDArray[np.float32] | None:
        """Return the nearest of their sums; None if there is none yet.

        Parameters
        ----------
        operator : object with the methods dot, combine and zeros
        source : ndarray
            The right-hand side.
        """
        if not self._kept:
            return None
        energies = np.array([[operator.dot(x, ay) for _, ay in self._kept] for x, _ in self._kept])
        work = np.array([operator.dot(x, source) for x, _ in self._kept])
        size = np.sqrt(np.abs(np.diag(energies)))
        size[size == 0.0] = 1.0
        values, modes = np.linalg.eigh(0.5 * (energies + energies.T) / np.outer(size, size))
        good = values > ROUNDING * values[-1]
        modes = modes[:, good]
        factors = modes @ ((modes.T @ (work / size)) / values[good]) / size
        out: NDArray[np.float32] = operator.zeros()
        for factor, (x, _) in zip(factors, self._kept, strict=True):
            operator.combine(out, 1.0, x, float(factor))
        return out
