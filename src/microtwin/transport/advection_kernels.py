"""Compiled loops that let a flow carry a tracer from voxel to voxel, without new extremes."""

from __future__ import annotations

from numba import njit

from ..numerics.compiling import FAST, INNER

__all__ = ["carry", "leave", "spread"]


@njit(**INNER)
def _slope(before, here, after):
    """Return what a face lies above the voxel upstream: the limiter of van Leer."""
    rise, next_rise = here - before, after - here
    product = rise * next_rise
    if product <= 0.0:
        return 0.0
    return product / (rise + next_rise)


@njit(**INNER)
def turn(k, planes, axis):
    """Return in which of three turns the faces after the voxels of a plane are done.

    Faces along axis 0 change two planes. In a turn no two of them change the same one, so that
    threads do not meet, and sums have the same order whatever their number.
    """
    if axis > 0:
        return 0
    return 2 if k == planes - 1 else k % 2


@njit(**FAST)
def carry(first, end, rate, c, flows, opened, inflow, entering, axis, now):
    """Add to rate what the flow along an axis brings into each voxel less what it takes.

    Only the faces of turn `now` are done. Values on faces are those upstream with a limited slope.
    ``opened`` tells through which faces voxels see each other; where the voxel upstream has none
    before it, what enters the grid there takes its place, or the slope is zero.
    """
    nz, ny, nx = c.shape
    flow, seen = flows[axis], opened[axis]
    n = (nz, ny, nx)[axis]
    for k in range(first, end):
        if turn(k, nz, axis) != now:
            continue
        for j in range(ny):
            for i in range(nx):
                q = flow[k, j, i]
                if q == 0.0:
                    continue
                at = (k, j, i)[axis]
                up = (at + 1 if at < n - 1 else 0) if q < 0.0 else at
                down = at if q < 0.0 else (at + 1 if at < n - 1 else 0)
                if q < 0.0:
                    far = up + 1 if up < n - 1 else 0
                    gate = up
                else:
                    far = up - 1 if up > 0 else n - 1
                    gate = far
                if axis == 0:
                    u, d, f, g = (up, j, i), (down, j, i), (far, j, i), (gate, j, i)
                elif axis == 1:
                    u, d, f, g = (k, up, i), (k, down, i), (k, far, i), (k, gate, i)
                else:
                    u, d, f, g = (k, j, up), (k, j, down), (k, j, far), (k, j, gate)
                value = c[u]
                if seen[g]:
                    value += _slope(c[f], c[u], c[d])
                elif inflow[u] > 0.0:
                    value += _slope(entering, c[u], c[d])
                rate[u] -= abs(q) * value
                rate[d] += abs(q) * value


@njit(**FAST)
def leave(rate, c, outflow, opened, axis, layer, low, high):
    """Take from rate what leaves the grid; return how much that is, and its work.

    The work is what half of the squares of the concentrations lose by it. The value on the outer
    face follows from the slope before it, within the bounds given.
    """
    n = c.shape[axis]
    total = work = 0.0
    for k in range(c.shape[0]):
        for j in range(c.shape[1]):
            for i in range(c.shape[2]):
                q = outflow[k, j, i]
                if q == 0.0:
                    continue
                at = (k, j, i)[axis]
                value = c[k, j, i]
                if at == layer:
                    before = at - 1 if layer > 0 else at + 1
                    gate = at - 1 if layer > 0 else at
                    if axis == 0:
                        f, g = (before, j, i), (gate, j, i)
                    elif axis == 1:
                        f, g = (k, before, i), (k, gate, i)
                    else:
                        f, g = (k, j, before), (k, j, gate)
                    if n > 1 and opened[axis][g]:
                        value += 0.5 * (value - c[f])
                    value = min(max(value, low), high)
                rate[k, j, i] -= q * value
                total += q * value
                work += q * c[k, j, i] * (value - 0.5 * c[k, j, i])
    return total, work


@njit(**FAST)
def spread(first, end, out, c, links, axis, now):
    """Add what leaves each voxel by diffusion along an axis; only the faces of turn `now`."""
    nz, ny, nx = c.shape
    link = links[axis]
    for k in range(first, end):
        if turn(k, nz, axis) != now:
            continue
        for j in range(ny):
            for i in range(nx):
                g = link[k, j, i]
                if g > 0.0:
                    if axis == 0:
                        after = (k + 1 if k < nz - 1 else 0, j, i)
                    elif axis == 1:
                        after = (k, j + 1 if j < ny - 1 else 0, i)
                    else:
                        after = (k, j, i + 1 if i < nx - 1 else 0)
                    moved = g * (c[k, j, i] - c[after])
                    out[k, j, i] += moved
                    out[after] -= moved
