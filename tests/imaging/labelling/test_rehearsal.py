from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from microtwin import Microstructure, Scan
from microtwin.generation import gaussian_field
from microtwin.imaging import rehearse, segment
from microtwin.imaging.labelling.response import blurred


@pytest.fixture(scope="module")
def found():
    labels = (gaussian_field((40, 44, 40), 4.0, 0.4, seed=1).labels).astype(np.float32)
    values = blurred(labels, 0.9)
    values += 0.3 * np.random.default_rng(0).standard_normal(labels.shape, np.float32)
    return segment(Scan(values, 1e-6), 1e-6, ("pore", "active"))


def test_a_rehearsal_has_a_truth_and_an_answer(found):
    micro = found.microstructure
    truth, answer = rehearse(micro, found.model, 3)
    for one in (truth, answer):
        assert one.shape == micro.shape
        assert one.voxel_size == micro.voxel_size
        assert dict(one.phases) == dict(micro.phases)
    # The truth is one that could be, and the answer errs as the segmentation does.
    assert np.mean(truth.labels != micro.labels) < 0.1
    assert 0 < np.mean(truth.labels != answer.labels) < 0.1
    again = rehearse(micro, found.model, 3)
    assert_array_equal(again[0].labels, truth.labels)
    assert_array_equal(again[1].labels, answer.labels)
    assert (rehearse(micro, found.model, 4)[0].labels != truth.labels).any()


def test_known_fractions_are_known_to_the_rehearsal(found):
    truth, answer = rehearse(found.microstructure, found.model, 0)
    assert answer.volume_fraction("pore") == pytest.approx(truth.volume_fraction("pore"), abs=0.002)
    truth, answer = rehearse(found.microstructure, found.model, 0, calibrated=False)
    # The grey values alone: near, and not equal.
    difference = abs(answer.volume_fraction("pore") - truth.volume_fraction("pore"))
    assert 0 < difference < 0.05


def test_labels_need_not_be_consecutive(found):
    micro = found.microstructure
    names = {"pore": 9, "active": 4}
    renamed = Microstructure(
        np.array([9, 4], np.uint8)[micro.labels], 1e-6, names, micro.probabilities
    )
    truth, answer = rehearse(renamed, found.model, 3)
    plain_truth, plain_answer = rehearse(micro, found.model, 3)
    assert_array_equal(truth.mask("pore"), plain_truth.mask("pore"))
    assert_array_equal(answer.mask("pore"), plain_answer.mask("pore"))


def test_a_block_of_a_large_image_is_enough(found):
    micro = found.microstructure
    long = Microstructure(
        np.tile(micro.labels, (4, 1, 1)),
        1e-6,
        micro.phases,
        np.tile(micro.probabilities, (1, 4, 1, 1)),
    )
    truth, answer = rehearse(long, found.model, 0)
    assert truth.shape == answer.shape == (120, 44, 40)


def test_without_probabilities_there_is_nothing_to_draw(found):
    micro = found.microstructure
    plain = Microstructure(micro.labels, 1e-6, micro.phases)
    with pytest.raises(ValueError, match="microstructure has no probabilities"):
        rehearse(plain, found.model, 0)
