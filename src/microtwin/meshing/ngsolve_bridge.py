"""The file of this room that knows NGSolve: meshes handed over, matrices handed back."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, tril, triu

from ..numerics.threads import thread_count
from .tetrahedra import BOX_FACES, TetrahedralMesh

__all__ = ["Assembled", "assemble_conduction", "libraries", "ngsolve_mesh", "ngsolve_threads"]


def libraries() -> tuple[Any, Any]:
    """Return the modules ``ngsolve`` and ``netgen.meshing``; an `ImportError` names the extra."""
    try:
        import netgen.meshing
        import ngsolve
    except ImportError:
        raise ImportError(
            "finite elements need NGSolve, which is not installed: pip install 'microtwin[mesh]'"
        ) from None
    return ngsolve, netgen.meshing


def ngsolve_mesh(mesh: TetrahedralMesh) -> Any:
    """Return a mesh as an ``ngsolve.Mesh``; `TetrahedralMesh.to_ngsolve` tells more."""
    ngsolve, netgen = libraries()
    made = netgen.Mesh(dim=3)
    # The order (x, y, z) mirrors space, so two vertices change places.
    made.AddPoints(np.ascontiguousarray(mesh.points[:, ::-1]))
    cells = mesh.cells[:, [0, 1, 3, 2]]
    for number, name in enumerate(mesh.phases):
        made.SetMaterial(number + 1, name)
        mine = np.ascontiguousarray(cells[mesh.phase == number])
        if len(mine):
            made.AddElements(dim=3, index=number + 1, data=mine, base=0)
    # A surface belongs to one phase inside, or to two: what lies on the box is told apart by phase.
    surfaces = []
    owner = mesh.phase[mesh.box_facet_cells]
    for face, name in enumerate(BOX_FACES):
        for number in range(len(mesh.phases)):
            chosen = (mesh.box_facet_faces == face) & (owner == number)
            surfaces.append((name, number + 1, 0, mesh.box_facets[chosen]))
    for low, high in np.unique(mesh.facet_phases, axis=0):
        chosen = (mesh.facet_phases == (low, high)).all(axis=1)
        name = f"{mesh.phases[low]}/{mesh.phases[high]}"
        surfaces.append((name, int(low) + 1, int(high) + 1, mesh.facets[chosen]))
    index = 0
    for name, inside, outside, facets in surfaces:
        if len(facets):
            index += 1
            made.Add(netgen.FaceDescriptor(surfnr=index, domin=inside, domout=outside, bc=index))
            made.SetBCName(index - 1, name)
            mine = np.ascontiguousarray(facets[:, ::-1])
            made.AddElements(dim=2, index=index, data=mine, base=0)
    return ngsolve.Mesh(made)


@contextmanager
def ngsolve_threads() -> Iterator[None]:
    """Let NGSolve work on as many threads as everything else does."""
    ngsolve, _ = libraries()
    ngsolve.SetNumThreads(thread_count())
    with ngsolve.TaskManager():
        yield


@dataclass(frozen=True, eq=False)
class Assembled:
    """A discrete conduction problem without its boundary conditions.

    Parameters
    ----------
    matrix : csr_array, shape (n, n)
        Symmetric. Phases in perfect contact are one group, and the unknowns of one group follow
        those of another. The first of each group are the potentials at the vertices of the mesh;
        rows of unknowns that are not in the group are empty.
    starts : tuple of int
        First unknown of each group, and n.
    on_face : tuple of mapping of str to ndarray of bool
        By group: its unknowns on each face of the box.
    """

    matrix: csr_array = field(repr=False)
    starts: tuple[int, ...]
    on_face: tuple[dict[str, NDArray[np.bool_]], ...] = field(repr=False)


def assemble_conduction(
    mesh: TetrahedralMesh,
    conductivities: Mapping[str, float],
    groups: Sequence[Sequence[str]],
    resistances: Mapping[tuple[str, str], float],
    order: int,
) -> Assembled:
    """Assemble the integral of k grad u . grad v, and of jumps over resistances.

    Parameters
    ----------
    mesh : TetrahedralMesh
    conductivities : mapping of str to float
        Of the phases that conduct.
    groups : sequence of sequences of str
        Phases in perfect contact with each other.
    resistances : mapping of (str, str) to float
        Between phases of different groups.
    order : int
        Of the elements.

    Returns
    -------
    Assembled
    """
    ngsolve, _ = libraries()
    made = ngsolve_mesh(mesh)

    def region(*names: str) -> Any:
        return made.Materials("|".join(map(re.escape, names)))

    with ngsolve_threads():
        spaces = [ngsolve.H1(made, order=order, definedon=region(*group)) for group in groups]
        space = ngsolve.FESpace(spaces)
        trial, test = space.TnT()
        of_phase = {name: g for g, group in enumerate(groups) for name in group}
        form = ngsolve.BilinearForm(space, symmetric=True)
        for name, conductivity in conductivities.items():
            u, v = trial[of_phase[name]], test[of_phase[name]]
            flux = conductivity * ngsolve.InnerProduct(ngsolve.grad(u), ngsolve.grad(v))
            form += flux * ngsolve.dx(definedon=region(name))
        for (first, second), resistance in resistances.items():
            a, b = of_phase[first], of_phase[second]
            jump = (trial[a] - trial[b]) * (test[a] - test[b])
            low, high = sorted((first, second), key=mesh.number)
            where = made.Boundaries(re.escape(f"{low}/{high}"))
            form += jump / resistance * ngsolve.ds(definedon=where)
        form.Assemble()
        rows, columns, values = form.mat.COO()
    size = space.ndof
    matrix = csr_array((np.array(values), (np.array(rows), np.array(columns))), shape=(size, size))
    if triu(matrix, 1).nnz == 0:
        # Of a symmetric matrix one half was stored.
        matrix = csr_array(matrix + tril(matrix, -1).T)
    on_face = tuple(
        {
            name: np.fromiter(own.GetDofs(made.Boundaries(re.escape(name))), bool, own.ndof)
            for name in BOX_FACES
        }
        for own in spaces
    )
    starts = np.concatenate([[0], np.cumsum([own.ndof for own in spaces])])
    return Assembled(matrix, tuple(map(int, starts)), on_face)
