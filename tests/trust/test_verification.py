"""Cases and rows: every way a comparison can end."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microtwin.trust import Case, run_case, run_cases


def case(reference, compute, limit=0.01, relative=True):
    return Case("a problem", "a number", reference, compute, limit, "exact", relative)


def fail_loudly() -> float:
    raise RuntimeError("the solver\n did not converge")


@pytest.mark.parametrize(
    ("reference", "ours", "relative", "error", "verdict"),
    [
        (2.0, 2.01, True, 0.005, "pass"),
        (2.0, 2.01, False, 0.01, "pass"),
        (2.0, 1.9, True, 0.05, "fail"),
        (-2.0, -2.01, True, 0.005, "pass"),
        (math.inf, math.inf, True, 0.0, "pass"),
        (math.inf, 3.0, True, math.inf, "fail"),
        (3.0, math.inf, True, math.inf, "fail"),
        (math.inf, -math.inf, True, math.inf, "fail"),
        (0.0, 0.005, False, 0.005, "pass"),
    ],
)
def test_error_and_verdict(reference, ours, relative, error, verdict):
    row = run_case(case(reference, lambda: ours, relative=relative))
    assert row.error == pytest.approx(error, rel=1e-9)
    assert row.verdict == verdict
    assert row.passed == (verdict == "pass")
    assert (row.reference, row.ours, row.source) == (reference, ours, "exact")
    assert row.message == ""


def test_reference_may_be_computed():
    assert run_case(case(lambda: 4.0, lambda: 4.0)).reference == 4.0


def test_exception_becomes_a_failed_row_with_its_sentence():
    row = run_case(case(1.0, fail_loudly))
    assert row.verdict == "fail"
    assert math.isnan(row.ours)
    assert row.message == ("The computation failed: RuntimeError: the solver did not converge")


def test_reference_that_cannot_be_computed_fails():
    row = run_case(case(fail_loudly, lambda: 1.0))
    assert row.verdict == "fail"
    assert row.message.startswith("The reference could not be computed: RuntimeError")


def test_an_infinite_limit_does_not_pass_what_has_no_number():
    assert run_case(case(1.0, lambda: math.nan, limit=math.inf)).verdict == "fail"
    assert run_case(case(1.0, fail_loudly, limit=math.inf)).verdict == "fail"


def test_relative_error_of_zero_is_refused_in_words():
    row = run_case(case(0.0, lambda: 0.0))
    assert row.verdict == "fail"
    assert "absolute limit" in row.message


@pytest.mark.parametrize("limit", [-0.1, math.nan])
def test_limit_must_be_a_size(limit):
    with pytest.raises(ValueError, match="zero or more"):
        case(1.0, lambda: 1.0, limit=limit)


def test_rows_keep_the_order_and_are_reported_as_they_come():
    seen = []
    cases = [case(1.0, lambda: 1.0), case(1.0, fail_loudly), case(2.0, lambda: 2.0)]
    rows = run_cases(cases, on_row=seen.append)
    assert [row.verdict for row in rows] == ["pass", "fail", "pass"]
    assert seen == rows


def test_interruption_is_not_swallowed():
    def interrupted() -> float:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_case(case(1.0, interrupted))


@given(
    reference=st.floats(-1e6, 1e6).filter(lambda x: abs(x) > 1e-6),
    ours=st.floats(-1e6, 1e6),
    limit=st.floats(0, 10),
    factor=st.floats(1e-3, 1e3),
)
def test_relative_error_does_not_depend_on_the_unit(reference, ours, limit, factor):
    row = run_case(case(reference, lambda: ours, limit))
    scaled = run_case(case(factor * reference, lambda: factor * ours, limit))
    # 1e-9: a few roundings of doubles, amplified where ours and reference nearly cancel.
    assert scaled.error == pytest.approx(row.error, rel=1e-9, abs=1e-9)
    assert row.passed == (row.error <= limit)
