__all__ = [
    "Particles",
    "boolean_spheres",
    "electrode",
    "gaussian_field",
    "gaussian_level_set",
    "gaussian_random_field",
    "laminate",
    "laminate_level_set",
    "lattice_spheres",
    "lattice_spheres_level_set",
    "packed_spheres",
    "paint",
    "surface_distances",
]

from .electrodes import electrode
from .laminates import laminate, laminate_level_set
from .lattices import lattice_spheres, lattice_spheres_level_set
from .packing import boolean_spheres, packed_spheres
from .particles import Particles, paint, surface_distances
from .random_fields import gaussian_field, gaussian_level_set, gaussian_random_field
