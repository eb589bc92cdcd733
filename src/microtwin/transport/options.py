"""The options that every transport function shares, and what is allowed."""

from __future__ import annotations

from typing import Literal

__all__ = ["Boundary", "Interface", "check_options"]

Boundary = Literal["faces", "periodic", "mirror"]
Interface = Literal["smooth", "voxel"]

BOUNDARIES = {
    "faces": "potential fixed on the two outer faces, no flux through the sides",
    "periodic": "the image repeats, a mean gradient is imposed",
    "mirror": "periodic on the image joined to its reflection",
}
INTERFACES = {
    "smooth": "embedded boundary, sub-voxel accuracy",
    "voxel": "staircase, as in other voxel codes",
}


def check_options(boundary: str, interface: str, tol: float) -> None:
    """Raise a `ValueError` unless boundary, interface and tolerance are allowed."""
    for noun, given, known in (
        ("boundary", boundary, BOUNDARIES),
        ("interface", interface, INTERFACES),
    ):
        if given not in known:
            choices = ", ".join(f"{name!r} ({what})" for name, what in known.items())
            raise ValueError(f"{noun} {given!r} is not known; use {choices}")
    if not 0.0 < tol < 1.0:
        raise ValueError(
            f"tol {tol!r} is not allowed; it is the relative spread of the flux between layers "
            "at which the solve stops, between 0 and 1, for example 1e-4"
        )
