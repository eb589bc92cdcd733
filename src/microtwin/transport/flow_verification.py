"""Viscous flows that are known, computed and compared."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ..generation.lattices import lattice_spheres_level_set
from ..microstructure import Microstructure
from ..trust.verification import Case
from .options import Interface
from .permeability import permeability

__all__ = ["CASES", "CYLINDERS", "SPHERES", "cylinders", "level_set_flow"]

# Permeability over the square of the period. Simple cubic array of spheres, by volume fraction:
# A. A. Zick, G. M. Homsy, J. Fluid Mech. 115 (1982) 13; the last one touches.
SPHERES = {
    0.027: 0.141964,
    0.064: 0.0760844,
    0.125: 0.0398503,
    0.216: 0.0191523,
    0.343: 0.0079331,
    0.45: 0.0039715,
    math.pi / 6: 0.0025203,
}
# Square array of cylinders, flow across, by volume fraction: one over the drag of
# A. S. Sangani, A. Acrivos, Int. J. Multiphase Flow 8 (1982) 193.
CYLINDERS = {
    0.05: 1 / 15.56,
    0.1: 1 / 24.83,
    0.2: 1 / 51.53,
    0.3: 1 / 102.90,
    0.4: 1 / 217.89,
    0.5: 1 / 532.55,
    0.6: 1 / 1763.0,
}
_PHASES = {"pore": 0, "solid": 1}
# Largest errors of slits and ducts 32 voxels wide.
_SLITS: tuple[tuple[Interface, float], ...] = (("smooth", 1e-5), ("voxel", 0.0025))
_DUCTS: tuple[tuple[Interface, float], ...] = (("smooth", 0.0015), ("voxel", 0.005))


def cylinders(n: int, fraction: float, shift: float = 0.0) -> NDArray[np.float32]:
    """Return the distance to the cylinders of a square array, shape (n, 2, n), axes along y."""
    radius = n * math.sqrt(fraction / math.pi)
    x = (np.arange(n) + 0.5 - n / 2 - shift + n / 2) % n - n / 2
    distance = np.hypot(x[:, None], x[None, :]) - radius
    return np.repeat(distance.astype(np.float32)[:, None], 2, axis=1)


def level_set_flow(level: NDArray[np.float32], interface: Interface, known: bool) -> float:
    """Return the permeability along z where a field is not negative, in squares of a voxel.

    With `known` the solver is given the field, otherwise the labels alone.
    """
    micro = Microstructure((level < 0).view(np.uint8), 1.0, _PHASES)
    surface = level if known else None
    return permeability(micro, "pore", interface=interface, level_set=surface).permeability


def _duct(shape: tuple[int, int], interface: Interface) -> float:
    """Return the permeability of a duct in a wall of one voxel over that of its open part."""
    labels = np.ones((2, shape[0] + 1, shape[1] + 1), np.uint8)
    labels[:, : shape[0], : shape[1]] = 0
    micro = Microstructure(labels, 1.0, _PHASES)
    result = permeability(micro, "pore", interface=interface)
    return result.permeability / result.volume_fraction


def _slit(n: int, interface: Interface) -> float:
    labels = np.ones((2, 2, n + 1), np.uint8)
    labels[:, :, :n] = 0
    result = permeability(Microstructure(labels, 1.0, _PHASES), "pore", interface=interface)
    return result.permeability / result.volume_fraction / n**2


def _tube(radius: float, n: int) -> NDArray[np.float32]:
    y = np.arange(n) - n / 2 + 0.3
    x = np.arange(n) - n / 2 + 0.6
    level = radius - np.hypot(y[:, None], x)
    return np.repeat(level.astype(np.float32)[None], 2, axis=0)


def _spheres(fraction: float, n: int, known: bool) -> float:
    origin = (0.0, 0.0, 0.0) if known else (0.2, 0.7, 0.4)
    level = lattice_spheres_level_set(n, fraction, origin=origin)
    return level_set_flow(level, "smooth", known) / n**2


def _tilted(n: int, known: bool) -> float:
    """Return the flow along z through slits with the normal (1, 2) in the plane (z, x)."""
    at = np.arange(n) + 0.5
    phase = ((at[:, None] + 2.0 * at[None, :]) / n + 0.2) % 1.0
    level = (0.25 - np.abs(phase - 0.5)) * (n / math.sqrt(5.0))
    plane = level.astype(np.float32)
    gap = 0.5 * n / math.sqrt(5.0)
    slits = np.repeat(plane[:, None], 2, axis=1)
    return level_set_flow(slits, "smooth", known) / (0.5 * 0.8 * gap**2 / 12.0)


def _order() -> float:
    """Return the observed order on spheres from 20 to 40 voxels per period, exact level set."""
    errors = [_spheres(0.343, n, True) / SPHERES[0.343] - 1.0 for n in (20, 40)]
    return math.log2(errors[0] / errors[1])


CASES: tuple[Case, ...] = (
    *(
        Case(
            name=f"slit of 32 voxels, {interface} interface",
            quantity="permeability over the square of the width",
            reference=1.0 / 12.0,
            compute=partial(_slit, 32, interface),
            limit=limit,
            source="exact, plane Poiseuille flow",
        )
        for interface, limit in _SLITS
    ),
    *(
        Case(
            name=f"square duct of 32 voxels, {interface} interface",
            quantity="permeability over the square of the side",
            reference=0.0351442537,
            compute=lambda interface=interface: _duct((32, 32), interface) / 32**2,  # type: ignore[misc]
            limit=limit,
            source="exact series (Shah & London 1978)",
        )
        for interface, limit in _DUCTS
    ),
    *(
        Case(
            name=f"round tube, radius {radius} voxels, exact level set",
            quantity="permeability over radius^4 pi / (8 area)",
            reference=1.0,
            compute=lambda r=radius, n=n: (  # type: ignore[misc]
                level_set_flow(_tube(r, n), "smooth", True) * n**2 / (math.pi * r**4 / 8.0)
            ),
            limit=limit,
            source="exact, Hagen-Poiseuille flow",
        )
        for radius, n, limit in ((5.3, 14, 0.005), (10.6, 26, 0.002))
    ),
    *(
        Case(
            name=f"slits with the normal (1, 0, 2), gap {gap} voxels, {what}",
            quantity="permeability over its exact value",
            reference=1.0,
            compute=partial(_tilted, 64, known),
            limit=limit,
            source="exact, plane Poiseuille flow",
        )
        for gap, what, known, limit in (
            (14.3, "exact level set", True, 0.01),
            (14.3, "labels", False, 0.02),
        )
    ),
    *(
        Case(
            name=f"simple cubic spheres, c = {fraction:.4g}, 32 voxels per period, exact level set",
            quantity="permeability over the square of the period",
            reference=reference,
            compute=partial(_spheres, fraction, 32, True),
            limit=0.008,
            source="Zick & Homsy 1982",
        )
        for fraction, reference in SPHERES.items()
    ),
    *(
        Case(
            name=f"simple cubic spheres off the grid, c = {fraction:.4g}, 32 voxels per period, "
            "labels",
            quantity="permeability over the square of the period",
            reference=SPHERES[fraction],
            compute=partial(_spheres, fraction, 32, False),
            limit=0.02,
            source="Zick & Homsy 1982",
        )
        for fraction in (0.125, 0.343, math.pi / 6)
    ),
    Case(
        name="simple cubic spheres, c = 0.343, from 20 to 40 voxels, exact level set",
        quantity="observed order of convergence",
        reference=2.0,
        compute=_order,
        limit=0.4,
        source="second order",
        relative=False,
    ),
    *(
        Case(
            name=f"square array of cylinders, c = {fraction}, 64 voxels per period, "
            "exact level set",
            quantity="permeability over the square of the period",
            reference=reference,
            compute=lambda c=fraction: (  # type: ignore[misc]
                level_set_flow(cylinders(64, c), "smooth", True) / 64**2
            ),
            limit=0.003,
            source="Sangani & Acrivos 1982",
        )
        for fraction, reference in CYLINDERS.items()
    ),
)
