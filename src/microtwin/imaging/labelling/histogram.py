"""Grey-value histograms and exact quantiles of a volume that is read slab by slab."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..files.stored import iter_slabs
from ..layers import Layers

__all__ = ["Histogram", "classes_of", "grey_histogram", "quantile_levels", "thin_slabs"]

# Voxels read at once: what is computed from them is a few times as large.
_SLAB_VOXELS = 2**21
# This share of the voxels at either end of a histogram may lie beyond its outermost bins.
_TAIL = 1e-4
# The sortable code of zero; smaller ones are negative numbers.
_ZERO = 0x80000000


@dataclass(frozen=True, eq=False)
class Histogram:
    """How many voxels have which grey value.

    Attributes
    ----------
    levels : ndarray of float64, shape (n,)
        Grey value in the middle of each bin, ascending.
    counts : ndarray of int64, shape (n,)
        Voxels in each bin; the outermost bins hold all that lies beyond.
    upper : ndarray of float64, shape (n,)
        Largest grey value that counts to each bin but the last.
    """

    levels: NDArray[np.float64]
    counts: NDArray[np.int64]
    upper: NDArray[np.float64]


def thin_slabs(volume: Layers) -> Iterator[tuple[int, int, NDArray]]:
    """Read a volume in slabs that are small enough for temporary arrays of several times theirs.

    Yields
    ------
    start, stop : int
    values : ndarray, shape (stop - start, ny, nx)
    """
    layers = max(1, _SLAB_VOXELS // (volume.shape[1] * volume.shape[2]))
    return iter_slabs(volume, layers)


def grey_histogram(volume: Layers, bins: int = 1024) -> Histogram:
    """Count the grey values of a volume.

    Whole numbers of up to 16 bits whose range is narrow enough get a bin each. Otherwise the
    bins divide the range between the quantiles of 0.01 and 99.99 %, so that single hot or dead
    voxels do not widen it.

    Parameters
    ----------
    volume : Layers
    bins : int
        Largest number of bins.

    Returns
    -------
    Histogram
    """
    coarse = _coarse_counts(volume)
    if _is_exact(volume):
        return _grouped(coarse, _lowest(_dtype(volume)), bins)
    used = np.flatnonzero(coarse)
    share = np.cumsum(coarse[used]) / coarse.sum()
    # The ends of a code of 16 bits are the numbers with the least and the greatest lower half.
    low = _value_of(int(used[np.searchsorted(share, _TAIL, side="right")]) << 16)
    high = _value_of((int(used[np.searchsorted(share, 1 - _TAIL)]) << 16) | 0xFFFF)
    edges = np.linspace(low, high, bins + 1)
    counts = np.zeros(bins, np.int64)
    for _, _, slab in thin_slabs(volume):
        place = np.searchsorted(edges[1:-1].astype(np.float32), slab.ravel(), side="left")
        counts += np.bincount(place, minlength=bins)
    return Histogram(0.5 * (edges[:-1] + edges[1:]), counts, edges[1:])


def quantile_levels(volume: Layers, shares: Sequence[float]) -> list[float]:
    """Return the grey values below or at which the shares of the voxels nearest to these lie.

    Selection by digits: the numbers are sorted by their upper and then by their lower 16 bits,
    so no more than two histograms are needed, and no copy of the volume. Numbers of more than 16
    bits are rounded to single precision.

    Parameters
    ----------
    volume : Layers
    shares : sequence of float
        From 0 to 1.

    Returns
    -------
    list of float
        One for each share. Equal grey values are not divided: they lie together on the side that
        brings the share nearer to what is asked for.
    """
    coarse = _coarse_counts(volume)
    total = int(coarse.sum())
    below = np.concatenate([[0], np.cumsum(coarse)])
    wanted = [share * total for share in shares]
    # The digit of the last voxel on the lower side.
    digits = [int(np.searchsorted(below[1:], max(count, 1), side="left")) for count in wanted]
    if _is_exact(volume):
        lowest = _lowest(_dtype(volume))
        return [
            float(lowest + digit - (count - below[digit] < below[digit + 1] - count))
            for digit, count in zip(digits, wanted, strict=True)
        ]
    fine = {digit: np.zeros(2**16, np.int64) for digit in digits}
    for _, _, slab in thin_slabs(volume):
        codes = _sortable(slab)
        for digit, counts in fine.items():
            inside = codes[(codes >> 16) == digit] & 0xFFFF
            counts += np.bincount(inside.ravel(), minlength=2**16)
    levels = []
    for digit, count in zip(digits, wanted, strict=True):
        within = below[digit] + np.concatenate([[0], np.cumsum(fine[digit])])
        last = int(np.searchsorted(within[1:], max(count, 1), side="left"))
        code = (digit << 16) | last
        if count - within[last] < within[last + 1] - count:
            # The code before that of zero is the negative zero, which is not below zero.
            code -= 2 if code == _ZERO else 1
        levels.append(_value_of(code))
    return levels


def classes_of(slab: NDArray, thresholds: Sequence[float]) -> NDArray[np.uint8]:
    """Return how many of the thresholds each grey value exceeds, of the shape of the slab."""
    if slab.dtype.kind in "uib" and slab.dtype.itemsize <= 2:
        low = _lowest(slab.dtype)
        table = np.searchsorted(
            np.asarray(thresholds), np.arange(low, low + _span(slab.dtype)), side="left"
        )
        return table.astype(np.uint8)[_digits(slab)]
    values = slab.astype(np.float32, copy=False)
    classes = np.zeros(slab.shape, np.uint8)
    for threshold in np.asarray(thresholds, np.float32):
        classes += values > threshold
    return classes


def _dtype(volume: Layers) -> np.dtype:
    return volume.read_layers(0, 1).dtype


def _is_exact(volume: Layers) -> bool:
    dtype = _dtype(volume)
    return dtype.kind in "uib" and dtype.itemsize <= 2


def _span(dtype: np.dtype) -> int:
    return 2 if dtype.kind == "b" else 2 ** (8 * dtype.itemsize)


def _lowest(dtype: np.dtype) -> int:
    return 0 if dtype.kind == "b" else int(np.iinfo(dtype).min)


def _digits(slab: NDArray) -> NDArray:
    """Return whole numbers of up to 16 bits counted from the lowest one of their type."""
    if slab.dtype.kind == "b":
        return slab.view(np.uint8)
    unsigned = np.dtype(f"u{slab.dtype.itemsize}")
    values = slab.astype(slab.dtype.newbyteorder("="), copy=False).view(unsigned)
    return values if slab.dtype.kind == "u" else values ^ unsigned.type(_span(slab.dtype) // 2)


def _sortable(slab: NDArray) -> NDArray[np.uint32]:
    """Return 32-bit codes that are in the order of the numbers in single precision.

    Positive floating-point numbers are in the order of their bits; of negative ones all bits
    are turned around.
    """
    # Adding zero turns the negative zero into the positive one.
    bits = (slab.astype(np.float32) + np.float32(0)).view(np.uint32)
    return np.where(bits >> 31, ~bits, bits | np.uint32(_ZERO))


def _value_of(code: int) -> float:
    """Return the number of a 32-bit code; codes beyond the infinities count as the largest."""
    bits = code ^ _ZERO if code >= _ZERO else code ^ 0xFFFFFFFF
    value = float(np.uint32(bits).view(np.float32))
    largest = float(np.finfo(np.float32).max)
    if not np.isfinite(value):
        return largest if code >= _ZERO else -largest
    return value


def _coarse_counts(volume: Layers) -> NDArray[np.int64]:
    """Count the voxels by grey value, or by the upper half of its code where it has more bits."""
    exact = _is_exact(volume)
    counts = np.zeros(_span(_dtype(volume)) if exact else 2**16, np.int64)
    for _, _, slab in thin_slabs(volume):
        codes = _digits(slab) if exact else _sortable(slab) >> 16
        counts += np.bincount(codes.ravel(), minlength=counts.size)
    return counts


def _grouped(counts: NDArray[np.int64], lowest: int, bins: int) -> Histogram:
    """Return the histogram of whole numbers, so many levels in a bin that there are few enough."""
    used = np.flatnonzero(counts)
    low, high = int(used[0]), int(used[-1])
    if high - low >= bins:
        share = np.cumsum(counts) / counts.sum()
        low = int(np.searchsorted(share, _TAIL, side="right"))
        high = int(np.searchsorted(share, 1 - _TAIL))
    width = -(-(high - low + 1) // bins)
    first = low + width * np.arange(-(-(high - low + 1) // width))
    counts = counts.copy()
    counts[low] += counts[:low].sum()
    counts[first[-1]] += counts[first[-1] + width :].sum()
    ends = np.minimum(first + width, counts.size)
    middles = np.asarray(lowest + 0.5 * (first + ends - 1), float)
    summed = np.array([counts[a:b].sum() for a, b in zip(first, ends, strict=True)])
    return Histogram(middles, summed, np.asarray(lowest + ends - 1, float))
