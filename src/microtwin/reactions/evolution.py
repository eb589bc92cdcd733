"""Concentrations over time, in implicit steps that keep them positive and lose nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ..checking import is_number
from ..microstructure import Microstructure
from ..numerics import ConvergenceError
from .isotherms import Linear
from .kinetics import Reaction
from .newton_steps import newton
from .species import Place, Species
from .steady import shown
from .system import State, Storage, System

__all__ = ["Evolution", "SpeciesEvolution", "evolve"]

FIRST = 1e-4  # of the duration: the first step
SMALLEST = 1e-12  # of the duration
SAFETY, SLOWEST, FASTEST = 0.9, 0.2, 3.0  # of the change of the step
REFUSED = 2.0  # times the tolerance: above it a step is done again
TIGHTER = 1e-3  # tolerance of a step's balance over that of its error
INVERSIONS = 100

Key = TypeVar("Key")


@dataclass(frozen=True, eq=False)
class SpeciesEvolution:
    """One species over time.

    Parameters
    ----------
    concentration : ndarray of float64, shape (nz, ny, nx)
        At the end, in mol/m^3; NaN where the species never is.
    stored : ndarray, shape (n,)
        What is in the image, dissolved and sorbed, in mol.
    inflow : dict of str to ndarray, shape (n,)
        What has come from each source since the start, in mol.
    made : dict of str or (str, str) to ndarray, shape (n,)
        What reactions have made in each place, in mol; below 0 where they used it up.
    snapshots : tuple of ndarray of float32, shape (nz, ny, nx)
        The concentration at the times asked for.
    balance : float
        Largest of stored less inflow and what was made, over the largest of them.
    """

    concentration: NDArray[np.float64] = field(repr=False)
    stored: NDArray[np.float64] = field(repr=False)
    inflow: dict[str, NDArray[np.float64]] = field(repr=False)
    made: dict[Place, NDArray[np.float64]] = field(repr=False)
    snapshots: tuple[NDArray[np.float32], ...] = field(repr=False)
    balance: float


@dataclass(frozen=True, eq=False)
class Evolution:
    """All species over time.

    Parameters
    ----------
    times : ndarray, shape (n,)
        Of the steps, in s; the first is 0.
    species : dict of str to SpeciesEvolution
    steps, refused : int
        Steps, and those that were done again because their error was too large or their equations
        could not be solved.
    iterations : int
        Of the linear solver in all.
    """

    times: NDArray[np.float64]
    species: dict[str, SpeciesEvolution]
    steps: int
    refused: int
    iterations: int


@dataclass(eq=False)
class _Tally:
    """What flowed and was made since the start, or in one step, by species."""

    inflow: list[dict[str, float]]
    made: list[dict[Place, float]]

    def mixed(self, a: float, other: _Tally, b: float) -> _Tally:
        return _Tally(
            [_sum(mine, a, his, b) for mine, his in zip(self.inflow, other.inflow, strict=True)],
            [_sum(mine, a, his, b) for mine, his in zip(self.made, other.made, strict=True)],
        )


def _sum(mine: dict[Key, float], a: float, other: dict[Key, float], b: float) -> dict[Key, float]:
    return {key: a * mine[key] + b * other[key] for key in mine}


def evolve(
    micro: Microstructure,
    species: Mapping[str, Species],
    reactions: Sequence[Reaction],
    duration: float,
    *,
    initial: Mapping[str, float | NDArray[np.floating]] | None = None,
    snapshots: Sequence[float] = (),
    periodic: bool = False,
    rtol: float = 1e-3,
    progress: Callable[[float, float], None] | None = None,
) -> Evolution:
    """Return how species that diffuse, react and sorb change over time.

    Parameters
    ----------
    micro : Microstructure
    species : mapping of str to Species
        They need no source here. Sources hold from the start on.
    reactions : sequence of Reaction
        May be empty.
    duration : float
        In s.
    initial : mapping of str to float or ndarray, shape (nz, ny, nx)
        Concentration at the start, 0 if not given, in mol/m^3. A number is that in a phase with
        the partition coefficient 1; others are in equilibrium with it, and so is what is sorbed.
    snapshots : sequence of float
        Times at which concentrations are kept, in s.
    periodic : bool
        Whether the image repeats along all axes.
    rtol : float
        Error of a step: root mean square over the image, over the largest concentration.
    progress : callable, optional
        Called as ``progress(time, step)``.

    Returns
    -------
    Evolution

    Raises
    ------
    ValueError
        If a name or number is not allowed.
    ConvergenceError
        If a step cannot be done even if it is tiny.

    Notes
    -----
    V (m(u) - m(u_before)) / dt = sum_j g_ij (u_j - u_i) + sum_s g_is (c_s - u_i) + V sum_k a_k
    r_k(u), with m what is dissolved and sorbed. This backward Euler step is never negative. It is
    done once and, in halves, twice: the difference is the error of the halves, and what is held at
    the end is extrapolated, 2 m_halves - m_whole, of second order (Richardson), as far as nothing
    becomes negative. All of it is a sum of balanced steps, so that nothing is lost.

    Examples
    --------
    A film fills from one side; at D t / L^2 = 0.2 it holds half of what it will (Crank, The
    Mathematics of Diffusion (1975), ch. 4):

    >>> import numpy as np
    >>> import microtwin as mt
    >>> from microtwin import reactions as rx
    >>> micro = mt.Microstructure(np.ones((50, 2, 2), np.uint8), 2e-6, {"film": 1})
    >>> solute = rx.Species({"film": 1e-9}, {"z_low": 1.0})
    >>> found = rx.evolve(micro, {"solute": solute}, [], 0.2 * (100e-6) ** 2 / 1e-9)
    >>> round(float(found.species["solute"].stored[-1] / (100e-6 * 4e-6**2)), 3)
    0.504
    """
    given = dict(initial or {})
    _check(micro, species, given, duration, snapshots, rtol)
    highest = {name: float(np.nanmax(np.asarray(value))) for name, value in given.items()}
    system = System(micro, species, reactions, periodic, True, highest)
    state = [_initial(system, s, given.get(name, 0.0)) for s, name in enumerate(system.names)]
    held = [system.amount(s, u) for s, u in enumerate(state)]
    total = _nothing(system)
    times, stored, totals = [0.0], [_stored(system, held)], [total]
    stops = sorted({float(t) for t in snapshots} | {duration})
    kept: dict[float, list[NDArray[np.float32]]] = {}
    if 0.0 in stops:
        stops.remove(0.0)
        kept[0.0] = _shown(system, state)
    dt, time, refused, iterations = FIRST * duration, 0.0, 0, 0
    while stops:
        left = stops[0] - time
        step = left if dt > 0.999 * left else min(dt, 0.5 * left) if dt > 0.5 * left else dt
        whole, halves = ([u.copy() for u in state] for _ in range(2))
        tolerance = TIGHTER * rtol
        try:
            tally = _step(system, whole, held, step, tolerance)
            first = _step(system, halves, held, 0.5 * step, tolerance)
            middle = [system.amount(s, u) for s, u in enumerate(halves)]
            second = _step(system, halves, middle, 0.5 * step, tolerance)
        except ConvergenceError:
            if step <= SMALLEST * duration:
                raise
            refused, dt = refused + 1, SLOWEST * step
            continue
        iterations += tally[1] + first[1] + second[1]
        error = _error(system, whole, halves)
        factor = SAFETY * np.sqrt(rtol / max(error, 1e-300))
        dt = step * float(np.clip(factor, SLOWEST, FASTEST))
        if error > REFUSED * rtol and step > SMALLEST * duration:
            refused += 1
            continue
        both = first[0].mixed(1.0, second[0], 1.0)
        state, held, share = _extrapolated(system, whole, halves)
        total = total.mixed(1.0, both.mixed(1.0 + share, tally[0], -share), 1.0)
        time = stops[0] if step == left else time + step
        times.append(time)
        stored.append(_stored(system, held))
        totals.append(total)
        if progress is not None:
            progress(time, step)
        if time == stops[0]:
            kept[stops.pop(0)] = _shown(system, state)
    wanted = [kept[float(t)] for t in snapshots]
    return Evolution(
        np.array(times),
        {
            name: _course(system, s, state[s], np.array([row[s] for row in stored]), totals, wanted)
            for s, name in enumerate(system.names)
        },
        len(times) - 1,
        refused,
        iterations,
    )


def _step(system: System, state: State, held: State, dt: float, tol: float) -> tuple[_Tally, int]:
    """Do a backward Euler step in place; return what flowed and was made, and iterations."""
    solved = newton(system, state, tol, Storage(1.0 / dt, held))
    rates = system.rates(state)
    inflow, made = system.inflow(state), system.made(rates)
    return _Tally(
        [{key: dt * value for key, value in row.items()} for row in inflow],
        [{key: dt * value for key, value in row.items()} for row in made],
    ), solved.iterations


def _error(system: System, whole: State, halves: State) -> float:
    """Return the largest root mean square of the difference, over the largest concentration.

    That is the largest of the start and the sources, or of now, if reactions have made more.
    """
    worst = 0.0
    for s, (a, b) in enumerate(zip(whole, halves, strict=True)):
        square = np.einsum("ij,ij->", b - a, b - a) / max(system.there[s].sum(), 1)
        worst = max(worst, float(np.sqrt(square)) / max(system.largest[s], float(b.max())))
    return worst


def _extrapolated(system: System, whole: State, halves: State) -> tuple[State, State, float]:
    """Return the extrapolated state, what it holds, and the share of the extrapolation."""
    amounts = [
        (system.amount(s, a), system.amount(s, b))
        for s, (a, b) in enumerate(zip(whole, halves, strict=True))
    ]
    share = 1.0
    for a, b in amounts:
        falls = a > b
        if falls.any():
            share = min(share, float((b[falls] / (a[falls] - b[falls])).min()))
    held = [np.maximum(b + share * (b - a), 0.0) for a, b in amounts]
    state = []
    for s, (a, b) in enumerate(zip(whole, halves, strict=True)):
        guess = np.maximum(b + share * (b - a), 0.0)
        sorption = system.species[system.names[s]].sorption.values()
        straight = all(isinstance(isotherm, Linear) for isotherm in sorption)
        state.append(guess if straight else _inverted(system, s, guess, held[s]))
    return state, held, share


def _inverted(
    system: System, s: int, u: NDArray[np.float64], amount: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the state that holds given amounts, by Newton's method in each voxel.

    Isotherms bend downwards: after the first step iterates rise towards the solution.
    """
    there = system.there[s]
    scale = float(amount.max()) or 1.0
    for _ in range(INVERSIONS):
        rest = (amount - system.amount(s, u)) * there
        if float(np.abs(rest).max()) <= 1e-13 * scale:
            break
        slope = np.where(there, system.capacity(s, u), 1.0)
        u = np.maximum(u + rest / np.where(slope > 0.0, slope, 1.0), 0.0)
    return u


def _initial(system: System, s: int, value: float | NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the unknowns at the start."""
    grid, one, micro = system.grids[s], system.species[system.names[s]], system.micro
    if np.ndim(value) == 0:
        field_ = np.full(micro.shape, float(value))
    else:
        field_ = np.array(value, float)
        for name in one.partition:
            field_[micro.mask(name)] /= one.held(name)
        # Pieces of a phase in voxels of another start like the nearest voxels of the phase.
        if np.isnan(field_[grid.inside]).any():
            raise ValueError(
                f"the initial concentration of {system.names[s]} is NaN in voxels in which it "
                "diffuses; give a number there"
            )
        field_ = _continued(np.where(grid.inside, field_, 0.0), grid.inside)
    return grid.operator.load(np.where(grid.there, field_, 0.0))


def _continued(values: NDArray[np.float64], known: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return values, and in other voxels the mean of the known neighbours."""
    total, count = np.zeros_like(values), np.zeros(values.shape)
    for axis in range(3):
        for way in (1, -1):
            total += np.roll(values, way, axis)
            count += np.roll(known, way, axis)
    return np.where(known, values, total / np.maximum(count, 1.0))


def _nothing(system: System) -> _Tally:
    inflow: list[dict[str, float]] = [dict.fromkeys(grid.inlets, 0.0) for grid in system.grids]
    made: list[dict[Place, float]] = [{} for _ in system.names]
    for reaction in system.reactions:
        for name in reaction.amounts:
            made[system.names.index(name)][reaction.where] = 0.0
    return _Tally(inflow, made)


def _stored(system: System, held: State) -> list[float]:
    volume = float(np.prod(system.micro.voxel_size))
    return [
        volume * float((amount * there).sum())
        for amount, there in zip(held, system.there, strict=True)
    ]


def _shown(system: System, state: State) -> list[NDArray[np.float32]]:
    return [shown(system, s, u).astype(np.float32) for s, u in enumerate(state)]


def _course(
    system: System,
    s: int,
    u: NDArray[np.float64],
    stored: NDArray[np.float64],
    totals: list[_Tally],
    kept: list[list[NDArray[np.float32]]],
) -> SpeciesEvolution:
    inflow = {key: np.array([row.inflow[s][key] for row in totals]) for key in totals[0].inflow[s]}
    made = {key: np.array([row.made[s][key] for row in totals]) for key in totals[0].made[s]}
    parts = [stored, *inflow.values(), *made.values()]
    largest = max(float(np.abs(part).max()) for part in parts)
    missing = stored - stored[0] - sum(inflow.values()) - sum(made.values())
    return SpeciesEvolution(
        shown(system, s, u),
        stored,
        inflow,
        made,
        tuple(row[s] for row in kept),
        float(np.abs(missing).max()) / largest if largest > 0.0 else 0.0,
    )


def _check(
    micro: Microstructure,
    species: Mapping[str, Species],
    initial: Mapping[str, float | NDArray[np.floating]],
    duration: float,
    snapshots: Sequence[float],
    rtol: float,
) -> None:
    if not (is_number(duration) and duration > 0.0):
        raise ValueError(f"duration {duration!r} is not allowed; give a number above 0, in s")
    for name, value in initial.items():
        if name not in species:
            raise ValueError(
                f"initial names {name!r}, which is no species; species are {', '.join(species)}"
            )
        values = np.asarray(value)
        if values.ndim and values.shape != micro.shape:
            raise ValueError(
                f"the initial concentration of {name} has shape {values.shape}; give a number, or "
                f"one value for each voxel, {micro.shape}"
            )
        known = values[~np.isnan(values)] if values.ndim else values
        if values.size and not ((known >= 0.0) & np.isfinite(known)).all():
            raise ValueError(
                f"the initial concentration of {name} is negative or no number; it is 0 or more, "
                "in mol/m^3"
            )
    for time in snapshots:
        if not 0.0 <= time <= duration:
            raise ValueError(
                f"a snapshot at {time!r} s is not allowed; times are from 0 to the duration, "
                f"{duration:g} s"
            )
    if not 0.0 < rtol < 1.0:
        raise ValueError(f"rtol {rtol!r} is not allowed; it lies between 0 and 1, such as 1e-3")
