"""The transmission line of a porous electrode whose walls are charged but do not react."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["TransmissionLine", "fit_transmission_line", "transmission_line"]

FAR = 30.0  # logarithm of the ratio to the first guess


@dataclass(frozen=True)
class TransmissionLine:
    """A transmission line fitted to an impedance.

    Parameters
    ----------
    series_resistance : float
        In front of the line, in ohm m^2.
    resistance : float
        Of the line, R_ion, in ohm m^2.
    capacitance : float
        In F/m^2.
    misfit : float
        Root mean square of the relative difference to the impedance.
    """

    series_resistance: float
    resistance: float
    capacitance: float
    misfit: float


def transmission_line(
    frequencies: ArrayLike, resistance: float, capacitance: float
) -> NDArray[np.complex128]:
    """Return the impedance of a uniform pore that ends in a wall.

    It is sqrt(R / j w C) coth sqrt(j w R C).

    Parameters
    ----------
    frequencies : array of float
        In Hz.
    resistance : float
        R, in ohm m^2.
    capacitance : float
        C, in F/m^2.

    Returns
    -------
    ndarray of complex128
        In ohm m^2. Its real part goes to R / 3 at low frequency, to 0 at high frequency.

    Notes
    -----
    de Levie, Electrochim. Acta 8 (1963) 751; Landesfeind et al., J. Electrochem. Soc. 163 (2016)
    A1373.

    Examples
    --------
    >>> z = transmission_line([1e-3], 3.0, 1.0)
    >>> round(float(z[0].real), 4)
    1.0
    """
    angular = 2j * np.pi * np.asarray(frequencies, float)
    root = np.sqrt(angular * resistance * capacitance)
    return np.asarray(np.sqrt(resistance / (angular * capacitance)) / np.tanh(root))


def fit_transmission_line(
    frequencies: ArrayLike, impedance: ArrayLike, *, series: float | None = None
) -> TransmissionLine:
    """Fit a transmission line with a resistance in series to an impedance.

    Parameters
    ----------
    frequencies : array of float, shape (n,)
        In Hz; they must reach below and above the frequency at which the impedance turns.
    impedance : array of complex, shape (n,)
        In ohm m^2.
    series : float, optional
        The resistance in series where it is known, in ohm m^2; by default it is fitted, too.

    Returns
    -------
    TransmissionLine

    Raises
    ------
    ValueError
        If there are fewer than 3 frequencies, or not as many impedances; if one of them is no
        number, or the impedance is not that of a capacitor at low frequency; or if the frequencies
        lie on one side of 1 / (2 pi R C), so that they do not tell both.

    Notes
    -----
    Least squares of relative differences.
    """
    from scipy.optimize import least_squares

    f, z = np.asarray(frequencies, float), np.asarray(impedance, complex)
    if f.ndim != 1 or f.shape != z.shape or len(f) < 3:
        raise ValueError(
            f"{np.shape(frequencies)} frequencies and {np.shape(impedance)} impedances are not "
            "allowed; give three or more of each, as many of one as of the other"
        )
    if not (np.isfinite(f) & (f > 0.0) & np.isfinite(z)).all():
        raise ValueError(
            "a frequency is not above 0, or an impedance is no number; leave such points out"
        )
    known = 0.0 if series is None else float(series)
    lowest = int(np.argmin(f))
    if not z[lowest].imag < 0.0:
        raise ValueError(
            f"the imaginary part at the lowest frequency is {z[lowest].imag:g} ohm m^2, where that "
            "of charged walls is negative; give the impedance of electrodes that block, with its "
            "sign"
        )
    capacitance = -1.0 / (2.0 * np.pi * f[lowest] * z[lowest].imag)
    resistance = 3.0 * max(float(np.ptp(z.real)), 1e-6 * float(np.abs(z).max()))
    size = np.abs(z)

    def misfit(parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        log_r, log_c, *free = parameters
        line = transmission_line(f, np.exp(log_r), np.exp(log_c))
        line += free[0] * resistance if free else known
        difference = (line - z) / size
        return np.concatenate([difference.real, difference.imag])

    start = np.array([np.log(resistance), np.log(capacitance), 0.0][: 2 + (series is None)])
    # Where the fit runs away, exponentials must not overflow.
    far = np.array([FAR, FAR, np.inf])[: len(start)]
    found = least_squares(misfit, start, bounds=(start - far, start + far), xtol=1e-12, ftol=1e-12)
    log_r, log_c, *free = (float(value) for value in found.x)
    line = TransmissionLine(
        free[0] * resistance if free else known,
        float(np.exp(log_r)),
        float(np.exp(log_c)),
        float(np.sqrt(2.0 * found.cost / len(f))),
    )
    turn = 1.0 / (2.0 * np.pi * line.resistance * line.capacitance)
    if not found.success or not f.min() < turn < f.max():
        raise ValueError(
            f"frequencies from {f.min():.3g} to {f.max():.3g} Hz do not tell resistance and "
            f"capacitance apart: the impedance turns at about {turn:.2g} Hz; give some on both "
            "sides of it"
        )
    return line
