from __future__ import annotations

import re
from types import SimpleNamespace

import h5py
import numpy as np
import psutil
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import microtwin as mt
from microtwin.imaging import open_volume
from real_images import real_image

PHASES = {"pore": 0, "active": 1, "binder": 2}
ANISOTROPIC = (5e-7, 3.98e-7, 4.02e-7)


@pytest.fixture
def labels() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 3, (12, 14, 16), dtype=np.uint8)


@pytest.fixture
def micro(labels) -> mt.Microstructure:
    return mt.Microstructure(labels, ANISOTROPIC, PHASES)


# --- round trips --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.tif", "a.TIFF", "a.h5", "a.hdf5"])
def test_labels_and_voxel_size_survive(tmp_path, micro, name):
    path = mt.write_microstructure(micro, tmp_path / name)
    back = mt.read_microstructure(path, phases=PHASES)
    assert np.array_equal(back.labels, micro.labels)
    # TIFF keeps the size in the plane as a fraction of two 32-bit numbers.
    assert back.voxel_size == pytest.approx(ANISOTROPIC, rel=1e-6)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(st.tuples(*[st.floats(1e-9, 1e-2)] * 3), st.sampled_from(["a.tif", "a.h5"]))
def test_any_voxel_size_survives(tmp_path, voxel_size, name):
    scan = mt.Scan(np.zeros((2, 3, 4), np.uint8), voxel_size)
    back = mt.read_scan(mt.write_scan(scan, tmp_path / name))
    assert back.voxel_size == pytest.approx(voxel_size, rel=1e-6)


def test_hdf5_carries_the_names(tmp_path, micro):
    path = mt.write_microstructure(micro, tmp_path / "a.h5")
    back = mt.read_microstructure(path)
    assert dict(back.phases) == PHASES
    assert back.voxel_size == ANISOTROPIC


def test_names_given_win_over_those_in_the_file(tmp_path, micro):
    path = mt.write_microstructure(micro, tmp_path / "a.h5")
    other = {"void": 0, "nmc": 1, "cbd": 2}
    assert dict(mt.read_microstructure(path, phases=other).phases) == other


@pytest.fixture
def unsure(micro) -> mt.Microstructure:
    """Labels with probabilities, whose names are not in the order of the labels."""
    probable = np.random.default_rng(3).integers(0, 86, (3, *micro.shape), dtype=np.uint8)
    probable[2] = 255 - probable[:2].sum(axis=0)
    phases = {"binder": 2, "pore": 0, "active": 1}
    return mt.Microstructure(micro.labels, ANISOTROPIC, phases, probable)


@pytest.mark.parametrize("name", ["a.h5", "a.hdf5", "a.zarr", "a.zarr.zip"])
def test_probabilities_survive(tmp_path, unsure, name):
    path = mt.write_microstructure(unsure, tmp_path / name)
    back = mt.read_microstructure(path)
    assert list(back.phases.items()) == list(unsure.phases.items())
    assert np.array_equal(back.labels, unsure.labels)
    assert np.array_equal(back.probabilities, unsure.probabilities)
    coarse = mt.read_microstructure(path, coarsen=2)
    assert np.array_equal(coarse.labels, unsure.coarsen(2).labels)
    assert np.array_equal(coarse.probabilities, unsure.coarsen(2).probabilities)
    # Grey values and the shape are those of the labels.
    assert np.array_equal(mt.read_scan(path).values, unsure.labels)


@pytest.mark.parametrize("name", ["a.h5", "a.zarr"])
def test_probabilities_follow_the_names_that_are_given(tmp_path, unsure, name):
    path = mt.write_microstructure(unsure, tmp_path / name)
    renamed = mt.read_microstructure(path, phases={"void": 0, "nmc": 1, "cbd": 2})
    for theirs, ours in (("void", "pore"), ("nmc", "active"), ("cbd", "binder")):
        assert np.array_equal(renamed.probability(theirs), unsure.probability(ours))
    more = mt.read_microstructure(path, phases={**PHASES, "other": 7})
    assert more.probabilities is None


@pytest.mark.parametrize("name", ["a.h5", "a.zarr"])
def test_one_phase_with_probabilities(tmp_path, name):
    labels = np.zeros((3, 4, 5), np.uint8)
    sure = mt.Microstructure(labels, 1e-6, {"solid": 0}, np.full((1, 3, 4, 5), 255, np.uint8))
    back = mt.read_microstructure(mt.write_microstructure(sure, tmp_path / name))
    assert np.array_equal(back.labels, labels)
    assert (back.probabilities == 255).all()


@pytest.mark.parametrize("name", ["a.tif", "a.nrrd", "a.mha", "a.mrc", "a.npy"])
def test_other_formats_keep_no_probabilities(tmp_path, unsure, name):
    path = mt.write_microstructure(unsure, tmp_path / name)
    back = mt.read_microstructure(path, ANISOTROPIC, PHASES)
    assert np.array_equal(back.labels, unsure.labels)
    assert back.probabilities is None


def test_probabilities_take_memory_too(tmp_path, unsure, monkeypatch):
    path = mt.write_microstructure(unsure, tmp_path / "a.h5")
    # Enough for the labels, twice.
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=6000))
    with pytest.raises(ValueError, match="available"):
        mt.read_microstructure(path)


def test_files_without_probabilities_are_read_as_before(tmp_path, unsure):
    path = mt.write_microstructure(unsure, tmp_path / "a.h5")
    with h5py.File(path, "a") as file:
        del file["probabilities"]
    assert mt.read_microstructure(path).probabilities is None
    with h5py.File(path, "a") as file:
        file["probabilities"] = np.zeros((2, 3, 4, 5))
    assert mt.read_microstructure(path).probabilities is None


def test_npy_keeps_the_labels_only(tmp_path, micro):
    path = mt.write_microstructure(micro, tmp_path / "a.npy")
    assert np.array_equal(mt.read_microstructure(path, 1e-6, PHASES).labels, micro.labels)
    with pytest.raises(ValueError, match="voxel size is missing"):
        mt.read_microstructure(path, phases=PHASES)


@pytest.mark.parametrize("name", ["a.tif", "a.h5", "a.npy"])
@pytest.mark.parametrize(
    "dtype", ["uint8", "uint16", "int16", "int32", "uint32", "float32", "float64", "int8"]
)
def test_grey_values_of_every_type_survive(tmp_path, name, dtype):
    values = np.random.default_rng(2).integers(0, 100, (4, 5, 6)).astype(dtype)
    path = mt.write_scan(mt.Scan(values, ANISOTROPIC), tmp_path / name)
    back = mt.read_scan(path, voxel_size=ANISOTROPIC if name == "a.npy" else None)
    assert back.values.dtype == dtype
    assert np.array_equal(back.values, values)
    assert back.voxel_size == pytest.approx(ANISOTROPIC, rel=1e-6)


def test_large_volumes_become_bigtiff(tmp_path, micro, monkeypatch):
    monkeypatch.setattr("microtwin.imaging.files.tiff._CLASSIC_LIMIT", 100)
    path = mt.write_microstructure(micro, tmp_path / "a.tif")
    with tifffile.TiffFile(path) as tif:
        assert tif.is_bigtiff
    back = mt.read_microstructure(path, phases=PHASES)
    assert np.array_equal(back.labels, micro.labels)
    assert back.voxel_size == pytest.approx(ANISOTROPIC, rel=1e-6)


def test_written_tiff_is_a_compressed_imagej_stack(tmp_path, micro):
    path = mt.write_microstructure(micro, tmp_path / "a.tif")
    with tifffile.TiffFile(path) as tif:
        assert tif.is_imagej
        assert tif.series[0].axes == "ZYX"
        assert tif.pages.first.compression == tifffile.COMPRESSION.ADOBE_DEFLATE
        assert tif.imagej_metadata["unit"] == "um"
        assert tif.imagej_metadata["spacing"] == pytest.approx(0.5)


# --- what other programs write ------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"metadata": None},
        {"metadata": None, "byteorder": ">"},
        {"bigtiff": True},
        {"imagej": True},
        {"imagej": True, "metadata": {"axes": "TYX"}},
        {"ome": True, "metadata": {"axes": "ZYX"}},
        {"ome": True, "compression": "zlib", "predictor": True, "metadata": {"axes": "ZYX"}},
        {"tile": (16, 16), "compression": "zlib"},
        {"rowsperstrip": 3},
    ],
    ids=str,
)
@pytest.mark.parametrize("coarsen", [1, 2])
def test_stacks_of_other_programs(tmp_path, labels, options, coarsen):
    values = labels.astype(np.uint16)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, values, photometric="minisblack", **options)
    scan = mt.read_scan(path, "1 um", coarsen=coarsen)
    nz, ny, nx = (n // coarsen for n in labels.shape)
    means = values.reshape(nz, coarsen, ny, coarsen, nx, coarsen).mean(axis=(1, 3, 5))
    assert np.array_equal(scan.values, means)
    assert scan.voxel_size == (coarsen * 1e-6,) * 3


@pytest.mark.parametrize(
    ("unit", "metres"),
    [("um", 1e-6), ("micron", 1e-6), ("\\u00B5m", 1e-6), ("nm", 1e-9), ("mm", 1e-3)],
)
def test_imagej_calibration(tmp_path, labels, unit, metres):
    path = tmp_path / "a.tif"
    metadata = {"axes": "ZYX", "unit": unit, "spacing": 0.5}
    tifffile.imwrite(path, labels, imagej=True, resolution=(4, 2.5), metadata=metadata)
    expected = (0.5 * metres, 0.4 * metres, 0.25 * metres)
    assert mt.read_scan(path).voxel_size == pytest.approx(expected, rel=1e-6)


def test_imagej_leaves_out_a_spacing_of_one_unit(tmp_path, labels):
    path = tmp_path / "a.tif"
    metadata = {"axes": "ZYX", "unit": "um"}
    tifffile.imwrite(path, labels, imagej=True, resolution=(1, 1), metadata=metadata)
    assert mt.read_scan(path).voxel_size == pytest.approx((1e-6,) * 3, rel=1e-6)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"metadata": {"unit": "um"}, "resolution": (4, 4)}, "250 x 250 nm in the plane"),
        ({"metadata": {"unit": "inch", "spacing": 1}, "resolution": (72, 72)}, "'inch'"),
        ({"metadata": {"unit": "pixel", "spacing": 1}, "resolution": (1, 1)}, "'pixel'"),
        ({"metadata": {"spacing": 1}, "resolution": (1, 1)}, "no unit"),
    ],
    ids=str,
)
def test_half_a_calibration_is_not_believed(tmp_path, labels, options, match):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, labels, imagej=True, **options)
    with pytest.raises(ValueError, match=match) as caught:
        mt.read_scan(path)
    assert "voxel_size='398 nm'" in str(caught.value)


def test_ome_calibration_in_its_units(tmp_path, labels):
    path = tmp_path / "a.ome.tif"
    sizes = {"PhysicalSizeX": 250, "PhysicalSizeXUnit": "nm", "PhysicalSizeY": 0.4}
    sizes |= {"PhysicalSizeZ": 5e-4, "PhysicalSizeZUnit": "mm"}
    tifffile.imwrite(path, labels, ome=True, metadata={"axes": "ZYX", **sizes})
    # Micrometres where the file names no unit, as the OME schema says.
    assert mt.read_scan(path).voxel_size == pytest.approx((5e-7, 4e-7, 2.5e-7), rel=1e-12)


def test_ome_without_z_size_is_not_enough(tmp_path, labels):
    path = tmp_path / "a.ome.tif"
    metadata = {"axes": "ZYX", "PhysicalSizeX": 1, "PhysicalSizeY": 1}
    tifffile.imwrite(path, labels, ome=True, metadata=metadata)
    with pytest.raises(ValueError, match="no PhysicalSizeZ"):
        mt.read_scan(path)


def test_voxel_size_given_wins(tmp_path, micro):
    path = mt.write_microstructure(micro, tmp_path / "a.tif")
    back = mt.read_microstructure(path, ["1 um", 2e-6, "3000 nm"], PHASES)
    assert back.voxel_size == (1e-6, 2e-6, 3e-6)


def test_folder_is_read_in_natural_order(tmp_path, labels):
    for k, layer in enumerate(labels):
        tifffile.imwrite(tmp_path / f"slice{k}.tif", layer)
    (tmp_path / "notes.txt").write_text("not a layer")
    back = mt.read_microstructure(tmp_path, "1 um", PHASES)
    assert np.array_equal(back.labels, labels)
    whole = mt.Microstructure(labels, 1e-6, PHASES)
    coarse = mt.read_microstructure(tmp_path, "1 um", PHASES, coarsen=2)
    assert np.array_equal(coarse.labels, whole.coarsen(2).labels)


def test_foreign_hdf5_with_one_volume(tmp_path, labels):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["deep/in/volume"] = labels
        file["angles"] = np.arange(5.0)
    assert np.array_equal(mt.read_scan(tmp_path / "a.h5", 1e-6).values, labels)


def test_foreign_hdf5_with_several_volumes_lists_them(tmp_path, labels):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["one"], file["two"] = labels, labels.astype(np.float32)
    with pytest.raises(ValueError, match=r"2 volumes, /one \(12, 14, 16\) uint8, /two.*float32"):
        mt.read_scan(tmp_path / "a.h5", 1e-6)


def test_open_volume_tells_what_the_file_tells(tmp_path, micro):
    volume = open_volume(mt.write_microstructure(micro, tmp_path / "a.h5"))
    assert (volume.shape, volume.dtype) == ((12, 14, 16), np.uint8)
    assert (volume.voxel_size, volume.phases) == (ANISOTROPIC, PHASES)
    assert np.array_equal(volume.read_layers(3, 5), micro.labels[3:5])
    volume = open_volume(mt.write_microstructure(micro, tmp_path / "a.npy"))
    assert (volume.voxel_size, volume.phases) == (None, None)


# --- coarsening while reading -------------------------------------------------------------------


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(
    st.integers(2, 40),
    st.integers(1, 4),
    st.sampled_from(["a.tif", "a.h5", "a.npy"]),
    st.integers(0, 99),
)
def test_coarse_reading_is_coarsening(tmp_path, layers, factor, name, seed):
    layers = max(layers, 2 * factor)
    rng = np.random.default_rng(seed)
    micro = mt.Microstructure(rng.integers(0, 3, (layers, 9, 8), np.uint8), 1e-6, PHASES)
    path = mt.write_microstructure(micro, tmp_path / name)
    read = mt.read_microstructure(path, 1e-6, PHASES, coarsen=factor)
    assert np.array_equal(read.labels, micro.coarsen(factor).labels)
    assert read.voxel_size == micro.coarsen(factor).voxel_size


@pytest.mark.parametrize("factor", [0, 7, 1.5])
def test_coarsening_that_does_not_fit_is_refused(tmp_path, micro, factor):
    path = mt.write_microstructure(micro, tmp_path / "a.tif")
    with pytest.raises(ValueError, match="from 1 to 6"):
        mt.read_microstructure(path, phases=PHASES, coarsen=factor)


@pytest.mark.parametrize("name", ["a.tif", "a.h5", "a.npy"])
def test_volume_beyond_memory_is_refused_before_reading(tmp_path, micro, monkeypatch, name):
    path = mt.write_microstructure(micro, tmp_path / name)
    # The file takes 2688 voxels of one byte, twice; an eighth of that and a slab fit.
    memory = SimpleNamespace(available=5000)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory)
    with pytest.raises(ValueError, match=r"needs 5\.38e-06 GB.*coarsen=2") as caught:
        mt.read_microstructure(path, 1e-6, PHASES)
    assert "12 x 14 x 16" in str(caught.value)
    assert mt.read_microstructure(path, 1e-6, PHASES, coarsen=2).shape == (6, 7, 8)


def test_volume_beyond_memory_at_any_coarsening_is_to_be_cropped(tmp_path, micro, monkeypatch):
    path = mt.write_microstructure(micro, tmp_path / "a.tif")
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=10))
    with pytest.raises(ValueError, match="available; crop it first"):
        mt.read_microstructure(path, phases=PHASES)


# --- bad input ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kept", [0.99, 0.6, 0.3, 0.02])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"metadata": None},
        {"imagej": True},
        {"imagej": True, "compression": "zlib"},
        {"ome": True, "compression": "zlib"},
        {"bigtiff": True, "compression": "zlib"},
    ],
    ids=str,
)
def test_truncated_stack_is_refused(tmp_path, labels, options, kept):
    whole, part = tmp_path / "whole.tif", tmp_path / "part.tif"
    tifffile.imwrite(whole, labels, photometric="minisblack", **options)
    content = whole.read_bytes()
    part.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(ValueError, match=r"part\.tif is (truncated|a damaged TIFF|not a TIFF)"):
        mt.read_scan(part, 1e-6)


def test_truncated_stack_with_one_page_directory_is_refused(tmp_path, labels):
    # ImageJ writes only one page directory for stacks beyond 4 GB; the chain then looks whole.
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, labels, imagej=True, metadata={"axes": "ZYX"})
    with tifffile.TiffFile(path) as tif:
        end_of_first = tif.pages.first.offset + 2 + 12 * len(tif.pages.first.tags)
        voxels_end = tif.series[0].dataoffset + labels.nbytes
    content = bytearray(path.read_bytes())
    content[end_of_first : end_of_first + 4] = bytes(4)
    path.write_bytes(content[:voxels_end])
    assert np.array_equal(mt.read_scan(path, 1e-6).values, labels)
    assert mt.read_scan(path, 1e-6, coarsen=2).shape == (6, 7, 8)
    path.write_bytes(content[: voxels_end - 100])
    with pytest.raises(ValueError, match=r"a\.tif is truncated"):
        mt.read_scan(path, 1e-6)


@pytest.mark.parametrize("content", [b"", b"II", b"hello world", b"\x89HDF\r\n\x1a\n"])
def test_file_that_is_no_tiff(tmp_path, content):
    path = tmp_path / "a.tif"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="is not a TIFF file"):
        mt.read_scan(path, 1e-6)


@pytest.mark.parametrize("name", ["a.h5", "a.npy"])
@pytest.mark.parametrize("kept", [0.0, 0.1, 0.9])
def test_truncated_hdf5_and_npy(tmp_path, micro, name, kept):
    path = mt.write_microstructure(micro, tmp_path / name)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(ValueError, match=r"cannot be read as HDF5|not a whole NPY file"):
        mt.read_scan(path, 1e-6)


def test_hdf5_of_a_later_layout(tmp_path, micro):
    path = mt.write_microstructure(micro, tmp_path / "a.h5")
    with h5py.File(path, "a") as file:
        file.attrs["microtwin"] = 99
    with pytest.raises(ValueError, match=r"layout version 99.*update microtwin"):
        mt.read_microstructure(path)


def test_hdf5_without_volume(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["profile"] = np.arange(5.0)
    with pytest.raises(ValueError, match="no 3-D dataset"):
        mt.read_scan(tmp_path / "a.h5", 1e-6)


def test_single_picture(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((8, 9), np.uint8))
    with pytest.raises(ValueError, match=r"single picture.*one page per layer"):
        mt.read_scan(tmp_path / "a.tif", 1e-6)
    np.save(tmp_path / "a.npy", np.zeros((8, 9), np.uint8))
    with pytest.raises(ValueError, match=r"2 dimension\(s\).*3-D"):
        mt.read_scan(tmp_path / "a.npy", 1e-6)


def test_colour_image(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((5, 8, 9, 3), np.uint8), photometric="rgb")
    with pytest.raises(ValueError, match=r"colour image.*grey scale"):
        mt.read_scan(tmp_path / "a.tif", 1e-6)


def test_several_channels(tmp_path):
    values = np.zeros((5, 2, 8, 9), np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", values, imagej=True, metadata={"axes": "ZCYX"})
    with pytest.raises(ValueError, match=r"axes ZCYX.*one channel"):
        mt.read_scan(tmp_path / "a.tif", 1e-6)


def test_pages_of_different_sizes(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as tif:
        for side in (8, 8, 9):
            tif.write(np.zeros((side, side), np.uint8), metadata=None)
    with pytest.raises(ValueError, match=r"2 of 8 x 8, 1 of 9 x 9.*equal pages"):
        mt.read_scan(tmp_path / "a.tif", 1e-6)


def write_encoded(path, labels, compression):
    """Write layers that are one literal run of PackBits per row, under any compression tag."""
    width = labels.shape[2]
    encoded = np.insert(labels, 0, width - 1, axis=2)
    tifffile.imwrite(path, encoded, photometric="minisblack", metadata=None)
    with tifffile.TiffFile(path, mode="r+") as tif:
        for page in list(tif.pages):
            page.aspage().tags["ImageWidth"].overwrite(width)
            page.aspage().tags["Compression"].overwrite(compression)


def test_packbits_needs_no_extra(tmp_path, labels):
    write_encoded(tmp_path / "a.tif", labels, tifffile.COMPRESSION.PACKBITS)
    assert np.array_equal(mt.read_scan(tmp_path / "a.tif", 1e-6).values, labels)


def test_unreadable_compression_names_the_extra(tmp_path, labels):
    write_encoded(tmp_path / "a.tif", labels, tifffile.COMPRESSION.LZW)
    # Where the extra is installed, the voxels are no LZW and fail to decode instead.
    with pytest.raises(ValueError, match=r"LZW.*microtwin\[codecs\]|damaged"):
        mt.read_scan(tmp_path / "a.tif", 1e-6)


def test_folders_that_are_no_volume(tmp_path):
    with pytest.raises(ValueError, match="no TIFF file"):
        mt.read_scan(tmp_path, 1e-6)
    tifffile.imwrite(tmp_path / "1.tif", np.zeros((8, 9), np.uint8))
    with pytest.raises(ValueError, match="one TIFF file"):
        mt.read_scan(tmp_path, 1e-6)
    tifffile.imwrite(tmp_path / "2.tif", np.zeros((8, 8), np.uint8))
    with pytest.raises(ValueError, match="1 of 8 x 9 uint8, 1 of 8 x 8 uint8"):
        mt.read_scan(tmp_path, 1e-6)
    tifffile.imwrite(tmp_path / "2.tif", np.zeros((3, 8, 9), np.uint8), photometric="minisblack")
    with pytest.raises(ValueError, match=r"2\.tif has shape \(3, 8, 9\)"):
        mt.read_scan(tmp_path, 1e-6)


def test_missing_file_and_unknown_ending(tmp_path):
    with pytest.raises(ValueError, match="does not exist"):
        mt.read_scan(tmp_path / "a.tif", 1e-6)
    (tmp_path / "a.png").write_bytes(b"")
    with pytest.raises(ValueError, match=r"'\.png'; known are \.tif"):
        mt.read_scan(tmp_path / "a.png", 1e-6)
    for ending in (".nxs", ".zarr", ".nhdr", ".mha", ".rec", ".am", ".raw", ".npy"):
        with pytest.raises(ValueError, match=rf"known are .*\{ending}"):
            mt.read_scan(tmp_path / "a.png", 1e-6)
    # Not everything that is read can be written.
    with pytest.raises(ValueError, match=r"'\.am'; known are \.tif.*\.zarr.*\.mrc.*\.npy$"):
        mt.write_scan(mt.Scan(np.zeros((2, 2, 2)), 1e-6), tmp_path / "b.am")
    with pytest.raises(ValueError, match=r"'\.png'; known are \.tif"):
        mt.write_scan(mt.Scan(np.zeros((2, 2, 2)), 1e-6), tmp_path / "b.png")


def test_labels_without_names_are_listed(tmp_path, micro):
    path = mt.write_microstructure(micro, tmp_path / "a.tif")
    with pytest.raises(ValueError, match=r"0 \(\d+ voxels\), 1 \(\d+ voxels\), 2 \(\d+ voxels\)"):
        mt.read_microstructure(path)
    with pytest.raises(
        ValueError, match=r"a\.tif: the image holds label\(s\) that no phase names: 2"
    ):
        mt.read_microstructure(path, phases={"pore": 0, "active": 1})


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("name", ["a.h5", "a.npy", "a.zarr"])
@pytest.mark.parametrize("coarsen", [1, 2])
def test_labels_saved_as_floats(tmp_path, micro, dtype, name, coarsen):
    path = mt.write_scan(mt.Scan(micro.labels.astype(dtype), 1e-6), tmp_path / name)
    back = mt.read_microstructure(path, 1e-6, PHASES, coarsen=coarsen)
    assert back.labels.dtype == np.uint8
    assert np.array_equal(back.labels, micro.coarsen(coarsen).labels)
    with pytest.raises(ValueError, match=r"0 \(\d+ voxels\), 1 \(\d+ voxels\), 2 \(\d+ voxels\)"):
        mt.read_microstructure(path, 1e-6)


@pytest.mark.parametrize("value", [0.5, -1.0, 256.0, 1e30, -0.25, np.nan, np.inf])
def test_floats_that_are_no_labels(tmp_path, micro, value):
    values = micro.labels.astype(np.float32)
    values[9, 3, 4] = values[10, 0, 0] = value
    np.save(tmp_path / "a.npy", values)
    found = re.escape(f"{value:g} at the voxel (z, y, x) = (9, 3, 4); whole numbers")
    with pytest.raises(ValueError, match=rf"a\.npy: labels have dtype float32 and hold {found}"):
        mt.read_microstructure(tmp_path / "a.npy", 1e-6, PHASES)


def test_labels_saved_as_floats_are_converted_by_slabs(tmp_path, micro, monkeypatch):
    np.save(tmp_path / "a.npy", micro.labels.astype(np.float64))
    # Two bytes per voxel fit; sixteen would not.
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=6000))
    assert mt.read_microstructure(tmp_path / "a.npy", 1e-6, PHASES).shape == micro.shape


def test_float_labels_and_nan_values(tmp_path):
    np.save(tmp_path / "a.npy", np.full((3, 3, 3), np.nan))
    with pytest.raises(ValueError, match=r"a\.npy: labels have dtype float64"):
        mt.read_microstructure(tmp_path / "a.npy", 1e-6, PHASES)
    with pytest.raises(ValueError, match=r"a\.npy: the scan holds 27 NaN"):
        mt.read_scan(tmp_path / "a.npy", 1e-6)


def test_nan_patch_is_located(tmp_path):
    values = np.ones((6, 7, 8), np.float32)
    values[2:4, 1, 3:6] = np.nan
    values[5, 4, 2] = np.inf
    np.save(tmp_path / "a.npy", values)
    with pytest.raises(ValueError, match=r"7 NaN or infinite values, .* z 2:6, y 1:5, x 2:6 of"):
        mt.read_scan(tmp_path / "a.npy", 1e-6)


@pytest.mark.parametrize("voxel_size", [0, -1e-6, ["1 um", "1 um"], (1e-6, 1e-6, 0), "-3 nm"])
def test_voxel_sizes_that_are_no_lengths(tmp_path, micro, voxel_size):
    path = mt.write_microstructure(micro, tmp_path / "a.tif")
    with pytest.raises(ValueError, match=r"voxel size .* is not allowed"):
        mt.read_microstructure(path, voxel_size, PHASES)


def test_tiff_cannot_hold_wide_integers(tmp_path):
    with pytest.raises(ValueError, match=r"int64.*\.h5"):
        mt.write_scan(mt.Scan(np.zeros((2, 2, 2), np.int64), 1e-6), tmp_path / "a.tif")


# --- real images --------------------------------------------------------------------------------


def test_calendered_cathode_of_nrel():
    path = real_image("nmc-cbd/nmc-1-cal_generatedCBD_bridge.tif")
    micro = mt.read_microstructure(path, "398 nm", PHASES)
    assert micro.shape == (251, 301, 301)
    # The fractions that come with the image, in whole percent.
    assert {k: round(100 * v) for k, v in micro.volume_fractions.items()} == {
        "pore": 40,
        "active": 50,
        "binder": 10,
    }


def test_generated_cathode():
    path = real_image("cathode-3phase/electrode.tiff")
    phases = {"pore": 0, "active": 85, "binder": 170}
    micro = mt.read_microstructure(path, 100e-6 / 256, phases)
    assert micro.shape == (256, 256, 256)
    assert micro.extent == pytest.approx((1e-4,) * 3)
    assert sum(micro.volume_fractions.values()) == pytest.approx(1)
    coarse = mt.read_microstructure(path, 100e-6 / 256, phases, coarsen=2)
    assert np.array_equal(coarse.labels, micro.coarsen(2).labels)


def test_grey_scale_fibres():
    path = real_image("fibre-grey/100_fiberform.tif")
    scan = mt.read_scan(path, "1.3 um")
    assert scan.shape == (100, 100, 100)
    assert scan.values.std() > 5
    # ImageJ's default of 100 pixels per inch is no calibration.
    with pytest.raises(ValueError, match="inch"):
        mt.read_scan(path)


def test_truncated_real_stack(tmp_path):
    # Each page directory lies before its voxels, and common readers return 248 of 251 layers.
    content = real_image("nmc-cbd/nmc-1-cal_generatedCBD_bridge.tif").read_bytes()
    (tmp_path / "a.tif").write_bytes(content[: int(0.99 * len(content))])
    with pytest.raises(ValueError, match="truncated"):
        mt.read_scan(tmp_path / "a.tif", 1e-6)
