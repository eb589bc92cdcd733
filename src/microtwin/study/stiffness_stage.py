"""The stage that finds the stiffness of an image as a whole, between its bounds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..microstructure import AXES, Microstructure
from ..numerics import ConvergenceError
from .live import say
from .mechanics_budget import between_octants, budgeted, on_larger_voxels
from .stages import check, microstructure_of
from .store import StageOutput
from .stress_reading import Quantities
from .tasks import Inputs
from .uncertainty import LOOSE_TOLERANCE

if TYPE_CHECKING:
    from ..mechanics import Solid

__all__ = ["STIFFNESS_UNITS", "stiffness"]

Params = Mapping[str, Any]

# The quantities of results.json, with their units.
STIFFNESS_UNITS = {"young_modulus": "Pa", "shear_modulus": "Pa", "bulk_modulus": "Pa"}
PLANES = ("yx", "zx", "zy")
WIDEST, NARROWEST = "Voigt and Reuss", "Hashin and Shtrikman"


def stiffness(params: Params, inputs: Inputs) -> StageOutput:
    """Strain the image in six ways; again on larger voxels and in parts of it; bounds beside."""
    from ..mechanics import isotropic

    micro = microstructure_of(inputs["microstructure"])
    solids = {name: isotropic(p["young"], p["poisson"]) for name, p in params["materials"].items()}
    numbers: dict[str, Any] = {"bounds": _bounds(micro, solids), "quantities": []}
    loose = max(LOOSE_TOLERANCE, params["tol"])
    try:
        found = _stiffness(micro, solids, params, params["tol"], "")
    except (ValueError, ConvergenceError) as problem:
        # What does not hold together when it repeats itself may still swell: the study goes on.
        return StageOutput(numbers | {"problem": str(problem)})

    def again(image: Microstructure, note: str) -> Quantities:
        return _moduli(_stiffness(image, solids, params, loose, note))

    changes: Quantities = {}
    errors: Quantities = {}
    moduli = _moduli(found)
    if params["discretisation"]:
        changes, numbers["coarse_problem"] = on_larger_voxels(micro, moduli, again)
    if params["sampling"]:
        errors, numbers["sampling_problem"] = between_octants(micro, again)
    numbers["quantities"] = budgeted(moduli, STIFFNESS_UNITS, changes, errors)
    numbers["stiffness"] = found.stiffness
    return StageOutput(numbers, checks=_checks(micro, solids, found, numbers["bounds"], params))


def _stiffness(
    micro: Microstructure, solids: Mapping[str, Solid], params: Params, tol: float, note: str
) -> Solid:
    from ..mechanics import effective_stiffness

    say(f"six load cases{note}")
    return effective_stiffness(micro, solids, interface=params["interface"], tol=tol).solid


def _moduli(solid: Solid) -> Quantities:
    """Return Young's moduli along (z, y, x), shear moduli of planes and the bulk modulus, in Pa."""
    from ..mechanics import engineering_constants

    constants = engineering_constants(solid)
    found: Quantities = {}
    for axis, young in zip(AXES, constants.young, strict=True):
        found["young_modulus", None, axis, None] = young
    for plane, shear in zip(PLANES, constants.shear, strict=True):
        found["shear_modulus", None, plane, None] = shear
    found["bulk_modulus", None, None, None] = solid.bulk_modulus
    return found


def _fractions(micro: Microstructure, solids: Mapping[str, Solid]) -> np.ndarray:
    """Return the share of each solid in the image by counting voxels, as the solver sees it."""
    return np.array([float(micro.mask(name).mean()) for name in solids])


def _voigt(micro: Microstructure, solids: Mapping[str, Solid]) -> np.ndarray:
    shares = _fractions(micro, solids)
    return np.asarray(sum(f * s.stiffness for f, s in zip(shares, solids.values(), strict=True)))


def _bounds(micro: Microstructure, solids: Mapping[str, Solid]) -> dict[str, dict[str, list]]:
    """Return (lowest, highest) of bulk, shear and Young's modulus by Voigt-Reuss and H-S, in Pa."""
    from ..mechanics import Solid, hashin_shtrikman, voigt_reuss

    shares = _fractions(micro, solids)
    void = 1.0 - float(shares.sum())
    highest = Solid(_voigt(micro, solids))
    soft = [0.0, 0.0]
    if void < 1e-9:
        lowest = voigt_reuss(list(solids.values()), list(shares))[1]
        soft = [lowest.bulk_modulus, lowest.shear_modulus]
    bulk = [solid.bulk_modulus for solid in solids.values()]
    shear = [solid.shear_modulus for solid in solids.values()]
    k, g = hashin_shtrikman([*bulk, 0.0], [*shear, 0.0], [*shares, max(void, 0.0)])
    return {
        WIDEST: _moduli_between((soft[0], highest.bulk_modulus), (soft[1], highest.shear_modulus)),
        NARROWEST: _moduli_between(k, g),
    }


def _moduli_between(k: tuple[float, float], g: tuple[float, float]) -> dict[str, list]:
    """Return ranges by quantity; Young's modulus grows with bulk and shear modulus."""
    young = [9.0 * a * b / (3.0 * a + b) if a > 0.0 else 0.0 for a, b in zip(k, g, strict=True)]
    return {"bulk_modulus": list(k), "shear_modulus": list(g), "young_modulus": young}


def _checks(
    micro: Microstructure,
    solids: Mapping[str, Solid],
    found: Solid,
    bounds: Mapping[str, Mapping[str, list]],
    params: Params,
) -> list[dict[str, Any]]:
    """Return whether the image is within its bounds.

    Nothing is stiffer than Voigt's average in any strain. The narrower bounds are those of an
    isotropic mixture, which a crop need not be.
    """
    slack = 1.0 + 10.0 * params["tol"]
    over = np.linalg.inv(np.linalg.cholesky(_voigt(micro, solids)))
    ratio = float(np.linalg.eigvalsh(over @ found.stiffness @ over.T)[-1])
    checks = [check("stiffness_below_voigt", ratio, 1.0, ratio <= slack)]
    for name, value in (
        ("bulk_modulus", found.bulk_modulus),
        ("shear_modulus", found.shear_modulus),
    ):
        low, high = bounds[NARROWEST][name]
        inside = low <= value * slack and value <= high * slack
        verdict = "pass" if inside else "warn"
        checks.append(check(f"{name}_below_hashin_shtrikman", value / high, 1.0, verdict))
    return checks
