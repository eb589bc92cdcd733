"""The compiled operator against a sparse matrix that is assembled entry by entry."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from microtwin.numerics import GridOperator, PlaneField, Source
from numerics.reference import blocks, dense, grid_problems, make_problem

# Kernels add up to a dozen float32 terms per voxel and a hundred voxels per row: rounding of the
# order of 1e-6 of the sizes of the terms.
ROUNDING = 3e-6


@given(grid_problems())
def test_matrix_is_the_sum_of_its_links(problem):
    difference = abs(problem.operator.matrix() - problem.matrix)
    # Weights are kept in double precision, conductances and the diagonal in single.
    assert difference.max() <= ROUNDING * abs(problem.matrix).max()


@given(grid_problems())
def test_products(problem):
    u, v = problem.vector(0), problem.vector(1)
    rhs = problem.vector(2)
    own, cross, load = problem.on_grid.products(u, v, rhs)
    scale = float(np.vdot(np.abs(u), (abs(problem.matrix) @ np.abs(u).ravel()).reshape(u.shape)))
    assert own == pytest.approx(np.vdot(u, problem.product(u)), abs=ROUNDING * scale)
    scale = float(np.vdot(np.abs(v), (abs(problem.matrix) @ np.abs(u).ravel()).reshape(u.shape)))
    assert cross == pytest.approx(np.vdot(v, problem.product(u)), abs=ROUNDING * scale)
    scale = float(np.abs(u * rhs).sum())
    assert load == pytest.approx(np.vdot(u.astype(float), rhs), abs=ROUNDING * scale)


@given(grid_problems(), st.floats(-3, 3))
def test_subtract_product(problem, factor):
    u, r = problem.vector(0), problem.vector(1)
    expected = r - factor * problem.product(u)
    norm = problem.on_grid.subtract_product(r, u, factor)
    tolerance = ROUNDING * (1 + abs(factor)) * (5 + problem.magnitude(u))
    np.testing.assert_allclose(r, expected, rtol=0, atol=tolerance)
    assert norm == pytest.approx(np.vdot(r.astype(float), r.astype(float)), rel=1e-5)


@given(grid_problems(), st.tuples(*[st.floats(-2, 2)] * 3))
def test_renew_returns_the_residual_and_the_flux_of_the_sum(problem, drive):
    op = problem.operator
    x, y, r = problem.vector(0), problem.vector(1), problem.vector(2)
    source = Source(PlaneField.dense(problem.vector(4)), drive)
    total = x.astype(float) + y
    norm, flux = problem.on_grid.renew(r, x, y, source)
    residual = problem.right_hand_side(source) - problem.product(total)
    # The residual itself is rounded to float32 once; everything before is double, but for the
    # weights, which the operator keeps in single precision.
    tolerance = ROUNDING * (5 + problem.magnitude(total) + problem.links.diagonal().max())
    np.testing.assert_allclose(r, residual, rtol=0, atol=tolerance)
    assert norm == pytest.approx(np.vdot(r.astype(float), r.astype(float)), rel=1e-5)
    layers = problem.layer_flux(total, drive[0])
    np.testing.assert_allclose(flux[1:-1], layers[:-1], rtol=1e-6, atol=tolerance)
    expected = layers[[-1, -1]]
    if op.ends is not None:
        expected = problem.end_flux(total, dense(source.field))
    np.testing.assert_allclose(flux[[0, -1]], expected, rtol=1e-6, atol=tolerance)


@given(grid_problems(low=2, high=5), st.integers(-40, 40))
def test_split_keeps_the_sum_to_twice_the_digits_of_single_precision(problem, exponent):
    x, y = problem.vector(0), problem.vector(1) * np.float32(2.0**exponent)
    total = x.astype(float) + y
    problem.on_grid.split(x, y)
    np.testing.assert_array_equal(x, total.astype(np.float32))
    np.testing.assert_allclose(x.astype(float) + y, total, rtol=2.0**-47)


@given(grid_problems(), st.floats(-2, 2), st.floats(-2, 2))
def test_advance_moves_and_updates_residual_and_flux(problem, alpha, beta):
    op = problem.operator
    y, r, p, z = (problem.vector(n) for n in range(4))
    direction = z.astype(float) + beta * p
    moved, rest = y + alpha * direction, r - alpha * problem.product(direction)
    norm, flux, along = problem.on_grid.advance(y, r, p, z, alpha, beta)
    np.testing.assert_allclose(p, direction, rtol=0, atol=1e-5)
    np.testing.assert_allclose(y, moved, rtol=0, atol=1e-5)
    tolerance = ROUNDING * (5 + 2 * problem.magnitude(direction))
    np.testing.assert_allclose(r, rest, rtol=0, atol=2 * tolerance)
    assert norm == pytest.approx(np.vdot(r.astype(float), r.astype(float)), rel=1e-5)
    layers = alpha * problem.layer_flux(direction)
    size = tolerance * op.shape[1] * op.shape[2]
    np.testing.assert_allclose(flux[1:-1], layers[:-1], rtol=1e-5, atol=size)
    expected = layers[[-1, -1]]
    if op.ends is not None:
        expected = alpha * problem.end_flux(direction, np.zeros(op.shape))
    np.testing.assert_allclose(flux[[0, -1]], expected, rtol=1e-5, atol=size)
    assert along == pytest.approx(
        np.vdot(p.astype(float), r), abs=2 * ROUNDING * float(np.abs(p * r).sum())
    )


@given(grid_problems(ends=False), st.tuples(*[st.floats(-2, 2)] * 3))
def test_mean_flux_sums_over_all_faces(problem, drive):
    op, x = problem.operator, problem.vector(0, np.float64)
    expected = [
        (op.weights[a] * op.faces[a] * (np.roll(x, -1, a) - x + drive[a])).sum() / op.size
        for a in range(3)
    ]
    flux = op.mean_flux(x, Source(PlaneField.zeros(op.shape), drive))
    np.testing.assert_allclose(flux, expected, rtol=1e-5, atol=ROUNDING * problem.magnitude(x))


def test_mean_flux_between_fixed_faces_counts_the_outer_half_layers():
    # A box of unit conductance under a unit step per voxel: flux 1, although there are only
    # nz - 1 layers of inner faces.
    shape = (5, 4, 3)
    faces = tuple(np.ones(shape, np.uint8) for _ in range(3))
    for axis in range(3):
        faces[axis][(slice(None),) * axis + (-1,)] = 0
    ends = PlaneField.outer(*np.full((2, 4, 3), 2.0), 5)
    op = GridOperator(faces, ends=ends)
    source = Source(PlaneField.zeros(shape), (1.0, 0.0, 0.0))
    np.testing.assert_allclose(op.mean_flux(np.zeros(shape), source), [1, 0, 0])


@given(grid_problems(), st.floats(-2, 2), st.floats(-2, 2))
def test_combine(problem, a, b):
    u, v = problem.vector(0), problem.vector(1)
    expected = a * u.astype(float) + b * v.astype(float)
    problem.on_grid.combine(u, a, v, b)
    np.testing.assert_allclose(u, expected, rtol=0, atol=5e-6)


def test_combine_may_scale_a_vector_in_place():
    problem = make_problem((5, 4, 7))
    u = problem.vector(0)
    expected = np.float32(1.5) * u
    problem.on_grid.combine(u, 1.5, u, 0.0)
    np.testing.assert_allclose(u, expected)


@given(grid_problems(low=3))
def test_coarse_operator_is_galerkin_with_halved_links(problem):
    coarse = problem.operator.coarsen()
    p = blocks(problem.operator.shape)
    halved = 0.5 * (problem.links + sp.diags_array(problem.ends.ravel()))
    expected = p.T @ (halved + sp.diags_array(problem.mass.ravel())) @ p
    assert abs(coarse.matrix() - expected).max() <= ROUNDING * abs(expected).max()


@given(grid_problems(low=3, ends=True, mass=True))
def test_coarsening_keeps_totals(problem):
    coarse = problem.operator.coarsen()
    assert dense(coarse.ends).sum() == pytest.approx(problem.ends.sum() / 2, rel=1e-5)
    assert dense(coarse.mass).sum() == pytest.approx(problem.mass.sum(), rel=1e-5)
    assert coarse.weights == problem.operator.weights
    for axis in range(3):
        n = problem.operator.shape[axis]
        # Faces between blocks: after every second voxel, and the one across the period.
        between = np.unique([*range(1, n, 2), n - 1])
        fine = problem.operator.faces[axis].take(between, axis).astype(float)
        assert coarse.faces[axis].sum(dtype=float) == pytest.approx(fine.sum() / 2, rel=1e-5)


def test_factorize_solves_a_singular_system_up_to_a_constant():
    problem = make_problem((6, 5, 4), periodic=True, ends=False, mass=False, lowest=0.1)
    rhs = problem.vector(0)
    rhs -= rhs.mean()
    op = problem.operator
    u = op.unload(op.factorize()(op.load(rhs)))
    # Float32 result; the shift of 1e-7 of the diagonal acts like a weak reaction.
    np.testing.assert_allclose(problem.product(u), rhs, atol=2e-5)


plane_fields = st.builds(
    lambda nz, ny, nx, m, seed: PlaneField(
        np.random.default_rng(seed).uniform(0, 1, (m, ny, nx)).astype(np.float32),
        np.random.default_rng(seed + 1).integers(0, m, nz),
    ),
    *[st.integers(2, 9)] * 3,
    st.integers(1, 5),
    st.integers(0, 1000),
)


@given(plane_fields, st.floats(0.1, 3))
def test_block_sums_of_a_plane_field(field, factor):
    values = dense(field)
    p = blocks(values.shape)
    coarse = field.block_sums(factor)
    expected = factor * (p.T @ values.ravel())
    np.testing.assert_allclose(dense(coarse).ravel(), expected, rtol=1e-5, atol=1e-6)
    assert dense(coarse).shape == tuple((n + 1) // 2 for n in values.shape)


@given(plane_fields, st.integers(0, 100))
def test_sum_of_plane_fields(field, seed):
    rng = np.random.default_rng(seed)
    plane = rng.integers(0, 3, len(field.plane))
    other = PlaneField(rng.uniform(0, 1, (3, *field.values.shape[1:])).astype(np.float32), plane)
    np.testing.assert_allclose(dense(field.plus(other)), dense(field) + dense(other), rtol=1e-6)


def test_outer_field_stays_cheap_on_coarser_grids():
    low, high = np.full((2, 64, 64), 2.0)
    field = PlaneField.outer(low, high, 64)
    values = dense(field)
    assert values[0].min() == values[-1].min() == 2.0
    assert not values[1:-1].any()
    while len(field.plane) > 2:
        field = field.block_sums(0.5)
        assert len(field.values) <= 3
    np.testing.assert_allclose(dense(field), 2.0 * 4**5 / 2**5)


def test_zero_field_costs_one_plane():
    field = PlaneField.zeros((50, 4, 3))
    assert field.values.shape == (1, 4, 3)
    assert not dense(field).any()
    assert dense(field).shape == (50, 4, 3)
