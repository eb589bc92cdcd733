"""The inverse of a uniform elastic solid on a periodic grid, by Fourier transform.

The same discretisation as in `hexahedra`, of one solid, as a preconditioner (Leute et al., J.
Comput. Phys. 453 (2022) 110931): iterations depend on the contrast, not on the size of the grid. It
serves to check the multigrid cycle, with which it shares nothing but the operator.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .hexahedra import Hexahedra
from .threads import thread_count

__all__ = ["UniformSolid"]


class UniformSolid:
    """The inverse of the operator of the mean solid.

    Parameters
    ----------
    grid : Hexahedra
        Periodic along all axes.
    """

    def __init__(self, grid: Hexahedra) -> None:
        from scipy.fft import rfftn

        if not all(grid.periodic):
            raise ValueError("a Fourier transform needs an image that is periodic along all axes")
        grid.prepare()
        self._grid = grid
        self.shape = grid.shape
        self._mean = grid.stiffnesses[:-1].mean(axis=0)
        small = tuple(min(n, 3) for n in grid.shape)
        uniform = Hexahedra(np.zeros(small, int), [self._mean], tuple(grid.edges))
        impulse = np.zeros((3, *grid.shape))
        symbol = np.empty((3, 3, *grid.shape[:2], grid.shape[2] // 2 + 1))
        for column in range(3):
            unit = uniform.zeros()
            unit.reshape(-1)[: uniform.nodes].reshape(3, *small)[column, 0, 0, 0] = 1.0
            force = uniform.zeros()
            uniform.image(force, unit)
            nodes = force[: uniform.nodes].reshape(3, *small).astype(float) * uniform.modulus
            impulse[...] = 0.0
            for k, j, i in np.ndindex(small):
                at = tuple(m if m < 2 else -1 for m in (k, j, i))
                impulse[:, *at] += nodes[:, k, j, i]
            for row in range(3):
                # An element is the same seen from the other side, so the symbol is real.
                symbol[row, column] = rfftn(impulse[row], workers=thread_count()).real
        symbol[:, :, 0, 0, 0] = np.eye(3)
        flat = np.moveaxis(symbol, (0, 1), (-2, -1))
        inverse = np.moveaxis(np.linalg.inv(flat), (-2, -1), (0, 1))
        inverse[:, :, 0, 0, 0] = 0.0
        self._inverse = np.ascontiguousarray(inverse, np.float32)

    def precondition(
        self, u: NDArray[Any], rhs: NDArray[Any], v: NDArray[Any]
    ) -> tuple[float, float, float]:
        """Overwrite u with an approximate solution of A u = rhs; return u.A u, u.A v and u.rhs."""
        from scipy.fft import irfftn, rfftn

        workers, grid = thread_count(), self._grid
        nodes = rhs[: grid.nodes].reshape(3, *self.shape)
        out = u[: grid.nodes].reshape(3, *self.shape)
        spectra = [rfftn(part, workers=workers) for part in nodes]
        for row in range(3):
            total = sum(self._inverse[row, c] * spectra[c] for c in range(3))
            out[row] = irfftn(total, self.shape, workers=workers)
        # The mean strain counts the voxels once, so its own stiffness is that of the mean solid.
        u[-6:] = rhs[-6:] / np.diag(self._mean)
        return grid.products(u, v, rhs)
