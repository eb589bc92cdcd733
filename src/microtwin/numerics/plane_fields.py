"""Volumes in which most planes are equal, and right-hand sides made of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["PlaneField", "Source"]


@dataclass(frozen=True, eq=False)
class PlaneField:
    """A volume stored by plane, in which equal planes are kept once.

    Parameters
    ----------
    values : ndarray of float32, shape (m, ny, nx)
        The distinct planes.
    plane : ndarray of int64, shape (nz,)
        Which of them stands at each z.
    """

    values: NDArray[np.float32]
    plane: NDArray[np.int64]

    @classmethod
    def zeros(cls, shape: tuple[int, int, int]) -> PlaneField:
        """Return a field that is zero everywhere; it costs one plane."""
        return cls(np.zeros((1, *shape[1:]), np.float32), np.zeros(shape[0], np.int64))

    @classmethod
    def dense(cls, values: NDArray) -> PlaneField:
        """Return a field with a plane of its own at every z."""
        return cls(np.ascontiguousarray(values, np.float32), np.arange(values.shape[0]))

    @classmethod
    def outer(cls, low: NDArray, high: NDArray, nz: int) -> PlaneField:
        """Return a field that is zero but for its first and last plane; it costs three planes."""
        plane = np.zeros(nz, np.int64)
        plane[0], plane[-1] = 1, 2
        return cls(np.stack([np.zeros_like(low), low, high]).astype(np.float32), plane)

    def grid(self) -> NDArray[np.float32]:
        """Return the whole volume."""
        return self.values[self.plane]

    def block_sums(self, factor: float = 1.0) -> PlaneField:
        """Return `factor` times the sums over 2 x 2 x 2 voxels, equal planes again kept once."""
        _, ny, nx = self.values.shape
        padded = np.pad(self.values, ((0, 0), (0, ny % 2), (0, nx % 2)))
        flat = padded.reshape(len(padded), (ny + 1) // 2, 2, (nx + 1) // 2, 2).sum((2, 4))
        flat = np.concatenate([flat, np.zeros_like(flat[:1])])
        pairs = np.pad(self.plane, (0, len(self.plane) % 2), constant_values=len(flat) - 1)
        pairs, plane = np.unique(pairs.reshape(-1, 2), axis=0, return_inverse=True)
        values = np.float32(factor) * (flat[pairs[:, 0]] + flat[pairs[:, 1]])
        return PlaneField(values, plane.ravel().astype(np.int64))

    def plus(self, other: PlaneField) -> PlaneField:
        """Return the sum of two fields of the same shape."""
        pairs = np.stack([self.plane, other.plane], axis=1)
        pairs, plane = np.unique(pairs, axis=0, return_inverse=True)
        values = self.values[pairs[:, 0]] + other.values[pairs[:, 1]]
        return PlaneField(values, plane.ravel().astype(np.int64))


@dataclass(frozen=True, eq=False)
class Source:
    """The right-hand side of a grid problem.

    Parameters
    ----------
    field : PlaneField
        Source of every voxel, in the unit of conductance times potential.
    drive : tuple of 3 floats
        Step per voxel along (z, y, x) of an affine potential that is added to the unknown: the
        right-hand side then contains its divergence, exactly, without being stored.
    """

    field: PlaneField
    drive: tuple[float, float, float] = (0.0, 0.0, 0.0)
