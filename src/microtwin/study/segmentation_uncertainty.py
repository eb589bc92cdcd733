"""The stage that computes every quantity of a study again on other plausible labels."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import Any

import numpy as np

from ..microstructure import Microstructure
from ..numerics import ConvergenceError
from .mechanics_stage import OF_THE_WHOLE_IMAGE, whole_image
from .results import COMPONENTS
from .scan_stages import grey_model_of, prepared_volumes
from .stages import Params, described, microstructure_of
from .store import StageOutput
from .tasks import Inputs

__all__ = ["segmentation"]

# Only differences between segmentations matter, and these are a per cent or more.
_TOLERANCE = 1e-3
Pair = tuple[Microstructure, Microstructure]
_FINE = 2
_REHEARSALS = 2
# Those that are cheap enough to be repeated on every plausible segmentation.
_DESCRIPTORS = (
    "specific_surface",
    "interface_area",
    "hydraulic_diameter",
    "mean_curvature",
    "triple_line_density",
)


def segmentation(params: Params, inputs: Inputs) -> StageOutput:
    """Compute what the study computes on plausible segmentations, and how far they differ."""
    from ..imaging import alternative_segmentations, plausible_segmentation, rehearse
    from ..trust import segmentation_study

    numbers = inputs["microstructure"].numbers
    micro = microstructure_of(inputs["microstructure"])
    if micro.probabilities is None:
        return StageOutput(
            {
                "quantities": {},
                "finite": {},
                "sentence": "The segmentation gives no probabilities, so its uncertainty is not "
                "known; method: posterior or classifier gives them.",
            }
        )
    model = grey_model_of(numbers)
    known = numbers["known_fractions"] is not None
    solved = {
        stage: entry.numbers
        for stage, entry in inputs.entries.items()
        if stage.startswith("transport/")
    }

    def draw(seed: int) -> Microstructure:
        return plausible_segmentation(
            micro,
            seed,
            correlation=1.0 if model is None else model.blur,
            # Fractions that nobody has measured are as uncertain as the probabilities say.
            fraction_uncertainty=numbers["fraction_uncertainty"] if known else 0.0,
        )

    rehearsals: Iterable[Pair] = ()
    alternatives: Iterable[tuple[str, Microstructure, Microstructure]] = ()
    if model is not None:
        rehearsals = (rehearse(micro, model, k, calibrated=known) for k in range(_REHEARSALS))
        _, _, volume, _ = prepared_volumes(params, inputs)
        alternatives = alternative_segmentations(volume, micro, model, calibrated=known)
    study = segmentation_study(
        micro,
        lambda image: _quantities(image, params, solved),
        draw,
        whole=_whole(micro, params, inputs, solved),
        members=params["members"],
        fine=min(_FINE, params["members"]),
        rehearsals=rehearsals,
        alternatives=alternatives,
        kind=_kind,
    )
    words = f"Properties were computed on {study.members} plausible segmentations"
    if study.rehearsals:
        words += (
            f"; the segmentation was rehearsed on {study.rehearsals} blocks, and repeated on one "
            f"with {study.alternatives} other models of how the phases look"
        )
    quantities = {name: asdict(found) for name, found in study.quantities.items()}
    # A phase that percolates on some of them only has no uncertainty that could be stated.
    finite = {name: 1.0 - count / (study.members + 1) for name, count in study.undefined.items()}
    return StageOutput({"quantities": quantities, "finite": finite, "sentence": words + "."})


def _kind(name: str) -> str:
    """Return the name of a quantity without its direction: tortuosity_factor/pore-z."""
    if name.startswith("effective_conductivity/") and name[-1] == name[-2]:
        return "effective_conductivity"
    return name.rpartition("-")[0] if name.startswith(_SOLVED) else name


_SOLVED = ("tortuosity_factor/", "relative_diffusivity/")


def _quantities(
    image: Microstructure, params: Params, solved: Mapping[str, Mapping[str, Any]]
) -> dict[str, float]:
    """Return every quantity of the study for some labels, by name and what it is of."""
    from ..transport import homogenize, tortuosity_factor

    found = {f"volume_fraction/{name}": image.volume_fraction(name) for name in image.phases}
    if params["descriptors"]:
        found |= _named(described(image))
    for stage, numbers in solved.items():
        case = stage.removeprefix("transport/")
        if image.volume_fraction(numbers["phase"]) == 0.0:
            continue
        result = tortuosity_factor(
            image,
            numbers["phase"],
            direction=numbers["direction"],
            boundary=numbers["boundary"],
            interface=numbers["interface"],
            tol=max(_TOLERANCE, numbers["tol"]),
        )
        found[f"tortuosity_factor/{case}"] = result.tortuosity_factor
        found[f"relative_diffusivity/{case}"] = result.relative_diffusivity
    if params["homogenize"] is not None:
        options = params["homogenize"]
        tensor = homogenize(
            image,
            options["conductivities"],
            boundary=options["boundary"],
            interface=options["interface"],
            tol=max(_TOLERANCE, options["tol"]),
        )
        found |= _components(tensor.tensor)
    if params.get("mechanics") is not None:
        # Where nothing holds together the members have none of these.
        with suppress(ValueError, ConvergenceError):
            found |= whole_image(image, params["mechanics"])
    return found


def _whole(
    micro: Microstructure,
    params: Params,
    inputs: Inputs,
    solved: Mapping[str, Mapping[str, Any]],
) -> dict[str, float]:
    """Return the quantities of the chosen labels, which other stages have computed."""
    found = {f"volume_fraction/{name}": micro.volume_fraction(name) for name in micro.phases}
    if params["descriptors"]:
        found |= _named(inputs["descriptors"].numbers)
    for stage, numbers in solved.items():
        case = stage.removeprefix("transport/")
        for name in ("tortuosity_factor", "relative_diffusivity"):
            found[f"{name}/{case}"] = _number(numbers[name])
    if params["homogenize"] is not None:
        found |= _components(np.array(inputs["homogenize"].numbers["tensor"]))
    if params.get("mechanics") is not None:
        for row in inputs["mechanics"].numbers["quantities"]:
            if row["name"] in OF_THE_WHOLE_IMAGE:
                found[f"{row['name']}/{row['direction'] or 'image'}"] = _number(row["value"])
    return found


def _named(numbers: Mapping[str, Any]) -> dict[str, float]:
    """Return the descriptors by name and phase, "specific_surface/active"."""
    return {
        f"{name}/{of}": _number(value)
        for name in _DESCRIPTORS
        for of, value in numbers[name].items()
    }


def _components(tensor: Any) -> dict[str, float]:
    return {
        f"effective_conductivity/{name}": float(tensor[place]) for name, place in COMPONENTS.items()
    }


def _number(value: float | None) -> float:
    """Return a number; what is not finite is stored as null."""
    return math.nan if value is None else float(value)
