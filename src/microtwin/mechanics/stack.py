"""From strains of the image to the thickness and pressure of a stack of layers."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .field_checks import positive

__all__ = ["stack_pressure", "thickness_change"]


def thickness_change(mean_strain: ArrayLike, thickness: ArrayLike) -> float:
    """Return by how much a layer, or a stack of layers, grows in thickness, in m.

    Parameters
    ----------
    mean_strain : array, shape (6,), (n, 6) or (n,)
        Of a layer or of each of n; of six components the first, zz, counts. Six numbers are one
        layer if there is one thickness.
    thickness : float or array, shape (n,)
        Of each layer, in m.

    Returns
    -------
    float
        Times 1e6 it is in micrometres.

    Raises
    ------
    ValueError
        If a thickness is not positive or shapes do not fit.

    Examples
    --------
    >>> round(1e6 * thickness_change([0.01, 0.0, 0.0, 0.0, 0.0, 0.0], 80e-6), 6)
    0.8
    """
    strains, layers = _layers(mean_strain, thickness)
    return float(strains @ layers)


def stack_pressure(
    mean_strain: ArrayLike,
    thickness: ArrayLike,
    modulus: ArrayLike,
    *,
    fixture_stiffness: float = math.inf,
    initial: float = 0.0,
) -> float:
    """Return the pressure on a stack whose layers would grow, but are held by a fixture, in Pa.

    Parameters
    ----------
    mean_strain, thickness
        As in `thickness_change`: the strains without pressure.
    modulus : float or array, shape (n,)
        Stress over strain across each layer, in Pa: Young's modulus where its sides are free,
        C_zzzz where they are held.
    fixture_stiffness : float
        Pressure that opens the fixture by a metre, in Pa/m: infinite for a rigid one, 0 for one
        that gives way.
    initial : float
        Pressure before, in Pa.

    Returns
    -------
    float
        Not below 0: a stack that shrinks away from its fixture bears nothing.

    Raises
    ------
    ValueError
        If a number is not allowed or shapes do not fit.

    Notes
    -----
    Springs in series: p = p0 + sum(strain t) / (sum(t / E) + 1 / k).

    Examples
    --------
    A rigid fixture presses as if the strain were elastic:

    >>> round(stack_pressure(0.01, 80e-6, 1e9) / 1e6, 6)
    10.0
    """
    strains, layers = _layers(mean_strain, thickness)
    moduli = np.broadcast_to(np.asarray(modulus, float), layers.shape)
    if not (np.isfinite(moduli) & (moduli > 0.0)).all():
        raise ValueError(f"modulus {modulus!r} is not allowed; give numbers above 0, in Pa")
    if fixture_stiffness == 0.0:
        return max(float(initial), 0.0)
    if fixture_stiffness != math.inf:
        positive("fixture_stiffness", fixture_stiffness, "Pa/m")
    compliance = float((layers / moduli).sum()) + 1.0 / fixture_stiffness
    return max(float(initial + (strains @ layers) / compliance), 0.0)


def _layers(
    mean_strain: ArrayLike, thickness: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return strain across, and thickness, of each layer."""
    layers = np.atleast_1d(np.asarray(thickness, float))
    if layers.ndim != 1 or not (np.isfinite(layers) & (layers > 0.0)).all():
        raise ValueError(f"thickness {thickness!r} is not allowed; give lengths above 0, in m")
    strains = np.atleast_1d(np.asarray(mean_strain, float))
    if strains.shape == (6,) and len(layers) == 1:
        strains = strains[None]
    if strains.ndim == 2 and strains.shape[1] == 6:
        strains = strains[:, 0]
    if strains.shape != layers.shape or not np.isfinite(strains).all():
        raise ValueError(
            f"strains of shape {np.shape(mean_strain)} do not fit {len(layers)} layers; give six "
            "components, or the one across, for each"
        )
    return strains, layers
