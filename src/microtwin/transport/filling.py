"""How long a wetting liquid takes to fill the pores of an image: an estimate."""

from __future__ import annotations

import math
from dataclasses import dataclass

from microtwin.checking import is_number
from microtwin.geometry.surface import measured_phase_volume, surface_area
from microtwin.microstructure import Microstructure, axis_index
from microtwin.transport.permeability import Permeability

__all__ = ["FillingTime", "filling_time"]


@dataclass(frozen=True)
class FillingTime:
    """Time in which a liquid is sucked through a porous layer.

    Parameters
    ----------
    seconds : float
        Infinite if the liquid does not wet the walls or nothing percolates.
    capillary_pressure : float
        Pressure that pulls at the front, in Pa; not positive if the liquid does not wet.
    pore_radius : float
        Radius of the pores in metres that the capillary pressure stands for.
    length : float
        Distance from the wetted face to the end, in metres.
    """

    seconds: float
    capillary_pressure: float
    pore_radius: float
    length: float


def filling_time(
    micro: Microstructure,
    flow: Permeability,
    *,
    viscosity: float,
    surface_tension: float,
    contact_angle: float = 0.0,
    length: float | None = None,
    pore_radius: float | None = None,
) -> FillingTime:
    """Estimate the time in which a wetting liquid fills the pores from one face.

    Parameters
    ----------
    micro : Microstructure
        The image.
    flow : Permeability
        Its permeability, see `permeability`; tells phase, direction and porosity, too.
    viscosity : float
        Of the liquid, in Pa s.
    surface_tension : float
        Of the liquid against the gas that it drives out, in N/m.
    contact_angle : float
        In the liquid, in degrees, from 0 to 180.
    length : float, optional
        Distance to fill in metres; by default the extent of the image along the flow.
    pore_radius : float, optional
        Radius of the pores in metres; by default that of cylinders with the ratio of surface to
        volume that the phase has in the image.

    Returns
    -------
    FillingTime

    Raises
    ------
    ValueError
        If a value is not allowed.

    Notes
    -----
    Behind a sharp front the liquid obeys Darcy's law, at the front pulls the capillary pressure p,
    and ahead of it the gas resists nothing::

        t = porosity viscosity length^2 / (2 k p) ,   p = 2 tension cos(angle) / radius .

    In a bundle of straight tubes, k = porosity radius^2 / 8, this is the law of E. W. Washburn,
    Phys. Rev. 17 (1921) 273. With the default radius p is the tension times the cosine times the
    surface per volume of the pores: what is gained in energy of surfaces when all walls are wetted
    (M. C. Leverett, Trans. AIME 142 (1941) 152). An estimate within a factor of a few: a real
    front is ragged, waits at wide places and leaves gas behind.

    Examples
    --------
    >>> import microtwin as mt
    >>> micro = mt.generation.lattice_spheres(16, 0.4, voxel_size=1e-6)
    >>> flow = mt.transport.permeability(micro, "matrix")
    >>> filling = mt.transport.filling_time(
    ...     micro, flow, viscosity=3e-3, surface_tension=0.03, contact_angle=30, length=1e-4
    ... )
    >>> round(1e3 * filling.seconds, 1)  # ms
    0.9
    """
    for noun, value in (
        ("viscosity", viscosity), ("surface_tension", surface_tension), ("length", length),
        ("pore_radius", pore_radius),
    ):  # fmt: skip
        if value is not None and not (is_number(value) and value > 0.0):
            raise ValueError(f"{noun} {value!r} is not allowed; give a positive number in SI units")
    if not (is_number(contact_angle) and 0.0 <= contact_angle <= 180.0):
        raise ValueError(
            f"contact_angle {contact_angle!r} is not allowed; give degrees from 0 to 180, "
            "measured in the liquid"
        )
    if length is None:
        length = micro.extent[axis_index(flow.direction)]
    if pore_radius is None:
        pore_radius = _radius(micro, flow.phase, flow.boundary == "periodic")
    pressure = 2.0 * surface_tension * math.cos(math.radians(contact_angle)) / pore_radius
    seconds = math.inf
    if pressure > 0.0 and flow.permeability > 0.0:
        porosity = flow.volume_fraction * flow.percolating_fraction
        seconds = porosity * viscosity * length**2 / (2.0 * flow.permeability * pressure)
    return FillingTime(seconds, pressure, pore_radius, length)


def _radius(micro: Microstructure, phase: str, periodic: bool) -> float:
    """Return twice the volume of a phase over its surface."""
    area = surface_area(micro, phase, periodic)
    if area == 0.0:
        raise ValueError(
            f"the {phase} phase has no surface in this image, so no pore size; give pore_radius"
        )
    return 2.0 * measured_phase_volume(micro, phase, periodic) / area
