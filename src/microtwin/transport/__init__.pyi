__all__ = [
    "Breakthrough",
    "ColumnFit",
    "Dispersion",
    "FillingTime",
    "HomogenizedTensor",
    "Impedance",
    "Permeability",
    "PermeabilityTensor",
    "TortuosityResult",
    "TracerGrid",
    "TransmissionLine",
    "blocking_impedance",
    "breakthrough",
    "dispersion",
    "filling_time",
    "fit_column",
    "fit_transmission_line",
    "flow_grid",
    "grain_diameter",
    "grid_breakthrough",
    "grid_dispersion",
    "homogenize",
    "ogata_banks",
    "permeability",
    "permeability_tensor",
    "tortuosity_factor",
    "tracer_grid",
    "transmission_line",
]

from .breakthrough_curve import Breakthrough, grid_breakthrough
from .closure import Dispersion, grid_dispersion
from .column_solution import ColumnFit, fit_column, ogata_banks
from .filling import FillingTime, filling_time
from .image_tracer import breakthrough, dispersion, flow_grid, grain_diameter
from .impedance import Impedance, blocking_impedance
from .permeability import (
    Permeability,
    PermeabilityTensor,
    permeability,
    permeability_tensor,
)
from .tensor import HomogenizedTensor, homogenize
from .tortuosity import TortuosityResult, tortuosity_factor
from .tracer_grids import TracerGrid, tracer_grid
from .transmission_line import TransmissionLine, fit_transmission_line, transmission_line
