__all__ = [
    "Breakthrough",
    "ColumnFit",
    "Dispersion",
    "HomogenizedTensor",
    "Impedance",
    "TortuosityResult",
    "TracerGrid",
    "TransmissionLine",
    "blocking_impedance",
    "fit_column",
    "fit_transmission_line",
    "grid_breakthrough",
    "grid_dispersion",
    "homogenize",
    "ogata_banks",
    "tortuosity_factor",
    "tracer_grid",
    "transmission_line",
]

from .breakthrough import Breakthrough, grid_breakthrough
from .column_solution import ColumnFit, fit_column, ogata_banks
from .dispersion import Dispersion, grid_dispersion
from .impedance import Impedance, blocking_impedance
from .tensor import HomogenizedTensor, homogenize
from .tortuosity import TortuosityResult, tortuosity_factor
from .tracer_grid import TracerGrid, tracer_grid
from .transmission_line import TransmissionLine, fit_transmission_line, transmission_line
