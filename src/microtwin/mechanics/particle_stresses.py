"""Stress in a single particle whose lithium is spread unevenly along its radius.

Lithium swells a solid as heat does: the strain without stress is e = Omega (c - c_ref) / 3 in each
direction, with the partial molar volume Omega. So these are the formulas of thermal stress, with
Omega c / 3 in the place of alpha T (Timoshenko & Goodier, Theory of Elasticity, 3rd edition 1970,
chapter 13; for particles Christensen & Newman, J. Solid State Electrochem. 10 (2006) 293, and
Cheng & Verbrugge, J. Power Sources 190 (2009) 453). Strains are small, the solid is isotropic, and
its moduli do not depend on the lithium.

Stress is positive where it pulls, concentrations in mol/m^3, lengths in m, stress in Pa.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .elastic_particles import MEASURES, ElasticParticle, checked_radii

__all__ = ["ParticleStress", "particle_stress", "stress_with_means"]

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ParticleStress:
    """Stress along the radius of a particle.

    Parameters
    ----------
    radii : ndarray, shape (n,)
        In m, from the centre to the surface.
    radial, tangential, axial : ndarray, shape (..., n)
        Principal stresses in Pa. In a sphere the last two are the same; in a plate the radius is
        the way through it, and both are within its plane.
    displacement : ndarray, shape (..., n)
        Along the radius, in m.
    energy_density : ndarray, shape (..., n)
        Elastic energy, in J/m^3.
    energy : ndarray, shape (...)
        Of the whole particle, in J; of 1 m of a cylinder, of 1 m^2 of a plate.
    """

    radii: Values
    radial: Values = field(repr=False)
    tangential: Values = field(repr=False)
    axial: Values = field(repr=False)
    displacement: Values = field(repr=False)
    energy_density: Values = field(repr=False)
    energy: Values

    @property
    def hydrostatic(self) -> Values:
        """Mean of the three stresses, in Pa."""
        return (self.radial + self.tangential + self.axial) / 3.0

    @property
    def von_mises(self) -> Values:
        """Equivalent stress, in Pa."""
        r, t, z = self.radial, self.tangential, self.axial
        return np.asarray(np.sqrt(0.5 * ((r - t) ** 2 + (t - z) ** 2 + (z - r) ** 2)))

    @property
    def peak_tension(self) -> Values:
        """Largest principal stress anywhere in the particle, in Pa, shape (...)."""
        return np.asarray(
            np.max([part.max(axis=-1) for part in (self.radial, self.tangential, self.axial)], 0)
        )


def particle_stress(
    particle: ElasticParticle, radii: ArrayLike, concentration: ArrayLike
) -> ParticleStress:
    """Return the stress of a concentration that is known at some radii.

    Parameters
    ----------
    particle : ElasticParticle
    radii : array_like, shape (n,)
        In m, ascending, the first 0 and the last the radius of the particle.
    concentration : array_like, shape (..., n)
        At the radii, in mol/m^3, with straight lines between them. Means and the total energy are
        those of the straight lines, exactly.

    Returns
    -------
    ParticleStress

    Raises
    ------
    ValueError
        If the radii are not allowed, or a concentration is negative.

    Notes
    -----
    With the mean c_m(r) within a radius, the mean c_m(R) of all, d the dimension (3, 2, 1) and
    k = E Omega / (3 (1 - nu)):

        radial = k (d - 1) / d (c_m(R) - c_m(r)),   hydrostatic = 2 k / 3 (c_m(R) - c(r)),

    the latter for all three shapes. What ends and surface bear comes on top, the same everywhere.
    The energy of the uneven part is E Omega^2 / (9 (1 - nu)) times the integral of
    (c - c_m(R))^2: half of what the stress does on the strain without stress.

    Examples
    --------
    >>> import numpy as np
    >>> from microtwin.mechanics import ElasticParticle
    >>> ball = ElasticParticle(5e-6, 100e9, 0.25, 1e-6)
    >>> r = np.linspace(0.0, 5e-6, 201)
    >>> found = particle_stress(ball, r, 10_000.0 + 3000.0 * (r / 5e-6) ** 2)
    >>> found.radial[0].round(-4) / 1e6, found.tangential[-1].round(-4) / 1e6
    (np.float64(53.33), np.float64(-53.33))
    """
    r, c = _checked_profile(particle, radii, concentration)
    return stress_with_means(particle, r, c, _inner_means(particle, r, c))


def _inner_means(particle: ElasticParticle, radii: Values, concentration: Values) -> Values:
    """Return the mean within each radius of straight lines, shape as the concentration."""
    d = particle.dimension
    content = np.cumsum(_over_intervals(radii, concentration, d, 1), axis=-1)
    out = concentration.copy()  # at the centre the mean is the value
    out[..., 1:] = content * d / radii[1:] ** d
    return out


def _over_intervals(radii: Values, values: Values, dimension: int, power: int) -> Values:
    """Return the integral of a power of straight lines times r^(d - 1) between the radii."""
    # Three points are exact up to the fifth power, and for squares the most is the fourth.
    nodes, weights = np.polynomial.legendre.leggauss(3)
    low, high = radii[:-1], radii[1:]
    total = np.zeros((*values.shape[:-1], len(low)))
    for node, weight in zip(0.5 * (1.0 + nodes), 0.5 * weights, strict=True):
        there = values[..., :-1] + node * (values[..., 1:] - values[..., :-1])
        place = low + node * (high - low)
        total += weight * (high - low) * place ** (dimension - 1) * there**power
    return total


def stress_with_means(
    particle: ElasticParticle, radii: Values, concentration: Values, means: Values
) -> ParticleStress:
    """Return the stress from a concentration and its means within each radius.

    Parameters
    ----------
    particle : ElasticParticle
    radii : ndarray, shape (n,)
    concentration, means : ndarray, shape (..., n)
        The last mean is that of the whole particle. The total energy is that of straight lines.

    Returns
    -------
    ParticleStress
    """
    young, poisson, d = particle.young, particle.poisson, particle.dimension
    swell = particle.partial_molar_volume / 3.0
    whole = means[..., -1:]
    even = particle.even_stress(whole)
    r, t, z = _stresses(particle, concentration, means, whole, even)
    if particle.shape == "plate":
        # Across a plate strains add up, and they are straight in the concentration.
        _, t_mean, z_mean = _stresses(particle, means, means, whole, even)
        strain = (r - poisson * (t_mean + z_mean)) / young
        strain = strain + swell * (means - particle.reference_concentration)
    else:
        strain = (t - poisson * (r + z)) / young
        strain = strain + swell * (concentration - particle.reference_concentration)
    uneven = _over_intervals(radii, concentration - whole, d, 2).sum(axis=-1)
    energy = 0.5 * particle.coupling * MEASURES[particle.shape] * uneven
    energy = energy + particle.volume * _energy_density(particle, *even)[..., 0]
    return ParticleStress(
        radii, r, t, z, strain * radii, _energy_density(particle, r, t, z), np.asarray(energy)
    )


def _stresses(
    particle: ElasticParticle,
    c: Values,
    inner: Values,
    whole: Values,
    even: tuple[Values, Values, Values],
) -> tuple[Values, Values, Values]:
    d, k = particle.dimension, particle.stiffness
    radial = k * (d - 1) / d * (whole - inner)
    axial = k * (whole - c)
    tangential = axial if d == 1 else k * (((d - 1) * whole + inner) / d - c)
    if d == 3:
        axial = tangential
    return radial + even[0], tangential + even[1], axial + even[2]


def _energy_density(particle: ElasticParticle, r: Values, t: Values, z: Values) -> Values:
    squares = r**2 + t**2 + z**2
    return np.asarray((0.5 * squares - particle.poisson * (r * t + t * z + z * r)) / particle.young)


def _checked_profile(
    particle: ElasticParticle, radii: ArrayLike, concentration: ArrayLike
) -> tuple[Values, Values]:
    """Return radii and concentrations as arrays, or raise a `ValueError`."""
    r, c = checked_radii(particle, radii), np.asarray(concentration, float)
    if c.ndim < 1 or c.shape[-1] != len(r):
        raise ValueError(
            f"concentrations of shape {c.shape} are not allowed; give one for each of the "
            f"{len(r)} radii along the last axis"
        )
    if not (np.isfinite(c) & (c >= 0.0)).all():
        raise ValueError(
            f"concentrations down to {float(np.min(c)):.4g} mol/m^3 are not allowed; give finite "
            "ones, none negative"
        )
    return r, c
