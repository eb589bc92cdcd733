"""The scalar grid operator: a grid of voxels whose faces conduct, on every multigrid level.

`GridOperator` is the seam between the algorithms (`multigrid`, `krylov`), which know no grid, and
the compiled kernels, which know no algorithm. Another backend or another kind of unknown (several
fields per voxel, vectors) offers the same methods.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microtwin.numerics import correction_kernels, kernels, krylov_kernels
from microtwin.numerics.kernels import FINISH, RELAX
from microtwin.numerics.plane_fields import PlaneField, Source
from microtwin.numerics.quarters import (
    clear_last,
    from_quarters,
    plane_length,
    to_quarters,
    vector_positions,
)  # fmt: skip
from microtwin.numerics.schedule import Schedule, schedule, single_stage
from microtwin.numerics.threads import over_slabs, slab_bounds

__all__ = ["GridOperator", "factorized"]


# Red-black Gauss-Seidel sweeps before and after the coarse correction: two where the residual is
# wanted to six digits, one on the coarse levels, where the Krylov steps do the rest.
FINEST_SWEEPS = 2
COARSE_SWEEPS = 1


class GridOperator:
    """A symmetric positive semi-definite operator on voxels that are linked through their faces.

    Its vectors lie in quarters (see `quarters`), shape (nz, length of a plane); `load`, `unload`
    and `prepared` bring fields and sources from the grid into that layout and back.

    Parameters
    ----------
    faces : 3 ndarrays of uint8 or float32, shape (nz, ny, nx)
        Conductance of the face after each voxel along z, y and x. The last face along an axis
        joins the last voxel to the first: zero unless the axis is periodic.
    weights : 3 floats
        Factor on the conductances of each axis.
    ends : PlaneField, optional
        Conductance from a voxel to a fixed potential of zero. On coarse grids it scales like that
        of a face: the sum over the block, halved because the distance is twice as long.
    mass : PlaneField or vector of float32, optional
        Non-negative diagonal (reaction or capacity per voxel). A vector is kept as it is.
    sweeps : int
        Red-black Gauss-Seidel sweeps before and after a coarse correction.
    """

    krylov_levels = 3  # coarse levels that take two Krylov steps; on deeper ones one cycle will do
    good_enough = 0.4  # one Krylov step suffices if it reduces the residual by this factor
    trusted = 1e-4  # see `krylov.solve`

    def __init__(
        self,
        faces: tuple[NDArray, NDArray, NDArray],
        weights: tuple[float, float, float] = (1.0, 1.0, 1.0),
        ends: PlaneField | None = None,
        mass: PlaneField | NDArray | None = None,
        sweeps: int = FINEST_SWEEPS,
    ) -> None:
        wraps = (faces[1][:, -1].astype(np.float32), faces[2][:, :, -1].astype(np.float32))
        _, ny, nx = faces[0].shape
        links = tuple(to_quarters(face) for face in faces)
        clear_last(links[1], ny, nx, axis=1)
        clear_last(links[2], ny, nx, axis=2)
        self._set(links, wraps, faces[0].shape, weights, ends, mass, sweeps)

    def _set(
        self,
        links: tuple[NDArray, ...],
        wraps: tuple[NDArray, NDArray],
        shape: tuple[int, int, int],
        weights: tuple[float, float, float],
        ends: PlaneField | None,
        mass: PlaneField | NDArray | None,
        sweeps: int,
        keep_wraps: bool = False,
    ) -> None:
        self.shape = shape
        self.weights = weights
        self.ends = ends
        self._mass = mass
        self.sweeps = sweeps
        self._links = links
        self._wraps = wraps
        if not keep_wraps and not self.wraps:
            wraps = (wraps[0][:0], wraps[1][:0])
        scalars = tuple(np.float32(v) for v in weights)
        self._op = (*links, *self._diagonal_planes(), scalars, *wraps, *shape[1:])
        self._slabs = slab_bounds(shape)
        self._products = np.zeros((shape[0], 3))
        self._parts = np.empty(shape[0])

    def _diagonal_planes(self) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Return ends and mass as planes in quarters, and which of them stands at each z."""
        if isinstance(self._mass, np.ndarray):
            vector = self._mass
            if self.ends is not None:
                vector = vector + to_quarters(self.ends.grid())
            return vector, np.arange(self.shape[0])
        terms = [t for t in (self.ends, self._mass) if t is not None]
        diagonal = PlaneField.zeros(self.shape) if not terms else terms[0]
        if len(terms) == 2:
            diagonal = terms[0].plus(terms[1])
        return to_quarters(diagonal.values), diagonal.plane

    @property
    def mass(self) -> PlaneField | None:
        """The diagonal without the ends, on the grid."""
        if isinstance(self._mass, np.ndarray):
            return PlaneField.dense(from_quarters(self._mass, self.shape))
        return self._mass

    def sharing(self, mass: PlaneField | NDArray | None, wraps: bool) -> GridOperator:
        """Return an operator with the same links, in the same memory, and another mass.

        With `wraps` it treats the ends of rows and columns one by one even where nothing joins
        them: two operators can then be relaxed together if one of them has such links.
        """
        twin = GridOperator.__new__(GridOperator)
        twin._set(
            self._links, self._wraps, self.shape, self.weights, self.ends, mass, self.sweeps, wraps
        )
        return twin

    def with_mass(
        self, mass: PlaneField | NDArray | None, factor: float = 1.0, scale: NDArray | None = None
    ) -> GridOperator:
        """Return an operator with another mass and with multiples of the same links.

        Parameters
        ----------
        mass : PlaneField, vector or None
        factor : float
            On all links and ends.
        scale : vector, optional
            Multiplies each link by its mean over the two voxels, and ends by its value. Only where
            nothing wraps around.
        """
        links = self._links
        if scale is not None:
            links = tuple(np.zeros(link.shape, np.float32) for link in links)
            over_slabs(correction_kernels.scale_links, self._slabs, links, self._op, scale)
        ends = self.ends
        if ends is not None and (factor != 1.0 or scale is not None):
            local = 1.0 if scale is None else from_quarters(scale, self.shape)
            ends = PlaneField.dense(np.float32(factor) * local * ends.grid())
        weights = tuple(factor * w for w in self.weights)
        twin = GridOperator.__new__(GridOperator)
        twin._set(links, self._wraps, self.shape, weights, ends, mass, self.sweeps)  # type: ignore[arg-type]
        return twin

    @property
    def wraps(self) -> bool:
        """Whether faces join the ends of rows or columns."""
        return bool(self._wraps[0].any() or self._wraps[1].any())

    @property
    def faces(self) -> tuple[NDArray, NDArray, NDArray]:
        """The conductances on the grid, as they were given."""
        return self.face(0), self.face(1), self.face(2)

    def face(self, axis: int) -> NDArray:
        """Return the conductances along one axis on the grid."""
        face = from_quarters(self._links[axis], self.shape)
        if axis > 0:
            np.moveaxis(face, axis, 0)[-1] = self._wraps[axis - 1]
        return face

    @property
    def kernel_data(self) -> tuple[Any, ...]:
        """The tuple that the kernels call `op`."""
        return self._op

    @property
    def size(self) -> int:
        """Number of unknowns."""
        return int(np.prod(self.shape))

    def zeros(self, dtype: type = np.float32) -> NDArray:
        """Return a vector of zeros."""
        return np.zeros((self.shape[0], plane_length(*self.shape[1:])), dtype)

    def load(self, field: NDArray) -> NDArray:
        """Return a field on the grid as a vector."""
        return to_quarters(field)

    def unload(self, vector: NDArray, dtype: type | None = None) -> NDArray:
        """Return a vector as a field on the grid, by default of its own type."""
        return from_quarters(vector, self.shape, dtype)

    def prepared(self, source: Source) -> tuple[Any, ...]:
        """Return a source in the form in which `step` takes it."""
        values = to_quarters(source.field.values, np.float32)
        return values, source.field.plane, tuple(map(float, source.drive))

    def smooth_and_restrict(self, u: NDArray, rhs: NDArray, coarse: NDArray) -> None:
        """Smooth A u = rhs from u = 0 and set coarse to the block sums of rhs - A u."""
        self._smooth(self._downward, u, rhs, coarse, u, 1 if self._chess_board else -1)

    def prolong_and_smooth(
        self, u: NDArray, coarse: NDArray, rhs: NDArray, v: NDArray
    ) -> tuple[float, float, float]:
        """Add the coarse correction to u and smooth in the reverse order.

        Returns
        -------
        u.A u, u.A v, u.rhs : float
            With any other vector v.
        """
        self._smooth(self._upward, u, rhs, coarse, v, 0 if self._chess_board else -1)
        return self._sums()

    def _smooth(
        self, plan: Schedule, u: NDArray, rhs: NDArray, coarse: NDArray, v: NDArray, settled: int
    ) -> None:
        for tasks in plan.rounds:
            args = (plan.tasks, u, rhs, coarse, v, self._op, settled, self._products)
            over_slabs(kernels.smooth, tasks, *args)

    def _sums(self) -> tuple[float, float, float]:
        own, cross, slope = self._products.sum(axis=0)
        return float(own), float(cross), float(slope)

    @cached_property
    def _downward(self) -> Schedule:
        colours = (0, 1) * self.sweeps
        return self._plan(colours[1:], from_zero=True)

    @cached_property
    def _upward(self) -> Schedule:
        colours = (1, 0) * self.sweeps
        return self._plan(colours, from_zero=False)

    def _plan(self, colours: tuple[int, ...], from_zero: bool) -> Schedule:
        return schedule(self.shape[0], self._slabs, colours, from_zero=from_zero, ring=self._ring)

    @cached_property
    def _ring(self) -> bool:
        """Whether faces join the last plane to the first."""
        return bool(self._links[0][-1].any())

    @cached_property
    def _chess_board(self) -> bool:
        """Whether neighbours always differ in colour, which an odd period spoils."""
        nz, ny, nx = self.shape
        odd_plane = self.wraps and (ny % 2 == 1 or nx % 2 == 1)
        return not odd_plane and not (self._ring and nz % 2 == 1)

    def products(self, u: NDArray, v: NDArray, rhs: NDArray) -> tuple[float, float, float]:
        """Return u.A u, u.A v and u.rhs."""
        self._smooth(self._summation, u, rhs, u, v, -1)
        return self._sums()

    def subtract_product(self, r: NDArray, u: NDArray, factor: float) -> float:
        """Subtract factor A u from r and return the square of the norm of r."""
        args = (r, u, np.float32(factor), self._op, self._parts)
        over_slabs(krylov_kernels.subtract_product, self._slabs, *args)
        return float(self._parts.sum())

    def dot(self, u: NDArray, v: NDArray) -> float:
        """Return u.v, summed in an order that does not depend on the number of threads."""
        over_slabs(krylov_kernels.dot, self._slabs, u, v, self._parts)
        return float(self._parts.sum())

    def combine(self, u: NDArray, a: float, v: NDArray, b: float) -> None:
        """Overwrite u with a u + b v."""
        over_slabs(krylov_kernels.combine, self._slabs, u, np.float32(a), v, np.float32(b))

    def renew(
        self, r: NDArray, x: NDArray, y: NDArray, source: tuple[Any, ...]
    ) -> tuple[float, NDArray[np.float64]]:
        """Set r to the residual of x + y, in double precision.

        Returns
        -------
        norm : float
            Square of the norm of r.
        flux : ndarray of float64, shape (nz + 1,)
            Flux along z into the first plane, from each plane to the next, and out of the last.
            At the ends it is that of `ends`, or without any that across the period.
        """
        sums = np.empty((self.shape[0], 2))
        over_slabs(krylov_kernels.renew, self._slabs, r, x, y, *source, self._op, sums)
        flux = np.concatenate([sums[-1:, 1], sums[:, 1]])
        if self.ends is not None:
            values, plane, _ = source
            for k, sign in ((0, -1.0), (-1, 1.0)):
                fixed = self._end_conductances[k]
                supply = values[plane[k]] - fixed * (x[k].astype(float) + y[k])
                flux[k] = sign * float(np.where(fixed > 0.0, supply, 0.0).sum())
        return float(sums[:, 0].sum()), flux

    def split(self, x: NDArray, y: NDArray) -> None:
        """Keep x + y, but let x be the rounded sum and y the rounding error."""
        over_slabs(krylov_kernels.split, self._slabs, x, y)

    def advance(
        self, y: NDArray, r: NDArray, p: NDArray, z: NDArray, alpha: float, beta: float
    ) -> tuple[float, NDArray[np.float64], float]:
        """Set p to z + beta p, add alpha p to y and subtract alpha A p from r.

        Returns
        -------
        norm : float
            Square of the norm of r.
        flux : ndarray of float64, shape (nz + 1,)
            How the flux, see `renew`, has changed.
        along : float
            p.r, zero but for rounding.
        """
        sums = np.empty((self.shape[0], 3))
        step = np.float32(alpha)
        wave = (y, r, p, z, step, np.float32(beta), self._op, sums)
        over_slabs(krylov_kernels.advance_wave, self._slabs, *wave)
        seams = (r, p, step, self._op, sums)
        if len(self._slabs) <= 3:  # so few planes are done before another thread wakes up
            for slab in self._slabs:
                krylov_kernels.advance_seam(*slab, *seams)
        else:
            over_slabs(krylov_kernels.advance_seam, self._slabs, *seams)
        norm, along, _ = sums.sum(axis=0)
        flux = np.concatenate([sums[-1:, 2], sums[:, 2]])
        if self.ends is not None:
            for k, sign in ((0, 1.0), (-1, -1.0)):
                # Not a product of BLAS, whose threads would go on spinning on the cores used here.
                flux[k] = sign * float((self._end_conductances[k] * p[k]).sum())
        return float(norm), float(step) * flux, float(along)

    @cached_property
    def _end_conductances(self) -> NDArray[np.float64]:
        """Conductances to the fixed potential of the first and the last plane, in quarters."""
        assert self.ends is not None
        return to_quarters(self.ends.values[self.ends.plane[[0, -1]]], np.float64)

    def mean_flux(self, x: NDArray, source: Source) -> NDArray[np.float64]:
        """Return the flux along (z, y, x), summed over all faces and divided by the voxels.

        Unlike the other methods it takes the unknown x on the grid.
        """
        sums = np.empty((self.shape[0], 3))
        drive = tuple(map(float, source.drive))
        over_slabs(krylov_kernels.through_flux, self._slabs, self.load(x), drive, self._op, sums)
        total = sums.sum(axis=0)
        if self.ends is not None:  # the outer faces carry half a layer each
            total[0] *= self.shape[0] / (self.shape[0] - 1)
        return total / self.size

    def relax(self, u: NDArray, rhs: NDArray, colour: int) -> None:
        """Relax the voxels of one colour (0 or 1) of A u = rhs."""
        self._smooth(self._half_sweeps[colour], u, rhs, u, u, -1)

    @cached_property
    def _half_sweeps(self) -> list[Schedule]:
        # The last plane waits for the others: across an odd period it has the colour of the first.
        last = self.shape[0] - 1
        return [single_stage(RELAX, c, last, self._slabs, (last,)) for c in (0, 1)]

    @cached_property
    def _summation(self) -> Schedule:
        return single_stage(FINISH, 1, self.shape[0], self._slabs)

    @property
    def can_coarsen(self) -> bool:
        """Whether there is a coarser level."""
        return min(self.shape) > 2

    def coarsen(self) -> GridOperator:
        """Return the operator on blocks of 2 x 2 x 2 voxels.

        Galerkin sums over blocks with piecewise constant corrections are too stiff by the factor
        2 (the spacing of the blocks is two voxels, the jump is taken over one): links are halved.
        """
        shape = tuple((n + 1) // 2 for n in self.shape)
        faces = tuple(np.empty(shape, np.float32) for _ in range(3))
        for axis in range(3):
            args = (faces[axis], self._links[axis], axis, *self.shape[1:], 0.5)
            over_slabs(kernels.coarse_faces, slab_bounds(shape), *args)
        for face, wrap in zip((faces[1][:, -1], faces[2][:, :, -1]), self._wraps, strict=True):
            pairs = np.pad(wrap, [(0, n % 2) for n in wrap.shape])
            face[...] = 0.5 * pairs.reshape(face.shape[0], 2, face.shape[1], 2).sum((1, 3))
        ends = None if self.ends is None else self.ends.block_sums(0.5)
        mass: PlaneField | NDArray | None = self.mass
        if isinstance(mass, PlaneField):
            mass = mass.block_sums()
            if isinstance(self._mass, np.ndarray):
                mass = to_quarters(mass.grid())
        return GridOperator(faces, self.weights, ends, mass, COARSE_SWEEPS)  # type: ignore[arg-type]

    def factorize(self) -> Callable[[NDArray], NDArray]:
        """Return a function that solves A u = rhs directly, for a small grid.

        A tiny multiple of the diagonal is added: voxels without links and potentials that are
        only fixed up to a constant (periodic grids) then have a solution.
        """
        return factorized(self.matrix(), self.positions())

    def positions(self) -> NDArray[np.int64]:
        """Return where the voxels of the grid, in order, stand in a flat vector."""
        return vector_positions(np.indices(self.shape).reshape(3, -1), self.shape)

    def diagonal(self) -> NDArray[np.float64]:
        """Return the diagonal of the operator on the grid."""
        total = np.zeros(self.shape)
        for term in (self.ends, self.mass):
            if term is not None:
                total += term.grid()
        for axis, face in enumerate(self.faces):
            g = self.weights[axis] * face.astype(float)
            total += g + np.roll(g, 1, axis)
        return total

    def matrix(self) -> Any:
        """Return the operator as a sparse matrix (scipy csr), for small grids."""
        import scipy.sparse as sp

        index = np.arange(self.size).reshape(self.shape)
        values, rows, columns = [self.diagonal().ravel()], [index.ravel()], [index.ravel()]
        for axis, face in enumerate(self.faces):
            open_faces = face > 0
            g = self.weights[axis] * face[open_faces].astype(float)
            i, j = index[open_faces], np.roll(index, -1, axis)[open_faces]
            values += [-g, -g]
            rows += [i, j]
            columns += [j, i]
        entries = (np.concatenate(rows), np.concatenate(columns))
        return sp.csr_array((np.concatenate(values), entries), (self.size, self.size))


def factorized(matrix: Any, positions: NDArray[np.int64]) -> Callable[[NDArray], NDArray]:
    """Return a function that solves a sparse symmetric system for vectors.

    Parameters
    ----------
    matrix : sparse array, shape (n, n)
    positions : ndarray of int, shape (n,)
        Where the unknowns stand in a flat vector.
    """
    import scipy.sparse as sp
    from scipy.sparse.linalg import splu

    if not len(positions):
        return np.zeros_like
    largest = matrix.diagonal().max() or 1.0
    shift = 1e-7 * largest
    factor = splu(
        (matrix + shift * sp.eye_array(matrix.shape[0])).tocsc(), permc_spec="MMD_AT_PLUS_A",
        diag_pivot_thresh=0.0, options={"SymmetricMode": True},
    )  # fmt: skip

    # Where no potential is fixed the shift alone holds the mean, which rounding in the right-hand
    # side would make large: it is taken out.
    linked = matrix.diagonal() > 0.0
    floating = bool(np.abs(matrix.sum(axis=1)).max() <= 1e-6 * largest)

    def solve(rhs: NDArray) -> NDArray:
        u = factor.solve(rhs.reshape(-1)[positions].astype(float))
        if floating and linked.any():
            u -= u[linked].mean()
        vector = np.zeros_like(rhs)
        vector.reshape(-1)[positions] = u
        return vector

    return solve
