"""Random packings: particles of given sizes, forms and orientations that only touch."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..numerics.threads import even_shares, over_slabs
from . import form_kernels, packing_kernels
from .checks import checked_fraction, checked_periodic, checked_shape, checked_triple
from .drawing import drawn_particles
from .forms import packed_bodies
from .particle_types import ParticleType
from .particles import Particles

__all__ = ["JammedError", "packed_particles", "separated"]

_MAX_SWEEPS = 2000
# Part of half an overlap that one sweep takes from each of two equal particles. Particles have
# several contacts that pull at the same time, so the full correction would overshoot.
_RELAXATION = 0.4
# Particles closer than this part of their mean radius are watched for overlaps.
_SKIN = 0.5


class JammedError(ValueError):
    """Particles that cannot be packed as densely as asked for."""


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
    drawn = drawn_particles(types, solid_fraction * math.prod(extent), extent, flags, rng)
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
