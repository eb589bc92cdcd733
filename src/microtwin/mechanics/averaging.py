"""Stress averaged over a length, within a phase.

On voxels the interface is a staircase, and stress has peaks at its corners, and at sharp edges of
the material itself, that grow without bound as voxels shrink. What a length of material bears on
average converges, and can be compared with a strength that was measured on such a length.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..numerics.threads import thread_count
from .field_checks import checked_edges, checked_length, checked_stress, checked_weights

__all__ = ["Window", "averaged_stress"]

Window = Literal["ball", "box", "gaussian"]

ACROSS = 30  # points across a ball when the share of each voxel in it is counted
DEVIATIONS = 3.5  # of a Gaussian, beyond which less than a thousandth lies along an axis
# A variance of L^2 / 20 along each axis is that of a ball of diameter L.
DEVIATION = 1.0 / np.sqrt(20.0)


def averaged_stress(
    stress: ArrayLike,
    weights: ArrayLike,
    length: float,
    voxel_size: float | Sequence[float],
    *,
    window: Window = "ball",
    periodic: bool = False,
    at: NDArray[np.bool_] | None = None,
) -> NDArray[Any]:
    """Average a stress over a length around each voxel, over one phase alone.

    Parameters
    ----------
    stress : array, shape (6, nz, ny, nx)
        In Pa.
    weights : array, shape (nz, ny, nx)
        Mask of the phase, or the share of each voxel that it fills. What lies outside of it does
        not dilute the average.
    length : float
        In m: diameter of the ball, edge of the box; the Gaussian has the variance of the ball.
        Below the edge of a voxel nothing is known.
    voxel_size : float or 3 floats
        Edges (z, y, x), in m.
    window : {"ball", "box", "gaussian"}
    periodic : bool
        Whether the image repeats itself; otherwise nothing lies beyond its faces.
    at : ndarray of bool, shape (nz, ny, nx), optional
        Where the average is wanted; by default within the phase.

    Returns
    -------
    ndarray, shape (6, nz, ny, nx)
        In the precision of the stress. 0 where it is not wanted, and NaN where it is wanted but no
        part of the phase is within the window.

    Raises
    ------
    ValueError
        If the length is not positive or shorter than the longest edge of a voxel, if no voxel
        counts, or if shapes do not fit.

    Notes
    -----
    The average <sigma>(x) = int g(x - y) w(y) sigma(y) dy / int g(x - y) w(y) dy, with the weights
    w and the window g, is a normalised convolution (H. Knutsson, C.-F. Westin, Proc. IEEE CVPR
    (1993) 515), done by Fourier transform: its cost does not depend on the length. Taking averages
    over a length as what decides on failure goes back to H. Neuber, Kerbspannungslehre (1937);
    see D. Taylor, The Theory of Critical Distances (2007).

    Examples
    --------
    >>> import numpy as np
    >>> stress = np.zeros((6, 8, 8, 8))
    >>> stress[0, 4:] = 1e6
    >>> solid = np.zeros((8, 8, 8), bool)
    >>> solid[4:] = True
    >>> averaged = averaged_stress(stress, solid, 4e-6, 1e-6)
    >>> float(averaged[0, 4, 4, 4].round())  # void does not count
    1000000.0
    """
    from scipy import fft

    s = checked_stress(stress, ndim=4)
    shape = s.shape[1:]
    w = checked_weights(weights, shape)
    if at is not None and at.shape != shape:
        raise ValueError(
            f"a mask of shape {at.shape} does not fit a stress of shape {s.shape}; give shape "
            f"{shape}"
        )
    edges = checked_edges(voxel_size)
    kernel = _kernel(window, checked_length(length, edges), edges)
    wanted = w > 0 if at is None else at
    if kernel.size == 1 and at is None:
        return np.where(wanted, s, s.dtype.type(0))
    spread, spectrum = _spectrum(kernel, shape, periodic, s.dtype)

    def smoothed(field: NDArray[Any]) -> NDArray[Any]:
        transformed = fft.rfftn(field, spread, workers=thread_count())
        transformed *= spectrum
        whole = fft.irfftn(transformed, spread, workers=thread_count(), overwrite_x=True)
        return whole[: shape[0], : shape[1], : shape[2]]

    w = w.astype(s.dtype, copy=False)
    total = smoothed(w)[wanted]
    # What rounding leaves of nothing; a speck below it keeps its own value.
    there = total > 64.0 * np.finfo(s.dtype).eps
    own = (w > 0)[wanted]
    out = np.zeros_like(s)
    for k in range(6):
        found = smoothed(s[k] * w)[wanted]
        mean = np.divide(found, total, out=np.full_like(found, np.nan), where=there)
        out[k][wanted] = np.where(there | ~own, mean, s[k][wanted])
    return out


def _kernel(window: str, length: float, edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of the window in each voxel around that in its middle, summing to 1."""
    if window == "ball":
        found = _ball(length, edges)
    elif window == "box":
        found = _product([_interval(0.5 * length / edge) for edge in edges])
    elif window == "gaussian":
        found = _product([_bell(DEVIATION * length / edge) for edge in edges])
    else:
        raise ValueError(f"window {window!r} is not known; give 'ball', 'box' or 'gaussian'")
    return found / found.sum()


def _reach(half: float) -> int:
    """Return how many voxels beyond the middle one a window reaches into; a touch is none."""
    return max(int(np.ceil(half + 0.5 - 1e-9)) - 1, 0)


def _interval(half: float) -> NDArray[np.float64]:
    k = np.arange(-_reach(half), _reach(half) + 1)
    return np.clip(np.minimum(k + 0.5, half) - np.maximum(k - 0.5, -half), 0.0, None)


def _bell(deviation: float) -> NDArray[np.float64]:
    from scipy.special import ndtr

    k = np.arange(-_reach(DEVIATIONS * deviation), _reach(DEVIATIONS * deviation) + 1)
    return np.asarray(ndtr((k + 0.5) / deviation) - ndtr((k - 0.5) / deviation))


def _product(factors: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    return factors[0][:, None, None] * factors[1][:, None] * factors[2]


def _ball(length: float, edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the shares of voxels in a ball, counted on points within each voxel."""
    squares, counts = [], []
    for edge in edges:
        count = 2 * _reach(0.5 * length / edge) + 1
        fine = int(np.ceil(ACROSS / count))
        place = (np.arange(count * fine) + 0.5) / fine - 0.5 * count
        squares.append((place * edge) ** 2)
        counts.append((count, fine))
    inside = squares[0][:, None, None] + squares[1][:, None] + squares[2] <= (0.5 * length) ** 2
    split = [number for pair in counts for number in pair]
    return np.asarray(inside.reshape(split).sum(axis=(1, 3, 5)), float)


def _spectrum(
    kernel: NDArray[np.float64], shape: tuple[int, ...], periodic: bool, dtype: np.dtype
) -> tuple[tuple[int, ...], NDArray[Any]]:
    """Return the shape of the transforms, and the transform of the window on it."""
    from scipy import fft

    reach = [n // 2 for n in kernel.shape]
    if periodic:
        spread = tuple(shape)
    else:
        # No voxel of the image is farther from another than the image is long.
        kept = [min(r, n - 1) for r, n in zip(reach, shape, strict=True)]
        kernel = kernel[tuple(slice(r - k, r + k + 1) for r, k in zip(reach, kept, strict=True))]
        reach = kept
        spread = tuple(
            fft.next_fast_len(n + r, real=True) for n, r in zip(shape, reach, strict=True)
        )
    place = [
        (np.arange(n) - r) % whole for n, r, whole in zip(kernel.shape, reach, spread, strict=True)
    ]
    grid = np.zeros(spread)
    np.add.at(grid, np.ix_(*place), kernel)  # a window longer than the period overlaps itself
    return spread, fft.rfftn(grid.astype(dtype), workers=thread_count())
