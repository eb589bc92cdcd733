"""MetaImage, the format of ITK: a text header, with the voxels behind it or in files beside it."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...microstructure import VoxelSize
from .byte_blocks import Block, Encoding, layer_reader, writable
from .stored import StoredVolume, calibrated

__all__ = ["SUFFIXES", "open_metaimage", "write_metaimage"]

SUFFIXES = (".mhd", ".mha")

_TYPES = {
    "MET_CHAR": "int8",
    "MET_UCHAR": "uint8",
    "MET_SHORT": "int16",
    "MET_USHORT": "uint16",
    "MET_INT": "int32",
    "MET_UINT": "uint32",
    # A long has four bytes in this format, on every machine.
    "MET_LONG": "int32",
    "MET_ULONG": "uint32",
    "MET_LONG_LONG": "int64",
    "MET_ULONG_LONG": "uint64",
    "MET_FLOAT": "float32",
    "MET_DOUBLE": "float64",
}
_WRITTEN = {name: key for key, name in reversed(_TYPES.items())}
_LONGEST_HEADER = 1 << 20


def open_metaimage(path: Path) -> StoredVolume:
    """Look into a MetaImage file.

    Parameters
    ----------
    path : Path
        A header with the voxels behind it (``ElementDataFile = LOCAL``), in one file beside it,
        or in one file per layer (a list or a numbered pattern); raw, zlib or ASCII.

    Returns
    -------
    StoredVolume
        With the voxel size from ``ElementSpacing`` (or ``ElementSize``) in ``DistanceUnits``; in
        millimetres, by the convention of ITK, where no unit is given. A spacing of 1 in each
        direction without a unit is what programs write that know of none, and is not believed.

    Raises
    ------
    ValueError
        If the header is damaged, or files are missing or truncated; if it holds several channels,
        other than three dimensions, or an orientation that is not along the axes.
    """
    header, end = _header(path)
    shape, dtype = _shape_and_type(path, header)
    sizes, units, note = _spacing(path, header)
    voxel_size, lacking = (None, note) if note else calibrated(sizes, units, "the spacings")
    files = _files(path, header["elementdatafile"], end)
    read_layers = _reader(path, header, files, end, shape, dtype)
    return StoredVolume(
        path,
        shape,
        dtype.newbyteorder("="),
        read_layers,
        voxel_size,
        voxel_size_note=lacking,
        companions=tuple(file for file in files if file != path),
    )


def write_metaimage(path: Path, volume: NDArray, voxel_size: VoxelSize) -> None:
    """Write a volume as one zlib-compressed MetaImage file.

    Parameters
    ----------
    path : Path
        Ends in ``.mha``.
    volume : ndarray, shape (nz, ny, nx)
    voxel_size : 3 floats
        Edge lengths of a voxel along (z, y, x) in metres; written in millimetres.

    Raises
    ------
    ValueError
        If the path ends in ``.mhd``, which would be two files; if the format cannot hold voxels
        of this type.
    """
    volume = writable(path, volume, ".mha", _WRITTEN, "MetaImage")
    little = np.ascontiguousarray(volume, volume.dtype.newbyteorder("<"))
    packed = zlib.compress(little.data, 1)
    # ITK knows no unit but millimetres; DistanceUnits tells others.
    spacing = " ".join(repr(h / 1e-3) for h in reversed(voxel_size))
    lines = (
        "ObjectType = Image",
        "NDims = 3",
        "BinaryData = True",
        "BinaryDataByteOrderMSB = False",
        "CompressedData = True",
        f"CompressedDataSize = {len(packed)}",
        "DistanceUnits = mm",
        f"ElementSpacing = {spacing}",
        f"DimSize = {' '.join(map(str, reversed(volume.shape)))}",
        f"ElementType = {_WRITTEN[volume.dtype.name]}",
        "ElementDataFile = LOCAL",
    )
    with path.open("wb") as stream:
        stream.write("\n".join(lines).encode("ascii") + b"\n")
        stream.write(packed)


def _header(path: Path) -> tuple[dict[str, str], int]:
    """Return the fields of the header and the byte behind it; the data file is the last field."""
    fields: dict[str, str] = {}
    with path.open("rb") as stream:
        while "elementdatafile" not in fields:
            line = stream.readline(_LONGEST_HEADER)
            key, equals, value = line.decode("latin-1").partition("=")
            if not equals and (line.strip() or not line):
                raise ValueError(
                    f"{path} is not a whole MetaImage file: its header ends without "
                    "ElementDataFile; copy it again"
                )
            fields[key.strip().lower()] = value.strip()
        return fields, stream.tell()


def _shape_and_type(path: Path, header: dict[str, str]) -> tuple[tuple[int, int, int], np.dtype]:
    shape = _numbers(path, header, "DimSize", int)[::-1]
    dimensions = _numbers(path, header, "NDims", int)
    if len(shape) != 3 or dimensions != [3] or min(shape) < 1:
        raise ValueError(
            f"{path} has {header.get('ndims')} dimension(s) of {header['dimsize']} voxels; a "
            "volume of three dimensions is needed"
        )
    channels = header.get("elementnumberofchannels", "1")
    kind = header.get("elementtype", "").upper()
    if channels != "1" or kind.endswith("_ARRAY"):
        raise ValueError(
            f"{path} has {channels} channels of {kind}; save one of them, one number per voxel"
        )
    if kind not in _TYPES:
        raise ValueError(
            f"{path}: ElementType {kind!r} is not known; convert the image to one of "
            f"{', '.join(_TYPES)}"
        )
    big = any(_true(header, key) for key in ("binarydatabyteordermsb", "elementbyteordermsb"))
    dtype = np.dtype(_TYPES[kind]).newbyteorder(">" if big else "<")
    return (shape[0], shape[1], shape[2]), dtype


def _spacing(path: Path, header: dict[str, str]) -> tuple[list[float], list[str], str]:
    for key in ("TransformMatrix", "Rotation", "Orientation"):
        if key.lower() not in header:
            continue
        matrix = np.array(_numbers(path, header, key, float))
        if matrix.size != 9 or np.any(np.abs(np.abs(matrix.reshape(3, 3)) - np.eye(3)) > 1e-6):
            raise ValueError(
                f"{path} is turned against its axes, {key} = {header[key.lower()]}; resample it "
                "along the axes, or remove the line if the axes of the voxels are meant"
            )
    key = "ElementSpacing" if "elementspacing" in header else "ElementSize"
    if key.lower() not in header:
        return [], [], "the MetaImage header gives no ElementSpacing"
    sizes = _numbers(path, header, key, float)[::-1]
    if len(sizes) != 3:
        return [], [], f"{key} is {header[key.lower()]!r}, not three lengths"
    unit = header.get("distanceunits", "?")
    if unit == "?" and sizes == [1, 1, 1]:
        return [], [], f"{key} is 1 1 1 without DistanceUnits, which is how programs leave it open"
    return sizes, ["mm" if unit == "?" else unit] * 3, ""


def _reader(
    path: Path,
    header: dict[str, str],
    files: Sequence[Path],
    end: int,
    shape: tuple[int, int, int],
    dtype: np.dtype,
) -> Callable[[int, int], NDArray]:
    encoding: Encoding = "raw"
    if not _true(header, "binarydata", default=True):
        encoding = "ascii"
    elif _true(header, "compresseddata"):
        encoding = "zlib"
    skip = _numbers(path, header, "HeaderSize", int)[0] if "headersize" in header else 0
    if skip < -1 or (skip == -1 and encoding != "raw"):
        raise ValueError(
            f"{path}: HeaderSize = {skip} is not allowed; use a number from 0 on, or -1 for plain "
            "voxels at the end of a file"
        )
    if list(files) == [path]:
        return layer_reader(Block(path, end, shape, dtype, encoding))
    if len(files) == 1:
        return layer_reader(Block(files[0], skip, shape, dtype, encoding))
    if len(files) != shape[0]:
        raise ValueError(
            f"{path} names {len(files)} files for {shape[0]} layers; one file per layer is needed"
        )
    layer = (1, *shape[1:])
    return _joined([layer_reader(Block(file, skip, layer, dtype, encoding)) for file in files])


def _joined(
    readers: Sequence[Callable[[int, int], NDArray]],
) -> Callable[[int, int], NDArray]:
    def read_layers(start: int, stop: int) -> NDArray:
        return np.concatenate([read(0, 1) for read in readers[start:stop]])

    return read_layers


def _files(path: Path, where: str, end: int) -> list[Path]:
    """Return the files of the voxels: the header's own, a list behind it, or a numbered pattern."""
    if where.upper() == "LOCAL":
        return [path]
    if where.upper().startswith("LIST"):
        if where.upper().split()[1:] not in ([], ["2"], ["2D"]):
            raise ValueError(
                f"{path}: ElementDataFile = {where} is not read; list one file a layer"
            )
        names = path.read_bytes()[end:].decode("utf-8", "replace").splitlines()
        return [_existing(path, name.strip()) for name in names if name.strip()]
    try:
        pattern, *numbers = where.split()
        first, last, step = (int(n) for n in [*numbers, "1"][:3])
        names = [pattern % number for number in range(first, last + 1, step)]
    except (TypeError, ValueError):
        # A single file may have spaces in its name.
        names = [where]
    return [_existing(path, name) for name in names]


def _existing(path: Path, name: str) -> Path:
    file = path.parent / name
    if not file.is_file():
        raise ValueError(
            f"{path} keeps its voxels in {name}, which is not beside it; copy it there"
        )
    return file


def _numbers(path: Path, header: dict[str, str], key: str, kind: type) -> list:
    try:
        values = [kind(word) for word in header[key.lower()].split()]
    except KeyError:
        raise ValueError(f"{path} has no {key} in its header; copy it again") from None
    except ValueError:
        values = []
    if not values:
        raise ValueError(
            f"{path}: {key} = {header[key.lower()]} cannot be understood; numbers are needed"
        )
    return values


def _true(header: dict[str, str], key: str, default: bool = False) -> bool:
    return header.get(key, str(default)).lower() in ("true", "1", "yes")
