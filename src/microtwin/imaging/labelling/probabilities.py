"""Maps of probability from pixel classifiers, read as labels that know how sure they are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...microstructure import Microstructure
from ..files import hdf5, ome_zarr, tiff
from ..files.stored import MAP_LAYERS, StoredMaps, checked_voxel_size, read_labelled

__all__ = ["read_probabilities"]

Length = float | str

# By how much sums may be off: numbers of single precision, or cut to a few digits on the way.
_SLACK = 0.01


def read_probabilities(
    path: str | Path,
    voxel_size: Length | Sequence[Length] | None = None,
    phases: Sequence[str] | None = None,
    *,
    dataset: str | None = None,
    coarsen: int = 1,
) -> Microstructure:
    """Read maps of probability, one channel per phase, as a labelled volume.

    Parameters
    ----------
    path : str or Path
        HDF5, Zarr or TIFF, as pixel classifiers such as ilastik export them: floats that add up
        to 1 in each voxel, or unsigned integers that add up to the largest of their type, 255 for
        8 bits. Where the file does not name its axes, the channel is the one axis that has as
        many entries as there are phases; the others are (z, y, x).
    voxel_size : float, str or 3 of them, optional
        As in `read_scan`.
    phases : sequence of str
        The name of each channel, in their order. Labels are 0, 1, and so on.
    dataset : str, optional
        As in `read_scan`.
    coarsen : int, optional
        Merge blocks of so many voxels along each axis while reading, as `Microstructure.coarsen`
        does.

    Returns
    -------
    Microstructure
        The label of a voxel is the most probable phase, the first of those that are equal.
        `Microstructure.probabilities` are the maps in 255ths, rounded so that they add up to 255.

    Raises
    ------
    ValueError
        If the file is missing, damaged or of another format; if it holds no maps or several; if
        the number of channels is not that of the names; if a number is negative or not finite, or
        the numbers of a voxel do not add up; if the voxel size is unknown; if the result does not
        fit in memory.
    """
    path = Path(path)
    names = _checked_names(path, phases)
    maps = _open(path, dataset, len(names))
    if maps.channels != len(names):
        raise ValueError(
            f"{path} holds {maps.channels} channels and {len(names)} phases are named, "
            f"{', '.join(names)}; name each channel, in their order"
        )
    size = checked_voxel_size(maps, voxel_size)
    labelled = {name: label for label, name in enumerate(names)}

    def read(start: int, stop: int) -> Microstructure:
        labels, probabilities = _labelled(maps, start, stop)
        return Microstructure(labels, size, labelled, probabilities)

    return read_labelled(maps, coarsen, read)


def _checked_names(path: Path, phases: Sequence[str] | None) -> list[str]:
    names = [] if phases is None or isinstance(phases, str) else list(phases)
    if not 2 <= len(set(names)) == len(names) <= 256:
        raise ValueError(
            f"{path}: phases={phases!r} is not allowed; give the name of each channel in their "
            "order, at least two and all different, for example phases=['pore', 'active']"
        )
    return names


def _open(path: Path, dataset: str | None, count: int) -> StoredMaps:
    if not path.exists():
        raise ValueError(f"{path} does not exist; check the path (relative to {Path.cwd()})")
    name = path.name.lower()
    if ome_zarr.is_zarr_folder(path) if path.is_dir() else name.endswith(ome_zarr.SUFFIXES):
        return ome_zarr.open_zarr_maps(path, dataset, count)
    if name.endswith(hdf5.SUFFIXES):
        return hdf5.open_hdf5_maps(path, dataset, count)
    if not name.endswith(tiff.SUFFIXES):
        known = ", ".join((*hdf5.SUFFIXES, *ome_zarr.SUFFIXES, *tiff.SUFFIXES))
        raise ValueError(
            f"maps of probability are not read from {path}; export them to one of {known}"
        )
    if dataset is not None:
        raise ValueError(
            f"dataset={dataset!r} is not allowed for {path}: only HDF5 and Zarr files hold several "
            "maps by name; leave it out"
        )
    return tiff.open_tiff_maps(path, count)


def _labelled(
    maps: StoredMaps, start: int, stop: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return labels, shape (n, ny, nx), and probabilities in 255ths, shape (phases, n, ny, nx)."""
    from .label_kernels import shares_of_255

    labels = np.empty((stop - start, *maps.shape[1:]), np.uint8)
    probabilities = np.empty((maps.channels, *labels.shape), np.uint8)
    even = np.ones(maps.channels, np.float32)
    for first in range(start, stop, MAP_LAYERS):
        last = min(first + MAP_LAYERS, stop)
        values = maps.read_layers(first, last)
        _check_sums(maps, values, first)
        labels[first - start : last - start] = values.argmax(axis=1)
        numbers = np.ascontiguousarray(np.moveaxis(values, 1, 0), np.float32)
        shares = np.empty(numbers.shape, np.uint8)
        shares_of_255(0, last - first, numbers, even, shares)
        probabilities[:, first - start : last - start] = shares
    return labels, probabilities


def _check_sums(maps: StoredMaps, values: NDArray, first: int) -> None:
    """Refuse numbers of layers from `first` on that are no probabilities, and name the first."""
    if maps.dtype.kind not in "fu":
        raise ValueError(
            f"{maps.path}: maps of type {maps.dtype} are not allowed; floats that add up to 1, or "
            "unsigned integers that add up to the largest of their type, are needed"
        )
    whole = 1.0 if maps.dtype.kind == "f" else float(np.iinfo(maps.dtype).max)
    # Whole numbers may be cut off instead of rounded, each by up to one.
    slack = max(_SLACK * whole, 0 if maps.dtype.kind == "f" else maps.channels)
    totals = values.sum(axis=1, dtype=np.float64)
    # Of values that are not finite neither comparison holds.
    wrong = ~((values.min(axis=1) >= 0) & (np.abs(totals - whole) <= slack))
    if wrong.any():
        z, y, x = (int(place[0]) for place in np.nonzero(wrong))
        shown = ", ".join(f"{value:g}" for value in values[z, :, y, x])
        raise ValueError(
            f"{maps.path}: the numbers {shown} at the voxel (z, y, x) = ({first + z}, {y}, {x}) "
            f"are no probabilities; they must not be negative and must add up to {whole:g} within "
            f"{slack:g} (export probabilities, not labels or features, and all channels)"
        )
