"""Saddle point systems: against a direct solution, few iterations, and what fails."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from microtwin.numerics import ConvergenceError, GridOperator
from microtwin.numerics.quarters import from_quarters, to_quarters
from microtwin.numerics.saddle import SaddleSystem, solve_saddle
from microtwin.numerics.staggered import open_faces, staggered_grid


def brinkman(shape, drag, ring=True):
    """A grid without walls, whose drag alone holds the flow."""
    inside = np.ones(shape, bool)
    operators = []
    for axis in range(3):
        opened = open_faces(inside, axis, ring)
        links = []
        for b in range(3):
            link = opened & np.roll(opened, -1, b)
            if not ring:
                np.moveaxis(link, b, 0)[-1] = False
            links.append(link.view(np.uint8))
        mass = (drag[axis] * opened).astype(np.float32)
        operators.append(GridOperator(tuple(links), mass=to_quarters(mass)))
    return SaddleSystem(tuple(operators), staggered_grid(inside, (1.0, 1.0, 1.0), ring))


def direct(system):
    """Mean of the driven field from one sparse system."""
    import scipy.sparse as sp
    from scipy.sparse.linalg import spsolve

    grid = system.grid
    n = int(np.prod(grid.shape))
    blocks = [[None] * 4 for _ in range(4)]
    for axis in range(3):
        blocks[axis][axis] = system.operators[axis].matrix()
        columns = []
        for voxel in range(n):
            p = np.zeros(n)
            p[voxel] = 1.0
            out = system.operators[axis].zeros(np.float64)
            grid.force(out, to_quarters(p.reshape(grid.shape)), axis)
            columns.append(from_quarters(out, grid.face_shape(axis)).ravel())
        force = sp.csc_array(np.stack(columns, axis=1))
        blocks[axis][3], blocks[3][axis] = -force, -force.T
    blocks[3][3] = -1e-12 * sp.eye_array(n)
    matrix = sp.block_array(blocks).tocsc()
    rhs = np.zeros(matrix.shape[0])
    rhs[:n] = 1.0
    return spsolve(matrix, rhs)[:n].mean()


def test_uneven_drag_against_a_direct_solution():
    drag = 10.0 ** np.random.default_rng(6).uniform(-2, 2, (3, 6, 5, 4))
    system = brinkman((6, 5, 4), drag)
    solution = solve_saddle(system, rtol=1e-8, flux_tol=1e-8)
    assert_allclose(solution.fields[0].mean(), direct(system), rtol=1e-6)
    assert_allclose(solution.layer_flux, solution.layer_flux[0], rtol=1e-7)
    assert solution.residual <= 1e-8
    assert solution.flux_spread <= 1e-8
    assert solution.largest_divergence < 1e-6


@pytest.mark.parametrize("ring", [True, False])
def test_even_drag_needs_no_pressure(ring):
    drag = [np.full((5 + (a == 0 and not ring), 6, 7), 4.0) for a in range(3)]
    if not ring:
        drag[0][[0, -1]] *= 0.5  # outer faces stand for half a voxel
    solution = solve_saddle(brinkman((5, 6, 7), drag, ring))
    assert solution.iterations == 0
    assert_allclose(solution.fields[0], 0.25, rtol=1e-5)


def test_iterations_do_not_grow_with_the_grid():
    counts = []
    for n in (12, 24, 48):
        at = np.indices((n, n, n)) * (2 * np.pi / n)
        wave = 10.0 ** (2 * np.sin(at[0]) * np.sin(at[1]) * np.sin(at[2]))
        solution = solve_saddle(brinkman((n, n, n), [wave] * 3), rtol=1e-6)
        counts.append(solution.iterations)
    assert max(counts) <= 12
    assert counts[2] <= counts[0] + 4


def test_failure_is_told():
    drag = 10.0 ** np.random.default_rng(6).uniform(-2, 2, (3, 6, 5, 4))
    system = brinkman((6, 5, 4), drag)
    with pytest.raises(ConvergenceError, match="no convergence in 1 iterations: residual"):
        solve_saddle(system, max_iterations=1)
