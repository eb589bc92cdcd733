"""Types that the sections of a study file share, with the sentences for what does not fit."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from ..checking import is_number
from ..units import metres

__all__ = [
    "Coarsening",
    "Edges",
    "FilePath",
    "Fraction",
    "Frequencies",
    "Label",
    "Length",
    "PhaseName",
    "Pixel",
    "Range",
    "Section",
    "Tolerance",
    "Voxels",
    "checked_length",
]

PhaseName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_.-]*$", max_length=40)]
Label = Annotated[int, Field(ge=0, le=255)]
Fraction = Annotated[float, Field(gt=0, lt=1)]
Tolerance = Annotated[float, Field(gt=0, le=0.1)]


def checked_length(value: Any) -> float:
    """Return a positive length in metres."""
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


def _pixel(value: Any) -> tuple[float, float]:
    remedy = 'write one edge length, "1.6 um", or height and width, ["2 um", "1 um"]'
    edges = metres(value)
    pair = (edges,) * 2 if isinstance(edges, float) else edges
    if len(pair) != 2 or not all(edge > 0 for edge in pair):
        raise ValueError(f"{value!r} is not a pixel size; {remedy}")
    return (pair[0], pair[1])


def _frequencies(value: Any) -> tuple[float, float]:
    """Return the lowest and the highest of a range of frequencies in Hz."""
    ends = list(value) if isinstance(value, (list, tuple)) else []
    if len(ends) != 2 or not all(is_number(f) and f > 0.0 for f in ends) or ends[0] >= ends[1]:
        raise ValueError(
            f"{value!r} is not a range of frequencies; write the lowest and the highest in Hz, "
            "[0.01, 1.0e+4]"
        )
    return (float(ends[0]), float(ends[1]))


Length = Annotated[float, BeforeValidator(checked_length)]
Frequencies = Annotated[tuple[float, float], BeforeValidator(_frequencies)]
Edges = Annotated[tuple[float, float, float], BeforeValidator(_edges)]
Pixel = Annotated[tuple[float, float], BeforeValidator(_pixel)]
Voxels = Annotated[int, Field(ge=2, le=5000)]
FilePath = Annotated[str, Field(min_length=1)]
Coarsening = Annotated[int, Field(ge=1, le=16)]
Range = Annotated[
    tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=1)]],
    Field(description="first voxel and one past the last voxel"),
]


class Section(BaseModel):
    """A section of a study file; keys that it does not know are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)
