"""The grid on which a dissolved tracer moves: volumes, what joins them, and what flows through."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from ..numerics import GridOperator, PlaneField, Source, solve

__all__ = ["TracerGrid", "tracer_grid"]

Faces = tuple[NDArray[np.float64], ...]

# Of the largest flow through a face: what may be out of balance in a voxel of a flow that was
# solved for to a tolerance, and what is left when that is put right.
UNBALANCED = 1e-2
BALANCED = 1e-12
ROUNDS = 4


@dataclass(frozen=True, eq=False)
class TracerGrid:
    """Voxels that hold fluid, and their faces.

    Parameters
    ----------
    volumes : ndarray of float64, shape (nz, ny, nx)
        Fluid in each voxel, in m^3.
    links : 3 ndarrays of float64, shape (nz, ny, nx)
        Open area of the face after each voxel along z, y and x over the distance of the centres,
        in m. The last face along an axis joins the last voxel to the first.
    flows : 3 ndarrays of float64, shape (nz, ny, nx)
        Volume flow through the same faces, in m^3/s. As much flows into each voxel as out of it,
        but in the first and the last layer along `ends`.
    voxel_size : tuple of 3 floats
        In m, along z, y and x.
    ends : int or None
        Axis along which fluid enters through the first layer and leaves through the last; None if
        the grid repeats along all axes.
    """

    volumes: NDArray[np.float64] = field(repr=False)
    links: Faces = field(repr=False)
    flows: Faces = field(repr=False)
    voxel_size: tuple[float, float, float]
    ends: int | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Voxels along z, y and x."""
        return self.volumes.shape

    @property
    def volume(self) -> float:
        """Volume of the fluid in m^3."""
        return float(self.volumes.sum())

    @property
    def volume_fraction(self) -> float:
        """Share of the image that this fluid fills."""
        return self.volume / (self.volumes.size * float(np.prod(self.voxel_size)))

    @property
    def mean_velocity(self) -> NDArray[np.float64]:
        """Mean velocity in the fluid along z, y and x, in m/s (interstitial)."""
        return np.array(
            [
                h * float(q.sum()) / self.volume
                for q, h in zip(self.flows, self.voxel_size, strict=True)
            ]
        )

    def outflow(self) -> NDArray[np.float64]:
        """Return what flows out of each voxel less what flows in, in m^3/s."""
        return _outflow(self.flows)


def tracer_grid(
    fluxes: tuple[ArrayLike, ArrayLike, ArrayLike],
    openings: tuple[ArrayLike, ArrayLike, ArrayLike],
    volumes: ArrayLike,
    voxel_size: float | tuple[float, float, float],
    ends: int | None = None,
) -> TracerGrid:
    """Return the grid of a tracer from a flow and the geometry that it flows in.

    Only what belongs to the flow is kept: voxels that open faces join, directly or through others,
    to a face with flow. If there are several such parts, the one that carries most is kept where
    the grid repeats (a tracer never leaves it), and all of them otherwise.

    Parameters
    ----------
    fluxes : 3 arrays of float, shape (nz, ny, nx)
        Velocity in m/s, averaged over the whole face, through the face after each voxel along z, y
        and x. The last face along an axis joins the last voxel to the first: zero unless periodic.
    openings : 3 arrays of float, shape (nz, ny, nx)
        Open share of the same faces, 0 to 1.
    volumes : array of float, shape (nz, ny, nx)
        Share of each voxel that is fluid, 0 to 1; a mask is allowed.
    voxel_size : float or 3 floats
        In m, along z, y and x.
    ends : int, optional
        Array axis along which fluid enters and leaves. What passes the outer faces follows from
        what is missing in the first and in the last layer. By default the grid repeats.

    Returns
    -------
    TracerGrid

    Raises
    ------
    ValueError
        For arrays of different shapes, values out of range, flows that do not balance in each
        voxel, flow into voxels without fluid, and if nothing flows.
    """
    hz, hy, hx = np.broadcast_to(np.asarray(voxel_size, float), 3).tolist()
    size = (hz, hy, hx)
    share = np.asarray(volumes, float)
    speeds = [np.array(u, float) for u in fluxes]
    opened = [np.array(a, float) for a in openings]
    _check(speeds, opened, share, size, ends)
    if ends is not None:
        for face in (speeds[ends], opened[ends]):
            np.moveaxis(face, ends, 0)[-1] = 0.0
    dry = share <= 0.0
    if any(
        (u[dry] != 0.0).any() or (np.roll(u, 1, a)[dry] != 0.0).any() for a, u in enumerate(speeds)
    ):
        raise ValueError(
            "there is a flow through a face of a voxel that holds no fluid; take flow and volumes "
            "from the same geometry, or give the voxel its share of fluid"
        )
    areas = [float(np.prod(size)) / h for h in size]
    flows = [a * u for a, u in zip(areas, speeds, strict=True)]
    links = [a / h * o for a, h, o in zip(areas, size, opened, strict=True)]
    largest = max(float(np.abs(q).max()) for q in flows)
    if largest == 0.0:
        raise ValueError(
            "nothing flows: all velocities are zero; a phase that does not percolate carries no "
            "flow, so choose another phase or direction"
        )
    kept = _carrying(flows, links, share > 0.0, ends)
    flows = [q * (kept & np.roll(kept, -1, a)) for a, q in enumerate(flows)]
    links = [g * (kept & np.roll(kept, -1, a)) for a, g in enumerate(links)]
    grid = TracerGrid(
        float(np.prod(size)) * share * kept, tuple(links), tuple(flows), size, ends
    )  # fmt: skip
    return _balanced(grid, largest)


def _check(
    speeds: list[NDArray],
    opened: list[NDArray],
    share: NDArray,
    size: tuple[float, ...],
    ends: int | None,
) -> None:
    if share.ndim != 3 or any(a.shape != share.shape for a in [*speeds, *opened]):
        raise ValueError(
            f"the shapes {[a.shape for a in speeds]} of the flow, {[a.shape for a in opened]} of "
            f"the openings and {share.shape} of the volumes differ; give one number per voxel in "
            "each, along (z, y, x)"
        )
    if not all(np.isfinite(h) and h > 0.0 for h in size):
        raise ValueError(f"voxel_size {size!r} is not allowed; give metres above 0")
    if ends not in (None, 0, 1, 2):
        raise ValueError(f"ends {ends!r} is not allowed; give an array axis 0, 1 or 2, or None")
    if not all(np.isfinite(u).all() for u in speeds):
        raise ValueError("a velocity is not finite; give finite numbers in m/s, 0 where closed")
    for noun, values in (("openings", np.stack(opened)), ("volumes", share)):
        if not (np.isfinite(values).all() and values.min() >= 0.0 and values.max() <= 1.0 + 1e-6):
            raise ValueError(
                f"{noun} from {values.min():g} to {values.max():g} are not allowed; they are "
                "shares between 0 and 1"
            )


def _carrying(
    flows: list[NDArray], links: list[NDArray], wet: NDArray[np.bool_], ends: int | None
) -> NDArray[np.bool_]:
    """Return the voxels that are joined to a flow."""
    index = np.arange(wet.size, dtype=np.int32).reshape(wet.shape)
    pairs = []
    for axis, (q, g) in enumerate(zip(flows, links, strict=True)):
        joined = ((q != 0.0) | (g > 0.0)) & wet & np.roll(wet, -1, axis)
        pairs.append((index[joined], np.roll(index, -1, axis)[joined]))
    rows, columns = (np.concatenate(part) for part in zip(*pairs, strict=True))
    graph = csr_array((np.ones(len(rows), bool), (rows, columns)), (wet.size, wet.size))
    _, number = connected_components(graph, directed=False)
    carried = np.zeros(number.max() + 1)
    for q in flows:
        carried += np.bincount(number, np.abs(q).ravel(), len(carried))
    chosen = carried > 0.0 if ends is not None else np.arange(len(carried)) == carried.argmax()
    return chosen[number].reshape(wet.shape) & wet


def _outflow(flows: Faces) -> NDArray[np.float64]:
    out = np.zeros(flows[0].shape)
    for axis, q in enumerate(flows):
        out += q
        out -= np.roll(q, 1, axis)
    return out


def _balanced(grid: TracerGrid, largest: float) -> TracerGrid:
    """Return a grid in which as much flows into each voxel as out of it.

    What a solver has left is put right by the smallest flow, weighted with the links, that carries
    it to where it is missing.
    """
    inner = np.ones(grid.shape, bool)
    if grid.ends is not None:
        np.moveaxis(inner, grid.ends, 0)[[0, -1]] = False
    out = grid.outflow() * inner
    worst = float(np.abs(out).max()) / largest
    if worst > UNBALANCED:
        raise ValueError(
            f"the flow does not balance: in a voxel {worst:.1e} of the largest flow through a face "
            f"vanishes (allowed {UNBALANCED:.0e}); give a flow without divergence, "
            "velocities averaged over whole faces, and name the axis of `ends` if fluid enters"
        )
    if worst <= BALANCED:
        return grid
    unit = max(float(g.max()) for g in grid.links)
    gz, gy, gx = ((g / unit).astype(np.float32) for g in grid.links)
    faces = (gz, gy, gx)
    # In the first and the last layer nothing must balance: their potential is held.
    held = None
    if grid.ends is not None:
        held = PlaneField.dense(np.where(inner, 0.0, 1.0))
    operator = GridOperator(faces, ends=held)
    flows = grid.flows
    for _ in range(ROUNDS):
        scale = float(np.abs(out).max())
        if scale <= BALANCED * largest:
            break
        source = Source(PlaneField.dense(-out / scale), (0.0, 0.0, 0.0))
        potential = scale * solve(operator, source, rtol=1e-4).x
        flows = tuple(
            q + g * (potential - np.roll(potential, -1, a))
            for a, (q, g) in enumerate(zip(flows, faces, strict=True))
        )
        out = _outflow(flows) * inner
    return replace(grid, flows=flows)
