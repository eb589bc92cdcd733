"""Checks of stress fields, weights and lengths that several modules read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..checking import is_number

__all__ = [
    "checked_edges",
    "checked_length",
    "checked_shares",
    "checked_stress",
    "checked_weights",
    "positive",
]


def checked_stress(stress: ArrayLike, ndim: int | None = None) -> NDArray[Any]:
    """Return a stress of shape (6, ...) in single or double precision, not copied if it is so."""
    s = np.asarray(stress)
    if s.dtype not in (np.float32, np.float64):
        s = s.astype(np.float64)
    if s.ndim < 1 or s.shape[0] != 6 or (ndim is not None and s.ndim != ndim):
        wanted = "(6, nz, ny, nx)" if ndim == 4 else "(6, ...)"
        raise ValueError(
            f"a stress of shape {s.shape} is not allowed; give shape {wanted}, with the components "
            "zz, yy, xx, yx, zx, zy first"
        )
    return s


def checked_weights(weights: ArrayLike | None, shape: tuple[int, ...]) -> NDArray[Any]:
    """Return the share of each voxel that counts, as bool or floats, not copied if it is so."""
    if weights is None:
        return np.ones(shape, bool)
    w = np.asarray(weights)
    if w.dtype not in (np.bool_, np.float32, np.float64):
        w = w.astype(np.float64)
    if w.shape != shape:
        raise ValueError(
            f"weights of shape {w.shape} do not fit values of shape {shape}; give a mask, or the "
            "share of each voxel, of that shape"
        )
    if w.dtype != np.bool_ and not (np.isfinite(w).all() and (w >= 0).all()):
        raise ValueError("some weights are negative or not finite; give shares from 0 up")
    if not w.any():
        raise ValueError(
            "no voxel counts, for all weights are 0; give a mask with at least one voxel"
        )
    return w


def checked_edges(voxel_size: float | Sequence[float]) -> NDArray[np.float64]:
    """Return the three edges of a voxel, in m."""
    edges = np.atleast_1d(np.asarray(voxel_size, float))
    if edges.shape == (1,):
        edges = np.repeat(edges, 3)
    if edges.shape != (3,) or not (np.isfinite(edges) & (edges > 0.0)).all():
        raise ValueError(
            f"voxel size {voxel_size!r} is not allowed; give one length or three (z, y, x), above "
            "0, in m"
        )
    return edges


def checked_length(length: float, edges: NDArray[np.float64]) -> float:
    """Return a length over which a field on voxels can be averaged, in m."""
    if not (is_number(length) and length > 0.0):
        raise ValueError(f"length {length!r} is not allowed; give a number above 0, in m")
    if length < edges.max() * (1.0 - 1e-9):
        raise ValueError(
            f"length {length:.4g} m is shorter than the edge of a voxel, {edges.max():.4g} m, and "
            "nothing is known below that; give at least one edge, better two or more"
        )
    return float(length)


def checked_shares(shares: Iterable[float]) -> tuple[float, ...]:
    """Return shares of a volume from 0 to 1 at which percentiles are taken."""
    found = tuple(shares)
    if not found or not all(is_number(share) and 0.0 <= share <= 1.0 for share in found):
        raise ValueError(
            f"percentiles at {found!r} are not allowed; give shares from 0 to 1, as 0.95 for the "
            "95th percentile"
        )
    return tuple(float(share) for share in found)


def positive(name: str, value: float, unit: str) -> float:
    """Return a number above 0; a `ValueError` names what it is."""
    if not (is_number(value) and value > 0.0):
        raise ValueError(f"{name} {value!r} is not allowed; give a number above 0, in {unit}")
    return float(value)
