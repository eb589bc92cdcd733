"""Where the binder goes: from a film on the particles to bridges between them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .particle_types import profile_at
from .particles import Particles, surface_distances
from .random_fields import gaussian_random_field

__all__ = ["binder_mask"]

# Roughness of the binder: standard deviation and smoothness relative to the mean diameter.
_ROUGHNESS = 0.03
_GRAIN = 0.10
# Without any weight of the nearest surface, binder would float where none is near.
_MOST_OF_SECOND = 0.9
# Surfaces farther away than this, relative to the mean diameter, attract no binder.
_REACH = 0.5


def binder_mask(
    particles: Particles,
    free: NDArray[np.bool_],
    count: int,
    morphology: float = 0.5,
    profile: Sequence[float] | None = None,
    seed: int = 0,
) -> NDArray[np.bool_]:
    """Choose the voxels that the binder takes.

    They have the smallest scores (1 - w) d1 + w d2 + g, with the distances d1 and d2 to the
    nearest and second nearest surface and a smooth random field g that roughens the surface of
    the binder.

    Parameters
    ----------
    particles : Particles
        The particles of the image.
    free : ndarray of bool, shape (nz, ny, nx)
        Voxels outside all particles.
    count : int
        Number of voxels to take, at most the number of free ones.
    morphology : float
        The weight w, at most 0.9 of which counts: 0 makes a film of even thickness on all
        particles, 1 gathers the binder in the necks between two particles.
    profile : sequence of float, optional
        Relative amount per height from z = 0 to z = L, on top of what the particles at that
        height would attract.
    seed : int
        For the roughness.

    Returns
    -------
    ndarray of bool, shape (nz, ny, nx)

    Raises
    ------
    ValueError
        If the morphology is not from 0 to 1, or the profile asks for more binder than fits.
    """
    if not 0.0 <= morphology <= 1.0:
        raise ValueError(
            f"binder morphology {morphology!r} is not allowed; give 0 (film on the particles) to "
            "1 (bridges between them)"
        )
    shape = free.shape
    mean = float(np.mean(particles.diameters))
    score, second, _ = surface_distances(particles, shape, reach=_REACH * mean)
    weight = min(morphology, _MOST_OF_SECOND)
    score *= np.float32(1.0 - weight)
    second *= np.float32(weight)
    score += second
    voxel = np.array(particles.extent) / shape
    # Periodic even between walls, where nothing asks whether the roughness repeats itself. The seed
    # is a stream of its own: the same integer would reuse the numbers of the packing.
    rough = gaussian_random_field(shape, tuple(_GRAIN * mean / voxel), seed + 2**32)
    score += np.float32(_ROUGHNESS * mean) * rough
    score[~free] = np.inf
    chosen = _lowest(score.ravel(), count).reshape(shape)
    if profile is None:
        return chosen
    quotas = _quotas(chosen.sum(axis=(1, 2)), free.sum(axis=(1, 2)), profile)
    return np.stack(
        [_lowest(s.ravel(), n).reshape(s.shape) for s, n in zip(score, quotas, strict=True)]
    )


def _lowest(score: NDArray[np.float32], count: int) -> NDArray[np.bool_]:
    chosen = np.zeros(score.size, bool)
    if count > 0:
        chosen[np.argpartition(score, count - 1)[:count]] = True
    return chosen


def _quotas(
    natural: NDArray[np.int64], room: NDArray[np.int64], profile: Sequence[float]
) -> NDArray[np.int64]:
    """Share out the voxels among the layers: what each would get, times the profile."""
    wanted = natural * profile_at(profile, (np.arange(natural.size) + 0.5) / natural.size)
    wanted *= natural.sum() / max(wanted.sum(), 1.0)
    if np.any(wanted > room):
        raise ValueError(
            f"the binder profile {tuple(profile)} asks for more binder than there is room for in "
            "some layers; make it flatter or lower the binder fraction"
        )
    # Rounding the running sum keeps the total.
    return np.diff(np.rint(np.concatenate([[0.0], np.cumsum(wanted)]))).astype(np.int64)
