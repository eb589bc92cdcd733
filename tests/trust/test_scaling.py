"""The variance law on standard deviations that are given."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from microtwin.trust import fit_variance_law

VOLUMES, COUNTS = [1 / 8, 1 / 27, 1 / 64], [8, 27, 64]


@given(k=st.floats(1e-6, 1e3), exponent=st.floats(0.5, 1.5), unit=st.floats(1e-18, 1e3))
def test_an_exact_law_is_found(k, exponent, unit):
    """Var = k V^-exponent, with the small-sample bias of a log variance put in by hand."""
    stds = [math.sqrt(k * v**-exponent) for v in VOLUMES]
    law = fit_variance_law([unit * v for v in VOLUMES], COUNTS, stds, unit, exponent=exponent)
    assert law.std == pytest.approx(math.sqrt(k))
    assert law.fitted_std == pytest.approx(stds)
    assert law.volume_for(law.std) == pytest.approx(unit)
    assert law.volume_for(law.std / 2) == pytest.approx(unit * 4 ** (1 / exponent))
    # 1 / n is added to each log variance, which tilts the line of an exact law by under 0.1.
    assert law.observed_exponent == pytest.approx(exponent, abs=0.1)
    assert law.short_range


def test_finite_size_factors_are_divided_out():
    factors = [0.9, 0.8, 0.7]
    stds = [math.sqrt(f / v) for f, v in zip(factors, VOLUMES, strict=True)]
    law = fit_variance_law(VOLUMES, COUNTS, stds, 1.0, factors)
    assert law.std == pytest.approx(1.0)
    assert law.fitted_std == pytest.approx(stds)


def test_exponent_and_interval_have_honest_confidence():
    """Sub-volumes without correlation, many times: coverage of the interval and of the exponent."""
    rng = np.random.default_rng(0)
    covered, errors = [], []
    for _ in range(400):
        stds = [rng.normal(0, v**-0.5, n).std(ddof=1) for v, n in zip(VOLUMES, COUNTS, strict=True)]
        law = fit_variance_law(VOLUMES, COUNTS, stds, 1.0)
        covered.append(law.interval[0] < 1 < law.interval[1])
        errors.append((law.observed_exponent - 1) / law.exponent_uncertainty)
    # 90 % claimed; the sizes are independent here and all used, so it is a little more.
    assert 0.88 < np.mean(covered) < 0.99
    # Standard scores: mean 0 and deviation 1, with standard errors 0.05 and 0.035.
    assert np.mean(errors) == pytest.approx(0, abs=0.15)
    assert np.std(errors) == pytest.approx(1, abs=0.11)


def test_a_gradient_is_noticed():
    assert not fit_variance_law(VOLUMES, COUNTS, [1.0, 1.0, 1.0], 1.0).short_range
    fitted = fit_variance_law(VOLUMES, COUNTS, [1.0, 1.2, 1.4], 1.0, exponent=None)
    assert fitted.exponent == fitted.observed_exponent
    # ln(1.4^2) / ln 8 for the outer sizes.
    assert fitted.exponent == pytest.approx(0.33, abs=0.08)


def test_one_size_gives_no_exponent():
    law = fit_variance_law([0.125], [8], [2.0], 1.0)
    assert law.observed_exponent is None
    assert law.std == pytest.approx(2 * math.sqrt(0.125))
    assert law.short_range
    # Chi-squared with 7 degrees of freedom: sqrt(7 / 14.067) and sqrt(7 / 2.167).
    assert np.array(law.interval) / law.std == pytest.approx([0.7054, 1.7972], rel=1e-3)
    with pytest.raises(ValueError, match="cannot be fitted"):
        fit_variance_law([0.125], [8], [2.0], 1.0, exponent=None)


def test_no_scatter_is_no_uncertainty():
    law = fit_variance_law(VOLUMES, COUNTS, [0.0, 0.0, 0.0], 1.0)
    assert law.std == 0.0
    assert law.volume_for(0.1) == 0.0


def test_bad_input():
    with pytest.raises(ValueError, match="2 sub-volumes"):
        fit_variance_law([0.5], [1], [0.0], 1.0)
    with pytest.raises(ValueError, match="above 0"):
        fit_variance_law([0.5], [2], [0.1], 1.0, exponent=0.0)
    with pytest.raises(ValueError, match="not reached"):
        fit_variance_law([0.5], [2], [0.1], 1.0).volume_for(0.0)
