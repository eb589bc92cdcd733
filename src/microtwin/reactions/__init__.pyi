__all__ = [
    "Concentration",
    "Evolution",
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
    "SpeciesEvolution",
    "SpeciesState",
    "SteadyState",
    "Uptake",
    "Viability",
    "ZeroOrder",
    "biofilm",
    "evolve",
    "exact",
    "groundwater",
    "onset",
    "solve_uptake",
    "steady_state",
    "tumour",
    "viability",
]

from . import biofilm, exact, groundwater, tumour
from .evolution import Evolution, SpeciesEvolution, evolve
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
from .starvation import Viability, onset, viability
from .steady import SpeciesState, SteadyState, steady_state
from .uptake import Uptake, solve_uptake
