from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.ndimage import gaussian_filter

from microtwin import Scan
from microtwin.generation import gaussian_field
from microtwin.imaging import find_grey_levels
from microtwin.imaging.labelling.grey_levels import mean_grey_value
from microtwin.imaging.labelling.response import blurred

MEANS = (0.0, 1.0, 2.5)


def rods(shape=(64, 64, 64), seed=0):
    """Labels of three phases in blobs of their own, so that each has an inside."""
    generator = np.random.default_rng(seed)
    fields = [gaussian_filter(generator.standard_normal(shape), 4, mode="wrap") for _ in range(2)]
    labels = np.where(fields[0] > 0, 2, 0)
    labels[fields[1] > np.quantile(fields[1], 0.85)] = 1
    return labels.astype(np.uint8)


def scanned(labels, means=MEANS, noise=0.25, blur=0.8, seed=1):
    values = gaussian_filter(np.asarray(means)[labels], blur)
    return values + noise * np.random.default_rng(seed).standard_normal(labels.shape)


def scan_of(values, dtype=np.float32):
    return Scan(values.astype(dtype), 1e-6)


def test_grey_values_are_those_of_the_phases_where_histograms_are_blurred():
    found = find_grey_levels(scan_of(scanned(rods())), 3)
    assert found.found == 3
    assert 0.05 < found.share < 0.6
    # The middle of a histogram peak of some thousand voxels, a fraction of a bin of a third of
    # the noise that smoothing leaves (0.1).
    assert_allclose(found.means, MEANS, atol=0.05)
    assert_allclose(found.thresholds, [0.5, 1.75], atol=0.05)


@pytest.mark.parametrize(
    ("scale", "offset", "dtype"),
    [
        (40, 60, np.uint8),
        (300, 30_000, np.uint16),
        (300, -30_000, np.int16),
        (4e3, -2e3, np.float64),
        (1e-9, 0, np.float32),
        (1e-9, -3e-9, np.float64),
    ],
)
def test_any_scale_and_type(scale, offset, dtype):
    plain = find_grey_levels(scan_of(scanned(rods())), 3)
    other = find_grey_levels(scan_of(scanned(rods()) * scale + offset, dtype), 3)
    assert other.found == 3
    assert_allclose((np.array(other.means) - offset) / scale, plain.means, atol=0.03)


def test_two_and_four_phases():
    generator = np.random.default_rng(3)
    fields = [
        gaussian_filter(generator.standard_normal((64, 64, 64)), 5, mode="wrap") for _ in range(2)
    ]
    two = (fields[0] > 0).astype(int)
    four = two + 2 * (fields[1] > 0)
    for labels, means in ((two, (1.0, 2.0)), (four, (1.0, 2.0, 3.5, 4.2))):
        found = find_grey_levels(scan_of(scanned(labels, means, noise=0.15)), len(means))
        assert found.found == len(means)
        assert_allclose(found.means, means, atol=0.05)


@pytest.mark.parametrize("depth", [2, 3, 5, 8, 20])
def test_thin_images_have_an_inside(depth):
    values = scanned(rods())[20 : 20 + depth]
    found = find_grey_levels(scan_of(values), 3)
    assert found.share > 0.03
    assert found.found >= 2
    # From smaller numbers of voxels, and with neighbours on one side only.
    assert_allclose(np.array(found.means)[[0, 2]], [0.0, 2.5], atol=0.1)


def test_a_phase_without_inside_is_made_up_by_otsu():
    # Films one voxel thick have no voxel in the open: two peaks for three phases.
    labels = np.zeros((40, 40, 40), np.uint8)
    labels[:, :, 20:] = 2
    labels[:, :, 19:21] = 1
    found = find_grey_levels(scan_of(scanned(labels, noise=0.1)), 3)
    assert found.found == 2
    assert len(found.peaks) == 2
    assert_allclose([found.means[0], found.means[2]], [0.0, 2.5], atol=0.05)
    assert found.origins == ("peak", "classes", "peak")
    assert 0.2 < found.means[1] < 2.3
    # It may be anywhere halfway to its neighbour.
    nearest = min(found.means[1] - found.means[0], found.means[2] - found.means[1])
    assert found.uncertainties[1] == pytest.approx(nearest / 2)
    assert found.uncertainties[0] == pytest.approx(0.025, rel=0.05)


def films(fraction=0.1, seed=4, shape=(64, 64, 64)):
    """Two phases in blobs with films of a third, one or two voxels thick, between them."""
    field = gaussian_filter(np.random.default_rng(seed).standard_normal(shape), 5, mode="wrap")
    low, high = np.quantile(field, (0.5 - fraction / 2, 0.5 + fraction / 2))
    return (field > low).astype(np.uint8) + (field > high)


@pytest.mark.parametrize("level", [0.6, 1.0, 1.8])
def test_known_fractions_tell_the_grey_value_of_a_film(level):
    labels = films()
    fractions = np.bincount(labels.ravel()) / labels.size
    means = (0.0, level, 2.5)
    volume = scan_of(scanned(labels, means, noise=0.15))
    guessed = find_grey_levels(volume, 3)
    assert guessed.origins == ("peak", "classes", "peak")
    found = find_grey_levels(volume, 3, fractions=fractions)
    assert found.origins == ("peak", "balance", "peak")
    # Two peaks, each wrong by 0.025 at 0.45 of the volume: 0.16 at the tenth of the film.
    assert found.uncertainties[1] == pytest.approx(0.159, rel=0.1)
    assert found.means[1] == pytest.approx(level, abs=2 * found.uncertainties[1])
    assert found.means[::2] == guessed.means[::2]


def test_no_balance_where_it_tells_nothing():
    labels = films()
    values = scanned(labels, noise=0.15)
    plain = find_grey_levels(scan_of(values), 3)
    # A fraction of zero or near it, and fractions that would make the film brighter than bright.
    for fractions in ((0.5, 0.0, 0.5), (0.499, 0.002, 0.499), (0.7, 0.1, 0.2)):
        assert find_grey_levels(scan_of(values), 3, fractions=fractions) == plain
    # Two phases without a peak cannot both follow from one mean.
    flat = scan_of(np.random.default_rng(0).standard_normal((20, 20, 20)))
    assert find_grey_levels(flat, 3, fractions=(0.3, 0.3, 0.4)).origins.count("balance") == 0


def test_the_mean_grey_value_of_all_layers():
    values = np.random.default_rng(2).uniform(size=(37, 20, 30)) + 1e4
    volume = scan_of(values)
    assert mean_grey_value(volume) == pytest.approx(volume.values.mean(dtype=float), rel=1e-9)


def test_pictures_without_noise():
    found = find_grey_levels(scan_of(np.asarray(MEANS)[rods()]), 3)
    assert found.found == 3
    # Voxels two away from an interface still feel a little of it, smoothed by one voxel.
    assert_allclose(found.means, MEANS, atol=0.02)


def test_a_few_saturated_voxels_do_not_matter():
    values = scanned(rods())
    values[::7, ::11, ::5] = 40.0
    found = find_grey_levels(scan_of(values), 3)
    assert_allclose(found.means, MEANS, atol=0.1)


def test_a_structure_without_inside_has_no_peaks():
    labels = gaussian_field(40, 1.6, 0.5, seed=1).labels
    values = blurred(labels.astype(np.float32), 0.9)
    values += 0.1 * np.random.default_rng(0).standard_normal(labels.shape, np.float32)
    found = find_grey_levels(scan_of(values), 2)
    assert found.origins == ("classes", "classes")
    assert found.share < 0.08
    # The grey values are 0 and 1.
    assert np.all(np.abs(np.array(found.means) - [0, 1]) < 2 * np.array(found.uncertainties))


def test_a_constant_scan_is_refused():
    with pytest.raises(ValueError, match=r"scan is constant \(grey value 7\), so there is nothing"):
        find_grey_levels(scan_of(np.full((4, 5, 6), 7)), 2)
