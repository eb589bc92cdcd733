from __future__ import annotations

import pytest

from microtwin.units import metres


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("398 nm", 398e-9),
        ("0.4 um", 0.4e-6),
        ("0.4 \u00b5m", 0.4e-6),
        ("1.2e-3 mm", 1.2e-6),
        ("2 micron", 2e-6),
        ("4000 angstrom", 0.4e-6),
        (0.4e-6, 0.4e-6),
        (2, 2.0),
    ],
)
def test_lengths_become_metres(given, expected):
    # Fifteen digits are kept: exact to rounding.
    assert metres(given) == pytest.approx(expected, rel=1e-14)


def test_a_sequence_keeps_its_order():
    assert metres(["1 um", 2e-6, "3000 nm"]) == (1e-6, 2e-6, 3e-6)


@pytest.mark.parametrize(
    "given", ["5", "3 kg", "5 s", "", "1 +", "nan nm", "inf m", "twelve", "1 nmm"]
)
def test_text_that_is_no_length_is_refused(given):
    with pytest.raises(ValueError, match="give metres") as caught:
        metres(given)
    assert repr(given) in str(caught.value)


@pytest.mark.parametrize("given", [None, float("nan"), float("inf"), ["1 um", None]])
def test_other_values_that_are_no_length_are_refused(given):
    with pytest.raises(ValueError, match="give metres"):
        metres(given)
