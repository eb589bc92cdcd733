"""Look into an image file without reading its voxels."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..imaging import hdf5, tiff
from ..imaging.stored import StoredVolume

__all__ = ["open_volume"]


def open_volume(path: Path) -> StoredVolume:
    """Return what is known of an image file before its voxels are read.

    Raises
    ------
    ValueError
        If the file cannot be read as a volume.
    """
    if path.is_dir():
        return tiff.open_tiff_folder(path)
    suffix = path.suffix.lower()
    if suffix in hdf5.SUFFIXES:
        return hdf5.open_hdf5(path)
    if suffix == ".npy":
        array = np.load(path, mmap_mode="r", allow_pickle=False)
        return StoredVolume(path, array.shape, array.dtype, lambda a, b: np.array(array[a:b]))
    return tiff.open_tiff(path)
