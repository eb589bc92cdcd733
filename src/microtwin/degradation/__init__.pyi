__all__ = [
    "ActingStress",
    "CoupledRun",
    "LithiumStrain",
    "StressState",
    "coupled_run",
    "coupling_strength",
    "read_lithium_strain",
    "splitting_error",
    "strain_per_stoichiometry",
    "stress_along",
]

from .acting_stress import ActingStress, coupling_strength
from .coupled_run import CoupledRun, coupled_run, splitting_error
from .lithium_strain import LithiumStrain, read_lithium_strain, strain_per_stoichiometry
from .stress_along import StressState, stress_along
