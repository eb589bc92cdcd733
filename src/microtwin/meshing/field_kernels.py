"""Compiled kernels on phase fields; `phase_fields` says what they are."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..numerics.compiling import INNER, OPTIONS

NEAR = 1e-5  # residual of fields at which a point counts as on the interface
STRIDE = 0.5  # longest step of one projection, in voxels
STEPS = 12


class Fields(NamedTuple):
    """What the kernels know of the phases.

    Parameters
    ----------
    values : ndarray of float32, shape (nz, ny, nx, phases)
    steps : ndarray of float, shape (3,)
        Distance of the samples along (z, y, x) in units of length; the first lies half a step
        inside the box.
    offsets : ndarray of float, shape (phases,)
        Added to the fields before the largest wins.
    """

    values: NDArray[np.float32]
    steps: NDArray[np.float64]
    offsets: NDArray[np.float64]


@njit(**INNER)
def _cell(x, step, count):
    """Return the sample before a coordinate and how far the coordinate is on its way to the next.

    Beyond the outermost samples the fields go on unchanged.
    """
    u = min(max(x / step - 0.5, 0.0), count - 1.0)
    i = min(int(u), count - 2)
    return i, u - i


@njit(**INNER)
def sample(fields, z, y, x, out):
    """Interpolate all fields at a point, trilinearly; offsets included."""
    values = fields.values
    k, c = _cell(z, fields.steps[0], values.shape[0])
    j, b = _cell(y, fields.steps[1], values.shape[1])
    i, a = _cell(x, fields.steps[2], values.shape[2])
    for p in range(values.shape[3]):
        low = (1 - a) * values[k, j, i, p] + a * values[k, j, i + 1, p]
        high = (1 - a) * values[k, j + 1, i, p] + a * values[k, j + 1, i + 1, p]
        near = (1 - b) * low + b * high
        low = (1 - a) * values[k + 1, j, i, p] + a * values[k + 1, j, i + 1, p]
        high = (1 - a) * values[k + 1, j + 1, i, p] + a * values[k + 1, j + 1, i + 1, p]
        out[p] = (1 - c) * near + c * ((1 - b) * low + b * high) + fields.offsets[p]


@njit(**INNER)
def difference(fields, z, y, x, p, q, gradient):
    """Return field p less field q at a point, and write its gradient along (z, y, x)."""
    values, steps = fields.values, fields.steps
    nz, ny, nx = values.shape[0], values.shape[1], values.shape[2]
    k, c = _cell(z, steps[0], nz)
    j, b = _cell(y, steps[1], ny)
    i, a = _cell(x, steps[2], nx)
    d000 = values[k, j, i, p] - values[k, j, i, q]
    d001 = values[k, j, i + 1, p] - values[k, j, i + 1, q]
    d010 = values[k, j + 1, i, p] - values[k, j + 1, i, q]
    d011 = values[k, j + 1, i + 1, p] - values[k, j + 1, i + 1, q]
    d100 = values[k + 1, j, i, p] - values[k + 1, j, i, q]
    d101 = values[k + 1, j, i + 1, p] - values[k + 1, j, i + 1, q]
    d110 = values[k + 1, j + 1, i, p] - values[k + 1, j + 1, i, q]
    d111 = values[k + 1, j + 1, i + 1, p] - values[k + 1, j + 1, i + 1, q]
    e00, e01 = (1 - a) * d000 + a * d001, (1 - a) * d010 + a * d011
    e10, e11 = (1 - a) * d100 + a * d101, (1 - a) * d110 + a * d111
    f0, f1 = (1 - b) * e00 + b * e01, (1 - b) * e10 + b * e11
    gradient[0] = (f1 - f0) / steps[0] if _inside(z, steps[0], nz) else 0.0
    g0, g1 = e01 - e00, e11 - e10
    gradient[1] = ((1 - c) * g0 + c * g1) / steps[1] if _inside(y, steps[1], ny) else 0.0
    g0 = (1 - b) * (d001 - d000) + b * (d011 - d010)
    g1 = (1 - b) * (d101 - d100) + b * (d111 - d110)
    gradient[2] = ((1 - c) * g0 + c * g1) / steps[2] if _inside(x, steps[2], nx) else 0.0
    return (1 - c) * f0 + c * f1 + fields.offsets[p] - fields.offsets[q]


@njit(**INNER)
def _inside(x, step, count):
    return 0.5 * step <= x <= (count - 0.5) * step


@njit(**INNER)
def winner(fields, z, y, x, allowed, scratch):
    """Return the phase of the largest field at a point, among those whose bits are allowed."""
    sample(fields, z, y, x, scratch)
    best = -1
    for p in range(scratch.size):
        if allowed >> p & 1 and (best < 0 or scratch[p] > scratch[best]):
            best = p
    return best


@njit(**INNER)
def project(fields, phases, fixed, point, rows):
    """Move a point to where the fields of some phases are equal; return how unequal they are left.

    Newton's method with the shortest step that solves the linearised equations
    f_0 - f_i = 0 for i = 1, ... (one: an interface; two: a line; three: a point).

    Parameters
    ----------
    phases : int
        Their bits, at least two.
    fixed : int
        Bits of the axes along which the point may not move.
    point : ndarray, shape (3,)
        Changed in place.
    rows : ndarray, shape (4, 4)
        Scratch.
    """
    worst = np.inf
    for _ in range(STEPS):
        count = 0
        first = -1
        worst = 0.0
        for p in range(fields.values.shape[3]):
            if not phases >> p & 1:
                continue
            if first < 0:
                first = p
                continue
            if count == 3:
                break
            row = rows[count]
            row[3] = difference(fields, point[0], point[1], point[2], first, p, row)
            worst = max(worst, abs(row[3]))
            for d in range(3):
                if fixed >> d & 1:
                    row[d] = 0.0
            count += 1
        if worst < NEAR:
            return worst
        if not _step(rows, count, point):
            return worst
    return worst


@njit(**INNER)
def _step(rows, count, point):
    """Take the shortest step that makes up to three linear residuals vanish.

    The rows, residuals included, are made orthogonal one after another; one that is nearly a
    combination of those before it adds nothing that could be solved, and is left out.
    """
    step = rows[3]
    step[0] = step[1] = step[2] = 0.0
    moved = False
    for m in range(count):
        row = rows[m]
        before = row[0] ** 2 + row[1] ** 2 + row[2] ** 2
        for n in range(m):
            other = rows[n]
            length = other[0] ** 2 + other[1] ** 2 + other[2] ** 2
            if length > 0.0:
                share = (row[0] * other[0] + row[1] * other[1] + row[2] * other[2]) / length
                for d in range(4):
                    row[d] -= share * other[d]
        length = row[0] ** 2 + row[1] ** 2 + row[2] ** 2
        if length < 1e-8 or length < 1e-3 * before:
            row[0] = row[1] = row[2] = 0.0
            continue
        for d in range(3):
            step[d] -= row[3] / length * row[d]
        moved = True
    length = np.sqrt(step[0] ** 2 + step[1] ** 2 + step[2] ** 2)
    shrink = STRIDE / length if length > STRIDE else 1.0
    for d in range(3):
        point[d] += shrink * step[d]
    return moved


@njit(**OPTIONS)
def phases_at(first, end, fields, points, out):
    """Write the phase of the largest field at each point, shape (n, 3)."""
    scratch = np.empty(fields.values.shape[3])
    for n in range(first, end):
        out[n] = winner(fields, points[n, 0], points[n, 1], points[n, 2], -1, scratch)


@njit(**OPTIONS)
def count_samples(first, end, fields, mixed, parts, counts):
    """Count, in each plane of grid cells, how many of parts^3 samples per cell each phase wins.

    Parameters
    ----------
    mixed : ndarray of bool, shape (nz, ny, nx)
        Cells that need samples; the others are of the phase that wins at their centre.
    counts : ndarray of int64, shape (nz, phases)
    """
    scratch = np.empty(fields.values.shape[3])
    h = fields.steps
    for k in range(first, end):
        counts[k] = 0
        for j in range(mixed.shape[1]):
            for i in range(mixed.shape[2]):
                if not mixed[k, j, i]:
                    w = winner(
                        fields, (k + 0.5) * h[0], (j + 0.5) * h[1], (i + 0.5) * h[2], -1, scratch
                    )
                    counts[k, w] += parts**3
                    continue
                for c in range(parts):
                    for b in range(parts):
                        for a in range(parts):
                            z = (k + (c + 0.5) / parts) * h[0]
                            y = (j + (b + 0.5) / parts) * h[1]
                            x = (i + (a + 0.5) / parts) * h[2]
                            counts[k, winner(fields, z, y, x, -1, scratch)] += 1
