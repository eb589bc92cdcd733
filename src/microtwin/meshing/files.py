"""Meshes as files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .surfaces import SurfaceMesh
from .tetrahedra import BOX_FACES, TetrahedralMesh

if TYPE_CHECKING:
    import meshio

__all__ = ["boundary_names", "boundary_triangles", "save_mesh", "save_surface"]

MESHES = (".vtu", ".vtkhdf", ".msh", ".xdmf", ".inp")
SURFACES = (".stl", ".ply", ".vtu", ".obj")
VTK_TETRAHEDRON = 10


def boundary_names(mesh: TetrahedralMesh) -> tuple[str, ...]:
    """Return the names of the boundaries: faces of the box, then pairs of phases that meet."""
    pairs = np.unique(mesh.facet_phases, axis=0)
    return (*BOX_FACES, *(f"{mesh.phases[a]}/{mesh.phases[b]}" for a, b in pairs))


def boundary_triangles(mesh: TetrahedralMesh) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return all facets on boundaries, and the place of each in `boundary_names`."""
    pair = np.unique(mesh.facet_phases, axis=0, return_inverse=True)[1]
    triangles = np.concatenate([mesh.box_facets, mesh.facets])
    names = np.concatenate([mesh.box_facet_faces.astype(int), len(BOX_FACES) + pair.ravel()])
    return triangles, names


def save_mesh(
    mesh: TetrahedralMesh, path: str | PathLike[str], data: Mapping[str, NDArray]
) -> None:
    """Write a mesh to a file; `TetrahedralMesh.save` tells the formats."""
    path = Path(path)
    if path.suffix.lower() not in MESHES:
        raise ValueError(
            f"a mesh cannot be written to {path.name!r}; use an ending of {', '.join(MESHES)}"
        )
    if data and path.suffix.lower() == ".inp":
        raise ValueError(
            f"{path.name!r} has no place for the fields {', '.join(data)}; write the mesh without "
            "them, or to .vtu"
        )
    _require_folder(path)
    at_points, at_cells = _sorted_data(mesh, data)
    if path.suffix.lower() == ".vtkhdf":
        _write_vtkhdf(mesh, path, at_points, {"phase": mesh.phase, **at_cells})
        return
    written = _as_meshio(mesh, path.suffix.lower(), at_points, at_cells)
    options: dict[str, Any] = {}
    if path.suffix.lower() == ".msh":
        options = {"file_format": "gmsh", "binary": True}
    written.write(path, **options)


def save_surface(surface: SurfaceMesh, path: Path) -> None:
    """Write a surface to a file; `SurfaceMesh.save` tells the formats."""
    import meshio

    if path.suffix.lower() not in SURFACES:
        raise ValueError(
            f"a surface cannot be written to {path.name!r}; use an ending of {', '.join(SURFACES)}"
        )
    _require_folder(path)
    written = meshio.Mesh(_xyz(surface.points), [("triangle", surface.facets[:, ::-1])])
    written.write(path)


def _require_folder(path: Path) -> None:
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"{path.name!r} cannot be written: there is no folder {path.parent}; make it first"
        )


def _plain_names(names: Iterable[str]) -> list[str]:
    """Return names that a text format can hold: quotes, commas and the like become underscores."""
    found: list[str] = []
    for name in names:
        plain = first = re.sub(r"[^\w./ -]", "_", name, flags=re.ASCII)
        number = 2
        while plain in found:
            plain, number = f"{first}_{number}", number + 1
        found.append(plain)
    return found


def _xyz(values: NDArray) -> NDArray:
    """Return vectors (z, y, x) as (x, y, z)."""
    return np.ascontiguousarray(values[:, ::-1])


def _sorted_data(
    mesh: TetrahedralMesh, data: Mapping[str, NDArray]
) -> tuple[dict[str, NDArray], dict[str, NDArray]]:
    """Sort fields into those of vertices and those of tetrahedra; turn vectors to (x, y, z)."""
    at_points, at_cells = {}, {}
    for name, given in data.items():
        if name == "phase":
            raise ValueError("'phase' is written anyhow; give the field another name")
        values = np.asarray(given)
        if values.ndim not in (1, 2):
            raise ValueError(
                f"field {name!r} has the shape {values.shape}; give one value, or 3, for each "
                "vertex or each tetrahedron"
            )
        if values.ndim == 2 and values.shape[1] == 3:
            values = _xyz(values)
        if len(values) == len(mesh.points):
            at_points[name] = values
        elif len(values) == len(mesh.cells):
            at_cells[name] = values
        else:
            raise ValueError(
                f"field {name!r} has {len(values)} values; {len(mesh.points)} for the vertices or "
                f"{len(mesh.cells)} for the tetrahedra are needed"
            )
    return at_points, at_cells


def _as_meshio(
    mesh: TetrahedralMesh,
    suffix: str,
    at_points: Mapping[str, NDArray],
    at_cells: Mapping[str, NDArray],
) -> meshio.Mesh:
    import meshio

    # The order (x, y, z) mirrors space, so two vertices change places.
    cells = mesh.cells[:, [0, 1, 3, 2]]
    points = _xyz(mesh.points)
    phase = mesh.phase.astype(np.int32)
    if suffix == ".xdmf":
        fields = {"phase": [phase], **{name: [values] for name, values in at_cells.items()}}
        return meshio.Mesh(points, [("tetra", cells)], dict(at_points), fields)
    triangles, boundary = boundary_triangles(mesh)
    blocks = [("tetra", cells), ("triangle", triangles[:, ::-1])]
    if suffix == ".inp":
        sets: dict[str, list[NDArray]] = {}
        none = np.empty(0, np.int64)
        names = [name.replace("/", "_") for name in (*mesh.phases, *boundary_names(mesh))]
        names = _plain_names(name.replace(" ", "_") for name in names)
        for k in range(len(mesh.phases)):
            sets[names[k]] = [np.flatnonzero(mesh.phase == k), none]
        for k, name in enumerate(names[len(mesh.phases) :]):
            sets[name] = [none, np.flatnonzero(boundary == k)]
        return meshio.Mesh(points, blocks, cell_sets=sets)
    if suffix == ".msh":
        return _with_entities(mesh, points, cells, at_points, at_cells)
    fields = {}
    for name, values in at_cells.items():
        empty = np.full((len(triangles), *values.shape[1:]), np.nan)
        fields[name] = [values.astype(float), empty]
    # One number for all: phases as they are, boundaries after them.
    fields["phase"] = [phase, (len(mesh.phases) + boundary).astype(np.int32)]
    return meshio.Mesh(points, blocks, dict(at_points), fields)


def _with_entities(
    mesh: TetrahedralMesh,
    points: NDArray,
    cells: NDArray[np.int32],
    at_points: Mapping[str, NDArray],
    at_cells: Mapping[str, NDArray],
) -> meshio.Mesh:
    """Return a mesh with one entity and one physical group for each phase and each boundary."""
    import meshio

    triangles, boundary = boundary_triangles(mesh)
    blocks, tags, chosen, named = [], [], [], {}
    # Each vertex belongs to one entity: a boundary if it lies on one, else a phase.
    entity = np.empty((len(points), 2), np.int64)
    names = _plain_names((*mesh.phases, *boundary_names(mesh)))
    for number, name in enumerate(names[: len(mesh.phases)], start=1):
        chosen.append(np.flatnonzero(mesh.phase == number - 1))
        blocks.append(("tetra", cells[chosen[-1]]))
        tags.append(np.full(len(chosen[-1]), number))
        named[name] = np.array([number, 3])
        entity[cells[chosen[-1]].ravel()] = (3, number)
    for number, name in enumerate(names[len(mesh.phases) :], start=len(mesh.phases) + 1):
        mine = triangles[boundary == number - len(mesh.phases) - 1][:, ::-1]
        blocks.append(("triangle", mine))
        tags.append(np.full(len(mine), number))
        named[name] = np.array([number, 2])
        entity[mine.ravel()] = (2, number)
    fields = {"gmsh:physical": tags, "gmsh:geometrical": tags}
    for name, values in at_cells.items():
        parts = [values[cells_of].astype(float) for cells_of in chosen]
        empty = [np.full((len(tag), *values.shape[1:]), np.nan) for tag in tags[len(parts) :]]
        fields[name] = parts + empty
    placed = {"gmsh:dim_tags": entity, **at_points}
    return meshio.Mesh(points, blocks, placed, fields, field_data=named)


def _write_vtkhdf(
    mesh: TetrahedralMesh,
    path: Path,
    at_points: Mapping[str, NDArray],
    at_cells: Mapping[str, NDArray],
) -> None:
    """Write an unstructured grid in VTKHDF 2.1, the tetrahedra alone."""
    import h5py

    cells = mesh.cells[:, [0, 1, 3, 2]]
    n = len(cells)
    options = {"compression": "gzip", "compression_opts": 4, "shuffle": True}
    with h5py.File(path, "w") as file:
        root = file.create_group("VTKHDF")
        root.attrs["Version"] = (2, 1)
        kind = b"UnstructuredGrid"
        root.attrs.create("Type", kind, dtype=h5py.string_dtype("ascii", len(kind)))
        root["NumberOfPoints"] = np.array([len(mesh.points)], np.int64)
        root["NumberOfCells"] = np.array([n], np.int64)
        root["NumberOfConnectivityIds"] = np.array([4 * n], np.int64)
        root.create_dataset("Points", data=_xyz(mesh.points), **options)
        root.create_dataset("Connectivity", data=cells.ravel().astype(np.int64), **options)
        root.create_dataset("Offsets", data=np.arange(0, 4 * n + 1, 4, dtype=np.int64), **options)
        root.create_dataset("Types", data=np.full(n, VTK_TETRAHEDRON, np.uint8), **options)
        for group, fields in (("PointData", at_points), ("CellData", at_cells)):
            for name, values in fields.items():
                root.create_dataset(f"{group}/{name}", data=values, **options)
