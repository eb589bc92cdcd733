"""Newton's method for the balances of species, steady or in an implicit step in time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..numerics import Field, GridOperator, correction
from ..numerics.coupled_fields import coupled_correction
from ..numerics.krylov import ConvergenceError
from .system import Linearised, State, Storage, System, inner

__all__ = ["Solved", "newton"]

MOST_STEPS = 100
REDUCTION = 1e-3  # of the residual in a step of Newton's method
NEGLIGIBLE = 1e-6  # of what could flow in or is held: a balance this small is good enough
STALE = 0.1  # share of the diagonal that may change before coarse levels are made anew


@dataclass(frozen=True)
class Solved:
    """How Newton's method went.

    Parameters
    ----------
    steps, iterations : int
        Of Newton, and of the linear solver in all.
    residual : float
        Of what is the scale of the problem.
    """

    steps: int
    iterations: int
    residual: float


class _Fields:
    """The multigrid cycles of all species, from one step of Newton's method to the next."""

    def __init__(self, system: System) -> None:
        self.operators = [grid.operator for grid in system.grids]
        self.fields: list[Field] = []
        self.mass: list[NDArray[np.float32]] = []

    def correct(
        self, now: Linearised, norms: list[float], scale: list[float], tol: float
    ) -> tuple[list[NDArray[np.float32]], int]:
        """Return what is to be added to the state, and the number of iterations."""
        close = bool(self.fields) and all(
            float(np.abs(new - old).sum()) <= STALE * float(old.sum())
            for new, old in zip(now.mass, self.mass, strict=True)
        )
        operators = [o.sharing(m, False) for o, m in zip(self.operators, now.mass, strict=True)]
        if not close:
            return self._anew(operators, now, norms, scale, tol)
        fields = [Field(o, f.hierarchy) for o, f in zip(operators, self.fields, strict=True)]
        try:
            return _correct(fields, now, norms, scale, tol)
        except ConvergenceError:  # the coarse levels do not fit any more
            return self._anew(operators, now, norms, scale, tol)

    def _anew(
        self,
        operators: list[GridOperator],
        now: Linearised,
        norms: list[float],
        scale: list[float],
        tol: float,
    ) -> tuple[list[NDArray[np.float32]], int]:
        """Do the same with coarse levels of their own."""
        self.fields, self.mass = [Field(operator) for operator in operators], now.mass
        return _correct(self.fields, now, norms, scale, tol)


def _correct(
    fields: list[Field], now: Linearised, norms: list[float], scale: list[float], tol: float
) -> tuple[list[NDArray[np.float32]], int]:
    parts = [part.astype(np.float32) for part in now.residual]
    if len(fields) == 1:
        found = correction(fields[0], parts, max(REDUCTION * norms[0], 0.5 * tol * scale[0]))
        return found.parts, found.iterations
    weights = [1.0 / size for size in scale]
    started = np.sqrt(sum((norm * w) ** 2 for norm, w in zip(norms, weights, strict=True)))
    target = max(REDUCTION * started, 0.5 * tol)
    return coupled_correction(fields, now.ties, parts, target, weights)


def newton(
    system: System,
    state: State,
    tol: float,
    storage: Storage | None = None,
    progress: Callable[[int, float], None] | None = None,
) -> Solved:
    """Bring a state into balance, in place.

    Parameters
    ----------
    system : System
    state : list of vectors
        A first guess, not negative.
    tol : float
        Norm of what is out of balance over that of what flows in, is used up or changes.
    storage : Storage, optional
        A step in time; without it the state becomes steady.
    progress : callable, optional
        Called as ``progress(step, residual)``.

    Returns
    -------
    Solved

    Raises
    ------
    ConvergenceError
        If the tolerance is not reached.
    """
    iterations, fields, started = 0, _Fields(system), [0.0] * len(state)
    for step in range(MOST_STEPS + 1):
        now = system.linearised(state, storage)
        norms = [float(np.sqrt(inner(part, part))) for part in now.residual]
        if step == 0:
            started = _least_sizes(system, norms, storage)
        sizes = [max(pair) for pair in zip(now.sizes, started, strict=True)]
        scale = [size or max(sizes) or 1.0 for size in sizes]
        worst = max(norm / size for norm, size in zip(norms, scale, strict=True))
        if progress is not None:
            progress(step, worst)
        if worst <= tol:
            _settle(state, now)
            return Solved(step, iterations, worst)
        changes, count = fields.correct(now, norms, scale, tol)
        iterations += count
        for u, change in zip(state, changes, strict=True):
            u += change
            np.maximum(u, 0.0, out=u)
    raise ConvergenceError(
        f"after {MOST_STEPS} steps of Newton's method {worst:.1e} is out of balance "
        f"(wanted {tol:.1e}); loosen the tolerance"
    )


def _least_sizes(system: System, norms: list[float], storage: Storage | None) -> list[float]:
    """Return what the sizes of balances are at least.

    What is out of balance where the last step in time ended is what will change. Rounding sets a
    limit, too: of what could flow in and what is held, a tiny part need not be known; nor how fast
    a tiny concentration falls, such as that of a species that dies out.
    """
    out = []
    for s, grid in enumerate(system.grids):
        tiny = NEGLIGIBLE * system.largest[s]
        outflow = tiny * float(np.sqrt(inner(grid.supply, grid.supply)))
        bulk = max(float(np.sqrt(inner(grid.drive, grid.drive))), outflow)
        if storage is not None:
            held = float(np.sqrt(inner(storage.before[s], storage.before[s])))
            held = max(held, tiny * float(np.sqrt(system.there[s].sum())))
            bulk = max(bulk, storage.rate * system.square * held)
        out.append(max(NEGLIGIBLE * bulk, 0.0 if storage is None else norms[s]))
    return out


def _settle(state: State, now: Linearised) -> None:
    """Change each species by a tiny factor, so that all of it together is in balance."""
    pull = np.diag([inner(mass, u) for mass, u in zip(now.mass, state, strict=True)])
    for (s, t), tie in now.ties.items():
        pull[s, t] += inner(tie, state[t])
    missing = [float(part.sum()) for part in now.residual]
    for u, factor in zip(state, np.linalg.lstsq(pull, missing)[0], strict=True):
        u *= 1.0 + factor
