"""Microstructures whose stiffness or stress is known exactly."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..checking import is_number
from ..numerics.elements import PAIRS
from .bounds import checked_fractions
from .stiffness import AXES, Solid

__all__ = ["coated_sphere_bulk_modulus", "laminate", "misfit_sphere"]


def laminate(
    solids: Sequence[Solid],
    fractions: Sequence[float],
    normal: str = "z",
    eigenstrains: ArrayLike | None = None,
) -> tuple[Solid, NDArray[np.float64]]:
    """Return the stiffness and the free swelling of layers that are bonded to each other.

    Parameters
    ----------
    solids : sequence of Solid
    fractions : sequence of float
    normal : {"z", "y", "x"}
        Of the layers.
    eigenstrains : array, shape (n, 6), optional
        Of each solid: the strain that it would have without stress.

    Returns
    -------
    solid : Solid
    swelling : ndarray, shape (6,)
        Strain of the whole without mean stress.

    Raises
    ------
    ValueError
        If an argument is not allowed.

    Notes
    -----
    In all layers the strains within their plane are the same, and the tractions on it. Solved for
    what jumps, that is the average of Backus, J. Geophys. Res. 67 (1962) 4427, for any symmetry.

    Examples
    --------
    >>> from microtwin.mechanics import isotropic
    >>> both, _ = laminate([isotropic(100e9, 0.3), isotropic(1e9, 0.3)], [0.5, 0.5])
    >>> bool(both.stiffness[0, 0] < 3e9 < both.stiffness[1, 1])
    True
    """
    f = checked_fractions(len(solids), fractions)
    if normal not in AXES:
        raise ValueError(f"normal {normal!r} is not known; give 'z', 'y' or 'x'")
    strains = np.zeros((len(f), 6)) if eigenstrains is None else np.asarray(eigenstrains, float)
    if strains.shape != (len(f), 6):
        raise ValueError(
            f"eigenstrains of shape {strains.shape} are not allowed; give six for each solid"
        )
    n = AXES.index(normal)
    across = [i for i, pair in enumerate(PAIRS) if n in pair]  # tractions are continuous
    within = [i for i in range(6) if i not in across]
    # sigma_n = N e_n + M e_w - t: solve for e_n and sigma_w with e_w and sigma_n given.
    mean = {key: np.zeros((3, 3)) for key in ("nn", "nw", "ww")}
    loads = np.zeros((2, 3))
    for solid, share, own in zip(solids, f, strains, strict=True):
        c = solid.stiffness
        stress = c @ own
        inner = np.linalg.inv(c[np.ix_(across, across)])
        coupling = inner @ c[np.ix_(across, within)]
        mean["nn"] += share * inner
        mean["nw"] += share * coupling
        mean["ww"] += share * (c[np.ix_(within, within)] - c[np.ix_(within, across)] @ coupling)
        loads[0] += share * (inner @ stress[across])
        loads[1] += share * (stress[within] - c[np.ix_(within, across)] @ inner @ stress[across])
    outer = np.linalg.inv(mean["nn"])
    c = np.zeros((6, 6))
    c[np.ix_(across, across)] = outer
    c[np.ix_(across, within)] = outer @ mean["nw"]
    c[np.ix_(within, across)] = c[np.ix_(across, within)].T
    c[np.ix_(within, within)] = mean["ww"] + mean["nw"].T @ outer @ mean["nw"]
    stress = np.zeros(6)
    stress[across] = outer @ loads[0]
    stress[within] = loads[1] + mean["nw"].T @ outer @ loads[0]
    whole = Solid(0.5 * (c + c.T))
    return whole, np.asarray(whole.compliance @ stress)


def coated_sphere_bulk_modulus(
    core: tuple[float, float], shell: tuple[float, float], core_fraction: float
) -> float:
    """Return the bulk modulus of an assemblage of coated spheres (Hashin 1962), in Pa.

    Parameters
    ----------
    core, shell : (float, float)
        Bulk and shear modulus, in Pa.
    core_fraction : float
        Volume of the core over that of the sphere.

    Notes
    -----
    k* = k_s + f / (1 / (k_c - k_s) + 3 (1 - f) / (3 k_s + 4 g_s)): a bound of Hashin and Shtrikman,
    which this assemblage attains.

    Examples
    --------
    With the Lame constants (4, 5) in the core and (2, 3) in the shell:

    >>> k = coated_sphere_bulk_modulus((4 + 10 / 3, 5.0), (2 + 2.0, 3.0), 0.125)
    >>> round(k, 7)
    4.3053435
    """
    (k_core, _), (k_shell, g_shell) = core, shell
    if not (is_number(core_fraction) and 0.0 <= core_fraction <= 1.0):
        raise ValueError(
            f"core_fraction {core_fraction!r} is not allowed; give a number from 0 to 1"
        )
    if k_core == k_shell:
        return k_shell
    jump = 1.0 / (k_core - k_shell)
    rest = 3.0 * (1.0 - core_fraction) / (3.0 * k_shell + 4.0 * g_shell)
    return k_shell + core_fraction / (jump + rest)


def misfit_sphere(young: float, poisson: float, eigenstrain: float) -> tuple[float, float]:
    """Return strain and stress within a sphere that swells in a large matrix of the same solid.

    Parameters
    ----------
    young : float
        In Pa.
    poisson : float
    eigenstrain : float
        In each direction.

    Returns
    -------
    strain, stress : float
        In each direction; the stress in Pa.

    Notes
    -----
    Eshelby, Proc. R. Soc. A 241 (1957) 376: the constrained strain is (1 + nu) / (3 (1 - nu)) e.

    Examples
    --------
    >>> strain, stress = misfit_sphere(100e9, 0.25, 0.01)
    >>> round(strain, 7), round(stress / 1e6, 3)
    (0.0055556, -888.889)
    """
    strain = (1.0 + poisson) / (3.0 * (1.0 - poisson)) * eigenstrain
    return strain, -2.0 * young * eigenstrain / (3.0 * (1.0 - poisson))
