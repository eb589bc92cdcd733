from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from microtwin.numerics import ConvergenceError, DirectedGrid, DirectedMultigrid, solve_general
from microtwin.numerics import directed_kernels as kernels


def whirl(shape, seed, strength=1.0):
    """A flow without divergence on a grid that repeats: the curl of a random field on its edges."""
    a = strength * np.random.default_rng(seed).standard_normal((3, *shape))

    def step(field, axis):
        return field - np.roll(field, 1, axis)

    return (
        step(a[2], 1) - step(a[1], 2),
        step(a[0], 2) - step(a[2], 0),
        step(a[1], 0) - step(a[0], 1),
    )


def open_links(shape, seed):
    return tuple(0.5 + np.random.default_rng(seed + 9).random((3, *shape)))


def dense(system, shape):
    columns = [system(e.reshape(shape)).ravel() for e in np.eye(int(np.prod(shape)))]
    return np.array(columns).T


shapes = st.tuples(*(st.integers(2, 4),) * 3)


@settings(max_examples=20, deadline=None)
@given(shapes, st.integers(0, 99), st.sampled_from([0.1, 10.0]))
def test_the_flow_is_skew_and_what_spreads_is_symmetric_and_positive(shape, seed, strength):
    flows, links = whirl(shape, seed, strength), open_links(shape, seed)
    there = DirectedGrid(flows, links)
    back = DirectedGrid(tuple(-q for q in flows), links)
    matrix = dense(there.product, shape)
    scale = np.abs(matrix).max()
    np.testing.assert_allclose(matrix.T, dense(back.product, shape), atol=1e-12 * scale)
    symmetric = 0.5 * (matrix + matrix.T)
    assert np.linalg.eigvalsh(symmetric).min() > -1e-12 * scale
    np.testing.assert_allclose(matrix.sum(axis=0), 0.0, atol=1e-12 * scale)  # nothing is lost
    np.testing.assert_allclose(matrix.sum(axis=1), 0.0, atol=1e-12 * scale)  # evenness stays


@settings(max_examples=20, deadline=None)
@given(shapes, st.integers(0, 99), st.sampled_from([0.1, 10.0]))
def test_levels_are_m_matrices(shape, seed, strength):
    level = DirectedMultigrid(whirl(shape, seed, strength), open_links(shape, seed))._levels[0]

    def product(x):
        out = np.empty(shape)
        kernels.level_product(0, shape[0], out, x, level)
        return out

    matrix = dense(product, shape)
    off = matrix - np.diag(np.diag(matrix))
    assert off.max() <= 1e-12
    np.testing.assert_allclose(matrix.sum(axis=0), 0.0, atol=1e-11 * np.abs(matrix).max())


@pytest.mark.parametrize("strength", [0.0, 1.0, 30.0])
@pytest.mark.parametrize("shape", [(12, 13, 14), (2, 24, 23)])
def test_the_solution_is_that_of_the_matrix(shape, strength):
    flows, links = whirl(shape, 3, strength), open_links(shape, 3)
    grid, cycle = DirectedGrid(flows, links), DirectedMultigrid(flows, links)
    rhs = np.random.default_rng(1).standard_normal(shape)
    rhs -= rhs.mean()
    norm = np.sqrt((rhs**2).sum())
    found = solve_general(grid.product, cycle.precondition, rhs, 1e-10 * norm)
    assert np.sqrt(((grid.product(found.values) - rhs) ** 2).sum()) <= 1e-10 * norm
    assert found.iterations < 120


def test_central_differences_where_diffusion_is_strong():
    flows, links = whirl((4, 4, 4), 1, 1e-3), open_links((4, 4, 4), 1)
    grid = DirectedGrid(flows, links)
    assert not any(b.any() for b in grid.bending)
    assert 0.0 < grid.largest_cell_number < 2.0


def test_fourth_differences_vanish_on_cubics_and_beside_walls():
    x = np.arange(12.0)[:, None, None] * np.ones((1, 2, 2))
    flow, link = np.ones(x.shape), np.full(x.shape, 1e-3)
    flow[-1] = link[-1] = 0.0  # walls at both ends
    still = np.zeros(x.shape)
    grid = DirectedGrid((flow, still, still), (link, link, link))
    assert grid.bending[0].any() and not grid.bending[0][[0, -1]].any()

    def excess(field):
        """What leaves the voxels beyond central differences."""
        after, before = np.roll(field, -1, 0), np.roll(field, 1, 0)
        central = 0.5 * (after - before) + 1e-3 * (2.0 * field - after - before)
        return np.abs(grid.product(field) - central)[3:-3].max()

    assert excess(x**3) < 1e-9
    assert excess(x**4) > 1e-3


def test_what_does_not_converge_raises():
    flows, links = whirl((12, 12, 12), 3, 30.0), open_links((12, 12, 12), 3)
    grid, cycle = DirectedGrid(flows, links), DirectedMultigrid(flows, links)
    rhs = np.random.default_rng(1).standard_normal((12, 12, 12))
    rhs -= rhs.mean()
    with pytest.raises(ConvergenceError, match="in 2 iterations the residual went from"):
        solve_general(grid.product, cycle.precondition, rhs, 1e-8, max_iterations=2)
