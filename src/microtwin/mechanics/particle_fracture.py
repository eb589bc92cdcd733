"""Cracks in particles: how large a flaw, or a particle, may be before it breaks.

A crack grows if the elastic energy that it sets free pays for its surfaces (A. A. Griffith, Phil.
Trans. R. Soc. A 221 (1921) 163). For a small flaw of size a in a stress that gives
K = Y sigma sqrt(pi a) >= K_Ic (G. R. Irwin, J. Appl. Mech. 24 (1957) 361); for a particle it gives
a size below which even all of its energy does not pay for breaking it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .averaging import Window, averaged_stress
from .field_checks import checked_edges, checked_stress, positive
from .invariants import energy_density, maximum_principal
from .stiffness import Solid

__all__ = [
    "PENNY",
    "ParticleFracture",
    "critical_flaw",
    "critical_size",
    "flaw_index",
    "fracture_energy",
    "particle_cracking",
]

PENNY = 2.0 / np.pi
"""Geometry factor of a round crack within a solid, of radius a (I. N. Sneddon 1946)."""

Vector = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ParticleFracture:
    """How near each particle is to cracking; arrays have one row for each number from 1.

    Particles without a voxel have volume 0, and NaN elsewhere.

    Parameters
    ----------
    volume : ndarray, shape (n,)
        In m^3.
    diameter : ndarray, shape (n,)
        Of the sphere of the same volume, in m.
    energy_density : ndarray, shape (n,)
        Mean elastic energy, in J/m^3.
    maximum_principal : ndarray, shape (n,)
        Largest in the particle of the stress averaged over a length, in Pa.
    critical_flaw : ndarray, shape (n,)
        Smallest flaw that grows in that stress, in m; infinite where nothing is pulled.
    flaw_index : ndarray, shape (n,)
        Stress over that which makes the assumed flaw grow.
    energy_index : ndarray, shape (n,)
        Square root of the diameter over the critical one: below 1 the particle cannot break in
        two, whatever its flaws; above 1 it may.
    """

    volume: Vector
    diameter: Vector
    energy_density: Vector
    maximum_principal: Vector
    critical_flaw: Vector
    flaw_index: Vector
    energy_index: Vector


def fracture_energy(toughness: float, solid: Solid) -> float:
    """Return the energy that a crack costs per area, both surfaces together, in J/m^2.

    Parameters
    ----------
    toughness : float
        K_Ic, in Pa m^0.5.
    solid : Solid
        Voigt's averages of its moduli count.

    Returns
    -------
    float
        K_Ic^2 (1 - nu^2) / E, Irwin's relation in plane strain; twice the surface energy of an
        ideally brittle solid.

    Raises
    ------
    ValueError
        If the toughness is not positive.

    Examples
    --------
    >>> from microtwin.mechanics import isotropic
    >>> round(fracture_energy(1e6, isotropic(150e9, 0.25)), 3)
    6.25
    """
    k, g = solid.bulk_modulus, solid.shear_modulus
    young = 9.0 * k * g / (3.0 * k + g)
    poisson = (3.0 * k - 2.0 * g) / (2.0 * (3.0 * k + g))
    return positive("toughness", toughness, "Pa m^0.5") ** 2 * (1.0 - poisson**2) / young


def critical_flaw(stress: ArrayLike, toughness: float, *, geometry: float = PENNY) -> NDArray[Any]:
    """Return the smallest flaw that grows: (K_Ic / (Y sigma))^2 / pi, in m.

    Parameters
    ----------
    stress : array, any shape
        Pull across the flaw, as the largest principal stress, in Pa.
    toughness : float
        K_Ic, in Pa m^0.5.
    geometry : float
        Y: 2 / pi for a round crack of radius a, 1 for a through crack of half-length a, 1.12 for a
        crack of depth a at a surface.

    Returns
    -------
    ndarray, same shape
        Infinite where nothing is pulled.

    Raises
    ------
    ValueError
        If toughness or geometry is not positive.
    """
    pull = np.maximum(np.asarray(stress, float), 0.0)
    positive("geometry", geometry, "no unit")
    limit = positive("toughness", toughness, "Pa m^0.5") / geometry
    with np.errstate(divide="ignore"):
        return np.asarray((limit / pull) ** 2 / np.pi)


def flaw_index(
    stress: ArrayLike, flaw: ArrayLike, toughness: float, *, geometry: float = PENNY
) -> NDArray[Any]:
    """Return Y sigma sqrt(pi a) / K_Ic: above 1 a flaw of size a grows.

    Parameters
    ----------
    stress : array, any shape
        Pull across the flaw, in Pa.
    flaw : float or array of that shape
        Its size a, in m.
    toughness, geometry
        As in `critical_flaw`.

    Returns
    -------
    ndarray, same shape
        Negative under pressure, which closes cracks.

    Raises
    ------
    ValueError
        If toughness or geometry is not positive, or a flaw is negative.
    """
    size = np.asarray(flaw, float)
    if not (size >= 0.0).all():
        raise ValueError(f"flaw {flaw!r} is not allowed; give sizes from 0 up, in m")
    limit = positive("toughness", toughness, "Pa m^0.5") / positive("geometry", geometry, "no unit")
    return np.asarray(np.asarray(stress, float) * np.sqrt(np.pi * size) / limit)


def critical_size(
    energy_density: ArrayLike, fracture_energy: float, *, factor: float = 1.5
) -> NDArray[Any]:
    """Return the size of a particle below which its energy does not pay for a crack, in m.

    Parameters
    ----------
    energy_density : array, any shape
        Mean elastic energy w of the particle, in J/m^3.
    fracture_energy : float
        Gamma, both surfaces together, in J/m^2.
    factor : float
        Size times w over Gamma at which it cracks.

    Returns
    -------
    ndarray, same shape
        factor Gamma / w; infinite without energy.

    Raises
    ------
    ValueError
        If fracture energy or factor is not positive.

    Notes
    -----
    A sphere of diameter d has the energy w pi d^3 / 6, and a crack that halves it costs
    Gamma pi d^2 / 4. All of the energy pays for it at d = 3 Gamma / (2 w), the default: a bound,
    below which no flaw breaks the particle. Energy release rates computed for particles with cracks
    have the form G = Z E e^2 d for a mismatch strain e, so cracks are averted below
    d = Gamma / (Z E e^2) (Y. Hu, X. Zhao, Z. Suo, J. Mater. Res. 25 (2010) 1007; K. Zhao, M.
    Pharr, J. J. Vlassak, Z. Suo, J. Appl. Phys. 108 (2010) 073517). With w = E e^2 / 2 that is
    the factor 1 / (2 Z).

    Examples
    --------
    >>> float(1e6 * critical_size(1e6, 6.0).round(9))
    9.0
    """
    w = np.asarray(energy_density, float)
    gamma = positive("fracture energy", fracture_energy, "J/m^2")
    with np.errstate(divide="ignore"):
        return np.asarray(positive("factor", factor, "no unit") * gamma / np.maximum(w, 0.0))


def particle_cracking(
    particles: NDArray[np.integer],
    stress: ArrayLike,
    solid: Solid,
    voxel_size: float | tuple[float, float, float],
    *,
    toughness: float,
    flaw: float,
    length: float,
    geometry: float = PENNY,
    window: Window = "ball",
    periodic: bool = False,
) -> ParticleFracture:
    """Compare stress and energy of each particle with what cracks it.

    Parameters
    ----------
    particles : ndarray of int, shape (nz, ny, nx)
        Number of the particle of each voxel, from 1; 0 elsewhere.
    stress : array, shape (6, nz, ny, nx)
        In Pa.
    solid : Solid
        Of the particles.
    voxel_size : float or 3 floats
        In m.
    toughness : float
        K_Ic, in Pa m^0.5.
    flaw : float
        Size of flaws that are there, in m; in small particles no more than the radius.
    length : float
        In m: stress is averaged over it, within all particles together.
    geometry
        As in `critical_flaw`.
    window, periodic
        As in `averaged_stress`.

    Returns
    -------
    ParticleFracture

    Raises
    ------
    ValueError
        If an argument is not allowed, there is no particle, or shapes do not fit.
    """
    numbers, s = np.asarray(particles), checked_stress(stress, ndim=4)
    if numbers.shape != s.shape[1:] or numbers.dtype.kind not in "iu":
        raise ValueError(
            f"particles of shape {numbers.shape} and type {numbers.dtype} do not fit a stress of "
            f"shape {s.shape}; give one whole number for each voxel"
        )
    if not numbers.size or numbers.min() < 0 or not numbers.any():
        raise ValueError(
            "the particles hold negative numbers or no particle at all; number them from 1"
        )
    positive("flaw", flaw, "m")
    edges = checked_edges(voxel_size)
    here = numbers > 0
    row = numbers[here].astype(np.int64) - 1
    count = int(row.max()) + 1
    voxels = np.bincount(row, minlength=count)
    averaged = averaged_stress(s, here, length, voxel_size, window=window, periodic=periodic)
    peak = np.full(count, -np.inf)
    np.maximum.at(peak, row, maximum_principal(averaged[:, here]))
    del averaged
    peak[voxels == 0] = np.nan
    with np.errstate(invalid="ignore"):
        energies = np.bincount(row, energy_density(s[:, here], solid), count)
        density = np.asarray(energies / voxels, np.float64)
    volume = np.asarray(voxels * float(edges.prod()), np.float64)
    diameter = np.asarray(np.where(voxels > 0, np.cbrt(6.0 / np.pi * volume), np.nan), np.float64)
    size = critical_size(density, fracture_energy(toughness, solid))
    assumed = np.minimum(flaw, 0.5 * np.nan_to_num(diameter))
    return ParticleFracture(
        volume,
        diameter,
        density,
        peak,
        critical_flaw(peak, toughness, geometry=geometry),
        flaw_index(peak, assumed, toughness, geometry=geometry),
        np.sqrt(diameter / size),
    )
