"""Potential, flux and dissipation fields of a solved transport problem."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from microtwin.numerics.krylov import Solution
from microtwin.numerics.operator import GridOperator
from microtwin.numerics.plane_fields import Source

__all__ = ["FluxState", "fluctuation"]


def _ramp(n: int) -> NDArray[np.float64]:
    """Return the linear potential at the layers, in steps, zero in the middle."""
    return np.arange(n, dtype=np.float64) - 0.5 * (n - 1)


def fluctuation(
    potential: NDArray[np.float64], axis: int, shape: tuple[int, int, int]
) -> NDArray[np.float64]:
    """Return the unknown of the solver that belongs to a potential, flux axis first.

    Parameters
    ----------
    potential : ndarray of float64, shape (nz, ny, nx)
        From 1 to 0 along the axis; NaN where there is none.
    axis : int
        Array axis of the flux.
    shape : tuple of int
        Shape of the unknown, flux axis first.

    Returns
    -------
    ndarray of float64, of that shape

    Raises
    ------
    ValueError
        If the potential has another shape.
    """
    u = np.moveaxis(np.asarray(potential), axis, 0)
    if u.shape != shape:
        raise ValueError(
            f"the initial potential has shape {np.shape(potential)}, the image another one; "
            "give one value per voxel, as potential() of an earlier result returns them"
        )
    n = len(u)
    x = (0.5 - u) * n - _ramp(n)[:, None, None]
    unknown = np.isnan(x)
    # Pieces of the phase in voxels of other labels have no value here: that of their neighbours.
    total, count = np.zeros(shape), np.zeros(shape, np.uint8)
    for a in range(3):
        for step in (1, -1):
            near = np.roll(x, step, a)
            total += np.nan_to_num(near)
            count += ~np.isnan(near)
    x[unknown] = total[unknown] / np.maximum(count[unknown], 1)
    return x


@dataclass(frozen=True, eq=False)
class FluxState:
    """What is left after a solve to compute fields from; the flux runs along array axis 0.

    Parameters
    ----------
    solution : Solution
        Its unknown is the deviation from the linear potential in steps per voxel, rising along the
        axis, shape (n0, n1, n2).
    source : Source
    unit : float
        Open fraction per unit of face conductance.
    axis : int
        Array axis of the image along which the flux runs.
    inside : ndarray of bool, shape (n0, n1, n2)
        Voxels of the percolating phase.
    diffusivity : float
        Relative diffusivity.
    """

    solution: Solution
    source: Source
    unit: float
    axis: int
    inside: NDArray[np.bool_]
    diffusivity: float

    @property
    def x(self) -> NDArray[np.float64]:
        """The unknown."""
        return self.solution.x

    @property
    def operator(self) -> GridOperator:
        """The operator that was solved for."""
        operator: GridOperator = self.solution.operator
        return operator

    def potential(self) -> NDArray[np.float64]:
        """Return the potential, 1 to 0 along the axis, shape (nz, ny, nx); NaN outside."""
        n = len(self.x)
        u = 0.5 - (self.x + _ramp(n)[:, None, None]) / n
        u[~self.inside] = np.nan
        return np.ascontiguousarray(np.moveaxis(u, 0, self.axis))

    def flux(self) -> NDArray[np.float32]:
        """Return the relative flux density at voxel centres, shape (3, nz, ny, nx)."""
        result = np.zeros((3, *self.x.shape), np.float32)
        for a in range(3):
            through = self._through(a)
            result[a] = 0.5 * (through + np.roll(through, 1, a))
        if self.operator.ends is not None:
            low, high = self._outer_flux()
            result[0, 0] += 0.5 * low
            result[0, -1] += 0.5 * high
        order = [0, 1, 2]
        order.insert(self.axis, order.pop(0))
        # order[a] is the component of the solver that runs along image axis a.
        return np.stack([np.moveaxis(result[c], 0, self.axis) for c in order])

    def dissipation(self) -> NDArray[np.float32]:
        """Return the dissipation per voxel over its mean, shape (nz, ny, nx)."""
        total = np.zeros(self.x.shape)
        for a in range(3):
            power = self._through(a) * self._difference(a) * np.sqrt(self.operator.weights[a])
            total += 0.5 * (power + np.roll(power, 1, a))
        if self.operator.ends is not None:
            low, high = self._outer_flux()
            total[0] += low * (self.x[0] + 0.5)
            total[-1] += high * (0.5 - self.x[-1])
        result = (total / self.diffusivity).astype(np.float32)
        return np.ascontiguousarray(np.moveaxis(result, 0, self.axis))

    def _difference(self, a: int) -> NDArray[np.float64]:
        """Return the potential step from each voxel to the next one along solver axis a."""
        return np.roll(self.x, -1, a) - self.x + self.source.drive[a]

    def _through(self, a: int) -> NDArray[np.float64]:
        """Return the flux through the face after each voxel over that of an empty box."""
        weight = np.sqrt(self.operator.weights[a])
        return weight * self.unit * self.operator.face(a) * self._difference(a)

    def _outer_flux(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the flux through the two outer faces of axis 0."""
        ends = self.operator.ends
        assert ends is not None
        low, high = ends.values[ends.plane[0]], ends.values[ends.plane[-1]]
        return self.unit * low * (self.x[0] + 0.5), self.unit * high * (0.5 - self.x[-1])
