"""The solver against direct solutions, manufactured solutions and its own promises."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.linalg import spsolve

from microtwin.numerics import (
    ConvergenceError,
    GridOperator,
    Multigrid,
    PlaneField,
    Source,
    multigrid,
    solve,
)
from numerics.reference import grid_problems, link_matrix, make_problem


def direct(problem, source):
    """Return the solution by sparse elimination in double precision."""
    rhs = problem.right_hand_side(source)
    return spsolve(problem.matrix.tocsc(), rhs.ravel()).reshape(rhs.shape)


@settings(max_examples=40)
@given(
    grid_problems(lowest=0.05, ends=True),
    st.tuples(*[st.floats(-2, 2)] * 3),
    st.sampled_from([10, 60, 3000]),
)
def test_solution_is_that_of_sparse_elimination(problem, drive, direct_size):
    source = Source(PlaneField.dense(problem.vector(0)), drive)
    expected = direct(problem, source)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(multigrid, "DIRECT_SIZE", direct_size)
        solution = solve(problem.operator, source, rtol=2e-8)
    # The residual bounds the error times the smallest eigenvalue, here about 0.01.
    assert np.abs(solution.x - expected).max() <= 2e-5 * np.abs(expected).max()
    assert solution.residual <= 2e-8
    jump = np.roll(expected, -1, 0) - expected + drive[0]
    layers = (problem.operator.weights[0] * problem.operator.faces[0] * jump).sum((1, 2))
    tolerance = 1e-4 * np.abs(layers).max() + 1e-6
    np.testing.assert_allclose(solution.flux[1:-1], layers[:-1], atol=tolerance)


def test_history_and_numbers_belong_together():
    problem = make_problem((20, 18, 16), mass=False, lowest=0.05)
    source = Source(PlaneField.zeros(problem.operator.shape), (1.0, 0.0, 0.0))
    calls = []
    solution = solve(problem.operator, source, progress=lambda *numbers: calls.append(numbers))
    assert len(solution.residual_history) == solution.iterations + 1
    assert len(solution.spread_history) == solution.iterations + 1
    assert solution.residual_history[0] == pytest.approx(1.0)
    assert solution.residual == solution.residual_history[-1] <= 1e-6
    assert solution.flux_spread == solution.spread_history[-1]
    flux = solution.flux
    assert solution.flux_spread == pytest.approx(np.ptp(flux) / abs(flux.mean()))
    assert [n for n, _, _ in calls] == list(range(1, solution.iterations + 1))
    assert tuple(r for _, r, _ in calls) == solution.residual_history[1:]
    # The stated residual is that of the solution returned.
    rhs = problem.right_hand_side(source)
    residual = np.linalg.norm(rhs - problem.product(solution.x)) / np.linalg.norm(rhs)
    assert solution.residual == pytest.approx(residual, rel=0.2, abs=3e-8)


def test_both_bounds_must_hold():
    problem = make_problem((24, 20, 18), ends=True, mass=False, lowest=0.05)
    source = Source(PlaneField.zeros(problem.operator.shape), (1.0, 0.0, 0.0))
    loose = solve(problem.operator, source, rtol=1e-1)
    by_flux = solve(problem.operator, source, rtol=1e-1, flux_tol=1e-6)
    assert loose.flux_spread > 1e-6
    assert by_flux.flux_spread <= 1e-6
    assert by_flux.iterations > loose.iterations


def test_scale_replaces_the_norm_of_the_right_hand_side():
    problem = make_problem((12, 11, 10), lowest=0.05)
    source = Source(PlaneField.dense(problem.vector(0)))
    norm = float(np.linalg.norm(problem.vector(0)))
    usual = solve(problem.operator, source)
    scaled = solve(problem.operator, source, scale=10 * norm)
    assert scaled.residual_history[0] == pytest.approx(0.1, rel=1e-5)
    assert scaled.iterations <= usual.iterations


def test_solution_as_guess_needs_no_iteration():
    problem = make_problem((16, 17, 18), lowest=0.05)
    source = Source(PlaneField.dense(problem.vector(0)), (0.0, 1.0, 0.0))
    first = solve(problem.operator, source)
    guess = first.x.copy()
    again = solve(problem.operator, source, guess=guess)
    assert again.iterations == 0
    assert again.residual == first.residual
    np.testing.assert_array_equal(again.x, first.x)
    assert again.x is not guess


def test_near_guess_saves_iterations():
    problem = make_problem((32, 30, 28), lowest=0.05)
    source = Source(PlaneField.dense(problem.vector(0)))
    cold = solve(problem.operator, source)
    warm = solve(problem.operator, source, guess=cold.x * (1 + 1e-4))
    assert 0 < warm.iterations < cold.iterations
    np.testing.assert_allclose(warm.x, cold.x, atol=1e-5 * np.abs(cold.x).max())


def test_hierarchy_can_be_used_again():
    problem = make_problem((20, 22, 24), lowest=0.05)
    hierarchy = Multigrid(problem.operator)
    source = Source(PlaneField.dense(problem.vector(0)))
    first = solve(problem.operator, source, hierarchy=hierarchy)
    second = solve(problem.operator, source, hierarchy=hierarchy)
    fresh = solve(problem.operator, source)
    np.testing.assert_array_equal(first.x, second.x)
    np.testing.assert_array_equal(first.x, fresh.x)


def test_no_source_no_field():
    problem = make_problem((6, 7, 8), lowest=0.05)
    solution = solve(problem.operator, Source(PlaneField.zeros((6, 7, 8))), flux_tol=1e-4)
    assert solution.iterations == 0
    assert not solution.x.any()


@pytest.mark.parametrize("flux_tol", [None, 1e-4])
def test_guess_without_a_source_is_not_taken_for_the_solution(flux_tol):
    problem = make_problem((6, 7, 8), lowest=0.05)
    source = Source(PlaneField.zeros((6, 7, 8)))
    guess = problem.vector(0, np.float64)
    try:
        solution = solve(problem.operator, source, guess=guess, flux_tol=flux_tol)
    except (ConvergenceError, ValueError):
        return
    assert np.abs(solution.x).max() <= 1e-4 * np.abs(guess).max()


def test_error_says_what_was_reached_and_what_was_wanted():
    problem = make_problem((32, 30, 28), mass=False, lowest=0.05)
    source = Source(PlaneField.zeros(problem.operator.shape), (1.0, 0.0, 0.0))
    with pytest.raises(ConvergenceError) as error:
        solve(problem.operator, source, rtol=1e-7, flux_tol=1e-5, max_iterations=1)
    message = str(error.value)
    assert "no convergence in 1 iterations" in message
    assert "(wanted 1.0e-07)" in message
    assert "(wanted 1.0e-05)" in message
    residual, spread = map(float, re.findall(r"(?:residual|spread) ([\d.e+-]+)", message))
    partial = solve(problem.operator, source, rtol=residual * 1.1, max_iterations=1)
    assert residual == pytest.approx(partial.residual, rel=0.06)
    assert spread == pytest.approx(partial.flux_spread, rel=0.06)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_input_that_is_not_finite_raises(value):
    problem = make_problem((6, 7, 8), lowest=0.05)
    field = problem.vector(0)
    field[3, 3, 3] = value
    with pytest.raises(ConvergenceError):
        solve(problem.operator, Source(PlaneField.dense(field)))


def test_two_runs_give_the_same_bits():
    problem = make_problem((48, 40, 36), dtype=np.uint8, mass=False)
    source = Source(PlaneField.zeros(problem.operator.shape), (1.0, 0.0, 0.0))
    one, two = (solve(problem.operator, source) for _ in range(2))
    assert one.x.tobytes() == two.x.tobytes()
    assert one.residual_history == two.residual_history
    assert one.flux.tobytes() == two.flux.tobytes()


# Manufactured solutions on the box (0, 1)^3. None of the discrete problems has them as an
# eigenvector, which would hide errors of the closure at the boundary.


def centres(shape):
    return list(np.meshgrid(*[(np.arange(n) + 0.5) / n for n in shape], indexing="ij"))


def box(shape, conductivity, ends, reaction):
    """Return the operator of -div(k grad u) + c u on the unit box, with closed sides."""
    h = 1.0 / np.array(shape)
    faces = []
    for axis in range(3):
        at = centres(shape)
        at[axis] = at[axis] + 0.5 * h[axis]
        face = conductivity(*at).astype(np.float32)
        face[(slice(None),) * axis + (-1,)] = 0
        faces.append(face)
    weights = tuple(float(h.prod() / step**2) for step in h)
    outer = None
    if ends:
        _, y, x = (c[0] for c in centres(shape))
        low, high = (conductivity(np.full(y.shape, end), y, x) for end in (0.0, 1.0))
        outer = PlaneField.outer(2 * weights[0] * low, 2 * weights[0] * high, shape[0])
    mass = PlaneField.dense(np.full(shape, reaction * h.prod())) if reaction else None
    return GridOperator(tuple(faces), weights, outer, mass), float(h.prod())


def cosines(shape):
    """u = cos(pi z) cos(2 pi y) exp(cos(pi x)), closed sides, k = 1, reaction 3."""
    z, y, x = centres(shape)
    u = np.cos(np.pi * z) * np.cos(2 * np.pi * y) * np.exp(np.cos(np.pi * x))
    bend = np.sin(np.pi * x) ** 2 - np.cos(np.pi * x)  # of exp(cos), over pi^2 exp(cos)
    f = (5 * np.pi**2 - np.pi**2 * bend + 3.0) * u
    operator, volume = box(shape, lambda z, y, x: 1 + 0 * z, False, 3.0)
    return operator, f * volume, u


def fixed_ends(shape):
    """u = z (1 - z) e^z (1 + 3 x^2 - 2 x^3), zero at both ends, k = 1 + x / 2 + z^2."""
    z, _, x = centres(shape)
    a, b = z * (1 - z) * np.exp(z), 1 + 3 * x**2 - 2 * x**3
    da, dda = (1 - z - z**2) * np.exp(z), -(3 * z + z**2) * np.exp(z)
    db, ddb = 6 * x - 6 * x**2, 6 - 12 * x
    k = 1 + x / 2 + z**2
    f = -(2 * z * da * b + k * dda * b + 0.5 * a * db + k * a * ddb)
    operator, volume = box(shape, lambda z, y, x: 1 + x / 2 + z**2, True, 0.0)
    return operator, f * volume, a * b


@pytest.mark.parametrize("case", [cosines, fixed_ends])
@pytest.mark.parametrize("stretch", [(1, 1, 1), (1, 2, 0.5)])
def test_manufactured_solutions_converge_at_second_order(case, stretch):
    errors = []
    for n in (8, 16, 32):
        shape = tuple(int(n * s) for s in stretch)
        operator, rhs, exact = case(shape)
        solution = solve(operator, Source(PlaneField.dense(rhs)), rtol=1e-7)
        errors.append(np.sqrt(np.mean((solution.x - exact) ** 2)) / np.abs(exact).max())
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    # The last step is in the asymptotic range.
    assert orders[-1] == pytest.approx(2.0, abs=0.1)
    assert errors[-1] < 2e-3


def test_periodic_problem_with_a_reaction_converges_at_second_order():
    """u = exp(sin(2 pi z)) + cos(2 pi y), period 1, reaction 10."""
    errors = []
    for n in (8, 16, 32, 64):
        shape = (n, n, 4)
        z, y, _ = centres(shape)
        s = np.sin(2 * np.pi * z)
        u = np.exp(s) + np.cos(2 * np.pi * y)
        bend = 4 * np.pi**2 * (np.cos(2 * np.pi * z) ** 2 - s) * np.exp(s)
        f = -bend + 4 * np.pi**2 * np.cos(2 * np.pi * y) + 10 * u
        faces = tuple(np.ones(shape, np.uint8) for _ in range(3))
        mass = PlaneField.dense(np.full(shape, 10.0 / n**2))
        operator = GridOperator(faces, mass=mass)
        rhs = PlaneField.dense(f / n**2)
        solution = solve(operator, Source(rhs), rtol=1e-7)
        errors.append(np.abs(solution.x - u).max())
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert orders[-1] == pytest.approx(2.0, abs=0.05)


@pytest.mark.parametrize("nz", [2, 5, 12, 31])
def test_layers_in_series_are_exact(nz):
    """Any conductances in series: the flux is the drop over the sum of resistances."""
    rng = np.random.default_rng(nz)
    values = rng.uniform(0.1, 1.0, nz + 1).astype(np.float32)
    shape = (nz, 6, 5)
    faces = [np.ones(shape, np.float32) for _ in range(3)]
    faces[0][:-1] = values[1:-1, None, None]
    for axis in range(3):
        faces[axis][(slice(None),) * axis + (-1,)] = 0
    low, high = (np.full((6, 5), v) for v in (values[0], values[-1]))
    operator = GridOperator(tuple(faces), ends=PlaneField.outer(low, high, nz))
    source = Source(PlaneField.outer(0 * low, high, nz))  # potential 1 beyond the high end
    solution = solve(operator, source, rtol=1e-7, flux_tol=1e-6)
    expected = 30 / (1 / values.astype(float)).sum()
    np.testing.assert_allclose(solution.flux[:-1], expected, rtol=2e-6)


def test_float32_conductances_keep_double_precision_solutions():
    """The solution is refined in double precision: the residual falls far below 1e-7 of x."""
    problem = make_problem((24, 24, 24), mass=False, lowest=0.05)
    source = Source(PlaneField.zeros((24, 24, 24)), (1.0, 0.0, 0.0))
    solution = solve(problem.operator, source, rtol=1e-11)
    affine = (np.arange(24) + 0.5)[:, None, None]
    total = solution.x + affine
    links = link_matrix(problem.operator.faces, tuple(map(np.float32, problem.operator.weights)))
    inflow = (links @ total.ravel()).reshape(total.shape)
    assert np.abs(inflow[1:-1]).max() <= 1e-9
