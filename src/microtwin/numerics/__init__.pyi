__all__ = [
    "Bridges",
    "ConvergenceError",
    "GridOperator",
    "Multigrid",
    "NetworkOperator",
    "PlaneField",
    "Solution",
    "Source",
    "solve",
    "thread_count",
]

from .bridges import Bridges
from .krylov import ConvergenceError, Solution, solve
from .multigrid import Multigrid
from .network import NetworkOperator
from .operator import GridOperator
from .plane_fields import PlaneField, Source
from .threads import thread_count
