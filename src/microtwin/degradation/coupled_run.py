"""Lithium and stress that act on each other while an electrode is cycled.

Lithium swells the active material, which makes a stress; the stress shifts the potential of
lithium, which moves it (Larche & Cahn, Acta Metall. 21 (1973) 1051). The two are solved for in
turn: lithium takes a step under the stress at its start, then the stress follows. That is a
splitting of first order in the time between two stresses, on top of steps of second order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..electrochemistry import (
    ConstantCurrent,
    ConstantVoltage,
    CurrentProfile,
    HalfCell,
    HalfCellRun,
    Record,
    Rest,
    State,
    run,
)
from ..mechanics import ElasticImage, Solid
from ..microstructure import Microstructure
from .acting_stress import ActingStress, coupling_strength
from .lithium_strain import LithiumStrain

__all__ = ["CoupledRun", "coupled_run", "splitting_error"]

Phase = ConstantCurrent | ConstantVoltage | CurrentProfile | Rest

MOST_COUPLING = 1.0
COMPARED = 200  # points of two voltages


@dataclass(frozen=True, eq=False)
class CoupledRun:
    """A run in which stress acted on lithium.

    Parameters
    ----------
    run : HalfCellRun
        As `electrochemistry.run` returns it.
    times : ndarray, shape (n,)
        At which the stress was solved for, in s.
    mean_shift : ndarray, shape (n,)
        Of the open-circuit potential over the reacting surface, in V; below 0 where it is pressed.
    shift_change : ndarray, shape (n,)
        Root mean square, over that surface, of how much the shift has changed since the stress
        before, in V; of the first it is the shift itself.
    energy : ndarray, shape (n,)
        Elastic energy, in J/m^3 of the image.
    iterations : int
        Of the elastic solver in all.
    strength : float
        See `coupling_strength`.
    """

    run: HalfCellRun
    times: NDArray[np.float64] = field(repr=False)
    mean_shift: NDArray[np.float64] = field(repr=False)
    shift_change: NDArray[np.float64] = field(repr=False)
    energy: NDArray[np.float64] = field(repr=False)
    iterations: int
    strength: float


def coupled_run(
    cell: HalfCell,
    micro: Microstructure,
    materials: Mapping[str, Solid],
    protocol: Sequence[Phase],
    strain: LithiumStrain | float,
    *,
    reference: float,
    active: str = "active",
    others: Mapping[str, float | ArrayLike] | None = None,
    every: int = 1,
    tol: float = 1e-4,
    keep: int = 0,
    extract: Callable[[HalfCell, State], Any] | None = None,
    watch: Callable[[Record], None] | None = None,
    accuracy: float = 2e-4,
    **loads: Any,
) -> CoupledRun:
    """Take a half cell through a protocol while stress acts on its lithium.

    Parameters
    ----------
    cell : HalfCell
        Of the image; it is advanced to the end, and the last stress goes on to act in it.
    micro : Microstructure
    materials : mapping of str to Solid
        By phase; the others are void.
    protocol : sequence of phases
    strain, reference, active, others
        As in `ActingStress`.
    every : int
        Steps from one stress to the next.
    tol : float
        Of the elastic solver.
    keep, extract, watch, accuracy
        As in `electrochemistry.run`.
    **loads
        faces, mean_strain, mean_stress and interface of `ElasticImage`.

    Returns
    -------
    CoupledRun

    Raises
    ------
    ValueError
        If the coupling is so strong that turns do not converge, or an argument is not allowed.

    Notes
    -----
    mu = -F U(x) - Omega sigma_h: the open-circuit potential is shifted by Omega sigma_h / F
    (`stress_potential_shift`) at the surface and within, see `HalfCell.shift_potential`. Halve
    the interval, by `every` or `accuracy`, to see what splitting costs: `splitting_error`.
    """
    if isinstance(every, bool) or not isinstance(every, int) or every < 1:
        raise ValueError(f"every {every!r} is not allowed; give a whole number from 1 up")
    strain = strain if isinstance(strain, LithiumStrain) else LithiumStrain.linear(strain)
    if active not in materials:
        raise ValueError(f"{active!r} takes up lithium but has no material; give it one")
    strength = coupling_strength(cell, materials[active], strain)
    if strength >= MOST_COUPLING:
        raise ValueError(
            f"stress drives lithium {strength:.2g} times as much as its concentration does at some "
            f"stoichiometry; below {MOST_COUPLING:g} the two can be solved for in turn"
        )
    image = ElasticImage(micro, materials, **loads)
    acting = ActingStress(
        cell, image, strain, reference=reference, active=active, others=others, tol=tol
    )
    weight = cell.grid.area / cell.area
    rows: list[tuple[float, float, float, float]] = []
    steps = iterations = 0

    def accepted(record: Record) -> None:
        nonlocal steps, iterations
        if steps % every == 0:
            before = cell.potential_shift.copy()
            state = acting.renew()
            now = cell.potential_shift
            change = float(np.sqrt(np.square(now - before) @ weight))
            rows.append((record.time, float(now @ weight), change, state.energy))
            iterations += state.iterations
        steps += 1
        if watch is not None:
            watch(record)

    found = run(cell, protocol, keep=keep, extract=extract, watch=accepted, accuracy=accuracy)
    times, means, changes, energies = (np.array(part) for part in zip(*rows, strict=True))
    return CoupledRun(found, times, means, changes, energies, iterations, strength)


def splitting_error(run: CoupledRun, finer: CoupledRun) -> float:
    """Return what splitting costs the voltage of a run, from one with half its interval.

    Parameters
    ----------
    run, finer : CoupledRun
        Of the same protocol at constant current; `finer` with half the steps between stresses.

    Returns
    -------
    float
        Root mean square difference of both voltages over the charge that both reach, in V. As the
        splitting is of first order, about as much is left in `finer`, and twice that in `run`. What
        other steps in time change is in it.
    """
    first, second = run.run, finer.run
    end = min(float(np.abs(first.charge).max()), float(np.abs(second.charge).max()))
    at = np.linspace(0.0, 0.95 * end, COMPARED)
    one, other = (np.interp(at, np.abs(r.charge), r.voltage) for r in (first, second))
    return float(np.sqrt(np.square(one - other).mean()))
