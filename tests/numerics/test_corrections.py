from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from microtwin.numerics import (
    AndersonMixing,
    ConvergenceError,
    Field,
    GridOperator,
    PlaneField,
    TiedFields,
    correction,
    weighted_sum,
)
from microtwin.numerics.quarters import to_quarters, vector_positions


def operator(rng, shape, held=True, scale=1.0):
    faces = [scale * rng.uniform(0.2, 1.0, shape).astype(np.float32) for _ in range(3)]
    for axis, face in enumerate(faces):
        face[(slice(None),) * axis + (-1,)] = 0.0
    low = scale * np.ones(shape[1:], np.float32)
    ends = PlaneField.outer(low, 0.0 * low, shape[0]) if held else None
    return GridOperator(tuple(faces), ends=ends)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000), st.tuples(*[st.integers(3, 9)] * 3))
def test_a_correction_solves_the_system(seed, shape):
    rng = np.random.default_rng(seed)
    op = operator(rng, shape)
    rhs = rng.normal(size=shape).astype(np.float32)
    residual = [op.load(rhs)]
    found = correction(Field(op), residual, 1e-9)
    left = op.matrix() @ op.unload(found.parts[0]).ravel().astype(float) - rhs.ravel()
    assert np.linalg.norm(left) < 2e-3 * np.linalg.norm(rhs)
    assert np.isclose(np.linalg.norm(residual[0]), found.residual)


def test_a_correction_that_does_not_converge_says_so():
    rng = np.random.default_rng(0)
    op = operator(rng, (12, 12, 12))
    with pytest.raises(ConvergenceError, match="did not converge: in 1 iterations"):
        residual = [op.load(rng.normal(size=op.shape).astype(np.float32))]
        correction(Field(op), residual, 1e-9, max_iterations=1)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000), st.floats(-6, 0))
def test_tied_fields_are_solved_together_however_weak_the_ties(seed, strength):
    rng = np.random.default_rng(seed)
    shape, deep = (5, 6, 7), (8, 6, 7)
    first, second = operator(rng, shape), operator(rng, deep, held=False)
    n = 60
    here = rng.integers(0, np.array(shape), (n, 3)).T
    there = here.copy()
    there[0, : n // 3] = np.minimum(there[0, : n // 3] + 1, deep[0] - 1)
    ends = vector_positions(here, shape), vector_positions(there, deep)
    present = to_quarters(np.ones(deep, np.float32))
    tied = TiedFields(first, second, ends, present)
    g = 10.0**strength * rng.uniform(0.5, 1.0, n)
    tied.tie(g)
    a, b = rng.normal(size=shape), rng.normal(size=deep)
    found = tied.solve([first.load(a.astype(np.float32)), second.load(b.astype(np.float32))], 0.0)
    x = first.unload(found.parts[0]).astype(float)
    y = second.unload(found.parts[1]).astype(float) + found.shift
    flow = g * (x[tuple(here)] - y[tuple(there)])
    top = a.ravel() - first.matrix() @ x.ravel()
    low = b.ravel() - second.matrix() @ y.ravel()
    np.subtract.at(top, np.ravel_multi_index(tuple(here), shape), flow)
    np.add.at(low, np.ravel_multi_index(tuple(there), deep), flow)
    scale = np.linalg.norm(a) + np.linalg.norm(b)
    assert np.hypot(np.linalg.norm(top), np.linalg.norm(low)) < 0.01 * scale


def test_weak_ties_leave_the_level_exact():
    """What one field passes on to the other is known to more digits than single precision has."""
    rng = np.random.default_rng(1)
    shape = (6, 6, 6)
    first, second = operator(rng, shape), operator(rng, shape, held=False)
    voxels = np.indices(shape).reshape(3, -1)
    place = vector_positions(voxels, shape)
    tied = TiedFields(first, second, (place, place), to_quarters(np.ones(shape, np.float32)))
    g = np.full(len(place), 1e-8)
    tied.tie(g)
    found = tied.solve([first.zeros(), second.load(np.ones(shape, np.float32))], 0.0)
    assert found.shift == pytest.approx(1.0 / 1e-8, rel=1e-5)


def test_weighted_sums_are_in_double_precision():
    rng = np.random.default_rng(0)
    state, weight = rng.normal(size=(20, 300)), rng.uniform(size=(20, 300)).astype(np.float32)
    assert weighted_sum(state, weight) == pytest.approx(float((state * weight).sum()), rel=1e-13)


def test_mixing_finds_a_fixed_point_that_repetition_runs_away_from():
    rng = np.random.default_rng(2)
    q, _ = np.linalg.qr(rng.normal(size=(6, 6)))
    matrix = q @ np.diag([-2.0, -1.5, 0.3, 0.5, 0.2, -0.4]) @ q.T
    shift = rng.normal(size=6)
    exact = np.linalg.solve(np.eye(6) - matrix, shift)
    mixing, x = AndersonMixing(np.ones(6)), np.zeros(6)
    for _ in range(30):
        x = mixing.next(x, matrix @ x + shift)
    np.testing.assert_allclose(x, exact, atol=1e-6)


def test_links_follow_what_multiplies_them():
    rng = np.random.default_rng(3)
    op = operator(rng, (4, 5, 6))
    factor = rng.uniform(0.5, 2.0, op.shape).astype(np.float32)
    scaled = op.with_mass(None, 3.0, op.load(factor))
    after = factor[1:]
    np.testing.assert_allclose(
        scaled.face(0)[:-1], op.face(0)[:-1] * 0.5 * (factor[:-1] + after), rtol=1e-6
    )
    assert scaled.weights == tuple(3.0 * w for w in op.weights)
    np.testing.assert_allclose(scaled.ends.grid()[0], 3.0 * factor[0], rtol=1e-6)
