"""Stokes flow on the staggered grid of an image: viscous links and the drag of walls.

Velocities are those normal to the faces between two voxels of the phase. For the component along
axis a the viscous force on an open face is, in units of viscosity times velocity over the square of
the smallest edge h, ::

    sum over the six faces g beside it   w_b (u[g] - u)    if g is open,
                                        -w_b s u           if a wall comes first,

with w_b = (h / h_b)^2 and s the distance between the two faces over that to the wall.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from microtwin.numerics.operator import GridOperator
from microtwin.numerics.quarters import to_quarters
from microtwin.numerics.saddle import SaddleSystem
from microtwin.numerics.staggered import open_faces, staggered_grid
from microtwin.numerics.threads import over_slabs, slab_bounds
from microtwin.transport import wall_kernels

__all__ = ["stokes_system"]


def stokes_system(
    inside: NDArray[np.bool_],
    level_set: NDArray[np.floating] | None,
    spacing: tuple[float, float, float],
    periodic: bool,
    staircase: bool,
) -> SaddleSystem:
    """Return the equations of Stokes flow through a set of voxels.

    Velocities are in units of viscosity^-1 h^2 times the mean pressure gradient and pressures in
    units of h times that gradient, h the smallest edge of a voxel.

    Parameters
    ----------
    inside : ndarray of bool, shape (nz, ny, nx)
        The voxels that carry flow.
    level_set : ndarray of float, shape (nz, ny, nx), optional
        Not negative in exactly the voxels of the phase; its zero is the wall. By default it is
        one half inside and minus one half outside.
    spacing : 3 floats
        Edges of a voxel.
    periodic : bool
        Whether the image repeats. Otherwise pressures are fixed on the outer faces along axis 0,
        where the flow is normal to them, and the sides are planes of symmetry.
    staircase : bool
        Whether walls are the faces of voxels.

    Notes
    -----
    *Staircase*: beside a face between two voxels of solid the wall is half a step away, s = 2. If
    only one of the two is solid, half of the side of the control volume is wall and the velocity on
    the other half falls to zero at the face of that voxel: s = (2 + 1) / 2.

    *Level set*: linear between the middles of the two faces; the wall is at the distance
    d = f / (f - g) of a step, f and g the means of its values in the two voxels at each. From
    labels d is 1/2 beside two voxels of solid and 1 beside one. With s = 1 / d links stay symmetric
    and the solution is of second order (F. Gibou, R. P. Fedkiw, L.-T. Cheng, M. Kang, J. Comput.
    Phys. 176 (2002) 205). Where walls are near to each other the velocity bends between them, and
    what a face carries is not its middle value times its area. For n faces in line between two
    walls at the same distance, ::

        1 / s = d + (3 (2 d - 1)^2 - 2) / (6 n) + (2 d - 1)^3 / (6 n^2)

    carries (n - 1 + 2 d)^3 / 12, the flow of a slit, exactly; n is counted along the line from the
    wall to the next closed face. Along its own direction a velocity falls to the wall without
    shear, s = 1 / d.
    """
    h = min(spacing)
    factors = (h / spacing[0], h / spacing[1], h / spacing[2])
    if level_set is None:
        level_set = inside.astype(np.float32)
        level_set -= np.float32(0.5)
    operators = tuple(
        _viscous_operator(inside, level_set, axis, factors, periodic, staircase)
        for axis in range(3)
    )
    return SaddleSystem(operators, staggered_grid(inside, factors, periodic))  # type: ignore[arg-type]


def _viscous_operator(
    inside: NDArray[np.bool_],
    level_set: NDArray[np.floating],
    axis: int,
    factors: tuple[float, float, float],
    ring: bool,
    staircase: bool,
) -> GridOperator:
    opened = open_faces(inside, axis, ring)
    level = _on_faces(level_set, axis, ring)
    links = tuple(np.empty(opened.shape, np.uint8) for _ in range(3))
    mass = np.empty(opened.shape, np.float32)
    weights = tuple(c**2 for c in factors)
    over_slabs(
        wall_kernels.viscous_links, slab_bounds(opened.shape), opened, level, axis, ring,
        staircase, weights, links, mass,
    )  # fmt: skip
    halves = tuple(0.5 * w for w in weights)
    return GridOperator(links, halves, mass=to_quarters(mass))  # type: ignore[arg-type]


def _on_faces(level_set: NDArray[np.floating], axis: int, ring: bool) -> NDArray[np.float32]:
    """Return the means of the two voxels at each face across an axis, in the order of the faces."""
    values = level_set.astype(np.float32)
    values += np.roll(level_set, -1, axis)
    values *= np.float32(0.5)
    if axis == 0 and not ring:
        values = np.concatenate([level_set[:1], values[:-1], level_set[-1:]], dtype=np.float32)
    elif not ring:
        np.moveaxis(values, axis, 0)[-1] = 0.0
    return values
