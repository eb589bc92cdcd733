"""The verification cases of every room, in one list."""

from __future__ import annotations

from importlib import import_module

from ..trust import Case

__all__ = ["all_cases"]

MODULES = (
    "transport.verification",
    "descriptors.verification",
    "electrochemistry.verification",
    "electrochemistry.half_cell_verification",
    "electrochemistry.impedance_verification",
    "upscaling.verification",
    "mechanics.verification",
    "mechanics.particle_verification",
    "mechanics.mesh_verification",
    "reactions.verification",
    "trust.cases",
)


def all_cases() -> list[Case]:
    """Return the cases of all rooms, in the order of the rooms."""
    return [case for name in MODULES for case in import_module(f"microtwin.{name}").CASES]
