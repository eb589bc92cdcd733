from __future__ import annotations

import numpy as np
import pytest

from microtwin import Scan
from microtwin.generation import ParticleType, electrode
from microtwin.imaging import classify, train_classifier
from microtwin.imaging.labelling.classifier import _fitted, _flat, _weights_for
from microtwin.imaging.labelling.features import Block, FeatureSet, feature_blocks, pixel_features
from microtwin.imaging.tomography.virtual_scanner import Scanner, virtual_scan

PHASES = ["pore", "active", "binder"]


def strokes(micro, voxels, seed=0):
    """Mark so many voxels of each phase, in strokes of up to 16 voxels along y."""
    generator = np.random.default_rng(seed)
    marks = np.zeros(micro.shape, np.uint8)
    for number, phase in enumerate(micro.phases, start=1):
        inside = micro.mask(phase)
        places = np.argwhere(inside)
        left = voxels
        while left > 0:
            z, y, x = places[generator.integers(len(places))]
            line = np.arange(max(y - 8, 0), min(y + 8, micro.shape[1]))
            line = line[inside[z, line, x]][:left]
            marks[z, line, x] = number
            left -= line.size
    return marks


@pytest.fixture(scope="module")
def scanned():
    """An electrode, its scan, and the scribbles that have as many voxels of each phase."""
    truth = electrode(64, particles=ParticleType((5e-6, 1.5e-6)), seed=3).micro
    scanner = Scanner({"pore": 0, "active": 6000, "binder": 2000}, photons=3e4, blur=0.9)
    return truth, virtual_scan(truth, scanner, seed=1), strokes(truth, 800)


@pytest.fixture(scope="module")
def trained(scanned):
    _, scan, marks = scanned
    return train_classifier(scan, marks, PHASES)


def test_unweighted_scribbles_take_too_much_binder_and_known_fractions_put_it_right(
    scanned, trained
):
    truth, scan, _ = scanned
    plain = classify(scan, trained)
    known = classify(scan, trained, truth.volume_fractions)
    # A third of the scribbles are binder, a tenth of the voxels: much of what is between pore and
    # active becomes binder.
    assert plain.volume_fraction("binder") > 1.4 * truth.volume_fraction("binder")
    for phase in PHASES:
        # The weights are found on the whole image of less than a million voxels.
        assert known.volume_fraction(phase) == pytest.approx(truth.volume_fraction(phase), abs=5e-4)
        assert float(known.probability(phase).mean()) == pytest.approx(
            truth.volume_fraction(phase), abs=0.03
        )
    right = [np.mean(micro.labels == truth.labels) for micro in (plain, known)]
    assert right[1] > right[0]
    assert right[1] > 0.91


def test_estimated_fractions_come_near(scanned, trained):
    truth, scan, _ = scanned
    found = classify(scan, trained, "estimated")
    plain = classify(scan, trained)
    for phase in PHASES:
        wanted = truth.volume_fraction(phase)
        assert abs(found.volume_fraction(phase) - wanted) < 0.03
    assert abs(found.volume_fraction("binder") - 0.1) < abs(plain.volume_fraction("binder") - 0.1)


def test_labels_are_the_most_probable(scanned, trained):
    truth, scan, _ = scanned
    found = classify(scan, trained, truth.volume_fractions)
    assert found.probabilities.shape == (3, *scan.shape)
    assert found.voxel_size == scan.voxel_size
    # Each of the three is rounded to 1/255.
    assert np.abs(found.probabilities.sum(axis=0, dtype=int) - 255).max() <= 1
    largest = found.probabilities.max(axis=0)
    own = np.take_along_axis(found.probabilities, found.labels[None].astype(int), axis=0)[0]
    assert (own == largest).all()


def test_trees_walk_as_those_of_scikit_learn():
    generator = np.random.default_rng(0)
    features = generator.normal(size=(2000, 7)).astype(np.float32)
    labels = (features[:, 0] + 0.5 * generator.normal(size=2000) > 0).astype(np.uint8)
    labels += features[:, 3] > 1
    forest = _fitted(features, labels, trees=30, depth=9, seed=0)
    fresh = np.concatenate([generator.normal(size=(3000, 7)).astype(np.float32), features])
    # Values exactly at the thresholds, and beside them, would show a rounding.
    tree = forest.estimators_[0].tree_
    at = tree.threshold[tree.feature == 0].astype(np.float32)
    fresh[: at.size, 0] = at
    fresh[at.size : 2 * at.size, 0] = np.nextafter(at, np.float32(np.inf))
    found = _flat(forest).probabilities(np.ascontiguousarray(fresh.T))
    assert np.array_equal(found, forest.predict_proba(fresh))


def test_the_same_seed_gives_the_same_classifier(scanned, trained):
    _, scan, marks = scanned
    part = scan.crop(z=slice(24))
    again = train_classifier(scan, marks, PHASES)
    assert np.array_equal(again.trees.value, trained.trees.value)
    other = train_classifier(scan, marks, PHASES, seed=1)
    assert not np.array_equal(
        classify(part, other).probabilities, classify(part, trained).probabilities
    )


def test_a_phase_with_few_marks_is_judged_too(scanned):
    truth, scan, marks = scanned
    few = marks.copy()
    few.reshape(-1)[np.flatnonzero(few == 3)[25:]] = 0
    found = train_classifier(scan, few, PHASES)
    assert found.marked["binder"] == 25
    assert found.confusion[2, 2] > 0.5
    known = classify(scan, found, truth.volume_fractions)
    assert known.volume_fraction("binder") == pytest.approx(0.1, abs=5e-4)


def test_what_the_classifier_knows_of_itself(scanned, trained):
    assert trained.phases == tuple(PHASES)
    _, _, marks = scanned
    assert list(trained.marked) == PHASES
    assert list(trained.marked.values()) == np.bincount(marks.ravel())[1:].tolist()
    assert trained.confusion.sum(axis=1) == pytest.approx([1, 1, 1], abs=1e-12)
    assert 0.85 < trained.accuracy < 1
    assert sum(trained.importances.values()) == pytest.approx(1, abs=1e-9)
    assert set(trained.importances) == set(trained.features.names)
    assert next(iter(trained.importances)).startswith(("gaussian", "grey", "difference"))


def test_whole_numbers_and_voxels_of_three_edges():
    labels = np.zeros((24, 32, 40), np.uint8)
    labels[:, 10:20, 8:30] = 1
    noise = np.random.default_rng(0).normal(0, 20, labels.shape)
    values = (100 * labels + 80 + noise).clip(0, 255).astype(np.uint8)
    scan = Scan(values, (2e-6, 1e-6, 1e-6))
    marks = np.zeros(labels.shape, np.uint8)
    marks[5, ::2], marks[18, ::3] = labels[5, ::2] + 1, labels[18, ::3] + 1
    found = classify(scan, train_classifier(scan, marks, ["dark", "bright"], scales=(1, 2)))
    # Noise of a fifth of the contrast: a threshold would leave 0.6 % wrong.
    assert np.mean(found.labels != labels) < 0.005


def whole(scan):
    everything = tuple(slice(0, n) for n in scan.shape)
    return Block(everything, scan.values, everything)


def test_blocks_do_not_show_in_the_features(scanned):
    _, scan, _ = scanned
    scan = scan.crop(z=slice(40), y=slice(50), x=slice(45))
    chosen = FeatureSet((1.0, 2.5), (*FeatureSet.kinds, "structure"), 1000.0)
    expected = pixel_features(whole(scan), chosen, scan.voxel_size)
    found = np.zeros_like(expected)
    for blocks in feature_blocks(scan, chosen.halo(scan.voxel_size), (16, 20, 24)):
        for block in blocks:
            found[(slice(None), *block.place)] = pixel_features(block, chosen, scan.voxel_size)
    assert np.array_equal(found, expected)


def test_features_of_a_paraboloid_are_its_derivatives():
    z, y, x = np.meshgrid(*(np.arange(n) - n // 2 for n in (25, 27, 29)), indexing="ij")
    # Curvatures 2, -1 and 0.5; a Gaussian leaves second derivatives as they are.
    values = (z**2 - 0.5 * y**2 + 0.25 * x**2).astype(np.float32)
    chosen = FeatureSet((2.0,), ("gaussian", "gradient", "hessian", "difference", "deviation"))
    found = dict(
        zip(
            chosen.names,
            pixel_features(whole(Scan(values, 1e-6)), chosen, (1e-6, 1e-6, 1e-6)),
            strict=True,
        )
    )
    # Inside, away from the faces by the reach of the Gaussian and one step.
    at = (12 + 3, 13 - 2, 14 + 5)
    scale = 2.0
    expected = np.array([2.0, 0.5, -1.0]) * scale**2
    got = [found[f"hessian {n} 2"][at] for n in (1, 2, 3)]
    assert got == pytest.approx(expected, rel=1e-4)
    slopes = np.array([2 * 3.0, -1.0 * -2.0, 0.5 * 5.0])
    assert found["gradient 2"][at] == pytest.approx(scale * np.linalg.norm(slopes), rel=1e-4)
    # The Gaussian cut off at three standard deviations has the variance 3.87 instead of 4.
    weights = np.exp(-0.5 * (np.arange(-6, 7) / scale) ** 2)
    variance = np.sum(weights * np.arange(-6, 7) ** 2) / weights.sum()
    smooth = values[at] + variance * (1 - 0.5 + 0.25)
    assert found["gaussian 2"][at] == pytest.approx(smooth, rel=1e-4)
    assert found["difference 2"][at] == pytest.approx(smooth - values[at], rel=1e-4)


def test_deviation_and_structure_of_a_plane_wave():
    x = np.arange(64)
    values = np.broadcast_to(1000 + np.sin(2 * np.pi * x / 4), (20, 20, 64)).astype(np.float32)
    chosen = FeatureSet((4.0,), ("deviation", "structure"), 1000.0)
    found = dict(
        zip(
            chosen.names,
            pixel_features(whole(Scan(values, 1.0)), chosen, (1.0, 1.0, 1.0)),
            strict=True,
        )
    )
    # The mean square of a sine is 1/2; the wave is far shorter than the Gaussian.
    assert found["deviation 4"][10, 10, 32] == pytest.approx(np.sqrt(0.5), rel=0.01)
    # All slopes point along x: of three eigenvalues only the largest is not zero.
    first, second, third = (found[f"structure {n} 4"][10, 10, 32] for n in (1, 2, 3))
    assert first >= 0
    assert abs(second) + abs(third) < 1e-6


def test_structure_does_not_feel_rotation():
    generator = np.random.default_rng(0)
    values = generator.normal(size=(20, 20, 20)).astype(np.float32)
    chosen = FeatureSet((1.0,), ("structure", "hessian", "gradient"))
    size = (1.0, 1.0, 1.0)
    expected = pixel_features(whole(Scan(values, 1.0)), chosen, size)
    turned = pixel_features(whole(Scan(values.transpose(2, 0, 1), 1.0)), chosen, size)
    # Single precision, in another order of axes.
    assert turned == pytest.approx(expected.transpose(0, 3, 1, 2), abs=1e-4)


def test_weights_are_the_ratio_of_fractions_where_that_is_known():
    generator = np.random.default_rng(0)
    # p is uniform: with weights 1 : w the second phase wins where p < w / (1 + w).
    p = generator.random(200_000)
    probable = np.round(65535 * np.stack([p, 1 - p])).astype(np.uint16)
    weights = _weights_for(probable, np.array([0.8, 0.2]), ["a", "b"])
    assert weights[1] / weights[0] == pytest.approx(0.25, rel=0.02)


def test_fractions_that_no_weights_give_are_refused():
    probable = np.zeros((2, 1000), np.uint16)
    probable[0, :900], probable[1, 900:] = 65535, 65535
    with pytest.raises(ValueError, match=r"known fraction 0\.500 of a cannot be met"):
        _weights_for(probable, np.array([0.5, 0.5]), ["a", "b"])


def test_scribbles_that_cannot_be_learned_from(scanned):
    _, scan, marks = scanned
    with pytest.raises(ValueError, match=r"shape \(63, 64, 64\) do not fit a scan of shape \(64"):
        train_classifier(scan, marks[1:], PHASES)
    with pytest.raises(ValueError, match=r"run from 0 to 3, but there are 2 phases"):
        train_classifier(scan, marks, PHASES[:2])
    with pytest.raises(ValueError, match=r"scribbles mark 1 phase\(s\); mark some voxels of each"):
        train_classifier(scan, np.where(marks == 1, 1, 0), PHASES)
    with pytest.raises(ValueError, match=r"scribbles mark 0 phase\(s\)"):
        train_classifier(scan, np.zeros_like(marks), PHASES)
    few = marks.copy()
    few.reshape(-1)[np.flatnonzero(few == 3)[7:]] = 0
    with pytest.raises(ValueError, match=r"mark 7 voxel\(s\) of binder; mark at least 20"):
        train_classifier(scan, few, PHASES)
    with pytest.raises(ValueError, match="scribbles have dtype float64; whole numbers are needed"):
        train_classifier(scan, marks.astype(float), PHASES)
    with pytest.raises(ValueError, match="phases pore, pore cannot be told apart"):
        train_classifier(scan, marks, ["pore", "pore"])


def test_settings_that_are_not_allowed(scanned, trained):
    _, scan, marks = scanned
    with pytest.raises(ValueError, match="5 trees of depth 12 are not allowed"):
        train_classifier(scan, marks, PHASES, trees=5)
    with pytest.raises(ValueError, match=r"scales \(0\.1,\) are not allowed"):
        train_classifier(scan, marks, PHASES, scales=[0.1])
    with pytest.raises(ValueError, match=r"scales \(2\.0, 1\.0\) do not ascend"):
        train_classifier(scan, marks, PHASES, scales=[2, 1])
    with pytest.raises(ValueError, match="features 'colour' are not known; use gaussian"):
        train_classifier(scan, marks, PHASES, kinds=["colour"])
    with pytest.raises(ValueError, match="fractions 'guessed' are not allowed"):
        classify(scan, trained, "guessed")
    with pytest.raises(ValueError, match=r"sum 0\.9 instead of 1"):
        classify(scan, trained, {"pore": 0.4, "active": 0.4, "binder": 0.1})
