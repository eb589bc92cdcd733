"""Volumes whose axes cannot be mixed up, and what every reader must do with them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from microtwin.imaging import open_volume

SHAPE = (5, 7, 11)
VOXEL_SIZE = (5e-7, 4e-7, 2.5e-7)


def numbered(dtype: str = "uint16") -> np.ndarray:
    """Return a volume with three different edge lengths and a different value in each voxel."""
    values = np.arange(np.prod(SHAPE)).reshape(SHAPE)
    return (values % 251 if np.dtype(dtype).itemsize == 1 else values).astype(dtype)


def check_layers(path: Path, values: np.ndarray, **options: str) -> None:
    """Assert that a file gives these values, in native bytes, whole and by slabs in any order."""
    volume = open_volume(path, **options)
    assert (volume.shape, volume.dtype) == (values.shape, values.dtype)
    assert volume.dtype.isnative
    for start, stop in [(0, len(values)), (1, 3), (3, 5), (0, 1), (4, 5)]:
        layers = volume.read_layers(start, stop)
        assert layers.dtype == volume.dtype
        assert layers.flags.c_contiguous
        assert layers.flags.writeable
        assert np.array_equal(layers, values[start:stop])
