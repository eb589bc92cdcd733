__all__ = [
    "HomogenizedTensor",
    "TortuosityResult",
    "homogenize",
    "tortuosity_factor",
]

from .tensor import HomogenizedTensor, homogenize
from .tortuosity import TortuosityResult, tortuosity_factor
