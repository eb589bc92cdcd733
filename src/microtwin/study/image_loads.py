"""What is done to an image of elastic solids, and what it does as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..microstructure import AXES, Microstructure
from .mechanics_sections import COMPONENTS, conditions, free_components, held_strain
from .stress_reading import ElasticCase, Quantities

if TYPE_CHECKING:
    from ..mechanics import Swelling

__all__ = ["free_strains", "image_arguments", "of_the_image"]


def image_arguments(case: ElasticCase) -> dict[str, Any]:
    """Return what is done to the image, and how its interfaces lie, for `microtwin.mechanics`."""
    given = case.params
    stress = given["mean_stress"] or {}
    return {
        "faces": conditions(given["faces"]) or None,
        "mean_strain": held_strain(given["faces"], given["mean_strain"]),
        "mean_stress": [stress.get(name, 0.0) for name in COMPONENTS],
        "interface": given["interface"],
    }


def free_strains(case: ElasticCase) -> set[str]:
    """Return the components of the mean strain that adjust themselves to the mean stress."""
    return free_components(case.params["faces"], case.params["mean_strain"])


def of_the_image(micro: Microstructure, case: ElasticCase, found: Swelling) -> Quantities:
    """Return growth along free axes, mean stress along held ones, and the energy."""
    from ..mechanics import image_growth

    free = free_strains(case)
    quantities: Quantities = {}
    stresses: Quantities = {}
    for axis, name in enumerate(AXES):
        component = name + name
        growth = None
        if component in free:
            growth = float(found.mean_strain[axis])
        elif _may_move(case, name):
            growth = image_growth(micro, case.solids, found, name)
        if growth is not None:
            quantities["swelling_strain", None, name, None] = growth
        elif component not in free:
            # Where the image is free to grow the stress is what was given.
            stresses["mean_stress", None, component, None] = float(found.mean_stress[axis])
    quantities |= stresses
    quantities["elastic_energy_density", None, None, None] = found.energy
    return quantities


def _may_move(case: ElasticCase, axis: str) -> bool:
    """Whether a face across an axis is free along its normal, pushed or not."""
    given = conditions(case.params["faces"])
    sides = [f"{axis}_{side}" for side in ("low", "high")]
    return any(side in given for side in sides) and any(
        _loose(given.get(side, "free")) for side in sides
    )


def _loose(condition: Any) -> bool:
    return condition == "free" or (
        isinstance(condition, Mapping) and "displacement" not in condition
    )
