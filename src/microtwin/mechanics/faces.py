"""What is done to the six faces of the box around an image or a mesh."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..checking import is_number
from ..meshing import BOX_FACES

__all__ = ["Condition", "Face", "checked_faces"]

Condition: TypeAlias = str | Mapping[str, float | ArrayLike]
KINDS = (
    "'free', 'roller', 'clamped', {'displacement': metres along the outward normal}, {'pressure': "
    "Pa, positive inwards} or {'traction': (z, y, x) in Pa}"
)


@dataclass(frozen=True, eq=False)
class Face:
    """What is done to one face.

    Parameters
    ----------
    held : ndarray, shape (3,)
        Displacement along (z, y, x) in metres, NaN where free.
    traction : ndarray, shape (3,)
        In Pa.
    """

    held: NDArray[np.float64] = field(default_factory=lambda: np.full(3, np.nan))
    traction: NDArray[np.float64] = field(default_factory=lambda: np.zeros(3))


def checked_faces(faces: Mapping[str, Condition]) -> dict[str, Face]:
    """Return what is done to each face that is named; a `ValueError` says what is allowed."""
    if not isinstance(faces, Mapping):
        raise ValueError(
            f"faces {faces!r} are not allowed; give them by name, as in {{'z_low': 'roller'}}"
        )
    found = {}
    for name, condition in faces.items():
        if name not in BOX_FACES:
            raise ValueError(f"there is no face {name!r}; faces are {', '.join(BOX_FACES)}")
        axis, outward = divmod(BOX_FACES.index(name), 2)
        face = _face(axis, 1.0 if outward else -1.0, condition)
        if face is None:
            raise ValueError(f"face {name} cannot be {condition!r}; give {KINDS}")
        found[name] = face
    return found


def _face(axis: int, sign: float, condition: object) -> Face | None:
    normal = np.eye(3)[axis]
    if isinstance(condition, str):
        if condition == "free":
            return Face()
        if condition == "roller":
            return Face(held=np.where(normal == 1.0, 0.0, np.nan))
        return Face(held=np.zeros(3)) if condition == "clamped" else None
    if not isinstance(condition, Mapping) or len(condition) != 1:
        return None
    ((kind, value),) = condition.items()
    if kind == "displacement" and is_number(value):
        return Face(held=np.where(normal == 1.0, sign * value, np.nan))
    if kind == "pressure" and is_number(value):
        return Face(traction=-sign * value * normal)
    if kind == "traction":
        try:
            vector = np.asarray(value, float)
        except (TypeError, ValueError):
            return None
        if vector.shape == (3,) and np.isfinite(vector).all():
            return Face(traction=vector)
    return None
