"""Compiled kernels on sparse matrices of 3 x 3 blocks, and interpolation by one weight for each."""

from __future__ import annotations

import numpy as np
from numba import njit

from microtwin.numerics.compiling import ALLOCATING, FAST, INNER
from microtwin.numerics.typed_kernels import position


@njit(**ALLOCATING)
def coarse_row_sizes(first, end, up, matrix, down, count, sizes, starts, columns):
    """Count the blocks in rows of the next matrix, and list their columns where there is room.

    `up` lists the children of each coarse unknown, `matrix` the neighbours of each unknown and
    `down` its parents, each as (starts, columns).
    """
    seen = np.full(count, -1, np.int32)
    for a in range(first, end):
        n, at = 0, starts[a]
        for s in range(up[0][a], up[0][a + 1]):
            i = up[1][s]
            for t in range(matrix[0][i], matrix[0][i + 1]):
                j = matrix[1][t]
                for r in range(down[0][j], down[0][j + 1]):
                    b = down[1][r]
                    if seen[b] != a:
                        seen[b] = a
                        if columns.shape[0] > 0:
                            columns[at + n] = b
                        n += 1
        if columns.shape[0] > 0:
            columns[at : at + n].sort()
        sizes[a] = n


@njit(**ALLOCATING)
def coarse_rows(first, end, up, matrix, down, count, starts, columns, values):
    """Set the blocks of rows of the next matrix; up and down hold weights as third part."""
    spot = np.zeros(count, np.int64)
    for a in range(first, end):
        for s in range(starts[a], starts[a + 1]):
            spot[columns[s]] = s
        for s in range(up[0][a], up[0][a + 1]):
            i, v = up[1][s], up[2][s]
            for t in range(matrix[0][i], matrix[0][i + 1]):
                j = matrix[1][t]
                for r in range(down[0][j], down[0][j + 1]):
                    at, w = spot[down[1][r]], v * down[2][r]
                    for c in range(3):
                        for d in range(3):
                            values[at, c, d] += w * matrix[2][t, c, d]


@njit(**FAST)
def interpolate(first, end, out, u, starts, columns, weight):
    """Add to out, flat blocks of three, what u says through rows of weights."""
    for i in range(first, end):
        z, y, x = out[3 * i], out[3 * i + 1], out[3 * i + 2]
        for s in range(starts[i], starts[i + 1]):
            j, w = 3 * columns[s], weight[s]
            z += w * u[j]
            y += w * u[j + 1]
            x += w * u[j + 2]
        out[3 * i], out[3 * i + 1], out[3 * i + 2] = z, y, x


@njit(**INNER)
def _row(i, starts, columns, values, u):
    z = u[0] * 0
    y, x = z, z
    for s in range(starts[i], starts[i + 1]):
        j = 3 * columns[s]
        p, q, r = u[j], u[j + 1], u[j + 2]
        z += values[s, 0, 0] * p + values[s, 0, 1] * q + values[s, 0, 2] * r
        y += values[s, 1, 0] * p + values[s, 1, 1] * q + values[s, 1, 2] * r
        x += values[s, 2, 0] * p + values[s, 2, 1] * q + values[s, 2, 2] * r
    return z, y, x


@njit(**FAST)
def multiply(first, end, out, starts, columns, values, u):
    """Set out to the matrix times u."""
    for i in range(first, end):
        out[3 * i], out[3 * i + 1], out[3 * i + 2] = _row(i, starts, columns, values, u)


@njit(**INNER)
def _block(inverse, i, z, y, x):
    b = inverse[i]
    return (
        b[0, 0] * z + b[0, 1] * y + b[0, 2] * x,
        b[1, 0] * z + b[1, 1] * y + b[1, 2] * x,
        b[2, 0] * z + b[2, 1] * y + b[2, 2] * x,
    )


@njit(**FAST)
def descend(first, end, d, rhs, u, affine, starts, columns, values, inverse, a, b):
    """Set d to a d + b D^-1 (rhs - affine - A u); rows with affine of no length have none."""
    for i in range(first, end):
        z, y, x = _row(i, starts, columns, values, u)
        z, y, x = rhs[3 * i] - z, rhs[3 * i + 1] - y, rhs[3 * i + 2] - x
        if affine.shape[0] > 0:
            z, y, x = z - affine[3 * i], y - affine[3 * i + 1], x - affine[3 * i + 2]
        z, y, x = _block(inverse, i, z, y, x)
        d[3 * i] = a * d[3 * i] + b * z
        d[3 * i + 1] = a * d[3 * i + 1] + b * y
        d[3 * i + 2] = a * d[3 * i + 2] + b * x


@njit(**FAST)
def scaled(first, end, d, rhs, inverse, b):
    """Set d to b D^-1 rhs."""
    for i in range(first, end):
        z, y, x = _block(inverse, i, rhs[3 * i], rhs[3 * i + 1], rhs[3 * i + 2])
        d[3 * i], d[3 * i + 1], d[3 * i + 2] = b * z, b * y, b * x


@njit(**FAST)
def hold(first, end, starts, columns, values, held):
    """Take the components that are held out of some rows of a matrix."""
    for i in range(first, end):
        for s in range(starts[i], starts[i + 1]):
            for c in range(3):
                for d in range(3):
                    if held[i, c] or held[columns[s], d]:
                        values[s, c, d] = 0.0


@njit(**FAST)
def own_blocks(first, end, starts, columns, values, blocks):
    """Copy the diagonal blocks."""
    for i in range(first, end):
        at = position(columns, starts[i], starts[i + 1], i)
        for c in range(3):
            for d in range(3):
                blocks[i, c, d] = values[at, c, d]


@njit(**FAST)
def row_norms(first, end, starts, columns, values, scale, norms):
    """Set the sums of the norms of blocks in rows, of the matrix over the traces of its own."""
    for i in range(first, end):
        norms[i] = 0.0
        for s in range(starts[i], starts[i + 1]):
            square = 0.0
            for c in range(3):
                for d in range(3):
                    square += values[s, c, d] ** 2
            both = scale[i] * scale[columns[s]]
            if both > 0.0:
                norms[i] += np.sqrt(3.0 * square / both)
