"""Two-point correlation of a phase: how far the structure remembers itself.

S2(r) is the probability that two points at the lag r both lie in the phase. Its excess over
the square of the volume fraction is the covariance, from which `microtwin.trust.integral_range`
measures the volume that one independent sample takes.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from ..microstructure import Direction, Microstructure, VoxelSize, axis_index

__all__ = ["TwoPoint", "two_point"]


@dataclass(frozen=True, eq=False)
class TwoPoint:
    """Two-point probability of a phase on a box of lags.

    Attributes
    ----------
    probability : ndarray of float32, shape (2 mz + 1, 2 my + 1, 2 mx + 1)
        S2 at the lags -m ... m voxels along (z, y, x); the zero lag is in the middle and holds
        the volume fraction.
    volume_fraction : float
        Volume fraction of the phase in the image.
    voxel_size : 3 floats
        Spacing of the lags along (z, y, x) in metres.
    """

    probability: NDArray[np.float32]
    volume_fraction: float
    voxel_size: VoxelSize

    def along(self, direction: Direction) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return distances in metres, starting at 0, and S2 at lags along an axis."""
        axis = axis_index(direction)
        middle = [n // 2 for n in self.probability.shape]
        index: list[int | slice] = list(middle)
        index[axis] = slice(middle[axis], None)
        line = self.probability[tuple(index)]
        distance = self.voxel_size[axis] * np.arange(line.size, dtype=np.float64)
        return distance, line.astype(np.float64)

    def radial(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return distances in metres and the mean of S2 over all lags of about that distance.

        Lags are gathered in shells one voxel edge thick (the smallest edge); the distance of a
        shell is the mean over its lags. Shells that the box of lags cuts are left out.
        """
        distance = self._distances()
        width = min(self.voxel_size)
        reach = min(
            n // 2 * h for n, h in zip(self.probability.shape, self.voxel_size, strict=True)
        )
        shell = np.rint(distance / width).astype(np.intp).ravel()
        size = round(reach / width) + 1
        count = np.bincount(shell)[:size]
        filled = count > 0
        mean_distance = np.bincount(shell, distance.ravel())[:size][filled] / count[filled]
        mean = np.bincount(shell, self.probability.ravel())[:size][filled] / count[filled]
        return mean_distance, mean

    def _distances(self) -> NDArray[np.float64]:
        squares = [
            (h * (np.arange(n) - n // 2)) ** 2
            for n, h in zip(self.probability.shape, self.voxel_size, strict=True)
        ]
        z, y, x = np.ix_(*squares)
        return np.sqrt(z + y + x)


def two_point(
    micro: Microstructure, phase: str, max_lag: int | None = None, periodic: bool = False
) -> TwoPoint:
    """Measure the two-point probability of a phase by fast Fourier transform.

    Parameters
    ----------
    micro : Microstructure
    phase : str
    max_lag : int, optional
        Longest lag along each axis in voxels; half of the image by default. Memory is about
        12 bytes per voxel of the image, extended by the lag on each axis unless periodic.
    periodic : bool
        True: the image continues across its outer faces. False: only pairs inside the image
        count, and each lag is divided by the number of its pairs.

    Returns
    -------
    TwoPoint

    Raises
    ------
    ValueError
        If the phase is not in the microstructure, or a lag is not between 1 and half (periodic)
        or all but one voxel of the image.
    """
    shape = micro.shape
    largest = [n // 2 if periodic else n - 1 for n in shape]
    lags = [n // 2 for n in shape] if max_lag is None else [max_lag] * 3
    if any(int(m) != m or not 1 <= m <= most for m, most in zip(lags, largest, strict=True)):
        raise ValueError(
            f"max_lag {max_lag!r} is not allowed for an image of shape {shape}; "
            f"use a whole number from 1 to {min(largest)}"
        )
    grid = shape
    if not periodic:
        nz, ny, nx = (
            scipy.fft.next_fast_len(n + m, real=True) for n, m in zip(shape, lags, strict=True)
        )
        grid = (nz, ny, nx)
    spectrum = scipy.fft.rfftn(micro.mask(phase).astype(np.float32), s=grid, workers=-1)
    power = spectrum.real**2 + spectrum.imag**2
    del spectrum
    pairs = scipy.fft.irfftn(power, s=grid, workers=-1, overwrite_x=True)
    probability = np.empty([2 * m + 1 for m in lags], np.float32)
    # Negative lags are at the end of each axis of the transform; blocks are copied whole.
    halves = [
        ((slice(m), slice(n - m, n)), (slice(m, None), slice(m + 1)))
        for m, n in zip(lags, grid, strict=True)
    ]
    for block in itertools.product(*halves):
        to, of = zip(*block, strict=True)
        probability[to] = pairs[of]
    for axis, (m, n) in enumerate(zip(lags, shape, strict=True)):
        count = np.full(2 * m + 1, n) if periodic else n - np.abs(np.arange(-m, m + 1))
        probability /= count.astype(np.float32).reshape([-1 if a == axis else 1 for a in range(3)])
    return TwoPoint(probability, micro.volume_fraction(phase), micro.voxel_size)
