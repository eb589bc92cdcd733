"""Particles drawn from the distributions of a recipe, before they are pushed apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .checks import Triple
from .forms import UNIT_VOLUME, Body, Form, bodies_of, plate_volume
from .orientations import axes_with_order, frames_along
from .particle_types import ParticleType, profile_at
from .particles import Particles
from .sizes import diameters_from

__all__ = ["drawn_particles"]

# Of one type. More are mostly smaller than a voxel, or a mistake in the unit.
_MOST_PARTICLES = 300_000
# Sizes change by at most this part to meet the solid fraction; a box that needs more holds only
# one or two particles.
_LARGEST_SCALING = 0.1


def drawn_particles(
    types: Sequence[ParticleType],
    volume: float,
    extent: Triple,
    periodic: tuple[bool, bool, bool],
    rng: np.random.Generator,
) -> Particles:
    """Draw the particles of all types, evenly scattered, with exactly this volume together.

    They overlap, and have room in the box only if they are not longer than it.

    Parameters
    ----------
    types : sequence of ParticleType
    volume : float
        Sum of the volumes of all particles in m^3.
    extent : 3 floats
        Edges of the box along (z, y, x) in metres.
    periodic : 3 bools
    rng : numpy.random.Generator

    Returns
    -------
    Particles
        Largest first.

    Raises
    ------
    ValueError
        If a diameter is not positive, or there are too few or too many particles.
    """
    shares = np.array([kind.share for kind in types])
    shares /= shares.sum()
    radii = [
        _radii(kind, volume * share, extent, rng) for kind, share in zip(types, shares, strict=True)
    ]
    bodies: list[Body] = []
    parts: list[tuple[NDArray[Any], ...]] = []
    for number, (kind, sizes) in enumerate(zip(types, radii, strict=True)):
        own = bodies_of(kind.form, kind.facets, kind.roughness, rng)
        chosen = len(bodies) + rng.integers(len(own), size=sizes.size)
        bodies += own
        ratio = _aspect_ratios(kind, sizes.size, rng)
        axes = _stretched(kind.form, sizes, ratio)
        axis = axes_with_order(kind.alignment, kind.axis, sizes.size, rng)
        frames = frames_along(axis, rng)
        places = _places(kind.profile, sizes.size, rng)
        parts.append((axes, frames, chosen, np.full(sizes.size, number), places))
    axes, frames, body, population, places = (np.concatenate(p) for p in zip(*parts, strict=True))
    order = np.argsort(-np.prod(axes, axis=1), kind="stable")
    particles = Particles(
        places[order],
        axes[order],
        extent,
        periodic,
        frames[order],
        body[order],
        tuple(bodies),
        population[order],
    )
    half = particles.half_extents
    low = np.where(periodic, 0.0, half)
    high = np.where(periodic, extent, extent - half)
    return replace(particles, centres=low + places[order] * (high - low))


def _radii(
    kind: ParticleType, volume: float, extent: Triple, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Draw the radii of spheres that have this volume together."""
    sampler = diameters_from(kind.diameter)
    drawn, size = np.zeros(0), 256
    while True:
        batch = np.asarray(sampler.rvs(size=size, random_state=rng), float)
        if not np.all(np.isfinite(batch) & (batch > 0)):
            raise ValueError("a diameter drawn is not positive; use a distribution above 0 metres")
        drawn = np.concatenate([drawn, batch])
        filled = np.cumsum(math.pi / 6.0 * drawn**3)
        if filled[-1] >= volume:
            break
        expected = drawn.size * volume / filled[-1]
        if expected > _MOST_PARTICLES:
            raise ValueError(
                f"about {expected:.2g} particles with a mean diameter of {drawn.mean():.3g} m "
                f"would be needed, and at most {_MOST_PARTICLES} are packed; use larger particles, "
                "cut off the smallest sizes or use a smaller image"
            )
        size = max(256, int(1.1 * expected) - drawn.size)
    n = int(np.argmin(np.abs(filled - volume))) + 1
    scale = float((volume / filled[n - 1]) ** (1.0 / 3.0))
    if abs(scale - 1.0) > _LARGEST_SCALING:
        raise ValueError(
            f"particles of diameter {drawn[0]:.3g} m do not fit a box of "
            f"{' x '.join(f'{edge:.3g}' for edge in extent)} m in the amount asked for; "
            "use a larger image or smaller particles"
        )
    # The largest come first: places are evenly scattered among those of similar size, too.
    return np.sort(0.5 * scale * drawn[:n])[::-1]


def _aspect_ratios(kind: ParticleType, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    if isinstance(kind.aspect_ratio, int | float):
        return np.full(n, float(kind.aspect_ratio))
    mean, deviation = kind.aspect_ratio
    return diameters_from((mean, deviation)).rvs(n, rng)


def _stretched(
    form: Form, radius: NDArray[np.float64], ratio: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Semi-axes of particles with the volume of spheres of these radii."""
    if form == "plate":
        ratio = np.minimum(ratio, 0.99)
        across = radius * (UNIT_VOLUME / plate_volume(ratio, np.ones_like(ratio))) ** (1.0 / 3.0)
    else:
        across = radius * ratio ** (-1.0 / 3.0)
    return np.stack([ratio * across, across, across], axis=1)


def _places(
    profile: Sequence[float] | None, n: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Places in the unit cube, with the density of the profile along z.

    A scrambled Sobol sequence: points at random would crowd in some regions and leave others
    empty, over distances that pushing neighbours apart does not even out.
    """
    from scipy.stats import qmc

    places: NDArray[np.float64] = qmc.Sobol(3, rng=rng).random(1 << (n - 1).bit_length())[:n]
    if profile is not None:
        fine = np.linspace(0.0, 1.0, 1025)
        density = profile_at(profile, fine)
        below = np.concatenate([[0.0], np.cumsum(0.5 * (density[1:] + density[:-1]))])
        places[:, 0] = np.interp(places[:, 0], below / below[-1], fine)
    return places
