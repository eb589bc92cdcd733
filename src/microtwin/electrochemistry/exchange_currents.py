"""Exchange current densities: as a function of concentrations, and as a random field."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..checking import is_number
from ..generation import gaussian_random_field
from ..microstructure import Microstructure

__all__ = ["intercalation_exchange_current", "random_exchange_current"]

LEAST_LENGTH = 1.5  # voxels: shorter correlations are not resolved
MOST_LENGTH = 4.0  # edges of the image: longer ones are nearly uniform in it
MOST_DEVIATION = 100.0  # times the mean


def intercalation_exchange_current(
    solid: ArrayLike,
    electrolyte: ArrayLike,
    most: float,
    reference: float,
    initial: float = 1000.0,
    cathodic: float = 0.5,
) -> NDArray[np.float64]:
    """Return the exchange current density of an intercalation reaction.

        j0 = 2 reference (c_e / initial)^(1 - c) (c_s / most)^c (1 - c_s / most)^(1 - c)

    with the cathodic transfer coefficient c (M. Doyle, T. F. Fuller, J. Newman, J. Electrochem.
    Soc. 140 (1993) 1526). The rate constant is expressed by the value at one state: half filling,
    and the initial concentration of the electrolyte.

    Parameters
    ----------
    solid : array_like
        Concentration of lithium in the active material at the interface, in mol/m^3.
    electrolyte : array_like
        Concentration of the salt there, in mol/m^3.
    most : float
        Concentration in the filled material, in mol/m^3.
    reference : float
        Value at half filling and the concentration `initial`, in A/m^2.
    initial : float
        Concentration of the salt that `reference` belongs to, in mol/m^3.
    cathodic : float
        Cathodic transfer coefficient.

    Returns
    -------
    ndarray
        In A/m^2.

    Raises
    ------
    ValueError
        If a concentration is negative or above `most`, or a parameter is not positive.
    """
    c_s, c_e = np.asarray(solid, float), np.asarray(electrolyte, float)
    for name, value in (("most", most), ("reference", reference), ("initial", initial)):
        if not (is_number(value) and value > 0.0):
            raise ValueError(f"{name} {value!r} is not allowed; give a number above 0")
    if not (is_number(cathodic) and 0.0 < cathodic < 1.0):
        raise ValueError(f"cathodic {cathodic!r} is not allowed; give a number between 0 and 1")
    if not ((c_s >= 0.0) & (c_s <= most)).all():
        raise ValueError(f"a concentration in the solid is not between 0 and {most:g} mol/m^3")
    if not (np.isfinite(c_e) & (c_e >= 0.0)).all():
        raise ValueError("a concentration of the electrolyte is negative or no number")
    filled = c_s / most
    kinetic = (c_e / initial) ** (1.0 - cathodic)
    return np.asarray(
        2.0 * reference * kinetic * filled**cathodic * (1.0 - filled) ** (1.0 - cathodic)
    )


def random_exchange_current(
    micro: Microstructure,
    mean: float,
    deviation: float,
    correlation_length: float,
    seed: int = 0,
) -> NDArray[np.float64]:
    """Return an exchange current density that varies in space at random.

    It is lognormal, so positive everywhere: exp of a Gaussian field g of unit variance with the
    correlation exp(-(r / L)^2), scaled to the mean and the standard deviation.

    Parameters
    ----------
    micro : Microstructure
        Gives shape and voxel size.
    mean, deviation : float
        Mean and standard deviation of the ensemble, in A/m^2; one field scatters around them, the
        more the fewer correlation lengths the image holds.
    correlation_length : float
        Distance L at which the correlation of g has fallen to 1/e, in metres: from 1.5 voxels to
        4 times the longest edge of the image.
    seed : int
        The same seed gives the same field.

    Returns
    -------
    ndarray, shape of the image
        In A/m^2, at the centres of the voxels.

    Raises
    ------
    ValueError
        If a number is not allowed, or there is no image.
    """
    if not isinstance(micro, Microstructure):
        raise ValueError(
            f"a {type(micro).__name__} has no voxels; give the Microstructure, also for a mesh"
        )
    if not (is_number(mean) and mean > 0.0):
        raise ValueError(f"mean {mean!r} is not allowed; give a current density above 0 in A/m^2")
    if not (is_number(deviation) and 0.0 <= deviation <= MOST_DEVIATION * mean):
        raise ValueError(
            f"deviation {deviation!r} is not allowed; give 0 to {MOST_DEVIATION:g} times the mean, "
            "in A/m^2"
        )
    least, most = LEAST_LENGTH * max(micro.voxel_size), MOST_LENGTH * max(micro.extent)
    if not (is_number(correlation_length) and least <= correlation_length <= most):
        raise ValueError(
            f"correlation_length {correlation_length!r} is not allowed; give metres, from "
            f"{least:.3g} (1.5 voxels) to {most:.3g} (4 times the longest edge of the image)"
        )
    if not isinstance(seed, (int, np.integer)) or seed < 0:
        raise ValueError(f"seed {seed!r} is not allowed; give a whole number of 0 or more")
    # The kernel l of the field gives the correlation exp(-r^2 / (4 l^2)).
    kernel = [0.5 * correlation_length / edge for edge in micro.voxel_size]
    g = gaussian_random_field(micro.shape, kernel, seed, periodic=False).astype(float)
    variance = np.log1p((deviation / mean) ** 2)
    return mean * np.exp(np.sqrt(variance) * g - 0.5 * variance)
