"""Compiled loop that counts triple points; `triple_lines` says what they are."""

from __future__ import annotations

import numpy as np
from numba import njit

from ..numerics.compiling import OPTIONS

__all__ = ["count_triple_points"]


@njit(**OPTIONS)
def count_triple_points(first, end, labels, bit, periodic, cells, shares, families, counts):
    """Add the triple points of lattice planes to the counts, for some layers of 2x2x2 cubes.

    ``bit`` is 1, 2 or 4 for the labels of the three phases and 8 for others. ``cells`` holds the
    corners of the plane cells of a cube, the last one repeated in a triangle; ``shares`` and
    ``families`` tell how much of a cell belongs to the cube, and to which normal it counts.
    ``counts`` has the shape (layers, 13).
    """
    nz, ny, nx = labels.shape
    rows, columns = (ny, nx) if periodic else (ny - 1, nx - 1)
    corner = np.empty(8, np.uint8)
    for z in range(first, end):
        z1 = (z + 1) % nz
        for y in range(rows):
            y1 = (y + 1) % ny
            for x in range(columns):
                x1 = (x + 1) % nx
                corner[0] = bit[labels[z, y, x]]
                corner[1] = bit[labels[z1, y, x]]
                corner[2] = bit[labels[z, y1, x]]
                corner[3] = bit[labels[z1, y1, x]]
                corner[4] = bit[labels[z, y, x1]]
                corner[5] = bit[labels[z1, y, x1]]
                corner[6] = bit[labels[z, y1, x1]]
                corner[7] = bit[labels[z1, y1, x1]]
                seen = 0
                for i in range(8):
                    seen |= corner[i]
                if seen & 7 != 7:
                    continue
                for c in range(cells.shape[0]):
                    seen = 0
                    for i in range(4):
                        seen |= corner[cells[c, i]]
                    # A phase on both ends of a diagonal is a wedge that the grid cuts through: its
                    # boundaries cross, and the three phases meet beside this cell.
                    if (
                        corner[cells[c, 0]] == corner[cells[c, 3]]
                        or corner[cells[c, 1]] == corner[cells[c, 2]]
                    ):
                        continue
                    if seen == 7:
                        counts[z, families[c]] += shares[c]
                    elif seen == 15:
                        # Four phases meet in two triple points, which four triples share.
                        counts[z, families[c]] += 0.5 * shares[c]
