"""Particles whose concentration and stress are known in closed form."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import j0, j1, jn_zeros, spherical_jn

from ..checking import is_number
from .elastic_particles import ElasticParticle, checked_radii
from .particle_stresses import ParticleStress, stress_with_means

__all__ = [
    "coupled_quasi_steady_concentration",
    "potentiostatic_concentration",
    "potentiostatic_stress",
    "quasi_steady_stress",
]

Values = NDArray[np.float64]

MOST_TERMS = 1000
# Terms at a time t fall as exp(-(n pi)^2 D t / R^2); this many suffice for 16 digits.
TERMS = 2.1


def quasi_steady_stress(
    particle: ElasticParticle, radii: ArrayLike, difference: float, mean: float = 0.0
) -> ParticleStress:
    """Return the stress under a constant flux, once the profile keeps its shape.

    Parameters
    ----------
    particle : ElasticParticle
    radii : array_like, shape (n,)
        From 0 to the radius of the particle, in m.
    difference : float
        dc = c(surface) - c(centre), in mol/m^3: j R / (2 D) for a flux j into the particle, in
        mol/(m^2 s). Positive while lithium enters, negative while it leaves.
    mean : float
        Of the whole particle; without held ends stress does not depend on it.

    Returns
    -------
    ParticleStress

    Raises
    ------
    ValueError
        If a number is not allowed.

    Notes
    -----
    After some 0.2 R^2 / D the concentration rises everywhere alike, so the flux grows as the
    radius, and c(r) = c(centre) + dc (r / R)^2 in a sphere, a cylinder and a plate. For a sphere
    that is swollen by what enters,

        radial stress in the centre      = +2 E Omega dc / (15 (1 - nu)),
        tangential stress at the surface = -2 E Omega dc / (15 (1 - nu)):

    with insertion the centre is pulled and the surface pressed, with extraction the reverse
    (Cheng & Verbrugge, J. Power Sources 190 (2009) 453).

    Examples
    --------
    >>> from microtwin.mechanics import ElasticParticle
    >>> ball = ElasticParticle(5e-6, 100e9, 0.25, 1e-6)
    >>> found = quasi_steady_stress(ball, [0.0, 5e-6], 3000.0)
    >>> found.radial.round(-4) / 1e6, found.tangential.round(-4) / 1e6
    (array([53.33,  0.  ]), array([ 53.33, -53.33]))
    """
    r = checked_radii(particle, radii)
    if not (is_number(difference) and is_number(mean)):
        raise ValueError("the difference and the mean must be finite numbers, in mol/m^3")
    d, square = particle.dimension, (r / particle.radius) ** 2
    share = d / (d + 2.0)
    return stress_with_means(
        particle,
        r,
        mean + difference * (square - share),
        mean + difference * share * (square - 1.0),
    )


def coupled_quasi_steady_concentration(
    particle: ElasticParticle,
    radii: ArrayLike,
    centre: float,
    flux: float,
    diffusivity: float,
    theta: float,
) -> Values:
    """Return the profile with which the flux D (1 + theta c) dc/dr grows as the radius.

    Parameters
    ----------
    particle : ElasticParticle
    radii : array_like, shape (n,)
        From 0 to the radius of the particle, in m.
    centre : float
        Concentration there, in mol/m^3.
    flux : float
        Into the particle through its surface, in mol/(m^2 s); negative if lithium leaves.
    diffusivity : float
        D, in m^2/s.
    theta : float
        In m^3/mol, see `stress_coupling`.

    Returns
    -------
    ndarray, shape (n,)
        In mol/m^3.

    Raises
    ------
    ValueError
        If a number is not allowed, or the profile would fall below 0.

    Notes
    -----
    The integral of (1 + theta c) c' = j r / (D R) is c + theta c^2 / 2 = const + j r^2 / (2 D R).
    With this profile the concentration rises everywhere alike for a moment; as c rises 1 + theta c
    does too, so it holds for long only in the limit of a small flux.

    Examples
    --------
    >>> from microtwin.mechanics import ElasticParticle
    >>> ball = ElasticParticle(5e-6, 10e9, 0.3, 3.497e-6)
    >>> c = coupled_quasi_steady_concentration(ball, [0, 5e-6], 1e4, 1e-5, 7e-15, 1.5e-5)
    >>> c.round(1)
    array([10000. , 13045.1])
    """
    r = checked_radii(particle, radii)
    if not (is_number(centre) and centre >= 0.0 and is_number(flux) and is_number(theta)):
        raise ValueError("centre, flux and theta must be finite numbers, the first not negative")
    _positive_diffusivity(diffusivity)
    rise = flux * r**2 / (2.0 * diffusivity * particle.radius)
    slope = 1.0 + theta * centre
    with np.errstate(invalid="ignore"):
        c = centre + 2.0 * rise / (slope + np.sqrt(slope**2 + 2.0 * theta * rise))
    if not (c >= 0.0).all():
        raise ValueError(
            f"flux {flux:.4g} mol/(m^2 s) would take more lithium from the surface than is there; "
            "give a smaller one, or a higher concentration in the centre"
        )
    return np.asarray(c)


def potentiostatic_concentration(
    particle: ElasticParticle,
    radii: ArrayLike,
    times: ArrayLike,
    diffusivity: float,
    initial: float,
    surface: float,
) -> Values:
    """Return the profiles after the surface has been brought to another concentration.

    Parameters
    ----------
    particle : ElasticParticle
        Its stress does not act on the diffusion here.
    radii : array_like, shape (n,)
        From 0 to the radius of the particle, in m.
    times : array_like, shape (m,)
        In s; 0, or late enough for the series, which is 5e-6 R^2 / D.
    diffusivity : float
        In m^2/s.
    initial, surface : float
        Concentrations before, everywhere, and at the surface from then on, in mol/m^3.

    Returns
    -------
    ndarray, shape (m, n)
        In mol/m^3.

    Raises
    ------
    ValueError
        If a number is not allowed.

    Notes
    -----
    Crank, The Mathematics of Diffusion, 2nd edition 1975, equations 4.17, 5.22 and 6.18. For a
    sphere (c - initial) / (surface - initial) = 1 + 2 sum (-1)^n sin(n pi x) / (n pi x)
    exp(-n^2 pi^2 D t / R^2) with x = r / R.

    Examples
    --------
    >>> from microtwin.mechanics import ElasticParticle
    >>> ball = ElasticParticle(5e-6, 100e9, 0.25, 1e-6)
    >>> c = potentiostatic_concentration(ball, [0, 5e-6], [0.0, 250.0], 1e-14, 0.0, 1e4)
    >>> c.round()
    array([[    0., 10000.],
           [ 2929., 10000.]])
    """
    r = checked_radii(particle, radii)
    return _potentiostatic(particle, r, times, diffusivity, initial, surface)[0]


def potentiostatic_stress(
    particle: ElasticParticle,
    radii: ArrayLike,
    times: ArrayLike,
    diffusivity: float,
    initial: float,
    surface: float,
) -> ParticleStress:
    """Return the stress after the surface has been brought to another concentration.

    Parameters
    ----------
    particle, radii, times, diffusivity, initial, surface
        As in `potentiostatic_concentration`.

    Returns
    -------
    ParticleStress
        Its arrays have the shape (m, n).

    Raises
    ------
    ValueError
        If a number is not allowed.

    Notes
    -----
    For a sphere and a rise dC = surface - initial, the radial stress in the centre is largest, and
    a pull, at D t / R^2 = 0.0574: 0.1285 E Omega dC / (1 - nu). The surface is pressed most at the
    start, by E Omega dC / (3 (1 - nu)). For a fall both change sign (Cheng & Verbrugge, J. Power
    Sources 190 (2009) 453).

    Examples
    --------
    >>> from microtwin.mechanics import ElasticParticle
    >>> ball = ElasticParticle(5e-6, 100e9, 0.25, 1e-6)
    >>> found = potentiostatic_stress(ball, [0, 5e-6], [143.5], 1e-14, 0.0, 1e4)
    >>> float(round(found.radial[0, 0] / (100e9 * 1e-6 * 1e4 / 0.75), 4))
    0.1285
    """
    r = checked_radii(particle, radii)
    c, means = _potentiostatic(particle, r, times, diffusivity, initial, surface)
    return stress_with_means(particle, r, c, means)


def _potentiostatic(
    particle: ElasticParticle,
    radii: Values,
    times: ArrayLike,
    diffusivity: float,
    initial: float,
    surface: float,
) -> tuple[Values, Values]:
    """Return the concentration and its means within each radius, shape (m, n)."""
    _positive_diffusivity(diffusivity)
    for name, value in (("initial", initial), ("surface", surface)):
        if not (is_number(value) and value >= 0.0):
            raise ValueError(f"{name} {value!r} is not allowed; give 0 or more, in mol/m^3")
    unit = particle.radius**2 / diffusivity
    tau = np.atleast_1d(np.asarray(times, float)) / unit
    earliest = (TERMS / MOST_TERMS) ** 2
    if tau.ndim != 1 or not (np.isfinite(tau) & ((tau == 0.0) | (tau >= earliest))).all():
        raise ValueError(
            f"times {times!r} are not allowed; give 0, or numbers from "
            f"{earliest * unit:.3g} s on, before which the series has too many terms"
        )
    x = radii / particle.radius
    left = np.ones((len(tau), len(x)))  # of the difference, at each place
    left_within = np.ones_like(left)
    left[:, -1] = 0.0
    for k in np.flatnonzero(tau):
        roots, parts, here, within = _series(particle.shape, tau[k], x)
        decayed = parts * np.exp(-(roots**2) * tau[k])
        left[k, :-1] = decayed @ here[:, :-1]
        left_within[k] = decayed @ within
    rise = surface - initial
    return surface - rise * left, surface - rise * left_within


def _series(shape: str, tau: float, x: Values) -> tuple[Values, Values, Values, Values]:
    """Return roots and parts of each term, its values at x and its means within x."""
    n: Values = np.arange(1.0, int(np.ceil(TERMS / np.sqrt(tau))) + 2)
    sign = np.where(n % 2.0 == 1.0, 1.0, -1.0)
    if shape == "sphere":
        roots, parts = n * np.pi, 2.0 * sign
        y = roots[:, None] * x
        return roots, parts, spherical_jn(0, y), _over(3.0 * spherical_jn(1, y), y)
    if shape == "cylinder":
        roots = jn_zeros(0, len(n))
        y = roots[:, None] * x
        return roots, 2.0 / (roots * j1(roots)), j0(y), _over(2.0 * j1(y), y)
    roots = (n - 0.5) * np.pi
    y = roots[:, None] * x
    return roots, 2.0 * sign / roots, np.cos(y), _over(np.sin(y), y)


def _over(values: Values, y: Values) -> Values:
    """Return values / y, which is 1 in the centre."""
    return np.divide(values, y, out=np.ones_like(y), where=y != 0.0)


def _positive_diffusivity(diffusivity: float) -> None:
    if not (is_number(diffusivity) and diffusivity > 0.0):
        raise ValueError(f"diffusivity {diffusivity!r} is not allowed; give m^2/s above 0")
