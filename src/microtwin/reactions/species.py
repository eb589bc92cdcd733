"""What diffuses, where it comes from, and what holds it back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..checking import is_number
from ..meshing import BOX_FACES
from ..microstructure import Microstructure
from .isotherms import Isotherm

__all__ = ["Concentration", "Exchange", "Flux", "Place", "Species", "Supply", "place_name"]

Place = str | tuple[str, str]


@dataclass(frozen=True)
class Concentration:
    """A given concentration.

    Parameters
    ----------
    value : float
        In mol/m^3.
    """

    value: float

    def __post_init__(self) -> None:
        _not_negative("concentration", self.value, "mol/m^3")


@dataclass(frozen=True)
class Flux:
    """A given flux into the image.

    Parameters
    ----------
    value : float
        In mol/m^2/s. What leaves at a rate of its own is a reaction, not a flux: it ends where
        there is nothing left.
    """

    value: float

    def __post_init__(self) -> None:
        _not_negative("flux", self.value, "mol/m^2/s")


@dataclass(frozen=True)
class Exchange:
    """A flux in proportion to a difference, P (c_outside - c / K): a membrane or a boundary layer.

    K is the partition coefficient of the phase, 1 if none is given.

    Parameters
    ----------
    permeability : float
        P, in m/s: the wall of a vessel, or diffusivity over thickness of a layer.
    concentration : float
        Beyond it, in mol/m^3.
    """

    permeability: float
    concentration: float

    def __post_init__(self) -> None:
        if not (is_number(self.permeability) and self.permeability > 0.0):
            raise ValueError(
                f"permeability {self.permeability!r} is not allowed; give a number above 0, in m/s"
            )
        _not_negative("concentration", self.concentration, "mol/m^3")


Supply = Concentration | Flux | Exchange


@dataclass(frozen=True, eq=False)
class Species:
    """One species in an image.

    Parameters
    ----------
    diffusivity : mapping of str to float
        Of each phase in which it diffuses, in m^2/s. It enters no other phase.
    supply : mapping of str to float, Concentration, Flux or Exchange
        What holds on the surface of a phase in which it does not diffuse (medium, vessels), or on
        a face of the box ("z_low" to "x_high"); a number is a concentration, in a phase with the
        partition coefficient 1. Nothing passes other surfaces.
    partition : mapping of str to float
        Concentration in a phase over that in a phase with 1, at equilibrium; 1 if not given.
    barriers : mapping of (str, str) to float
        Permeability in m/s of membranes between two phases in which it diffuses.
    sorption : mapping of str or (str, str) to Linear, Langmuir or Freundlich
        What a phase, or the interface between two, holds beside what is dissolved. Where the
        species diffuses in both phases, the concentration in the first counts. Matters only while
        concentrations change.

    Raises
    ------
    ValueError
        If a number is not allowed.
    """

    diffusivity: Mapping[str, float]
    supply: Mapping[str, float | Supply] = field(default_factory=dict)
    partition: Mapping[str, float] = field(default_factory=dict)
    barriers: Mapping[tuple[str, str], float] = field(default_factory=dict)
    sorption: Mapping[Any, Isotherm] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, value in self.diffusivity.items():
            if not (is_number(value) and value > 0.0):
                raise ValueError(
                    f"diffusivity {value!r} of {name!r} is not allowed; give a number above 0 in "
                    "m^2/s, or leave out phases that the species does not enter"
                )
        if not self.diffusivity:
            raise ValueError(
                "a species needs a phase in which it diffuses; give its diffusivity there"
            )
        supply: dict[str, Supply] = {}
        for name, given in self.supply.items():
            if name in self.diffusivity:
                raise ValueError(
                    f"{name!r} cannot be both a source and a phase in which the species diffuses"
                )
            if isinstance(given, Supply):
                supply[name] = given
            else:
                _not_negative("concentration", given, "mol/m^3", f" of {name!r}")
                supply[name] = Concentration(given)
        object.__setattr__(self, "supply", supply)
        for phase, value in self.partition.items():
            self._check_inner("partition coefficient", value, phase, "")
        for pair, value in self.barriers.items():
            self._check_inner("permeability", value, pair, ", in m/s")

    def _check_inner(self, what: str, value: float, place: Place, unit: str) -> None:
        """Raise ValueError unless a number is above 0 and belongs to where the species is."""
        if not (is_number(value) and value > 0.0):
            raise ValueError(
                f"{what} {value!r} of {place_name(place)} is not allowed; "
                f"give a number above 0{unit}"
            )
        for phase in (place,) if isinstance(place, str) else place:
            if phase not in self.diffusivity:
                raise ValueError(
                    f"{what} of {place_name(place)}: the species does not diffuse in {phase!r}; "
                    "give its diffusivity there"
                )

    @property
    def supplies(self) -> dict[str, Supply]:
        """The supply, numbers as concentrations."""
        return {name: value for name, value in self.supply.items() if isinstance(value, Supply)}

    def held(self, phase: str) -> float:
        """Return the partition coefficient of a phase."""
        return float(self.partition.get(phase, 1.0))

    def check(self, micro: Microstructure, name: str, periodic: bool) -> None:
        """Raise ValueError where the species does not fit an image.

        Parameters
        ----------
        micro : Microstructure
        name : str
            Of the species.
        periodic : bool
        """
        phases = micro.phase_names
        for place in (*self.diffusivity, *self.sorption):
            check_place(micro, place)
        for source in self.supply:
            if source not in phases and source not in BOX_FACES:
                raise ValueError(
                    f"{name}: there is no source {source!r}; use a phase ({', '.join(phases)}) or "
                    f"a face of the box ({', '.join(BOX_FACES)})"
                )
            if source in BOX_FACES and periodic:
                raise ValueError(
                    f"{name}: a periodic image has no face {source!r}; name a phase as source"
                )


def check_place(micro: Microstructure, place: Place) -> None:
    """Raise ValueError unless a place is a phase of an image, or two of them.

    Parameters
    ----------
    micro : Microstructure
    place : str or (str, str)
    """
    names = (place,) if isinstance(place, str) else place
    for name in names:
        if name not in micro.phase_names:
            raise ValueError(
                f"there is no phase {name!r}; phases are {', '.join(micro.phase_names)}"
            )
    if not isinstance(place, str) and (len(place) != 2 or place[0] == place[1]):
        raise ValueError(f"{place!r} is no interface; give two different phases")


def place_name(place: Place) -> str:
    """Return a phase, or an interface, in words."""
    return f"{place!r}" if isinstance(place, str) else " / ".join(map(repr, place))


def _not_negative(what: str, value: float, unit: str, place: str = "") -> None:
    if not (is_number(value) and value >= 0.0):
        raise ValueError(f"{what} {value!r}{place} is not allowed; it is 0 or more, in {unit}")
