"""Verification: known answers beside ours, with a verdict.

A `Case` names a quantity, where its reference value comes from, a function that computes our
value, and the error that is still accepted. Each room lists its own cases in a tuple ``CASES``;
`run_cases` turns them into `VerificationRow` records that hold plain numbers and no formatting,
so that a terminal, a report and a test can all read the same rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["pass", "fail"]

__all__ = ["Case", "Verdict", "VerificationRow", "run_case", "run_cases"]


@dataclass(frozen=True)
class Case:
    """One comparison of a computed value with a reference.

    Parameters
    ----------
    name : str
        The problem, for example ``"layers in series 0.1 / 1 / 0.1"``.
    quantity : str
        What is compared, for example ``"D_eff/D_0"``.
    reference : float or callable returning float
        The known value; a callable when it is itself computed (a series, say). May be ``inf``.
    compute : callable returning float
        Computes our value.
    limit : float
        Largest error that passes, not negative.
    source : str
        Where the reference comes from: paper, textbook equation, or "exact".
    relative : bool
        True: the error is ``abs(ours - reference) / abs(reference)``; False: the numerator alone.

    Raises
    ------
    ValueError
        If the limit is negative or not a number.
    """

    name: str
    quantity: str
    reference: float | Callable[[], float]
    compute: Callable[[], float]
    limit: float
    source: str
    relative: bool = True

    def __post_init__(self) -> None:
        if not self.limit >= 0:
            raise ValueError(
                f"limit {self.limit!r} of case {self.name!r} is not allowed; "
                "give the largest accepted error, zero or more"
            )


@dataclass(frozen=True)
class VerificationRow:
    """The outcome of one `Case`.

    Attributes
    ----------
    case, quantity : str
        The problem and the quantity compared.
    reference, ours : float
        Known and computed value; NaN where one could not be computed.
    error : float
        Relative or absolute error, not negative; 0 if both are the same infinity, ``inf`` if only
        one is infinite, NaN if a value is missing.
    limit : float
        Largest error that passes.
    verdict : {"pass", "fail"}
    source : str
        Where the reference comes from.
    relative : bool
        Whether error and limit are relative to the reference.
    message : str
        Why a row without a number failed, in one sentence; empty otherwise.
    """

    case: str
    quantity: str
    reference: float
    ours: float
    error: float
    limit: float
    verdict: Verdict
    source: str
    relative: bool = True
    message: str = ""

    @property
    def passed(self) -> bool:
        """Whether the verdict is "pass"."""
        return self.verdict == "pass"


def run_cases(
    cases: Iterable[Case], on_row: Callable[[VerificationRow], None] | None = None
) -> list[VerificationRow]:
    """Run cases in order and return one row for each.

    Parameters
    ----------
    cases : iterable of Case
    on_row : callable, optional
        Called with each row as soon as it is known, to show progress.

    Returns
    -------
    list of VerificationRow
        In the order of the cases. A case that raises is a failed row which carries the error.
    """
    rows = []
    for case in cases:
        row = run_case(case)
        rows.append(row)
        if on_row is not None:
            on_row(row)
    return rows


def run_case(case: Case) -> VerificationRow:
    """Run one case; an exception becomes a failed row with the error in its message."""
    reference, ours, message = math.nan, math.nan, ""
    try:
        reference = float(case.reference() if callable(case.reference) else case.reference)
    except Exception as error:
        message = f"The reference could not be computed: {_sentence(error)}"
    else:
        try:
            ours = float(case.compute())
        except Exception as error:
            message = f"The computation failed: {_sentence(error)}"
    error_value = _error(ours, reference, case.relative)
    if not message:
        message = _problem(ours, reference, case.relative)
    passed = not message and error_value <= case.limit
    return VerificationRow(
        case=case.name,
        quantity=case.quantity,
        reference=reference,
        ours=ours,
        error=error_value,
        limit=case.limit,
        verdict="pass" if passed else "fail",
        source=case.source,
        relative=case.relative,
        message=message,
    )


def _sentence(error: Exception) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else f"{type(error).__name__}."


def _error(ours: float, reference: float, relative: bool) -> float:
    if math.isnan(ours) or math.isnan(reference):
        return math.nan
    if math.isinf(ours) or math.isinf(reference):
        return 0.0 if ours == reference else math.inf
    if not relative:
        return abs(ours - reference)
    return abs(ours - reference) / abs(reference) if reference else math.nan


def _problem(ours: float, reference: float, relative: bool) -> str:
    if math.isnan(reference):
        return "The reference is not a number."
    if math.isnan(ours):
        return "The computed value is not a number."
    if relative and reference == 0 and math.isfinite(ours):
        return "A relative error needs a reference other than zero; use an absolute limit."
    return ""
