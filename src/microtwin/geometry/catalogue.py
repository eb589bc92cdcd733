"""How the phases share the cell between eight voxel centres: a table over all label patterns.

The eight voxel centres around a grid corner are the corners of a *dual cell*. Inside it the
indicator of each phase is interpolated trilinearly and the largest one wins, which gives smooth
interfaces without any parameter. The three mid-planes cut the dual cell into eight octants, one
per voxel, and meet the twelve edges of the cell in as many *quarter faces*, a quarter of the face
between two neighbouring voxels each. What counts is how much of each octant and quarter face
belongs to the phase of interest; it depends on the pattern of the eight labels only.

A pattern is a number of 16 bits, two per corner: 0 for the phase of interest, 1, 2, 3 for the
others in the order in which they appear (a fifth label in one dual cell is counted with the
fourth). Corner c of a dual cell is the voxel at offset (c >> 2 & 1, c >> 1 & 1, c & 1) along (z, y, x).
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["ALL_OTHER", "EDGES", "FULL", "PATTERNS", "PatternTable", "pattern_table"]

FULL = 62  # units in a whole quarter face or octant: even, for a clean half; 4 * 62 fits a byte
PATTERNS = 65536
SAMPLES = 10  # points per half voxel and axis
ALL_OTHER = 0x5555  # the pattern of eight equal labels that are not the phase of interest

# The two corners of each of the 12 edges: 4 along z, 4 along y, 4 along x.
EDGES = np.array(
    [(c, c | bit) for bit in (4, 2, 1) for c in range(8) if not c & bit], dtype=np.int64
)


@njit(nogil=True, cache=True)
def _share(digits, z, y, x):
    """Return the share of the phase 0 at a point: 1, 0, or a part of a tie.

    `digits` are the labels of the corners and (z, y, x) the position in the dual cell, 0 to 1.
    """
    weight = np.zeros(4)
    for c in range(8):
        fz = z if c >> 2 & 1 else 1 - z
        fy = y if c >> 1 & 1 else 1 - y
        fx = x if c & 1 else 1 - x
        weight[digits[c]] += fz * fy * fx
    best = weight.max()
    ties = 0
    for value in weight:
        ties += value > best - 1e-9
    return 1.0 / ties if weight[0] > best - 1e-9 else 0.0


@njit(nogil=True, cache=True)
def _fill(patterns, edges, n, faces, octants):
    """Sample quarter faces and octants at the midpoints of n (x n x n) cells.

    Both use the same positions in the plane of a face, so that in a structure that does not change
    along an axis the volumes and the apertures agree exactly.
    """
    digits = np.empty(8, np.int64)
    for pattern in patterns:
        for c in range(8):
            digits[c] = pattern >> (2 * c) & 3
        for e in range(12):
            low, high = edges[e]
            axis = 0 if low ^ high == 4 else (1 if low ^ high == 2 else 2)
            total = 0.0
            for a in range(n):
                for b in range(n):
                    s, t = (a + 0.5) / (2 * n), (b + 0.5) / (2 * n)
                    # In the other two axes the quarter face lies on the side of the edge.
                    if axis == 0:
                        y = 0.5 + s if low >> 1 & 1 else 0.5 - s
                        x = 0.5 + t if low & 1 else 0.5 - t
                        total += _share(digits, 0.5, y, x)
                    elif axis == 1:
                        z = 0.5 + s if low >> 2 & 1 else 0.5 - s
                        x = 0.5 + t if low & 1 else 0.5 - t
                        total += _share(digits, z, 0.5, x)
                    else:
                        z = 0.5 + s if low >> 2 & 1 else 0.5 - s
                        y = 0.5 + t if low >> 1 & 1 else 0.5 - t
                        total += _share(digits, z, y, 0.5)
            faces[pattern, e] = round(FULL * total / n**2)
        for c in range(8):
            total = 0.0
            for a in range(n):
                for b in range(n):
                    for g in range(n):
                        z = 0.5 + (a + 0.5) / (2 * n) * (1 if c >> 2 & 1 else -1)
                        y = 0.5 + (b + 0.5) / (2 * n) * (1 if c >> 1 & 1 else -1)
                        x = 0.5 + (g + 0.5) / (2 * n) * (1 if c & 1 else -1)
                        total += _share(digits, z, y, x)
            octants[pattern, c] = round(FULL * total / n**3)


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
            _fill(new, EDGES, SAMPLES, self.faces, self.octants)
            self._known[new] = True


@cache
def pattern_table() -> PatternTable:
    """Return the table of this process; it grows as images need it."""
    return PatternTable()
