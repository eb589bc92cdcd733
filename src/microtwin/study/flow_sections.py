"""The section of a study file on viscous flow and what it carries."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from ..microstructure import Direction
from ..transport.options import Boundary, Interface
from ..units import quantity
from .fields import Length, PhaseName, Section, Tolerance
from .problems import Problem, repeated

__all__ = ["DispersionPart", "Flow", "Liquid", "Tracer", "flow_problems"]

LOOSEST = 1e-4  # tolerance of a flow that carries tracers


def _at_least(least: float, above: bool, noun: str, unit: str, value: Any) -> float:
    found = quantity(value, unit, noun)
    if not (found > least if above else found >= least):
        limit = f"more than {least:g}" if above else f"{least:g} or more"
        raise ValueError(f"{noun} {value!r} is not allowed; give {limit}, in {unit or 'no unit'}")
    return found


def _positive(noun: str, unit: str) -> BeforeValidator:
    return BeforeValidator(partial(_at_least, 0.0, True, noun, unit))


def _ascending(values: list[float]) -> list[float]:
    if sorted(set(values)) != values:
        raise ValueError(f"Péclet numbers {values} must ascend, each once")
    return values


class DispersionPart(Section):
    """Dispersion of a tracer at some Péclet numbers."""

    peclet: Annotated[
        list[Annotated[float, Field(ge=0, le=1e6)]],
        Field(min_length=1, max_length=50),
        AfterValidator(_ascending),
    ]
    length: Length | None = None


class Tracer(Section):
    """A step or a pulse of a tracer at the inlet, and what comes out."""

    diffusivity: Annotated[float, _positive("diffusivity", "m^2/s")]
    velocity: Annotated[float, _positive("velocity", "m/s")]
    retardation: Annotated[
        float, BeforeValidator(partial(_at_least, 1.0, False, "retardation", ""))
    ] = 1.0
    decay: Annotated[float, BeforeValidator(partial(_at_least, 0.0, False, "decay", "1/s"))] = 0.0
    pulse: Annotated[float, _positive("pulse", "s")] | None = None
    pore_volumes: Annotated[float, Field(gt=0, le=1000)] | None = None


class Liquid(Section):
    """A liquid that wets the walls and fills the pores."""

    viscosity: Annotated[float, _positive("viscosity", "Pa s")]
    surface_tension: Annotated[float, _positive("surface tension", "N/m")]
    contact_angle: Annotated[float, Field(ge=0, le=180)] = 0.0
    length: Length | None = None


class Flow(Section):
    """Permeability of a phase, and dispersion, breakthrough and filling if they are asked for."""

    phase: PhaseName = "pore"
    directions: Annotated[list[Direction], Field(min_length=1, default_factory=lambda: ["z"])]
    boundary: Boundary = "faces"
    interface: Interface = "smooth"
    tol: Tolerance = 1e-5
    dispersion: DispersionPart | None = None
    breakthrough: Tracer | None = None
    filling: Liquid | None = None

    @model_validator(mode="after")
    def _tight_enough(self) -> Flow:
        carried = self.dispersion is not None or self.breakthrough is not None
        if carried and self.tol > LOOSEST:
            raise ValueError(
                f"tol {self.tol:g} is too loose for tracers, which need a flow that loses "
                f"nothing; write {LOOSEST:g} or less"
            )
        return self


def flow_problems(
    part: Flow, phases: tuple[str, ...]
) -> tuple[list[Problem], list[tuple[tuple[str | int, ...], str]]]:
    """Return what does not fit together, and the phase that the section names.

    Parameters
    ----------
    part : Flow
    phases : tuple of str
        Of the image; none if they are not known.
    """
    found = repeated(("flow", "directions"), part.directions)
    if phases == (part.phase,):
        text = f"{part.phase!r} is the only phase; a flow needs walls that hold it"
        found.append(Problem(("flow", "phase"), text))
    return found, [(("flow", "phase"), part.phase)]
