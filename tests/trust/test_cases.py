"""The known answers of the statistics, against simulation and against themselves."""

from __future__ import annotations

import math

import pytest

from microtwin.trust import run_case
from microtwin.trust.cases import CASES, boolean_integral_range, boolean_variance
from trust import boolean_model as bm


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.quantity)
def test_case_passes(case):
    row = run_case(case)
    assert row.passed, row


@pytest.mark.parametrize("radius", [6, 8])
def test_spheres_on_the_lattice_tend_to_spheres_in_space(radius):
    """Counted in voxels, a ball of R = 6 or 8 has another volume; A3 goes with it."""
    share = bm.ball(radius).sum() / (4 / 3 * math.pi * radius**3)
    expected = boolean_integral_range(radius, 0.5) * share
    # 1 %: the digitised ball is not quite round.
    assert bm.exact_integral_range(radius, 0.5) == pytest.approx(expected, rel=0.01)
    expected = boolean_variance(radius, 0.5, 6 * radius) * share
    assert bm.exact_variance(radius, 0.5, 6 * radius) == pytest.approx(expected, rel=0.01)


def test_large_cubes_follow_the_law():
    """Var -> phi (1 - phi) A3 / V, from below, by a term in 1 / edge."""
    law = 0.24 * boolean_integral_range(1.0, 0.4)
    gaps = [1 - boolean_variance(1.0, 0.4, edge) * edge**3 / law for edge in (20.0, 40.0)]
    assert 0 < gaps[1] < gaps[0] < 0.1
    assert gaps[0] / gaps[1] == pytest.approx(2, rel=0.05)


def test_integral_range_of_half_filled_space():
    assert boolean_integral_range(1.0, 0.5) == pytest.approx(3.2668, abs=1e-4)
    # Few spheres: the solid is a set of separate balls, and A3 is the volume of one.
    assert boolean_integral_range(1.0, 0.9999) == pytest.approx(4 / 3 * math.pi, rel=1e-3)
