"""The section of a study file on species that diffuse and react: tissue, biofilm, rock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from ..units import quantity
from .fields import PhaseName, Section
from .problems import Problem

__all__ = [
    "Solute",
    "Uptake",
    "UptakeReaction",
    "Viability",
    "place_of",
    "shown_unit",
    "uptake_problems",
]

FACES = ("z_low", "z_high", "y_low", "y_high", "x_low", "x_high")
MILLIMETRE_OF_MERCURY = 133.322  # Pa
LAW_KEYS = {"maximum", "half_saturation"}
RATES = ("first_order", "michaelis_menten", "zero_order")
Name = Annotated[str, Field(min_length=1)]


def place_of(text: str) -> str | tuple[str, str]:
    """Return a phase, or the two phases of an interface, "pore/solid"."""
    first, slash, second = text.partition("/")
    return (first.strip(), second.strip()) if slash else text


def shown_unit(part: Mapping[str, Any]) -> tuple[float, str]:
    """Return factor and unit in which a concentration of a species in mol/m^3 is shown.

    Parameters
    ----------
    part : mapping
        The section of the species.
    """
    if part["solubility"] is not None:
        return 1.0 / (part["solubility"] * MILLIMETRE_OF_MERCURY), "mmHg"
    if part["molar_mass"] is not None:
        return 1e3 * part["molar_mass"], "mg/L"
    return 1.0, "mol/m³"


class _Scale:
    """How concentrations of one species are written: in mol/m^3, mg/L or mmHg.

    Parameters
    ----------
    solubility : float, optional
        In mol/m^3/Pa: a concentration over the pressure of the gas above it.
    molar_mass : float, optional
        In kg/mol.
    """

    def __init__(self, solubility: float | None, molar_mass: float | None) -> None:
        self.solubility, self.molar_mass = solubility, molar_mass

    def read(self, value: Any, noun: str, per: str = "") -> float:
        """Return a concentration, or one per something, such as "/s", in mol/m^3."""
        try:
            return quantity(value, f"mol/m^3{per}", noun)
        except ValueError:
            for unit, factor in (
                (f"Pa{per}", self.solubility),
                (f"kg/m^3{per}", self.molar_mass and 1.0 / self.molar_mass),
            ):
                try:
                    found = quantity(value, unit, noun)
                except ValueError:
                    continue
                if factor is None:
                    key = "solubility, in mol/m^3/mmHg" if "Pa" in unit else "molar_mass, in g/mol"
                    raise ValueError(
                        f"{noun} {value!r} needs the key {key}, of the species"
                    ) from None
                return found * factor
        raise ValueError(
            f"{noun} {value!r} is not allowed; give a number in mol/m^3{per}, or text such as "
            f"'0.2 mol/m^3{per}', '160 mmHg{per}' (with solubility) or '8 mg/L{per}' (with "
            "molar_mass)"
        )

    def read_positive(self, value: Any, noun: str, per: str = "") -> float:
        """Return the same, and refuse what is not above 0."""
        found = self.read(value, noun, per)
        if not found > 0.0:
            raise ValueError(f"{noun} {value!r} is not allowed; give more than 0")
        return found


def _not_negative(noun: str, unit: str, value: Any) -> float:
    found = quantity(value, unit, noun)
    if not found >= 0.0:
        raise ValueError(f"{noun} {value!r} is not allowed; it is 0 or more, in {unit}")
    return found


def _positive(noun: str, unit: str, value: Any) -> float:
    found = quantity(value, unit, noun)
    if not found > 0.0:
        raise ValueError(f"{noun} {value!r} is not allowed; give more than 0, in {unit}")
    return found


def _of(noun: str, unit: str) -> BeforeValidator:
    return BeforeValidator(partial(_positive, noun, unit))


Diffusivity = Annotated[float, _of("diffusivity", "m^2/s")]
Duration = Annotated[float, _of("duration", "s")]
Permeability = Annotated[float, _of("permeability", "m/s")]
Share = Annotated[float, _of("partition coefficient", "")]


class Solute(Section):
    """One species: where it diffuses, what supplies it, what holds it back."""

    diffusivity: Annotated[dict[PhaseName, Diffusivity], Field(min_length=1)]
    supply: dict[Name, dict[str, float]] = Field(default_factory=dict)
    partition: dict[PhaseName, Share] = Field(default_factory=dict)
    membranes: dict[Name, Permeability] = Field(default_factory=dict)
    sorption: dict[Name, dict[str, float]] = Field(default_factory=dict)
    initial: float = 0.0
    solubility: Annotated[float, _of("solubility", "mol/m^3/Pa")] | None = None
    molar_mass: Annotated[float, _of("molar mass", "kg/mol")] | None = None

    @model_validator(mode="before")
    @classmethod
    def _in_moles(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        out = dict(given)
        scale = _scale(out)
        if isinstance(out.get("supply"), Mapping):
            out["supply"] = {n: _inlet(scale, str(n), v) for n, v in out["supply"].items()}
        if isinstance(out.get("sorption"), Mapping):
            out["sorption"] = {n: _isotherm(scale, str(n), v) for n, v in out["sorption"].items()}
        if "initial" in out:
            out["initial"] = scale.read(out["initial"], "initial concentration")
            if out["initial"] < 0.0:
                raise ValueError(f"initial {given['initial']!r} is not allowed; it is 0 or more")
        return out


def _scale(given: Mapping[str, Any]) -> _Scale:
    found = {}
    for key, unit in (("solubility", "mol/m^3/Pa"), ("molar_mass", "kg/mol")):
        value = given.get(key)
        found[key] = None if value is None else _positive(key.replace("_", " "), unit, value)
    return _Scale(**found)


def _inlet(scale: _Scale, name: str, value: Any) -> dict[str, float]:
    """Return what holds on a surface: concentration, concentration and permeability, or flux."""
    if not isinstance(value, Mapping):
        value = {"concentration": value}
    keys = set(value)
    if keys == {"flux"}:
        return {"flux": _not_negative(f"flux of {name}", "mol/m^2/s", value["flux"])}
    if not ({"concentration"} <= keys <= {"concentration", "permeability"}):
        raise ValueError(
            f"supply of {name} has the keys {', '.join(map(str, value))}; write a concentration, "
            "{concentration: ..., permeability: 6 cm/min}, or {flux: ...}"
        )
    out = {"concentration": scale.read(value["concentration"], f"concentration of {name}")}
    if out["concentration"] < 0.0:
        raise ValueError(
            f"concentration {value['concentration']!r} of {name} is not allowed; it is 0 or more"
        )
    if "permeability" in keys:
        out["permeability"] = _positive("permeability", "m/s", value["permeability"])
    return out


def _isotherm(scale: _Scale, name: str, value: Any) -> dict[str, float]:
    """Return the keys of an isotherm with numbers in SI units."""
    keys = set(value) if isinstance(value, Mapping) else set()
    surface = "/" in name
    if keys == {"linear"}:
        unit = "m" if surface else ""
        return {"linear": _positive("sorption constant", unit, value["linear"])}
    if keys == {"capacity", "affinity"}:
        amount = (
            _positive("capacity", "mol/m^2", value["capacity"])
            if surface
            else scale.read(value["capacity"], "capacity")
        )
        return {"capacity": amount, "affinity": _positive("affinity", "m^3/mol", value["affinity"])}
    if keys == {"freundlich", "exponent"}:
        # Of c in mol/m^3, so its unit depends on the exponent: numbers only.
        return {
            "freundlich": _positive("freundlich", "", value["freundlich"]),
            "exponent": _positive("exponent", "", value["exponent"]),
        }
    raise ValueError(
        f"sorption of {name} is {value!r}; write {{linear: 3}}, {{capacity: ..., affinity: ...}} "
        "(Langmuir) or {freundlich: ..., exponent: 0.7}"
    )


class UptakeReaction(Section):
    """A reaction in a phase or on an interface."""

    where: Name
    of: Name
    first_order: float | None = None
    michaelis_menten: dict[Literal["maximum", "half_saturation"], float] | None = None
    zero_order: float | None = None
    limited_by: dict[Name, float] = Field(default_factory=dict)
    inhibited_by: dict[Name, float] = Field(default_factory=dict)
    amounts: dict[Name, float] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_rate(self) -> UptakeReaction:
        given = [key for key in RATES if getattr(self, key) is not None]
        if len(given) != 1:
            raise ValueError(
                f"a reaction in {self.where} has {' and '.join(given) or 'no rate'}; give one of "
                f"{', '.join(RATES)}"
            )
        half = self.michaelis_menten
        if half is not None and set(half) != LAW_KEYS:
            raise ValueError(
                f"michaelis_menten in {self.where} needs both maximum and half_saturation"
            )
        for name, amount in self.amounts.items():
            if amount == 0.0:
                raise ValueError(
                    f"the amount of {name} is 0; give a number below 0 for what is used up and "
                    "above 0 for what is made, or leave it out"
                )
        return self


class Viability(Section):
    """What has enough of a species, what has too little, and what has next to nothing."""

    of: Name
    phases: Annotated[list[PhaseName], Field(min_length=1)]
    threshold: float
    hypoxic: float | None = None
    sources: Annotated[list[Name], Field(min_length=1)] | None = None


class Uptake(Section):
    """Species that diffuse, react and sorb: steady, or over a duration."""

    species: Annotated[dict[Name, Solute], Field(min_length=1)]
    reactions: list[UptakeReaction] = Field(default_factory=list)
    boundary: Literal["closed", "periodic"] = "closed"
    duration: Duration | None = None
    frames: Annotated[int, Field(ge=0, le=200)] = 20
    viability: Viability | None = None

    @model_validator(mode="before")
    @classmethod
    def _in_moles(cls, given: Any) -> Any:
        if not isinstance(given, Mapping) or not isinstance(given.get("species"), Mapping):
            return given
        scales = {
            str(name): _scale(part)
            for name, part in given["species"].items()
            if isinstance(part, Mapping)
        }
        out = dict(given)
        if isinstance(out.get("reactions"), list):
            out["reactions"] = [_rate_in_moles(part, scales) for part in out["reactions"]]
        part = out.get("viability")
        if isinstance(part, Mapping) and "of" in part:
            if part["of"] not in scales:
                names = ", ".join(scales)
                raise ValueError(f"viability of {part['of']!r}, no species; species are {names}")
            scale = scales[part["of"]]
            read = {
                key: scale.read_positive(part[key], key)
                for key in ("threshold", "hypoxic")
                if part.get(key) is not None
            }
            out["viability"] = dict(part) | read
        return out


def _rate_in_moles(given: Any, scales: Mapping[str, _Scale]) -> Any:
    """Return a reaction with its numbers in SI units."""
    if not isinstance(given, Mapping):
        return given
    out = dict(given)
    surface = "/" in str(out.get("where"))
    for name in (out.get("of"), *(out.get("limited_by") or ()), *(out.get("inhibited_by") or ())):
        if name is not None and str(name) not in scales:
            raise ValueError(f"{name!r} is no species; species are {', '.join(scales)}")
    scale = scales.get(str(out.get("of")), _Scale(None, None))
    if "first_order" in out:
        unit = "m/s" if surface else "1/s"
        out["first_order"] = _positive("rate constant", unit, out["first_order"])
    maximal: Callable[[Any, str], float] = (
        (lambda value, noun: _positive(noun, "mol/m^2/s", value))
        if surface
        else (lambda value, noun: scale.read_positive(value, noun, "/s"))
    )
    if "zero_order" in out:
        out["zero_order"] = maximal(out["zero_order"], "rate")
    part = out.get("michaelis_menten")
    if isinstance(part, Mapping):
        if not set(part) <= LAW_KEYS:
            raise ValueError(
                f"michaelis_menten has the keys {', '.join(map(str, part))}; write "
                "{maximum: ..., half_saturation: ...}"
            )
        out["michaelis_menten"] = {
            key: maximal(value, "maximal rate")
            if key == "maximum"
            else scale.read_positive(value, "half saturation")
            for key, value in part.items()
        }
    for key in ("limited_by", "inhibited_by"):
        if isinstance(out.get(key), Mapping):
            out[key] = {
                name: scales[str(name)].read_positive(value, key.replace("_", " "))
                for name, value in out[key].items()
            }
    return out


def uptake_problems(
    part: Uptake, phases: tuple[str, ...]
) -> tuple[list[Problem], list[tuple[tuple[str | int, ...], str]]]:
    """Return what does not fit together, and the phases that the section names.

    Parameters
    ----------
    part : Uptake
    phases : tuple of str
        Of the image; none if they are not known.
    """
    found: list[Problem] = []
    wanted: list[tuple[tuple[str | int, ...], str]] = []
    for name, one in part.species.items():
        at = ("uptake", "species", name)
        for key in ("diffusivity", "partition"):
            wanted += [((*at, key, phase), phase) for phase in getattr(one, key)]
        for source in one.supply:
            if source in FACES and part.boundary == "periodic":
                text = f"a periodic image has no face {source}; name a phase, or boundary: closed"
                found.append(Problem((*at, "supply", source), text))
            elif source not in FACES and phases and source not in phases:
                text = (
                    f"{source!r} is neither a phase ({', '.join(phases)}) nor a face of the box "
                    f"({', '.join(FACES)})"
                )
                found.append(Problem((*at, "supply", source), text, source, (*phases, *FACES)))
            elif source in one.diffusivity:
                text = f"{source!r} cannot be both a source of {name} and a phase it diffuses in"
                found.append(Problem((*at, "supply", source), text))
        for phase in one.partition:
            if phase not in one.diffusivity:
                text = f"{name} does not diffuse in {phase!r}; give its diffusivity there"
                found.append(Problem((*at, "partition", phase), text))
        for place in one.membranes:
            pair = _phases(place)
            if len(pair) != 2 or not set(pair) <= set(one.diffusivity):
                text = (
                    f"a membrane lies between two phases in which {name} diffuses, written "
                    f"'first/second', not {place!r}"
                )
                found.append(Problem((*at, "membranes", place), text))
        for place in one.sorption:
            wanted += [((*at, "sorption", place), phase) for phase in _phases(place)]
        if part.duration is None and not one.supply:
            text = f"{name} has no supply; name a phase or a face, or give a duration"
            found.append(Problem((*at, "supply"), text))
    for index, reaction in enumerate(part.reactions):
        where = ("uptake", "reactions", index)
        own = _phases(reaction.where)
        wanted += [((*where, "where"), phase) for phase in own]
        for name in dict.fromkeys(
            (reaction.of, *reaction.limited_by, *reaction.inhibited_by, *reaction.amounts)
        ):
            if name in part.species and not set(own) & set(part.species[name].diffusivity):
                text = f"{name} does not diffuse in {reaction.where!r}; give its diffusivity there"
                found.append(Problem((*where, "where"), text))
        for name in reaction.amounts:
            if name not in part.species:
                names = tuple(part.species)
                text = f"{name!r} is no species; species are {', '.join(names)}"
                found.append(Problem((*where, "amounts"), text, name, names))
            elif reaction.amounts[name] < 0.0 and name not in (reaction.of, *reaction.limited_by):
                text = f"{name} is used up but does not limit the rate; name it in limited_by"
                found.append(Problem((*where, "amounts"), text))
    if part.viability is not None:
        alive = part.viability
        of_rim = ("uptake", "viability")
        wanted += [((*of_rim, "phases", i), phase) for i, phase in enumerate(alive.phases)]
        entered = part.species[alive.of].diffusivity
        for index, phase in enumerate(alive.phases):
            if phase not in entered:
                text = f"{alive.of} does not diffuse in {phase!r} but in {', '.join(entered)}"
                found.append(Problem((*of_rim, "phases", index), text, phase, tuple(entered)))
        for index, source in enumerate(alive.sources or ()):
            at_source = (*of_rim, "sources", index)
            if source not in FACES and phases and source not in phases:
                text = (
                    f"{source!r} is neither a phase ({', '.join(phases)}) nor a face of the box "
                    f"({', '.join(FACES)})"
                )
                found.append(Problem(at_source, text, source, (*phases, *FACES)))
            elif source in FACES and part.boundary == "periodic":
                text = f"a periodic image has no face {source}; name a phase, or boundary: closed"
                found.append(Problem(at_source, text))
            elif source in alive.phases:
                text = f"{source!r} cannot be both a source and what is supplied"
                found.append(Problem(at_source, text))
        if alive.hypoxic is not None and alive.hypoxic < alive.threshold:
            text = "hypoxic is a second threshold above the first; give a larger concentration"
            found.append(Problem((*of_rim, "hypoxic"), text))
    if not part.reactions and part.viability is None and part.duration is None:
        text = "nothing reacts; give reactions, or a duration over which species spread"
        found.append(Problem(("uptake", "reactions"), text))
    return found, wanted


def _phases(place: str) -> tuple[str, ...]:
    found = place_of(place)
    return (found,) if isinstance(found, str) else found
