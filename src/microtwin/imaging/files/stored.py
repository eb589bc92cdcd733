"""A volume that lies in a file: what is known of it before its voxels are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ...microstructure import Microstructure, VoxelSize
from ...units import metres

__all__ = [
    "MAP_LAYERS",
    "StoredMaps",
    "StoredVolume",
    "calibrated",
    "check_coarsening",
    "checked_voxel_size",
    "iter_slabs",
    "naming",
    "read_labelled",
    "require_memory",
    "scaled",
    "slabs",
    "take_layers",
]

# Coarse layers per slab when an image is coarsened while it is read; even, see `slabs`.
_SLAB = 4
# Layers of maps that pass through memory at once.
MAP_LAYERS = 8
# Of lengths on screens and paper, which the registry of units knows too; no one measures in them.
_SCREEN_UNITS = ("px", "pt", "point", "pica")


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
    probabilities : StoredMaps or None
        Of labels, in 255ths and in the order of `phases`, if the file keeps them.
    companions : tuple of Path
        Other files that the voxels or what is known of them come from.
    """

    path: Path
    shape: tuple[int, int, int]
    dtype: np.dtype
    read_layers: Callable[[int, int], NDArray]
    voxel_size: VoxelSize | None = None
    phases: Mapping[str, int] | None = None
    voxel_size_note: str = "the file does not tell it"
    probabilities: StoredMaps | None = None
    companions: tuple[Path, ...] = ()

    @property
    def files(self) -> tuple[Path, ...]:
        """All files and folders that the volume comes from: the one named, and its companions."""
        return (self.path, *self.companions)

    def bytes_needed(self, factor: int = 1) -> int:
        """Return the memory in bytes that reading takes, when coarsened by a whole factor.

        The image is counted twice, for the type of its voxels may have to change; an image that
        is coarsened passes through memory in slabs. Probabilities are read with their labels.
        """
        bytes_of_voxel = self.dtype.itemsize
        if self.probabilities is not None:
            bytes_of_voxel += self.probabilities.channels
        image = 2 * prod(n // factor for n in self.shape) * bytes_of_voxel
        slab = 2 * _SLAB * factor * prod(self.shape[1:]) * bytes_of_voxel
        return image + slab if factor > 1 else image


@dataclass(frozen=True)
class StoredMaps:
    """Maps of one number per voxel and channel in a file, such as probabilities of phases.

    Parameters
    ----------
    path : Path
        Where they lie.
    channels : int
        Maps, all of one shape.
    shape : tuple of int
        Voxels along (z, y, x).
    dtype : numpy dtype
        Type of one number.
    read_layers : callable
        ``read_layers(start, stop)`` returns the layers ``start`` to ``stop - 1`` along z as an
        array of shape (stop - start, channels, ny, nx).
    voxel_size : 3 floats or None
        As in `StoredVolume`.
    voxel_size_note : str
        As in `StoredVolume`.
    """

    path: Path
    channels: int
    shape: tuple[int, int, int]
    dtype: np.dtype
    read_layers: Callable[[int, int], NDArray]
    voxel_size: VoxelSize | None = None
    voxel_size_note: str = "the file does not tell it"

    def bytes_needed(self, factor: int = 1) -> int:
        """Return the memory in bytes that probabilities of 8 bits and their labels take.

        Where they are coarsened, slabs pass through memory and the result is joined from them. As
        they are stored, and as float32 and in 8 bits, a few layers pass through memory.
        """
        layer = prod(self.shape[1:])
        result = (self.channels + 1) * prod(n // factor for n in self.shape)
        passing = MAP_LAYERS * self.channels * layer * (self.dtype.itemsize + 5)
        if factor > 1:
            return 2 * result + (self.channels + 2) * _SLAB * factor * layer + passing
        return result + passing


class _Layered(Protocol):
    """What slabs are read from: a stored volume, or anything else that gives its layers."""

    @property
    def shape(self) -> tuple[int, int, int]: ...

    def read_layers(self, start: int, stop: int, /) -> NDArray: ...


def iter_slabs(volume: _Layered, layers: int, halo: int = 0) -> Iterator[tuple[int, int, NDArray]]:
    """Read a volume slab by slab along z, so that it never is in memory as a whole.

    Each layer is read from the file once, also where halos overlap.

    Parameters
    ----------
    volume : StoredVolume
        Or anything else with ``shape`` and ``read_layers(start, stop)``.
    layers : int
        Layers of a slab; the last one may be thinner.
    halo : int, optional
        Layers read beyond the slab on both sides, as far as the volume reaches: what a filter of
        this radius needs.

    Yields
    ------
    start, stop : int
        The slab is the layers ``start`` to ``stop - 1`` of the volume.
    values : ndarray, shape (min(stop + halo, nz) - max(start - halo, 0), ny, nx)
        The slab with its halo; the slab itself begins at layer ``start - max(start - halo, 0)``.
        That of a stored volume may be changed in place.

    Raises
    ------
    ValueError
        If there is not at least one layer per slab, or if the halo is negative.
    """
    if int(layers) != layers or layers < 1 or int(halo) != halo or halo < 0:
        raise ValueError(
            f"slabs of {layers!r} layers with a halo of {halo!r} are not allowed; use whole "
            "numbers, at least 1 layer and a halo of at least 0"
        )
    layers, halo = int(layers), int(halo)
    depth = volume.shape[0]
    kept: NDArray | None = None
    read = 0
    for start in range(0, depth, layers):
        stop = min(start + layers, depth)
        low, high = max(start - halo, 0), min(stop + halo, depth)
        new = [volume.read_layers(read, high)] if high > read else []
        parts = new if kept is None else [kept, *new]
        values = parts[0] if len(parts) == 1 else np.concatenate(parts)
        read = high
        following = max(stop - halo, 0)
        # A copy, because the caller may change what is handed out.
        kept = values[following - low :].copy() if following < high else None
        yield start, stop, values


def take_layers(array: Any, axes: Sequence[int], start: int, stop: int) -> NDArray:
    """Return some layers of a stored array in the order of the axes that are named.

    Parameters
    ----------
    array : array-like
        Anything with ``shape`` and ``dtype`` that reads what it is indexed with: a memory map, a
        dataset of HDF5 or Zarr.
    axes : sequence of int
        Which axis of the array is z, y and x, or z, channel, y and x. All others have length one.
    start, stop : int
        Range of layers along z.

    Returns
    -------
    ndarray, shape (stop - start, ny, nx) or (stop - start, channels, ny, nx)
        In memory, C-contiguous, in the byte order of the machine.
    """
    index: list[int | slice] = [0] * len(array.shape)
    for axis in axes:
        index[axis] = slice(None)
    index[axes[0]] = slice(start, stop)
    part = array[tuple(index)]
    ordered = np.asarray(part).transpose([sorted(axes).index(axis) for axis in axes])
    copy = True if isinstance(part, np.memmap) else None
    return np.array(ordered, dtype=array.dtype.newbyteorder("="), order="C", copy=copy)


def calibrated(
    sizes: Sequence[float], units: Sequence[str | None], source: str
) -> tuple[VoxelSize | None, str]:
    """Return the voxel size in metres that the metadata of a file give, if they give one.

    Parameters
    ----------
    sizes : 3 floats
        Distances of voxels along (z, y, x); signs are of no account.
    units : 3 str or None
        The unit of each.
    source : str
        What gives them, for the note: ``"the spacings"``.

    Returns
    -------
    voxel_size : 3 floats or None
        Edge lengths along (z, y, x) in metres; None unless all three are positive lengths.
    note : str
        What the file gives instead, empty if it gives all.
    """
    shown = " x ".join(f"{abs(size):.4g}" for size in sizes)
    if not all(0 < abs(size) < np.inf for size in sizes):
        return None, f"{source} are {shown} along (z, y, x), not three positive lengths"
    if not all(units) or any(str(unit).strip().lower() in _SCREEN_UNITS for unit in units):
        return None, f"{source} are {shown} along (z, y, x), without a unit of length"
    try:
        depth, height, width = (
            metres(f"{abs(size)!r} {unit}")
            for size, unit in zip(map(float, sizes), units, strict=True)
        )
    except ValueError:
        named = ", ".join(repr(unit) for unit in dict.fromkeys(units))
        return None, f"{source} are {shown} along (z, y, x) in {named}, no unit of length"
    return (depth, height, width), ""


def checked_voxel_size(
    volume: StoredVolume | StoredMaps, given: float | str | Sequence[float | str] | None
) -> VoxelSize:
    """Return the voxel size along (z, y, x) in metres: the one given, else that of the file.

    Raises
    ------
    ValueError
        If there is none, or if it is not one positive length or three.
    """
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


def scaled(size: VoxelSize, factor: int) -> VoxelSize:
    """Return the size of voxels that are larger by a factor."""
    return (factor * size[0], factor * size[1], factor * size[2])


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Name the file in what is wrong with its content."""
    try:
        yield
    except ValueError as error:
        if str(path) in str(error):
            raise
        raise ValueError(f"{path}: {error}") from None


def check_coarsening(volume: StoredVolume | StoredMaps, factor: int) -> None:
    """Raise a `ValueError` unless the factor is whole and leaves two voxels on each axis."""
    largest = max(1, min(volume.shape) // 2)
    if int(factor) != factor or not 1 <= factor <= largest:
        raise ValueError(
            f"coarsen={factor!r} is not allowed for {volume.path} with {_shown(volume.shape)} "
            f"voxels; use a whole number from 1 to {largest}"
        )


def require_memory(volume: StoredVolume | StoredMaps, factor: int = 1) -> None:
    """Refuse to read a volume that does not fit in the memory available now.

    Parameters
    ----------
    volume : StoredVolume or StoredMaps
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


def read_labelled(
    volume: StoredVolume | StoredMaps, factor: int, read: Callable[[int, int], Microstructure]
) -> Microstructure:
    """Read a labelled volume, slab by slab where it is to be coarsened.

    Parameters
    ----------
    volume : StoredVolume or StoredMaps
    factor : int
        Whole number by which voxels are merged along each axis.
    read : callable
        ``read(start, stop)`` returns some layers as they are stored.

    Returns
    -------
    Microstructure
        What `Microstructure.coarsen` makes of the whole.

    Raises
    ------
    ValueError
        If the factor does not fit, or the result not in memory; what is wrong with the content is
        told with the name of the file.
    """
    check_coarsening(volume, factor)
    require_memory(volume, factor)
    depth = volume.shape[0]
    with naming(volume.path):
        if factor == 1:
            return read(0, depth)
        parts = [read(start, stop).coarsen(factor) for start, stop in slabs(depth, factor)]
        labels = np.concatenate([part.labels for part in parts])
        kept = [part.probabilities for part in parts if part.probabilities is not None]
        probabilities = np.concatenate(kept, axis=1) if kept else None
        return Microstructure(labels, parts[0].voxel_size, parts[0].phases, probabilities)


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
