"""What a voxel image, its solids and what is done to it mean to the solver."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..checking import is_number
from ..connectivity import carrying_clusters, label_clusters
from ..meshing import BOX_FACES
from ..numerics.elements import PAIRS
from .faces import Condition, Face, checked_faces

__all__ = ["Boundary", "boundary", "checked_tolerance", "floating_share", "require_carried"]

Vector = NDArray[np.float64]
COMPONENTS = ("zz", "yy", "xx", "yx", "zx", "zy")


@dataclass(frozen=True, eq=False)
class Boundary:
    """What is done to an image from outside.

    Parameters
    ----------
    periodic : tuple of 3 bool
    held : ndarray of bool, shape (3, 2, 3)
        By axis, side and component, what nodes on faces are told.
    displacements : dict
        By axis, side and component, values other than 0 of these, in m.
    tractions : dict
        By axis and side, shape (3,) in Pa.
    free : ndarray of bool, shape (6,)
        Components of the mean strain that are unknown.
    strain, stress : ndarray, shape (6,)
        The mean strain where it is held; the mean stress, in Pa, where the strain is free.
    """

    periodic: tuple[bool, bool, bool]
    held: NDArray[np.bool_]
    displacements: dict[tuple[int, int, int], float]
    tractions: dict[tuple[int, int], Vector]
    free: NDArray[np.bool_]
    strain: Vector
    stress: Vector


def boundary(
    faces: Mapping[str, Condition] | None,
    mean_strain: ArrayLike | None,
    mean_stress: ArrayLike | None,
) -> Boundary:
    """Return what is done to an image, as checked."""
    named = checked_faces({} if faces is None else faces)
    sides = {divmod(BOX_FACES.index(name), 2): face for name, face in named.items()}
    axes = {axis for axis, _ in sides}
    held, values = np.zeros((3, 2, 3), bool), {}
    for (axis, side), face in sides.items():
        held[axis, side] = np.isfinite(face.held)
        for c in np.flatnonzero(held[axis, side]):
            if face.held[c] != 0.0:
                values[axis, side, int(c)] = float(face.held[c])
    plates = {axis for axis in axes if all(_is_roller(sides, axis, side) for side in (0, 1))}
    free, strain = _mean_strain(mean_strain, axes, plates)
    stress = np.zeros(6) if mean_stress is None else np.asarray(mean_stress, float)
    if stress.shape != (6,) or not np.isfinite(stress).all():
        raise ValueError(f"mean_stress {mean_stress!r} is not allowed; give six numbers, in Pa")
    pushed = {at: face.traction for at, face in sides.items() if face.traction.any()}
    periodic = (0 not in axes, 1 not in axes, 2 not in axes)
    return Boundary(periodic, held, values, pushed, free, strain, stress)


def floating_share(number: NDArray[np.signedinteger], given: Boundary) -> float:
    """Return the share of the solid in bodies that nothing holds; what is pushed must be held.

    Parameters
    ----------
    number : ndarray, shape (nz, ny, nx)
        Negative in void.
    given : Boundary

    Raises
    ------
    ValueError
        If a traction acts on a body that nothing holds in its direction.
    """
    periodic, held = given.periodic, given.held
    solid = np.pad(number >= 0, [(0, 0 if ring else 1) for ring in periodic])
    bodies, many = label_clusters(solid, periodic=True, connectivity=26)
    kept = np.zeros(many + 1, bool)
    for axis in range(3):
        if periodic[axis]:
            kept[bodies[carrying_clusters(solid, axis, periodic=True) > 0]] = True
        for side in (0, 1):
            if held[axis, side].any():
                kept[bodies.take(-2 if side else 0, axis)] = True
    for (axis, side), traction in given.tractions.items():
        touched = np.unique(bodies.take(-2 if side else 0, axis))
        touched = touched[touched > 0]
        for component in np.flatnonzero(traction):
            loose = touched
            for along, end in np.argwhere(held[:, :, component]):
                loose = np.setdiff1d(loose, bodies.take(-2 if end else 0, along))
            if len(loose):
                raise ValueError(
                    f"the face {BOX_FACES[2 * axis + side]} pushes along {'zyx'[component]} on "
                    f"{len(loose)} bodies that nothing holds in that direction; hold a face that "
                    "they reach, such as the opposite one by 'roller'"
                )
    kept[0] = True
    return float((~kept[bodies]).sum() / solid.sum())


def require_carried(number: NDArray[np.signedinteger], given: Boundary) -> None:
    """Refuse a mean stress along an axis through which no solid leads: nothing could bear it.

    Parameters
    ----------
    number : ndarray, shape (nz, ny, nx)
        Negative in void.
    given : Boundary

    Raises
    ------
    ValueError
    """
    solid = number >= 0
    for component in np.flatnonzero(given.free & (given.stress != 0.0)):
        for axis in sorted(set(PAIRS[component])):
            if not carrying_clusters(solid, axis, periodic=given.periodic[axis]).any():
                raise ValueError(
                    f"no solid leads through the image along {'zyx'[axis]}, so nothing carries the "
                    f"mean stress {COMPONENTS[component]}; leave it out, or name more phases as "
                    "solid"
                )


def _is_roller(sides: Mapping[tuple[int, int], Face], axis: int, side: int) -> bool:
    face = sides.get((axis, side))
    if face is None:
        return False
    normal = np.arange(3) == axis
    return bool((np.isfinite(face.held) == normal).all() and face.held[axis] == 0.0)


def _mean_strain(
    given: ArrayLike | None, axes: set[int], plates: set[int]
) -> tuple[NDArray[np.bool_], Vector]:
    """Return which components are free, and the values of the others."""
    allowed = np.array([not axes & {a, c} or (a == c and a in plates) for a, c in PAIRS])
    if given is None:
        return np.array([not axes & {a, c} for a, c in PAIRS]), np.zeros(6)
    strain = np.asarray(given, float)
    if strain.shape != (6,) or np.isinf(strain).any():
        raise ValueError(
            f"mean_strain {given!r} is not allowed; give six components, NaN where free"
        )
    wrong = ~allowed & ~((strain == 0.0) | np.isnan(strain))
    if wrong.any():
        names = ", ".join(np.array(COMPONENTS)[wrong])
        raise ValueError(
            f"mean_strain {given!r} is not allowed: {names} belongs to an axis that is not "
            "periodic and has no rollers on both faces; give 0 or NaN there"
        )
    free = np.isnan(strain) & allowed
    return free, np.where(np.isnan(strain), 0.0, strain)


def checked_tolerance(tol: float) -> float:
    """Return a tolerance between 0 and 1."""
    if not (is_number(tol) and 0.0 < tol < 1.0):
        raise ValueError(f"tol {tol!r} is not allowed; give a number between 0 and 1")
    return float(tol)
