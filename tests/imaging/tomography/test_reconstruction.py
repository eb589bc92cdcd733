from __future__ import annotations

import dataclasses

import h5py
import numpy as np
import psutil
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from microtwin.imaging import Projections, read_projections, reconstruct
from microtwin.imaging.tomography.reconstruction import _LEAST_RANGE
from projected_disks import DISKS, inside, offsets, pictured, projected
from real_images import real_image

PIXEL = 2e-6
CENTRE = 130.8
HALF = np.arange(360) * np.pi / 360
TURN = np.arange(720) * np.pi / 360


def views(disks=DISKS, angles=HALF, centre=CENTRE, rows=2, noise=0.0, **options):
    """Return transmissions of disks on a detector of 256 columns."""
    transmitted = np.exp(-projected(disks, angles, 256, centre, rows))
    transmitted += noise * np.random.default_rng(3).standard_normal(transmitted.shape)
    return Projections(transmitted, angles, pixel_size=PIXEL, **options)


def test_disks_have_their_attenuation_in_their_place():
    result = reconstruct(views())
    scan = result.scan
    assert scan.voxel_size == (PIXEL, PIXEL, PIXEL)
    assert scan.values.dtype == np.float32
    edge = scan.shape[1]
    truth = pictured(DISKS, edge) / PIXEL
    for disk in DISKS:
        # Away from the rims, where the ramp filter of a pixelated sinogram rings.
        core = inside(disk, edge, 4.0)
        assert np.median(scan.values[:, core]) == pytest.approx(np.median(truth[core]), rel=0.005)
    # Sum and first moments are those of the true disks, which pixels only resemble.
    masses = np.array([np.pi * radius**2 * mu for _, _, radius, mu in DISKS])
    values = scan.values[0] * PIXEL
    assert values.sum() == pytest.approx(masses.sum(), rel=1e-3)
    for place, offset in zip(offsets(edge), np.array(DISKS).T[:2], strict=True):
        expected = (masses * offset).sum() / masses.sum()
        assert (values * place).sum() / values.sum() == pytest.approx(expected, abs=0.15)


def test_the_slice_is_as_good_as_that_of_another_program():
    """Algotom filters with the ramp sampled in frequency, which lets the mean of a slice drift."""
    recon = pytest.importorskip("algotom.rec.reconstruction")
    sinogram = projected(DISKS, HALF, 255, 127.0, 1)[:, 0].astype(np.float32)
    other = recon.fbp_reconstruction(
        sinogram, 127.0, angles=HALF, gpu=False, apply_log=False, filter_name=None
    )
    transmitted = Projections(np.exp(-sinogram[:, None]), HALF, pixel_size=1.0)
    ours = reconstruct(transmitted, centre=127.0, stripes="none").scan.values[0]
    assert ours.shape == other.shape == (255, 255)
    # Algotom turns the other way, so that its rows run upwards.
    other = other[::-1]
    truth = pictured(DISKS, 255)
    seen = inside((0, 0, 120, 0), 255, 0.0)
    error = [float(np.sqrt(np.mean((each - truth)[seen] ** 2))) for each in (ours, other)]
    assert error[0] < 1.05 * error[1]
    # The two agree but for the rims and the drift.
    core = inside(DISKS[1], 255, 4.0)
    assert np.median(ours[core]) == pytest.approx(np.median(other[core]), rel=0.02)


@pytest.mark.parametrize("angles", [HALF, TURN], ids=["half", "turn"])
def test_centre_is_found(angles):
    result = reconstruct(views(angles=angles, noise=0.005))
    assert result.centre == pytest.approx(CENTRE, abs=0.25)
    assert result.opposite_difference < 0.1


def test_a_whole_turn_gives_what_half_of_it_gives():
    half = reconstruct(views(), centre=CENTRE).scan.values
    turn = reconstruct(views(angles=TURN), centre=CENTRE).scan.values
    # Opposite views sample the sinogram between the columns of each other.
    assert np.sqrt(np.mean((half - turn) ** 2)) < 0.01 * half.max()
    core = inside(DISKS[1], half.shape[1], 4.0)
    assert_allclose(turn[:, core].mean(), half[:, core].mean(), rtol=1e-3)


def test_flats_and_darks_make_no_difference():
    transmissions = views()
    random = np.random.default_rng(1)
    beam, dark = random.uniform(1e4, 5e4, (2, 256)), random.uniform(90, 110, (2, 256))
    counts = Projections(dark + beam * transmissions.values, HALF, dark + beam, dark, PIXEL)
    bare = reconstruct(transmissions, centre=CENTRE)
    corrected = reconstruct(counts, centre=CENTRE)
    # Counts in single precision are off by some 1e-7 of the beam.
    assert_allclose(corrected.scan.values, bare.scan.values, atol=1e-4 * bare.scan.values.max())
    assert (bare.flats, bare.darks) == (0, 0)
    assert (corrected.flats, corrected.darks) == (1, 1)
    assert "no flats and no darks" in bare.summary()


@pytest.mark.parametrize("stripes", ["gain", "sorting"])
def test_slabs_give_the_same_bits_as_the_whole(stripes):
    random = np.random.default_rng(1)
    many = dataclasses.replace(
        views(rows=21), values=views(rows=21).values * random.uniform(0.9, 1, (1, 21, 256))
    )
    whole = reconstruct(many, centre=CENTRE, stripes=stripes, slab=21)
    for slab in (1, 5, 16):
        parts = reconstruct(many, centre=CENTRE, stripes=stripes, slab=slab)
        assert_array_equal(parts.scan.values, whole.scan.values)
        assert parts.stripe_energy == pytest.approx(whole.stripe_energy, rel=1e-12)


def with_errors_of_gain(projections):
    """Return projections of a detector of which one column in ten is off by 2 %."""
    random = np.random.default_rng(8)
    gains = 1 + (random.random((1, 2, 256)) < 0.1) * random.normal(0, 0.02, (1, 2, 256))
    return dataclasses.replace(projections, values=projections.values * gains)


def test_rings_are_removed():
    clean = views(noise=0.002)
    truth = reconstruct(clean, centre=CENTRE, stripes="none").scan.values

    def energy(stripes):
        result = reconstruct(with_errors_of_gain(clean), centre=CENTRE, stripes=stripes)
        return np.mean((result.scan.values - truth) ** 2), result.stripe_energy

    whole, (before, untouched) = energy("none")
    left, (_, after) = energy("gain")
    assert whole > 15 * left
    assert before == untouched
    assert before > 5 * after


def test_rings_are_removed_from_a_sample_that_is_round_itself():
    """A disk about the axis looks the same in all views, and so do stripes."""
    disk = (0.0, 0.0, 80.0, 0.01)
    striped = with_errors_of_gain(views([disk], noise=0.002))

    def ring_energy(stripes):
        values = reconstruct(striped, centre=CENTRE, stripes=stripes).scan.values[0]
        radius = np.hypot(*offsets(len(values))).round().astype(int)
        return np.var([values[radius == r].mean() for r in range(5, int(disk[2]) - 5)])

    whole = ring_energy("none")
    assert whole > 2 * ring_energy("gain")
    assert whole > 2 * ring_energy("sorting")


def test_regions():
    circle = reconstruct(views(rows=5), centre=CENTRE)
    edge = 2 * int(255 - CENTRE) + 1
    assert circle.scan.shape == (5, edge, edge)
    assert circle.scan.values[0, 0, 0] == 0.0
    square = reconstruct(views(rows=5), centre=CENTRE, region="square")
    assert square.scan.shape == (5, 175, 175)
    region = (slice(1, 4), slice(40, 90), slice(-100, -10))
    part = reconstruct(views(rows=5), centre=CENTRE, region=region)
    # Another grid about the same axis: the same up to the last bits, but for the corners that
    # only some views see.
    seen = inside((0, 0, 255 - CENTRE, 0), edge, 0.0)[region[1:]]
    expected = circle.scan.values[region][:, seen]
    assert_allclose(part.scan.values[:, seen], expected, atol=1e-5 * expected.max())


def test_axis_near_an_edge_gives_a_slice_nearly_twice_as_wide():
    disks = ((0, 0, 200, 0.002), (120, 30, 20, 0.01), (10, 20, 9, 0.01))
    result = reconstruct(views(disks, TURN, 228.3), extended=True)
    assert result.centre == pytest.approx(228.3, abs=0.25)
    assert result.extended
    assert result.scan.shape[1] == 457
    for disk in disks[1:]:
        core = inside(disk, 457, 3.0)
        assert np.median(result.scan.values[0][core]) * PIXEL == pytest.approx(0.012, rel=0.01)


def test_sample_wider_than_the_detector_has_no_bright_rim():
    disks = ((0, 0, 180, 0.004), (50, -20, 8, 0.005))
    wide = views(disks, centre=127.5)
    continued = reconstruct(wide, centre=127.5)
    cut = reconstruct(wide, centre=127.5, truncated=False)
    assert continued.truncated
    assert not cut.truncated
    x, y = offsets(255)
    rim = (np.hypot(x, y) > 118) & (np.hypot(x, y) < 125)
    middle = inside((-20, 20, 30, 0), 255, 0.0)
    for result, low, high in ((continued, 0.5, 1.1), (cut, 1.5, 10.0)):
        values = result.scan.values[0]
        assert low < values[rim].mean() / values[middle].mean() < high
    # The contrast of a detail is right, whatever the background.
    values = continued.scan.values[0] * PIXEL
    contrast = (
        np.median(values[inside(disks[1], 255, 3.0)])
        - values[inside((50, -20, 20, 0), 255, 0.0) & ~inside((50, -20, 11, 0), 255, 0.0)].mean()
    )
    assert contrast == pytest.approx(0.005, rel=0.05)


def test_single_sinogram_becomes_two_equal_layers():
    result = reconstruct(views(rows=1), centre=CENTRE)
    assert result.scan.shape[0] == 2
    assert_array_equal(result.scan.values[0], result.scan.values[1])


def test_pixels_that_are_not_square():
    projections = dataclasses.replace(views(), pixel_size=(5e-6, 2e-6))
    assert reconstruct(projections, centre=CENTRE).scan.voxel_size == (5e-6, 2e-6, 2e-6)


def test_from_a_file_in_slabs(tmp_path):
    """Reads only the rows that are asked for."""
    projections = views(rows=6)
    with h5py.File(tmp_path / "scan.h5", "w") as file:
        file["exchange/data"] = (60_000 * projections.values).astype(np.uint16)
        file["exchange/data_white"] = np.full((3, 6, 256), 60_000, np.uint16)
        file["exchange/theta"] = np.rad2deg(HALF)
    stored = read_projections(tmp_path / "scan.h5", pixel_size="2 um")
    asked = []
    read = stored.values.read_rows

    def noting(start, stop):
        asked.append((start, stop))
        return read(start, stop)

    watched = dataclasses.replace(
        stored, values=dataclasses.replace(stored.values, read_rows=noting)
    )
    region = (slice(2, 6), slice(None), slice(None))
    result = reconstruct(watched, centre=CENTRE, region=region, slab=2)
    expected = reconstruct(projections, centre=CENTRE, region=region)
    assert_allclose(
        result.scan.values, expected.scan.values, atol=0.02 * expected.scan.values.max()
    )
    assert asked[-2:] == [(2, 4), (4, 6)]
    assert max(stop - start for start, stop in asked) == 2


def test_summary_says_what_was_done():
    lines = reconstruct(views(), centre=CENTRE).summary().splitlines()
    assert lines[0] == "Scan(2 x 249 x 249 voxels of 2000 nm, float32)"
    assert lines[1] == "views over 180 degrees, no flats and no darks"
    assert lines[2].startswith("rotation axis at column 130.80 (given); opposite views differ by")


def saturated():
    counts = np.full((360, 2, 256), 500, np.uint16)
    counts[:, :, :20] = 65535
    return Projections(counts, HALF, np.full((2, 256), 65000.0), pixel_size=PIXEL)


def with_nan():
    values = views().values.copy()
    values[7, 1, 100] = np.nan
    return Projections(values, HALF, pixel_size=PIXEL)


@pytest.mark.parametrize(
    ("projections", "options", "message"),
    [
        (lambda: dataclasses.replace(views(), pixel_size=None), {}, "have no pixel size"),
        (lambda: views(angles=HALF[:250]), {}, "views cover 125 degrees, and at least 150"),
        (lambda: Projections(np.ones((9, 2, 40)), HALF[::40], pixel_size=1.0), {}, "are constant"),
        (with_nan, {}, "hold 1 NaN or infinite values in rows 1 to 1"),
        (saturated, {}, r"7\.8% of the counts are at the largest number"),
        (views, {"centre": 400}, "column 400 is outside of the 256 columns"),
        (views, {"centre": -3.0}, "column -3 is outside"),
        (views, {"centre": "eye"}, "centre='eye' is not known"),
        (views, {"stripes": "rings"}, "stripes='rings' is not known"),
        (views, {"extended": True}, "needs views over a whole turn, and these cover 180"),
        (views, {"region": "cube"}, "region='cube' is not known"),
        (
            views,
            {"region": (slice(0, 2), slice(5, 5), slice(None)), "centre": CENTRE},
            "leaves nothing of 2 x 249 x 249 voxels",
        ),
        (views, {"slab": 0, "centre": CENTRE}, "slab=0 is not allowed"),
    ],
)
def test_what_cannot_be_reconstructed_is_refused(projections, options, message):
    with pytest.raises(ValueError, match=message):
        reconstruct(projections(), **options)


def test_unrelated_frames_are_refused_when_the_axis_is_searched():
    noise = np.exp(-np.random.default_rng(0).uniform(0, 1, (360, 2, 64)))
    projections = Projections(noise, HALF, pixel_size=PIXEL)
    with pytest.raises(ValueError, match="as much as unrelated ones; check that the frames"):
        reconstruct(projections)


def test_result_that_does_not_fit_in_memory_is_refused(monkeypatch):
    class Little:
        available = 10**6

    monkeypatch.setattr(psutil, "virtual_memory", Little)
    with pytest.raises(ValueError, match=r"2 x 249 x 249 voxels need .* reconstruct a part"):
        reconstruct(views(), centre=CENTRE)


def test_limit_of_the_angular_range_is_150_degrees():
    assert np.rad2deg(_LEAST_RANGE) == pytest.approx(150)
    enough = views(angles=HALF[:301])
    assert reconstruct(enough, centre=CENTRE).angular_range == pytest.approx(np.deg2rad(150.5))


def test_tooth():
    """The axis of this scan is known to be near column 296; enamel and dentine differ."""
    projections = read_projections(real_image("tooth-projections/tooth.h5"), pixel_size="1 um")
    result = reconstruct(projections)
    assert result.centre == pytest.approx(296, abs=0.5)
    assert result.opposite_difference < 0.05
    assert not result.truncated
    before, after = result.stripe_energy
    assert before > 5 * after
    values = result.scan.values[0]
    middle = values.shape[0] // 2
    x, y = offsets(values.shape[0])
    air = values[(np.hypot(x, y) > 200) & (np.hypot(x, y) < middle - 20)]
    # Two materials, each far above the noise of the air, which is about zero.
    assert abs(np.median(air)) < 0.03 * values.max()
    assert np.percentile(values, 99) > 8 * air.std()


def test_neutron_sinogram_of_a_whole_turn_without_flats():
    """Five rods in a tube; the first and the last of 459 views look in the same direction."""
    projections = read_projections(
        real_image("sinogram/sinogram_360_neutron_image.tif"),
        angles=np.linspace(0, 2 * np.pi, 459),
        pixel_size="50 um",
    )
    result = reconstruct(projections, air=40, stripes="sorting")
    assert result.centre == pytest.approx(244.9, abs=0.3)
    assert result.opposite_difference < 0.06
    before, after = result.stripe_energy
    assert before > 1000 * after
    values = result.scan.values[0]
    # The rod that absorbs most is the only part above half of the largest value: a disk.
    bright = values > 0.5 * np.percentile(values, 99.9)
    x, y = offsets(values.shape[0])
    spread = np.sqrt(x[bright].var()), np.sqrt(y[bright].var())
    # The standard deviation of a uniform disk along an axis is half its radius.
    assert_allclose(spread, np.sqrt(bright.sum() / np.pi) / 2, rtol=0.03)


def test_thumbnail_of_a_beamline_scan_is_not_a_slice():
    """The 22 x 26 pixels of this file are a small part of a wide detector."""
    path = real_image("nxtomo/k11-18014.nxs")
    real_image("nxtomo/k11-18014-imaging.h5")
    projections = read_projections(
        path, angles=np.linspace(np.pi / 2, 3 * np.pi / 2, 3001), pixel_size="1 um"
    )
    with pytest.raises(ValueError, match="as much as unrelated ones"):
        reconstruct(projections)
    given = reconstruct(projections, centre=12.5)
    assert given.mean_transmission == pytest.approx(0.845, abs=0.005)
    assert given.truncated
