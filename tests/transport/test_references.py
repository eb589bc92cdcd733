"""The references themselves, against limits and values found in other ways."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import lpmv

from microtwin.transport.references import (
    hashin_shtrikman_bounds,
    laminate_tensor,
    lattice_sum,
    sphere_array_conductivity,
)


def direct_sum(degree: int, order: int, reach: int) -> float:
    axis = np.arange(-reach, reach + 1)
    x, y, z = (v.ravel() for v in np.meshgrid(axis, axis, axis, indexing="ij"))
    r = np.sqrt(x**2 + y**2 + z**2)
    inside = (r > 0) & (r <= reach)
    x, y, z, r = x[inside], y[inside], z[inside], r[inside]
    angular = lpmv(order, degree, z / r) * np.cos(order * np.arctan2(y, x))
    return math.factorial(degree - order) * float(np.sum(angular / r ** (degree + 1)))


def dilute_series(c: float, contrast: float) -> float:
    """Sangani & Acrivos, Proc. R. Soc. Lond. A 386 (1983) 263, simple cubic, to order c^(22/3)."""
    inverse = [
        1.0 if math.isinf(contrast) else (contrast - 1) / (contrast + 1 + 1 / degree)
        for degree in (1, 3, 5, 7, 9)
    ]
    l1, l2, l3, l4, l5 = inverse
    first = 1.305 * l2 * c ** (10 / 3) * (1 + 0.231 * l3 * c ** (11 / 3))
    first /= 1 - 0.405 * l2 * c ** (7 / 3)
    rest = 0.0723 * l3 * c ** (14 / 3) + 0.153 * l4 * c**6 + 0.0105 * l5 * c ** (22 / 3)
    return 1 - 3 * c / (-1 / l1 + c + first + rest)


@pytest.mark.parametrize(("degree", "order"), [(8, 0), (8, 4), (8, 8), (10, 4), (12, 12)])
def test_lattice_sums_agree_with_plain_summation(degree, order):
    # Terms fall as r^-9 or faster: beyond 16 they add less than 1e-8.
    assert_allclose(lattice_sum(degree, order), direct_sum(degree, order, 16), rtol=1e-7)


def test_lattice_sums_of_degree_four():
    # The sum of P_4(z / r) / r^5, which Rayleigh gave as 3.11.
    assert_allclose(lattice_sum(4, 0) / math.factorial(4), 3.108227, rtol=1e-6)
    # P_4(x / r) = 3/8 P_4(z / r) + P_44 cos(4 phi) / 192 has the same sum, so that of P_44 is 120
    # times that of P_4.
    assert_allclose(lattice_sum(4, 4), 5 * lattice_sum(4, 0), rtol=1e-12)


@pytest.mark.parametrize("contrast", [0.0, 0.1, 10.0, math.inf])
def test_sphere_array_follows_the_dilute_series(contrast):
    # The coefficients of the series have three or four digits; at c = 0.1 they weigh 1e-3.
    for c, rtol in ((0.01, 1e-9), (0.1, 1e-6), (0.2, 1e-5), (0.3, 2e-4)):
        assert_allclose(
            sphere_array_conductivity(c, contrast), dilute_series(c, contrast), rtol=rtol
        )


@pytest.mark.parametrize("contrast", [0.0, 10.0, math.inf])
def test_sphere_array_has_converged(contrast):
    for c in (0.1, 0.268, 0.4):
        few = sphere_array_conductivity(c, contrast, highest_degree=21)
        assert_allclose(few, sphere_array_conductivity(c, contrast, highest_degree=31), rtol=2e-7)


@pytest.mark.parametrize("contrast", [0.0, 0.2, 5.0, 1e4])
@pytest.mark.parametrize("c", [0.05, 0.268, 0.45])
def test_sphere_array_is_within_the_bounds(c, contrast):
    lower, upper = hashin_shtrikman_bounds((1 - c, c), (1.0, contrast))
    assert lower <= sphere_array_conductivity(c, contrast) <= upper


def test_sphere_array_limits():
    assert sphere_array_conductivity(0.0, 5.0) == 1.0
    assert sphere_array_conductivity(0.3, 1.0) == 1.0
    # A large contrast tends to the infinite one.
    assert_allclose(
        sphere_array_conductivity(0.3, 1e9), sphere_array_conductivity(0.3, math.inf), rtol=1e-7
    )


@pytest.mark.parametrize("c", [-0.1, 0.5236, 0.7, float("nan")])
def test_sphere_array_refuses_fractions(c):
    with pytest.raises(ValueError, match="touch at pi / 6"):
        sphere_array_conductivity(c)


def test_sphere_array_refuses_contrasts():
    with pytest.raises(ValueError, match="zero or a positive"):
        sphere_array_conductivity(0.2, -1.0)


def test_laminate_tensor_across_and_along():
    tensor = laminate_tensor((2.0, 0.0, 0.0), (0.5, 0.5), (1.0, 10.0))
    assert_allclose(np.diag(tensor), [20 / 11, 5.5, 5.5])
    turned = laminate_tensor((1.0, 1.0, 0.0), (0.5, 0.5), (1.0, 10.0))
    # Turned by 45 degrees the shear component is half the difference of the principal values.
    assert_allclose(turned[0, 1], 0.5 * (20 / 11 - 5.5))
    assert_allclose(np.linalg.eigvalsh(turned), [20 / 11, 5.5, 5.5])


def test_hashin_shtrikman_bounds():
    # Insulating spheres: the upper bound is Maxwell's formula 2 (1 - c) / (2 + c).
    c = 0.268
    assert_allclose(hashin_shtrikman_bounds((1 - c, c), (1.0, 0.0)), [0.0, 2 * (1 - c) / (2 + c)])
    assert_allclose(hashin_shtrikman_bounds((0.4, 0.6), (3.0, 3.0)), [3.0, 3.0])
