"""Random packings: particles of given sizes, forms and orientations that only touch."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..microstructure import Direction, axis_index
from ..numerics.threads import even_shares, over_slabs
from . import form_kernels, packing_kernels
from .checks import Triple, checked_fraction, checked_periodic, checked_shape, checked_triple
from .forms import UNIT_VOLUME, Body, Form, bodies_of, checked_form, packed_bodies, plate_volume
from .orientations import axes_with_order, frames_along
from .particles import Particles
from .sizes import diameters_from

__all__ = ["JammedError", "ParticleType", "checked_profile", "packed_particles", "separated"]

_MAX_SWEEPS = 2000
# Part of half an overlap that one sweep takes from each of two equal particles. Particles have
# several contacts that pull at the same time, so the full correction would overshoot.
_RELAXATION = 0.4
# Particles closer than this part of their mean radius are watched for overlaps.
_SKIN = 0.5
# Of one type. More are mostly smaller than a voxel, or a mistake in the unit.
_MOST_PARTICLES = 300_000
# Sizes change by at most this part to meet the solid fraction; a box that needs more holds only
# one or two particles.
_LARGEST_SCALING = 0.1


class JammedError(ValueError):
    """Particles that cannot be packed as densely as asked for."""


@dataclass(frozen=True)
class ParticleType:
    """One type of particles in a recipe.

    Parameters
    ----------
    diameter : float, (float, float), mapping or sampler
        Diameters of the spheres of equal volume, in metres, as `diameters_from` takes them: one
        value; mean and standard deviation of a lognormal distribution by number; ``{"d10": ...,
        "d50": ..., "d90": ...}`` or ``{"table": [(diameter, share below), ...]}`` by volume; a
        frozen `scipy.stats` distribution.
    form : {"sphere", "ellipsoid", "plate", "polyhedron", "irregular"}
        Plates are discs with a rounded rim; polyhedra have random facets; irregular particles
        have a wavy surface.
    aspect_ratio : float or (float, float)
        Length along the axis of the particle over its width: 0.2 is flat, 5 is a rod, 1 is
        neither. Two numbers are mean and standard deviation of a lognormal distribution; values
        of plates that come out above 0.99 are set to that.
    alignment : float
        Order parameter of the particle axes, the mean of (3 cos^2 t - 1) / 2 over the angles t
        to `axis`: 0 is random, 1 all along the axis, -0.5 all across it.
    axis : {"z", "y", "x"}
        Axis of the image to which `alignment` refers. Flat particles that lie in the plane of
        the electrode have their axes along z.
    share : float
        Volume of this type relative to the other types.
    profile : sequence of float, optional
        Relative number of particles per height, from z = 0 to z = L at equal distances, linear
        between them: (1, 2) has twice as many at the top. Needs walls along z.
    phase : str
        Name of the phase that these particles make.
    facets : int
        Number of facets of a polyhedron, 6 to 60.
    roughness : float
        Standard deviation of the radius of an irregular particle over its mean, up to 0.2.

    Raises
    ------
    ValueError
        If a value is not allowed.
    """

    diameter: Any
    form: Form = "sphere"
    aspect_ratio: float | tuple[float, float] = 1.0
    alignment: float = 0.0
    axis: Direction = "z"
    share: float = 1.0
    profile: Sequence[float] | None = None
    phase: str = "active"
    facets: int = 14
    roughness: float = 0.1

    def __post_init__(self) -> None:
        diameters_from(self.diameter)
        checked_form(self.form)
        axis_index(self.axis)
        ratio = self.aspect_ratio
        numbers = (ratio, 0.0) if isinstance(ratio, int | float) else tuple(ratio)
        mean, deviation = numbers if len(numbers) == 2 else (math.nan, math.nan)
        if not (0.02 <= mean <= 50 and 0 <= deviation <= mean):
            raise ValueError(
                f"aspect ratio {ratio!r} is not allowed; give length over width from 0.02 to 50, "
                "or its mean and standard deviation"
            )
        if self.form == "sphere" and (mean, deviation) != (1.0, 0.0):
            raise ValueError(
                f"a sphere has no aspect ratio {ratio!r}; choose form 'ellipsoid', 'plate', "
                "'polyhedron' or 'irregular'"
            )
        if self.form == "plate" and mean >= 1:
            raise ValueError(
                f"aspect ratio {ratio!r} of a plate is not allowed; give its thickness over its "
                "diameter, below 1"
            )
        allowed = {
            "alignment": (-0.5 <= self.alignment <= 1, "from -0.5 (all across) to 1 (all along)"),
            "share": (math.isfinite(self.share) and self.share > 0, "a number above 0"),
            "facets": (self.facets in range(6, 61), "a whole number from 6 to 60"),
            "roughness": (0 <= self.roughness <= 0.2, "from 0 to 0.2"),
        }
        for name, (fine, remedy) in allowed.items():
            if not fine:
                raise ValueError(f"{name} {getattr(self, name)!r} is not allowed; give {remedy}")
        if self.profile is not None:
            checked_profile(self.profile)

    @property
    def spherical(self) -> bool:
        """Whether turning a particle changes nothing."""
        return self.form == "sphere"


def checked_profile(profile: Sequence[float]) -> NDArray[np.float64]:
    """Return relative amounts at equal distances from z = 0 to z = L, with a mean of about 1."""
    values = np.array(profile, float)
    fine = values.ndim == 1 and values.size > 1 and np.all((values >= 0) & (values < np.inf))
    if not fine or not values.sum() > 0:
        raise ValueError(
            f"profile {profile!r} is not allowed; give two or more relative amounts from z = 0 to "
            "z = L, none below 0, for example (1, 2)"
        )
    mean: float = np.trapezoid(values) / (values.size - 1)
    return values / mean


def packed_particles(
    shape: int | Sequence[int],
    voxel_size: float | Sequence[float],
    types: ParticleType | Sequence[ParticleType],
    solid_fraction: float,
    seed: int = 0,
    overlap_tolerance: float = 0.01,
    periodic: bool | Sequence[bool] = True,
) -> Particles:
    """Pack particles of different sizes and forms into a box.

    Particles start at evenly scattered places, with the orientations of their recipe, and push each
    other apart until no two overlap by more than the tolerance (a soft-particle
    relaxation in the spirit of Jodrey & Tory, Phys. Rev. A 32, 2347, 1985; the theory page tells
    how the overlap of convex bodies is bounded). The result is a loose random packing in which
    most particles touch neighbours.

    Parameters
    ----------
    shape : int or 3 ints
        Size of the box in voxels along (z, y, x).
    voxel_size : float or 3 floats
        Voxel edge(s) in metres.
    types : ParticleType or sequence of ParticleType
        What the box is filled with.
    solid_fraction : float
        Sum of the particle volumes over the volume of the box. Sizes are scaled by a common
        factor near 1 to meet it exactly.
    seed : int
        The same seed gives the same packing.
    overlap_tolerance : float
        Largest overlap allowed, as a part of the sum of the two radii; of particles that are not
        spheres, of the sum of their smallest semi-axes. For irregular particles it counts for
        their convex hulls.
    periodic : bool or 3 bools
        Along a periodic axis particles continue on the opposite face; otherwise the faces are
        walls that particles do not cross.

    Returns
    -------
    Particles
        Largest particle first.

    Raises
    ------
    ValueError
        If the box is too small for the particles, or (a `JammedError`) so full that the overlaps
        do not vanish.
    """
    shape = checked_shape(shape)
    size = checked_triple(voxel_size, "voxel size", "give the edge in metres, for example 0.4e-6")
    checked_fraction(solid_fraction, "solid fraction")
    flags = checked_periodic(periodic)
    if not 0.0 < overlap_tolerance <= 0.5:
        raise ValueError(
            f"overlap tolerance {overlap_tolerance!r} is not allowed; give a part of the sum of "
            "the radii, above 0 and up to 0.5, for example 0.01"
        )
    types = (types,) if isinstance(types, ParticleType) else tuple(types)
    if not types:
        raise ValueError("there are no particle types; give at least one ParticleType")
    if flags[0] and any(kind.profile is not None for kind in types):
        raise ValueError(
            "a profile through the thickness needs walls along z; give periodic=(False, True, True)"
        )
    extent = (shape[0] * size[0], shape[1] * size[1], shape[2] * size[2])
    rng = np.random.default_rng(seed)
    drawn = _drawn(types, solid_fraction * math.prod(extent), extent, flags, rng)
    packing, worst = separated(drawn, overlap_tolerance, _MAX_SWEEPS)
    if worst > overlap_tolerance:
        raise JammedError(
            f"particles still overlap by {100 * worst:.1f} % of their width after {_MAX_SWEEPS} "
            f"sweeps (allowed {100 * overlap_tolerance:.1f} %); lower the solid fraction, widen "
            "the size distribution, align flat particles or raise the overlap tolerance"
        )
    return packing


def separated(particles: Particles, tolerance: float, limit: int) -> tuple[Particles, float]:
    """Push overlapping particles apart and turn them out of each other's way.

    Parameters
    ----------
    particles : Particles
    tolerance : float
        Largest overlap allowed, as in `packed_particles`.
    limit : int
        Largest number of sweeps.

    Returns
    -------
    particles : Particles
    worst : float
        The largest overlap that is left.
    """
    box = np.array(particles.extent)
    flags = np.array(particles.periodic)
    rotations = np.array(particles.orientations)
    kinds, _, _, hulls, spans = packed_bodies(particles.bodies)
    shape_of = (kinds, hulls, spans, particles.body, particles.semi_axes, rotations)
    mass, widths = particles.volumes, particles.semi_axes.min(axis=1)
    gyration = np.sqrt(np.sum(particles.semi_axes**2, axis=1) / 5.0)  # of a solid ellipsoid
    bound = _bounding_radii(particles)
    skin = _SKIN * float(np.mean(bound))
    half, moves, turns = (np.zeros((len(particles), 3)) for _ in range(3))
    travel = np.zeros(len(particles))
    centres = anchor = particles.centres
    pairs = np.zeros((0, 2), np.int64)
    _check_room(particles, particles.half_extents)
    walled = not np.all(flags)
    low, high = np.full_like(half, -np.inf), np.full_like(half, np.inf)
    turning = set(particles.forms) != {"sphere"}
    worst = 0.0
    for sweep in range(limit):
        if walled and (sweep == 0 or turning):
            form_kernels.half_extents(*shape_of, half)
            # Particles that turn may for a while be longer than the box is wide.
            low = np.where(flags, -np.inf, np.minimum(half, 0.5 * box))
            high = np.where(flags, np.inf, np.maximum(box - half, 0.5 * box))
        centres = np.clip(centres + moves, low, high)
        if sweep == 0 or np.max(np.sum((centres - anchor) ** 2, axis=1)) > (0.5 * skin) ** 2:
            pairs, shifts = _neighbours(centres, bound, box, flags, skin, not turning)
            anchor = centres
            order = _by_particle(pairs, len(centres))
            directions, arms = np.zeros((len(pairs), 3)), np.zeros((len(pairs), 2, 3))
            overlaps, slack = np.zeros(len(pairs)), np.zeros(len(pairs))
        over_slabs(
            packing_kernels.separate_pairs, even_shares(len(pairs)), pairs, *shape_of, centres,
            shifts, bound, widths, directions, overlaps, arms, slack, travel,
        )  # fmt: skip
        worst = float(np.max(overlaps, initial=0.0))
        if worst <= tolerance:
            break
        packing_kernels.gather_pushes(
            *order, directions, overlaps, arms, widths, mass, gyration, _RELAXATION, moves, turns
        )
        packing_kernels.turn_and_measure(moves, turns, bound, rotations, travel)
    centres = np.where(flags, centres % box, centres)
    found = replace(particles, centres=centres, orientations=rotations)
    if turning:
        _check_room(found, found.half_extents)
    return found, worst


def _check_room(particles: Particles, half: NDArray[np.float64]) -> None:
    if np.any(2.0 * half > np.array(particles.extent) * (1.0 + 1e-9)):
        raise ValueError(
            f"particles up to {2.0 * float(half.max()):.3g} m long do not fit a box of "
            f"{' x '.join(f'{edge:.3g}' for edge in particles.extent)} m; "
            "use a larger image, smaller particles or less strain"
        )


def _drawn(
    types: Sequence[ParticleType],
    volume: float,
    extent: Triple,
    periodic: tuple[bool, bool, bool],
    rng: np.random.Generator,
) -> Particles:
    """Draw the particles of all types, at random places, with exactly this volume together."""
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
    _check_room(particles, half)
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
        values = checked_profile(profile)
        fine = np.linspace(0.0, 1.0, 1025)
        density = np.interp(fine, np.linspace(0.0, 1.0, values.size), values)
        below = np.concatenate([[0.0], np.cumsum(0.5 * (density[1:] + density[:-1]))])
        places[:, 0] = np.interp(places[:, 0], below / below[-1], fine)
    return places


def _bounding_radii(particles: Particles) -> NDArray[np.float64]:
    """Radius of a ball around each centre that holds the particle and its hull."""
    reach = [max([body.reach, *np.linalg.norm(body.hull, axis=1)]) for body in particles.bodies]
    longest: NDArray[np.float64] = particles.semi_axes.max(axis=1)
    return longest * np.array(reach)[particles.body]


def _neighbours(
    centres: NDArray[np.float64],
    bound: NDArray[np.float64],
    box: NDArray[np.float64],
    periodic: NDArray[np.bool_],
    skin: float,
    spheres: bool,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Pairs whose bounding balls are closer than the skin, and the image of the second of each.

    The order is reproducible. Of spheres only the nearest image can overlap first; long particles
    may meet several images of each other, and each is a pair of its own.
    """
    order = np.argsort(-bound, kind="stable")
    sorted_bound = bound[order]
    wrapped = np.where(periodic, centres % box, centres)[order]
    # Cells as large as the reach of a particle of median size.
    cells = np.maximum(1, box / (2.0 * np.median(bound) + skin)).astype(np.int64)
    index = np.minimum((wrapped / box * cells).astype(np.int64), cells - 1)
    cell = (index[:, 0] * cells[1] + index[:, 1]) * cells[2] + index[:, 2]
    members = np.argsort(cell, kind="stable")
    start = np.concatenate([[0], np.cumsum(np.bincount(cell, minlength=int(np.prod(cells))))])
    pairs = np.empty((32 * len(centres), 2), np.int64)
    while True:
        found = packing_kernels.near_pairs(
            wrapped, sorted_bound, box, periodic, skin, cells, start, members, pairs
        )
        if found <= len(pairs):
            break
        pairs = np.empty((found, 2), np.int64)
    pairs = order[pairs[:found]]
    apart = centres[pairs[:, 1]] - centres[pairs[:, 0]]
    shifts = np.where(periodic, -box * np.round(apart / box), 0.0)
    if spheres:
        return pairs, shifts
    more, their = _other_images(centres, bound, np.where(periodic, box, 0.0), skin)
    return np.concatenate([pairs, more]), np.concatenate([shifts, their])


def _other_images(
    centres: NDArray[np.float64], bound: NDArray[np.float64], box: NDArray[np.float64], skin: float
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Pairs that meet at another image than the nearest; box is 0 along axes that do not repeat.

    One of the two then has a radius above a quarter of the box, so there are few of these.
    """
    pairs, shifts = [np.zeros((0, 2), np.int64)], [np.zeros((0, 3))]
    repeated = box[box > 0]
    if repeated.size == 0:
        return pairs[0], shifts[0]
    for i in np.flatnonzero(4.0 * bound > repeated.min() - 2.0 * skin):
        # The other of the pair is smaller, or comes later.
        others = np.flatnonzero(
            (bound < bound[i]) | ((bound == bound[i]) & (np.arange(bound.size) > i))
        )
        apart = centres[others] - centres[i]
        nearest = -np.round(np.divide(apart, box, out=np.zeros_like(apart), where=box > 0))
        for step in itertools.product((-1, 0, 1), repeat=3):
            if not any(step) or any(s and not length for s, length in zip(step, box, strict=True)):
                continue
            shift = (nearest + step) * box
            distance = np.linalg.norm(apart + shift, axis=1)
            near = distance < bound[i] + bound[others] + skin
            pairs.append(np.stack([np.full(near.sum(), i), others[near]], axis=1))
            shifts.append(shift[near])
    return np.concatenate(pairs), np.concatenate(shifts)


def _by_particle(pairs: NDArray[np.int64], n: int) -> tuple[NDArray[Any], ...]:
    """Return the pairs of each particle: where they start, partner, pair and side."""
    mine = np.concatenate([pairs[:, 0], pairs[:, 1]])
    partner = np.concatenate([pairs[:, 1], pairs[:, 0]])
    pair = np.tile(np.arange(len(pairs)), 2)
    side = np.repeat([0, 1], len(pairs))
    order = np.argsort(mine, kind="stable")
    start = np.concatenate([[0], np.cumsum(np.bincount(mine, minlength=n))])
    return start, partner[order], pair[order], side[order]
