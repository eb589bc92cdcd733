"""The two potentials of a cell, and the currents over its facets, at given concentrations.

In the solid and in the electrolyte the current has no source but at the interface::

    div(sigma grad phi) = 0,   div(kappa grad psi) = 0,   i = i(phi - psi) on the interface.

On the network of `cell_grid` that is a sum of currents for every value. Newton's method makes each
facet a conductance with a source, and the two fields are solved for together (`TiedFields`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..numerics import ConvergenceError, GridOperator, TiedFields
from ..numerics.correction_kernels import add_everywhere
from ..numerics.threads import even_shares, over_slabs, slab_bounds
from . import half_cell_kernels as kernels
from .cell_grid import CellGrid
from .cell_tables import CellTables

__all__ = ["Potentials"]

NEWTON = 15


class Potentials:
    """Solver for the potentials of a cell.

    Parameters
    ----------
    grid : CellGrid
    tables : CellTables
    resistance : ndarray, shape (facets,)
        In series with the reaction, in ohm m^2.
    factor : float or ndarray, shape (facets,)
        On the exchange current density.

    Attributes
    ----------
    shift : ndarray, shape (facets,)
        What adds to the open-circuit potential of each facet, in V; 0 at first.
    residual : list of 2 ndarrays of float32
        Memory for what is missing from the balances, which nobody needs between solves.
    """

    def __init__(
        self,
        grid: CellGrid,
        tables: CellTables,
        resistance: NDArray[np.float64],
        factor: ArrayLike,
    ) -> None:
        n = len(grid.area)
        self.grid, self.tables = grid, tables
        self.resistance = np.ascontiguousarray(resistance, float)
        self.factor = np.array(np.broadcast_to(np.asarray(factor, float), (n,)))
        self.shift = np.zeros(n)
        self.feed = grid.area / grid.unit
        self._places = (grid.solid_place, grid.liquid_place)
        self._fields = TiedFields(grid.solid, grid.liquid, self._places, grid.liquid_there)
        self._slope, self._exact = np.empty(n), np.empty(n)
        self.residual = [np.zeros(s, np.float32) for s in self._fields.shapes]
        self._shares = even_shares(n)

    @property
    def room(self) -> list[list[NDArray[np.float32]]]:
        """Four vectors of both fields that nobody needs between solves."""
        return self._fields.room

    @property
    def electrolyte(self) -> GridOperator:
        """Conduction in the electrolyte."""
        return self._fields.fields[1]

    def set_conductivity(self, scale: NDArray[np.float32]) -> None:
        """Set the conductivity of the electrolyte in each voxel, in S/m."""
        self._fields.replace_second(self.grid.liquid.with_mass(None, 1.0, scale))

    def solve(
        self,
        solid: NDArray[np.float64],
        liquid: NDArray[np.float64],
        salt: NDArray[np.float64],
        level: NDArray[np.float64],
        response: NDArray[np.float64],
        current: NDArray[np.float64],
        applied: float,
        target: float,
    ) -> tuple[int, int]:
        """Find potentials and current densities, in place.

        Parameters
        ----------
        solid, liquid : ndarray of float64
            Potentials, as vectors of the network, in V.
        salt : ndarray of float64
            Concentration of salt, in mol/m^3.
        level, response : ndarray, shape (facets,)
            The stoichiometry at the surface is level - response times current density.
        current : ndarray, shape (facets,)
            In A/m^2.
        applied : float
            Through the cell, in A, positive on discharge.
        target : float
            Norm of the currents that may be missing from the balances, over the unit of the grid.

        Returns
        -------
        newton, iterations : int
            Newton steps, and iterations of the linear solver in all of them.

        Raises
        ------
        ConvergenceError
            If the target is not reached.
        """
        grid = self.grid
        residual, values = self.residual, (solid, liquid)
        iterations, left, fresh = 0, np.inf, False
        for newton in range(NEWTON + 1):
            found = current.copy()
            self._linearise(solid, liquid, salt, level, response, found)
            miss = float(np.sqrt(np.square((self._exact - current) * self.feed).sum()))
            if max(left, miss) <= target:
                break
            if newton == NEWTON or not np.isfinite(miss):
                raise ConvergenceError(
                    f"the potentials did not converge in {newton} Newton steps: currents of "
                    f"{miss * grid.unit:.2g} A are missing, {target * grid.unit:.2g} A are allowed"
                )
            flow = found * self.feed
            for part, place, sign in zip(residual, self._places, (-1.0, 1.0), strict=True):
                part[...] = 0
                kernels.scatter(part.reshape(-1), place, flow, sign)
            residual[1][-1] += np.float32(applied / grid.unit) * grid.inlet
            for part, operator, value in zip(residual, self._fields.fields, values, strict=True):
                operator.subtract_product(part, value, 1.0)
            self._fields.tie(self._slope * self.feed)
            try:
                step = self._fields.solve(residual, target)
            except ConvergenceError:
                if fresh:
                    raise
                # Once more, with cycles that know the present ties.
                fresh = True
                continue
            fresh = False
            iterations, left = iterations + step.iterations, step.residual
            first, second = (part.reshape(-1) for part in step.parts)
            rise = first[self._places[0]].astype(float) - second[self._places[1]] - step.shift
            current[...] = found + self._slope * rise
            # The sum of all currents is exact.
            missing = (applied + float(current @ grid.area)) / float(self._slope @ grid.area)
            current -= self._slope * missing
            shifts = (0.0, step.shift + missing)
            for value, part, shift in zip(values, step.parts, shifts, strict=True):
                there = part if shift == 0.0 else grid.liquid_there
                over_slabs(
                    add_everywhere, slab_bounds((*value.shape, 1)), value, part, shift, there
                )
        return newton, iterations

    def _linearise(
        self,
        solid: NDArray[np.float64],
        liquid: NDArray[np.float64],
        salt: NDArray[np.float64],
        level: NDArray[np.float64],
        response: NDArray[np.float64],
        current: NDArray[np.float64],
    ) -> None:
        """Replace currents by those of the linearised equations, see `facet_currents`."""
        tables = self.tables
        over_slabs(
            kernels.facet_currents, self._shares, solid.reshape(-1), liquid.reshape(-1),
            salt.reshape(-1), *self._places, level, response, self.resistance, self.factor,
            self.shift, current, self._exact, self._slope, tables.potential.values,
            (tables.potential.start, tables.potential.step),
            tables.concentration_potential.values,
            (tables.concentration_potential.start, tables.concentration_potential.step),
            tables.exchange, tables.exchange_step, tables.thermal,
        )  # fmt: skip
