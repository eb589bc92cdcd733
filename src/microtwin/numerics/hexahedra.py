"""Elasticity of a periodic grid of voxels, each a trilinear hexahedron.

Unknowns are the displacements of the corners and the mean strain. With B the strain that the eight
corners of an element make, the forces are ::

    f = sum over elements of int B^T C (B u - e) dV

for the stiffness C and the eigenstrain e of each. A mean strain adds an affine displacement; the
force conjugate to it is the volume times the mean stress. Elements without stiffness are void.

As a preconditioner serves the same discretisation of a uniform solid, inverted by Fourier transform
(Leute et al., J. Comput. Phys. 453 (2022) 110931): iterations depend on the contrast, not on the
size of the grid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from . import hexahedra_kernels as kernels
from .krylov import ConvergenceError
from .threads import even_shares, over_slabs, slab_bounds, thread_count

__all__ = ["PAIRS", "ElasticSolution", "Hexahedra"]

Matrix = NDArray[np.float64]
ITERATIONS = 2000
# The two axes of each of the six components of a strain.
PAIRS = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))


@dataclass(frozen=True, eq=False)
class ElasticSolution:
    """Displacements and mean strain.

    Parameters
    ----------
    displacement : ndarray, shape (3, nz, ny, nx)
        Of the corner before each voxel, without the affine part, in units of the voxels' edges.
    mean_strain : ndarray, shape (6,)
    iterations : int
    residual : float
        Norm of the forces that are left, over that of those at the start.
    """

    displacement: Matrix = field(repr=False)
    mean_strain: Matrix
    iterations: int
    residual: float


class Hexahedra:
    """The operator on a grid.

    Parameters
    ----------
    number : ndarray of int, shape (nz, ny, nx)
        Which of the solids each voxel is; negative for void.
    stiffnesses : sequence of ndarray, shape (6, 6)
    voxel_size : tuple of 3 floats
    """

    def __init__(
        self,
        number: NDArray[np.integer],
        stiffnesses: Sequence[Matrix],
        voxel_size: tuple[float, float, float],
    ) -> None:
        self.number = np.ascontiguousarray(number, np.int16)
        self.shape = self.number.shape
        self.voxel_size = voxel_size
        self.stiffnesses = np.array(stiffnesses, float)
        self.volume = float(np.prod(voxel_size))
        self._gradient = _gradients(voxel_size, (0.0, 0.0, 0.0))
        self._matrices = np.array([_element(c, voxel_size) for c in self.stiffnesses])
        self._loads = np.array([self.volume * self._gradient.T @ c for c in self.stiffnesses])
        self._affine = _affine(voxel_size)
        self._layers = _layers(self.shape[0])

    def forces(self, displacement: Matrix, strain: Matrix) -> tuple[Matrix, Matrix]:
        """Return the forces on the corners, and the sum of stress times volume."""
        out, sums = np.zeros_like(displacement), np.zeros((self.shape[0], 24))
        affine = self._affine @ strain
        for layers in self._layers:
            args = (layers, out, displacement, affine, self.number, self._matrices, sums)
            over_slabs(kernels.product, even_shares(len(layers)), *args)
        return out, self._affine.T @ sums.sum(axis=0)

    def eigenforces(self, eigenstrain: Matrix) -> tuple[Matrix, Matrix]:
        """Return the forces that eigenstrains exert, shape (6, nz, ny, nx)."""
        out, sums = np.zeros((3, *self.shape)), np.zeros((self.shape[0], 24))
        for layers in self._layers:
            args = (layers, out, eigenstrain, self.number, self._loads, sums)
            over_slabs(kernels.load, even_shares(len(layers)), *args)
        return out, self._affine.T @ sums.sum(axis=0)

    def strains(self, solution: ElasticSolution) -> Matrix:
        """Return the mean strain of each voxel, shape (6, nz, ny, nx)."""
        out = np.empty((6, *self.shape))
        affine = self._affine @ solution.mean_strain
        args = (out, solution.displacement, affine, self._gradient)
        over_slabs(kernels.strains, slab_bounds(self.shape), *args)
        return out

    def solve(
        self,
        eigenstrain: Matrix | None,
        strain: Matrix,
        free: NDArray[np.bool_],
        stress: Matrix,
        rtol: float,
    ) -> ElasticSolution:
        """Find the displacements in equilibrium.

        Parameters
        ----------
        eigenstrain : ndarray, shape (6, nz, ny, nx), or None
        strain : ndarray, shape (6,)
            Mean strain; where it is free, what to start from.
        free : ndarray of bool, shape (6,)
            Components of the mean strain that take the value at which the mean stress is given.
        stress : ndarray, shape (6,)
            That mean stress, in Pa.
        rtol : float
            Norm of the forces that are left, over that of those at the start.

        Raises
        ------
        ConvergenceError
            If it is not reached.
        """
        inverse = _Uniform(self)
        u, e = np.zeros((3, *self.shape)), strain.astype(float).copy()
        whole = self.volume * float(np.prod(self.shape))
        force, total = self.forces(u, e)
        r, s = -force, np.where(free, whole * stress - total, 0.0)
        if eigenstrain is not None:
            force, total = self.eigenforces(eigenstrain)
            r, s = r + force, s + np.where(free, total, 0.0)
        scale = inverse.scale(whole)
        z, y = inverse(r), np.where(free, s / scale, 0.0)
        p, q = z.copy(), y.copy()
        slope = float((r * z).sum() + s @ y)
        start = slope
        iterations = 0
        while slope > rtol**2 * start:
            if iterations == ITERATIONS or not np.isfinite(slope):
                raise ConvergenceError(
                    f"the elastic problem did not converge: in {iterations} iterations the forces "
                    f"went down to {np.sqrt(slope / start):.1e} of the start, wanted {rtol:g}"
                )
            force, total = self.forces(p, q)
            total = np.where(free, total, 0.0)
            alpha = slope / float((p * force).sum() + q @ total)
            u += alpha * p
            e += alpha * q
            r -= alpha * force
            s -= alpha * total
            z, y = inverse(r), np.where(free, s / scale, 0.0)
            before, slope = slope, float((r * z).sum() + s @ y)
            p = z + slope / before * p
            q = y + slope / before * q
            iterations += 1
        left = np.sqrt(slope / start) if start > 0.0 else 0.0
        return ElasticSolution(u, e, iterations, float(left))


class _Uniform:
    """The inverse of the operator of a uniform solid, by Fourier transform."""

    def __init__(self, grid: Hexahedra) -> None:
        from scipy.fft import rfftn

        self.stiffness = grid.stiffnesses.mean(axis=0)
        self.shape = grid.shape
        small = tuple(min(n, 3) for n in grid.shape)
        impulse = np.zeros((3, *grid.shape))
        uniform = Hexahedra(np.zeros(small, int), [self.stiffness], grid.voxel_size)
        symbol = np.empty((3, 3, *grid.shape[:2], grid.shape[2] // 2 + 1), np.float32)
        for column in range(3):
            unit = np.zeros((3, *small))
            unit[column, 0, 0, 0] = 1.0
            force, _ = uniform.forces(unit, np.zeros(6))
            impulse[...] = 0.0
            for k, j, i in np.ndindex(small):
                at = tuple(m if m < 2 else -1 for m in (k, j, i))
                impulse[:, *at] += force[:, k, j, i]
            for row in range(3):
                # An element is the same seen from the other side, so the symbol is real.
                symbol[row, column] = rfftn(impulse[row], workers=thread_count()).real
        symbol[:, :, 0, 0, 0] = np.eye(3)
        flat = np.moveaxis(symbol, (0, 1), (-2, -1))
        self.inverse = np.ascontiguousarray(np.moveaxis(np.linalg.inv(flat), (-2, -1), (0, 1)))
        self.inverse[:, :, 0, 0, 0] = 0.0

    def scale(self, volume: float) -> Matrix:
        """Return what stands for the stiffness of the mean strain, times the volume."""
        return volume * np.diag(self.stiffness)

    def __call__(self, force: Matrix) -> Matrix:
        from scipy.fft import irfftn, rfftn

        workers = thread_count()
        spectra = [rfftn(part, workers=workers) for part in force]
        out = np.empty_like(force)
        for row in range(3):
            total = sum(self.inverse[row, c] * spectra[c] for c in range(3))
            out[row] = irfftn(total, self.shape, workers=workers)
        return out


def _layers(nz: int) -> list[NDArray[np.int64]]:
    """Return layers in groups within which none shares corners with another."""
    if nz == 1:
        return [np.zeros(1, np.int64)]
    even = nz - nz % 2
    groups = [np.arange(0, even, 2), np.arange(1, even, 2)]
    if nz % 2:
        groups.append(np.array([nz - 1]))
    return groups


def _corners() -> NDArray[np.int64]:
    return np.array([(n >> 2, n >> 1 & 1, n & 1) for n in range(8)])


def _gradients(edges: tuple[float, float, float], at: tuple[float, float, float]) -> Matrix:
    """Return B, shape (6, 24), at a place from -1 to 1 along each axis."""
    b = np.zeros((6, 24))
    for n, corner in enumerate(2 * _corners() - 1):
        shape = 0.5 * (1.0 + corner * np.array(at))
        slopes = [
            corner[a] / edges[a] * np.prod([shape[o] for o in range(3) if o != a]) for a in range(3)
        ]
        for s, (a, c) in enumerate(PAIRS):
            b[s, 3 * n + a] += slopes[c]
            if a != c:
                b[s, 3 * n + c] += slopes[a]
    return b


def _element(stiffness: Matrix, edges: tuple[float, float, float]) -> Matrix:
    """Return the matrix of an element, shape (24, 24), by Gauss quadrature."""
    total = np.zeros((24, 24))
    place = 1.0 / np.sqrt(3.0)
    for corner in 2 * _corners() - 1:
        b = _gradients(edges, tuple(place * corner))
        total += float(np.prod(edges)) / 8.0 * b.T @ stiffness @ b
    return 0.5 * (total + total.T)


def _affine(edges: tuple[float, float, float]) -> Matrix:
    """Return the displacements of the corners that a strain makes, shape (24, 6)."""
    out = np.zeros((24, 6))
    for n, corner in enumerate(_corners()):
        at = corner * np.array(edges)
        for s, (a, c) in enumerate(PAIRS):
            if a == c:
                out[3 * n + a, s] = at[a]
            else:
                out[3 * n + a, s] = 0.5 * at[c]
                out[3 * n + c, s] = 0.5 * at[a]
    return out
