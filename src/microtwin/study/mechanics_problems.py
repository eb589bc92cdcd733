"""What does not fit together in the section `mechanics` of a study."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from ..meshing import BOX_FACES
from .electrode_sections import HalfCell
from .mechanics_sections import (
    COMPONENTS,
    Mechanics,
    conditions,
    free_components,
    plates,
)
from .problems import Problem

__all__ = ["mechanics_phases", "mechanics_problems"]

SECTION = "mechanics"
Place = tuple[str | int, ...]


def mechanics_phases(part: Mechanics) -> list[tuple[Place, str]]:
    """Return the phases that the section names, with the places where it does."""
    named = [
        ((SECTION, key, name), name)
        for key in ("materials", "swelling")
        for name in getattr(part, key)
    ]
    single = [((SECTION, key), getattr(part, key)) for key in ("particles", "binder")]
    return named + [(place, name) for place, name in single if name is not None]


def mechanics_problems(part: Mechanics, half_cell: HalfCell | None) -> list[Problem]:
    """Return what does not fit in the section, or to the discharge that it follows."""
    return [
        *_along_problems(part, half_cell),
        *_phase_problems(part),
        *_load_problems(part),
        *_strain_problems(part),
        *_strength_problems(part),
    ]


def _phase_problems(part: Mechanics) -> Iterable[Problem]:
    for name in part.swelling:
        if name not in part.materials:
            text = f"{name!r} swells but has no material; give it one under mechanics.materials"
            yield Problem((SECTION, "swelling", name), text, name, list(part.materials))
    for key in ("particles", "binder"):
        name = getattr(part, key)
        if name is not None and name not in part.materials:
            text = f"{name!r} bears no stress, for it has no material under mechanics.materials"
            yield Problem((SECTION, key), text, name, list(part.materials))
    if part.particle_phase is not None and part.particle_phase == part.binder_phase:
        text = f"{part.binder_phase!r} is made of particles as well; name another phase"
        yield Problem((SECTION, "binder"), text)


def _along_problems(part: Mechanics, half_cell: HalfCell | None) -> Iterable[Problem]:
    if part.along is None:
        return
    place = (SECTION, "along")
    if half_cell is None or not half_cell.c_rates:
        text = "there is no discharge to follow; name its rate under half_cell.c_rates"
        yield Problem(place, text)
        return
    if part.along.rate(half_cell.c_rates) is None:
        known = ", ".join(f"{rate:g}" for rate in half_cell.c_rates)
        text = f"there is no discharge at {part.along.c_rate:g} C; half_cell.c_rates has {known}"
        yield Problem((*place, "c_rate"), text)
    if half_cell.active not in part.materials:
        text = (
            f"{half_cell.active!r} takes up lithium but has no material; give it one under "
            "mechanics.materials"
        )
        yield Problem(place, text)


def _load_problems(part: Mechanics) -> Iterable[Problem]:
    moved = any(isinstance(face, dict) for face in conditions(part.faces).values())
    means = (part.mean_strain or {}, part.mean_stress or {})
    swells = any(np.any(strain) for strain in part.swelling.values())
    if not swells and not moved and not any(any(given.values()) for given in means):
        text = "nothing swells and nothing presses; give some phase a strain, for example 0.01"
        yield Problem((SECTION, "swelling"), text)
    for name in conditions(part.faces):
        if name not in BOX_FACES:
            text = f"there is no face {name!r}; faces are {', '.join(BOX_FACES)}"
            yield Problem((SECTION, "faces", name), text, name, BOX_FACES)
    free = free_components(part.faces, part.mean_strain)
    for name, stress in (part.mean_stress or {}).items():
        place = (SECTION, "mean_stress", name)
        if name not in COMPONENTS:
            yield _unknown(place, name)
        elif stress and name not in free:
            text = (
                f"nothing carries a mean stress {name}: that strain is held, or its axis ends in "
                "faces that are no plates; leave it out, press on a face, or free the strain"
            )
            yield Problem(place, text)


def _strain_problems(part: Mechanics) -> Iterable[Problem]:
    given = conditions(part.faces)
    bounded = {name[0] for name in given}
    for name, strain in (part.mean_strain or {}).items():
        place = (SECTION, "mean_strain", name)
        if name not in COMPONENTS:
            yield _unknown(place, name)
        elif not math.isfinite(strain):
            yield Problem(place, "a strain is a finite number; leave out what is free")
        elif (
            strain and bounded & set(name) and not (name[0] == name[1] and name[0] in plates(given))
        ):
            text = (
                f"{name} belongs to an axis that is not periodic and has no rollers on both faces; "
                "move a face by {displacement: 0.1 um} instead"
            )
            yield Problem(place, text)


def _unknown(place: Place, name: str) -> Problem:
    text = f"{name!r} is no component; they are {', '.join(COMPONENTS)}"
    return Problem(place, text, name, COMPONENTS)


def _strength_problems(part: Mechanics) -> Iterable[Problem]:
    needed = {
        "binder": ("binder",),
        "particles": ("particles",),
        "interface": ("particles", "binder"),
    }
    phases = {"binder": part.binder_phase, "particles": part.particle_phase}
    for key, roles in needed.items():
        for role in roles:
            if getattr(part.strength, key) is not None and phases[role] is None:
                text = f"it is not said which phase that is; name it in mechanics.{role}"
                yield Problem((SECTION, "strength", key), text)
    known = any(getattr(part.strength, key) is not None for key in needed)
    for key in ("scatter", "weibull_modulus", "field_error"):
        if getattr(part.strength, key) and not known:
            text = f"'{key}' belongs to a strength; give one for binder, particles or interface"
            yield Problem((SECTION, "strength", key), text)
