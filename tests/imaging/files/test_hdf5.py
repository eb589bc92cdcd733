from __future__ import annotations

import h5py
import numpy as np
import pytest

import microtwin as mt
from microtwin.imaging import open_volume
from volumes import VOXEL_SIZE, check_layers, numbered


def nexus(path, values, axes="zyx", units=("um", "um", "nm"), steps=(0.5, 0.4, 250.0)):
    """Write /entry/data/volume with axes, and further volumes that are not the signal."""
    with h5py.File(path, "w") as file:
        file.attrs["default"] = "entry"
        entry = file.create_group("entry")
        entry.attrs.update({"NX_class": "NXentry", "default": "data"})
        entry["definition"] = "NXtomoproc"
        entry["mask"] = np.ones_like(values)
        data = entry.create_group("data")
        data.attrs.update({"NX_class": "NXdata", "signal": "volume", "axes": list(axes)})
        data["volume"] = values
        data["weight"] = np.ones_like(values)
        for axis, count in zip(axes, values.shape, strict=True):
            k = "zyx".index(axis)
            data[axis] = 3 + steps[k] * np.arange(count)
            data[axis].attrs["units"] = units[k]
    return path


@pytest.mark.parametrize("suffix", [".h5", ".hdf5", ".hdf", ".nxs", ".nx"])
def test_default_signal_of_nexus(tmp_path, suffix):
    path = nexus(tmp_path / f"a{suffix}", numbered())
    check_layers(path, numbered())
    assert open_volume(path).voxel_size == pytest.approx(VOXEL_SIZE)


@pytest.mark.parametrize("axes", ["xyz", "yzx"])
def test_axes_are_ordered_by_their_names(tmp_path, axes):
    stored = numbered().transpose(["zyx".index(axis) for axis in axes])
    path = nexus(tmp_path / "a.nxs", stored, axes)
    check_layers(path, numbered())
    assert open_volume(path).voxel_size == pytest.approx(VOXEL_SIZE)


def test_signal_without_default(tmp_path):
    path = nexus(tmp_path / "a.nxs", numbered())
    with h5py.File(path, "a") as file:
        del file.attrs["default"]
    check_layers(path, numbered())


def test_default_that_is_linked(tmp_path):
    path = nexus(tmp_path / "a.nxs", numbered())
    with h5py.File(path, "a") as file:
        file["entry/data/linked"] = file["entry/data/volume"]
        file["entry/data"].attrs["signal"] = "linked"
    check_layers(path, numbered())


def test_nexus_of_old(tmp_path):
    with h5py.File(tmp_path / "a.nxs", "w") as file:
        data = file.create_group("entry/data")
        data["volume"], data["other"] = numbered(), np.ones((5, 7, 11))
        data["volume"].attrs.update({"signal": 1, "axes": "z:y:x"})
        for axis, count, step in zip("zyx", (5, 7, 11), (5e-4, 4e-4, 2.5e-4), strict=True):
            # Edges of the voxels instead of their centres.
            data[axis] = step * np.arange(count + 1)
            data[axis].attrs["units"] = np.bytes_("mm")
    check_layers(tmp_path / "a.nxs", numbered())
    assert open_volume(tmp_path / "a.nxs").voxel_size == pytest.approx(VOXEL_SIZE)


@pytest.mark.parametrize("order", ["zyx", "xyz"])
def test_nxtomoproc_without_attributes(tmp_path, order):
    stored = numbered().transpose(["zyx".index(axis) for axis in order])
    with h5py.File(tmp_path / "a.nxs", "w") as file:
        file["entry/definition"] = "NXtomoproc"
        file["entry/data/data"] = stored
        for axis, count, step in zip("zyx", (5, 7, 11), VOXEL_SIZE, strict=True):
            file[f"entry/data/{axis}"] = step * np.arange(count)
            file[f"entry/data/{axis}"].attrs["units"] = "m"
    check_layers(tmp_path / "a.nxs", numbered())
    assert open_volume(tmp_path / "a.nxs").voxel_size == pytest.approx(VOXEL_SIZE)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda d: d["z"].attrs.__delitem__("units"), "without a unit of length"),
        (lambda d: d["z"].attrs.__setitem__("units", "pixel"), "no unit of length"),
        (lambda d: d["z"].__setitem__(4, 99), "'z' has no evenly spaced positions"),
        (lambda d: d.__delitem__("z"), "'z' has no evenly spaced positions"),
        (lambda d: d.attrs.__delitem__("axes") or d.__delitem__("y"), "no axes with a unit"),
    ],
)
def test_no_voxel_size_is_made_up(tmp_path, change, match):
    path = nexus(tmp_path / "a.nxs", numbered())
    with h5py.File(path, "a") as file:
        change(file["entry/data"])
    with pytest.raises(ValueError, match=match):
        mt.read_scan(path)
    assert np.array_equal(mt.read_scan(path, 1e-6).values, numbered())


def test_element_size_of_imagej(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["t0/channel0"] = numbered()
        file["t0/channel0"].attrs["element_size_um"] = [0.5, 0.4, 0.25]
    assert open_volume(tmp_path / "a.h5").voxel_size == pytest.approx(VOXEL_SIZE)


def test_dataset_is_named(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["one"], file["deep/two"] = numbered(), numbered("float32")
        file["profile"], file["colour"] = np.arange(5.0), np.zeros((5, 7, 11, 3))
    with pytest.raises(ValueError, match=r"2 volumes, /deep/two .*dataset='deep/two'"):
        mt.read_scan(tmp_path / "a.h5", 1e-6)
    check_layers(tmp_path / "a.h5", numbered(), dataset="one")
    for name in ("deep/two", "/deep/two"):
        check_layers(tmp_path / "a.h5", numbered("float32"), dataset=name)
    assert mt.read_scan(tmp_path / "a.h5", 1e-6, dataset="one", coarsen=2).shape == (2, 3, 5)
    with pytest.raises(ValueError, match=r"no dataset 'three'; its volumes are /deep/two"):
        mt.read_scan(tmp_path / "a.h5", 1e-6, dataset="three")
    with pytest.raises(ValueError, match=r"/colour \(5, 7, 11, 3\) float64 is not a 3-D array"):
        mt.read_scan(tmp_path / "a.h5", 1e-6, dataset="colour")


def test_dataset_of_labels(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["grey"], file["labels"] = numbered(), numbered("uint8") % 2
    phases = {"pore": 0, "active": 1}
    micro = mt.read_microstructure(tmp_path / "a.h5", 1e-6, phases, dataset="labels")
    assert np.array_equal(micro.labels, numbered("uint8") % 2)


def test_dataset_only_where_there_are_several(tmp_path):
    np.save(tmp_path / "a.npy", numbered())
    with pytest.raises(ValueError, match=r"dataset='one' is not allowed.*only HDF5 and Zarr"):
        mt.read_scan(tmp_path / "a.npy", 1e-6, dataset="one")


def test_axes_of_length_one_are_left_out(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["exported_data"] = numbered()[None, ..., None]
    check_layers(tmp_path / "a.h5", numbered())


def test_big_endian(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["volume"] = numbered().astype(">u2")
    check_layers(tmp_path / "a.h5", numbered())


def test_volume_in_a_linked_file(tmp_path):
    with h5py.File(tmp_path / "voxels.h5", "w") as file:
        file["volume"] = numbered()
    with h5py.File(tmp_path / "a.nxs", "w") as file:
        file["entry/data"] = h5py.ExternalLink("voxels.h5", "/volume")
        file["entry/lost"] = h5py.ExternalLink("lost.h5", "/volume")
    check_layers(tmp_path / "a.nxs", numbered())
    (tmp_path / "voxels.h5").unlink()
    with pytest.raises(ValueError, match=r"links that lead nowhere, /entry/data, /entry/lost"):
        mt.read_scan(tmp_path / "a.nxs", 1e-6)


def test_volume_put_together_from_files(tmp_path):
    layout = h5py.VirtualLayout((5, 7, 11), "uint16")
    for k, layer in enumerate(numbered()):
        with h5py.File(tmp_path / f"{k}.h5", "w") as file:
            file["layer"] = layer
        layout[k] = h5py.VirtualSource(f"{k}.h5", "layer", (7, 11))
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_virtual_dataset("volume", layout)
    check_layers(tmp_path / "a.h5", numbered())
    (tmp_path / "3.h5").unlink()
    # The library would return zeros.
    with pytest.raises(ValueError, match=r"/volume in 1 file\(s\) that are not there, first 3\.h5"):
        mt.read_scan(tmp_path / "a.h5", 1e-6)


PROJECTIONS = r"a\.nxs holds projections, .*read_projections and microtwin\.imaging\.reconstruct"


def nxtomo(file):
    file["entry/definition"] = "NXtomo"
    file["entry/instrument/detector/data"] = numbered()
    file["entry/instrument/detector/image_key"] = np.zeros(5, int)
    file["entry/data/data"] = file["entry/instrument/detector/data"]


def image_key_only(file):
    file["scan/data"], file["scan/image_key"] = numbered(), np.zeros(5, int)


def definition_only(file):
    file["entry/definition"] = np.bytes_("NXtomo")
    file["entry/detector/data"] = numbered()


def dxchange(file):
    file["exchange/data"] = numbered()
    file["exchange/data_white"], file["exchange/data_dark"] = numbered(), numbered()


def dxchange_axes(file):
    file["exchange/data"] = numbered()
    file["exchange/data"].attrs["axes"] = "theta:y:x"


def dxchange_theta(file):
    file["exchange/data"], file["exchange/theta"] = numbered(), np.arange(5.0)


KINDS = [nxtomo, image_key_only, definition_only, dxchange, dxchange_axes, dxchange_theta]


@pytest.mark.parametrize("fill", KINDS)
def test_projections_are_to_be_reconstructed(tmp_path, fill):
    with h5py.File(tmp_path / "a.nxs", "w") as file:
        fill(file)
    with pytest.raises(ValueError, match=PROJECTIONS):
        mt.read_scan(tmp_path / "a.nxs", 1e-6)


def test_volume_beside_projections(tmp_path):
    with h5py.File(tmp_path / "a.nxs", "w") as file:
        nxtomo(file)
        file["entry/result/volume"] = numbered("float32")
        file["entry/result"].attrs["NX_class"] = "NXprocess"
    check_layers(tmp_path / "a.nxs", numbered("float32"))
    for name in ("entry/data/data", "entry/instrument/detector/data"):
        with pytest.raises(ValueError, match=PROJECTIONS):
            mt.read_scan(tmp_path / "a.nxs", 1e-6, dataset=name)


def test_volume_beside_projections_of_dxchange(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        dxchange(file)
        file["exchange/recon"] = np.ones((7, 9, 9), np.float32)
    check_layers(tmp_path / "a.h5", np.ones((7, 9, 9), np.float32))


def test_volume_in_dxchange(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["exchange/data"] = numbered()
        file["exchange/data"].attrs["axes"] = "z:y:x"
        file["exchange/theta"] = np.arange(180.0)
    check_layers(tmp_path / "a.h5", numbered())
