"""Half cells whose behaviour is known, computed and compared."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ..microstructure import Microstructure
from ..numerics import weighted_sum
from ..trust.verification import Case
from .discharging import half_cell
from .half_cell_model import HalfCell
from .half_cell_runs import run
from .kinetics import FARADAY, GAS_CONSTANT
from .materials import Curve, ElectrodeMaterial, Electrolyte, Separator
from .protocols import ConstantCurrent, ConstantVoltage
from .secondary import secondary_current

__all__ = ["CASES", "ball_on_wire", "ideal_electrolyte", "ideal_material", "layers"]

VOXEL = 5e-7  # m
MOST = 5e4  # mol/m^3
THERMAL = GAS_CONSTANT * 298.15 / FARADAY
REST = 1000.0  # mol/m^3


def ideal_material(
    *,
    slope: float = 1.0,
    exchange: float = 2.0,
    diffusivity: float = 1e-14,
    conductivity: float = 1.0,
    window: tuple[float, float] = (2.9, 3.9),
) -> ElectrodeMaterial:
    """Return a material with a straight open-circuit potential, 4 V less `slope` at x = 1.

    Parameters
    ----------
    slope : float
        In V.
    exchange : float
        Exchange current density, in A/m^2, whatever the concentrations.
    diffusivity, conductivity : float
        In m^2/s and S/m.
    window : tuple of 2 floats
        In V.
    """
    return ElectrodeMaterial(
        "ideal",
        MOST,
        lambda x: 4.0 - slope * x,
        diffusivity,
        lambda salt, solid: np.full(np.broadcast(salt, solid).shape, exchange),
        conductivity,
        window,
    )


def ideal_electrolyte(
    *, conductivity: float = 1.0, diffusivity: float = 3e-10, transference: Curve = 0.3
) -> Electrolyte:
    """Return an electrolyte with constant properties, in SI units, but for the transference."""
    return Electrolyte(
        "ideal",
        REST,
        conductivity,
        diffusivity,
        transference,
        1.0,
        lithium_exchange_current_density=10.0,
    )


def layers(solid: int, pore: int, width: int = 4, voxel: float = VOXEL) -> Microstructure:
    """Return a layer of active material below one of electrolyte, in voxels."""
    labels = np.zeros((solid + pore, width, width), np.uint8)
    labels[:solid] = 1
    return Microstructure(labels, voxel, {"pore": 0, "active": 1})


def ball_on_wire(radius: float) -> Microstructure:
    """Return a ball of active material of 5 um, radius in voxels, on a conducting wire."""
    n = 2 * math.ceil(radius) + 4
    centre = 0.5 * n + np.array([0.13, 0.27, -0.21])
    z, y, x = (np.arange(n) + 0.5 for _ in range(3))
    square = (
        (z[:, None, None] - centre[0]) ** 2 + (y[:, None] - centre[1]) ** 2 + (x - centre[2]) ** 2
    )
    labels = (square < radius**2).astype(np.uint8)
    middle = n // 2
    first = int(np.argmax(labels[:, middle, middle]))
    labels[:first, middle, middle] = 2
    return Microstructure(labels, 5e-6 / radius, {"pore": 0, "active": 1, "wire": 2})


def _slab_resistance() -> float:
    """Return the potential lost in a flat cell, per current density, in ohm m^2."""
    cell = _flat_cell(ideal_material(diffusivity=1e-9, conductivity=2e-3), transference=0.9999999)
    applied = 0.05 * cell.grid.cross_section
    state, _ = cell.advance(1e-3, applied, smooth=False)
    return (float(cell.tables.potential(state.surface.mean())) - state.voltage) / 0.05


def _flat_cell(material: ElectrodeMaterial, transference: Curve = 0.3, pore: int = 8) -> HalfCell:
    return half_cell(
        layers(6, pore),
        material,
        ideal_electrolyte(conductivity=0.01, transference=transference),
        separator=Separator(10 * VOXEL, 0.5, 2.0),
        stoichiometry=0.5,
    )


def _expected_slab() -> float:
    ohmic = 6 * VOXEL / 2e-3 + 8 * VOXEL / 0.01 + 10 * VOXEL / (0.01 * 0.25)
    # asinh is straight to 1e-4 at these currents.
    return ohmic + THERMAL / 2.0 + THERMAL / 10.0


def _ball_surface(radius: float, time: float) -> float:
    """Return the mean stoichiometry at the surface of a ball after a constant flux."""
    material = ideal_material(slope=0.2, exchange=50.0, conductivity=100.0, window=(3.81, 3.99))
    cell = half_cell(
        ball_on_wire(radius), material, ideal_electrolyte(), stoichiometry=0.3,
        separator=Separator(4e-6, 1.0, 1.0), conductivities={"wire": 100.0},
    )  # fmt: skip
    applied = FLUX * FARADAY * cell.area
    rate = applied / (cell.capacity / 3600.0)
    run(cell, [ConstantCurrent(rate, 3.0, time)])
    return float(cell.state.surface @ cell.grid.area / cell.area) - 0.3


FLUX = 2e-5  # mol/(m^2 s)
TIME = 300.0  # s


def _crank(radius: float = 5e-6, diffusivity: float = 1e-14) -> float:
    """Return the rise of the stoichiometry at the surface of a sphere (Crank, eq. 6.45)."""
    tau = diffusivity * TIME / radius**2
    roots = _tangent_roots(60)
    series = float((np.exp(-(roots**2) * tau) / roots**2).sum())
    return FLUX * radius / diffusivity * (3.0 * tau + 0.2 - 2.0 * series) / MOST


def _tangent_roots(count: int) -> NDArray[np.float64]:
    """Return the positive roots of tan x = x."""
    from scipy.optimize import brentq

    ends = [((n + 1e-9) * math.pi, (n + 0.5 - 1e-9) * math.pi) for n in range(1, count + 1)]
    return np.array([brentq(lambda x: math.sin(x) - x * math.cos(x), *pair) for pair in ends])


def _cottrell_ratio() -> float:
    """Return current over that of Cottrell after a step of potential at a flat electrode."""
    micro = layers(60, 2, voxel=1e-7)
    material = ideal_material(slope=40.0, exchange=1e4, diffusivity=1e-15, conductivity=1e3,
                              window=(-30.0, 3.9))  # fmt: skip
    cell = half_cell(
        micro, material, ideal_electrolyte(conductivity=1e3), stoichiometry=0.5,
        separator=Separator(1e-7, 1.0, 1.0),
    )  # fmt: skip
    rest = cell.state.voltage
    time = 400.0
    run(cell, [ConstantVoltage(rest - 0.4, 1e-9, time)], accuracy=1e-4)
    change = 0.4 / 40.0 * MOST
    expected = FARADAY * change * math.sqrt(1e-15 / (math.pi * time))
    return cell.state.applied / cell.grid.cross_section / expected


def _in_separator(transference: Curve, density: float, length: float) -> list[float]:
    """Return the salt in each plane of the separator of a flat cell in steady state.

    At a current density in A/m^2, after 12 steps of a length in s.
    """
    cell = _flat_cell(ideal_material(diffusivity=1e-11, exchange=10.0), transference)
    applied = density * cell.grid.cross_section
    for k in range(12):
        state, step = cell.advance(length, applied, smooth=k > 0)
        cell.accept(state, step.length)
    planes = state.salt[14:]
    return [float(p[p > 0].mean()) for p in planes]


def _separator_drop() -> float:
    """Return the difference of salt across the separator of a flat cell in steady state."""
    means = _in_separator(0.3, 2.0, 10.0)
    return (means[-1] - means[0]) / 9.0 * 10.0


SLOPE = 2e-4  # of the transference number, per mol/m^3
DENSITY = 200.0  # A/m^2


def _separator_anions() -> float:
    """Return 1 - t in the last plane of the separator over that in the first.

    In steady state D dc/dx = (1 - t) i / F, so 1 - t falls off as an exponential for a t that is
    straight in c.
    """
    means = np.array(_in_separator(lambda c: 0.3 + SLOPE * (c - REST), DENSITY, 0.5))
    anions = 0.7 - SLOPE * (means - REST)
    return float(anions[-1] / anions[0])


def _expected_anions() -> float:
    return math.exp(-SLOPE * DENSITY / FARADAY * 9 * VOXEL / (3e-10 * 0.25))


def _expected_drop() -> float:
    return 0.7 * 2.0 / FARADAY * 10 * VOXEL / (3e-10 * 0.25)


def _sand_time() -> float:
    """Return when the salt at a flat electrode will run out, from how it falls before."""
    cell = half_cell(
        layers(4, 220), ideal_material(diffusivity=1e-9, exchange=100.0, window=(-5.0, 3.9)),
        ideal_electrolyte(conductivity=10.0), separator=Separator(10 * VOXEL, 1.0, 1.0),
        stoichiometry=0.1,
    )  # fmt: skip
    applied = SAND * cell.grid.cross_section
    length, steps = 0.7 * _expected_sand() / 120, 120
    for k in range(steps):
        state, _ = cell.advance(length, applied, smooth=k > 0)
        cell.accept(state, length)
    first = state.salt[4]
    flux = 0.7 * SAND / FARADAY
    surface = float(first[first > 0].mean()) - flux * 0.5 * VOXEL / 3e-10
    return state.time / (1.0 - surface / REST) ** 2


SAND = 1000.0  # A/m^2


def _expected_sand() -> float:
    return math.pi * 3e-10 * (FARADAY * REST / (2.0 * SAND * 0.7)) ** 2


def _comb_resistance() -> float:
    """Return the resistance of alternating columns of solid and electrolyte, in ohm m^2."""
    labels = np.zeros((64, 4, 2), np.uint8)
    labels[:, :2] = 1
    micro = Microstructure(labels, 1e-6, {"pore": 0, "active": 1})
    return secondary_current(micro, 1e-4, 20.0, {"active": 0.3, "pore": 0.3}).resistance


def _newman_tobias() -> float:
    length, area, sigma, kappa = 64e-6, 1.0 / 4e-6, 0.15, 0.15
    nu = math.sqrt(length**2 * area * 20.0 / THERMAL * (1.0 / kappa + 1.0 / sigma))
    ratio = 2.0 + (sigma / kappa + kappa / sigma) * math.cosh(nu)
    return length / (sigma + kappa) * (1.0 + ratio / (nu * math.sinh(nu)))


def _lithium_lost() -> float:
    """Return the charge that the lithium in a ball does not account for, over all of it."""
    material = ideal_material(conductivity=100.0)
    cell = half_cell(
        ball_on_wire(5.0), material, ideal_electrolyte(), separator=Separator(4e-6, 1.0, 1.0),
        conductivities={"wire": 100.0},
    )  # fmt: skip
    volume = float(np.prod(cell.grid.voxel_size)) * FARADAY

    def charge() -> float:
        return volume * weighted_sum(cell.state.lithium, cell.grid.active_volume)

    start, worst = charge(), 0.0
    applied = cell.capacity / 3600.0
    for k in range(10):
        state, step = cell.advance(30.0, applied, smooth=k > 0)
        cell.accept(state, step.length)
        worst = max(worst, abs((charge() - start) / state.charge - 1.0))
    return worst


CASES = (
    Case(
        name="flat cell, linear kinetics",
        quantity="resistance, ohm m^2",
        reference=_expected_slab,
        compute=_slab_resistance,
        limit=5e-4,
        source="sum of ohmic, kinetic and counter-electrode resistances",
    ),
    Case(
        name="ball of radius 10 voxels, constant flux",
        quantity="rise of the stoichiometry at its surface",
        reference=_crank,
        compute=partial(_ball_surface, 10.0, TIME),
        limit=0.005,
        source="Crank 1975, The Mathematics of Diffusion, eq. 6.45",
    ),
    Case(
        name="step of potential at a flat electrode",
        quantity="current over that of Cottrell",
        reference=1.0,
        compute=_cottrell_ratio,
        limit=0.01,
        source="Cottrell equation",
    ),
    Case(
        name="steady separator",
        quantity="difference of salt across it, mol/m^3",
        reference=_expected_drop,
        compute=_separator_drop,
        limit=0.005,
        source="exact: straight profile at constant diffusivity",
    ),
    Case(
        name="steady separator, transference number straight in the concentration",
        quantity="1 - t at its end over that at its start",
        reference=_expected_anions,
        compute=_separator_anions,
        limit=1e-4,
        source="exact: an exponential",
    ),
    Case(
        name="salt that runs out at a flat electrode",
        quantity="time, s",
        reference=_expected_sand,
        compute=_sand_time,
        limit=0.02,
        source="Sand's equation",
    ),
    Case(
        name="columns of solid and electrolyte, linear kinetics",
        quantity="resistance, ohm m^2",
        reference=_newman_tobias,
        compute=_comb_resistance,
        limit=0.005,
        source="Newman & Tobias, J. Electrochem. Soc. 109 (1962) 1183",
    ),
    Case(
        name="discharge of a ball",
        quantity="largest difference of charge and lithium taken up, over the charge",
        reference=0.0,
        compute=_lithium_lost,
        limit=1e-8,
        source="conservation",
        relative=False,
    ),
)
