"""How fast something reacts, by the concentrations of what takes part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..checking import is_number

__all__ = [
    "VANISHING",
    "FirstOrder",
    "Inhibition",
    "Kinetics",
    "Law",
    "MichaelisMenten",
    "Reaction",
    "Saturation",
    "ZeroOrder",
    "positive",
]

Field = NDArray[np.float64]
VANISHING = 1e-7  # of the largest concentration: below it uptake of order zero ends


def positive(what: str, value: float, unit: str) -> None:
    """Raise ValueError unless a number is above 0.

    Parameters
    ----------
    what : str
    value : float
    unit : str
    """
    if not (is_number(value) and value > 0.0):
        raise ValueError(f"{what} {value!r} is not allowed; give a number above 0, in {unit}")


@dataclass(frozen=True)
class FirstOrder:
    """A rate in proportion to the concentration, k c.

    Parameters
    ----------
    constant : float
        k, in 1/s in a phase, in m/s on a surface.
    """

    constant: float

    def __post_init__(self) -> None:
        positive("rate constant", self.constant, "1/s in a phase and m/s on a surface")

    def rate(self, c: Field, largest: float) -> Field:
        """Return the rate, for concentrations of which `largest` is possible."""
        return self.constant * c

    def slope(self, c: Field, largest: float) -> Field:
        """Return how the rate changes with the concentration."""
        return np.full_like(c, self.constant)


@dataclass(frozen=True)
class MichaelisMenten:
    """A rate that saturates, V c / (K + c); Monod's law where V is that of growing cells.

    Below 0, where only iterates are, the rate goes on as a straight line.

    Parameters
    ----------
    maximum : float
        V, in mol/m^3/s in a phase, in mol/m^2/s on a surface.
    half_saturation : float
        K, the concentration at which the rate is half of it, in mol/m^3.
    """

    maximum: float
    half_saturation: float

    def __post_init__(self) -> None:
        positive("maximal rate", self.maximum, "mol/m^3/s, or mol/m^2/s on a surface")
        positive("half saturation", self.half_saturation, "mol/m^3")

    def rate(self, c: Field, largest: float) -> Field:
        """Return the rate, for concentrations of which `largest` is possible."""
        return self.maximum * c / (self.half_saturation + np.maximum(c, 0.0))

    def slope(self, c: Field, largest: float) -> Field:
        """Return how the rate changes with the concentration."""
        k = self.half_saturation
        return self.maximum * k / (k + np.maximum(c, 0.0)) ** 2


@dataclass(frozen=True)
class ZeroOrder:
    """One rate as long as there is anything.

    Where the species runs out the rate is what arrives. That is the limit of a rate that falls to
    0 between some tiny concentration and 0, in proportion.

    Parameters
    ----------
    constant : float
        In mol/m^3/s in a phase, in mol/m^2/s on a surface.
    """

    constant: float

    def __post_init__(self) -> None:
        positive("rate", self.constant, "mol/m^3/s, or mol/m^2/s on a surface")

    def rate(self, c: Field, largest: float) -> Field:
        """Return the rate, for concentrations of which `largest` is possible."""
        return self.constant * np.minimum(c / (VANISHING * largest), 1.0)

    def slope(self, c: Field, largest: float) -> Field:
        """Return how the rate changes with the concentration."""
        tiny = VANISHING * largest
        return np.where(c < tiny, self.constant / tiny, 0.0)


@dataclass(frozen=True)
class Saturation:
    """A factor between 0 and 1, c / (K + c), by which another species limits a rate.

    Parameters
    ----------
    half_saturation : float
        K, in mol/m^3.
    """

    half_saturation: float

    def __post_init__(self) -> None:
        positive("half saturation", self.half_saturation, "mol/m^3")

    def rate(self, c: Field, largest: float) -> Field:
        """Return the factor, for concentrations of which `largest` is possible."""
        return c / (self.half_saturation + np.maximum(c, 0.0))

    def slope(self, c: Field, largest: float) -> Field:
        """Return how the factor changes with the concentration."""
        k = self.half_saturation
        return k / (k + np.maximum(c, 0.0)) ** 2


@dataclass(frozen=True)
class Inhibition:
    """A factor between 1 and 0, K / (K + c), by which a species slows a rate down.

    Parameters
    ----------
    constant : float
        K, the concentration that halves the rate, in mol/m^3.
    """

    constant: float

    def __post_init__(self) -> None:
        positive("inhibition constant", self.constant, "mol/m^3")

    def rate(self, c: Field, largest: float) -> Field:
        """Return the factor, for concentrations of which `largest` is possible."""
        return self.constant / (self.constant + np.maximum(c, 0.0))

    def slope(self, c: Field, largest: float) -> Field:
        """Return how the factor changes with the concentration."""
        return -self.constant / (self.constant + np.maximum(c, 0.0)) ** 2


Kinetics = FirstOrder | MichaelisMenten | ZeroOrder
Law = Kinetics | Saturation | Inhibition


@dataclass(frozen=True, eq=False)
class Reaction:
    """A reaction in a phase or on an interface, at a rate that is a product of laws.

    Parameters
    ----------
    where : str or (str, str)
        A phase, or the interface between two. Of a species that diffuses in both the concentration
        in the first counts: with partition coefficients the order matters.
    laws : mapping of str to FirstOrder, MichaelisMenten, ZeroOrder, Saturation or Inhibition
        By species; exactly one of them is a rate (one of the first three), the others are factors.
    amounts : mapping of str to float
        Stoichiometric coefficients: negative for what is used up, positive for what is made.

    Raises
    ------
    ValueError
        If no law or several laws give the rate, if an amount is 0 or no number, or if a species
        that is used up does not limit the rate, so that it would go on with nothing left.
    """

    where: str | tuple[str, str]
    laws: Mapping[str, Law]
    amounts: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        rates = [name for name, law in self.laws.items() if isinstance(law, Kinetics)]
        if len(rates) != 1:
            raise ValueError(
                f"a reaction in {self.where!r} has {len(rates)} rates; give one of FirstOrder, "
                "MichaelisMenten and ZeroOrder, and Saturation or Inhibition for other species"
            )
        if not self.amounts:
            object.__setattr__(self, "amounts", {rates[0]: -1.0})
        for name, amount in self.amounts.items():
            if not is_number(amount) or amount == 0.0:
                raise ValueError(
                    f"amount {amount!r} of {name!r} is not allowed; give a number below 0 for what "
                    "is used up and above 0 for what is made"
                )
            law = self.laws.get(name)
            if amount < 0.0 and (law is None or isinstance(law, Inhibition)):
                raise ValueError(
                    f"{name!r} is used up in {self.where!r} but does not limit the rate, so it "
                    f"would go on with nothing left; give {name!r} a law, such as Saturation"
                )

    @property
    def species(self) -> tuple[str, ...]:
        """All that take part."""
        return tuple(dict.fromkeys((*self.laws, *self.amounts)))
