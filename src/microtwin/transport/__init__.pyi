__all__ = [
    "FillingTime",
    "HomogenizedTensor",
    "Impedance",
    "Permeability",
    "PermeabilityTensor",
    "TortuosityResult",
    "TransmissionLine",
    "blocking_impedance",
    "filling_time",
    "fit_transmission_line",
    "homogenize",
    "permeability",
    "permeability_tensor",
    "tortuosity_factor",
    "transmission_line",
]

from .filling import FillingTime, filling_time
from .impedance import Impedance, blocking_impedance
from .permeability import (
    Permeability,
    PermeabilityTensor,
    permeability,
    permeability_tensor,
)
from .tensor import HomogenizedTensor, homogenize
from .tortuosity import TortuosityResult, tortuosity_factor
from .transmission_line import TransmissionLine, fit_transmission_line, transmission_line
