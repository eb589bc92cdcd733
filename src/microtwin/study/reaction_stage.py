"""The stage that puts a reaction on the interface and finds its hot spots."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..microstructure import Microstructure
from .stages import SHORTEST_FOR_TWO_GRIDS, microstructure_of, write_fields
from .store import StageOutput
from .tasks import Inputs
from .variation import block_means, varied

if TYPE_CHECKING:
    from ..electrochemistry import HotSpots, InterfaceCurrent

__all__ = ["REACTION_UNITS", "react"]

Params = Mapping[str, Any]

# The quantities of results.json, with their units.
REACTION_UNITS = {
    "reacting_surface": "1/m",
    "blocked_surface_fraction": "1",
    "interface_current_density": "A/m^2",
    "volumetric_current": "A/m^3",
    "current_concentration_ratio": "1",
    "hot_spot_current_fraction": "1",
}
SPOTS = 10  # that are listed
BINS = 60  # of the distribution of the current density
SHOWN = 0.999  # share of the area up to which that goes


def react(params: Params, inputs: Inputs) -> StageOutput:
    """Compute the reaction on every facet, its change on larger voxels, and pictures of it."""
    micro = microstructure_of(inputs["microstructure"])
    field = varied(micro, params["variation"])
    result = _reaction(micro, params, field)
    numbers: dict[str, Any] = {**_numbers(micro, result, params), "discretisation": {}}
    if params["discretisation"] and min(micro.shape) >= SHORTEST_FOR_TWO_GRIDS:
        coarse = micro.coarsen(2)
        numbers["discretisation"] = _changes(numbers, coarse, params, block_means(field))
    spots = result.hot_spots(multiple=params["hot_above"])
    numbers["spots"] = [
        [list(spot.centre), spot.diameter, spot.mean, spot.share] for spot in spots.spots[:SPOTS]
    ]
    numbers["count"] = len(spots.spots)
    numbers["threshold"] = spots.threshold
    numbers["scales"] = {"/".join(pair): value for pair, value in result.facets.scales.items()}
    files = {}
    if params["fields"]:
        files["fields.vtkhdf"] = partial(write_fields, micro, _fields(result, spots))
    return StageOutput(numbers, _pictures(micro, result), files)


def _reaction(
    micro: Microstructure, params: Params, field: NDArray[np.float64] | None
) -> InterfaceCurrent:
    from ..electrochemistry import interface_current

    factor = 1.0 if field is None else field
    return interface_current(
        micro,
        params["overpotential"],
        {name: value * factor for name, value in params["active"].items()},
        active=list(params["active"]),
        electrolyte=params["electrolyte"],
        film_resistance=params["film_resistance"],
        coverings=params["coverings"],
        temperature=params["temperature"],
    )


def _numbers(micro: Microstructure, result: InterfaceCurrent, params: Params) -> dict[str, float]:
    """Return the numbers that voxels of another size would change."""
    volume = float(np.prod(micro.extent))
    spots = result.hot_spots(multiple=params["hot_above"])
    whole = result.area + result.blocked_area
    return {
        "reacting_surface": result.area / volume,
        "blocked_surface_fraction": result.blocked_area / whole,
        "interface_current_density": result.mean,
        "volumetric_current": result.total_current / volume,
        "current_concentration_ratio": result.concentration_ratio(),
        "hot_spot_current_fraction": spots.share_of_current,
        "hot_spot_area_fraction": spots.share_of_area,
        "current_deviation": result.deviation,
    }


def _changes(
    fine: Mapping[str, float],
    coarse: Microstructure,
    params: Params,
    field: NDArray[np.float64] | None,
) -> dict[str, float]:
    """Return how far each number changes; nothing if the phases do not meet on larger voxels."""
    from ..electrochemistry import NoInterfaceError

    try:
        result = _reaction(coarse, params, field)
    except NoInterfaceError:
        return {}
    other = _numbers(coarse, result, params)
    return {name: abs(fine[name] - other[name]) for name in other}


def _fields(result: InterfaceCurrent, spots: HotSpots) -> dict[str, NDArray]:
    """Return the current density on the voxels, and the hot spot (from 1 on) each belongs to."""
    number = np.zeros(math.prod(result.facets.shape), np.int32)
    hot = spots.number >= 0
    number[result.facets.voxel[hot]] = spots.number[hot] + 1
    return {
        "current_density": result.on_image(),
        "hot_spot": number.reshape(result.facets.shape),
    }


def _pictures(micro: Microstructure, result: InterfaceCurrent) -> dict[str, NDArray]:
    """Return a plane through the middle, the current seen along y, profile and distribution."""
    field = result.on_image()
    middle = micro.shape[1] // 2
    size = np.prod(micro.shape)
    current = np.bincount(
        result.facets.voxel, result.current_density * result.facets.area, size
    ).reshape(micro.shape)
    face = micro.voxel_size[0] * micro.voxel_size[2]
    magnitude = np.abs(result.current_density)
    top = max(result.quantile(SHOWN), 1e-300)
    edges = np.linspace(0.0, 1.0000001 * top, BINS + 1)
    shares = np.histogram(np.minimum(magnitude, top), edges, weights=result.facets.area)[0]
    return {
        "plane": field[:, middle],
        "through": (current.sum(axis=1) / face).astype(np.float32),
        "profile": result.profile(),
        "edges": edges,
        "shares": shares / result.area,
    }
