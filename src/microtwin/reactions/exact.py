"""Exact solutions of diffusion with uptake: slabs, spheres, spheroids, vessels, free decay."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from .kinetics import positive

__all__ = [
    "decay_of_cosine",
    "diffusion_limit",
    "krogh_concentration",
    "penetration_depth",
    "slab_effectiveness",
    "sphere_effectiveness",
    "spheroid_concentration",
    "spheroid_core",
]

Field = NDArray[np.float64]
SMALL = 1e-3  # a Thiele modulus below which the series is exact to rounding


def slab_effectiveness(modulus: float) -> float:
    """Return the effectiveness of a slab that takes up at order one, tanh(phi) / phi.

    Parameters
    ----------
    modulus : float
        Thiele modulus, phi = L sqrt(k / D): L the thickness if one face is supplied, half of it if
        both are.

    Returns
    -------
    float
        Uptake over what it would be at the concentration of the surface.

    Raises
    ------
    ValueError
        If the modulus is not above 0.

    Notes
    -----
    E. W. Thiele, Ind. Eng. Chem. 31 (1939) 916.

    Examples
    --------
    >>> from microtwin.reactions import exact
    >>> round(exact.slab_effectiveness(3.0), 4)
    0.3317
    """
    positive("Thiele modulus", modulus, "no unit")
    return float(np.tanh(modulus) / modulus)


def sphere_effectiveness(modulus: float) -> float:
    """Return the effectiveness of a sphere that takes up at order one.

    (3 / phi^2) (phi coth phi - 1).

    Parameters
    ----------
    modulus : float
        Thiele modulus, phi = R sqrt(k / D), with R the radius (not a third of it, as some have).

    Returns
    -------
    float
        Uptake over what it would be at the concentration of the surface.

    Raises
    ------
    ValueError
        If the modulus is not above 0.

    Notes
    -----
    E. W. Thiele, Ind. Eng. Chem. 31 (1939) 916.
    """
    positive("Thiele modulus", modulus, "no unit")
    if modulus < SMALL:
        return 1.0 - modulus**2 / 15.0
    return float(3.0 / modulus**2 * (modulus / np.tanh(modulus) - 1.0))


def penetration_depth(diffusivity: float, concentration: float, uptake: float) -> float:
    """Return how deep a species gets into a slab with uptake of order zero, sqrt(2 D c / q).

    Parameters
    ----------
    diffusivity : float
        In m^2/s.
    concentration : float
        At the surface, in mol/m^3.
    uptake : float
        q, in mol/m^3/s.

    Returns
    -------
    float
        In m.

    Raises
    ------
    ValueError
        If a number is not above 0.

    Notes
    -----
    From D c'' = q with c = c' = 0 at the depth: J. Crank, The Mathematics of Diffusion.
    """
    _check(diffusivity, concentration, uptake)
    return float(np.sqrt(2.0 * diffusivity * concentration / uptake))


def diffusion_limit(diffusivity: float, concentration: float, uptake: float) -> float:
    """Return the radius up to which a spheroid has no core, sqrt(6 D c0 / a).

    Parameters
    ----------
    diffusivity : float
        In m^2/s.
    concentration : float
        c0, at the surface, in mol/m^3.
    uptake : float
        a, of order zero, in mol/m^3/s.

    Returns
    -------
    float
        In m.

    Raises
    ------
    ValueError
        If a number is not above 0.

    Notes
    -----
    D. R. Grimes, C. Kelly, K. Bloch and M. Partridge, J. R. Soc. Interface 11 (2014) 20131124.

    Examples
    --------
    160 mmHg around a spheroid that takes up 25 mmHg/s; the solubility drops out:

    >>> from microtwin.reactions import exact
    >>> round(exact.diffusion_limit(2e-9, 160.0, 25.0) * 1e6)
    277
    """
    _check(diffusivity, concentration, uptake)
    return float(np.sqrt(6.0 * diffusivity * concentration / uptake))


def spheroid_core(radius: float, diffusivity: float, concentration: float, uptake: float) -> float:
    """Return the radius of the core of a spheroid in which nothing is left.

    The root x = r_n / R of 1 - 3 x^2 + 2 x^3 = (r_l / R)^2, with r_l the `diffusion_limit`.

    Parameters
    ----------
    radius : float
        Of the spheroid, R, in m.
    diffusivity, concentration, uptake : float
        As in `diffusion_limit`.

    Returns
    -------
    float
        In m; 0 up to the diffusion limit.

    Raises
    ------
    ValueError
        If a number is not above 0.

    Notes
    -----
    From c = c' = 0 at r_n: D. R. Grimes et al., J. R. Soc. Interface 11 (2014) 20131124.

    Examples
    --------
    >>> from microtwin.reactions import exact
    >>> round(exact.spheroid_core(4e-4, 2e-9, 160.0, 25.0) * 1e6)
    205
    """
    positive("radius", radius, "m")
    part = (diffusion_limit(diffusivity, concentration, uptake) / radius) ** 2
    if part >= 1.0:
        return 0.0
    return radius * float(brentq(lambda x: 1.0 - 3.0 * x**2 + 2.0 * x**3 - part, 0.0, 1.0))


def spheroid_concentration(
    r: ArrayLike, radius: float, diffusivity: float, concentration: float, uptake: float
) -> Field:
    """Return the concentration in a spheroid with uptake of order zero.

    c = c0 - a / (6 D) (R^2 - r^2) without a core, and
    c = a / (6 D) (r^2 + 2 r_n^3 / r - 3 r_n^2) outside of one.

    Parameters
    ----------
    r : array_like
        Distance from the centre, in m.
    radius : float
        Of the spheroid, R, in m.
    diffusivity, concentration, uptake : float
        As in `diffusion_limit`.

    Returns
    -------
    ndarray
        In mol/m^3: 0 in the core, c0 outside of the spheroid.

    Raises
    ------
    ValueError
        If a number is not above 0.

    Notes
    -----
    D. R. Grimes et al., J. R. Soc. Interface 11 (2014) 20131124.
    """
    core = spheroid_core(radius, diffusivity, concentration, uptake)
    steep = uptake / (6.0 * diffusivity)
    r = np.asarray(r, float)
    if core == 0.0:
        inside = concentration - steep * (radius**2 - r**2)
    else:
        beyond = np.maximum(r, core)
        inside = steep * (beyond**2 + 2.0 * core**3 / beyond - 3.0 * core**2)
    return np.where(r < radius, inside, concentration)


def krogh_concentration(
    r: ArrayLike,
    vessel_radius: float,
    tissue_radius: float,
    diffusivity: float,
    concentration: float,
    uptake: float,
) -> Field:
    """Return the concentration in a cylinder of tissue around a vessel: Krogh's cylinder.

    c = c_v + M / (4 D) (r^2 - R_v^2) - M R_t^2 / (2 D) ln(r / R_v), with no flux at R_t.

    Parameters
    ----------
    r : array_like
        Distance from the axis of the vessel, in m, between the two radii.
    vessel_radius, tissue_radius : float
        R_v and R_t, in m.
    diffusivity : float
        D, in m^2/s.
    concentration : float
        c_v, at the wall of the vessel, in mol/m^3.
    uptake : float
        M, of order zero, in mol/m^3/s.

    Returns
    -------
    ndarray
        In mol/m^3.

    Raises
    ------
    ValueError
        If a number is not above 0, if r lies outside of the tissue, or if the tissue is so thick
        that nothing would be left at its edge: there the formula does not hold.

    Notes
    -----
    A. Krogh, J. Physiol. 52 (1919) 409, with the formula of K. Erlang.
    """
    _check(diffusivity, concentration, uptake)
    positive("vessel radius", vessel_radius, "m")
    if not tissue_radius > vessel_radius:
        raise ValueError(
            f"tissue radius {tissue_radius!r} is not allowed; give one above the vessel radius, "
            f"{vessel_radius!r} m"
        )
    r = np.asarray(r, float)
    if r.size and not (vessel_radius <= r.min() and r.max() <= tissue_radius):
        raise ValueError(
            f"r runs from {r.min()!r} to {r.max()!r} m; give distances between the vessel radius, "
            f"{vessel_radius!r}, and the tissue radius, {tissue_radius!r}"
        )

    def at(distance: Field) -> Field:
        ratio = np.log(distance / vessel_radius)
        square = 0.25 * (distance**2 - vessel_radius**2)
        return concentration + uptake / diffusivity * (square - 0.5 * tissue_radius**2 * ratio)

    edge = float(at(np.asarray(tissue_radius, float)))
    if edge < 0.0:
        raise ValueError(
            f"at the tissue radius {tissue_radius!r} m the concentration would be {edge:.3g}; "
            "give a smaller radius, so that some is left there, or solve it on an image"
        )
    return at(r)


def decay_of_cosine(x: ArrayLike, time: float, length: float, diffusivity: float) -> Field:
    """Return how a cosine between closed ends decays, 1 + cos(pi x / L) exp(-D pi^2 t / L^2).

    Parameters
    ----------
    x : array_like
        Place between 0 and L, in m.
    time : float
        In s.
    length : float
        L, in m.
    diffusivity : float
        In m^2/s; over the retardation factor where the species is sorbed.

    Returns
    -------
    ndarray
        Over the mean concentration.

    Raises
    ------
    ValueError
        If the time is below 0, or the length or diffusivity is not above 0.

    Notes
    -----
    J. Crank, The Mathematics of Diffusion: separation of variables.
    """
    positive("length", length, "m")
    positive("diffusivity", diffusivity, "m^2/s")
    if not (np.isfinite(time) and time >= 0.0):
        raise ValueError(f"time {time!r} is not allowed; it is 0 or more, in s")
    wave = np.pi / length
    return 1.0 + np.cos(wave * np.asarray(x, float)) * np.exp(-diffusivity * wave**2 * time)


def _check(diffusivity: float, concentration: float, uptake: float) -> None:
    positive("diffusivity", diffusivity, "m^2/s")
    positive("concentration", concentration, "mol/m^3")
    positive("uptake", uptake, "mol/m^3/s")
