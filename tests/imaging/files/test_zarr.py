from __future__ import annotations

import shutil

import numpy as np
import pytest
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import microtwin as mt
from microtwin.imaging import open_volume
from volumes import SHAPE, VOXEL_SIZE, check_layers, numbered

UNITS = {"z": "nanometer", "y": "micrometer", "x": "micrometer"}
SCALES = {"z": 500.0, "y": 0.4, "x": 0.25, "t": 1.0, "c": 1.0}
TYPES = {"t": "time", "c": "channel"}


def description(axes, scales=SCALES, units=UNITS, levels=("0",)):
    named = [{"name": a, "type": TYPES.get(a, "space")} for a in axes]
    for axis in named:
        if axis["name"] in units:
            axis["unit"] = units[axis["name"]]
    scale = {"type": "scale", "scale": [scales[a] for a in axes]}
    shift = {"type": "translation", "translation": [1.0] * len(axes)}
    datasets = [{"path": p, "coordinateTransformations": [scale, shift]} for p in levels]
    return {"axes": named, "datasets": datasets}


def write(path, values, multiscales, version="0.5", zarr_format=None, group=""):
    zarr_format = zarr_format or (3 if version == "0.5" else 2)
    root = zarr.open_group(path, mode="a", zarr_format=zarr_format)
    root = root.require_group(group) if group else root
    described = {"multiscales": [multiscales], "version": version}
    root.attrs.update({"ome": described} if version == "0.5" else described)
    for k, level in enumerate(multiscales["datasets"]):
        coarse = values[(..., *[slice(None, None, 2**k)] * min(3, values.ndim))]
        root.create_array(level["path"], data=coarse, chunks=(3,) * values.ndim)
    return path


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("name", ["a.zarr", "a.ome.zarr", "folder"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", ">u2", "float32"])
def test_image_of_several_resolutions(tmp_path, version, name, dtype):
    values = numbered(np.dtype(dtype).newbyteorder("=").name)
    stored = values.astype(dtype)
    path = write(tmp_path / name, stored, description("zyx", levels=("0", "s/1")), version)
    check_layers(path, values)
    assert open_volume(path).voxel_size == pytest.approx(VOXEL_SIZE)


@pytest.mark.parametrize("group", ["", "0"])
def test_resolution_is_named(tmp_path, group):
    multiscales = description("zyx", levels=("0", "1"))
    scale = [2 * SCALES[axis] for axis in "zyx"]
    multiscales["datasets"][1]["coordinateTransformations"] = [{"type": "scale", "scale": scale}]
    path = write(tmp_path / "a.zarr", numbered(), multiscales, group=group)
    coarse = f"{group}/1".strip("/")
    check_layers(path, np.ascontiguousarray(numbered()[::2, ::2, ::2]), dataset=coarse)
    doubled = pytest.approx([2 * h for h in VOXEL_SIZE])
    assert open_volume(path, dataset=coarse).voxel_size == doubled
    check_layers(path, numbered())


@pytest.mark.parametrize("axes", ["zyx", "xyz", "yzx"])
def test_axes_are_ordered_by_their_names(tmp_path, axes):
    values = numbered()
    stored = values.transpose(["zyx".index(axis) for axis in axes])
    path = write(tmp_path / "a.zarr", np.ascontiguousarray(stored), description(axes))
    check_layers(path, values)
    assert open_volume(path).voxel_size == pytest.approx(VOXEL_SIZE)


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_time_and_channel_of_one_are_left_out(tmp_path, version):
    path = write(tmp_path / "a.zarr", numbered()[None, None], description("tczyx"), version)
    check_layers(path, numbered())
    assert open_volume(path).voxel_size == pytest.approx(VOXEL_SIZE)


@pytest.mark.parametrize("count", [2, 3])
def test_several_channels(tmp_path, count):
    values = np.stack([numbered()] * count)
    path = write(tmp_path / "a.zarr", values, description("czyx"))
    with pytest.raises(ValueError, match=rf"\({count}, 5, 7, 11\) czyx uint16; .*one channel"):
        mt.read_scan(path)


def test_scale_of_the_whole_image_counts_too(tmp_path):
    multiscales = description("zyx")
    halves = {"type": "scale", "scale": [0.5, 0.5, 2.0]}
    path = write(
        tmp_path / "a.zarr", numbered(), {**multiscales, "coordinateTransformations": [halves]}
    )
    assert open_volume(path).voxel_size == pytest.approx((2.5e-7, 2e-7, 5e-7))


@pytest.mark.parametrize(
    ("units", "match"),
    [({}, "without a unit of length"), ({a: "pixel" for a in "zyx"}, "in 'pixel', no unit")],
)
def test_no_voxel_size_is_made_up(tmp_path, units, match):
    path = write(tmp_path / "a.zarr", numbered(), description("zyx", units=units))
    with pytest.raises(ValueError, match=match):
        mt.read_scan(path)
    assert mt.read_scan(path, 1e-6).shape == SHAPE


@pytest.mark.parametrize("prefix", ["", "a.zarr/"])
@pytest.mark.parametrize("name", ["a.zarr.zip", "a.ome.zarr", "a.ozx"])
def test_zip(tmp_path, prefix, name):
    folder = write(tmp_path / "folder" / "a.zarr", numbered(), description("zyx"))
    top = folder if not prefix else folder.parent
    made = shutil.make_archive(str(tmp_path / "made"), "zip", top)
    path = tmp_path / name
    shutil.move(made, path)
    check_layers(path, numbered())
    assert open_volume(path).voxel_size == pytest.approx(VOXEL_SIZE)


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize("group", ["", "deep/in"])
def test_plain_array(tmp_path, zarr_format, group):
    path = tmp_path / "a.zarr"
    if group:
        root = zarr.open_group(path, mode="w", zarr_format=zarr_format)
        root.create_array(f"{group}/volume", data=numbered())
        root.create_array("angles", data=np.arange(5.0))
    else:
        zarr.create_array(path, data=numbered(), zarr_format=zarr_format)
    check_layers(path, numbered())
    with pytest.raises(ValueError, match="Zarr metadata give no scale"):
        mt.read_scan(path)


def test_plain_array_with_names_of_axes(tmp_path):
    stored = np.ascontiguousarray(numbered().transpose())
    zarr.create_array(tmp_path / "a.zarr", data=stored, dimension_names=["x", "y", "z"])
    check_layers(tmp_path / "a.zarr", numbered())
    array = zarr.create_array(tmp_path / "b.zarr", data=stored, zarr_format=2)
    array.attrs["_ARRAY_DIMENSIONS"] = ["x", "y", "z"]
    check_layers(tmp_path / "b.zarr", numbered())


def test_several_volumes(tmp_path):
    path = tmp_path / "a.zarr"
    write(path, numbered(), description("zyx"), group="first")
    write(path, numbered("float32"), description("zyx"), group="second")
    with pytest.raises(ValueError, match=r"2 volumes, /first .*uint16, /second .*float32"):
        mt.read_scan(path)
    for name in ("second", "/second", "second/"):
        check_layers(path, numbered("float32"), dataset=name)
    assert mt.read_scan(path, dataset="first").voxel_size == pytest.approx(VOXEL_SIZE)
    with pytest.raises(ValueError, match=r"no dataset 'third'; its volumes are /first"):
        mt.read_scan(path, dataset="third")


def test_the_image_at_the_root_is_the_one_that_is_meant(tmp_path):
    path = write(tmp_path / "a.zarr", numbered(), description("zyx"))
    write(path, numbered("uint8"), description("zyx"), group="labels/cells")
    check_layers(path, numbered())
    check_layers(path, numbered("uint8"), dataset="labels/cells")


def test_no_volume(tmp_path):
    write(tmp_path / "a.zarr", np.zeros((7, 11)), description("yx"))
    with pytest.raises(ValueError, match=r"no 3-D dataset of numbers, only / \(7, 11\) yx float64"):
        mt.read_scan(tmp_path / "a.zarr")


def test_nothing_there(tmp_path):
    (tmp_path / "a.zarr").mkdir()
    with pytest.raises(ValueError, match=r"a\.zarr cannot be read as Zarr"):
        mt.read_scan(tmp_path / "a.zarr")
    (tmp_path / "b.zarr").write_bytes(b"hello")
    with pytest.raises(ValueError, match=r"b\.zarr cannot be read as Zarr"):
        mt.read_scan(tmp_path / "b.zarr")


@pytest.mark.parametrize("content", [b"", b"{", b"[]"])
@pytest.mark.parametrize("name", ["zarr.json", "0/zarr.json"])
def test_damaged_metadata(tmp_path, content, name):
    path = write(tmp_path / "a.zarr", numbered(), description("zyx"))
    (path / name).write_bytes(content)
    with pytest.raises(ValueError, match=r"a\.zarr cannot be read as Zarr"):
        mt.read_scan(path)


def test_damaged_chunk(tmp_path):
    path = write(tmp_path / "a.zarr", numbered(), description("zyx"))
    (path / "0/c/1/0/0").write_bytes(b"abc")
    assert np.array_equal(open_volume(path).read_layers(0, 3), numbered()[:3])
    with pytest.raises(ValueError, match=r"a\.zarr cannot be read as Zarr"):
        mt.read_scan(path)


def test_lost_chunks(tmp_path):
    path = write(tmp_path / "a.zarr", numbered(), description("zyx"))
    shutil.rmtree(path / "0/c")
    with pytest.raises(ValueError, match="none of its chunks"):
        mt.read_scan(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(
    st.tuples(*[st.integers(2, 6)] * 3),
    st.tuples(*[st.floats(1e-9, 1e-2)] * 3),
    st.sampled_from(["bool", "uint8", "int16", "uint32", "int64", "float32", "float64"]),
    st.sampled_from(["a.zarr", "a.ome.zarr", "a.zarr.zip", "a.ozx"]),
)
def test_what_is_written_is_read(tmp_path, shape, voxel_size, dtype, name):
    values = np.random.default_rng(0).integers(0, 2, shape).astype(dtype)
    back = mt.read_scan(mt.write_scan(mt.Scan(values, voxel_size), tmp_path / name))
    assert back.values.dtype == dtype
    assert np.array_equal(back.values, values)
    assert back.voxel_size == pytest.approx(voxel_size, rel=1e-12)


def test_names_of_phases_are_kept(tmp_path):
    phases = {"pore": 0, "active": 1}
    micro = mt.Microstructure(numbered("uint8") % 2, VOXEL_SIZE, phases)
    back = mt.read_microstructure(mt.write_microstructure(micro, tmp_path / "a.ome.zarr"))
    assert np.array_equal(back.labels, micro.labels)
    assert dict(back.phases) == phases
    assert back.voxel_size == pytest.approx(VOXEL_SIZE)
    # An image of one value is not taken for one whose chunks are lost.
    empty = mt.Microstructure(np.zeros((3, 3, 3), np.uint8), 1e-6, phases)
    assert mt.read_microstructure(mt.write_microstructure(empty, tmp_path / "b.zarr")).shape == (
        3,
        3,
        3,
    )


def test_a_folder_of_other_files_is_not_overwritten(tmp_path):
    (tmp_path / "a.zarr").mkdir()
    (tmp_path / "a.zarr/notes.txt").write_text("keep me")
    with pytest.raises(ValueError, match="is a folder that holds other files"):
        mt.write_scan(mt.Scan(numbered(), 1e-6), tmp_path / "a.zarr")
    assert (tmp_path / "a.zarr/notes.txt").exists()
