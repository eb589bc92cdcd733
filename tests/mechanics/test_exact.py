from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from microtwin.mechanics import (
    Solid,
    coated_sphere_bulk_modulus,
    hashin_shtrikman,
    isotropic,
    laminate,
    misfit_sphere,
    voigt_reuss,
)
from microtwin.numerics.elements import PAIRS


def random_solid(rng):
    q = rng.normal(size=(6, 6))
    return Solid(1e9 * (q @ q.T + 0.3 * np.eye(6)))


def layers_by_hand(solids, fractions, normal, mean, eigenstrains):
    """Return the mean stress of layers at a mean strain, by the conditions between them."""
    n = "zyx".index(normal)
    across = [i for i, pair in enumerate(PAIRS) if n in pair]
    within = [i for i in range(6) if i not in across]
    count = len(solids)
    # Unknown: the strains of each layer. Rows: within the plane as the mean; their mean across it;
    # the same tractions in all.
    rows, right = [], []
    for layer in range(count):
        for i in within:
            row = np.zeros((count, 6))
            row[layer, i] = 1.0
            rows.append(row.ravel())
            right.append(mean[i])
    for i in across:
        row = np.zeros((count, 6))
        row[:, i] = fractions
        rows.append(row.ravel())
        right.append(mean[i])
    for layer in range(1, count):
        for i in across:
            row = np.zeros((count, 6))
            row[layer], row[0] = solids[layer].stiffness[i] / 1e9, -solids[0].stiffness[i] / 1e9
            rows.append(row.ravel())
            stress = [s.stiffness[i] @ e for s, e in zip(solids, eigenstrains, strict=True)]
            right.append((stress[layer] - stress[0]) / 1e9)
    strains = np.linalg.solve(np.array(rows), np.array(right)).reshape(count, 6)
    return sum(
        f * s.stiffness @ (e - own)
        for f, s, e, own in zip(fractions, solids, strains, eigenstrains, strict=True)
    )


@given(st.integers(0, 10_000), st.integers(2, 4), st.sampled_from("zyx"))
def test_layers_are_those_of_their_conditions(seed, count, normal):
    rng = np.random.default_rng(seed)
    solids = [random_solid(rng) for _ in range(count)]
    fractions = rng.dirichlet(np.ones(count))
    own = 0.01 * rng.normal(size=(count, 6))
    whole, swelling = laminate(solids, fractions, normal, own)
    mean = 0.01 * rng.normal(size=6)
    expected = layers_by_hand(solids, fractions, normal, mean, own)
    scale = np.abs(whole.stiffness).max() * 0.01
    np.testing.assert_allclose(whole.stiffness @ (mean - swelling), expected, atol=1e-6 * scale)
    free = layers_by_hand(solids, fractions, normal, swelling, own)
    np.testing.assert_allclose(free, 0.0, atol=1e-6 * scale)


@given(st.integers(0, 10_000), st.sampled_from("zyx"))
def test_layers_lie_between_the_bounds(seed, normal):
    rng = np.random.default_rng(seed)
    solids = [random_solid(rng) for _ in range(3)]
    fractions = rng.dirichlet(np.ones(3))
    whole, _ = laminate(solids, fractions, normal)
    voigt, reuss = voigt_reuss(solids, fractions)
    size = np.linalg.norm(voigt.stiffness)
    assert np.linalg.eigvalsh(voigt.stiffness - whole.stiffness)[0] > -1e-9 * size
    assert np.linalg.eigvalsh(whole.stiffness - reuss.stiffness)[0] > -1e-9 * size


def test_what_swells_evenly_swells_as_a_whole():
    solids = [isotropic(100e9, 0.25), isotropic(1e9, 0.4)]
    even = np.tile([0.01, 0.01, 0.01, 0.0, 0.0, 0.0], (2, 1))
    _, swelling = laminate(solids, [0.3, 0.7], "y", even)
    np.testing.assert_allclose(swelling, even[0], atol=1e-12)


def test_stiff_layers_hold_the_plane():
    """A soft layer that swells between stiff ones can only swell across them."""
    solids = [isotropic(1e13, 0.25), isotropic(1e9, 0.25)]
    own = np.zeros((2, 6))
    own[1, :3] = 0.01
    _, swelling = laminate(solids, [0.5, 0.5], "z", own)
    assert swelling[1] == pytest.approx(0.0, abs=1e-5)
    # (1 + nu) / (1 - nu) of its strain, over half of the height.
    assert swelling[0] == pytest.approx(0.5 * 0.01 * 1.25 / 0.75, rel=1e-3)


def test_known_spheres():
    assert coated_sphere_bulk_modulus((4 + 10 / 3, 5.0), (4.0, 3.0), 0.125) == pytest.approx(
        4.3053435, rel=1e-7
    )
    assert coated_sphere_bulk_modulus((4.0, 5.0), (4.0, 3.0), 0.3) == 4.0
    strain, stress = misfit_sphere(100e9, 0.25, 0.01)
    assert strain == pytest.approx(0.01 * 1.25 / 2.25)
    # Hooke's law within it.
    assert stress == pytest.approx(3.0 * (100e9 / 1.5) * (strain - 0.01))


@given(st.floats(1e8, 1e12), st.floats(1e8, 1e12), st.floats(0.01, 0.99))
def test_coated_spheres_attain_a_bound(core, shell, share):
    a, b = isotropic(core, 0.3), isotropic(shell, 0.2)
    bulk, _ = hashin_shtrikman(
        [a.bulk_modulus, b.bulk_modulus], [a.shear_modulus, b.shear_modulus], [share, 1.0 - share]
    )
    found = coated_sphere_bulk_modulus(
        (a.bulk_modulus, a.shear_modulus), (b.bulk_modulus, b.shear_modulus), share
    )
    end = bulk[0] if b.shear_modulus <= a.shear_modulus else bulk[1]
    assert found == pytest.approx(end, rel=1e-9)


@given(st.integers(0, 10_000), st.integers(2, 4))
def test_bounds_are_in_order(seed, count):
    rng = np.random.default_rng(seed)
    solids = [isotropic(10.0 ** rng.uniform(8, 12), rng.uniform(-0.3, 0.45)) for _ in range(count)]
    fractions = rng.dirichlet(np.ones(count))
    voigt, reuss = voigt_reuss(solids, fractions)
    bulk, shear = hashin_shtrikman(
        [s.bulk_modulus for s in solids], [s.shear_modulus for s in solids], fractions
    )
    loose = 1.0 + 1e-9
    assert reuss.bulk_modulus <= bulk[0] * loose
    assert bulk[0] <= bulk[1] * loose
    assert bulk[1] <= voigt.bulk_modulus * loose
    assert reuss.shear_modulus <= shear[0] * loose
    assert shear[0] <= shear[1] * loose
    assert shear[1] <= voigt.shear_modulus * loose


def test_with_void_the_lower_bounds_are_nothing():
    bulk, shear = hashin_shtrikman([60e9, 0.0], [40e9, 0.0], [0.7, 0.3])
    assert bulk[0] == shear[0] == 0.0
    # Hashin's hollow spheres.
    assert bulk[1] == pytest.approx(coated_sphere_bulk_modulus((0.0, 0.0), (60e9, 40e9), 0.3))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: laminate([isotropic(1e9, 0.3)], [0.5]), "add up to 1"),
        (lambda: laminate([isotropic(1e9, 0.3)], [1.0], "w"), "normal 'w' is not known"),
        (lambda: laminate([isotropic(1e9, 0.3)], [1.0], "z", np.ones(6)), "six for each solid"),
        (lambda: voigt_reuss([isotropic(1e9, 0.3), None], [0.5, 0.5]), "leave void out"),
        (lambda: hashin_shtrikman([1.0], [-1.0], [1.0]), "none negative"),
        (lambda: hashin_shtrikman([1.0, 2.0], [1.0, 1.0], [1.0]), "give 2, none negative"),
        (lambda: coated_sphere_bulk_modulus((1.0, 1.0), (2.0, 1.0), 1.5), "from 0 to 1"),
    ],
)
def test_what_does_not_fit_is_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()
