"""Distributions of particle diameters: lognormal, from D10, D50 and D90, or from a table."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["DiameterSampler", "Diameters", "Weight", "diameters_from"]

Weight = Literal["volume", "number"]

# Nodes of the tables by which distributions are kept, evenly spaced in the logarithm.
_NODES = 512
# Distributions without ends are cut at this many standard deviations of the logarithm.
_CUT = 3.0
# Standard normal quantile of 90 %.
_Z90 = 1.2815515655446004
_FORMS = (
    "a diameter in metres, (mean, standard deviation), {'d10': ..., 'd50': ..., 'd90': ...}, "
    "{'table': [(diameter, share below it), ...]} or an object with rvs(size, random_state)"
)


class DiameterSampler(Protocol):
    """Anything that draws diameters in metres, for example a frozen `scipy.stats` distribution."""

    def rvs(self, size: int, random_state: Any) -> NDArray[np.float64]:
        """Draw `size` diameters with a numpy generator."""


@dataclass(frozen=True, eq=False)
class Diameters:
    """A distribution of particle diameters, kept as a table.

    Between two nodes the number density is constant. Diameters are those of spheres of equal
    volume.

    Parameters
    ----------
    nodes : ndarray of float, shape (n,)
        Diameters in metres, ascending.
    shares : ndarray of float, shape (n,)
        Share of all particles, counted by number, that are smaller than each node: 0 to 1.
    """

    nodes: NDArray[np.float64] = field(repr=False)
    shares: NDArray[np.float64] = field(repr=False)

    @classmethod
    def lognormal(cls, mean: float, deviation: float) -> Diameters:
        """Return the lognormal distribution with this mean and standard deviation by number.

        Both in metres. It is cut at three standard deviations of the logarithm.

        Raises
        ------
        ValueError
            If the mean is not positive or the deviation is negative.
        """
        if not (math.isfinite(mean) and mean > 0 and math.isfinite(deviation) and deviation >= 0):
            raise ValueError(
                f"diameters of mean {mean!r} and standard deviation {deviation!r} are not allowed; "
                "give metres, a mean above 0 and a deviation of 0 or more"
            )
        log_variance = math.log1p((deviation / mean) ** 2)
        z = np.linspace(-_CUT, _CUT, _NODES)
        nodes = mean * np.exp(math.sqrt(log_variance) * z - 0.5 * log_variance)
        return cls(nodes, _normal_shares(z))

    @classmethod
    def percentiles(
        cls, d10: float, d50: float, d90: float, weight: Weight = "volume"
    ) -> Diameters:
        """Return a distribution with these percentiles.

        Its logarithm is normal on either side of the median, with a standard deviation of its own
        on each, and cut at three of them.

        Parameters
        ----------
        d10, d50, d90 : float
            Diameters in metres below which 10, 50 and 90 % lie.
        weight : {"volume", "number"}
            Whether these are shares of the volume, as laser diffraction reports them, or of the
            number of particles.

        Raises
        ------
        ValueError
            If the diameters do not ascend from above 0.
        """
        if not (0 < d10 < d50 < d90 and math.isfinite(d90)):
            raise ValueError(
                f"d10 = {d10!r}, d50 = {d50!r}, d90 = {d90!r} are not allowed; "
                "give three ascending diameters in metres"
            )
        z = np.linspace(-_CUT, _CUT, _NODES)
        slope = np.where(z < 0, math.log(d50 / d10), math.log(d90 / d50)) / _Z90
        return cls._from_shares(d50 * np.exp(slope * z), _normal_shares(z), weight)

    @classmethod
    def table(cls, rows: Sequence[Sequence[float]], weight: Weight = "volume") -> Diameters:
        """Return the distribution of a measured table.

        Parameters
        ----------
        rows : sequence of (float, float)
            Diameter in metres, and the share of all particles below it. The shares ascend from 0
            to 1; between two rows they are linear in the logarithm of the diameter.
        weight : {"volume", "number"}
            What the shares count.

        Raises
        ------
        ValueError
            If a column does not ascend, or the shares do not start at 0 and end at 1.
        """
        values = np.array(rows, float)
        if (
            values.ndim != 2
            or values.shape[1] != 2
            or len(values) < 2
            or not np.all(np.isfinite(values))
            or not (np.all(np.diff(values[:, 0]) > 0) and np.all(np.diff(values[:, 1]) >= 0))
            or values[0, 0] <= 0
            or values[0, 1] != 0
            or values[-1, 1] != 1
        ):
            raise ValueError(
                f"the table of diameters {rows!r} is not allowed; give rows (diameter in metres, "
                "share below it) in which both ascend, the first share 0 and the last 1"
            )
        logs = np.log(values[:, 0])
        fine = np.union1d(np.linspace(logs[0], logs[-1], _NODES), logs)
        return cls._from_shares(np.exp(fine), np.interp(fine, logs, values[:, 1]), weight)

    @classmethod
    def _from_shares(
        cls, nodes: NDArray[np.float64], shares: NDArray[np.float64], weight: Weight
    ) -> Diameters:
        if weight not in ("volume", "number"):
            raise ValueError(f"weight {weight!r} is not known; use 'volume' or 'number'")
        if weight == "number":
            return cls(nodes, shares)
        number = np.diff(shares) / _mean_cubes(nodes)
        cumulated = np.concatenate([[0.0], np.cumsum(number)])
        return cls(nodes, cumulated / cumulated[-1])

    @property
    def mean(self) -> float:
        """Mean diameter by number, in metres."""
        return float(np.diff(self.shares) @ (0.5 * (self.nodes[1:] + self.nodes[:-1])))

    def cdf(self, diameter: NDArray[np.float64] | float) -> NDArray[np.float64]:
        """Return the share of particles, by number, that are smaller than a diameter in metres."""
        return np.asarray(np.interp(diameter, self.nodes, self.shares))

    def volume_cdf(self, diameter: NDArray[np.float64] | float) -> NDArray[np.float64]:
        """Return the share of the volume in particles smaller than a diameter in metres."""
        return np.asarray(np.interp(diameter, self.nodes, self._volume_shares()))

    def percentile(self, percent: float, weight: Weight = "volume") -> float:
        """Return the diameter in metres below which this percentage of volume or number lies."""
        shares = self.shares if weight == "number" else self._volume_shares()
        return float(np.interp(percent / 100.0, shares, self.nodes))

    def rvs(self, size: int, random_state: np.random.Generator) -> NDArray[np.float64]:
        """Draw diameters in metres."""
        return np.interp(random_state.random(size), self.shares, self.nodes)

    def _volume_shares(self) -> NDArray[np.float64]:
        volume = np.diff(self.shares) * _mean_cubes(self.nodes)
        cumulated = np.concatenate([[0.0], np.cumsum(volume)])
        return cumulated / cumulated[-1]


def diameters_from(given: Any) -> DiameterSampler:
    """Return the distribution that a recipe names.

    Parameters
    ----------
    given : float, (float, float), mapping or sampler
        One diameter; mean and standard deviation of a lognormal distribution by number; a
        mapping with d10, d50 and d90, or with a table, and optionally the weight "volume"
        (default) or "number"; or any object with ``rvs(size=..., random_state=...)``. Metres.

    Returns
    -------
    DiameterSampler

    Raises
    ------
    ValueError
        If it is none of these, or not a distribution of positive diameters.
    """
    if isinstance(given, int | float):
        return Diameters.lognormal(float(given), 0.0)
    if isinstance(given, Mapping):
        keys = {name: value for name, value in given.items() if value is not None}
        weight = keys.pop("weight", "volume")
        if set(keys) == {"table"}:
            return Diameters.table(keys["table"], weight)
        if set(keys) == {"d10", "d50", "d90"}:
            return Diameters.percentiles(**keys, weight=weight)
        if set(keys) == {"mean", "deviation"} and "weight" not in given:
            return Diameters.lognormal(**keys)
    elif hasattr(given, "rvs"):
        sampler: DiameterSampler = given
        return sampler
    elif isinstance(given, Sequence) and not isinstance(given, str) and len(given) == 2:
        return Diameters.lognormal(float(given[0]), float(given[1]))
    raise ValueError(f"diameters {given!r} are not understood; give {_FORMS}")


def _normal_shares(z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distribution function of the standard normal distribution, cut at the ends of z."""
    from scipy.special import ndtr

    share = ndtr(z)
    scaled: NDArray[np.float64] = (share - share[0]) / (share[-1] - share[0])
    return scaled


def _mean_cubes(nodes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of the cubed diameter between neighbouring nodes, for a constant density there."""
    low, high = nodes[:-1], nodes[1:]
    return 0.25 * (low + high) * (low**2 + high**2)
