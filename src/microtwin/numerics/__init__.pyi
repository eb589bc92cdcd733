__all__ = [
    "AndersonMixing",
    "Bridges",
    "ConvergenceError",
    "Field",
    "GridOperator",
    "Multigrid",
    "NetworkOperator",
    "PlaneField",
    "Solution",
    "Source",
    "TiedFields",
    "correction",
    "solve",
    "thread_count",
    "weighted_sum",
]

from .bridges import Bridges
from .corrections import Field, correction, weighted_sum
from .fixed_points import AndersonMixing
from .krylov import ConvergenceError, Solution, solve
from .multigrid import Multigrid
from .network import NetworkOperator
from .operator import GridOperator
from .plane_fields import PlaneField, Source
from .threads import thread_count
from .tied_fields import TiedFields
