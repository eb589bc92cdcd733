__all__ = [
    "Body",
    "Diameters",
    "Electrode",
    "ParticleType",
    "Particles",
    "binder_mask",
    "boolean_spheres",
    "calendered",
    "diameters_from",
    "electrode",
    "gaussian_field",
    "gaussian_level_set",
    "gaussian_random_field",
    "laminate",
    "laminate_level_set",
    "lattice_spheres",
    "lattice_spheres_level_set",
    "packed_particles",
    "paint",
    "plurigaussian",
    "surface_distances",
]

from .binder import binder_mask
from .boolean import boolean_spheres
from .calendering import calendered
from .electrodes import Electrode, electrode
from .forms import Body
from .laminates import laminate, laminate_level_set
from .lattices import lattice_spheres, lattice_spheres_level_set
from .packing import packed_particles
from .particle_types import ParticleType
from .particles import Particles, paint, surface_distances
from .plurigaussian import plurigaussian
from .random_fields import gaussian_field, gaussian_level_set, gaussian_random_field
from .sizes import Diameters, diameters_from
