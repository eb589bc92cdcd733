__all__ = [
    "StoredVolume",
    "iter_slabs",
    "open_volume",
    "raw_sidecar",
    "read_microstructure",
    "read_scan",
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
from .raw import raw_sidecar
from .stored import StoredVolume, iter_slabs
