"""Fields on the voxel grid as VTKHDF, the HDF5 layout that ParaView opens directly."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from ...microstructure import Microstructure

__all__ = ["write_vtkhdf", "write_vtkhdf_series"]

# VTK reads gzip; LZF, the other filter of h5py, is not built into it.
_COMPRESSION = {"compression": "gzip", "compression_opts": 4, "shuffle": True}


def write_vtkhdf(
    path: str | Path, micro: Microstructure, fields: Mapping[str, NDArray[Any]] | None = None
) -> Path:
    """Write the labels and fields on the voxels of an image as VTKHDF ImageData (version 2.0).

    Parameters
    ----------
    path : str or Path
        File to write, usually ``*.vtkhdf``; it is replaced whole or not at all.
    micro : Microstructure
        Its labels become the cell data ``labels``; the names of the phases are kept as a JSON
        attribute ``phases`` of that data set.
    fields : mapping of str to ndarray, optional
        Scalars of shape (nz, ny, nx) or vectors of shape (3, nz, ny, nx) whose components are in
        the order (z, y, x). They keep their dtype; half precision becomes single. NaN marks
        voxels without a value.

    Returns
    -------
    Path
        The file written. In it, points follow the VTK order (x, y, z) in metres, the origin is
        the outer corner of the first voxel, and vectors have the components (x, y, z).

    Raises
    ------
    ValueError
        If a field has another shape, a dtype that is not a real number, or the name "labels".

    Notes
    -----
    Layout: VTK file formats, "VTKHDF File Format", ImageData. Cell data sets are stored with the
    slowest axis first, which is the (z, y, x) order of this package.
    """
    path = Path(path)
    checked = {name: _checked(name, field, micro) for name, field in (fields or {}).items()}
    part = path.with_name(f".{path.name}.part")
    try:
        with h5py.File(part, "w", track_order=True) as file:
            root = file.create_group("VTKHDF", track_order=True)
            _write_geometry(root, micro)
            cells = root.create_group("CellData", track_order=True)
            labels = cells.create_dataset("labels", data=micro.labels, chunks=True, **_COMPRESSION)
            labels.attrs["phases"] = json.dumps(dict(micro.phases))
            for name, values in checked.items():
                cells.create_dataset(name, data=values, chunks=True, **_COMPRESSION)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    return path


def write_vtkhdf_series(
    path: str | Path,
    micro: Microstructure,
    steps: Iterable[tuple[float, Mapping[str, NDArray[Any]]]],
) -> Path:
    """Write fields at several times as one VTKHDF file, which ParaView plays as a series.

    Parameters
    ----------
    path : str or Path
        File to write, usually ``*.vtkhdf``; it is replaced whole or not at all.
    micro : Microstructure
        As in `write_vtkhdf`; its labels are kept once.
    steps : iterable of (float, mapping of str to ndarray)
        A time in s, later than the one before, and fields as in `write_vtkhdf`, the same ones at
        each time. Each is written before the next one is asked for.

    Returns
    -------
    Path

    Raises
    ------
    ValueError
        As in `write_vtkhdf`, if there are no steps, if times do not grow, or if a field is missing
        or of another kind than before.

    Notes
    -----
    VTKHDF File Format, "Temporal Data". The group ``Steps`` has the number of steps, `NSteps`, and
    their times, `Values`. Cell data sets have one more axis in front, and ``Steps/CellDataOffsets``
    says which entry of it belongs to which step. Geometry needs no offsets, as that of image data
    does not change.
    """
    path = Path(path)
    part = path.with_name(f".{path.name}.part")
    times: list[float] = []
    try:
        with h5py.File(part, "w", track_order=True) as file:
            root = file.create_group("VTKHDF", track_order=True)
            _write_geometry(root, micro)
            cells = root.create_group("CellData", track_order=True)
            labels = cells.create_dataset(
                "labels", data=micro.labels[None], chunks=(1, *micro.shape), **_COMPRESSION
            )
            labels.attrs["phases"] = json.dumps(dict(micro.phases))
            for time, fields in steps:
                if times and not time > times[-1]:
                    raise ValueError(f"the time {time:g} s does not come after {times[-1]:g} s")
                _append(cells, len(times), fields, micro)
                times.append(float(time))
            if not times:
                raise ValueError("a series needs one time or more")
            _write_steps(root, times)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    return path


def _append(
    cells: h5py.Group, step: int, fields: Mapping[str, NDArray[Any]], micro: Microstructure
) -> None:
    """Write the fields of one step behind those of the steps before."""
    there = [name for name in cells if name != "labels"]
    if step and set(there) != set(fields):
        raise ValueError(
            f"step {step} has the fields {', '.join(fields)} and those before had "
            f"{', '.join(there)}; give the same ones"
        )
    for name, field in fields.items():
        values = _checked(name, field, micro)
        if step == 0:
            cells.create_dataset(
                name, (0, *values.shape), values.dtype, maxshape=(None, *values.shape),
                chunks=(1, *values.shape), **_COMPRESSION,
            )  # fmt: skip
        data = cells[name]
        if data.shape[1:] != values.shape or data.dtype != values.dtype:
            raise ValueError(
                f"field {name!r} is {values.dtype} of shape {values.shape} in step {step} and was "
                f"{data.dtype} of shape {data.shape[1:]} before; give the same kind"
            )
        data.resize(step + 1, axis=0)
        data[step] = values


def _write_steps(root: h5py.Group, times: list[float]) -> None:
    steps = root.create_group("Steps")
    steps.attrs["NSteps"] = np.int64(len(times))
    steps.create_dataset("Values", data=np.array(times))
    offsets = steps.create_group("CellDataOffsets")
    for name in root["CellData"]:
        own = np.zeros(len(times)) if name == "labels" else np.arange(len(times))
        offsets.create_dataset(name, data=own.astype(np.int64))


def _write_geometry(root: h5py.Group, micro: Microstructure) -> None:
    nz, ny, nx = micro.shape
    dz, dy, dx = micro.voxel_size
    root.attrs["Version"] = np.array([2, 0], np.int64)
    # VTK compares the type with a fixed-length ASCII string.
    root.attrs.create("Type", b"ImageData", dtype=h5py.string_dtype("ascii", len(b"ImageData")))
    root.attrs["WholeExtent"] = np.array([0, nx, 0, ny, 0, nz], np.int64)
    root.attrs["Origin"] = np.zeros(3)
    root.attrs["Spacing"] = np.array([dx, dy, dz])
    root.attrs["Direction"] = np.eye(3).ravel()


def _checked(name: str, field: NDArray[Any], micro: Microstructure) -> NDArray[Any]:
    values = np.asarray(field)
    if not name or name == "labels" or "/" in name or name == ".":
        raise ValueError(
            f"field name {name!r} is not allowed; use a name without '/', other than 'labels'"
        )
    if values.shape == (3, *micro.shape):
        # Components (z, y, x) in front become components (x, y, z) at the end.
        values = np.moveaxis(values[::-1], 0, -1)
    elif values.shape != micro.shape:
        raise ValueError(
            f"field {name!r} has shape {values.shape}; {micro.shape} for a scalar or "
            f"{(3, *micro.shape)} for a vector is needed"
        )
    if values.dtype.kind not in "uifb":
        raise ValueError(f"field {name!r} has dtype {values.dtype}; real numbers are needed")
    if values.dtype.kind == "b":
        return values.astype(np.uint8)
    return values.astype(np.float32) if values.dtype == np.float16 else values
