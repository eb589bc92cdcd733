"""Grid convergence on manufactured sequences and on images with known interfaces."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from microtwin import Microstructure
from microtwin.trust import (
    discretisation_study,
    grid_convergence,
    observed_order,
    unresolved_interface,
)

PHASES = {"pore": 0, "solid": 1}


def picture(solid, voxel_size=1.0):
    return Microstructure(np.asarray(solid).astype(np.uint8), voxel_size, PHASES)


@given(
    exact=st.floats(0.1, 1),
    error=st.floats(0.001, 0.1),
    sign=st.sampled_from([-1, 1]),
    order=st.floats(1, 3),
)
def test_manufactured_sequence(exact, error, sign, order):
    """v(h) = exact + C h^p: the order is found and the stated uncertainty covers the error."""
    values = [exact + sign * error * 2 ** (order * level) for level in range(3)]
    assert observed_order(*values) == pytest.approx(order, abs=1e-6)
    study = grid_convergence(values[0], values[1], coarsest=values[2])
    assert study.observed_order == pytest.approx(order, abs=1e-6)
    assert study.discretisation >= error * (1 - 1e-9)
    # And it does not overstate an order p by more than the factor 2^p - 1.
    assert study.discretisation <= error * max(2**order - 1, 2 ** (2 * order) / 4) * (1 + 1e-9)


@given(exact=st.floats(0.1, 1), slope=st.floats(-0.05, 0.05))
def test_richardson_removes_a_first_order_error(exact, slope):
    study = grid_convergence(exact, exact, voxel_fine=exact + slope, voxel_coarse=exact + 2 * slope)
    assert study.richardson == pytest.approx(exact, abs=1e-12)


@pytest.mark.parametrize(
    "values",
    [(1.0, 1.0, 1.1), (1.0, 1.1, 1.1), (1.0, 1.1, 1.0), (1.0, math.nan, 1.1), (1.0, math.inf, 1)],
)
def test_no_order_without_monotone_convergence(values):
    assert observed_order(*values) is None


def test_a_coincidence_of_two_grids_is_caught_by_the_third():
    assert grid_convergence(0.2, 0.2).discretisation == 0.0
    study = grid_convergence(0.2, 0.2, coarsest=0.24)
    # At second order the step from 4h to 2h is four times the step from 2h to h.
    assert study.discretisation == pytest.approx(0.01)


def test_agreement_is_said_in_words():
    measured = {"fine": 0.1401, "coarse": 0.1415, "voxel_size": 398e-9}
    study = grid_convergence(
        **measured, voxel_fine=0.1292, voxel_coarse=0.1219, unresolved_interface=0.12
    )
    assert study.discretisation == pytest.approx(0.0014)
    assert study.richardson == pytest.approx(0.1365)
    assert study.voxel_sizes == pytest.approx((398e-9, 796e-9))
    assert study.staircase == (0.1292, 0.1219)
    assert study.agrees is False
    assert study.sentence == (
        "Doubling the voxel size changes the result 0.1401 by 1 % of the value, but the staircase "
        "extrapolated to zero voxel size is 0.1365, 2.6 % below, more than that uncertainty (12 % "
        "of the interface is in features below two voxels): a scan with finer voxels would be "
        "needed to decide between the two."
    )
    agreeing = grid_convergence(**measured, voxel_fine=0.131, voxel_coarse=0.122)
    assert agreeing.agrees is True
    assert "within that uncertainty" in agreeing.sentence
    alone = grid_convergence(**measured)
    assert alone.agrees is None
    assert alone.richardson is None
    assert grid_convergence(**measured, voxel_fine=0.1292).richardson is None


def test_values_of_zero_are_described():
    study = grid_convergence(0.0, 0.0, voxel_fine=0.0, voxel_coarse=0.0)
    assert study.discretisation == 0.0
    assert "0 %" in study.sentence
    assert "absolute" in grid_convergence(0.0, 0.1).sentence


def test_infinite_values_are_refused():
    with pytest.raises(ValueError, match="D_eff/D_0"):
        grid_convergence(1.7, math.inf)
    with pytest.raises(ValueError, match="voxel_fine"):
        grid_convergence(1.7, 1.6, voxel_coarse=1.5)


class Counter:
    """A quantity with a known error, second order (smooth) or first order (voxel)."""

    def __init__(self):
        self.calls = []

    def __call__(self, micro, interface):
        h = micro.voxel_size[0]
        self.calls.append((interface, h))
        return 0.3 + 0.01 * h**2 if interface == "smooth" else 0.3 - 0.02 * h


def test_study_runs_what_is_asked_for_and_nothing_else():
    micro = picture(np.indices((16, 16, 16)).sum(0) % 8 < 4)
    quantity = Counter()
    study = discretisation_study(micro, quantity, levels=3, phase="pore")
    assert sorted(quantity.calls) == [
        ("smooth", 1.0),
        ("smooth", 2.0),
        ("smooth", 4.0),
        ("voxel", 1.0),
        ("voxel", 2.0),
    ]
    assert study.observed_order == pytest.approx(2.0)
    assert study.richardson == pytest.approx(0.3)
    assert study.discretisation == pytest.approx(0.03)
    # The diagonal layers are four voxels thick along each grid line: all resolved.
    assert study.unresolved_interface == 0.0

    quantity = Counter()
    discretisation_study(micro, quantity, fine=0.31, staircase=False)
    assert quantity.calls == [("smooth", 2.0)]
    quantity = Counter()
    study = discretisation_study(micro, quantity, fine=0.31, voxel_fine=0.28)
    assert quantity.calls == [("smooth", 2.0), ("voxel", 2.0)]
    assert study.unresolved_interface is None


@pytest.mark.parametrize(("edge", "levels"), [(3, 2), (7, 3), (16, 4), (16, 1)])
def test_study_refuses_what_cannot_be_coarsened(edge, levels):
    with pytest.raises(ValueError, match=r"levels|too small"):
        discretisation_study(picture(np.zeros((edge,) * 3)), Counter(), levels)


@pytest.mark.parametrize(("period", "share"), [(1, 1.0), (2, 0.0), (3, 0.0)])
def test_layers_are_resolved_from_two_voxels_up(period, share):
    layers = (np.arange(12) // period % 2 == 1)[:, None, None] & np.ones((12, 12, 12), bool)
    assert unresolved_interface(picture(layers), "solid") == share


def test_a_thin_gap_counts_as_a_thin_wall_does():
    wall = np.zeros((12, 12, 12), bool)
    wall[:, 5] = True
    assert unresolved_interface(picture(wall), "solid") == 1.0
    assert unresolved_interface(picture(~wall), "solid") == 1.0
    assert unresolved_interface(picture(np.zeros((4, 4, 4))), "pore") == 0.0


def test_facets_weigh_by_their_area():
    # One bump on a flat wall: its four sides belong to chords of one voxel, top and wall do not.
    bump = np.zeros((8, 8, 8), bool)
    bump[:4] = True
    bump[4, 3, 3] = True
    assert unresolved_interface(picture(bump), "solid") == pytest.approx(4 / 68)
    # Voxels twice as tall double the area of the four sides.
    tall = picture(bump, (2.0, 1.0, 1.0))
    assert unresolved_interface(tall, "solid") == pytest.approx(8 / 72)


def test_uncorrelated_voxels():
    """Both neighbours along the line must differ from the facet's own voxel to be resolved."""
    p = 0.3
    solid = np.random.default_rng(0).random((64, 64, 64)) < p
    # 3e5 facets, correlated in pairs: standard error about 1e-3. Ends of lines: 2 of 63 facets
    # see one neighbour only, which lowers the share by about 2/63 * p (1 - p) / 2.
    assert unresolved_interface(picture(solid), "solid") == pytest.approx(1 - p * (1 - p), abs=0.01)


@pytest.mark.parametrize("radius", [5, 10])
def test_spheres_are_resolved(radius):
    """Grid lines that graze a sphere meet it in one voxel: on average 1 / (2 R^2) of its facets.

    A chord of length L holds exactly one voxel centre with probability L for L < 1 and 2 - L for
    1 < L < 2; integrated over the projected disc this is the area pi / 2 of pi R^2.
    """
    n = 2 * radius + 4
    centres = n / 2 + np.random.default_rng(0).uniform(-0.5, 0.5, (60, 3))
    z, y, x = np.ogrid[:n, :n, :n]
    shares = [
        unresolved_interface(
            picture((z - c) ** 2 + (y - b) ** 2 + (x - a) ** 2 <= radius**2), "solid"
        )
        for c, b, a in centres
    ]
    # 25 %: three standard errors of the mean over 60 positions.
    assert np.mean(shares) == pytest.approx(0.5 / radius**2, rel=0.25)


@given(st.integers(0, 2**27 - 1))
def test_phase_and_complement_share_their_interface(bits):
    solid = np.array([bits >> i & 1 for i in range(27)]).reshape(3, 3, 3)
    micro = picture(solid)
    share = unresolved_interface(micro, "solid")
    assert 0 <= share <= 1
    assert share == unresolved_interface(micro, "pore")
    assert share == pytest.approx(
        unresolved_interface(picture(solid.transpose(2, 0, 1)), "solid"), abs=1e-12
    )
