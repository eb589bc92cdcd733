"""Compiled kernels of a staggered grid: differences between voxels and faces, in quarters.

The faces of an axis carry a field of their own. Along y and x the face after a voxel stands where
the voxel stands, and the last one is the face across the period (closed, hence zero, where there is
none). Along z there is either a ring of as many planes of faces as of voxels, in which plane k
lies after the voxels k, or one plane more, in which plane k lies before the voxels k.
"""

from __future__ import annotations

from numba import njit

from microtwin.numerics.compiling import FAST, INNER

__all__ = ["add_differences", "forces"]


@njit(**INNER)
def _row(ny, nx, j, parity):
    """Return where the voxels of one parity of a row begin."""
    return ((2 * (j & 1) + parity) * ((ny + 1) // 2 + 1) + 1 + j // 2) * ((nx + 1) // 2)


@njit(**INNER)
def _push(out, opened, factor, drive, p, own, after, n):
    for q in range(n):
        out[own + q] = opened[own + q] * (drive - factor * (p[after + q] - p[own + q]))


@njit(**INNER)
def _force_rows(out, opened, factor, drive, p, axis, ny, nx):
    """Set the force on the faces after the voxels of a plane along y or x."""
    even, odd = (nx + 1) // 2, nx // 2
    for j in range(ny):
        a, b = _row(ny, nx, j, 0), _row(ny, nx, j, 1)
        if axis == 1:
            after = j + 1 if j < ny - 1 else 0
            _push(out, opened, factor, drive, p, a, _row(ny, nx, after, 0), even)
            _push(out, opened, factor, drive, p, b, _row(ny, nx, after, 1), odd)
            continue
        _push(out, opened, factor, drive, p, a, b, odd)
        _push(out, opened, factor, drive, p, b, a + 1, even - 1)
        last = a + odd if nx % 2 else b + odd - 1
        out[last] = opened[last] * (drive - factor * (p[a] - p[last]))


@njit(**FAST)
def forces(first, end, out, opened, factor, drive, p, axis, ring, ny, nx):
    """Set out to the drive less factor times the difference of p across each open face of an axis.

    The planes are those of faces. Without a ring p is zero outside, and the outer faces feel half
    of the drive.
    """
    nz = p.shape[0]
    for k in range(first, end):
        if axis > 0:
            _force_rows(out[k], opened[k], factor, drive, p[k], axis, ny, nx)
        elif ring or 0 < k < nz:
            low = p[k] if ring else p[k - 1]
            high = p[(k + 1) % nz] if ring else p[k]
            for q in range(out.shape[1]):
                out[k, q] = opened[k, q] * (drive - factor * (high[q] - low[q]))
        else:
            sign = -factor if k == 0 else factor
            inner = p[0] if k == 0 else p[nz - 1]
            for q in range(out.shape[1]):
                out[k, q] = opened[k, q] * (drive / 2 + sign * inner[q])


@njit(**INNER)
def _add(out, factor, u, own, before, n):
    for q in range(n):
        out[own + q] += factor * (u[own + q] - u[before + q])


@njit(**INNER)
def _difference_rows(out, factor, u, axis, ny, nx):
    """Add what flows out of the voxels of a plane along y or x."""
    even, odd = (nx + 1) // 2, nx // 2
    for j in range(ny):
        a, b = _row(ny, nx, j, 0), _row(ny, nx, j, 1)
        if axis == 1:
            before = j - 1 if j > 0 else ny - 1
            _add(out, factor, u, a, _row(ny, nx, before, 0), even)
            _add(out, factor, u, b, _row(ny, nx, before, 1), odd)
            continue
        _add(out, factor, u, b, a, odd)
        _add(out, factor, u, a + 1, b, even - 1)
        last = a + odd if nx % 2 else b + odd - 1
        out[a] += factor * (u[a] - u[last])


@njit(**FAST)
def add_differences(first, end, out, factor, u, axis, ring, ny, nx):
    """Add factor times the difference of the faces of an axis after and before each voxel."""
    nz = out.shape[0]
    for k in range(first, end):
        if axis > 0:
            _difference_rows(out[k], factor, u[k], axis, ny, nx)
        else:
            before, after = ((k - 1) % nz, k) if ring else (k, k + 1)
            for q in range(out.shape[1]):
                out[k, q] += factor * (u[after, q] - u[before, q])
