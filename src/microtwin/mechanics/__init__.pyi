__all__ = [
    "EffectiveStiffness",
    "EngineeringConstants",
    "Solid",
    "Swelling",
    "coated_sphere_bulk_modulus",
    "cubic",
    "effective_stiffness",
    "engineering_constants",
    "hashin_shtrikman",
    "isotropic",
    "laminate",
    "misfit_sphere",
    "rotated",
    "solve_swelling",
    "transversely_isotropic",
    "voigt_reuss",
]

from .bounds import hashin_shtrikman, voigt_reuss
from .exact import coated_sphere_bulk_modulus, laminate, misfit_sphere
from .stiffness import (
    EngineeringConstants,
    Solid,
    cubic,
    engineering_constants,
    isotropic,
    rotated,
    transversely_isotropic,
)
from .swelling import EffectiveStiffness, Swelling, effective_stiffness, solve_swelling
