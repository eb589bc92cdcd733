"""The section 'generate' of a study file: recipes of virtual microstructures."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from ..microstructure import Direction
from .fields import Edges, Fraction, Length, PhaseName, Section, Voxels, checked_length

if TYPE_CHECKING:
    from ..generation import ParticleType

__all__ = ["RECIPES", "ElectrodeRecipe", "GaussianRecipe", "Recipe"]

Profile = Annotated[list[Annotated[float, Field(ge=0)]], Field(min_length=2)]
Seed = Annotated[int, Field(ge=0)]
Shares = Annotated[dict[PhaseName, Fraction], Field(min_length=2, max_length=8)]


def _sequence(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else [value]


def _cube(value: Any) -> Any:
    return (value,) * 3 if isinstance(value, int) and not isinstance(value, bool) else value


class Lognormal(Section):
    """Mean and standard deviation of the diameters, by number."""

    mean: Length
    deviation: Length


class Percentiles(Section):
    """Diameters below which 10, 50 and 90 % lie."""

    d10: Length
    d50: Length
    d90: Length
    weight: Literal["volume", "number"] = "volume"


class Table(Section):
    """Diameters, and the share below each."""

    table: Annotated[list[tuple[Length, float]], Field(min_length=2)]
    weight: Literal["volume", "number"] = "volume"


def _diameter(value: Any) -> float | Section:
    """Choose the form by its keys, so that what is wrong is told of that form alone."""
    if isinstance(value, Lognormal | Percentiles | Table):
        return value
    if not isinstance(value, dict):
        return checked_length(value)
    for form, key in ((Table, "table"), (Percentiles, "d50"), (Lognormal, "mean")):
        if key in value:
            return form.model_validate(value)
    raise ValueError(
        f"the keys {', '.join(map(str, value)) or '(none)'} are not a distribution of diameters; "
        "write one length, or {mean: ..., deviation: ...}, {d10: ..., d50: ..., d90: ...} or "
        "{table: [[diameter, share below it], ...]}"
    )


class Particle(Section):
    """One type of particles; `microtwin.generation.ParticleType` explains the keys."""

    diameter: Annotated[Any, BeforeValidator(_diameter)]
    form: Literal["sphere", "ellipsoid", "plate", "polyhedron", "irregular"] = "sphere"
    aspect_ratio: float | tuple[float, float] = 1.0
    alignment: float = 0.0
    axis: Direction = "z"
    share: float = 1.0
    profile: Profile | None = None
    phase: PhaseName = "active"
    facets: int = 14
    roughness: float = 0.1

    @model_validator(mode="after")
    def _is_a_particle(self) -> Particle:
        self.particle_type()
        return self

    def particle_type(self) -> ParticleType:
        """Return the type of particles that this describes."""
        from ..generation import ParticleType

        return ParticleType(**self.model_dump())


class Calendering(Section):
    """How far the packed electrode is pressed."""

    strain: Annotated[float, Field(ge=0, le=0.6)]
    flattening: Annotated[float, Field(ge=0, le=1)] = 0.0


class Coating(Section):
    """What is weighed, from which thickness and fractions follow."""

    areal_loading: str | float
    mass_fractions: Annotated[dict[str, float], Field(min_length=1)]
    densities: Annotated[dict[str, str | float], Field(min_length=1)]
    merge: dict[PhaseName, list[str]] | None = None
    internal_porosity: dict[PhaseName, float] | None = None


class ElectrodeRecipe(Section):
    """A virtual electrode: particles, binder between them, and pore."""

    kind: Literal["electrode"]
    shape: Annotated[tuple[Voxels, ...], Field(min_length=2, max_length=3), BeforeValidator(_cube)]
    voxel_size: Edges
    porosity: Fraction
    binder_fraction: Annotated[float, Field(ge=0, lt=1)] = 0.0
    coating: Coating | None = None
    particles: Annotated[list[Particle], Field(min_length=1), BeforeValidator(_sequence)]
    binder_morphology: Annotated[float, Field(ge=0, le=1)] = 0.5
    binder_profile: Profile | None = None
    overlap_tolerance: Annotated[float, Field(gt=0, le=0.5)] = 0.05
    calendering: Calendering | None = None
    periodic: bool | tuple[bool, bool, bool] = True
    seed: Seed = 0

    @model_validator(mode="after")
    def _fits_together(self) -> ElectrodeRecipe:
        if self.coating is None and len(self.shape) == 2:
            raise ValueError(
                f"shape {list(self.shape)} has no thickness; give (nz, ny, nx), or the section "
                "'coating' with the areal loading from which the thickness follows"
            )
        if self.coating is not None and (len(self.shape) == 3 or self.binder_fraction):
            raise ValueError(
                "thickness and binder follow from 'coating'; give the shape as [ny, nx] and leave "
                "out binder_fraction"
            )
        ends = self.periodic if isinstance(self.periodic, bool) else self.periodic[0]
        if ends and any(p.profile is not None for p in self.particles):
            raise ValueError(
                "a profile of particles needs walls along z; write periodic: [false, true, true]"
            )
        if {p.phase for p in self.particles} & {"pore", "binder"}:
            raise ValueError("particles cannot make the phases 'pore' and 'binder'; name another")
        if self.porosity + self.binder_fraction >= 1:
            raise ValueError(
                f"porosity {self.porosity:g} and binder_fraction {self.binder_fraction:g} leave no "
                "room for particles; their sum must be below 1"
            )
        if self.coating is not None:
            self.fractions_and_thickness()
        return self

    @property
    def phase_names(self) -> tuple[str, ...]:
        """Names of the phases in the order of their labels."""
        return ("pore", *dict.fromkeys(p.phase for p in self.particles), "binder")

    @property
    def voxels(self) -> tuple[int, int, int]:
        """Shape (nz, ny, nx) before calendering."""
        *first, ny, nx = self.shape
        if first:
            return (first[0], ny, nx)
        _, thickness = self.fractions_and_thickness()
        return (max(2, round(thickness / self.voxel_size[0])), ny, nx)

    def fractions_and_thickness(self) -> tuple[dict[str, float], float]:
        """Return the volume fractions of a coating that was weighed, and its thickness in metres.

        Raises
        ------
        ValueError
            If its components are not the phases of the particles and the binder.
        """
        from ..composition import coating_from_porosity

        assert self.coating is not None
        given = {k: v for k, v in self.coating.model_dump().items() if v is not None}
        thickness, fractions = coating_from_porosity(porosity=self.porosity, **given)
        unknown = [name for name in fractions if name not in self.phase_names]
        missing = [n for n in self.phase_names if n not in fractions and n != "binder"]
        if unknown or missing:
            raise ValueError(
                f"the coating has the phases {', '.join(fractions)} and the electrode "
                f"{', '.join(self.phase_names)}; give them the same names, or gather components by "
                "merge: {binder: [carbon, pvdf]}"
            )
        return {"binder": 0.0, **fractions}, thickness


class GaussianRecipe(Section):
    """Phases cut out of Gaussian random fields; `microtwin.generation.plurigaussian`."""

    kind: Literal["gaussian"]
    shape: Annotated[tuple[Voxels, Voxels, Voxels], BeforeValidator(_cube)]
    voxel_size: Edges
    fractions: Shares
    correlation_length: Annotated[list[Length], Field(min_length=1), BeforeValidator(_sequence)]
    periodic: bool = True
    seed: Seed = 0

    @model_validator(mode="after")
    def _fits_together(self) -> GaussianRecipe:
        total = math.fsum(self.fractions.values())
        if abs(total - 1) > 1e-6:
            raise ValueError(f"fractions have the sum {total:g} instead of 1")
        if len(self.correlation_length) not in (1, len(self.fractions) - 1):
            raise ValueError(
                f"{len(self.correlation_length)} correlation lengths do not fit "
                f"{len(self.fractions)} phases; give one, or {len(self.fractions) - 1}"
            )
        return self

    @property
    def phase_names(self) -> tuple[str, ...]:
        """Names of the phases in the order of their labels."""
        return tuple(self.fractions)

    @property
    def voxels(self) -> tuple[int, int, int]:
        """Shape (nz, ny, nx)."""
        return self.shape


RECIPES: dict[str, type[ElectrodeRecipe | GaussianRecipe]] = {
    "electrode": ElectrodeRecipe,
    "gaussian": GaussianRecipe,
}
Recipe = Annotated[ElectrodeRecipe | GaussianRecipe, Field(discriminator="kind")]
