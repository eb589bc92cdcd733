"""Compiled kernels of ties between two fields (see `tied_fields`)."""

from __future__ import annotations

from numba import float32 as f4
from numba import float64 as f8
from numba import njit

from microtwin.numerics.compiling import FAST


@njit(**FAST)
def scatter(out, place, value, factor):
    """Add factor times each value to its place."""
    for t in range(place.shape[0]):
        out[place[t]] += f4(factor * value[t])


@njit(**FAST)
def gather_difference(p, q, first, second, conductance):
    """Return the sum over all ties of the conductance times the difference of both ends."""
    total = 0.0
    for t in range(first.shape[0]):
        total += f8(conductance[t]) * (f8(q[second[t]]) - f8(p[first[t]]))
    return total


@njit(**FAST)
def add_ties(out, other, p, q, first, second, conductance):
    """Add what the ties do to the product of both fields."""
    for t in range(first.shape[0]):
        flow = conductance[t] * (p[first[t]] - q[second[t]])
        out[first[t]] += flow
        other[second[t]] -= flow
