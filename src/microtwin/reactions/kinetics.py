"""How fast a phase takes up a species, by its concentration."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["FirstOrder", "Kinetics", "MichaelisMenten", "ZeroOrder"]

Field = NDArray[np.float64]
VANISHING = 1e-7  # of the largest concentration: below it uptake of order zero ends


def _positive(what: str, value: float, unit: str) -> None:
    if not (np.isfinite(value) and value > 0.0):
        raise ValueError(f"{what} {value!r} is not allowed; give a number above 0, in {unit}")


@dataclass(frozen=True)
class FirstOrder:
    """Uptake in proportion to the concentration, k c.

    Parameters
    ----------
    constant : float
        k, in 1/s.
    """

    constant: float

    def __post_init__(self) -> None:
        _positive("rate constant", self.constant, "1/s")

    def rate(self, c: Field, largest: float) -> Field:
        """Return the rate in mol/m^3/s, for concentrations of which `largest` is possible."""
        return self.constant * c

    def slope(self, c: Field, largest: float) -> Field:
        """Return how the rate changes with the concentration, in 1/s."""
        return np.full_like(c, self.constant)


@dataclass(frozen=True)
class MichaelisMenten:
    """Uptake that saturates, V c / (K + c); Monod's law where V is that of growing cells.

    Below 0, where only iterates are, the rate goes on as a straight line.

    Parameters
    ----------
    maximum : float
        V, in mol/m^3/s.
    half_saturation : float
        K, the concentration at which the rate is half of it, in mol/m^3.
    """

    maximum: float
    half_saturation: float

    def __post_init__(self) -> None:
        _positive("maximal rate", self.maximum, "mol/m^3/s")
        _positive("half saturation", self.half_saturation, "mol/m^3")

    def rate(self, c: Field, largest: float) -> Field:
        """Return the rate in mol/m^3/s, for concentrations of which `largest` is possible."""
        return self.maximum * c / (self.half_saturation + np.maximum(c, 0.0))

    def slope(self, c: Field, largest: float) -> Field:
        """Return how the rate changes with the concentration, in 1/s."""
        k = self.half_saturation
        return self.maximum * k / (k + np.maximum(c, 0.0)) ** 2


@dataclass(frozen=True)
class ZeroOrder:
    """Uptake at one rate as long as there is anything.

    Where the species runs out the rate is what arrives. That is the limit of a rate that falls to
    0 between some tiny concentration and 0, in proportion.

    Parameters
    ----------
    constant : float
        In mol/m^3/s.
    """

    constant: float

    def __post_init__(self) -> None:
        _positive("rate", self.constant, "mol/m^3/s")

    def rate(self, c: Field, largest: float) -> Field:
        """Return the rate in mol/m^3/s, for concentrations of which `largest` is possible."""
        return self.constant * np.minimum(c / (VANISHING * largest), 1.0)

    def slope(self, c: Field, largest: float) -> Field:
        """Return how the rate changes with the concentration, in 1/s."""
        tiny = VANISHING * largest
        return np.where(c < tiny, self.constant / tiny, 0.0)


Kinetics = FirstOrder | MichaelisMenten | ZeroOrder
