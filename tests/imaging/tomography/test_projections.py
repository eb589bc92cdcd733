from __future__ import annotations

import h5py
import numpy as np
import pytest
import tifffile
from numpy.testing import assert_allclose, assert_array_equal

from microtwin.imaging import Projections, StoredFrames, read_projections
from real_images import real_image

RANDOM = np.random.default_rng(5)
FRAMES = RANDOM.integers(0, 1000, (12, 5, 7)).astype(np.uint16)
# Flats and darks before and after, an invalid frame between the projections.
KEY = np.array([1, 1, 2, 0, 0, 0, 3, 0, 0, 0, 1, 2])
DEGREES = np.array([0, 0, 0, 0, 30, 60, 75, 90, 120, 150, 0, 0], float)


def write_nxtomo(path, frames=FRAMES, key=KEY, angles=DEGREES, unit="degrees", detectors=("tomo",)):
    with h5py.File(path, "w") as file:
        entry = file.create_group("entry")
        entry.attrs["NX_class"] = "NXentry"
        entry.create_group("instrument").attrs["NX_class"] = "NXinstrument"
        for name in detectors:
            group = entry.create_group(f"instrument/{name}")
            group.attrs["NX_class"] = np.bytes_("NXdetector")
            if frames is not None:
                group["data"] = frames
            if key is not None:
                group["image_key"] = key
            group["x_pixel_size"], group["y_pixel_size"] = 1.6, 1.8
            for axis in "xy":
                group[f"{axis}_pixel_size"].attrs["units"] = "um"
        entry.create_group("sample").attrs["NX_class"] = "NXsample"
        if angles is not None:
            entry["sample/rotation_angle"] = angles
            if unit is not None:
                entry["sample/rotation_angle"].attrs["units"] = unit
    return path


def write_dxchange(path, theta=DEGREES[KEY == 0], axes=None):
    with h5py.File(path, "w") as file:
        file["exchange/data"] = FRAMES[KEY == 0]
        file["exchange/data_white"] = FRAMES[KEY == 1]
        file["exchange/data_dark"] = FRAMES[KEY == 2]
        if axes:
            file["exchange/data"].attrs["axes"] = axes
        if theta is not None:
            file["exchange/theta"] = theta
            file["exchange/theta"].attrs["units"] = "degrees"
    return path


def assert_is_all(projections):
    """Whatever the layout, the same frames and angles come out."""
    assert projections.shape == (6, 5, 7)
    assert_array_equal(projections.read_rows(0, 5), FRAMES[KEY == 0])
    assert_array_equal(projections.read_rows(2, 4), FRAMES[KEY == 0][:, 2:4])
    assert_array_equal(projections.read_flats(1, 3), FRAMES[KEY == 1][:, 1:3])
    assert_array_equal(projections.read_darks(4, 5), FRAMES[KEY == 2][:, 4:5])
    assert_allclose(projections.angles, np.deg2rad([0, 30, 60, 90, 120, 150]), rtol=1e-14)


def test_nxtomo_frames_are_told_apart_by_image_key(tmp_path):
    projections = read_projections(write_nxtomo(tmp_path / "scan.nxs"))
    assert_is_all(projections)
    assert projections.pixel_size == (1.8e-6, 1.6e-6)
    assert isinstance(projections.values, StoredFrames)
    assert "6 from 0 to 150 degrees, 5 x 7 pixels of 1800 x 1600 nm, uint16, 3 flats" in repr(
        projections
    )


def test_what_is_given_wins_over_the_file(tmp_path):
    path = write_nxtomo(tmp_path / "scan.nxs")
    angles = np.linspace(0, 3, 6)
    flats = np.full((5, 7), 3.0)
    projections = read_projections(path, pixel_size="2 um", angles=angles, flats=flats)
    assert projections.pixel_size == (2e-6, 2e-6)
    assert_array_equal(projections.angles, angles)
    assert_array_equal(projections.read_flats(0, 5), flats[None])
    assert projections.darks.shape == (2, 5, 7)


@pytest.mark.parametrize(
    ("unit", "factor"), [("rad", 1.0), ("deg", np.pi / 180), (None, np.pi / 180)]
)
def test_unit_of_rotation_angle(tmp_path, unit, factor):
    path = write_nxtomo(tmp_path / "scan.nxs", angles=DEGREES / 100, unit=unit)
    expected = DEGREES[KEY == 0] / 100 * factor
    assert_allclose(read_projections(path).angles, expected, rtol=1e-14)


def test_unknown_unit_of_rotation_angle_is_refused(tmp_path):
    path = write_nxtomo(tmp_path / "scan.nxs", unit="turns")
    with pytest.raises(ValueError, match="unit 'turns', which is neither degrees nor radians"):
        read_projections(path)


def test_missing_rotation_angle_is_asked_for(tmp_path):
    path = write_nxtomo(tmp_path / "scan.nxs", angles=None)
    with pytest.raises(ValueError, match=r"does not tell the angles of its 6 projections; give"):
        read_projections(path)
    assert_allclose(
        read_projections(path, angles=(0, np.pi)).angles, np.arange(6) * np.pi / 6, rtol=1e-14
    )


def test_rotation_angle_of_another_length_is_refused(tmp_path):
    path = write_nxtomo(tmp_path / "scan.nxs", angles=DEGREES[:8])
    with pytest.raises(ValueError, match="holds 8 angles for 12 frames"):
        read_projections(path)


def test_several_detectors_are_listed_until_one_is_named(tmp_path):
    path = write_nxtomo(tmp_path / "scan.nxs", detectors=("high", "low"))
    with pytest.raises(ValueError, match=r"several detectors, /entry/instrument/high .*low"):
        read_projections(path)
    with pytest.raises(ValueError, match=r"'side' is not in .*; it has /entry/instrument/high"):
        read_projections(path, detector="side")
    assert_is_all(read_projections(path, detector="low"))
    assert_is_all(read_projections(path, detector="entry/instrument/high"))


def test_subentry_with_image_key_is_preferred_to_the_raw_detector(tmp_path):
    """Some beamlines store the frames once, and a second detector group that explains them."""
    path = write_nxtomo(tmp_path / "scan.nxs")
    with h5py.File(path, "a") as file:
        raw = file.create_group("entry/instrument/camera")
        raw.attrs["NX_class"] = "NXdetector"
        raw["data"] = h5py.SoftLink("/entry/instrument/tomo/data")
        file["entry/instrument/loop"] = h5py.SoftLink("/entry")
    assert_is_all(read_projections(path))
    assert read_projections(path, detector="camera", angles=(0, np.pi)).shape == FRAMES.shape


@pytest.mark.parametrize("moved", [False, True])
def test_frames_in_another_file_are_followed(tmp_path, moved):
    path = write_nxtomo(tmp_path / "scan.nxs", frames=None)
    folder = tmp_path / "" if moved else tmp_path / "scan"
    folder.mkdir(exist_ok=True)
    with h5py.File(folder / "frames.h5", "w") as file:
        file["entry/data"] = FRAMES
    with h5py.File(path, "a") as file:
        file["entry/instrument/tomo/data"] = h5py.ExternalLink("scan/frames.h5", "/entry/data")
    assert_is_all(read_projections(path))
    (folder / "frames.h5").unlink()
    with pytest.raises(ValueError, match=r"/entry/instrument/tomo \(frames not found\) are in"):
        read_projections(path)


def test_frames_put_together_from_a_missing_file_are_not_read_as_zeros(tmp_path):
    path = write_nxtomo(tmp_path / "scan.nxs", frames=None)
    layout = h5py.VirtualLayout(FRAMES.shape, FRAMES.dtype)
    for part in range(2):
        with h5py.File(tmp_path / f"part{part}.h5", "w") as file:
            file["data"] = FRAMES[6 * part : 6 * part + 6]
        layout[6 * part : 6 * part + 6] = h5py.VirtualSource(f"part{part}.h5", "data", (6, 5, 7))
    with h5py.File(path, "a") as file:
        file["entry/instrument/tomo"].create_virtual_dataset("data", layout)
    assert_is_all(read_projections(path))
    (tmp_path / "part1.h5").unlink()
    with pytest.raises(ValueError, match=r"are in part1.h5, which is missing"):
        read_projections(path)


@pytest.mark.parametrize(
    ("key", "message"),
    [
        (np.where(KEY == 3, 7, KEY), "image_key holds 7; allowed are 0"),
        (KEY[:9], "image_key has 9 entries for 12 frames, so the scan stopped half-way"),
        (np.where(KEY == 0, 1, KEY), "marks no frame as projection"),
    ],
)
def test_wrong_image_key_is_refused(tmp_path, key, message):
    path = write_nxtomo(tmp_path / "scan.nxs", key=key)
    with pytest.raises(ValueError, match=message):
        read_projections(path)


def test_views_taken_again_for_control_are_left_out(tmp_path):
    path = write_nxtomo(tmp_path / "scan.nxs", key=np.where(KEY == 3, 0, KEY))
    with h5py.File(path, "a") as file:
        file["entry/instrument/tomo/image_key_control"] = np.where(KEY == 3, -1, KEY)
    assert_is_all(read_projections(path))


def test_all_frames_are_projections_without_image_key(tmp_path):
    projections = read_projections(write_nxtomo(tmp_path / "scan.nxs", key=None))
    assert projections.shape == FRAMES.shape
    assert projections.flats is None


def test_dxchange(tmp_path):
    projections = read_projections(write_dxchange(tmp_path / "scan.h5"))
    assert_is_all(projections)
    assert projections.pixel_size is None


def test_dxchange_without_theta_asks_for_angles(tmp_path):
    path = write_dxchange(tmp_path / "scan.h5", theta=None)
    with pytest.raises(ValueError, match="does not tell the angles of its 6 projections"):
        read_projections(path)
    assert_is_all(read_projections(path, angles=(0, np.pi)))


def test_dxchange_that_does_not_fit_itself_is_refused(tmp_path):
    path = write_dxchange(tmp_path / "scan.h5", theta=DEGREES)
    with pytest.raises(ValueError, match="theta holds 12 angles for 6 projections"):
        read_projections(path)
    path = write_dxchange(tmp_path / "turned.h5", axes="y:theta:x")
    with pytest.raises(ValueError, match="has the axes 'y:theta:x'"):
        read_projections(path)


def test_other_hdf5_needs_the_name_of_the_dataset(tmp_path):
    path = tmp_path / "raw.h5"
    with h5py.File(path, "w") as file:
        file["entry/detector/detector"] = FRAMES
        file["temperature"] = np.arange(3)
    with pytest.raises(ValueError, match=r"neither NXtomo .* entry/detector/detector \(12, 5, 7\)"):
        read_projections(path)
    with pytest.raises(ValueError, match="no dataset 'frames'; its 3-D datasets are entry/det"):
        read_projections(path, dataset="frames")
    with pytest.raises(ValueError, match=r"dataset /temperature has shape \(3,\)"):
        read_projections(path, dataset="temperature")
    projections = read_projections(path, dataset="entry/detector/detector", angles=(0, np.pi))
    assert_array_equal(projections.read_rows(0, 5), FRAMES)


def test_file_that_stops_half_way_is_refused(tmp_path):
    path = write_nxtomo(tmp_path / "scan.nxs")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ValueError, match=r"stops half-way .*; copy it again"):
        read_projections(path)
    path = tmp_path / "stack.tif"
    tifffile.imwrite(path, FRAMES)
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(ValueError, match=r"stack.tif is (truncated|a damaged)"):
        read_projections(path, angles=(0, np.pi))


def test_tiff_stack_and_folder(tmp_path):
    tifffile.imwrite(tmp_path / "stack.tif", FRAMES)
    (tmp_path / "folder").mkdir()
    for i, frame in enumerate(FRAMES):
        tifffile.imwrite(tmp_path / "folder" / f"view{i}.tif", frame)
    tifffile.imwrite(tmp_path / "flat.tif", FRAMES[0])
    for name in ("stack.tif", "folder"):
        projections = read_projections(
            tmp_path / name, angles=(0, np.pi), flats=tmp_path / "flat.tif", darks=FRAMES[:2]
        )
        assert_array_equal(projections.read_rows(1, 4), FRAMES[:, 1:4])
        assert_array_equal(projections.read_flats(1, 4), FRAMES[:1, 1:4])
        assert_array_equal(projections.read_darks(0, 5), FRAMES[:2])


def test_single_picture_is_a_sinogram(tmp_path):
    tifffile.imwrite(tmp_path / "sinogram.tif", FRAMES[:, 2])
    projections = read_projections(tmp_path / "sinogram.tif", angles=(0, np.pi))
    assert projections.shape == (12, 1, 7)
    assert_array_equal(projections.read_rows(0, 1), FRAMES[:, 2:3])


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("missing.h5", {}, "does not exist"),
        ("notes.txt", {}, "format of .* is not known by its ending '.txt'"),
        ("notes.txt", {"detector": "low"}, "only HDF5 and NeXus files hold several"),
        ("stack.tif", {}, "does not tell the angles"),
        ("stack.tif", {"angles": np.zeros(5)}, r"12 projections and angles of shape \(5,\)"),
    ],
)
def test_what_cannot_be_read_is_refused(tmp_path, name, options, message):
    (tmp_path / "notes.txt").write_text("no projections")
    tifffile.imwrite(tmp_path / "stack.tif", FRAMES)
    with pytest.raises(ValueError, match=message):
        read_projections(tmp_path / name, **options)


VIEWS = np.ones((10, 3, 8))
ANGLES = np.arange(10) * np.pi / 10


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((VIEWS[0], ANGLES), r"have shape \(3, 8\)"),
        ((VIEWS[:2], ANGLES[:2]), "too few or too narrow"),
        ((VIEWS * 1j, ANGLES), "type complex128; real numbers"),
        ((VIEWS, ANGLES[:9]), r"10 projections and angles of shape \(9,\)"),
        ((VIEWS, np.where(ANGLES > 1, np.nan, ANGLES)), "6 angles are NaN or infinite"),
        ((VIEWS, np.arange(10) * 18.0), "look like degrees.*np.deg2rad"),
        ((VIEWS, ANGLES, VIEWS[:, :2]), r"flats have shape \(10, 2, 8\) and the projections"),
        ((VIEWS, ANGLES, None, VIEWS[:, :, :7]), "darks have shape"),
        ((VIEWS, ANGLES, None, None, 0.0), "pixel size 0.0 is not allowed"),
        ((VIEWS, ANGLES, None, None, [1e-6] * 3), "height and width"),
        ((VIEWS, ANGLES, None, None, "1.6"), "has no unit"),
    ],
)
def test_projections_that_make_no_sense_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Projections(*arguments)


def test_golden_angles_are_not_taken_for_degrees():
    golden = np.arange(10) * np.pi * (np.sqrt(5) - 1)
    assert_array_equal(Projections(VIEWS, golden).angles, golden)


def test_tooth_of_dxchange():
    projections = read_projections(real_image("tooth-projections/tooth.h5"))
    assert projections.shape == (181, 2, 640)
    assert (projections.flats.shape, projections.darks.shape) == ((10, 2, 640), (10, 2, 640))
    assert_allclose(projections.angles, np.arange(181) * np.pi / 181, rtol=1e-12)


def test_scan_of_a_beamline_with_links_to_files_beside_it():
    path = real_image("nxtomo/k11-18014.nxs")
    real_image("nxtomo/k11-18014-imaging.h5")
    # The positions of the axis are in a third file; the scan commands say 90 to 270 degrees.
    with pytest.raises(ValueError, match="does not tell the angles of its 3001 projections"):
        read_projections(path)
    projections = read_projections(path, angles=np.linspace(np.pi / 2, 3 * np.pi / 2, 3001))
    assert projections.shape == (3001, 22, 26)
    assert (projections.flats.shape[0], projections.darks.shape[0]) == (100, 100)
    # With the beam off the detector counts a hundred, with it forty-five thousand.
    assert projections.read_darks(0, 22).mean() < 150
    assert projections.read_flats(0, 22).mean() > 40_000
    with pytest.raises(ValueError, match=r"EtherCAT .* in other files that are missing"):
        read_projections(path, detector="EtherCAT")
