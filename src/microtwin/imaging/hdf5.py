"""HDF5 files: our own layout, and foreign files that hold one volume.

Our layout is one gzip-compressed dataset in the root group, ``labels`` (uint8) or ``values``,
shape (nz, ny, nx), with the attribute ``voxel_size`` (3 floats, metres, along z, y, x) and, for
labels, ``phase_names`` and ``phase_labels`` of equal length. The root group carries the attribute
``microtwin``, the version of the layout.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..microstructure import VoxelSize
from .stored import StoredVolume

if TYPE_CHECKING:
    import h5py

__all__ = ["SUFFIXES", "open_hdf5", "write_hdf5"]

SUFFIXES = (".h5", ".hdf5")

_LAYOUT_VERSION = 1


def open_hdf5(path: Path) -> StoredVolume:
    """Look into an HDF5 file that holds one volume.

    Parameters
    ----------
    path : Path
        A file in our layout, or any file with exactly one 3-D dataset of numbers.

    Returns
    -------
    StoredVolume
        With voxel size and phase names for a file in our layout.

    Raises
    ------
    ValueError
        If the file is no HDF5 or truncated; if it holds no 3-D dataset or several; if its layout
        is of a later version.
    """
    import h5py

    try:
        with h5py.File(path, "r") as file:
            dataset = _only_volume(file, path)
            name, shape, dtype = dataset.name, dataset.shape, dataset.dtype
            voxel_size, phases = None, None
            if "microtwin" in file.attrs:
                voxel_size, phases = _own_attributes(dataset)
    except OSError as error:
        raise ValueError(f"{path} cannot be read as HDF5 ({error}); copy it again") from None

    def read_layers(start: int, stop: int) -> NDArray:
        try:
            with h5py.File(path, "r") as file:
                return file[name][start:stop]
        except OSError as error:
            raise ValueError(f"{path} is damaged ({error}); copy it again") from None

    return StoredVolume(path, shape, dtype, read_layers, voxel_size, phases)


def write_hdf5(
    path: Path, volume: NDArray, voxel_size: VoxelSize, phases: Mapping[str, int] | None = None
) -> None:
    """Write a volume in our layout; see the module for what it holds.

    Parameters
    ----------
    path : Path
    volume : ndarray, shape (nz, ny, nx)
    voxel_size : 3 floats
        Edge lengths of a voxel along (z, y, x) in metres.
    phases : mapping of str to int, optional
        Names of the labels; given for labels, left out for grey values.
    """
    import h5py

    with h5py.File(path, "w") as file:
        file.attrs["microtwin"] = _LAYOUT_VERSION
        dataset = file.create_dataset(
            "values" if phases is None else "labels",
            data=volume,
            chunks=(1, *volume.shape[1:]),
            compression="gzip",
            shuffle=True,
        )
        dataset.attrs["voxel_size"] = voxel_size
        if phases is not None:
            dataset.attrs["phase_names"] = list(phases)
            dataset.attrs["phase_labels"] = np.array(list(phases.values()), np.uint8)


def _only_volume(file: h5py.File, path: Path) -> h5py.Dataset:
    version = file.attrs.get("microtwin", _LAYOUT_VERSION)
    if version > _LAYOUT_VERSION:
        raise ValueError(
            f"{path} has layout version {version}, later than {_LAYOUT_VERSION}; update microtwin"
        )
    import h5py

    found: list[Any] = []

    def collect(_name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset) and item.ndim == 3 and item.dtype.kind in "uifb":
            found.append(item)

    file.visititems(collect)
    if len(found) == 1:
        return found[0]
    if not found:
        raise ValueError(f"{path} holds no 3-D dataset of numbers; export the volume as TIFF")
    listed = ", ".join(f"{item.name} {item.shape} {item.dtype}" for item in found)
    raise ValueError(
        f"{path} holds {len(found)} volumes, {listed}; save the one that is meant in a file of "
        "its own, or pass its array to Scan or Microstructure"
    )


def _own_attributes(dataset: h5py.Dataset) -> tuple[VoxelSize, dict[str, int] | None]:
    attributes = dataset.attrs
    depth, height, width = (float(h) for h in attributes["voxel_size"])
    phases = None
    if "phase_names" in attributes:
        labels = (int(value) for value in attributes["phase_labels"])
        phases = dict(zip(attributes["phase_names"], labels, strict=True))
    return (depth, height, width), phases
