"""Elastic solids at large strains: stress and stiffness for a deformation gradient.

Both laws are isotropic, with Lame's constants l and m of small strains:

- "neo-hookean": W = m / 2 (tr C - 3 - 2 ln J) + l / 2 (ln J)^2, C = F^T F, J = det F
  (Bonet & Wood, Nonlinear Continuum Mechanics for Finite Element Analysis, 2008, eq. 6.27);
- "hencky": W = m E . E + l / 2 (tr E)^2 with the logarithmic strain E = ln(C) / 2.

A swelling F_i comes first, elastic strain follows: F = F_e F_i, and the energy per volume before
both is det(F_i) W(F_e).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from .stiffness import Solid

__all__ = ["LAWS", "elastic_response", "isotropic_constants"]

Array = NDArray[np.float64]
ALIKE = 1e-6  # principal stretches closer than this, relative, count as equal
SYMMETRY = 1e-6


def isotropic_constants(name: str, solid: Solid) -> tuple[float, float]:
    """Return Lame's constants of a solid; a `ValueError` if it is not isotropic."""
    c = solid.stiffness
    lame, shear = float(c[0, 1]), float(c[5, 5])
    even = np.zeros((6, 6))
    even[:3, :3] = lame
    even += np.diag([2.0 * shear] * 3 + [shear] * 3)
    if np.abs(c - even).max() > SYMMETRY * np.abs(c).max():
        raise ValueError(
            f"the material of {name!r} is not isotropic; at large strains give isotropic(young, "
            "poisson)"
        )
    return lame, shear


def elastic_response(
    law: str, gradient: Array, swelling: Array, lame: Array, shear: Array
) -> tuple[Array, Array, Array]:
    """Return energy, stress and stiffness.

    Parameters
    ----------
    law : {"neo-hookean", "hencky"}
    gradient : ndarray, shape (n, 3, 3)
        F, with positive determinants.
    swelling : ndarray, shape (n, 3, 3)
        F_i.
    lame, shear : ndarray, shape (n,)
        In Pa.

    Returns
    -------
    energy : ndarray, shape (n,)
        Per volume before swelling, in J/m^3.
    stress : ndarray, shape (n, 3, 3)
        First Piola-Kirchhoff stress P = d energy / d F, in Pa.
    stiffness : ndarray, shape (n, 3, 3, 3, 3)
        d P / d F.
    """
    back = np.linalg.inv(swelling)
    growth = np.linalg.det(swelling)
    energy, stress, moduli = LAWS[law](gradient @ back, lame, shear)
    stress = growth[:, None, None] * np.einsum("niM,nJM->niJ", stress, back)
    half = np.einsum("niMkN,nJM->niJkN", moduli, back)
    moduli = growth[:, None, None, None, None] * np.einsum("niJkN,nLN->niJkL", half, back)
    return growth * energy, stress, moduli


def _neo_hookean(f: Array, lame: Array, shear: Array) -> tuple[Array, Array, Array]:
    inverse = np.linalg.inv(f)
    log = np.log(np.linalg.det(f))
    energy = 0.5 * shear * ((f**2).sum(axis=(1, 2)) - 3.0 - 2.0 * log) + 0.5 * lame * log**2
    pull = lame * log - shear
    turned = inverse.transpose(0, 2, 1)
    stress = shear[:, None, None] * f + pull[:, None, None] * turned
    eye = np.eye(3)
    moduli = shear[:, None, None, None, None] * np.einsum("ik,JL->iJkL", eye, eye)
    moduli += np.einsum("n,nJi,nLk->niJkL", lame, inverse, inverse)
    moduli -= np.einsum("n,nJk,nLi->niJkL", pull, inverse, inverse)
    return energy, stress, moduli


def _hencky(f: Array, lame: Array, shear: Array) -> tuple[Array, Array, Array]:
    """Work with the principal stretches of C (Simo & Hughes, Computational Inelasticity, 8.2)."""
    squares, axes = np.linalg.eigh(np.einsum("nki,nkj->nij", f, f))
    logs = 0.5 * np.log(squares)
    volume = logs.sum(axis=1)
    energy = shear * (logs**2).sum(axis=1) + 0.5 * lame * volume**2
    principal = 2.0 * shear[:, None] * logs + lame[:, None] * volume[:, None]  # Kirchhoff's
    second = principal / squares
    # 2 dS / dC within the principal axes: of values, then of axes that turn.
    slope = (2.0 * shear[:, None, None] * np.eye(3) + lame[:, None, None]) / (
        squares[:, :, None] * squares[:, None, :]
    )
    slope -= np.eye(3) * (2.0 * principal / squares**2)[:, :, None]
    gap = squares[:, None, :] - squares[:, :, None]
    near = np.abs(gap) < ALIKE * squares[:, None, :]
    limit = (
        0.25 * (np.einsum("naa->na", slope)[:, :, None] + np.einsum("naa->na", slope)[:, None, :])
        - 0.5 * slope
    )
    turn = np.where(
        near, limit, (second[:, None, :] - second[:, :, None]) / np.where(near, 1.0, gap)
    )
    turn *= 1.0 - np.eye(3)
    n = axes
    material = np.einsum("nab,nIa,nJa,nKb,nLb->nIJKL", slope, n, n, n, n, optimize=True)
    mixed = np.einsum("nab,nIa,nJb,nKa,nLb->nIJKL", turn, n, n, n, n, optimize=True)
    material += mixed + mixed.transpose(0, 1, 2, 4, 3)
    pk2 = np.einsum("na,nIa,nJa->nIJ", second, n, n)
    moduli = np.einsum("niM,nMJNL,nkN->niJkL", f, material, f, optimize=True)
    moduli += np.einsum("ik,nJL->niJkL", np.eye(3), pk2)
    return energy, f @ pk2, moduli


LAWS: dict[str, Callable[[Array, Array, Array], tuple[Array, Array, Array]]] = {
    "neo-hookean": _neo_hookean,
    "hencky": _hencky,
}
