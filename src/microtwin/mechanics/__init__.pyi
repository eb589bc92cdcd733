__all__ = [
    "PENNY",
    "DruckerPrager",
    "EffectiveStiffness",
    "EngineeringConstants",
    "Exceedance",
    "InterfaceTractions",
    "LigamentLoads",
    "Ligaments",
    "LognormalStrength",
    "ParticleFracture",
    "Solid",
    "StressDistribution",
    "Swelling",
    "WeibullStrength",
    "averaged_stress",
    "coated_sphere_bulk_modulus",
    "critical_flaw",
    "critical_size",
    "cubic",
    "debonding_index",
    "drucker_prager_friction",
    "drucker_prager_index",
    "drucker_prager_strengths",
    "effective_stiffness",
    "energy_density",
    "engineering_constants",
    "exceedance_curve",
    "exceedance_probability",
    "flaw_index",
    "fracture_energy",
    "hashin_shtrikman",
    "hydrostatic",
    "interface_tractions",
    "isotropic",
    "laminate",
    "ligaments",
    "maximum_principal",
    "misfit_sphere",
    "normal_and_shear",
    "particle_cracking",
    "phase_distributions",
    "principal_index",
    "principal_stresses",
    "rank_ligaments",
    "rotated",
    "solve_swelling",
    "stack_pressure",
    "stress_distribution",
    "stress_measure",
    "thickness_change",
    "traction_vectors",
    "transversely_isotropic",
    "tresca",
    "voigt_reuss",
    "von_mises",
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
from .exact import coated_sphere_bulk_modulus, laminate, misfit_sphere
from .exceedance import (
    Exceedance,
    LognormalStrength,
    WeibullStrength,
    exceedance_curve,
    exceedance_probability,
    weakest_link_probability,
)
from .invariants import (
    energy_density,
    hydrostatic,
    maximum_principal,
    principal_stresses,
    stress_measure,
    tresca,
    von_mises,
)
from .ligament_loads import LigamentLoads, rank_ligaments, write_ligaments
from .particle_fracture import (
    PENNY,
    ParticleFracture,
    critical_flaw,
    critical_size,
    flaw_index,
    fracture_energy,
    particle_cracking,
)
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
from .swelling import EffectiveStiffness, Swelling, effective_stiffness, solve_swelling
from .tractions import normal_and_shear, traction_vectors
