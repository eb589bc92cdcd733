__all__ = [
    "GROUPS",
    "Chords",
    "Descriptors",
    "InterfaceAreas",
    "Minkowski",
    "ParticleShapes",
    "SizeDistribution",
    "Topology",
    "TwoPoint",
    "betti_numbers",
    "boolean_specific_surface",
    "boolean_two_point",
    "bruggeman",
    "chords",
    "constrictivity",
    "describe",
    "euler_density",
    "gaussian_euler_density",
    "gaussian_mean_curvature",
    "gaussian_specific_surface",
    "gaussian_two_point",
    "geodesic_tortuosity",
    "interface_area",
    "intruded_diameter",
    "local_thickness",
    "measured_volume",
    "minkowski_functionals",
    "particle_shapes",
    "path_lengths",
    "percolating_fraction",
    "projected_area",
    "stenzel",
    "surface_area",
    "triple_line_density",
    "two_point",
]

from .areas import (
    InterfaceAreas,
    interface_area,
    measured_volume,
    projected_area,
    surface_area,
)
from .balls import SizeDistribution, constrictivity, intruded_diameter, local_thickness
from .chord_lengths import Chords, chords
from .correlation import TwoPoint, two_point
from .curvature import Minkowski, minkowski_functionals
from .particle_shapes import ParticleShapes, particle_shapes
from .paths import geodesic_tortuosity, path_lengths
from .predictions import bruggeman, stenzel
from .random_media import (
    boolean_specific_surface,
    boolean_two_point,
    gaussian_euler_density,
    gaussian_mean_curvature,
    gaussian_specific_surface,
    gaussian_two_point,
)
from .summary import GROUPS, Descriptors, describe, percolating_fraction
from .topology import Topology, betti_numbers, euler_density
from .triple_lines import triple_line_density
