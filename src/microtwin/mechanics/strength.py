"""Strength of a material under combined stress, as an index: above 1 it fails.

All indices are of first degree: twice the stress, or half the strength, doubles them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..checking import is_number
from .field_checks import positive
from .invariants import hydrostatic, maximum_principal, von_mises

__all__ = [
    "DruckerPrager",
    "drucker_prager_friction",
    "drucker_prager_index",
    "drucker_prager_strengths",
    "principal_index",
]


@dataclass(frozen=True)
class DruckerPrager:
    """A cone of strength: the material fails where sqrt(J2) + slope I1 reaches the cohesion.

    J2 is the second invariant of the deviator, I1 the sum of the normal stresses, positive where it
    is pulled.

    Parameters
    ----------
    slope : float
        How much pressure strengthens; 0 is the criterion of von Mises.
    cohesion : float
        Strength in pure shear, in Pa.

    Raises
    ------
    ValueError
        If the slope is negative or the cohesion not positive.
    """

    slope: float
    cohesion: float

    def __post_init__(self) -> None:
        if not (is_number(self.slope) and self.slope >= 0.0):
            raise ValueError(f"slope {self.slope!r} is not allowed; give a number from 0 up")
        positive("cohesion", self.cohesion, "Pa")


def drucker_prager_strengths(tensile: float, compressive: float) -> DruckerPrager:
    """Return the cone that meets the strengths in tension and in compression along one axis.

    Parameters
    ----------
    tensile, compressive : float
        In Pa, both positive, the compressive one no smaller.

    Returns
    -------
    DruckerPrager

    Raises
    ------
    ValueError
        If a strength is not allowed.

    Notes
    -----
    sigma / sqrt(3) + slope sigma = cohesion for a pull, sigma / sqrt(3) - slope sigma = cohesion
    for a pressure (D. C. Drucker, W. Prager, Q. Appl. Math. 10 (1952) 157).

    Examples
    --------
    >>> cone = drucker_prager_strengths(10e6, 30e6)
    >>> float(drucker_prager_index([10e6, 0, 0, 0, 0, 0], cone).round(6))
    1.0
    """
    positive("tensile strength", tensile, "Pa")
    positive("compressive strength", compressive, "Pa")
    if compressive < tensile:
        raise ValueError(
            f"a compressive strength of {compressive:.4g} Pa below the tensile one of "
            f"{tensile:.4g} Pa is not allowed; pressure does not weaken, give at least the same"
        )
    total = np.sqrt(3.0) * (tensile + compressive)
    return DruckerPrager(
        float((compressive - tensile) / total), float(2.0 * tensile * compressive / total)
    )


def drucker_prager_friction(cohesion: float, friction_angle: float) -> DruckerPrager:
    """Return the cone through the compressive edges of a pyramid of Mohr and Coulomb.

    Parameters
    ----------
    cohesion : float
        Shear strength without normal stress, in Pa.
    friction_angle : float
        In radians, from 0 to below pi / 2.

    Returns
    -------
    DruckerPrager

    Raises
    ------
    ValueError
        If a number is not allowed.

    Notes
    -----
    slope = 2 sin(phi) / (sqrt(3) (3 - sin(phi))), cohesion = 6 c cos(phi) / (sqrt(3) (3 -
    sin(phi))) (W. F. Chen, D. J. Han, Plasticity for Structural Engineers (1988), section 2.3). In
    uniaxial compression it fails where Mohr and Coulomb's does; under a pull it bears more.
    """
    positive("cohesion", cohesion, "Pa")
    if not (is_number(friction_angle) and 0.0 <= friction_angle < np.pi / 2):
        raise ValueError(
            f"friction angle {friction_angle!r} is not allowed; give radians from 0 to below pi/2, "
            "as numpy.deg2rad(30)"
        )
    sine, cosine = np.sin(friction_angle), np.cos(friction_angle)
    below = np.sqrt(3.0) * (3.0 - sine)
    return DruckerPrager(float(2.0 * sine / below), float(6.0 * cohesion * cosine / below))


def drucker_prager_index(stress: ArrayLike, cone: DruckerPrager) -> NDArray[Any]:
    """Return how near a stress is to a cone of strength: (sqrt(J2) + slope I1) / cohesion.

    Parameters
    ----------
    stress : array, shape (6, ...)
        In Pa.
    cone : DruckerPrager

    Returns
    -------
    ndarray, shape (...)
        Above 1 the material fails; negative where pressure more than outweighs shear.

    Raises
    ------
    ValueError
        If the first axis does not hold six components.
    """
    shear = von_mises(stress) / float(np.sqrt(3.0))
    return (shear + 3.0 * cone.slope * hydrostatic(stress)) / cone.cohesion


def principal_index(stress: ArrayLike, tensile: float) -> NDArray[Any]:
    """Return the largest principal stress over the tensile strength (Rankine's criterion).

    Parameters
    ----------
    stress : array, shape (6, ...)
        In Pa.
    tensile : float
        Strength, in Pa.

    Returns
    -------
    ndarray, shape (...)
        Above 1 the material cracks; negative where nothing is pulled.

    Raises
    ------
    ValueError
        If the strength is not positive, or the first axis does not hold six components.
    """
    return maximum_principal(stress) / positive("tensile strength", tensile, "Pa")
