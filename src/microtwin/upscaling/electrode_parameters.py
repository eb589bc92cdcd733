"""What a porous-electrode model needs to know of an electrode, each number with its error."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..checking import is_number
from ..trust.budget import format_with_uncertainty

__all__ = ["ElectrodeParameters", "Quantity"]

UNITS = {
    "thickness": "m",
    "porosity": "1",
    "active_fraction": "1",
    "liquid_transport_efficiency": "1",
    "specific_surface": "1/m",
    "particle_radius": "m",
    "solid_conductivity": "S/m",
    "bulk_solid_conductivity": "S/m",
    "inert_fraction": "1",
}
ARRAYS = ("porosity_profile", "particle_radii", "radius_weights")
# The source of an inert fraction that was not given; it then follows the other two.
LEFT_OVER = "What porosity and active material leave."
# Fractions and efficiencies come from different solves and counts; a sum or ratio further off
# than this is a mistake.
ROUNDING = 1e-3


@dataclass(frozen=True)
class Quantity:
    """A number with its unit, its uncertainty and where it is from.

    Parameters
    ----------
    value : float
    unit : str
        SI; "1" for a ratio.
    uncertainty : float, optional
        Standard uncertainty or half-width, in the same unit. None if it is not known; so is 0,
        which no measurement has.
    source : str
        A sentence that says how the number was found.

    Raises
    ------
    ValueError
        If the value or the uncertainty is no finite number, or the uncertainty is negative.
    """

    value: float
    unit: str
    uncertainty: float | None = None
    source: str = ""

    def __post_init__(self) -> None:
        if not is_number(self.value):
            raise ValueError(f"value {self.value!r} is not allowed; give a finite number")
        object.__setattr__(self, "value", float(self.value))
        if self.uncertainty is None:
            return
        if not is_number(self.uncertainty) or self.uncertainty < 0.0:
            raise ValueError(
                f"uncertainty {self.uncertainty!r} is not allowed; give a positive number in "
                f"{self.unit}, or None if it is not known"
            )
        object.__setattr__(self, "uncertainty", float(self.uncertainty) or None)

    def __str__(self) -> str:
        unit = "" if self.unit == "1" else self.unit
        return format_with_uncertainty(self.value, self.uncertainty, unit)


@dataclass(frozen=True, eq=False)
class ElectrodeParameters:
    """Parameters of one electrode, homogenised over its volume.

    `from_numbers` builds it from plain numbers, `measure_electrode` from an image.

    Parameters
    ----------
    thickness : Quantity
        Of the coating, in m.
    porosity : Quantity
        Share of the volume that holds electrolyte.
    active_fraction : Quantity
        Share of the volume that is active material and connected to the collector.
    liquid_transport_efficiency : Quantity
        Effective conductivity of the electrolyte through the thickness over that of free
        electrolyte: porosity over tortuosity factor.
    specific_surface : Quantity
        Area of active material that touches electrolyte, per volume of the electrode, in 1/m.
    particle_radius : Quantity
        Of the sphere that stands for the particles, in m. Models take it for the length of
        diffusion in the solid.
    solid_conductivity : Quantity, optional
        Effective electronic conductivity through the thickness, per area of the electrode, in S/m.
    bulk_solid_conductivity : Quantity, optional
        Of the active material itself, in S/m.
    inert_fraction : Quantity, optional
        Share of the volume that is solid and stores no lithium. By default what porosity and
        active fraction leave over, in changed copies as well.
    porosity_profile : ndarray, shape (n,), optional
        Porosity of layers of equal thickness, from the collector to the separator.
    particle_radii, radius_weights : ndarray, shape (n,), optional
        Distribution of the radii of the particles, in m, and share of the volume of each.

    Raises
    ------
    ValueError
        If a number is not allowed, a unit is another one, fractions add up to more than 1, or the
        electrolyte conducts better than straight pores of that porosity would.
    """

    thickness: Quantity
    porosity: Quantity
    active_fraction: Quantity
    liquid_transport_efficiency: Quantity
    specific_surface: Quantity
    particle_radius: Quantity
    solid_conductivity: Quantity | None = None
    bulk_solid_conductivity: Quantity | None = None
    inert_fraction: Quantity | None = None
    porosity_profile: NDArray[np.float64] | None = field(default=None, repr=False)
    particle_radii: NDArray[np.float64] | None = field(default=None, repr=False)
    radius_weights: NDArray[np.float64] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        for name in UNITS:
            _check(name, getattr(self, name), optional=name in _OPTIONAL)
        solid = self.active_fraction.value
        rest = 1.0 - self.porosity.value - solid
        # A copy with another porosity has another rest too, so a derived one is derived again.
        if self.inert_fraction is None or self.inert_fraction.source == LEFT_OVER:
            derived = Quantity(max(rest, 0.0), "1", None, LEFT_OVER)
            object.__setattr__(self, "inert_fraction", derived)
        else:
            rest -= self.inert_fraction.value
        if rest < -ROUNDING:
            raise ValueError(
                f"porosity, active fraction and inert fraction add up to {1.0 - rest:.4g}; they "
                "are shares of one volume and must not exceed 1"
            )
        if self.liquid_transport_efficiency.value > self.porosity.value * (1.0 + ROUNDING):
            raise ValueError(
                f"transport efficiency {self.liquid_transport_efficiency.value:.4g} is larger than "
                f"the porosity {self.porosity.value:.4g}, which straight pores would have; give "
                "effective over free conductivity, not its inverse"
            )
        self._set_arrays()

    def _set_arrays(self) -> None:
        for name in ARRAYS:
            given = getattr(self, name)
            if given is not None:
                object.__setattr__(self, name, _array(name, given))
        if (self.particle_radii is None) != (self.radius_weights is None):
            raise ValueError(
                "a distribution of radii needs both particle_radii and radius_weights; give both "
                "or neither"
            )
        if self.particle_radii is None or self.radius_weights is None:
            return
        radii, weights = self.particle_radii, self.radius_weights
        total = float(weights.sum())
        if radii.shape != weights.shape or (radii <= 0.0).any() or total <= 0.0:
            raise ValueError(
                "particle_radii must be positive and have one weight each, with a positive sum; "
                f"there are {radii.size} radii and {weights.size} weights"
            )
        object.__setattr__(self, "radius_weights", _array("radius_weights", weights / total))

    @classmethod
    def from_numbers(
        cls,
        *,
        source: str = "",
        uncertainties: Mapping[str, float | None] | None = None,
        porosity_profile: ArrayLike | None = None,
        particle_radii: ArrayLike | None = None,
        radius_weights: ArrayLike | None = None,
        **numbers: float,
    ) -> ElectrodeParameters:
        """Return the parameters from plain numbers in SI units.

        Parameters
        ----------
        source : str
            Where the numbers are from.
        uncertainties : mapping of str to float, optional
            Of any of the numbers, by name.
        porosity_profile, particle_radii, radius_weights : array_like, optional
            As in the class.
        **numbers
            The other parameters of the class by name, each a number.

        Returns
        -------
        ElectrodeParameters

        Raises
        ------
        ValueError
            As the class, or if a name is not known or a number is missing.
        """
        errors = dict(uncertainties or {})
        if unknown := sorted((set(numbers) | set(errors)) - set(UNITS)):
            raise ValueError(f"{', '.join(unknown)} not known; there are {', '.join(UNITS)}")
        if missing := [n for n in UNITS if n not in _OPTIONAL and n not in numbers]:
            raise ValueError(f"{', '.join(missing)} missing; an electrode needs every one")
        quantities: dict[str, Any] = {
            name: Quantity(value, UNITS[name], errors.get(name), source)
            for name, value in numbers.items()
        }
        return cls(
            **quantities,
            porosity_profile=None if porosity_profile is None else np.asarray(porosity_profile),
            particle_radii=None if particle_radii is None else np.asarray(particle_radii),
            radius_weights=None if radius_weights is None else np.asarray(radius_weights),
        )

    @property
    def tortuosity_factor(self) -> float:
        """Porosity over transport efficiency; infinite if nothing is transported."""
        efficiency = self.liquid_transport_efficiency.value
        return self.porosity.value / efficiency if efficiency > 0.0 else math.inf

    @property
    def bruggeman_exponent(self) -> float:
        """The exponent b with which porosity**b is the transport efficiency.

        Raises
        ------
        ValueError
            If the transport efficiency is 0 or the porosity 1, where there is none.
        """
        efficiency, porosity = self.liquid_transport_efficiency.value, self.porosity.value
        if not (efficiency > 0.0 and porosity < 1.0):
            raise ValueError(
                f"no Bruggeman exponent gives a transport efficiency of {efficiency:.4g} at a "
                f"porosity of {porosity:.4g}; a cell model needs pores that lead through, and solid"
            )
        return math.log(efficiency) / math.log(porosity)

    def check_conduction(self) -> None:
        """Raise a `ValueError` if a cell model could not pass current through the electrode."""
        _ = self.bruggeman_exponent
        if self.solid_conductivity is not None and self.solid_conductivity.value == 0.0:
            raise ValueError(
                "the solid conductivity is 0: no solid leads through the electrode; give the "
                "conductivities of all phases that conduct, or leave it out to keep that of the set"
            )

    @property
    def sauter_radius(self) -> float:
        """Radius of spheres with the active volume and the area that touches electrolyte, in m."""
        return 3.0 * self.active_fraction.value / self.specific_surface.value

    @property
    def interface_utilisation(self) -> float:
        """Area that touches electrolyte over that of spheres of the particle radius.

        Models derive the area from the spheres, 3 x active fraction / radius; this is the factor
        that brings it to the measured one.
        """
        return self.particle_radius.value / self.sauter_radius

    def quantities(self) -> dict[str, Quantity]:
        """Return the numbers that are there, by name."""
        found = {name: getattr(self, name) for name in UNITS}
        return {name: value for name, value in found.items() if value is not None}

    def sentences(self) -> list[str]:
        """Return a line for each number: name, value with uncertainty, and source."""
        return [
            f"{name.replace('_', ' ')}: {value}" + (f" ({value.source})" if value.source else "")
            for name, value in self.quantities().items()
        ]

    def as_dict(self) -> dict[str, Any]:
        """Return plain dicts, lists and numbers that JSON can hold; `from_dict` reads them."""
        plain: dict[str, Any] = {
            name: {f.name: getattr(value, f.name) for f in fields(Quantity)}
            for name, value in self.quantities().items()
        }
        for name in ARRAYS:
            if (array := getattr(self, name)) is not None:
                plain[name] = array.tolist()
        return plain

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> ElectrodeParameters:
        """Return the parameters that `as_dict` wrote.

        Parameters
        ----------
        plain : mapping
            As read from ``electrode.json``, say.

        Returns
        -------
        ElectrodeParameters

        Raises
        ------
        ValueError
            As the class, or if a name is not known or missing.
        """
        needed = [name for name in UNITS if name not in _OPTIONAL]
        _check_names("an electrode", plain, needed, (*UNITS, *ARRAYS))
        parts: dict[str, Any] = {n: plain[n] for n in ARRAYS if n in plain}
        for name in UNITS:
            if name in plain:
                keys = [f.name for f in fields(Quantity)]
                _check_names(name.replace("_", " "), plain[name], keys[:2], keys)
                parts[name] = Quantity(**plain[name])
        return cls(**parts)


_OPTIONAL = ("solid_conductivity", "bulk_solid_conductivity", "inert_fraction")
_MAY_BE_ZERO = ("liquid_transport_efficiency", "solid_conductivity", "inert_fraction")


def _check(name: str, quantity: object, optional: bool) -> None:
    """Raise a `ValueError` if a number is missing, in another unit, or out of its range."""
    unit, noun = UNITS[name], name.replace("_", " ")
    if quantity is None and optional:
        return
    if not isinstance(quantity, Quantity):
        raise ValueError(
            f"{noun} {quantity!r} is not allowed; give a Quantity in {unit}, or build the "
            "parameters with ElectrodeParameters.from_numbers"
        )
    if quantity.unit != unit:
        raise ValueError(f"{noun} is in {quantity.unit!r}; convert it, and give it in {unit!r}")
    least = 0.0 if name in _MAY_BE_ZERO else np.nextafter(0.0, 1.0)
    most = 1.0 if unit == "1" else math.inf
    if not least <= quantity.value <= most:
        bounds = "0 or more" if name in _MAY_BE_ZERO else "a number above 0"
        raise ValueError(
            f"{noun} {quantity.value:.4g} is not allowed; give {bounds}"
            + (", and at most 1" if unit == "1" else f", in {unit}")
        )


def _check_names(owner: str, plain: object, needed: Sequence[str], allowed: Sequence[str]) -> None:
    """Raise a `ValueError` that names what is missing or not known in a plain dict."""
    if not isinstance(plain, Mapping):
        raise ValueError(
            f"{owner} is given by {plain!r}; give a dict with {', '.join(needed)}, as as_dict does"
        )
    if unknown := [str(name) for name in plain if name not in allowed]:
        raise ValueError(
            f"{', '.join(unknown)} not known of {owner}; there are {', '.join(allowed)}"
        )
    if missing := [name for name in needed if name not in plain]:
        raise ValueError(f"{', '.join(missing)} missing of {owner}; give {', '.join(needed)}")


def _array(name: str, given: ArrayLike) -> NDArray[np.float64]:
    array = np.array(given, dtype=float)
    if array.ndim != 1 or not array.size or not np.isfinite(array).all() or (array < 0.0).any():
        raise ValueError(
            f"{name} of shape {array.shape} is not allowed; give a list of numbers, none negative"
        )
    array.flags.writeable = False
    return array
