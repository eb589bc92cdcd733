"""Curves of materials as tables that the compiled kernels read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..checking import is_number
from .kinetics import FARADAY, GAS_CONSTANT
from .materials import Curve, ElectrodeMaterial, Electrolyte, curve

__all__ = ["CellTables", "Table", "cell_tables", "kinetic_tables"]

STOICHIOMETRIES = 8193
SALTS = 2049
EXCHANGE = (129, 1025)
# Of the salt concentration, over that at rest.
MOST_SALT = 8.0
LEAST_SALT = 1e-4
# A material that is empty or full resists whatever drives it further, by this much within the last
# cell of the table.
WALL = 2.0  # V
FLOOR = 1e-3  # conductivity and diffusivity do not fall below this share of that at rest


@dataclass(frozen=True, eq=False)
class Table:
    """A function at equal steps.

    Parameters
    ----------
    values : ndarray, shape (n,)
    start, step : float
        First place, and the distance between places.
    """

    values: NDArray[np.float64]
    start: float
    step: float

    def __call__(self, at: NDArray | float) -> NDArray[np.float64]:
        """Return the function, continued as a straight line beyond the ends."""
        s = (np.asarray(at, float) - self.start) / self.step
        i = np.clip(s.astype(int), 0, len(self.values) - 2)
        return np.asarray(self.values[i] + (s - i) * (self.values[i + 1] - self.values[i]))


@dataclass(frozen=True, eq=False)
class CellTables:
    """All curves of a half cell.

    Parameters
    ----------
    potential : Table
        Open-circuit potential over the stoichiometry, in V.
    diffusivity : Table or None
        Of lithium over the stoichiometry, over its mean; None if it is constant.
    mean_diffusivity : float
        In m^2/s.
    exchange : ndarray
        Exchange current density, see `half_cell_kernels`.
    exchange_step : float
        Step of the root of the salt concentration.
    concentration_potential : Table
        (2 R T / F) (1 - t) times the integral of the thermodynamic factor, over ln c; 0 at rest.
    conductivity, salt_diffusivity : Table
        Of the electrolyte over the concentration.
    transference : float
        Transference number at rest.
    migration : Table or None
        Transference number less that, over the concentration; None if it is constant.
    thermal : float
        R T / F, in V.
    """

    potential: Table
    diffusivity: Table | None
    mean_diffusivity: float
    exchange: NDArray[np.float64]
    exchange_step: float
    concentration_potential: Table
    conductivity: Table
    salt_diffusivity: Table
    transference: float
    migration: Table | None
    thermal: float


def cell_tables(
    material: ElectrodeMaterial, electrolyte: Electrolyte, temperature: float
) -> CellTables:
    """Return the curves of a material and an electrolyte as tables."""
    thermal = GAS_CONSTANT * temperature / FARADAY
    rest = electrolyte.concentration
    x = np.linspace(0.0, 1.0, STOICHIOMETRIES)
    inner = np.clip(x, x[1], x[-2])
    potential = curve(material.open_circuit_potential, inner)
    if not np.isfinite(potential).all():
        bad = inner[~np.isfinite(potential)]
        raise ValueError(
            f"the open-circuit potential of {material.name} is no number at stoichiometries of "
            f"{bad.min():.3f} to {bad.max():.3f}; give a curve from 0 to 1"
        )
    potential[0] += WALL
    potential[-1] -= WALL
    diffusivity = curve(material.diffusivity, inner)
    mean = float(diffusivity.mean())
    varies = float(np.ptp(diffusivity)) > 1e-9 * mean
    roots = np.linspace(0.0, np.sqrt(MOST_SALT * rest), EXCHANGE[0])
    fill = np.sin(0.5 * np.pi * np.linspace(0.0, 1.0, EXCHANGE[1])) ** 2
    salt, solid = np.broadcast_arrays(
        roots[:, None] ** 2, material.maximum_concentration * fill[None, :]
    )
    exchange = material.exchange_current_density(salt.ravel(), solid.ravel()).reshape(salt.shape)
    logs = np.linspace(np.log(LEAST_SALT * rest), np.log(MOST_SALT * rest), SALTS)
    factor = curve(electrolyte.thermodynamic_factor, np.exp(logs))
    carried = curve(electrolyte.transference_number, np.exp(logs))
    slope = 2.0 * thermal * (1.0 - carried) * factor
    rise = np.concatenate([[0.0], np.cumsum(0.5 * (slope[1:] + slope[:-1]) * np.diff(logs))])
    rise -= np.interp(np.log(rest), logs, rise)
    return CellTables(
        Table(potential, 0.0, float(x[1])),
        Table(np.maximum(diffusivity / mean, 1e-6), 0.0, float(x[1])) if varies else None,
        mean,
        np.maximum(np.nan_to_num(exchange), 0.0),
        float(roots[1]),
        Table(rise, float(logs[0]), float(logs[1] - logs[0])),
        _over_salt(electrolyte.conductivity, rest),
        _over_salt(electrolyte.diffusivity, rest),
        *_migration(electrolyte),
        thermal,
    )


def _migration(electrolyte: Electrolyte) -> tuple[float, Table | None]:
    """Return the transference number at rest, and how it differs elsewhere."""
    rest = electrolyte.concentration
    c = np.linspace(0.0, MOST_SALT * rest, SALTS)
    values = curve(electrolyte.transference_number, np.maximum(c, 1e-6 * rest))
    at_rest = float(curve(electrolyte.transference_number, np.array([rest]))[0])
    if np.ptp(values) <= 1e-12:
        return at_rest, None
    return at_rest, Table(np.nan_to_num(values) - at_rest, 0.0, float(c[1]))


def _over_salt(value: Curve, rest: float) -> Table:
    c = np.linspace(0.0, MOST_SALT * rest, SALTS)
    at_rest = float(curve(value, np.array([rest]))[0])
    values = np.nan_to_num(curve(value, np.maximum(c, 1e-6 * rest)))
    return Table(np.maximum(values, FLOOR * at_rest), 0.0, float(c[1]))


def kinetic_tables(temperature: float) -> CellTables:
    """Return tables of a reaction whose equilibrium potential is 0 and exchange current is 1."""
    if not (is_number(temperature) and temperature > 0.0):
        raise ValueError(f"temperature {temperature!r} is not allowed; give kelvins above 0")
    nothing, one = Table(np.zeros(2), 0.0, 1.0), Table(np.ones(2), 0.0, 1.0)
    thermal = GAS_CONSTANT * temperature / FARADAY
    return CellTables(
        nothing, None, 1.0, np.ones((2, 2)), 1.0, nothing, one, one, 0.0, None, thermal
    )
