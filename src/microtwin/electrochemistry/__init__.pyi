__all__ = [
    "FARADAY",
    "GAS_CONSTANT",
    "ConstantCurrent",
    "ConstantVoltage",
    "CurrentProfile",
    "ElectrodeMaterial",
    "Electrolyte",
    "Fields",
    "HalfCell",
    "HalfCellImpedance",
    "HalfCellRun",
    "HotSpot",
    "HotSpots",
    "Inactive",
    "InterfaceCurrent",
    "Losses",
    "NoInterfaceError",
    "ParticleFilling",
    "ReactingInterface",
    "Record",
    "Rest",
    "SecondaryCurrent",
    "Separator",
    "State",
    "butler_volmer",
    "butler_volmer_slope",
    "charge",
    "cycle",
    "depth_profile",
    "discharge",
    "electrolyte_from_pybamm",
    "fields",
    "half_cell",
    "half_cell_impedance",
    "hot_spots",
    "intercalation_exchange_current",
    "interface_current",
    "known_parameter_sets",
    "load_checkpoint",
    "losses",
    "material_from_pybamm",
    "particle_filling",
    "random_exchange_current",
    "reacting_interface",
    "reaction",
    "reaction_overpotential",
    "reaction_through_film",
    "read_electrolyte",
    "read_material",
    "run",
    "save_checkpoint",
    "secondary_current",
    "separator_from_pybamm",
]

from .cell_grid import Inactive
from .checkpoints import load_checkpoint, save_checkpoint
from .discharging import charge, cycle, discharge, half_cell
from .exchange_currents import intercalation_exchange_current, random_exchange_current
from .half_cell_fields import (
    Fields,
    ParticleFilling,
    depth_profile,
    fields,
    particle_filling,
    reaction,
)
from .half_cell_impedance import HalfCellImpedance, half_cell_impedance
from .half_cell_model import HalfCell
from .half_cell_records import HalfCellRun, Record
from .half_cell_runs import run
from .half_cell_state import State
from .hot_spots import HotSpot, HotSpots, hot_spots
from .interface_current import InterfaceCurrent, interface_current
from .interfaces import NoInterfaceError, ReactingInterface, reacting_interface
from .kinetics import (
    FARADAY,
    GAS_CONSTANT,
    butler_volmer,
    butler_volmer_slope,
    reaction_overpotential,
    reaction_through_film,
)
from .material_files import read_electrolyte, read_material
from .materials import ElectrodeMaterial, Electrolyte, Separator
from .parameter_sets import (
    electrolyte_from_pybamm,
    known_parameter_sets,
    material_from_pybamm,
    separator_from_pybamm,
)
from .protocols import ConstantCurrent, ConstantVoltage, CurrentProfile, Rest
from .secondary import SecondaryCurrent, secondary_current
from .voltage_losses import Losses, losses
