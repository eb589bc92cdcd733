"""Volumes that are read layer by layer: what corrections and segmentation ask of a scan."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .files.stored import iter_slabs

__all__ = ["Layers", "float_slabs", "read_blocks", "sampled_blocks", "slab_layers"]

# Voxels of a slab: large enough for two threads, small beside the volumes that need slabs.
_SLAB_VOXELS = 3 * 2**20
# Layers, rows and columns of the smallest block that is sampled, where the volume has as many.
_THINNEST = 16
# Layers that are read at once where only a part of each is wanted.
_TOGETHER = 16


class Layers(Protocol):
    """A volume along whose axis z layers can be read: a scan, or one that lies in a file."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels along (z, y, x)."""

    def read_layers(self, start: int, stop: int) -> NDArray:
        """Return the layers ``start`` to ``stop - 1``, shape (stop - start, ny, nx)."""


def slab_layers(shape: tuple[int, int, int]) -> int:
    """Return how many layers make a slab; the same on every machine, as results depend on it."""
    return max(16, _SLAB_VOXELS // (shape[1] * shape[2]))


def float_slabs(
    volume: Layers, halo: int, layers: int | None = None
) -> Iterator[tuple[int, int, int, NDArray[np.float32]]]:
    """Read a volume in slabs of float32 with a halo along z.

    Parameters
    ----------
    volume : Layers
    halo : int
        Layers beyond the slab on both sides, as far as the volume reaches.
    layers : int, optional
        Layers of a slab, by default `slab_layers`.

    Yields
    ------
    first, start, stop : int
        The values begin at layer `first` of the volume; the slab itself is ``start`` to
        ``stop - 1``.
    values : ndarray of float32, shape (n, ny, nx)

    Raises
    ------
    ValueError
        If a layer holds NaN or infinite values.
    """
    thickness = layers or slab_layers(volume.shape)
    for start, stop, values in iter_slabs(volume, thickness, halo):
        first = max(start - halo, 0)
        values = values.astype(np.float32, copy=False)
        _check_finite(values, first)
        yield first, start, stop, values


def sampled_blocks(
    volume: Layers, voxels: int, grid: tuple[int, int, int] = (3, 2, 2)
) -> list[NDArray[np.float32]]:
    """Return blocks that are spread over a volume, in all about as many voxels as asked for.

    Parameters
    ----------
    volume : Layers
    voxels : int
        Voxels of all blocks together; a volume that has no more is returned whole.
    grid : (int, int, int)
        Blocks along each axis, one in the middle of each cell of such a grid; fewer along an
        axis on which the cells would be thinner than 16 voxels.

    Returns
    -------
    list of ndarray of float32, shape (n, ny, nx)

    Raises
    ------
    ValueError
        If a block holds NaN or infinite values.
    """
    if np.prod(volume.shape) <= voxels:
        whole = volume.read_layers(0, volume.shape[0]).astype(np.float32)
        _check_finite(whole, 0)
        return [whole]
    # Fewer blocks along a short axis, so that none is too thin to have an inside.
    number = np.clip(np.array(volume.shape) // _THINNEST, 1, grid)
    cells = np.array(volume.shape) / number
    # Cubes, or what the cells leave of them; what one axis lacks the others get.
    edges = np.minimum(cells, _THINNEST)
    for axis in np.argsort(cells):
        free = [a for a in range(3) if edges[a] < cells[a]]
        share = voxels / np.prod(number) / np.prod([edges[a] for a in range(3) if a not in free])
        if axis in free:
            edges[axis] = min(cells[axis], max(_THINNEST, share ** (1 / len(free))))
    size = edges.astype(int)
    starts = [
        ((np.arange(n) + 0.5) * cell - edge / 2).astype(int)
        for n, cell, edge in zip(number, cells, size, strict=True)
    ]
    blocks = []
    for z in starts[0]:
        spans = [
            (slice(int(y), int(y + size[1])), slice(int(x), int(x + size[2])))
            for y in starts[1]
            for x in starts[2]
        ]
        for block in read_blocks(volume, int(z), int(z + size[0]), spans):
            _check_finite(block, int(z))
            blocks.append(block)
    return blocks


def read_blocks(
    volume: Layers, start: int, stop: int, spans: Sequence[tuple[slice, slice]]
) -> list[NDArray[np.float32]]:
    """Read blocks that share their layers, a few layers at a time.

    Parameters
    ----------
    volume : Layers
    start, stop : int
        First layer, and one past the last.
    spans : sequence of (slice, slice)
        Rows and columns of each block.

    Returns
    -------
    list of ndarray of float32, shape (stop - start, ny, nx)
    """
    blocks = [
        np.empty((stop - start, y.stop - y.start, x.stop - x.start), np.float32) for y, x in spans
    ]
    for first in range(start, stop, _TOGETHER):
        last = min(first + _TOGETHER, stop)
        layers = volume.read_layers(first, last)
        for block, (y, x) in zip(blocks, spans, strict=True):
            block[first - start : last - start] = layers[:, y, x]
    return blocks


def _check_finite(values: NDArray[np.float32], first: int) -> None:
    """Refuse what a scan in memory cannot hold, but a file can."""
    if np.isfinite(values).all():
        return
    layer = first + int(np.flatnonzero(~np.isfinite(values).all(axis=(1, 2)))[0])
    raise ValueError(
        f"layer {layer} of the volume holds NaN or infinite values; crop them away or fill them in"
    )
