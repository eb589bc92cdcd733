"""How probable it is that a failure index exceeds 1, and where strength is uncertain.

An index is a stress over a strength. Given as numbers, the share of the volume above 1 fails.
Where the strength scatters, or the stress is known to a relative error only, each voxel fails with
a probability, and their mean over the volume is the share that is expected to fail.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..checking import is_number
from .field_checks import checked_weights, positive

__all__ = [
    "Exceedance",
    "LognormalStrength",
    "WeibullStrength",
    "exceedance_curve",
    "exceedance_probability",
    "weakest_link_probability",
]

# The error of a field is integrated over that many deviations on either side, in steps that
# resolve both its bell and the rise of the probability of failure, which is 1 / modulus wide.
DEVIATIONS = 6.0
STEP = 0.5
# Voxels at a time, for the quadrature holds one array for each step.
BLOCK = 1 << 14

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class LognormalStrength:
    """A strength whose logarithm is normally distributed; the index refers to its median.

    Parameters
    ----------
    variation : float
        Standard deviation over mean, above 0.

    Raises
    ------
    ValueError
        If it is not allowed.
    """

    variation: float

    def __post_init__(self) -> None:
        positive("variation", self.variation, "parts of the mean")


@dataclass(frozen=True)
class WeibullStrength:
    """A strength with Weibull's distribution; the index refers to its scale, which 37 % exceed.

    Parameters
    ----------
    modulus : float
        Above 0; the larger, the less it scatters: between 5 and 50 for most materials.

    Raises
    ------
    ValueError
        If it is not allowed.
    """

    modulus: float

    def __post_init__(self) -> None:
        positive("modulus", self.modulus, "no unit")


@dataclass(frozen=True)
class Exceedance:
    """Share of a volume or area that is expected to fail.

    Parameters
    ----------
    share : float
        From 0 to 1.
    low, high : float
        The same with the whole field smaller and larger by its relative error, as where a material
        constant is wrong everywhere alike; equal to `share` without an error.
    """

    share: float
    low: float
    high: float


def exceedance_probability(
    index: ArrayLike,
    weights: ArrayLike | None = None,
    *,
    strength: LognormalStrength | WeibullStrength | None = None,
    field_error: float = 0.0,
) -> Exceedance:
    """Return the share of a volume or area in which a failure index is expected to exceed 1.

    Parameters
    ----------
    index : array, any shape
        Stress over strength, as `drucker_prager_index` gives; negative values never fail.
    weights : array of the same shape, optional
        A mask, the share of each voxel that counts, or the area of each facet.
    strength : LognormalStrength or WeibullStrength, optional
        How the strength scatters from place to place; by default it does not.
    field_error : float
        Relative standard error of the field, from 0 to below 1.

    Returns
    -------
    Exceedance

    Raises
    ------
    ValueError
        If an argument is not allowed, nothing counts, or shapes do not fit.

    Notes
    -----
    With P the distribution of the strength over its reference, and f the factor by which the field
    may be wrong, log f normal with variance log(1 + field_error^2), the share is the weighted mean
    of E[P(index f)]: Phi(log(index) / s), where s^2 adds both variances of the logarithm, for a
    lognormal strength or none, and by the trapezoidal rule for Weibull's,
    P(x) = 1 - exp(-x^m) (W. Weibull, J. Appl. Mech. 18 (1951) 293).

    Examples
    --------
    >>> exceedance_probability([0.5, 0.9, 1.1, 2.0]).share
    0.5
    >>> round(exceedance_probability([1.0], strength=WeibullStrength(10.0)).share, 4)
    0.6321
    """
    values = np.asarray(index, float)
    w = checked_weights(weights, values.shape)
    if not (is_number(field_error) and 0.0 <= field_error < 1.0):
        raise ValueError(
            f"field_error {field_error!r} is not allowed; give a relative error from 0 to below 1"
        )
    there = w > 0
    values, w = values[there], w[there].astype(float)
    if np.isnan(values).any():
        raise ValueError("some indices that count are NaN; give weight 0 where there is no stress")
    spread = float(np.sqrt(np.log1p(field_error**2)))

    def share(factor: float, error: float) -> float:
        total = sum(
            float(w[k : k + BLOCK] @ _failing(factor * values[k : k + BLOCK], strength, error))
            for k in range(0, len(values), BLOCK)
        )
        return min(total / float(w.sum()), 1.0)

    return Exceedance(
        share(1.0, spread), share(1.0 - field_error, 0.0), share(1.0 + field_error, 0.0)
    )


def exceedance_curve(
    index: ArrayLike, limits: ArrayLike, weights: ArrayLike | None = None
) -> NDArray[np.float64]:
    """Return the share of a volume or area in which a value exceeds each of some limits.

    Parameters
    ----------
    index : array, any shape
        A failure index, or a stress in Pa.
    limits : array, shape (n,)
        In the unit of the values.
    weights : array of the same shape, optional
        As in `exceedance_probability`.

    Returns
    -------
    ndarray, shape (n,)
        From 0 to 1, never growing with the limit.

    Raises
    ------
    ValueError
        If nothing counts or shapes do not fit.
    """
    values = np.asarray(index, float)
    w = checked_weights(weights, values.shape)
    there = w > 0
    values, w = values[there], w[there].astype(float)
    order = np.argsort(values)
    below = np.concatenate([[0.0], np.cumsum(w[order])])
    places = np.searchsorted(values[order], np.asarray(limits, float), side="right")
    return np.asarray(1.0 - below[places] / below[-1])


def weakest_link_probability(
    index: ArrayLike,
    volumes: ArrayLike | float,
    *,
    modulus: float,
    reference_volume: float,
) -> float:
    """Return the probability that a body fails anywhere, as a chain fails at its weakest link.

    Parameters
    ----------
    index : array, any shape
        Stress over the scale of Weibull's distribution for specimens of the reference volume;
        where it is negative nothing fails.
    volumes : array of the same shape, or float
        Of each voxel, as far as it is of the phase, in m^3; a number where all are the same.
    modulus : float
        Weibull's, above 0.
    reference_volume : float
        Of the specimens whose scale the index refers to, in m^3.

    Returns
    -------
    float
        1 - exp(-sum over voxels of index^m V / V0): larger bodies are weaker, by (V0 / V)^(1/m).

    Raises
    ------
    ValueError
        If a number is not positive, a volume negative, or shapes do not fit.

    Notes
    -----
    W. Weibull, J. Appl. Mech. 18 (1951) 293. Stress peaks count with the power m: average the
    stress over a length first.

    Examples
    --------
    >>> round(weakest_link_probability([1.0, 1.0], 1e-18, modulus=8, reference_volume=2e-18), 4)
    0.6321
    """
    m = positive("modulus", modulus, "no unit")
    reference = positive("reference_volume", reference_volume, "m^3")
    values = np.maximum(np.asarray(index, float), 0.0)
    v = np.asarray(volumes, float)
    if v.shape not in ((), values.shape) or not (np.isfinite(v) & (v >= 0.0)).all():
        raise ValueError(
            f"volumes of shape {v.shape} are not allowed for indices of shape {values.shape}; give "
            "one number, or one for each, none negative"
        )
    return float(-np.expm1(-(values**m * v).sum() / reference))


def _failing(
    index: Vector, strength: LognormalStrength | WeibullStrength | None, spread: float
) -> Vector:
    """Return the probability that each index exceeds its strength, over the error of the field."""
    from scipy.special import ndtr

    there = index > 0.0
    logarithm = np.log(np.where(there, index, 1.0))
    if isinstance(strength, WeibullStrength):
        nodes, weights = _bell(strength.modulus * spread)
        powers = strength.modulus * (logarithm[:, None] + spread * nodes)
        # Beyond this the exponential is 0, and its power would overflow.
        found = -np.expm1(-np.exp(np.minimum(powers, 50.0))) @ weights
    else:
        variance = spread**2
        if strength is not None:
            variance += float(np.log1p(strength.variation**2))
        certain = (logarithm > 0.0).astype(float)
        found = ndtr(logarithm / np.sqrt(variance)) if variance > 0.0 else certain
    return np.asarray(np.where(there, found, 0.0), float)


def _bell(steepness: float) -> tuple[Vector, Vector]:
    """Return nodes and weights of the integral over a standard normal; one node without error."""
    if steepness == 0.0:
        return np.zeros(1), np.ones(1)
    steps = int(np.ceil(DEVIATIONS / (STEP * min(1.0, 1.0 / steepness))))
    nodes = np.linspace(-DEVIATIONS, DEVIATIONS, 2 * steps + 1)
    weights = np.exp(-0.5 * nodes**2)
    return nodes, weights / weights.sum()
