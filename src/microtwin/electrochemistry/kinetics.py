"""Butler-Volmer kinetics of a charge transfer of one electron, by itself and behind a film.

    i = j0 (exp(a f eta) - exp(-c f eta)),   f = F / (R T),

with the transfer coefficients a (anodic) and c (cathodic): i is positive where the solid is
oxidised (Newman & Balsara, Electrochemical Systems, 4th edition 2021, chapter 8). Behind a film of
resistance r the overpotential of the reaction is eta - r i.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..checking import is_number
from ..numerics import ConvergenceError

__all__ = [
    "FARADAY",
    "GAS_CONSTANT",
    "butler_volmer",
    "butler_volmer_slope",
    "reaction_overpotential",
    "reaction_through_film",
]

FARADAY = 96485.33212331001  # C / mol, exact
GAS_CONSTANT = 8.31446261815324  # J / (mol K), exact
ROOM = 298.15  # K
STEPS = 200
ACCURACY = 1e-14  # of an overpotential, over the largest
_TOO_FAR = (
    "an overpotential of {:.3g} V has no finite current density; kinetics of this kind hold up to "
    "a few tenths of a volt"
)

Coefficients = tuple[float, float]


def butler_volmer(
    overpotential: ArrayLike,
    exchange_current_density: ArrayLike,
    temperature: float = ROOM,
    transfer_coefficients: Coefficients = (0.5, 0.5),
) -> NDArray[np.float64]:
    """Return the current density of a reaction, positive if it is anodic.

    Parameters
    ----------
    overpotential : array_like
        In V.
    exchange_current_density : array_like
        In A/m^2.
    temperature : float
        In K.
    transfer_coefficients : tuple of 2 floats
        Anodic and cathodic.

    Returns
    -------
    ndarray
        In A/m^2, of the common shape of the first two.

    Raises
    ------
    ValueError
        If the temperature, an exchange current density or a transfer coefficient is not allowed,
        or the overpotential is so large that the current density is no number any more.
    """
    eta = _finite("an overpotential", overpotential, "volts")
    j0 = _checked(exchange_current_density, temperature, transfer_coefficients)
    anodic, cathodic = _rates(temperature, transfer_coefficients)
    with np.errstate(over="ignore", invalid="ignore"):
        if anodic == cathodic:
            # Exact also where the two exponentials nearly cancel.
            current = 2.0 * j0 * np.sinh(anodic * eta)
        else:
            current = j0 * (np.expm1(anodic * eta) - np.expm1(-cathodic * eta))
    if not np.isfinite(current).all():
        raise ValueError(_TOO_FAR.format(float(np.abs(eta).max())))
    return np.asarray(current)


def butler_volmer_slope(
    overpotential: ArrayLike,
    exchange_current_density: ArrayLike,
    temperature: float = ROOM,
    transfer_coefficients: Coefficients = (0.5, 0.5),
) -> NDArray[np.float64]:
    """Return how fast the current density grows with the overpotential, in A/(m^2 V).

    Parameters
    ----------
    overpotential, exchange_current_density, temperature, transfer_coefficients
        As in `butler_volmer`.

    Returns
    -------
    ndarray

    Raises
    ------
    ValueError
        As in `butler_volmer`.
    """
    eta = _finite("an overpotential", overpotential, "volts")
    j0 = _checked(exchange_current_density, temperature, transfer_coefficients)
    anodic, cathodic = _rates(temperature, transfer_coefficients)
    with np.errstate(over="ignore", invalid="ignore"):
        slope = j0 * (anodic * np.exp(anodic * eta) + cathodic * np.exp(-cathodic * eta))
    if not np.isfinite(slope).all():
        raise ValueError(_TOO_FAR.format(float(np.abs(eta).max())))
    return np.asarray(slope)


def reaction_overpotential(
    current_density: ArrayLike,
    exchange_current_density: ArrayLike,
    temperature: float = ROOM,
    transfer_coefficients: Coefficients = (0.5, 0.5),
) -> NDArray[np.float64]:
    """Return the overpotential that drives a current density, the inverse of `butler_volmer`.

    Parameters
    ----------
    current_density : array_like
        In A/m^2, positive if anodic.
    exchange_current_density, temperature, transfer_coefficients
        As in `butler_volmer`; the first may not be 0.

    Returns
    -------
    ndarray
        In V. With equal transfer coefficients a it is asinh(i / (2 j0)) R T / (a F).

    Raises
    ------
    ValueError
        As in `butler_volmer`, or if an exchange current density is 0.
    """
    current = _finite("a current density", current_density, "A/m^2")
    j0 = _checked(exchange_current_density, temperature, transfer_coefficients)
    if not (j0 > 0.0).all():
        raise ValueError(
            "an exchange current density is 0, and no overpotential drives a current there; leave "
            "those facets out"
        )
    anodic, cathodic = _rates(temperature, transfer_coefficients)
    ratio = np.asarray(current / j0)
    if anodic == cathodic:
        return np.asarray(np.arcsinh(0.5 * ratio) / anodic)

    def excess(x: NDArray) -> tuple[NDArray, NDArray]:
        rising, falling = np.expm1(anodic * x), np.expm1(-cathodic * x)
        return rising - falling - flat, anodic * (rising + 1.0) + cathodic * (falling + 1.0)

    flat = ratio.ravel()
    # One exponential alone gives a bound: the other only adds to it.
    forward = np.log1p(np.maximum(flat, 0.0)) / anodic
    backward = np.log1p(np.maximum(-flat, 0.0)) / cathodic
    return _root(excess, -backward, forward).reshape(ratio.shape)


def reaction_through_film(
    overpotential: ArrayLike,
    exchange_current_density: ArrayLike,
    film_resistance: ArrayLike,
    temperature: float = ROOM,
    transfer_coefficients: Coefficients = (0.5, 0.5),
) -> NDArray[np.float64]:
    """Return the current density of a reaction behind a resistance, positive if it is anodic.

    It is the root of eta = U(i) + r i, with the overpotential U of the reaction.

    Parameters
    ----------
    overpotential : array_like
        Over reaction and film together, in V.
    exchange_current_density, temperature, transfer_coefficients
        As in `butler_volmer`.
    film_resistance : array_like
        In ohm m^2, 0 or more.

    Returns
    -------
    ndarray
        In A/m^2, of the common shape of the first three.

    Raises
    ------
    ValueError
        As in `butler_volmer`, or if a resistance is not allowed.
    """
    r = np.asarray(film_resistance, float)
    if not (np.isfinite(r) & (r >= 0.0)).all():
        raise ValueError(
            "a film resistance is negative or no number; give numbers of 0 or more, in ohm m^2"
        )
    j0 = _checked(exchange_current_density, temperature, transfer_coefficients)
    kinetics = (temperature, transfer_coefficients)
    eta = _finite("an overpotential", overpotential, "volts")
    eta, j0, r = np.broadcast_arrays(eta, j0, r)
    resisted = r * j0
    if not np.isfinite(resisted).all():
        raise ValueError("a film resistance times an exchange current density is no finite number")
    filmed = resisted > 0.0
    current = np.empty(eta.shape)
    current[~filmed] = butler_volmer(eta[~filmed], j0[~filmed], *kinetics)
    arguments = (eta[filmed], j0[filmed], r[filmed], resisted[filmed])
    current[filmed] = _behind_film(*arguments, kinetics)
    return current


def _behind_film(
    eta: NDArray[np.float64],
    j0: NDArray[np.float64],
    r: NDArray[np.float64],
    resisted: NDArray[np.float64],
    kinetics: tuple[float, Coefficients],
) -> NDArray[np.float64]:
    """Return current densities behind films; all arrays of shape (n,), `resisted` above 0."""
    anodic, cathodic = _rates(*kinetics)

    def excess(x: NDArray) -> tuple[NDArray, NDArray]:
        rising, falling = np.expm1(anodic * x), np.expm1(-cathodic * x)
        return (
            x + resisted * (rising - falling) - eta,
            1.0 + resisted * (anodic * (rising + 1.0) + cathodic * (falling + 1.0)),
        )

    # The reaction never sees more than what a current of eta / r needs.
    most = np.log1p(np.abs(eta) / resisted)
    high = np.minimum(np.maximum(eta, 0.0), most / anodic)
    low = np.maximum(np.minimum(eta, 0.0), -most / cathodic)
    driving = _root(excess, low, high)
    # Each share is known to an absolute accuracy, so the larger one tells the current.
    film = np.abs(driving) < 0.5 * np.abs(eta)
    return np.where(film, (eta - driving) / r, butler_volmer(driving, j0, *kinetics))


def _root(
    excess: Callable[[NDArray], tuple[NDArray, NDArray]], low: NDArray, high: NDArray
) -> NDArray[np.float64]:
    """Find the roots of growing functions between bounds: Newton's method, else halving."""
    x = np.where(np.abs(high) >= np.abs(low), high, low)
    low, high = low.copy(), high.copy()
    scale = max(float(np.abs(low).max(initial=0.0)), float(np.abs(high).max(initial=0.0)), 1e-300)
    for _ in range(STEPS):
        value, slope = excess(x)
        high = np.where(value >= 0.0, np.minimum(high, x), high)
        low = np.where(value <= 0.0, np.maximum(low, x), low)
        new = x - value / slope
        new = np.where((new < low) | (new > high), 0.5 * (low + high), new)
        moved = float(np.abs(new - x).max(initial=0.0))
        x = new
        if moved <= ACCURACY * scale:
            return x
    raise ConvergenceError(
        f"the kinetics of an interface were not solved in {STEPS} steps; check the exchange "
        "current densities and film resistances"
    )


def _finite(name: str, values: ArrayLike, unit: str) -> NDArray[np.float64]:
    array = np.asarray(values, float)
    if not np.isfinite(array).all():
        raise ValueError(f"{name} is no finite number; give {unit}")
    return array


def _rates(temperature: float, coefficients: Coefficients) -> tuple[float, float]:
    """Return a F / (R T) and c F / (R T), in 1/V."""
    f = FARADAY / (GAS_CONSTANT * temperature)
    return coefficients[0] * f, coefficients[1] * f


def _checked(j0: ArrayLike, temperature: float, coefficients: Coefficients) -> NDArray[np.float64]:
    values = np.asarray(j0, float)
    if not (np.isfinite(values) & (values >= 0.0)).all():
        raise ValueError(
            "an exchange current density is negative or no number; give numbers of 0 or more, in "
            "A/m^2"
        )
    if not (is_number(temperature) and temperature > 0.0):
        raise ValueError(f"temperature {temperature!r} is not allowed; give kelvins above 0")
    pair = isinstance(coefficients, (tuple, list)) and len(coefficients) == 2
    if not pair or not all(is_number(c) and 0.0 < c < 2.0 for c in coefficients):
        raise ValueError(
            f"transfer coefficients {coefficients!r} are not allowed; give the anodic and the "
            "cathodic one, for example (0.5, 0.5)"
        )
    return values
