"""Advection and dispersion in one dimension: the solution of Ogata and Banks, and its fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import erfc, erfcx

from ..checking import is_number

__all__ = ["ColumnFit", "fit_column", "ogata_banks"]


@dataclass(frozen=True)
class ColumnFit:
    """The column that a breakthrough curve is fitted to.

    Parameters
    ----------
    velocity : float
        Apparent velocity of the fluid, in m/s.
    dispersion : float
        Apparent dispersion along it, in m^2/s.
    misfit : float
        Root of the mean square of the differences, in units of the concentration at the inlet.
    """

    velocity: float
    dispersion: float
    misfit: float

    @property
    def dispersivity(self) -> float:
        """Dispersion over velocity, in m."""
        return self.dispersion / self.velocity


def ogata_banks(
    x: ArrayLike, t: ArrayLike, velocity: float, dispersion: float, retardation: float = 1.0
) -> NDArray[np.float64]:
    """Return the concentration of a tracer in a half-infinite column, over that at its inlet.

    Parameters
    ----------
    x : array of float
        Distance from the inlet in m, zero or more.
    t : array of float
        Time since the step at the inlet in s; broadcast with x. Before it nothing is there.
    velocity : float
        Velocity of the fluid in m/s, zero or more.
    dispersion : float
        In m^2/s.
    retardation : float
        1 plus what is sorbed over what is dissolved.

    Returns
    -------
    ndarray of float64

    Raises
    ------
    ValueError
        For negative x or velocity, a dispersion that is not positive, a retardation below 1.

    Notes
    -----
    R dc/dt + v dc/dx = D d2c/dx2 with c = 1 at x = 0 and c = 0 at first has the solution

        c = erfc(a) / 2 + exp(v x / D) erfc(b) / 2,
        a = (R x - v t) / (2 sqrt(D R t)), b = (R x + v t) / (2 sqrt(D R t)),

    Ogata & Banks, U.S. Geol. Survey Prof. Paper 411-A (1961). Since v x / D = b^2 - a^2, the second
    term is exp(-a^2) erfcx(b) / 2, in which nothing overflows.

    With this boundary condition c is the *resident* concentration where the inlet is held at 1,
    and also the *flux* concentration, c - (D / v) dc/dx, where fluid with the concentration 1 is
    injected (Kreft & Zuber, Chem. Eng. Sci. 33 (1978) 1471). What leaves a column is a flux
    concentration. The resident concentration for injection is a different function, lower near
    the inlet.

    Examples
    --------
    >>> from microtwin.transport import ogata_banks
    >>> round(float(ogata_banks(1.0, 1.0, velocity=1.0, dispersion=0.01)), 4)
    0.528
    """
    if not is_number(velocity) or velocity < 0.0:
        raise ValueError(f"velocity {velocity!r} is not allowed; give a number from 0 up, in m/s")
    if not is_number(dispersion) or not dispersion > 0.0:
        raise ValueError(
            f"dispersion {dispersion!r} is not allowed; give a number above 0, in m^2/s"
        )
    if not is_number(retardation) or retardation < 1.0:
        raise ValueError(
            f"retardation {retardation!r} is not allowed; it is 1 for a tracer that is not sorbed, "
            "and more for one that is"
        )
    place, time = np.broadcast_arrays(np.asarray(x, float), np.asarray(t, float))
    if (place < 0.0).any():
        raise ValueError(
            f"x of {place.min():g} m is not allowed; the column begins at x = 0, give zero or more"
        )
    later = np.maximum(time, 0.0)
    width = 2.0 * np.sqrt(dispersion * retardation * later)
    with np.errstate(divide="ignore", invalid="ignore"):
        a = (retardation * place - velocity * later) / width
        b = (retardation * place + velocity * later) / width
        found = 0.5 * (erfc(a) + np.exp(-np.square(a)) * erfcx(b))
    return np.where(time > 0.0, np.where(place > 0.0, found, 1.0), 0.0)


def fit_column(
    times: ArrayLike,
    concentration: ArrayLike,
    length: float,
    retardation: float = 1.0,
    pulse: float | None = None,
) -> ColumnFit:
    """Find the velocity and the dispersion with which a column has a given breakthrough curve.

    Parameters
    ----------
    times : array of float, shape (n,)
        In s, increasing.
    concentration : array of float, shape (n,)
        Of the effluent over that at the inlet.
    length : float
        Of the column, in m.
    retardation : float
        It is not fitted: only velocity and dispersion over it can be told from a curve.
    pulse : float, optional
        Time in s after which the inlet is clean again; by default it is a step.

    Returns
    -------
    ColumnFit

    Raises
    ------
    ValueError
        If fewer than five points are given, or the curve does not get to half of its way.
    """
    from scipy.optimize import least_squares

    t, c = np.asarray(times, float), np.asarray(concentration, float)
    if t.ndim != 1 or t.shape != c.shape or len(t) < 5:
        raise ValueError(
            f"times of shape {t.shape} and concentrations of shape {c.shape} tell no column; give "
            "five or more of each"
        )
    if pulse is None and c.max() < 0.5:
        raise ValueError(
            f"the curve ends at {c.max():.2g} of the concentration at the inlet; go on until more "
            "than half of it has arrived"
        )
    arrived = t[np.argmax(c >= 0.5 * c.max())] if pulse is None else t[c.argmax()] - 0.5 * pulse
    speed = retardation * length / max(float(arrived), float(t[0]))

    def misfit(logarithms: NDArray[np.float64]) -> Any:
        v, d = np.exp(logarithms)
        model = ogata_banks(length, t, float(v), float(d), retardation)
        if pulse is not None:
            model = model - ogata_banks(length, t - pulse, float(v), float(d), retardation)
        return model - c

    start = np.log([speed, 0.05 * speed * length])
    bounds = (start - np.array([3.0, 12.0]), start + np.array([3.0, 6.0]))
    found = least_squares(misfit, start, bounds=bounds, xtol=1e-12, ftol=1e-12, gtol=1e-12)
    v, d = np.exp(found.x)
    return ColumnFit(float(v), float(d), float(np.sqrt(np.mean(np.square(found.fun)))))
