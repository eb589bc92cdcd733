"""Raw voxels without a header, described by a sidecar or by the name of the file."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from ...microstructure import VoxelSize
from ...units import metres
from .byte_blocks import Block, layer_reader
from .stored import StoredVolume

__all__ = ["SUFFIXES", "open_raw", "raw_sidecar"]

SUFFIXES = (".raw", ".bin", ".vol", ".dat")

_TYPES = (
    *("uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64"),
    *("float32", "float64"),
)
_KEYS = ("shape", "dtype", "byte_order", "header_bytes", "voxel_size", "axes", "phases")
_SIDECARS = (".yaml", ".yml", ".json")
_LARGEST_HEADER = 65536

_BITS = {"8bit": "uint8", "16bit": "uint16"}
_NAMED = re.compile(
    r"(?:^|[_\-. ])(\d+)x(\d+)x(\d+)[_\-. ](8bit|16bit|u?int(?:8|16|32)|float(?:32|64))"
    r"(?:[_\-. ](le|be))?(?=$|[_\-. ])",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class _Layout:
    """What a sidecar or a name tells; shape and axes as stored, slowest first."""

    shape: tuple[int, int, int]
    dtype: np.dtype
    header_bytes: int = 0
    axes: str = "zyx"
    voxel_size: VoxelSize | None = None
    phases: Mapping[str, int] | None = None


def open_raw(path: Path) -> StoredVolume:
    """Look into a file of raw voxels.

    Parameters
    ----------
    path : Path
        Beside it lies a sidecar of the same name ending in ``.yaml``, ``.yml`` or ``.json`` (in
        place of the ending, or after it), see `raw_sidecar`. Without one, the name of the file
        must tell the layout: ``<nx>x<ny>x<nz>_<type>``, as in ``rock_256x256x100_8bit.raw`` and
        ``rock_512x512x300_uint16_be.raw``. The lengths are along x (fastest), y, z (slowest); the
        type is ``8bit`` (uint8), ``16bit`` (uint16) or the NumPy name of an integer of 8 to 32
        bits or of a float; ``_be`` tells big-endian bytes, ``_le`` or nothing little-endian.

    Returns
    -------
    StoredVolume
        Mapped, so that layers are read alone.

    Raises
    ------
    ValueError
        If nothing tells the layout, with the sidecar to write; if the sidecar is wrong; if the
        file does not hold as many bytes as the layout says, with what would fit.
    """
    sidecar = _sidecar_of(path)
    layout = _from_name(path) if sidecar is None else _from_sidecar(sidecar)
    _check_size(path, layout, sidecar)
    axes = [layout.axes.index(letter) for letter in "zyx"]
    depth, height, width = (layout.shape[axis] for axis in axes)
    block = Block(path, layout.header_bytes, layout.shape, layout.dtype)
    told = f"{sidecar.name} has no voxel_size" if sidecar else "the name of a file does not tell it"
    return StoredVolume(
        path,
        (depth, height, width),
        layout.dtype.newbyteorder("="),
        layer_reader(block, axes),
        layout.voxel_size,
        layout.phases,
        told,
        companions=() if sidecar is None else (sidecar,),
    )


def raw_sidecar(path: str | Path) -> str:
    """Return a sidecar for a file of raw voxels, to be filled in and saved beside it.

    Parameters
    ----------
    path : str or Path
        The file of voxels.

    Returns
    -------
    str
        YAML text; the comments tell what is allowed.
    """
    path = Path(path)
    return (
        f"# save as {path.with_suffix('.yaml').name} beside {path.name}\n"
        "shape: [100, 256, 256]  # (z, y, x), slowest first\n"
        f"dtype: uint8  # or {', '.join(_TYPES[1:])}\n"
        "byte_order: little  # or big; needed for more than one byte per voxel\n"
        "header_bytes: 0  # left out at the beginning of the file\n"
        "voxel_size: 398 nm  # or metres, or three of them along (z, y, x)\n"
        "axes: zyx  # order of shape, slowest first; may be left out\n"
        "# phases: {pore: 0, active: 1}  # names of the labels, if it is a label image\n"
    )


def _sidecar_of(path: Path) -> Path | None:
    places = [path.with_suffix(suffix) for suffix in _SIDECARS]
    places += [path.with_name(path.name + suffix) for suffix in _SIDECARS]
    return next((place for place in places if place.is_file()), None)


def _from_name(path: Path) -> _Layout:
    found = _NAMED.search(path.stem)
    if not found:
        raise ValueError(
            f"{path} does not tell its layout; write beside it {path.with_suffix('.yaml').name} "
            "with 'shape: [100, 256, 256]' (z, y, x), 'dtype: uint8', 'byte_order: little' and "
            "'voxel_size: 398 nm', or name it like rock_256x256x100_8bit.raw (x, y, z)"
        )
    nx, ny, nz = (int(n) for n in found.group(1, 2, 3))
    kind = found[4].lower()
    dtype = np.dtype(_BITS.get(kind, kind))
    big = (found[5] or "").lower() == "be"
    return _Layout((nz, ny, nx), dtype.newbyteorder(">" if big else "<"))


def _from_sidecar(sidecar: Path) -> _Layout:
    content = _loaded(sidecar)
    unknown = [str(key) for key in content if key not in _KEYS]
    missing = [key for key in ("shape", "dtype") if key not in content]
    if unknown or missing:
        wrong = f"unknown {', '.join(unknown)}" if unknown else f"no {', '.join(missing)}"
        raise ValueError(f"{sidecar} has {wrong}; its keys are {', '.join(_KEYS)}")
    shape = content["shape"]
    whole = isinstance(shape, list) and all(type(n) is int and n > 0 for n in shape)
    if not whole or len(shape) != 3:
        raise ValueError(
            f"{sidecar}: shape {shape!r} is not allowed; give three positive whole numbers in the "
            "order (z, y, x), slowest first"
        )
    order = content.get("byte_order")
    width = np.dtype(content["dtype"]).itemsize if content["dtype"] in _TYPES else None
    if width is None:
        raise ValueError(
            f"{sidecar}: dtype {content['dtype']!r} is not allowed; use one of {', '.join(_TYPES)}"
        )
    if order not in ("little", "big") and (order is not None or width > 1):
        raise ValueError(
            f"{sidecar}: byte_order {order!r} is not allowed; voxels of {width} bytes need "
            "'little' or 'big'"
        )
    header = content.get("header_bytes", 0)
    if type(header) is not int or header < 0:
        raise ValueError(
            f"{sidecar}: header_bytes {header!r} is not allowed; use a whole number from 0 on"
        )
    axes = str(content.get("axes", "zyx")).lower()
    if sorted(axes) != ["x", "y", "z"]:
        raise ValueError(
            f"{sidecar}: axes {content['axes']!r} is not allowed; use the letters z, y, x, "
            "slowest first"
        )
    dtype = np.dtype(content["dtype"]).newbyteorder(">" if order == "big" else "<")
    voxel_size = _checked_size(sidecar, content.get("voxel_size"))
    phases = content.get("phases")
    if phases is not None and not (
        isinstance(phases, dict)
        and all(isinstance(k, str) and type(v) is int for k, v in phases.items())
    ):
        raise ValueError(
            f"{sidecar}: phases {phases!r} is not allowed; give names and labels, "
            "{pore: 0, active: 1}"
        )
    return _Layout((shape[0], shape[1], shape[2]), dtype, header, axes, voxel_size, phases)


def _loaded(sidecar: Path) -> dict[str, Any]:
    from ruamel.yaml import YAML, YAMLError

    try:
        text = sidecar.read_text(encoding="utf-8")
        if sidecar.suffix.lower() == ".json":
            content = json.loads(text)
        else:
            content = YAML(typ="safe", pure=True).load(text)
    except (ValueError, YAMLError) as error:
        first = str(error).splitlines()[0]
        raise ValueError(f"{sidecar} cannot be read ({first}); check its syntax") from None
    if not isinstance(content, dict):
        raise ValueError(f"{sidecar} is not a list of keys and values; its keys are {_KEYS}")
    return content


def _checked_size(sidecar: Path, given: Any) -> VoxelSize | None:
    if given is None:
        return None
    try:
        size = metres(given)
    except ValueError as error:
        raise ValueError(f"{sidecar}: {error}") from None
    sizes = (size,) * 3 if isinstance(size, float) else tuple(size)
    if len(sizes) != 3 or min(sizes) <= 0:
        raise ValueError(
            f"{sidecar}: voxel_size {given!r} is not allowed; give one positive length or three "
            "along (z, y, x)"
        )
    return (sizes[0], sizes[1], sizes[2])


def _check_size(path: Path, layout: _Layout, sidecar: Path | None) -> None:
    found = path.stat().st_size
    voxels = prod(layout.shape)
    needed = layout.header_bytes + voxels * layout.dtype.itemsize
    if found == needed:
        return
    told = sidecar.name if sidecar else "its name"
    shape = " x ".join(map(str, layout.shape))
    fit = _what_fits(found, layout)
    raise ValueError(
        f"{path} has {found} bytes and {told} tells {needed}, {shape} voxels of "
        f"{layout.dtype.name} after {layout.header_bytes} bytes; "
        f"{fit or 'correct the layout or copy the file again'}"
    )


def _what_fits(found: int, layout: _Layout) -> str:
    """Return a layout near the given one that has the right number of bytes."""
    room = found - layout.header_bytes
    voxels = prod(layout.shape)
    fitting = [name for name in _TYPES if room == voxels * np.dtype(name).itemsize]
    if fitting:
        return f"it would fit dtype {' or '.join(fitting)}"
    layer = voxels // layout.shape[0] * layout.dtype.itemsize
    if room > 0 and room % layer == 0:
        return f"it would fit {room // layer} along the slowest axis instead of {layout.shape[0]}"
    header = found - voxels * layout.dtype.itemsize
    if 0 < header <= _LARGEST_HEADER:
        return f"it would fit header_bytes {header}"
    return ""
