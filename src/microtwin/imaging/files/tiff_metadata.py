"""What the tags of a TIFF file tell: whether it is whole, and the size of its voxels."""

from __future__ import annotations

import os
import struct
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from ...microstructure import VoxelSize
from ...units import metres

if TYPE_CHECKING:
    from tifffile import TiffFile

__all__ = ["check_whole", "voxel_size_of"]

# Names that ImageJ and its users give to units of length. Inches are left out on purpose: a
# resolution per inch is a default of printing and screen software, not a calibration.
_IMAGEJ_METRES = {
    "nm": 1e-9,
    "um": 1e-6,
    "\u00b5m": 1e-6,
    "\u03bcm": 1e-6,
    "\\u00b5m": 1e-6,
    "micron": 1e-6,
    "microns": 1e-6,
    "micrometer": 1e-6,
    "micrometre": 1e-6,
    "mm": 1e-3,
    "cm": 1e-2,
    "m": 1.0,
}

# Bytes of one value of each type of tag.
_TYPE_BYTES = {3: 2, 4: 4, 5: 8, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}


def check_whole(path: Path) -> None:
    """Follow the chain of page directories of a TIFF file to its end.

    Readers of TIFF stop quietly where the chain breaks off, so that a truncated copy of a stack
    would look like a shorter stack.

    Raises
    ------
    ValueError
        If the file is no TIFF, or if the chain leads out of the file.
    """
    with path.open("rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        head = stream.read(4)
        order = {b"II": "<", b"MM": ">"}.get(head[:2])
        version = struct.unpack(f"{order}H", head[2:])[0] if order and len(head) == 4 else None
        if version not in (42, 43):
            raise ValueError(f"{path} is not a TIFF file; its first bytes are {head!r}")
        truncated = ValueError(
            f"{path} is truncated: its list of pages breaks off after {size} bytes; copy it again"
        )
        try:
            _follow_chain(stream, size, order or "<", big=version == 43)
        except struct.error:
            raise truncated from None


def _follow_chain(stream: BinaryIO, size: int, order: str, big: bool) -> None:
    """Jump from page directory to page directory; `struct.error` tells that something is missing.

    A directory is a count, as many entries, and the offset of the next directory, 0 at the end.
    An entry is a tag, a type, a number of values, and the offset of the values where they do not
    fit in its place (TIFF 6.0, section 2; BigTIFF has wider numbers).
    """
    count_code, offset_code = ("Q", "Q") if big else ("H", "I")
    entry = struct.Struct(order + ("HHQQ" if big else "HHII"))
    inline = 8 if big else 4
    stream.seek(8 if big else 4)

    def number(code: str) -> int:
        code = order + code
        value: int = struct.unpack(code, stream.read(struct.calcsize(code)))[0]
        return value

    seen = set()
    offset = number(offset_code)
    while offset and offset not in seen:
        if offset >= size:
            raise struct.error("the next page directory lies beyond the end of the file")
        seen.add(offset)
        stream.seek(offset)
        entries = stream.read(number(count_code) * entry.size)
        for _tag, kind, count, place in entry.iter_unpack(entries):
            length = count * _TYPE_BYTES.get(kind, 1)
            if length > inline and place + length > size:
                raise struct.error("the values of a tag lie beyond the end of the file")
        offset = number(offset_code)


def voxel_size_of(tif: TiffFile) -> tuple[VoxelSize | None, str]:
    """Return the voxel size that the metadata of a TIFF file give.

    Parameters
    ----------
    tif : tifffile.TiffFile

    Returns
    -------
    voxel_size : 3 floats or None
        Edge lengths along (z, y, x) in metres; None unless all three are given.
    note : str
        What the file gives instead, empty if it gives all.
    """
    if tif.ome_metadata:
        return _ome_voxel_size(tif.ome_metadata)
    if tif.imagej_metadata:
        return _imagej_voxel_size(tif)
    return None, "a plain TIFF file does not tell it"


def _ome_voxel_size(description: str) -> tuple[VoxelSize | None, str]:
    pixels = ElementTree.fromstring(description).find(".//{*}Pixels")
    sizes = []
    for axis in "ZYX":
        value = None if pixels is None else pixels.get(f"PhysicalSize{axis}")
        if pixels is None or value is None:
            return None, f"the OME metadata hold no PhysicalSize{axis}"
        unit = pixels.get(f"PhysicalSize{axis}Unit", "\u00b5m")
        try:
            sizes.append(metres(f"{value} {unit}"))
        except ValueError:
            return None, f"the OME metadata give {value} {unit!r}, no length, along {axis.lower()}"
    return (sizes[0], sizes[1], sizes[2]), ""


def _imagej_voxel_size(tif: TiffFile) -> tuple[VoxelSize | None, str]:
    metadata = tif.imagej_metadata or {}
    tags = tif.pages.first.tags
    sizes: list[float] = []
    for axis, tag in (("y", "YResolution"), ("x", "XResolution")):
        unit = str(metadata.get(f"{axis}unit", metadata.get("unit", "")))
        scale = _IMAGEJ_METRES.get(unit.strip().lower())
        pixels, per = tags[tag].value if tag in tags else (0, 1)
        if scale is None or pixels == 0:
            given = f"the unit {unit!r}, which is no calibration" if unit.strip() else "no unit"
            return None, f"the ImageJ metadata give {given}"
        sizes.append(scale * per / pixels)
    unit = str(metadata.get("zunit", metadata.get("unit", "")))
    scale = _IMAGEJ_METRES.get(unit.strip().lower(), 0.0)
    depth = abs(float(metadata.get("spacing", 0.0))) * scale
    # ImageJ leaves out a spacing of one unit. That is only safe to believe when the layers then
    # are as thick as the pixels are wide.
    if "spacing" not in metadata and all(abs(size / scale - 1) < 1e-6 for size in sizes):
        depth = scale
    if not depth:
        plane = " x ".join(f"{1e9 * size:.4g}" for size in sizes)
        return None, f"the ImageJ metadata give {plane} nm in the plane but no distance of layers"
    return (depth, sizes[0], sizes[1]), ""
