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
    "add_faces",
    "bend",
    "coarse_faces",
    "level_product",
    "restrict_residual",
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
def level_product(out, x, level):
    """Set out to the product of a level with x."""
    diagonal = level[6]
    nz, ny, nx = x.shape
    for k in range(nz):
        for j in range(ny):
            for i in range(nx):
                if diagonal[k, j, i] > 0.0:
                    out[k, j, i] = diagonal[k, j, i] * x[k, j, i] - _inflow(x, level, k, j, i)
                else:
                    out[k, j, i] = 0.0


@njit(**FAST)
def restrict_residual(coarse, x, rhs, level, factors):
    """Set coarse to the sums of the residual over blocks of ``factors`` voxels."""
    diagonal = level[6]
    coarse[:] = 0.0
    nz, ny, nx = x.shape
    for k in range(nz):
        for j in range(ny):
            for i in range(nx):
                if diagonal[k, j, i] > 0.0:
                    left = rhs[k, j, i] + _inflow(x, level, k, j, i)
                    left -= diagonal[k, j, i] * x[k, j, i]
                    coarse[k // factors[0], j // factors[1], i // factors[2]] += left


@njit(**FAST)
def add_blocks(x, coarse, level, factors):
    """Add the value of its block to each voxel."""
    diagonal = level[6]
    nz, ny, nx = x.shape
    for k in range(nz):
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
def _neighbours(x, k, j, i, axis):
    """Return the values before and after a voxel along an axis."""
    nz, ny, nx = x.shape
    if axis == 0:
        return x[k - 1 if k > 0 else nz - 1, j, i], x[k + 1 if k < nz - 1 else 0, j, i]
    if axis == 1:
        return x[k, j - 1 if j > 0 else ny - 1, i], x[k, j + 1 if j < ny - 1 else 0, i]
    return x[k, j, i - 1 if i > 0 else nx - 1], x[k, j, i + 1 if i < nx - 1 else 0]


@njit(**FAST)
def add_faces(out, x, flow, link, axis):
    """Add what leaves each voxel through its faces along an axis, mean values on the faces.

    The mean of both sides is without the value of the voxel itself, whose share vanishes with the
    divergence of the flow.
    """
    nz, ny, nx = x.shape
    for k in range(nz):
        for j in range(ny):
            for i in range(nx):
                before, after = _neighbours(x, k, j, i, axis)
                q0, _ = _neighbours(flow, k, j, i, axis)
                g0, _ = _neighbours(link, k, j, i, axis)
                q1, g1 = flow[k, j, i], link[k, j, i]
                c = x[k, j, i]
                moved = 0.5 * (q1 * after - q0 * before)
                out[k, j, i] += moved + g1 * (c - after) + g0 * (c - before)


@njit(**FAST)
def bend(w, x, stiffness, axis):
    """Set w to the stiffness of each voxel times the second difference of x along an axis."""
    nz, ny, nx = x.shape
    for k in range(nz):
        for j in range(ny):
            for i in range(nx):
                if stiffness[k, j, i] > 0.0:
                    before, after = _neighbours(x, k, j, i, axis)
                    w[k, j, i] = stiffness[k, j, i] * (before - 2.0 * x[k, j, i] + after)
                else:
                    w[k, j, i] = 0.0


@njit(**FAST)
def add_bending(out, w, axis):
    """Add the second differences of w along an axis."""
    nz, ny, nx = out.shape
    for k in range(nz):
        for j in range(ny):
            for i in range(nx):
                before, after = _neighbours(w, k, j, i, axis)
                out[k, j, i] += before - 2.0 * w[k, j, i] + after
