"""Steady diffusion of one species that is taken up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..microstructure import Microstructure
from .kinetics import Kinetics, Reaction
from .species import Species, Supply
from .steady import steady_state

__all__ = ["Uptake", "solve_uptake"]

SPECIES = "the species"


@dataclass(frozen=True, eq=False)
class Uptake:
    """A steady concentration, and what flows and reacts.

    Parameters
    ----------
    concentration : ndarray of float64, shape (nz, ny, nx)
        In mol/m^3; that of a source in it, NaN where the species never is.
    inflow : dict of str to float
        From each source, in mol/s.
    uptake : dict of str or (str, str) to float
        In each phase or on each interface, in mol/s.
    effectiveness : dict of str or (str, str) to float
        Uptake of each phase over that at the largest concentration of the sources.
    unsupplied : float
        Share of the voxels in which the species could diffuse that no source reaches; there is
        none of it there.
    balance : float
        Inflow less uptake, over the uptake or what passes through.
    steps, iterations : int
        Of Newton, and of the linear solver in all.
    """

    concentration: NDArray[np.float64] = field(repr=False)
    inflow: dict[str, float]
    uptake: dict[str | tuple[str, str], float]
    effectiveness: dict[str | tuple[str, str], float]
    unsupplied: float
    balance: float
    steps: int
    iterations: int


def solve_uptake(
    micro: Microstructure,
    diffusivity: Mapping[str, float],
    uptake: Mapping[Any, Kinetics],
    sources: Mapping[str, float | Supply],
    *,
    partition: Mapping[str, float] | None = None,
    barriers: Mapping[tuple[str, str], float] | None = None,
    periodic: bool = False,
    tol: float = 1e-6,
    progress: Callable[[int, float], None] | None = None,
) -> Uptake:
    """Return the steady concentration of one species that diffuses and is taken up.

    `steady_state` does the same for several species at once.

    Parameters
    ----------
    micro : Microstructure
    diffusivity : mapping of str to float
        Of each phase in which the species diffuses, in m^2/s. Nothing enters the other phases.
    uptake : mapping of str or (str, str) to FirstOrder, MichaelisMenten or ZeroOrder
        How phases take it up, or interfaces between two phases.
    sources : mapping of str to float, Concentration, Flux or Exchange
        Phases, such as the medium or vessels, and faces of the box ("z_low" to "x_high"); a number
        is a concentration, in mol/m^3. Nothing passes the other faces.
    partition, barriers : mapping, optional
        As in `Species`.
    periodic : bool
        Whether the image repeats along all axes.
    tol : float
        As in `steady_state`.
    progress : callable, optional
        Called as ``progress(step, residual)``.

    Returns
    -------
    Uptake

    Raises
    ------
    ValueError
        If a name or number is not allowed, or nothing supplies the species.
    ConvergenceError
        If Newton's method does not reach the tolerance.

    Examples
    --------
    >>> import numpy as np
    >>> import microtwin as mt
    >>> micro = mt.Microstructure(np.ones((40, 2, 2), np.uint8), 1e-6, {"biofilm": 1})
    >>> rate = mt.reactions.FirstOrder(9 * 1e-9 / (40e-6) ** 2)  # a Thiele modulus of 3
    >>> found = mt.reactions.solve_uptake(
    ...     micro, {"biofilm": 1e-9}, {"biofilm": rate}, {"z_high": 0.25}
    ... )
    >>> round(found.effectiveness["biofilm"], 2), round(float(np.tanh(3)) / 3, 2)
    (0.33, 0.33)
    """
    if not uptake:
        raise ValueError("no phase takes up the species; give at least one, with its kinetics")
    one = Species(diffusivity, sources, partition or {}, barriers or {})
    reactions = [Reaction(place, {SPECIES: law}) for place, law in uptake.items()]
    phases = [place for place in uptake if isinstance(place, str) and place in micro.phase_names]
    if phases and len(phases) == len(uptake) and not any(micro.mask(name).any() for name in phases):
        raise ValueError(f"the image holds none of what takes up: {', '.join(map(repr, phases))}")
    found = steady_state(
        micro, {SPECIES: one}, reactions, periodic=periodic, tol=tol, progress=progress
    )
    state = found.species[SPECIES]
    return Uptake(
        state.concentration,
        state.inflow,
        {place: -amount for place, amount in state.made.items()},
        dict(zip(uptake, found.effectiveness, strict=True)),
        state.unsupplied,
        state.balance,
        found.steps,
        found.iterations,
    )
