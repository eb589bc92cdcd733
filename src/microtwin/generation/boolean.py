"""The Boolean model: equal spheres that overlap at will."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ..microstructure import Microstructure
from .checks import checked_fraction, checked_shape, checked_triple
from .particles import Particles, paint

__all__ = ["boolean_spheres"]


def boolean_spheres(
    shape: int | Sequence[int],
    radius: float,
    porosity: float,
    seed: int = 0,
    voxel_size: float = 1e-6,
) -> Microstructure:
    """Return a periodic Boolean model: equal spheres that overlap freely.

    Centres form a Poisson process of intensity lambda = -ln(porosity) / V, V the volume of one
    sphere, so that the expected pore fraction exp(-lambda V) is the porosity (Chiu, Stoyan,
    Kendall & Mecke, Stochastic Geometry and its Applications, 2013, chapter 3). One image
    scatters around it.

    Parameters
    ----------
    shape : int or 3 ints
        Voxels along (z, y, x).
    radius : float
        Sphere radius in voxels; at most half the shortest edge of the image.
    porosity : float
        Expected pore fraction.
    seed : int
        The same seed gives the same image.
    voxel_size : float
        Voxel edge in metres.

    Returns
    -------
    Microstructure
        With the phases pore = 0 and solid = 1.

    Raises
    ------
    ValueError
        If the porosity is not between 0 and 1 or the radius does not fit the image.
    """
    shape = checked_shape(shape)
    checked_fraction(porosity, "porosity")
    if not 0 < 2 * radius <= min(shape):
        raise ValueError(
            f"radius {radius!r} is not allowed for shape {shape}; "
            f"give a positive number of voxels, at most {min(shape) / 2:g}"
        )
    rng = np.random.default_rng(seed)
    expected = -math.log(porosity) * math.prod(shape) / (4.0 / 3.0 * math.pi * radius**3)
    n = max(int(rng.poisson(expected)), 1)
    size = checked_triple(voxel_size, "voxel size", "give the edge in metres, for example 1e-6")
    if min(size) != max(size):
        raise ValueError(
            f"voxel size {voxel_size!r} is not allowed: the radius is in voxels; give one edge"
        )
    extent = (shape[0] * size[0], shape[1] * size[1], shape[2] * size[2])
    spheres = Particles(rng.random((n, 3)) * extent, np.full(n, radius * size[0]), extent)
    labels = (paint(spheres, shape) > 0).view(np.uint8)
    return Microstructure(labels, size, {"pore": 0, "solid": 1})
