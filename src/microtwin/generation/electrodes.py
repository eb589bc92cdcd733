"""Virtual battery electrodes: particles, the binder between them, and the pore that is left."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..connectivity import percolating_mask
from ..microstructure import AXES, Microstructure
from .checks import checked_fraction, checked_periodic, checked_shape, checked_triple
from .packing import packed_spheres
from .particles import surface_distances
from .random_fields import gaussian_random_field

__all__ = ["electrode"]

# Particles are packed as touching spheres and then share necks of at most this depth relative
# to the sum of their radii, as calendering presses them together.
_NECK = 0.05
# Share of the particle volume that the necks swallow at that depth, added before packing; what
# is left over is taken off evenly at the surface.
_NECK_VOLUME = 0.01
# Random packings jam at about 0.64. Denser electrodes are packed up to here and their particles
# then grown into each other.
_DENSEST_PACKING = 0.55
# Roughness of the binder: standard deviation and smoothness relative to the mean diameter.
_BINDER_ROUGHNESS = 0.06
_BINDER_GRAIN = 0.10


def electrode(
    shape: int | Sequence[int] = (128, 128, 128),
    voxel_size: float | Sequence[float] = 0.4e-6,
    porosity: float = 0.40,
    binder_fraction: float = 0.10,
    particle_diameter: float = 6e-6,
    diameter_deviation: float | None = None,
    seed: int = 0,
    periodic: bool | Sequence[bool] = True,
) -> Microstructure:
    """Return a three-phase electrode: spherical active particles, binder at their contacts, pore.

    Particles of lognormal size are packed until they touch with small necks. The binder takes
    the voxels with the smallest sum of distances to the two nearest particles, so that it forms
    bridges across the contacts; a smooth random field roughens its surface. Fractions are met
    to one voxel by growing or shrinking all surfaces evenly.

    Parameters
    ----------
    shape : int or 3 ints
        Voxels along (z, y, x); z is through-plane.
    voxel_size : float or 3 floats
        Voxel edge(s) in metres.
    porosity, binder_fraction : float
        Volume fractions of pore and binder; the active material is the rest.
    particle_diameter : float
        Mean diameter of the particles in metres (mean of numbers, not of volume).
    diameter_deviation : float, optional
        Standard deviation of the diameter in metres; 0.3 of the mean by default.
    seed : int
        The same seed gives the same image.
    periodic : bool or 3 bools
        Along a periodic axis the image continues on the opposite face; otherwise its faces are
        walls that particles do not cross.

    Returns
    -------
    Microstructure
        With the phases pore = 0, active = 1 and binder = 2.

    Raises
    ------
    ValueError
        If the fractions leave no active material, if the particles do not fit the image or
        cannot be packed so densely, or if the pore does not percolate in every direction.

    Examples
    --------
    >>> from microtwin.generation import electrode
    >>> micro = electrode(shape=48, seed=1)
    >>> round(micro.volume_fraction("active"), 3)
    0.5
    """
    shape = checked_shape(shape)
    size = checked_triple(voxel_size, "voxel size", "give the edge in metres, for example 0.4e-6")
    checked_triple(particle_diameter, "particle diameter", "give metres, for example 6e-6")
    flags = checked_periodic(periodic)
    active_fraction = _active_fraction(porosity, binder_fraction)
    deviation = 0.3 * particle_diameter if diameter_deviation is None else diameter_deviation
    particles = packed_spheres(
        shape,
        size,
        (particle_diameter, deviation),
        min(active_fraction * (1.0 + _NECK_VOLUME), _DENSEST_PACKING),
        seed,
        overlap_tolerance=_NECK,
        periodic=flags,
    )
    first, second, _ = surface_distances(particles, shape, reach=particle_diameter)
    labels = np.zeros(shape, np.uint8)
    _assign_lowest(labels, first, round(active_fraction * labels.size), 1)
    if binder_fraction:
        score = first
        score += second
        score += np.float32(_BINDER_ROUGHNESS * particle_diameter) * gaussian_random_field(
            shape,
            tuple(_BINDER_GRAIN * particle_diameter / h for h in size),
            # A stream of its own: the same integer seed would reuse the numbers of the packing.
            seed=seed + 2**32,
            periodic=all(flags),
        )
        _assign_lowest(labels, score, round(binder_fraction * labels.size), 2)
    _check_percolation(labels, porosity)
    return Microstructure(labels, size, {"pore": 0, "active": 1, "binder": 2})


def _active_fraction(porosity: float, binder_fraction: float) -> float:
    checked_fraction(porosity, "porosity")
    active = 1.0 - porosity - binder_fraction
    if binder_fraction < 0 or active <= 0:
        raise ValueError(
            f"porosity {porosity} and binder fraction {binder_fraction} leave {active:.3g} for the "
            "active material; give fractions of 0 or more whose sum is below 1"
        )
    return active


def _assign_lowest(
    labels: NDArray[np.uint8], score: NDArray[np.float32], count: int, label: int
) -> None:
    """Give a label to the `count` free voxels (label 0) of lowest score."""
    free = np.flatnonzero(labels.ravel() == 0)
    if count > 0:
        chosen = np.argpartition(score.ravel()[free], count - 1)[:count]
        labels.ravel()[free[chosen]] = label


def _check_percolation(labels: NDArray[np.uint8], porosity: float) -> None:
    for axis, name in enumerate(AXES):
        if not percolating_mask(labels == 0, axis).any():
            raise ValueError(
                f"the pore does not percolate along {name} at porosity {porosity}; raise the "
                "porosity, lower the binder fraction or use a larger image"
            )
