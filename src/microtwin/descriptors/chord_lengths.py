"""Chords: the pieces that a phase cuts out of lines along an axis."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..microstructure import Direction, Microstructure, axis_index
from ..numerics.threads import even_shares, over_slabs
from . import chord_kernels as kernels

__all__ = ["Chords", "chords"]


@dataclass(frozen=True, eq=False)
class Chords:
    """Chords of a phase along an axis, by length.

    Attributes
    ----------
    lengths : ndarray of float64, shape (n + 1,)
        0, 1, ... n voxel edges, in m; n voxels is the longest line.
    whole, cut : ndarray of int64, shape (n + 1,)
        Number of chords of each length with both ends inside the image, and of those that an
        outer face of the image cuts.
    lines : int
        Number of lines.
    periodic : bool
        Whether lines continue across the outer faces.
    """

    lengths: NDArray[np.float64]
    whole: NDArray[np.int64]
    cut: NDArray[np.int64]
    lines: int
    periodic: bool

    @property
    def mean(self) -> float:
        """Mean length of a chord in m, from the length of all pieces over the number of their ends.

        Whole chords alone would favour the short ones. Infinite without an end in the image.
        For a phase without preferred direction it is 4 eps / s, as in `hydraulic_diameter`
        (E. E. Underwood, Quantitative Stereology, 1970).
        """
        step = self.lengths[1]
        inside = self.whole[1:].sum() + 0.5 * self.cut[1:-1].sum()
        total = float((self.whole + self.cut) @ np.arange(self.lengths.size)) * step
        return total / float(inside) if inside else math.inf if total else 0.0

    @property
    def density(self) -> NDArray[np.float64]:
        """Share of whole chords of each length per length, in 1/m; their integral is 1."""
        total = self.whole.sum()
        return self.whole / (max(int(total), 1) * self.lengths[1])

    def lineal_path(self) -> NDArray[np.float64]:
        """Return the probability that a segment lies in the phase, by length.

        Segments join voxel centres, so length 0 gives the volume fraction (B. Lu, S. Torquato,
        Phys. Rev. A 45, 922 (1992)). All segments of the image count, whether they belong to a
        chord that is cut or not.

        Returns
        -------
        ndarray of float64, shape (n,)
            At ``lengths[:-1]``.
        """
        n = self.lengths.size - 1
        # A chord of k voxels holds k - m segments of m steps: sum twice, from the long end.
        pieces = (self.whole + self.cut)[1:].astype(np.float64)
        if self.periodic:
            # A line that lies in the phase altogether holds n segments of any length.
            closed, pieces[-1] = float(self.cut[-1]), float(self.whole[-1])
        held = np.cumsum(np.cumsum(pieces[::-1]))[::-1]
        if self.periodic:
            return (held + n * closed) / (n * self.lines)
        return held / (np.arange(n, 0, -1) * self.lines)


def chords(
    micro: Microstructure, phase: str, direction: Direction = "z", periodic: bool = False
) -> Chords:
    """Measure the chords of a phase on all lines of voxels along an axis.

    Parameters
    ----------
    micro : Microstructure
    phase : str
    direction : {"z", "y", "x"}
    periodic : bool
        Whether the image continues across its outer faces.

    Returns
    -------
    Chords

    Raises
    ------
    ValueError
        If the phase is not in the microstructure.
    """
    axis = axis_index(direction)
    lines = np.moveaxis(micro.labels, axis, 0)
    n, rows, columns = lines.shape
    counts = np.zeros((2, rows, n + 1), np.int64)
    label = np.uint8(micro.label(phase))
    over_slabs(
        kernels.count_chords, even_shares(rows), lines, label, periodic, counts[0], counts[1]
    )
    whole, cut = counts.sum(axis=1)
    lengths = micro.voxel_size[axis] * np.arange(n + 1, dtype=np.float64)
    return Chords(lengths, whole, cut, rows * columns, periodic)
