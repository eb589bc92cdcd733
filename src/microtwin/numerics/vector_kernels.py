"""Compiled kernels on flat vectors."""

from __future__ import annotations

from numba import njit

from microtwin.numerics.compiling import FAST

BLOCK = 4096  # entries summed in the precision of the vectors, before the sum in float64


@njit(**FAST)
def dot(first, end, u, v, sums):
    """Leave the product of blocks of two vectors in sums; block b begins at b BLOCK."""
    for block in range(first, end):
        total = u[0] * 0
        for q in range(block * BLOCK, min((block + 1) * BLOCK, u.shape[0])):
            total += u[q] * v[q]
        sums[block] = total


@njit(**FAST)
def combine(first, end, u, a, v, b):
    """Set u to a u + b v."""
    for q in range(first, end):
        u[q] = a * u[q] + b * v[q]
