"""What an image as a whole does when its phases swell: left free, held, or held in its plane."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..connectivity import carrying_clusters, label_clusters
from ..microstructure import Microstructure
from .composite_voxels import Interface, voxel_solids
from .stiffness import Solid
from .swelling import solve_swelling

__all__ = ["EffectiveSwelling", "effective_swelling"]

Vector = NDArray[np.float64]

# Of (zz, yy, xx, yx, zx, zy): what a foil holds, and what is free above it.
IN_PLANE = np.array([False, True, True, True, False, False])


@dataclass(frozen=True, eq=False)
class EffectiveSwelling:
    """What an image does as a whole when its phases swell.

    Components have the order (zz, yy, xx, yx, zx, zy), shear strains twice those of the tensor;
    stresses are means over the whole volume, void included.

    Parameters
    ----------
    free_strain : ndarray, shape (6,)
        Mean strain while no mean stress acts: the eigenstrain of the whole.
    blocked_stress : ndarray, shape (6,)
        Mean stress while the mean strain is held at 0, in Pa; negative where it presses.
    constrained_strain : ndarray, shape (6,)
        Mean strain while it is held at 0 in the plane (yy, xx, yx) and no mean stress acts through
        the thickness (zz, zx, zy), as in a thin layer on a stiff foil.
    constrained_stress : ndarray, shape (6,)
        Mean stress in that state, in Pa; times the thickness of the layer it is the force per
        width on the foil.
    iterations : tuple of int
        Of each solution: free, held, held in the plane; of the first alone if the stiffness was
        known.
    """

    free_strain: Vector
    blocked_stress: Vector
    constrained_strain: Vector
    constrained_stress: Vector
    iterations: tuple[int, ...]

    @property
    def through_plane(self) -> float:
        """Relative growth in thickness of a layer that is held in its plane."""
        return float(self.constrained_strain[0])


def effective_swelling(
    micro: Microstructure,
    materials: Mapping[str, Solid],
    eigenstrain: Mapping[str, float | ArrayLike],
    *,
    stiffness: Solid | None = None,
    interface: Interface = "smooth",
    tol: float = 1e-6,
) -> EffectiveSwelling:
    """Return how an image swells as a whole, and how it presses where it cannot.

    Parameters
    ----------
    micro : Microstructure
        Continued periodically.
    materials : mapping of str to Solid
        The phases that are solid; the others are void.
    eigenstrain : mapping of str to float or array
        As in `solve_swelling`.
    stiffness : Solid, optional
        Of the whole with these materials, as ``effective_stiffness(micro, materials).solid``. One
        solution is enough then, for each further eigenstrain; by default it takes three.
    interface, tol
        As in `solve_swelling`.

    Returns
    -------
    EffectiveSwelling

    Raises
    ------
    ValueError
        If a name or number is not allowed, nothing is solid, or what is solid does not hold
        together in all directions.
    ConvergenceError
        If the solver does not reach the tolerance.

    Notes
    -----
    The whole obeys Sigma = C* (E - e*) for its mean stress and strain (V. M. Levin, Mekh. Tverd.
    Tela 2 (1967) 88). The free strain is e*, the blocked stress is -C* e*, and in a layer on a foil
    E_n = C*_nn^-1 (C* e*)_n, with n the components (zz, zx, zy).

    Examples
    --------
    >>> import numpy as np
    >>> import microtwin as mt
    >>> micro = mt.Microstructure(np.ones((4, 4, 4), np.uint8), 1e-6, {"active": 1})
    >>> solids = {"active": mt.mechanics.isotropic(100e9, 0.25)}
    >>> found = mt.mechanics.effective_swelling(micro, solids, {"active": 0.01})
    >>> round(float(found.free_strain[0]), 5), round(found.through_plane, 5)
    (0.01, 0.01667)
    >>> round(float(found.blocked_stress[0]) / 1e6), round(float(found.constrained_stress[1]) / 1e6)
    (-2000, -1333)
    """
    if stiffness is not None:
        if not isinstance(stiffness, Solid):
            raise ValueError(
                f"stiffness {stiffness!r} is not allowed; give a Solid, such as "
                "effective_stiffness(micro, materials).solid"
            )
        found = solve_swelling(micro, materials, eigenstrain, interface=interface, tol=tol)
        return _with_stiffness(stiffness.stiffness, found.mean_strain, found.iterations)
    _check_that_it_holds(micro, materials)
    free, held, constrained = (
        solve_swelling(
            micro, materials, eigenstrain, mean_strain=strain, interface=interface, tol=tol
        )
        for strain in (None, np.zeros(6), np.where(IN_PLANE, 0.0, np.nan))
    )
    return EffectiveSwelling(
        free.mean_strain,
        held.mean_stress,
        constrained.mean_strain,
        constrained.mean_stress,
        (free.iterations, held.iterations, constrained.iterations),
    )


def _with_stiffness(c: Vector, free: Vector, iterations: int) -> EffectiveSwelling:
    """Return all states from the free strain and the stiffness of the whole."""
    n = ~IN_PLANE
    constrained = np.zeros(6)
    constrained[n] = np.linalg.solve(c[np.ix_(n, n)], (c @ free)[n])
    stress = np.where(n, 0.0, c @ (constrained - free))
    return EffectiveSwelling(free, -c @ free, constrained, stress, (iterations,))


def _check_that_it_holds(micro: Microstructure, materials: Mapping[str, Solid]) -> None:
    """Refuse what has no stiffness in some direction: its free strain there would be arbitrary."""
    solid = voxel_solids(micro, materials, "voxel", (True, True, True)).number >= 0
    bodies, _ = label_clusters(solid, periodic=True, connectivity=26)
    around = (
        np.unique(bodies[carrying_clusters(solid, axis, periodic=True) > 0]) for axis in range(3)
    )
    if not reduce(np.intersect1d, around).size:
        raise ValueError(
            "no body of what is solid holds together through the image along all three axes, so "
            "how it swells as a whole is not determined; name more phases as solid, or crop the "
            "image"
        )
