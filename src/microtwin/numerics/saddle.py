"""Saddle point systems on a staggered grid: three scalar fields that a constraint ties together.

On the faces of each axis a lives a field u_a, at the voxels a field p, and ::

    A_a u_a = drive_a - (gradient of p)_a ,      divergence of u = 0.

Each A_a is a scalar grid operator, so that its multigrid cycle is at hand. What is left for p is
the Schur complement S = -(divergence) A^-1 (gradient), a symmetric positive operator that is never
formed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .corrections import Field, combine, correction, dot
from .krylov import ConvergenceError, Progress
from .operator import GridOperator
from .plane_fields import PlaneField
from .quarters import plane_length
from .staggered import StaggeredGrid
from .threads import over_slabs, slab_bounds
from .vector_kernels import combine as combine_flat

__all__ = ["SaddleSolution", "SaddleSystem", "solve_saddle"]

# Between two computations of the true residuals the Schur complement is solved to this factor, and
# in each of its products the fields are: more digits in one of the two would be wasted.
ROUND = 1e-2
PRODUCT = 1e-2
# Fields are solved to this factor where they are to obey the current p.
SETTLE = 1e-3


@dataclass(frozen=True, eq=False)
class SaddleSolution:
    """Solution of a saddle point system and how it was reached.

    Parameters
    ----------
    fields : 3 ndarrays of float64
        Values on the open faces of each axis, see `StaggeredGrid.pack`.
    p : ndarray of float64, shape (nz, length of a plane)
        In quarters.
    iterations : int
        Steps of conjugate gradients for p.
    residual : float
        The larger of the residual of the fields over the part of the drive that they feel, their
        norm over that of the response, and the norm of the divergence over that of the fields.
    layer_flux : ndarray of float64
        Sum of the driven field over each layer of its faces.
    flux_spread : float
        (max - min) of that over the magnitude of its mean.
    largest_divergence : float
        Over the root of the mean square of the fields on open faces.
    residual_history, spread_history : tuple of float
        Both measures each time they were computed.
    """

    fields: tuple[NDArray[np.float64], ...]
    p: NDArray[np.float64]
    iterations: int
    residual: float
    layer_flux: NDArray[np.float64]
    flux_spread: float
    largest_divergence: float
    residual_history: tuple[float, ...]
    spread_history: tuple[float, ...]


class SaddleSystem:
    """Three fields on a staggered grid, and what the solver needs to precondition them.

    Parameters
    ----------
    operators : 3 GridOperators
        Each positive definite on the open faces of its axis, without links elsewhere.
    grid : StaggeredGrid

    Notes
    -----
    A field that varies over lengths longer than those over which A spreads what drives it obeys
    ``u = k (drive - gradient of p)`` with the *response* k = A^-1 1, one number per face. So the
    operator -(divergence) k (gradient), a scalar grid operator with a multigrid cycle of its own,
    stands for S where p varies slowly. Where p varies from voxel to voxel, A and the Laplacian
    cancel, and S is close to the identity. The preconditioner is the sum of both inverses, as that
    of J. Cahouet, J.-P. Chabard, Int. J. Numer. Methods Fluids 8 (1988) 869, whose drag is a
    constant.
    """

    def __init__(
        self, operators: tuple[GridOperator, GridOperator, GridOperator], grid: StaggeredGrid
    ) -> None:
        self.grid = grid
        self.operators = operators
        self.fields = [Field(operator) for operator in operators]
        # Memory that all steps share; what is given back to the system and asked for anew would
        # leave holes.
        length = max(rows * row for field in self.fields for rows, row in field.shapes)
        self._room = [np.zeros(length, np.float32) for _ in range(5)]
        self.schur = Field(self._response_operator())
        self._wide = [np.zeros(length) for _ in range(2)]

    def _response_operator(self) -> GridOperator:
        """Return -(divergence) k (gradient)."""
        factors = self.grid.factors
        nothing = np.zeros(self.vector_shape, np.float32)
        # The response of an open face is at least the inverse of its diagonal.
        least = 0.1 / sum(4.0 * c**2 for c in factors)
        ends, faces = None, []
        self.response_norms = []
        for axis, operator in enumerate(self.operators):
            rhs = self._rhs(axis)
            self.grid.force(rhs, nothing, axis, 1.0)
            response = self._solved(axis, SETTLE)
            np.maximum(response, least, out=response)
            response *= self.grid.opened[axis]
            self.response_norms.append(_norm(response))
            face = operator.unload(response)
            if axis == 0 and not self.grid.ring:
                # The outer faces feel half of the drive.
                low, high = (2.0 * factors[0] ** 2 * face[k] for k in (0, -1))
                ends = PlaneField.outer(low, high, self.grid.shape[0])
                face = face[1:]
                face[-1] = 0.0
            faces.append(face)
        weights = tuple(c**2 for c in factors)
        return GridOperator(tuple(faces), weights, ends)  # type: ignore[arg-type]

    @property
    def vector_shape(self) -> tuple[int, int]:
        """Shape of the vector of a field at the voxels."""
        return self.grid.shape[0], plane_length(*self.grid.shape[1:])

    def _buffers(self, axis: int) -> list[NDArray[np.float32]]:
        """Return the five vectors of an axis that share the room of all."""
        return [_part(vector, self.fields[axis].shapes[0]) for vector in self._room]

    def _rhs(self, axis: int) -> NDArray[np.float32]:
        rhs = self._buffers(axis)[0]
        rhs[...] = 0
        return rhs

    def _solved(self, axis: int, factor: float, target: float = 0.0) -> NDArray[np.float32]:
        """Solve A u = `_rhs` until the residual is small by a factor or in itself."""
        rhs, *room = self._buffers(axis)
        target = max(factor * float(np.sqrt(dot(rhs, rhs))), target)
        return correction(self.fields[axis], [rhs], target, room=[[v] for v in room]).parts[0]

    def product(self, out: NDArray[np.float32], d: NDArray[np.float32]) -> None:
        """Set out to S d."""
        out[...] = 0
        for axis in range(3):
            self.grid.force(self._rhs(axis), d, axis)
            self.grid.add_divergence(out, self._solved(axis, PRODUCT), axis)

    def precondition(self, r: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return an approximate solution of S z = r; it lasts until the next product."""
        z = _part(self._room[0], self.vector_shape)
        self.schur.precondition([z], [r])
        combine(z, 1.0, r, 1.0)
        return z

    def settle(
        self,
        values: NDArray[np.float64],
        p: NDArray[np.float64],
        axis: int,
        drive: float,
        goal: float,
    ) -> float:
        """Correct a field (packed) for the current p; return the norm of its residual."""
        shape = self.fields[axis].shapes[0]
        u, push = (_part(vector, shape) for vector in self._wide)
        self.grid.unpack(u, values, axis)
        self.grid.force(push, p, axis, drive)
        square = self._renew(axis, u, push)
        if square > goal**2:
            u += self._solved(axis, SETTLE, goal)
            square = self._renew(axis, u, push)
        self.grid.pack(values, u, axis)
        return float(np.sqrt(square))

    def divergence(self, fields: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
        """Return the divergence of packed fields; it lasts until the next `settle`."""
        total = _part(self._wide[1], self.vector_shape)
        total[...] = 0.0
        for axis, values in enumerate(fields):
            u = _part(self._wide[0], self.fields[axis].shapes[0])
            self.grid.unpack(u, values, axis)
            self.grid.add_divergence(total, u, axis)
        return total

    def layers(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the sum of a packed field of axis 0 over each layer of its faces."""
        u = _part(self._wide[0], self.fields[0].shapes[0])
        self.grid.unpack(u, values, 0)
        return u.sum(axis=1)

    def descent_room(self) -> list[NDArray[np.float32]]:
        """Return three vectors at the voxels; the first may be set from `divergence`."""
        low, high = (vector.view(np.float32) for vector in self._wide)
        half = self._wide[0].size
        return [_part(part, self.vector_shape) for part in (low[:half], low[half:], high)]

    def _renew(self, axis: int, u: NDArray[np.float64], push: NDArray[np.float64]) -> float:
        """Let `_rhs` be push - A u, in double precision; return the square of its norm."""
        r, high, low, *_ = self._buffers(axis)
        high[...] = u
        np.subtract(u, high, out=low, casting="same_kind")
        source = (push, np.arange(len(push)), (0.0, 0.0, 0.0))
        return self.operators[axis].renew(r, high, low, source)[0]


def _part(vector: NDArray, shape: tuple[int, int]) -> NDArray:
    """Return the beginning of a flat vector in a shape."""
    return vector[: shape[0] * shape[1]].reshape(shape)


def solve_saddle(
    system: SaddleSystem,
    *,
    rtol: float = 1e-6,
    flux_tol: float = 1e-5,
    max_iterations: int = 200,
    progress: Progress | None = None,
) -> SaddleSolution:
    """Solve a saddle point system for a drive of one along axis 0.

    Parameters
    ----------
    system : SaddleSystem
    rtol : float
        Bound on the residual, see `SaddleSolution`.
    flux_tol : float
        Bound on the relative spread of the flux between layers; both bounds must hold.
    max_iterations : int
        Steps after which the solve is given up.
    progress : callable, optional
        Called as ``progress(iteration, residual, flux_spread)``.

    Returns
    -------
    SaddleSolution

    Raises
    ------
    ConvergenceError
        If the tolerance is not reached.

    Notes
    -----
    In rounds: the fields are corrected for the current p, residuals are computed in double
    precision, and flexible conjugate gradients in single precision reduce the divergence by a
    hundred. The fields need no update in these steps, they follow from p in the next round; so
    rounding and inexact products cost no accuracy, and no field but p has to be kept in them.
    """
    grid = system.grid
    fields = [np.zeros(np.count_nonzero(opened)) for opened in grid.opened]
    p = np.zeros(system.vector_shape)
    drive_norm = _norm(grid.opened[0].view(np.uint8))
    scale = drive_norm
    residuals: list[float] = []
    spreads: list[float] = []
    iterations = 0

    def tell(steps: int, factor: float) -> None:
        if progress is not None:
            progress(iterations + steps, factor * residuals[-1], spreads[-1])

    while True:
        squares = 0.0
        for axis, field in enumerate(fields):
            goal = 0.3 * rtol * scale
            squares += system.settle(field, p, axis, float(axis == 0), goal) ** 2
        size = float(np.sqrt(sum(np.einsum("i,i", part, part) for part in fields)))
        # The part of the drive that the fields feel, where p does not balance it. Where little gets
        # through, p balances nearly all, and a residual that is small beside the drive is not small
        # beside what is left.
        scale = drive_norm * min(1.0, size / system.response_norms[0])
        flux = system.layers(fields[0])
        divergence = system.divergence(fields)
        relative = _norm(divergence) / size
        largest = max(float(divergence.max()), -float(divergence.min()))
        residuals.append(max(float(np.sqrt(squares)) / scale, relative))
        spreads.append(float(np.ptp(flux)) / max(abs(float(flux.mean())), 1e-300))
        tell(0, 1.0)
        if residuals[-1] <= rtol and spreads[-1] <= flux_tol:
            break
        reached = (
            f"residual {residuals[-1]:.1e} (wanted {rtol:.1e}), flux spread {spreads[-1]:.1e} "
            f"(wanted {flux_tol:.1e})"
        )
        if not np.isfinite(residuals[-1]):
            raise ConvergenceError("the input of the solver is not finite; check the image")
        if iterations >= max_iterations:
            raise ConvergenceError(
                f"no convergence in {iterations} iterations: {reached}; loosen the tolerance or "
                "raise max_iterations"
            )
        steps = _descend(system, p, divergence, max_iterations - iterations, tell)
        if steps == 0 and len(residuals) > 1 and residuals[-1] > 0.5 * residuals[-2]:
            raise ConvergenceError(
                f"the solve came to a stand after {iterations} iterations: {reached}; loosen the "
                "tolerance"
            )
        iterations += steps
    count = sum(part.size for part in fields)
    return SaddleSolution(
        tuple(fields), p, iterations, residuals[-1], flux, spreads[-1],
        largest / (size / np.sqrt(count)),
        tuple(residuals), tuple(spreads),
    )  # fmt: skip


def _descend(
    system: SaddleSystem,
    p: NDArray[np.float64],
    divergence: NDArray[np.float64],
    most: int,
    tell: Callable[[int, float], None],
) -> int:
    """Add to p until what it is to balance is small; return the number of steps.

    The recurrence of `krylov.solve`: its directions stay conjugate under a preconditioner that
    changes.
    """
    r, d, s = system.descent_room()
    np.negative(divergence, out=r, casting="same_kind")
    d[...] = s[...] = 0.0
    start = norm = np.sqrt(dot(r, r))
    curvature, steps = 0.0, 0
    while norm > ROUND * start and steps < most:
        z = system.precondition(r)
        beta = -dot(z, s) / curvature if curvature > 0.0 else 0.0
        combine(d, beta, z, 1.0)
        system.product(s, d)
        curvature, slope = dot(d, s), dot(d, r)
        if not (curvature > 0.0 and slope > 0.0):
            break
        alpha = slope / curvature
        slabs = slab_bounds((p.size, 1, 1))
        over_slabs(combine_flat, slabs, p.reshape(-1), 1.0, d.reshape(-1), alpha)
        combine(r, 1.0, s, -alpha)
        norm = np.sqrt(dot(r, r))
        steps += 1
        tell(steps, norm / start)
    return steps


def _norm(v: NDArray) -> float:
    # Plane by plane, and not the norm of BLAS, whose threads would go on spinning on the cores that
    # the solver uses.
    return float(np.sqrt(sum(float(np.square(plane, dtype=np.float64).sum()) for plane in v)))
