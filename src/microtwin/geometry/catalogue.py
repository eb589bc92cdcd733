"""How the phases share the cell between eight voxel centres: a table over all label patterns.

The eight voxel centres around a grid corner are the corners of a *dual cell*. Inside it the
indicator of each phase is interpolated trilinearly and the largest one wins, which gives smooth
interfaces without any parameter. The three mid-planes cut the dual cell into eight octants, one
per voxel, and meet the twelve edges of the cell in as many *quarter faces*, a quarter of the face
between two neighbouring voxels each. What counts is how much of each octant and quarter face
belongs to the phase of interest; it depends on the pattern of the eight labels only.

A pattern is a number of 16 bits, two per corner: 0 for the phase of interest, 1, 2, 3 for the
others in the order in which they appear (a fifth label in one dual cell is counted with the
fourth). Corner c of a dual cell is the voxel at offset (c >> 2 & 1, c >> 1 & 1, c & 1) along
(z, y, x).
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from microtwin.geometry import kernels
from microtwin.geometry.kernels import FULL

__all__ = ["EDGES", "PATTERNS", "PatternTable", "pattern_table"]

PATTERNS = 65536
SAMPLES = 10  # points per half voxel and axis

# The two corners of each of the 12 edges: 4 along z, 4 along y, 4 along x.
EDGES = np.array(
    [(c, c | bit) for bit in (4, 2, 1) for c in range(8) if not c & bit], dtype=np.int64
)


class PatternTable:
    """Shares of the phase of interest for the label patterns that have occurred so far.

    Attributes
    ----------
    faces : ndarray of uint8, shape (65536, 12)
        Share of each quarter face, `FULL` for a whole one; rows of patterns not yet met are zero.
    octants : ndarray of uint8, shape (65536, 8)
        Share of each octant, likewise.
    """

    def __init__(self) -> None:
        self.faces = np.zeros((PATTERNS, 12), np.uint8)
        self.octants = np.zeros((PATTERNS, 8), np.uint8)
        self._known = np.zeros(PATTERNS, bool)

    def include(self, patterns: NDArray[np.integer]) -> None:
        """Compute the rows of these patterns if they are not there yet."""
        new = np.unique(patterns[~self._known[patterns]]).astype(np.int64)
        if new.size:
            kernels.fill(new, EDGES, SAMPLES, FULL, self.faces, self.octants)
            self._known[new] = True


@cache
def pattern_table() -> PatternTable:
    """Return the table of this process; it grows as images need it."""
    return PatternTable()
