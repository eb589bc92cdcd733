"""Impedances of blocking electrodes that are known, computed and compared."""

from __future__ import annotations

from functools import partial

import numpy as np

from ..microstructure import Microstructure
from ..trust.verification import Case
from .impedance import Impedance, blocking_impedance
from .options import Interface
from .tortuosity import tortuosity_factor
from .transmission_line import transmission_line

__all__ = ["CASES", "plates"]

LENGTH = 48  # voxels
VOXEL = 1e-6  # m, along the pores
NARROW = 2.5e-7  # m, across them
CAPACITANCE = 0.1  # F/m^2
CONDUCTIVITY = 0.5  # S/m
INTERFACES: tuple[Interface, ...] = ("smooth", "voxel")


def plates(length: int = LENGTH, pore: int = 4, wall: int = 4) -> Microstructure:
    """Return straight slits between plates, in voxels that are four times as long as wide."""
    period = pore + wall
    x = (np.arange(2 * period) + wall // 2) % period
    labels = np.tile((x < wall).astype(np.uint8), (length, 8, 1))
    return Microstructure(labels, (VOXEL, VOXEL, NARROW), {"pore": 0, "solid": 1})


def _slits(interface: Interface) -> Impedance:
    return blocking_impedance(
        plates(), conductivity=CONDUCTIVITY, capacitance=CAPACITANCE, interface=interface
    )


def _ionic() -> float:
    """Return R = L / (kappa eps), in ohm m^2."""
    return LENGTH * VOXEL / (0.5 * CONDUCTIVITY)


def _capacitance() -> float:
    """Return that of two walls per period of eight voxels, in F/m^2 of collector."""
    return CAPACITANCE * 2.0 / (8.0 * NARROW) * LENGTH * VOXEL


def _difference(interface: Interface) -> float:
    """Return the largest relative difference to the transmission line."""
    found = _slits(interface)
    expected = transmission_line(found.frequencies, _ionic(), _capacitance())
    return float(np.abs(found.impedance / expected - 1.0).max())


CASES = (
    *(
        Case(
            name=f"straight slits of {LENGTH} voxels, charged walls, {interface} interface",
            quantity="largest relative difference of the impedance",
            reference=0.0,
            compute=partial(_difference, interface),
            limit=0.01,
            source="transmission line, de Levie 1963",
            relative=False,
        )
        for interface in INTERFACES
    ),
    Case(
        name=f"straight slits of {LENGTH} voxels, charged walls",
        quantity="real part at frequency 0, ohm m^2",
        reference=lambda: _ionic() / 3.0,
        compute=lambda: _slits("smooth").low_frequency_resistance,
        # One over twice the square of the voxels along the pore, and the width of the slits.
        limit=1e-3,
        source="transmission line: R_ion / 3",
    ),
    Case(
        name=f"straight slits of {LENGTH} voxels, charged walls",
        quantity="tortuosity factor from the impedance",
        reference=lambda: tortuosity_factor(plates(), "pore").tortuosity_factor,
        compute=lambda: _slits("smooth").tortuosity_factor,
        limit=1e-3,
        source="steady diffusion through the same slits",
    ),
)
