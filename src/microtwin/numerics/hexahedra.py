"""Elasticity of a grid of voxels, each a trilinear hexahedron.

Unknowns are the displacements of the corners and the mean strain. With B the strain that the eight
corners of an element make, the forces are ::

    f = sum over elements of int B^T C (B u + E - e) dV

for the stiffness C and the eigenstrain e of each, and the mean strain E. The force conjugate to E
is the volume times the mean stress. Elements without stiffness are void.

The grid repeats itself along the axes that are periodic. Along the others a layer of void follows
the last layer of voxels, so that all axes are alike to the kernels; there the nodes on the two
faces may be held, by component.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import hexahedra_kernels as kernels
from . import typed_kernels
from .cut_elements import CutElements, cut_elements
from .earlier_solutions import EarlierSolutions
from .elements import affine_part, element_matrix, upper_part
from .krylov import solve
from .multigrid import Multigrid
from .piece_kinds import kinds_of_voxels
from .smoothed_level import SmoothedLevel, Vector
from .threads import even_shares, over_slabs
from .typed_levels import Faces, TypedLevel, cell_matrix, pieces_of_voxels

__all__ = ["Cuts", "ElasticSolution", "Hexahedra"]

Matrix = NDArray[np.float64]
ITERATIONS = 1000
ROUNDING = 1e-13
RIGID = 1e-11  # energies below this share of the largest are those of rigid motions


@dataclass(frozen=True, eq=False)
class Cuts:
    """Solids that are two, on either side of a plane.

    Parameters
    ----------
    rows : ndarray of int, shape (n,)
        Which of the solids.
    first, second : ndarray, shape (n, 6, 6)
        Stiffnesses, in Pa.
    normal : ndarray, shape (n, 3)
        Of the plane, from the first to the second.
    second_share : ndarray, shape (n,)
        Of the second, in the two.
    solid_share : ndarray, shape (n,)
        Of the two, in the voxel.
    """

    rows: NDArray[np.int64]
    first: Matrix
    second: Matrix
    normal: Matrix
    second_share: Matrix
    solid_share: Matrix


@dataclass(frozen=True, eq=False)
class ElasticSolution:
    """Displacements and mean strain.

    Parameters
    ----------
    displacement : ndarray, shape (3, nz, ny, nx), one more along axes that are not periodic
        Of the corners, without the affine part, in m.
    mean_strain : ndarray, shape (6,)
    iterations : int
    residual : float
        Norm of the forces that are left, over that of those at the start.
    """

    displacement: Matrix = field(repr=False)
    mean_strain: Matrix
    iterations: int
    residual: float


class Hexahedra(SmoothedLevel):
    """The operator on a grid; vectors hold three components of each node, then the mean strain.

    Lengths are in units of the mean edge of the voxels, stiffnesses of the largest. The mean strain
    is multiplied by the root of the number of voxels, so that its forces are as large as others.

    Parameters
    ----------
    number : ndarray of int, shape (nz, ny, nx)
        Which of the solids each voxel is; negative for void.
    stiffnesses : sequence of ndarray, shape (6, 6)
        In Pa; of solids that are cut, as a whole.
    voxel_size : tuple of 3 floats
        In m.
    free : ndarray of bool, shape (6,), optional
        Components of the mean strain that are unknown; by default none.
    periodic : tuple of 3 bool
    held : ndarray of bool, shape (3, 2, 3), optional
        By axis, side and component, what nodes on faces do not do.
    cuts : Cuts, optional
        Which of the solids are cut in two.
    """

    def __init__(
        self,
        number: NDArray[np.integer],
        stiffnesses: Sequence[Matrix] | Matrix,
        voxel_size: tuple[float, float, float],
        *,
        free: NDArray[np.bool_] | None = None,
        periodic: tuple[bool, bool, bool] = (True, True, True),
        held: NDArray[np.bool_] | None = None,
        cuts: Cuts | None = None,
    ) -> None:
        self.voxels = number.shape
        self.periodic = periodic
        self.void = len(stiffnesses)
        room = [(0, 0 if ring else 1) for ring in periodic]
        padded = np.pad(number, room, constant_values=-1)
        kind = np.int16 if self.void <= np.iinfo(np.int16).max else np.int32
        self.number: NDArray[np.signedinteger] = np.where(padded < 0, self.void, padded).astype(
            kind
        )
        self.shape = self.number.shape
        self.nodes = 3 * self.number.size
        self.size = self.nodes + 6
        self.voxel_size = voxel_size
        self.free = np.zeros(6, bool) if free is None else np.asarray(free)
        fixed = np.zeros((3, 2, 3), bool) if held is None else np.array(held)
        fixed[list(periodic)] = False
        self.faces = Faces(fixed, self.voxels)

        self.unit = float(np.cbrt(np.prod(voxel_size)))
        self.edges = np.array(voxel_size) / self.unit
        self.modulus = max(float(np.abs(c).max()) for c in stiffnesses)
        self.stiffnesses = np.array([*stiffnesses, np.zeros((6, 6))]) / self.modulus
        self.scale = 1.0 / np.sqrt(number.size)
        self._set_cuts(cuts)
        upper = np.array(self.stiffnesses[:, *np.triu_indices(6)])
        upper[self._cut >= 0] = 0.0  # their forces come from matrices
        self._table = {kind: upper.astype(kind) for kind in (np.float32, np.float64)}
        self._works: dict[Any, tuple[Any, ...]] = {}
        self._levels: Multigrid | None = None

    def _set_cuts(self, cuts: Cuts | None) -> None:
        """Set the matrices of what is cut, which of these each solid has, and its share."""
        self._cut = np.full(self.void + 1, -1, np.int32)
        self._shares = np.ones(self.void + 1)
        self._affine = affine_part(self.edges)
        if cuts is None:
            nothing = np.empty(0)
            cuts = Cuts(
                np.empty(0, int), nothing.reshape(0, 6, 6), nothing.reshape(0, 6, 6),
                nothing.reshape(0, 3), nothing, nothing,
            )  # fmt: skip
        # Solids that differ in what is void share their matrices.
        alike = np.concatenate(
            [cuts.first.reshape(-1, 36) / self.modulus, cuts.second.reshape(-1, 36) / self.modulus,
             cuts.normal, cuts.second_share[:, None]], axis=1,
        )  # fmt: skip
        kinds, of = np.unique(alike.round(12), axis=0, return_inverse=True)
        self._cut[cuts.rows] = of.ravel()
        self._shares[cuts.rows] = cuts.solid_share
        first, second = (kinds[:, 36 * n : 36 * n + 36].reshape(-1, 6, 6) for n in (0, 1))
        normal = kinds[:, 72:75]
        self.cut: CutElements = cut_elements(first, second, normal, kinds[:, 75], self.edges)

    # The operator.

    @property
    def _slabs(self) -> list[tuple[int, int, int]]:
        return [(first, end, slab) for slab, (first, end) in enumerate(even_shares(self.shape[0]))]

    def _work(self, kind: Any) -> tuple[Any, ...]:
        """Return room to work in, for each slab, and what the kernels know of the grid."""
        if kind not in self._works:
            ny, nx = self.shape[1:]
            works = tuple(
                (
                    np.zeros(kernels.ROWS * kernels.STRIDE, kind),
                    np.empty(kernels.PIECE, self.number.dtype),
                    np.empty((2, 3, ny, nx + 1), kind),
                    np.ones(1, kind),
                    np.empty((2, 24), kind),
                )
                for _ in self._slabs
            )
            grid = (
                self.number,
                self._table[kind],
                (0.25 / self.edges).astype(kind),
                np.ones(1, kind),
                self._cut,
                self._shares.astype(kind),
                self.cut.stiffness.astype(kind),
                self._affine.astype(kind),
            )
            self._works[kind] = works, grid
        return self._works[kind]

    def _on_nodes(self, vector: NDArray[Any]) -> NDArray[Any]:
        return vector[: self.nodes].reshape(3, *self.shape)

    def _strain(self, vector: NDArray[Any], kind: Any) -> NDArray[Any]:
        return (self.scale * vector[-6:].astype(float)).astype(kind)

    def _run(
        self, kernel: Callable[..., Any], kind: Any, strain: NDArray[Any], *args: Any
    ) -> Matrix:
        """Run a kernel over slabs; return volume times stress, summed over the elements."""
        totals = np.zeros((len(self._slabs), 6))
        over_slabs(kernel, self._slabs, *self._work(kind), *args, strain, totals)
        found: Matrix = totals.sum(axis=0)
        return found

    def _conjugate(self, total: Matrix) -> Matrix:
        """Return the force conjugate to the mean strain, 0 where it is held."""
        return np.where(self.free, self.scale * total, 0.0)

    def _hold(self, nodes: NDArray[Any]) -> None:
        """Set the components that are held to 0."""
        for axis, side, component in np.argwhere(self.faces.held):
            plane = self.faces.ends[axis] if side else 0
            np.moveaxis(nodes[component], axis, 0)[plane] = 0.0

    def image(self, out: Vector, u: Vector) -> None:
        """Set out to A u."""
        nodes, strain = self._on_nodes(out), self._strain(u, np.float32)
        total = self._run(kernels.product, np.float32, strain, nodes, self._on_nodes(u))
        out[-6:] = self._conjugate(total)
        self._hold(nodes)

    def residual(self, out: Vector, rhs: Vector, u: Vector) -> None:
        """Set out to rhs - A u."""
        nodes, strain = self._on_nodes(out), self._strain(u, np.float32)
        frame = (nodes, self._on_nodes(rhs), self._on_nodes(u), None)
        total = self._run(kernels.residual, np.float32, strain, *frame)
        out[-6:] = rhs[-6:] - self._conjugate(total)
        self._hold(nodes)

    def _scaled(self, d: Vector, rhs: Vector, factor: float) -> None:
        shares = even_shares(self.shape[0])
        frame = (self._on_nodes(d), self._on_nodes(rhs), self._inverse, np.float32(factor))
        over_slabs(kernels.scaled, shares, *frame)
        d[-6:] = 0.0

    def _descend(self, d: Vector, rhs: Vector, u: Vector, a: float, b: float) -> None:
        totals = np.zeros((len(self._slabs), 6))
        over_slabs(
            kernels.descend, self._slabs, *self._work(np.float32), self._on_nodes(d),
            self._on_nodes(rhs), self._on_nodes(u), self._strain(u, np.float32), self._inverse,
            np.float32(a), np.float32(b), totals,
        )  # fmt: skip

    # The way to the coarse level.

    def coarsen(self) -> TypedLevel:
        """Return the first coarse level."""
        kinds = kinds_of_voxels(self.number, self.stiffnesses)
        pieces, piece = pieces_of_voxels(kinds)
        octant = np.empty(self.shape, np.uint8)
        over_slabs(typed_kernels.homes_of_nodes, even_shares(self.shape[0]), kinds, octant)
        del kinds
        parent = pieces.shared_corners()
        used, touched = np.zeros(len(parent), np.uint8), np.zeros((len(parent), 3), bool)
        held, room = self._held_nodes(), (np.empty(8, np.int64), np.empty(8))
        typed_kernels.mark_corners(octant, piece, parent, held, used, touched, *room)
        corners, owner = np.empty(len(parent), np.int32), np.empty(len(parent), np.int32)
        count = typed_kernels.number_corners(parent, used, corners, owner)
        owner = owner[:count].copy()
        touched = touched[owner]
        del parent, used
        self._ways = (octant, piece, corners)
        self._room = (
            np.empty((len(self._slabs), 8), np.int64),
            np.empty((len(self._slabs), 8), np.float32),
        )
        self._forces = np.zeros((len(self._slabs), 3 * count), np.float32)
        self._coarse_held: NDArray[np.int64] = np.empty(0, np.int64)
        matrix = cell_matrix(pieces, self.number, self._ways, count, self._elements(), held)
        affine = np.zeros((3 * count + 6, 6), np.float32)
        if self.free.any():
            image = self.zeros()
            for s in np.flatnonzero(self.free):
                unit = self.zeros()
                unit[self.nodes + s] = 1.0
                self.image(image, unit)
                part = np.zeros(3 * count + 6, np.float32)
                self._restrict(part, image)
                affine[:, s] = part
        coarse = TypedLevel(
            pieces, corners, owner, matrix, affine[:-6].copy(), affine[-6:].copy(),
            self.faces.coarser(), touched,
        )  # fmt: skip
        self._coarse_held = coarse.held
        return coarse

    def factorize(self) -> Callable[[NDArray[Any]], NDArray[Any]]:
        """Return a function that solves directly, for a small grid; rigid motions are left out."""
        columns = np.empty((self.size, self.size))
        unit = np.zeros(self.size)
        for n in range(self.size):
            unit[n] = 1.0
            strain = self.scale * np.where(self.free, unit[-6:], 0.0)
            columns[n] = self._forces_of(self._on_nodes(unit), strain)
            unit[n] = 0.0
        held = np.zeros((3, *self.shape), bool)
        held |= self._held_nodes()
        keep = np.concatenate([~held.ravel(), self.free])
        columns *= keep[:, None] * keep
        values, modes = np.linalg.eigh(0.5 * (columns + columns.T))
        good = values > RIGID * values[-1]
        modes = modes[:, good] / np.sqrt(values[good])
        inverse = (modes @ modes.T).astype(np.float32)
        return lambda rhs: inverse @ rhs

    def _elements(self) -> Matrix:
        found = element_matrix(self.stiffnesses, self.edges)
        rows = np.flatnonzero(self._cut >= 0)
        found[rows] = self._shares[rows, None, None] * self.cut.stiffness[self._cut[rows]]
        return found

    def _held_nodes(self) -> NDArray[np.bool_]:
        if not self.faces.held.any():
            return np.broadcast_to(np.zeros(1, bool), (3, *self.shape))
        held = np.zeros((3, *self.shape), bool)
        for axis, side, component in np.argwhere(self.faces.held):
            plane = self.faces.ends[axis] if side else 0
            np.moveaxis(held[component], axis, 0)[plane] = True
        return held

    can_coarsen = True

    def _restrict(self, coarse: Vector, residual: Vector) -> None:
        self._forces[...] = 0.0
        frame = (self._forces, self._on_nodes(residual), *self._ways, *self._room)
        over_slabs(typed_kernels.restrict_nodes, self._slabs, *frame)
        self._forces.sum(axis=0, out=coarse[:-6])
        coarse[self._coarse_held] = 0.0
        coarse[-6:] = residual[-6:]

    def _prolong(self, u: Vector, correction: Vector) -> None:
        nodes = self._on_nodes(u)
        frame = (nodes, correction, *self._ways, *self._room)
        over_slabs(typed_kernels.prolong_nodes, self._slabs, *frame)
        self._hold(nodes)
        u[-6:] += correction[-6:]

    # The Krylov steps.

    def prepare(self) -> None:
        """Invert the diagonal blocks, find the largest eigenvalue, and make room for the cycles."""
        elements = self._elements()
        own = [upper_part(elements[:, 3 * n : 3 * n + 3, 3 * n : 3 * n + 3]) for n in range(8)]
        self._inverse = np.empty((6, *self.shape), np.float32)
        over_slabs(
            kernels.diagonal, even_shares(self.shape[0]), self._inverse, self.number,
            np.stack(own, axis=1), self._held_nodes(),
        )  # fmt: skip
        super().prepare()
        self._along = self.zeros()

    def prepared(self, source: Matrix) -> Matrix:
        """Return the right-hand side, a flat vector of float64."""
        return source

    def renew(self, r: Vector, x: Vector, y: Vector, source: Matrix) -> tuple[float, Matrix]:
        """Set r to source - A (x + y), in float64; return its square."""
        strain = self.scale * (x[-6:].astype(float) + y[-6:])
        nodes = self._on_nodes(r)
        frame = (nodes, self._on_nodes(source), self._on_nodes(x), self._on_nodes(y))
        total = self._run(kernels.residual, np.float64, strain, *frame)
        r[-6:] = np.where(self.free, source[-6:] - self._conjugate(total), 0.0)
        self._hold(nodes)
        return self.dot(r, r), np.zeros(1)

    def advance(
        self, y: Vector, r: Vector, p: Vector, z: Vector, alpha: float, beta: float
    ) -> tuple[float, Matrix, float]:
        """Move along p = z + beta p, for the z whose image is kept; return r.r and p.r."""
        self.combine(p, beta, z, 1.0)
        self.combine(self._along, beta, self._image, 1.0)
        self.combine(y, 1.0, p, alpha)
        self.combine(r, 1.0, self._along, -alpha)
        return self.dot(r, r), np.zeros(1), self.dot(p, r)

    def split(self, x: Vector, y: Vector) -> None:
        """Bring as much of y into x as float32 takes."""
        total = x + y
        y -= total - x
        x[...] = total

    def load(self, field: Matrix) -> Matrix:
        """Return a vector as it is."""
        return field

    # Problems.

    @property
    def is_cut(self) -> NDArray[np.bool_]:
        """Which voxels are cut, shape (nz, ny, nx)."""
        nz, ny, nx = self.voxels
        return self._cut[self.number[:nz, :ny, :nx]] >= 0

    def eigenforces(
        self, stress: NDArray[np.floating], in_parts: NDArray[np.floating] | None = None
    ) -> tuple[Matrix, Matrix]:
        """Return the load that the stresses C e of eigenstrains e exert, and their mean in Pa.

        Where voxels are cut, the mean counts what kinks bear.

        Parameters
        ----------
        stress : ndarray, shape (6, nz, ny, nx)
            In Pa; 0 in void and in voxels that are cut.
        in_parts : ndarray, shape (2, 6, n), optional
            In the first and the second solid of the voxels that are cut, in their order, in Pa.
        """
        out = np.zeros(self.size)
        room = [(0, n - v) for n, v in zip(self.shape, self.voxels, strict=True)]
        padded = stress if not any(r[1] for r in room) else np.pad(stress, [(0, 0), *room])
        over_slabs(
            kernels.load, even_shares(self.shape[0]), self._on_nodes(out), padded,
            0.25 / self.edges, 1.0,
        )  # fmt: skip
        totals = stress.sum(axis=(1, 2, 3), dtype=float)
        if in_parts is not None:
            kernels.add_cut_loads(
                self._on_nodes(out), totals, np.empty(24), self.number, self._cut, self._shares,
                self.cut.loads, self._affine, in_parts,
            )  # fmt: skip
        out[-6:] = self._conjugate(totals)
        out /= self.modulus
        self._hold(self._on_nodes(out))
        return out, totals / np.prod(self.voxels)

    def mean_stress_load(self, stress: Matrix) -> Matrix:
        """Return what a mean stress in Pa adds to the load of the mean strain, shape (6,)."""
        whole = np.prod(self.voxels) * self.scale / self.modulus
        return np.where(self.free, whole * stress, 0.0)

    def add_traction(self, load: Matrix, face: tuple[int, int], traction: Matrix) -> None:
        """Add a traction in Pa on the solid of a face, (axis, side), to a load."""
        axis, side = face
        nodes = self._on_nodes(load)
        solid = np.moveaxis(self.number, axis, 0)[self.faces.ends[axis] - 1 if side else 0]
        area = float(np.prod(np.delete(self.edges, axis))) / 4.0 / self.modulus
        share = np.where(solid != self.void, area, 0.0)
        share = share + np.roll(share, 1, 0)
        share = share + np.roll(share, 1, 1)
        for c in range(3):
            plane = np.moveaxis(nodes[c], axis, 0)[self.faces.ends[axis] if side else 0]
            plane += traction[c] * share
        self._hold(nodes)

    def solve(
        self,
        load: Matrix,
        strain: Matrix,
        rtol: float,
        *,
        given: Mapping[tuple[int, int, int], float] | None = None,
        stress: float = 0.0,
        inverse: Any = None,
        earlier: EarlierSolutions | None = None,
        progress: Callable[[int, float], None] | None = None,
    ) -> ElasticSolution:
        """Find the displacements in equilibrium.

        Parameters
        ----------
        load : ndarray
            A vector.
        strain : ndarray, shape (6,)
            Mean strain; of the components that are held.
        rtol : float
            Norm of the forces that are left, over that of those at the start.
        given : mapping of (axis, side, component) to float, optional
            Displacements of faces that are not 0, in m.
        stress : float
            Largest of the given stresses, in Pa: forces of the size of its rounding count as none.
        inverse : object with a method precondition, optional
            A preconditioner; by default the multigrid cycle.
        earlier : EarlierSolutions, optional
            Of this grid under other loads: the start comes from them, and the solution is added.
        progress : callable, optional
            Called as ``progress(iteration, residual)``.

        Raises
        ------
        ConvergenceError
            If it is not reached.
        """
        told = np.where(self.free, 0.0, strain)
        start = self._told(given or {})
        source = load
        if told.any() or given:
            source = load - self._forces_of(start, told)
        typical = max(stress / self.modulus, float(np.abs(told).max())) * np.sqrt(self.size)
        if given is None and np.linalg.norm(source) <= ROUNDING * typical:
            return ElasticSolution(np.zeros((3, *self.shape)), strain * ~self.free, 0, 0.0)
        found = solve(
            self, source, hierarchy=self.hierarchy() if inverse is None else inverse, rtol=rtol,
            guess=None if earlier is None else earlier.start(self, source),
            max_iterations=ITERATIONS,
            progress=None if progress is None else lambda k, left, _: progress(k, left),
        )  # fmt: skip
        del source
        total = found.parts[0].astype(float)
        total += found.parts[1]
        if earlier is not None:
            self._remember(earlier, total)
        mean = np.where(self.free, self.scale * total[-6:], strain)
        displacement = self._on_nodes(total)
        if given:
            displacement += start
        displacement *= self.unit
        return ElasticSolution(displacement, mean, found.iterations, found.residual)

    def _remember(self, earlier: EarlierSolutions, total: Matrix) -> None:
        """Keep a solution and what it exerts, which is not the load but for its last digits."""
        x = total.astype(np.float32)
        strain = self.scale * np.where(self.free, x[-6:], 0.0)
        forces = self._forces_of(self._on_nodes(x).astype(float), strain)
        earlier.add(x, forces.astype(np.float32))

    def _told(self, given: Mapping[tuple[int, int, int], float]) -> Matrix:
        """Return displacements that are 0 but for those that faces are told to have."""
        start = np.zeros((3, *self.shape) if given else (3, 1, 1, 1))
        for (axis, side, component), value in given.items():
            plane = self.faces.ends[axis] if side else 0
            np.moveaxis(start[component], axis, 0)[plane] = value / self.unit
        return start

    def _forces_of(self, displacement: Matrix, strain: Matrix) -> Matrix:
        """Return the forces of displacements and a mean strain, a vector."""
        out = np.zeros(self.size)
        nodes = self._on_nodes(out)
        u = np.ascontiguousarray(np.broadcast_to(displacement, (3, *self.shape)))
        out[-6:] = self._conjugate(self._run(kernels.product, np.float64, strain, nodes, u))
        self._hold(nodes)
        return out

    def mean_stress(self, found: ElasticSolution) -> Matrix:
        """Return the mean stress without eigenstrains, shape (6,), in Pa."""
        out = np.empty((3, *self.shape))
        u = found.displacement / self.unit
        totals = self._run(kernels.product, np.float64, found.mean_strain, out, u)
        return totals * self.modulus / np.prod(self.voxels)

    def hierarchy(self) -> Multigrid:
        """Return the levels, built when first asked for."""
        if self._levels is None:
            self.prepare()
            self._levels = Multigrid(self)
        return self._levels

    def strains(self, solution: ElasticSolution) -> NDArray[np.float32]:
        """Return the mean strain of each voxel, shape (6, nz, ny, nx)."""
        out = np.empty((6, *self.shape), np.float32)
        args = (solution.displacement, solution.mean_strain, 0.25 / np.array(self.voxel_size))
        over_slabs(kernels.strains, even_shares(self.shape[0]), out, *args)
        if self.shape == self.voxels:
            return out
        nz, ny, nx = self.voxels
        return np.ascontiguousarray(out[:, :nz, :ny, :nx])

    def strains_in_parts(
        self, solution: ElasticSolution, steps: NDArray[np.floating]
    ) -> NDArray[np.float32]:
        """Return the mean strain in either part of the voxels that are cut, shape (2, 6, n).

        Parameters
        ----------
        solution : ElasticSolution
        steps : ndarray, shape (6, n)
            Stress of the eigenstrain in the second solid less that in the first, in Pa.
        """
        out = np.empty((2, *steps.shape), np.float32)
        kernels.cut_strains(
            out, np.empty(24), solution.displacement, solution.mean_strain, self.number, self._cut,
            self.cut.strains / self.unit, self.cut.kinks / self.modulus,
            self._affine * self.unit, steps,
        )  # fmt: skip
        return out
