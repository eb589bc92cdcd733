__all__ = [
    "Descriptors",
    "InterfaceAreas",
    "TwoPoint",
    "boolean_specific_surface",
    "boolean_two_point",
    "describe",
    "gaussian_specific_surface",
    "gaussian_two_point",
    "interface_area",
    "measured_volume",
    "percolating_fraction",
    "projected_area",
    "surface_area",
    "two_point",
]

from .correlation import TwoPoint, two_point
from .random_media import (
    boolean_specific_surface,
    boolean_two_point,
    gaussian_specific_surface,
    gaussian_two_point,
)
from .summary import Descriptors, describe, percolating_fraction
from .surface import (
    InterfaceAreas,
    interface_area,
    measured_volume,
    projected_area,
    surface_area,
)
