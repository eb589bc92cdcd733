"""Calendering: a packing pressed flat, with rearrangement, tilting and flattening of particles."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from .forms import Body, plate_volume
from .packing import separated
from .particles import Particles

__all__ = ["LARGEST_STRAIN", "calendered", "checked_strain"]

LARGEST_STRAIN = 0.6
# The press moves in steps of at most this strain; after each, the particles give way.
_STEP = 0.02
# Sweeps in each step: the press does not wait until the last overlap is gone.
_SWEEPS = 60


def calendered(
    particles: Particles,
    strain: float,
    flattening: float = 0.0,
    overlap_tolerance: float = 0.05,
) -> Particles:
    """Press a packing along z.

    The box is shortened in small steps. In each, the centres follow the box, the particles tilt
    with it like ellipsoids in a viscous matrix (Jeffery, Proc. R. Soc. A 102, 161, 1922), a share
    of the strain flattens them at constant volume, and then they push each other apart for some
    sweeps or until overlaps are within the tolerance. What remains of the overlaps, in a dense
    packing more than the tolerance, stands for the contacts that the pressure makes. The sides of
    the box stay.

    Parameters
    ----------
    particles : Particles
    strain : float
        Loss of thickness over the thickness before, from 0 to 0.6.
    flattening : float
        Share of the strain that particles themselves undergo: 0 for hard particles that only
        rearrange (oxides), 1 for particles that deform with the electrode. Graphite lies between.
    overlap_tolerance : float
        Overlaps up to this are left alone, as in `packed_particles`.

    Returns
    -------
    Particles
        In the thinner box, with the same volumes.

    Raises
    ------
    ValueError
        If strain or flattening are out of range, or particles are longer than the thinner box.
    """
    checked_strain(strain, flattening)
    steps = int(np.ceil(strain / _STEP))
    for i in range(steps):
        stretch = (1.0 - strain * (i + 1) / steps) / (1.0 - strain * i / steps)
        particles, _ = separated(
            _pressed(particles, stretch, flattening), overlap_tolerance, _SWEEPS
        )
    return particles


def checked_strain(strain: float, flattening: float) -> None:
    """Refuse what no press does."""
    # A little more, for a strain that was rounded.
    if not (0.0 <= strain <= LARGEST_STRAIN + 1e-9 and 0.0 <= flattening <= 1.0):
        raise ValueError(
            f"strain {strain!r} with flattening {flattening!r} is not allowed; give a strain from "
            f"0 to {LARGEST_STRAIN} and a flattening from 0 to 1"
        )


def _pressed(particles: Particles, stretch: float, flattening: float) -> Particles:
    """Shorten the box along z by a factor, and tilt and flatten the particles with it."""
    deformed = _flattened(particles, stretch**flattening) if flattening > 0.0 else particles
    # Plates deform along their own axes only, so the whole strain tilts them.
    share = np.where(deformed.forms == "plate", 1.0, 1.0 - flattening)
    nz, ny, nx = particles.extent
    return replace(
        deformed,
        centres=particles.centres * np.array([stretch, 1.0, 1.0]),
        extent=(nz * stretch, ny, nx),
        orientations=_tilted(deformed, share * math.log(stretch)),
    )


def _tilted(particles: Particles, strain: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn particles in a matrix that is strained along z by a small logarithmic strain.

    Jeffery's equation without vorticity: in the frame of the particle the spin is
    w_ij = (a_j^2 - a_i^2) / (a_i^2 + a_j^2) e_ij, with the semi-axes a and the strain e.
    """
    from scipy.spatial.transform import Rotation

    turned = particles.orientations
    along = turned[:, 0, :]  # direction z in the frame of each particle
    square = particles.semi_axes**2
    ratio = (square[:, None, :] - square[:, :, None]) / (square[:, None, :] + square[:, :, None])
    spin = ratio * strain[:, None, None] * along[:, :, None] * along[:, None, :]
    vector = np.stack([spin[:, 2, 1], spin[:, 0, 2], spin[:, 1, 0]], axis=1)
    return turned @ Rotation.from_rotvec(vector).as_matrix()


def _flattened(particles: Particles, stretch: float) -> Particles:
    """Stretch particles along z by a factor, at constant volume.

    Ellipsoids, polyhedra and irregular particles are stretched exactly: the map from the body to
    the particle is split anew into a rotation of the body, a stretch and a turn (a singular value
    decomposition). Plates stay plates: their axes are stretched as far as they lie along z.
    """
    change = np.array([stretch, stretch**-0.5, stretch**-0.5])
    maps = change[:, None] * particles.orientations * particles.semi_axes[:, None, :]
    turn, size, back = np.linalg.svd(maps)
    turn, size, back = _matched(turn, size, back, particles.semi_axes)
    bodies = list(particles.bodies)
    body = particles.body.copy()
    forms = particles.forms
    if "sphere" in forms:
        body[forms == "sphere"] = len(bodies)
        bodies.append(Body("ellipsoid"))
    for i in np.flatnonzero((forms == "polyhedron") | (forms == "irregular")):
        body[i] = len(bodies)
        bodies.append(particles.bodies[particles.body[i]].turned(back[i]))
    plates = forms == "plate"
    if plates.any():
        lengths = np.linalg.norm(maps[plates], axis=1)
        radius = np.sqrt(lengths[:, 1] * lengths[:, 2])
        half = np.minimum(lengths[:, 0], 0.99 * radius)  # a disc stays flat
        same = (particles.volumes[plates] / plate_volume(half, radius)) ** (1.0 / 3.0)
        size[plates] = (same * np.stack([half, radius, radius])).T
        turn[plates] = particles.orientations[plates]
    kept, body = np.unique(body, return_inverse=True)
    return replace(
        particles,
        semi_axes=size,
        orientations=turn,
        body=body,
        bodies=tuple(bodies[k] for k in kept),
    )


def _matched(
    turn: NDArray[np.float64],
    size: NDArray[np.float64],
    back: NDArray[np.float64],
    before: NDArray[np.float64],
) -> tuple[NDArray[np.float64], ...]:
    """Put the axis of each particle first, and make both rotations proper.

    The axis is the direction that was first before; of a sphere, that along which it is shortest.
    """
    first = np.argmax(np.abs(back[:, :, 0]), axis=1)
    first[np.ptp(before, axis=1) <= 1e-9 * before[:, 0]] = 2  # singular values descend
    order = (first[:, None] + np.arange(3)) % 3
    turn = np.take_along_axis(turn, order[:, None, :], axis=2)
    size = np.take_along_axis(size, order, axis=1)
    back = np.take_along_axis(back, order[:, :, None], axis=1)
    # A reflection on both sides leaves the map as it is.
    mirrored = np.linalg.det(turn) < 0
    turn[mirrored, :, 2] *= -1.0
    back[mirrored, 2, :] *= -1.0
    return turn, size, back
