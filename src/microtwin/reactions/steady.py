"""Steady concentrations of species that diffuse and react."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from ..microstructure import Microstructure
from ..numerics import ConvergenceError
from .kinetics import VANISHING, FirstOrder, MichaelisMenten, Reaction, ZeroOrder
from .newton_steps import Solved, newton
from .species import Concentration, Exchange, Place, Species
from .system import State, System

__all__ = ["SpeciesState", "SteadyState", "shown", "steady_state"]

# What runs out is first taken up as by Michaelis and Menten, with these half saturations over the
# largest concentration: the front of the core then is near where it will be.
SOFTENED = (1e-2, 1e-3)
NEARLY = 5e-2  # tolerance there, and on coarser images
LARGE = 48  # voxels along each axis: from here on a coarser image gives the first guess


@dataclass(frozen=True, eq=False)
class SpeciesState:
    """A steady concentration, and what flows and reacts.

    Parameters
    ----------
    concentration : ndarray of float64, shape (nz, ny, nx)
        In mol/m^3; that of a source in it, NaN where the species never is.
    inflow : dict of str to float
        From each source, in mol/s.
    made : dict of str or (str, str) to float
        In each phase or on each interface, in mol/s; below 0 where it is used up.
    unsupplied : float
        Share of the voxels in which the species could diffuse that no source reaches; there is
        none of it there.
    balance : float
        Inflow and what is made, over what is made or passes through (at least 1e-7 of what would
        flow in at a concentration of 0).
    """

    concentration: NDArray[np.float64] = field(repr=False)
    inflow: dict[str, float]
    made: dict[Place, float]
    unsupplied: float
    balance: float


@dataclass(frozen=True, eq=False)
class SteadyState:
    """Steady concentrations of all species.

    Parameters
    ----------
    species : dict of str to SpeciesState
    effectiveness : tuple of float
        Of each reaction: its rate over that at the largest concentrations of the sources.
    steps, iterations : int
        Of Newton, and of the linear solver in all, on the image itself.
    residual : float
        Norm of what is out of balance in voxels, over that of what flows in or is used up at most.
    """

    species: dict[str, SpeciesState]
    effectiveness: tuple[float, ...]
    steps: int
    iterations: int
    residual: float


def steady_state(
    micro: Microstructure,
    species: Mapping[str, Species],
    reactions: Sequence[Reaction],
    *,
    periodic: bool = False,
    tol: float = 1e-6,
    progress: Callable[[int, float], None] | None = None,
) -> SteadyState:
    """Return the steady concentrations of species that diffuse and react.

    Parameters
    ----------
    micro : Microstructure
    species : mapping of str to Species
    reactions : sequence of Reaction
        May be empty: then species only diffuse from source to source.
    periodic : bool
        Whether the image repeats along all axes.
    tol : float
        Norm of what is out of balance in voxels, over that of what flows in or is used up at most.
    progress : callable, optional
        Called as ``progress(step, residual)``.

    Returns
    -------
    SteadyState

    Raises
    ------
    ValueError
        If a name or number is not allowed, or a species has no source.
    ConvergenceError
        If Newton's method does not reach the tolerance.

    Notes
    -----
    sum_j g_ij (u_i - u_j) + sum_s g_is (u_i - c_s) = V_i sum_k a_k r_k(u_i) for voxels i, their
    neighbours j, the sources s and reactions k with stoichiometric coefficients a: finite volumes
    on the embedded boundary, see `species_grid`. u is the concentration over the partition
    coefficient of the phase.

    One species that is used up: the matrix of the links is an M-matrix and rates grow with u, so
    the solution is unique and not negative. With uptake of order zero Newton's method is the
    primal-dual active set method for the obstacle u >= 0 (Hintermueller, Ito and Kunisch, SIAM J.
    Optim. 13 (2002) 865).

    Examples
    --------
    Oxygen and glucose, six to one, in a film that takes up both:

    >>> import numpy as np
    >>> import microtwin as mt
    >>> from microtwin import reactions as rx
    >>> micro = mt.Microstructure(np.ones((40, 2, 2), np.uint8), 1e-6, {"film": 1})
    >>> found = rx.steady_state(
    ...     micro,
    ...     {
    ...         "oxygen": rx.Species({"film": 2e-9}, {"z_high": 0.2}),
    ...         "glucose": rx.Species({"film": 4e-10}, {"z_high": 5.0}),
    ...     },
    ...     [
    ...         rx.Reaction(
    ...             "film",
    ...             {"oxygen": rx.MichaelisMenten(0.6, 0.01), "glucose": rx.Saturation(0.1)},
    ...             {"oxygen": -1.0, "glucose": -1 / 6},
    ...         )
    ...     ],
    ... )
    >>> used = {name: one.made["film"] for name, one in found.species.items()}
    >>> round(used["oxygen"] / used["glucose"], 6)
    6.0
    """
    _check(micro, species, tol)
    system = System(micro, species, reactions, periodic)
    for name, grid in zip(system.names, system.grids, strict=True):
        if not grid.there.any():
            one = species[name]
            sources, phases = (", ".join(map(repr, part)) for part in (one.supply, one.diffusivity))
            raise ValueError(
                f"no source ({sources}) touches a phase in which {name} diffuses ({phases}); "
                "name another source"
            )
    state, solved = _solved(system, tol, progress)
    rates = system.rates(state)
    return SteadyState(
        _by_species(system, state, rates),
        _effectiveness(system, rates),
        solved.steps,
        solved.iterations,
        solved.residual,
    )


def _solved(
    system: System, tol: float, progress: Callable[[int, float], None] | None = None
) -> tuple[State, Solved]:
    """Return the steady state.

    What runs out is first taken up as by Michaelis and Menten, ever more steeply.
    """
    reactions = system.reactions
    state = system.zeros()
    if not any(map(_runs_out, reactions)):
        _guess(system, state)
        return state, newton(system, state, tol, None, progress)
    for part in SOFTENED:
        system.reactions = [_softened(reaction, part, system) for reaction in reactions]
        if part == SOFTENED[0]:
            _guess(system, state)
        newton(system, state, NEARLY, None, progress)
    system.reactions = reactions
    for u, largest in zip(state, system.largest, strict=True):
        u[u < SOFTENED[-1] * largest] = 0.0
    return state, newton(system, state, tol, None, progress)


def _guess(system: System, state: State) -> None:
    """Set a first guess: the steady state on voxels twice as large, if there are many voxels."""
    for u, there, largest in zip(state, system.there, system.largest, strict=True):
        np.copyto(u, largest, where=there)
    laws = [law for reaction in system.reactions for law in reaction.laws.values()]
    if min(system.micro.shape) < LARGE or all(isinstance(law, FirstOrder) for law in laws):
        return
    labels = system.micro.coarsen(2)
    coarse = System(labels, system.species, system.reactions, system.periodic)
    if all(grid.there.any() for grid in coarse.grids):
        known = coarse.zeros()
        try:
            _guess(coarse, known)
            newton(coarse, known, NEARLY)
        except ConvergenceError:
            # It may have no steady state where what takes up is thin and lost on larger voxels.
            return
        _prolong(system, state, coarse, known)


def _prolong(system: System, state: State, coarse: System, known: State) -> None:
    """Take over values from voxels twice as large, where these have one."""
    for s, (u, part) in enumerate(zip(state, known, strict=True)):
        grid = coarse.grids[s]
        values = np.where(grid.there, grid.operator.unload(part), np.nan)
        for axis, n in enumerate(system.micro.shape):
            values = np.repeat(values, 2, axis)
            if n % 2:
                values = np.concatenate([values, np.take(values, [-1], axis)], axis)
        finer = system.grids[s].operator.load(values)
        np.copyto(u, finer, where=~np.isnan(finer) & system.there[s])


def _runs_out(reaction: Reaction) -> bool:
    return any(isinstance(law, ZeroOrder) for law in reaction.laws.values())


def _softened(reaction: Reaction, part: float, system: System) -> Reaction:
    laws = {
        name: MichaelisMenten(law.constant, part * system.largest[system.names.index(name)])
        if isinstance(law, ZeroOrder)
        else law
        for name, law in reaction.laws.items()
    }
    return replace(reaction, laws=laws)


def _by_species(
    system: System, state: State, rates: list[NDArray[np.float64]]
) -> dict[str, SpeciesState]:
    inflows, made = system.inflow(state), system.made(rates)
    out = {}
    for s, name in enumerate(system.names):
        grid, flows, rest = system.grids[s], inflows[s], made[s]
        passing = max(sum(map(abs, flows.values())), sum(map(abs, rest.values())))
        total = sum(flows.values()) + sum(rest.values())
        # In equilibrium with its source a species has rounding as its only flow.
        passing = max(passing, VANISHING * system.amount_per_time * float(grid.drive.sum()))
        out[name] = SpeciesState(
            shown(system, s, state[s]),
            flows,
            rest,
            1.0 - float((grid.there & grid.inside).sum() / max(grid.inside.sum(), 1)),
            total / passing if passing > 0.0 else 0.0,
        )
    return out


def _effectiveness(system: System, rates: list[NDArray[np.float64]]) -> tuple[float, ...]:
    out = []
    most = system.rates([np.full(1, largest) for largest in system.largest])
    for extent, rate, full in zip(system.extents, rates, most, strict=True):
        highest = float(full[0]) * float(extent.sum(dtype=float))
        out.append(float((extent * rate).sum()) / highest if highest > 0.0 else 0.0)
    return tuple(out)


def shown(system: System, s: int, u: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a concentration on the grid, with that of sources in them, and NaN elsewhere.

    Parameters
    ----------
    system : System
    s : int
        Number of the species.
    u : vector
        Its unknowns.

    Returns
    -------
    ndarray of float64, shape (nz, ny, nx)
    """
    grid, one, micro = system.grids[s], system.species[system.names[s]], system.micro
    c = grid.operator.unload(u, np.float64)
    if any(isinstance(r.laws.get(system.names[s]), ZeroOrder) for r in system.reactions):
        c[c < VANISHING * system.largest[s]] = 0.0
    if one.partition:
        held = np.ones(256)
        for name in one.diffusivity:
            held[micro.label(name)] = one.held(name)
        c *= held[micro.labels]
    c[~grid.inside] = np.nan
    for name, supply in one.supplies.items():
        if name in micro.phase_names and isinstance(supply, Concentration | Exchange):
            value = supply.value if isinstance(supply, Concentration) else supply.concentration
            c[micro.mask(name)] = value
    return c


def _check(micro: Microstructure, species: Mapping[str, Species], tol: float) -> None:
    for name, one in species.items():
        if not one.supply:
            raise ValueError(
                f"{name} has no source; name a phase or a face of the box in its supply, with a "
                "concentration of 0 where it only leaves"
            )
    levels = [
        getattr(supply, "value", getattr(supply, "concentration", 0.0))
        for one in species.values()
        for supply in one.supplies.values()
    ]
    if levels and not max(levels) > 0.0:
        raise ValueError("all sources have a concentration of 0; give one of them more")
    if not 0.0 < tol < 1.0:
        raise ValueError(f"tol {tol!r} is not allowed; it lies between 0 and 1, for example 1e-6")
