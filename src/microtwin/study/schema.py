"""The study file as pydantic models: what may be written in it, with defaults.

Lengths are numbers in metres or text with a unit ("398 nm"). Every section refuses keys that it
does not know. `Study.problems` holds the rules that concern several keys at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from ..microstructure import AXES, Direction
from ..units import metres

__all__ = [
    "Crop",
    "Generate",
    "Homogenize",
    "Image",
    "Output",
    "Problem",
    "Study",
    "Transport",
    "Uncertainty",
]

Boundary = Literal["faces", "periodic", "mirror"]
Interface = Literal["smooth", "voxel"]
PhaseName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_.-]*$", max_length=40)]
Label = Annotated[int, Field(ge=0, le=255)]
Fraction = Annotated[float, Field(gt=0, lt=1)]
Tolerance = Annotated[float, Field(gt=0, le=0.1)]


def _length(value: Any) -> float:
    length = metres(value)
    if not isinstance(length, float) or not length > 0:
        raise ValueError(f'{value!r} is not a positive length; write it with a unit, "398 nm"')
    return length


def _edges(value: Any) -> tuple[float, float, float]:
    remedy = (
        'write one edge length, "398 nm", or three in the order (z, y, x), '
        '["1 um", "0.4 um", "0.4 um"]'
    )
    if value is None:
        raise ValueError(
            f"the voxel size is empty, and an image without one has no scale; {remedy}"
        )
    edges = metres(value)
    triple = (edges,) * 3 if isinstance(edges, float) else edges
    if len(triple) != 3 or not all(edge > 0 for edge in triple):
        raise ValueError(f"{value!r} is not a voxel size; {remedy}")
    return (triple[0], triple[1], triple[2])


def _shape(value: Any) -> Any:
    return (value,) * 3 if isinstance(value, int) and not isinstance(value, bool) else value


Length = Annotated[float, BeforeValidator(_length)]
Edges = Annotated[tuple[float, float, float], BeforeValidator(_edges)]
Voxels = Annotated[int, Field(ge=2, le=5000)]
Range = Annotated[
    tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=1)]],
    Field(description="first voxel and one past the last voxel"),
]


@dataclass(frozen=True)
class Problem:
    """Something in a study that is allowed by itself but does not fit the rest.

    Parameters
    ----------
    path : tuple of str or int
        Where it stands in the study file: ("transport", "phases", 0).
    message : str
        What is wrong and what to do.
    given, allowed : str, sequence of str
        What was written and what could have been, where that is a list of words.
    """

    path: tuple[str | int, ...]
    message: str
    given: str = ""
    allowed: Sequence[str] = ()


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)


class Crop(_Section):
    """Part of the image to use: first voxel and one past the last, per axis."""

    z: Range | None = None
    y: Range | None = None
    x: Range | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Crop:
        for axis in AXES:
            span = getattr(self, axis)
            if span is not None and span[1] - span[0] < 2:
                raise ValueError(
                    f"{axis}: {list(span)} keeps fewer than 2 voxels; write [first, end]"
                )
        return self


class Image(_Section):
    """An image of labels on disk."""

    path: Annotated[str, Field(min_length=1)]
    voxel_size: Edges
    phases: Annotated[dict[PhaseName, Label], Field(min_length=1)]
    crop: Crop | None = None
    coarsen: Annotated[int, Field(ge=1, le=16)] = 1

    @model_validator(mode="after")
    def _own_labels(self) -> Image:
        seen: dict[int, str] = {}
        for name, label in self.phases.items():
            if label in seen:
                raise ValueError(
                    f"phases {seen[label]!r} and {name!r} share label {label}; give each its own"
                )
            seen[label] = name
        return self


class Generate(_Section):
    """A virtual electrode instead of an image: polydisperse particles, binder and pore."""

    kind: Literal["electrode"]
    shape: Annotated[tuple[Voxels, Voxels, Voxels], BeforeValidator(_shape)]
    voxel_size: Edges
    porosity: Fraction
    binder_fraction: Annotated[float, Field(ge=0, lt=1)] = 0.0
    particle_diameter: Length
    diameter_deviation: Length | None = None
    periodic: bool = True
    seed: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _room_for_particles(self) -> Generate:
        if self.porosity + self.binder_fraction >= 1:
            raise ValueError(
                f"porosity {self.porosity:g} and binder_fraction {self.binder_fraction:g} leave no "
                "room for particles; their sum must be below 1"
            )
        return self


class Transport(_Section):
    """Tortuosity factor and relative diffusivity, per phase and direction."""

    phases: Annotated[list[PhaseName], Field(min_length=1)]
    directions: Annotated[list[Direction], Field(min_length=1)] = list(AXES)
    boundary: Boundary = "faces"
    interface: Interface = "smooth"
    tol: Tolerance = 1e-4


class Homogenize(_Section):
    """The full tensor of the effective conductivity; phases without one are insulating."""

    conductivities: Annotated[dict[PhaseName, Annotated[float, Field(ge=0)]], Field(min_length=1)]
    unit: str = "1"
    boundary: Boundary = "periodic"
    interface: Interface = "smooth"
    tol: Tolerance = 1e-4


class Uncertainty(_Section):
    """Which parts of the error budget are computed, and the size from which to warn."""

    discretisation: bool = True
    sampling: bool = True
    target: Annotated[float, Field(gt=0, lt=1)] = 0.05


class Output(_Section):
    """What is written beside results.json."""

    fields: bool = True
    report: bool = True


class Study(_Section):
    """A whole study file.

    Raises
    ------
    pydantic.ValidationError
        If a key is unknown or missing, or a value is not allowed.
    """

    name: Annotated[str, Field(min_length=1, max_length=200)]
    image: Image | None = None
    generate: Generate | None = None
    transport: Transport | None = None
    homogenize: Homogenize | None = None
    descriptors: bool = True
    uncertainty: Uncertainty = Uncertainty()
    output: Output = Output()

    @model_validator(mode="after")
    def _one_source(self) -> Study:
        if (self.image is None) == (self.generate is None):
            raise PydanticCustomError(
                "one_source",
                "a study needs one of the sections 'image' (a file with labels) and 'generate' "
                "(a virtual electrode), and this one has "
                + ("neither" if self.image is None else "both"),
            )
        return self

    @property
    def phase_names(self) -> tuple[str, ...]:
        """Names of the phases that the microstructure will have."""
        if self.image is not None:
            return tuple(self.image.phases)
        return ("pore", "active", "binder")

    def problems(self) -> list[Problem]:
        """Return what does not fit together although each key is allowed by itself."""
        found = []
        names = self.phase_names
        wanted: list[tuple[tuple[str | int, ...], str]] = []
        if self.transport is not None:
            phases = self.transport.phases
            wanted += [(("transport", "phases", i), name) for i, name in enumerate(phases)]
            found += _repeated(("transport", "phases"), phases)
            found += _repeated(("transport", "directions"), self.transport.directions)
        if self.homogenize is not None:
            section = ("homogenize", "conductivities")
            wanted += [((*section, name), name) for name in self.homogenize.conductivities]
            if not any(self.homogenize.conductivities.values()):
                found.append(
                    Problem(section, "all conductivities are zero; give at least one above zero")
                )
        source = "image.phases" if self.image is not None else "the generated electrode"
        found += [
            Problem(
                path,
                f"phase {name!r} is not in {source}, which has {', '.join(names)}",
                name,
                names,
            )
            for path, name in wanted
            if name not in names
        ]
        return found


def _repeated(path: tuple[str | int, ...], words: Sequence[str]) -> list[Problem]:
    return [
        Problem((*path, i), f"{word!r} is written twice; leave one out")
        for i, word in enumerate(words)
        if word in words[:i]
    ]
