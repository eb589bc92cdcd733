__all__ = [
    "Projections",
    "Reconstruction",
    "StoredFrames",
    "StoredVolume",
    "iter_slabs",
    "open_volume",
    "raw_sidecar",
    "read_microstructure",
    "read_projections",
    "read_scan",
    "reconstruct",
    "write_microstructure",
    "write_scan",
]

from .formats import (
    open_volume,
    read_microstructure,
    read_scan,
    write_microstructure,
    write_scan,
)
from .frames import StoredFrames
from .projections import Projections, read_projections
from .raw import raw_sidecar
from .reconstruction import Reconstruction, reconstruct
from .stored import StoredVolume, iter_slabs
