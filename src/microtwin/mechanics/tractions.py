"""Forces per area that a stress exerts on planes."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..numerics.elements import PAIRS
from .field_checks import checked_stress

__all__ = ["normal_and_shear", "traction_vectors"]


def traction_vectors(stress: ArrayLike, normals: ArrayLike) -> NDArray[np.float64]:
    """Return the force per area on planes, t = sigma n (Cauchy), in Pa.

    Parameters
    ----------
    stress : array, shape (6, n)
        Components (zz, yy, xx, yx, zx, zy), in Pa.
    normals : array, shape (n, 3)
        Unit vectors (z, y, x) out of the side on which the force acts.

    Returns
    -------
    ndarray, shape (n, 3)

    Raises
    ------
    ValueError
        If shapes do not fit.
    """
    s, n = checked_stress(stress, ndim=2).astype(np.float64), np.asarray(normals, float)
    if n.shape != (s.shape[1], 3):
        raise ValueError(
            f"normals of shape {n.shape} do not fit {s.shape[1]} stresses; give one vector (z, y, "
            "x) for each"
        )
    found = np.zeros_like(n)
    for component, (i, j) in zip(s, PAIRS, strict=True):
        found[:, i] += component * n[:, j]
        if i != j:
            found[:, j] += component * n[:, i]
    return found


def normal_and_shear(
    stress: ArrayLike, normals: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return normal and shear stress on planes, in Pa.

    Parameters
    ----------
    stress, normals
        As in `traction_vectors`; so is what is raised.

    Returns
    -------
    normal, shear : ndarray, shape (n,)
        Normal stress is positive where the plane is pulled open; shear is a length, never negative.
    """
    n = np.asarray(normals, float)
    traction = traction_vectors(stress, n)
    normal = np.einsum("nk,nk->n", traction, n)
    return normal, np.linalg.norm(traction - normal[:, None] * n, axis=1)
