from __future__ import annotations

import math

import numpy as np
import pytest

from microtwin import Microstructure
from microtwin.trust import segmentation_study

PHASES = {"pore": 0, "solid": 1}


def image(fraction: float, edge: int = 16) -> Microstructure:
    """Layers of solid, then pore, so that coarsening by two keeps even numbers of layers."""
    labels = np.ones((edge, edge, edge), np.uint8)
    labels[: round(fraction * edge)] = 0
    return Microstructure(labels, 1e-6, PHASES)


def pore(micro: Microstructure) -> dict[str, float]:
    return {"porosity": micro.volume_fraction("pore")}


def test_equal_members_leave_no_uncertainty():
    study = segmentation_study(image(0.5), pore, lambda seed: image(0.5), members=3)
    found = study.quantities["porosity"]
    assert found.uncertainty == 0 and found.spread == 0 and found.shift == 0
    assert found.bias is None and found.model is None
    assert study.rehearsals == study.alternatives == 0


def test_spread_and_shift_are_those_of_the_members():
    fractions = [0.5, 0.625, 0.375, 0.75]
    study = segmentation_study(
        image(0.5), pore, lambda seed: image(fractions[seed]), members=4, fine=2
    )
    found = study.quantities["porosity"]
    # Coarsening is exact here, so the estimates are the members themselves.
    assert found.members == pytest.approx(fractions)
    assert found.spread == pytest.approx(np.std(fractions, ddof=1))
    assert found.shift == pytest.approx(np.mean(fractions) - 0.5)
    assert found.uncertainty == pytest.approx(math.hypot(found.spread, found.shift))


def test_fine_members_correct_what_coarse_voxels_do_not_see():
    # Single voxels of pore vanish in the majority of their blocks: only the fine voxels see them.
    chosen = image(0.5)
    speckled = np.array(chosen.labels)
    speckled[9::2, ::4, ::4] = 0
    member = Microstructure(speckled, 1e-6, PHASES)
    study = segmentation_study(chosen, pore, lambda seed: member, members=3, fine=1)
    found = study.quantities["porosity"]
    assert member.coarsen(2).volume_fraction("pore") == 0.5
    assert found.members == pytest.approx([member.volume_fraction("pore")] * 3)
    assert found.shift == pytest.approx(member.volume_fraction("pore") - 0.5)


def test_bias_and_shift_add_up_before_the_spread_joins():
    fractions = [0.5, 0.625]
    rehearsals = [(image(0.5), image(0.625)), (image(0.5), image(0.375))]
    study = segmentation_study(
        image(0.5), pore, lambda seed: image(fractions[seed]), members=2, rehearsals=rehearsals
    )
    found = study.quantities["porosity"]
    # Errors of +25 and -25 % have a root mean square of 25 %; they do not cancel.
    assert found.bias == pytest.approx(0.125)
    assert found.uncertainty == pytest.approx(math.hypot(found.spread, 0.0625 + 0.125))
    assert study.rehearsals == 2


def test_other_models_join_in_quadrature():
    chosen = image(0.5)
    calls = []

    def count(micro: Microstructure) -> dict[str, float]:
        calls.append(micro)
        return pore(micro)

    study = segmentation_study(
        chosen,
        count,
        lambda seed: image(0.5),
        members=2,
        rehearsals=[(image(0.5), image(0.625))],
        alternatives=[
            ("grey", chosen, image(0.75)),
            ("grey", chosen, image(0.5)),
            ("prior", chosen, image(0.375)),
        ],
    )
    found = study.quantities["porosity"]
    # Two that differ in one thing are averaged, and two things add up.
    assert found.model == pytest.approx(0.5 * math.sqrt(0.5**2 / 2 + 0.25**2))
    assert found.uncertainty == pytest.approx(math.hypot(0.125, found.model))
    assert (study.rehearsals, study.alternatives) == (1, 3)
    # Once for the whole, and once for the three that it is compared with.
    assert sum(micro is chosen for micro in calls) == 2


def test_quantities_of_one_kind_share_their_rehearsals():
    def both(micro: Microstructure) -> dict[str, float]:
        eps = micro.volume_fraction("pore")
        return {"tau-z": eps, "tau-y": 2.0 if eps == 0.5 else 2.2, "other": 1.0}

    rehearsals = [(image(0.5), image(0.625))]
    study = segmentation_study(
        image(0.5),
        both,
        lambda seed: image(0.5),
        members=2,
        rehearsals=rehearsals,
        kind=lambda name: name.partition("-")[0],
    )
    rms = math.sqrt((0.25**2 + 0.1**2) / 2)
    assert study.quantities["tau-z"].bias == pytest.approx(0.5 * rms)
    assert study.quantities["tau-y"].bias == pytest.approx(2.0 * rms)
    assert study.quantities["other"].bias == 0


def test_what_is_not_finite_is_left_out():
    def some(micro: Microstructure) -> dict[str, float]:
        return {"tau": math.inf, "zero": 0.0, "good": 1.0}

    study = segmentation_study(image(0.5), some, lambda seed: image(0.5), members=2)
    assert list(study.quantities) == ["good"]


def test_a_phase_that_percolates_in_some_members_only_is_said():
    def some(micro: Microstructure) -> dict[str, float]:
        return {"tau": 2.0 if micro.volume_fraction("pore") > 0.4 else math.inf}

    def draw(seed: int) -> Microstructure:
        return image(0.25 if seed == 3 else 0.5)

    study = segmentation_study(image(0.5), some, draw, members=8)
    assert study.quantities == {}
    assert study.undefined == {"tau": 1}


def test_an_answer_that_is_not_finite_counts_as_wrong_by_all():
    def some(micro: Microstructure) -> dict[str, float]:
        return {"tau": 2.0 if micro.volume_fraction("pore") > 0.4 else math.inf}

    pairs = [(image(0.5), image(0.5)), (image(0.5), image(0.25))]
    study = segmentation_study(image(0.5), some, lambda seed: image(0.5), rehearsals=pairs)
    assert study.quantities["tau"].bias == pytest.approx(2.0 * math.sqrt(0.5))


def test_thin_images_are_not_coarsened():
    calls = []

    def count(micro: Microstructure) -> dict[str, float]:
        calls.append(micro.shape)
        return pore(micro)

    study = segmentation_study(image(0.5, 8), count, lambda seed: image(0.5, 8), members=3)
    assert set(calls) == {(8, 8, 8)} and study.fine == 3


def test_known_values_are_not_computed_again():
    calls = []

    def count(micro: Microstructure) -> dict[str, float]:
        calls.append(micro.shape)
        return pore(micro)

    segmentation_study(
        image(0.5), count, lambda seed: image(0.5), whole={"porosity": 0.5}, members=2, fine=1
    )
    assert calls.count((16, 16, 16)) == 1 and calls.count((8, 8, 8)) == 3


@pytest.mark.parametrize(("members", "fine"), [(1, 1), (4, 0), (4, 5)])
def test_numbers_of_members_that_make_no_sense(members, fine):
    with pytest.raises(ValueError, match="draw at least 2"):
        segmentation_study(image(0.5), pore, lambda s: image(0.5), members=members, fine=fine)
