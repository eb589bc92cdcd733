__all__ = [
    "FARADAY",
    "GAS_CONSTANT",
    "HotSpot",
    "HotSpots",
    "InterfaceCurrent",
    "NoInterfaceError",
    "ReactingInterface",
    "butler_volmer",
    "butler_volmer_slope",
    "hot_spots",
    "intercalation_exchange_current",
    "interface_current",
    "random_exchange_current",
    "reacting_interface",
    "reaction_overpotential",
    "reaction_through_film",
]

from .exchange_currents import intercalation_exchange_current, random_exchange_current
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
