from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from microtwin.electrochemistry import (
    FARADAY,
    GAS_CONSTANT,
    butler_volmer,
    butler_volmer_slope,
    intercalation_exchange_current,
    random_exchange_current,
    reaction_overpotential,
    reaction_through_film,
)
from microtwin.electrochemistry.verification import ball
from microtwin.microstructure import Microstructure

F_RT = FARADAY / (GAS_CONSTANT * 298.15)

coefficients = st.tuples(st.floats(0.2, 1.0), st.floats(0.2, 1.0)) | st.just((0.5, 0.5))
overpotentials = st.floats(-0.4, 0.4)


def test_small_overpotentials_follow_the_charge_transfer_resistance():
    eta = 1e-7
    assert butler_volmer(eta, 3.0) == pytest.approx(3.0 * F_RT * eta, rel=1e-10)
    assert butler_volmer(eta, 3.0, transfer_coefficients=(0.3, 0.7)) == pytest.approx(
        3.0 * F_RT * eta, rel=1e-5
    )


def test_large_overpotentials_follow_tafel():
    eta = 0.5
    assert butler_volmer(eta, 1.0) == pytest.approx(np.exp(0.5 * F_RT * eta), rel=1e-8)
    assert butler_volmer(-eta, 1.0, 330.0, (0.3, 0.7)) == pytest.approx(
        -np.exp(0.7 * FARADAY / (GAS_CONSTANT * 330.0) * eta), rel=1e-7
    )


@given(overpotentials, st.floats(1e-6, 1e3), coefficients)
def test_the_overpotential_is_the_inverse(eta, j0, transfer):
    current = butler_volmer(eta, j0, 310.0, transfer)
    back = reaction_overpotential(current, j0, 310.0, transfer)
    assert back == pytest.approx(eta, rel=1e-9, abs=1e-12)


@given(overpotentials, st.floats(1e-6, 1e3), coefficients)
def test_the_slope_is_the_derivative(eta, j0, transfer):
    step = 1e-5
    ends = butler_volmer(np.array([eta - step, eta + step]), j0, 310.0, transfer)
    slope = butler_volmer_slope(eta, j0, 310.0, transfer)
    assert slope == pytest.approx((ends[1] - ends[0]) / (2 * step), rel=1e-6)


@given(
    st.lists(
        st.tuples(overpotentials, st.floats(1e-6, 1e3), st.just(0.0) | st.floats(1e-9, 1e9)),
        min_size=1,
    ),
    coefficients,
)
def test_film_and_reaction_share_the_overpotential(rows, transfer):
    eta, j0, r = np.array(rows).T
    current = reaction_through_film(eta, j0, r, 310.0, transfer)
    shares = reaction_overpotential(current, j0, 310.0, transfer) + r * current
    np.testing.assert_allclose(shares, eta, rtol=1e-7, atol=1e-9)


def test_limits_of_a_film():
    assert reaction_through_film(0.1, 1.0, 0.0) == butler_volmer(0.1, 1.0)
    # Through a thick film the reaction costs nothing.
    assert reaction_through_film(0.1, 1.0, 1e4) == pytest.approx(0.1 / 1e4, rel=1e-3)
    assert reaction_through_film(-0.1, 1e6, 1e9) == pytest.approx(-0.1 / 1e9, rel=1e-9)
    # In series with the charge transfer resistance if all is small.
    eta, j0, r = 1e-6, 2.0, 0.01
    series = eta / (1.0 / (j0 * F_RT) + r)
    assert reaction_through_film(eta, j0, r) == pytest.approx(series, rel=1e-8)
    assert np.array_equal(reaction_through_film([0.0, 0.1], [1.0, 0.0], 0.1), [0.0, 0.0])


def test_shapes_are_broadcast():
    found = reaction_through_film(np.array([[0.1], [0.2]]), np.array([1.0, 2.0, 3.0]), 0.1)
    assert found.shape == (2, 3)
    assert found[1, 2] == pytest.approx(float(reaction_through_film(0.2, 3.0, 0.1)), rel=1e-12)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: butler_volmer(60.0, 1.0), "overpotential of 60 V has no finite current"),
        (lambda: butler_volmer([0.01, np.nan], 1.0), "an overpotential is no finite number"),
        (lambda: butler_volmer_slope(60.0, 1.0), "overpotential of 60 V has no finite current"),
        (lambda: butler_volmer_slope(np.nan, 1.0), "an overpotential is no finite number"),
        (lambda: reaction_overpotential(np.nan, 1.0), "a current density is no finite number"),
        (
            lambda: reaction_overpotential(np.inf, 1.0, 300.0, (0.3, 0.7)),
            "a current density is no finite number",
        ),
        (
            lambda: reaction_through_film([0.1, 60.0], 1.0, [1.0, 0.0]),
            "overpotential of 60 V has no finite current",
        ),
        (lambda: reaction_through_film(0.1, 1e308, 1e308), "no finite number"),
        (lambda: butler_volmer(0.1, -1.0), "negative or no number; give numbers of 0 or more"),
        (lambda: butler_volmer(0.1, 1.0, 0.0), "temperature 0.0 is not allowed"),
        (lambda: butler_volmer(0.1, 1.0, 300.0, (0.5, 0.0)), "transfer coefficients"),
        (lambda: reaction_overpotential(1.0, 0.0), "exchange current density is 0"),
        (lambda: reaction_through_film(0.1, 1.0, -1.0), "film resistance is negative"),
    ],
)
def test_what_is_not_allowed(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_intercalation():
    at = intercalation_exchange_current
    assert at(500.0, 1000.0, 1000.0, 2.5) == pytest.approx(2.5)
    assert at(500.0, 4000.0, 1000.0, 2.5) == pytest.approx(5.0)
    # Nothing to take out, and nowhere to put it.
    assert np.array_equal(at([0.0, 1000.0], 1000.0, 1000.0, 2.5), [0.0, 0.0])
    assert at(800.0, 1000.0, 1000.0, 1.0, cathodic=0.3) == pytest.approx(2.0 * 0.8**0.3 * 0.2**0.7)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"solid": 1001.0}, "not between 0 and 1000"),
        ({"electrolyte": -1.0}, "electrolyte is negative or no number"),
        ({"electrolyte": np.inf}, "electrolyte is negative or no number"),
        ({"most": 0.0}, "most 0.0 is not allowed"),
        ({"cathodic": 1.0}, "cathodic 1.0 is not allowed"),
    ],
)
def test_concentrations_that_are_not_allowed(changes, words):
    usual = {"solid": 500.0, "electrolyte": 1000.0, "most": 1000.0, "reference": 1.0}
    with pytest.raises(ValueError, match=words):
        intercalation_exchange_current(**{**usual, **changes})


def test_a_random_field_has_the_moments_and_the_correlation_asked_for():
    edge = 4e-7
    micro = Microstructure(np.zeros((64, 64, 64), np.uint8), edge, {"pore": 0})
    length = 4 * edge
    fields = np.stack([random_exchange_current(micro, 2.0, 1.0, length, s) for s in range(6)])
    assert fields.min() > 0.0
    assert fields.mean() == pytest.approx(2.0, rel=0.02)
    assert fields.std() == pytest.approx(1.0, rel=0.05)
    variance = np.log1p(0.25)
    g = (np.log(fields / 2.0) + 0.5 * variance) / np.sqrt(variance)
    for distance in (2, 4):
        correlation = (g[:, distance:] * g[:, :-distance]).mean()
        assert correlation == pytest.approx(np.exp(-((distance / 4) ** 2)), abs=0.03)
    again = random_exchange_current(micro, 2.0, 1.0, length, 0)
    assert np.array_equal(again, fields[0])
    assert np.ptp(random_exchange_current(micro, 2.0, 0.0, length)) == 0.0


def test_a_random_field_is_the_same_along_all_edges_of_a_voxel():
    micro = Microstructure(np.zeros((40, 80, 80), np.uint8), (8e-7, 4e-7, 4e-7), {"pore": 0})
    fields = np.stack([random_exchange_current(micro, 1.0, 0.5, 1.6e-6, s) for s in range(6)])
    variance = np.log1p(0.25)
    g = (np.log(fields) + 0.5 * variance) / np.sqrt(variance)
    along = [(g[:, 2:] * g[:, :-2]).mean(), (g[:, :, 4:] * g[:, :, :-4]).mean()]
    assert along == pytest.approx([np.exp(-1)] * 2, abs=0.03)
    # Opposite faces have nothing in common.
    assert (g[:, 0] * g[:, -1]).mean() == pytest.approx(0.0, abs=0.1)


def test_a_field_needs_an_image():
    with pytest.raises(ValueError, match="a ndarray has no voxels"):
        random_exchange_current(np.zeros((4, 4, 4)), 1.0, 0.5, 1e-6)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((0.0, 1.0, 1e-6), "mean 0.0 is not allowed"),
        ((1.0, -1.0, 1e-6), "deviation -1.0 is not allowed"),
        (("1", 1.0, 1e-6), "mean '1' is not allowed"),
        ((1.0, 1.0, 1e-6, -1), "seed -1 is not allowed"),
        ((1.0, 1.0, 4e-7), r"from 6e-07 \(1.5 voxels\) to 1.92e-05"),
        ((1.0, 1.0, 1.0), "4 times the longest edge of the image"),
        ((1.0, 1e200, 1e-6), "0 to 100 times the mean"),
    ],
)
def test_fields_that_are_not_allowed(arguments, words):
    with pytest.raises(ValueError, match=words):
        random_exchange_current(ball(3), *arguments)
