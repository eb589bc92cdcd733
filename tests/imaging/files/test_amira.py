from __future__ import annotations

import zlib

import numpy as np
import pytest

import microtwin as mt
from microtwin.imaging import open_volume
from volumes import VOXEL_SIZE, check_layers, numbered

# From the centre of the first voxel to that of the last: 10, 6 and 4 distances.
BOX = "BoundingBox 1 3.5 0 2.4 -1 1,"
UNITS = 'Units { Coordinates "\u00b5m" }'
MATERIALS = """Materials {
        Exterior {
            Color 0.2 0.8 0.8,
            Id 7
        }
        "Active material" { Id 2, Color 1 0 0 }
        Binder
        {
            Transparency 0.5
        }
    }"""


def write(
    path,
    body,
    kind="ushort",
    name="Data",
    order="BINARY-LITTLE-ENDIAN",
    packing="",
    first="AmiraMesh",
    parameters=f"{UNITS}\n    {BOX}\n    ",
    lattice="11 7 5",
    coordinates="uniform",
):
    header = (
        f"# {first} {order} 2.1\n\n\ndefine Lattice {lattice}\n\nParameters {{\n    {parameters}"
        f'Content "11x7x5 {kind}, {coordinates} coordinates",\n    '
        f'CoordType "{coordinates}"\n}}\n\n'
        f"Lattice {{ {kind} {name} }} @1{packing}\n\n# Data section follows\n@1\n"
    )
    path.write_bytes(header.encode() + body + b"\n")
    return path


def run_lengths(data):
    """Pack bytes as pairs of a count and a value, with every fifth byte in a literal run."""
    packed = bytearray()
    for k, value in enumerate(data):
        packed += bytes([129, value]) if k % 5 == 0 else bytes([1, value])
    return bytes(packed)


@pytest.mark.parametrize(
    ("kind", "dtype"),
    [
        ("byte", "uint8"),
        ("ubyte", "uint8"),
        ("short", "int16"),
        ("ushort", "uint16"),
        ("int", "int32"),
        ("float", "float32"),
        ("float[1]", "float32"),
        ("double", "float64"),
    ],
)
@pytest.mark.parametrize(
    ("order", "mark"), [("BINARY-LITTLE-ENDIAN", "<"), ("BINARY", ">"), ("ASCII", None)]
)
@pytest.mark.parametrize("first", ["AmiraMesh", "AmiraMesh 3D", "Avizo"])
def test_types_and_orders(tmp_path, kind, dtype, order, mark, first):
    values = numbered(dtype)
    body = " ".join(map(str, values.ravel())).encode()
    if mark:
        body = values.astype(values.dtype.newbyteorder(mark)).tobytes()
    path = write(tmp_path / "a.am", body, kind, order=order, first=first)
    check_layers(path, values)
    assert open_volume(path).voxel_size == pytest.approx(VOXEL_SIZE)


def test_compression(tmp_path):
    values = numbered("uint8")
    packed = zlib.compress(values.tobytes())
    path = write(tmp_path / "a.am", packed, "byte", packing=f"(HxZip,{len(packed)})")
    check_layers(path, values)
    packed = run_lengths(values.tobytes())
    path = write(tmp_path / "b.am", packed, "byte", packing=f"(HxByteRLE,{len(packed)})")
    check_layers(path, values)


def test_long_runs(tmp_path):
    labels = np.repeat(np.arange(5, dtype=np.uint8), 77).reshape(5, 7, 11)
    packed = b"".join(bytes([77, k]) for k in range(4)) + bytes([128 + 77]) + bytes([4]) * 77
    path = write(tmp_path / "a.am", packed, "byte", packing=f"(HxByteRLE,{len(packed)})")
    check_layers(path, labels)


def test_materials_name_the_labels_in_their_order(tmp_path):
    labels = numbered("uint8") % 3
    parameters = f"{MATERIALS}\n    {UNITS}\n    {BOX}\n    "
    path = write(tmp_path / "a.am", labels.tobytes(), "byte", "Labels", parameters=parameters)
    micro = mt.read_microstructure(path)
    assert np.array_equal(micro.labels, labels)
    assert dict(micro.phases) == {"Exterior": 0, "Active material": 1, "Binder": 2}
    assert micro.voxel_size == pytest.approx(VOXEL_SIZE)
    path = write(tmp_path / "b.am", labels.tobytes(), "byte", "Data", parameters=parameters)
    assert open_volume(path).phases is None


def test_header_in_another_encoding(tmp_path):
    path = write(tmp_path / "a.am", numbered().tobytes())
    head, mark, body = path.read_bytes().partition(b"# Data section")
    path.write_bytes(head.decode().encode("latin-1") + mark + body)
    assert open_volume(path).voxel_size == pytest.approx(VOXEL_SIZE)
    path.write_bytes(head.replace(b"\n", b"\r\n") + mark + body)
    check_layers(path, numbered())
    assert open_volume(path).voxel_size == pytest.approx(VOXEL_SIZE)


def test_long_header(tmp_path):
    history = "History { " + 'Step "open and filter", ' * 9000 + "}\n    "
    path = write(tmp_path / "a.am", numbered().tobytes(), parameters=f"{history}{UNITS}\n{BOX}\n")
    check_layers(path, numbered())
    assert open_volume(path).voxel_size == pytest.approx(VOXEL_SIZE)


@pytest.mark.parametrize(
    ("parameters", "match"),
    [
        (BOX, "without a unit of length"),
        (UNITS, "gives no BoundingBox"),
        (f'Units {{ Coordinates "pixel" }}\n{BOX}\n', "in 'pixel', no unit"),
        (f"{UNITS}\nBoundingBox 0 1 0 1\n", "gives no distance of voxels"),
        (f"{UNITS}\nBoundingBox 0 1 0 1 2 2\n", "not three positive lengths"),
    ],
)
def test_no_voxel_size_is_made_up(tmp_path, parameters, match):
    path = write(tmp_path / "a.am", numbered().tobytes(), parameters=parameters + "\n")
    with pytest.raises(ValueError, match=match):
        mt.read_scan(path)
    assert mt.read_scan(path, 1e-6).shape == (5, 7, 11)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"kind": "float[3]"}, r"3 numbers per voxel \(Data\)"),
        ({"kind": "complex"}, "voxels of type 'complex'"),
        ({"coordinates": "rectilinear"}, "has rectilinear coordinates"),
        ({"lattice": "11 7"}, "defines no lattice of three dimensions"),
        ({"packing": "(HxOther,12)"}, "compressed with HxOther"),
        ({"kind": "ushort", "packing": "(HxByteRLE,12)"}, "packs ushort voxels with HxByteRLE"),
        ({"first": "HyperMesh"}, "is not an Amira file"),
        ({"packing": "\nLattice { byte Probability } @2"}, "Data ushort, Probability byte|fields"),
    ],
)
def test_what_is_no_grey_volume(tmp_path, options, match):
    path = write(tmp_path / "a.am", numbered().tobytes(), **options)
    with pytest.raises(ValueError, match=match):
        mt.read_scan(path, 1e-6)


@pytest.mark.parametrize("packing", ["", "HxZip", "HxByteRLE", "ASCII"])
@pytest.mark.parametrize("kept", [0.0, 0.1, 0.9])
def test_truncated(tmp_path, packing, kept):
    values = numbered("uint8")
    bodies = {
        "": values.tobytes(),
        "HxZip": zlib.compress(values.tobytes()),
        "HxByteRLE": run_lengths(values.tobytes()),
        "ASCII": " ".join(map(str, values.ravel())).encode(),
    }
    order = "ASCII" if packing == "ASCII" else "BINARY-LITTLE-ENDIAN"
    packed = f"({packing},{len(bodies[packing])})" if packing.startswith("Hx") else ""
    path = write(tmp_path / "a.am", bodies[packing], "byte", order=order, packing=packed)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(ValueError, match=r"a\.am (is truncated|is damaged|is not a whole)"):
        mt.read_scan(path, 1e-6)


def test_no_amira_at_all(tmp_path):
    for content in (b"hello", b"# hello\n@1\nabc", bytes(200_000)):
        (tmp_path / "a.am").write_bytes(content)
        with pytest.raises(ValueError, match=r"a\.am is not a"):
            mt.read_scan(tmp_path / "a.am", 1e-6)
