"""From an image or an exact geometry to a conforming mesh of tetrahedra."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil
from numpy.typing import NDArray

from ..checking import is_number
from ..geometry.surface import InterfaceAreas
from ..microstructure import Microstructure
from .complexes import in_order, make_complex
from .cutting import cut_lattice
from .facets import box_facets, interface_facets
from .field_kernels import Fields
from .improvement import improve
from .lattice import fill_box
from .memory import MeshEstimate, check_memory, estimate_of, least_of
from .phase_fields import PhaseFields, image_fields, kernel_fields, mixed_samples
from .sizing import octree_levels
from .topology import mend_topology
from .volumes import calibrated

if TYPE_CHECKING:
    from .quality import MeshQuality
    from .surfaces import SurfaceMesh

__all__ = ["BOX_FACES", "TetrahedralMesh", "estimate", "tetrahedralize"]

# Faces of the box by number, named as the ends of the axes; an electrode has its current collector
# at the low end of z and its separator at the high end.
BOX_FACES = ("z_low", "z_high", "y_low", "y_high", "x_low", "x_high")
SMALLEST = 0.25  # voxels; finer elements would resolve only the interpolation
MOST_PHASES = 32
GRADED = 4.0  # largest elements over the smallest, by default


@dataclass(frozen=True, eq=False)
class TetrahedralMesh:
    """A conforming mesh: every interface is a surface of facets that both sides share.

    Parameters
    ----------
    points : ndarray of float, shape (n, 3)
        Vertices in metres, in the order (z, y, x); the box starts at 0.
    cells : ndarray of int32, shape (m, 4)
        Vertices of each tetrahedron. The last three go around anticlockwise when seen from the
        first against a right-handed system of axes (z, y, x).
    phase : ndarray of uint8, shape (m,)
        Number of the phase of each tetrahedron, a place in `phases`.
    phases : tuple of str
        Names.
    facets : ndarray of int32, shape (k, 3)
        Vertices of each facet between two phases.
    facet_phases : ndarray of uint8, shape (k, 2)
        Numbers of the two phases, the lower first; the normal of the facet, by the right-hand rule
        in (z, y, x), points from the first to the second.
    box_facets : ndarray of int32, shape (b, 3)
        Vertices of each facet on the box; the normal points out.
    box_facet_cells : ndarray of int32, shape (b,)
        Tetrahedron that each belongs to.
    box_facet_faces : ndarray of uint8, shape (b,)
        Face of the box, a place in `BOX_FACES`.
    extent : 3 floats
        Edges of the box along (z, y, x) in metres.
    size : float
        Size of elements at the interfaces that was asked for, in metres.
    unit : float
        Shortest edge of a voxel of the image, in metres.
    fractions : mapping of str to float, optional
        Volume fractions that the mesh should have.
    image : Microstructure, optional
        The image that was meshed; `quality` compares with it.
    """

    points: NDArray[np.float64] = field(repr=False)
    cells: NDArray[np.int32] = field(repr=False)
    phase: NDArray[np.uint8] = field(repr=False)
    phases: tuple[str, ...]
    facets: NDArray[np.int32] = field(repr=False)
    facet_phases: NDArray[np.uint8] = field(repr=False)
    box_facets: NDArray[np.int32] = field(repr=False)
    box_facet_cells: NDArray[np.int32] = field(repr=False)
    box_facet_faces: NDArray[np.uint8] = field(repr=False)
    extent: tuple[float, float, float]
    size: float
    unit: float = field(repr=False)
    fractions: dict[str, float] | None = field(default=None, repr=False)
    image: Microstructure | None = field(default=None, repr=False)

    def number(self, phase: str) -> int:
        """Return the number of a phase; a `ValueError` lists the names there are."""
        if phase not in self.phases:
            raise ValueError(
                f"phase {phase!r} is not in this mesh; it has {', '.join(self.phases)}"
            )
        return self.phases.index(phase)

    @cached_property
    def volumes(self) -> NDArray[np.float64]:
        """Volume of each tetrahedron in m^3, shape (m,)."""
        corners = self.points[self.cells]
        edges = corners[:, 1:] - corners[:, :1]
        normal = np.cross(edges[:, 1], edges[:, 2])
        volumes: NDArray[np.float64] = np.einsum("ij,ij->i", edges[:, 0], normal) / 6.0
        return volumes

    @property
    def volume_fractions(self) -> dict[str, float]:
        """Share of the volume of each phase, by name."""
        sums = np.bincount(self.phase, self.volumes, len(self.phases))
        return {name: float(v / sums.sum()) for name, v in zip(self.phases, sums, strict=True)}

    @cached_property
    def facet_areas(self) -> NDArray[np.float64]:
        """Area of each facet between two phases in m^2, shape (k,)."""
        corners = self.points[self.facets]
        normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        areas: NDArray[np.float64] = 0.5 * np.linalg.norm(normal, axis=1)
        return areas

    @property
    def interface_areas(self) -> InterfaceAreas:
        """Area between each pair of phases in m^2, by names in any order."""
        n = len(self.phases)
        pair = self.facet_phases[:, 0].astype(int) * n + self.facet_phases[:, 1]
        sums = np.bincount(pair, self.facet_areas, n * n)
        names = [(a, b) for i, a in enumerate(self.phases) for b in self.phases[i + 1 :]]
        number = self.phases.index
        return InterfaceAreas({(a, b): float(sums[number(a) * n + number(b)]) for a, b in names})

    def quality(self) -> MeshQuality:
        """Return how good the mesh is, with a verdict on everything it must fulfil."""
        from .quality import mesh_quality

        return mesh_quality(self)

    def surface(self, first: str, second: str) -> SurfaceMesh:
        """Return the interface between two phases as a surface mesh.

        Parameters
        ----------
        first, second : str
            Phases; normals point from the first to the second.

        Raises
        ------
        ValueError
            If a phase is not in the mesh, both are the same, or they do not meet.
        """
        from .surfaces import interface_surface

        return interface_surface(self, first, second)

    def save(self, path: str | PathLike[str], **data: NDArray) -> None:
        """Write the mesh to a file; the ending tells the format.

        ``.vtu`` and ``.vtkhdf`` (VTK, ParaView), ``.msh`` (Gmsh 4.1), ``.xdmf``, ``.inp``
        (Abaqus). Lengths are in metres, in the order (x, y, z). Phases, interfaces and faces of
        the box are carried along as far as the format has a place for them. In ``.msh`` and
        ``.inp``, quotes, commas and the like in names become underscores.

        Parameters
        ----------
        path : str or path
        **data : ndarray
            Further fields by name: one value (or 3) for each vertex, or for each tetrahedron. Not
            for Abaqus.

        Raises
        ------
        ValueError
            If the ending is none of these, a field has another length, or is called "phase".
        FileNotFoundError
            If there is no such folder.
        """
        from .files import save_mesh

        save_mesh(self, path, data)

    def to_ngsolve(self) -> Any:
        """Return the mesh as an ``ngsolve.Mesh``, with lengths in metres in the order (x, y, z).

        Materials are the phases. Boundaries are the faces of the box (`BOX_FACES`) and, between
        two phases, ``"active/pore"``.

        Raises
        ------
        ImportError
            If NGSolve is not installed; the message says what to install.
        """
        from .ngsolve_bridge import ngsolve_mesh

        return ngsolve_mesh(self)


def tetrahedralize(
    source: Microstructure | PhaseFields, size: float = 2.0, coarsest: float | None = None
) -> TetrahedralMesh:
    """Return a mesh in which every phase of an image is resolved.

    A graded lattice of tetrahedra is cut where the phases change and then improved; `lattice`,
    `cutting`, `topology` and `improvement` tell the steps. The result does not depend on the
    number of threads.

    Parameters
    ----------
    source : Microstructure or PhaseFields
        An image, with probabilities if it has some, or fields of an exact geometry such as
        `level_set_fields` gives.
    size : float
        Edge of the cubes of the lattice at interfaces, in voxels (in the shortest edge of one, if
        they are not cubes). Films and necks thinner than that are found all the same: elements
        are smaller there.
    coarsest : float, optional
        The same inside phases, far from interfaces; by default 4 times `size`. Give `size` again
        for a uniform mesh.

    Returns
    -------
    TetrahedralMesh
        Ask its `quality` whether it may be used.

    Raises
    ------
    ValueError
        If there is one phase only, a size is not allowed, or the mesh would not fit in memory.
    """
    fields = _fields_of(source)
    coarsest = _checked_sizes(fields, size, coarsest)
    names, unit = fields.phases, fields.unit
    kernel = kernel_fields(fields)
    target = None
    if fields.fractions is not None:
        target = np.array([fields.fractions[name] for name in names])
        kernel = calibrated(kernel, target)
    mixed = mixed_samples(kernel)
    ratio = coarsest / size

    def estimated(edge: float) -> MeshEstimate:
        return _estimate(fields, kernel, mixed, edge, ratio * edge)

    check_memory(size, 0.5 * min(fields.extent) / unit, estimated)
    levels = octree_levels(kernel, mixed, size, coarsest, fields.thin)
    extent = tuple(length / unit for length in fields.extent)
    mesh = cut_lattice(make_complex(fill_box(levels, extent), kernel), kernel, mixed)
    mend_topology(mesh)
    volumes = None if target is None else target * np.prod(extent)
    mesh = in_order(improve(in_order(mesh), kernel, volumes)[0])
    facets, facet_phases = interface_facets(mesh)
    on_box, box_cells, box_faces = box_facets(mesh)
    return TetrahedralMesh(
        points=mesh.points * unit,
        cells=mesh.cells,
        phase=mesh.phase.astype(np.uint8),
        phases=names,
        facets=facets,
        facet_phases=facet_phases.astype(np.uint8),
        box_facets=on_box,
        box_facet_cells=box_cells,
        box_facet_faces=box_faces,
        extent=fields.extent,
        size=size * unit,
        unit=unit,
        fractions=None if fields.fractions is None else dict(fields.fractions),
        image=fields.image,
    )


def estimate(
    source: Microstructure | PhaseFields, size: float = 2.0, coarsest: float | None = None
) -> MeshEstimate:
    """Return about how many tetrahedra a mesh will have, and how much memory it needs.

    Parameters
    ----------
    source, size, coarsest
        As in `tetrahedralize`.

    Returns
    -------
    MeshEstimate
        For a mesh that certainly does not fit in the memory that is free, the least it can be.
    """
    fields = _fields_of(source)
    coarsest = _checked_sizes(fields, size, coarsest)
    kernel = kernel_fields(fields)
    return _estimate(fields, kernel, mixed_samples(kernel), size, coarsest)


def _estimate(
    fields: PhaseFields, kernel: Fields, mixed: NDArray[np.bool_], size: float, coarsest: float
) -> MeshEstimate:
    """Return the size of a mesh; where it is out of reach, only the least that it can have."""
    least = least_of(fields, int(np.count_nonzero(mixed)), size)
    if least.memory > psutil.virtual_memory().available:
        return least
    return estimate_of(fields, octree_levels(kernel, mixed, size, coarsest, fields.thin))


def _fields_of(source: Microstructure | PhaseFields) -> PhaseFields:
    if not isinstance(source, (Microstructure, PhaseFields)):
        raise ValueError(
            f"a {type(source).__name__} cannot be meshed; give a Microstructure, which knows the "
            "size of its voxels and the names of its phases, or the fields of an exact geometry"
        )
    fields = source if isinstance(source, PhaseFields) else image_fields(source)
    if len(fields.phases) > MOST_PHASES:
        raise ValueError(
            f"there are {len(fields.phases)} phases; a mesh can have up to {MOST_PHASES}, so join "
            "some"
        )
    return fields


def _checked_sizes(fields: PhaseFields, size: float, coarsest: float | None) -> float:
    shortest = min(fields.extent) / fields.unit
    if not is_number(size) or not SMALLEST <= size <= shortest / 2:
        raise ValueError(
            f"size {size!r} is not allowed; give the edge of elements in voxels, from "
            f"{SMALLEST:g} to {shortest / 2:g} (half of the shortest side of the image)"
        )
    if coarsest is None:
        return GRADED * size
    if not is_number(coarsest) or coarsest < size:
        raise ValueError(
            f"coarsest {coarsest!r} is not allowed; it is the size of elements inside the phases, "
            f"in voxels, and at least size ({size:g})"
        )
    return float(coarsest)
