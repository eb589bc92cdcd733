"""Fixed points, found faster than by repetition."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["AndersonMixing"]

REMEMBERED = 4  # earlier rounds that are used to find the next


class AndersonMixing:
    """Anderson's acceleration of a fixed point, Numer. Algorithms 80 (2019) 135.

    Parameters
    ----------
    weight : ndarray, shape (n,)
        Of each unknown in sums of squares.
    """

    def __init__(self, weight: NDArray[np.float64]) -> None:
        self.root = np.sqrt(weight)
        self.values: list[NDArray[np.float64]] = []
        self.misses: list[NDArray[np.float64]] = []

    def next(self, old: NDArray[np.float64], new: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what to try next, after `old` has led to `new`."""
        self.values = [*self.values[-REMEMBERED:], new]
        self.misses = [*self.misses[-REMEMBERED:], new - old]
        if len(self.values) == 1:
            return new
        steps = np.diff(np.array(self.misses), axis=0)
        wanted = self.root * self.misses[-1]
        share = np.linalg.lstsq((self.root * steps).T, wanted, rcond=1e-6)[0]
        return np.asarray(new - share @ np.diff(np.array(self.values), axis=0))
