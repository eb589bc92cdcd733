"""Volume fractions that a study file knows before its scan is segmented."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["known_fractions"]


def known_fractions(segmentation: Mapping[str, Any]) -> dict[str, float] | None:
    """Return the volume fractions that a section 'segmentation' gives, in the order of its phases.

    Raises
    ------
    ValueError
        If they do not fit the phases, or contradict each other.
    """
    from ..composition import checked_fractions, fractions_from_loading

    phases = segmentation["phases"]
    if segmentation["fractions"] is not None:
        return checked_fractions(segmentation["fractions"], phases)
    if segmentation["laboratory"] is None:
        return None
    measured = {k: v for k, v in segmentation["laboratory"].items() if v is not None}
    pore = next((name for name in phases if name.startswith("pore")), "pore")
    return checked_fractions(fractions_from_loading(**measured, pore=pore), phases)
