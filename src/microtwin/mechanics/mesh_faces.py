"""What is done to the six faces of the box around a mesh."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..checking import is_number
from ..meshing import BOX_FACES
from .mesh_elements import EDGE, Elements

__all__ = ["Condition", "Face", "checked_faces", "face_forces", "held_values"]

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


def held_values(elements: Elements, faces: Mapping[str, Face]) -> NDArray[np.float64]:
    """Return the given unknowns, NaN where there is none, shape (count, 3).

    On an edge of the box that two faces share the last one given holds.
    """
    values = np.full((elements.count, 3), np.nan)
    for name, face in faces.items():
        given = np.isfinite(face.held)
        if given.any():
            blocks = elements.facet_blocks(_facets(elements, name))
            for part, scale in ((blocks[:, :3], 1.0), (blocks[:, 3:], 0.0)):
                # Unknowns of edges are what is beyond the linear part: 0 for a constant.
                at = np.unique(part)
                values[at[:, None], np.flatnonzero(given)] = scale * face.held[given]
    return values


def face_forces(elements: Elements, faces: Mapping[str, Face]) -> NDArray[np.float64]:
    """Return the forces of the tractions, shape (count, 3), in N."""
    forces = np.zeros((elements.count, 3))
    for name, face in faces.items():
        if not face.traction.any():
            continue
        facets = _facets(elements, name)
        a, b, c = elements.mesh.points[facets].transpose(1, 0, 2)
        areas = 0.5 * np.linalg.norm(np.cross(b - a, c - a), axis=1)
        blocks = elements.facet_blocks(facets)
        # Integrals over a facet: lambda_i gives a third of the area, lambda_i lambda_j a twelfth.
        shares = np.array([1.0 / 3.0] * 3 + [EDGE / 12.0] * 3)[: blocks.shape[1]]
        weights = np.bincount(
            blocks.ravel(), (areas[:, None] * shares).ravel(), minlength=elements.count
        )
        forces += weights[:, None] * face.traction
    return forces


def _facets(elements: Elements, face: str) -> NDArray[np.int32]:
    mesh = elements.mesh
    return mesh.box_facets[mesh.box_facet_faces == BOX_FACES.index(face)]
