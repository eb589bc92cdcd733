"""What is done to the faces of the box around a mesh, on its elements."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ..meshing import BOX_FACES
from .faces import Face
from .mesh_elements import EDGE, Elements

__all__ = ["face_forces", "held_values"]


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
