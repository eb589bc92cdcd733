"""Bounds on the stiffness of a mixture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .stiffness import Solid

__all__ = ["checked_fractions", "hashin_shtrikman", "voigt_reuss"]


def checked_fractions(count: int, fractions: Sequence[float]) -> NDArray[np.float64]:
    """Return volume fractions of as many solids, which must add up to 1."""
    f = np.asarray(fractions, float)
    if f.shape != (count,) or not (f >= 0.0).all() or abs(f.sum() - 1.0) > 1e-6:
        raise ValueError(
            f"fractions {fractions!r} are not allowed; give {count}, none negative, which add up "
            "to 1"
        )
    return f


def voigt_reuss(solids: Sequence[Solid | None], fractions: Sequence[float]) -> tuple[Solid, Solid]:
    """Return the stiffest and the softest a mixture can be, whatever its microstructure.

    Parameters
    ----------
    solids : sequence of Solid or None
        None stands for void, whose Reuss average is no solid: it may have no share then.
    fractions : sequence of float

    Returns
    -------
    voigt, reuss : Solid
        Arithmetic and harmonic mean of the stiffness.

    Raises
    ------
    ValueError
        If the fractions do not add up to 1, or there is void.
    """
    f = checked_fractions(len(solids), fractions)
    there = [(solid, share) for solid, share in zip(solids, f, strict=True) if share > 0.0]
    if any(solid is None for solid, _ in there):
        raise ValueError(
            "with void the Reuss average is 0; leave void out, or use hashin_shtrikman"
        )
    voigt = sum(share * solid.stiffness for solid, share in there if solid is not None)
    reuss = sum(share * solid.compliance for solid, share in there if solid is not None)
    return Solid(np.asarray(voigt)), Solid(_inverse(np.asarray(reuss)))


def _inverse(s: NDArray[np.float64]) -> NDArray[np.float64]:
    c = np.linalg.inv(s)
    return 0.5 * (c + c.T)


def hashin_shtrikman(
    bulk: Sequence[float], shear: Sequence[float], fractions: Sequence[float]
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the bounds on the moduli of an isotropic mixture of isotropic solids.

    Parameters
    ----------
    bulk, shear : sequence of float
        Of each solid, in Pa; 0 for void.
    fractions : sequence of float

    Returns
    -------
    (lowest, highest) bulk modulus, (lowest, highest) shear modulus : in Pa

    Raises
    ------
    ValueError
        If a modulus is negative, or the fractions do not add up to 1.

    Notes
    -----
    Hashin & Shtrikman, J. Mech. Phys. Solids 11 (1963) 127, for any number of phases with the
    largest and smallest moduli (Walpole 1966).
    """
    k, g = np.asarray(bulk, float), np.asarray(shear, float)
    f = checked_fractions(len(k), fractions)
    if g.shape != k.shape or not ((k >= 0.0) & (g >= 0.0)).all():
        raise ValueError("bulk and shear moduli must be as many, and none negative")
    there = f > 0.0
    k, g, f = k[there], g[there], f[there]

    def mean(moduli: NDArray[np.float64], reference: float) -> float:
        if reference == 0.0 and (moduli == 0.0).any():
            return 0.0
        return float(1.0 / (f / (moduli + reference)).sum() - reference)

    k_ends = [mean(k, 4.0 / 3.0 * g0) for g0 in (float(g.min()), float(g.max()))]
    g_ends = [
        mean(g, _shear_reference(k0, g0))
        for k0, g0 in ((float(k.min()), float(g.min())), (float(k.max()), float(g.max())))
    ]
    return (k_ends[0], k_ends[1]), (g_ends[0], g_ends[1])


def _shear_reference(k: float, g: float) -> float:
    if k + 2.0 * g == 0.0:
        return 0.0
    return g / 6.0 * (9.0 * k + 8.0 * g) / (k + 2.0 * g)
