from __future__ import annotations

import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import microtwin as mt
from microtwin.imaging import open_volume
from volumes import VOXEL_SIZE, check_layers, numbered

TYPES = {
    "MET_UCHAR": "uint8",
    "MET_CHAR": "int8",
    "MET_USHORT": "uint16",
    "MET_SHORT": "int16",
    "MET_UINT": "uint32",
    "MET_LONG": "int32",
    "MET_FLOAT": "float32",
    "MET_DOUBLE": "float64",
}
FIELDS = {
    "ObjectType": "Image",
    "NDims": "3",
    "DimSize": "11 7 5",
    "ElementType": "MET_USHORT",
    "ElementSpacing": "0.00025 0.0004 0.0005",
}


def write(path, fields, body=b"", where="LOCAL"):
    fields = {**FIELDS, **fields, "ElementDataFile": where}
    text = "".join(f"{key} = {value}\n" for key, value in fields.items() if value is not None)
    path.write_bytes(text.encode() + body)
    return path


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("msb", ["BinaryDataByteOrderMSB", "ElementByteOrderMSB", None])
@pytest.mark.parametrize("packed", [False, True])
def test_types_and_encodings(tmp_path, kind, msb, packed):
    values = numbered(TYPES[kind])
    body = values.astype(values.dtype.newbyteorder(">" if msb else "<")).tobytes()
    fields = {"ElementType": kind, "CompressedData": str(packed)}
    fields |= {msb: "True"} if msb else {}
    path = write(tmp_path / "a.mha", fields, zlib.compress(body) if packed else body)
    check_layers(path, values)
    # Millimetres where the file names no unit, the convention of ITK.
    assert open_volume(path).voxel_size == pytest.approx(VOXEL_SIZE)


def test_ascii(tmp_path):
    body = " ".join(map(str, numbered().ravel())).encode()
    check_layers(write(tmp_path / "a.mha", {"BinaryData": "False"}, body), numbered())


@pytest.mark.parametrize(
    "fields",
    [
        {"ElementSpacing": "0.25 0.4 0.5", "DistanceUnits": "um"},
        {"ElementSpacing": None, "ElementSize": "0.00025 0.0004 0.0005"},
        {"ElementSize": "9 9 9"},
        {"ElementSpacing": "0.000025 0.00004 0.00005", "DistanceUnits": "cm"},
        {"TransformMatrix": "1 0 0 0 1 0 0 0 1"},
        {"TransformMatrix": "-1 0 0 0 -1 0 0 0 1", "DistanceUnits": "?"},
    ],
)
def test_voxel_size(tmp_path, fields):
    path = write(tmp_path / "a.mha", fields, numbered().tobytes())
    assert open_volume(path).voxel_size == pytest.approx(VOXEL_SIZE)


@pytest.mark.parametrize(
    ("fields", "match"),
    [
        ({"ElementSpacing": None}, "gives no ElementSpacing"),
        ({"ElementSpacing": "1 1 1"}, "1 1 1 without DistanceUnits"),
        ({"ElementSpacing": "1 1"}, "not three lengths"),
        ({"ElementSpacing": "1 0 1"}, "not three positive lengths"),
    ],
)
def test_no_voxel_size_is_made_up(tmp_path, fields, match):
    path = write(tmp_path / "a.mha", fields, numbered().tobytes())
    with pytest.raises(ValueError, match=match):
        mt.read_scan(path)
    assert mt.read_scan(path, 1e-6).shape == (5, 7, 11)


@pytest.mark.parametrize("name", ["voxels.raw", "with a space.raw"])
@pytest.mark.parametrize("packed", [False, True])
def test_detached_file(tmp_path, name, packed):
    body = numbered().tobytes()
    (tmp_path / name).write_bytes(zlib.compress(body) if packed else body)
    path = write(tmp_path / "a.mhd", {"CompressedData": str(packed)}, where=name)
    check_layers(path, numbered())
    (tmp_path / name).unlink()
    with pytest.raises(ValueError, match=rf"voxels in {name}, which is not beside it"):
        mt.read_scan(path)


@pytest.mark.parametrize("header", [-1, 26])
def test_voxels_behind_a_foreign_header(tmp_path, header):
    (tmp_path / "voxels.raw").write_bytes(b"abcdefghijklmnopqrstuvwxyz" + numbered().tobytes())
    check_layers(write(tmp_path / "a.mhd", {"HeaderSize": header}, where="voxels.raw"), numbered())


@pytest.mark.parametrize(
    ("where", "body"),
    [
        ("LIST", b"z1.raw\nz2.raw\nz3.raw\nz4.raw\nz5.raw\n"),
        ("LIST 2D", b"z1.raw\nz2.raw\nz3.raw\nz4.raw\nz5.raw\n"),
        ("z%d.raw 1 5 1", b""),
        ("z%01d.raw 1 5", b""),
    ],
)
def test_one_file_per_layer(tmp_path, where, body):
    for k, layer in enumerate(numbered(), 1):
        (tmp_path / f"z{k}.raw").write_bytes(layer.tobytes())
    path = write(tmp_path / "a.mhd", {}, body, where)
    check_layers(path, numbered())
    (tmp_path / "z5.raw").write_bytes(b"short")
    with pytest.raises(ValueError, match=r"z5\.raw is truncated"):
        mt.read_scan(path)


def test_list_of_too_few_layers(tmp_path):
    for k in (1, 2):
        (tmp_path / f"z{k}.raw").write_bytes(bytes(154))
    path = write(tmp_path / "a.mhd", {}, b"z1.raw\nz2.raw\n", "LIST")
    with pytest.raises(ValueError, match="names 2 files for 5 layers"):
        mt.read_scan(path)


@pytest.mark.parametrize(
    ("fields", "match"),
    [
        ({"ElementNumberOfChannels": "3"}, "3 channels of MET_USHORT"),
        ({"ElementType": "MET_FLOAT_ARRAY"}, "channels of MET_FLOAT_ARRAY"),
        ({"ElementType": "MET_STRING"}, "'MET_STRING' is not known"),
        ({"NDims": "2", "DimSize": "11 35"}, r"2 dimension\(s\)"),
        ({"NDims": "4", "DimSize": "11 7 5 2"}, r"4 dimension\(s\)"),
        ({"DimSize": "eleven 7 5"}, "DimSize = eleven 7 5 cannot be understood"),
        ({"DimSize": None}, "no DimSize"),
        ({"HeaderSize": "-1", "CompressedData": "True"}, "HeaderSize = -1 is not allowed"),
        ({"TransformMatrix": "0 1 0 1 0 0 0 0 1"}, "turned against its axes"),
        ({"Orientation": "0.8 0.6 0 -0.6 0.8 0 0 0 1"}, "turned against its axes"),
    ],
)
def test_what_is_no_grey_volume(tmp_path, fields, match):
    path = write(tmp_path / "a.mha", fields, numbered().tobytes())
    with pytest.raises(ValueError, match=match):
        mt.read_scan(path)


@pytest.mark.parametrize("kept", [0.02, 0.4, 0.9])
@pytest.mark.parametrize("packed", [False, True])
def test_truncated(tmp_path, kept, packed):
    body = zlib.compress(numbered().tobytes()) if packed else numbered().tobytes()
    path = write(tmp_path / "a.mha", {"CompressedData": str(packed)}, body)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(ValueError, match=r"a\.mha (is truncated|is damaged|is not a whole)"):
        mt.read_scan(path)


def test_no_metaimage_at_all(tmp_path):
    for content in (b"", b"hello\n", bytes(5000)):
        (tmp_path / "a.mhd").write_bytes(content)
        with pytest.raises(ValueError, match="is not a whole MetaImage file"):
            mt.read_scan(tmp_path / "a.mhd")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(
    st.tuples(*[st.integers(2, 6)] * 3),
    st.tuples(*[st.floats(1e-9, 1e-2)] * 3),
    st.sampled_from(["uint8", "int8", "int16", "uint32", "int64", "float32", "float64"]),
)
def test_what_is_written_is_read(tmp_path, shape, voxel_size, dtype):
    values = np.random.default_rng(0).integers(0, 100, shape).astype(dtype)
    back = mt.read_scan(mt.write_scan(mt.Scan(values, voxel_size), tmp_path / "a.mha"))
    assert back.values.dtype == dtype
    assert np.array_equal(back.values, values)
    assert back.voxel_size == pytest.approx(voxel_size, rel=1e-12)


def test_what_is_not_written(tmp_path):
    with pytest.raises(ValueError, match=r"write \.mha, which is one file"):
        mt.write_scan(mt.Scan(numbered(), 1e-6), tmp_path / "a.mhd")
    with pytest.raises(ValueError, match="MetaImage cannot hold voxels of float16"):
        mt.write_scan(mt.Scan(numbered("float16"), 1e-6), tmp_path / "a.mha")
