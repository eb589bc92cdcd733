"""Projections in NeXus files: the application definition NXtomo and its dialects.

An ``NXdetector`` group holds ``data`` (frame, row, column) and ``image_key``, which says of each
frame what it is: 0 projection, 1 flat, 2 dark, 3 invalid. The angles are
``sample/rotation_angle`` of the same entry, one for each frame. See
https://manual.nexusformat.org/classes/applications/NXtomo.html.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...units import metres
from ..files.hdf5_links import files_behind
from .frames import FoundProjections, StoredFrames
from .hdf5_frames import Place, located, members, number_with_unit, opened, stored_frames

if TYPE_CHECKING:
    import h5py

__all__ = ["open_nxtomo", "radians"]

_PROJECTION, _FLAT, _DARK, _INVALID = range(4)
_EDGES = ("y_pixel_size", "x_pixel_size")


@dataclass(frozen=True)
class _Detector:
    """An NXdetector group, and the frames of it if they can be read."""

    group: str
    entry: str
    frames: Place | None
    shape: tuple[int, ...]
    has_key: bool

    def __str__(self) -> str:
        what = "frames not found" if self.frames is None else f"shape {self.shape}"
        return f"{self.group} ({what})"


def open_nxtomo(path: Path, detector: str | None = None) -> FoundProjections | None:
    """Look into a NeXus file with projections.

    Parameters
    ----------
    path : Path
    detector : str, optional
        The NXdetector group, or the last part of its path; needed where several hold frames,
        unless just one of them has an image_key.

    Returns
    -------
    FoundProjections or None
        None if the file has no NXdetector group at all. The pixel size is
        ``sample/x_pixel_size``, else that of the detector, as it stands.

    Raises
    ------
    ValueError
        If several detectors hold frames, none does, or not the one that is asked for; if
        ``image_key`` does not fit the frames, holds other numbers than 0 to 3, or marks no
        projection; if the angles do not fit the frames; if a unit is not known.
    """
    with opened(path) as file:
        found = list(_detectors(file, "", "", set()))
        if not found:
            return None
        chosen = _chosen(path, found, detector)
        place = chosen.frames
        assert place is not None
        group = file[chosen.group]
        count = chosen.shape[0]
        key = _image_key(path, group, count)
        sample = f"{chosen.entry}/sample"
        angles = _angles(path, file, sample, key)
        size = _pixel_size(file, sample) or _pixel_size(file, chosen.group)

    def kind(wanted: int) -> StoredFrames | None:
        meant = key == wanted
        return stored_frames(place, meant) if meant.any() else None

    values = kind(_PROJECTION)
    if values is None:
        raise ValueError(
            f"{path}: image_key of {chosen.group} marks no frame as projection (0); it holds "
            f"{', '.join(map(str, np.unique(key)))}"
        )
    read = [f"{chosen.group}/{name}" for name in ("data", "image_key", "image_key_control")]
    read += [f"{sample}/rotation_angle"]
    read += [f"{above}/{name}" for above in (sample, chosen.group) for name in _EDGES]
    companions = files_behind(path, read)
    return FoundProjections(values, angles, kind(_FLAT), kind(_DARK), size, companions)


def radians(numbers: NDArray[np.float64], unit: str, source: str) -> NDArray[np.float64]:
    """Return angles in radians; a `ValueError` unless the unit is degrees or radians."""
    word = unit.strip().lower()
    if word in ("rad", "radian", "radians"):
        return numbers
    if word in ("deg", "degree", "degrees", "°"):
        return np.deg2rad(numbers)
    raise ValueError(
        f"{source} has the unit {unit!r}, which is neither degrees nor radians; give angles in "
        "radians"
    )


def _detectors(
    group: h5py.Group, path: str, entry: str, seen: set[tuple[int, int]]
) -> Iterator[_Detector]:
    """Yield the detectors below a group, each once: links may lead back or to the same twice."""
    import h5py

    for name, item in members(group):
        if not isinstance(item, h5py.Group):
            continue
        info = h5py.h5o.get_info(item.id)
        if (info.fileno, info.addr) in seen:
            continue
        seen.add((info.fileno, info.addr))
        inside = f"{path}/{name}"
        kind = item.attrs.get("NX_class", b"")
        kind = kind.decode() if isinstance(kind, bytes) else str(kind)
        if kind == "NXdetector" and item.get("data", getlink=True, default=None) is not None:
            place = located(item, "data")
            shape = _shape(place)
            # A detector of numbers, not of pictures, is no candidate.
            if place is None or len(shape) == 3:
                yield _Detector(inside, entry, place, shape, "image_key" in item)
        else:
            below = inside if kind in ("NXentry", "NXsubentry") else entry
            yield from _detectors(item, inside, below, seen)


def _shape(place: Place | None) -> tuple[int, ...]:
    if place is None:
        return ()
    with opened(place[0]) as file:
        return file[place[1]].shape


def _chosen(path: Path, found: list[_Detector], detector: str | None) -> _Detector:
    listed = ", ".join(map(str, found))
    if detector is not None:
        word = "/" + detector.strip("/")
        named = [one for one in found if one.group.endswith(word)]
        if len(named) != 1:
            problem = "is not in" if not named else "fits several of"
            raise ValueError(f"detector {detector!r} {problem} {path}; it has {listed}")
        found = named
    readable = [one for one in found if one.frames is not None]
    keyed = [one for one in readable if one.has_key]
    if len(keyed) == 1:
        return keyed[0]
    if len(readable) == 1:
        return readable[0]
    if readable:
        raise ValueError(
            f"{path} has several detectors, {listed}; name the one that is meant, for example "
            f"detector={readable[0].group.strip('/')!r}"
        )
    raise ValueError(
        f"{path}: the frames of {listed} are in other files that are missing; put these files "
        "beside it"
    )


def _image_key(path: Path, group: h5py.Group, count: int) -> NDArray[np.int64]:
    if "image_key" not in group:
        return np.zeros(count, np.int64)
    key = np.asarray(group["image_key"][()]).astype(np.int64).ravel()
    if len(key) != count:
        raise ValueError(
            f"{path}: image_key has {len(key)} entries for {count} frames, so the scan stopped "
            "half-way or the file is damaged; copy it again, or cut both to the same length"
        )
    unknown = np.setdiff1d(key, (_PROJECTION, _FLAT, _DARK, _INVALID))
    if unknown.size:
        raise ValueError(
            f"{path}: image_key holds {', '.join(map(str, unknown))}; allowed are 0 (projection), "
            "1 (flat), 2 (dark) and 3 (invalid)"
        )
    if "image_key_control" in group:
        # Views taken again at the end to see whether the sample moved are marked with -1.
        control = np.asarray(group["image_key_control"][()]).ravel()
        if control.shape == key.shape:
            key[control < 0] = _INVALID
    return key


def _angles(
    path: Path, file: h5py.File, sample: str, key: NDArray[np.int64]
) -> NDArray[np.float64] | None:
    name = f"{sample}/rotation_angle"
    place = located(file, name)
    if place is None:
        return None
    with opened(place[0]) as other:
        # The base class of angles in NeXus leaves the unit to the writer; degrees are the custom.
        numbers, unit = number_with_unit(other[place[1]], "degrees")
    if len(numbers) != len(key):
        raise ValueError(
            f"{path}: {name} holds {len(numbers)} angles for {len(key)} frames; give angles, one "
            f"for each of the {np.count_nonzero(key == _PROJECTION)} projections"
        )
    return radians(numbers[key == _PROJECTION], unit, f"{path}: {name}")


def _pixel_size(file: h5py.File, group: str) -> tuple[float, float] | None:
    """Return height and width of a pixel in metres, where both are given as lengths."""
    sizes = []
    for name in _EDGES:
        place = located(file, f"{group}/{name}")
        if place is None:
            return None
        with opened(place[0]) as other:
            numbers, unit = number_with_unit(other[place[1]], "")
        try:
            size = metres(f"{float(numbers[0])!r} {unit}") if numbers.size else 0.0
        except ValueError:
            return None
        if not size > 0:
            return None
        sizes.append(size)
    return (sizes[0], sizes[1])
