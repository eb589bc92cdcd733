"""Lithium in the voxels at some times of a discharge, as other stages read it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .store import Entry

__all__ = ["evenly", "packed", "stored_stoichiometry", "unpacked"]

# Sixteen bits for 0 to 1, in steps of 1.5e-5. Half precision has steps of 5e-4, which in a stiff
# solid is a stress of its own.
STEPS = 65534


def packed(stoichiometry: NDArray[np.floating]) -> NDArray[np.uint16]:
    """Return stoichiometries from 0 to 1 in sixteen bits; 0 stands for NaN."""
    known = np.isfinite(stoichiometry)
    kept = np.clip(np.where(known, stoichiometry, 0.0), 0.0, 1.0)
    return np.where(known, np.rint(kept * STEPS) + 1.0, 0.0).astype(np.uint16)


def unpacked(stored: NDArray[np.uint16]) -> NDArray[np.float32]:
    """Return what `packed` was given, to sixteen bits."""
    values = (stored.astype(np.float32) - 1.0) / np.float32(STEPS)
    return np.where(stored == 0, np.float32(np.nan), values)


def evenly(available: int, wanted: int) -> list[int]:
    """Return which of some states to keep: the first, the last, and others between them."""
    count = min(available, wanted)
    return [int(k) for k in np.rint(np.linspace(0, available - 1, count))]


def stored_stoichiometry(entry: Entry) -> tuple[Sequence[int], NDArray[np.uint16]]:
    """Return at which steps of a discharge its lithium was kept, and that, packed.

    The shape is (n, nz, ny, nx).
    """
    return [int(k) for k in entry.array("states_at")], entry.array("states")
