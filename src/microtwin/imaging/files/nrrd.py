"""NRRD files: a text header, with the voxels behind it or in files beside it."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...microstructure import VoxelSize
from .byte_blocks import Block, Encoding, layer_reader, writable
from .stored import StoredVolume, calibrated

__all__ = ["SUFFIXES", "open_nrrd", "write_nrrd"]

SUFFIXES = (".nrrd", ".nhdr")

_NAMES = {
    "int8": ("signed char", "int8_t"),
    "uint8": ("uchar", "unsigned char", "uint8_t"),
    "int16": ("short", "short int", "signed short", "signed short int", "int16_t"),
    "uint16": ("ushort", "unsigned short", "unsigned short int", "uint16_t"),
    "int32": ("int", "signed int", "int32_t"),
    "uint32": ("uint", "unsigned int", "uint32_t"),
    "int64": (
        *("longlong", "long long", "long long int", "signed long long"),
        *("signed long long int", "int64_t"),
    ),
    "uint64": (*("ulonglong", "unsigned long long", "unsigned long long int", "uint64_t"),),
    "float32": ("float",),
    "float64": ("double",),
}
_TYPES = {alias: name for name, aliases in _NAMES.items() for alias in (name, *aliases)}
_ENCODINGS: dict[str, Encoding] = {
    "raw": "raw",
    "txt": "ascii",
    "text": "ascii",
    "ascii": "ascii",
    "hex": "hex",
    "gz": "gzip",
    "gzip": "gzip",
    "bz2": "bzip2",
    "bzip2": "bzip2",
}
_LIST = re.compile(r"data ?file:\s*LIST\b")
_PER_AXIS = ("kinds", "spacings", "units", "space directions")
_SPATIAL = ("domain", "space", "???", "none")


def open_nrrd(path: Path) -> StoredVolume:
    """Look into an NRRD file.

    Parameters
    ----------
    path : Path
        With the voxels behind the header, in one file beside it, or in one file per layer.

    Returns
    -------
    StoredVolume
        With the voxel size from ``spacings`` and ``units`` or from ``space directions`` and
        ``space units``. Without a unit of length in the file none is assumed, for the format
        knows no default.

    Raises
    ------
    ValueError
        If the file is no NRRD, damaged or truncated, or a file it names is missing; if it holds
        colours, vectors or other than three dimensions; if its axes are turned against space.
    """
    header, listed, end = _header(path)
    axes, shape = _axes(path, header)
    dtype = _dtype(path, header)
    voxel_size, note = _voxel_size(path, header, axes)
    files = _files(path, header, listed)
    read_layers = _reader(path, header, files, end, shape, dtype)
    return StoredVolume(
        path,
        shape,
        dtype.newbyteorder("="),
        read_layers,
        voxel_size,
        voxel_size_note=note,
        companions=tuple(file for file in files if file != path),
    )


def write_nrrd(path: Path, volume: NDArray, voxel_size: VoxelSize) -> None:
    """Write a volume as one gzip-compressed NRRD file.

    Parameters
    ----------
    path : Path
        Ends in ``.nrrd``.
    volume : ndarray, shape (nz, ny, nx)
    voxel_size : 3 floats
        Edge lengths of a voxel along (z, y, x) in metres; written in micrometres.

    Raises
    ------
    ValueError
        If the path ends in ``.nhdr``, which would be two files; if the format cannot hold voxels
        of this type.
    """
    import nrrd

    volume = writable(path, volume, ".nrrd", _NAMES, "NRRD")
    spacings = [h / 1e-6 for h in reversed(voxel_size)]
    header = {
        "space dimension": 3,
        "space directions": np.diag(spacings),
        "space units": ["um"] * 3,
        "kinds": ["domain"] * 3,
    }
    nrrd.write(str(path), volume, header, index_order="C", compression_level=1)


def _header(path: Path) -> tuple[dict[str, Any], list[str], int]:
    """Return the fields of the header, the files that it lists, and the byte behind it.

    The library drops what is not ASCII and would make metres of the unit µm, so it is given
    lines that are decoded already.
    """
    import nrrd

    lines = []
    with path.open("rb") as stream:
        if stream.read(4) != b"NRRD":
            raise ValueError(f"{path} is not an NRRD file; its first bytes are not NRRD")
        stream.seek(0)
        while line := stream.readline(1 << 20).rstrip(b"\r\n"):
            lines.append(_text(line))
        end = stream.tell()
    # A list of files is the end of a header; the library knows no such lines.
    last = next((k for k, line in enumerate(lines) if _LIST.match(line)), len(lines))
    listed = [line.strip() for line in lines[last + 1 :]]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            header = nrrd.read_header(iter(lines[: last + 1]))
    except (nrrd.NRRDError, ValueError, TypeError, StopIteration) as error:
        raise ValueError(f"{path} has a damaged NRRD header ({error}); copy it again") from None
    missing = [key for key in ("dimension", "type", "sizes", "encoding") if key not in header]
    if missing:
        raise ValueError(f"{path} has no {missing[0]} in its NRRD header; copy it again")
    for key in _PER_AXIS:
        if len(header.get(key, header["sizes"])) != len(header["sizes"]):
            raise ValueError(
                f"{path} has a damaged NRRD header ({key} is not given for each of "
                f"{len(header['sizes'])} axes); copy it again"
            )
    return header, listed, end


def _text(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("latin-1")


def _axes(path: Path, header: dict[str, Any]) -> tuple[list[int], tuple[int, int, int]]:
    """Return which axes of the file are z, y and x, and their lengths; x is the fastest."""
    sizes = [int(n) for n in header["sizes"]]
    kinds = [str(kind).lower() for kind in header.get("kinds", ["domain"] * len(sizes))]
    axes = [axis for axis, n in enumerate(sizes) if n > 1 or len(sizes) == 3][::-1]
    if len(axes) != 3 or any(kinds[axis] not in _SPATIAL for axis in axes):
        raise ValueError(
            f"{path} has {sizes} values along the axes {kinds}; three axes in space with one "
            "number per voxel are needed (save one channel and one time)"
        )
    return axes, (sizes[axes[0]], sizes[axes[1]], sizes[axes[2]])


def _dtype(path: Path, header: dict[str, Any]) -> np.dtype:
    name = _TYPES.get(str(header["type"]).lower())
    if name is None:
        raise ValueError(
            f"{path} has voxels of type {header['type']!r}; convert them to one of "
            f"{', '.join(_NAMES)}"
        )
    dtype = np.dtype(name)
    endian = str(header.get("endian", "")).lower()
    binary = _ENCODINGS.get(str(header["encoding"]).lower()) != "ascii"
    if dtype.itemsize > 1 and binary and endian not in ("little", "big"):
        raise ValueError(f"{path} does not tell its byte order; add 'endian: little' or 'big'")
    return dtype.newbyteorder(">" if endian == "big" else "<")


def _voxel_size(
    path: Path, header: dict[str, Any], axes: Sequence[int]
) -> tuple[VoxelSize | None, str]:
    if "space directions" in header:
        directions = header["space directions"]
        vectors = [np.zeros(3) if directions[a] is None else directions[a] for a in axes]
        # Along (z, y, x) on both sides.
        matrix = np.array([np.asarray(vector, float)[::-1] for vector in vectors])
        if matrix.shape != (3, 3) or not np.isfinite(matrix).all():
            return None, "the space directions are not three vectors"
        along = np.diag(np.diag(matrix))
        if np.abs(matrix - along).max() > 1e-6 * np.abs(matrix).max():
            shown = " ".join(str(tuple(map(float, row[::-1]))) for row in matrix[::-1])
            raise ValueError(
                f"{path} is turned against its axes, space directions {shown}; resample it along "
                "the axes, or replace the line by 'spacings' if the axes of the voxels are meant"
            )
        units = [*header.get("space units", []), None, None, None][2::-1]
        return calibrated(np.diag(matrix).tolist(), units, "the space directions")
    if "spacings" in header:
        spacings = [float(header["spacings"][axis]) for axis in axes]
        units = header.get("units") or [None] * len(header["sizes"])
        return calibrated(spacings, [units[axis] for axis in axes], "the spacings")
    return None, "the NRRD header gives no spacings"


def _reader(
    path: Path,
    header: dict[str, Any],
    files: Sequence[Path],
    end: int,
    shape: tuple[int, int, int],
    dtype: np.dtype,
) -> Callable[[int, int], NDArray]:
    name = str(header["encoding"]).lower()
    if name not in _ENCODINGS:
        raise ValueError(
            f"{path} has the encoding {name!r}; save it with one of raw, gzip, bzip2, ascii"
        )
    encoding = _ENCODINGS[name]
    depth = shape[0] // len(files)
    if depth * len(files) != shape[0]:
        raise ValueError(f"{path} names {len(files)} files for {shape[0]} layers; make them equal")
    readers = []
    for file in files:
        offset, skip = _offset(path, file, header, end if file == path else 0, encoding)
        block = Block(file, offset, (depth, *shape[1:]), dtype, encoding, skip)
        readers.append(layer_reader(block))

    def read_layers(start: int, stop: int) -> NDArray:
        if len(readers) == 1:
            return readers[0](start, stop)
        layers = [readers[z // depth](z % depth, z % depth + 1) for z in range(start, stop)]
        return np.concatenate(layers)

    return read_layers


def _files(path: Path, header: dict[str, Any], listed: list[str]) -> list[Path]:
    """Return the files of the voxels: the header's own, one, a list, or a numbered pattern."""
    where = header.get("data file", header.get("datafile"))
    if where is None:
        return [path]
    where = str(where).strip()
    words = where.split()
    if words[0] == "LIST" and listed:
        names = listed
    elif len(words) >= 4 and "%" in words[0]:
        first, last, step = (int(word) for word in words[1:4])
        names = [words[0] % k for k in range(first, last + (1 if step > 0 else -1), step)]
    else:
        names = [where]
    files = [path.parent / name for name in names]
    for file in files:
        if not file.is_file():
            raise ValueError(
                f"{path} keeps its voxels in {file.name}, which is not beside it; copy it there"
            )
    return files


def _offset(
    path: Path, file: Path, header: dict[str, Any], begin: int, encoding: Encoding
) -> tuple[int, int]:
    """Return the bytes to leave out before and after unpacking, for `Block`."""
    lines = int(header.get("line skip", header.get("lineskip", 0)))
    skip = int(header.get("byte skip", header.get("byteskip", 0)))
    if skip < -1 or lines < 0 or (skip == -1 and encoding != "raw"):
        raise ValueError(
            f"{path} has line skip {lines} and byte skip {skip} with encoding {encoding}; only "
            "numbers from 0 on are allowed, and -1 for raw bytes at the end of a file"
        )
    if skip == -1:
        return -1, 0
    with file.open("rb") as stream:
        stream.seek(begin)
        for _ in range(lines):
            stream.readline()
        begin = stream.tell()
    return (begin + skip, 0) if encoding in ("raw", "ascii", "hex") else (begin, skip)
