"""From a stress on voxels to the numbers of a study: how much, and what fails.

Any stage that has a stress can read it here: what the solids are, how strong they are and over
which length they are compared is an `ElasticCase`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..microstructure import Microstructure

if TYPE_CHECKING:
    from ..mechanics import (
        Exceedance,
        LigamentLoads,
        LognormalStrength,
        ParticleFracture,
        Solid,
        StressDistribution,
        WeibullStrength,
    )

__all__ = [
    "MEASURES",
    "SHARES",
    "ElasticCase",
    "Quantities",
    "StressReading",
    "crack_index",
    "elastic_case",
    "ligament_loads",
    "particles_that_may_crack",
    "read_stress",
    "strength_curves",
    "stress_quantities",
    "widest_gap",
]

# Name, phase, direction and condition of a quantity, and its value.
Quantities = dict[tuple[str, str | None, str | None, str | None], float | None]

# Scalars of a stress, by the quantities of results.json that they are.
MEASURES = {
    "von_mises_stress": "von_mises",
    "maximum_principal_stress": "maximum_principal",
    "hydrostatic_stress": "hydrostatic",
}
SHARES = {0.5: "median", 0.95: "95th percentile", 0.99: "99th percentile"}
# Two voxels are the least over which an average helps, and the budget compares with a grid whose
# voxels are twice as large: on it, too, the default is two of them.
VOXELS_AVERAGED = 4
# Of the median diameter of the particles: a gap that is short beside them.
WIDEST_GAP = 0.25
# Factors on the strength for which the failing share is drawn.
FACTORS = np.linspace(0.5, 2.0, 16)


@dataclass(frozen=True, eq=False)
class ElasticCase:
    """What is done to an image, and what its solids bear.

    Parameters
    ----------
    params : mapping
        The section `mechanics` of a study, with numbers in SI units.
    solids : dict of str to Solid
        By phase.
    length : float
        Over which stress is averaged, in m; the same on every grid.
    periodic : bool
        Whether the image continues across all of its faces.
    """

    params: Mapping[str, Any]
    solids: dict[str, Solid]
    length: float
    periodic: bool

    @property
    def scatter(self) -> LognormalStrength | WeibullStrength | None:
        """How strengths scatter; None if they do not."""
        from ..mechanics import LognormalStrength, WeibullStrength

        given = self.params["strength"]
        if given["scatter"] is not None:
            return LognormalStrength(given["scatter"])
        modulus = given["weibull_modulus"]
        return None if modulus is None else WeibullStrength(modulus)

    def with_faces(self, faces: Any) -> ElasticCase:
        """Return the case with other conditions on the faces."""
        return replace(self, params={**self.params, "faces": faces})


@dataclass(frozen=True, eq=False)
class StressReading:
    """What a stress says, averaged over the length of the case.

    Parameters
    ----------
    distributions : dict
        By measure (`MEASURES`) and phase.
    von_mises : ndarray of float32, shape (nz, ny, nx)
        In Pa; 0 in void.
    failing : dict of str to Exceedance
        Expected share that fails, by quantity: of the volume of the binder, of that of the
        particles, of the area of the interface. As far as strengths are known.
    binder_index : ndarray of float32, shape (nz, ny, nx), or None
        Drucker and Prager's index; 0 outside of the binder.
    cracks : ParticleFracture or None
        Particles by number.
    """

    distributions: dict[str, dict[str, StressDistribution]]
    von_mises: NDArray[np.float32]
    failing: dict[str, Exceedance]
    binder_index: NDArray[np.float32] | None
    cracks: ParticleFracture | None


def elastic_case(micro: Microstructure, params: Mapping[str, Any]) -> ElasticCase:
    """Return the case of a section `mechanics`, with the lengths that its image suggests."""
    from ..mechanics import isotropic
    from .mechanics_sections import conditions

    solids = {name: isotropic(p["young"], p["poisson"]) for name, p in params["materials"].items()}
    length = params["averaging_length"] or VOXELS_AVERAGED * max(micro.voxel_size)
    return ElasticCase(params, solids, length, not conditions(params["faces"]))


def particles_that_may_crack(micro: Microstructure, case: ElasticCase) -> NDArray[np.int32] | None:
    """Return the particle of each voxel, from 1; None where cracks are not asked for."""
    from ..imaging import separate_particles

    phase = case.params["particles"]
    wanted = phase is not None and case.params["strength"]["particles"] is not None
    return separate_particles(micro, phase).labels if wanted and micro.mask(phase).any() else None


def read_stress(
    micro: Microstructure,
    stress: NDArray[Any],
    case: ElasticCase,
    particles: NDArray[np.int32] | None = None,
) -> StressReading:
    """Read a stress.

    Parameters
    ----------
    micro : Microstructure
    stress : ndarray, shape (6, nz, ny, nx)
        In Pa.
    case : ElasticCase
    particles : ndarray of int32, shape (nz, ny, nx), optional
        Number of the particle of each voxel, from 1; by default they are separated anew where
        cracks are asked for.
    """
    from ..mechanics import averaged_stress, stress_distribution, stress_measure, von_mises

    given = case.params["strength"]
    distributions: dict[str, dict[str, StressDistribution]] = {name: {} for name in MEASURES}
    whole, index = np.zeros(micro.shape, np.float32), None
    failing: dict[str, Exceedance] = {}
    for phase in case.solids:
        here = micro.mask(phase)
        if not here.any():
            continue
        averaged = averaged_stress(
            stress, here, case.length, micro.voxel_size, periodic=case.periodic
        )[:, here]
        whole[here] = von_mises(averaged)
        for name, measure in MEASURES.items():
            distributions[name][phase] = stress_distribution(
                stress_measure(averaged, measure),
                shares=SHARES,
                scale="log" if measure == "von_mises" else "linear",
            )
        if phase == case.params["binder"] and given["binder"] is not None:
            index = np.zeros(micro.shape, np.float32)
            index[here] = _binder_index(averaged, given["binder"])
            failing["failing_binder_fraction"] = _exceeded(case, index[here])
    cracks = _cracks(micro, stress, case, particles)
    if cracks is not None:
        failing["cracking_particle_fraction"] = _exceeded(
            case, crack_index(cracks, given["particles"]["flaw"]), cracks.volume
        )
    interface = _interface(micro, stress, case)
    if interface is not None:
        failing["debonding_area_fraction"] = _exceeded(case, *interface)
    return StressReading(distributions, whole, failing, index, cracks)


def stress_quantities(reading: StressReading) -> Quantities:
    """Return percentiles of the stress and shares that fail, with what they are of."""
    found: Quantities = {
        (name, phase, None, words): distribution.percentiles[share]
        for name, phases in reading.distributions.items()
        for phase, distribution in phases.items()
        for share, words in SHARES.items()
    }
    return found | {(name, None, None, None): x.share for name, x in reading.failing.items()}


def crack_index(cracks: ParticleFracture, flaw: float | None) -> NDArray[np.float64]:
    """Return the index of each particle: a flaw must grow, and the energy must pay for the crack.

    Without a flaw only the energy counts. Particles without a voxel have 0.
    """
    index = cracks.energy_index
    if flaw is not None:
        index = np.minimum(index, cracks.flaw_index)
    return np.nan_to_num(index)


def ligament_loads(
    micro: Microstructure, stress: NDArray[Any], case: ElasticCase, particles: NDArray[np.int32]
) -> LigamentLoads | None:
    """Return the ligaments between particles, ranked; None where no binder joins any."""
    from ..mechanics import ligaments, rank_ligaments

    active, binder = case.params["particles"], case.params["binder"]
    if not micro.mask(binder).any():
        return None
    gap = widest_gap(micro, case, particles)
    places = ligaments(micro, particles, widest_gap=gap, active=active, binder=binder)
    if len(places) == 0:
        return None
    return rank_ligaments(
        places, stress, length=case.length, materials=case.solids, periodic=case.periodic
    )


def widest_gap(micro: Microstructure, case: ElasticCase, particles: NDArray[np.int32]) -> float:
    """Return how far apart particles may be that a ligament joins, in m.

    By default a quarter of their median diameter by volume.
    """
    from ..mechanics import weighted_percentiles

    given = case.params["widest_gap"]
    if given is not None:
        return float(given)
    voxels = np.bincount(particles.ravel())[1:].astype(float)
    voxels = voxels[voxels > 0.0]
    diameters = np.cbrt(6.0 / np.pi * voxels * float(np.prod(micro.voxel_size)))
    median = weighted_percentiles(diameters, voxels, (0.5,))[0.5]
    return max(WIDEST_GAP * median, max(micro.voxel_size))


def strength_curves(
    index: NDArray[Any], case: ElasticCase
) -> dict[str, tuple[list[float], list[float]]]:
    """Return the share that fails if the strength is multiplied, by how the strength scatters."""
    from ..mechanics import exceedance_probability

    def shares(**scatter: Any) -> list[float]:
        return [exceedance_probability(index / f, **scatter).share for f in FACTORS]

    factors = [float(f) for f in FACTORS]
    found = {"strength the same everywhere": (factors, shares())}
    given = case.params["strength"]
    if case.scatter is not None:
        amount = (
            f"by {100 * given['scatter']:g} %"
            if given["scatter"] is not None
            else f"with Weibull's modulus {given['weibull_modulus']:g}"
        )
        found[f"strength scatters {amount}"] = (factors, shares(strength=case.scatter))
    return found


def _exceeded(
    case: ElasticCase, index: NDArray[Any], weights: NDArray[Any] | None = None
) -> Exceedance:
    from ..mechanics import exceedance_probability

    error = case.params["strength"]["field_error"]
    return exceedance_probability(index, weights, strength=case.scatter, field_error=error)


def _binder_index(averaged: NDArray[Any], given: Mapping[str, float]) -> NDArray[Any]:
    from ..mechanics import drucker_prager_index, drucker_prager_strengths

    cone = drucker_prager_strengths(given["tensile"], given["compressive"])
    return drucker_prager_index(averaged, cone)


def _cracks(
    micro: Microstructure,
    stress: NDArray[Any],
    case: ElasticCase,
    particles: NDArray[np.int32] | None,
) -> ParticleFracture | None:
    from ..imaging import separate_particles
    from ..mechanics import fracture_energy, particle_cracking

    given, phase = case.params["strength"]["particles"], case.params["particles"]
    if given is None or not micro.mask(phase).any():
        return None
    if particles is None:
        particles = separate_particles(micro, phase).labels
    solid = case.solids[phase]
    toughness = given["toughness"]
    if toughness is None:
        # The energy goes with the square of the toughness.
        toughness = float(np.sqrt(given["fracture_energy"] / fracture_energy(1.0, solid)))
    return particle_cracking(
        particles,
        stress,
        solid,
        micro.voxel_size,
        toughness=toughness,
        flaw=given["flaw"] or max(micro.voxel_size),
        length=case.length,
        periodic=case.periodic,
    )


def _interface(
    micro: Microstructure, stress: NDArray[Any], case: ElasticCase
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Return index and area of each facet; None without strengths, or where phases do not meet."""
    from ..geometry import facet_areas
    from ..mechanics import debonding_index, interface_tractions

    given = case.params["strength"]["interface"]
    pair = (case.params["particles"], case.params["binder"])
    if given is None or not all(micro.mask(name).any() for name in pair):
        return None
    if not len(facet_areas(micro, [pair])[0].voxel):
        return None
    forces = interface_tractions(micro, stress, pair, length=case.length, periodic=case.periodic)
    index = debonding_index(
        forces.normal,
        forces.shear,
        normal_strength=given["normal"],
        shear_strength=given["shear"],
    )
    return index, forces.area
