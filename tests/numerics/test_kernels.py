"""Smoothing: exact red-black Gauss-Seidel, whatever the number of threads and planes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from microtwin.numerics import (
    Multigrid,
    Source,
    coupling,
    graph_kernels,
    kernels,
    krylov_kernels,
    threads,
)
from microtwin.numerics.plane_fields import PlaneField
from numerics.reference import (
    OnGrid,
    blocks,
    chess_board,
    coarse_shape,
    colour,
    grid_problems,
    make_problem,
    relax,
)

# Relative to the size of the right-hand side over the smallest diagonal (about 30): rounding of
# a few float32 operations per half-sweep.
ROUNDING = 2e-5


@pytest.fixture(params=[1, 2, 3])
def slabs(request, monkeypatch):
    """Cut even small grids into one, two or three slabs."""
    monkeypatch.setattr(threads, "SERIAL_SIZE", 0)
    monkeypatch.setattr(threads, "thread_count", lambda: request.param)
    return request.param


def half_sweeps(problem, u, rhs, colours):
    board = colour(u.shape)
    for c in colours:
        u = relax(problem.matrix, u, rhs, board == c)
    return u


def check_both_ways(problem):
    op, rhs = problem.operator, problem.vector(0)
    u = np.full(op.shape, 1e9, np.float32)
    shape = coarse_shape(op.shape)
    restricted = np.full(shape, np.nan, np.float32)
    problem.on_grid.smooth_and_restrict(u, rhs, restricted)
    expected = half_sweeps(problem, np.zeros(op.shape), rhs, (0, 1) * op.sweeps)
    np.testing.assert_allclose(u, expected, rtol=0, atol=ROUNDING * np.abs(expected).max())

    residual = rhs - problem.product(u)
    summed = (blocks(op.shape).T @ residual.ravel()).reshape(shape)
    tolerance = ROUNDING * problem.magnitude(u)
    np.testing.assert_allclose(restricted, summed, rtol=0, atol=tolerance)

    coarse = np.random.default_rng(1).standard_normal(shape).astype(np.float32)
    corrected = u + (blocks(op.shape) @ coarse.ravel()).reshape(op.shape)
    expected = half_sweeps(problem, corrected, rhs, (1, 0) * op.sweeps)
    v = problem.vector(1)
    own, cross, product = problem.on_grid.prolong_and_smooth(u, coarse, rhs, v)
    np.testing.assert_allclose(u, expected, rtol=0, atol=ROUNDING * np.abs(expected).max())
    scale = float(np.abs(u * rhs).sum())
    assert product == pytest.approx(np.vdot(u.astype(float), rhs), abs=1e-5 * scale)
    scale = problem.magnitude(u) * float(np.abs(u).sum() + np.abs(v).sum())
    assert own == pytest.approx(np.vdot(u, problem.product(u)), abs=1e-5 * scale)
    assert cross == pytest.approx(np.vdot(v, problem.product(u)), abs=1e-5 * scale)


@given(grid_problems(lowest=0.05))
def test_thin_grids_are_smoothed_by_exact_gauss_seidel(problem):
    if chess_board(problem.operator.shape, problem.periodic):
        check_both_ways(problem)


@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("sweeps", [1, 2])
def test_wave_through_slabs_is_exact_gauss_seidel(slabs, periodic, dtype, sweeps):
    shape = (46, 6, 8) if periodic else (45, 5, 7)
    problem = make_problem(shape, periodic=periodic, dtype=dtype, sweeps=sweeps, lowest=0.05)
    assert len(threads.slab_bounds(shape)) == slabs
    check_both_ways(problem)


@pytest.mark.parametrize("n", [2, 3, 8, 16])
@pytest.mark.parametrize("nz", [28, 49, 100, 150, 300])
def test_no_slab_is_too_thin_for_the_wave(n, nz, monkeypatch):
    monkeypatch.setattr(threads, "SERIAL_SIZE", 0)
    monkeypatch.setattr(threads, "thread_count", lambda: n)
    op = make_problem((nz, 4, 5)).operator
    slabs = len(threads.slab_bounds(op.shape))
    assert slabs == min(n, nz // 14)
    assert len(op._downward.rounds[0]) == len(op._upward.rounds[0]) == slabs


@pytest.mark.parametrize("nz", range(8, 26))
def test_no_thickness_is_special(nz):
    # Between too thin for the wave and two slabs.
    check_both_ways(make_problem((nz, 4, 5), lowest=0.05, seed=nz))


@given(grid_problems(low=2, high=12))
def test_smoothing_never_raises_the_energy_of_the_error(problem):
    # Holds for every order of relaxation, also across odd periods.
    op, exact = problem.operator, problem.vector(0, np.float64)
    rhs = problem.product(exact)

    def energy(u):
        return np.vdot(u - exact, problem.product(u - exact))

    u = np.empty(op.shape, np.float32)
    shape = coarse_shape(op.shape)
    problem.on_grid.smooth_and_restrict(u, rhs.astype(np.float32), np.empty(shape, np.float32))
    before = energy(np.zeros(op.shape))
    after = energy(u)
    rounding = 1e-5 * (before + problem.magnitude(exact))
    assert after <= before + rounding
    problem.on_grid.prolong_and_smooth(u, np.zeros(shape, np.float32), rhs.astype(np.float32), u)
    assert energy(u) <= after + rounding


def bits(n, monkeypatch, periodic, dtype):
    """Return the bytes of everything that is computed on n slabs."""
    monkeypatch.setattr(threads, "SERIAL_SIZE", 0)
    monkeypatch.setattr(threads, "thread_count", lambda: n)
    problem = make_problem((45, 11, 10), periodic=periodic, dtype=dtype, lowest=0.05)
    op = problem.operator
    rhs, x, y = (op.load(problem.vector(n)) for n in (0, 1, 5))
    u, r = op.zeros(), op.zeros()
    results = [*Multigrid(op).precondition(u, rhs, rhs), u.copy(), *op.products(u, rhs, rhs)]
    results += [op.subtract_product(rhs, u, 0.7), rhs.copy(), op.dot(u, rhs)]
    p, z = op.load(problem.vector(2)), op.load(problem.vector(3))
    source = Source(PlaneField.dense(problem.vector(4)), (1.0, 0.5, 0.0))
    results += [*op.renew(r, x, y, op.prepared(source)), x.copy(), y.copy(), r.copy()]
    op.split(x, y)
    results += [x, *op.advance(y, r, p, z, 0.3, 0.2), y, p, r]
    results += [op.mean_flux(op.unload(x, np.float64), source)]
    results += list(op.coarsen().faces)
    return [np.asarray(value).tobytes() for value in results]


@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_results_do_not_depend_on_the_number_of_slabs(monkeypatch, periodic, dtype):
    one, two, three = (bits(n, monkeypatch, periodic, dtype) for n in (1, 2, 3))
    assert one == two == three


@settings(max_examples=20)
@given(grid_problems(low=4, high=9), st.integers(0, 3))
def test_a_voxel_without_links_stays_at_zero(problem, seed):
    """The divisor of such a voxel is 0; its value must not become NaN or large."""
    shape = problem.operator.shape
    z, y, x = np.random.default_rng(seed).integers(1, np.array(shape) - 1)
    faces = [face.copy() for face in problem.operator.faces]
    for axis, face in enumerate(faces):
        before = [z, y, x]
        before[axis] -= 1
        face[z, y, x] = face[tuple(before)] = 0
    op = type(problem.operator)(tuple(faces), problem.operator.weights)
    rhs = problem.vector(0)
    rhs[z, y, x] = 0
    u = np.zeros(shape, np.float32)
    OnGrid(op).smooth_and_restrict(u, rhs, np.empty(coarse_shape(shape), np.float32))
    assert u[z, y, x] == 0
    assert np.isfinite(u).all()


@pytest.mark.parametrize("module", [kernels, krylov_kernels, coupling, graph_kernels])
def test_slices_stay_among_functions_that_do_not_count_references(module):
    """A caller that counts would give back references that nobody has taken."""
    functions = [f for f in vars(module).values() if hasattr(f, "py_func")]
    assert functions
    for function in functions:
        if {"star", "links"} & set(function.py_func.__code__.co_names):
            assert function.targetoptions["_nrt"] is False, function.py_func.__name__
