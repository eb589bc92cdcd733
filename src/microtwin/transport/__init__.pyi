__all__ = [
    "HomogenizedTensor",
    "Impedance",
    "TortuosityResult",
    "TransmissionLine",
    "blocking_impedance",
    "fit_transmission_line",
    "homogenize",
    "tortuosity_factor",
    "transmission_line",
]

from .impedance import Impedance, blocking_impedance
from .tensor import HomogenizedTensor, homogenize
from .tortuosity import TortuosityResult, tortuosity_factor
from .transmission_line import TransmissionLine, fit_transmission_line, transmission_line
