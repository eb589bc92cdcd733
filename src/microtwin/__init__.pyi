__version__: str
__all__ = [
    "Microstructure",
    "Scan",
    "composition",
    "degradation",
    "descriptors",
    "electrochemistry",
    "generation",
    "geometry",
    "imaging",
    "mechanics",
    "meshing",
    "numerics",
    "reactions",
    "read_microstructure",
    "read_scan",
    "study",
    "transport",
    "trust",
    "upscaling",
    "write_microstructure",
    "write_scan",
]

from . import (
    composition,
    degradation,
    descriptors,
    electrochemistry,
    generation,
    geometry,
    imaging,
    mechanics,
    meshing,
    numerics,
    reactions,
    study,
    transport,
    trust,
    upscaling,
)
from .imaging.files.formats import read_microstructure, read_scan, write_microstructure, write_scan
from .microstructure import Microstructure, Scan
