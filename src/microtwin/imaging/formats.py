"""Read and write scans and microstructures, whatever the format of the file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..microstructure import Microstructure, Scan, VoxelSize
from ..units import metres
from . import hdf5, tiff
from .stored import StoredVolume, check_coarsening, require_memory, slabs

__all__ = ["open_volume", "read_microstructure", "read_scan", "write_microstructure", "write_scan"]

Length = float | str
KNOWN = ".tif or .tiff (also a folder of them), .npy, .h5 or .hdf5"


def open_volume(path: str | Path) -> StoredVolume:
    """Look into the file of a volume without reading its voxels.

    Parameters
    ----------
    path : str or Path
        As in `read_scan`.

    Returns
    -------
    StoredVolume
        Shape, type of the voxels, voxel size and names of phases if the file tells them, and a
        function that reads some layers.

    Raises
    ------
    ValueError
        If the file is missing, of an unknown format, damaged, or holds something other than one
        grey-scale volume.
    """
    path = Path(path)
    if not path.exists():
        raise ValueError(f"{path} does not exist; check the path (relative to {Path.cwd()})")
    if path.is_dir():
        return tiff.open_tiff_folder(path)
    suffix = path.suffix.lower()
    if suffix in tiff.SUFFIXES:
        return tiff.open_tiff(path)
    if suffix in hdf5.SUFFIXES:
        return hdf5.open_hdf5(path)
    if suffix == ".npy":
        return _open_npy(path)
    raise ValueError(_unknown_ending(path))


def read_scan(
    path: str | Path,
    voxel_size: Length | Sequence[Length] | None = None,
    *,
    coarsen: int = 1,
) -> Scan:
    """Read a grey-scale volume.

    Parameters
    ----------
    path : str or Path
        A TIFF stack (plain, ImageJ, OME, BigTIFF), a folder of TIFF files with one layer each in
        natural order, an NPY file, or an HDF5 file with one 3-D dataset. Axis 0 is z.
    voxel_size : float, str or 3 of them, optional
        Edge length(s) of a voxel along (z, y, x): metres, or text with a unit such as
        ``"398 nm"``. Wins over what the file says; needed where the file does not say it.
    coarsen : int, optional
        Average blocks of so many voxels along each axis while reading, to float32. The volume
        never is in memory at full resolution.

    Returns
    -------
    Scan

    Raises
    ------
    ValueError
        If the file is missing, of an unknown format, damaged, or holds something other than one
        grey-scale volume; if the voxel size is unknown; if the volume does not fit in memory.
    """
    volume = open_volume(path)
    size = _checked_voxel_size(volume, voxel_size)
    values = _read(volume, coarsen, _block_means)
    with _naming(volume.path):
        return Scan(values, _scaled(size, coarsen))


def read_microstructure(
    path: str | Path,
    voxel_size: Length | Sequence[Length] | None = None,
    phases: Mapping[str, int] | None = None,
    *,
    coarsen: int = 1,
) -> Microstructure:
    """Read a labelled volume.

    Parameters
    ----------
    path : str or Path
        As in `read_scan`.
    voxel_size : float, str or 3 of them, optional
        As in `read_scan`.
    phases : mapping of str to int, optional
        Name and label of each phase, for example ``{"pore": 0, "active": 1}``. May be left out
        for HDF5 files written by `write_microstructure`, which carry the names.
    coarsen : int, optional
        Merge blocks of so many voxels along each axis while reading, by majority as
        `Microstructure.coarsen` does. The volume never is in memory at full resolution.

    Returns
    -------
    Microstructure

    Raises
    ------
    ValueError
        As `read_scan`; also if the names are missing, if the image holds a label without a name,
        or if its values are not whole numbers from 0 to 255.
    """
    volume = open_volume(path)
    size = _checked_voxel_size(volume, voxel_size)
    names = volume.phases if phases is None else phases
    if names is None:
        raise ValueError(_phases_missing(volume))

    def majority(slab: NDArray, factor: int) -> NDArray:
        return Microstructure(slab, size, names).coarsen(factor).labels

    with _naming(volume.path):
        labels = _read(volume, coarsen, majority)
        return Microstructure(labels, _scaled(size, coarsen), names)


def write_scan(scan: Scan, path: str | Path) -> Path:
    """Write a grey-scale volume; the ending of the path names the format.

    Parameters
    ----------
    scan : Scan
    path : str or Path
        ``.tif``/``.tiff``: compressed ImageJ stack, or OME-TIFF where ImageJ lacks the type or
        the file is large. ``.h5``/``.hdf5``: compressed HDF5. Both keep the voxel size.
        ``.npy``: the bare array, without voxel size.

    Returns
    -------
    Path
        Where it was written.

    Raises
    ------
    ValueError
        If the ending is not known or the format cannot hold voxels of this type.
    """
    return _write(Path(path), scan.values, scan.voxel_size, None)


def write_microstructure(micro: Microstructure, path: str | Path) -> Path:
    """Write a labelled volume; the ending of the path names the format.

    Parameters
    ----------
    micro : Microstructure
    path : str or Path
        ``.h5``/``.hdf5`` keeps labels, voxel size and names of the phases; ``.tif``/``.tiff``
        (compressed ImageJ stack) labels and voxel size; ``.npy`` labels only.

    Returns
    -------
    Path
        Where it was written.

    Raises
    ------
    ValueError
        If the ending is not known.
    """
    return _write(Path(path), micro.labels, micro.voxel_size, micro.phases)


def _open_npy(path: Path) -> StoredVolume:
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise ValueError(f"{path} is not a whole NPY file ({error}); copy it again") from None
    if array.ndim != 3:
        raise ValueError(
            f"{path} has {array.ndim} dimension(s), shape {array.shape}; a 3-D array in the order "
            "(z, y, x) is needed"
        )

    def read_layers(start: int, stop: int) -> NDArray:
        return np.array(array[start:stop])

    return StoredVolume(path, array.shape, array.dtype, read_layers)


def _checked_voxel_size(volume: StoredVolume, given: Length | Sequence[Length] | None) -> VoxelSize:
    if given is None and volume.voxel_size is None:
        raise ValueError(
            f"{volume.path}: voxel size is missing ({volume.voxel_size_note}); give "
            "voxel_size='398 nm', or three lengths along (z, y, x)"
        )
    size = volume.voxel_size if given is None else metres(given)
    sizes = (size,) * 3 if isinstance(size, float) else tuple(size or ())
    if len(sizes) != 3 or min(sizes) <= 0:
        raise ValueError(
            f"{volume.path}: voxel size {given or size!r} is not allowed; give one positive length "
            "or three along (z, y, x)"
        )
    return (sizes[0], sizes[1], sizes[2])


def _scaled(size: VoxelSize, factor: int) -> VoxelSize:
    return (factor * size[0], factor * size[1], factor * size[2])


def _read(volume: StoredVolume, factor: int, reduce: Callable[[NDArray, int], NDArray]) -> NDArray:
    """Read a volume whole, or in slabs that are reduced on the way."""
    check_coarsening(volume, factor)
    require_memory(volume, factor)
    if factor == 1:
        return volume.read_layers(0, volume.shape[0])
    parts = [
        reduce(volume.read_layers(start, stop), factor)
        for start, stop in slabs(volume.shape[0], factor)
    ]
    return np.concatenate(parts)


def _block_means(slab: NDArray, factor: int) -> NDArray[np.float32]:
    nz, ny, nx = (n // factor for n in slab.shape)
    whole = slab[: nz * factor, : ny * factor, : nx * factor]
    blocks = whole.reshape(nz, factor, ny, factor, nx, factor)
    return blocks.mean(axis=(1, 3, 5), dtype=np.float64).astype(np.float32)


def _phases_missing(volume: StoredVolume) -> str:
    """Return the sentence that asks for phase names, with the labels that wait for one."""
    found = "name every label"
    if volume.dtype.kind in "ub" and volume.dtype.itemsize == 1:
        require_memory(volume)
        counts = np.bincount(volume.read_layers(0, volume.shape[0]).ravel(), minlength=256)
        listed = ", ".join(f"{v} ({counts[v]} voxels)" for v in np.flatnonzero(counts))
        found = f"name every label in the image, {listed}"
    return (
        f"{volume.path} carries no names of phases; {found}, for example "
        "phases={'pore': 0, 'active': 1}"
    )


def _write(
    path: Path,
    volume: NDArray,
    voxel_size: VoxelSize,
    phases: Mapping[str, int] | None,
) -> Path:
    suffix = path.suffix.lower()
    if suffix in tiff.SUFFIXES:
        tiff.write_tiff(path, volume, voxel_size)
    elif suffix in hdf5.SUFFIXES:
        hdf5.write_hdf5(path, volume, voxel_size, phases)
    elif suffix == ".npy":
        np.save(path, volume)
    else:
        raise ValueError(_unknown_ending(path))
    return path


def _unknown_ending(path: Path) -> str:
    return f"the format of {path} is not known by its ending {path.suffix!r}; known are {KNOWN}"


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Name the file in what is wrong with its content."""
    try:
        yield
    except ValueError as error:
        if str(path) in str(error):
            raise
        raise ValueError(f"{path}: {error}") from None
