__all__ = ["FirstOrder", "MichaelisMenten", "Uptake", "ZeroOrder", "solve_uptake"]

from .kinetics import FirstOrder, MichaelisMenten, ZeroOrder
from .uptake import Uptake, solve_uptake
