"""Compiled kernels of trilinear hexahedra on a periodic grid (see `hexahedra`)."""

from __future__ import annotations

import numpy as np
from numba import njit

from microtwin.numerics.compiling import ALLOCATING, FAST, INNER


@njit(**INNER)
def _gather(u, affine, k, j, i, values):
    """Leave the displacements of the eight nodes of an element, with the affine ones, in a row."""
    nz, ny, nx = u.shape[1:]
    for n in range(8):
        kk, jj, ii = (k + (n >> 2)) % nz, (j + (n >> 1 & 1)) % ny, (i + (n & 1)) % nx
        for c in range(3):
            values[3 * n + c] = u[c, kk, jj, ii] + affine[3 * n + c]


@njit(**INNER)
def _scatter(out, k, j, i, values):
    nz, ny, nx = out.shape[1:]
    for n in range(8):
        kk, jj, ii = (k + (n >> 2)) % nz, (j + (n >> 1 & 1)) % ny, (i + (n & 1)) % nx
        for c in range(3):
            out[c, kk, jj, ii] += values[3 * n + c]


@njit(**ALLOCATING)
def product(first, end, layers, out, u, affine, number, matrices, sums):
    """Add the forces of the elements in some layers to out, and by layer to `sums`.

    `layers` lists the layers; those of one call must not touch each other.
    """
    values, forces = np.empty(24), np.empty(24)
    ny, nx = number.shape[1:]
    for position in range(first, end):
        k = layers[position]
        for j in range(ny):
            for i in range(nx):
                m = number[k, j, i]
                if m < 0:
                    continue
                _gather(u, affine, k, j, i, values)
                matrix = matrices[m]
                for a in range(24):
                    total = 0.0
                    for b in range(24):
                        total += matrix[a, b] * values[b]
                    forces[a] = total
                _scatter(out, k, j, i, forces)
                for a in range(24):
                    sums[k, a] += forces[a]


@njit(**ALLOCATING)
def load(first, end, layers, out, strain, number, loads, sums):
    """Add the forces that eigenstrains exert in some layers to out, and by layer to `sums`.

    `strain`, shape (6, nz, ny, nx), holds them; `loads`, shape (m, 24, 6), the forces of each.
    """
    forces = np.empty(24)
    ny, nx = number.shape[1:]
    for position in range(first, end):
        k = layers[position]
        for j in range(ny):
            for i in range(nx):
                m = number[k, j, i]
                if m < 0:
                    continue
                for a in range(24):
                    total = 0.0
                    for s in range(6):
                        total += loads[m, a, s] * strain[s, k, j, i]
                    forces[a] = total
                    sums[k, a] += total
                _scatter(out, k, j, i, forces)


@njit(**FAST)
def strains(first, end, out, u, affine, gradient):
    """Set out, shape (6, nz, ny, nx), to the mean strain of each element."""
    nz, ny, nx = u.shape[1:]
    for k in range(first, end):
        for j in range(ny):
            for i in range(nx):
                for s in range(6):
                    total = 0.0
                    for n in range(8):
                        kk = (k + (n >> 2)) % nz
                        jj, ii = (j + (n >> 1 & 1)) % ny, (i + (n & 1)) % nx
                        for c in range(3):
                            total += gradient[s, 3 * n + c] * (u[c, kk, jj, ii] + affine[3 * n + c])
                    out[s, k, j, i] = total
