"""Amira and Avizo files: a text header of nested braces, then the voxels of a uniform lattice.

Written from the descriptions that are public: the header of the format, the order of the voxels
(x fastest), and the bounding box, which runs from the centre of the first voxel to the centre of
the last.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ...microstructure import VoxelSize
from .byte_blocks import Block, Encoding, layer_reader
from .stored import StoredVolume, calibrated

__all__ = ["SUFFIXES", "open_amira"]

SUFFIXES = (".am",)

_TYPES = {
    "byte": "uint8",
    "ubyte": "uint8",
    "sbyte": "int8",
    "short": "int16",
    "ushort": "uint16",
    "int": "int32",
    "int32": "int32",
    "uint": "uint32",
    "float": "float32",
    "double": "float64",
}
_ENCODINGS: dict[str, Encoding] = {"HxZip": "zlib", "HxByteRLE": "run-length"}
_LONGEST_HEADER = 1 << 26

_FIRST = re.compile(r"#\s*(?:AmiraMesh|Avizo)(?:\s+3D)?\s+(?:ASCII|BINARY)\b")
_FIELD = re.compile(
    r"^\s*Lattice\s*\{\s*(\w+)\s*(\[\s*\d+\s*\])?\s+(\w+)\s*\}\s*=?\s*@(\d+)\s*(?:\(([^)]*)\))?",
    re.MULTILINE,
)
_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|([{},\n])|[^\s{},"]+')


def open_amira(path: Path) -> StoredVolume:
    """Look into an Amira or Avizo file of a scalar field or of labels.

    Parameters
    ----------
    path : Path
        ASCII, or binary of either byte order, plain or compressed (HxZip, HxByteRLE).

    Returns
    -------
    StoredVolume
        With the voxel size, if ``Units`` tells the unit of the coordinates, and with the names of
        the phases of a label field: the materials, whose labels are their order from 0 on.

    Raises
    ------
    ValueError
        If the file is no Amira file, damaged or truncated; if it holds no lattice, several
        fields, vectors or colours; if its coordinates are not uniform.
    """
    header, end, marker = _header(path)
    shape = _lattice(path, header)
    dtype, encoding, is_label = _field(path, header, marker)
    parameters = _parameters(header)
    kind = next(iter(_values(parameters, "CoordType")), "uniform")
    if kind != "uniform" or re.search(r"^\s*define\s+Coordinates\b", header, re.MULTILINE):
        raise ValueError(
            f"{path} has {kind} coordinates; voxels of one size are needed, so resample it on a "
            "uniform lattice first"
        )
    voxel_size, note = _voxel_size(parameters, shape)
    read_layers = layer_reader(Block(path, end, shape, dtype, encoding))
    phases = _materials(parameters) if is_label else None
    return StoredVolume(path, shape, dtype.newbyteorder("="), read_layers, voxel_size, phases, note)


def _header(path: Path) -> tuple[str, int, str]:
    """Return the header, the byte where the first field begins, and the number of that field."""
    text, marker = bytearray(), None
    with path.open("rb") as stream:
        for line in iter(lambda: stream.readline(_LONGEST_HEADER), b""):
            if not text and not _FIRST.match(line.decode("latin-1")):
                raise ValueError(
                    f"{path} is not an Amira file: its first line names neither AmiraMesh nor "
                    "Avizo with ASCII or BINARY; check the file"
                )
            marker = re.match(rb"@(\d+)\s*$", line)
            if marker or len(text) > _LONGEST_HEADER:
                break
            text += line
        end = stream.tell()
    if not marker:
        raise ValueError(
            f"{path} is not a whole Amira file: no data section follows its header; copy it again"
        )
    try:
        header = text.decode("utf-8")
    except UnicodeDecodeError:
        header = text.decode("latin-1")
    return header, end, marker[1].decode()


def _lattice(path: Path, header: str) -> tuple[int, int, int]:
    found = re.search(r"^\s*define\s+Lattice\s+(\d+)\s+(\d+)\s+(\d+)\s*$", header, re.MULTILINE)
    if not found:
        raise ValueError(
            f"{path} defines no lattice of three dimensions; surfaces, points and pictures are no "
            "volume, so save the image itself"
        )
    return (int(found[3]), int(found[2]), int(found[1]))


def _field(path: Path, header: str, marker: str) -> tuple[np.dtype, Encoding, bool]:
    order = header.splitlines()[0]
    fields = list(_FIELD.finditer(header))
    if len(fields) != 1 or fields[0][4] != marker:
        names = ", ".join(f"{field[1]}{field[2] or ''} {field[3]}" for field in fields) or "none"
        raise ValueError(
            f"{path} holds the fields {names} on its lattice; save the one that is meant in a file "
            "of its own"
        )
    (kind, components, name, _, compression) = fields[0].groups()
    if components and components.strip("[] ") != "1":
        raise ValueError(
            f"{path} holds {components.strip('[] ')} numbers per voxel ({name}); save one channel"
        )
    if kind not in _TYPES:
        raise ValueError(
            f"{path} has voxels of type {kind!r}; convert them to one of {', '.join(_TYPES)}"
        )
    packing = (compression or "").split(",")[0].strip()
    if packing and packing not in _ENCODINGS:
        raise ValueError(
            f"{path} is compressed with {packing}; save it uncompressed, or with "
            f"{' or '.join(_ENCODINGS)}"
        )
    encoding: Encoding = "ascii" if "ASCII" in order else _ENCODINGS.get(packing, "raw")
    # The first version of the format knows only the order of the workstations of its time.
    dtype = np.dtype(_TYPES[kind]).newbyteorder("<" if "LITTLE-ENDIAN" in order else ">")
    if encoding == "run-length" and dtype.itemsize > 1:
        raise ValueError(f"{path} packs {kind} voxels with HxByteRLE; save it uncompressed")
    return dtype, encoding, name == "Labels"


def _parameters(header: str) -> dict[str, Any]:
    """Return the parameters as nested dictionaries of lists of words."""
    begin = re.search(r"^\s*Parameters\s*\{", header, re.MULTILINE)
    if not begin:
        return {}
    words = _WORD.finditer(header, begin.end())
    return _group(words)


def _group(words: Iterator[re.Match[str]]) -> dict[str, Any]:
    """Read up to the brace that closes a group.

    A name is followed by a group in braces, or by values up to a comma or the end of the line.
    """
    entries: dict[str, Any] = {}
    name, between = "", True
    for word in words:
        mark = word[2]
        if mark == "}":
            return entries
        if mark == "{":
            entries[name] = _group(words)
            between = True
        elif mark:
            between = True
        else:
            text = word[0] if word[1] is None else word[1]
            if between:
                name, between = text, False
                entries[name] = []
            else:
                entries[name].append(text)
    return entries


def _voxel_size(
    parameters: dict[str, Any], shape: tuple[int, int, int]
) -> tuple[VoxelSize | None, str]:
    try:
        box = [float(word) for word in _values(parameters, "BoundingBox")]
    except ValueError:
        box = []
    if not box:
        return None, "the Amira header gives no BoundingBox"
    if len(box) != 6 or min(shape) < 2:
        return None, f"the bounding box is {box}, which gives no distance of voxels"
    # From the centre of the first voxel to that of the last: one distance less than voxels.
    sizes = [(box[2 * k + 1] - box[2 * k]) / (shape[2 - k] - 1) for k in (2, 1, 0)]
    units = parameters.get("Units")
    unit = next(iter(_values(units if isinstance(units, dict) else {}, "Coordinates")), None)
    return calibrated(sizes, [unit] * 3, "the distances in the bounding box")


def _values(parameters: dict[str, Any], name: str) -> list[str]:
    """Return the words behind a name; none if it is not there or a group."""
    words = parameters.get(name)
    return words if isinstance(words, list) else []


def _materials(parameters: dict[str, Any]) -> Mapping[str, int] | None:
    materials = parameters.get("Materials")
    if not isinstance(materials, dict) or not materials:
        return None
    return {name: label for label, name in enumerate(materials)}
