"""The stage in which species diffuse, react and sorb, and what is left of them is read."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..microstructure import Microstructure
from ..numerics import ConvergenceError
from .live import say
from .stages import SHORTEST_FOR_TWO_GRIDS, check, microstructure_of, write_fields
from .store import StageOutput
from .tasks import Inputs
from .uptake_sections import place_of

if TYPE_CHECKING:
    from ..reactions import Evolution, Reaction, Species, SteadyState, Viability

__all__ = ["COURSE_FILE", "take_up"]

Params = Mapping[str, Any]

COURSE_FILE = "course.csv"
BALANCE = 1e-8  # of what flows: what may be missing
BINS = 40  # of distances from the source
THIN = 0.25  # of the extent along y: a section
PERCENTILES = (5.0, 50.0, 95.0)


@dataclass(frozen=True, eq=False)
class Solved:
    """Concentrations in an image, and what came of them.

    Parameters
    ----------
    concentration : dict of str to ndarray, shape (nz, ny, nx)
        At the end, in mol/m^3.
    found : SteadyState or Evolution
    viability : Viability or None
    """

    concentration: dict[str, NDArray[np.float64]]
    found: SteadyState | Evolution
    viability: Viability | None


def take_up(params: Params, inputs: Inputs) -> StageOutput:
    """Solve for all species, read what is left of them, and do it again on larger voxels."""
    micro = microstructure_of(inputs["microstructure"])
    solved = _solve(micro, params, "")
    rows = _rows(micro, params, solved)
    changes: dict[str, float] = {}
    problem = None
    if params["discretisation"] and min(micro.shape) >= SHORTEST_FOR_TWO_GRIDS:
        coarse = micro.coarsen(2)
        try:
            other = _rows(coarse, params, _solve(coarse, params, " on larger voxels"))
        except (ValueError, ConvergenceError) as error:
            # Thin vessels may be lost on larger voxels: the numbers themselves are there.
            problem = str(error)
        else:
            changes = {
                key: abs(row[3] - other[key][3]) for key, row in rows.items() if key in other
            }
    numbers: dict[str, Any] = {
        "quantities": [[*row, changes.get(key)] for key, row in rows.items()],
        "coarse_problem": problem,
        "species": _species_numbers(solved.found),
        "viability": None if solved.viability is None else _viability_numbers(solved.viability),
        "left": _left(micro, params, solved),
        "shown": _in_words(micro, params),
    }
    worst = max(abs(part["balance"]) for part in numbers["species"].values())
    checks = [check("mass_balance", worst, BALANCE, worst <= BALANCE)]
    files = {}
    if params["fields"]:
        fields: dict[str, NDArray] = {
            f"concentration_{name}": c for name, c in solved.concentration.items()
        }
        if solved.viability is not None:
            fields["core"] = solved.viability.core
        files["fields.vtkhdf"] = partial(write_fields, micro, fields)
    arrays = _pictures(micro, params, solved)
    if params["duration"] is not None:
        files[COURSE_FILE] = partial(_write_course, arrays["course"], _columns(solved.found))
        numbers["columns"] = _columns(solved.found)
    return StageOutput(numbers, arrays, files, checks)


def _solve(micro: Microstructure, params: Params, note: str) -> Solved:
    from ..reactions import evolve, steady_state, viability

    species = {name: _species(part) for name, part in params["species"].items()}
    reactions = [_reaction(part) for part in params["reactions"]]
    periodic = params["boundary"] == "periodic"
    found: SteadyState | Evolution
    if params["duration"] is None:
        found = steady_state(
            micro, species, reactions, periodic=periodic,
            progress=lambda step, rest: say(f"step {step}{note}, {rest:.0e} out of balance"),
        )  # fmt: skip
    else:
        duration = params["duration"]
        frames = np.linspace(0.0, duration, params["frames"] + 1 if params["frames"] else 0)
        found = evolve(
            micro, species, reactions, duration, periodic=periodic,
            initial={name: part["initial"] for name, part in params["species"].items()},
            snapshots=[float(t) for t in frames],
            progress=lambda time, _: say(f"{100 * time / duration:.0f} % of the time{note}"),
        )  # fmt: skip
    concentration = {name: one.concentration for name, one in found.species.items()}
    wanted = params["viability"]
    alive = None
    if wanted is not None:
        supply = wanted["sources"] or list(params["species"][wanted["of"]]["supply"])
        alive = viability(
            micro, concentration[wanted["of"]], wanted["phases"], wanted["threshold"],
            wanted["hypoxic"], sources=supply or None, periodic=periodic,
        )  # fmt: skip
    return Solved(concentration, found, alive)


def _species(part: Params) -> Species:
    from ..reactions import Exchange, Flux, Freundlich, Langmuir, Linear, Species

    supply: dict[str, Any] = {}
    for name, given in part["supply"].items():
        if "flux" in given:
            supply[name] = Flux(given["flux"])
        elif "permeability" in given:
            supply[name] = Exchange(given["permeability"], given["concentration"])
        else:
            supply[name] = given["concentration"]
    sorption: dict[Any, Any] = {}
    for place, given in part["sorption"].items():
        if "linear" in given:
            law: Any = Linear(given["linear"])
        elif "freundlich" in given:
            law = Freundlich(given["freundlich"], given["exponent"])
        else:
            law = Langmuir(given["capacity"], given["affinity"])
        sorption[place_of(place)] = law
    membranes: dict[Any, float] = {place_of(n): p for n, p in part["membranes"].items()}
    return Species(part["diffusivity"], supply, part["partition"], membranes, sorption)


def _reaction(part: Params) -> Reaction:
    from ..reactions import (
        FirstOrder,
        Inhibition,
        MichaelisMenten,
        Reaction,
        Saturation,
        ZeroOrder,
    )

    rate: Any
    if part["first_order"] is not None:
        rate = FirstOrder(part["first_order"])
    elif part["zero_order"] is not None:
        rate = ZeroOrder(part["zero_order"])
    else:
        rate = MichaelisMenten(**part["michaelis_menten"])
    laws = {part["of"]: rate}
    laws |= {name: Saturation(k) for name, k in part["limited_by"].items()}
    laws |= {name: Inhibition(k) for name, k in part["inhibited_by"].items()}
    return Reaction(place_of(part["where"]), laws, part["amounts"])


def _rows(
    micro: Microstructure, params: Params, solved: Solved
) -> dict[str, tuple[str, str | None, str | None, float, str]]:
    """Return the quantities: name, phase, condition, value and unit, by a key of their own."""
    rows: dict[str, tuple[str, str | None, str | None, float, str]] = {}

    def add(name: str, phase: str | None, condition: str | None, value: Any, unit: str) -> None:
        if value is not None and np.isfinite(value):  # there may be no core, or nothing in a phase
            rows[f"{name}/{phase}/{condition}"] = (name, phase, condition, float(value), unit)

    several = len(params["species"]) > 1
    steady = params["duration"] is None
    for name, one in solved.found.species.items():
        condition = name if several else None
        if steady:
            for place, made in one.made.items():
                extent, unit = _extent(micro, place, params["boundary"] == "periodic")
                rate = abs(float(np.ravel(made)[-1])) / extent if extent else None
                kind = "uptake_rate" if float(np.ravel(made)[-1]) <= 0.0 else "production_rate"
                add(kind, _place_name(place), condition, rate, unit)
        c = solved.concentration[name]
        for phase in params["species"][name]["diffusivity"]:
            inside = c[micro.mask(phase)]
            mean = np.nanmean(inside) if np.isfinite(inside).any() else None
            add("mean_concentration", phase, condition, mean, "mol/m^3")
    if steady:
        of = [part["of"] if several else None for part in params["reactions"]]
        repeated = len({(p["where"], p["of"]) for p in params["reactions"]}) < len(of)
        for n, (part, value) in enumerate(
            zip(params["reactions"], solved.found.effectiveness, strict=True)  # type: ignore[union-attr]
        ):
            condition = f"reaction {n + 1}" if repeated else of[n]
            add("effectiveness_factor", part["where"], condition, value, "1")
    if solved.viability is not None:
        alive = solved.viability
        phases = "+".join(params["viability"]["phases"])
        add("viable_fraction", phases, None, alive.viable_fraction, "1")
        add("starved_fraction", phases, None, alive.core_fraction, "1")
        if alive.hypoxic_fraction is not None:
            add("hypoxic_fraction", phases, None, alive.hypoxic_fraction, "1")
        add("rim_thickness", phases, None, alive.rim_percentiles((50.0,))[0], "m")
        add("distance_to_supply", phases, None, alive.distance_percentiles((95.0,))[0], "m")
    return rows


def _place_name(place: str | tuple[str, str]) -> str:
    return place if isinstance(place, str) else "/".join(place)


def _extent(
    micro: Microstructure, place: str | tuple[str, str], periodic: bool
) -> tuple[float, str]:
    """Return volume or area of a place, and the unit of what is made there per extent and time."""
    if isinstance(place, str):
        return micro.volume_fraction(place) * float(np.prod(micro.extent)), "mol/m^3/s"
    from ..geometry import facet_areas

    # All of it, as reactions have it, and not only what lies between the outermost centres.
    facets = facet_areas(micro, [place], periodic)[0]
    return float(np.linalg.norm(facets.vector, axis=1).sum()), "mol/m^2/s"


def _species_numbers(found: SteadyState | Evolution) -> dict[str, Any]:
    """Return what flows in and is made, at a rate or in all, and the balance."""
    out = {}
    for name, one in found.species.items():
        last = {
            key: {
                _place_name(place): float(np.ravel(value)[-1])
                for place, value in getattr(one, key).items()
            }
            for key in ("inflow", "made")
        }
        out[name] = {
            **last,
            "balance": one.balance,
            "unsupplied": getattr(one, "unsupplied", None),
            "stored": None if not hasattr(one, "stored") else float(one.stored[-1]),
        }
    return out


def _viability_numbers(alive: Viability) -> dict[str, Any]:
    return {
        "volume": alive.volume,
        "radius": alive.radius,
        "core_radius": alive.core_radius,
        "cores": alive.cores,
        "unknown": alive.unknown,
        "rim": [float(x) for x in alive.rim_percentiles(PERCENTILES)],
        "distance": [float(x) for x in alive.distance_percentiles(PERCENTILES)],
        "viable_fraction": alive.viable_fraction,
        "core_fraction": alive.core_fraction,
        "hypoxic_fraction": alive.hypoxic_fraction,
    }


def _left(micro: Microstructure, params: Params, solved: Solved) -> list[list[Any]]:
    """Return species, phase, and the lowest, mean and highest concentration, in mol/m^3."""
    rows: list[list[Any]] = []
    for name, c in solved.concentration.items():
        for phase in params["species"][name]["diffusivity"]:
            inside = c[micro.mask(phase)]
            known = inside[np.isfinite(inside)]
            if known.size:
                rows.append([name, phase, *(float(f(known)) for f in (np.min, np.mean, np.max))])
    return rows


def _in_words(micro: Microstructure, params: Params) -> dict[str, Any]:
    """Return what the report says of the input."""
    return {
        "order": list(params["species"]),
        "across": "zyx"[_shown_axis(micro)],
        "species": params["species"],
        "reactions": params["reactions"],
        "boundary": params["boundary"],
        "duration": params["duration"],
        "viability": params["viability"],
    }


def _shown_axis(micro: Microstructure) -> int:
    """Return the axis across which planes are shown: y, or that of a thin section."""
    shortest = int(np.argmin(micro.extent))
    return shortest if micro.extent[shortest] < THIN * micro.extent[1] else 1


def _pictures(micro: Microstructure, params: Params, solved: Solved) -> dict[str, NDArray]:
    """Return planes through the middle, concentration by distance, and the course over time."""
    axis = _shown_axis(micro)
    middle = micro.shape[axis] // 2
    arrays: dict[str, NDArray] = {}
    for n, (name, c) in enumerate(solved.concentration.items()):
        arrays[f"plane_{n}"] = np.take(c, middle, axis).astype(np.float32)
        if params["duration"] is not None and params["frames"]:
            shots = solved.found.species[name].snapshots  # type: ignore[union-attr]
            arrays[f"frames_{n}"] = np.stack([np.take(shot, middle, axis) for shot in shots])
    if solved.viability is not None:
        alive = solved.viability
        arrays["rim"] = alive.rim
        c = solved.concentration[params["viability"]["of"]]
        arrays["by_distance"] = _by_distance(alive.distance, c, max(micro.voxel_size))
    if params["duration"] is not None:
        arrays["course"] = _course(solved.found)  # type: ignore[arg-type]
    return arrays


def _by_distance(
    distance: NDArray[np.float32], c: NDArray[np.float64], voxel: float
) -> NDArray[np.float64]:
    """Return distance from the source, share of the volume, and percentiles of c: shape (n, 5).

    Bins are whole voxels wide, so that distances along the grid fill them evenly.
    """
    there = np.isfinite(distance) & np.isfinite(c)
    if not there.any():
        return np.zeros((0, 5))
    d, values = distance[there], c[there]
    width = voxel * np.ceil(max(float(d.max()), voxel) / (BINS * voxel))
    edges = width * np.arange(np.floor(float(d.max()) / width) + 2)
    number = np.digitize(d, edges) - 1
    rows = []
    for n in range(len(edges) - 1):
        inside = values[number == n]
        if len(inside):
            middle = 0.5 * (edges[n] + edges[n + 1])
            rows.append([middle, len(inside) / len(values), *np.percentile(inside, PERCENTILES)])
    return np.array(rows)


def _columns(found: Any) -> list[str]:
    """Return the names of the columns of the course."""
    names = ["time [s]"]
    for species, one in found.species.items():
        names.append(f"{species} stored [mol]")
        names += [f"{species} from {source} [mol]" for source in one.inflow]
        names += [f"{species} made in {_place_name(place)} [mol]" for place in one.made]
    return names


def _course(found: Evolution) -> NDArray[np.float64]:
    columns: list[NDArray[np.float64]] = [found.times]
    for one in found.species.values():
        columns += [one.stored, *one.inflow.values(), *one.made.values()]
    return np.stack(columns)


def _write_course(course: NDArray[np.float64], names: Sequence[str], path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        writer.writerows([f"{value:.8g}" for value in row] for row in course.T)
