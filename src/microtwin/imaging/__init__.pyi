__all__ = [
    "StoredVolume",
    "open_volume",
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
from .stored import StoredVolume
