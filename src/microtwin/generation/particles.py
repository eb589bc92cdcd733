"""Particles in a box, of any form, size and orientation, and the images painted from them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..microstructure import Direction, axis_index
from ..numerics.threads import over_slabs, slab_bounds
from . import form_kernels, particle_kernels
from .checks import checked_periodic, checked_shape, checked_triple
from .forms import BALL, UNIT_VOLUME, Body, packed_bodies, plate_volume

__all__ = ["Particles", "paint", "smallest_gauges", "surface_distances"]


def _none() -> Any:
    """Stand for an array that is not given."""
    return np.empty(0)


@dataclass(frozen=True, eq=False)
class Particles:
    """Particles in a box: the exact geometry beside the voxels.

    Parameters
    ----------
    centres : ndarray of float, shape (n, 3)
        In metres, in the order (z, y, x); the box starts at 0.
    semi_axes : ndarray of float, shape (n, 3) or (n,)
        Semi-axes in metres, the axis of the particle first. Of a plate: half thickness, radius,
        radius. Of polyhedra and irregular particles: the stretch of a body with the volume of the
        unit ball. One number for each particle makes spheres.
    extent : 3 floats
        Edges of the box along (z, y, x) in metres.
    periodic : 3 bools
        Along which axes the box repeats itself.
    orientations : ndarray of float, shape (n, 3, 3), optional
        Rotation matrices; their columns are the axes of each particle in the order (z, y, x).
    body : ndarray of int, shape (n,), optional
        Which of the bodies each particle is made of.
    bodies : tuple of Body
        Spheres by default.
    population : ndarray of int, shape (n,), optional
        Which type of the recipe each particle belongs to.

    Raises
    ------
    ValueError
        If the arrays do not fit together or a semi-axis is not positive.
    """

    centres: NDArray[np.float64] = field(repr=False)
    semi_axes: NDArray[np.float64] = field(repr=False)
    extent: tuple[float, float, float]
    periodic: tuple[bool, bool, bool] = (True, True, True)
    orientations: NDArray[np.float64] = field(default_factory=_none, repr=False)
    body: NDArray[np.int64] = field(default_factory=_none, repr=False)
    bodies: tuple[Body, ...] = field(default=(BALL,), repr=False)
    population: NDArray[np.int64] = field(default_factory=_none, repr=False)

    def __post_init__(self) -> None:
        semi_axes = np.array(self.semi_axes, float)
        if semi_axes.ndim == 1:
            semi_axes = np.repeat(semi_axes[:, None], 3, axis=1)
        n = len(semi_axes)
        centres = np.array(self.centres, float, ndmin=2)
        arrays = {
            "centres": centres,
            "semi_axes": semi_axes,
            "orientations": np.array(self.orientations, float),
            "body": np.array(self.body, np.int64),
            "population": np.array(self.population, np.int64),
        }
        if arrays["orientations"].size == 0:
            arrays["orientations"] = np.tile(np.eye(3), (n, 1, 1))
        for name in ("body", "population"):
            if arrays[name].size == 0:
                arrays[name] = np.zeros(n, np.int64)
        shapes = [array.shape for array in arrays.values()]
        if n == 0 or shapes != [(n, 3), (n, 3), (n, 3, 3), (n,), (n,)]:
            raise ValueError(
                f"centres of shape {centres.shape} and the other arrays, of shapes {shapes[1:]}, "
                f"do not fit {n} particles; give one row (z, y, x) in metres for each particle"
            )
        if not np.all(semi_axes > 0):
            raise ValueError(
                "a semi-axis of a particle is not positive; give metres, all of them above 0"
            )
        extent = checked_triple(self.extent, "extent", "give the box edges (z, y, x) in metres")
        for name, array in arrays.items():
            array.flags.writeable = False
            object.__setattr__(self, name, array)
        object.__setattr__(self, "extent", extent)
        object.__setattr__(self, "periodic", checked_periodic(self.periodic))

    def __len__(self) -> int:
        return len(self.semi_axes)

    @property
    def forms(self) -> NDArray[np.str_]:
        """Name of the form of each particle, shape (n,)."""
        return np.array([body.form for body in self.bodies])[self.body]

    @property
    def volumes(self) -> NDArray[np.float64]:
        """Volume of each particle in m^3, shape (n,)."""
        volume: NDArray[np.float64] = UNIT_VOLUME * np.prod(self.semi_axes, axis=1)
        plates = self.forms == "plate"
        volume[plates] = plate_volume(self.semi_axes[plates, 0], self.semi_axes[plates, 1])
        return volume

    @property
    def diameters(self) -> NDArray[np.float64]:
        """Diameter of the sphere of equal volume in metres, shape (n,)."""
        return np.asarray(2.0 * (self.volumes / UNIT_VOLUME) ** (1.0 / 3.0))

    @property
    def volume_fraction(self) -> float:
        """Sum of the volumes of the particles over that of the box; overlaps count twice."""
        return float(np.sum(self.volumes) / math.prod(self.extent))

    @property
    def half_extents(self) -> NDArray[np.float64]:
        """How far each particle reaches from its centre along (z, y, x) in metres, shape (n, 3)."""
        kinds, _, _, hulls, spans = packed_bodies(self.bodies)
        out = np.empty((len(self), 3))
        form_kernels.half_extents(
            kinds, hulls, spans, self.body, self.semi_axes, self.orientations, out
        )
        return out

    def percentile(self, percent: float) -> float:
        """Return the diameter in metres below which this percentage of the volume lies."""
        order = np.argsort(self.diameters)
        volume = np.cumsum(self.volumes[order])
        at = np.searchsorted(volume, percent / 100.0 * volume[-1])
        return float(self.diameters[order][min(int(at), len(self) - 1)])

    def order_parameter(self, axis: Direction = "z", population: int | None = None) -> float:
        """Return the mean of (3 cos^2 t - 1) / 2, t the angle between particle axis and image axis.

        Weighted with the volumes: 0 for random orientations, 1 for particles all along the axis,
        -1/2 for particles all across it (the Hermans orientation factor). Particles with three
        equal semi-axes have no axis and do not count; 0 if there are no others.

        Parameters
        ----------
        axis : {"z", "y", "x"}
        population : int, optional
            Number of the type of particles that counts; all of them by default.

        Returns
        -------
        float
        """
        counted = np.ptp(self.semi_axes, axis=1) > 1e-9 * self.semi_axes[:, 0]
        if population is not None:
            counted &= self.population == population
        if not counted.any():
            return 0.0
        cosine = self.orientations[counted, axis_index(axis), 0]
        return float(np.average(1.5 * cosine**2 - 0.5, weights=self.volumes[counted]))

    def scaled(self, factor: float) -> Particles:
        """Return particles at the same places, all their lengths multiplied by a factor."""
        return replace(self, semi_axes=factor * self.semi_axes)

    def table(self) -> dict[str, NDArray[Any]]:
        """Return one column for each property: the particle list.

        Returns
        -------
        dict of str to ndarray, shape (n,)
            population; form; z, y, x: centre (m); diameter: of the sphere of equal volume (m);
            a, b, c: semi-axes (m); axis_z, axis_y, axis_x: direction of the axis of the particle
            (semi-axis a); turn_z, turn_y, turn_x: rotation vector (rad), whose direction is the
            axis of the turn from the frame of the image to that of the particle, by the
            right-hand rule in the order (z, y, x).
        """
        from scipy.spatial.transform import Rotation

        turns = Rotation.from_matrix(self.orientations).as_rotvec()
        columns: dict[str, NDArray[Any]] = {"population": self.population, "form": self.forms}
        for names, values in (
            (("z", "y", "x"), self.centres),
            (("diameter",), self.diameters[:, None]),
            (("a", "b", "c"), self.semi_axes),
            (("axis_z", "axis_y", "axis_x"), self.orientations[:, :, 0]),
            (("turn_z", "turn_y", "turn_x"), turns),
        ):
            columns.update(zip(names, values.T, strict=True))
        return columns

    def save(self, path: str | PathLike[str]) -> None:
        """Write the particle list of `table` to a CSV file; lengths in metres.

        Parameters
        ----------
        path : str or path
        """
        columns = self.table()
        lines = [",".join(columns)]
        for row in zip(*columns.values(), strict=True):
            lines.append(",".join(f"{v:.8g}" if isinstance(v, float) else str(v) for v in row))
        Path(path).write_text("\n".join(lines) + "\n", encoding="utf-8")


def surface_distances(
    particles: Particles, shape: int | Sequence[int], reach: float
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int32]]:
    """Measure from each voxel centre the distance to the nearest and second nearest particle.

    Distances are to the surface, negative inside a particle; `form_kernels` says where they are
    exact. The image covers the box of the particles, so its voxels measure ``extent / shape``.

    Parameters
    ----------
    particles : Particles
    shape : int or 3 ints
        Voxels along (z, y, x).
    reach : float
        Distances are measured up to this far from a surface, in metres.

    Returns
    -------
    first, second : ndarray of float32, shape (nz, ny, nx)
        Signed distance in metres to the nearest and second nearest surface; ``reach`` where
        there is none within reach.
    owner : ndarray of int32, shape (nz, ny, nx)
        Index of the nearest particle, -1 where there is none within reach.

    Raises
    ------
    ValueError
        If the shape is not allowed or the reach is negative.
    """
    shape = checked_shape(shape)
    if not (math.isfinite(reach) and reach >= 0):
        raise ValueError(f"reach {reach!r} is not allowed; give a distance in metres, 0 or more")
    first = np.full(shape, reach, np.float32)
    second = np.full(shape, reach, np.float32)
    owner = np.full(shape, -1, np.int32)
    over_slabs(
        particle_kernels.measure_distances,
        slab_bounds(shape),
        *_compiled(particles, shape),
        reach,
        first,
        second,
        owner,
    )
    return first, second, owner


def smallest_gauges(
    particles: Particles, shape: int | Sequence[int], limit: float, group: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Measure by which factor the particles must be scaled to reach each voxel centre.

    Parameters
    ----------
    particles : Particles
    shape : int or 3 ints
        Voxels along (z, y, x).
    limit : float
        Largest factor of interest.
    group : ndarray of int, shape (n,)
        Particles of different groups are measured apart: 0 to m - 1.

    Returns
    -------
    ndarray of float32, shape (m, nz, ny, nx)
        The smallest factor over the particles of each group; below 1 inside a particle, infinite
        where it is above the limit.

    Raises
    ------
    ValueError
        If the shape is not allowed.
    """
    shape = checked_shape(shape)
    gauges = np.full((int(group.max()) + 1, *shape), np.inf, np.float32)
    over_slabs(
        particle_kernels.measure_gauges,
        slab_bounds(shape),
        *_compiled(particles, shape),
        limit,
        group,
        gauges,
    )
    return gauges


def paint(particles: Particles, shape: int | Sequence[int]) -> NDArray[np.int32]:
    """Paint particles into an image.

    Parameters
    ----------
    particles : Particles
    shape : int or 3 ints
        Voxels along (z, y, x); the image covers the box of the particles.

    Returns
    -------
    ndarray of int32, shape (nz, ny, nx)
        0 outside all particles, i + 1 inside particle i. Where particles overlap, the one
        whose surface is farther away owns the voxel.

    Raises
    ------
    ValueError
        If the shape is not allowed.
    """
    first, _, owner = surface_distances(particles, shape, reach=0.0)
    owner += 1
    owner[first >= 0] = 0
    return owner


def _compiled(particles: Particles, shape: tuple[int, int, int]) -> tuple[Any, ...]:
    """Return what both loops over voxels need to know, in the form that `particle_kernels` says."""
    kinds, surfaces, spans, _, _ = packed_bodies(particles.bodies)
    reach = np.array([body.reach for body in particles.bodies])[particles.body]
    box = particles.semi_axes * reach[:, None]
    # Half the edges of the upright box around the turned one.
    half = np.einsum("nij,nj->ni", np.abs(particles.orientations), box)
    half = np.where((particles.forms == "sphere")[:, None], box, half)
    placed = (
        particles.body,
        particles.centres,
        particles.semi_axes,
        particles.orientations,
        half,
        box,
    )
    voxel = np.array(particles.extent) / shape
    return (kinds, surfaces, spans), placed, voxel, np.array(particles.periodic)
