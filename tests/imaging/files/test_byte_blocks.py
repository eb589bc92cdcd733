from __future__ import annotations

import bz2
import gzip
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from microtwin.imaging import StoredVolume, iter_slabs
from microtwin.imaging.files import byte_blocks
from microtwin.imaging.files.byte_blocks import Block, layer_reader

SHAPE = (200, 256, 256)


def runs(data):
    """Pack bytes as runs of equal ones, literal where they are alone."""
    packed = bytearray()
    values = np.frombuffer(data, np.uint8)
    starts = np.flatnonzero(np.diff(values, prepend=values[0] ^ 1))
    for start, stop in zip(starts, [*starts[1:], len(values)], strict=True):
        length = stop - start
        packed += bytes([127, values[start]]) * (length // 127)
        rest = length % 127
        packed += bytes([129, values[start]]) if rest == 1 else bytes([rest, values[start]])
    return bytes(packed)


PACKERS = {"gzip": gzip.compress, "bzip2": bz2.compress, "zlib": zlib.compress, "run-length": runs}


@pytest.mark.parametrize("encoding", PACKERS)
def test_one_pass_through_a_window(tmp_path, encoding, monkeypatch):
    # Long runs and ramps: packed to a small part, as labels are.
    values = np.repeat(np.arange(SHAPE[0], dtype=np.uint8), SHAPE[1] * SHAPE[2]).reshape(SHAPE)
    path = tmp_path / "a"
    path.write_bytes(b"head" + PACKERS[encoding](values.tobytes()))
    opened = []
    unpacking = byte_blocks._unpacking
    monkeypatch.setattr(byte_blocks, "_unpacking", lambda b: opened.append(b) or unpacking(b))
    block = Block(path, 4, SHAPE, np.dtype(np.uint8), encoding)
    volume = StoredVolume(path, SHAPE, block.dtype, layer_reader(block))
    tracemalloc.start()
    for start, stop, slab in iter_slabs(volume, 4, halo=1):
        assert np.array_equal(slab[start > 0 :][: stop - start], values[start:stop])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(opened) == 1
    # Of 13 MB never more than a few slabs of 0.4 MB and windows of 0.26 MB.
    assert peak < 4e6
    # Going back begins anew.
    assert np.array_equal(volume.read_layers(0, 2), values[:2])
    assert len(opened) == 2


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(st.binary(min_size=24, max_size=24), st.sampled_from(sorted(PACKERS)), st.integers(0, 3))
def test_any_bytes_are_unpacked(tmp_path, data, encoding, start):
    path = tmp_path / "a"
    path.write_bytes(PACKERS[encoding](data))
    block = Block(path, 0, (4, 3, 2), np.dtype(np.uint8), encoding)
    values = np.frombuffer(data, np.uint8).reshape(4, 3, 2)
    assert np.array_equal(layer_reader(block)(start, 4), values[start:])


@pytest.mark.parametrize("window", [1, 2, 3, 7])
def test_text_in_windows(tmp_path, window, monkeypatch):
    monkeypatch.setattr("microtwin.imaging.files.byte_blocks._WINDOW", window)
    (tmp_path / "a").write_text("1, 22\n333  4444\t55555,6\n\n7 8 -9 \n")
    block = Block(tmp_path / "a", 0, (3, 3, 1), np.dtype("<i4"), "ascii")
    values = [1, 22, 333, 4444, 55555, 6, 7, 8, -9]
    assert layer_reader(block)(0, 3).ravel().tolist() == values
    for text, match in [("1 2 3", "3 numbers are there and 9"), ("1 2 x", "cannot be read")]:
        (tmp_path / "a").write_text(text)
        with pytest.raises(ValueError, match=match):
            layer_reader(block)(0, 3)
