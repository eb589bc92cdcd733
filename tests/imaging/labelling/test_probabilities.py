from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import h5py
import numpy as np
import psutil
import pytest
import tifffile
import zarr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import microtwin as mt
from microtwin.imaging import read_probabilities
from microtwin.imaging.files import hdf5
from microtwin.imaging.files.stored import StoredMaps

NAMES = ["pore", "active", "binder"]
SHAPE = (12, 7, 11)
TYPES = {"t": "time", "c": "channel"}


@pytest.fixture
def maps() -> np.ndarray:
    """Probabilities of three phases with the axes (c, z, y, x)."""
    values = np.random.default_rng(4).random((3, *SHAPE)).astype(np.float32) ** 3
    return values / values.sum(axis=0)


def stored_as(axes, maps):
    """Return maps with their axes in another order; t has length one."""
    return np.ascontiguousarray(
        maps[None].transpose(["tczyx".index(a) for a in axes + rest(axes)])
    )[(...,) + (0,) * len(rest(axes))]


def rest(axes):
    return "".join(axis for axis in "tczyx" if axis not in axes)


def check(micro, maps):
    assert dict(micro.phases) == {"pore": 0, "active": 1, "binder": 2}
    assert np.array_equal(micro.labels, maps.argmax(axis=0))
    assert micro.probabilities.dtype == np.uint8
    assert (micro.probabilities.sum(axis=0, dtype=int) == 255).all()
    # Half of a 255th by rounding, and what is left to the largest of three.
    assert np.abs(micro.probabilities / 255 - maps).max() < 1.6 / 255


def write_hdf5(path, values, **attributes):
    with h5py.File(path, "w") as file:
        file["exported_data"] = values
        file["exported_data"].attrs.update(attributes)
    return path


def axistags(axes):
    return json.dumps({"axes": [{"key": axis, "typeFlags": 2} for axis in axes]})


@pytest.mark.parametrize("axes", ["zyxc", "xyzc", "czyx", "tzyxc", "tczyx", "zcyx"])
def test_exports_of_ilastik(tmp_path, maps, axes):
    path = write_hdf5(tmp_path / "a.h5", stored_as(axes, maps), axistags=axistags(axes))
    micro = read_probabilities(path, ["500 nm", "400 nm", "250 nm"], NAMES)
    assert micro.voxel_size == pytest.approx((5e-7, 4e-7, 2.5e-7))
    check(micro, maps)


@pytest.mark.parametrize("axes", ["zyxc", "czyx", "zcyx"])
def test_the_channel_is_found_by_its_length(tmp_path, maps, axes):
    path = write_hdf5(tmp_path / "a.h5", stored_as(axes, maps))
    check(read_probabilities(path, 1e-6, NAMES), maps)
    check(read_probabilities(path, 1e-6, NAMES, dataset="exported_data"), maps)
    zarr.create_array(tmp_path / "a.zarr", data=stored_as(axes, maps))
    check(read_probabilities(tmp_path / "a.zarr", 1e-6, NAMES), maps)


@pytest.mark.parametrize("axes", ["czyx", "tczyx", "zyxc"])
def test_ome_zarr(tmp_path, maps, axes):
    group = zarr.open_group(tmp_path / "a.zarr", mode="w", zarr_format=2)
    group.create_array("s0", data=stored_as(axes, maps), chunks=(2,) * len(axes))
    named = [{"name": a, "type": TYPES.get(a, "space"), "unit": "micrometer"} for a in axes]
    scale = {"type": "scale", "scale": ["tczyx".index(a) + 1.0 for a in axes]}
    levels = [{"path": "s0", "coordinateTransformations": [scale]}]
    group.attrs["multiscales"] = [{"version": "0.4", "axes": named, "datasets": levels}]
    micro = read_probabilities(tmp_path / "a.zarr", phases=NAMES)
    assert micro.voxel_size == pytest.approx((3e-6, 4e-6, 5e-6))
    check(micro, maps)


@pytest.mark.parametrize(
    ("axes", "options"),
    [
        ("zcyx", {"imagej": True, "metadata": {"axes": "ZCYX"}}),
        ("zcyx", {"imagej": True, "metadata": {"axes": "ZCYX"}, "compression": "zlib"}),
        ("czyx", {"ome": True, "metadata": {"axes": "CZYX"}}),
        ("zcyx", {"ome": True, "metadata": {"axes": "ZCYX"}, "compression": "zlib"}),
        ("zyxc", {"photometric": "minisblack", "planarconfig": "contig", "metadata": None}),
        ("zyxc", {"photometric": "rgb", "compression": "zlib"}),
        ("zcyx", {"photometric": "minisblack"}),
        ("zyxc", {"photometric": "minisblack"}),
    ],
    ids=str,
)
def test_tiff_with_channels(tmp_path, maps, axes, options):
    tifffile.imwrite(tmp_path / "a.tif", stored_as(axes, maps), **options)
    check(read_probabilities(tmp_path / "a.tif", 1e-6, NAMES), maps)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("cut", [np.round, np.floor])
def test_whole_numbers(tmp_path, maps, dtype, cut):
    values = cut(np.iinfo(dtype).max * stored_as("zyxc", maps)).astype(dtype)
    path = write_hdf5(tmp_path / "a.h5", values, axistags=axistags("zyxc"))
    micro = read_probabilities(path, 1e-6, NAMES)
    assert np.array_equal(micro.labels, values.argmax(axis=-1))
    assert (micro.probabilities.sum(axis=0, dtype=int) == 255).all()
    assert np.abs(micro.probabilities / 255 - maps).max() < 4 / 255


@given(arrays(np.uint8, (4, 2, 3, 2), elements=st.integers(0, 85)))
def test_255ths_that_add_up_stay_as_they_are(tmp_path_factory, three):
    values = three.copy()
    values[3] = 0
    values[3] = 255 - values.sum(axis=0, dtype=int)
    path = tmp_path_factory.mktemp("maps") / "a.h5"
    write_hdf5(path, values, axes="czyx")
    micro = read_probabilities(path, 1e-6, [*NAMES, "other"])
    assert np.array_equal(micro.probabilities, values)


@pytest.mark.parametrize("factor", [2, 3])
def test_coarse_reading_is_coarsening(tmp_path, maps, factor):
    wide = np.concatenate([maps] * 3, axis=1)
    path = write_hdf5(tmp_path / "a.h5", stored_as("zyxc", wide), axes="zyxc")
    whole = read_probabilities(path, 1e-6, NAMES).coarsen(factor)
    coarse = read_probabilities(path, 1e-6, NAMES, coarsen=factor)
    assert np.array_equal(coarse.labels, whole.labels)
    assert np.array_equal(coarse.probabilities, whole.probabilities)
    assert coarse.voxel_size == whole.voxel_size


def test_a_few_layers_pass_through_memory_at_once(tmp_path, maps, monkeypatch):
    wide = np.concatenate([maps] * 3, axis=1)
    path = write_hdf5(tmp_path / "a.h5", stored_as("zyxc", wide), axes="zyxc")
    read = []
    original = hdf5.open_hdf5_maps

    def watched(*arguments) -> StoredMaps:
        found = original(*arguments)

        def read_layers(start, stop):
            read.append((start, stop))
            return found.read_layers(start, stop)

        return replace(found, read_layers=read_layers)

    monkeypatch.setattr(hdf5, "open_hdf5_maps", watched)
    check(read_probabilities(path, 1e-6, NAMES), wide)
    assert [z for start, stop in read for z in range(start, stop)] == list(range(36))
    assert max(stop - start for start, stop in read) <= 8


def test_maps_beyond_memory(tmp_path, maps, monkeypatch):
    deep = np.concatenate([maps] * 8, axis=1)
    path = write_hdf5(tmp_path / "a.h5", stored_as("zyxc", deep), axes="zyxc")
    # Four bytes for each of 7392 voxels and some layers do not fit, an eighth of the voxels does.
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=30000))
    with pytest.raises(ValueError, match=r"96 x 7 x 11 voxels.*coarsen=2"):
        read_probabilities(path, 1e-6, NAMES)
    assert read_probabilities(path, 1e-6, NAMES, coarsen=2).shape == (48, 3, 5)


# --- refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize("names", [NAMES[:2], [*NAMES, "other"]])
def test_another_number_of_channels(tmp_path, maps, names):
    path = write_hdf5(tmp_path / "a.h5", stored_as("zyxc", maps), axes="zyxc")
    with pytest.raises(ValueError, match=rf"3 channels and {len(names)} phases are named, pore"):
        read_probabilities(path, 1e-6, names)
    path = write_hdf5(tmp_path / "b.h5", stored_as("zyxc", maps))
    with pytest.raises(ValueError, match=rf"no maps of {len(names)} phases, only /exported_data"):
        read_probabilities(path, 1e-6, names)


def test_two_axes_that_may_be_the_channel(tmp_path, maps):
    values = stored_as("zyxc", maps[:, :3])
    path = write_hdf5(tmp_path / "a.h5", values)
    with pytest.raises(ValueError, match="name the axes in the file"):
        read_probabilities(path, 1e-6, NAMES)
    with h5py.File(path, "a") as file:
        file["exported_data"].attrs["axes"] = "zyxc"
    check(read_probabilities(path, 1e-6, NAMES), maps[:, :3])


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ((-0.1, 0.6, 0.5), "-0.1, 0.6, 0.5"),
        ((0.2, 0.2, 0.2), "0.2, 0.2, 0.2"),
        ((0.0, 0.0, 0.0), "0, 0, 0"),
        ((np.nan, 0.5, 0.5), "nan, 0.5, 0.5"),
        ((50.0, 25.0, 25.0), "50, 25, 25"),
    ],
)
def test_numbers_that_are_no_probabilities(tmp_path, maps, change, found):
    maps[:, 9, 3, 4] = maps[:, 10, 0, 0] = change
    path = write_hdf5(tmp_path / "a.h5", stored_as("zyxc", maps), axes="zyxc")
    match = rf"a\.h5: the numbers {found} at the voxel \(z, y, x\) = \(9, 3, 4\) .* add up to 1 "
    with pytest.raises(ValueError, match=match):
        read_probabilities(path, 1e-6, NAMES)


def test_floats_cut_to_whole_numbers(tmp_path, maps):
    values = stored_as("zyxc", maps).astype(np.uint8)
    path = write_hdf5(tmp_path / "a.h5", values, axes="zyxc")
    with pytest.raises(ValueError, match="must add up to 255 within 3"):
        read_probabilities(path, 1e-6, NAMES)
    path = write_hdf5(tmp_path / "b.h5", values.astype(np.int16), axes="zyxc")
    with pytest.raises(ValueError, match="maps of type int16 are not allowed"):
        read_probabilities(path, 1e-6, NAMES)


@pytest.mark.parametrize("names", [None, "pore", ["pore"], ["pore", "pore"], []])
def test_names_that_are_no_phases(tmp_path, names):
    with pytest.raises(ValueError, match=r"at least two and all different"):
        read_probabilities(tmp_path / "a.h5", 1e-6, names)


def test_files_that_are_no_maps(tmp_path, maps):
    with pytest.raises(ValueError, match="does not exist"):
        read_probabilities(tmp_path / "a.h5", 1e-6, NAMES)
    np.save(tmp_path / "a.npy", maps)
    with pytest.raises(ValueError, match=r"export them to one of \.h5"):
        read_probabilities(tmp_path / "a.npy", 1e-6, NAMES)
    tifffile.imwrite(tmp_path / "a.tif", maps[0])
    with pytest.raises(ValueError, match=r"no maps of 3 phases, only a\.tif \(12, 7, 11\)"):
        read_probabilities(tmp_path / "a.tif", 1e-6, NAMES)
    with pytest.raises(ValueError, match="leave it out"):
        read_probabilities(tmp_path / "a.tif", 1e-6, NAMES, dataset="exported_data")
    (tmp_path / "b.h5").write_bytes(b"hello")
    with pytest.raises(ValueError, match="cannot be read as HDF5"):
        read_probabilities(tmp_path / "b.h5", 1e-6, NAMES)
    write_hdf5(tmp_path / "c.h5", stored_as("zyxc", maps), axes="zyxc")
    with pytest.raises(ValueError, match="voxel size is missing"):
        read_probabilities(tmp_path / "c.h5", phases=NAMES)
    with h5py.File(tmp_path / "c.h5", "a") as file:
        file["other"] = file["exported_data"][()]
        file["other"].attrs["axes"] = "zyxc"
    with pytest.raises(ValueError, match=r"2 maps, /exported_data .*dataset='exported_data'"):
        read_probabilities(tmp_path / "c.h5", 1e-6, NAMES)
    check(read_probabilities(tmp_path / "c.h5", 1e-6, NAMES, dataset="other"), maps)


def test_maps_are_no_labels(tmp_path, maps):
    path = write_hdf5(tmp_path / "a.h5", stored_as("zyxc", maps), axes="zyxc")
    with pytest.raises(ValueError, match=r"no 3-D dataset .*zyxc float32"):
        mt.read_microstructure(path, 1e-6, {"pore": 0})
