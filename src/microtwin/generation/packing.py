"""Random arrangements of spheres: overlapping at will, or packed until they only touch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..microstructure import Microstructure
from .checks import Triple, checked_fraction, checked_periodic, checked_shape, checked_triple
from .particles import Particles, paint

__all__ = ["DiameterSampler", "boolean_spheres", "packed_spheres"]

_MAX_SWEEPS = 2000
# Fraction of an overlap that one sweep removes. Spheres have up to about six contacts that pull
# at the same time, so the full correction would overshoot.
_RELAXATION = 0.4
# Sizes change by at most this part to meet the solid fraction; a box that needs more holds only
# one or two spheres.
_LARGEST_SCALING = 0.1


class DiameterSampler(Protocol):
    """Anything that draws diameters in metres, for example a frozen `scipy.stats` distribution."""

    def rvs(self, size: int, random_state: Any) -> NDArray[np.float64]:
        """Draw `size` diameters with a numpy generator."""


def packed_spheres(
    shape: int | Sequence[int],
    voxel_size: float | Sequence[float],
    diameters: tuple[float, float] | DiameterSampler,
    solid_fraction: float,
    seed: int = 0,
    overlap_tolerance: float = 0.01,
    periodic: bool | Sequence[bool] = True,
) -> Particles:
    """Pack spheres of different sizes into a box.

    Spheres start at random positions and push each other apart until no two overlap by more
    than the tolerance (a soft-sphere relaxation in the spirit of Jodrey & Tory, Phys. Rev. A 32,
    2347, 1985). The result is a loose random packing in which most spheres touch neighbours.

    Parameters
    ----------
    shape : int or 3 ints
        Size of the box in voxels along (z, y, x).
    voxel_size : float or 3 floats
        Voxel edge(s) in metres.
    diameters : (float, float) or sampler
        Mean and standard deviation of a lognormal number distribution of diameters in metres
        (cut at three log-standard deviations), or an object with
        ``rvs(size=..., random_state=...)`` that returns diameters in metres.
    solid_fraction : float
        Sum of the sphere volumes over the volume of the box. Sizes are scaled by a common
        factor near 1 to meet it exactly.
    seed : int
        The same seed gives the same packing.
    overlap_tolerance : float
        Largest overlap allowed, as a part of the sum of the two radii.
    periodic : bool or 3 bools
        Along a periodic axis spheres continue on the opposite face; otherwise the faces are
        walls that spheres do not cross.

    Returns
    -------
    Particles
        Largest sphere first.

    Raises
    ------
    ValueError
        If the box is too small for the spheres, or so full that the overlaps do not vanish.
    """
    shape = checked_shape(shape)
    size = checked_triple(voxel_size, "voxel size", "give the edge in metres, for example 0.4e-6")
    checked_fraction(solid_fraction, "solid fraction")
    flags = checked_periodic(periodic)
    extent = (shape[0] * size[0], shape[1] * size[1], shape[2] * size[2])
    rng = np.random.default_rng(seed)
    radii, scale = _draw_radii(diameters, solid_fraction * math.prod(extent), rng)
    if 2.0 * radii[0] > min(extent) or abs(scale - 1.0) > _LARGEST_SCALING:
        raise ValueError(
            f"spheres of diameter up to {2.0 * radii[0] / scale:.3g} m do not fit a box of "
            f"{' x '.join(f'{edge:.3g}' for edge in extent)} m; "
            "use a larger image or smaller particles"
        )
    low = np.where(flags, 0.0, radii[:, None])
    high = np.where(flags, extent, extent - radii[:, None])
    centres = low + rng.random((radii.size, 3)) * (high - low)
    centres = _separate(centres, radii, extent, flags, overlap_tolerance)
    return Particles(centres, radii, extent, flags)


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
    extent = (shape[0] * size[0], shape[1] * size[1], shape[2] * size[2])
    spheres = Particles(rng.random((n, 3)) * extent, np.full(n, radius * size[0]), extent)
    labels = (paint(spheres, shape) > 0).view(np.uint8)
    return Microstructure(labels, size, {"pore": 0, "solid": 1})


def _draw_radii(
    diameters: tuple[float, float] | DiameterSampler, volume: float, rng: np.random.Generator
) -> tuple[NDArray[np.float64], float]:
    """Draw radii, largest first, whose spheres have this volume, and their common scaling."""
    drawn = np.zeros(0)
    while True:
        batch = _draw_diameters(diameters, 256, rng)
        if not np.all(np.isfinite(batch) & (batch > 0)):
            raise ValueError("a diameter drawn is not positive; use a distribution above 0 metres")
        drawn = np.concatenate([drawn, batch])
        filled = np.cumsum(math.pi / 6.0 * drawn**3)
        if filled[-1] >= volume:
            break
    n = int(np.argmin(np.abs(filled - volume))) + 1
    scale = float((volume / filled[n - 1]) ** (1.0 / 3.0))
    return np.sort(0.5 * scale * drawn[:n])[::-1], scale


def _draw_diameters(
    diameters: tuple[float, float] | DiameterSampler, n: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    if not isinstance(diameters, tuple):
        return np.asarray(diameters.rvs(size=n, random_state=rng), float)
    mean, deviation = diameters
    if not (mean > 0 and deviation >= 0):
        raise ValueError(
            f"diameters {diameters!r} are not allowed; give (mean, standard deviation) in metres"
        )
    log_variance = math.log1p((deviation / mean) ** 2)
    normal = np.clip(rng.standard_normal(n), -3.0, 3.0)
    return mean * np.exp(math.sqrt(log_variance) * normal - 0.5 * log_variance)


def _separate(
    centres: NDArray[np.float64],
    radii: NDArray[np.float64],
    extent: Triple,
    periodic: tuple[bool, bool, bool],
    tolerance: float,
) -> NDArray[np.float64]:
    """Push overlapping spheres apart until no overlap exceeds the tolerance."""
    box = np.array(extent)
    flags = np.array(periodic)
    low = np.where(flags, -np.inf, radii[:, None])
    high = np.where(flags, np.inf, box - radii[:, None])
    mass = radii**3
    skin = 0.3 * float(np.mean(radii))
    pairs, anchor = _neighbours(centres, radii, box, flags, skin), centres
    worst = math.inf
    for _ in range(_MAX_SWEEPS):
        if np.max(np.sum((centres - anchor) ** 2, axis=1)) > (0.5 * skin) ** 2:
            pairs, anchor = _neighbours(centres, radii, box, flags, skin), centres
        a, b = pairs
        apart = centres[a] - centres[b]
        apart -= np.where(flags, box * np.round(apart / box), 0.0)
        distance = np.sqrt(np.sum(apart**2, axis=1))
        touching = radii[a] + radii[b]
        overlap = touching - distance
        worst = float(np.max(overlap / touching, initial=0.0))
        if worst <= tolerance:
            break
        hit = overlap > 0
        a, b = a[hit], b[hit]
        push = _RELAXATION * (overlap[hit] / np.maximum(distance[hit], 1e-12 * touching[hit]))
        move = push[:, None] * apart[hit]
        # The lighter sphere gives way; a factor 2 keeps equal spheres at `_RELAXATION` each.
        share = (2.0 * mass[b] / (mass[a] + mass[b]))[:, None]
        step = np.empty_like(centres)
        for axis in range(3):
            step[:, axis] = np.bincount(a, (share * move)[:, axis], radii.size)
            step[:, axis] -= np.bincount(b, ((2.0 - share) * move)[:, axis], radii.size)
        centres = np.clip(centres + step, low, high)
    else:
        raise ValueError(
            f"spheres still overlap by {100 * worst:.1f} % of their radii after {_MAX_SWEEPS} "
            f"sweeps (allowed {100 * tolerance:.1f} %); lower the solid fraction, widen the size "
            "distribution or raise the overlap tolerance"
        )
    return np.where(flags, centres % box, centres)


def _neighbours(
    centres: NDArray[np.float64],
    radii: NDArray[np.float64],
    box: NDArray[np.float64],
    periodic: NDArray[np.bool_],
    skin: float,
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Pairs of spheres whose surfaces are closer than the skin, in a reproducible order."""
    from scipy.spatial import cKDTree

    # A box size of 0 means an open axis.
    wrapped = np.where(periodic, centres % box, centres)
    tree = cKDTree(wrapped, boxsize=np.where(periodic, box, 0.0))
    pairs = tree.query_pairs(2.0 * radii[0] + skin, output_type="ndarray")
    a, b = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))].T
    apart = wrapped[a] - wrapped[b]
    apart -= np.where(periodic, box * np.round(apart / box), 0.0)
    near = np.sqrt(np.sum(apart**2, axis=1)) < radii[a] + radii[b] + skin
    return a[near], b[near]
