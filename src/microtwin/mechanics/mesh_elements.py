"""The file of this room that knows NGSolve: elastic elements of order 1 and 2 on tetrahedra.

Unknowns are blocks of three, the displacement along (z, y, x): those of the vertices first, then at
order 2 those of the edges. Shape functions are hierarchical: lambda_i at a vertex, and
``EDGE lambda_i lambda_j`` on an edge, so that the vertices alone are the elements of order 1.
Integrals are sums over points that are exact for the stiffness: 1 in each tetrahedron at order 1,
4 at order 2.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import bsr_matrix, coo_matrix

from ..meshing import TetrahedralMesh
from ..meshing.ngsolve_bridge import libraries, ngsolve_mesh, ngsolve_threads

__all__ = ["EDGE", "Elements"]

Vector = NDArray[np.float64]
EDGE = -0.5  # NGSolve's scale of the shape function of an edge
# Where components (i, j) along (z, y, x), row by row, come in NGSolve's order: the three components
# of the displacement are ours, but derivatives are along (x, y, z). To and fro are the same.
NATIVE = np.array([2, 1, 0, 5, 4, 3, 8, 7, 6])
# Which of (zz, yy, xx, yx, zx, zy) the components (i, j) of a symmetric tensor are.
SIX = np.array([0, 5, 4, 5, 1, 3, 4, 3, 2])


class Elements:
    """The elements of a mesh.

    Parameters
    ----------
    mesh : TetrahedralMesh
        Solid throughout.
    order : {1, 2}

    Attributes
    ----------
    edges : ndarray of int, shape (e, 2)
        Vertices of each edge that has unknowns; none at order 1.
    count : int
        Vertices and edges that have unknowns, three each.
    points : ndarray, shape (m, q, 3)
        Points of integration in metres, in the order (z, y, x).

    Raises
    ------
    ImportError
        If NGSolve is not installed; the message says what to install.
    """

    def __init__(self, mesh: TetrahedralMesh, order: int) -> None:
        self._ngsolve, _ = libraries()
        ngsolve = self._ngsolve
        self.mesh, self.order = mesh, order
        self._made = ngsolve_mesh(mesh)
        # The bridge hands tetrahedra over phase by phase.
        self._sorted = np.argsort(mesh.phase, kind="stable")
        self._space = ngsolve.VectorH1(self._made, order=order)
        self._trial, self._test = self._space.TnT()
        self._points = ngsolve.comp.IntegrationRuleSpace(self._made, order=order - 1)
        self._rules = self._points.GetIntegrationRules()
        self._each = len(self._rules[ngsolve.ET.TET])
        with ngsolve_threads():
            self.edges = self._edge_vertices()
            self.points = self._interpolated(ngsolve.CF((ngsolve.z, ngsolve.y, ngsolve.x)), 3)
        self.count = len(mesh.points) + len(self.edges)

    def _edge_vertices(self) -> NDArray[np.intp]:
        if self.order == 1:
            return np.empty((0, 2), np.intp)
        # The gradients of hat functions, as edge elements, have the vertices of edges as columns.
        rows, columns, _ = self._ngsolve.HCurl(self._made, order=0).CreateGradient()[0].COO()
        by_edge = np.argsort(np.array(rows), kind="stable")
        return np.array(columns, np.intp)[by_edge].reshape(-1, 2)

    def _gradient(self, w: Any) -> Any:
        """Return the nine components d u_i / d x_j, in the order of `NATIVE`."""
        return self._ngsolve.Grad(w).Reshape((9,))

    def _interpolated(self, function: Any, components: int) -> Vector:
        """Return a function at the points of integration, shape (m, q, components)."""
        found = self._ngsolve.GridFunction(self._points**components)
        found.Interpolate(function)
        there = found.vec.FV().NumPy().reshape(components, -1, self._each)
        out = np.empty((len(self._sorted), self._each, components))
        out[self._sorted] = there.transpose(1, 2, 0)
        return out

    def _given(self, values: Vector) -> Any:
        """Return values at the points of integration, shape (m, q, components), as a function."""
        given = self._ngsolve.GridFunction(self._points ** values.shape[2])
        there = values[self._sorted].transpose(2, 0, 1)
        given.vec.FV().NumPy()[:] = there.ravel()
        return given

    def _assembled(self, integrand: Any, rules: bool = True) -> bsr_matrix:
        ngsolve = self._ngsolve
        form = ngsolve.BilinearForm(self._space)
        form += integrand * (ngsolve.dx(intrules=self._rules) if rules else ngsolve.dx)
        form.Assemble()
        rows, columns, values = (np.array(part) for part in form.mat.COO())
        at = (_interleaved(rows, self.count), _interleaved(columns, self.count))
        matrix = coo_matrix((values, at), shape=(3 * self.count, 3 * self.count)).tocsr()
        blocks = matrix.tobsr((3, 3))
        blocks.sort_indices()
        return blocks

    def stiffness(self, stiffnesses: dict[str, Vector]) -> bsr_matrix:
        """Return the matrix of the integral of strain . C strain, in N/m.

        Parameters
        ----------
        stiffnesses : dict of str to ndarray, shape (6, 6)
            Of each phase, in Pa.

        Returns
        -------
        bsr_matrix, shape (3 count, 3 count), blocks of 3 x 3
        """
        ngsolve = self._ngsolve
        by_phase = {
            name: ngsolve.CF(
                tuple(map(float, c[np.ix_(SIX, SIX)][_both(NATIVE)].ravel())), dims=(9, 9)
            )
            for name, c in stiffnesses.items()
        }
        with ngsolve_threads():
            stress = self._made.MaterialCF(by_phase) * self._gradient(self._trial)
            return self._assembled(ngsolve.InnerProduct(stress, self._gradient(self._test)), False)

    def tangent(self, moduli: Vector) -> bsr_matrix:
        """Return the matrix of the integral of grad v . A grad u.

        Parameters
        ----------
        moduli : ndarray, shape (m, q, 9, 9)
            d P / d F at the points of integration, components (i, j) row by row, in Pa.
        """
        ngsolve = self._ngsolve
        with ngsolve_threads():
            native = moduli[..., *_both(NATIVE)]
            given = self._given(native.reshape(*native.shape[:2], 81))
            stress = ngsolve.CF(given, dims=(9, 9)) * self._gradient(self._trial)
            return self._assembled(ngsolve.InnerProduct(stress, self._gradient(self._test)))

    def forces(self, stress: Vector) -> Vector:
        """Return the integral of stress . grad v, or of stress . strain of v, in N.

        Parameters
        ----------
        stress : ndarray, shape (m, q, 6) or (m, q, 9)
            At the points of integration; six components of a symmetric stress, or nine row by row.

        Returns
        -------
        ndarray, shape (count, 3)
        """
        ngsolve = self._ngsolve
        nine = stress[..., SIX] if stress.shape[2] == 6 else stress
        with ngsolve_threads():
            form = ngsolve.LinearForm(self._space)
            given = self._given(nine[..., NATIVE])
            product = ngsolve.InnerProduct(given, self._gradient(self._test))
            form += product * ngsolve.dx(intrules=self._rules)
            form.Assemble()
            return form.vec.FV().NumPy().reshape(3, -1).T.copy()

    def _function(self, displacement: Vector) -> Any:
        found = self._ngsolve.GridFunction(self._space)
        found.vec.FV().NumPy()[:] = displacement.T.ravel()
        return found

    def strains(self, displacement: Vector) -> Vector:
        """Return the strain of a displacement (count, 3), shape (m, q, 6)."""
        g = self.gradients(displacement)
        shear = [g[..., i, j] + g[..., j, i] for i, j in ((1, 2), (0, 2), (0, 1))]
        return np.stack([g[..., 0, 0], g[..., 1, 1], g[..., 2, 2], *shear], axis=-1)

    def gradients(self, displacement: Vector) -> Vector:
        """Return the gradient of a displacement (count, 3), shape (m, q, 3, 3)."""
        with ngsolve_threads():
            found = self._interpolated(self._gradient(self._function(displacement)), 9)
        return found[..., NATIVE].reshape(*found.shape[:2], 3, 3)

    @property
    def weights(self) -> Vector:
        """Volume that each point of integration stands for in m^3, shape (m, q)."""
        return np.repeat(self.mesh.volumes[:, None] / self._each, self._each, axis=1)

    def edge_numbers(self, ends: NDArray[np.integer]) -> NDArray[np.intp]:
        """Return the numbers of edges, by their two vertices on the last axis.

        Numbers count from 0; the unknowns of edge k are those of block ``len(points) + k``.
        """
        n = len(self.mesh.points)
        keys = self.edges.min(axis=1) * n + self.edges.max(axis=1)
        order = np.argsort(keys)
        wanted = ends.min(axis=-1).astype(np.int64) * n + ends.max(axis=-1)
        return order[np.searchsorted(keys[order], wanted)]

    def facet_blocks(self, facets: NDArray[np.integer]) -> NDArray[np.intp]:
        """Return the blocks of unknowns on facets (..., 3): 3 vertices, at order 2 also 3 edges.

        The edges are those from the first vertex to the second, the second to the third, and the
        third to the first.
        """
        if self.order == 1:
            return facets.astype(np.intp)
        ends = np.stack([facets, np.roll(facets, -1, axis=-1)], axis=-1)
        return np.concatenate([facets, len(self.mesh.points) + self.edge_numbers(ends)], axis=-1)


def _both(order: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    return order[:, None], order[None, :]


def _interleaved(numbers: NDArray[np.integer], count: int) -> NDArray[np.integer]:
    """Return where unknowns stored component by component come in blocks of three."""
    return 3 * (numbers % count) + numbers // count
