"""Compiled kernels of ties between two fields (see `tied_fields`)."""

from __future__ import annotations

from numba import float32 as f4
from numba import njit

from microtwin.numerics.compiling import FAST


@njit(**FAST)
def gather_ties(within, first, second, conductance):
    """Set `within` to the conductance of the ties between the values of one voxel."""
    within[:] = 0
    for t in range(first.shape[0]):
        if first[t] == second[t]:
            within[first[t]] += f4(conductance[t])


@njit(**FAST)
def scatter(out, place, value, factor):
    """Add factor times each value to its place."""
    for t in range(place.shape[0]):
        out[place[t]] += f4(factor * value[t])


@njit(**FAST)
def add_ties(first, end, out, other, p, q, within):
    """Add what the ties within voxels do to the product of both fields."""
    for k in range(first, end):
        a, b, c, e, g = out[k], other[k], p[k], q[k], within[k]
        for i in range(a.shape[0]):
            flow = g[i] * (c[i] - e[i])
            a[i] += flow
            b[i] -= flow


@njit(**FAST)
def add_ties_across(out, other, p, q, first, second, conductance):
    """Add what the ties between different voxels do to the product of both fields."""
    for t in range(first.shape[0]):
        flow = conductance[t] * (p[first[t]] - q[second[t]])
        out[first[t]] += flow
        other[second[t]] -= flow
