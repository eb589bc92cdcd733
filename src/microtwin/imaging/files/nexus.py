"""What NeXus and DXchange attributes tell of a dataset in an HDF5 file.

NeXus (https://manual.nexusformat.org) marks what a file is about by the attributes ``default`` and
``signal``, and keeps the positions of the voxels in datasets that the attribute ``axes`` names.
NXtomo holds the raw projections of a tomograph, with an ``image_key`` beside them, and NXtomoproc
a reconstructed volume. DXchange has raw projections in ``/exchange/data``, with ``data_white`` and
``data_dark`` beside them, and may have a volume in the same place.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...microstructure import VoxelSize
from .axis_tags import letters_of, tagged_voxel_size
from .stored import calibrated

if TYPE_CHECKING:
    import h5py

__all__ = ["axes_and_voxel_size", "default_signal", "is_projections", "position_names"]

_ANGLES = ("theta", "rotation_angle", "image_key")
_LONGEST_CHAIN = 20
_FLATS = ("data_white", "data_dark")


def default_signal(file: h5py.File, volumes: Sequence[str]) -> str | None:
    """Return the name of the volume that a NeXus file is about.

    Parameters
    ----------
    file : h5py.File
    volumes : sequence of str
        Names of the datasets that may be it, with a leading slash.

    Returns
    -------
    str or None
        The signal of the group that the chain of ``default`` attributes leads to; without such a
        chain the one volume that is the signal of its group; None if neither is there.
    """
    group = _default_group(file)
    for signal in _words(group.attrs.get("signal")):
        if signal in group and (name := _among(file, group[signal], volumes)):
            return name
    signals = [name for name in volumes if _is_signal(file, name)]
    return signals[0] if len(signals) == 1 else None


def is_projections(file: h5py.File, name: str) -> bool:
    """Tell whether a dataset holds the raw projections of a tomograph.

    Parameters
    ----------
    file : h5py.File
    name : str
        Of the dataset.
    """
    group, dataset = file[_above(name)], file[name]
    # Pictures without and with the sample have the size of the detector.
    detectors = [np.shape(group.get(flat))[-2:] for flat in _FLATS if flat in group]
    if name.rpartition("/")[2] in _FLATS or dataset.shape[-2:] in detectors:
        return True
    if any(word in _ANGLES for word in _axis_names(group, dataset)[:1]):
        return True
    # One angle for each picture; a volume may be kept with the angles it was made from.
    if any(_size(group.get(key)) == dataset.shape[0] for key in _ANGLES):
        return True
    while name != "/":
        name = _above(name)
        if _words(file[name].attrs.get("NX_class")) == ["NXprocess"]:
            return False
        definition = file[name].get("definition")
        if definition is not None:
            return _words(definition[()]) == ["NXtomo"]
    return False


def axes_and_voxel_size(
    file: h5py.File, name: str, axes: tuple[int, ...]
) -> tuple[tuple[int, ...], VoxelSize | None, str]:
    """Return how a volume is stored.

    Parameters
    ----------
    file : h5py.File
    name : str
        Of the dataset.
    axes : 3 ints
        Those of its axes that `volume_axes` takes.

    Returns
    -------
    axes : 3 ints
        Which axis is z, y and x; in this order where the file does not name them so.
    voxel_size : 3 floats or None
        Edge lengths along (z, y, x) in metres, if the positions along the axes are evenly spaced
        and have a unit of length, or if axis tags or the attribute ``element_size_um`` give them.
    note : str
        What the file tells instead.
    """
    group, dataset = file[_above(name)], file[name]
    names = _names(group, dataset)
    letters = [word.lower() for word in names]
    if all(letters.count(c) == 1 and letters.index(c) in axes for c in "zyx"):
        axes = tuple(letters.index(c) for c in "zyx")
    if "element_size_um" in dataset.attrs:
        sizes = np.ravel(dataset.attrs["element_size_um"]).tolist()
        if len(sizes) == 3:
            return axes, *calibrated(sizes, ["um"] * 3, "the attribute element_size_um")
    if "axistags" in dataset.attrs:
        return axes, *tagged_voxel_size(dataset.attrs)
    if not names:
        return axes, None, "the HDF5 file has no axes with a unit of length"
    spacings: list[float] = []
    units: list[str | None] = []
    for axis in axes:
        positions = group.get(names[axis])
        spacing = _spacing(positions, dataset.shape[axis])
        if spacing is None:
            return axes, None, f"the axis {names[axis]!r} has no evenly spaced positions"
        spacings.append(spacing)
        units.append(next(iter(_words(positions.attrs.get("units"))), None))
    return axes, *calibrated(spacings, units, "the distances along the NeXus axes")


def position_names(file: h5py.File, name: str) -> list[str]:
    """Return the names of the datasets with the positions along the axes of a volume."""
    above = _above(name)
    return [f"{above}/{axis}" for axis in _names(file[above], file[name])]


def _names(group: Any, dataset: Any) -> list[str]:
    """Return the names of the axes, by the attributes or by what lies beside the volume."""
    names = _axis_names(group, dataset)
    if len(names) == dataset.ndim:
        return names
    tagged = letters_of(dataset.attrs, dataset.ndim)
    return list(tagged) if tagged else _axes_by_length(group, dataset)


def _default_group(file: h5py.File) -> Any:
    """Return the group that the chain of `default` attributes leads to."""
    group: Any = file
    for _ in range(_LONGEST_CHAIN):
        default = _words(group.attrs.get("default"))
        if not default or default[0] not in group:
            break
        group = group[default[0]]
    return group


def _is_signal(file: h5py.File, name: str) -> bool:
    """Tell whether a volume is the signal of its group, in the new way or the old one."""
    group, own = file[_above(name)], name.rpartition("/")[2]
    mark = file[name].attrs.get("signal")
    return own in _words(group.attrs.get("signal")) or _words(mark) == ["1"]


def _among(file: h5py.File, dataset: Any, volumes: Sequence[str]) -> str | None:
    """Return the name under which a dataset is listed: it may have several by links."""
    return next((name for name in volumes if file[name] == dataset), None)


def _axis_names(group: Any, dataset: Any) -> list[str]:
    """Return the names of the axes, slowest first: in the new way or with colons as of old."""
    found = group.attrs.get("axes")
    own = dataset.attrs.get("axes")
    names = _words(found) if found is not None and own is None else _words(own)
    if len(names) == 1:
        names = names[0].strip("[]").replace(",", ":").split(":")
    return [name.strip() for name in names]


def _axes_by_length(group: Any, dataset: Any) -> list[str]:
    """Return the order of axes called z, y, x that lie beside a volume, as in NXtomoproc.

    The definition says (x, y, z), programs write (z, y, x); the lengths tell, and where they do
    not, the order is the one of programs.
    """
    if dataset.ndim != 3:
        return []
    for order in ("zyx", "xyz"):
        if all(_size(group.get(c)) == n for c, n in zip(order, dataset.shape, strict=True)):
            return list(order)
    return []


def _spacing(positions: Any, count: int) -> float | None:
    """Return the distance of voxels from their centres or their edges."""
    if _size(positions) not in (count, count + 1) or count < 2:
        return None
    values = np.ravel(positions[()]).astype(float)
    steps = np.diff(values)
    mean = float(f"{(values[-1] - values[0]) / len(steps):.12g}")
    return mean if np.allclose(steps, mean, rtol=1e-3, atol=0) else None


def _size(item: Any) -> int:
    return int(getattr(item, "size", 0) or 0)


def _above(name: str) -> str:
    return name.rpartition("/")[0] or "/"


def _words(value: Any) -> list[str]:
    """Return an attribute as a list of text, whatever type it was written with."""
    if value is None:
        return []
    items = np.ravel(value).tolist()
    return [item.decode() if isinstance(item, bytes) else str(item) for item in items]
