"""Transport properties as others predict them from descriptors, to compare with computed ones."""

from __future__ import annotations

import math

__all__ = ["bruggeman", "stenzel"]


def bruggeman(volume_fraction: float, exponent: float = 1.5) -> float:
    """Return the relative diffusivity that Bruggeman's relation predicts, eps^exponent.

    3/2 is for a dilute suspension of insulating spheres of many sizes (D. A. G. Bruggeman, Ann.
    Phys. 416, 636 (1935)); the tortuosity factor is then eps^(1 - exponent).

    Parameters
    ----------
    volume_fraction : float
        eps of the phase that conducts, 0 to 1.
    exponent : float

    Returns
    -------
    float
        D_eff / D_0.

    Raises
    ------
    ValueError
        If the fraction is not between 0 and 1.
    """
    _check(volume_fraction, 0.0, 1.0, "volume fraction")
    return float(volume_fraction**exponent)


def stenzel(volume_fraction: float, constrictivity: float, geodesic_tortuosity: float) -> float:
    """Return the relative diffusivity that the regression of Stenzel et al. predicts.

    eps^1.15 beta^0.37 / tau_g^4.39, fitted to 43 virtual microstructures (O. Stenzel, O. Pecho,
    L. Holzer, M. Neumann, V. Schmidt, AIChE J. 62, 1834 (2016)).

    Parameters
    ----------
    volume_fraction : float
        eps of the phase that conducts, 0 to 1.
    constrictivity : float
        beta, 0 to 1, from `microtwin.descriptors.constrictivity`.
    geodesic_tortuosity : float
        tau_g, 1 or more, from `microtwin.descriptors.geodesic_tortuosity`.

    Returns
    -------
    float
        D_eff / D_0; 0 where no path leads through.

    Raises
    ------
    ValueError
        If an argument is outside its range.
    """
    _check(volume_fraction, 0.0, 1.0, "volume fraction")
    _check(constrictivity, 0.0, 1.0, "constrictivity")
    _check(geodesic_tortuosity, 1.0, math.inf, "geodesic tortuosity")
    return float(volume_fraction**1.15 * constrictivity**0.37 / geodesic_tortuosity**4.39)


def _check(value: float, least: float, most: float, name: str) -> None:
    if not least <= value <= most:
        raise ValueError(f"{name} {value!r} is not allowed; give a number from {least} to {most}")
