"""Frames in HDF5 files: links that lead to other files, and reading of some frames by rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .frames import StoredFrames

if TYPE_CHECKING:
    import h5py

__all__ = ["located", "members", "number_with_unit", "opened", "runs", "stored_frames"]

Place = tuple[Path, str]


@contextmanager
def opened(path: Path) -> Iterator[h5py.File]:
    """Open an HDF5 file, and say in one sentence if it is damaged."""
    import h5py

    try:
        with h5py.File(path, "r") as file:
            yield file
    except OSError as error:
        raise ValueError(
            f"{path} cannot be read as HDF5 or stops half-way ({error}); copy it again"
        ) from None


def members(group: h5py.Group) -> Iterator[tuple[str, Any]]:
    """Yield name and item of what is in a group; the item is None where a link leads nowhere."""
    for name in group:
        try:
            yield name, group[name]
        except (KeyError, OSError, RuntimeError):
            yield name, None


def located(group: h5py.Group, name: str) -> Place | None:
    """Return the file and the path inside it where a dataset lies, None if it is nowhere.

    A link to another file is also followed where that file has been put beside this one, instead
    of into the folder that the link names.
    """
    import h5py

    if name not in group and group.get(name, getlink=True, default=None) is None:
        return None
    try:
        item = group[name]
    except (KeyError, OSError, RuntimeError):
        link = group.get(name, getlink=True)
        if not isinstance(link, h5py.ExternalLink):
            return None
        # Links written on other systems may separate folders with a backslash.
        beside = Path(group.file.filename).parent / Path(link.filename.replace("\\", "/")).name
        if not beside.is_file():
            return None
        with opened(beside) as other:
            there = link.path in other and isinstance(other[link.path], h5py.Dataset)
        return (beside, link.path) if there else None
    return (Path(item.file.filename), item.name) if isinstance(item, h5py.Dataset) else None


def stored_frames(place: Place, which: NDArray[np.bool_] | None = None) -> StoredFrames:
    """Return frames of a 3-D dataset (frames, rows, columns).

    Parameters
    ----------
    place : (Path, str)
        The file and the dataset in it.
    which : ndarray of bool, shape (frames,), optional
        The frames that are meant; all by default.

    Returns
    -------
    StoredFrames

    Raises
    ------
    ValueError
        If the dataset is not 3-D or does not hold real numbers; if it is put together from
        files of which one is missing; when read, if it is damaged.
    """
    path, name = place
    with opened(path) as file:
        shape, dtype = file[name].shape, file[name].dtype
        missing = _missing_sources(path, file[name])
    if missing:
        raise ValueError(
            f"{path}: frames of dataset {name} are in {', '.join(missing)}, which is missing, and "
            "would be read as zeros; put what is missing beside it"
        )
    if len(shape) != 3 or dtype.kind not in "uif":
        raise ValueError(
            f"{path}: dataset {name} has shape {shape} and type {dtype}; frames are real numbers "
            "with the axes (frame, row, column)"
        )
    chosen = np.ones(shape[0], bool) if which is None else which
    parts = [(start, stop) for start, stop, meant in runs(chosen) if meant]

    def read_rows(start: int, stop: int) -> NDArray:
        out = np.empty((int(chosen.sum()), stop - start, shape[2]), dtype.newbyteorder("="))
        with opened(path) as file:
            dataset, filled = file[name], 0
            for first, last in parts:
                out[filled : filled + last - first] = dataset[first:last, start:stop]
                filled += last - first
        return out

    return StoredFrames((int(chosen.sum()), *shape[1:]), dtype.newbyteorder("="), read_rows)


def _missing_sources(path: Path, dataset: h5py.Dataset) -> list[str]:
    """Return the files, of those that a virtual dataset is put together from, that are missing."""
    if not dataset.is_virtual:
        return []
    names = dict.fromkeys(source.file_name for source in dataset.virtual_sources())
    # A name with a per cent sign is a pattern for a number of files that is not fixed.
    plain = (name for name in names if name != "." and "%" not in name)
    return [name for name in plain if not (path.parent / name).is_file()]


def runs(values: NDArray) -> Iterator[tuple[int, int, Any]]:
    """Yield start, stop and value of each run of equal values of a 1-D array."""
    changes = np.flatnonzero(values[1:] != values[:-1]) + 1
    for start, stop in pairwise([0, *changes.tolist(), len(values)]):
        if stop > start:
            yield start, stop, values[start]


def number_with_unit(dataset: h5py.Dataset, default: str) -> tuple[NDArray[np.float64], str]:
    """Return the numbers of a dataset, shape (n,), and their unit."""
    unit = dataset.attrs.get("units", dataset.attrs.get("unit", default))
    if isinstance(unit, bytes):
        unit = unit.decode()
    return np.atleast_1d(np.asarray(dataset[()], np.float64)).ravel(), str(unit)
