"""A staggered grid: one field at the voxels, and one on the faces across each axis.

The divergence takes the fields of the faces to the voxels and the gradient the field of the voxels
to the faces; one is minus the transpose of the other. All vectors lie in quarters (see `quarters`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from . import staggered_kernels as kernels
from .quarters import from_quarters, to_quarters
from .threads import over_slabs, slab_bounds

__all__ = ["StaggeredGrid", "open_faces", "staggered_grid"]

Triple = tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class StaggeredGrid:
    """Differences between voxels and faces.

    Parameters
    ----------
    shape : tuple of 3 ints
        Voxels along z, y and x.
    opened : 3 ndarrays of bool
        Whether a face is open, in quarters: the face after each voxel; along z, if there is no
        `ring`, the faces before all planes of voxels and after the last.
    factors : 3 floats
        Factor on the differences along each axis.
    ring : bool
        Whether faces join the last voxels along each axis to the first. Otherwise the field of the
        voxels is zero beyond both ends of z, and the outer faces along z stand for half as much
        as others.
    """

    shape: tuple[int, int, int]
    opened: tuple[NDArray[np.bool_], ...]
    factors: Triple
    ring: bool

    def face_shape(self, axis: int) -> tuple[int, int, int]:
        """Return the shape of the field on the faces of an axis."""
        nz, ny, nx = self.shape
        return (nz + (axis == 0 and not self.ring), ny, nx)

    def force(self, out: NDArray, p: NDArray, axis: int, drive: float = 0.0) -> None:
        """Set out, on the open faces of an axis, to the drive less the differences of p."""
        slabs = slab_bounds(self.face_shape(axis))
        number = p.dtype.type
        factors = number(self.factors[axis]), number(drive)
        args = (out, self.opened[axis], *factors, p, axis, self.ring, *self.shape[1:])
        over_slabs(kernels.forces, slabs, *args)

    def add_divergence(self, out: NDArray, u: NDArray, axis: int) -> None:
        """Add to out, at the voxels, what the field on the faces of an axis carries out of them."""
        factor = out.dtype.type(self.factors[axis])
        args = (out, factor, u, axis, self.ring, *self.shape[1:])
        over_slabs(kernels.add_differences, slab_bounds(self.shape), *args)

    def pack(self, values: NDArray, u: NDArray, axis: int) -> None:
        """Set values to a field on the faces of an axis without what is closed."""
        np.compress(self.opened[axis].reshape(-1), u.reshape(-1), out=values)

    def unpack(self, u: NDArray, values: NDArray, axis: int) -> None:
        """Set u to the field of which `pack` made the values."""
        u[...] = 0
        np.place(u, self.opened[axis], values)

    def on_grid(self, values: NDArray, axis: int) -> NDArray:
        """Return packed values as an array of the shape of `face_shape`."""
        u = np.empty(self.opened[axis].shape, values.dtype)
        self.unpack(u, values, axis)
        return from_quarters(u, self.face_shape(axis))


def open_faces(inside: NDArray[np.bool_], axis: int, ring: bool) -> NDArray[np.bool_]:
    """Return which faces across an axis lie between two voxels of a set.

    Parameters
    ----------
    inside : ndarray of bool, shape (nz, ny, nx)
    axis : int
    ring : bool
        Whether the set repeats along all three axes. Otherwise the outer faces along z are open
        where the set reaches them, the other outer faces are closed.

    Returns
    -------
    ndarray of bool
        In the order of `StaggeredGrid.opened`, on the grid.
    """
    if axis == 0 and not ring:
        return np.concatenate([inside[:1], inside[:-1] & inside[1:], inside[-1:]])
    joined = inside & np.roll(inside, -1, axis)
    if not ring:
        np.moveaxis(joined, axis, 0)[-1] = False
    return joined


def staggered_grid(inside: NDArray[np.bool_], factors: Triple, ring: bool) -> StaggeredGrid:
    """Return the staggered grid of a set of voxels.

    Parameters
    ----------
    inside : ndarray of bool, shape (nz, ny, nx)
    factors : 3 floats
        Factor on the differences along each axis.
    ring : bool
        As in `open_faces`.
    """
    opened = tuple(to_quarters(open_faces(inside, axis, ring)) for axis in range(3))
    return StaggeredGrid(inside.shape, opened, factors, ring)
