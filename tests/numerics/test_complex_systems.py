"""Complex systems against direct solves, and how many iterations they take."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.sparse.linalg import spsolve

from microtwin.numerics import ComplexField, ConvergenceError, GridOperator, PlaneField
from microtwin.numerics.complex_systems import complex_product
from microtwin.numerics.flexible_gmres import solve_general


def operator(n, seed=0, fixed=True):
    """Return a grid with links of 1 to 10, held at its last plane or nowhere."""
    rng = np.random.default_rng(seed)
    faces = tuple(rng.uniform(1.0, 10.0, (n, n, n)).astype(np.float32) for _ in range(3))
    for axis, face in enumerate(faces):
        np.moveaxis(face, axis, 0)[-1] = 0
    end = np.ones((n, n), np.float32)
    ends = PlaneField.outer(0 * end, 2 * end, n) if fixed else None
    return GridOperator(faces, ends=ends)


def solved(n, scale, fixed=True, rtol=1e-8):
    k = operator(n, fixed=fixed)
    rng = np.random.default_rng(1)
    storage = k.load((scale * rng.uniform(0.0, 1.0, k.shape)).astype(np.float32))
    rhs = k.load(rng.normal(size=k.shape)).astype(complex)
    return k, storage, rhs, ComplexField(k, storage).solve(rhs, rtol)


@pytest.mark.parametrize("fixed", [True, False])
@pytest.mark.parametrize("scale", [1e-6, 1e-2, 1.0, 1e4])
def test_it_finds_what_a_direct_solve_finds(scale, fixed):
    k, storage, rhs, found = solved(9, scale, fixed)
    at = k.positions()
    matrix = k.matrix() + sp.diags_array(1j * storage.reshape(-1)[at].astype(float))
    exact = spsolve(matrix.tocsc(), rhs.reshape(-1)[at])
    np.testing.assert_allclose(found.values.reshape(-1)[at], exact, rtol=1e-5)


def test_iterations_grow_neither_with_frequency_nor_with_the_grid():
    counts = [
        solved(n, scale, rtol=1e-6)[3].iterations
        for n in (12, 24, 48)
        for scale in (1e-4, 1e-1, 1e1, 1e3)
    ]
    assert max(counts) <= 15, counts


def test_a_product_of_any_shape():
    k = operator(5)
    u = np.random.default_rng(2).normal(size=(2, *k.zeros().shape)).T.copy().T
    vector = u[0] + 1j * u[1]
    out = complex_product(k, vector.reshape(-1))
    at = k.positions()
    np.testing.assert_allclose(out[at], k.matrix() @ vector.reshape(-1)[at], rtol=1e-12)


def test_nothing_is_solved_at_once():
    k = operator(5)
    zero = k.zeros().astype(complex)
    found = ComplexField(k, k.zeros()).solve(zero, 1e-6)
    assert found.iterations == 0
    assert not found.values.any()


def test_what_does_not_converge_is_said():
    rhs = np.ones(30, complex)
    shift = np.roll(np.eye(30), 1, axis=0)  # which Krylov methods find in 30 steps, not before
    rhs[1:] = 0
    with pytest.raises(ConvergenceError, match="in 10 iterations the residual went from 1"):
        solve_general(lambda u: shift @ u, lambda r: r, rhs, 1e-6, max_iterations=10)
