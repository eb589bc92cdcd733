"""A half cell under small changes of one frequency, about a state at rest.

The equations are those of `half_cell_model`. With complex amplitudes and the angular frequency w::

    (j w + L_D) c_s = -i_F / F on the interface,     (j w eps + L_De) c_e = (1 - t) i / F,
    div(sigma grad phi_s) = 0,   div(kappa grad psi) = 0,

and on each facet, between potentials, the series of a resistance r and of a double layer beside
the reaction::

    phi_s - psi - Phi' c_e = r i + v,   i = i_F + j w C v,   v = r_ct i_F + U' x.

All four fields are solved for together, by FGMRES. Its preconditioner goes through them one after
the other: concentrations, potentials with the admittances of the facets at given concentrations,
and concentrations again, of which facets hold that of lithium at given potentials.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..numerics import ComplexField, TiedFields, complex_product, solve_general
from .cell_tables import Table
from .complex_potentials import ComplexPotentials
from .half_cell_model import HalfCell
from .kinetics import FARADAY
from .materials import curve

__all__ = ["Facets", "SmallSignal"]

Complex = NDArray[np.complex128]

RESIDUAL = 1e-5  # of the balances over the currents that the facets feed in
ITERATIONS = 500
DEEPEST = 50.0  # penetration depths beyond which nothing arrives


@dataclass(frozen=True, eq=False)
class Facets:
    """What facets let through.

    Parameters
    ----------
    faradaic : ndarray of complex128, shape (n,)
        Impedance of the reaction, with what the surface adds, in ohm m^2.
    both : ndarray of complex128
        Admittance of reaction and double layer, in S/m^2.
    admittance : ndarray of complex128
        Of the facet as a whole.
    """

    faradaic: Complex
    both: Complex
    admittance: Complex

    @property
    def stiffness(self) -> Complex:
        """How much the reaction falls per electromotive force against it, in S/m^2."""
        over = (1.0 - self.admittance / self.both) / (self.faradaic * self.both)
        return (1.0 - over) / self.faradaic

    def currents(self, drop: Complex, lag: Complex) -> tuple[Complex, Complex]:
        """Return the densities of all current and of that of the reaction.

        Parameters
        ----------
        drop : ndarray, shape (n,)
            Of the potential over the facet, in V.
        lag : ndarray, shape (n,)
            Electromotive force of the reaction, in V.
        """
        current = self.admittance * (drop - lag / (self.faradaic * self.both))
        over = (current + lag / self.faradaic) / self.both
        return current, (over - lag) / self.faradaic


class SmallSignal:
    """A half cell, linear about its present state.

    Parameters
    ----------
    cell : HalfCell
    capacitance : float
        Of the double layer, in F/m^2.
    """

    def __init__(self, cell: HalfCell, capacitance: float) -> None:
        self.cell, self.grid, self.capacitance = cell, cell.grid, capacitance
        grid, tables, state = cell.grid, cell.tables, cell.state
        self.n = len(grid.area)
        self.feed = grid.area / grid.unit
        self.share = 1.0 - tables.transference
        salt = np.maximum(state.salt.reshape(-1)[grid.liquid_place], 1e-9)
        most = cell.material.maximum_concentration
        exchange = cell.material.exchange_current_density(salt, most * state.surface)
        self.exchange_current = np.maximum(exchange * cell.exchange_factor, 1e-12)  # A/m^2
        self.charge_transfer = tables.thermal / self.exchange_current
        self.slope = _slope(tables.potential, state.surface)
        self.salt_slope = _slope(tables.concentration_potential, np.log(salt)) / salt
        self._set_links()
        self._set_lithium()

    def _set_links(self) -> None:
        grid, tables, state = self.grid, self.cell.tables, self.cell.state
        solid = state.lithium / self.cell.material.maximum_concentration
        local = None
        self.inner = np.full(self.n, tables.mean_diffusivity)
        if tables.diffusivity is not None:
            local = (tables.diffusivity(solid) * grid.active_there).astype(np.float32)
            at = local.reshape(-1)[grid.surface_place].astype(float)
            self.inner = self.inner * np.maximum(at, 1e-6)
        self.lithium_links = grid.active.with_mass(None, tables.mean_diffusivity, local)
        spread = (tables.salt_diffusivity(state.salt) * grid.liquid_there).astype(np.float32)
        self.salt_links = grid.liquid.with_mass(None, 1.0, spread)
        conducting = (tables.conductivity(state.salt) * grid.liquid_there).astype(np.float32)
        liquid = grid.liquid.with_mass(None, 1.0, conducting)
        places = (grid.solid_place, grid.liquid_place)
        self.potentials = ComplexPotentials(
            TiedFields(grid.solid, liquid, places, grid.liquid_there),
            places,
            self.feed,
            grid.liquid_there,
        )
        self.square = grid.voxel_size[0] ** 2
        lengths = [*(int(np.prod(shape)) for shape in self.potentials.fields.shapes)]
        self.sizes = np.cumsum([0, *lengths, *lengths]).tolist()

    def _set_lithium(self) -> None:
        """Set what is known of the lithium electrode and of the electrolyte in front of it."""
        cell, grid, tables = self.cell, self.grid, self.cell.tables
        self.inlet = grid.inlet.astype(float)
        c = float((self.inlet * cell.state.salt[-1]).sum())
        half = 0.5 * grid.voxel_size[0]
        metal = curve(cell.electrolyte.lithium_exchange_current_density, np.array([c]))
        self.lithium_resistance = tables.thermal / float(metal[0])
        self.entry = half / (grid.separator_share * float(tables.conductivity(c)))
        self.entry_diffusivity = grid.separator_share * float(tables.salt_diffusivity(c))
        volume = self.inlet * grid.liquid_volume[-1]
        self.entry_porosity = float(volume.sum())
        self.entry_slope = float(_slope(tables.concentration_potential, np.log(c)) / c)

    def at(self, angular: float) -> tuple[complex, int]:
        """Return the impedance in ohm m^2, and in how many iterations it was found."""
        grid = self.grid
        self._set_frequency(angular)
        density = 1.0  # A/m^2 of the collector
        inflow = density * grid.cross_section / grid.unit * self.inlet
        rhs = np.zeros(self.sizes[-1], complex)
        _, liquid, _, salt = self._parts(rhs)
        liquid[-len(inflow) :] += inflow
        salt[-len(inflow) :] += self.share * inflow
        mean = density * grid.cross_section / float(grid.area.sum())
        target = RESIDUAL * mean * float(np.sqrt(np.square(self.feed).sum()))
        solution = solve_general(
            self._product, self._precondition, rhs, target, max_iterations=ITERATIONS,
            double_steps=True,
        )  # fmt: skip
        _, liquid, _, salt = self._parts(solution.values)
        reaches, adds = _through(
            angular, 0.5 * grid.voxel_size[0], self.entry_diffusivity, self.entry_porosity
        )
        face = complex(reaches * (self.inlet * salt[-len(inflow) :]).sum())
        face += complex(adds) * self.share / FARADAY * density
        psi = complex((self.inlet * liquid[-len(inflow) :]).sum()) + density * self.entry
        z = psi + self.entry_slope * face + self.lithium_resistance * density
        return z / density, solution.iterations

    def _parts(self, u: Complex) -> list[Complex]:
        """Return potentials of solid and electrolyte, and concentrations of lithium and salt."""
        return [u[a:b] for a, b in zip(self.sizes[:-1], self.sizes[1:], strict=True)]

    def _set_frequency(self, angular: float) -> None:
        grid = self.grid
        rate = np.float32(angular * self.square)
        self.lithium = ComplexField(self.lithium_links, grid.active_volume * rate)
        self.salt = ComplexField(self.salt_links, grid.liquid_volume * rate)
        reaches, adds = _through(angular, grid.surface_distance, self.inner, 1.0)
        most = self.cell.material.maximum_concentration
        self.pull = self.slope * reaches / most  # V per mol/m^3 in the voxel behind the facet
        # Between that and the surface, in ohm m^2.
        near = -self.slope * adds * grid.wetted_share / (FARADAY * most)
        self.facets = self._facets(angular, near)
        self.potentials.tie(self.facets.admittance)
        # At given potentials the facets hold the concentration behind them.
        hold = (self.feed / FARADAY) * self.facets.stiffness * -self.pull
        held = np.zeros(grid.active_volume.shape)
        np.add.at(held.reshape(-1), grid.lithium_place, np.maximum(hold.real, 0.0))
        links = self.lithium_links.with_mass(held.astype(np.float32))
        self.held = ComplexField(links, grid.active_volume * rate)

    def _facets(self, angular: float, own: Complex) -> Facets:
        faradaic = self.charge_transfer + own
        both = 1.0 / faradaic + 1j * angular * self.capacitance
        layer = 1.0 / both
        # The way to the values a facet ties may be negative, but not by more than the facet bears.
        series = np.maximum(self.cell.resistance, -0.5 * layer.real)
        return Facets(faradaic, both, 1.0 / (series + layer))

    def _product(self, u: Complex) -> Complex:
        """Return what flows out of each value, in A over the unit of the grid."""
        grid = self.grid
        solid, liquid, lithium, salt = self._parts(u)
        out = np.empty_like(u)
        parts = self._parts(out)
        drop = solid[grid.solid_place] - liquid[grid.liquid_place]
        drop -= self.salt_slope * salt[grid.liquid_place]
        lag = self.pull * lithium[grid.surface_place]
        current, reaction = self.facets.currents(drop, lag)
        links = self.potentials.fields.fields
        for part, of, operator in ((parts[0], solid, links[0]), (parts[1], liquid, links[1])):
            part[...] = complex_product(operator, of)
        for part, of, species in ((parts[2], lithium, self.lithium), (parts[3], salt, self.salt)):
            shaped = of.reshape(species.storage.shape)
            part[...] = FARADAY * species.product(shaped).reshape(-1)
        self._feed_in(parts, current, reaction, 1.0)
        return out

    def _precondition(self, rhs: Complex) -> Complex:
        """Return an approximate solution: concentrations, potentials, concentrations again."""
        grid = self.grid
        rest = rhs.copy()
        parts = self._parts(rest)
        out = np.empty_like(rhs)
        solid, liquid, lithium, salt = self._parts(out)
        self._diffuse(parts, lithium, salt)
        lag = self.pull * lithium[grid.surface_place]
        outside = self.salt_slope * salt[grid.liquid_place]
        nothing = np.zeros(self.n, complex)
        forced, _ = self.facets.currents(-outside, lag)
        self._feed_in(parts[:2], forced, nothing, -1.0)
        out[: self.sizes[2]] = self.potentials.precondition(rest[: self.sizes[2]])
        drop = solid[grid.solid_place] - liquid[grid.liquid_place] - outside
        current, _ = self.facets.currents(drop, lag)
        _, reaction = self.facets.currents(drop, nothing)
        self._feed_in(parts, current, reaction, -1.0)
        self._diffuse(parts, lithium, salt)
        return out

    def _diffuse(self, rhs: list[Complex], lithium: Complex, salt: Complex) -> None:
        """Set concentrations to approximate solutions of their balances."""
        for part, out, species in ((rhs[2], lithium, self.held), (rhs[3], salt, self.salt)):
            shaped = part.reshape(species.storage.shape) / FARADAY
            out[...] = species.precondition(shaped).reshape(-1)

    def _feed_in(
        self, parts: list[Complex], current: Complex, reaction: Complex, sign: float
    ) -> None:
        """Add what the currents of the facets take from each value."""
        grid, flow = self.grid, sign * self.feed * current
        np.add.at(parts[0], grid.solid_place, flow)
        np.subtract.at(parts[1], grid.liquid_place, flow)
        if len(parts) > 2:
            np.add.at(parts[2], grid.lithium_place, sign * self.feed * reaction)
            np.subtract.at(parts[3], grid.liquid_place, self.share * flow)


def _through(
    angular: float,
    distance: NDArray[np.float64] | float,
    diffusivity: NDArray[np.float64] | float,
    porosity: float,
) -> tuple[Complex, Complex]:
    """Return what share arrives at a surface from a depth, and what a unit flux into it adds.

    1 / cosh(k d) and tanh(k d) / (k D) with k^2 = j w eps / D: diffusion through a layer of
    thickness d.
    """
    k = np.sqrt(1j * angular * porosity / np.asarray(diffusivity))
    kd = k * np.minimum(distance, DEEPEST / np.abs(k))
    return np.asarray(1.0 / np.cosh(kd)), np.asarray(np.tanh(kd) / (k * diffusivity))


def _slope(table: Table, at: ArrayLike) -> NDArray[np.float64]:
    """Return the slope of a tabulated function, over one step of the table to either side."""
    x = np.asarray(at, float)
    return np.asarray((table(x + table.step) - table(x - table.step)) / (2.0 * table.step))
