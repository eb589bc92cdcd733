"""TIFF files and folders of TIFF files: stacks, ImageJ, OME and BigTIFF."""

from __future__ import annotations

import re
import struct
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...microstructure import VoxelSize
from .axis_tags import letters_of
from .containers import Candidate, choose, map_axes, maps_of
from .stored import StoredMaps, StoredVolume, take_layers
from .tiff_metadata import check_whole, voxel_size_of

if TYPE_CHECKING:
    from tifffile import TiffFile, TiffPageSeries

__all__ = ["SUFFIXES", "open_tiff", "open_tiff_folder", "open_tiff_maps", "write_tiff"]

SUFFIXES = (".tif", ".tiff")

_IMAGEJ_TYPES = ("uint8", "uint16", "float32")
_OME_TYPES = (*_IMAGEJ_TYPES, "int8", "int16", "int32", "uint32", "float64")
# Offsets in a classic TIFF have 32 bits; the rest is room for the tags.
_CLASSIC_LIMIT = 2**32 - 2**25


def open_tiff(path: Path) -> StoredVolume:
    """Look into a TIFF file that holds a volume.

    Parameters
    ----------
    path : Path
        A stack with one page per layer: plain, ImageJ, OME or BigTIFF.

    Returns
    -------
    StoredVolume
        With the voxel size, if ImageJ or OME metadata give it along all three axes.

    Raises
    ------
    ValueError
        If the file is no TIFF or truncated; holds colour, several channels or times, pages of
        different sizes, or a single page.
    """
    with _opened(path) as tif:
        series = _only_series(tif, path)
        shape = tuple(n for n in series.shape if n > 1)
        # Three axes are always taken as a volume: programs that know of no z axis call the layers
        # channels, times or just pages.
        if len(shape) > 3:
            raise ValueError(
                f"{path} has the axes {series.axes} of {series.shape} elements; save one channel "
                "and one time as a stack of its own"
            )
        if len(shape) < 3:
            raise ValueError(
                f"{path} holds a single picture of shape {series.shape}; a volume is a TIFF with "
                "one page per layer, or a folder of single pictures"
            )
        voxel_size, note = voxel_size_of(tif)
        dtype = series.dtype.newbyteorder("=")
        companions = _companions(series, path)
    whole = (shape[0], shape[1], shape[2])

    def read_layers(start: int, stop: int) -> NDArray:
        with _opened(path) as tif:
            return _layers(tif, whole, start, stop)

    return StoredVolume(
        path,
        whole,
        dtype,
        read_layers,
        voxel_size,
        voxel_size_note=note,
        companions=companions,
    )


def open_tiff_maps(path: Path, count: int) -> StoredMaps:
    """Look into a TIFF file that holds one map of numbers for each phase.

    Parameters
    ----------
    path : Path
        A stack with several channels, as pages of their own or as the samples of each pixel.
    count : int
        Number of phases; tells which axis is the channel where the file does not name its axes.

    Returns
    -------
    StoredMaps
        With the voxel size as `open_tiff` finds it.

    Raises
    ------
    ValueError
        If the file is no TIFF or truncated, or holds no such stack.
    """
    with _opened(path) as tif:
        series = _only_series(tif, path, colour=True)
        name, dtype = path.name, series.dtype.newbyteorder("=")
        letters = _letters(series)
        voxel_size, note = voxel_size_of(tif)
        candidate = Candidate(name, series.shape, dtype, series, letters)
        choose(path, [candidate], None, wanted=maps_of(count))
        axes = map_axes(candidate, count) or ()
    depth, channels, height, width = (candidate.shape[axis] for axis in axes)

    def read_layers(start: int, stop: int) -> NDArray:
        import zarr

        with _opened(path) as tif, tif.series[0].aszarr() as store:
            return take_layers(zarr.open_array(store, mode="r"), axes, start, stop)

    shape = (depth, height, width)
    return StoredMaps(path, channels, shape, dtype, read_layers, voxel_size, note)


def open_tiff_folder(folder: Path) -> StoredVolume:
    """Look into a folder of TIFF files that each hold one layer of a volume.

    Parameters
    ----------
    folder : Path
        The layers are the files whose names end in .tif or .tiff, in natural order: slice2
        before slice10.

    Returns
    -------
    StoredVolume
        With the voxel size, if the first file gives it along all three axes.

    Raises
    ------
    ValueError
        If there are fewer than two TIFF files; if their sizes or types differ; if one is no
        TIFF, truncated, in colour or itself a stack.
    """
    files = sorted((f for f in folder.iterdir() if f.suffix.lower() in SUFFIXES), key=_natural)
    if len(files) < 2:
        count = "one TIFF file" if files else "no TIFF file"
        raise ValueError(
            f"folder {folder} holds {count}; a volume needs one file per layer, ending in .tif"
        )
    looks: Counter[tuple[tuple[int, ...], np.dtype]] = Counter()
    for file in files:
        with _opened(file) as tif:
            series = _only_series(tif, file)
            if series.ndim != 2:
                raise ValueError(
                    f"{file} has shape {series.shape}; each file of a folder holds one 2-D layer "
                    "(read a stack by the name of its file)"
                )
            looks[series.shape, series.dtype.newbyteorder("=")] += 1
            if file is files[0]:
                voxel_size, note = voxel_size_of(tif)
    if len(looks) > 1:
        found = ", ".join(f"{n} of {s[0]} x {s[1]} {t}" for (s, t), n in looks.most_common())
        raise ValueError(f"the layers in folder {folder} differ: {found}; make them equal")
    (layer_shape, dtype) = next(iter(looks))

    def read_layers(start: int, stop: int) -> NDArray:
        layers = np.empty((stop - start, *layer_shape), dtype)
        for layer, file in zip(layers, files[start:stop], strict=True):
            with _opened(file) as tif:
                layer[:] = tif.series[0].asarray()
        return layers

    shape = (len(files), layer_shape[0], layer_shape[1])
    return StoredVolume(folder, shape, dtype, read_layers, voxel_size, voxel_size_note=note)


def write_tiff(path: Path, volume: NDArray, voxel_size: VoxelSize) -> None:
    """Write a volume as a deflate-compressed TIFF with its voxel size.

    Parameters
    ----------
    path : Path
    volume : ndarray, shape (nz, ny, nx)
        8-bit, 16-bit unsigned and 32-bit float volumes below 4 GB become ImageJ stacks; other
        types and larger volumes become OME-TIFF, as BigTIFF where needed.
    voxel_size : 3 floats
        Edge lengths of a voxel along (z, y, x) in metres.

    Raises
    ------
    ValueError
        If TIFF cannot hold voxels of this type.
    """
    import tifffile

    if volume.dtype == bool:
        volume = volume.view(np.uint8)
    if volume.dtype.name not in _OME_TYPES:
        raise ValueError(
            f"TIFF cannot hold voxels of {volume.dtype}; write .npy or .h5, or convert them to "
            f"one of {', '.join(_OME_TYPES)}"
        )
    depth, height, width = (h / 1e-6 for h in voxel_size)
    big = volume.nbytes > _CLASSIC_LIMIT
    imagej = volume.dtype.name in _IMAGEJ_TYPES and not big
    metadata: dict[str, object] = {"axes": "ZYX"}
    if imagej:
        metadata |= {"spacing": depth, "unit": "um"}
    else:
        for axis, size in zip("ZYX", (depth, height, width), strict=True):
            metadata |= {f"PhysicalSize{axis}": size, f"PhysicalSize{axis}Unit": "\u00b5m"}
    tifffile.imwrite(
        path,
        volume,
        imagej=imagej,
        ome=not imagej,
        bigtiff=big,
        compression="zlib",
        resolution=(1 / width, 1 / height),
        metadata=metadata,
    )


@contextmanager
def _opened(path: Path) -> Iterator[TiffFile]:
    """Open a TIFF file; what goes wrong in the library meanwhile is told in one sentence."""
    import tifffile

    check_whole(path)
    try:
        with tifffile.TiffFile(path) as tif:
            yield tif
    except (tifffile.TiffFileError, zlib.error, struct.error, RuntimeError) as error:
        raise ValueError(f"{path} is a damaged TIFF file ({error}); copy it again") from None
    except (KeyError, ValueError) as error:
        codec = re.search(r"COMPRESSION\.(\w+).*imagecodecs", str(error))
        if not codec:
            raise
        raise ValueError(
            f"{path} is compressed with {codec[1]}, which needs an extra: "
            'pip install "microtwin[codecs]"'
        ) from None


def _only_series(tif: TiffFile, path: Path, colour: bool = False) -> TiffPageSeries:
    """Return the one series of equal pages in a file whose voxels are all there."""
    if len(tif.series) != 1:
        shapes = Counter(page.shape for page in tif.pages)
        found = ", ".join(f"{n} of {' x '.join(map(str, s))}" for s, n in shapes.most_common())
        raise ValueError(
            f"{path} holds several images, with pages {found}; save one stack of equal pages"
        )
    series = tif.series[0]
    if "S" in series.axes and not colour:
        raise ValueError(
            f"{path} is a colour image, shape {series.shape}; save it as grey scale or labels, "
            "one number per voxel"
        )
    ends = [
        offset + count
        for page in series.pages
        if page is not None
        for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True)
    ]
    if series.dataoffset is not None:
        ends.append(series.dataoffset + series.nbytes)
    declared = (tif.imagej_metadata or {}).get("images", 1)
    if max(ends) > path.stat().st_size or declared > np.prod(series.shape[:-2]):
        raise ValueError(f"{path} is truncated: voxels are missing at its end; copy it again")
    return series


def _companions(series: TiffPageSeries, path: Path) -> tuple[Path, ...]:
    """Return the other files of an OME image that is spread over several."""
    files = {Path(page.parent.filehandle.path) for page in series.pages if page is not None}
    return tuple(sorted(file for file in files if file.resolve() != path.resolve()))


def _letters(series: TiffPageSeries) -> str | None:
    """Return the letters of the axes, with the samples of a pixel as channels."""
    letters = series.axes.lower().replace("s", "c")
    unknown = [letter for letter in letters if letter not in "tczyx"]
    if len(unknown) == 1 and not {"z", "t"} & set(letters):
        # Pages of which the file does not say what they are.
        letters = letters.replace(unknown[0], "z")
    return letters_of({"axes": letters}, series.ndim)


def _layers(tif: TiffFile, shape: tuple[int, int, int], start: int, stop: int) -> NDArray:
    """Return some layers of the volume, without reading the others where the file allows it."""
    series = tif.series[0]
    whole = (start, stop) == (0, shape[0])
    if series.dataoffset is not None and not whole:
        dtype = series.dtype.newbyteorder(tif.byteorder)
        layer = shape[1] * shape[2]
        skipped = series.dataoffset + start * layer * dtype.itemsize
        count = (stop - start) * layer
        values = np.fromfile(tif.filehandle.path, dtype, count, offset=skipped)
        return values.reshape(-1, *shape[1:]).astype(dtype.newbyteorder("="), copy=False)
    if len(series.pages) == shape[0] and not whole:
        return tif.asarray(key=range(start, stop), series=0).reshape(-1, *shape[1:])
    return series.asarray().reshape(shape)[start:stop]


def _natural(file: Path) -> list[tuple[int, str]]:
    """Return a key that sorts numbers in names by their value."""
    parts = re.split(r"(\d+)", file.name)
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]
