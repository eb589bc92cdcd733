"""Slabs of planes on a pool of threads. The compiled kernels release the interpreter lock."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

__all__ = ["even_shares", "over_slabs", "slab_bounds", "thread_count"]

SERIAL_SIZE = 150_000  # voxels: below this, handing work to a thread costs more than it saves
THINNEST = 14  # planes of the thinnest slab: the smoothing wave needs room (see `schedule`)


@cache
def thread_count() -> int:
    """Return the number of threads: MICROTWIN_THREADS if set, else the cores this process may use.

    Raises
    ------
    ValueError
        If MICROTWIN_THREADS is set and is not a positive whole number.
    """
    wish = os.environ.get("MICROTWIN_THREADS")
    if wish is None:
        return (
            len(os.sched_getaffinity(0))
            if hasattr(os, "sched_getaffinity")
            else os.cpu_count() or 1
        )
    if not wish.isdecimal() or int(wish) < 1:
        raise ValueError(f"MICROTWIN_THREADS={wish!r} is not allowed; use a whole number from 1 up")
    return int(wish)


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(thread_count() - 1, thread_name_prefix="microtwin")


if hasattr(os, "register_at_fork"):
    # Threads do not live on in a forked process: a worker process makes a pool of its own.
    os.register_at_fork(after_in_child=_pool.cache_clear)


def slab_bounds(shape: tuple[int, ...]) -> list[tuple[int, int]]:
    """Split the planes of a grid into at most one slab per thread.

    Parameters
    ----------
    shape : tuple of int
        (nz, ny, nx) of the grid.

    Returns
    -------
    list of (first, end)
        Ranges of planes that cover 0 ... nz.
    """
    size = shape[0] * shape[1] * shape[2]
    n = 1 if size < SERIAL_SIZE else max(1, min(thread_count(), shape[0] // THINNEST))
    return [(s * shape[0] // n, (s + 1) * shape[0] // n) for s in range(n)]


def even_shares(count: int) -> list[tuple[int, int]]:
    """Split a number of things into one range (first, end) per thread; for work without order."""
    n = max(1, min(thread_count(), count))
    return [(s * count // n, (s + 1) * count // n) for s in range(n)]


def over_slabs(kernel: Callable[..., Any], bounds: Sequence[tuple[int, ...]], *args: Any) -> None:
    """Call ``kernel(first, end, *args)`` for every slab, all at once, and wait for them.

    An exception in any slab is raised after all have finished.
    """
    others = [_pool().submit(kernel, *slab, *args) for slab in bounds[1:]]
    try:
        kernel(*bounds[0], *args)
    finally:
        for other in others:
            other.exception()
    for other in others:
        other.result()
