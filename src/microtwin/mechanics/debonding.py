"""Forces on the interface between two phases, and whether it comes apart."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..geometry import facet_areas
from ..microstructure import Microstructure
from .averaging import Window, averaged_stress
from .field_checks import checked_stress, positive
from .tractions import traction_vectors

__all__ = ["InterfaceTractions", "debonding_index", "interface_tractions"]

Vector = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class InterfaceTractions:
    """Forces per area on the facets of the interface between two phases.

    Parameters
    ----------
    pair : (str, str)
    voxel : ndarray of int64, shape (n,)
        Of each facet, in C order.
    area : ndarray, shape (n,)
        In m^2.
    vector : ndarray, shape (n, 3)
        Unit normals (z, y, x) out of the first phase.
    normal, shear : ndarray, shape (n,)
        Force per area across the facet, positive where it is pulled open, and along it, in Pa.
    imbalance : ndarray, shape (n,)
        Length of the difference of the forces from both sides, in Pa: in equilibrium it is 0, so it
        tells how well forces on the facet are known. NaN where only one side is known.
    """

    pair: tuple[str, str]
    voxel: NDArray[np.int64] = field(repr=False)
    area: Vector
    vector: NDArray[np.float64] = field(repr=False)
    normal: Vector
    shear: Vector
    imbalance: Vector


def interface_tractions(
    micro: Microstructure,
    stress: ArrayLike,
    pair: tuple[str, str],
    *,
    length: float,
    window: Window = "ball",
    periodic: bool = False,
) -> InterfaceTractions:
    """Return the forces on the interface between two phases, from the stress on both sides.

    Parameters
    ----------
    micro : Microstructure
    stress : array, shape (6, nz, ny, nx)
        In Pa.
    pair : (str, str)
        Phases that bear stress both.
    length : float
        In m: on either side the stress is averaged over it within the phase, around the voxel of
        the facet. Two or three voxels, for less finds one side alone.
    window, periodic
        As in `averaged_stress`.

    Returns
    -------
    InterfaceTractions

    Raises
    ------
    ValueError
        If an argument is not allowed, a phase is not in the image or has no voxel, both are the
        same, shapes do not fit, or the phases do not meet.

    Notes
    -----
    t = (sigma_1 + sigma_2) n / 2 on facets of the smooth interface (see `microtwin.geometry`), so
    normals do not know of the staircase of voxels.
    """
    first, second = pair
    if first == second:
        raise ValueError(f"phase {first!r} has no interface with itself; name two phases")
    s = checked_stress(stress, ndim=4)
    if s.shape[1:] != micro.shape:
        raise ValueError(
            f"a stress of shape {s.shape} does not fit an image of shape {micro.shape}; give "
            "(6, nz, ny, nx) of that image"
        )
    facets = facet_areas(micro, [pair])[0]
    if not len(facets.voxel):
        raise ValueError(f"phases {first!r} and {second!r} do not meet in this image; name others")
    area = np.linalg.norm(facets.vector, axis=1)
    normals = facets.vector / area[:, None]
    wanted = np.zeros(micro.labels.size, bool)
    wanted[facets.voxel] = True
    wanted = wanted.reshape(micro.shape)
    sides = []
    for name in pair:
        averaged = averaged_stress(
            s,
            micro.mask(name),
            length,
            micro.voxel_size,
            window=window,
            periodic=periodic,
            at=wanted,
        )
        sides.append(traction_vectors(averaged.reshape(6, -1)[:, facets.voxel], normals))
    there = np.asarray(np.isfinite(sides).all(axis=2))
    known = np.asarray(there.any(axis=0))
    both = np.where(there[..., None], sides, 0.0).sum(axis=0)[known]
    traction = both / there.sum(axis=0)[known, None]
    normals = normals[known]
    normal = np.einsum("nk,nk->n", traction, normals)
    return InterfaceTractions(
        pair=(first, second),
        voxel=facets.voxel[known],
        area=area[known],
        vector=normals,
        normal=normal,
        shear=np.linalg.norm(traction - normal[:, None] * normals, axis=1),
        imbalance=np.linalg.norm(sides[0] - sides[1], axis=1)[known],
    )


def debonding_index(
    normal: ArrayLike, shear: ArrayLike, *, normal_strength: float, shear_strength: float
) -> NDArray[np.float64]:
    """Return how near an interface is to coming apart, pull and shear together.

    Parameters
    ----------
    normal, shear : array, any shape
        Force per area across the interface, positive where it is pulled open, and along it, in Pa.
    normal_strength, shear_strength : float
        In Pa.

    Returns
    -------
    ndarray, same shape
        sqrt((<t_n> / N)^2 + (t_s / S)^2): above 1 it comes apart. Pressure neither helps nor harms.

    Raises
    ------
    ValueError
        If a strength is not positive.

    Notes
    -----
    The square root of the quadratic criterion of J. C. Brewer and P. A. Lagace, J. Compos. Mater.
    22 (1988) 1141, so that it is of first degree in the stress. Friction under pressure is left
    out.

    Examples
    --------
    >>> debonding_index([3e6, -9e6], [4e6, 5e6], normal_strength=5e6, shear_strength=5e6)
    array([1., 1.])
    """
    pull = np.maximum(np.asarray(normal, float), 0.0)
    across = pull / positive("normal strength", normal_strength, "Pa")
    along = np.asarray(shear, float) / positive("shear strength", shear_strength, "Pa")
    return np.asarray(np.hypot(across, along))
