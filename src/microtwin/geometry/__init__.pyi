__all__ = [
    "PhaseGeometry",
    "area_vectors",
    "level_set_geometry",
    "phase_fractions",
    "smooth_geometry",
    "voxel_geometry",
]

from .apertures import PhaseGeometry, smooth_geometry, voxel_geometry
from .interfaces import area_vectors, phase_fractions
from .level_set import level_set_geometry
