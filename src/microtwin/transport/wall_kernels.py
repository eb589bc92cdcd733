"""Compiled kernel of viscous links; `stokes_grid` says what it computes."""

from __future__ import annotations

from numba import njit

from microtwin.numerics.compiling import FAST, INNER

__all__ = ["viscous_links"]


@njit(**INNER)
def _drag(here, there, along, staircase, least, most):
    """Return the strength of the link from an open face to the wall before a closed one."""
    if not staircase:
        return min(max((here - there) / here, least), most)
    if along:
        return 1.0
    return 2.0 if there < 0.0 else 1.5


@njit(**FAST)
def viscous_links(
    first, end, opened, level, axis, ring, staircase, limits, weights, links, mass
):  # fmt: skip
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
                            drag = _drag(here, there, b == axis, staircase, limits[0], limits[1])
                            total += share * drag
                        elif to > at:
                            links[b][k, j, i] = 1 if half else 2
                mass[k, j, i] = total
