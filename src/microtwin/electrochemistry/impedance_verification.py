"""Half cells whose impedance is known, computed and compared."""

from __future__ import annotations

import cmath
import math
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..trust.verification import Case
from .discharging import half_cell
from .half_cell_impedance import half_cell_impedance
from .half_cell_model import HalfCell
from .half_cell_verification import ball_on_wire, ideal_electrolyte, ideal_material, layers
from .kinetics import FARADAY, GAS_CONSTANT
from .materials import Separator

__all__ = ["CASES", "ball_cell", "exact_ball", "exact_flat", "flat_cell"]

VOXEL = 5e-7  # m
MOST = 5e4  # mol/m^3
REST = 1000.0  # mol/m^3
THERMAL = GAS_CONSTANT * 298.15 / FARADAY
LITHIUM = THERMAL / 10.0  # ohm m^2
LAYER = 0.2  # F/m^2
SLOPE, EXCHANGE, DIFFUSIVITY, CONDUCTIVITY = 1.0, 2.0, 1e-14, 1e-2
SOLID, PORE, BEYOND = 6, 8, 10  # voxels
CATION, SALT = 0.3, 3e-10
RADIUS, BALL_SLOPE, BALL_EXCHANGE = 5e-6, 0.2, 50.0


def flat_cell() -> HalfCell:
    """Return layers of active material and electrolyte, a separator and lithium."""
    return half_cell(
        layers(SOLID, PORE),
        ideal_material(slope=SLOPE, exchange=EXCHANGE, diffusivity=DIFFUSIVITY),
        ideal_electrolyte(conductivity=CONDUCTIVITY, diffusivity=SALT, transference=CATION),
        separator=Separator(BEYOND * VOXEL, 0.5, 2.0),
        stoichiometry=0.5,
    )


def exact_flat(frequency: float) -> complex:
    """Return the impedance of `flat_cell` in ohm m^2.

    Ohmic resistances and that of the reaction at the lithium; beside a double layer, the reaction
    and diffusion in a slab that is closed on its far side (Jacobsen & West, Electrochim. Acta 40
    (1995) 255); diffusion of salt through pore and separator.
    """
    w = 2.0 * math.pi * frequency
    k = cmath.sqrt(1j * w / DIFFUSIVITY)
    slab = 1.0 / (DIFFUSIVITY * k * cmath.tanh(k * SOLID * VOXEL))
    reaction = THERMAL / EXCHANGE + SLOPE / (FARADAY * MOST) * slab
    ohmic = SOLID * VOXEL + VOXEL / CONDUCTIVITY * (PORE + BEYOND / 0.25)
    return ohmic + LITHIUM + 1.0 / (1.0 / reaction + 1j * w * LAYER) + _salt(w)


def _salt(w: float) -> complex:
    """Return what salt adds: a flux through two layers, in steady oscillation."""
    matrix = np.zeros((3, 3), complex)
    for n, (porosity, share, voxels) in enumerate(((1.0, 1.0, PORE), (0.5, 0.25, BEYOND))):
        k = cmath.sqrt(1j * w * porosity / (SALT * share))
        admittance, depth = SALT * share * k, k * voxels * VOXEL
        matrix[[n, n + 1], [n, n + 1]] += admittance / cmath.tanh(depth)
        # What passes through a layer is nothing where it is many penetration depths thick.
        through = admittance / cmath.sinh(depth) if depth.real < 300.0 else 0.0
        matrix[[n, n + 1], [n + 1, n]] -= through
    flux = (1.0 - CATION) / FARADAY
    c = np.linalg.solve(matrix, np.array([-flux, 0.0, flux]))
    return 2.0 * THERMAL * (1.0 - CATION) / REST * complex(c[2] - c[0])


def ball_cell(radius: float) -> HalfCell:
    """Return a ball of 5 um, radius in voxels, in a cell that resists very little otherwise."""
    material = ideal_material(
        slope=BALL_SLOPE, exchange=BALL_EXCHANGE, conductivity=1e5, window=(3.81, 3.99)
    )
    return half_cell(
        ball_on_wire(radius), material, ideal_electrolyte(conductivity=100.0, diffusivity=1e-7),
        stoichiometry=0.3, separator=Separator(2e-6, 1.0, 1.0), conductivities={"wire": 1e5},
    )  # fmt: skip


def exact_ball(frequency: ArrayLike) -> NDArray[np.complex128]:
    """Return the impedance of a ball, for its surface, in ohm m^2.

    Diffusion in a sphere as in Jacobsen & West, Electrochim. Acta 40 (1995) 255.
    """
    w = 2.0 * np.pi * np.asarray(frequency, float)
    depth = np.sqrt(1j * w / DIFFUSIVITY) * RADIUS
    sphere = RADIUS / DIFFUSIVITY * np.tanh(depth) / (depth - np.tanh(depth))
    reaction = THERMAL / BALL_EXCHANGE + BALL_SLOPE / (FARADAY * MOST) * sphere
    return np.asarray(1.0 / (1.0 / reaction + 1j * w * LAYER))


def _flat_difference(frequencies: tuple[float, ...]) -> float:
    found = half_cell_impedance(flat_cell(), frequencies).impedance
    expected = np.array([exact_flat(f) for f in frequencies])
    return float(np.abs(found / expected - 1.0).max())


def _ohmic() -> float:
    return float(half_cell_impedance(flat_cell(), 1e6).impedance[0].real)


def _expected_ohmic() -> float:
    return SOLID * VOXEL + VOXEL / CONDUCTIVITY * (PORE + BEYOND / 0.25) + LITHIUM


def _ball_difference(radius: float, frequencies: tuple[float, ...]) -> float:
    cell = ball_cell(radius)
    found = half_cell_impedance(cell, frequencies).impedance - LITHIUM
    found *= cell.area / cell.grid.cross_section
    return float(np.abs(found / exact_ball(frequencies) - 1.0).max())


CASES = (
    Case(
        name="flat half cell, 0.3 to 1000 Hz",
        quantity="largest relative difference of the impedance",
        reference=0.0,
        compute=partial(_flat_difference, (1e3, 100.0, 10.0, 1.0, 0.3)),
        limit=0.005,
        source="exact: diffusion in slabs, Jacobsen & West 1995",
        relative=False,
    ),
    Case(
        name="flat half cell of 6 layers of voxels, 0.1 to 100 mHz",
        quantity="largest relative difference of the impedance",
        reference=0.0,
        compute=partial(_flat_difference, (0.1, 0.03, 0.01, 1e-3, 1e-4)),
        # Lithium moves by less than a voxel at the higher ones.
        limit=0.02,
        source="exact: diffusion in slabs, Jacobsen & West 1995",
        relative=False,
    ),
    Case(
        name="flat half cell, 1 MHz",
        quantity="real part, ohm m^2",
        reference=_expected_ohmic,
        compute=_ohmic,
        limit=0.005,
        source="sum of ohmic resistances and that of lithium",
    ),
    *(
        Case(
            name=f"ball of radius 10 voxels, {name}",
            quantity="largest relative difference of the impedance",
            reference=0.0,
            compute=partial(_ball_difference, 10.0, frequencies),
            limit=limit,
            source="exact: diffusion in a sphere, Jacobsen & West 1995",
            relative=False,
        )
        for name, frequencies, limit in (
            ("1 Hz and above", (100.0, 10.0, 1.0), 0.01),
            ("10 to 100 mHz", (0.1, 0.03, 0.01), 0.06),
            ("0.1 to 1 mHz", (1e-3, 1e-4), 0.02),
        )
    ),
)
