"""The order in which the planes of a grid are smoothed: all stages in one pass through memory.

Smoothing takes several stages, one after the other over the whole grid: preparation, half sweeps,
a finish that computes something from the result. A stage may treat a plane as soon as the stage
before has treated it and both its neighbours. So all stages run through a slab of planes together,
each one plane behind the one before, and find in the cache what the others have just used. At the
ends of a slab that leaves wedges open, which wait for the neighbouring slab.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from microtwin.numerics.kernels import FINISH, PREPARE, RELAX

__all__ = ["Schedule", "schedule", "single_stage"]

Task = tuple[int, int, int]


@dataclass(frozen=True, eq=False)
class Schedule:
    """Tasks for the kernel `smooth`.

    Parameters
    ----------
    tasks : ndarray of int64, shape (n, 3)
        What to do, in which form, and on which plane.
    rounds : tuple of lists of (first, end)
        Ranges of tasks. Those of one round may be done at the same time, the rounds one after
        the other.
    """

    tasks: NDArray[np.int64]
    rounds: tuple[list[tuple[int, int]], ...]


def schedule(
    nz: int,
    slabs: Sequence[tuple[int, int]],
    colours: Sequence[int],
    *,
    from_zero: bool,
    ring: bool,
) -> Schedule:
    """Return the tasks of one smoothing.

    Parameters
    ----------
    nz : int
        Number of planes.
    slabs : sequence of (first, end)
        Ranges of planes for the threads.
    colours : sequence of int
        The half sweeps after the preparation.
    from_zero : bool
        Whether smoothing starts from zero, which counts as a half sweep over colour 0, and ends
        with the restriction of the residual. Otherwise it starts with the correction from the
        coarse grid and ends with the energies.
    ring : bool
        Whether the last plane is linked to the first one.

    Returns
    -------
    Schedule
    """
    last, kind = len(colours), 0 if from_zero else 1
    stages = [(PREPARE, kind), *((RELAX, c) for c in colours)]
    # What the finish of a plane needs: its block, or itself, and the neighbours.
    if from_zero:
        needs = {kk: list(range(2 * kk - 1, 2 * kk + 3)) for kk in range((nz + 1) // 2)}
    else:
        needs = {k: [k - 1, k, k + 1] for k in range(nz)}
    if not ring:
        needs = {k: [n for n in planes if 0 <= n < nz] for k, planes in needs.items()}

    if min(b - a for a, b in slabs) < 2 * last + 6:  # too thin for a wave: stage after stage
        # Across an odd period the first plane has the colour of the last one and follows it, here
        # as at the seam below.
        tasks = [(*stage, k) for stage in stages for k in (*range(1, nz), 0)]
        tasks += [(FINISH, kind, k) for k in needs]
        return Schedule(np.array(tasks), ([(0, len(tasks))],))

    waves: list[list[Task]] = []
    seams: list[list[Task]] = []
    for a, b in slabs:
        low_wedge, high_wedge = ring or a > 0, ring or b < nz
        done = range(a + low_wedge * last, b - high_wedge * last)
        ready: dict[int, list[int]] = {}
        for k, planes in needs.items():
            if planes[0] in done and planes[-1] in done:
                ready.setdefault(planes[-1], []).append(k)
        wave = []
        for front in range(a, b + last):
            for number, stage in enumerate(stages):
                k = front - number
                if a + low_wedge * number <= k < b - high_wedge * number:
                    wave.append((*stage, k))
            wave += [(FINISH, kind, k) for k in ready.get(front - last, ())]
        waves.append(wave)
        if low_wedge:
            seam = [
                (*stages[number], k % nz)
                for number in range(1, last + 1)
                for k in range(a - number, a + number)
            ]
            wedge = {k % nz for k in range(a - last, a + last)}
            late = [k for k, planes in needs.items() if any(n % nz in wedge for n in planes)]
            seams.append(seam + [(FINISH, kind, k) for k in late])
    tasks, rounds = [], []
    for parts in (waves, seams):
        bounds = []
        for part in parts:
            bounds.append((len(tasks), len(tasks) + len(part)))
            tasks += part
        rounds.append(bounds)
    return Schedule(np.array(tasks), tuple(bounds for bounds in rounds if bounds))


def single_stage(
    what: int, detail: int, planes: int, slabs: Sequence[tuple[int, int]], late: Sequence[int] = ()
) -> Schedule:
    """Return the tasks of one stage alone.

    Parameters
    ----------
    what, detail : int
        The stage, see `kernels.smooth`.
    planes : int
        It treats the planes 0 up to here.
    slabs : sequence of (first, end)
        As many shares are made.
    late : sequence of int
        More planes, which wait for these.

    Returns
    -------
    Schedule
    """
    tasks = [(what, detail, k) for k in (*range(planes), *late)]
    n = len(slabs)
    shares = [(s * planes // n, (s + 1) * planes // n) for s in range(n)]
    rounds = [shares, [(planes, len(tasks))]] if late else [shares]
    return Schedule(np.array(tasks), tuple(rounds))
