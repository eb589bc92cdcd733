"""Gaussian random fields and the two-phase images cut out of them.

White noise is filtered with a Gaussian kernel exp(-r^2 / (2 l^2)) and cut at a quantile. The
filtered field is kept as Fourier coefficients, so it is a band-limited function of position that
can be sampled on any grid: an image and its refinement show the *same* geometry, and the refined
one is the truth against which a method is measured.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from ..microstructure import Microstructure
from .checks import Shape, Triple, checked_fraction, checked_shape, checked_triple

__all__ = ["gaussian_field", "gaussian_level_set", "gaussian_random_field"]

# A non-periodic image is cut out of a periodic field that is longer by this many kernel standard
# deviations; opposite faces are then uncorrelated (covariance exp(-9) at six of them).
_MARGIN = 6.0


def gaussian_random_field(
    shape: int | Sequence[int],
    correlation_length: float | Sequence[float],
    seed: int = 0,
    periodic: bool = True,
    refine: int = 1,
) -> NDArray[np.float32]:
    """Return a smooth random field of zero mean and unit variance.

    White noise is convolved with the kernel exp(-r^2 / (2 l^2)); the covariance of the result
    at distance r is therefore exp(-r^2 / (4 l^2)) (Adler & Taylor, Random Fields and Geometry,
    2007, for the theory). Mean and variance are those of the ensemble: one realisation scatters
    around them.

    Parameters
    ----------
    shape : int or 3 ints
        Voxels along (z, y, x).
    correlation_length : float or 3 floats
        Standard deviation l of the Gaussian kernel in voxels of `shape`, along (z, y, x).
    seed : int
        The same seed gives the same field.
    periodic : bool
        Whether opposite faces continue each other.
    refine : int
        Sample the same function on a grid `refine` times finer in each direction. Both grids
        cover the same box and sample it at their voxel centres, so voxel i of an odd refinement
        k shares its centre with voxel k i + (k - 1) / 2.

    Returns
    -------
    ndarray of float32, shape ``refine * shape``

    Raises
    ------
    ValueError
        If the shape, the correlation length or the refinement is not positive.
    """
    shape = checked_shape(shape)
    spectrum, grid = _spectrum(shape, _checked_length(correlation_length), seed, periodic)
    return _sample(spectrum, grid, shape, refine)


def gaussian_level_set(
    shape: int | Sequence[int],
    correlation_length: float | Sequence[float],
    porosity: float = 0.4,
    seed: int = 0,
    periodic: bool = True,
    refine: int = 1,
) -> NDArray[np.float32]:
    """Return the smooth function whose sign is the image of `gaussian_field`.

    It is the field of `gaussian_random_field` minus the threshold: not negative in the pore,
    negative in the solid. The threshold is the quantile on the unrefined grid whatever `refine`
    is, so refined level sets describe the geometry of the unrefined image.

    Parameters
    ----------
    shape, correlation_length, seed, periodic, refine
        As in `gaussian_random_field`.
    porosity : float
        Share of the voxels of the unrefined grid that are pore.

    Returns
    -------
    ndarray of float32, shape ``refine * shape``
        In standard deviations of the field.

    Raises
    ------
    ValueError
        As `gaussian_random_field`, and if the porosity is not between 0 and 1.
    """
    shape = checked_shape(shape)
    checked_fraction(porosity, "porosity")
    spectrum, grid = _spectrum(shape, _checked_length(correlation_length), seed, periodic)
    # Sampling consumes the spectrum, to save memory; only a refinement needs it twice.
    field = _sample(spectrum.copy() if refine > 1 else spectrum, grid, shape, 1)
    threshold = _threshold(field, porosity)
    if refine != 1:
        field = _sample(spectrum, grid, shape, refine)
    field -= threshold
    return field


def gaussian_field(
    shape: int | Sequence[int],
    correlation_length: float | Sequence[float],
    porosity: float = 0.4,
    seed: int = 0,
    voxel_size: float | Sequence[float] = 1e-6,
    periodic: bool = True,
    refine: int = 1,
) -> Microstructure:
    """Return a two-phase image: a Gaussian random field cut at the quantile of the porosity.

    Parameters
    ----------
    shape : int or 3 ints
        Voxels along (z, y, x).
    correlation_length : float or 3 floats
        Standard deviation of the Gaussian kernel that is applied to white noise, in voxels.
    porosity : float
        Share of pore voxels, met to one voxel when ``refine`` is 1.
    seed : int
        The same seed gives the same image.
    voxel_size : float or 3 floats
        Voxel edge of the unrefined grid in metres; the image has ``voxel_size / refine``.
    periodic : bool
        Whether opposite faces continue each other.
    refine : int
        Show the same geometry on voxels this many times smaller. Its pore fraction differs a
        little from `porosity`, which is exact on the unrefined grid.

    Returns
    -------
    Microstructure
        With the phases pore = 0 and solid = 1.

    Raises
    ------
    ValueError
        As `gaussian_level_set`.
    """
    size = checked_triple(voxel_size, "voxel size", "give the edge in metres, for example 1e-6")
    level = gaussian_level_set(shape, correlation_length, porosity, seed, periodic, refine)
    fine = (size[0] / refine, size[1] / refine, size[2] / refine)
    return Microstructure((level < 0).view(np.uint8), fine, {"pore": 0, "solid": 1})


def _checked_length(correlation_length: float | Sequence[float]) -> Triple:
    return checked_triple(
        correlation_length, "correlation length", "give a positive number of voxels, for example 4"
    )


def _spectrum(
    shape: Shape, length: Triple, seed: int, periodic: bool
) -> tuple[NDArray[np.complex64], Shape]:
    """Fourier coefficients of the unit-variance field, and the periodic grid they belong to."""
    grid = shape
    if not periodic:
        nz, ny, nx = (
            scipy.fft.next_fast_len(n + int(np.ceil(_MARGIN * s)), real=True)
            for n, s in zip(shape, length, strict=True)
        )
        grid = (nz, ny, nx)
    noise = np.random.default_rng(seed).standard_normal(grid, dtype=np.float32)
    spectrum = scipy.fft.rfftn(noise, norm="forward", workers=-1, overwrite_x=True)
    variance = 1.0
    for axis, (n, s) in enumerate(zip(grid, length, strict=True)):
        frequency = scipy.fft.fftfreq(n)
        gain = np.exp(-2.0 * (np.pi * s * frequency) ** 2)
        # The Nyquist coefficient of an even grid has no sign, so no band-limited function of
        # position belongs to it.
        gain[np.abs(frequency) == 0.5] = 0.0
        variance *= np.mean(gain**2)
        gain = gain[: spectrum.shape[axis]].astype(np.float32)
        spectrum *= gain.reshape([-1 if a == axis else 1 for a in range(3)])
    spectrum *= np.float32(variance**-0.5)
    return spectrum, grid


def _sample(
    spectrum: NDArray[np.complex64], grid: Shape, shape: Shape, refine: int
) -> NDArray[np.float32]:
    """Evaluate the field at the voxel centres of the refined grid; the spectrum is overwritten."""
    if int(refine) != refine or refine < 1:
        raise ValueError(f"refine {refine!r} is not allowed; give a whole number, 1 or more")
    if refine > 1:
        spectrum = _shifted(spectrum, grid, refine)
        for axis in range(2):
            spectrum = _padded(spectrum, grid[axis], refine, axis)
    fine = tuple(refine * n for n in grid)
    field = scipy.fft.irfftn(spectrum, s=fine, norm="forward", workers=-1, overwrite_x=True)
    if grid != shape:
        field = np.ascontiguousarray(field[tuple(slice(refine * n) for n in shape)])
    return field


def _shifted(spectrum: NDArray[np.complex64], grid: Shape, refine: int) -> NDArray[np.complex64]:
    """Move the origin from the first coarse to the first fine voxel centre."""
    offset = 0.5 / refine - 0.5
    for axis, n in enumerate(grid):
        frequency = scipy.fft.fftfreq(n)[: spectrum.shape[axis]]
        if axis == 2:
            frequency = np.abs(frequency)
        phase = np.exp(2j * np.pi * offset * frequency).astype(np.complex64)
        spectrum *= phase.reshape([-1 if a == axis else 1 for a in range(3)])
    return spectrum


def _padded(
    spectrum: NDArray[np.complex64], n: int, refine: int, axis: int
) -> NDArray[np.complex64]:
    """Insert zero high frequencies along a full axis (irfftn pads the halved axis itself)."""
    positive, negative = (n + 1) // 2, n // 2
    shape = list(spectrum.shape)
    shape[axis] = refine * n - positive - negative
    low, high = np.split(spectrum, [positive], axis=axis)
    return np.concatenate([low, np.zeros(shape, np.complex64), high], axis=axis)


def _threshold(field: NDArray[np.float32], porosity: float) -> np.float32:
    """Return t, halfway between two values, such that ``field >= t`` in a share `porosity`."""
    last = field.size - round(porosity * field.size)
    last = min(max(last, 1), field.size - 1)
    below, above = np.partition(field.ravel(), (last - 1, last))[last - 1 : last + 1]
    middle = np.float32(0.5) * (below + above)
    return middle if middle > below else above
