"""Breakthrough of a tracer: what comes out of an image after a step or a pulse at its inlet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checking import is_number
from ..numerics import ConvergenceError, DirectedGrid, Field, GridOperator, correction
from ..numerics.threads import over_slabs, slab_bounds
from . import advection_kernels as kernels
from .column_solution import ColumnFit, fit_column
from .tracer_grids import TracerGrid

__all__ = ["Breakthrough", "grid_breakthrough"]

PORE_VOLUMES = 3.0  # by default, times the retardation
COURANT = 0.5  # of the volume of a voxel: what may leave it in a step, see the theory page
# Of the largest concentration times the volume: what a diffusion step may leave out of balance.
# It bounds how far a concentration can leave its range; nothing is lost by it.
RESIDUAL = 1e-10
ROUNDS = 8

Watch = Callable[[float, float], None]


@dataclass(frozen=True, eq=False)
class Breakthrough:
    """The concentration of what leaves an image over time.

    Concentrations are relative to that at the inlet, and averaged over the flow (flux
    concentration): what a sample of the effluent has.

    Parameters
    ----------
    times : ndarray of float64, shape (n,)
        Middle of each time step, in s.
    pore_volumes : ndarray of float64, shape (n,)
        Fluid that has passed until then, over that in the image.
    concentration : ndarray of float64, shape (n,)
        Mean over each time step.
    injected, left, stored, decayed : float
        Amounts of tracer at the end, over the concentration at the inlet, in m^3: what has
        entered, left, is dissolved or sorbed in the image, and has decayed.
    balance : float
        (left + stored + decayed) / injected - 1.
    lowest, highest : float
        Extremes over all voxels and steps.
    velocity : float
        Mean velocity in the fluid along the image, in m/s.
    diffusivity, retardation, decay : float
        The input, in m^2/s, 1 and 1/s.
    pulse : float or None
        Duration of the pulse in s; None for a step.
    length : float
        Of the image along the flow, in m.
    cell_peclet : float
        Largest flow through a face over its conductance for diffusion.
    numerical_share : float
        Share of the mixing that comes from the scheme and not from diffusion: of what half of the
        squares of the concentrations lose inside. About the share of the apparent dispersion.
    time_step : float
        In s.
    snapshots : ndarray of float32, shape (m, nz, ny, nx)
        Concentration at the times asked for; NaN where the tracer cannot go.
    snapshot_times : ndarray of float64, shape (m,)
        Ends of the time steps nearest to the times asked for.
    """

    times: NDArray[np.float64] = field(repr=False)
    pore_volumes: NDArray[np.float64] = field(repr=False)
    concentration: NDArray[np.float64] = field(repr=False)
    injected: float
    left: float
    stored: float
    decayed: float
    balance: float
    lowest: float
    highest: float
    velocity: float
    diffusivity: float
    retardation: float
    decay: float
    pulse: float | None
    length: float
    cell_peclet: float
    numerical_share: float
    time_step: float
    snapshots: NDArray[np.float32] = field(repr=False)
    snapshot_times: NDArray[np.float64] = field(repr=False)

    @property
    def message(self) -> str:
        """One sentence that says what was found, and whether the grid resolves it."""
        text = (
            f"After {self.pore_volumes[-1]:.3g} pore volumes the effluent has "
            f"{self.concentration[-1]:.3g} of the concentration at the inlet"
        )
        if self.numerical_share > 0.1:
            return (
                f"{text}; {100 * self.numerical_share:.0f} % of the mixing are the scheme, so use "
                "finer voxels, or read the dispersion as an upper bound."
            )
        return f"{text}; {100 * self.numerical_share:.1g} % of the mixing are the scheme."

    @cached_property
    def fit(self) -> ColumnFit:
        """Velocity and dispersion of the column with the same curve, see `fit_column`.

        Raises
        ------
        ValueError
            If the tracer decays, which the column does not know, or too little has arrived.
        """
        if self.decay > 0.0:
            raise ValueError(
                f"the column of the fit knows no decay, and this tracer decays at {self.decay:g} "
                "1/s; fit the curve without it"
            )
        return fit_column(self.times, self.concentration, self.length, self.retardation, self.pulse)


def grid_breakthrough(
    grid: TracerGrid,
    diffusivity: float,
    *,
    velocity: float | None = None,
    pulse: float | None = None,
    retardation: float = 1.0,
    decay: float = 0.0,
    pore_volumes: float | None = None,
    snapshots: Sequence[float] = (),
    watch: Watch | None = None,
) -> Breakthrough:
    """Let a tracer flow through a grid with ends. See `breakthrough` for an image and its flow.

    Parameters
    ----------
    grid : TracerGrid
        With an axis of `ends`.
    diffusivity, velocity, pulse, retardation, decay, pore_volumes, snapshots, watch
        As in `breakthrough`.

    Returns
    -------
    Breakthrough

    Raises
    ------
    ValueError
        For input that is not allowed.
    ConvergenceError
        If a diffusion step does not converge.
    """
    _check(grid, diffusivity, velocity, pulse, retardation, decay, pore_volumes, snapshots)
    flow = _Through(grid, velocity)
    total = (pore_volumes or PORE_VOLUMES * retardation) * grid.volume / flow.rate
    capacity = retardation * grid.volumes
    count = int(np.ceil(total / flow.longest_step(capacity)))
    step = total / count
    mixing = _Mixing(grid, capacity / step, diffusivity)
    keep = np.exp(-decay * step)
    there = grid.volumes > 0.0
    c = np.zeros(grid.shape)
    curve = np.empty(count)
    injected = left = decayed = 0.0
    lowest = highest = 0.0
    wanted = {max(1, min(count, round(t / step))): None for t in snapshots}
    pictures: list[NDArray[np.float32]] = []
    by_scheme = by_diffusion = 0.0
    before = 0.0
    for n in range(count):
        entering = 1.0 if pulse is None else float(np.clip(pulse / step - n, 0.0, 1.0))
        c, gone, work = flow.carry(c, entering, step, capacity)
        carried = _unevenness(c, capacity)
        c = mixing.mix(c)
        mixed = _unevenness(c, capacity)
        by_scheme += before - carried - work
        by_diffusion += carried - mixed
        lost = (1.0 - keep) * float((capacity * c).sum())
        c *= keep
        before = keep**2 * mixed
        curve[n] = gone / (flow.rate * step)
        injected += entering * flow.injection * step
        left += gone
        decayed += lost
        lowest, highest = min(lowest, float(c.min())), max(highest, float(c.max()))
        if n + 1 in wanted:
            pictures.append(np.where(there, c, np.nan).astype(np.float32))
        if watch is not None:
            watch((n + 1) * step * flow.rate / grid.volume, float(curve[n]))
    stored = float((capacity * c).sum())
    times = step * np.arange(0.5, count)
    return Breakthrough(
        times, times * flow.rate / grid.volume, curve, injected, left, stored, decayed,
        (left + stored + decayed) / injected - 1.0, lowest, highest, flow.velocity,
        float(diffusivity), float(retardation), float(decay), pulse, flow.length,
        flow.cell_number(diffusivity), max(0.0, by_scheme / (by_scheme + by_diffusion)), step,
        np.stack(pictures) if pictures else np.empty((0, *grid.shape), np.float32),
        step * np.array(sorted(wanted), float),
    )  # fmt: skip


class _Through:
    """The flow through a grid, and what it carries in one step.

    Fluid enters through the layer with more coming in than going out, wherever in it fluid is
    missing, and carries the concentration of the inlet. What leaves carries that of its voxel, and
    what comes back in at the outlet, too: no gradient there.
    """

    def __init__(self, grid: TracerGrid, velocity: float | None) -> None:
        assert grid.ends is not None
        self.axis = grid.ends
        self.length = grid.shape[self.axis] * grid.voxel_size[self.axis]
        missing = grid.outflow()
        ends = np.moveaxis(missing, self.axis, 0)
        low = float(ends[0].sum())
        rate = abs(low)
        factor = 1.0 if velocity is None else velocity * grid.volume / (rate * self.length)
        self.flows = tuple(factor * q for q in grid.flows)
        self.links = grid.links
        self.rate = factor * rate
        self.velocity = self.rate * self.length / grid.volume
        inlet, self.outlet = (0, -1) if low > 0.0 else (-1, 0)
        self.outlet %= len(ends)
        self.inflow, self.outflow = np.zeros(grid.shape), np.zeros(grid.shape)
        entry = np.moveaxis(self.inflow, self.axis, 0)
        exit_ = np.moveaxis(self.outflow, self.axis, 0)
        entry[inlet] = np.maximum(factor * ends[inlet], 0.0)
        exit_[inlet] = np.maximum(-factor * ends[inlet], 0.0)
        exit_[self.outlet] = -factor * ends[self.outlet]
        self.injection = float(self.inflow.sum())
        self.opened = tuple((g > 0.0) | (q != 0.0) for g, q in zip(self.links, self.flows))  # noqa: B905

    def longest_step(self, capacity: NDArray[np.float64]) -> float:
        """Return the longest step in which no voxel loses more than a part of what it holds."""
        leaving = np.maximum(self.outflow, 0.0)
        for axis, q in enumerate(self.flows):
            leaving += np.maximum(q, 0.0) + np.roll(np.maximum(-q, 0.0), 1, axis)
        carrying = leaving > 0.0
        return COURANT * float((capacity[carrying] / leaving[carrying]).min())

    def carry(
        self, c: NDArray[np.float64], entering: float, step: float, capacity: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], float, float]:
        """Return the concentrations after a step, what has left the grid, and its work.

        The work is what half of the squares of the concentrations lose at both ends.
        """
        # Two stages of Euler's method and their mean: Heun's method as Shu and Osher wrote it.
        weight = step * _inverse(capacity)
        rate, gone, work = self._rate(c, entering)
        middle = c + weight * rate
        rate, more, also = self._rate(middle, entering)
        half = 0.5 * step
        return 0.5 * (c + middle + weight * rate), half * (gone + more), half * (work + also)

    def _rate(
        self, c: NDArray[np.float64], entering: float
    ) -> tuple[NDArray[np.float64], float, float]:
        rate = entering * self.inflow
        for axis in range(3):
            _in_turns(
                kernels.carry, axis, rate, c, self.flows, self.opened, self.inflow, entering, axis
            )
        gone, work = kernels.leave(
            rate, c, self.outflow, self.opened, self.axis, self.outlet, 0.0, 1.0
        )
        return rate, gone, work - float((self.inflow * c * (entering - 0.5 * c)).sum())

    def cell_number(self, diffusivity: float) -> float:
        """Return the largest flow through a face over its conductance for diffusion."""
        links = tuple(diffusivity * g for g in self.links)
        return DirectedGrid(self.flows, links).largest_cell_number


class _Mixing:
    """Diffusion over one step without new extremes, whatever the step.

    As much of it as allows that, at most one half, is taken from the concentrations before the
    step, the rest from those after it: the scheme of Crank and Nicolson where voxels exchange
    little in a step, and Euler's implicit one where they exchange much.
    """

    def __init__(self, grid: TracerGrid, inertia: NDArray[np.float64], diffusivity: float) -> None:
        unit = diffusivity * max(float(g.max()) for g in grid.links)
        links = [diffusivity / unit * g for g in grid.links]
        self._inertia = inertia / unit
        self._weight = _inverse(self._inertia)
        exchanged = self._weight * sum(g + np.roll(g, 1, a) for a, g in enumerate(links))
        early = np.minimum(0.5, _inverse(exchanged))
        shares = [np.minimum(early, np.roll(early, -1, a)) for a in range(3)]
        self._before = tuple(e * g for e, g in zip(shares, links, strict=True))
        self._after = tuple((1.0 - e) * g for e, g in zip(shares, links, strict=True))
        gz, gy, gx = (g.astype(np.float32) for g in self._after)
        operator = GridOperator((gz, gy, gx))
        alone = np.where(self._inertia > 0.0, self._inertia, 1.0).astype(np.float32)
        self._operator = operator.with_mass(operator.load(alone))
        self._field = Field(self._operator)
        self._target = RESIDUAL * float(np.sqrt(np.square(self._inertia).sum()))

    def mix(self, c: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the concentrations after a step of diffusion."""
        earlier = np.zeros_like(c)
        _spread(earlier, c, self._before)
        mixed = c
        for _ in range(ROUNDS):
            moved = earlier.copy()
            _spread(moved, mixed, self._after)
            # What leaves one voxel enters the next: nothing is lost, however well this is solved.
            renewed = c - self._weight * moved
            residual = self._inertia * (renewed - mixed)
            norm = float(np.sqrt(np.square(residual).sum()))
            if norm <= self._target:
                return renewed
            scale = float(np.abs(residual).max())
            found: Any = correction(
                self._field, [self._operator.load((residual / scale).astype(np.float32))],
                0.5 * self._target / scale,
            )  # fmt: skip
            mixed = mixed + scale * self._operator.unload(found.parts[0], np.float64)
        raise ConvergenceError(
            f"a step of diffusion did not converge: {norm / self._target:.1e} times what is wanted "
            "is out of balance"
        )


def _in_turns(kernel: Callable[..., None], axis: int, out: NDArray, *args: Any) -> None:
    """Call a kernel that changes two planes at a time along axis 0, on threads."""
    slabs = slab_bounds(out.shape)
    for now in range(3 if axis == 0 else 1):
        over_slabs(kernel, slabs, out, *args, now)


def _spread(out: NDArray, c: NDArray, links: tuple[NDArray, ...]) -> None:
    """Add what leaves each voxel by diffusion."""
    for axis in range(3):
        _in_turns(kernels.spread, axis, out, c, links, axis)


def _unevenness(c: NDArray[np.float64], capacity: NDArray[np.float64]) -> float:
    """Return half of the sum of the squares, weighted with the capacity."""
    return 0.5 * float((capacity * c * c).sum())


def _inverse(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return one over each value, and 0 for 0."""
    return np.divide(1.0, values, out=np.zeros_like(values), where=values > 0.0)


def _check(
    grid: TracerGrid,
    diffusivity: float,
    velocity: float | None,
    pulse: float | None,
    retardation: float,
    decay: float,
    pore_volumes: float | None,
    snapshots: Sequence[float],
) -> None:
    if grid.ends is None:
        raise ValueError(
            "a breakthrough curve needs a grid with an inlet and an outlet, and this one repeats; "
            "name the axis of `ends` in tracer_grid"
        )
    for noun, value, unit in (
        ("velocity", velocity, "m/s"), ("pulse", pulse, "s"), ("pore_volumes", pore_volumes, "1"),
    ):  # fmt: skip
        if value is not None and not (is_number(value) and value > 0.0):
            raise ValueError(f"{noun} {value!r} is not allowed; give a number above 0, in {unit}")
    if not is_number(diffusivity) or not diffusivity > 0.0:
        raise ValueError(
            f"diffusivity {diffusivity!r} is not allowed; give a number above 0, in m^2/s"
        )
    if not is_number(retardation) or retardation < 1.0:
        raise ValueError(
            f"retardation {retardation!r} is not allowed; it is 1 for a tracer that is not sorbed, "
            "and more for one that is"
        )
    if not is_number(decay) or decay < 0.0:
        raise ValueError(f"decay {decay!r} is not allowed; give a rate of 0 or more, in 1/s")
    for time in snapshots:
        if not is_number(time) or time < 0.0:
            raise ValueError(f"a snapshot at {time!r} is not possible; give times from 0 up, in s")
    missing = np.moveaxis(grid.outflow(), grid.ends, 0)
    through = abs(float(missing[0].sum()))
    if not through > 1e-9 * float(np.abs(grid.flows[grid.ends]).max()):
        raise ValueError(
            "no fluid passes from one end to the other; use a flow that a pressure difference "
            "drives through a phase that percolates"
        )
