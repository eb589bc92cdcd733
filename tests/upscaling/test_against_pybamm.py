"""Spheres discharged on the image, and in the half cell of PyBaMM."""

from __future__ import annotations

import pytest

from microtwin.trust import run_cases
from microtwin.upscaling.verification import CASES, column_of_spheres, difference_to_pybamm

pytest.importorskip("pybamm")


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.name} {case.quantity[-20:]}")
def test_known_discharges(case):
    (row,) = run_cases([case])
    assert row.verdict == "pass", row


@pytest.mark.slow
@pytest.mark.parametrize(("rate", "limit"), [(0.1, 2e-4), (1.0, 1e-3), (2.0, 1.5e-3)])
def test_sixteen_voxels_per_radius(rate, limit):
    assert difference_to_pybamm(16, rate) < limit


def test_the_column_is_what_it_should_be():
    micro = column_of_spheres(8, 3)
    assert micro.shape == (54, 18, 18)
    ball = 4.0 / 3.0 * 3.14159265 * 8.0**3
    assert (micro.labels == 1).sum() == pytest.approx(3 * ball, rel=0.02)
