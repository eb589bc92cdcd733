"""Known answers for the statistics of finite images: overlapping spheres (the Boolean model).

Two points at distance r are both outside all spheres with the probability phi^(u(r)), where u is
the volume of the union of two spheres at that distance over the volume of one (Torquato, Random
Heterogeneous Materials, 2002, chapter 5). From it follow the integral range and the scatter of
the porosity between samples of any size.
"""

from __future__ import annotations

import itertools
import math
from functools import partial

import numpy as np
from numpy.typing import NDArray

from .covariance import integral_range
from .verification import Case

__all__ = ["CASES", "boolean_integral_range", "boolean_variance"]


def boolean_integral_range(radius: float, porosity: float) -> float:
    """Return the integral range A3 of the pore between overlapping spheres, a volume.

    Parameters
    ----------
    radius : float
        Sphere radius.
    porosity : float
        Expected pore fraction, between 0 and 1.
    """
    r, covariance = _boolean_covariance(radius, porosity)
    return float(np.trapezoid(4 * math.pi * r**2 * covariance, r)) / (porosity * (1 - porosity))


def boolean_variance(radius: float, porosity: float, edge: float) -> float:
    """Return the variance of the pore fraction over cubes.

    The overlap of a cube with itself, shifted by r <= edge in a random direction, is
    1 - 3 s / 2 + 2 s^2 / pi - s^3 / (4 pi) of its volume, s = r / edge: the mean over directions
    of the product of 1 - abs(s_i).

    Parameters
    ----------
    radius, porosity : float
        See `boolean_integral_range`.
    edge : float
        Edge of the cube, at least twice the radius.
    """
    r, covariance = _boolean_covariance(radius, porosity)
    s = r / edge
    overlap = 1 - 1.5 * s + 2 / math.pi * s**2 - s**3 / (4 * math.pi)
    return float(np.trapezoid(4 * math.pi * r**2 * covariance * overlap, r)) / edge**3


def _boolean_covariance(
    radius: float, porosity: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Distances from 0 to 2 radius, where the covariance ends, and the covariance there."""
    r = np.linspace(0.0, 2 * radius, 2001)
    union = 1 + 0.75 * r / radius - (r / radius) ** 3 / 16
    return r, porosity**union - porosity**2


def _measured_integral_range(radius: float, porosity: float, edge: int) -> float:
    from ..generation import boolean_spheres

    micro = boolean_spheres(edge, radius, porosity, seed=0, voxel_size=1.0)
    return integral_range(micro, "pore").value


def _scatter_of_cubes(radius: float, porosity: float, edge: int, per_axis: int) -> float:
    """Variance of the pore fraction over cubes far enough apart to be independent."""
    from ..generation import boolean_spheres

    step = edge + math.ceil(2 * radius)
    micro = boolean_spheres(per_axis * step, radius, porosity, seed=0, voxel_size=1.0)
    pore = micro.mask("pore")
    starts = itertools.product(range(0, per_axis * step, step), repeat=3)
    fractions = [pore[z : z + edge, y : y + edge, x : x + edge].mean() for z, y, x in starts]
    return float(np.var(fractions, ddof=1))


_SOURCE = "Kanit 2003 (law), Torquato 2002 (covariance); closed form"

CASES: tuple[Case, ...] = (
    Case(
        name="overlapping spheres, R = 6, porosity 0.5, one image of 128^3 voxels",
        quantity="integral range A3, voxels",
        reference=partial(boolean_integral_range, 6.0, 0.5),
        compute=partial(_measured_integral_range, 6.0, 0.5, 128),
        # The image is worth 3000 samples; the sum of its covariance scatters by about 5 %.
        limit=0.15,
        source=_SOURCE,
    ),
    Case(
        name="overlapping spheres, R = 3, porosity 0.5, 512 separate cubes of 16^3 voxels",
        quantity="variance of the porosity",
        reference=partial(boolean_variance, 3.0, 0.5, 16.0),
        compute=partial(_scatter_of_cubes, 3.0, 0.5, 16, 8),
        # Three standard errors of a variance from 512 samples.
        limit=0.19,
        source=_SOURCE,
    ),
)
