from __future__ import annotations

import pytest

from microtwin.descriptors.verification import CASES
from microtwin.trust.verification import run_case


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.name}: {case.quantity}")
def test_case_passes(case):
    row = run_case(case)
    assert row.passed, f"{row.ours} for {row.reference}: error {row.error}, limit {row.limit}"
