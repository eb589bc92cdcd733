"""Lithium into and out of a particle, with the stress that it makes and that acts back on it.

Steps in time are TR-BDF2: the trapezoidal rule to a point within the step, then a backward
difference over both (Bank et al., IEEE Trans. Electron Devices 32 (1985) 1992), of second order and
damping whatever is fast. The error of a step is that against a formula of third order with the same
points (Hosea & Shampine, Appl. Numer. Math. 20 (1996) 21).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..checking import is_number
from ..numerics import ConvergenceError
from .elastic_particles import ElasticParticle
from .hosts import Host
from .particle_runs import ParticleRun
from .radial_diffusion import CONDITIONS, Inflow, RadialDiffusion

__all__ = ["charge_particle"]

Values = NDArray[np.float64]
Course = float | Callable[[float], float]

POINT = 2.0 - 2.0**0.5  # of the step: where the trapezoidal rule ends
OUTER = 2.0**0.5 / 4.0  # weight of the rates at the start and at that point
INNER = 0.5 * POINT  # weight of the rates that are solved for
ITERATIONS = 12
ACCURACY = 1e-12  # of Newton's method, over the largest concentration
FIRST = 0.01  # first step, in times of diffusion through a cell
SHORTEST = 1e-9  # of the whole time
GROWTH = 2.5
MOST_STEPS = 5000  # tried, where their length is chosen; smooth curves need some hundred
INSIDE = 1e-9  # of the time between jumps: a function that jumps is asked for so far from them


@dataclass(frozen=True)
class _Step:
    concentration: Values
    inflow: float
    taken: float
    error: Values


def charge_particle(
    particle: ElasticParticle,
    host: Host,
    initial: ArrayLike,
    duration: float,
    *,
    flux: Course | None = None,
    surface_concentration: Course | None = None,
    chemical_potential: Course | None = None,
    breaks: Sequence[float] = (),
    coupled: bool = True,
    cells: int = 60,
    tol: float = 1e-4,
    step: float | None = None,
) -> ParticleRun:
    """Return concentration and stress of a particle that takes up or gives off lithium.

    Give one of `flux`, `surface_concentration` and `chemical_potential`, as a number or as a
    function of the time in s.

    Parameters
    ----------
    particle : ElasticParticle
    host : Host
    initial : float or array, shape (cells,)
        Concentration at the start, in mol/m^3; an array has the mean of each cell from the centre.
    duration : float
        In s. The run ends before if the surface can take or give no more.
    flux : float or callable
        Into the particle through its surface, in mol/(m^2 s); negative while lithium leaves.
    surface_concentration : float or callable
        In mol/m^3.
    chemical_potential : float or callable
        Of lithium at the surface, its stress included, in J/mol, counted as that of `Host`: with an
        open-circuit potential -F V for a voltage V against lithium. The concentration at the
        surface then follows from the stress there, which changes as the particle fills.
    breaks : sequence of float
        Times at which the function jumps, in s; steps end there.
    coupled : bool
        Whether stress acts on the lithium. Without it stress is only computed.
    cells : int
        Along the radius.
    tol : float
        Error of the concentration in one step, over the largest difference within the particle.
    step : float, optional
        Length of each step in s; by default it follows from `tol`.

    Returns
    -------
    ParticleRun

    Raises
    ------
    ValueError
        If an argument is not allowed, or no concentration has the chemical potential.
    ConvergenceError
        If Newton's method fails however short the step, or there would be too many of them.

    Notes
    -----
    The flux is -D (grad c - Omega grad sigma_h / (d mu / d c)), which for an ideal solution is
    -D (1 + theta c) grad c: see `stress_coupling`, and Zhang, Shyy & Sastry, J. Electrochem. Soc.
    154 (2007) A910. The scheme conserves lithium; `ParticleRun.balance` tells how exactly.

    Examples
    --------
    >>> from microtwin.mechanics import ElasticParticle, Host, charge_particle
    >>> spinel = ElasticParticle(5e-6, 10e9, 0.3, 3.497e-6)
    >>> host = Host(7.08e-15, 2.29e4)
    >>> alone = charge_particle(spinel, host, 5e3, 1000.0, flux=1e-5, coupled=False)
    >>> both = charge_particle(spinel, host, 5e3, 1000.0, flux=1e-5)
    >>> bool(both.stress.peak_tension[-1] < 0.95 * alone.stress.peak_tension[-1])
    True
    """
    courses = dict(zip(CONDITIONS, (flux, surface_concentration, chemical_potential), strict=True))
    condition, course = _given(courses)
    start = _initial(host, initial, cells)
    jumps = _times(duration, breaks)
    for name, value in (("tol", tol), ("step", 1.0 if step is None else step)):
        if not (is_number(value) and value > 0.0):
            raise ValueError(f"{name} {value!r} is not allowed; give a number above 0")
    equations = RadialDiffusion(particle, host, cells, coupled, condition)
    return _Charging(equations, course, tol, step).run(start, jumps)


def _given(courses: dict[str, Course | None]) -> tuple[str, Callable[[float], float]]:
    named = [(name, value) for name, value in courses.items() if value is not None]
    if len(named) != 1:
        raise ValueError(
            f"{len(named)} conditions are given at the surface; give one of {', '.join(CONDITIONS)}"
        )
    name, value = named[0]

    def course(time: float) -> float:
        found = value(time) if callable(value) else value
        if isinstance(found, np.ndarray) and found.ndim == 0:
            found = found.item()  # as numpy.where returns it
        if not is_number(found) or (name == "surface_concentration" and found < 0.0):
            raise ValueError(
                f"{name} {found!r} at {time:.6g} s is not allowed; give finite numbers"
                + (", none negative" if name == "surface_concentration" else "")
            )
        return float(found)

    return name, course


def _initial(host: Host, initial: ArrayLike, cells: int) -> Values:
    if isinstance(cells, bool) or not isinstance(cells, int) or cells < 4:
        raise ValueError(f"cells {cells!r} is not allowed; give a whole number from 4 on")
    c = np.asarray(initial, float)
    most = np.inf if host.maximum_concentration is None else host.maximum_concentration
    if c.shape not in ((), (cells,)) or not (np.isfinite(c) & (c >= 0.0) & (c <= most)).all():
        raise ValueError(
            f"initial concentrations {initial!r} are not allowed; give a number or one for each of "
            f"the {cells} cells, from 0 to {most:g} mol/m^3"
        )
    return np.broadcast_to(c, (cells,)).copy()


def _times(duration: float, breaks: Sequence[float]) -> list[float]:
    if not (is_number(duration) and duration > 0.0):
        raise ValueError(f"duration {duration!r} is not allowed; give a number above 0, in s")
    if not all(is_number(time) and 0.0 < time < duration for time in breaks):
        raise ValueError(
            f"breaks {breaks!r} are not allowed; give times above 0 and below {duration:g} s"
        )
    return [0.0, *sorted({float(time) for time in breaks}), float(duration)]


class _Charging:
    """A run under way: what is known so far, and how long steps may be."""

    def __init__(
        self,
        equations: RadialDiffusion,
        course: Callable[[float], float],
        tol: float,
        fixed: float | None,
    ) -> None:
        self.equations, self.course, self.tol, self.fixed = equations, course, tol, fixed
        most = equations.host.maximum_concentration
        self.most = np.inf if most is None else most
        self.span = (0.0, 0.0)
        self.spread = 0.0
        self.tried = 0
        self.rows: list[tuple[float, Values, float, float, float]] = []

    def run(self, start: Values, jumps: list[float]) -> ParticleRun:
        self.span = (0.0, jumps[1])
        given = self._given(0.0)
        surface = self.equations.surface(start, given)
        if not self._allows(start, surface):
            raise ValueError(
                f"the surface would have {surface:.4g} mol/m^3 at once, which is not between 0 and "
                f"{self.most:g}; give a smaller flux, another concentration, or more cells"
            )
        inflow = self.equations.inflow(start, given).value
        self.rows.append((0.0, start, surface, inflow, 0.0))
        self.spread = self._spread(start, surface)
        ended: Literal["time", "full", "empty"] = "time"
        for begin, end in pairwise(jumps):
            self.span = (begin, end)
            ended = self._segment(SHORTEST * jumps[-1])
            if ended != "time":
                break
        times, c, surfaces, fluxes, taken = map(np.array, zip(*self.rows, strict=True))
        e = self.equations
        return ParticleRun(e.particle, e.host, times, e.edges, c, surfaces, fluxes, taken, ended)

    def _segment(self, shortest: float) -> Literal["time", "full", "empty"]:
        """Go on to the end of the span, or to where the surface can take or give no more."""
        time, end = self.span
        c, taken = self.rows[-1][1], self.rows[-1][4]
        first = FIRST * self.equations.width**2 / float(self.equations.diffusivity(c).max())
        length = self.fixed or first
        while time < end:
            self._count(time)
            left = end - time
            # No last step that is much shorter than the others.
            h = left if left <= 1.001 * length else min(length, 0.5 * left)
            step, surface = None, np.nan
            try:
                step = self._step(c, time, h)
                surface = self.equations.surface(step.concentration, self._given(time + h))
            except ConvergenceError:
                if h <= min(shortest, 1e-3 * first):
                    raise
            if step is None or not self._allows(step.concentration, surface):
                if step is not None and h <= min(shortest, 1e-3 * first):
                    return "full" if step.inflow > 0.0 else "empty"
                length = 0.5 * h
                continue
            spread = self._spread(step.concentration, surface)
            error = float(np.abs(step.error).max()) / (self.tol * max(self.spread, spread))
            if self.fixed is None and error > 1.0:
                length = h * max(0.2, 0.9 * error ** (-1.0 / 3.0))
                continue
            time = end if h == left else time + h
            c, taken = step.concentration, taken + step.taken
            self.spread = max(self.spread, spread)
            self.rows.append((time, c, surface, step.inflow, taken))
            growth = min(GROWTH, 0.9 * max(error, 1e-12) ** (-1.0 / 3.0))
            length = self.fixed or max(growth, 0.2) * h
        return "time"

    def _count(self, time: float) -> None:
        self.tried += 1
        if self.fixed is None and self.tried > MOST_STEPS:
            raise ConvergenceError(
                f"after {MOST_STEPS} steps only {time:.6g} s are reached: diffusivities change too "
                "steeply with the concentration; give smoother curves, a larger tol, or more cells"
            )

    def _step(self, c: Values, time: float, h: float) -> _Step:
        e = self.equations
        start = e.inflow(c, self._given(time)).value
        before = e.rates(c, start)
        between, middle, _ = self._solve(c + INNER * h * before, c, time + POINT * h, h)
        at_point = (between - c) / (INNER * h) - before
        known = c + OUTER * h * (before + at_point)
        after, final, solved = self._solve(known, between, time + h, h)
        at_end = (after - known) / (INNER * h)
        # Against the weights (1 - w) / 3, (1 + 3 w) / 3, d / 3 of third order; solved once more, so
        # that what is fast does not count.
        error = h * (
            (4.0 * OUTER - 1.0) / 3.0 * before - at_point / 3.0 + 2.0 * INNER / 3.0 * at_end
        )
        amount = OUTER * (start + middle.value) + INNER * final.value
        return _Step(after, final.value, h * amount * e.particle.surface, solved(error))

    def _solve(
        self, known: Values, guess: Values, time: float, h: float
    ) -> tuple[Values, Inflow, Callable[[Values], Values]]:
        """Return c = known + d h rates(c), the flux into it, and the solver of its derivative."""
        e, given, c = self.equations, self._given(time), guess
        for _ in range(ITERATIONS):
            inflow = e.inflow(c, given)
            solved = e.implicit(c, inflow, INNER * h)
            change = solved(known + INNER * h * e.rates(c, inflow.value) - c)
            c = c + change
            if float(np.abs(change).max()) <= ACCURACY * float(np.abs(c).max()):
                return c, e.inflow(c, given), solved
        raise ConvergenceError(
            f"the concentration at {time:.6g} s is not found; give curves that are smoother, or a "
            "smaller flux"
        )

    def _given(self, time: float) -> float:
        low, high = self.span
        inside = INSIDE * (high - low)
        return self.course(min(max(time, low + inside), high - inside))

    def _allows(self, c: Values, surface: float) -> bool:
        slack = 1e-9 * float(np.abs(c).max())
        places = (float(c.min()), surface, float(c.max()))
        return all(-slack <= place <= self.most for place in places)

    def _spread(self, c: Values, surface: float) -> float:
        mean = float(self.equations.shares @ c)
        # Where all is even, rounding is left.
        return max(float(np.abs(c - mean).max()), abs(surface - mean), 1e-9 * abs(mean), 1e-300)
