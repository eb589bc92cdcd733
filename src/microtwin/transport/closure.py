"""Effective dispersion of a tracer in a periodic flow, from the closure problem.

Brenner, Phil. Trans. R. Soc. Lond. A 297 (1980) 81; Carbonell & Whitaker, Chem. Eng. Sci. 38
(1983) 1795. See the theory page on dispersion for the discrete equations.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..checking import is_number
from ..numerics import DirectedGrid, DirectedMultigrid, solve_general
from .tracer_grids import TracerGrid

__all__ = ["Dispersion", "grid_dispersion"]

Watch = Callable[[float, NDArray[np.float64]], None]


@dataclass(frozen=True, eq=False)
class Dispersion:
    """Dispersion of a tracer at one or more Péclet numbers.

    Tensors have rows and columns in the order (z, y, x). They are averages over the fluid: the mean
    concentration in the fluid obeys dc/dt + U.grad c = div(D* grad c), and without flow D*/D is
    one over the tortuosity factor.

    Parameters
    ----------
    peclet : ndarray of float64, shape (n,)
        U length / D with the mean velocity U in the fluid (interstitial).
    relative_tensor : ndarray of float64, shape (n, 3, 3)
        D* over the molecular diffusivity. Only its symmetric part spreads a tracer.
    longitudinal, transverse : ndarray of float64, shape (n,)
        Of D* / D: along the mean flow, and the mean of the two directions across it.
    diffusivity : float
        Molecular diffusivity D in m^2/s.
    length : float
        Length in the Péclet number, in m.
    direction : ndarray of float64, shape (3,)
        Unit vector of the mean flow.
    volume_fraction : float
        Share of the image that holds the tracer: what is connected to the flow.
    cell_peclet : ndarray of float64, shape (n,)
        Largest flow through a face over its conductance for diffusion. The scheme is the central
        one below 2.
    numerical_share : ndarray of float64, shape (n,)
        Share of the longitudinal dispersion that comes from the scheme and not from the equation:
        what its fourth differences dissipate. Where it is no longer small, the grid is too coarse
        for this Péclet number.
    iterations : ndarray of int, shape (n, 3)
        Of the loads along z, y and x.
    residuals : ndarray of float64, shape (n, 3)
        Norm of the residual over that of the right-hand side.
    """

    peclet: NDArray[np.float64]
    relative_tensor: NDArray[np.float64] = field(repr=False)
    longitudinal: NDArray[np.float64]
    transverse: NDArray[np.float64]
    diffusivity: float
    length: float
    direction: NDArray[np.float64]
    volume_fraction: float
    cell_peclet: NDArray[np.float64]
    numerical_share: NDArray[np.float64]
    iterations: NDArray[np.int64] = field(repr=False)
    residuals: NDArray[np.float64] = field(repr=False)

    @property
    def tensor(self) -> NDArray[np.float64]:
        """D* in m^2/s, shape (n, 3, 3)."""
        return self.diffusivity * self.relative_tensor

    @property
    def velocity(self) -> NDArray[np.float64]:
        """Mean velocity in the fluid at each Péclet number, in m/s, shape (n,)."""
        return self.peclet * self.diffusivity / self.length

    @property
    def message(self) -> str:
        """One sentence that says what was found, and whether the grid resolves it."""
        worst = int(self.numerical_share.argmax())
        text = (
            f"Longitudinal dispersion {self.longitudinal.min():.4g} to "
            f"{self.longitudinal.max():.4g} times the diffusivity at Péclet numbers "
            f"{self.peclet.min():.4g} to {self.peclet.max():.4g}"
        )
        if self.numerical_share[worst] > 0.01:
            return (
                f"{text}; at {self.peclet[worst]:.4g} the scheme contributes "
                f"{100 * self.numerical_share[worst]:.0f} %, so use finer voxels there."
            )
        return f"{text}; the scheme contributes less than 1 %."


def grid_dispersion(
    grid: TracerGrid,
    peclet: ArrayLike,
    length: float,
    diffusivity: float = 1e-9,
    *,
    tol: float = 1e-6,
    max_iterations: int = 600,
    watch: Watch | None = None,
) -> Dispersion:
    """Compute the dispersion tensor of a tracer on a grid that repeats.

    Solves u.grad b - D lap b = U - u for the deviation b of each direction, with the normal
    derivative -n on walls, on the grid. See `dispersion` for an image and its flow.

    Parameters
    ----------
    grid : TracerGrid
        Periodic. Its velocities are scaled to each Péclet number.
    peclet : float or sequence of floats
        Mean velocity in the fluid times `length` over the diffusivity, zero or more.
    length : float
        In m.
    diffusivity : float
        Molecular diffusivity in m^2/s.
    tol : float
        Norm of the residual over that of the right-hand side at which a solve stops.
    max_iterations : int
        Bound on the iterations of each load.
    watch : callable, optional
        Called as ``watch(peclet, relative_tensor)`` after each Péclet number, from the lowest on.

    Returns
    -------
    Dispersion

    Raises
    ------
    ValueError
        For negative Péclet numbers, a length, diffusivity or tolerance that is not allowed, and a
        grid with ends or without a mean flow.
    ConvergenceError
        If a solve does not reach the tolerance.
    """
    numbers = _checked(grid, peclet, length, diffusivity, tol)
    mean = grid.mean_velocity
    speed = float(np.sqrt(np.square(mean).sum()))
    unit = max(float(g.max()) for g in grid.links)
    count = len(numbers)
    tensors, shares = np.zeros((count, 3, 3)), np.zeros(count)
    iterations, residuals = np.zeros((count, 3), int), np.zeros((count, 3))
    cells = np.zeros(count)
    fields: list[NDArray[np.float64]] = [np.zeros(grid.shape) for _ in range(3)]
    links = tuple(g / unit for g in grid.links)
    along = mean / speed
    # Each solve starts from the one at the next lower number.
    for n in np.argsort(numbers, kind="stable"):
        scale = numbers[n] / (speed * length * unit)
        flows = tuple(scale * q for q in grid.flows)
        system = DirectedGrid(flows, links)
        cells[n] = system.largest_cell_number
        cycle = DirectedMultigrid(flows, links)
        for axis in range(3):
            rhs, norm = _load(grid, flows, links, scale * mean[axis], axis)
            if norm == 0.0:
                continue
            found = solve_general(
                system.product, cycle.precondition, rhs, tol * norm, guess=fields[axis],
                max_iterations=max_iterations,
            )  # fmt: skip
            iterations[n, axis], residuals[n, axis] = found.iterations, found.residual / norm
            fields[axis] = _centred(found.values, grid)
        tensors[n] = unit * _mean_fluxes(grid, flows, links, fields)
        bent = unit * _dissipated(grid, system, fields)
        shares[n] = (along @ bent @ along) / (along @ tensors[n] @ along)
        if watch is not None:
            watch(float(numbers[n]), tensors[n])
    longitudinal = np.einsum("i,nij,j->n", along, tensors, along)
    transverse = 0.5 * (np.trace(tensors, axis1=1, axis2=2) - longitudinal)
    return Dispersion(
        numbers, tensors, longitudinal, transverse, float(diffusivity), float(length), along,
        grid.volume_fraction, cells, shares, iterations, residuals,
    )  # fmt: skip


def _load(
    grid: TracerGrid,
    flows: Sequence[NDArray],
    links: Sequence[NDArray],
    drift: float,
    axis: int,
) -> tuple[NDArray[np.float64], float]:
    """Return the right-hand side of a direction and its norm.

    It is what the mean flow takes from the volume of a voxel, less what leaves the voxel when the
    concentration is the coordinate; only steps of half a voxel to its faces count.
    """
    h = grid.voxel_size[axis]
    q, g = flows[axis], links[axis]
    passed = 0.5 * h * (q + np.roll(q, 1, axis)) - h * (g - np.roll(g, 1, axis))
    rhs = drift * grid.volumes - passed
    there = grid.volumes > 0.0
    rhs[there] -= rhs[there].mean()  # zero but for rounding
    norm = float(np.sqrt(np.square(rhs).sum()))
    rounding = 1e-13 * float(np.sqrt(np.square(passed).sum() + np.square(h * g).sum()))
    return rhs, norm if norm > rounding else 0.0


def _centred(values: NDArray[np.float64], grid: TracerGrid) -> NDArray[np.float64]:
    """Return values less their mean in the fluid."""
    mean = float((grid.volumes * values).sum()) / grid.volume
    return np.where(grid.volumes > 0.0, values - mean, 0.0)


def _mean_fluxes(
    grid: TracerGrid,
    flows: Sequence[NDArray],
    links: Sequence[NDArray],
    fields: Sequence[NDArray],
) -> NDArray[np.float64]:
    """Return the flux along each axis i that a unit gradient along each axis j drives."""
    tensor = np.zeros((3, 3))
    for j, b in enumerate(fields):
        for i, (q, g, h) in enumerate(zip(flows, links, grid.voxel_size, strict=True)):
            after = np.roll(b, -1, i)
            step = after - b + (h if i == j else 0.0)
            tensor[i, j] = h * float((g * step - 0.5 * q * (b + after)).sum())
    return tensor / grid.volume


def _dissipated(
    grid: TracerGrid, system: DirectedGrid, fields: Sequence[NDArray]
) -> NDArray[np.float64]:
    """Return the part of the symmetric tensor that fourth differences make."""
    tensor = np.zeros((3, 3))
    for axis, stiffness in enumerate(system.bending):
        bent = [np.roll(b, -1, axis) - 2.0 * b + np.roll(b, 1, axis) for b in fields]
        for i in range(3):
            for j in range(3):
                tensor[i, j] += float((stiffness * bent[i] * bent[j]).sum())
    return tensor / grid.volume


def _checked(
    grid: TracerGrid, peclet: ArrayLike, length: float, diffusivity: float, tol: float
) -> NDArray[np.float64]:
    try:
        numbers = np.atleast_1d(np.asarray(peclet, float))
    except (TypeError, ValueError):
        numbers = np.empty(0)
    if numbers.ndim != 1 or not len(numbers) or not (np.isfinite(numbers) & (numbers >= 0)).all():
        raise ValueError(
            f"peclet {peclet!r} is not allowed; give one or more numbers, zero or above"
        )
    for noun, value, unit in (("length", length, "m"), ("diffusivity", diffusivity, "m^2/s")):
        if not is_number(value) or not value > 0.0:
            raise ValueError(f"{noun} {value!r} is not allowed; give a number above 0, in {unit}")
    if not is_number(tol) or not 0.0 < tol < 1.0:
        raise ValueError(f"tol {tol!r} is not allowed; it lies between 0 and 1, for example 1e-6")
    if grid.ends is not None:
        raise ValueError(
            "dispersion needs a grid that repeats, and this one has ends; compute the flow with "
            "boundary='periodic', or use a breakthrough curve"
        )
    fastest = max(float(np.abs(q).max()) for q in grid.flows)
    area = float(np.prod(grid.voxel_size)) / min(grid.voxel_size)
    if not np.abs(grid.mean_velocity).max() > 1e-9 * fastest / area:
        raise ValueError(
            "the fluid goes round but not through the image: its mean velocity is zero, so there "
            "is no Péclet number; use a flow that a pressure gradient drives through a phase that "
            "percolates"
        )
    return numbers
