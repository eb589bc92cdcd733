from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.ndimage import gaussian_filter

from microtwin import Scan
from microtwin.imaging import Corrected, learn_corrections
from microtwin.imaging.artefacts.drift_and_shading import shading_field
from microtwin.imaging.artefacts.open_voxels import class_means

SHAPE = (40, 96, 96)
DARK, BRIGHT = 1.0, 3.0
NOISE = 0.2


def phases(shape=SHAPE, gradient=0.0, seed=0):
    """Labels of a smooth random field; with a gradient there are more pores at small x."""
    generator = np.random.default_rng(seed)
    field = gaussian_filter(generator.standard_normal(shape), 3.5, mode="wrap")
    field /= field.std()
    return (field + gradient * np.linspace(-1, 1, shape[2]) > 0).astype(np.uint8)


def picture(labels, noise=NOISE, seed=1):
    """Grey values of two phases under a blur, with noise; nothing is wrong with them."""
    values = gaussian_filter(np.where(labels == 1, BRIGHT, DARK), 0.8)
    return values + noise * np.random.default_rng(seed).standard_normal(labels.shape)


def scan_of(values, dtype=np.float32):
    return Scan(values.astype(dtype), 1e-6)


def corrected(scan, **options):
    found = learn_corrections(scan, **options)
    return Corrected(scan, found, options.get("steps", ("drift", "shading", "rings"))).read_layers(
        0, scan.shape[0]
    )


def rms_left(values, truth):
    """Root mean square of a difference, but for a common scale and offset of all values.

    Only differences of grey values within a scan can be told from the scan.
    """
    seen, true = values.ravel() - np.mean(values, dtype=float), truth.ravel() - truth.mean()
    return float(np.sqrt(np.mean((np.dot(seen, true) / np.dot(seen, seen) * seen - true) ** 2)))


def polar(shape=SHAPE, centre=None):
    cy, cx = ((shape[1] - 1) / 2, (shape[2] - 1) / 2) if centre is None else centre
    y, x = np.mgrid[: shape[1], : shape[2]]
    return np.hypot(y - cy, x - cx), np.arctan2(y - cy, x - cx)


@pytest.fixture(scope="module")
def clean():
    return picture(phases())


@pytest.fixture(scope="module")
def drifting(clean):
    generator = np.random.default_rng(5)
    gain, offset = 0.08 * generator.standard_normal((2, SHAPE[0]))
    return (1 + gain)[:, None, None] * clean + offset[:, None, None]


def shading(shape=SHAPE):
    y, x = np.meshgrid(np.linspace(-1, 1, shape[1]), np.linspace(-1, 1, shape[2]), indexing="ij")
    return 0.25 * (x**2 + y**2) - 0.1 * x * y**2 + 0.1 * y


def rings(split=None, amplitude=0.2, seed=7, centre=None):
    """Rings three voxels wide or less; in halves from an angle on if a split is given."""
    radius, angle = polar(centre=centre)
    courses = np.random.default_rng(seed).standard_normal((2, 200))
    courses = amplitude * (courses - gaussian_filter(courses, (0, 6)))
    drawn = [np.interp(radius, np.arange(200), course) for course in courses]
    if split is None:
        return drawn[0]
    return np.where(np.mod(angle - split, 2 * np.pi) < np.pi, drawn[0], drawn[1])


def test_a_scan_without_artefacts_is_left_alone(clean):
    found = learn_corrections(scan_of(clean))
    after = Corrected(scan_of(clean), found).read_layers(0, SHAPE[0])
    # A slice of some thousand voxels in the open has a mean within 0.2 / sqrt(1000), and so do
    # the other fits: together about a tenth of the noise.
    assert rms_left(after, clean) < 0.12 * NOISE
    assert_allclose(found.means, [DARK, BRIGHT], atol=0.03)
    assert found.noise == pytest.approx(NOISE, rel=0.1)
    assert found.drift_size < 0.1 * NOISE
    assert found.rings.size < 0.15 * NOISE
    assert 0.2 < found.share < 0.9
    assert found.rings.centre == (47.5, 47.5)


def test_drift_is_found_slice_by_slice(clean, drifting):
    assert rms_left(drifting, clean) > 0.15
    found = learn_corrections(scan_of(drifting), steps=["drift"])
    assert rms_left(corrected(scan_of(drifting), steps=["drift"]), clean) < 0.01
    # Of both classes: offset + gain * grey value is 0.08 sqrt(1 + 3^2) for the brighter one.
    assert found.drift_size == pytest.approx(0.08 * np.sqrt(10), rel=0.3)


def test_strong_drift_of_single_slices(clean):
    wrong = clean.copy()
    # Five standard deviations of the noise, half of the contrast.
    wrong[11] += 5 * NOISE
    wrong[27] -= 4 * NOISE
    after = rms_left(corrected(scan_of(wrong), steps=["drift"]), clean)
    assert after < 0.02


@pytest.mark.parametrize("as_gain", [False, True])
def test_shading_across_the_slices(clean, as_gain):
    field = shading()
    shaded = clean * (1 + field) if as_gain else clean + field
    before = rms_left(shaded, clean)
    after = rms_left(corrected(scan_of(shaded), steps=["shading"]), clean)
    # A polynomial of fourth degree, so nothing of it needs to remain but the error of the fit.
    assert after < 0.1 * before
    assert after < 0.1 * NOISE


def test_rings_through_all_slices(clean):
    ringed = clean + rings()
    before = rms_left(ringed, clean)
    found = learn_corrections(scan_of(ringed), steps=["rings"])
    after = rms_left(corrected(scan_of(ringed), steps=["rings"]), clean)
    # All slices together know them well; those around the very axis, of few voxels, less.
    assert before > 0.1
    assert after < 0.2 * before
    # Weighted as if all rings were whole, which those in the corners are not.
    assert found.rings.size == pytest.approx(before, rel=0.3)


@pytest.mark.parametrize("split", [0.0, 1.1, 2.6])
def test_half_rings(clean, split):
    ringed = clean + rings(split)
    before = rms_left(ringed, clean)
    scan = scan_of(ringed)
    found = learn_corrections(scan, steps=["rings"])
    # A half begins at one of 24 sectors, and its opposite is as good.
    off = np.mod(found.rings.split - split + np.pi / 2, np.pi) - np.pi / 2
    assert abs(off) <= 2 * np.pi / 24
    # A sector that belongs to the wrong half costs a 24th of the energy and more.
    assert rms_left(corrected(scan, steps=["rings"]), clean) < 0.45 * before


def test_half_rings_need_not_be_alike(clean):
    # At a split between two sectors the halves are exact, and so is what they hold.
    ringed = clean + rings(2 * np.pi * 5 / 24)
    scan = scan_of(ringed)
    assert rms_left(corrected(scan, steps=["rings"]), clean) < 0.2 * rms_left(ringed, clean)


def test_rings_of_single_slices(clean):
    own = np.stack([rings(seed=100 + z, amplitude=0.6) for z in range(SHAPE[0])])
    ringed = clean + own
    before = rms_left(ringed, clean)
    after = rms_left(corrected(scan_of(ringed), steps=["rings"]), clean)
    # A ring of half a slice has some hundred voxels in the open: shrunk, not gone.
    assert after < 0.5 * before


def test_strong_rings(clean):
    ringed = clean.copy()
    radius, _ = polar()
    ringed[:, np.abs(radius - 30) < 0.6] += 4 * NOISE
    before = rms_left(ringed, clean)
    assert rms_left(corrected(scan_of(ringed), steps=["rings"]), clean) < 0.4 * before


def test_rings_about_an_axis_off_the_middle(clean):
    centre = (30.0, 61.5)
    ringed = clean + rings(centre=centre)
    scan = scan_of(ringed)
    after = rms_left(corrected(scan, steps=["rings"], centre=centre), clean)
    assert after < 0.2 * rms_left(ringed, clean)


def test_columns_at_the_axis():
    # Coarse phases, so that the axis has surroundings of one class in many slices.
    generator = np.random.default_rng(11)
    field = gaussian_filter(generator.standard_normal((120, 64, 64)), 8, mode="wrap")
    truth = picture((field > 0).astype(np.uint8))
    radius, _ = polar(truth.shape)
    near = radius < 3
    error = np.where(near, generator.standard_normal(near.shape), 0.0)
    for height in (0.0, 0.5):
        wrong = truth + height * error
        left = corrected(scan_of(wrong), steps=["rings"]) - truth
        # The median of some tens of slices of one class, of noise 0.2; elsewhere nothing happens.
        assert np.sqrt(np.mean(left.mean(axis=0)[near] ** 2)) < 0.08
        assert np.sqrt(np.mean(left.mean(axis=0)[~near] ** 2)) < 0.03


def test_an_axis_outside_of_the_slices(clean):
    centre = (-3.0, 47.5)
    ringed = clean + rings(centre=centre)
    found = learn_corrections(scan_of(ringed), steps=["rings"], centre=centre)
    assert not found.rings.core.any()
    after = Corrected(scan_of(ringed), found).read_layers(0, SHAPE[0])
    assert rms_left(after, clean) < 0.25 * rms_left(ringed, clean)


def test_everything_at_once(clean, drifting):
    wrong = drifting + shading() + rings()
    assert rms_left(wrong, clean) > 0.2
    assert rms_left(corrected(scan_of(wrong)), clean) < 0.06


def test_a_gradient_of_the_material_is_kept():
    labels = phases(gradient=1.0)
    truth = picture(labels)
    after = corrected(scan_of(truth))
    columns = truth.mean(axis=(0, 1))
    # From 0.3 to 0.7 of bright voxels: means of columns differ by nearly the contrast.
    assert np.ptp(columns) > 1.2
    # Class by class there is nothing to correct.
    assert_allclose(after.mean(axis=(0, 1)), columns, atol=0.05)
    assert rms_left(after, truth) < 0.02


def test_a_gradient_along_the_axis_is_kept():
    labels = np.ascontiguousarray(phases(gradient=1.0).swapaxes(0, 2))
    truth = picture(labels)
    # From 0.16 to 0.84 of bright voxels over 96 layers.
    layers = truth.mean(axis=(1, 2))
    assert np.ptp(layers) > 1.2
    after = corrected(scan_of(truth))
    assert_allclose(after.mean(axis=(1, 2)), layers, atol=0.05)
    assert rms_left(after, truth) < 0.02


def test_steps_that_are_switched_off(clean, drifting):
    wrong = scan_of(drifting + shading() + rings())
    none = learn_corrections(wrong, steps=[])
    assert not none.gain.any()
    assert not none.offset.any()
    assert not none.shading_gain.any()
    assert not none.shading_offset.any()
    assert not none.rings.profiles.any()
    assert not none.rings.core.any()
    assert_array_equal(none.apply(wrong.values, 0), wrong.values)
    all_ = learn_corrections(wrong)
    assert_array_equal(all_.apply(wrong.values, 0, []), wrong.values)
    # Each step alone takes away what it measured.
    flat = all_.apply(wrong.values, 0, ["drift"])
    scale = (1 + all_.gain)[:, None, None]
    assert_allclose(flat, (wrong.values - all_.offset[:, None, None]) / scale, rtol=1e-5)
    offset, gain = (shading_field(c, SHAPE[1:]) for c in (all_.shading_offset, all_.shading_gain))
    unshaded = all_.apply(wrong.values, 0, ["shading"])
    assert_allclose(unshaded, (wrong.values - offset) / (1 + gain), rtol=1e-5)
    radius, angle = polar()
    unringed = all_.apply(wrong.values, 0, ["rings"])
    first = np.mod(angle - all_.rings.split, 2 * np.pi) < np.pi
    profile = np.where(
        first,
        np.interp(radius, np.arange(all_.rings.profiles.shape[2]), all_.rings.profiles[9, 0]),
        np.interp(radius, np.arange(all_.rings.profiles.shape[2]), all_.rings.profiles[9, 1]),
    )
    # Voxels exactly on the line between the halves may be rounded to either.
    beside = np.abs(np.sin(angle - all_.rings.split)) > 1e-6
    assert_allclose((wrong.values[9] - unringed[9])[beside], profile[beside], atol=1e-5)


def test_slabs_are_corrected_as_the_whole(clean):
    scan = scan_of(clean + rings() + shading())
    volume = Corrected(scan, learn_corrections(scan))
    assert volume.shape == SHAPE
    whole = volume.read_layers(0, SHAPE[0])
    parts = [volume.read_layers(a, b) for a, b in ((0, 7), (7, 8), (8, 40))]
    assert_array_equal(np.concatenate(parts), whole)
    # The scan itself is not changed.
    assert_array_equal(scan.values, scan_of(clean + rings() + shading()).values)


@pytest.mark.parametrize(
    ("scale", "offset", "dtype"),
    [(200.0, 30_000.0, np.uint16), (30.0, 60.0, np.uint8), (200.0, -30_000.0, np.int16)],
)
def test_scales_and_types(clean, drifting, scale, offset, dtype):
    wrong = drifting + shading() + rings()
    after = corrected(scan_of(wrong * scale + offset, dtype)) / scale
    # Rounding to 1/30 adds a little; the gain of a scale far from zero is told from an offset
    # by the difference of the classes only.
    assert rms_left(after, clean) < 0.07


def test_shading_far_from_zero_differs_by_class(clean):
    # A gain about the mean of the classes.
    field = shading()
    shaded = (clean - 2) * (1 + field) + 2
    after = corrected(scan_of(300 * shaded + 30_000, np.uint16), steps=["shading"]) / 300
    assert rms_left(after, clean) < 0.15 * rms_left(shaded, clean)


@pytest.mark.parametrize("depth", [2, 4, 9])
def test_thin_scans(clean, depth):
    truth = clean[:depth]
    wrong = truth + np.linspace(0, 0.3, depth)[:, None, None] + rings()
    before, after = rms_left(wrong, truth), rms_left(corrected(scan_of(wrong)), truth)
    assert after < 0.6 * before


def test_slices_of_nothing(clean):
    padded = clean.copy()
    padded[:2] = padded[-1] = 0.0
    after = corrected(scan_of(padded))
    assert np.isfinite(after).all()
    # Until the drift of these slices is found they belong to the dark class.
    assert rms_left(after[2:-1], clean[2:-1]) < 0.05


def test_pictures_without_noise():
    values = np.where(phases() == 1, BRIGHT, DARK)
    after = corrected(scan_of(values + rings(amplitude=0.05)))
    assert np.isfinite(after).all()
    assert rms_left(after, values) < 0.02


def test_a_shading_that_is_too_large_is_not_believed(clean, monkeypatch):
    from microtwin.imaging.artefacts import corrections

    # Of the brighter phase it is 3 x 0.75 of the contrast of 2.
    shaded = scan_of(clean * (1 + shading()))
    assert learn_corrections(shaded, steps=["shading"]).note == ""
    monkeypatch.setattr(corrections, "_LARGEST_SHADING", 0.5)
    found = learn_corrections(shaded, steps=["shading"])
    assert "larger than the contrast of the phases" in found.note
    assert not found.shading_gain.any()
    assert not found.shading_offset.any()


def test_refusals(clean):
    with pytest.raises(ValueError, match="step 'shadow' is not known; corrections are made of dri"):
        learn_corrections(scan_of(clean), steps=["shadow"])
    with pytest.raises(ValueError, match="scan is constant"):
        learn_corrections(scan_of(np.ones((4, 5, 6))))
    checks = np.indices((12, 12, 12)).sum(0) % 2
    with pytest.raises(ValueError, match=r"only \d+ of the voxels that were looked at"):
        learn_corrections(scan_of(checks.repeat(2, axis=2)[:, :, :12]))


@pytest.mark.parametrize("radius", [48, 38, 30])
def test_a_mask_of_zeros_does_not_look_like_a_picture_without_noise(radius, clean):
    y, x = np.indices(SHAPE[1:])
    outside = np.hypot(y - 47.5, x - 47.5) > radius
    values = clean.copy()
    values[:, outside] = 0.0
    scan = scan_of(values)
    found = learn_corrections(scan, classes=3, steps=("rings",))
    assert found.noise == pytest.approx(NOISE, rel=0.35)
    change = Corrected(scan, found, ("rings",)).read_layers(0, SHAPE[0]) - values
    # There are no rings; what is taken for some is below the noise.
    assert np.std(change[:, ~outside]) < 0.35 * NOISE


def test_a_class_without_voxels_has_no_grey_value_of_its_own():
    values, label = np.array([30.0, 32.0, 33.0]), np.array([0, 2, 2], np.uint8)
    # Zero, far from all others, would pass for a contrast.
    assert class_means(values, label, 4) == pytest.approx([30.0, 31.25, 32.5, 32.5])
