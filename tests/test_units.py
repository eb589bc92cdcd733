from __future__ import annotations

import pytest

from microtwin.units import metres, quantity


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


@pytest.mark.parametrize(
    ("given", "unit", "expected"),
    [
        ("12 mg/cm2", "kg/m2", 0.12),
        ("12 mg/cm^2", "kg/m^2", 0.12),
        ("12 mg cm-2", "kg/m**2", 0.12),
        ("25 mmHg/s", "mmHg/s", 25.0),
        ("6 cm/min", "m/s", 1e-3),
        ("13 1/min", "1/s", 13 / 60),
        ("8 mg/L", "kg/m3", 8e-3),
        ("1.2e1 mg/cm²", "kg/m2", 0.12),
        ("4.7 g/cm3", "kg/m3", 4700.0),
        ("4.7 g/cc", "kg/m3", 4700.0),
        ("4.7e-3 kg cm-3", "kg/m3", 4700.0),
        ("75 um", "m", 75e-6),
        ("1e-3 mm", "m", 1e-6),
        ("38 %", "", 0.38),
        ("0.38", "", 0.38),
        (0.12, "kg/m2", 0.12),
        (3, "", 3.0),
    ],
)
def test_quantities_come_in_the_unit_asked_for(given, unit, expected):
    # Fifteen digits are kept: exact to rounding.
    assert quantity(given, unit) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("4.7", "has no unit"),
        ("4.7 g/cm2", "has a unit that is no density"),
        ("4.7 heaps", "cannot be understood"),
        ("nan g/cm3", "is not a finite number"),
        (float("inf"), "is not a finite number"),
        (None, "is not a number"),
    ],
)
def test_what_is_no_quantity_of_its_kind_is_refused(given, reason):
    with pytest.raises(ValueError, match="give a number in kg/m3, or text with a unit") as caught:
        quantity(given, "kg/m3", "density")
    assert f"density {given!r} {reason}" in str(caught.value)


def test_a_share_in_metres_is_refused():
    with pytest.raises(ValueError, match="give a number, or text in percent, '38 %'"):
        quantity("3 m", "")
