"""Known currents over interfaces, computed and compared."""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from ..microstructure import Microstructure
from ..trust.verification import Case
from .interface_current import interface_current
from .kinetics import FARADAY, GAS_CONSTANT

__all__ = ["CASES", "ball"]

OVERPOTENTIAL = 0.05  # V
EXCHANGE = 2.0  # A/m^2
VOXEL = 4e-7  # m
POSITIONS = 4


def ball(radius: float, offset: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Microstructure:
    """Return a ball of active material in electrolyte, on voxels of 0.4 micrometres.

    Parameters
    ----------
    radius : float
        In voxels.
    offset : 3 floats
        Shift of the centre (z, y, x) from the middle of the box, in voxels.
    """
    n = 2 * math.ceil(radius) + 6
    z, y, x = (np.arange(n) + 0.5 - 0.5 * n - shift for shift in offset)
    inside = z[:, None, None] ** 2 + y[:, None] ** 2 + x**2 < radius**2
    return Microstructure(inside.view(np.uint8), VOXEL, {"pore": 0, "active": 1})


def _flat() -> float:
    labels = np.zeros((8, 6, 6), np.uint8)
    labels[3:] = 1
    micro = Microstructure(labels, VOXEL, {"pore": 0, "active": 1})
    result = interface_current(micro, OVERPOTENTIAL, EXCHANGE)
    return result.total_current / (micro.extent[1] * micro.extent[2])


def _expected() -> float:
    return 2.0 * EXCHANGE * math.sinh(0.5 * FARADAY * OVERPOTENTIAL / (GAS_CONSTANT * 298.15))


def _ball_current(radius: float) -> float:
    """Return the mean current of balls at several places between the voxels."""
    rng = np.random.default_rng(0)
    currents = [
        interface_current(
            ball(radius, tuple(rng.uniform(-0.5, 0.5, 3))), OVERPOTENTIAL, EXCHANGE
        ).total_current
        for _ in range(POSITIONS)
    ]
    return float(np.mean(currents))


def _density() -> float:
    return interface_current(ball(4), OVERPOTENTIAL, EXCHANGE).mean


CASES = (
    Case(
        name="any interface, uniform overpotential",
        quantity="current density, A/m^2",
        reference=_expected,
        compute=_density,
        limit=1e-14,
        source="Butler-Volmer equation",
    ),
    Case(
        name="flat interface, uniform overpotential",
        quantity="current over its cross-section, A/m^2",
        reference=_expected,
        compute=_flat,
        # The Crofton formula gives a plane along the voxels an area 1e-4 too large.
        limit=2e-4,
        source="Butler-Volmer equation",
    ),
    *(
        Case(
            name=f"ball of radius {radius} voxels, uniform overpotential, mean of {POSITIONS} "
            "positions",
            quantity="current, A",
            reference=4.0 * math.pi * (radius * VOXEL) ** 2 * _expected(),
            compute=partial(_ball_current, radius),
            limit=0.005,
            source="Butler-Volmer equation on the area of a sphere",
        )
        for radius in (10, 20)
    ),
)
