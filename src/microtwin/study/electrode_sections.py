"""Sections of a study file on what an electrode does, from its impedance to a cell model."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from ..microstructure import Direction
from .fields import FilePath, Fraction, Frequencies, Length, PhaseName, Section

__all__ = [
    "Cell",
    "HalfCell",
    "HalfCellImpedance",
    "Impedance",
    "Reaction",
    "Variation",
    "is_material_file",
]

CRate = Annotated[float, Field(gt=0, le=1000)]
Conductivity = Annotated[float, Field(ge=0, allow_inf_nan=False)]
SLOWEST, FASTEST = 1e-6, 1e6  # Hz, of half cells
RATES = (0.1, 0.2, 0.5, 1.0, 2.0, 3.0, 5.0)


def is_material_file(name: str) -> bool:
    """Whether a material or an electrolyte is named by a file, not by a parameter set."""
    return name.endswith((".yaml", ".yml"))


def _within_reach(frequencies: tuple[float, float]) -> tuple[float, float]:
    """Refuse frequencies at which the equations of a half cell are not solved."""
    low, high = frequencies
    if low < SLOWEST or high > FASTEST:
        raise ValueError(
            f"{low:g} to {high:g} Hz are not allowed; give frequencies from {SLOWEST:g} to "
            f"{FASTEST:g} Hz"
        )
    return frequencies


class Variation(Section):
    """How an exchange current density varies in space, as a lognormal random field."""

    deviation: Annotated[float, Field(gt=0, le=5)]
    correlation_length: Length
    seed: Annotated[int, Field(ge=0)] = 0


class Impedance(Section):
    """Impedance of the electrode in a symmetric cell: its walls are charged and do not react."""

    phase: PhaseName = "pore"
    direction: Direction = "z"
    conductivity: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
    capacitance: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 0.1
    solids: Annotated[list[PhaseName], Field(min_length=1)] | None = None
    frequencies: Frequencies | None = None


class Reaction(Section):
    """Butler-Volmer kinetics where active material meets electrolyte, and its hot spots."""

    active: Annotated[dict[PhaseName, Annotated[float, Field(gt=0)]], Field(min_length=1)]
    electrolyte: PhaseName = "pore"
    overpotential: Annotated[float, Field(ge=-1, le=1)] = 0.01
    temperature: Annotated[float, Field(gt=0, le=1000)] = 298.15
    film_resistance: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    coverings: dict[PhaseName, Annotated[float, Field(ge=0, allow_inf_nan=False)]] | None = None
    variation: Variation | None = None
    hot_above: Annotated[float, Field(gt=1, le=1000)] = 2.0


class PorousPhase(Section):
    """Electrolyte in pores that are too small for the image."""

    porosity: Annotated[float, Field(gt=0, le=1)]
    tortuosity_factor: Annotated[float, Field(gt=0, allow_inf_nan=False)]


class SeparatorLayer(Section):
    """The layer between the electrode and lithium."""

    thickness: Length = 12e-6
    porosity: Annotated[float, Field(gt=0, le=1)] = 0.47
    tortuosity_factor: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.46


class HalfCellImpedance(Section):
    """Impedance of the half cell at rest, at some stoichiometries."""

    stoichiometries: Annotated[list[Fraction], Field(min_length=1)] | None = None
    double_layer_capacitance: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.2
    frequencies: Annotated[Frequencies, AfterValidator(_within_reach)] = (1e-3, 1e5)
    per_decade: Annotated[int, Field(ge=1, le=20)] = 3


class HalfCell(Section):
    """Discharge of the electrode against lithium, resolved on the image."""

    chemistry: Annotated[str, Field(min_length=1)]
    electrolyte: Annotated[str, Field(min_length=1)] | None = None
    c_rates: Annotated[list[CRate], Field(default_factory=lambda: [1.0])]
    until_voltage: Annotated[float, Field(ge=-5, le=10)] | None = None
    stoichiometry: Fraction | None = None
    active: PhaseName = "active"
    pore: PhaseName = "pore"
    conductivities: dict[PhaseName, Conductivity] | None = None
    porous_phases: dict[PhaseName, PorousPhase] | None = None
    separator: SeparatorLayer | None = None
    film_resistance: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    variation: Variation | None = None
    temperature: Annotated[float, Field(gt=0, le=1000)] = 298.15
    frames: Annotated[int, Field(ge=0, le=500)] = 40
    impedance: HalfCellImpedance | None = None


class Cell(Section):
    """The imaged electrode as parameters of a cell model, and its capacity at several rates."""

    base: Annotated[str, Field(min_length=1)] = "Chen2020"
    electrode: Literal["positive", "negative"] = "positive"
    template: FilePath | None = None
    c_rates: Annotated[list[CRate], Field(min_length=1, default_factory=lambda: [*RATES])]
    model: Literal["DFN", "SPMe", "SPM"] = "DFN"
    thickness: Length | None = None
    active: PhaseName = "active"
    pore: PhaseName = "pore"
    conductivities: dict[PhaseName, Conductivity] | None = None
    porous_phases: dict[PhaseName, PorousPhase] | None = None
