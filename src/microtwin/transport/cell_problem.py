"""The linear system of steady transport through an image, with the flux along array axis 0."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from microtwin.numerics.operator import GridOperator
from microtwin.numerics.plane_fields import PlaneField, Source

__all__ = ["RESIDUAL_PART", "cell_problem", "end_norm"]

# The residual must be this much smaller than the tolerance on the flux spread: with the default
# tolerance a solve ends at a spread below 1e-4 and a residual below 1e-6.
RESIDUAL_PART = 1e-2


def cell_problem(
    faces: tuple[NDArray, NDArray, NDArray],
    outer: tuple[NDArray, NDArray],
    spacing: tuple[float, float, float],
    periodic: bool,
    factor: float = 1.0,
) -> tuple[GridOperator, Source, float]:
    """Return operator, right-hand side and its norm for a mean gradient of one step per voxel.

    The unknown is the deviation from the linear potential, in units of its step per voxel. With
    fixed potentials the outermost voxels are linked to the outer face over half a voxel, hence
    twice the conductance; the linear potential there is half a step away.

    Parameters
    ----------
    faces : 3 ndarrays of uint8 or float32, shape (nz, ny, nx)
        Conductance of the face after each voxel, per area of a whole face.
    outer : 2 ndarrays, shape (ny, nx)
        Conductance of the outer faces at both ends of axis 0, likewise.
    spacing : 3 floats
        Edge lengths of a voxel along the axes of the arrays.
    periodic : bool
        Whether the image repeats; otherwise potentials are fixed on the outer faces.
    factor : float
        Factor on all conductances.

    Returns
    -------
    operator : GridOperator
    source : Source
    norm : float
        Norm of the right-hand side of the system for the potential itself with 0 and nz steps on
        the outer faces. In a periodic image, which has no such faces, its last layer of faces
        stands in for them, so that residuals mean the same.
    """
    weights = tuple(factor * (spacing[0] / h) ** 2 for h in spacing)
    drive = (1.0, 0.0, 0.0)
    nz = faces[0].shape[0]
    if periodic:
        operator = GridOperator(faces, weights)  # type: ignore[arg-type]
        norm = end_norm(factor * faces[0][-1].astype(float), nz)
        return operator, Source(PlaneField.zeros(operator.shape), drive), norm
    low, high = (np.float32(factor) * face.astype(np.float32) for face in outer)
    ends = PlaneField.outer(2 * low, 2 * high, nz)
    operator = GridOperator(faces, weights, ends)  # type: ignore[arg-type]
    norm = end_norm(high, nz)
    return operator, Source(PlaneField.outer(-low, high, nz), drive), norm


def end_norm(conductance: NDArray[np.floating], nz: int) -> float:
    """Return the norm of the right-hand side from the conductances of the faces of the last plane.

    Parameters
    ----------
    conductance : ndarray of float
    nz : int
        Number of planes: the potential across the image, in steps per voxel.
    """
    # Not the norm of BLAS, whose threads would go on spinning on the cores that the solver uses.
    return nz * float(np.sqrt(np.square(2.0 * conductance, dtype=float).sum()))
