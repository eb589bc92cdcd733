from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from microtwin import Scan
from microtwin.generation import electrode
from microtwin.imaging import (
    find_thresholds,
    inverted_contrast,
    label_by_thresholds,
    thresholds_for_fractions,
)
from microtwin.imaging.labelling.histogram import grey_histogram, quantile_levels
from microtwin.imaging.tomography.virtual_scanner import Scanner, virtual_scan


def three_modes(dtype=np.uint8, noise=15.0, seed=0):
    """Grey values of three classes, 40, 10 and 50 %, around 60, 120 and 200."""
    generator = np.random.default_rng(seed)
    parts = [
        generator.normal(mean, noise, count)
        for mean, count in ((60, 40_000), (120, 10_000), (200, 50_000))
    ]
    values = generator.permutation(np.concatenate(parts)).reshape(10, 100, 100)
    return values.clip(0, 255).astype(dtype)


def between_class_variance(values, thresholds):
    """Otsu's eta from its definition."""
    classes = np.searchsorted(thresholds, values.ravel(), side="left")
    flat = values.ravel().astype(float)
    total = sum(
        np.mean(classes == k) * (flat[classes == k].mean() - flat.mean()) ** 2
        for k in np.unique(classes)
    )
    return total / flat.var()


@pytest.mark.parametrize("classes", [2, 3, 4])
def test_otsu_agrees_with_scikit_image(classes):
    from skimage.filters import threshold_multiotsu

    values = three_modes()
    found = find_thresholds(values, classes)
    # The same histogram of 256 levels, so the same optimum.
    assert found.values == tuple(threshold_multiotsu(values, classes))
    assert sum(found.fractions) == pytest.approx(1, abs=1e-12)


@settings(max_examples=30)
@given(
    st.lists(st.integers(0, 12), min_size=8, max_size=60).filter(lambda v: len(set(v)) > 3),
    st.integers(2, 4),
)
def test_otsu_is_the_best_of_all_divisions(grey, classes):
    values = np.resize(np.array(grey, np.uint8), (2, 2, -(-len(grey) // 4)))
    values = np.concatenate([values, values])
    if len(np.unique(values)) < classes:
        return
    found = find_thresholds(values, classes)
    best = max(
        between_class_variance(values, cuts)
        for cuts in itertools.combinations(np.unique(values)[:-1], classes - 1)
    )
    # Both are sums over all voxels in double precision.
    assert found.between_class_variance == pytest.approx(best, rel=1e-9)
    assert between_class_variance(values, found.values) == pytest.approx(best, rel=1e-9)


def test_many_classes_take_no_longer_than_few():
    found = find_thresholds(three_modes(), 8)
    assert len(found.values) == 7
    assert list(found.values) == sorted(found.values)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.float32, np.float64])
def test_types_of_voxels_agree(dtype):
    values = three_modes().astype(dtype)
    expected = find_thresholds(three_modes(), 3)
    found = find_thresholds(values, 3)
    # Bins of floating-point numbers end between the levels, a part of one away from them.
    assert found.values == pytest.approx(expected.values, abs=1)
    assert found.fractions == pytest.approx(expected.fractions, abs=1e-9)


def test_the_middle_of_a_gap_is_taken():
    values = np.full((4, 4, 4), 10, np.uint8)
    values[2:] = 200
    found = find_thresholds(values)
    assert found.values == (104,)
    assert found.means == (10, 200)
    assert found.between_class_variance == pytest.approx(1, abs=1e-12)


def test_single_hot_voxels_do_not_widen_the_histogram():
    values = three_modes(np.float32)
    clean = find_thresholds(values, 3)
    values[0, 0, 0], values[5, 5, 5] = 1e9, -1e9
    found = find_thresholds(values, 3)
    # Two bins of the 1024 over a range of about 200.
    assert found.values == pytest.approx(clean.values, abs=0.5)


def test_the_mixture_finds_what_was_mixed():
    values = three_modes(np.float32)
    found = find_thresholds(values, 3, method="gaussian mixture")
    otsu = find_thresholds(values, 3)
    # Equal widths s: the classes of share p and q around a and b are equally probable at
    # (a + b) / 2 + s^2 / (b - a) ln(p / q). The scatter of 1e4 voxels of the middle class moves
    # the fit by about 1.
    for value, (a, p), (b, q) in zip(
        found.values, ((60, 0.4), (120, 0.1)), ((120, 0.1), (200, 0.5)), strict=True
    ):
        assert value == pytest.approx(0.5 * (a + b) + 225 / (b - a) * np.log(p / q), abs=1.5)
    wanted = np.array([0.4, 0.1, 0.5])
    assert np.abs(np.array(found.fractions) - wanted).max() < 0.005
    assert np.abs(np.array(otsu.fractions) - wanted).max() > 0.005


@pytest.mark.parametrize("dtype", [np.float32, np.int16, np.uint16])
def test_known_fractions_are_met_to_a_voxel(dtype):
    generator = np.random.default_rng(1)
    # No two voxels have the same grey value; negative ones are among them, where they can be.
    values = generator.permutation(30_000).reshape(30, 25, 40)
    values = (values - 12_345 if dtype is not np.uint16 else values).astype(dtype)
    if dtype is np.float32:
        values *= np.float32(1e-3)
    found = thresholds_for_fractions(Scan(values, 1e-6), {"pore": 0.4, "binder": 0.1, "am": 0.5})
    assert found.fractions == pytest.approx((0.4, 0.1, 0.5), abs=1e-12)
    assert found.note == ""
    ordered = np.sort(values.ravel())
    assert found.values == (ordered[11_999], ordered[14_999])
    assert found.means[0] == pytest.approx(ordered[:12_000].mean(dtype=float), rel=1e-6)


@settings(max_examples=40)
@given(
    st.lists(
        st.floats(-(2.0**100), 2.0**100, width=32, allow_subnormal=False), min_size=8, max_size=40
    ),
    st.floats(0, 1),
)
def test_quantiles_of_any_numbers(grey, share):
    values = np.resize(np.array(grey, np.float32), (2, 2, len(grey)))
    (level,) = quantile_levels(Scan(values, 1.0), [share])
    candidates = [np.mean(values <= v) for v in np.unique(values)] + [0.0]
    missed = min(abs(c - share) for c in candidates)
    assert abs(np.mean(values <= np.float32(level)) - share) == pytest.approx(missed, abs=1e-12)


def test_equal_grey_values_are_not_divided_and_it_is_said():
    values = np.repeat(np.array([10, 20, 30, 40], np.uint8), 16).reshape(4, 4, 4)
    found = thresholds_for_fractions(values, {"pore": 0.3, "active": 0.7})
    assert found.fractions == (0.25, 0.75)
    assert found.note == (
        "pore has the fraction 0.2500 instead of 0.3000, for voxels of equal grey value stay "
        "together"
    )


def test_a_phase_that_is_not_there_gets_nothing():
    values = three_modes()
    found = thresholds_for_fractions(values, [0.0, 0.4, 0.6, 0.0])
    micro = label_by_thresholds(Scan(values, 1e-6), found, ["a", "b", "c", "d"])
    assert micro.volume_fraction("a") == micro.volume_fraction("d") == 0
    assert np.isnan(found.means[0])


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.int16, np.int32, np.float64])
def test_labels_are_in_the_order_of_the_grey_values(dtype):
    values = (three_modes() // 2).astype(dtype) - (np.iinfo(np.int8).max if dtype == np.int8 else 0)
    found = find_thresholds(values, 3)
    micro = label_by_thresholds(Scan(values, 4e-7), found, ["pore", "binder", "active"])
    assert dict(micro.phases) == {"pore": 0, "binder": 1, "active": 2}
    assert micro.voxel_size == (4e-7,) * 3
    for k in range(3):
        inside = values[micro.labels == k]
        assert np.mean(micro.labels == k) == pytest.approx(found.fractions[k], abs=1e-12)
        assert inside.min() > (found.values[k - 1] if k else -np.inf)
        assert inside.max() <= (found.values[k] if k < 2 else np.inf)


def test_labels_of_two_phases_from_a_list():
    values = np.arange(8, dtype=np.uint8).reshape(2, 2, 2)
    micro = label_by_thresholds(Scan(values, 1e-6), [3], ["pore", "solid"])
    assert micro.labels.ravel().tolist() == [0, 0, 0, 0, 1, 1, 1, 1]


def test_a_boolean_image_has_two_levels():
    values = np.zeros((4, 4, 4), bool)
    values[1] = True
    found = find_thresholds(values)
    assert found.values == (0,)
    assert found.fractions == (0.75, 0.25)


def test_sixteen_bits_of_a_wide_range_are_grouped():
    generator = np.random.default_rng(0)
    values = generator.integers(0, 2**16, (20, 50, 50)).astype(np.uint16)
    histogram = grey_histogram(Scan(values, 1.0))
    assert histogram.counts.sum() == values.size
    assert histogram.counts.size <= 1024
    # A uniform distribution is divided in the middle, to its scatter of 1 % of its width.
    assert find_thresholds(values).values[0] == pytest.approx(2**15, rel=0.02)


@pytest.mark.parametrize("contrast", [4.0, 8.0])
@pytest.mark.parametrize("share", [0.3, 0.4])
def test_the_reverse_order_is_noticed(contrast, share):
    generator = np.random.default_rng(3)
    n = 100_000
    dark = round(share * n)
    values = np.concatenate(
        [generator.normal(0, 1, dark), generator.normal(contrast, 1, n - dark)]
    ).reshape(10, 100, 100)
    assert inverted_contrast(values, {"pore": share, "active": 1 - share}) is None
    sentence = inverted_contrast(values, {"active": 1 - share, "pore": share})
    assert sentence is not None
    assert sentence.startswith("the phases are given from dark to bright as active, pore, but")
    assert "check which phase is bright" in sentence


@pytest.mark.parametrize("width", [1.0, 2.0, 4.0])
@pytest.mark.parametrize("contrast", [1.0, 2.0, 4.0, 6.0])
@pytest.mark.parametrize("share", [0.2, 0.3, 0.4, 0.5])
def test_the_right_order_is_never_doubted(width, contrast, share):
    generator = np.random.default_rng(4)
    n = 50_000
    dark = round(share * n)
    values = np.concatenate(
        [generator.normal(0, 1, dark), generator.normal(contrast, width, n - dark)]
    ).reshape(5, 100, 100)
    assert inverted_contrast(values, {"pore": share, "active": 1 - share}) is None
    assert inverted_contrast(-values, {"active": 1 - share, "pore": share}) is None


def test_the_order_of_a_scanned_electrode():
    truth = electrode(48, porosity=0.45, binder_fraction=0.05, seed=2).micro
    scanner = Scanner({"pore": 0, "active": 6000, "binder": 2000}, photons=1e5, blur=0.7)
    scan = virtual_scan(truth, scanner, seed=1)
    known = truth.volume_fractions
    ordered = {name: known[name] for name in ("pore", "binder", "active")}
    assert inverted_contrast(scan, ordered) is None
    found = thresholds_for_fractions(scan, ordered)
    micro = label_by_thresholds(scan, found, list(ordered))
    for name, share in ordered.items():
        assert micro.volume_fraction(name) == pytest.approx(share, abs=1e-5)


def test_what_is_not_allowed():
    values = three_modes()
    with pytest.raises(ValueError, match=r"1 classes are not allowed; .* from 2 to 16"):
        find_thresholds(values, 1)
    with pytest.raises(ValueError, match="method 'li' is not known; use 'otsu' or 'gaussian mix"):
        find_thresholds(values, method="li")
    with pytest.raises(ValueError, match=r"has 1 different grey value\(s\), too few for 2 classes"):
        find_thresholds(np.zeros((4, 4, 4), np.uint8))
    with pytest.raises(ValueError, match=r"has 1 different grey value\(s\), too few for 2 classes"):
        find_thresholds(np.full((4, 4, 4), 1.5))
    with pytest.raises(ValueError, match=r"sum 0\.9 instead of 1"):
        thresholds_for_fractions(values, [0.4, 0.5])
    scan = Scan(values, 1e-6)
    with pytest.raises(ValueError, match=r"2 threshold\(s\) do not divide 2 phases"):
        label_by_thresholds(scan, [1, 2], ["pore", "active"])
    with pytest.raises(ValueError, match=r"thresholds \[2, 1\] do not ascend"):
        label_by_thresholds(scan, [2, 1], ["a", "b", "c"])


def test_a_mixture_of_what_does_not_separate_is_refused():
    values = np.random.default_rng(0).normal(0, 1, (10, 50, 50))
    with pytest.raises(ValueError, match="use fewer"):
        find_thresholds(values, 4, method="gaussian mixture")


def test_fractions_of_the_classes_in_reverse_are_doubted_without_a_valley():
    # A wide bright phase, whose histogram has no valley beside the dark peak.
    rng = np.random.default_rng(1)
    values = np.where(rng.random((20, 20, 20)) < 0.86, rng.normal(50, 20, (20, 20, 20)), 0)
    values = np.where(values == 0, rng.uniform(90, 255, values.shape), values)
    scan = Scan(values.clip(0, 255).astype(np.uint8), 1e-6)
    told = inverted_contrast(scan, {"fibre": 0.14, "pore": 0.86})
    assert told is not None and "check which phase is bright" in told
    assert inverted_contrast(scan, {"pore": 0.86, "fibre": 0.14}) is None
    # Equal fractions cannot tell.
    assert inverted_contrast(scan, {"a": 0.5, "b": 0.5}) is None
