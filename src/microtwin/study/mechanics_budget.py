"""How far mechanical quantities change on larger voxels, and scatter between parts of an image."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..microstructure import Microstructure
from ..numerics import ConvergenceError
from .half_cell_stage import LARGER
from .stages import SHORTEST_FOR_TWO_GRIDS
from .stress_reading import Quantities

__all__ = ["between_octants", "budgeted", "halved", "on_larger_voxels"]

PART = ", part {} of 8"
# Octants of a shorter image are too small to solve on.
SHORTEST_FOR_OCTANTS = 2 * SHORTEST_FOR_TWO_GRIDS

Compute = Callable[[Microstructure, str], Quantities]


def on_larger_voxels(
    micro: Microstructure, fine: Quantities, compute: Compute
) -> tuple[Quantities, str | None]:
    """Return how far quantities change on voxels twice as large, and what stood in the way."""
    if min(micro.shape) < SHORTEST_FOR_TWO_GRIDS:
        return {}, None
    try:
        coarse = compute(micro.coarsen(2), LARGER)
    except (ValueError, ConvergenceError) as problem:
        # What holds together here may not on larger voxels; the results themselves are there.
        return {}, str(problem)
    changes: Quantities = {}
    for of, value in coarse.items():
        own = fine.get(of)
        if value is not None and own is not None:
            changes[of] = abs(own - value)
    return changes, None


def between_octants(micro: Microstructure, compute: Compute) -> tuple[Quantities, str | None]:
    """Return standard errors of quantities from the octants of an image, each solved by itself.

    Taken as independent samples, eight of them have a mean with the standard deviation between
    them over the root of eight. The second value is what stood in the way.
    """
    if min(micro.shape) < SHORTEST_FOR_OCTANTS:
        return {}, f"the image is shorter than {SHORTEST_FOR_OCTANTS} voxels along one axis"
    spans = [(slice(0, n // 2), slice(n - n // 2, n)) for n in micro.shape]
    members = []
    for count, (z, y, x) in enumerate(itertools.product(*spans), 1):
        try:
            members.append(compute(micro.crop(z=z, y=y, x=x), PART.format(count)))
        except (ValueError, ConvergenceError) as problem:
            return {}, f"in one of the eight parts, {problem}"
    errors: Quantities = {}
    for of in members[0]:
        values = [member.get(of) for member in members]
        known = [value for value in values if value is not None]
        # A phase that is missing in a part has no stress there.
        if len(known) == len(members):
            errors[of] = float(np.std(known, ddof=1) / np.sqrt(len(known)))
    return errors, None


def halved(faces: str | Mapping[str, Any]) -> str | dict[str, Any]:
    """Return conditions on the faces of a box of half the edges: displacements are halved too."""
    if isinstance(faces, str):
        return faces
    return {
        name: {"displacement": 0.5 * given["displacement"]}
        if isinstance(given, Mapping) and "displacement" in given
        else given
        for name, given in faces.items()
    }


def budgeted(
    found: Quantities, units: Mapping[str, str], changes: Quantities, errors: Quantities
) -> list[dict[str, Any]]:
    """Return quantities with unit and parts of their uncertainty as rows that JSON can hold."""
    return [
        {
            "name": name,
            "phase": phase,
            "direction": direction,
            "condition": condition,
            "value": value,
            "unit": units[name],
            "discretisation": changes.get((name, phase, direction, condition)),
            "sampling": errors.get((name, phase, direction, condition)),
        }
        for (name, phase, direction, condition), value in found.items()
    ]
