"""The stages that compute error budgets: voxel size and sample size.

Both look at the relative diffusivity, which is finite (zero) where a phase does not percolate,
and carry the result over to the tortuosity factor. Their data hold ``uncertainty``: the absolute
standard uncertainty of each quantity, null where there is no estimate.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..microstructure import Microstructure
from ..trust.representative import SEPARATED, SIGNIFICANT
from .stages import SHORTEST_FOR_TWO_GRIDS, Params, check, microstructure_of
from .store import StageOutput
from .tasks import Inputs

if TYPE_CHECKING:
    from ..transport import TortuosityResult

__all__ = ["discretisation", "fractions", "sampling"]

# The staircase value and the sub-volumes only have to be as exact as the differences that are
# read off them, which are a per cent or more.
LOOSE_TOLERANCE = 1e-3
# Three halvings of a shorter axis leave too little to solve on.
SHORTEST_FOR_THREE_GRIDS = 32


def fractions(params: Params, inputs: Inputs) -> StageOutput:
    """Estimate the uncertainty of a volume fraction, and how representative the image is of it."""
    from ..trust import coarsen_for, representativeness

    micro, phase = microstructure_of(inputs["microstructure"]), params["phase"]
    value = micro.volume_fraction(phase)
    terms: dict[str, float | None] = {"discretisation": None, "sampling": None}
    numbers: dict[str, Any] = {"phase": phase, "volume_fraction": value, "uncertainty": terms}
    if params["discretisation"] and min(micro.shape) >= SHORTEST_FOR_TWO_GRIDS:
        coarse = coarsen_for(micro, phase)
        terms["discretisation"] = abs(value - coarse.volume_fraction(phase))
    if not params["sampling"] or not 0.0 < value < 1.0:
        return StageOutput(numbers)
    found = representativeness(micro, phase, params["thickness"])
    structure = found.integral_range
    terms["sampling"] = found.fraction_std
    numbers["integral_range"] = structure.value
    numbers["correlation_cutoff"] = structure.cutoff
    numbers["integral_range_resolved"] = structure.resolved
    numbers["representative"] = {
        "structure_length": found.structure_length,
        "thickness": found.thickness,
        "scale_ratio": found.scale_ratio,
        "edge_for": {f"{target:g}": edge for target, edge in found.edge_for.items()},
        "trends": {axis: [trend.change, trend.std] for axis, trend in found.trends.items()},
        "intercepts": dict(found.intercepts.length),
        "intercept_ratio": found.intercepts.ratio,
        "intercept_ratio_std": found.intercepts.ratio_std,
        "sentences": list(found.sentences),
    }
    scores = [abs(trend.change) / trend.std for trend in found.trends.values() if trend.std]
    checks = [
        check(
            "scale_separation", found.scale_ratio, SEPARATED, "pass" if found.separated else "warn"
        ),
        check(
            "no_trend",
            max(scores, default=0.0),
            SIGNIFICANT,
            "pass" if found.stationary else "warn",
        ),
    ]
    return StageOutput(numbers, checks=checks)


def discretisation(params: Params, inputs: Inputs) -> StageOutput:
    """Compare the solve with coarser voxels and with the other interface convention."""
    from ..trust import discretisation_study

    main = inputs["transport"].numbers
    micro = microstructure_of(inputs["microstructure"])
    numbers: dict[str, Any] = {"phase": params["phase"], "direction": params["direction"]}
    if not main["percolates"] or min(micro.shape) < SHORTEST_FOR_TWO_GRIDS:
        reason = (
            f"the image is shorter than {SHORTEST_FOR_TWO_GRIDS} voxels along one axis"
            if main["percolates"]
            else "the phase does not percolate"
        )
        return StageOutput(numbers | _nothing(f"The voxel size was not studied: {reason}."))

    coarse: dict[str, TortuosityResult] = {}
    own = main["interface"]

    def quantity(image: Microstructure, interface: str) -> float:
        tol = params["tol"] if interface == own else max(LOOSE_TOLERANCE, params["tol"])
        result = _solve(image, params, interface, tol)
        if interface == own and image.voxel_size[0] < 3 * micro.voxel_size[0]:
            coarse[interface] = result
        return result.relative_diffusivity

    known = {"smooth": "fine", "voxel": "voxel_fine"}[own]
    study = discretisation_study(
        micro,
        quantity,
        levels=3 if min(micro.shape) >= SHORTEST_FOR_THREE_GRIDS else 2,
        phase=params["phase"],
        **{known: main["relative_diffusivity"]},
    )
    numbers |= {
        name: getattr(study, name)
        for name in (
            "voxel_sizes",
            "smooth",
            "staircase",
            "richardson",
            "discretisation",
            "observed_order",
            "unresolved_interface",
            "agrees",
            "sentence",
        )
    }
    numbers["whole_coarse"] = study.smooth[1] if own == "smooth" else study.staircase[1]
    # First order: the change on doubling the voxel is the error of the staircase itself.
    error = (
        study.discretisation
        if own == "smooth"
        else abs(main["relative_diffusivity"] - numbers["whole_coarse"])
    )
    numbers["uncertainty"] = {
        "relative_diffusivity": error,
        "tortuosity_factor": _tortuosity_change(main, coarse[own], error),
    }
    checks = []
    if study.agrees is not None and study.richardson is not None:
        difference = abs(study.smooth[0] - study.richardson)
        verdict = "pass" if study.agrees else "warn"
        checks.append(check("staircase_agrees", difference, study.discretisation, verdict))
    return StageOutput(numbers, checks=checks)


def sampling(params: Params, inputs: Inputs) -> StageOutput:
    """Extrapolate the scatter between sub-volumes to the size of the whole image."""
    from ..trust import subvolume_study, tortuosity_uncertainty

    main = inputs["transport"].numbers
    micro = microstructure_of(inputs["microstructure"])
    numbers: dict[str, Any] = {
        "phase": params["phase"],
        "direction": params["direction"],
        "quantity": "relative_diffusivity",
    }
    if not main["percolates"]:
        reason = "The sample size was not studied: the phase does not percolate."
        return StageOutput(numbers | _nothing(reason))

    tol = max(LOOSE_TOLERANCE, params["tol"])

    def quantity(image: Microstructure) -> float:
        if image.volume_fraction(params["phase"]) == 0.0:
            return 0.0
        return _solve(image, params, params["interface"], tol).relative_diffusivity

    known = inputs.entries.get("discretisation")
    try:
        study = subvolume_study(
            micro,
            quantity,
            phase=params["phase"],
            whole=main["relative_diffusivity"],
            whole_coarse=None if known is None else known.numbers.get("whole_coarse"),
        )
    except ValueError as error:
        return StageOutput(numbers | _nothing(f"The sample size was not studied: {error}."))
    numbers |= {
        "edges": study.edges,
        "means": study.means,
        "stds": study.stds,
        "counts": study.counts,
        "zeros": [row.zeros for row in study.rows],
        "shapes": [row.shape for row in study.rows],
        "fitted_std": study.fitted_std,
        "fraction_stds": [row.fraction_std for row in study.rows],
        "fraction_stds_predicted": [row.fraction_std_predicted for row in study.rows],
        "std_whole": study.std_whole,
        "interval": study.interval,
        "exponent": study.law.exponent,
        "observed_exponent": study.law.observed_exponent,
        "edge_for": {f"{target:g}": edge for target, edge in study.edge_for.items()},
        "size_effect": study.size_effect,
        "coarsening": study.coarsening,
        "reliable": study.reliable,
        "sentence": study.sentence,
    }
    numbers["uncertainty"] = {
        "relative_diffusivity": study.std_whole,
        "tortuosity_factor": tortuosity_uncertainty(
            main["volume_fraction"],
            main["relative_diffusivity"],
            study.std_whole,
            study.fraction_std_whole or 0.0,
            study.fraction_correlation or 0.0,
        ),
    }
    verdict = "pass" if study.reliable else "warn"
    samples = check("enough_samples", float(study.reliable), 1.0, verdict)
    return StageOutput(numbers, checks=[samples])


def _solve(image: Microstructure, params: Params, interface: Any, tol: float) -> TortuosityResult:
    from ..transport import tortuosity_factor

    return tortuosity_factor(
        image,
        params["phase"],
        direction=params["direction"],
        boundary=params["boundary"],
        interface=interface,
        tol=tol,
    )


def _nothing(sentence: str) -> dict[str, Any]:
    unknown = {"relative_diffusivity": None, "tortuosity_factor": None}
    return {"sentence": sentence, "uncertainty": unknown}


def _tortuosity_change(main: Mapping[str, Any], coarse: TortuosityResult, error: float) -> float:
    """Return how much the tortuosity factor changes on voxels twice as large.

    Where the coarse phase does not percolate its tortuosity factor is infinite; the relative
    change of the diffusivity stands in.
    """
    tau = main["tortuosity_factor"]
    if not math.isfinite(coarse.tortuosity_factor):
        return tau * error / main["relative_diffusivity"]
    return abs(tau - coarse.tortuosity_factor)
