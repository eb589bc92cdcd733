"""Curvature of the boundary of a phase, from plane sections.

With volume, surface and Euler number the integral of the mean curvature completes the four
Minkowski functionals: every additive measure of a shape that does not depend on its place and
direction is a combination of them (Hadwiger).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..geometry.crossings import (
    euler_number,
    phase_histogram,
    plane_spacings,
    projected_areas,
    section_euler_numbers,
)
from ..geometry.orientation import area_from_projections, crofton_weights
from ..geometry.surface import measured_volume
from ..microstructure import Microstructure

__all__ = ["Minkowski", "minkowski_functionals"]


@dataclass(frozen=True)
class Minkowski:
    """Minkowski functionals of a phase per volume of the image.

    Attributes
    ----------
    volume : float
        Volume fraction.
    surface : float
        Area of the boundary per volume, 1/m.
    mean_curvature : float
        Integral of the mean curvature (k1 + k2) / 2 over the boundary per volume, 1/m^2; positive
        where the phase is convex.
    euler_number : float
        Per volume, 1/m^3. The integral of the Gaussian curvature is 4 pi times this.
    """

    volume: float
    surface: float
    mean_curvature: float
    euler_number: float

    @property
    def average_mean_curvature(self) -> float:
        """Mean curvature averaged over the boundary, 1/m: 1 / R for spheres; 0 without boundary."""
        return self.mean_curvature / self.surface if self.surface else 0.0


def minkowski_functionals(micro: Microstructure, phase: str, periodic: bool = False) -> Minkowski:
    """Measure the four Minkowski functionals of a phase.

    All but the volume come from the histogram of 2x2x2 configurations. The integral of the mean
    curvature is 2 pi times the mean, over all directions, of the Euler number of plane sections
    summed over parallel planes times their spacing; it is measured on the planes across the 13
    lattice directions (D. Legland, K. Kieu, M.-F. Devaux, Image Anal. Stereol. 26, 83 (2007)).

    Parameters
    ----------
    micro : Microstructure
    phase : str
    periodic : bool
        Whether the image continues across its outer faces; if not, all but the volume are measured
        between the outermost voxel centres.

    Returns
    -------
    Minkowski

    Raises
    ------
    ValueError
        If the phase is not in the microstructure.
    """
    histogram = phase_histogram(micro, [phase], periodic)
    volume = measured_volume(micro, periodic)
    area = area_from_projections(projected_areas(histogram, micro.voxel_size), micro.voxel_size)
    reciprocal, spacing = plane_spacings(micro.voxel_size)
    widths = section_euler_numbers(histogram) * spacing
    curvature = 2 * math.pi * float(crofton_weights(reciprocal) @ widths)
    return Minkowski(
        volume=micro.volume_fraction(phase),
        surface=area / volume,
        mean_curvature=curvature / volume,
        euler_number=euler_number(histogram) / volume,
    )
