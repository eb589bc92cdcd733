"""Velocity and pressure of a flow, on the grid of the image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from microtwin.numerics.quarters import from_quarters
from microtwin.numerics.staggered import StaggeredGrid

__all__ = ["FlowState"]


@dataclass(frozen=True, eq=False)
class FlowState:
    """The unknowns of a flow along array axis 0, and how they lie in the image.

    Parameters
    ----------
    fields : 3 ndarrays of float64
        Velocities on the open faces of each axis of the solver, see `stokes_grid.stokes_system`.
    p : ndarray of float64
        Pressure beside the one that falls evenly, in quarters.
    inside : ndarray of bool, shape of the grid of the solver
        The voxels that carry flow.
    grid : StaggeredGrid
    spacing : 3 floats
        Edges of a voxel along the axes of the solver.
    axis : int
        Axis of the image that is axis 0 of the solver.
    """

    fields: tuple[NDArray[np.float64], ...]
    p: NDArray[np.float64]
    inside: NDArray[np.bool_]
    grid: StaggeredGrid
    spacing: tuple[float, float, float]
    axis: int

    @property
    def unit(self) -> float:
        """Velocity in m^2 for each unit of the solver."""
        return min(self.spacing) ** 2

    def mean_velocity(self) -> NDArray[np.float64]:
        """Return the mean over the image along the axes of the image, in m^2."""
        totals = np.array([field.sum() for field in self.fields])
        if not self.grid.ring:
            # The outer faces along the flow stand for half a layer; across it the reflection
            # cancels all.
            first, last = (np.count_nonzero(self.grid.opened[0][k]) for k in (0, -1))
            ends = self.fields[0]
            totals[0] -= 0.5 * (ends[:first].sum() + ends[-last:].sum())
            totals[1:] = 0.0
        order = [self.axis, *(a for a in range(3) if a != self.axis)]
        mean = np.empty(3)
        mean[order] = totals * (self.unit / self.inside.size)
        return mean

    def face_velocity(self, axis: int) -> NDArray[np.float64]:
        """Return the velocity through all faces across an axis of the image, in m^2."""
        order = [self.axis, *(a for a in range(3) if a != self.axis)]
        return np.moveaxis(self._faces(order.index(axis)), 0, self.axis)

    def velocity(self) -> NDArray[np.float64]:
        """Return the velocity at voxel centres, shape (3, nz, ny, nx), in m^2."""
        shape = np.moveaxis(np.broadcast_to(False, self.grid.shape), 0, self.axis).shape
        centres = np.empty((3, *shape))
        for axis in range(3):
            faces = np.moveaxis(self.face_velocity(axis), axis, 0)
            np.moveaxis(centres[axis], axis, 0)[...] = 0.5 * (faces[:-1] + faces[1:])
        return centres

    def pressure(self) -> NDArray[np.float64]:
        """Return the pressure between 1 and 0 along the flow, NaN where nothing flows."""
        layers = self.grid.shape[0]
        field = from_quarters(self.p, self.grid.shape)
        if self.grid.ring:
            field -= field[self.inside].mean()
        field *= min(self.spacing) / (layers * self.spacing[0])
        field += (1.0 - (np.arange(layers) + 0.5) / layers)[:, None, None]
        field[~self.inside] = np.nan
        return np.moveaxis(field, 0, self.axis)

    def _faces(self, axis: int) -> NDArray[np.float64]:
        """Return the velocity through the faces across an axis of the solver, all layers of it."""
        faces = self.unit * self.grid.on_grid(self.fields[axis], axis)
        if axis == 0 and not self.grid.ring:
            return faces
        # Without a ring the last faces are closed, and so are the first.
        return np.concatenate([faces.take([-1], axis), faces], axis=axis)
