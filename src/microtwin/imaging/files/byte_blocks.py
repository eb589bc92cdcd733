"""Blocks of voxels inside a file, plain or compressed: what formats with a text header point to.

A plain block is mapped, so that any layers are read without the others. A compressed one can only
be read from its beginning; it is unpacked through a small window and the place is kept, so that
slab after slab costs one pass through the file and never the memory of the whole.
"""

from __future__ import annotations

import bz2
import gzip
import io
import zlib
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from math import prod
from pathlib import Path
from typing import IO, Literal

import numpy as np
from numpy.typing import NDArray

from .stored import take_layers

__all__ = ["Block", "Encoding", "layer_reader", "writable"]

Encoding = Literal["raw", "ascii", "hex", "gzip", "bzip2", "zlib", "run-length"]

_WINDOW = 1 << 18


@dataclass(frozen=True)
class Block:
    """Where the voxels of a volume lie in a file, and how.

    Parameters
    ----------
    path : Path
    offset : int
        Bytes before the block; negative counts from the end of the file: the block ends there.
    shape : 3 ints
        Voxels along the axes as stored, slowest first.
    dtype : numpy dtype
        Type of one voxel, with its byte order.
    encoding : str
        ``raw``; ``ascii`` and ``hex``: numbers or bytes as text; ``gzip``, ``bzip2``, ``zlib``;
        ``run-length``: a byte n below 128 repeats the next byte n times, n of 128 and above is
        followed by n - 128 bytes that stand for themselves.
    skip : int
        Bytes to leave out after unpacking.
    """

    path: Path
    offset: int
    shape: tuple[int, int, int]
    dtype: np.dtype
    encoding: Encoding = "raw"
    skip: int = 0

    @property
    def nbytes(self) -> int:
        """Bytes of the voxels, unpacked."""
        return prod(self.shape) * self.dtype.itemsize


def layer_reader(block: Block, axes: Sequence[int] = (0, 1, 2)) -> Callable[[int, int], NDArray]:
    """Return a function that reads some layers of a block.

    Parameters
    ----------
    block : Block
    axes : 3 ints, optional
        Which stored axis is z, y and x; other than in this order for raw blocks only.

    Returns
    -------
    callable
        ``read_layers(start, stop)`` as `StoredVolume` has it. Text is parsed as a whole at the
        first call and kept. Of a compressed block the place is kept, so that it may only be read
        by one thread at a time.

    Raises
    ------
    ValueError
        If the file is shorter than a raw block. The function raises if a compressed block is
        truncated or damaged.
    """
    if block.encoding == "raw":
        return _mapped(block, axes)
    if block.encoding in ("ascii", "hex"):
        return _parsed(block)
    return _unpacked(block)


def writable(
    path: Path, volume: NDArray, suffix: str, types: Collection[str], name: str
) -> NDArray:
    """Return a volume as a format of one file can hold it: logical values as bytes.

    Parameters
    ----------
    path : Path
    volume : ndarray, shape (nz, ny, nx)
    suffix : str
        Ending of files that hold header and voxels.
    types : collection of str
        NumPy names of the types of voxels that the format has.
    name : str
        Of the format, for the messages.

    Raises
    ------
    ValueError
        If the ending means a header without voxels, or the format has no such type.
    """
    if path.suffix.lower() != suffix:
        raise ValueError(
            f"{path} would be a header without voxels; write {suffix}, which is one file"
        )
    if volume.dtype == bool:
        volume = volume.view(np.uint8)
    if volume.dtype.name not in types:
        raise ValueError(
            f"{name} cannot hold voxels of {volume.dtype}; convert them to one of "
            f"{', '.join(types)}"
        )
    return volume


def _mapped(block: Block, axes: Sequence[int]) -> Callable[[int, int], NDArray]:
    size = block.path.stat().st_size
    offset = block.offset if block.offset >= 0 else size - block.nbytes
    if offset < 0 or offset + block.nbytes > size:
        raise ValueError(
            f"{block.path} is truncated: {max(size - max(offset, 0), 0)} bytes of voxels are there "
            f"and {block.nbytes} are needed; copy it again"
        )

    def read_layers(start: int, stop: int) -> NDArray:
        stored = np.memmap(block.path, block.dtype, "r", offset, block.shape)
        return take_layers(stored, axes, start, stop)

    return read_layers


def _parsed(block: Block) -> Callable[[int, int], NDArray]:
    native = block.dtype.newbyteorder("=")
    count = prod(block.shape)

    @cache
    def whole() -> NDArray:
        try:
            with block.path.open("rb") as stream:
                stream.seek(block.offset)
                if block.encoding == "hex":
                    digits = stream.read().decode("ascii")
                    values = np.frombuffer(bytes.fromhex(digits), block.dtype)
                else:
                    values = np.fromiter(_numbers(stream, native), native, count=-1)
        except (ValueError, OverflowError) as error:
            raise ValueError(
                f"{block.path} is damaged: its numbers cannot be read ({error}); copy it again"
            ) from None
        if len(values) < count:
            raise ValueError(
                f"{block.path} is truncated: {len(values)} numbers are there and {count} are "
                "needed; copy it again"
            )
        return values[:count].astype(native, copy=False).reshape(block.shape)

    def read_layers(start: int, stop: int) -> NDArray:
        return whole()[start:stop].copy()

    return read_layers


def _numbers(stream: IO[bytes], dtype: np.dtype) -> Iterator[float]:
    """Yield the numbers of a text, window by window: all words at once would fill the memory."""
    kind = float if dtype.kind == "f" else int
    rest = b""
    while window := stream.read(_WINDOW):
        # The last word may go on in the next window.
        *words, rest = (rest + window).replace(b",", b" ").split(b" ")
        yield from (kind(word) for part in words for word in part.split())
    yield from (kind(word) for word in rest.split())


def _unpacked(block: Block) -> Callable[[int, int], NDArray]:
    pass_through = _Pass(block)
    layer = block.shape[1] * block.shape[2]

    def read_layers(start: int, stop: int) -> NDArray:
        size = layer * block.dtype.itemsize
        data = pass_through.read(block.skip + start * size, (stop - start) * size)
        values = np.frombuffer(data, block.dtype).reshape(-1, *block.shape[1:])
        return values.astype(block.dtype.newbyteorder("="), copy=False)

    return read_layers


@dataclass
class _Pass:
    """One pass through a compressed block, begun anew only to go back."""

    block: Block
    stream: IO[bytes] | None = None
    place: int = 0

    def read(self, offset: int, count: int) -> bytearray:
        """Return `count` unpacked bytes from `offset` on."""
        if self.stream is None or offset < self.place:
            self.close()
            self.stream = _unpacking(self.block)
        try:
            while self.place < offset:
                self._take(min(_WINDOW, offset - self.place))
            data = bytearray(count)
            filled = 0
            while filled < count:
                part = self._take(min(_WINDOW, count - filled))
                data[filled : filled + len(part)] = part
                filled += len(part)
        except (zlib.error, EOFError, OSError) as error:
            self.close()
            raise ValueError(
                f"{self.block.path} is damaged: its voxels cannot be unpacked ({error}); copy it "
                "again"
            ) from None
        return data

    def close(self) -> None:
        if self.stream is not None:
            self.stream.close()
        self.stream, self.place = None, 0

    def _take(self, count: int) -> bytes:
        assert self.stream is not None
        part = self.stream.read(count)
        if not part:
            raise EOFError(f"they end after {self.place} bytes")
        self.place += len(part)
        return part


def _unpacking(block: Block) -> IO[bytes]:
    """Return a stream of the unpacked bytes of a block."""
    packed = block.path.open("rb")
    packed.seek(block.offset)
    parts = {
        "gzip": _unzipped,
        "bzip2": _unzipped2,
        "zlib": _inflated,
        "run-length": _repeated,
    }[block.encoding]
    return io.BufferedReader(_Parts(parts(packed)), _WINDOW)


class _Parts(io.RawIOBase):
    """A readable stream of byte strings that are made as they are needed."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts = parts
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        while not self._rest:
            part = next(self._parts, None)
            if part is None:
                return 0
            self._rest = memoryview(part)
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


def _unzipped(packed: IO[bytes]) -> Iterator[bytes]:
    with packed, gzip.GzipFile(fileobj=packed) as stream:
        while part := stream.read(_WINDOW):
            yield part


def _unzipped2(packed: IO[bytes]) -> Iterator[bytes]:
    with packed, bz2.BZ2File(packed) as stream:
        while part := stream.read(_WINDOW):
            yield part


def _inflated(packed: IO[bytes]) -> Iterator[bytes]:
    """Unpack a zlib stream in parts of bounded size, however well it is packed."""
    with packed:
        machine = zlib.decompressobj()
        while not machine.eof and (window := packed.read(_WINDOW)):
            while window and not machine.eof:
                yield machine.decompress(window, _WINDOW)
                window = machine.unconsumed_tail


def _repeated(packed: IO[bytes]) -> Iterator[bytes]:
    """Unpack runs of bytes, see `Block`, in parts of about the size of the window."""
    with packed:
        part = bytearray()
        while head := packed.read(1):
            count = head[0] & 127
            part += packed.read(count) if head[0] & 128 else packed.read(1) * count
            if len(part) >= _WINDOW:
                yield bytes(part)
                part.clear()
        yield bytes(part)
