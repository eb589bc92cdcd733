from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from microtwin.numerics import thread_count, threads


@pytest.fixture
def environment(monkeypatch):
    """Forget the number of threads before and after."""
    thread_count.cache_clear()
    yield monkeypatch
    thread_count.cache_clear()


@pytest.mark.parametrize("wish", ["0", "-1", "two", "1.5", "", " 2"])
def test_bad_number_of_threads_is_refused_with_a_remedy(environment, wish):
    environment.setenv("MICROTWIN_THREADS", wish)
    with pytest.raises(ValueError, match=r"MICROTWIN_THREADS=.*whole number from 1 up") as error:
        thread_count()
    assert repr(wish) in str(error.value)


def test_number_of_threads_from_the_environment(environment):
    environment.setenv("MICROTWIN_THREADS", "7")
    assert thread_count() == 7


def test_number_of_threads_by_default(environment):
    environment.delenv("MICROTWIN_THREADS", raising=False)
    assert thread_count() >= 1


@given(st.tuples(st.integers(1, 500), st.integers(1, 100), st.integers(1, 100)), st.integers(1, 16))
def test_slabs_cover_all_planes_once(shape, count):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threads, "thread_count", lambda: count)
        bounds = threads.slab_bounds(shape)
    assert bounds[0][0] == 0
    assert bounds[-1][1] == shape[0]
    assert all(a[1] == b[0] for a, b in pairwise(bounds))
    assert len(bounds) <= count
    if len(bounds) > 1:
        assert min(end - first for first, end in bounds) >= threads.THINNEST
        assert np.prod(shape) >= threads.SERIAL_SIZE


def test_slabs_run_all_and_pass_errors_on():
    done = []

    def work(first, end):
        done.append((first, end))
        if first == 2:
            raise ArithmeticError("slab 2")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threads, "thread_count", lambda: 3)
        with pytest.raises(ArithmeticError, match="slab 2"):
            threads.over_slabs(work, [(0, 2), (2, 4), (4, 6)])
    assert sorted(done) == [(0, 2), (2, 4), (4, 6)]
