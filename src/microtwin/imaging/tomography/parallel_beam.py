"""Parallel-beam tomography: line integrals of slices, and filtered back-projection of them.

The geometry is the same for all slices, so a pixel and an angle fix two weights that are used
for a whole column of slices at once: the slices are the innermost axis of every array in the
kernels, and the loops over them run in vector registers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...numerics.threads import even_shares, over_slabs

__all__ = ["angle_weights", "filtered_back_projection", "project", "ramp_filter"]

# Slices that pass through the kernels together: the rows of one block stay in the second cache.
_BLOCK = 16

Filter = Literal["ramp", "hann"]


def project(
    volume: NDArray[np.floating], angles: ArrayLike, *, columns: int | None = None
) -> NDArray[np.float32]:
    """Return the line integrals of each slice of a volume along parallel rays.

    The ray of column s at an angle is the line ``x cos(angle) + y sin(angle) = s - (columns - 1)
    / 2``, with x and y in pixels from the middle of the slice. The integral steps from grid line
    to grid line of the axis that the ray crosses most steeply and interpolates linearly between
    the two pixels there (P. M. Joseph, IEEE Trans. Med. Imaging 1 (1982) 192).

    Parameters
    ----------
    volume : ndarray, shape (rows, ny, nx)
        One slice per detector row; outside it there is nothing.
    angles : array_like, shape (n_angles,)
        Radians.
    columns : int, optional
        Pixels of a detector row; by default as many as the diagonal of a slice needs.

    Returns
    -------
    ndarray of float32, shape (rows, n_angles, columns)
        Line integrals in the unit of the volume times one pixel.

    Raises
    ------
    ValueError
        If the volume is not 3-D or there is no angle.
    """
    from .parallel_beam_kernels import project_block

    directions = _directions(angles)
    _check_three(volume, "the volume", "(rows, ny, nx)")
    rows, ny, nx = volume.shape
    if columns is None:
        columns = int(np.ceil(np.hypot(ny, nx))) + 2
    out = np.empty((rows, len(directions), columns), np.float32)
    for part in _blocks(rows):
        slices = _innermost(volume[part])
        block = np.zeros((len(directions), columns, slices.shape[2]), np.float32)
        over_slabs(project_block, even_shares(len(directions)), slices, directions, block)
        out[part] = np.moveaxis(block, 2, 0)
    return out


def filtered_back_projection(
    sinograms: NDArray[np.floating],
    angles: ArrayLike,
    *,
    centre: float | None = None,
    shape: tuple[int, int] | None = None,
    filter: Filter = "ramp",
) -> NDArray[np.float32]:
    """Return the slices whose line integrals are given.

    Discretises ``f(x, y) = integral over pi of (ramp * p_angle)(x cos + y sin)`` (A. C. Kak,
    M. Slaney, Principles of Computerized Tomographic Imaging, IEEE Press 1988, eq. 3.69): the
    rows are filtered with `ramp_filter`, interpolated linearly, and summed with `angle_weights`.

    Parameters
    ----------
    sinograms : ndarray, shape (rows, n_angles, columns)
        Line integrals of one slice per row.
    angles : array_like, shape (n_angles,)
        Radians; they should cover half a turn.
    centre : float, optional
        Column of the rotation axis; by default the middle, ``(columns - 1) / 2``.
    shape : (int, int), optional
        Rows and columns (ny, nx) of a slice, whose middle is the rotation axis; by default the
        largest square that the detector sees from all sides.
    filter : {"ramp", "hann"}
        The sharp ramp, or the ramp under a Hann window, which halves the resolution of the
        finest details and lowers their noise.

    Returns
    -------
    ndarray of float32, shape (rows, ny, nx)
        In the unit of the line integrals per pixel.

    Raises
    ------
    ValueError
        If the sinograms are not 3-D, do not fit the angles, or the axis is off the detector.
    """
    from .parallel_beam_kernels import back_project_block

    directions = _directions(angles)
    _check_three(sinograms, "the array of sinograms", "(rows, n_angles, columns)")
    rows, count, columns = sinograms.shape
    if count != len(directions):
        raise ValueError(
            f"there are {count} projections and {len(directions)} angles; give one angle for each"
        )
    centre = (columns - 1) / 2 if centre is None else float(centre)
    if not 0 <= centre <= columns - 1:
        raise ValueError(
            f"the rotation axis at column {centre:g} is off the detector of {columns} columns; "
            f"give a column from 0 to {columns - 1}"
        )
    edge = max(2, int(np.sqrt(2) * min(centre, columns - 1 - centre)))
    ny, nx = (edge, edge) if shape is None else shape
    response = ramp_filter(columns, filter)
    weights = angle_weights(angles)[:, None]
    out = np.empty((rows, ny, nx), np.float32)
    for part in _blocks(rows):
        filtered = _filtered(sinograms[part], response) * weights
        block = np.zeros((ny, nx, filtered.shape[0]), np.float32)
        lines = _innermost(filtered)
        over_slabs(back_project_block, even_shares(ny), lines, directions, centre, block)
        out[part] = np.moveaxis(block, 2, 0)
    return out


def ramp_filter(columns: int, filter: Filter = "ramp") -> NDArray[np.float32]:
    """Return the frequency response of the ramp filter for rows of a length.

    The response is the transform of the band-limited ramp sampled in space, ``1/4`` at 0,
    ``-1 / (pi n)^2`` at odd n and 0 at even n, which keeps the mean of a slice right where the
    ramp sampled in frequency would lose it (Kak and Slaney, eq. 3.61).

    Parameters
    ----------
    columns : int
        Length of the rows; they are padded with zeros to at least twice as many.
    filter : {"ramp", "hann"}
        As in `filtered_back_projection`.

    Returns
    -------
    ndarray of float32, shape (padded // 2 + 1,)
        For `scipy.fft.rfft` of the padded row.
    """
    from scipy.fft import next_fast_len, rfft, rfftfreq

    if filter not in ("ramp", "hann"):
        raise ValueError(f"filter {filter!r} is not known; use 'ramp' or 'hann'")
    padded = next_fast_len(2 * columns, real=True)
    distance = np.minimum(np.arange(padded), padded - np.arange(padded))
    kernel = np.zeros(padded)
    odd = distance % 2 == 1
    kernel[odd] = -1.0 / (np.pi * distance[odd]) ** 2
    kernel[0] = 0.25
    response = rfft(kernel).real
    if filter == "hann":
        response *= np.cos(np.pi * rfftfreq(padded)) ** 2
    return response.astype(np.float32)


def angle_weights(angles: ArrayLike) -> NDArray[np.float32]:
    """Return the share of the half turn that each angle stands for, shape (n_angles,).

    Half the distance between the neighbours on the circle of directions, on which opposite
    views are the same; the weights add up to pi. Views of equal direction share theirs.
    """
    turned = np.mod(np.asarray(angles, float), np.pi)
    distinct, index, count = np.unique(np.round(turned, 9), return_inverse=True, return_counts=True)
    gaps = np.diff(distinct, append=distinct[0] + np.pi)
    shares = (gaps + np.roll(gaps, 1)) / 2
    return (shares / count)[index].astype(np.float32)


def _filtered(rows: NDArray[np.floating], response: NDArray[np.float32]) -> NDArray[np.float32]:
    from scipy.fft import irfft, next_fast_len, rfft

    columns = rows.shape[-1]
    padded = next_fast_len(2 * columns, real=True)
    spectrum = rfft(rows.astype(np.float32, copy=False), padded, axis=-1)
    spectrum *= response
    return irfft(spectrum, padded, axis=-1)[..., :columns]


def _directions(angles: ArrayLike) -> NDArray[np.float64]:
    """Return cosine and sine of each angle, shape (n_angles, 2)."""
    array = np.atleast_1d(np.asarray(angles, dtype=np.float64))
    if array.ndim != 1 or array.size == 0 or not np.isfinite(array).all():
        raise ValueError(
            f"angles of shape {array.shape} are not allowed; give a list of finite angles in "
            "radians"
        )
    return np.column_stack([np.cos(array), np.sin(array)])


def _check_three(array: NDArray, noun: str, axes: str) -> None:
    if array.ndim != 3:
        raise ValueError(f"{noun} has shape {array.shape}; three axes {axes} are needed")


def _blocks(rows: int) -> Iterator[slice]:
    return (slice(start, min(start + _BLOCK, rows)) for start in range(0, rows, _BLOCK))


def _innermost(array: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return a copy in float32 with axis 0 moved to the end."""
    return np.ascontiguousarray(np.moveaxis(array, 0, 2), dtype=np.float32)
