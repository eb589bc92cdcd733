from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.linalg import splu

from microtwin.numerics import GridOperator, Multigrid, multigrid
from numerics.reference import (
    OnGrid,
    blocks,
    chess_board,
    colour,
    grid_problems,
    make_problem,
    relax,
)


@pytest.fixture
def deep(monkeypatch):
    """Build a hierarchy even for small grids."""
    monkeypatch.setattr(multigrid, "DIRECT_SIZE", 20)
    return monkeypatch


def two_grid(problem, rhs):
    """Return one cycle with a direct solve on the first coarse grid, in plain NumPy."""
    shape, matrix, board = rhs.shape, problem.matrix, colour(rhs.shape)
    u = np.zeros(shape)
    for c in (0, 1) * problem.operator.sweeps:
        u = relax(matrix, u, rhs, board == c)
    p = blocks(shape)
    halved = 0.5 * (problem.links + sp.diags_array(problem.ends.ravel()))
    coarse = (p.T @ (halved + sp.diags_array(problem.mass.ravel())) @ p).tocsc()
    residual = rhs.ravel() - matrix @ u.ravel()
    u = u + (p @ splu(coarse).solve(p.T @ residual)).reshape(shape)
    for c in (1, 0) * problem.operator.sweeps:
        u = relax(matrix, u, rhs, board == c)
    return u


@settings(max_examples=25)
@given(grid_problems(low=3, high=9, lowest=0.1, mass=True, dtype=np.float32))
def test_two_levels_are_the_textbook_cycle(problem):
    if not chess_board(problem.operator.shape, problem.periodic):
        return
    rhs = problem.vector(0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(multigrid, "DIRECT_SIZE", int(np.prod(rhs.shape)) - 1)
        hierarchy = Multigrid(problem.operator)
    assert len(hierarchy.operators) == 2
    u = np.full(rhs.shape, 1e9, np.float32)
    _, _, product = OnGrid(problem.operator, hierarchy).precondition(u, rhs, u)
    expected = two_grid(problem, rhs)
    # Float32, and the coarse solution is shifted by 1e-7 of its largest diagonal.
    np.testing.assert_allclose(u, expected, rtol=0, atol=1e-4 * np.abs(expected).max())
    assert product == pytest.approx(np.vdot(u.astype(float), rhs), rel=1e-5)


@pytest.mark.parametrize(
    ("shape", "periodic"),
    [((9, 10, 11), False), ((24, 7, 9), False), ((16, 8, 24), True), ((32, 16, 8), True)],
)
def test_cycle_without_krylov_steps_is_linear_symmetric_and_positive(deep, shape, periodic):
    # Periods that are even on every level: across an odd one two neighbours have the same
    # colour, and the order in which they are relaxed is not reversed after the correction.
    deep.setattr(GridOperator, "krylov_levels", 0)
    problem = make_problem(shape, periodic=periodic, lowest=0.05)
    hierarchy = Multigrid(problem.operator)
    assert len(hierarchy.operators) >= 3
    u, v = problem.vector(0), problem.vector(1)
    bu, bv, both = (np.zeros_like(u) for _ in range(3))
    on_grid = OnGrid(problem.operator, hierarchy)
    _, _, own = on_grid.precondition(bu, u, u)
    on_grid.precondition(bv, v, v)
    on_grid.precondition(both, (u + 2 * v).astype(np.float32), u)
    size = np.linalg.norm(bu) * np.linalg.norm(v)
    assert own > 0
    # Float32 throughout the cycle.
    assert np.vdot(bu, v) == pytest.approx(np.vdot(bv, u), abs=1e-5 * float(size))
    np.testing.assert_allclose(both, bu + 2 * bv, rtol=0, atol=1e-5 * float(np.abs(both).max()))


@pytest.mark.parametrize("seed", range(5))
def test_krylov_steps_come_nearer_to_the_solution_than_a_plain_cycle(deep, seed):
    """Each application must reduce the energy of the error, with Krylov steps by more."""
    problem = make_problem((16, 15, 18), lowest=0.0, seed=seed)
    exact = problem.vector(0, np.float64)
    rhs = problem.product(exact).astype(np.float32)

    def error(levels):
        deep.setattr(GridOperator, "krylov_levels", levels)
        u = np.zeros_like(rhs)
        hierarchy = OnGrid(problem.operator, Multigrid(problem.operator))
        stiffness, _, slope = hierarchy.precondition(u, rhs, u)
        best = slope / stiffness  # as conjugate gradients scale it
        e = best * u - exact
        return np.vdot(e, problem.product(e)) / np.vdot(exact, problem.product(exact))

    with_krylov, plain = error(3), error(0)
    assert with_krylov < 0.05
    assert with_krylov <= plain * 1.01


def test_hierarchy_halves_until_the_coarsest_grid_is_small(monkeypatch):
    monkeypatch.setattr(multigrid, "DIRECT_SIZE", 3000)
    problem = make_problem((64, 40, 33))
    shapes = [op.shape for op in Multigrid(problem.operator).operators]
    assert shapes == [(64, 40, 33), (32, 20, 17), (16, 10, 9)]


@given(st.integers(0, 5))
def test_small_grid_is_solved_directly(seed):
    problem = make_problem((5, 6, 7), lowest=0.1, seed=seed)
    rhs = problem.vector(0)
    u = np.zeros_like(rhs)
    hierarchy = OnGrid(problem.operator, Multigrid(problem.operator))
    _, _, product = hierarchy.precondition(u, rhs, u)
    np.testing.assert_allclose(problem.product(u), rhs, atol=2e-5)
    assert product == pytest.approx(np.vdot(u.astype(float), rhs), rel=1e-5)
