"""A half cell on the image of an electrode, advanced step by step in time.

Unknowns are the concentration of lithium in the active material, that of salt in the electrolyte,
and two potentials, on the network of `cell_grid`::

    d c_s / dt = div(D grad c_s),                       D n.grad c_s = -i / F on the interface,
    d (eps c_e) / dt = div(D_e grad c_e) + (1 - t) i / F on the interface,
    div(sigma grad phi_s) = 0,   div(kappa grad psi) = 0,   with the current i through both,

with n and i out of the active material, and for a transference number t that depends on c_e what
`migration` adds. psi = phi_e - (2 R T / F) int (1 - t) f d ln c_e is the potential of the
electrolyte without what gradients of concentration drive: in psi no source is left in the
electrolyte, and the system is symmetric. The current density of a facet is the root of

    phi_s - psi - Phi(c_e) = U(x) + r i + (2 R T / F) asinh(i / 2 j0(c_e, x)),

where x is the stoichiometry at the surface and r the resistance of a film and of the way from the
facet to the values that it ties. Whatever else acts on lithium is a shift of U, see
`potential_shifts`. Time steps are implicit and of second order (BDF2, whose first
step is of first order).

Lithium at the surface follows the current nearly at once. One solve with a unit current gives that
response for a step size; with it the currents and potentials of a step come out of a few Newton
steps, after which the concentrations are brought up to date with the currents found.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..checking import is_number
from ..numerics import AndersonMixing, ConvergenceError, correction
from ..numerics import weighted_sum as total
from ..numerics.threads import even_shares, over_slabs, slab_bounds
from . import half_cell_kernels as kernels
from .cell_grid import CellGrid
from .cell_tables import Table, cell_tables
from .half_cell_state import Before, LithiumSide, Start, State, Step
from .kinetics import FARADAY, ROOM
from .materials import ElectrodeMaterial, Electrolyte, curve
from .migration import Migration
from .potential_shifts import Drift, PotentialShift, shift_on_network
from .potentials import Potentials
from .species import Species

__all__ = ["HalfCell"]

STEEP = 5.0  # V: of the open-circuit potential per stoichiometry; no more is counted
OUTER = 12  # times that concentrations and currents are brought to agree
AGREE = 5e-4  # V: the same for concentrations that lag behind the currents
SAME = 1e-3  # relative change below which conductivities and diffusivities are left as they are
# Residuals over what the facets feed in. The balances are made exact after each step.
CURRENT = 2e-3
CLOSER = 0.25  # of that where a voltage is to be hit
LITHIUM = 3e-4
SALT = 1e-3
EMPTY = 1e-3  # stoichiometry: less, or as little room, is no state to start from
REUSE = 1.05  # a response to a unit current serves while the step changes by less than this


class HalfCell:
    """An electrode, a separator and lithium metal.

    Parameters
    ----------
    grid : CellGrid
    material : ElectrodeMaterial
    electrolyte : Electrolyte
    temperature : float
        In K; it stays what it is.
    stoichiometry : float, optional
        At the start, everywhere; by default that in equilibrium at the upper voltage.
    film_resistance : float or ndarray, shape (facets,)
        In ohm m^2.
    exchange_factor : float or ndarray, shape (facets,)
        Factor on the exchange current density.

    Attributes
    ----------
    state : State
    """

    def __init__(
        self,
        grid: CellGrid,
        material: ElectrodeMaterial,
        electrolyte: Electrolyte,
        *,
        temperature: float = ROOM,
        stoichiometry: float | None = None,
        film_resistance: float | NDArray = 0.0,
        exchange_factor: float | NDArray = 1.0,
    ) -> None:
        if not (is_number(temperature) and temperature > 0.0):
            raise ValueError(f"temperature {temperature!r} is not allowed; give kelvins above 0")
        full, empty = material.stoichiometries
        start = full if stoichiometry is None else stoichiometry
        if not (is_number(start) and EMPTY <= start <= 1.0 - EMPTY):
            raise ValueError(
                f"stoichiometry {start!r} is not allowed; give a number from {EMPTY:g} to "
                f"{1.0 - EMPTY:g}"
            )
        if not np.any(np.asarray(exchange_factor) > 0.0):
            raise ValueError("exchange_factor is 0 everywhere, so nothing reacts")
        self.grid, self.material, self.electrolyte = grid, material, electrolyte
        self.temperature = float(temperature)
        self.tables = cell_tables(material, electrolyte, temperature)
        self.capacity = FARADAY * material.maximum_concentration * (empty - full) * grid.amount
        n = len(grid.area)
        conductivity = float(self.tables.conductivity(electrolyte.concentration))
        fastest = float(self.tables.exchange.max()) * float(np.max(exchange_factor))
        ohmic = grid.ohmic_resistance(conductivity, self.tables.thermal / max(fastest, 1e-12))
        self._potentials = Potentials(
            grid, self.tables, np.broadcast_to(film_resistance, (n,)) + ohmic, exchange_factor
        )
        self._feed = grid.area / grid.unit
        square = grid.voxel_size[0] ** 2
        # Both concentrations and the potentials are solved for one after the other, in one memory.
        room = [self._potentials.residual, *self._potentials.room]
        self._lithium = Species(
            grid.active, grid.active_volume, grid.active_there, square, [part[0] for part in room]
        )
        self._salt = Species(
            grid.liquid, grid.liquid_volume, grid.liquid_there, square, [part[1] for part in room]
        )
        self._lithium.set_links(self.tables.mean_diffusivity)
        self._response = (0.0, np.zeros(n))
        self._sampled: dict[str, NDArray[np.float32]] = {}
        self._local: NDArray[np.float32] | None = None
        self._shift: PotentialShift | None = None
        self.before: Before | None = None
        self.last_length = 0.0
        lithium = grid.active_there.astype(float) * (start * material.maximum_concentration)
        salt = grid.liquid_there.astype(float) * float(electrolyte.concentration)
        rest = float(self.tables.potential(start))
        self.state = State(
            0.0,
            0.0,
            rest,
            0.0,
            0.0,
            np.zeros(lithium.shape),
            grid.liquid_there.astype(float) * -rest,
            lithium,
            salt,
            np.zeros(n),
            np.full(n, start),
            np.zeros(n),
        )

    @property
    def area(self) -> float:
        """Area that reacts, in m^2."""
        return float(self.grid.area.sum())

    @property
    def resistance(self) -> NDArray[np.float64]:
        """In series with the reaction of each facet: films, and the way to the values it ties.

        In ohm m^2.
        """
        return self._potentials.resistance

    @property
    def exchange_factor(self) -> NDArray[np.float64]:
        """Factor on the exchange current density of each facet."""
        return self._potentials.factor

    @property
    def potential_shift(self) -> NDArray[np.float64]:
        """What adds to the open-circuit potential of each facet, in V, shape (facets,)."""
        return self._potentials.shift

    def shift_potential(self, field: ArrayLike | None) -> None:
        """Let a field act on the lithium of all steps to come, until another one is given.

        Parameters
        ----------
        field : array, shape (nz, ny, nx), or None
            What adds to the open-circuit potential of the active material at each voxel, in V: the
            potential of lithium falls by F times that, so lithium moves to where it is large. Read
            in active material that takes part. None takes it away.

        Raises
        ------
        ValueError
            If the field does not fit, or the open-circuit potential is flat somewhere.
        """
        if field is None:
            self._shift = None
            self._potentials.shift[...] = 0.0
            return
        values = shift_on_network(field, self.grid)
        most = self.material.maximum_concentration
        self._shift = PotentialShift(values, self.tables.potential, most)
        self._potentials.shift[...] = self._shift.at(self.grid.surface_place)

    def advance(
        self,
        length: float,
        applied: float,
        smooth: bool = True,
        near: Start | None = None,
        closely: bool = False,
    ) -> tuple[State, Step]:
        """Return the state after a step; `accept` makes it the present one.

        Parameters
        ----------
        length : float
            Of the step, in s.
        applied : float
            Current at its end, in A; positive on discharge.
        smooth : bool
            Whether the current continues that before, so that the step may be of second order.
        near : Start, optional
            Potentials and currents close to those sought; the potentials are overwritten. By
            default they continue the last states.
        closely : bool
            Whether to solve for the potentials more closely, as when a voltage is to be hit.

        Raises
        ------
        ConvergenceError
            If the equations of the step are not solved; a shorter one may be.
        """
        now, before = self.state, self.before
        second = smooth and before is not None
        ratio = length / self.last_length if second else 0.0
        earlier: State | Before = before if second and before is not None else now
        a = (1.0 + 2.0 * ratio) / (1.0 + ratio)
        weights = (a / length, (1.0 + ratio) / length, ratio**2 / (1.0 + ratio) / length)
        reference = self._continued(now, earlier, ratio, applied)
        since = length + (now.since_jump if smooth else 0.0)
        self._set_links(now, earlier, ratio, weights[0])
        settled = now.settled if smooth else self._followed(now)
        self._drop, self._lead = self._drops(since, settled)
        if near is None:
            solid, liquid = now.solid, now.electrolyte
            if before is not None and ratio > 0.0:
                solid = _carried(solid, before.solid_change, ratio)
                liquid = _carried(liquid, before.electrolyte_change, ratio)
            else:
                solid, liquid = solid.copy(), liquid.copy()
            current = reference.copy()
        else:
            solid, liquid = near.solid, near.electrolyte
            current = self._adding_up(near.current, applied)
        lithium = self._lithium.begin(now.lithium, earlier.lithium, ratio, weights)
        salt = self._salt.begin(now.salt, earlier.salt, ratio, weights)
        share = (1.0 - self.tables.transference) / FARADAY
        self._salt.residual[-1] += np.float32(share * applied / self.grid.unit) * self.grid.inlet
        migration = self._migration(now, earlier, ratio)
        if migration is not None:
            migration.renew(liquid)
        source = self._source_norm(reference, applied)
        targets = (
            LITHIUM * source / FARADAY,
            SALT * source * share,
            CURRENT * source * (CLOSER if closely else 1.0),
        )
        drift = self._drift()
        if drift is not None:
            drift.renew(lithium)
        self._feed_in(reference, share)
        self._lithium.bring(lithium, targets[0])
        self._salt.bring(salt, targets[1])
        response = self._unit_response(weights[0])
        rounds = newton = iterations = 0
        mixing = AndersonMixing(self.grid.area)
        # At the currents i, the stoichiometry at the surface is expected to be level - response i.
        level = self._surface(lithium, reference) + response * reference
        for _ in range(OUTER):
            rounds += 1
            counts = self._potentials.solve(
                solid, liquid, salt, level, response, current, applied, targets[2]
            )
            newton, iterations = newton + counts[0], iterations + counts[1]
            outside = salt.reshape(-1)[self.grid.liquid_place]
            # What was left of the balances is below what is allowed: the memory served potentials.
            self._lithium.residual[...] = 0
            self._salt.residual[...] = 0
            if migration is not None:
                migration.renew(liquid)
            if drift is not None:
                drift.renew(lithium)
            self._feed_in(current - reference, share)
            reference = current.copy()
            self._lithium.bring(lithium, targets[0])
            self._salt.bring(salt, targets[1])
            surface = self._surface(lithium, current)
            expected = level - response * current
            lag = self._lag(surface, expected, salt, outside)
            if self._mean_square(lag) <= AGREE:
                break
            level = mixing.next(level, surface + response * current)
        else:
            raise ConvergenceError(
                f"currents and concentrations did not agree in {OUTER} rounds: they differ by "
                f"{1e3 * self._mean_square(lag):.2g} mV"
            )
        lost = self._settle(lithium, salt, now, earlier, weights, current)
        state = State(
            now.time + length,
            self._charge(now, earlier, weights, applied),
            self._lithium_side(liquid, salt, applied).voltage,
            applied,
            since,
            solid,
            liquid,
            lithium,
            salt,
            current,
            surface,
            settled,
        )
        return state, Step(length, rounds, newton, iterations, *lost)

    def accept(self, state: State, length: float) -> None:
        """Make a state the present one."""
        old = self.state
        self.before = Before(
            old.charge, old.applied, old.lithium, old.salt, old.current,
            _change(state.solid, old.solid), _change(state.electrolyte, old.electrolyte),
        )  # fmt: skip
        self.state, self.last_length = state, length

    def _continued(
        self, now: State, earlier: State | Before, ratio: float, applied: float
    ) -> NDArray[np.float64]:
        """Return currents continued from the last steps, which add up to the one applied."""
        if ratio == 0.0 and now.applied != applied:
            return self._adding_up(np.zeros_like(now.current), applied)
        return self._adding_up(now.current + ratio * (now.current - earlier.current), applied)

    def _adding_up(self, current: NDArray[np.float64], applied: float) -> NDArray[np.float64]:
        """Return currents shifted evenly, so that they add up to the one applied."""
        missing = -applied - float(current @ self.grid.area)
        return np.asarray(current + missing / self.area)

    def _set_links(self, now: State, earlier: State | Before, ratio: float, rate: float) -> None:
        """Set conductivity and diffusivities at the concentrations expected, and the step.

        They stay what they are where they have changed by next to nothing.
        """
        tables = self.tables
        salt = np.empty(now.salt.shape, np.float32)
        over_slabs(kernels.carry_on, _slabs(salt), salt, now.salt, earlier.salt, ratio)
        if self._drifted("salt", salt, tables.conductivity, tables.salt_diffusivity):
            self._potentials.set_conductivity(_sampled(tables.conductivity, salt))
            self._salt.set_links(1.0, _sampled(tables.salt_diffusivity, salt))
        if tables.diffusivity is not None:
            fill = np.empty(now.lithium.shape, np.float32)
            over_slabs(kernels.carry_on, _slabs(fill), fill, now.lithium, earlier.lithium, ratio)
            fill /= np.float32(self.material.maximum_concentration)
            if self._drifted("lithium", fill, tables.diffusivity):
                self._local = _sampled(tables.diffusivity, fill)
                self._lithium.set_links(tables.mean_diffusivity, self._local)
        self._salt.set_rate(rate)
        self._lithium.set_rate(rate)

    def _drifted(self, name: str, field: NDArray[np.float32], *tables: Table) -> bool:
        """Whether a function of a field is not what it was when it was sampled last."""
        old = self._sampled.get(name)
        changes = np.empty((len(field), 2))
        for table in tables if old is not None else ():
            args = (field, old, table.values, table.start, table.step, changes)
            over_slabs(kernels.drift, _slabs(field), *args)
            change, largest = changes.max(axis=0)
            if change > SAME * largest:
                break
        else:
            if old is not None:
                return False
        self._sampled[name] = field
        return True

    def _migration(self, now: State, earlier: State | Before, ratio: float) -> Migration | None:
        """Return what a transference number that varies adds to the step, if it does."""
        table = self.tables.migration
        if table is None:
            return None
        salt = np.empty(now.salt.shape, np.float32)
        over_slabs(kernels.carry_on, _slabs(salt), salt, now.salt, earlier.salt, ratio)
        deviation = _sampled(table, salt)
        return Migration(self._potentials.electrolyte, deviation, self._salt.residual)

    def _drift(self) -> Drift | None:
        """Return what a shift of the potential adds to the balance of lithium, if there is one."""
        if self._shift is None:
            return None
        return Drift(self._shift, self._lithium, self.tables.mean_diffusivity, self._local)

    def _lag(
        self,
        surface: NDArray[np.float64],
        expected: NDArray[np.float64],
        salt: NDArray[np.float64],
        outside: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Return by how much the electromotive forces were wrong, in V.

        Where the open-circuit potential is steep, the stoichiometry is known well enough before it
        is.
        """
        lag, tables = np.empty_like(surface), self.tables
        potential, salt_potential = tables.potential, tables.concentration_potential
        over_slabs(
            kernels.lags, even_shares(len(lag)), lag, surface, expected, salt.reshape(-1),
            self.grid.liquid_place, outside, STEEP, potential.values,
            (potential.start, potential.step), salt_potential.values,
            (salt_potential.start, salt_potential.step),
        )  # fmt: skip
        return lag

    def _feed_in(self, current: NDArray[np.float64], share: float) -> None:
        """Add what currents over the facets bring to the residuals of both concentrations."""
        flux = current * self._feed
        args = (self._lithium.residual.reshape(-1), self.grid.lithium_place, flux, -1.0 / FARADAY)
        kernels.scatter(*args)
        args = (self._salt.residual.reshape(-1), self.grid.liquid_place, flux, share)
        kernels.scatter(*args)

    def _source_norm(self, current: NDArray[np.float64], applied: float) -> float:
        """Return the norm of what the facets feed in; at rest, that of a hundredth of 1C."""
        mean = 0.01 * self.capacity / 3600.0 / self.area
        largest = np.maximum(np.abs(current), max(mean, 1e-3 * abs(applied) / self.area))
        return float(np.sqrt(np.square(largest * self._feed).sum()))

    def _inner_diffusivity(self) -> NDArray[np.float64] | float:
        if self._local is None:
            return self.tables.mean_diffusivity
        local = self._local.reshape(-1)[self.grid.surface_place]
        return self.tables.mean_diffusivity * np.maximum(local.astype(float), 1e-6)

    def _surface(
        self, lithium: NDArray[np.float64], current: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the stoichiometry at the facets."""
        inner = lithium.reshape(-1)[self.grid.surface_place] / self.material.maximum_concentration
        return np.asarray(inner - self._lead - current * self._drop)

    def _drops(
        self, since: float, settled: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return how the stoichiometry falls from voxel to surface: per A/m^2, and what else.

        A time t after a jump of the current, its change has done what sqrt(4 D t / pi) would do,
        until as much as the distance has been reached (Crank, The Mathematics of Diffusion, 1975,
        eq. 2.45). What had settled before it goes on.
        """
        grid, inner = self.grid, self._inner_diffusivity()
        most = self.material.maximum_concentration
        # The current of the reacting part spreads over the whole facet.
        whole = grid.surface_distance * grid.wetted_share / (FARADAY * inner * most)
        followed = self._reached(since)
        return np.asarray(followed * whole), np.asarray((1.0 - followed) * whole * settled)

    def _reached(self, since: float) -> NDArray[np.float64]:
        """Return how far the gradients behind the facets have followed a jump of the current."""
        ways = self._inner_diffusivity() * since / np.square(self.grid.surface_distance)
        return np.asarray(np.sqrt(1.0 - np.exp(-4.0 / np.pi * ways)))

    def _followed(self, state: State) -> NDArray[np.float64]:
        """Return the current that the gradients behind the facets have followed."""
        return state.settled + self._reached(state.since_jump) * (state.current - state.settled)

    def _unit_response(self, rate: float) -> NDArray[np.float64]:
        """Return how much the stoichiometry at each facet falls per A/m^2 over all of them."""
        known, response = self._response
        if known > 0.0 and max(rate, known) <= REUSE * min(rate, known):
            return response
        flux = self._feed / FARADAY
        residual = np.zeros(self._lithium.volume.shape, np.float32)
        kernels.scatter(residual.reshape(-1), self.grid.lithium_place, flux, 1.0)
        target = 0.01 * float(np.sqrt(np.square(flux).sum()))
        assert self._lithium.solver is not None
        found = correction(self._lithium.solver, [residual], target, room=self._lithium.room)
        inner = found.parts[0].reshape(-1)[self.grid.surface_place].astype(float)
        response = inner / self.material.maximum_concentration + self._drop
        self._response = (rate, response)
        return response

    def _mean_square(self, values: NDArray[np.float64]) -> float:
        """Return the root mean square over the interface."""
        return float(np.sqrt(np.square(values) @ self.grid.area / self.area))

    def mean_stoichiometry(self, state: State) -> float:
        """Return the mean stoichiometry of the active material that takes part."""
        amount = total(state.lithium, self.grid.active_volume) / self._lithium.whole
        return amount / self.material.maximum_concentration

    def concentration_potential(self, salt: NDArray | float) -> NDArray[np.float64]:
        """Return Phi at salt concentrations in mol/m^3, in V; 0 at that at rest."""
        return self.tables.concentration_potential(np.log(np.maximum(salt, 1e-9)))

    def in_front_of_lithium(self, state: State) -> LithiumSide:
        """Return what a state is like where the current enters from the lithium electrode."""
        return self._lithium_side(state.electrolyte, state.salt, state.applied)

    def _lithium_side(
        self, liquid: NDArray[np.float64], salt: NDArray[np.float64], applied: float
    ) -> LithiumSide:
        grid, inlet = self.grid, self.grid.inlet.astype(float)
        density, half = applied / grid.cross_section, 0.5 * grid.voxel_size[0]
        c = float((inlet * salt[-1]).sum())
        carried = self.tables.transference
        if self.tables.migration is not None:
            carried += float(self.tables.migration(c))
        flux = (1.0 - carried) * density / FARADAY
        diffusivity = grid.separator_share * float(self.tables.salt_diffusivity(c))
        face = c + flux * half / diffusivity
        psi = float((inlet * liquid[-1]).sum())
        psi += density * half / (grid.separator_share * float(self.tables.conductivity(c)))
        metal = float(
            curve(self.electrolyte.lithium_exchange_current_density, np.array([max(face, 1e-9)]))[0]
        )
        return LithiumSide(
            psi,
            float(self.concentration_potential(face)),
            2.0 * self.tables.thermal * float(np.arcsinh(0.5 * density / metal)),
        )

    def _charge(
        self,
        now: State,
        earlier: State | Before,
        weights: tuple[float, float, float],
        applied: float,
    ) -> float:
        """Return the charge passed, integrated as the concentrations are."""
        a, b, c = weights
        return (applied + b * now.charge - c * earlier.charge) / a

    def _settle(
        self,
        lithium: NDArray[np.float64],
        salt: NDArray[np.float64],
        now: State,
        earlier: State | Before,
        weights: tuple[float, float, float],
        current: NDArray[np.float64],
    ) -> tuple[float, float]:
        """Make the balances of lithium and salt exact; return what was missing before."""
        a, b, c = weights
        volume = float(np.prod(self.grid.voxel_size))
        found = []
        for species, value, old, older, source in (
            (
                self._lithium,
                lithium,
                now.lithium,
                earlier.lithium,
                -(current @ self.grid.area) / FARADAY,
            ),
            (self._salt, salt, now.salt, earlier.salt, 0.0),
        ):
            amount = b * total(old, species.volume) - c * total(older, species.volume)
            missing = species.settle(value, float(amount + source / volume) / a)
            least = 0.01 * self.capacity / 3600.0
            exchanged = max(abs(float(current @ self.grid.area)), least) / FARADAY / volume / a
            found.append(abs(missing) / exchanged)
        return found[0], found[1]


def _slabs(field: NDArray) -> list[tuple[int, int]]:
    return slab_bounds((*field.shape, 1))


def _sampled(table: Table, field: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a tabulated function of a field."""
    out = np.empty(field.shape, np.float32)
    args = (out, field, table.values, table.start, table.step)
    over_slabs(kernels.sample, _slabs(field), *args)
    return out


def _change(now: NDArray, before: NDArray) -> NDArray[np.float32]:
    out = np.empty(now.shape, np.float32)
    over_slabs(kernels.difference, _slabs(now), out, now, before)
    return out


def _carried(
    now: NDArray[np.float64], change: NDArray[np.float32], ratio: float
) -> NDArray[np.float64]:
    """Return a field continued by a multiple of its last change."""
    out = np.empty_like(now)
    over_slabs(kernels.carry_change, _slabs(now), out, now, change, ratio)
    return out
