"""What callers give to elasticity on meshes, checked and brought to the points of integration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..checking import is_number
from ..meshing import TetrahedralMesh
from .mesh_elements import Elements
from .mesh_pieces import SolidMesh
from .stiffness import Solid

__all__ = ["Eigenstrain", "checked_numbers", "checked_solids", "strains_at_points"]

Vector = NDArray[np.float64]
Eigenstrain: TypeAlias = float | ArrayLike | Callable[[Vector], ArrayLike]


def checked_solids(mesh: TetrahedralMesh, materials: Mapping[str, Solid]) -> dict[str, Solid]:
    """Return the solids of the phases; a `ValueError` says what is allowed."""
    if not isinstance(mesh, TetrahedralMesh):
        raise ValueError(
            f"a {type(mesh).__name__} is no mesh; give what meshing.tetrahedralize returns"
        )
    if not isinstance(materials, Mapping) or not materials:
        raise ValueError(
            "no phase has a material, so nothing is solid; give solids by name, as in "
            "{'active': isotropic(100e9, 0.25)}"
        )
    for name, solid in materials.items():
        mesh.number(name)
        if not isinstance(solid, Solid):
            raise ValueError(
                f"the material of {name!r} is {solid!r}; give a Solid, such as isotropic(young, "
                "poisson)"
            )
    return dict(materials)


def checked_numbers(order: int, tol: float) -> None:
    """Refuse an order of elements or a tolerance that is not allowed."""
    if order not in (1, 2):
        raise ValueError(f"order {order!r} is not allowed; elements have order 1 or 2")
    if not (is_number(tol) and 0.0 < tol < 1.0):
        raise ValueError(f"tol {tol!r} is not allowed; give a number between 0 and 1, such as 1e-8")


def strains_at_points(
    mesh: TetrahedralMesh,
    solid: SolidMesh,
    elements: Elements,
    materials: Mapping[str, Solid],
    given: Mapping[str, Eigenstrain],
) -> Vector:
    """Return the eigenstrain at the points of integration of the solid part, shape (m, q, 6)."""
    if not isinstance(given, Mapping):
        raise ValueError(f"eigenstrain {given!r} is not allowed; give it by phase")
    strains = np.zeros((*elements.points.shape[:2], 6))
    for name, value in given.items():
        number = mesh.number(name)
        if name not in materials:
            raise ValueError(f"phase {name!r} swells but has no material; give it one")
        here = np.flatnonzero(solid.mesh.phase == number)
        if callable(value):
            points = elements.points[here]
            found = _six(value(points.reshape(-1, 3)), points.shape[0] * points.shape[1])
            if found is not None:
                strains[here] = found.reshape(*points.shape[:2], 6)
                continue
        else:
            found = _six(value, len(mesh.cells))
            if found is not None:
                strains[here] = found if found.ndim == 1 else found[solid.cells[here]][:, None]
                continue
        raise ValueError(
            f"the eigenstrain of {name!r} is not allowed; give a number, six components, a field "
            f"of either on the {len(mesh.cells)} tetrahedra of the mesh (values first), or a "
            "function of points (k, 3) in metres that returns either"
        )
    return strains


def _six(value: ArrayLike, count: int) -> Vector | None:
    """Return six components, shape (6,) or (count, 6); None if the value is not allowed."""
    try:
        strain = np.asarray(value, float)
    except (TypeError, ValueError):
        return None
    if not np.isfinite(strain).all():
        return None
    if strain.shape == (6,) or strain.shape == (count, 6):
        return strain
    if strain.shape == () or strain.shape == (count,):
        return np.asarray(strain[..., None] * np.array([1.0, 1.0, 1.0, 0.0, 0.0, 0.0]))
    return None
