"""The order of the tasks: nothing before what it needs, nothing twice, nothing forgotten."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microtwin.numerics.kernels import FINISH, PREPARE, RELAX
from microtwin.numerics.schedule import schedule, single_stage


def slabs_of(nz, n):
    return [(s * nz // n, (s + 1) * nz // n) for s in range(n)]


def planes_read(what, detail, k, nz, ring):
    """Return the planes whose values a task needs, itself left out."""
    if what == PREPARE:
        return []
    if what == RELAX:
        planes = [k - 1, k + 1]
    elif detail == 0:
        planes = range(2 * k - 1, 2 * k + 3)
    else:
        planes = [k - 1, k + 1]
    return [n % nz for n in planes if ring or 0 <= n < nz]


@given(
    st.integers(2, 80),
    st.integers(1, 4),
    st.sampled_from([1, 2, 3]),
    st.booleans(),
    st.booleans(),
)
def test_every_stage_finds_its_neighbours_at_the_stage_before(nz, n, sweeps, from_zero, ring):
    if n > nz:
        return
    colours = ((0, 1) * sweeps)[1:] if from_zero else (1, 0) * sweeps
    plan = schedule(nz, slabs_of(nz, n), colours, from_zero=from_zero, ring=ring)
    stage = [0] * nz  # stages that a plane has been through
    last = 1 + len(colours)
    finished = Counter()
    for tasks in plan.rounds:
        touched = []
        for first, end in tasks:
            written, read = set(), set()
            for what, detail, k in plan.tasks[first:end].tolist():
                others = planes_read(what, detail, k, nz, ring)
                read.update(others)
                if what == FINISH:
                    assert all(stage[p] == last for p in others)
                    finished[k] += 1
                    continue
                # On a ring of two planes both neighbours are the same plane.
                if nz > 2 or not ring:
                    assert all(stage[p] in (stage[k], stage[k] + 1) for p in others)
                stage[k] += 1
                written.add(k)
            touched.append((written, read))
        for a, (written, _) in enumerate(touched):
            for b, (others, read) in enumerate(touched):
                # What one thread writes, another neither writes nor reads in the same round.
                assert a == b or not written & (others | read)
    assert set(stage) == {last}
    assert finished == Counter(range((nz + 1) // 2 if from_zero else nz))


@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_single_stage_treats_every_plane_once(n):
    plan = single_stage(RELAX, 1, 17, slabs_of(17, n), (17,))
    assert [len(tasks) for tasks in plan.rounds] == [n, 1]
    planes = [plan.tasks[q, 2] for tasks in plan.rounds for a, b in tasks for q in range(a, b)]
    assert sorted(planes) == list(range(18))
