from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from microtwin import Microstructure, Scan
from microtwin.generation import gaussian_field
from microtwin.imaging import alternative_segmentations, segment
from microtwin.imaging.labelling import alternatives
from microtwin.imaging.labelling.response import blurred

NAMES = ("pore", "film", "active")


def scan_of(noise, shape=(40, 44, 48), seed=1):
    """Films of a third phase between two others, under a blur."""
    first = gaussian_field(shape, 5.0, 0.45, seed=seed).labels
    second = gaussian_field(shape, 5.0, 0.55, seed=seed).labels
    labels = first + second
    values = blurred(np.array([0.0, 1.0, 3.0], np.float32)[labels], 0.9)
    values += noise * np.random.default_rng(0).standard_normal(shape, np.float32)
    truth = Microstructure(labels.astype(np.uint8), 1e-6, dict(zip(NAMES, range(3), strict=True)))
    return truth, Scan(values, 1e-6)


@pytest.fixture(scope="module")
def noisy():
    truth, scan = scan_of(0.4)
    return truth, scan, segment(scan, 1e-6, NAMES, fractions=truth.volume_fractions)


def test_models_that_differ_in_grey_values_or_couplings(noisy, monkeypatch):
    _, scan, found = noisy
    models = []

    def spy(values, model, *args):
        models.append(model)
        return plain(values, model, *args)

    plain = alternatives.phase_probabilities
    monkeypatch.setattr(alternatives, "phase_probabilities", spy)
    model = replace(found.model, mean_uncertainties=(0.1, 0.3, 0.1))
    sources = [
        source for source, *_ in alternative_segmentations(scan, found.microstructure, model)
    ]
    assert sources == ["grey values"] * 2 + ["near and far"] * 2 + ["all couplings"]
    means = np.array([m.means for m in models]) - model.means
    change = np.array([0.1, -0.3, 0.1])
    assert_allclose(means, [change, -change, 0 * change, 0 * change, 0 * change], atol=1e-12)
    coupling = np.array([m.coupling for m in models]) - model.coupling
    pattern = 0.1 * np.array([[0, -1, 1], [-1, 0, -1], [1, -1, 0]])
    assert_allclose(coupling[:2], 0, atol=1e-12)
    assert_allclose(coupling[2:4], [pattern, -pattern], atol=1e-12)
    assert_allclose(coupling[4], 0.25 * (1 - np.eye(3)), atol=1e-12)
    models.clear()
    free = alternative_segmentations(scan, found.microstructure, model, calibrated=False)
    assert [source for source, *_ in free][2:4] == ["all grey values"] * 2
    assert_allclose(models[2].means, np.add(model.means, [0.1, 0.3, 0.1]))
    assert_allclose(models[3].means, np.subtract(model.means, [0.1, 0.3, 0.1]))
    # Uncertainties that would make two phases look alike are cut.
    models.clear()
    guess = replace(found.model, mean_uncertainties=(0.1, 1.0, 1.0))
    next(alternative_segmentations(scan, found.microstructure, guess))
    gaps = np.diff(model.means)
    assert np.min(np.diff(models[0].means) / gaps) == pytest.approx(0.25)


def test_alternatives_are_a_block_with_the_same_fractions(noisy):
    _, scan, found = noisy
    micro = found.microstructure
    pairs = list(alternative_segmentations(scan, micro, found.model))
    for _, chosen, other in pairs:
        assert chosen is pairs[0][1]
        assert_array_equal(chosen.labels, micro.labels)  # smaller than a block
        assert other.shape == chosen.shape and dict(other.phases) == dict(micro.phases)
        assert 0 < np.mean(other.labels != chosen.labels) < 0.2
        for name in NAMES:
            assert other.volume_fraction(name) == pytest.approx(
                chosen.volume_fraction(name), abs=0.003
            )
    again = list(alternative_segmentations(scan, micro, found.model))
    assert_array_equal(again[3][2].labels, pairs[3][2].labels)
    free = [
        other
        for _, _, other in alternative_segmentations(scan, micro, found.model, calibrated=False)
    ]
    assert np.ptp([other.volume_fraction("film") for other in free]) > 0.005


def test_clear_grey_values_leave_little_to_believe(noisy):
    def changed(scan, found):
        pairs = alternative_segmentations(scan, found.microstructure, found.model)
        return np.mean([np.mean(other.labels != chosen.labels) for _, chosen, other in pairs])

    truth, scan = scan_of(0.05)
    clear = segment(scan, 1e-6, NAMES, fractions=truth.volume_fractions)
    assert changed(scan, clear) < 0.5 * changed(*noisy[1:])


def test_a_block_of_a_large_scan(noisy):
    _, scan, found = noisy
    micro = found.microstructure
    labels = np.array([7, 3, 5], np.uint8)[np.tile(micro.labels, (4, 1, 1))]
    long = Microstructure(labels, 1e-6, {"pore": 7, "film": 3, "active": 5})
    volume = Scan(np.tile(scan.values, (4, 1, 1)), 1e-6)
    _, chosen, other = next(iter(alternative_segmentations(volume, long, found.model, seed=2)))
    assert chosen.shape == other.shape == (96, 44, 48)
    assert set(np.unique(other.labels)) == {3, 5, 7}
    assert np.mean(other.labels != chosen.labels) < 0.2


def test_scan_and_labels_must_fit(noisy):
    _, scan, found = noisy
    part = found.microstructure.crop(slice(0, 20), slice(0, 20), slice(0, 20))
    with pytest.raises(
        ValueError, match=r"scan has shape \(40, 44, 48\) and the labels \(20, 20, "
    ):
        next(alternative_segmentations(scan, part, found.model))
