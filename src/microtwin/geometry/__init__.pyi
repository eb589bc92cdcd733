__all__ = [
    "FacetAreas",
    "PhaseGeometry",
    "area_vectors",
    "distance_map",
    "face_openings",
    "facet_areas",
    "film_faces",
    "level_set_geometry",
    "phase_fractions",
    "plane_distance",
    "set_apart",
    "smooth_geometry",
    "voxel_geometry",
]

from .apertures import PhaseGeometry, smooth_geometry, voxel_geometry
from .distances import distance_map
from .facets import FacetAreas, facet_areas, set_apart
from .films import face_openings, film_faces
from .interfaces import area_vectors, phase_fractions
from .level_set import level_set_geometry
from .planes import plane_distance
