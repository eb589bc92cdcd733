from __future__ import annotations

import struct

import mrcfile
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import microtwin as mt
from microtwin.imaging import open_volume
from volumes import VOXEL_SIZE, check_layers, numbered


def write(path, values, sizes=(2500, 4000, 5000)):
    with mrcfile.new(path, overwrite=True) as mrc:
        mrc.set_data(values)
        mrc.set_volume()
        mrc.voxel_size = sizes
    return path


def patch(path, offset, code, *values):
    content = bytearray(path.read_bytes())
    struct.pack_into(code, content, offset, *values)
    path.write_bytes(content)


@pytest.mark.parametrize("dtype", ["int8", "int16", "float32", "uint16"])
@pytest.mark.parametrize("name", ["a.mrc", "a.rec", "a.map"])
def test_modes_and_axis_order(tmp_path, dtype, name):
    values = numbered("uint8").astype(dtype) if dtype == "int8" else numbered(dtype)
    path = write(tmp_path / name, values)
    check_layers(path, values)
    assert open_volume(path).voxel_size == pytest.approx(VOXEL_SIZE, rel=1e-6)


def test_half_precision_is_read_as_single(tmp_path):
    check_layers(write(tmp_path / "a.mrc", numbered("float16")), numbered("float32"))


def test_big_endian(tmp_path):
    values = numbered("int16")
    path = write(tmp_path / "a.mrc", values)
    header = np.frombuffer(path.read_bytes()[:1024], mrcfile.dtypes.HEADER_DTYPE).copy()
    header["machst"] = [17, 17, 0, 0]
    swapped = header.byteswap()
    path.write_bytes(swapped.tobytes() + values.astype(">i2").tobytes())
    check_layers(path, values)
    assert open_volume(path).voxel_size == pytest.approx(VOXEL_SIZE, rel=1e-6)


def test_extended_header_is_passed_over(tmp_path):
    path = tmp_path / "a.mrc"
    with mrcfile.new(path) as mrc:
        mrc.set_extended_header(np.zeros(300, np.uint8))
        mrc.set_data(numbered())
        mrc.set_volume()
    check_layers(path, numbered())


def test_unsigned_bytes_of_imod(tmp_path):
    values = numbered("uint8")
    path = write(tmp_path / "a.rec", values.view(np.int8))
    check_layers(path, values.view(np.int8))
    patch(path, 152, "<ii", 1146047817, 0)
    check_layers(path, values)
    patch(path, 152, "<ii", 1146047817, 1)
    check_layers(path, values.view(np.int8))


def test_order_left_out_is_the_usual_one(tmp_path):
    path = write(tmp_path / "a.mrc", numbered())
    patch(path, 64, "<iii", 0, 0, 0)
    check_layers(path, numbered())


@pytest.mark.parametrize(
    ("offset", "code", "values", "match"),
    [
        (40, "<fff", (0, 0, 0), "no size of the cell"),
        (28, "<iii", (11, 7, 1), "stack of pictures without a distance"),
        (28, "<iii", (0, 0, 0), "no size of the cell"),
    ],
)
def test_header_without_voxel_size(tmp_path, offset, code, values, match):
    path = write(tmp_path / "a.mrc", numbered())
    patch(path, offset, code, *values)
    with pytest.raises(ValueError, match=match):
        mt.read_scan(path)
    assert np.array_equal(mt.read_scan(path, "1 nm").values, numbered())


@pytest.mark.parametrize(
    ("offset", "code", "values", "match"),
    [
        (64, "<iii", (3, 2, 1), r"axes in the order \(3, 2, 1\).*IMOD"),
        (12, "<i", (4,), r"mode 4 \(complex values\).*6 \(uint16\)"),
        (12, "<i", (16,), r"mode 16 \(colour\)"),
        (12, "<i", (101,), r"mode 101 \(half bytes\)"),
        (0, "<iii", (0, 0, 0), "not an MRC file"),
        (88, "<i", (401,), "stack of volumes, shape"),
    ],
)
def test_what_is_no_grey_volume(tmp_path, offset, code, values, match):
    path = write(tmp_path / "a.mrc", numbered())
    patch(path, offset, code, *values)
    with pytest.raises(ValueError, match=match):
        mt.read_scan(path, 1e-9)


@pytest.mark.parametrize("kept", [0.0, 0.3, 0.6, 0.99])
def test_truncated(tmp_path, kept):
    path = write(tmp_path / "a.mrc", numbered("float32"))
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(ValueError, match=r"a\.mrc (is truncated|cannot be read as MRC)"):
        mt.read_scan(path, 1e-9)


def test_no_mrc_at_all(tmp_path):
    (tmp_path / "a.map").write_bytes(b"a road map " * 200)
    with pytest.raises(ValueError, match=r"a\.map (is not an MRC file|has mode)"):
        mt.read_scan(tmp_path / "a.map", 1e-9)


def test_single_picture(tmp_path):
    with mrcfile.new(tmp_path / "a.mrc") as mrc:
        mrc.set_data(np.zeros((8, 9), np.int16))
    with pytest.raises(ValueError, match="single picture"):
        mt.read_scan(tmp_path / "a.mrc", 1e-9)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(
    st.tuples(*[st.integers(2, 6)] * 3),
    st.tuples(*[st.floats(1e-10, 1e-3)] * 3),
    st.sampled_from(["int8", "int16", "uint16", "float32"]),
)
def test_what_is_written_is_read(tmp_path, shape, voxel_size, dtype):
    values = np.random.default_rng(0).integers(0, 100, shape).astype(dtype)
    back = mt.read_scan(mt.write_scan(mt.Scan(values, voxel_size), tmp_path / "a.mrc"))
    assert back.values.dtype == dtype
    assert np.array_equal(back.values, values)
    # The header keeps single precision.
    assert back.voxel_size == pytest.approx(voxel_size, rel=1e-6)


def test_labels_are_widened_and_wide_types_refused(tmp_path):
    micro = mt.Microstructure(numbered("uint8"), 1e-9, {str(k): k for k in range(251)})
    path = mt.write_microstructure(micro, tmp_path / "a.mrc")
    back = mt.read_microstructure(path, phases=micro.phases)
    assert np.array_equal(back.labels, micro.labels)
    with pytest.raises(ValueError, match=r"MRC cannot hold voxels of int64"):
        mt.write_scan(mt.Scan(numbered("int64"), 1e-9), tmp_path / "b.mrc")
