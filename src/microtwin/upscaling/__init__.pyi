__all__ = [
    "ElectrodeParameters",
    "Quantity",
    "RateCapability",
    "electrode_capacity",
    "half_cell_parameters",
    "measure_electrode",
    "model_options",
    "rate_capability",
    "to_bpx",
    "to_pybamm",
    "write_battery_data",
    "write_bpx",
]

from .battery_data_format import write_battery_data
from .bpx_parameters import to_bpx, write_bpx
from .electrode_parameters import ElectrodeParameters, Quantity
from .measuring import measure_electrode
from .pybamm_parameters import (
    electrode_capacity,
    half_cell_parameters,
    model_options,
    to_pybamm,
)
from .rate_capability import RateCapability, rate_capability
