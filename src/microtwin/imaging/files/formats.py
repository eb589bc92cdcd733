"""Read and write scans and microstructures, whatever the format of the file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...microstructure import Microstructure, Scan, VoxelSize
from . import amira, hdf5, metaimage, mrc, npy, nrrd, ome_zarr, raw, tiff
from .stored import (
    StoredVolume,
    check_coarsening,
    checked_voxel_size,
    iter_slabs,
    naming,
    read_labelled,
    require_memory,
    scaled,
    slabs,
)

__all__ = ["open_volume", "read_microstructure", "read_scan", "write_microstructure", "write_scan"]

Length = float | str

# Layers that pass through memory at once where labels are counted or converted.
_TOGETHER = 8


@dataclass(frozen=True)
class _Format:
    """What reads and writes the files with certain endings.

    ``open`` takes the path, and the name of a dataset where ``has_datasets``; ``write`` takes
    path, voxels and voxel size, and the names of the phases and their probabilities where
    ``keeps_names``.
    """

    endings: tuple[str, ...]
    open: Callable[..., StoredVolume]
    write: Callable[..., None] | None = None
    has_datasets: bool = False
    keeps_names: bool = False


_TIFF_FOLDER = _Format((), tiff.open_tiff_folder)
_ZARR = _Format(ome_zarr.SUFFIXES, ome_zarr.open_zarr, ome_zarr.write_zarr, True, True)
_FORMATS = (
    _Format(tiff.SUFFIXES, tiff.open_tiff, tiff.write_tiff),
    _Format(hdf5.SUFFIXES, hdf5.open_hdf5, hdf5.write_hdf5, has_datasets=True, keeps_names=True),
    _ZARR,
    _Format(nrrd.SUFFIXES, nrrd.open_nrrd, nrrd.write_nrrd),
    _Format(metaimage.SUFFIXES, metaimage.open_metaimage, metaimage.write_metaimage),
    _Format(mrc.SUFFIXES, mrc.open_mrc, mrc.write_mrc),
    _Format(amira.SUFFIXES, amira.open_amira),
    _Format(raw.SUFFIXES, raw.open_raw),
    _Format(npy.SUFFIXES, npy.open_npy, npy.write_npy),
)


def open_volume(path: str | Path, *, dataset: str | None = None) -> StoredVolume:
    """Look into the file of a volume without reading its voxels.

    Parameters
    ----------
    path : str or Path
        As in `read_scan`.
    dataset : str, optional
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
    format = _format_of(path)
    if format.has_datasets:
        return format.open(path, dataset)
    if dataset is not None:
        raise ValueError(
            f"dataset={dataset!r} is not allowed for {path}: only HDF5 and Zarr files hold several "
            "volumes by name; leave it out"
        )
    return format.open(path)


def read_scan(
    path: str | Path,
    voxel_size: Length | Sequence[Length] | None = None,
    *,
    dataset: str | None = None,
    coarsen: int = 1,
) -> Scan:
    """Read a grey-scale volume.

    Parameters
    ----------
    path : str or Path
        The ending names the format: TIFF stack (``.tif``, ``.tiff``; plain, ImageJ, OME,
        BigTIFF), HDF5 and NeXus (``.h5``, ``.hdf5``, ``.hdf``, ``.nxs``, ``.nx``), OME-Zarr and
        Zarr (``.zarr``, a folder or zip), NRRD (``.nrrd``, ``.nhdr``), MetaImage (``.mhd``,
        ``.mha``), MRC (``.mrc``, ``.rec``, ``.map``), Amira and Avizo (``.am``), raw voxels with
        a sidecar (``.raw``, ``.bin``, ``.vol``, ``.dat``; see `raw_sidecar`), NPY (``.npy``), or
        a folder of TIFF files with one layer each in natural order. The result is in the order
        (z, y, x); axis 0 is z.
    voxel_size : float, str or 3 of them, optional
        Edge length(s) of a voxel along (z, y, x): metres, or text with a unit such as
        ``"398 nm"``. Wins over what the file says; needed where the file does not say it.
    dataset : str, optional
        Which volume of an HDF5 or Zarr file is meant, for example ``"entry/data"``. Needed where
        there are several; the message then lists them.
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
        grey-scale volume (the projections of a tomograph among them); if the voxel size is
        unknown; if the volume does not fit in memory.
    """
    volume = open_volume(path, dataset=dataset)
    size = checked_voxel_size(volume, voxel_size)
    check_coarsening(volume, coarsen)
    require_memory(volume, coarsen)
    if coarsen == 1:
        values = volume.read_layers(0, volume.shape[0])
    else:
        spans = slabs(volume.shape[0], coarsen)
        means = [_block_means(volume.read_layers(start, stop), coarsen) for start, stop in spans]
        values = np.concatenate(means)
    with naming(volume.path):
        return Scan(values, scaled(size, coarsen))


def read_microstructure(
    path: str | Path,
    voxel_size: Length | Sequence[Length] | None = None,
    phases: Mapping[str, int] | None = None,
    *,
    dataset: str | None = None,
    coarsen: int = 1,
) -> Microstructure:
    """Read a labelled volume.

    Parameters
    ----------
    path : str or Path
        As in `read_scan`. Labels saved as floats are taken if they are whole numbers.
    voxel_size : float, str or 3 of them, optional
        As in `read_scan`.
    phases : mapping of str to int, optional
        Name and label of each phase, for example ``{"pore": 0, "active": 1}``. May be left out
        where the file carries the names: HDF5 and OME-Zarr written by `write_microstructure`,
        label fields of Amira, sidecars with ``phases``.
    dataset : str, optional
        As in `read_scan`.
    coarsen : int, optional
        Merge blocks of so many voxels along each axis while reading, by majority as
        `Microstructure.coarsen` does. The volume never is in memory at full resolution.

    Returns
    -------
    Microstructure
        With the probabilities of its labels, if the file keeps them (HDF5 and OME-Zarr written
        by `write_microstructure`) and the labels of `phases` are those of the file.

    Raises
    ------
    ValueError
        As `read_scan`; also if the names are missing, if the image holds a label without a name,
        or if its values are not whole numbers from 0 to 255.
    """
    volume = _with_whole_labels(open_volume(path, dataset=dataset))
    size = checked_voxel_size(volume, voxel_size)
    names = volume.phases if phases is None else phases
    if names is None:
        raise ValueError(_phases_missing(volume))

    kept = _order_of_probabilities(volume, names)

    def read(start: int, stop: int) -> Microstructure:
        probable = None
        if volume.probabilities is not None and kept is not None:
            layers = volume.probabilities.read_layers(start, stop)
            probable = np.ascontiguousarray(np.moveaxis(layers, 1, 0)[kept])
        return Microstructure(volume.read_layers(start, stop), size, names, probable)

    return read_labelled(volume, coarsen, read)


def write_scan(scan: Scan, path: str | Path) -> Path:
    """Write a grey-scale volume; the ending of the path names the format.

    Parameters
    ----------
    scan : Scan
    path : str or Path
        ``.tif``/``.tiff``: compressed ImageJ stack, or OME-TIFF where ImageJ lacks the type or
        the file is large. ``.h5``/``.hdf5``: compressed HDF5. ``.zarr``: OME-Zarr 0.5, a folder
        or, ending ``.zarr.zip``, a zip. ``.nrrd``: NRRD, gzip. ``.mha``: MetaImage, zlib.
        ``.mrc``: MRC. All of these keep the voxel size. ``.npy``: the bare array, without it.

    Returns
    -------
    Path
        Where it was written.

    Raises
    ------
    ValueError
        If the ending is not known or the format cannot hold voxels of this type.
    """
    return _write(Path(path), scan.values, scan.voxel_size, None, None)


def write_microstructure(micro: Microstructure, path: str | Path) -> Path:
    """Write a labelled volume; the ending of the path names the format.

    Parameters
    ----------
    micro : Microstructure
    path : str or Path
        ``.h5``/``.hdf5`` and ``.zarr`` keep labels, voxel size, names of the phases and, if
        there are, probabilities; the other endings of `write_scan` labels and voxel size;
        ``.npy`` labels only.

    Returns
    -------
    Path
        Where it was written.

    Raises
    ------
    ValueError
        If the ending is not known.
    """
    return _write(Path(path), micro.labels, micro.voxel_size, micro.phases, micro.probabilities)


def _order_of_probabilities(volume: StoredVolume, names: Mapping[str, int]) -> list[int] | None:
    """Return where the probabilities of each phase lie, None unless there are those of all."""
    if volume.phases is None:
        return None
    stored = list(volume.phases.values())
    if sorted(stored) != sorted(names.values()):
        return None
    return [stored.index(label) for label in names.values()]


def _with_whole_labels(volume: StoredVolume) -> StoredVolume:
    """Return a volume of floats as one of labels, which are looked at when they are read."""
    if volume.dtype.kind != "f":
        return volume

    def read_layers(start: int, stop: int) -> NDArray:
        labels = np.empty((stop - start, *volume.shape[1:]), np.uint8)
        # A few layers at a time, for floats take up to eight times the memory of labels.
        for first in range(start, stop, _TOGETHER):
            last = min(first + _TOGETHER, stop)
            values = volume.read_layers(first, last)
            part = labels[first - start : last - start]
            with np.errstate(invalid="ignore"):
                part[:] = values
            if not np.array_equal(part, values):
                z, y, x = (int(place[0]) for place in np.nonzero(part != values))
                raise ValueError(
                    f"{volume.path}: labels have dtype {volume.dtype} and hold {values[z, y, x]:g} "
                    f"at the voxel (z, y, x) = ({first + z}, {y}, {x}); whole numbers from 0 to "
                    "255 are needed (segment a grey-scale image first; read maps of probability "
                    "with microtwin.imaging.read_probabilities)"
                )
        return labels

    return replace(volume, dtype=np.dtype(np.uint8), read_layers=read_layers)


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
        counts = np.zeros(256, np.int64)
        for _, _, slab in iter_slabs(volume, _TOGETHER):
            counts += np.bincount(slab.ravel(), minlength=256)
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
    probabilities: NDArray[np.uint8] | None,
) -> Path:
    format = _format_of(path, writing=True)
    assert format.write is not None
    named = (phases, probabilities) if format.keeps_names else ()
    format.write(path, volume, voxel_size, *named)
    return path


def _format_of(path: Path, writing: bool = False) -> _Format:
    """Return the format of a file by its ending, of a folder by what is in it."""
    if path.is_dir() and not writing:
        return _ZARR if ome_zarr.is_zarr_folder(path) else _TIFF_FOLDER
    formats = [format for format in _FORMATS if format.write or not writing]
    for format in formats:
        if path.name.lower().endswith(format.endings):
            return format
    known = ", ".join(ending for format in formats for ending in format.endings)
    folders = "" if writing else "; and folders of TIFF files"
    raise ValueError(
        f"the format of {path} is not known by its ending {path.suffix!r}; known are "
        f"{known}{folders}"
    )
