__all__ = [
    "BOX_FACES",
    "ConductionResult",
    "MeshCheck",
    "MeshEstimate",
    "MeshQuality",
    "PhaseFields",
    "SurfaceMesh",
    "TetrahedralMesh",
    "conduction",
    "cut_away",
    "effective_conductivity",
    "estimate",
    "image_fields",
    "level_set_fields",
    "plane_section",
    "refined_level_set",
    "tetrahedralize",
]

from .conduction import ConductionResult, conduction, effective_conductivity
from .memory import MeshEstimate
from .phase_fields import PhaseFields, image_fields, level_set_fields
from .quality import MeshCheck, MeshQuality
from .sections import cut_away, plane_section
from .surfaces import SurfaceMesh
from .tetrahedra import BOX_FACES, TetrahedralMesh, estimate, tetrahedralize
from .volumes import refined_level_set
