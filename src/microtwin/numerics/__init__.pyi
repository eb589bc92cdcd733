__all__ = [
    "AndersonMixing",
    "Bridges",
    "ComplexField",
    "ConvergenceError",
    "DirectedGrid",
    "DirectedMultigrid",
    "Field",
    "GeneralSolution",
    "GridOperator",
    "Multigrid",
    "NetworkOperator",
    "PlaneField",
    "Solution",
    "Source",
    "TiedFields",
    "complex_product",
    "correction",
    "presb",
    "solve",
    "solve_general",
    "thread_count",
    "weighted_sum",
]

from .bridges import Bridges
from .complex_systems import (
    ComplexField,
    complex_product,
    presb,
)
from .corrections import Field, correction, weighted_sum
from .directed_grid import DirectedGrid, DirectedMultigrid
from .fixed_points import AndersonMixing
from .flexible_gmres import GeneralSolution, solve_general
from .krylov import ConvergenceError, Solution, solve
from .multigrid import Multigrid
from .network import NetworkOperator
from .operator import GridOperator
from .plane_fields import PlaneField, Source
from .threads import thread_count
from .tied_fields import TiedFields
