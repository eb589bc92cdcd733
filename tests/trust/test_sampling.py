"""Sub-volume studies with quantities whose scatter is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from microtwin import Microstructure
from microtwin.trust import subvolume_study
from trust import boolean_model as bm

PHASES = {"pore": 0, "solid": 1}


def fraction(micro):
    return micro.volume_fraction("pore")


def noise(shape, p=0.5, seed=0, voxel_size=1.0):
    labels = (np.random.default_rng(seed).random(shape) < p).astype(np.uint8)
    return Microstructure(labels, voxel_size, PHASES)


def test_independent_voxels():
    """Without correlation A3 is one voxel: Var = phi (1 - phi) / N at every size."""
    study = subvolume_study(noise((64, 64, 64)), fraction, phase="pore", coarsening=1)
    assert [row.count for row in study.rows] == [8, 27, 64]
    # 20 %: the estimate has about 98 degrees of freedom, 7 % standard error.
    assert study.std_whole == pytest.approx(0.5 / 64**1.5, rel=0.2)
    assert study.edge_for[0.01] == pytest.approx((1 / 0.01**2) ** (1 / 3), rel=0.15)
    assert study.edge_for[0.05] == pytest.approx(study.edge_for[0.01] / 25 ** (1 / 3))
    assert study.fraction_correlation == pytest.approx(1.0)
    assert study.reliable


def test_scatter_between_images_is_predicted_from_one():
    """Boolean models: the mean predicted variance is that of independent images (exact)."""
    radius, edge, phi = 3, 64, 0.5
    images = [bm.boolean_model(edge, radius, phi, seed) for seed in range(12)]
    studies = [subvolume_study(m, fraction, phase="pore", coarsening=1) for m in images]
    exact = bm.exact_variance(radius, phi, edge)
    # 15 %: 12 images of about 60 degrees of freedom each, 5 % standard error of a variance.
    assert np.mean([s.std_whole**2 for s in studies]) == pytest.approx(exact, rel=0.15)
    assert np.mean([s.fraction_std_whole**2 for s in studies]) == pytest.approx(exact, rel=0.15)
    covered = [s.interval[0] < math.sqrt(exact) < s.interval[1] for s in studies]
    assert sum(covered) >= 8
    # Two standard uncertainties hold 95 % of the images; 10 of 12 allows for chance.
    errors = [abs(s.whole - phi) / s.std_whole for s in studies]
    assert sum(e < 2 for e in errors) >= 10


def test_the_coarsened_image_gives_the_same_scatter():
    """Majority labels smooth the shape and sharpen the contrast of small features: within 20 %."""
    fine, coarse = [], []
    for seed in range(8):
        micro = bm.boolean_model(64, 5, 0.5, seed)
        fine.append(subvolume_study(micro, fraction, phase="pore", coarsening=1).std_whole ** 2)
        study = subvolume_study(micro, fraction, phase="pore", whole=fraction(micro))
        assert study.coarsening == 2
        coarse.append(study.std_whole**2)
    assert math.sqrt(np.mean(coarse) / np.mean(fine)) == pytest.approx(1.0, abs=0.2)


def test_values_are_scaled_by_the_whole():
    """A quantity that is 10 % lower on the coarse grid must not change the result."""
    micro = bm.boolean_model(64, 4, 0.5, seed=1)
    half = micro.coarsen(2)
    plain = subvolume_study(micro, fraction, whole=fraction(half), whole_coarse=fraction(half))
    biased = subvolume_study(
        micro, lambda m: 0.9 * fraction(m), whole=fraction(half), whole_coarse=0.9 * fraction(half)
    )
    assert biased.std_whole == pytest.approx(plain.std_whole)
    assert biased.means == pytest.approx(plain.means)
    assert biased.size_effect == pytest.approx(plain.size_effect)


def test_solves_are_counted():
    calls = []

    def quantity(micro):
        calls.append(micro.labels.size)
        return fraction(micro)

    micro = bm.boolean_model(80, 4, 0.5, seed=1)
    subvolume_study(micro, quantity, whole=0.5, whole_coarse=0.5)
    # Three tilings of an image with an eighth of the voxels.
    assert sum(calls) <= 3 / 8 * 80**3
    calls.clear()
    subvolume_study(micro, quantity)
    assert calls[0] == 40**3
    calls.clear()
    # An image too small to be coarsened: one tiling of the image itself.
    small = subvolume_study(noise((40, 40, 40)), quantity, whole=0.5)
    assert small.coarsening == 1
    assert sum(calls) <= 40**3


def test_small_volumes_are_biased_and_the_bias_is_kept_apart():
    """A quantity with a boundary effect a / edge: the mean moves, the variance does not."""
    micro = noise((64, 64, 64), seed=3)

    def quantity(m):
        return fraction(m) - 0.5 / m.shape[0]

    study = subvolume_study(micro, quantity, coarsening=1)
    plain = subvolume_study(micro, fraction, coarsening=1)
    assert study.stds == pytest.approx(plain.stds)
    # 0.5 / 64 - 0.5 / 32, up to the scatter of the fraction.
    assert study.size_effect == pytest.approx(-0.5 / 64, rel=0.02)
    assert "below the whole" in study.sentence
    assert "below" not in plain.sentence


def test_volumes_that_do_not_percolate_count_as_zero():
    micro = noise((64, 64, 64), seed=1)
    n = iter(range(10_000))

    def quantity(m):
        return 0.0 if m.shape != (64, 64, 64) and next(n) % 2 else 0.2

    study = subvolume_study(micro, quantity, coarsening=1)
    assert [row.zeros for row in study.rows] == [4, 13, 32]
    assert study.rows[0].mean == pytest.approx(0.1)
    assert study.rows[0].std == pytest.approx(0.1 * math.sqrt(8 / 7))
    assert not study.reliable
    assert "does not percolate in 4 of its 8 largest sub-volumes" in study.sentence
    assert "not large enough to tell" in study.sentence


def test_a_phase_that_does_not_percolate_at_all():
    study = subvolume_study(noise((64, 64, 64)), lambda m: 0.0, phase="pore")
    assert study.whole == study.std_whole == 0.0
    assert study.edge_for == {}
    assert study.fraction_correlation is None
    assert not study.reliable
    assert "no relative uncertainty" in study.sentence


def test_a_gradient_is_reported():
    ramp = np.linspace(0.1, 0.9, 64)[:, None, None]
    labels = np.random.default_rng(0).random((64, 64, 64)) < ramp
    study = subvolume_study(
        Microstructure(labels.astype(np.uint8), 1.0, PHASES), fraction, coarsening=1
    )
    assert not study.reliable
    assert "gradient" in study.sentence


def test_structure_larger_than_the_sub_volumes_is_reported():
    study = subvolume_study(bm.boolean_model(48, 14, 0.5, seed=1), fraction, phase="pore")
    assert not study.reliable
    assert "independent samples of the structure" in study.sentence


def test_flat_images_are_cut_into_compact_pieces():
    study = subvolume_study(noise((20, 120, 120)), fraction, coarsening=1)
    assert [row.shape for row in study.rows] == [(20, 30, 30), (20, 24, 24), (20, 17, 17)]
    assert [row.count for row in study.rows] == [16, 25, 49]


def test_pieces_are_compact_in_metres():
    study = subvolume_study(
        noise((80, 40, 40), voxel_size=(1e-6, 2e-6, 2e-6)), fraction, coarsening=1, divisions=[2]
    )
    assert study.rows[0].shape == (40, 20, 20)
    assert study.rows[0].edge == pytest.approx(40e-6)
    assert study.edges == pytest.approx([40e-6])


def test_a_random_choice_of_sub_volumes_is_seeded():
    micro = noise((64, 64, 64))
    studies = [
        subvolume_study(micro, fraction, coarsening=1, max_count=10, seed=s) for s in (1, 1, 2)
    ]
    assert studies[0].counts.tolist() == [8, 10, 10]
    assert studies[0].stds.tolist() == studies[1].stds.tolist()
    assert studies[0].stds.tolist() != studies[2].stds.tolist()


def test_an_exponent_can_be_fitted():
    study = subvolume_study(noise((64, 64, 64)), fraction, coarsening=1, exponent=None)
    assert study.law.exponent == study.law.observed_exponent
    # Two standard uncertainties of an exponent from 8, 27 and 64 sub-volumes.
    assert study.law.exponent == pytest.approx(1.0, abs=0.5)


def test_lengths_are_written_in_readable_units():
    micro = noise((64, 64, 64), voxel_size=1e-6)
    study = subvolume_study(micro, fraction, coarsening=1)
    assert "cube of 64 um" in study.sentence


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"coarsening": 3}, "coarsening"),
        ({"max_count": 1}, "max_count"),
        ({"divisions": ()}, "divisions"),
        ({"divisions": (1,)}, "divisions"),
        ({"divisions": (32,)}, "cannot be cut"),
        ({"exponent": -1.0}, "above 0"),
    ],
)
def test_bad_parameters(arguments, word):
    with pytest.raises(ValueError, match=word):
        subvolume_study(noise((64, 64, 64)), fraction, **arguments)


def test_infinite_values_are_refused():
    with pytest.raises(ValueError, match="tortuosity"):
        subvolume_study(noise((64, 64, 64)), lambda m: math.inf)
