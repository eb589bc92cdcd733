"""A volume that lies in a file: what is known of it before its voxels are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..microstructure import VoxelSize

__all__ = ["StoredVolume", "check_coarsening", "require_memory", "slabs"]

# Coarse layers per slab when an image is coarsened while it is read; even, see `slabs`.
_SLAB = 4


@dataclass(frozen=True)
class StoredVolume:
    """A 3-D image in a file or folder, not yet in memory.

    Parameters
    ----------
    path : Path
        Where the volume lies.
    shape : tuple of int
        Voxels along (z, y, x).
    dtype : numpy dtype
        Type of one voxel.
    read_layers : callable
        ``read_layers(start, stop)`` returns the layers ``start`` to ``stop - 1`` along z as an
        array of shape (stop - start, ny, nx).
    voxel_size : 3 floats or None
        Edge lengths of a voxel along (z, y, x) in metres, if the file tells them.
    phases : mapping of str to int or None
        Names of the labels, if the file tells them.
    voxel_size_note : str
        What the file tells instead of a voxel size; part of the sentence that asks for one.
    """

    path: Path
    shape: tuple[int, int, int]
    dtype: np.dtype
    read_layers: Callable[[int, int], NDArray]
    voxel_size: VoxelSize | None = None
    phases: Mapping[str, int] | None = None
    voxel_size_note: str = "the file does not tell it"

    def bytes_needed(self, factor: int = 1) -> int:
        """Return the memory in bytes that reading takes, when coarsened by a whole factor.

        The image is counted twice, for the type of its voxels may have to change; an image that
        is coarsened passes through memory in slabs.
        """
        image = 2 * prod(n // factor for n in self.shape) * self.dtype.itemsize
        slab = 2 * _SLAB * factor * prod(self.shape[1:]) * self.dtype.itemsize
        return image + slab if factor > 1 else image


def check_coarsening(volume: StoredVolume, factor: int) -> None:
    """Raise a `ValueError` unless the factor is whole and leaves two voxels on each axis."""
    largest = max(1, min(volume.shape) // 2)
    if int(factor) != factor or not 1 <= factor <= largest:
        raise ValueError(
            f"coarsen={factor!r} is not allowed for {volume.path} with {_shown(volume.shape)} "
            f"voxels; use a whole number from 1 to {largest}"
        )


def require_memory(volume: StoredVolume, factor: int = 1) -> None:
    """Refuse to read a volume that does not fit in the memory available now.

    Parameters
    ----------
    volume : StoredVolume
    factor : int
        Coarsening at which the volume is to be read.

    Raises
    ------
    ValueError
        If it does not fit; the message tells the memory needed and the smallest coarsening that
        fits.
    """
    import psutil

    available = psutil.virtual_memory().available
    needed = volume.bytes_needed(factor)
    if needed <= available:
        return
    finer = range(factor + 1, min(volume.shape) // 2 + 1)
    fitting = next((f for f in finer if volume.bytes_needed(f) <= available), None)
    remedy = f"read it with coarsen={fitting}, or crop it first" if fitting else "crop it first"
    raise ValueError(
        f"{volume.path}: reading {_shown(volume.shape)} voxels of {volume.dtype} needs "
        f"{needed / 1e9:.3g} GB of memory and {available / 1e9:.3g} GB are available; {remedy}"
    )


def slabs(layers: int, factor: int) -> Iterator[tuple[int, int]]:
    """Yield the ranges of layers of slabs that hold whole blocks of `factor` layers.

    Every slab starts at an even block and holds at least two blocks, so that coarsening slab by
    slab gives the same as coarsening the whole. Layers that fill no block are left out.
    """
    blocks = layers // factor
    start = 0
    while start < blocks:
        stop = start + _SLAB if blocks - start >= _SLAB + 2 else blocks
        yield start * factor, stop * factor
        start = stop


def _shown(shape: tuple[int, int, int]) -> str:
    return " x ".join(map(str, shape))
