"""What a phase or a surface holds beside what is dissolved: sorption isotherms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .kinetics import VANISHING, positive

__all__ = ["Freundlich", "Isotherm", "Langmuir", "Linear"]

Field = NDArray[np.float64]


@dataclass(frozen=True)
class Linear:
    """Sorption in proportion to the concentration, K c.

    Parameters
    ----------
    constant : float
        K: without unit in a phase, where it is the retardation factor less 1; in m on a surface.
    """

    constant: float

    def __post_init__(self) -> None:
        positive("sorption constant", self.constant, "m on a surface and none in a phase")

    def amount(self, c: Field, largest: float) -> Field:
        """Return what is held, in mol/m^3 of a phase or mol/m^2 of a surface."""
        return self.constant * c

    def slope(self, c: Field, largest: float) -> Field:
        """Return how it changes with the concentration."""
        return np.full_like(c, self.constant)


@dataclass(frozen=True)
class Langmuir:
    """Sorption on a limited number of sites, q K c / (1 + K c) (Langmuir 1918).

    Parameters
    ----------
    capacity : float
        q, what all sites hold, in mol/m^3 of a phase or mol/m^2 of a surface.
    affinity : float
        K, in m^3/mol: half of the sites are taken at 1 / K.
    """

    capacity: float
    affinity: float

    def __post_init__(self) -> None:
        positive("capacity", self.capacity, "mol/m^3, or mol/m^2 on a surface")
        positive("affinity", self.affinity, "m^3/mol")

    def amount(self, c: Field, largest: float) -> Field:
        """Return what is held, in mol/m^3 of a phase or mol/m^2 of a surface."""
        return self.capacity * self.affinity * c / (1.0 + self.affinity * np.maximum(c, 0.0))

    def slope(self, c: Field, largest: float) -> Field:
        """Return how it changes with the concentration."""
        k = self.affinity
        return self.capacity * k / (1.0 + k * np.maximum(c, 0.0)) ** 2


@dataclass(frozen=True)
class Freundlich:
    """Sorption on sites of many kinds, k c^n with n below 1.

    Parameters
    ----------
    constant : float
        k, what is held at 1 mol/m^3, in mol/m^3 of a phase or mol/m^2 of a surface.
    exponent : float
        n, above 0 and at most 1.

    Notes
    -----
    The slope at c = 0 is infinite; below a tiny concentration the curve goes on as a straight line
    through 0.
    """

    constant: float
    exponent: float

    def __post_init__(self) -> None:
        positive("Freundlich constant", self.constant, "mol/m^3 at 1 mol/m^3")
        if not 0.0 < self.exponent <= 1.0:
            raise ValueError(
                f"Freundlich exponent {self.exponent!r} is not allowed; it is above 0, at most 1"
            )

    def amount(self, c: Field, largest: float) -> Field:
        """Return what is held, in mol/m^3 of a phase or mol/m^2 of a surface."""
        tiny = VANISHING * largest
        steep = self.constant * tiny ** (self.exponent - 1.0)
        return np.where(c < tiny, steep * c, self.constant * np.maximum(c, tiny) ** self.exponent)

    def slope(self, c: Field, largest: float) -> Field:
        """Return how it changes with the concentration."""
        tiny, n = VANISHING * largest, self.exponent
        steep = self.constant * tiny ** (n - 1.0)
        return np.where(c < tiny, steep, n * self.constant * np.maximum(c, tiny) ** (n - 1.0))


Isotherm = Linear | Langmuir | Freundlich
