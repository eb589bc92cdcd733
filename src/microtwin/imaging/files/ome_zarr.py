"""Zarr: images with OME metadata (NGFF 0.4 and 0.5), and plain arrays.

An OME-Zarr image is a group of arrays, one per resolution, whose attribute ``multiscales`` tells
the axes, their units and the scale of each array (https://ngff.openmicroscopy.org/0.5). We write
such an image with one resolution; the attribute ``microtwin`` of the group adds the names of the
phases, and the array ``probabilities`` (uint8, 255ths), shape (n_phases, nz, ny, nx), how sure the
labels are.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...microstructure import VoxelSize
from .axis_tags import letters_of, tagged_voxel_size
from .containers import VOLUME, Candidate, Wanted, choose, map_axes, maps_of, volume_axes
from .stored import StoredMaps, StoredVolume, calibrated, take_layers

if TYPE_CHECKING:
    import zarr

__all__ = ["SUFFIXES", "is_zarr_folder", "open_zarr", "open_zarr_maps", "write_zarr"]

SUFFIXES = (".zarr", ".zarr.zip", ".ozx")

_CHUNK = 64
_PROBABILITIES = "probabilities"
# What the libraries raise on damaged metadata, missing keys and chunks that cannot be unpacked.
_DAMAGE = (
    *(OSError, RuntimeError, ValueError, KeyError, TypeError, AttributeError),
    zipfile.BadZipFile,
)


@dataclass(frozen=True)
class _Image:
    """An array, with the axes and scales of the OME image it belongs to, if any."""

    array: zarr.Array
    axes: list[dict[str, Any]]
    scales: list[list[float]]
    phases: Mapping[str, int] | None
    probabilities: zarr.Array | None = None


def is_zarr_folder(path: Path) -> bool:
    """Tell whether a folder holds Zarr, by its ending or by the metadata in it."""
    names = ("zarr.json", ".zgroup", ".zarray")
    return path.name.lower().endswith(SUFFIXES) or any((path / name).is_file() for name in names)


def open_zarr(path: Path, dataset: str | None = None) -> StoredVolume:
    """Look into a Zarr folder or zip that holds a volume.

    Parameters
    ----------
    path : Path
        A folder, or a zip file of one.
    dataset : str, optional
        Path of an array, of the group of an OME-Zarr image, or of one of its resolutions. Needed
        if there are several images or arrays, unless the root is an image.

    Returns
    -------
    StoredVolume
        The highest resolution of the image unless another is named, with its axes in the order
        (z, y, x) and with the voxel size if the metadata give units of length. Chunks that are
        missing are taken for empty, as the format has it.

    Raises
    ------
    ValueError
        If it is no Zarr or damaged; if it holds no volume, several, or several channels or
        times; if the array is there but none of its chunks.
    """
    chosen = _chosen(path, dataset, VOLUME)
    image: _Image = chosen.item
    axes = _order(image, volume_axes(chosen) or ())
    voxel_size, note = _voxel_size(image, axes)
    depth, height, width = (chosen.shape[axis] for axis in axes)

    def read_layers(start: int, stop: int) -> NDArray:
        with _telling_damage(path):
            return take_layers(image.array, axes, start, stop)

    kept = image.probabilities
    maps = None if kept is None else _maps(path, kept, (1, 0, 2, 3), None, "")
    shape, dtype = (depth, height, width), chosen.dtype.newbyteorder("=")
    return StoredVolume(path, shape, dtype, read_layers, voxel_size, image.phases, note, maps)


def open_zarr_maps(path: Path, dataset: str | None, count: int) -> StoredMaps:
    """Look into a Zarr folder or zip that holds one map of numbers for each phase.

    Parameters
    ----------
    path : Path
    dataset : str or None
        As in `open_zarr`.
    count : int
        Number of phases; tells which axis is the channel where the metadata do not name the axes.

    Returns
    -------
    StoredMaps
        With the voxel size as `open_zarr` finds it.

    Raises
    ------
    ValueError
        If it is no Zarr or damaged; if it holds no such array or several.
    """
    chosen = _chosen(path, dataset, maps_of(count))
    image: _Image = chosen.item
    axes = map_axes(chosen, count) or ()
    voxel_size, note = _voxel_size(image, (axes[0], *axes[2:]))
    return _maps(path, image.array, axes, voxel_size, note)


def write_zarr(
    path: Path,
    volume: NDArray,
    voxel_size: VoxelSize,
    phases: Mapping[str, int] | None = None,
    probabilities: NDArray[np.uint8] | None = None,
) -> None:
    """Write a volume as an OME-Zarr 0.5 image of one resolution.

    Parameters
    ----------
    path : Path
        A folder, or a zip file where it ends in ``.zip`` or ``.ozx``.
    volume : ndarray, shape (nz, ny, nx)
    voxel_size : 3 floats
        Edge lengths of a voxel along (z, y, x) in metres.
    phases : mapping of str to int, optional
        Names of the labels; given for labels, left out for grey values.
    probabilities : ndarray of uint8, shape (n_phases, nz, ny, nx), optional
        Of the labels, in 255ths and in the order of the names.

    Raises
    ------
    ValueError
        If the path is a folder that holds something else.
    """
    import zarr

    if path.is_dir() and any(path.iterdir()) and not (path / "zarr.json").is_file():
        raise ValueError(f"{path} is a folder that holds other files; choose another path")
    zipped = path.suffix.lower() in (".zip", ".ozx")
    store = zarr.storage.ZipStore(path, mode="w") if zipped else zarr.storage.LocalStore(path)
    axes = [{"name": axis, "type": "space", "unit": "micrometer"} for axis in "zyx"]
    scale = {"type": "scale", "scale": [h / 1e-6 for h in voxel_size]}
    level = {"path": "0", "coordinateTransformations": [scale]}
    ome = {"version": "0.5", "multiscales": [{"axes": axes, "datasets": [level]}]}
    attributes: dict[str, Any] = {"ome": ome}
    if phases is not None:
        attributes["microtwin"] = {"phases": dict(phases)}
    try:
        group = zarr.create_group(store, attributes=attributes, overwrite=not zipped)
        group.create_array(
            "0",
            data=np.ascontiguousarray(volume),
            chunks=tuple(min(_CHUNK, n) for n in volume.shape),
            dimension_names=["z", "y", "x"],
            # An image of one value has chunks too, so that it can be told from a lost one.
            config={"write_empty_chunks": True},
        )
        if probabilities is not None:
            group.create_array(
                _PROBABILITIES,
                data=np.ascontiguousarray(probabilities),
                chunks=(1, *(min(_CHUNK, n) for n in volume.shape)),
                dimension_names=["c", "z", "y", "x"],
            )
    finally:
        store.close()


def _chosen(path: Path, dataset: str | None, wanted: Wanted) -> Candidate:
    with _telling_damage(path):
        root = _root(path)
        candidates = list(_candidates(root, (dataset or "").strip("/")))
    main = next((c for c in candidates if c.name == "/"), None)
    chosen = choose(path, candidates, dataset, main, wanted)
    with _telling_damage(path):
        empty = chosen.item.array.nchunks_initialized == 0
    if empty:
        raise ValueError(
            f"{path} holds the description of {chosen} but none of its chunks; copy it again"
        )
    return chosen


def _maps(
    path: Path,
    array: zarr.Array,
    axes: tuple[int, ...],
    voxel_size: VoxelSize | None,
    note: str,
) -> StoredMaps:
    depth, channels, height, width = (array.shape[axis] for axis in axes)

    def read_layers(start: int, stop: int) -> NDArray:
        with _telling_damage(path):
            return take_layers(array, axes, start, stop)

    shape, dtype = (depth, height, width), array.dtype.newbyteorder("=")
    return StoredMaps(path, channels, shape, dtype, read_layers, voxel_size, note)


@contextmanager
def _telling_damage(path: Path) -> Iterator[None]:
    try:
        yield
    except _DAMAGE as error:
        raise ValueError(f"{path} cannot be read as Zarr ({error}); copy it again") from None


def _root(path: Path) -> zarr.Group | zarr.Array:
    import zarr

    if path.is_dir():
        return zarr.open(zarr.storage.LocalStore(path, read_only=True), mode="r")
    with zipfile.ZipFile(path) as archive:
        tops = {name.partition("/")[0] for name in archive.namelist()}
    # A folder that is zipped by hand usually lies in the zip under its own name.
    inside = tops.pop() if len(tops) == 1 else ""
    inside = "" if inside in ("zarr.json", ".zarray", ".zgroup") else inside
    return zarr.open(zarr.storage.ZipStore(path, mode="r"), path=inside, mode="r")


def _candidates(root: zarr.Group | zarr.Array, dataset: str) -> Iterator[Candidate]:
    """Yield the OME images, the resolution that is asked for, and the arrays of no image."""
    import zarr

    if isinstance(root, zarr.Array):
        yield _candidate("/", root, {}, None)
        return
    members: dict[str, Any] = dict(sorted(root.members(max_depth=None)))
    levels: set[str] = set()
    for name, group in [("", root), *members.items()]:
        scales = _multiscales(group) if isinstance(group, zarr.Group) else None
        if not scales:
            continue
        phases = group.attrs.get("microtwin", {}).get("phases")
        for k, level in enumerate(scales["datasets"]):
            inside = f"{name}/{level['path']}".strip("/")
            levels.add(inside)
            if k == 0:
                kept = members.get(f"{name}/{_PROBABILITIES}".strip("/"))
                yield _candidate(f"/{name}", root[inside], scales, phases, kept=kept)
            if inside == dataset:
                yield _candidate(f"/{inside}", root[inside], scales, phases, k)
    for name, array in members.items():
        if isinstance(array, zarr.Array) and name not in levels:
            yield _candidate("/" + name, array, {}, None)


def _multiscales(group: Any) -> dict[str, Any] | None:
    """Return the description of the image in a group; 0.5 keeps it one level deeper than 0.4."""
    found = group.attrs.get("ome", group.attrs).get("multiscales")
    return found[0] if found else None


def _candidate(
    name: str,
    array: Any,
    scales: dict[str, Any],
    phases: Mapping[str, int] | None,
    level: int = 0,
    kept: zarr.Array | None = None,
) -> Candidate:
    named = scales.get("axes") or _dimension_names(array)
    # Until version 0.3 an axis was only a name.
    axes = [{"name": axis} if isinstance(axis, str) else axis for axis in named]
    transformations = [
        *(scales["datasets"][level].get("coordinateTransformations", []) if scales else []),
        *scales.get("coordinateTransformations", []),
    ]
    factors = [t["scale"] for t in transformations if t.get("type") == "scale" and "scale" in t]
    probable = None
    if phases and kept is not None and kept.shape == (len(phases), *array.shape):
        probable = kept if kept.dtype == np.uint8 else None
    image = _Image(array, axes if len(axes) == array.ndim else [], factors, phases, probable)
    letters = letters_of({"axes": [str(axis.get("name", "")) for axis in image.axes]}, array.ndim)
    return Candidate(name, array.shape, array.dtype, image, letters)


def _dimension_names(array: Any) -> list[str]:
    """Return the names of the axes of a plain array; Xarray and ilastik keep them in attributes."""
    names = getattr(array.metadata, "dimension_names", None)
    names = names or array.attrs.get("_ARRAY_DIMENSIONS")
    names = names or letters_of(array.attrs, array.ndim) or []
    return [str(name) for name in names]


def _order(image: _Image, axes: tuple[int, ...]) -> tuple[int, ...]:
    """Return which of the axes is z, y and x; in this order where they have no such names."""
    names = [str(axis.get("name", "")).lower() for axis in image.axes]
    if all(names.count(letter) == 1 and names.index(letter) in axes for letter in "zyx"):
        return tuple(names.index(letter) for letter in "zyx")
    return axes


def _voxel_size(image: _Image, axes: tuple[int, ...]) -> tuple[VoxelSize | None, str]:
    if not image.scales and "axistags" in image.array.attrs:
        return tagged_voxel_size(image.array.attrs)
    if not image.axes or not image.scales:
        return None, "the Zarr metadata give no scale"
    scale = np.prod(np.array(image.scales, float), axis=0)
    units = [image.axes[axis].get("unit") for axis in axes]
    return calibrated([scale[axis] for axis in axes], units, "the OME scales")
