"""Stiffness of solids, as 6 x 6 matrices, and what engineers read from them.

Axes have the order (z, y, x). Stress and strain are vectors of six: (zz, yy, xx, yx, zx, zy), with
engineering shear strains (twice the components of the tensor), so that the product of both is twice
the density of energy.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..checking import is_number
from ..numerics.elements import PAIRS

__all__ = [
    "EngineeringConstants",
    "Solid",
    "cubic",
    "engineering_constants",
    "isotropic",
    "rotated",
    "transversely_isotropic",
]

AXES = "zyx"
SYMMETRIC = 1e-9


@dataclass(frozen=True, eq=False)
class Solid:
    """A linear elastic solid.

    Parameters
    ----------
    stiffness : ndarray, shape (6, 6)
        In Pa; symmetric and positive definite.

    Raises
    ------
    ValueError
        If the matrix is not symmetric, or some strain would cost no energy.
    """

    stiffness: NDArray[np.float64] = field(repr=False)

    def __post_init__(self) -> None:
        c = np.asarray(self.stiffness, float)
        if c.shape != (6, 6) or not np.isfinite(c).all():
            raise ValueError(
                f"a stiffness of shape {c.shape} is not allowed; give 6 x 6 finite numbers, in Pa"
            )
        if np.abs(c - c.T).max() > SYMMETRIC * np.abs(c).max():
            raise ValueError("the stiffness is not symmetric; give a symmetric matrix")
        least = float(np.linalg.eigvalsh(c)[0])
        if least <= 0.0:
            raise ValueError(
                f"the stiffness has an eigenvalue of {least:.3g} Pa, so a strain costs no energy; "
                "give moduli that are stable"
            )
        object.__setattr__(self, "stiffness", c)

    @property
    def compliance(self) -> NDArray[np.float64]:
        """Inverse of the stiffness, in 1/Pa."""
        return np.asarray(np.linalg.inv(self.stiffness), float)

    @property
    def bulk_modulus(self) -> float:
        """Mean of the pressure over the mean of the volume strain, by Voigt's average, in Pa."""
        return float(self.stiffness[:3, :3].sum() / 9.0)

    @property
    def shear_modulus(self) -> float:
        """Voigt's average, in Pa."""
        c = self.stiffness
        normal = np.trace(c[:3, :3]) - c[:3, :3].sum() / 3.0
        return float((normal + 2.0 * np.trace(c[3:, 3:])) / 10.0)


def isotropic(young: float, poisson: float) -> Solid:
    """Return an isotropic solid.

    Parameters
    ----------
    young : float
        Young's modulus, in Pa.
    poisson : float
        Poisson's ratio, above -1 and below 0.5.

    Raises
    ------
    ValueError
        If a number is not allowed.

    Examples
    --------
    >>> solid = isotropic(100e9, 0.25)
    >>> float(round(solid.bulk_modulus / 1e9, 3)), float(round(solid.shear_modulus / 1e9, 3))
    (66.667, 40.0)
    """
    _positive("Young's modulus", young)
    if not (is_number(poisson) and -1.0 < poisson < 0.5):
        raise ValueError(
            f"Poisson's ratio {poisson!r} is not allowed; give a number above -1 and below 0.5"
        )
    shear = young / (2.0 * (1.0 + poisson))
    lame = young * poisson / ((1.0 + poisson) * (1.0 - 2.0 * poisson))
    return cubic(lame + 2.0 * shear, lame, shear)


def cubic(c11: float, c12: float, c44: float) -> Solid:
    """Return a cubic crystal whose axes are those of the image.

    Parameters
    ----------
    c11, c12, c44 : float
        In Pa.

    Raises
    ------
    ValueError
        If they are not stable: c44 > 0, c11 > abs(c12), c11 + 2 c12 > 0.
    """
    c = np.zeros((6, 6))
    c[:3, :3] = c12
    np.fill_diagonal(c, [c11] * 3 + [c44] * 3)
    return Solid(c)


def transversely_isotropic(
    along: float,
    across: float,
    poisson_along: float,
    poisson_across: float,
    shear_along: float,
    axis: str = "z",
) -> Solid:
    """Return a solid that is the same in all directions across one axis, as a graphite particle.

    Parameters
    ----------
    along, across : float
        Young's moduli along the axis and across it, in Pa.
    poisson_along : float
        Contraction across for a pull along the axis.
    poisson_across : float
        Contraction across for a pull across the axis.
    shear_along : float
        Shear modulus of planes that hold the axis, in Pa.
    axis : {"z", "y", "x"}

    Raises
    ------
    ValueError
        If a number is not allowed, or they are not stable together.
    """
    for name, value in (("along", along), ("across", across), ("shear_along", shear_along)):
        _positive(name, value)
    for name, value in (("poisson_along", poisson_along), ("poisson_across", poisson_across)):
        if not (is_number(value) and abs(value) < 1.0):
            raise ValueError(f"{name} {value!r} is not allowed; give a number between -1 and 1")
    if axis not in AXES:
        raise ValueError(f"axis {axis!r} is not known; give 'z', 'y' or 'x'")
    s = np.zeros((6, 6))
    a = AXES.index(axis)
    b, c = (k for k in range(3) if k != a)
    s[a, a], s[b, b], s[c, c] = 1.0 / along, 1.0 / across, 1.0 / across
    s[a, b] = s[b, a] = s[a, c] = s[c, a] = -poisson_along / along
    s[b, c] = s[c, b] = -poisson_across / across
    for k, pair in enumerate(PAIRS[3:], start=3):
        s[k, k] = 1.0 / shear_along if a in pair else 2.0 * (1.0 + poisson_across) / across
    if np.linalg.eigvalsh(s)[0] <= 0.0:
        raise ValueError("these moduli and Poisson's ratios are not stable together")
    return Solid(np.asarray(np.linalg.inv(s), float))


def rotated(solid: Solid, rotation: ArrayLike) -> Solid:
    """Return a solid whose axes are turned.

    Parameters
    ----------
    solid : Solid
    rotation : array, shape (3, 3)
        Turns a vector (z, y, x) of the crystal into the image.

    Raises
    ------
    ValueError
        If the matrix is no rotation.
    """
    r = np.asarray(rotation, float)
    if r.shape != (3, 3) or not np.allclose(r @ r.T, np.eye(3), atol=1e-6):
        raise ValueError("the rotation is not a 3 x 3 matrix with orthonormal rows")
    m = _bond(r)
    return Solid(_symmetric(m @ solid.stiffness @ m.T))


def _bond(r: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the matrix that turns a vector of stresses."""
    m = np.empty((6, 6))
    for i, (a, b) in enumerate(PAIRS):
        for j, (c, d) in enumerate(PAIRS):
            both = r[a, c] * r[b, d]
            m[i, j] = both if c == d else both + r[a, d] * r[b, c]
    return m


def _symmetric(c: NDArray[np.float64]) -> NDArray[np.float64]:
    return 0.5 * (c + c.T)


def _positive(name: str, value: float) -> None:
    if not (is_number(value) and value > 0.0):
        raise ValueError(f"{name} {value!r} is not allowed; give a number above 0, in Pa")


@dataclass(frozen=True)
class EngineeringConstants:
    """Moduli along the axes (z, y, x).

    Parameters
    ----------
    young : tuple of 3 floats
        In Pa.
    shear : tuple of 3 floats
        Of the planes (yx, zx, zy), in Pa.
    poisson : dict of str to float
        "zy" is the contraction along y for a pull along z, and so on.
    """

    young: tuple[float, float, float]
    shear: tuple[float, float, float]
    poisson: dict[str, float]


def engineering_constants(solid: Solid) -> EngineeringConstants:
    """Return Young's moduli, shear moduli and Poisson's ratios of a solid along the axes."""
    s = solid.compliance
    young = [float(1.0 / s[k, k]) for k in range(6)]
    ratios = {
        AXES[a] + AXES[b]: float(-s[a, b] / s[a, a])
        for a in range(3)
        for b in range(3)
        if a != b
    }  # fmt: skip
    return EngineeringConstants((*young[:3],), (*young[3:],), ratios)  # type: ignore[arg-type]
