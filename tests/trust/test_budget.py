"""Error budgets, their sums, and how numbers are written."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from microtwin.trust import (
    ErrorBudget,
    combine,
    format_with_uncertainty,
    relative,
    tortuosity_uncertainty,
)

sizes = st.floats(0, 1e6)


def test_terms_add_in_quadrature_and_unknown_is_not_zero():
    budget = ErrorBudget(discretisation=3.0, sampling=4.0)
    assert budget.total == 5.0
    assert budget.segmentation is None
    assert budget.dominant == "sampling"
    assert ErrorBudget().total is None
    assert ErrorBudget().dominant is None
    assert ErrorBudget(material=0.0).total == 0.0


def test_budget_of_a_scaled_value():
    budget = ErrorBudget(3.0, 4.0)
    assert budget.scaled(-2).total == 10.0
    assert budget.scaled(2).material is None
    assert budget.relative(50.0) == ErrorBudget(0.06, 0.08)


@pytest.mark.parametrize("term", [-1.0, math.nan])
def test_terms_must_be_sizes(term):
    with pytest.raises(ValueError, match="sampling"):
        ErrorBudget(sampling=term)
    with pytest.raises(ValueError, match="zero or more"):
        combine(1.0, term)


@given(st.lists(st.one_of(st.none(), sizes), max_size=5))
def test_a_sum_is_between_its_largest_term_and_the_plain_sum(terms):
    known = [t for t in terms if t is not None]
    total = combine(*terms)
    if not known:
        assert total is None
    else:
        assert max(known) * (1 - 1e-12) <= total <= sum(known) * (1 + 1e-12)


def test_relative_of_zero():
    assert relative(0.1, 0.0) == math.inf
    assert relative(0.0, 0.0) == 0.0
    assert relative(None, 1.0) is None
    assert relative(0.1, -2.0) == 0.05


@pytest.mark.parametrize(
    ("value", "uncertainty", "text"),
    [
        (0.1401, 0.0014, "0.1401 ± 0.0014"),
        (0.14, 0.0014, "0.1400 ± 0.0014"),
        (12.3, 1.5, "12.3 ± 1.5"),
        (1234.4, 23.4, "1234 ± 23"),
        (123456.0, 2345.0, "(1.235 ± 0.023)e+05"),
        (2.5312e-15, 4e-17, "(2.531 ± 0.040)e-15"),
        (0.0, 0.02, "0.000 ± 0.020"),
        (-3.14159, 0.0996, "-3.14 ± 0.10"),
        (0.1, 0.52, "0.10 ± 0.52"),
        (0.14012, None, "0.1401"),
        (0.14012, 0.0, "0.1401"),
        (math.inf, 0.1, "inf"),
        (2.0, math.inf, "2 ± inf"),
    ],
)
def test_digits(value, uncertainty, text):
    assert format_with_uncertainty(value, uncertainty) == text


def test_unit_is_written_behind():
    assert format_with_uncertainty(0.1401, 0.0014, "S/m") == "0.1401 ± 0.0014 S/m"


@given(
    value=st.floats(-1e12, 1e12).filter(lambda v: v == 0 or abs(v) > 1e-12),
    share=st.floats(1e-5, 10),
)
def test_the_text_reads_back_within_the_digits_kept(value, share):
    uncertainty = share * abs(value) if value else share
    text = format_with_uncertainty(value, uncertainty)
    power = 1.0
    if text.startswith("("):
        text, exponent = text[1:].split(")e")
        power = 10.0 ** int(exponent)
    shown, spread = (power * float(part) for part in text.split(" ± "))
    # Two digits of the uncertainty: half a unit of the second digit is at most 5 % of it.
    assert spread == pytest.approx(uncertainty, rel=0.0501)
    assert abs(shown - value) <= 0.0501 * uncertainty + 1e-9 * abs(value)


def test_delta_method_against_simulation():
    """tau = eps / D of correlated normal deviates, 1e6 draws."""
    eps, diffusivity, u_eps, u_diffusivity, rho = 0.4, 0.14, 0.004, 0.003, 0.8
    covariance = rho * u_eps * u_diffusivity
    draws = np.random.default_rng(1).multivariate_normal(
        [eps, diffusivity], [[u_eps**2, covariance], [covariance, u_diffusivity**2]], 1_000_000
    )
    simulated = (draws[:, 0] / draws[:, 1]).std()
    predicted = tortuosity_uncertainty(eps, diffusivity, u_diffusivity, u_eps, rho)
    # 1 %: second-order terms of relative size (u/D)^2 = 5e-4, sampling error 1 / sqrt(2e6).
    assert predicted == pytest.approx(simulated, rel=0.01)


def test_delta_method_limits():
    assert tortuosity_uncertainty(0.4, 0.0, 0.01) == math.inf
    assert tortuosity_uncertainty(0.4, 0.2, 0.01) == pytest.approx(2 * 0.05)
    # Proportional deviations leave the ratio alone.
    assert tortuosity_uncertainty(0.4, 0.2, 0.01, 0.02, 1.0) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [((0.0, 0.1, 0.01), "fraction"), ((0.4, 0.1, -0.01), "uncertainty"),
     ((0.4, 0.1, 0.01, 0.01, 1.1), "correlation")],
)  # fmt: skip
def test_delta_method_refuses_what_makes_no_sense(arguments, word):
    with pytest.raises(ValueError, match=word):
        tortuosity_uncertainty(*arguments)
