"""Areas are measured in `microtwin.geometry`, where a mesh is compared with them as well."""

from ..geometry.surface import (
    InterfaceAreas,
    interface_area,
    measured_volume,
    projected_area,
    surface_area,
)

__all__ = [
    "InterfaceAreas",
    "interface_area",
    "measured_volume",
    "projected_area",
    "surface_area",
]
