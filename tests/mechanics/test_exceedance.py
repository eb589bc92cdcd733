from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.integrate import quad

from microtwin.mechanics import (
    LognormalStrength,
    WeibullStrength,
    exceedance_curve,
    exceedance_probability,
    weakest_link_probability,
)

VALUES = np.random.default_rng(0).gamma(2.0, 0.4, 500)


def test_numbers_alone_count_the_volume():
    index, weights = [0.5, 1.5, 2.0, -3.0], [1.0, 0.5, 0.25, 0.25]
    assert exceedance_probability(index, weights).share == pytest.approx(0.75 / 2.0)
    found = exceedance_probability(index, np.array(weights) > 0.3)
    assert (found.low, found.share, found.high) == (0.5, 0.5, 0.5)


def test_scattered_strengths_are_those_of_their_distributions():
    values = np.array([0.6, 0.9, 1.0, 1.4])
    spread = np.sqrt(np.log1p(0.2**2))
    expected = stats.lognorm(spread).cdf(values).mean()
    found = exceedance_probability(values, strength=LognormalStrength(0.2)).share
    assert found == pytest.approx(expected)
    expected = stats.weibull_min(8.0).cdf(values).mean()
    found = exceedance_probability(values, strength=WeibullStrength(8.0)).share
    assert found == pytest.approx(expected)


@settings(max_examples=20, deadline=None)
@given(st.floats(0.3, 2.0), st.floats(2.0, 25.0), st.floats(0.01, 0.5))
def test_an_error_of_the_field_is_integrated_over(index, modulus, error):
    spread = float(np.sqrt(np.log1p(error**2)))

    def failing(z):
        power = min(modulus * (np.log(index) + spread * z), 50.0)
        return stats.norm.pdf(z) * -np.expm1(-np.exp(power))

    expected, _ = quad(failing, -8.0, 8.0, limit=300)
    found = exceedance_probability([index], strength=WeibullStrength(modulus), field_error=error)
    assert found.share == pytest.approx(expected, abs=1e-6)
    # For lognormal strengths both variances add.
    both = np.sqrt(np.log1p(0.15**2) + spread**2)
    found = exceedance_probability([index], strength=LognormalStrength(0.15), field_error=error)
    assert found.share == pytest.approx(stats.norm.cdf(np.log(index) / both), abs=1e-12)


def test_a_sample_agrees():
    """Draw strengths and errors of the field instead of integrating over them."""
    rng = np.random.default_rng(4)
    draws = 4000
    field = np.exp(np.sqrt(np.log1p(0.1**2)) * rng.normal(size=(draws, 1)))
    strength = rng.weibull(6.0, (draws, len(VALUES)))
    expected = (VALUES * field > strength).mean()
    found = exceedance_probability(VALUES, strength=WeibullStrength(6.0), field_error=0.1)
    # The field is wrong everywhere alike: about 1 % of the share over the draws.
    assert found.share == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("strength", [None, LognormalStrength(0.3), WeibullStrength(5.0)])
@given(st.floats(0.1, 3.0), st.floats(0.0, 0.9))
def test_more_stress_fails_more(strength, factor, error):
    less = exceedance_probability(factor * VALUES, strength=strength, field_error=error)
    more = exceedance_probability(1.1 * factor * VALUES, strength=strength, field_error=error)
    assert 0.0 <= less.share <= more.share <= 1.0
    assert less.low <= less.high
    one = exceedance_probability(factor * VALUES, strength=strength)
    assert one.low == one.share == one.high


def test_hardly_any_scatter_is_none():
    sure = exceedance_probability(VALUES).share
    for strength in (LognormalStrength(1e-6), WeibullStrength(1e6)):
        assert exceedance_probability(VALUES, strength=strength).share == pytest.approx(sure)


def test_curves_are_shares_above_limits():
    limits = np.linspace(0.0, 3.0, 31)
    found = exceedance_curve(VALUES, limits)
    np.testing.assert_allclose(found, [(limit < VALUES).mean() for limit in limits])
    weights = np.random.default_rng(1).random(len(VALUES))
    np.testing.assert_allclose(
        exceedance_curve(VALUES, limits, weights),
        [weights[limit < VALUES].sum() / weights.sum() for limit in limits],
        atol=1e-12,
    )


@given(st.floats(2.0, 20.0), st.floats(1.1, 100.0))
def test_larger_bodies_are_weaker(modulus, ratio):
    """A body of ratio times the volume bears (1 / ratio)^(1 / m) of the stress."""
    one = weakest_link_probability([0.8], 1e-18, modulus=modulus, reference_volume=1e-18)
    assert one == pytest.approx(-np.expm1(-(0.8**modulus)))
    less = 0.8 * ratio ** (-1.0 / modulus)
    large = weakest_link_probability([less], ratio * 1e-18, modulus=modulus, reference_volume=1e-18)
    assert large == pytest.approx(one)


def test_a_chain_survives_if_all_links_do():
    values = np.array([0.5, 0.9, 1.2, -2.0])
    volumes = np.array([1.0, 2.0, 0.5, 3.0]) * 1e-18
    links = [
        weakest_link_probability([v], vol, modulus=7.0, reference_volume=1e-18)
        for v, vol in zip(values, volumes, strict=True)
    ]
    whole = weakest_link_probability(values, volumes, modulus=7.0, reference_volume=1e-18)
    assert links[3] == 0.0
    assert whole == pytest.approx(1.0 - np.prod(1.0 - np.array(links)))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: LognormalStrength(0.0), "variation 0.0 is not allowed"),
        (lambda: WeibullStrength(-1.0), "modulus -1.0 is not allowed"),
        (lambda: exceedance_probability([1.0], field_error=1.0), "field_error 1.0"),
        (lambda: exceedance_probability([1.0], [0.0]), "no voxel counts"),
        (lambda: exceedance_probability([1.0, 2.0], [1.0]), "do not fit values"),
        (lambda: exceedance_probability([np.nan]), "some indices that count are NaN"),
        (
            lambda: weakest_link_probability([1.0], 1.0, modulus=0, reference_volume=1.0),
            "modulus 0 is not allowed",
        ),
        (
            lambda: weakest_link_probability([1.0], [-1.0], modulus=2, reference_volume=1.0),
            "none negative",
        ),
    ],
)
def test_what_does_not_fit_is_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()
