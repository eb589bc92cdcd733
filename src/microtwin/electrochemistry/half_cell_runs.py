"""Discharge, charge and cycles of a half cell: step sizes, ends of phases, and what is kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..numerics import ConvergenceError
from .checkpoints import save_checkpoint
from .half_cell_model import HalfCell
from .half_cell_records import HalfCellRun, Record
from .half_cell_state import Start, State, Step
from .protocols import ConstantVoltage, CurrentProfile, Phase, Rest
from .step_lengths import HOUR, SLOWEST, StepLengths
from .voltage_losses import losses
from .voltage_roots import crossing, start_from, tempered

__all__ = ["Stopped", "Watch", "run"]

SHORTEST = 1e-7  # hours at 1C: shorter steps are not tried
ACCURACY = 2e-4  # V: error of one step in time that is aimed at
HIT = 5e-4  # V: how closely the ends of phases are hit
HELD = 3e-5  # V: how closely constant voltages are, of which currents of short steps depend much
KNOWN = 1e-4  # of a current at constant voltage
STILL = 1e-5  # V: a voltage that moves by less stands
FAR = 0.05  # V: so much is not passed at once at the end of a phase
AT_ONCE = 1e-6  # hours at 1C
JUMP = 1e-6  # C
# Steps that have to be cut count so much, those that do not -1: where they go on, nothing comes.
CUT, MOST_CUTS = 4, 40
SAVED_EVERY = 10  # steps
DEPLETED = 0.02  # of the concentration at rest
FULL = 0.985  # stoichiometry at the surface, or that from the other end


class Stopped(RuntimeError):
    """A step could not be taken; what was reached before is kept."""


Watch = Callable[[Record], None]
Extract = Callable[[HalfCell, State], Any]


def run(
    cell: HalfCell,
    protocol: Sequence[Phase],
    *,
    keep: int = 0,
    extract: Extract | None = None,
    watch: Watch | None = None,
    checkpoint: str | Path | None = None,
    accuracy: float = ACCURACY,
) -> HalfCellRun:
    """Take a half cell through a protocol.

    Parameters
    ----------
    cell : HalfCell
        It is advanced to the end, and can go on from there.
    protocol : sequence of phases
    keep : int
        How many states to keep besides the last, evenly over the capacity; of those that pass
        through it more than once, each time.
    extract : callable, optional
        Called with the cell and each state that is to be kept; what it returns is kept instead. A
        state takes about 40 bytes per voxel.
    watch : callable, optional
        Called with the record of each step.
    checkpoint : path, optional
        File to which the state is written every ten steps, and at the end of every phase.
    accuracy : float
        Error of one step in time that is aimed at, in V.

    Returns
    -------
    HalfCellRun

    Raises
    ------
    ValueError
        If the protocol is empty.
    """
    if not protocol:
        raise ValueError("the protocol is empty; give one phase or more")
    runner = _Runner(cell, keep, extract or (lambda _, state: state), watch, accuracy, checkpoint)
    complete, ended = True, ""
    for number, phase in enumerate(protocol):
        try:
            ended = runner.go(number, phase)
        except Stopped as problem:
            complete, ended = False, str(problem)
        if checkpoint is not None:
            save_checkpoint(cell, checkpoint)
        if not complete:
            break
    runner.keep_last()
    kept = tuple(runner.kept)
    return HalfCellRun(tuple(runner.records), kept, tuple(runner.kept_at), cell, ended, complete)


class _Runner:
    def __init__(
        self,
        cell: HalfCell,
        keep: int,
        extract: Extract,
        watch: Watch | None,
        accuracy: float,
        checkpoint: str | Path | None,
    ) -> None:
        self.cell, self.extract, self.watch, self.accuracy = cell, extract, watch, accuracy
        self.checkpoint = checkpoint
        self.per_c = cell.capacity / HOUR  # A at 1C
        self.records: list[Record] = []
        self.kept: list[Any] = []
        self.kept_at: list[int] = []
        self.spacing = cell.capacity / keep if keep else np.inf
        self.phase = self.cuts = 0
        self._note(cell.state, Step(0.0, 0, 0, 0, 0.0, 0.0))

    def _note(self, state: State, step: Step) -> None:
        cell = self.cell
        section = cell.grid.cross_section
        record = Record(
            state.time,
            self.phase,
            state.voltage,
            state.applied / section,
            state.charge / HOUR / section,
            cell.mean_stoichiometry(state),
            losses(cell, state),
            step,
        )
        self.records.append(record)
        moved = np.inf
        if self.kept_at:
            last = self.records[self.kept_at[-1]].charge
            moved = abs(record.charge - last) * HOUR * section
        if np.isfinite(self.spacing) and moved >= self.spacing * (1.0 - 1e-9):
            self._keep(state)
        if self.watch is not None:
            self.watch(record)

    def _keep(self, state: State) -> None:
        self.kept.append(self.extract(self.cell, state))
        self.kept_at.append(len(self.records) - 1)

    def keep_last(self) -> None:
        """Keep the state at the end."""
        if not self.kept_at or self.kept_at[-1] != len(self.records) - 1:
            self._keep(self.cell.state)

    def go(self, number: int, phase: Phase) -> str:
        """Take the cell through one phase; return why it ended."""
        self.phase = number
        if isinstance(phase, ConstantVoltage):
            return self._hold(phase)
        if isinstance(phase, Rest):
            return self._follow(
                lambda _: 0.0, phase.time, (-np.inf, np.inf), (), f"rested for {phase.time:g} s"
            )
        low, high = self.cell.material.voltage_window
        if isinstance(phase, CurrentProfile):
            times, rates = np.asarray(phase.times, float), np.asarray(phase.c_rates, float)
            jumps = tuple(times[1:])
            return self._follow(
                # At a jump, what was before it: the next step begins after it.
                lambda t: float(np.interp(t - 1e-9 * times[-1], times, rates)) * self.per_c,
                float(times[-1]),
                phase.until_voltages or (low, high),
                jumps,
                "the current profile came to its end",
            )
        discharge = phase.c_rate > 0.0
        if phase.until_voltage is not None:
            low = high = phase.until_voltage
        limits = (low, np.inf) if discharge else (-np.inf, high)
        return self._follow(
            lambda _: phase.c_rate * self.per_c,
            np.inf if phase.until_time is None else phase.until_time,
            limits,
            (),
            f"{phase.until_time or 0.0:g} s had passed",
        )

    def _follow(
        self,
        current: Callable[[float], float],
        duration: float,
        limits: tuple[float, float],
        corners: Sequence[float],
        at_end: str,
    ) -> str:
        """Follow a given current until a voltage is reached or the time has passed.

        At a corner the current is that before it; `_after` looks beyond.
        """
        start = self.cell.state.time
        lengths = StepLengths(self.accuracy, self.per_c)
        if already := self._already_beyond(limits):
            return already
        self._turn(lengths, _after(current, 0.0, duration), bool(corners))
        while True:
            passed = self.cell.state.time - start
            ahead = [c for c in (*corners, duration) if c > passed * (1.0 + 1e-12) + 1e-9]
            if not ahead:
                return at_end
            length = lengths.length
            if ahead[0] - passed <= length * 1.001:
                length = ahead[0] - passed
            elif ahead[0] - passed < 2.0 * length:
                length = 0.5 * (ahead[0] - passed)
            state, step, length = self._try(
                lengths,
                length,
                lambda done, passed=passed: current(passed + done),  # type: ignore[misc]
            )
            voltage = state.voltage
            limit = self._passed(limits, voltage)
            if limit is not None:
                del state  # states take room
                return self._end_at(limit, length, voltage, current, passed, lengths)
            if lengths.refuses(state, step):
                continue
            self._accept(state, step, lengths)
            if any(abs(passed + length - c) <= 1e-9 * duration for c in corners):
                self._turn(lengths, _after(current, passed + length, duration), True)

    def _passed(self, limits: tuple[float, float], voltage: float) -> float | None:
        """Return the limit that a voltage has passed.

        It may stand at a limit from the start, as a full electrode does, where rounding or a rest
        is no reason to end.
        """
        moved = voltage - self.cell.state.voltage
        for limit, outwards in zip(limits, (-1.0, 1.0), strict=True):
            beyond = outwards * (voltage - limit)
            if beyond > HIT or (beyond > 0.0 and outwards * moved > STILL):
                return limit
        return None

    def _turn(self, lengths: StepLengths, applied: float, bends: bool) -> None:
        """Begin anew where the current jumps, with a short step where it bends, else go on.

        Over a bend no step may be of second order: the slope before it would go on in the charge.
        """
        now, before = self.cell.state, self.cell.before
        if before is None or abs(applied - now.applied) > JUMP * self.per_c:
            lengths.restart(now.applied, applied)
        elif bends or abs(now.applied - before.applied) > JUMP * self.per_c:
            lengths.resume(min(lengths.first(applied), self.cell.last_length), smooth=False)
        else:
            lengths.resume(self.cell.last_length, smooth=True)

    def _end_at(
        self,
        limit: float,
        whole: float,
        voltage: float,
        current: Callable[[float], float],
        passed: float,
        lengths: StepLengths,
    ) -> str:
        """Take the last step, shorter than one that passed a voltage; return what to say of it."""
        before = self.cell.state.voltage
        if abs(before - limit) <= HIT:
            return f"the voltage reached {limit:g} V"
        state, step = self._hit(whole, voltage, limit, current, passed, lengths.smooth)
        rate = state.applied / self.per_c
        at_once = AT_ONCE * HOUR / max(abs(rate), SLOWEST)
        driven = (before - limit) * rate > 0.0
        if driven and step.length <= at_once and abs(before - limit) > FAR:
            raise Stopped(
                f"a current of {rate:.3g} C takes the voltage from {before:.3f} V beyond "
                f"{limit:g} V at once: it is more than the electrode can carry"
            )
        self._accept(state, step, lengths)
        if abs(state.voltage - limit) <= HIT:
            return f"the voltage reached {limit:g} V"
        if (state.voltage - limit) * (before - limit) > 0.0:
            return f"the voltage falls off at {state.voltage:.3f} V, before {limit:g} V"
        return f"the voltage goes to {state.voltage:.3f} V at once, beyond {limit:g} V"

    def _already_beyond(self, limits: tuple[float, float]) -> str:
        """Return what to say where a phase begins beyond its limits: nothing is left of it to do.

        Where it is the first one, the cell was not made for it.
        """
        voltage = self.cell.state.voltage
        if limits[0] - HIT <= voltage <= limits[1] + HIT:
            return ""
        limit = limits[0] if voltage < limits[0] else limits[1]
        if len(self.records) == 1:
            raise Stopped(
                f"the cell is at {voltage:.3f} V, already beyond the limit of {limit:g} V"
            )
        return f"the voltage was at {voltage:.3f} V already, beyond {limit:g} V"

    def _try(
        self, lengths: StepLengths, length: float, current: Callable[[float], float]
    ) -> tuple[State, Step, float]:
        """Take a step, a shorter one where it fails."""
        while True:
            try:
                state, step = self.cell.advance(length, current(length), lengths.smooth)
                return state, step, length
            except ConvergenceError as problem:
                length *= 0.4
                lengths.length = length
                self._cut(length, current(length), problem)

    def _cut(self, length: float, applied: float, problem: ConvergenceError) -> None:
        """Note that a step had to be cut; end where it is too short, or too many had to be."""
        self.cuts += CUT
        shortest = SHORTEST * HOUR * self.per_c / max(abs(applied), self.per_c)
        if length < shortest or self.cuts > MOST_CUTS:
            raise Stopped(self._reason(str(problem))) from None

    def _hit(
        self,
        whole: float,
        voltage: float,
        limit: float,
        current: Callable[[float], float],
        passed: float,
        smooth: bool,
    ) -> tuple[State, Step]:
        """Return a step shorter than one that went to a voltage beyond the limit, and ends at it.

        If the voltage falls off a cliff, the step ends before it.
        """
        # Lengths, and by how much the voltage misses the limit after them.
        low, high = (0.0, self.cell.state.voltage - limit), (whole, voltage - limit)
        farther: tuple[float, float] | None = None
        near: Start | None = None
        for attempt in range(30):
            if high[0] - low[0] <= 1e-6 * whole:
                break
            length = crossing(low, high, farther, attempt % 4 == 2)
            try:
                state, step = self.cell.advance(
                    length, current(passed + length), smooth, near, closely=True
                )
            except ConvergenceError:
                high, farther, near = (length, high[1]), None, None
                continue
            miss = state.voltage - limit
            if abs(miss) <= HIT:
                return state, step
            near = start_from(state, miss)
            del state  # states take room
            if miss * high[1] < 0.0:
                low = (length, miss)
            else:
                high, farther = (length, miss), high
        length = low[0] or high[0]
        try:
            return self.cell.advance(length, current(passed + length), smooth, closely=True)
        except ConvergenceError as problem:
            raise Stopped(self._reason(str(problem))) from None

    def _accept(self, state: State, step: Step, lengths: StepLengths) -> None:
        self.cell.accept(state, step.length)
        self.cuts = max(self.cuts - 1, 0)
        lengths.took(state, step)
        self._note(state, step)
        if self.checkpoint is not None and len(self.records) % SAVED_EVERY == 0:
            save_checkpoint(self.cell, self.checkpoint)

    def _hold(self, phase: ConstantVoltage) -> str:
        """Hold a voltage: of each step the current is found between two that bracket it."""
        start = self.cell.state.time
        slope = -self._resistance()
        # What changes is the current; it counts as the voltage that it takes.
        lengths = StepLengths(self.accuracy, self.per_c, lambda state: state.applied)
        expected = (phase.voltage - self.cell.state.voltage) / slope
        lengths.restart(self.cell.state.applied, max(abs(expected), self.per_c))
        while True:
            passed = self.cell.state.time - start
            if phase.until_time is not None and passed >= phase.until_time * (1.0 - 1e-9):
                return f"{phase.until_time:g} s had passed"
            length = lengths.length
            if phase.until_time is not None:
                length = min(length, phase.until_time - passed)
            state, step, slope = self._at_voltage(lengths, length, phase.voltage, slope)
            lengths.volts = abs(slope)
            if lengths.refuses(state, step):
                continue
            self._accept(state, step, lengths)
            if abs(state.applied) <= phase.until_c_rate * self.per_c:
                return f"the current fell to {phase.until_c_rate:g} C"

    def _at_voltage(
        self, lengths: StepLengths, length: float, voltage: float, slope: float
    ) -> tuple[State, Step, float]:
        """Return the step that ends at a voltage, and how the voltage falls with the current.

        Secants, kept between a current that gives too much and one that gives too little as soon as
        both are known, and now and then halving.
        """
        now, before = self.cell.state, self.cell.before
        applied = now.applied + (voltage - now.voltage) / slope
        if lengths.smooth and before is not None:
            applied += (now.applied - before.applied) * length / self.cell.last_length
        low, high = -np.inf, np.inf  # currents that give too much and too little
        last: tuple[float, float] | None = None
        best: tuple[State, Step] | None = None
        tried, reached = applied, np.nan
        near: Start | None = None
        for attempt in range(40):
            tried = applied
            try:
                state, step = self.cell.advance(length, tried, lengths.smooth, near, True)
            except ConvergenceError as problem:
                # Too much in either direction, or too long.
                length *= 0.4
                self._cut(length, tried, problem)
                low, high, last, best, near = -np.inf, np.inf, None, None, None
                applied = 0.5 * (now.applied + tried)
                continue
            reached = state.voltage
            miss = tempered(reached - voltage)
            low, high = (tried, high) if miss > 0.0 else (low, tried)
            if best is None or abs(reached - voltage) < abs(best[0].voltage - voltage):
                best = state, step
            # Where the voltage is steep in the current, that is known before the voltage is.
            if abs(reached - voltage) <= HELD or high - low <= KNOWN * abs(tried):
                return *best, slope
            near = start_from(state, reached - voltage)
            if near is not None:  # which is overwritten, and the state may be the best one
                near = Start(near.solid.copy(), near.electrolyte.copy(), near.current)
            if last is not None and tried != last[0]:
                secant = (miss - last[1]) / (tried - last[0])
                slope = secant if secant < 0.0 else slope
            last = (tried, miss)
            reach = max(2.0 * abs(tried), self.per_c)
            applied = tried + min(max(-miss / slope, -reach), reach)
            known = np.isfinite(high - low)
            if known and (not low < applied < high or attempt % 3 == 2 < attempt):
                applied = 0.5 * (low + high)
        raise Stopped(
            f"no current gives {voltage:g} V; the last one tried, {tried / self.per_c:.2f} C, "
            f"gives {reached:.3f} V"
        )

    def _resistance(self) -> float:
        """Return a first guess of the resistance of the cell, in ohm."""
        cell, state = self.cell, self.cell.state
        parts = losses(cell, state)
        if state.applied != 0.0:
            return max(abs((parts.equilibrium - state.voltage) / state.applied), 1e-12)
        return 0.1 / self.per_c

    def _reason(self, problem: str) -> str:
        """Return why no step can be taken any more."""
        cell, state = self.cell, self.cell.state
        salt = state.salt / cell.electrolyte.concentration
        there = cell.grid.liquid_there > 0
        least = float(salt[there].min())
        where = f"at {state.time:.4g} s and {state.voltage:.3f} V"
        if least < DEPLETED:
            plane = int(np.argmin(np.where(there, salt, np.inf).min(axis=1)))
            depth = (plane + 0.5) * cell.grid.voxel_size[0] * 1e6
            return (
                f"the electrolyte is depleted {depth:.1f} um from the collector {where}: the "
                "current is more than it can carry"
            )
        if float(state.surface.max()) > FULL or float(state.surface.min()) < 1.0 - FULL:
            full = float(state.surface.max()) > FULL
            return f"the active material is {'full' if full else 'empty'} at its surface {where}"
        return f"no step could be taken {where}: {problem}"


def _after(current: Callable[[float], float], passed: float, duration: float) -> float:
    """Return the current just after a time, where it may jump."""
    return current(passed + (1e-8 * duration if np.isfinite(duration) else 0.0))
