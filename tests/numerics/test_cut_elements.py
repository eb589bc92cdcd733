from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from microtwin.mechanics import cubic, isotropic, rotated
from microtwin.numerics.cut_elements import across, cut_elements
from microtwin.numerics.elements import affine_part, corners, element_matrix

STIFF, SOFT = isotropic(100.0, 0.25).stiffness, isotropic(1.0, 0.35).stiffness
EDGES = np.array([1.2, 0.9, 1.0 / (1.2 * 0.9)])


def one(first, second, normal, share, edges=EDGES):
    normal = np.asarray(normal, float) / np.linalg.norm(normal)
    return cut_elements(
        first[None], second[None], normal[None], np.array([share]), edges
    ), normal  # fmt: skip


def share_beyond(normal, place):
    """Return the share of the element that lies beyond a plane."""
    line = (np.arange(40) + 0.5) / 40
    at = np.stack(np.meshgrid(line, line, line, indexing="ij"), -1).reshape(-1, 3) * EDGES
    width = np.abs(normal) @ EDGES / 40
    return float(np.clip(0.5 + (at @ normal - place) / width, 0.0, 1.0).mean())


directions = st.tuples(*[st.floats(-1.0, 1.0)] * 3).filter(lambda n: np.linalg.norm(n) > 0.2)


@settings(max_examples=25, deadline=None)
@given(directions, st.floats(-0.4, 0.4), st.booleans(), st.booleans())
def test_what_is_linear_on_both_sides_is_exact(normal, offset, swapped, with_own):
    """Mean strains with and without eigenstrains, and the energy, at a ratio of 100."""
    first, second = (STIFF, SOFT) if swapped else (SOFT, STIFF)
    n = np.array(normal) / np.linalg.norm(normal)
    place = (0.5 * EDGES) @ n + offset * (np.abs(n) @ EDGES)
    share = share_beyond(n, place)
    assume(0.05 < share < 0.95)
    cut, n = one(first, second, normal, share)
    rng = np.random.default_rng(0)
    mean, own = rng.standard_normal(6), with_own * rng.standard_normal((2, 6)) * [[1.0], [3.0]]
    jump = across(n)
    # Tractions: N' (C_2 (e + N m) - p_2) = N' (C_1 e - p_1).
    m = np.linalg.solve(
        jump.T @ second @ jump, jump.T @ ((first - second) @ mean + own[1] - own[0])
    )
    strains = [mean, mean + jump @ m]
    height = np.maximum((corners() * EDGES) @ n - place, 0.0)
    moved = affine_part(EDGES) @ mean + np.outer(height, m).ravel()
    step = own[1] - own[0]
    size = max(np.abs(strain).max() for strain in strains)
    for part, strain in enumerate(strains):
        found = cut.strains[0, part] @ moved + cut.kinks[0, part] @ step
        np.testing.assert_allclose(found, strain, atol=0.02 * size)
    if not with_own:
        exact = (1.0 - share) * strains[0] @ first @ strains[0]
        exact += share * strains[1] @ second @ strains[1]
        assert moved @ cut.stiffness[0] @ moved == pytest.approx(exact, rel=0.03)


@settings(max_examples=15, deadline=None)
@given(directions, st.floats(0.05, 0.95))
def test_one_solid_on_both_sides_is_no_cut(normal, share):
    solid = rotated(cubic(160.0, 60.0, 80.0), np.eye(3)[[1, 2, 0]]).stiffness
    cut, _ = one(solid, solid, normal, share)
    whole = element_matrix(solid, EDGES)
    np.testing.assert_allclose(cut.stiffness[0], whole, atol=2e-3 * np.abs(whole).max())
    # For uniform strains nothing is lost to the quadrature.
    affine = affine_part(EDGES)
    np.testing.assert_allclose(affine.T @ cut.stiffness[0] @ affine, solid, rtol=1e-9, atol=1e-9)
    load = cut.loads[0].sum(axis=0)
    np.testing.assert_allclose(affine.T @ load, np.eye(6), atol=1e-12)


@pytest.mark.parametrize("share", [1 / 16, 0.5, 15 / 16])
@pytest.mark.parametrize("normal", [(1, 0, 0), (0, -1, 1), (-1, 0.5, 0.25)])
def test_only_rigid_motions_cost_nothing(normal, share):
    cut, _ = one(SOFT, STIFF, normal, share)
    values = np.linalg.eigvalsh(cut.stiffness[0])
    assert np.abs(values[:6]).max() < 1e-9 * values[-1]
    assert values[6] > 1e-4 * values[-1]


def test_a_flat_plane_along_the_grid_is_a_laminate():
    cut, _ = one(SOFT, STIFF, (1.0, 0.0, 0.0), 0.25)
    affine = affine_part(EDGES)
    # Corners that move as a strain across the layers: a sum of the two in series.
    found = affine.T @ cut.stiffness[0] @ affine
    assert found[0, 0] == pytest.approx(1.0 / (0.75 / SOFT[0, 0] + 0.25 / STIFF[0, 0]), rel=1e-3)
    assert found[5, 5] == pytest.approx(1.0 / (0.75 / SOFT[5, 5] + 0.25 / STIFF[5, 5]), rel=1e-3)
