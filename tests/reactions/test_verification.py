"""The cases of `microtwin verify` for this room."""

from __future__ import annotations

import pytest

from microtwin.reactions.verification import CASES
from microtwin.trust.verification import run_case


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.name}: {case.quantity}")
def test_known_cases(case):
    row = run_case(case)
    assert row.passed, f"{row.ours} instead of {row.reference}: {row.message}"
