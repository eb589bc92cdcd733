"""Closed forms for random media, the yardsticks of surface and correlation measurements.

Boolean model: spheres of equal radius at the points of a Poisson process, overlapping freely
(Chiu, Stoyan, Kendall & Mecke, Stochastic Geometry and its Applications, 2013, chapter 3).
Gaussian model: white noise filtered with exp(-r^2 / (2 l^2)), whose correlation function is
exp(-r^2 / (4 l^2)), cut at a threshold (Berk, Phys. Rev. A 44, 5069, 1991; Teubner, Europhys.
Lett. 14, 403, 1991).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "boolean_specific_surface",
    "boolean_two_point",
    "gaussian_euler_density",
    "gaussian_mean_curvature",
    "gaussian_specific_surface",
    "gaussian_two_point",
]


def boolean_specific_surface(radius: float, porosity: float) -> float:
    """Return the interface area per volume of a Boolean model of spheres.

    s = lambda S eps with lambda = -ln(eps) / V, hence s = -3 eps ln(eps) / R.

    Parameters
    ----------
    radius : float
        Sphere radius, any unit of length.
    porosity : float
        Volume fraction eps outside the spheres.

    Returns
    -------
    float
        In one over the unit of the radius.
    """
    return -3.0 * porosity * math.log(porosity) / radius


def boolean_two_point(distance: ArrayLike, radius: float, porosity: float) -> NDArray[np.float64]:
    """Return the probability that two points at a distance both lie outside the spheres.

    S2(r) = eps^(2 - g(r)) with g(r) = 1 - 3 r / (4 R) + r^3 / (16 R^3) up to r = 2 R, the share
    of a sphere that its copy shifted by r covers, and 0 beyond.

    Parameters
    ----------
    distance : array_like
        Distances r in the unit of the radius.
    radius : float
    porosity : float

    Returns
    -------
    ndarray
        Of the shape of `distance`.
    """
    r = np.minimum(np.asarray(distance, float) / radius, 2.0)
    covered = 1.0 - 0.75 * r + r**3 / 16.0
    return porosity ** (2.0 - covered)


def gaussian_specific_surface(correlation_length: float, porosity: float) -> float:
    """Return the interface area per volume of a Gaussian random field cut at a threshold.

    s = (2 / pi) sqrt(-rho''(0)) exp(-t^2 / 2) for a correlation function rho and a threshold t
    in standard deviations; here -rho''(0) = 1 / (2 l^2), so s = sqrt(2) / (pi l) exp(-t^2 / 2).

    Parameters
    ----------
    correlation_length : float
        Standard deviation l of the Gaussian kernel applied to white noise.
    porosity : float
        Volume fraction of one of the two phases; sets the threshold.

    Returns
    -------
    float
        In one over the unit of the correlation length.
    """
    threshold = _threshold(porosity)
    return math.sqrt(2.0) / (math.pi * correlation_length) * math.exp(-0.5 * threshold**2)


def gaussian_mean_curvature(correlation_length: float, volume_fraction: float) -> float:
    """Return the integral of the mean curvature per volume of a cut Gaussian random field.

    lambda t exp(-t^2 / 2) / sqrt(2 pi), lambda = 1 / (2 l^2) the variance of a derivative, for the
    phase above the threshold t (R. J. Adler, J. E. Taylor, Random Fields and Geometry, 2007:
    the kinematic formula, whose first intrinsic volume is this over pi).

    Parameters
    ----------
    correlation_length : float
        Standard deviation l of the Gaussian kernel applied to white noise.
    volume_fraction : float
        Of the phase; 1 less it gives the same number with the other sign.

    Returns
    -------
    float
        In one over the square of the unit of the correlation length.
    """
    threshold = _threshold(volume_fraction)
    slope = 0.5 / correlation_length**2
    return slope * threshold * math.exp(-0.5 * threshold**2) / math.sqrt(2.0 * math.pi)


def gaussian_euler_density(correlation_length: float, volume_fraction: float) -> float:
    """Return the Euler number per volume of a phase of a cut Gaussian random field.

    lambda^(3/2) (t^2 - 1) exp(-t^2 / 2) / (2 pi)^2, with the names of `gaussian_mean_curvature`
    (Adler & Taylor 2007).

    Parameters
    ----------
    correlation_length, volume_fraction : float
        As in `gaussian_mean_curvature`.

    Returns
    -------
    float
        In one over the cube of the unit of the correlation length.
    """
    threshold = _threshold(volume_fraction)
    slope = 0.5 / correlation_length**2
    density = slope**1.5 * (threshold**2 - 1.0) * math.exp(-0.5 * threshold**2)
    return density / (2.0 * math.pi) ** 2


def gaussian_two_point(
    distance: ArrayLike, correlation_length: float, porosity: float
) -> NDArray[np.float64]:
    """Return the probability that two points at a distance lie in the same phase of fraction eps.

    S2(r) = eps^2 + (1 / 2 pi) times the integral from 0 to arcsin(rho(r)) of
    exp(-t^2 / (1 + sin a)) da, with rho(r) = exp(-r^2 / (4 l^2)).

    Parameters
    ----------
    distance : array_like
        Distances r in the unit of the correlation length.
    correlation_length : float
        Standard deviation l of the Gaussian kernel applied to white noise.
    porosity : float
        Volume fraction eps of the phase.

    Returns
    -------
    ndarray
        Of the shape of `distance`.
    """
    r = np.asarray(distance, float)
    end = np.arcsin(np.exp(-(r**2) / (4.0 * correlation_length**2)))
    nodes, weights = np.polynomial.legendre.leggauss(40)
    angle = 0.5 * end[..., None] * (nodes + 1.0)
    integrand = np.exp(-(_threshold(porosity) ** 2) / (1.0 + np.sin(angle)))
    return porosity**2 + 0.5 * end * (integrand @ weights) / (2.0 * math.pi)


def _threshold(porosity: float) -> float:
    """Level that a standard normal variable exceeds with this probability."""
    from scipy.special import ndtri

    return float(-ndtri(porosity))
