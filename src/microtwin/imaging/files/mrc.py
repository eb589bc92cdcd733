"""MRC files of electron tomography: a header of 1024 bytes and a plain block of voxels."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...microstructure import VoxelSize
from .stored import StoredVolume, calibrated, take_layers

if TYPE_CHECKING:
    from mrcfile.mrcmemmap import MrcMemmap

__all__ = ["SUFFIXES", "open_mrc", "write_mrc"]

SUFFIXES = (".mrc", ".rec", ".map")

_MODES = {0: "int8", 1: "int16", 2: "float32", 6: "uint16", 12: "float16"}
_ANGSTROM = 1e-10
# IMOD marks its files, and tells with a flag whether bytes have a sign; the standard says they do.
_IMOD_STAMP = 1146047817


def open_mrc(path: Path) -> StoredVolume:
    """Look into an MRC file.

    Parameters
    ----------
    path : Path
        A file of mode 0, 1, 2, 6 or 12 (MRC2014), with or without extended header.

    Returns
    -------
    StoredVolume
        With the voxel size, if the header gives the size of the cell. Half precision is read as
        single.

    Raises
    ------
    ValueError
        If the file is no MRC or truncated; holds complex values, colour, a stack of volumes or a
        single picture; or stores its axes in another order than x fastest, z slowest.
    """
    with _opened(path) as mrc:
        header = mrc.header
        _check(path, header, mrc.data)
        unsigned = header.mode == 0 and _imod_unsigned(header)
        shape = (int(header.nz), int(header.ny), int(header.nx))
        voxel_size, note = _voxel_size(header)
        half = mrc.data.dtype.itemsize == 2 and mrc.data.dtype.kind == "f"
        dtype = np.dtype(np.uint8 if unsigned else mrc.data.dtype.newbyteorder("="))
    dtype = np.dtype(np.float32) if half else dtype

    def read_layers(start: int, stop: int) -> NDArray:
        with _opened(path) as mrc:
            layers = take_layers(mrc.data, (0, 1, 2), start, stop)
        return layers.view(np.uint8) if unsigned else layers.astype(dtype, copy=False)

    return StoredVolume(path, shape, dtype, read_layers, voxel_size, voxel_size_note=note)


def write_mrc(path: Path, volume: NDArray, voxel_size: VoxelSize) -> None:
    """Write a volume as an MRC2014 file.

    Parameters
    ----------
    path : Path
    volume : ndarray, shape (nz, ny, nx)
        int8, int16, uint16 or float32; bool and uint8 are widened to uint16, which the format
        has instead.
    voxel_size : 3 floats
        Edge lengths of a voxel along (z, y, x) in metres; kept in single precision.

    Raises
    ------
    ValueError
        If the format cannot hold voxels of this type.
    """
    import mrcfile

    if volume.dtype.name in ("bool", "uint8"):
        volume = volume.astype(np.uint16)
    if volume.dtype.name not in _MODES.values():
        raise ValueError(
            f"MRC cannot hold voxels of {volume.dtype}; write .h5 or .nrrd, or convert them to "
            "float32"
        )
    depth, height, width = (h / _ANGSTROM for h in voxel_size)
    with mrcfile.new(path, overwrite=True) as mrc:
        mrc.set_data(volume)
        mrc.set_volume()
        mrc.voxel_size = (width, height, depth)


@contextmanager
def _opened(path: Path) -> Iterator[MrcMemmap]:
    """Map a file; its small deviations from the standard are of no account."""
    import mrcfile

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        try:
            mrc = mrcfile.mmap(path, "r", permissive=True)
        except (ValueError, OSError) as error:
            raise ValueError(f"{path} cannot be read as MRC ({error}); copy it again") from None
    with mrc:
        yield mrc


def _check(path: Path, header: Any, data: NDArray | None) -> None:
    shape = (int(header.nz), int(header.ny), int(header.nx))
    mode = int(header.mode)
    if mode in (3, 4, 16, 101) or (mode not in _MODES and min(shape) > 0 and mode < 200):
        kinds = {3: "complex values", 4: "complex values", 16: "colour", 101: "half bytes"}
        allowed = ", ".join(f"{number} ({name})" for number, name in _MODES.items())
        raise ValueError(
            f"{path} has mode {mode} ({kinds.get(mode, 'unknown')}); the modes {allowed} can be "
            "read, so convert it to one of them"
        )
    if mode not in _MODES or min(shape) < 1:
        raise ValueError(
            f"{path} is not an MRC file: its header gives {shape} voxels of mode {mode}; check "
            "the file"
        )
    if data is None:
        raise ValueError(
            f"{path} is truncated: {shape[0]} x {shape[1]} x {shape[2]} voxels of "
            f"{_MODES[mode]} do not fit in its {path.stat().st_size} bytes; copy it again"
        )
    if data.ndim == 4:
        raise ValueError(f"{path} is a stack of volumes, shape {data.shape}; save one of them")
    if data.ndim != 3:
        raise ValueError(f"{path} holds a single picture of shape {data.shape}; a volume is needed")
    order = (int(header.mapc), int(header.mapr), int(header.maps))
    # Old programs leave the order out and mean the usual one.
    if order not in ((1, 2, 3), (0, 0, 0)):
        raise ValueError(
            f"{path} stores its axes in the order {order} (fastest first, 1 is x); only (1, 2, 3) "
            "can be read, so reorder it first, for example with newstack or trimvol of IMOD"
        )


def _imod_unsigned(header: Any) -> bool:
    words = np.frombuffer(header.extra2.tobytes()[40:48], header.mode.dtype)
    return bool(words[0] == _IMOD_STAMP and not words[1] & 1)


def _voxel_size(header: Any) -> tuple[VoxelSize | None, str]:
    cell, samples = header.cella, (header.mz, header.my, header.mx)
    if header.nz > 1 and header.mz == 1:
        return None, "the MRC header tells a stack of pictures without a distance of layers"
    if not all(samples) or not all((cell.x, cell.y, cell.z)):
        return None, "the MRC header gives no size of the cell"
    # A float of four bytes has seven digits; more would only look exact.
    sizes = [
        float(f"{float(length) / int(n):.7g}")
        for length, n in zip((cell.z, cell.y, cell.x), samples, strict=True)
    ]
    return calibrated(sizes, ["angstrom"] * 3, "the cell lengths per voxel")
