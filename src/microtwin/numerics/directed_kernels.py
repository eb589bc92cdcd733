"""Compiled loops of grids whose links carry something along: flow from voxel to voxel.

A level of the multigrid is a tuple ``level`` of

- ``ahead``: 3 arrays, shape (nz, ny, nx), what a unit in each voxel sends through the face after it
  along z, y and x;
- ``back``: 3 arrays, what a unit in the voxel after that face sends back;
- ``diagonal``: array, what a unit in each voxel loses in all.

All faces wrap around; those that do not join anything carry zeros.
"""

from __future__ import annotations

from numba import njit

from .compiling import FAST, INNER

__all__ = [
    "add_bending",
    "add_blocks",
    "bend",
    "coarse_faces",
    "dot",
    "level_product",
    "restrict_residual",
    "subtract",
    "sweep",
]


@njit(**INNER)
def _inflow(x, level, k, j, i):
    """Return what the six neighbours of a voxel send into it."""
    az, ay, ax, bz, by, bx, _ = level
    nz, ny, nx = x.shape
    k0, k1 = (k - 1 if k > 0 else nz - 1), (k + 1 if k < nz - 1 else 0)
    j0, j1 = (j - 1 if j > 0 else ny - 1), (j + 1 if j < ny - 1 else 0)
    i0, i1 = (i - 1 if i > 0 else nx - 1), (i + 1 if i < nx - 1 else 0)
    total = az[k0, j, i] * x[k0, j, i] + bz[k, j, i] * x[k1, j, i]
    total += ay[k, j0, i] * x[k, j0, i] + by[k, j, i] * x[k, j1, i]
    return total + ax[k, j, i0] * x[k, j, i0] + bx[k, j, i] * x[k, j, i1]


@njit(**FAST)
def sweep(x, rhs, level, down):
    """Relax all voxels one after the other, upwards along the axes or downwards."""
    diagonal = level[6]
    nz, ny, nx = x.shape
    for kk in range(nz):
        k = nz - 1 - kk if down else kk
        for jj in range(ny):
            j = ny - 1 - jj if down else jj
            for ii in range(nx):
                i = nx - 1 - ii if down else ii
                if diagonal[k, j, i] > 0.0:
                    x[k, j, i] = (rhs[k, j, i] + _inflow(x, level, k, j, i)) / diagonal[k, j, i]


@njit(**FAST)
def level_product(first, end, out, x, level):
    """Set out to the product of a level with x."""
    diagonal = level[6]
    _, ny, nx = x.shape
    for k in range(first, end):
        for j in range(ny):
            for i in range(nx):
                if diagonal[k, j, i] > 0.0:
                    out[k, j, i] = diagonal[k, j, i] * x[k, j, i] - _inflow(x, level, k, j, i)
                else:
                    out[k, j, i] = 0.0


@njit(**FAST)
def restrict_residual(first, end, coarse, x, rhs, level, factors):
    """Set planes of coarse to the sums of the residual over blocks of ``factors`` voxels."""
    diagonal = level[6]
    nz, ny, nx = x.shape
    coarse[first:end] = 0.0
    for k in range(first * factors[0], min(end * factors[0], nz)):
        for j in range(ny):
            for i in range(nx):
                if diagonal[k, j, i] > 0.0:
                    left = rhs[k, j, i] + _inflow(x, level, k, j, i)
                    left -= diagonal[k, j, i] * x[k, j, i]
                    coarse[k // factors[0], j // factors[1], i // factors[2]] += left


@njit(**FAST)
def add_blocks(first, end, x, coarse, level, factors):
    """Add the value of its block to each voxel."""
    diagonal = level[6]
    _, ny, nx = x.shape
    for k in range(first, end):
        for j in range(ny):
            for i in range(nx):
                if diagonal[k, j, i] > 0.0:
                    x[k, j, i] += coarse[k // factors[0], j // factors[1], i // factors[2]]


@njit(**FAST)
def coarse_faces(coarse, face, axis, factors, weight):
    """Set coarse to weight times the sums of the faces between blocks along an axis."""
    coarse[:] = 0.0
    nz, ny, nx = face.shape
    size = (nz, ny, nx)[axis]
    factor = factors[axis]
    for k in range(nz):
        for j in range(ny):
            for i in range(nx):
                at = (k, j, i)[axis]
                if at % factor == factor - 1 or at == size - 1:
                    part = weight * face[k, j, i]
                    coarse[k // factors[0], j // factors[1], i // factors[2]] += part


@njit(**INNER)
def _second_difference(x, k, j, i, axis):
    """Return the second difference along an axis."""
    n = x.shape[axis]
    if axis == 0:
        before, after = x[k - 1 if k > 0 else n - 1, j, i], x[k + 1 if k < n - 1 else 0, j, i]
    elif axis == 1:
        before, after = x[k, j - 1 if j > 0 else n - 1, i], x[k, j + 1 if j < n - 1 else 0, i]
    else:
        before, after = x[k, j, i - 1 if i > 0 else n - 1], x[k, j, i + 1 if i < n - 1 else 0]
    return before - 2.0 * x[k, j, i] + after


@njit(**FAST)
def bend(first, end, moments, x, bending):
    """Set moments to the stiffness of each voxel times the second difference of x, by axis."""
    _, ny, nx = x.shape
    for axis in range(3):
        moment, stiffness = moments[axis], bending[axis]
        for k in range(first, end):
            for j in range(ny):
                for i in range(nx):
                    if stiffness[k, j, i] > 0.0:
                        bent = _second_difference(x, k, j, i, axis)
                        moment[k, j, i] = stiffness[k, j, i] * bent
                    else:
                        moment[k, j, i] = 0.0


@njit(**FAST)
def add_bending(first, end, out, moments, level):
    """Add the second differences of the moments along their axes."""
    diagonal = level[6]
    _, ny, nx = out.shape
    for k in range(first, end):
        for j in range(ny):
            for i in range(nx):
                if diagonal[k, j, i] > 0.0:
                    for axis in range(3):
                        out[k, j, i] += _second_difference(moments[axis], k, j, i, axis)


@njit(**FAST)
def dot(first, end, u, v, sums):
    """Leave the sums of u v over each plane in sums."""
    for k in range(first, end):
        total = 0.0
        for j in range(u.shape[1]):
            for i in range(u.shape[2]):
                total += u[k, j, i] * v[k, j, i]
        sums[k] = total


@njit(**FAST)
def subtract(first, end, u, factor, v):
    """Subtract factor v from u."""
    for k in range(first, end):
        for j in range(u.shape[1]):
            for i in range(u.shape[2]):
                u[k, j, i] -= factor * v[k, j, i]
