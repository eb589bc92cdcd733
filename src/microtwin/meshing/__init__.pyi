__all__ = [
    "BOX_FACES",
    "MeshCheck",
    "MeshEstimate",
    "MeshQuality",
    "PhaseFields",
    "SurfaceMesh",
    "TetrahedralMesh",
    "estimate",
    "image_fields",
    "tetrahedralize",
]

from .memory import MeshEstimate
from .phase_fields import PhaseFields, image_fields
from .quality import MeshCheck, MeshQuality
from .surfaces import SurfaceMesh
from .tetrahedra import BOX_FACES, TetrahedralMesh, estimate, tetrahedralize
