from __future__ import annotations

import bz2
import gzip

import nrrd
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import microtwin as mt
from microtwin.imaging import open_volume
from volumes import VOXEL_SIZE, check_layers, numbered

CALIBRATED = 'spacings: 0.25 0.4 0.5\nunits: "um" "um" "um"\n'


def write(path, values, fields="", encoding="raw", packed=None, kind=None):
    """Write a file by hand: header, empty line, voxels with x fastest."""
    sizes = " ".join(map(str, reversed(values.shape)))
    endian = "big" if values.dtype.byteorder == ">" else "little"
    header = (
        f"NRRD0004\n# by hand\ntype: {kind or values.dtype.name}\ndimension: {values.ndim}\n"
        f"sizes: {sizes}\nencoding: {encoding}\nendian: {endian}\n{fields}\n"
    )
    body = values.tobytes() if packed is None else packed(values)
    path.write_bytes(header.encode() + body)
    return path


PACKERS = {
    "raw": lambda values: values.tobytes(),
    "gzip": lambda values: gzip.compress(values.tobytes()),
    "gz": lambda values: (
        gzip.compress(values.tobytes()[:99]) + gzip.compress(values.tobytes()[99:])
    ),
    "bzip2": lambda values: bz2.compress(values.tobytes()),
    "ascii": lambda values: " ".join(map(str, values.ravel())).encode(),
    "hex": lambda values: values.tobytes().hex().encode(),
}


@pytest.mark.parametrize("encoding", PACKERS)
@pytest.mark.parametrize("dtype", ["uint8", "<u2", ">u2", ">f4", "<f8", "<i4"])
def test_encodings_and_types(tmp_path, encoding, dtype):
    stored = numbered(np.dtype(dtype).newbyteorder("=").name).astype(dtype)
    path = write(tmp_path / "a.nrrd", stored, CALIBRATED, encoding, PACKERS[encoding])
    check_layers(path, stored.astype(stored.dtype.newbyteorder("=")))
    assert open_volume(path).voxel_size == pytest.approx(VOXEL_SIZE)


@pytest.mark.parametrize(
    ("kind", "dtype"),
    [("unsigned char", "uint8"), ("short int", "int16"), ("ushort", "uint16"), ("double", "f8")],
)
def test_names_of_types(tmp_path, kind, dtype):
    check_layers(write(tmp_path / "a.nrrd", numbered(dtype), kind=kind), numbered(dtype))


@pytest.mark.parametrize(
    "fields",
    [
        CALIBRATED,
        'spacings: 250 400 0.5\nunits: "nm" "nm" "\u00b5m"\n',
        'space dimension: 3\nspace units: "um" "um" "um"\n'
        "space directions: (0.25,0,0) (0,0.4,0) (0,0,0.5)\n",
        'space: left-posterior-superior\nspace units: "mm" "mm" "mm"\n'
        "space directions: (-0.00025,0,0) (0,-0.0004,0) (0,0,0.0005)\n",
        'space dimension: 3\nspace units: "\u00b5m" "\u00b5m" "\u00b5m"\n'
        "space directions: (0.25,0,0) (0,0.4,0) (0,0,0.5)\n",
    ],
)
def test_voxel_size(tmp_path, fields):
    path = write(tmp_path / "a.nrrd", numbered(), fields)
    assert open_volume(path).voxel_size == pytest.approx(VOXEL_SIZE)


@pytest.mark.parametrize(
    ("fields", "match"),
    [
        ("", "gives no spacings"),
        ("spacings: 0.25 0.4 0.5\n", r"0\.5 x 0\.4 x 0\.25 along .* without a unit"),
        ('spacings: 0.25 0.4 nan\nunits: "um" "um" "um"\n', "not three positive lengths"),
        ('spacings: 1 1 1\nunits: "px" "px" "px"\n', "without a unit of length"),
        # ITK writes no unit, and the format has no default.
        (
            "space: left-posterior-superior\nspace directions: (1,0,0) (0,1,0) (0,0,1)\n",
            "without a unit of length",
        ),
    ],
)
def test_no_voxel_size_is_made_up(tmp_path, fields, match):
    path = write(tmp_path / "a.nrrd", numbered(), fields)
    with pytest.raises(ValueError, match=match):
        mt.read_scan(path)
    assert mt.read_scan(path, 1e-6).shape == (5, 7, 11)


def test_turned_axes(tmp_path):
    fields = 'space dimension: 3\nspace units: "um" "um" "um"\n'
    fields += "space directions: (0,0.25,0) (0.4,0,0) (0,0,0.5)\n"
    path = write(tmp_path / "a.nrrd", numbered(), fields)
    with pytest.raises(
        ValueError, match=r"turned against its axes.*\(0\.0, 0\.25, 0\.0\).*spacing"
    ):
        mt.read_scan(path, 1e-6)


@pytest.mark.parametrize("encoding", ["raw", "gzip"])
@pytest.mark.parametrize("fields", ["", "line skip: 2\n", "byte skip: 3\n"])
def test_detached_file(tmp_path, encoding, fields):
    head = b"one\ntwo\n" if "line" in fields else b""
    body = b"abc" * ("byte" in fields) + numbered().tobytes()
    body = gzip.compress(body) if encoding == "gzip" else body
    (tmp_path / "voxels.bin").write_bytes(head + body)
    path = write(
        tmp_path / "a.nhdr", numbered(), fields + "data file: voxels.bin\n", encoding, lambda _: b""
    )
    check_layers(path, numbered())
    (tmp_path / "voxels.bin").unlink()
    with pytest.raises(ValueError, match=r"voxels in voxels\.bin, which is not beside it"):
        mt.read_scan(path, 1e-6)


def test_voxels_at_the_end_of_a_file(tmp_path):
    (tmp_path / "voxels.bin").write_bytes(b"a header of unknown length" + numbered().tobytes())
    fields = "byte skip: -1\ndata file: voxels.bin\n"
    check_layers(write(tmp_path / "a.nhdr", numbered(), fields, packed=lambda _: b""), numbered())


@pytest.mark.parametrize("where", ["LIST\n0.raw\n1.raw\n2.raw\n3.raw\n4.raw", "%d.raw 0 4 1"])
def test_one_file_per_layer(tmp_path, where):
    for k, layer in enumerate(numbered()):
        (tmp_path / f"{k}.raw").write_bytes(layer.tobytes())
    path = write(tmp_path / "a.nhdr", numbered(), f"data file: {where}\n", packed=lambda _: b"")
    check_layers(path, numbered())


@pytest.mark.parametrize("encoding", ["raw", "gzip", "bzip2", "ascii", "hex"])
@pytest.mark.parametrize("kept", [0.02, 0.4, 0.9])
def test_truncated(tmp_path, encoding, kept):
    path = write(tmp_path / "a.nrrd", numbered(), CALIBRATED, encoding, PACKERS[encoding])
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(ValueError, match=r"a\.nrrd (is truncated|is damaged|has|is not)"):
        mt.read_scan(path, 1e-6)


def test_damaged_stream(tmp_path):
    path = write(tmp_path / "a.nrrd", numbered(), "", "gzip", PACKERS["gzip"])
    content = bytearray(path.read_bytes())
    content[-200:-100] = bytes(100)
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"a\.nrrd is damaged: its voxels cannot be unpacked"):
        mt.read_scan(path, 1e-6)


@pytest.mark.parametrize(
    ("shape", "fields", "match"),
    [
        ((5, 7, 11, 3), "kinds: RGB-color domain domain domain\n", "rgb-color"),
        ((5, 7, 3), "kinds: RGB-color domain domain\n", r"three axes in space"),
        ((2, 5, 7, 11), "", r"save one channel and one time"),
        ((7, 11), "", r"three axes in space"),
    ],
)
def test_what_is_no_grey_volume(tmp_path, shape, fields, match):
    path = write(tmp_path / "a.nrrd", np.zeros(shape, np.uint8), fields)
    with pytest.raises(ValueError, match=match):
        mt.read_scan(path, 1e-6)


def test_axes_of_one_are_left_out(tmp_path):
    path = write(tmp_path / "a.nrrd", numbered()[..., None])
    check_layers(path, numbered())


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        (b"NRRD0004", b"hello", "is not an NRRD file"),
        (b"type: uint16", b"type: block", "voxels of type 'block'"),
        (b"encoding: raw", b"encoding: lz4", "encoding 'lz4'"),
        (b"endian: little\n", b"", "byte order"),
        (b"sizes: 11 7 5", b"sizes: eleven", "damaged NRRD header"),
        (b"sizes: 11 7 5\n", b"", "no sizes"),
        (b"\n\n", b"\nkinds: domain domain\n\n", "kinds is not given for each of 3 axes"),
    ],
)
def test_wrong_headers(tmp_path, old, new, match):
    path = write(tmp_path / "a.nrrd", numbered())
    path.write_bytes(path.read_bytes().replace(old, new))
    with pytest.raises(ValueError, match=match):
        mt.read_scan(path, 1e-6)


def test_file_of_the_library(tmp_path):
    path = tmp_path / "a.nrrd"
    header = {"spacings": [0.25, 0.4, 0.5], "units": ["um"] * 3}
    nrrd.write(str(path), numbered(), header, index_order="C")
    check_layers(path, numbered())
    assert open_volume(path).voxel_size == pytest.approx(VOXEL_SIZE)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(
    st.tuples(*[st.integers(2, 6)] * 3),
    st.tuples(*[st.floats(1e-9, 1e-2)] * 3),
    st.sampled_from(["uint8", "int8", "int16", "uint32", "int64", "float32", "float64"]),
)
def test_what_is_written_is_read(tmp_path, shape, voxel_size, dtype):
    values = np.random.default_rng(0).integers(0, 100, shape).astype(dtype)
    back = mt.read_scan(mt.write_scan(mt.Scan(values, voxel_size), tmp_path / "a.nrrd"))
    assert back.values.dtype == dtype
    assert np.array_equal(back.values, values)
    assert back.voxel_size == pytest.approx(voxel_size, rel=1e-12)


def test_what_is_not_written(tmp_path):
    with pytest.raises(ValueError, match=r"write \.nrrd, which is one file"):
        mt.write_scan(mt.Scan(numbered(), 1e-6), tmp_path / "a.nhdr")
    with pytest.raises(ValueError, match="NRRD cannot hold voxels of float16"):
        mt.write_scan(mt.Scan(numbered("float16"), 1e-6), tmp_path / "a.nrrd")
