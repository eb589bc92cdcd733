"""Digits: a value carries as many as its uncertainty justifies."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microtwin.study.report import digits

NBSP = "\u00a0"


def plain(text: str) -> str:
    return text.replace(NBSP, " ")


@pytest.mark.parametrize(
    ("value", "uncertainty", "expected"),
    [
        (2.2599, 0.0677, "2.260 ± 0.068"),
        (0.17701, 0.0053, "0.1770 ± 0.0053"),
        (2.0, 0.0999, "2.00 ± 0.10"),
        (1234.5, 56.0, "1234 ± 56"),
        (12345.0, 678.0, "12340 ± 680"),
        (1.2345e-13, 2e-15, "(1.234 ± 0.020) × 10⁻¹³"),
        (-0.5, 0.012, "\u22120.500 ± 0.012"),
        (2.2599, None, "2.260"),
        (2.2599, 0.0, "2.260"),
        (math.inf, 0.1, "∞"),
        (None, 0.1, "–"),
    ],
)
def test_value_and_uncertainty_end_at_the_same_decimal(value, uncertainty, expected):
    assert plain(digits.value_with_uncertainty(value, uncertainty)) == expected


@pytest.mark.parametrize(
    ("value", "significant", "expected"),
    [(9.6e-16, 1, "1 × 10⁻¹⁵"), (-9.6e-16, 2, "\u22129.6 × 10⁻¹⁶"), (9645.0, 3, "9645")],
)
def test_rounding_that_carries(value, significant, expected):
    assert plain(digits.number(value, significant)) == expected


def test_a_unit_follows_brackets():
    shown = digits.value_with_uncertainty(312345.0, 2100.0, "m^-1")
    assert plain(shown) == "(3.123 ± 0.021) × 10⁵ m⁻¹"


@given(
    st.floats(1e-12, 1e12),
    st.floats(1e-6, 0.9),
)
def test_shown_value_differs_by_less_than_the_last_digit_of_its_uncertainty(value, relative):
    v, u, _ = digits.value_and_uncertainty(value, value * relative)
    # The power of ten cancels in the ratio; two digits of u are exact to 5 %.
    assert float(u) / float(v) == pytest.approx(relative, rel=0.06, abs=0.06 * relative)
    decimals = [len(part.partition(".")[2]) for part in (v, u)]
    assert decimals[0] == decimals[1]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.12345, "0.1235"),
        (3.2e-7, "3.200 × 10⁻⁷"),
        (0.0, "0"),
        (math.nan, "–"),
        (-math.inf, "\u2212∞"),
        (True, "yes"),
        (12345678, "12\u202f345\u202f678"),
        ("text", "text"),
    ],
)
def test_number(value, expected):
    assert plain(digits.number(value)) == expected


@pytest.mark.parametrize(
    ("term", "value", "expected"),
    [
        (4e-4, 0.4, "0.00040"),
        (2100.0, 312345.0, "0.021 × 10⁵"),
        (0.0, 1.0, "0"),
        (0.05, None, "0.050"),
    ],
)
def test_part_of_an_uncertainty_has_the_power_of_its_value(term, value, expected):
    assert plain(digits.uncertainty_term(term, value)) == expected


def test_small_companion_is_rounded_like_the_largest_and_loses_its_sign():
    assert digits.rounded_like(-1e-9, 0.3) == "0.0000"
    assert digits.rounded_like(0.12345, 0.3) == "0.1235"


@pytest.mark.parametrize(
    ("metres", "expected"),
    [(398e-9, "398 nm"), (4e-5, "40 µm"), (2e-3, "2 mm"), (1e-6, "1 µm"), (5e-11, "0.05 nm")],
)
def test_length(metres, expected):
    assert plain(digits.length(metres)) == expected


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ("m^-1", "m⁻¹"),
        ("m^2/s", "m²/s"),
        ("1/m", "m⁻¹"),
        ("1/m^2", "m⁻²"),
        ("1", ""),
        (None, ""),
        ("S*m**-1", "S·m⁻¹"),
    ],
)
def test_unit(unit, expected):
    assert digits.unit_html(unit) == expected


def test_durations_and_sizes():
    assert plain(digits.seconds(0.4213)) == "0.42 s"
    assert plain(digits.seconds(250.2)) == "4 min 10 s"
    assert plain(digits.seconds(7322)) == "2 h 2 min"
    assert plain(digits.memory(133 * 2**20)) == "133 MiB"
    assert plain(digits.memory(2.5 * 2**30)) == "2.5 GiB"
    assert plain(digits.percent(0.4125)) == "41.2 %"


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (2.5e-6, "m", (1e-6, "µm")),
        (-3.6e8, "Pa", (1e6, "MPa")),
        (2.24e10, "Pa", (1e9, "GPa")),
        (12.0, "Pa", (1.0, "Pa")),
        (3.9e6, "J/m^3", (1e6, "MJ/m^3")),
        (0.0, "Pa", (1.0, "Pa")),
        (3.9e6, "1/m", (1.0, "1/m")),
    ],
)
def test_units_that_read_well(value, unit, expected):
    assert digits.readable_unit(value, unit) == expected
