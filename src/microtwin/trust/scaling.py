"""How the variance of a property falls with the volume it is averaged over."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

__all__ = ["VarianceLaw", "fit_variance_law"]

CONFIDENCE = 0.90


@dataclass(frozen=True, eq=False)
class VarianceLaw:
    """The law Var(V) = K / V^exponent, fitted to sub-volumes of one image.

    Attributes
    ----------
    volume : float
        Volume of the whole image (m^3).
    std : float
        Standard deviation at that volume.
    interval : tuple of float
        Its 90 % confidence interval.
    exponent : float
        The exponent of the law.
    observed_exponent, exponent_uncertainty : float or None
        Exponent fitted to the standard deviations, and its standard uncertainty; None with fewer
        than two sizes.
    fitted_std : ndarray, shape (sizes,)
        Standard deviation at the volumes of the sub-volumes.
    """

    volume: float
    std: float
    interval: tuple[float, float]
    exponent: float
    observed_exponent: float | None
    exponent_uncertainty: float | None
    fitted_std: NDArray[np.float64] = field(repr=False)

    @property
    def short_range(self) -> bool:
        """False if the variance falls more slowly than the law, by two standard uncertainties.

        A gradient through the image or correlation over its whole length does that.
        """
        if self.observed_exponent is None or self.exponent_uncertainty is None:
            return True
        return self.exponent - self.observed_exponent <= 2 * self.exponent_uncertainty

    def volume_for(self, std: float) -> float:
        """Return the volume (m^3) at which the standard deviation falls to a given value."""
        if std <= 0:
            raise ValueError(
                f"standard deviation {std!r} is not reached by any volume; ask for > 0"
            )
        return float(self.volume * (self.std / std) ** (2 / self.exponent))


def fit_variance_law(
    volumes: Sequence[float],
    counts: Sequence[int],
    stds: Sequence[float],
    volume: float,
    factors: Sequence[float] | None = None,
    exponent: float | None = 1.0,
) -> VarianceLaw:
    """Fit the variance law to the scatter of sub-volumes.

    Each size gives an estimate of the variance at the whole volume, and they are averaged with
    their degrees of freedom as weights. All sizes cut the same image, so their estimates are not
    independent, and the confidence interval counts the degrees of freedom of one size only.

    Parameters
    ----------
    volumes, counts, stds : sequence, one entry for each size
        Volume of a sub-volume (m^3), number of sub-volumes (at least 2) and standard deviation
        of the property over them.
    volume : float
        Volume of the whole image (m^3).
    factors : sequence of float, optional
        Ratio of the variance at each size to the law for large volumes, where it is known
        (`IntegralRange.finite_size_factor`); 1 by default.
    exponent : float or None
        Exponent of the law, or None to use the observed one.

    Returns
    -------
    VarianceLaw

    Raises
    ------
    ValueError
        If the exponent is not positive, a size has fewer than two sub-volumes, or a fit of the
        exponent is asked for and cannot be made.
    """
    v = np.asarray(volumes, float) / volume
    freedom = np.asarray(counts, float) - 1
    variance = np.asarray(stds, float) ** 2
    ratio = np.ones_like(v) if factors is None else np.asarray(factors, float)
    if np.any(freedom < 1):
        raise ValueError(f"counts {tuple(counts)} are not allowed; each size needs 2 sub-volumes")
    observed, uncertainty = _observed_exponent(v, freedom, variance / ratio)
    if exponent is None:
        if observed is None or observed <= 0:
            raise ValueError(
                f"the exponent cannot be fitted (result {observed}); "
                "give more sizes of sub-volumes, or exponent=1"
            )
        exponent = observed
    if not exponent > 0:
        raise ValueError(f"exponent {exponent!r} is not allowed; use a number above 0, usually 1")
    whole = float(np.average(variance / ratio * v**exponent, weights=freedom))
    low, high = _interval(float(freedom.max()))
    std = math.sqrt(whole)
    return VarianceLaw(
        volume=volume,
        std=std,
        interval=(low * std, high * std),
        exponent=exponent,
        observed_exponent=observed,
        exponent_uncertainty=uncertainty,
        fitted_std=np.sqrt(whole * ratio / v**exponent),
    )


def _observed_exponent(
    v: NDArray[np.float64], freedom: NDArray[np.float64], variance: NDArray[np.float64]
) -> tuple[float | None, float | None]:
    """Weighted straight line through log variance against log volume."""
    if np.unique(v).size < 2 or np.any(variance <= 0):
        return None, None
    # ln of a sample variance has mean -1/n and variance 2/n about the true one, n its freedom.
    y, x, weight = np.log(variance) + 1 / freedom, np.log(v), freedom / 2
    centred = x - np.average(x, weights=weight)
    spread = float(weight @ centred**2)
    return -float(weight @ (centred * y)) / spread, 1 / math.sqrt(spread)


def _interval(freedom: float) -> tuple[float, float]:
    """Limits of the true over the measured standard deviation (chi-squared)."""
    from scipy.special import chdtri

    tail = (1 - CONFIDENCE) / 2
    return (
        math.sqrt(freedom / float(chdtri(freedom, tail))),
        math.sqrt(freedom / float(chdtri(freedom, 1 - tail))),
    )
