"""Volumes that are read layer by layer: what corrections and segmentation ask of a scan."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .stored import iter_slabs

__all__ = ["Layers", "float_slabs", "sampled_blocks", "slab_layers"]

# Voxels of a slab: large enough for two threads, small beside the volumes that need slabs.
_SLAB_VOXELS = 2**23


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
    """
    thickness = layers or slab_layers(volume.shape)
    for start, stop, values in iter_slabs(volume, thickness, halo):
        yield max(start - halo, 0), start, stop, values.astype(np.float32, copy=False)


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
        Blocks along each axis, one in the middle of each cell of such a grid. With one block
        along y and x the blocks are whole layers, as far as the number of voxels allows.

    Returns
    -------
    list of ndarray of float32, shape (n, ny, nx)
    """
    if np.prod(volume.shape) <= voxels:
        return [volume.read_layers(0, volume.shape[0]).astype(np.float32)]
    cells = np.array(volume.shape) / np.array(grid)
    # Cubes, or what the cells leave of them; what one axis lacks the others get.
    edges = np.minimum(cells, 8.0)
    for axis in np.argsort(cells):
        free = [a for a in range(3) if edges[a] < cells[a] and a >= 0]
        share = voxels / np.prod(grid) / np.prod([edges[a] for a in range(3) if a not in free])
        if axis in free:
            edges[axis] = min(cells[axis], max(8.0, share ** (1 / len(free))))
    size = edges.astype(int)
    starts = [
        ((np.arange(n) + 0.5) * cell - edge / 2).astype(int)
        for n, cell, edge in zip(grid, cells, size, strict=True)
    ]
    blocks = []
    for z in starts[0]:
        layers = volume.read_layers(int(z), int(z) + int(size[0]))
        for y in starts[1]:
            for x in starts[2]:
                block = layers[:, y : y + size[1], x : x + size[2]]
                blocks.append(np.ascontiguousarray(block, np.float32))
    return blocks
