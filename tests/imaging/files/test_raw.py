from __future__ import annotations

import json

import numpy as np
import pytest

import microtwin as mt
from microtwin.imaging import open_volume, raw_sidecar
from volumes import SHAPE, VOXEL_SIZE, check_layers, numbered

SIDECAR = {"shape": list(SHAPE), "dtype": "uint16", "byte_order": "little"}


def write(folder, values, sidecar, name="a.raw", header=b""):
    path = folder / name
    path.write_bytes(header + values.tobytes())
    if sidecar is not None:
        path.with_suffix(".json").write_text(json.dumps(sidecar))
    return path


@pytest.mark.parametrize("name", ["a.raw", "a.bin", "a.vol", "a.dat", "A.RAW"])
@pytest.mark.parametrize("order", ["little", "big"])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32", "float32", "float64"])
def test_types_and_byte_orders(tmp_path, name, order, dtype):
    values = numbered(dtype)
    stored = values.astype(values.dtype.newbyteorder("<" if order == "little" else ">"))
    sidecar = {**SIDECAR, "dtype": dtype, "byte_order": order}
    check_layers(write(tmp_path, stored, sidecar, name), values)


@pytest.mark.parametrize("axes", ["zyx", "xyz", "yxz", "xzy"])
def test_axes_in_any_order(tmp_path, axes):
    values = numbered()
    stored = np.ascontiguousarray(values.transpose(["zyx".index(axis) for axis in axes]))
    sidecar = {**SIDECAR, "shape": list(stored.shape), "axes": axes}
    sidecar["voxel_size"] = ["500 nm", "0.4 um", 2.5e-7]
    path = write(tmp_path, stored, sidecar)
    check_layers(path, values)
    # The voxel size is along (z, y, x) whatever the order of the voxels.
    assert open_volume(path).voxel_size == pytest.approx(VOXEL_SIZE)


def test_yaml_with_header_and_phases(tmp_path):
    path = write(tmp_path, numbered("uint8") % 2, None, header=b"x" * 100)
    (tmp_path / "a.yaml").write_text(
        "shape: [5, 7, 11]\ndtype: uint8\nheader_bytes: 100\nvoxel_size: 398 nm\n"
        "phases: {pore: 0, active: 1}\n"
    )
    check_layers(path, numbered("uint8") % 2)
    micro = mt.read_microstructure(path)
    assert micro.voxel_size == (398e-9,) * 3
    assert dict(micro.phases) == {"pore": 0, "active": 1}


def test_sidecar_may_keep_the_ending(tmp_path):
    path = write(tmp_path, numbered(), None)
    (tmp_path / "a.raw.json").write_text(json.dumps(SIDECAR))
    check_layers(path, numbered())
    with pytest.raises(ValueError, match=r"a\.raw\.json has no voxel_size"):
        mt.read_scan(path)


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("rock_11x7x5_8bit.raw", "uint8"),
        ("rock 11x7x5 16bit.raw", "<u2"),
        ("rock_11x7x5_uint16.raw", "<u2"),
        ("rock-11x7x5-uint16-be.raw", ">u2"),
        ("11x7x5_float32_le.dat", "<f4"),
        ("rock_11x7x5_int16_filtered.bin", "<i2"),
    ],
)
def test_layout_in_the_name(tmp_path, name, stored):
    values = numbered(np.dtype(stored).newbyteorder("=").name)
    path = write(tmp_path, values.astype(stored), None, name)
    check_layers(path, values)
    with pytest.raises(ValueError, match="the name of a file does not tell it"):
        mt.read_scan(path)


@pytest.mark.parametrize("name", ["a.raw", "a_11x7_8bit.raw", "a_11x7x5.raw", "a_11x7x5_32bit.raw"])
def test_without_layout_the_sidecar_is_shown(tmp_path, name):
    path = write(tmp_path, numbered("uint8"), None, name)
    with pytest.raises(ValueError, match=r"does not tell its layout; write beside it a.*\.yaml"):
        mt.read_scan(path, 1e-6)


def test_the_sidecar_to_fill_in_is_one(tmp_path):
    path = write(tmp_path, np.zeros((100, 256, 256), np.uint8), None)
    (tmp_path / "a.yaml").write_text(raw_sidecar(path))
    assert mt.read_scan(path).shape == (100, 256, 256)
    assert open_volume(path).voxel_size == (398e-9,) * 3


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"shape": [5, 7]}, r"shape \[5, 7\] is not allowed; give three"),
        ({"shape": [5, 7, 0]}, r"three positive whole numbers"),
        ({"shape": "5x7x11"}, r"three positive whole numbers"),
        ({"dtype": "uchar"}, r"dtype 'uchar' is not allowed; use one of uint8"),
        ({"byte_order": None}, r"byte_order None is not allowed; voxels of 2 bytes need"),
        ({"byte_order": "Intel"}, r"'little' or 'big'"),
        ({"header_bytes": -1}, r"header_bytes -1 is not allowed"),
        ({"phases": ["pore"]}, r"phases \['pore'\] is not allowed"),
        ({"phases": {"pore": None}}, r"give names and labels"),
        ({"axes": "zxx"}, r"axes 'zxx' is not allowed"),
        ({"voxel_size": "398"}, r"has no unit"),
        ({"voxel_size": -1}, r"one positive length or three"),
        ({"voxel_size": [1, 1]}, r"one positive length or three"),
        ({"spacing": 1}, r"has unknown spacing; its keys are shape, dtype"),
    ],
)
def test_wrong_sidecars(tmp_path, change, match):
    path = write(tmp_path, numbered(), {**SIDECAR, **change})
    with pytest.raises(ValueError, match=match) as caught:
        mt.read_scan(path, 1e-6)
    assert "a.json" in str(caught.value)


@pytest.mark.parametrize("text", ["{", "3", "a: [", ""])
@pytest.mark.parametrize("name", ["a.json", "a.yaml"])
def test_unreadable_sidecars(tmp_path, text, name):
    path = write(tmp_path, numbered(), None)
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=r"cannot be read|is not a list of keys|has no shape"):
        mt.read_scan(path, 1e-6)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"dtype": "uint8"}, r"has 770 bytes and a\.json tells 385, .*fit dtype uint16 or int16"),
        ({"shape": [4, 7, 11]}, r"fit 5 along the slowest axis instead of 4"),
        ({"shape": [4, 7, 12]}, r"has 770 bytes and a\.json tells 672.*fit header_bytes 98"),
        ({"header_bytes": 10}, r"correct the layout or copy the file again"),
        ({"shape": [6, 7, 11]}, r"fit 5 along the slowest axis instead of 6"),
    ],
)
def test_wrong_number_of_bytes(tmp_path, change, match):
    path = write(tmp_path, numbered(), {**SIDECAR, **change})
    with pytest.raises(ValueError, match=match):
        mt.read_scan(path, 1e-6)
