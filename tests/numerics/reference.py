"""The grid operator in plain NumPy and SciPy, and random problems to compare with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from hypothesis import strategies as st
from numpy.typing import NDArray

from microtwin.numerics import GridOperator, PlaneField, Source
from microtwin.numerics.quarters import from_quarters, to_quarters


def dense(field: PlaneField) -> NDArray[np.float64]:
    """Return a field plane by plane, in double precision."""
    return field.values[field.plane].astype(float)


def pair_matrix(conductance: NDArray, first: NDArray, second: NDArray, size: int) -> sp.csr_array:
    """Return the matrix of links between pairs of unknowns, entry by entry."""
    g = conductance.astype(float).ravel()
    i, j = first.ravel(), second.ravel()
    rows = np.concatenate([i, j, i, j])
    columns = np.concatenate([i, j, j, i])
    return sp.csr_array((np.concatenate([g, g, -g, -g]), (rows, columns)), (size, size))


def link_matrix(faces: tuple[NDArray, ...], weights: tuple[float, ...]) -> sp.csr_array:
    """Return the matrix of the faces of a grid; the last face of an axis closes the ring."""
    size = faces[0].size
    index = np.arange(size).reshape(faces[0].shape)
    total = sp.csr_array((size, size))
    for axis in range(3):
        after = np.take(index, np.arange(1, index.shape[axis] + 1), axis, mode="wrap")
        total = total + weights[axis] * pair_matrix(faces[axis], index, after, size)
    return total


def affine_source(
    faces: tuple[NDArray, ...], weights: tuple[float, ...], drive: tuple[float, ...]
) -> NDArray[np.float64]:
    """Return the net flux into each voxel of a potential that rises by `drive` per voxel."""
    total = np.zeros(faces[0].shape)
    for axis in range(3):
        flow = weights[axis] * drive[axis] * faces[axis].astype(float)
        total += flow - np.roll(flow, 1, axis)
    return total


def blocks(shape: tuple[int, ...]) -> sp.csr_array:
    """Return the prolongation that gives every voxel the value of its 2 x 2 x 2 block."""
    coarse = tuple((n + 1) // 2 for n in shape)
    position = np.indices(shape) // 2
    columns = np.ravel_multi_index(tuple(position), coarse).ravel()
    size = int(np.prod(shape))
    return sp.csr_array((np.ones(size), (np.arange(size), columns)), (size, int(np.prod(coarse))))


def relax(matrix: sp.csr_array, u: NDArray, rhs: NDArray, chosen: NDArray) -> NDArray:
    """Solve the equations of the chosen unknowns, all others kept."""
    diagonal = matrix.diagonal().reshape(u.shape)
    residual = rhs - (matrix @ u.ravel()).reshape(u.shape)
    change = np.divide(residual, diagonal, out=np.zeros(u.shape), where=diagonal > 0)
    return np.where(chosen, u + change, u)


def coarse_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape of the next coarser grid."""
    return tuple((n + 1) // 2 for n in shape)


def colour(shape: tuple[int, ...]) -> NDArray[np.intp]:
    """Return the colour of each voxel on the chess board, 0 at the origin."""
    return np.indices(shape).sum(0) % 2


def chess_board(shape: tuple[int, ...], periodic: bool) -> bool:
    """Whether neighbours always differ in colour; an odd period puts equal colours side by side."""
    return not periodic or all(n % 2 == 0 for n in shape)


class OnGrid:
    """An operator (or a hierarchy) whose methods take vectors as arrays on the grid.

    Vectors are brought into the layout of the operator, and what a method writes is brought back.
    """

    def __init__(self, operator: object, target: object = None) -> None:
        self._operator = operator
        self._target = operator if target is None else target

    def __getattr__(self, name: str) -> Callable[..., object]:
        method = getattr(self._target, name)

        def call(*args: object) -> object:
            loaded = [self._load(arg) if isinstance(arg, np.ndarray) else arg for arg in args]
            # The same array twice stays one array.
            for i, arg in enumerate(args):
                loaded[i] = next(new for new, old in zip(loaded, args, strict=True) if old is arg)
            if name == "renew":
                loaded[-1] = self._operator.prepared(args[-1])
            result = method(*loaded)
            for arg, vector in zip(args, loaded, strict=True):
                if isinstance(arg, np.ndarray):
                    arg[...] = self._unload(vector, arg.shape)
            return result

        return call

    def _load(self, field: NDArray) -> NDArray:
        if field.ndim == 1:  # on a graph
            return field
        if field.ndim == 4:
            return np.stack([to_quarters(part) for part in field])
        return to_quarters(field)

    def _unload(self, vector: NDArray, shape: tuple[int, ...]) -> NDArray:
        if len(shape) == 1:
            return vector
        if len(shape) == 4:
            return np.stack([from_quarters(part, shape[1:]) for part in vector])
        return from_quarters(vector, shape)


@dataclass(frozen=True)
class GridProblem:
    """A random operator, its parts, and its matrix assembled independently."""

    operator: GridOperator
    links: sp.csr_array
    ends: NDArray[np.float64]
    mass: NDArray[np.float64]
    periodic: bool
    seed: int

    @property
    def on_grid(self) -> OnGrid:
        return OnGrid(self.operator)

    @property
    def matrix(self) -> sp.csr_array:
        return (self.links + sp.diags_array((self.ends + self.mass).ravel())).tocsr()

    def vector(self, n: int, dtype: type = np.float32) -> NDArray:
        """Return the n-th random vector of the problem."""
        rng = np.random.default_rng([self.seed, n])
        return rng.standard_normal(self.operator.shape).astype(dtype)

    def product(self, u: NDArray) -> NDArray[np.float64]:
        """Return A u in double precision."""
        return (self.matrix @ u.astype(float).ravel()).reshape(u.shape)

    def magnitude(self, u: NDArray) -> float:
        """Return the largest sum of the sizes of the terms of (A u)[i]: the scale of rounding."""
        return float((abs(self.matrix) @ np.abs(u.astype(float)).ravel()).max())

    def layer_flux(self, u: NDArray, drive: float = 0.0) -> NDArray[np.float64]:
        """Return the flux from every plane to the next one, across the period at last."""
        jump = np.roll(u, -1, 0).astype(float) - u + drive
        return (self.operator.weights[0] * self.operator.faces[0] * jump).sum((1, 2))

    def end_flux(self, u: NDArray, supply: NDArray) -> NDArray[np.float64]:
        """Return the flux into the first and out of the last plane; `supply` is the source.

        It counts towards rising potential, like that between planes.
        """
        inflow = np.where(self.ends > 0, supply - self.ends * u, 0.0).sum((1, 2))
        return np.array([-inflow[0], inflow[-1]])

    def right_hand_side(self, source: Source) -> NDArray[np.float64]:
        """Return the right-hand side that a source stands for."""
        affine = affine_source(self.operator.faces, self.operator.weights, source.drive)
        return dense(source.field) + affine


def random_faces(
    rng: np.random.Generator, shape: tuple[int, ...], periodic: bool, dtype: type, lowest: float
) -> tuple[NDArray, NDArray, NDArray]:
    """Return random conductances; a share of them is zero unless `lowest` is above zero."""
    faces = []
    for axis in range(3):
        g = np.maximum(rng.uniform(-0.3, 1.0, shape), lowest)
        g = np.round(248 * g) if dtype == np.uint8 else g
        if not periodic:
            g[(slice(None),) * axis + (-1,)] = 0
        faces.append(g.astype(dtype))
    return tuple(faces)


def make_problem(
    shape: tuple[int, int, int],
    *,
    periodic: bool = False,
    dtype: type = np.float32,
    ends: bool = True,
    mass: bool = True,
    cubic: bool = False,
    lowest: float = 0.0,
    sweeps: int = 2,
    seed: int = 0,
) -> GridProblem:
    """Return a random grid problem."""
    rng = np.random.default_rng(seed)
    faces = random_faces(rng, shape, periodic, dtype, lowest)
    weights = (1.0, 1.0, 1.0) if cubic else tuple(rng.uniform(0.2, 3.0, 3))
    outer = PlaneField.outer(*rng.uniform(0, 2, (2, *shape[1:])), shape[0]) if ends else None
    reaction = PlaneField.dense(rng.uniform(0.01, 0.5, shape)) if mass else None
    operator = GridOperator(faces, weights, outer, reaction, sweeps)
    zero = np.zeros(shape)
    return GridProblem(
        operator=operator,
        links=link_matrix(faces, weights),
        ends=zero if outer is None else dense(outer),
        mass=zero if reaction is None else dense(reaction),
        periodic=periodic,
        seed=seed,
    )


def grid_problems(low: int = 2, high: int = 9, **fixed: object) -> st.SearchStrategy[GridProblem]:
    """Return random grid problems of odd and even shapes."""
    drawn = {
        "periodic": st.booleans(),
        "dtype": st.sampled_from([np.uint8, np.float32]),
        "ends": st.booleans(),
        "mass": st.booleans(),
        "sweeps": st.integers(1, 3),
        "seed": st.integers(0, 10_000),
    }
    drawn.update({name: st.just(value) for name, value in fixed.items()})
    shape = st.tuples(*[st.integers(low, high)] * 3)
    return st.builds(make_problem, shape, **drawn)
