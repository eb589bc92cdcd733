"""The section of a study file on swelling, stress, failure and stiffness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from ..units import metres, quantity
from .fields import Length, PhaseName, Section, Tolerance

__all__ = [
    "COMPONENTS",
    "Along",
    "ElasticPhase",
    "Mechanics",
    "Strength",
    "conditions",
    "free_components",
    "held_strain",
    "plates",
]

COMPONENTS = ("zz", "yy", "xx", "yx", "zx", "zy")
ELECTRODE, PERIODIC = "electrode", "periodic"
FACE_KINDS = ("free", "roller", "clamped")
# A solid of an electrode is never softer; a plain number below it is one in GPa by mistake.
SOFTEST = 1e3  # Pa
TABLES = (".yaml", ".yml", ".csv")


def _in(unit: str, noun: str, value: Any) -> float:
    """Return a quantity in a unit."""
    return quantity(value, unit, noun)


def _positive_in(unit: str, noun: str, example: str, value: Any) -> float:
    found = quantity(value, unit, noun)
    if not found > 0.0:
        raise ValueError(
            f"{noun} {value!r} is not allowed; give more than 0, for example {example}"
        )
    return found


def _stiff_enough(young: float) -> float:
    if young < SOFTEST:
        raise ValueError(
            f"a Young's modulus of {young:g} Pa is too soft for a solid; plain numbers are in Pa, "
            f'so write the unit, "{young:g} GPa"'
        )
    return young


def _swelling(value: Any) -> float | tuple[float, ...]:
    """Return one eigenstrain for all directions, or six components."""
    many = isinstance(value, (list, tuple))
    found = [quantity(part, "", "swelling") for part in (value if many else [value])]
    if many and len(found) != 6:
        raise ValueError(
            f"{value!r} is not allowed; give one linear strain, 0.01, or six components in the "
            f"order {', '.join(COMPONENTS)}, shear strains twice those of the tensor"
        )
    if any(abs(strain) > 1.0 for strain in found):
        raise ValueError(f"{value!r} is not allowed; strains are from -1 to 1: 0.01, or '1 %'")
    return tuple(found) if many else found[0]


def _lithium_strain(value: Any) -> float | str | dict[str, list[float]]:
    """Return a strain per stoichiometry, the file of a table, or a table."""
    from ..degradation import LithiumStrain

    if isinstance(value, str) and value.lower().endswith(TABLES):
        return value
    if isinstance(value, Mapping):
        if set(value) != {"stoichiometry", "strain"}:
            raise ValueError(
                f"a table of strains has the keys stoichiometry and strain, not "
                f"{', '.join(map(str, value))}"
            )
        columns = {}
        for name, part in value.items():
            if not isinstance(part, (list, tuple)):
                raise ValueError(f"{name} of a table is a list, [0.3, 1.0], not {part!r}")
            columns[str(name)] = [quantity(number, "", str(name)) for number in part]
        LithiumStrain(**{name: np.array(part) for name, part in columns.items()})
        return columns
    found = quantity(value, "", "strain")
    LithiumStrain.linear(found)
    return found


def _faces(value: Any) -> str | dict[str, Any]:
    """Return what is done to the faces, numbers in SI units; names are checked elsewhere."""
    if value in (ELECTRODE, PERIODIC):
        return str(value)
    if not isinstance(value, Mapping) or not value:
        raise ValueError(
            f"{value!r} is not allowed; write {ELECTRODE}, {PERIODIC}, or faces by name, "
            "{z_low: clamped, z_high: {pressure: 1 MPa}}"
        )
    return {str(name): _face(str(name), condition) for name, condition in value.items()}


def _face(name: str, value: Any) -> str | dict[str, Any]:
    if value in FACE_KINDS:
        return str(value)
    if isinstance(value, Mapping) and len(value) == 1:
        ((kind, amount),) = value.items()
        if kind == "displacement":
            return {kind: metres(amount)}
        if kind == "pressure":
            return {kind: quantity(amount, "Pa", kind)}
        if kind == "traction" and isinstance(amount, (list, tuple)) and len(amount) == 3:
            return {kind: [quantity(part, "Pa", kind) for part in amount]}
    raise ValueError(
        f"face {name} cannot be {value!r}; write {', '.join(FACE_KINDS)}, {{pressure: 1 MPa}} "
        "(positive inwards), {displacement: 0.1 um} (outwards) or {traction: [z, y, x]}"
    )


def _pressure(noun: str, example: str) -> Any:
    return BeforeValidator(partial(_positive_in, "Pa", noun, example))


Young = Annotated[
    float, BeforeValidator(partial(_in, "Pa", "Young's modulus")), AfterValidator(_stiff_enough)
]
Poisson = Annotated[float, Field(gt=-1, lt=0.5)]
Stress = Annotated[float, BeforeValidator(partial(_in, "Pa", "stress"))]
Strength_ = Annotated[float, _pressure("strength", "20 MPa")]
Toughness = Annotated[
    float, BeforeValidator(partial(_positive_in, "Pa m^0.5", "toughness", "1 MPa m^0.5"))
]
SurfaceEnergy = Annotated[
    float, BeforeValidator(partial(_positive_in, "J/m^2", "fracture energy", "6 J/m^2"))
]
SwellingStrain = Annotated[float | tuple[float, ...], BeforeValidator(_swelling)]


class ElasticPhase(Section):
    """An isotropic elastic solid."""

    young: Young
    poisson: Poisson


class BinderStrength(Section):
    """Strengths of the binder along one axis; Drucker and Prager's cone meets both."""

    tensile: Strength_
    compressive: Strength_

    @model_validator(mode="after")
    def _pressure_does_not_weaken(self) -> BinderStrength:
        if self.compressive < self.tensile:
            raise ValueError(
                f"a compressive strength of {self.compressive:g} Pa below the tensile one of "
                f"{self.tensile:g} Pa is not allowed; pressure does not weaken, give at least that"
            )
        return self


class ParticleStrength(Section):
    """What a crack in a particle costs, and the flaws from which one starts."""

    toughness: Toughness | None = None
    fracture_energy: SurfaceEnergy | None = None
    flaw: Length | None = None

    @model_validator(mode="after")
    def _one_price(self) -> ParticleStrength:
        if (self.toughness is None) == (self.fracture_energy is None):
            raise ValueError(
                "give either toughness, '1 MPa m^0.5', or fracture_energy, '6 J/m^2': one follows "
                "from the other and the modulus"
            )
        return self


class InterfaceStrength(Section):
    """What separates particles from the binder, by pull and along the interface."""

    normal: Strength_
    shear: Strength_


class Strength(Section):
    """What the solids bear, as far as it is known."""

    binder: BinderStrength | None = None
    particles: ParticleStrength | None = None
    interface: InterfaceStrength | None = None
    scatter: Annotated[float, Field(gt=0, le=2)] | None = None
    weibull_modulus: Annotated[float, Field(gt=0, le=1000)] | None = None
    field_error: Annotated[float, Field(ge=0, lt=1)] = 0.0

    @model_validator(mode="after")
    def _one_distribution(self) -> Strength:
        if self.scatter is not None and self.weibull_modulus is not None:
            raise ValueError(
                "strengths are lognormal with 'scatter', or Weibull's with 'weibull_modulus'; "
                "leave one out"
            )
        return self


class Along(Section):
    """Stress along a discharge of the half cell, as lithium fills the active material."""

    strain: Annotated[float | str | dict[str, list[float]], BeforeValidator(_lithium_strain)]
    c_rate: Annotated[float, Field(gt=0)] | None = None
    states: Annotated[int, Field(ge=2, le=200)] = 10
    reference: Annotated[float, Field(ge=0, le=1)] | None = None

    @property
    def table(self) -> str | None:
        """The file of a table of strains; None if there is no file."""
        return self.strain if isinstance(self.strain, str) else None

    def rate(self, rates: Sequence[float]) -> float | None:
        """Return the C-rate of the discharge, of those there are; None if it is not among them."""
        wanted = self.c_rate or next(iter(rates), None)
        return wanted if wanted in rates else None


class Mechanics(Section):
    """What swells, what holds it, and what is read from the stress."""

    materials: Annotated[dict[PhaseName, ElasticPhase], Field(min_length=1)]
    swelling: Annotated[dict[PhaseName, SwellingStrain], Field(min_length=1)]
    faces: Annotated[str | dict[str, Any], BeforeValidator(_faces)] = ELECTRODE
    mean_strain: dict[str, float] | None = None
    mean_stress: dict[str, Stress] | None = None
    particles: PhaseName | None = None
    binder: PhaseName | None = None
    averaging_length: Length | None = None
    widest_gap: Length | None = None
    ligaments: Annotated[int, Field(ge=0, le=40)] = 15
    strength: Strength = Strength()
    stiffness: bool = True
    interface: Literal["smooth", "voxel"] = "smooth"
    along: Along | None = None
    tol: Tolerance = 1e-4

    @property
    def particle_phase(self) -> str | None:
        """The phase that is made of particles; None if none is named or called "active"."""
        return self._solid(self.particles, "active")

    @property
    def binder_phase(self) -> str | None:
        """The phase that holds the particles; None if none is named or called "binder"."""
        return self._solid(self.binder, "binder")

    def _solid(self, named: str | None, usual: str) -> str | None:
        return named or (usual if usual in self.materials else None)

    def stage_params(self) -> dict[str, Any]:
        """Return the parameters of the stage that lets phases swell."""
        return self.model_dump(exclude={"stiffness", "along"}) | {
            "particles": self.particle_phase,
            "binder": self.binder_phase,
        }

    def along_params(self, active: str, rate: float) -> dict[str, Any]:
        """Return the parameters of the stage that follows a discharge.

        The content of a file of strains counts, not its name; and the active phase swells with its
        lithium instead of what `swelling` says.
        """
        assert self.along is not None
        unread = {"stiffness", "along", "ligaments", "widest_gap"}
        own = self.along.model_dump(exclude={"strain", "c_rate"})
        return self.model_dump(exclude=unread) | {
            "swelling": {name: by for name, by in self.swelling.items() if name != active},
            "particles": self.particle_phase,
            "binder": self.binder_phase,
            "along": own
            | {
                "strain": None if self.along.table else self.along.strain,
                "active": active,
                "c_rate": rate,
            },
        }


def conditions(faces: str | Mapping[str, Any]) -> dict[str, Any]:
    """Return what is done to each face that is not periodic, as `solve_swelling` takes it."""
    from ..meshing import BOX_FACES

    if faces == ELECTRODE:
        return dict.fromkeys(BOX_FACES, "roller")
    return {} if isinstance(faces, str) else dict(faces)


def held_strain(
    faces: str | Mapping[str, Any], mean_strain: Mapping[str, float] | None
) -> list[float] | None:
    """Return the mean strain as `solve_swelling` takes it: NaN where it is free.

    In an electrode the sides stay where they are, as the foil and the neighbourhood hold them, and
    the thickness is free. Components that are named are held, and then the others are free.
    """
    given = {"yy": 0.0, "xx": 0.0} if mean_strain is None and faces == ELECTRODE else mean_strain
    return None if given is None else [given.get(name, float("nan")) for name in COMPONENTS]


def plates(given: Mapping[str, Any]) -> set[str]:
    """Return the axes with rollers on both faces, which are then stiff plates."""
    return {
        axis
        for axis in "zyx"
        if all(given.get(f"{axis}_{side}") == "roller" for side in ("low", "high"))
    }


def free_components(
    faces: str | Mapping[str, Any], mean_strain: Mapping[str, float] | None
) -> set[str]:
    """Return the components of the mean strain that adjust themselves to the mean stress."""
    given = conditions(faces)
    bounded = {name[0] for name in given}
    strain = held_strain(faces, mean_strain)
    found = set()
    for k, name in enumerate(COMPONENTS):
        ring = not bounded & set(name)
        # Plates stay where they are unless their strain is told to be free.
        moves = name[0] == name[1] and name[0] in plates(given) and strain is not None
        if (ring or moves) and (strain is None or strain[k] != strain[k]):
            found.add(name)
    return found
