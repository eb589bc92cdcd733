"""The stages of a study: pure functions from parameters and inputs to data.

A stage reads only its arguments and returns a `StageOutput`; times and machines belong to the
record, never to the data, so that equal input gives equal bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..microstructure import AXES, Direction, Microstructure
from .errors import StudyError
from .store import Entry, StageOutput
from .tasks import Inputs

if TYPE_CHECKING:
    from ..descriptors import Descriptors
    from ..transport import TortuosityResult

__all__ = [
    "DESCRIPTOR_UNITS",
    "check",
    "described",
    "descriptors",
    "homogenize",
    "microstructure_of",
    "read_image",
    "stored_microstructure",
    "transport",
    "write_fields",
    "write_json",
]

Params = Mapping[str, Any]

# The descriptors that are results, by phase or by phase and direction.
DESCRIPTOR_UNITS = {
    "specific_surface": "1/m",
    "interface_area": "1/m",
    "hydraulic_diameter": "m",
    "mean_curvature": "1/m",
    "triple_line_density": "1/m^2",
    "euler_density": "1/m^3",
    "median_thickness": "m",
    "mean_chord": "m",
    "constrictivity": "1",
    "geodesic_tortuosity": "1",
}

# An axis with fewer voxels is not coarsened for the error budget.
SHORTEST_FOR_TWO_GRIDS = 8


def microstructure_of(entry: Entry) -> Microstructure:
    """Return the microstructure that the stage of that name has stored."""
    numbers = entry.numbers
    # Stored JSON has sorted keys; phases are shown in the order of their labels.
    phases = dict(sorted(numbers["phases"].items(), key=lambda item: item[1]))
    probable = entry.array("probabilities") if entry.has("probabilities.npy") else None
    return Microstructure(entry.array("labels"), numbers["voxel_size"], phases, probable)


def read_image(params: Params, inputs: Inputs) -> StageOutput:
    """Read the labels from the image file, crop and coarsen them."""
    from ..imaging import read_microstructure

    spans = params["crop"] or {}
    micro = read_microstructure(
        inputs.sources["image"],
        voxel_size=params["voxel_size"],
        phases=params["phases"],
        dataset=params["dataset"],
        # Coarsened while it is read, a large image never is in memory at full resolution; a crop
        # counts voxels of the file, so it comes first.
        coarsen=1 if spans else params["coarsen"],
    )
    for axis, size in zip(AXES, micro.shape, strict=True):
        if spans.get(axis) and spans[axis][1] > size:
            raise StudyError(
                f"image.crop.{axis} ends at voxel {spans[axis][1]}, but the image has {size} "
                f"voxels along {axis}; write an end of at most {size}"
            )
    if spans:
        micro = micro.crop(**{axis: slice(*span) for axis, span in spans.items() if span})
        micro = micro.coarsen(params["coarsen"])
    return stored_microstructure(micro)


def stored_microstructure(micro: Microstructure) -> StageOutput:
    """Return what `microstructure_of` reads."""
    numbers = {
        "shape": micro.shape,
        "voxel_size": micro.voxel_size,
        "extent": micro.extent,
        "phases": dict(micro.phases),
        "volume_fractions": micro.volume_fractions,
    }
    arrays = {"labels": micro.labels}
    if micro.probabilities is not None:
        arrays["probabilities"] = micro.probabilities
    return StageOutput(numbers, arrays)


def descriptors(params: Params, inputs: Inputs) -> StageOutput:
    """Compute the descriptors of every phase, and their change on voxels twice as large."""
    from ..descriptors import GROUPS, describe

    micro = microstructure_of(inputs["microstructure"])
    groups = params["groups"] or GROUPS
    found = describe(micro, groups=groups)
    numbers = _plain_descriptors(found)
    numbers["curves"] = _curves(micro, found)
    numbers["discretisation"] = {}
    if params["discretisation"] and min(micro.shape) >= SHORTEST_FOR_TWO_GRIDS:
        coarse = described(micro.coarsen(2), groups)
        numbers["discretisation"] = {
            name: _differences(numbers[name], coarse[name]) for name in DESCRIPTOR_UNITS
        }
    return StageOutput(numbers)


def _curves(micro: Microstructure, descriptors: Descriptors) -> dict[str, dict[str, Any]]:
    """Return distributions and correlations of every phase as lists of abscissae and ordinates."""
    from ..descriptors import chords, two_point

    found: dict[str, dict[str, Any]] = {}
    for phase, share in micro.volume_fractions.items():
        if not 0.0 < share < 1.0:
            continue
        if phase in descriptors.sizes:
            sizes = descriptors.sizes[phase]
            above = np.cumsum(sizes.shares[::-1])[::-1]
            found.setdefault("local_thickness", {})[phase] = [sizes.diameters, above]
        if descriptors.mean_chord:
            for axis in AXES:
                lines = chords(micro, phase, axis)
                longest = int(np.flatnonzero(lines.whole).max(initial=1)) + 1
                curve = [lines.lengths[1:longest], lines.density[1:longest]]
                found.setdefault(f"chords_{axis}", {})[phase] = curve
            # Beyond a quarter of the image the correlation is mostly noise.
            distance, probability = two_point(micro, phase, max(1, min(micro.shape) // 4)).radial()
            found.setdefault("two_point", {})[phase] = [distance, probability]
    return found


def _differences(fine: Mapping[str, Any], coarse: Mapping[str, Any]) -> dict[str, Any]:
    """Return how far two sets of values differ, by phase, or by phase and direction."""
    found: dict[str, Any] = {}
    for key, value in fine.items():
        other = coarse.get(key)
        if isinstance(value, Mapping):
            found[key] = _differences(value, other or {})
        else:
            found[key] = None if value is None or other is None else abs(value - other)
    return found


def described(micro: Microstructure, groups: Iterable[str] = ("surface",)) -> dict[str, Any]:
    """Return descriptors of a microstructure as data that can be stored.

    Beside what `microtwin.descriptors.Descriptors.as_dict` holds, ``median_thickness`` is the
    median of the continuous size distribution.
    """
    from ..descriptors import describe

    return _plain_descriptors(describe(micro, groups=groups))


def _plain_descriptors(found: Descriptors) -> dict[str, Any]:
    plain = found.as_dict()
    # A slash, which no phase name of a study holds, keeps the names of two or three phases apart.
    areas, lines = found.interface_area, found.triple_line_density
    plain["interface_area"] = {"/".join(names): value for names, value in areas.items()}
    plain["triple_line_density"] = {"/".join(names): value for names, value in lines.items()}
    plain["median_thickness"] = {name: sizes["d50"] for name, sizes in plain["sizes"].items()}
    return plain


def transport(params: Params, inputs: Inputs) -> StageOutput:
    """Solve for the tortuosity factor of one phase in one direction; keep pictures and fields."""
    from ..transport import tortuosity_factor

    micro = microstructure_of(inputs["microstructure"])
    result = tortuosity_factor(
        micro,
        params["phase"],
        direction=params["direction"],
        boundary=params["boundary"],
        interface=params["interface"],
        tol=params["tol"],
    )
    numbers = {
        name: getattr(result, name)
        for name in (
            "phase",
            "direction",
            "boundary",
            "interface",
            "tortuosity_factor",
            "relative_diffusivity",
            "volume_fraction",
            "label_fraction",
            "percolating_fraction",
            "percolates",
            "iterations",
            "residual",
            "flux_spread",
            "residual_history",
            "message",
        )
    }
    numbers["tol"] = params["tol"]
    numbers["voxel_size"] = micro.voxel_size
    arrays: dict[str, NDArray] = {"layer_flux": np.asarray(result.layer_flux, dtype=np.float64)}
    files = {}
    if result.percolates:
        fields = _fields(result)
        arrays |= _middle_slices(fields, params["direction"])
        if params["fields"]:
            files["fields.vtkhdf"] = partial(write_fields, micro, fields)
    return StageOutput(numbers, arrays, files, transport_checks(numbers))


def transport_checks(numbers: Params) -> list[dict[str, Any]]:
    """Return the verdicts on one solve: converged, and within the physical bound."""
    if not numbers["percolates"]:
        return [check("percolates", 0.0, 1.0, "warn")]
    spread, tau = numbers["flux_spread"], numbers["tortuosity_factor"]
    # A straight channel reaches the bound exactly, hence the tolerance of the solve itself.
    bound = 1.0 - 2.0 * numbers["tol"]
    return [
        check("flux_spread", spread, numbers["tol"], spread <= numbers["tol"]),
        check("tortuosity_factor_at_least_1", tau, 1.0, tau >= bound),
    ]


def check(name: str, value: float, limit: float, verdict: bool | str) -> dict[str, Any]:
    """Return a comparison with a limit for the record; True and False are "pass" and "fail"."""
    if isinstance(verdict, bool | np.bool_):
        verdict = "pass" if verdict else "fail"
    return {"name": name, "value": value, "limit": limit, "verdict": verdict}


def _fields(result: TortuosityResult) -> dict[str, NDArray[np.float32]]:
    return {
        "potential": result.potential().astype(np.float32),
        "flux": result.flux(),
        "dissipation": result.dissipation(),
    }


def _middle_slices(
    fields: Mapping[str, NDArray[np.float32]], direction: Direction
) -> dict[str, NDArray[np.float32]]:
    """Cut each field in the middle plane that holds the flux direction and z; rows run along z."""
    normal = 2 if direction == "y" else 1

    def middle(values: NDArray[np.float32]) -> NDArray[np.float32]:
        return values.take(values.shape[normal] // 2, axis=normal)

    flux = np.sqrt(sum(np.square(middle(component)) for component in fields["flux"]))
    return {
        "potential_slice": middle(fields["potential"]),
        "flux_slice": flux.astype(np.float32),
        "dissipation_slice": middle(fields["dissipation"]),
    }


def slice_axes(direction: Direction) -> tuple[Direction, Direction]:
    """Return the axes of the rows and of the columns of the stored slices."""
    return ("z", "y") if direction == "y" else ("z", "x")


def write_fields(micro: Microstructure, fields: Mapping[str, NDArray], path: Path) -> None:
    """Write fields on the voxels of an image for ParaView."""
    from .report.vtkhdf import write_vtkhdf

    write_vtkhdf(path, micro, fields)


def write_json(content: Mapping[str, Any], path: Path) -> None:
    """Write numbers and texts that `microtwin export` copies."""
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def homogenize(params: Params, inputs: Inputs) -> StageOutput:
    """Compute the full tensor of the effective conductivity, and its change on coarser voxels."""
    from ..transport import homogenize as solve
    from ..trust import coarsen_for

    micro = microstructure_of(inputs["microstructure"])

    def tensor_of(image: Microstructure) -> Any:
        return solve(
            image,
            params["conductivities"],
            boundary=params["boundary"],
            interface=params["interface"],
            tol=params["tol"],
        )

    result = tensor_of(micro)
    numbers = {
        name: getattr(result, name)
        for name in (
            "tensor",
            "principal_values",
            "principal_directions",
            "anisotropy_ratio",
            "through_plane",
            "in_plane",
            "iterations",
            "residuals",
            "flux_spreads",
        )
    }
    numbers["unit"] = params["unit"]
    numbers["discretisation"] = None
    if params["discretisation"] and min(micro.shape) >= SHORTEST_FOR_TWO_GRIDS:
        conductivities: Mapping[str, float] = params["conductivities"]
        best = max(conductivities, key=lambda phase: conductivities[phase])
        coarse = tensor_of(coarsen_for(micro, best))
        numbers["discretisation"] = np.abs(coarse.tensor - result.tensor)
    spread = max(result.flux_spreads, default=0.0)
    lowest = float(np.min(result.principal_values))
    checks = [
        check("flux_spread", spread, params["tol"], spread <= params["tol"]),
        check("tensor_not_negative", lowest, 0.0, lowest >= -1e-9 * np.max(np.abs(result.tensor))),
    ]
    return StageOutput(numbers, checks=checks)
