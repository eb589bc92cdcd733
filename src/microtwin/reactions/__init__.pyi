__all__ = [
    "Concentration",
    "Exchange",
    "FirstOrder",
    "Flux",
    "Freundlich",
    "Inhibition",
    "Langmuir",
    "Linear",
    "MichaelisMenten",
    "Reaction",
    "Saturation",
    "Species",
    "SpeciesState",
    "SteadyState",
    "Uptake",
    "ZeroOrder",
    "solve_uptake",
    "steady_state",
]

from .isotherms import Freundlich, Langmuir, Linear
from .kinetics import (
    FirstOrder,
    Inhibition,
    MichaelisMenten,
    Reaction,
    Saturation,
    ZeroOrder,
)
from .species import Concentration, Exchange, Flux, Species
from .steady import SpeciesState, SteadyState, steady_state
from .uptake import Uptake, solve_uptake
