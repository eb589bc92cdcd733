"""Effective conductivities that are known in closed form or as a series, for verification.

Conductivities are relative: any unit, the same for all arguments.
"""

from __future__ import annotations

import itertools
import math
from functools import cache

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "hashin_shtrikman_bounds",
    "laminate_tensor",
    "lattice_sum",
    "sphere_array_conductivity",
]

# Terms of the two lattice sums beyond this distance are below exp(-pi 36), relative to the first.
_REACH = 6


def laminate_tensor(
    normal: tuple[float, float, float], fractions: tuple[float, ...], values: tuple[float, ...]
) -> NDArray[np.float64]:
    """Return the conductivity tensor of flat layers: harmonic mean across, arithmetic mean along.

    Parameters
    ----------
    normal : 3 floats
        Direction of the layer normal, components (z, y, x), of any length.
    fractions, values : tuples of float
        Volume fraction and conductivity of each layer material.

    Returns
    -------
    ndarray of float64, shape (3, 3)
        Rows and columns in the order (z, y, x).
    """
    n = np.asarray(normal, float)
    n = n / np.linalg.norm(n)
    share, k = np.asarray(fractions, float), np.asarray(values, float)
    along, across = float(share @ k), float(1.0 / (share @ (1.0 / k)))
    return along * np.eye(3) + (across - along) * np.outer(n, n)


def hashin_shtrikman_bounds(
    fractions: tuple[float, float], values: tuple[float, float]
) -> tuple[float, float]:
    """Return the bounds on the conductivity of any isotropic mixture of two phases.

    Parameters
    ----------
    fractions, values : 2 floats
        Volume fractions, which add up to 1, and conductivities.

    Returns
    -------
    lower, upper : float

    Notes
    -----
    Hashin & Shtrikman, J. Appl. Phys. 33 (1962) 3125; here as
    (sum of f_i / (k_i + 2 k_ref))^-1 - 2 k_ref with the smallest and the largest k_i for k_ref.
    """
    bounds = []
    for ref in (min(values), max(values)):
        if ref == 0.0:
            bounds.append(0.0)
            continue
        mean = sum(f / (k + 2.0 * ref) for f, k in zip(fractions, values, strict=True))
        bounds.append(1.0 / mean - 2.0 * ref)
    return bounds[0], bounds[1]


def sphere_array_conductivity(
    fraction: float, contrast: float = 0.0, highest_degree: int = 21
) -> float:
    """Return the conductivity of a simple cubic array of equal spheres over that of its matrix.

    Parameters
    ----------
    fraction : float
        Volume fraction of the spheres, from 0 up to below touching, pi / 6 = 0.5236.
    contrast : float
        Conductivity of the spheres over that of the matrix; 0 insulates, infinity is allowed.
    highest_degree : int
        Multipoles of odd degree up to this one are kept. The default gives seven digits up to a
        fraction of 0.4 at any contrast; conducting spheres that almost touch need more.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If the spheres touch or the contrast is negative.

    Notes
    -----
    Rayleigh's method, Phil. Mag. 34 (1892) 481, with the multipoles of all orders m = 0, 4, 8, ...
    as in McPhedran & McKenzie, Proc. R. Soc. Lond. A 359 (1978) 45.

    In a cell of edge 1 with the mean gradient 1 along z the potential around a sphere of radius a
    is the sum of b_lm I_lm + a_lm R_lm with R_lm = r^l P_lm exp(i m phi) / (l + m)! and
    I_lm = (l - m)! P_lm exp(i m phi) / r^(l + 1). Continuity of potential and flux at r = a asks
    for ``a_lm = (l + m)! (l - m)! t_l b_lm / a^(2 l + 1)`` with t_l = (s + 1 + 1 / l) / (1 - s) at
    the contrast s. The regular part is the imposed gradient and the field of all other spheres,
    ``a_lm = delta_l1 - sum of S(l + l', m - m') b_l'm'``, where S is the sum of I over the lattice.
    S(2, 0), which depends on the order of summation, is 4 pi / 3 for a potential whose part beside
    the mean gradient is periodic. The flux through the cell is 1 - 4 pi b_10 (Green's identity).
    """
    if not 0.0 <= fraction < math.pi / 6.0:
        raise ValueError(
            f"a volume fraction of {fraction!r} is not allowed: equal spheres on a simple cubic "
            "lattice touch at pi / 6 = 0.5236; give a smaller one"
        )
    if not contrast >= 0.0:
        raise ValueError(f"contrast {contrast!r} is not allowed; use zero or a positive number")
    if contrast == 1.0 or fraction == 0.0:
        return 1.0
    radius = (3.0 * fraction / (4.0 * math.pi)) ** (1.0 / 3.0)
    modes = [
        (n, m) for n in range(1, highest_degree + 1, 2) for m in range(-n, n + 1) if m % 4 == 0
    ]
    size = [math.sqrt(math.factorial(n + m) * math.factorial(n - m)) for n, m in modes]
    matrix = np.empty((len(modes), len(modes)))
    for (i, (n, m)), (j, (k, q)) in itertools.product(enumerate(modes), repeat=2):
        matrix[i, j] = radius ** (n + k + 1) * lattice_sum(n + k, abs(m - q)) / (size[i] * size[j])
    for i, (n, _) in enumerate(modes):
        # The limit of t_l for infinite contrast is -1.
        matrix[i, i] += -1.0 if math.isinf(contrast) else (contrast + 1 + 1 / n) / (1 - contrast)
    load = np.zeros(len(modes))
    load[modes.index((1, 0))] = radius**1.5
    b = np.linalg.solve(matrix, load)[modes.index((1, 0))] * radius**1.5
    return float(1.0 - 4.0 * math.pi * b)


@cache
def lattice_sum(degree: int, order: int) -> float:
    """Return the sum of (l - m)! P_lm cos(m phi) / r^(l + 1) over the lattice without its origin.

    The lattice is simple cubic with the constant 1. For l = 2 the sum depends on the order of its
    terms; 4 pi / 3 is returned, see `sphere_array_conductivity`.

    Parameters
    ----------
    degree : int
        l, even, at least 2.
    order : int
        m, a multiple of 4; the sum is zero where it exceeds the degree.

    Returns
    -------
    float

    Notes
    -----
    Ewald's method: for a harmonic polynomial P of degree l the sum of P(R) / R^(2 l + 1) equals the
    sum of P(R) / R^(2 l + 1) Q(l + 1/2, pi R^2), with the incomplete gamma function Q, plus
    (-1)^(l / 2) pi^(l + 1/2) / Gamma(l + 1/2) times the sum of P(R) exp(-pi R^2) / (pi R^2).
    """
    from scipy.special import gammaincc, gammaln, lpmv

    if order > degree:
        return 0.0
    if degree == 2:
        return 4.0 * math.pi / 3.0
    axis = np.arange(-_REACH, _REACH + 1)
    x, y, z = (v.ravel() for v in np.meshgrid(axis, axis, axis, indexing="ij"))
    r = np.sqrt(x**2 + y**2 + z**2)
    keep = (r > 0) & (r <= _REACH)
    x, y, z, r = x[keep], y[keep], z[keep], r[keep]
    angular = lpmv(order, degree, z / r) * np.cos(order * np.arctan2(y, x))
    near = gammaincc(degree + 0.5, math.pi * r**2) / r ** (degree + 1)
    log_far = (degree + 0.5) * math.log(math.pi) - gammaln(degree + 0.5) + degree * np.log(r)
    far = np.exp(log_far - math.pi * r**2) / (math.pi * r**2)
    total = float(angular @ (near + (-1.0) ** (degree // 2) * far))
    return math.factorial(degree - order) * total
