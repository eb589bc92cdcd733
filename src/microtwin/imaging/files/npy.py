"""NPY files of NumPy: a bare array, without voxel size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...microstructure import VoxelSize
from .stored import StoredVolume, take_layers

__all__ = ["SUFFIXES", "open_npy", "write_npy"]

SUFFIXES = (".npy",)


def open_npy(path: Path) -> StoredVolume:
    """Look into an NPY file that holds a 3-D array in the order (z, y, x).

    Raises
    ------
    ValueError
        If the file is no NPY file or truncated, or if its array is not 3-D.
    """
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    # NumPy hands a damaged header to Python's parser, whose complaints are of many types.
    except Exception as error:
        raise ValueError(f"{path} is not a whole NPY file ({error}); copy it again") from None
    if array.ndim != 3:
        raise ValueError(
            f"{path} has {array.ndim} dimension(s), shape {array.shape}; a 3-D array in the order "
            "(z, y, x) is needed"
        )

    def read_layers(start: int, stop: int) -> NDArray:
        return take_layers(array, (0, 1, 2), start, stop)

    return StoredVolume(path, array.shape, array.dtype.newbyteorder("="), read_layers)


def write_npy(path: Path, volume: NDArray, voxel_size: VoxelSize) -> None:
    """Write the bare array, shape (nz, ny, nx); the voxel size is not kept."""
    np.save(path, volume)
