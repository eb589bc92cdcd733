"""Stress in particles whose concentration and stress are known, computed and compared."""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy.optimize import minimize_scalar

from ..microstructure import Microstructure
from ..trust import Case
from .elastic_particles import ElasticParticle
from .hosts import Host, stress_coupling
from .particle_charging import charge_particle
from .particle_exact import potentiostatic_stress
from .particle_runs import ParticleRun
from .stiffness import isotropic
from .swelling import solve_swelling

__all__ = ["CASES"]

# Numbers of the order of manganese spinel; the answers are formulas in them.
SPINEL = ElasticParticle(5e-6, 10e9, 0.3, 3.497e-6)
HOST = Host(7.08e-15, temperature=300.0)
UNIT = SPINEL.radius**2 / 7.08e-15  # s
RISE = 1e4  # mol/m^3
# E Omega dc / (1 - nu), in Pa
SCALE = 3.0 * SPINEL.stiffness * RISE
CHENG = "Cheng & Verbrugge, J. Power Sources 190 (2009) 453"


@cache
def _constant_flux() -> ParticleRun:
    flux = 2.0 * 7.08e-15 * RISE / SPINEL.radius
    return charge_particle(SPINEL, HOST, 0.0, 0.6 * UNIT, flux=flux, coupled=False)


def _pull_in_the_centre() -> float:
    return float(_constant_flux().stress.radial[-1, 0] / SCALE)


def _pressure_at_the_surface() -> float:
    return float(_constant_flux().stress.tangential[-1, -1] / SCALE)


def _largest_pull() -> float:
    """Return the largest stress in the centre after a step of the surface concentration."""
    run = charge_particle(
        SPINEL,
        HOST,
        0.0,
        0.08 * UNIT,
        surface_concentration=RISE,
        coupled=False,
        cells=100,
        tol=1e-5,
    )
    return float(run.stress.radial[:, 0].max() / SCALE)


def _when_it_is_largest() -> float:
    def pressure(tau: float) -> float:
        radii, times = [0.0, SPINEL.radius], [tau * UNIT]
        found = potentiostatic_stress(SPINEL, radii, times, 7.08e-15, 0.0, RISE)
        return -float(found.radial[0, 0] / SCALE)

    return float(minimize_scalar(pressure, bounds=(0.02, 0.2), method="bounded").x)


def _softened() -> float:
    """Return the difference of concentration with stress over that without, small and steady."""
    mean, flux = 1e4, 1e-8
    run = charge_particle(SPINEL, HOST, mean, 0.6 * UNIT, flux=flux, cells=30)
    without = flux * SPINEL.radius / (2.0 * 7.08e-15)
    return float(run.difference[-1] / without)


def _ball_of_voxels() -> float:
    """Return the mean stress near the centre of a ball of voxels with a parabolic profile."""
    edge, radius = 40, 16.0
    z = np.arange(edge) + 0.5 - edge / 2
    square = (z[:, None, None] ** 2 + z[:, None] ** 2 + z**2) / radius**2
    micro = Microstructure((square < 1.0).astype(np.uint8), 3e-7, {"void": 0, "ball": 1})
    swelling = SPINEL.partial_molar_volume / 3.0 * RISE * square
    solids = {"ball": isotropic(SPINEL.young, SPINEL.poisson)}
    found = solve_swelling(micro, solids, {"ball": swelling}, tol=1e-4)
    inner = square < 0.3**2
    # In the closed form the stress falls with the square of the radius, by 2/9 of the scale.
    return float((found.hydrostatic[inner] / SCALE + 2.0 / 9.0 * square[inner]).mean())


CASES = (
    Case(
        name="ball under a constant flux, profile at rest",
        quantity="radial stress in the centre, over E Omega dc / (1 - nu)",
        reference=2.0 / 15.0,
        compute=_pull_in_the_centre,
        limit=2e-3,
        source=CHENG,
    ),
    Case(
        name="ball under a constant flux, profile at rest",
        quantity="tangential stress at the surface, over E Omega dc / (1 - nu)",
        reference=-2.0 / 15.0,
        compute=_pressure_at_the_surface,
        limit=2e-3,
        source=CHENG,
    ),
    Case(
        name="ball whose surface concentration jumps",
        quantity="largest radial stress in the centre, over E Omega dC / (1 - nu)",
        reference=0.1285,
        compute=_largest_pull,
        limit=2e-3,
        source=CHENG,
    ),
    Case(
        name="ball whose surface concentration jumps, series",
        quantity="D t / R^2 at which that stress is largest",
        reference=0.0574,
        compute=_when_it_is_largest,
        limit=1e-3,
        source=CHENG,
    ),
    Case(
        name="ball under a small flux whose stress drives the lithium",
        quantity="difference of concentration, over that without",
        reference=lambda: 1.0 / (1.0 + stress_coupling(SPINEL, 300.0) * 1e4),
        compute=_softened,
        limit=2e-3,
        source="Zhang, Shyy & Sastry, J. Electrochem. Soc. 154 (2007) A910",
    ),
    Case(
        name="ball of 16 voxels radius with a parabolic concentration",
        quantity="hydrostatic stress in the centre, over E Omega dc / (1 - nu)",
        reference=2.0 / 15.0,
        compute=_ball_of_voxels,
        limit=1.5e-2,
        source="Timoshenko & Goodier, Theory of Elasticity, 3rd edition 1970, chapter 13",
    ),
)
