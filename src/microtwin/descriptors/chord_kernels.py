"""Compiled loop that counts chords; `chord_lengths` says what they are."""

from __future__ import annotations

import numpy as np
from numba import njit

from ..numerics.compiling import OPTIONS

__all__ = ["count_chords"]


@njit(**OPTIONS)
def count_chords(first, end, lines, label, periodic, whole, cut):
    """Add the chords of a label to the counts by length, for some rows of lines along axis 0.

    ``whole`` counts chords with both ends inside the image, ``cut`` those that an outer face
    ends; a line that lies in the phase altogether counts as cut. ``lines`` has the shape
    (n, rows, columns), and the counts (rows, n + 1).
    """
    n, _, columns = lines.shape
    length = np.empty(columns, np.int64)
    # Length of the piece at the beginning of each line; -1 until it has ended.
    head = np.empty(columns, np.int64)
    for row in range(first, end):
        length[:] = 0
        head[:] = -1
        for i in range(n):
            for c in range(columns):
                if lines[i, row, c] == label:
                    length[c] += 1
                elif head[c] < 0:
                    head[c] = length[c]
                    length[c] = 0
                elif length[c] > 0:
                    whole[row, length[c]] += 1
                    length[c] = 0
        for c in range(columns):
            if head[c] < 0:
                cut[row, n] += 1
            elif periodic:
                joined = head[c] + length[c]
                if joined > 0:
                    whole[row, joined] += 1
            else:
                if head[c] > 0:
                    cut[row, head[c]] += 1
                if length[c] > 0:
                    cut[row, length[c]] += 1
