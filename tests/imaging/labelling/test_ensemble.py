from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.ndimage import gaussian_filter

from microtwin import Microstructure
from microtwin.imaging import plausible_segmentation

PHASES = {"pore": 0, "binder": 2, "active": 7}


def unsure(shape=(24, 24, 24), seed=0, width=2.0):
    """Three phases whose probabilities vary smoothly; many voxels are certain."""
    generator = np.random.default_rng(seed)
    field = gaussian_filter(generator.standard_normal(shape), width, mode="wrap")
    field /= field.std()
    logits = np.stack([-6 * field, 0 * field - 1, 6 * field])
    shares = np.exp(logits - logits.max(axis=0))
    shares /= shares.sum(axis=0)
    probabilities = np.round(255 * shares[:2]).astype(np.uint8)
    last = 255 - probabilities.sum(axis=0, dtype=int)
    probabilities = np.concatenate([probabilities, last[None].clip(0).astype(np.uint8)])
    labels = np.array(list(PHASES.values()), np.uint8)[probabilities.argmax(axis=0)]
    return Microstructure(labels, 1e-6, PHASES, probabilities)


def members(micro, count, **options):
    return [plausible_segmentation(micro, seed, **options) for seed in range(count)]


@pytest.fixture(scope="module")
def micro():
    return unsure()


def test_each_voxel_keeps_its_probabilities(micro):
    drawn = members(micro, 150)
    for name in PHASES:
        share = np.mean([m.mask(name) for m in drawn], axis=0)
        expected = micro.probability(name)
        # 150 draws: a standard deviation of 0.04, and 14 000 voxels.
        assert np.abs(share - expected).max() < 0.2
        deviation = np.sqrt(expected * (1 - expected) / len(drawn))
        assert np.sqrt(np.mean((share - expected) ** 2)) < 1.1 * np.sqrt(np.mean(deviation**2))
        # What is certain stays.
        assert_array_equal(share[expected == 0], 0)
        assert_array_equal(share[expected == 1], 1)


@pytest.mark.parametrize("shape", [(2, 20, 20), (3, 4, 40), (2, 2, 2)])
def test_thin_images_keep_their_probabilities(shape):
    probabilities = np.zeros((2, *shape), np.uint8)
    probabilities[0], probabilities[1] = 51, 204
    micro = Microstructure(np.ones(shape, np.uint8), 1e-6, {"a": 0, "b": 1}, probabilities)
    share = np.mean([m.mask("a") for m in members(micro, 400, correlation=2.5)])
    # One in five; of a 2 x 2 x 2 image all voxels are drawn nearly as one: 0.4 / sqrt(400).
    assert share == pytest.approx(0.2, abs=0.06)


def test_a_member_is_a_microstructure_like_the_one_it_is_drawn_from(micro):
    member = plausible_segmentation(micro, 3)
    assert dict(member.phases) == PHASES
    assert member.voxel_size == micro.voxel_size
    assert member.probabilities is None
    assert_array_equal(member.labels, plausible_segmentation(micro, 3).labels)
    assert (member.labels != plausible_segmentation(micro, 4).labels).any()


@pytest.mark.parametrize("correlation", [0.0, 1.0, 2.5])
def test_neighbours_err_together(correlation):
    shape = (40, 40, 40)
    probabilities = np.full((2, *shape), 127, np.uint8)
    probabilities[1] = 128
    micro = Microstructure(np.ones(shape, np.uint8), 1e-6, {"a": 0, "b": 1}, probabilities)
    signs = [2.0 * m.mask("a") - 1 for m in members(micro, 6, correlation=correlation)]
    for lag in (1, 2, 4):
        found = np.mean([np.mean(s[:, :, lag:] * s[:, :, :-lag]) for s in signs])
        # White noise under a Gaussian of deviation s has the correlation exp(-r^2 / (4 s^2)),
        # and the signs of normal numbers the correlation 2/pi arcsin of theirs.
        normal = np.exp(-(lag**2) / (4 * correlation**2)) if correlation else 0.0
        assert found == pytest.approx(2 / np.pi * np.arcsin(normal), abs=0.03)


@pytest.mark.parametrize(
    "uncertainty",
    [
        0.03,
        {"pore": 0.03, "binder": 0.03, "active": 0.03},
        {"pore": 0.02},
        {"pore": 0.02, "active": 0.02},
    ],
)
def test_fractions_scatter_as_they_are_uncertain(micro, uncertainty):
    drawn = members(micro, 250, correlation=0.0, fraction_uncertainty=uncertainty)
    found = {name: [m.volume_fraction(name) for m in drawn] for name in PHASES}
    named = uncertainty if isinstance(uncertainty, dict) else dict.fromkeys(PHASES, uncertainty)
    for name, fractions in found.items():
        expected = micro.probability(name).mean()
        assert np.mean(fractions) == pytest.approx(expected, abs=0.006)
        if name in named:
            # The scatter of 250 numbers is known within 5 %; labels that are drawn voxel by
            # voxel add 0.002.
            assert np.std(fractions) == pytest.approx(named[name], rel=0.15)
        elif name == "active":
            # What the pores take, nearly all of it: there is little binder.
            assert np.std(fractions) > 0.7 * 0.02


def test_unequal_uncertainties_are_met_on_average(micro):
    uncertainty = {"pore": 0.03, "binder": 0.01, "active": 0.03}
    drawn = members(micro, 200, correlation=0.0, fraction_uncertainty=uncertainty)
    scatter = {name: np.std([m.volume_fraction(name) for m in drawn]) for name in PHASES}
    total = np.sqrt(sum(s**2 for s in scatter.values()))
    assert total == pytest.approx(np.sqrt(sum(u**2 for u in uncertainty.values())), rel=0.15)
    assert scatter["binder"] < 0.6 * scatter["pore"]


def test_a_phase_that_is_impossible_in_a_voxel_stays_so(micro):
    none = micro.probability("binder") == 0
    assert none.any()
    for member in members(micro, 20, fraction_uncertainty=0.05):
        assert not member.mask("binder")[none].any()


def test_an_absent_phase_stays_absent():
    probabilities = np.zeros((3, 6, 6, 6), np.uint8)
    probabilities[0], probabilities[2] = 100, 155
    micro = Microstructure(np.full((6, 6, 6), 7, np.uint8), 1e-6, PHASES, probabilities)
    for member in members(micro, 5, fraction_uncertainty=0.05):
        assert member.volume_fraction("binder") == 0


def test_coarse_microstructures_can_be_drawn_from(micro):
    coarse = micro.coarsen(2)
    assert_array_equal(coarse.probabilities.sum(axis=0, dtype=int), 255)
    assert plausible_segmentation(coarse, 0).shape == coarse.shape


def test_refusals(micro):
    plain = Microstructure(micro.labels, 1e-6, PHASES)
    with pytest.raises(ValueError, match="microstructure has no probabilities, so nothing is kno"):
        plausible_segmentation(plain, 0)
    with pytest.raises(ValueError, match=r"correlation -1.0 and fraction uncertainty 0.0 must not"):
        plausible_segmentation(micro, 0, correlation=-1.0)
    with pytest.raises(ValueError, match="must not be negative"):
        plausible_segmentation(micro, 0, fraction_uncertainty={"pore": -0.1})
    with pytest.raises(ValueError, match="phase 'glass' is not in this microstructure; it has po"):
        plausible_segmentation(micro, 0, fraction_uncertainty={"glass": 0.1})


def test_whole_numbers_fit_the_type():
    # 0.49 and 0.51 of 255 are not whole: what is left goes to the largest.
    assert_allclose(unsure().probabilities.sum(axis=0, dtype=int), 255)
