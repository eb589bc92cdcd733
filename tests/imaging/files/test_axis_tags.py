from __future__ import annotations

import json

import h5py
import numpy as np
import pytest
import zarr

import microtwin as mt
from microtwin.imaging import open_volume
from microtwin.imaging.files.axis_tags import letters_of, order_of
from volumes import VOXEL_SIZE, check_layers, numbered

UNITS = {"z": "nm", "y": "um", "x": "\u00b5m"}
RESOLUTIONS = {"z": 500.0, "y": 0.4, "x": 0.25}


def axistags(axes, resolutions=None):
    """Return the text that vigra's AxisTags.toJSON gives for axes in this order."""
    flags = {"c": 1, "t": 8}
    entries = [
        {
            "key": axis,
            "typeFlags": flags.get(axis, 2),
            "resolution": (resolutions or {}).get(axis, 0),
            "description": "",
        }
        for axis in axes
    ]
    return json.dumps({"axes": entries}, indent=2)


def stored_as(axes, values):
    """Return a volume (z, y, x) with its axes in another order, the others of length one."""
    whole = values.reshape(1, 1, *values.shape)
    return np.ascontiguousarray(whole.transpose(["tczyx".index(a) for a in axes] + rest(axes)))[
        (...,) + (0,) * len(rest(axes))
    ]


def rest(axes):
    return [k for k, axis in enumerate("tczyx") if axis not in axes]


def exported(path, axes, values, attributes=None):
    with h5py.File(path, "w") as file:
        file["exported_data"] = stored_as(axes, values)
        file["exported_data"].attrs.update(attributes or {"axistags": axistags(axes)})
    return path


@pytest.mark.parametrize("axes", ["zyx", "xyz", "zyxc", "xyzc", "yxzc", "tzyxc", "xytzc", "tyx"])
def test_exports_of_ilastik(tmp_path, axes):
    values = numbered("uint8")
    given = axes if axes != "tyx" else "zyx"
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["exported_data"] = stored_as(given, values)
        file["exported_data"].attrs["axistags"] = axistags(axes)
    check_layers(tmp_path / "a.h5", values)


@pytest.mark.parametrize(
    "attributes",
    [
        {"axes": "xyzc"},
        {"axes": np.bytes_("XYZC")},
        {"axes": ["x", "y", "z", "c"]},
        {"DIMENSION_LABELS": ["x", "y", "z", "c"]},
    ],
    ids=str,
)
def test_letters_of_others(tmp_path, attributes):
    check_layers(exported(tmp_path / "a.h5", "xyzc", numbered(), attributes), numbered())


def test_labels_of_dimensions(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["volume"] = stored_as("xyz", numbered())
        for dimension, label in zip(file["volume"].dims, "xyz", strict=True):
            dimension.label = label
    check_layers(tmp_path / "a.h5", numbered())


@pytest.mark.parametrize("axes", ["zyxc", "xyzc"])
def test_voxel_size_of_axis_tags(tmp_path, axes):
    attributes = {"axistags": axistags(axes, RESOLUTIONS), "axis_units": json.dumps(UNITS)}
    path = exported(tmp_path / "a.h5", axes, numbered(), attributes)
    assert open_volume(path).voxel_size == pytest.approx(VOXEL_SIZE)
    del attributes["axis_units"]
    path = exported(tmp_path / "b.h5", axes, numbered(), attributes)
    with pytest.raises(ValueError, match=r"the axis tags are .* without a unit of length"):
        mt.read_scan(path)
    path = exported(tmp_path / "c.h5", axes, numbered())
    with pytest.raises(ValueError, match="the names of the axes have no resolution"):
        mt.read_scan(path)


def test_zarr_of_ilastik(tmp_path):
    array = zarr.create_array(
        tmp_path / "a.zarr", data=stored_as("xyzc", numbered()), zarr_format=2
    )
    array.attrs["axistags"] = axistags("xyzc", RESOLUTIONS)
    array.attrs["axis_units"] = UNITS
    check_layers(tmp_path / "a.zarr", numbered())
    assert open_volume(tmp_path / "a.zarr").voxel_size == pytest.approx(VOXEL_SIZE)


@pytest.mark.parametrize(("axes", "shape"), [("yxc", (5, 7, 3)), ("tzyx", (2, 5, 7, 11))])
def test_several_channels_or_times_are_no_volume(tmp_path, axes, shape):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["exported_data"] = np.zeros(shape, np.uint8)
        file["exported_data"].attrs["axistags"] = axistags(axes)
    with pytest.raises(ValueError, match=rf"no 3-D dataset .*\) {axes} uint8; .*one channel"):
        mt.read_scan(tmp_path / "a.h5", 1e-6)


@pytest.mark.parametrize(
    "attributes",
    [
        {"axistags": "not JSON"},
        {"axistags": "[1, 2]"},
        {"axistags": axistags("zyx")},
        {"axistags": axistags("zyyx")},
        {"axes": "theta:y:x"},
        {"axes": "abcd"},
        {},
    ],
    ids=str,
)
def test_names_that_do_not_fit_tell_nothing(attributes):
    assert letters_of(attributes, 4) is None


def test_order_of_letters():
    assert order_of("xyzc", (9, 8, 7, 1)) == (2, 1, 0)
    assert order_of("xyzc", (9, 8, 7, 2)) is None
    assert order_of("yxt", (8, 9, 7)) == (2, 0, 1)
    assert order_of("czy", (3, 8, 9)) is None
