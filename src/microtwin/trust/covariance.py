"""Integral range: the volume over which a phase is correlated with itself.

The volume fraction measured on a sample of volume V scatters with the variance
phi (1 - phi) A3 / V, where A3, the integral range, is the integral of the normalised covariance
of the phase indicator (Lantuejoul 1991, J. Microscopy 161; Kanit et al. 2003, Int. J. Solids
Struct. 40). V / A3 is the number of independent samples that an image is worth.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from microtwin.microstructure import Microstructure, VoxelSize

__all__ = ["IntegralRange", "averaged_blocks", "integral_range", "range_of_values"]

# Larger images are averaged over blocks first: sums of the covariance do not change by it.
MAX_POINTS = 4_000_000
# The covariance is summed until it sinks to this share of its standard error. Waiting for zero
# adds noise over large volumes of lag; stopping at the full error cuts off 10 % of slow tails.
NOISE_SHARE = 0.5
# Images that seem worth fewer integral ranges lose the covariance in noise too early: on Boolean
# models worth 12 samples the estimate is two to four times too small, at 66 it is 25 % too small.
MIN_SAMPLES = 50


@dataclass(frozen=True, eq=False)
class IntegralRange:
    """Covariance of a phase, cut off where it is lost in noise, and its integral.

    Attributes
    ----------
    phase : str
    volume_fraction : float
        phi, the share of the voxels of the image.
    value : float
        The integral range A3 (m^3).
    cutoff : float
        Distance at which the mean covariance over directions is lost in its noise (m).
    resolved : bool
        False if the image is too small for its own structure: the covariance is still clear at
        half its shortest edge, or its volume is less than 50 integral ranges.
    covariance : ndarray of float64, shape (2 mz + 1, 2 my + 1, 2 mx + 1)
        Covariance of the indicator at lags up to the cutoff, lag zero in the middle.
    lag_spacing : tuple of float
        Distance of neighbouring lags along (z, y, x) (m).
    """

    phase: str
    volume_fraction: float
    value: float
    cutoff: float
    resolved: bool
    covariance: NDArray[np.float64] = field(repr=False)
    lag_spacing: VoxelSize = field(repr=False)

    @property
    def point_variance(self) -> float:
        """Variance phi (1 - phi) of the phase indicator at a point."""
        return self.volume_fraction * (1 - self.volume_fraction)

    def variance(self, extent: Sequence[float]) -> float:
        """Return the variance of the volume fraction over boxes of a given size.

        The full double integral of the covariance over the box, not only its limit for large
        boxes, phi (1 - phi) A3 / V.

        Parameters
        ----------
        extent : sequence of 3 floats
            Edges of the box along (z, y, x) (m).

        Returns
        -------
        float
        """
        total: NDArray[np.float64] = self.covariance
        for axis in (2, 1, 0):
            half = total.shape[axis] // 2
            lag = self.lag_spacing[axis] * np.abs(np.arange(-half, half + 1))
            total = total @ np.maximum(0.0, 1 - lag / extent[axis])
        # Noise can make the sum over a covariance with both signs negative.
        return max(float(total), 0.0) * math.prod(self.lag_spacing) / math.prod(extent)

    def edge_for(self, error: float) -> float:
        """Return the edge (m) of the cube whose volume fraction has this relative uncertainty.

        From the law for large boxes, phi (1 - phi) A3 / V.
        """
        if not error > 0:
            raise ValueError(f"relative uncertainty {error!r} is not allowed; ask for > 0")
        volume = self.point_variance * self.value / (error * self.volume_fraction) ** 2
        return float(volume ** (1 / 3))

    def layer_covariance(self, axis: int, extent: Sequence[float]) -> NDArray[np.float64]:
        """Return the covariance of the mean fractions of two layers across an axis.

        Parameters
        ----------
        axis : int
            0, 1 or 2 for layers across z, y or x.
        extent : sequence of 3 floats
            Edges of the image along (z, y, x) (m).

        Returns
        -------
        ndarray of float64, shape (2 m + 1,)
            At the lags -m ... m of ``lag_spacing[axis]``.
        """
        total: NDArray[np.float64] = self.covariance
        for other in sorted({0, 1, 2} - {axis}, reverse=True):
            half = total.shape[other] // 2
            lag = self.lag_spacing[other] * np.abs(np.arange(-half, half + 1))
            weight = np.maximum(0.0, 1 - lag / extent[other])
            total = np.tensordot(total, weight, axes=(other, 0))
            total = total * (self.lag_spacing[other] / extent[other])
        return total

    def finite_size_factor(self, extent: Sequence[float]) -> float:
        """Return `variance` over its limit for large boxes, phi (1 - phi) A3 / V; below 1."""
        limit = self.point_variance * self.value / math.prod(extent)
        return self.variance(extent) / limit


def integral_range(micro: Microstructure, phase: str) -> IntegralRange:
    """Measure the integral range of a phase from one image.

    The covariance comes from one Fourier transform. Lags beyond the distance where its mean over
    directions is lost in noise are left out. Subtracting the mean of the
    image instead of the unknown mean of the material lowers the covariance everywhere by the
    variance of the image mean; this is added back.

    Parameters
    ----------
    micro : Microstructure
    phase : str

    Returns
    -------
    IntegralRange

    Raises
    ------
    ValueError
        If the phase fills the whole image or none of it.
    """
    phi = micro.volume_fraction(phase)
    if phi in (0.0, 1.0):
        raise ValueError(
            f"phase {phase!r} takes {100 * phi:.0f} % of the image and has no covariance; "
            "choose a phase with a fraction between 0 and 1"
        )
    values, spacing = averaged_blocks(micro, phase)
    return range_of_values(values, spacing, phase, phi)


def averaged_blocks(micro: Microstructure, phase: str) -> tuple[NDArray[np.float32], VoxelSize]:
    """Return the fraction of the phase in blocks of voxels, at most 4 million, and their edges."""
    factor = max(1, math.ceil((micro.labels.size / MAX_POINTS) ** (1 / 3)))
    factor = min(factor, min(micro.shape) // 2)
    dz, dy, dx = micro.voxel_size
    return micro.coarse_fractions(phase, factor), (factor * dz, factor * dy, factor * dx)


def range_of_values(
    values: NDArray[np.float32], spacing: VoxelSize, phase: str, phi: float
) -> IntegralRange:
    """Return the integral range of an indicator whose mean over blocks is known."""
    covariance = _covariance(values)
    cutoff, faded = _cutoff(covariance, spacing)
    kept = _central_part(covariance, spacing, cutoff)
    inside = _radius(kept.shape, spacing, centred=True) <= cutoff
    kept[~inside] = 0.0
    cell = math.prod(spacing)
    ball_share = np.count_nonzero(inside) / covariance.size
    value = float(kept.sum() * cell / (phi * (1 - phi)) / (1 - ball_share))
    kept[inside] += phi * (1 - phi) * value / (covariance.size * cell)
    resolved = faded and covariance.size * cell >= MIN_SAMPLES * value and value > 0
    # Layers, or voxels much longer one way, can make the sum negative: then nothing is known but
    # that a sample is at least one voxel.
    value = max(value, cell)
    return IntegralRange(phase, phi, value, cutoff, resolved, kept, spacing)


def _covariance(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Autocovariance at all lags up to half the image, in the order of `numpy.fft.fftfreq`."""
    from scipy import fft

    spectrum = fft.rfftn(values - values.mean(dtype=float).astype(np.float32))
    power = (spectrum.real**2 + spectrum.imag**2) / values.size
    covariance: NDArray[np.float32] = fft.irfftn(power, s=values.shape)
    # The transform closes the image into a ring, so at lag r the share r/n of the pairs joins
    # voxels from opposite ends, which are not correlated. Only the rest measures the covariance.
    for axis, n in enumerate(values.shape):
        overlap = 1 - np.abs(np.fft.fftfreq(n))
        shape = [1, 1, 1]
        shape[axis] = n
        covariance /= overlap.reshape(shape).astype(np.float32)
    return covariance


def _radius(
    shape: tuple[int, ...], spacing: VoxelSize, centred: bool = False
) -> NDArray[np.float32]:
    """Length of the lag vector (m) at every lag, ordered as `numpy.fft.fftfreq` or centred."""
    squares = []
    for n, h in zip(shape, spacing, strict=True):
        lag = np.arange(n) - n // 2 if centred else np.fft.fftfreq(n) * n
        squares.append((lag * h).astype(np.float32) ** 2)
    z, y, x = squares
    radius: NDArray[np.float32] = np.sqrt(z[:, None, None] + y[:, None] + x)
    return radius


def _cutoff(covariance: NDArray[np.float32], spacing: VoxelSize) -> tuple[float, bool]:
    """Distance where the covariance, averaged over shells of one voxel, is lost in its noise.

    The standard error of a mean over n_s lags is about sqrt(2 / (N n_s)) times the sum of the
    covariance (Bartlett's formula summed over the shell), N being the number of voxels.
    """
    width = max(spacing)
    # The tolerance keeps the lag of exactly half an even axis, despite rounding.
    limit = 0.5 * min(n * h for n, h in zip(covariance.shape, spacing, strict=True)) * (1 + 1e-6)
    radius = _radius(covariance.shape, spacing)
    near = radius <= limit
    shell = np.rint(radius[near] / width).astype(np.intp)
    count = np.bincount(shell)
    total = np.bincount(shell, weights=covariance[near])
    noise = np.cumsum(total) * np.sqrt(2 * count / covariance.size)
    lost = np.flatnonzero(total <= NOISE_SHARE * noise)
    if lost.size and lost[0] > 0:
        return float((lost[0] - 0.5) * width), True
    return float(limit), False


def _central_part(
    covariance: NDArray[np.float32], spacing: VoxelSize, cutoff: float
) -> NDArray[np.float64]:
    """Lags up to the cutoff along each axis, lag zero moved to the middle."""
    part = covariance
    for axis, h in enumerate(spacing):
        half = min(int(cutoff / h), (covariance.shape[axis] - 1) // 2)
        part = part.take(np.arange(-half, half + 1), axis=axis, mode="wrap")
    return part.astype(np.float64)
