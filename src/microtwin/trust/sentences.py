"""Verdicts of the sampling study in plain words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Protocol

from .covariance import IntegralRange
from .scaling import VarianceLaw

__all__ = ["SizeRow", "length_words", "sampling_sentence"]

MIN_COUNT = 8


class SizeRow(Protocol):
    """What a verdict needs to know of the sub-volumes of one size."""

    @property
    def volume(self) -> float:
        """Volume of a sub-volume (m^3)."""

    @property
    def count(self) -> int:
        """Number of sub-volumes."""

    @property
    def zeros(self) -> int:
        """Number of sub-volumes with the value 0."""

    @property
    def mean(self) -> float:
        """Mean over the sub-volumes."""

    @property
    def std(self) -> float:
        """Standard deviation over the sub-volumes."""


def sampling_sentence(
    rows: Sequence[SizeRow],
    whole: float,
    law: VarianceLaw,
    edge_for: Mapping[float, float],
    covariance: IntegralRange | None,
) -> tuple[bool, str]:
    """Judge a sampling study.

    Parameters
    ----------
    rows : sequence
        Sub-volumes of each size, large to small.
    whole : float
        Value on the whole image.
    law : VarianceLaw
    edge_for : mapping of float to float
        Relative uncertainty -> cube edge (m).
    covariance : IntegralRange or None

    Returns
    -------
    reliable : bool
    sentence : str
    """
    if whole == 0:
        return False, (
            "The value on the whole image is 0, so no relative uncertainty can be given; "
            f"{_percolating(rows)}."
        )
    doubts = _doubts(rows, law, covariance)
    low, high = (100 * limit / abs(whole) for limit in law.interval)
    share = f"{100 * law.std / abs(whole):.2g} % (90 % confidence {low:.2g} to {high:.2g} %)"
    sizes = " and ".join(f"{100 * t:g} % a cube of {length_words(e)}" for t, e in edge_for.items())
    if doubts:
        return False, (
            f"The image is not large enough to tell how representative it is: {'; '.join(doubts)}. "
            f"The best estimate of the standard uncertainty is {share}; {sizes} would be needed."
        )
    edge = law.volume ** (1 / 3)
    text = (
        f"An image of this size (cube of {length_words(edge)}) carries a sampling uncertainty of "
        f"{share}; {sizes} would be needed"
    )
    return True, f"{text}{_size_effect(rows[0], whole, law.std)}."


def _doubts(
    rows: Sequence[SizeRow], law: VarianceLaw, covariance: IntegralRange | None
) -> list[str]:
    doubts = []
    if max(row.count for row in rows) < MIN_COUNT:
        doubts.append(f"it gives fewer than {MIN_COUNT} sub-volumes")
    if rows[0].zeros:
        doubts.append(_percolating(rows))
    if covariance is not None and not covariance.resolved:
        samples = law.volume / covariance.value
        doubts.append(f"it is worth only {samples:.2g} independent samples of the structure")
    if not law.short_range:
        doubts.append(
            f"the variance falls with volume to the power -{law.observed_exponent:.2f}, not "
            f"-{law.exponent:.2g} (a gradient, or structure of long range)"
        )
    return doubts


def _percolating(rows: Sequence[SizeRow]) -> str:
    first = rows[0]
    return f"the phase does not percolate in {first.zeros} of its {first.count} largest sub-volumes"


def _size_effect(row: SizeRow, whole: float, std_whole: float) -> str:
    """Say when small samples are biased by more than chance and more than the scatter."""
    difference = row.mean - whole
    if abs(difference) <= max(2 * row.std / math.sqrt(row.count), std_whole):
        return ""
    side = "above" if difference > 0 else "below"
    return (
        f"; the largest sub-volumes lie on average {100 * abs(difference / whole):.2g} % {side} "
        "the whole, which is an effect of their boundaries and size, not of chance"
    )


def length_words(metres: float) -> str:
    """Return a length with three digits and a unit."""
    # Three digits, and the unit chosen after rounding: 999.7 um is 1 mm.
    if not math.isfinite(metres) or metres <= 0:
        return f"{metres:g} m"
    exponent = math.floor(math.log10(float(f"{metres:.3g}")))
    for unit, power in (("m", 0), ("mm", -3), ("um", -6)):
        if exponent >= power:
            return f"{metres / 10.0**power:.3g} {unit}"
    return f"{metres / 1e-9:.3g} nm"
