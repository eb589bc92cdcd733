"""Compiled kernel of viscous links; `stokes_grid` says what it computes."""

from __future__ import annotations

from numba import njit

from microtwin.numerics.compiling import FAST, INNER

__all__ = ["viscous_links"]


NEAREST = 0.01  # steps: a wall nearer than that counts as that near, to keep drags finite
WIDEST = 64  # faces between two walls: of the curvature between them 1 / 2000 is left


@njit(**INNER)
def _width(opened, k, j, i, axis, step, ring):
    """Return how many open faces stand in line from a face on, with itself, or WIDEST."""
    nz, ny, nx = opened.shape
    n = nz if axis == 0 else (ny if axis == 1 else nx)
    at = k if axis == 0 else (j if axis == 1 else i)
    count = 1
    while count < WIDEST:
        at += step
        if not ring and (at < 0 or at >= n):
            return min(2 * count, WIDEST)  # the reflection goes on
        at = at % n
        kk, jj = at if axis == 0 else k, at if axis == 1 else j
        if not opened[kk, jj, at if axis == 2 else i]:
            break
        count += 1
    return count


@njit(**INNER)
def _smooth_drag(distance, width):
    """Return the strength of the link to a wall at a distance, in steps, beside so many faces."""
    n = float(width)
    beyond = 2.0 * distance - 1.0
    mean = distance + (3.0 * beyond**2 - 2.0) / (6.0 * n) + beyond**3 / (6.0 * n**2)
    return 1.0 / max(mean, NEAREST)


@njit(**FAST)
def viscous_links(first, end, opened, level, axis, ring, staircase, weights, links, mass):
    """Write the links of each face of an axis to the next along z, y and x, and the drag of walls.

    Links count halves. The planes are those of faces.
    """
    nz, ny, nx = opened.shape
    shape = (nz, ny, nx)
    for k in range(first, end):
        # The outer faces stand for half a voxel only.
        outer = axis == 0 and not ring and (k == 0 or k == nz - 1)
        for j in range(ny):
            for i in range(nx):
                for b in range(3):
                    links[b][k, j, i] = 0
                mass[k, j, i] = 0.0
                if not opened[k, j, i]:
                    continue
                here, total = level[k, j, i], 0.0
                for b in range(3):
                    at = k if b == 0 else (j if b == 1 else i)
                    half = outer and b != axis
                    share = 0.5 * weights[b] if half else weights[b]
                    for to in (at - 1, at + 1):
                        if not ring and (to < 0 or to >= shape[b]):
                            # A side lets nothing through; an outer face along z nothing along it.
                            if b == axis and axis > 0:
                                total += share
                            elif b == 0 and axis > 0:
                                total += 2.0 * share
                            continue
                        beyond = to % shape[b]
                        kk, jj = beyond if b == 0 else k, beyond if b == 1 else j
                        ii = beyond if b == 2 else i
                        if not opened[kk, jj, ii]:
                            there = level[kk, jj, ii]
                            if staircase:
                                drag = 1.0 if b == axis else (2.0 if there < 0.0 else 1.5)
                            else:
                                distance = here / max(here - there, 0.5 * here)
                                drag = 1.0 / max(distance, NEAREST)
                                if b != axis:
                                    width = _width(opened, k, j, i, b, at - to, ring)
                                    drag = _smooth_drag(distance, width)
                            total += share * drag
                        elif to > at:
                            links[b][k, j, i] = 1 if half else 2
                mass[k, j, i] = total
