"""HDF5 files: our own layout, and foreign files that hold volumes.

Our layout is one gzip-compressed dataset in the root group, ``labels`` (uint8) or ``values``,
shape (nz, ny, nx), with the attribute ``voxel_size`` (3 floats, metres, along z, y, x) and, for
labels, ``phase_names`` and ``phase_labels`` of equal length. Labels that know how sure they are
have beside them ``probabilities`` (uint8, 255ths), shape (n_phases, nz, ny, nx), in the order of
the names. The root group carries the attribute ``microtwin``, the version of the layout.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...microstructure import VoxelSize
from .axis_tags import letters_of
from .containers import Candidate, choose, map_axes, maps_of, volume_axes
from .hdf5_links import files_behind
from .nexus import axes_and_voxel_size, default_signal, is_projections, position_names
from .stored import StoredMaps, StoredVolume, take_layers

if TYPE_CHECKING:
    import h5py

__all__ = ["SUFFIXES", "open_hdf5", "open_hdf5_maps", "write_hdf5"]

SUFFIXES = (".h5", ".hdf5", ".hdf", ".nxs", ".nx")

_LAYOUT_VERSION = 1
_LABELS, _VALUES, _PROBABILITIES = "/labels", "/values", "/probabilities"


def open_hdf5(path: Path, dataset: str | None = None) -> StoredVolume:
    """Look into an HDF5 file that holds a volume.

    Parameters
    ----------
    path : Path
        A file in our layout; a NeXus file, of which the default signal is taken; or any file with
        3-D datasets of numbers.
    dataset : str, optional
        Path of the dataset inside the file, for example ``"entry/data/data"``. Needed if there
        are several and the file does not say which is its main one.

    Returns
    -------
    StoredVolume
        With voxel size, phase names and probabilities for a file in our layout; with the voxel
        size of others if NeXus axes, axis tags or the attribute ``element_size_um`` (z, y, x) give
        it.

    Raises
    ------
    ValueError
        If the file is no HDF5 or truncated; if it holds no 3-D dataset or several; if it holds
        the projections of a tomograph instead of a volume; if its layout is of a later version.
    """
    import h5py

    with _telling_damage(path), h5py.File(path, "r") as file:
        chosen = _chosen(file, path, dataset)
        axes: tuple[int, ...] = volume_axes(chosen) or ()
        voxel_size, phases, maps, note = None, None, None, ""
        if "microtwin" in file.attrs and "voxel_size" in chosen.item.attrs:
            voxel_size, phases = _own_attributes(chosen.item)
            if phases is not None:
                maps = _own_probabilities(path, file, (len(phases), *chosen.shape))
        else:
            axes, voxel_size, note = axes_and_voxel_size(file, chosen.name, axes)
        names = [chosen.name, *position_names(file, chosen.name)]
    depth, height, width = (chosen.shape[axis] for axis in axes)

    def read_layers(start: int, stop: int) -> NDArray:
        with _telling_damage(path), h5py.File(path, "r") as file:
            return take_layers(file[chosen.name], axes, start, stop)

    dtype = chosen.dtype.newbyteorder("=")
    shape = (depth, height, width)
    companions = files_behind(path, names)
    return StoredVolume(path, shape, dtype, read_layers, voxel_size, phases, note, maps, companions)


def open_hdf5_maps(path: Path, dataset: str | None, count: int) -> StoredMaps:
    """Look into an HDF5 file that holds one map of numbers for each phase.

    Parameters
    ----------
    path : Path
    dataset : str or None
        Path of the 4-D dataset inside the file; needed if there are several.
    count : int
        Number of phases; tells which axis is the channel where the file does not name its axes.

    Returns
    -------
    StoredMaps
        With the voxel size as `open_hdf5` finds it.

    Raises
    ------
    ValueError
        If the file is no HDF5 or truncated; if it holds no such dataset or several.
    """
    import h5py

    with _telling_damage(path), h5py.File(path, "r") as file:
        found, _ = _arrays(file, dataset)
        chosen = choose(path, found, dataset, wanted=maps_of(count))
        _check_sources(chosen, path)
        axes = map_axes(chosen, count) or ()
        spatial = (axes[0], *axes[2:])
        _, voxel_size, note = axes_and_voxel_size(file, chosen.name, spatial)
    return _maps(path, chosen, axes, voxel_size, note)


def write_hdf5(
    path: Path,
    volume: NDArray,
    voxel_size: VoxelSize,
    phases: Mapping[str, int] | None = None,
    probabilities: NDArray[np.uint8] | None = None,
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
    probabilities : ndarray of uint8, shape (n_phases, nz, ny, nx), optional
        Of the labels, in 255ths and in the order of the names.
    """
    import h5py

    with h5py.File(path, "w") as file:
        file.attrs["microtwin"] = _LAYOUT_VERSION
        dataset = file.create_dataset(
            _VALUES if phases is None else _LABELS,
            data=volume,
            chunks=(1, *volume.shape[1:]),
            compression="gzip",
            shuffle=True,
        )
        dataset.attrs["voxel_size"] = voxel_size
        if phases is not None:
            dataset.attrs["phase_names"] = list(phases)
            dataset.attrs["phase_labels"] = np.array(list(phases.values()), np.uint8)
        if probabilities is not None:
            kept = file.create_dataset(
                _PROBABILITIES,
                data=probabilities,
                chunks=(1, 1, *volume.shape[1:]),
                compression="gzip",
            )
            kept.attrs["axes"] = "czyx"


def _maps(
    path: Path, chosen: Candidate, axes: tuple[int, ...], voxel_size: VoxelSize | None, note: str
) -> StoredMaps:
    import h5py

    depth, channels, height, width = (chosen.shape[axis] for axis in axes)

    def read_layers(start: int, stop: int) -> NDArray:
        with _telling_damage(path), h5py.File(path, "r") as file:
            return take_layers(file[chosen.name], axes, start, stop)

    shape, dtype = (depth, height, width), chosen.dtype.newbyteorder("=")
    return StoredMaps(path, channels, shape, dtype, read_layers, voxel_size, note)


@contextmanager
def _telling_damage(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, RuntimeError, KeyError, TypeError, ValueError) as error:
        if isinstance(error, ValueError) and str(path) in str(error):
            raise
        raise ValueError(f"{path} cannot be read as HDF5 ({error}); copy it again") from None


def _chosen(file: h5py.File, path: Path, dataset: str | None) -> Candidate:
    version = file.attrs.get("microtwin", _LAYOUT_VERSION)
    if version > _LAYOUT_VERSION:
        raise ValueError(
            f"{path} has layout version {version}, later than {_LAYOUT_VERSION}; update microtwin"
        )
    found, lost = _arrays(file, dataset)
    raw = [candidate for candidate in found if is_projections(file, candidate.name)]
    names = {candidate.name.strip("/") for candidate in raw}
    volumes = [candidate for candidate in found if candidate not in raw]
    if raw and (
        dataset.strip("/") in names if dataset else not any(volume_axes(c) for c in volumes)
    ):
        raise ValueError(
            f"{path} holds projections, {raw[0]}, not a volume; reconstruct them first with "
            "microtwin.imaging.read_projections and microtwin.imaging.reconstruct"
        )
    if lost and not any(volume_axes(c) for c in volumes):
        raise ValueError(
            f"{path} holds no volume, only links that lead nowhere, {', '.join(lost)}; copy the "
            "files with the voxels beside it"
        )
    if "microtwin" in file.attrs:
        main = _LABELS if _LABELS in file else _VALUES
    else:
        main = default_signal(file, [c.name for c in volumes if volume_axes(c)]) or ""
    preferred = next((c for c in volumes if c.name == main), None)
    chosen = choose(path, volumes, dataset, preferred)
    _check_sources(chosen, path)
    return chosen


def _check_sources(chosen: Candidate, path: Path) -> None:
    """Refuse a virtual dataset whose parts are not there: HDF5 would return zeros for them."""
    if not chosen.item.is_virtual:
        return
    folder = Path(chosen.item.file.filename).parent
    names = {source.file_name for source in chosen.item.virtual_sources()}
    # A name with a percent sign stands for a series of files.
    lost = sorted(n for n in names if n != "." and "%" not in n and not (folder / n).exists())
    if lost:
        raise ValueError(
            f"{path} keeps the voxels of {chosen.name} in {len(lost)} file(s) that are not there, "
            f"first {lost[0]}; copy them beside it"
        )


def _arrays(file: h5py.File, dataset: str | None) -> tuple[list[Candidate], list[str]]:
    """Return the datasets of a file, also linked ones of others, and the links that are broken.

    A dataset with several names is listed by one of them, and by the one that is asked for.
    """
    import h5py

    found: list[Candidate] = []
    linked: list[str] = []
    lost: list[str] = []

    def collect(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset) and item.ndim > 1:
            letters = letters_of(item.attrs, item.ndim)
            found.append(Candidate(f"/{name}", item.shape, item.dtype, item, letters))

    def follow(name: str, link: object) -> None:
        if isinstance(link, h5py.ExternalLink):
            linked.append(name)

    file.visititems(collect)
    file.visititems_links(follow)
    names = {candidate.name for candidate in found}
    for name in [*linked, *([] if dataset is None else [dataset.strip("/")])]:
        if f"/{name}" in names:
            continue
        item = file.get(name)
        if item is not None:
            collect(name, item)
        elif name in linked:
            lost.append(f"/{name}")
    return found, lost


def _own_probabilities(path: Path, file: h5py.File, shape: tuple[int, ...]) -> StoredMaps | None:
    """Return the probabilities that lie beside labels of this shape, if they do."""
    item = file.get(_PROBABILITIES)
    if item is None or item.shape != shape or item.dtype != np.uint8:
        return None
    chosen = Candidate(_PROBABILITIES, item.shape, item.dtype, item)
    return _maps(path, chosen, (1, 0, 2, 3), None, "")


def _own_attributes(dataset: h5py.Dataset) -> tuple[VoxelSize, dict[str, int] | None]:
    attributes = dataset.attrs
    depth, height, width = (float(h) for h in attributes["voxel_size"])
    phases = None
    if "phase_names" in attributes:
        labels = (int(value) for value in attributes["phase_labels"])
        phases = dict(zip(attributes["phase_names"], labels, strict=True))
    return (depth, height, width), phases
