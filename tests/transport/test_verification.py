"""The cases of `microtwin verify` for this room, and the pictures they use."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from microtwin.transport.verification import CASES, checkerboard, layers
from microtwin.trust import run_cases
from microtwin.trust.verification import run_case


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.name}: {case.quantity}")
def test_case(case):
    row = run_case(case)
    assert row.passed, f"{row.ours} instead of {row.reference}: {row.message}"


def test_every_case_of_the_reference_table_is_there():
    names = " ".join(case.name for case in CASES)
    for subject in (
        "layers in series 0.1 / 1 / 0.1", "layers in series 1 / 10", "layers in parallel 1 / 10",
        "straight channel", "blocked channel", "full box", "checkerboard", "insulating spheres",
        "conducting", "laminate", "Gaussian", "flow between plates", "flow in a round tube",
        "stream that carries waves",
        "slit of 32 voxels", "square duct", "round tube", "simple cubic spheres", "cylinders",
    ):  # fmt: skip
        assert subject in names
    assert len({(case.name, case.quantity) for case in CASES}) == len(CASES)


def test_a_blocked_image_is_met_only_by_infinity():
    case = next(case for case in CASES if case.name.startswith("blocked"))
    (row,) = run_cases([case])
    assert row.reference == row.ours == math.inf


def test_layers():
    micro = layers((2, 3), width=4)
    assert micro.shape == (5, 4, 4)
    assert_array_equal(micro.profile("1"), [0, 0, 1, 1, 1])


def test_checkerboard():
    micro = checkerboard(3)
    assert micro.shape == (2, 6, 6)
    assert_allclose(micro.volume_fraction("white"), 0.5)
    assert_array_equal(np.roll(micro.labels, 3, 1), 1 - micro.labels)
