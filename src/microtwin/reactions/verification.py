"""Known concentrations and uptakes, computed and compared."""

from __future__ import annotations

from functools import cache, partial

import numpy as np
from numpy.typing import NDArray
from scipy.special import iv, kv

from ..microstructure import Microstructure
from ..trust.verification import Case
from . import exact, tumour
from .evolution import evolve
from .kinetics import FirstOrder, Law, MichaelisMenten, Reaction, Saturation, ZeroOrder
from .species import Exchange, Species
from .steady import steady_state
from .uptake import Uptake, solve_uptake

__all__ = ["CASES", "cylinder", "film", "spheroid"]

DIFFUSIVITY = 2e-9  # m^2/s
RADIUS = 1e-4  # m
MODULUS = 3.0
RATE = MODULUS**2 * DIFFUSIVITY / RADIUS**2  # 1/s
VOXELS = 32  # per radius or thickness
BIOT = 5.0
CORE = 12.0 * DIFFUSIVITY / RADIUS**2  # mol/m^3/s at 1 mol/m^3 outside: a core of half the radius
VESSEL, TISSUE = 10e-6, 60e-6  # m: radii of a vessel and of what it supplies


def film(voxels: int = VOXELS) -> Microstructure:
    """Return a film as thick as `RADIUS`, its surface at the low end of z."""
    labels = np.ones((voxels, 2, 2), np.uint8)
    return Microstructure(labels, RADIUS / voxels, {"film": 1})


def spheroid(voxels: int = VOXELS) -> Microstructure:
    """Return a ball of so many voxels radius in a medium, its centre off those of voxels."""
    edge = 2 * voxels + 8
    place = np.indices((edge, edge, edge)) + 0.5 - 0.5 * edge + 0.13
    labels = (np.sqrt((place**2).sum(axis=0)) < voxels).astype(np.uint8)
    return Microstructure(labels, RADIUS / voxels, {"medium": 0, "tissue": 1})


def cylinder(voxel: float = 1e-6) -> tuple[Microstructure, NDArray[np.float64]]:
    """Return a vessel in a cylinder of tissue, and the distance of each voxel from its axis."""
    edge = int(2 * TISSUE / voxel) + 6
    place = (np.indices((edge, edge)) + 0.5 - 0.5 * edge + 0.13) * voxel
    radius = np.sqrt((place**2).sum(axis=0))
    labels = np.where(radius < VESSEL, 2, np.where(radius < TISSUE, 1, 0)).astype(np.uint8)
    micro = Microstructure(
        np.repeat(labels[None], 2, axis=0), voxel, {"outside": 0, "tissue": 1, "vessel": 2}
    )
    return micro, np.repeat(radius[None], 2, axis=0)


def _slab() -> float:
    found = solve_uptake(film(), {"film": DIFFUSIVITY}, {"film": FirstOrder(RATE)}, {"z_low": 1.0})
    return found.effectiveness["film"]


@cache
def _ball(voxels: int) -> Uptake:
    law = {"tissue": FirstOrder(RATE)}
    return solve_uptake(spheroid(voxels), {"tissue": DIFFUSIVITY}, law, {"medium": 1.0})


def _ball_order() -> float:
    known = exact.sphere_effectiveness(MODULUS)
    errors = [abs(_ball(n).effectiveness["tissue"] - known) for n in (8, 32)]
    return float(np.log(errors[0] / errors[1]) / np.log(4.0))


def _ball_in_film() -> float:
    around = {"medium": Exchange(BIOT * DIFFUSIVITY / RADIUS, 1.0)}
    law = {"tissue": FirstOrder(RATE)}
    found = solve_uptake(spheroid(16), {"tissue": DIFFUSIVITY}, law, around)
    return found.effectiveness["tissue"]


def _known_ball_in_film() -> float:
    slope = MODULUS / np.tanh(MODULUS) - 1.0
    return float(3.0 / MODULUS**2 * slope * BIOT / (BIOT + slope))


def _core() -> float:
    """Return the radius of the core of a spheroid in voxels, from its volume."""
    micro = spheroid(16)
    law = {"tissue": ZeroOrder(CORE)}
    found = solve_uptake(micro, {"tissue": DIFFUSIVITY}, law, {"medium": 1.0})
    return float(np.cbrt((found.concentration == 0.0).sum() * 3.0 / (4.0 * np.pi)))


def _known_core() -> float:
    return 16.0 * exact.spheroid_core(RADIUS, DIFFUSIVITY, 1.0, CORE) / RADIUS


def _least_at_the_limit() -> float:
    """Return the lowest concentration in the largest spheroid without a core."""
    law = {"tissue": ZeroOrder(6.0 * DIFFUSIVITY / RADIUS**2)}
    found = solve_uptake(spheroid(16), {"tissue": DIFFUSIVITY}, law, {"medium": 1.0})
    return float(np.nanmin(found.concentration))


def _limit_of_diffusion(uptake: int) -> float:
    """Return the radius at which a core appears, in um."""
    return 1e6 * tumour.diffusion_limit("21 %", f"{uptake} mmHg/s")


def _krogh(kind: str) -> float:
    """Return the largest error of the concentration in the tissue, over that of the vessel."""
    micro, radius = cylinder()
    inside = micro.mask("tissue") & (radius > VESSEL + 1e-6) & (radius < TISSUE - 1e-6)
    if kind == "zero order":
        uptake = 0.8 * DIFFUSIVITY / TISSUE**2
        found = solve_uptake(
            micro, {"tissue": DIFFUSIVITY}, {"tissue": ZeroOrder(uptake)}, {"vessel": 1.0}
        )
        known = exact.krogh_concentration(radius[inside], VESSEL, TISSUE, DIFFUSIVITY, 1.0, uptake)
    else:  # the vessel wall and consumption of order one, by the inputs of Owen et al. (2011)
        rate, wall = tumour.first_order_consumption(), tumour.vessel()
        d = 1e-4 * 0.00145 / 60.0
        supply = {"vessel": Exchange(wall.permeability, 1.0)}
        found = solve_uptake(micro, {"tissue": d}, {"tissue": rate}, supply)
        known = _behind_a_wall(radius[inside], d, rate.constant, wall.permeability)
    return float(np.abs(found.concentration[inside] - known).max())


def _behind_a_wall(
    r: NDArray[np.float64], diffusivity: float, rate: float, permeability: float
) -> NDArray[np.float64]:
    """Return c = a I0(k r) + b K0(k r) with P (1 - c) = -D c' at the vessel, c' = 0 outside."""
    k = np.sqrt(rate / diffusivity)
    share = iv(1, k * TISSUE) / kv(1, k * TISSUE)  # b / a
    value = iv(0, k * VESSEL) + share * kv(0, k * VESSEL)
    slope = k * (iv(1, k * VESSEL) - share * kv(1, k * VESSEL))
    a = permeability / (permeability * value - diffusivity * slope)
    return np.asarray(a * (iv(0, k * r) + share * kv(0, k * r)))


def _cosine() -> float:
    """Return the largest error of a cosine that decays for a tenth of L^2 / D."""
    z = (np.arange(VOXELS) + 0.5) / VOXELS * RADIUS
    start = np.broadcast_to(
        exact.decay_of_cosine(z, 0.0, RADIUS, DIFFUSIVITY)[:, None, None], (VOXELS, 2, 2)
    )
    time = 0.1 * RADIUS**2 / DIFFUSIVITY
    found = evolve(
        film(), {"x": Species({"film": DIFFUSIVITY})}, [], time, initial={"x": start}, rtol=1e-4
    )
    known = exact.decay_of_cosine(z, time, RADIUS, DIFFUSIVITY)
    return float(np.abs(found.species["x"].concentration[:, 0, 0] - known).max())


def _two_species() -> float:
    """Return how far D_o c_o - 6 D_g c_g is from being the same everywhere, over D_o c_o."""
    species = {
        "oxygen": Species({"film": DIFFUSIVITY}, {"z_low": 0.2}),
        "glucose": Species({"film": 0.3 * DIFFUSIVITY}, {"z_low": 0.05}),
    }
    laws: dict[str, Law] = {"oxygen": MichaelisMenten(0.3, 0.01), "glucose": Saturation(0.05)}
    reaction = Reaction("film", laws, {"oxygen": -1.0, "glucose": -1.0 / 6.0})
    found = steady_state(film(), species, [reaction], tol=1e-9).species
    conserved = found["oxygen"].concentration - 1.8 * found["glucose"].concentration
    return float(np.ptp(conserved) / 0.2)


CASES = (
    Case(
        name=f"slab, order one, Thiele modulus {MODULUS:g}, {VOXELS} voxels",
        quantity="effectiveness factor",
        reference=partial(exact.slab_effectiveness, MODULUS),
        compute=_slab,
        limit=0.01,
        source="exact: tanh(phi) / phi",
    ),
    Case(
        name=f"sphere, order one, Thiele modulus {MODULUS:g}, radius of {VOXELS} voxels",
        quantity="effectiveness factor",
        reference=partial(exact.sphere_effectiveness, MODULUS),
        compute=lambda: _ball(VOXELS).effectiveness["tissue"],
        limit=0.01,
        source="exact: 3 / phi^2 (phi coth(phi) - 1)",
    ),
    Case(
        name="the same, radius of 8 and 32 voxels",
        quantity="observed order",
        reference=2.0,
        compute=_ball_order,
        limit=0.5,
        source="exact",
        relative=False,
    ),
    Case(
        name=f"sphere in a film, Biot number {BIOT:g}, radius of 16 voxels",
        quantity="effectiveness factor",
        reference=_known_ball_in_film,
        compute=_ball_in_film,
        limit=0.01,
        source="exact: film and sphere in series",
    ),
    Case(
        name="spheroid, order zero, radius of 16 voxels",
        quantity="radius of the core, voxels",
        reference=_known_core,
        compute=_core,
        limit=0.5,
        source="exact: cubic from c = dc/dr = 0 at the core",
        relative=False,
    ),
    Case(
        name="spheroid of the radius sqrt(6 D c / a), 16 voxels",
        quantity="lowest concentration, of that outside",
        reference=0.0,
        compute=_least_at_the_limit,
        limit=0.02,
        source="exact: the core begins there",
        relative=False,
    ),
    Case(
        name="Krogh cylinder, vessel 10 um in 60 um, voxel 1 um",
        quantity="largest error, of the vessel",
        reference=0.0,
        compute=partial(_krogh, "zero order"),
        limit=0.01,
        source="Krogh (1919): p + M / 4D (r^2 - Rc^2) - M Rt^2 / 2D ln(r / Rc)",
        relative=False,
    ),
    Case(
        name="the same, order one behind the wall of the vessel",
        quantity="largest error, of the vessel",
        reference=0.0,
        compute=partial(_krogh, "wall"),
        limit=0.01,
        source="exact: Bessel functions; inputs of Owen et al. (2011)",
        relative=False,
    ),
    Case(
        name=f"cosine that decays, {VOXELS} voxels",
        quantity="largest error",
        reference=0.0,
        compute=_cosine,
        limit=0.002,
        source="exact: 1 + cos(pi x / L) exp(-D pi^2 t / L^2)",
        relative=False,
    ),
    Case(
        name="oxygen and glucose, six to one, both limit",
        quantity="change of D_o c_o - 6 D_g c_g",
        reference=0.0,
        compute=_two_species,
        limit=1e-6,
        source="exact: what no reaction changes",
        relative=False,
    ),
    *(
        Case(
            name=f"spheroid at 21 % oxygen, uptake {uptake} mmHg/s",
            quantity="diffusion limit, um",
            reference=limit,
            compute=partial(_limit_of_diffusion, uptake),
            limit=0.02,
            source="typical inputs, 240 to 280 um",
        )
        for uptake, limit in ((25, 280.0), (33, 240.0))
    ),
)
