__all__ = [
    "PENNY",
    "DruckerPrager",
    "EffectiveStiffness",
    "EffectiveSwelling",
    "ElasticImage",
    "ElasticParticle",
    "EngineeringConstants",
    "Exceedance",
    "Host",
    "InterfaceTractions",
    "LargeSwelling",
    "LigamentLoads",
    "Ligaments",
    "LognormalStrength",
    "MeshSwelling",
    "MeshTraction",
    "ParticleFracture",
    "ParticleRun",
    "ParticleStress",
    "Solid",
    "StressDistribution",
    "Swelling",
    "WeibullStrength",
    "averaged_stress",
    "charge_particle",
    "coated_sphere_bulk_modulus",
    "coupled_quasi_steady_concentration",
    "critical_flaw",
    "critical_size",
    "cubic",
    "debonding_index",
    "drucker_prager_friction",
    "drucker_prager_index",
    "drucker_prager_strengths",
    "effective_stiffness",
    "effective_swelling",
    "energy_density",
    "engineering_constants",
    "exceedance_curve",
    "exceedance_probability",
    "flaw_index",
    "fracture_energy",
    "hashin_shtrikman",
    "hydrostatic",
    "image_growth",
    "interface_tractions",
    "isotropic",
    "laminate",
    "large_swelling",
    "ligaments",
    "maximum_principal",
    "mesh_swelling",
    "misfit_sphere",
    "normal_and_shear",
    "particle_cracking",
    "particle_stress",
    "phase_distributions",
    "potentiostatic_concentration",
    "potentiostatic_stress",
    "principal_index",
    "principal_stresses",
    "quasi_steady_stress",
    "rank_ligaments",
    "rotated",
    "solve_swelling",
    "stack_pressure",
    "stress_coupling",
    "stress_distribution",
    "stress_measure",
    "stress_potential_shift",
    "thickness_change",
    "traction_vectors",
    "transversely_isotropic",
    "tresca",
    "voigt_reuss",
    "von_mises",
    "voxel_displacement",
    "weakest_link_probability",
    "weighted_percentiles",
    "write_ligaments",
]

from .averaging import averaged_stress
from .binder_ligaments import Ligaments, ligaments
from .bounds import hashin_shtrikman, voigt_reuss
from .debonding import InterfaceTractions, debonding_index, interface_tractions
from .distributions import (
    StressDistribution,
    phase_distributions,
    stress_distribution,
    weighted_percentiles,
)
from .effective_swelling import EffectiveSwelling, effective_swelling
from .elastic_image import ElasticImage
from .elastic_particles import ElasticParticle
from .exact import coated_sphere_bulk_modulus, laminate, misfit_sphere
from .exceedance import (
    Exceedance,
    LognormalStrength,
    WeibullStrength,
    exceedance_curve,
    exceedance_probability,
    weakest_link_probability,
)
from .hosts import Host, stress_coupling, stress_potential_shift
from .image_growth import image_growth, voxel_displacement
from .invariants import (
    energy_density,
    hydrostatic,
    maximum_principal,
    principal_stresses,
    stress_measure,
    tresca,
    von_mises,
)
from .large_swelling import LargeSwelling, large_swelling
from .ligament_loads import LigamentLoads, rank_ligaments, write_ligaments
from .mesh_results import MeshSwelling, MeshTraction
from .mesh_swelling import mesh_swelling
from .particle_charging import charge_particle
from .particle_exact import (
    coupled_quasi_steady_concentration,
    potentiostatic_concentration,
    potentiostatic_stress,
    quasi_steady_stress,
)
from .particle_fracture import (
    PENNY,
    ParticleFracture,
    critical_flaw,
    critical_size,
    flaw_index,
    fracture_energy,
    particle_cracking,
)
from .particle_runs import ParticleRun
from .particle_stresses import ParticleStress, particle_stress
from .stack import stack_pressure, thickness_change
from .stiffness import (
    EngineeringConstants,
    Solid,
    cubic,
    engineering_constants,
    isotropic,
    rotated,
    transversely_isotropic,
)
from .strength import (
    DruckerPrager,
    drucker_prager_friction,
    drucker_prager_index,
    drucker_prager_strengths,
    principal_index,
)
from .swelling import effective_stiffness, solve_swelling
from .tractions import normal_and_shear, traction_vectors
from .voxel_results import EffectiveStiffness, Swelling
