"""The options that every transport function shares, and what is allowed."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["Boundary", "Interface", "check_options", "checked_level_set"]

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


def checked_level_set(
    level_set: NDArray[np.floating] | None,
    inside: NDArray[np.bool_],
    interface: Interface,
    axis: int,
) -> NDArray[np.floating] | None:
    """Return the level set with the flux axis first, if it agrees with the labels.

    Parameters
    ----------
    level_set : ndarray of float, shape (nz, ny, nx), or None
    inside : ndarray of bool
        The voxels of the phase, with the flux axis first.
    interface : {"smooth", "voxel"}
    axis : int
        Array axis of the flux.

    Raises
    ------
    ValueError
        If the level set has another shape or other signs, or the interface is a staircase.
    """
    if level_set is None:
        return None
    if interface == "voxel":
        raise ValueError(
            "a level set and interface='voxel' contradict each other; use interface='smooth'"
        )
    field = np.moveaxis(np.asarray(level_set), axis, 0)
    if field.shape != inside.shape:
        raise ValueError(
            f"the level set has shape {np.shape(level_set)}, the image another one; "
            "give one value per voxel"
        )
    wrong = int(np.count_nonzero((field >= 0.0) != inside))
    if wrong:
        raise ValueError(
            f"the level set contradicts the labels in {wrong} voxels; it must be zero or positive "
            "in the voxels of the phase and negative in all others"
        )
    return field
