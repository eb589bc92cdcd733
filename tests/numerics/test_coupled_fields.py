"""Several fields tied to each other without symmetry, against a dense solution."""

from __future__ import annotations

import numpy as np
import pytest

from microtwin.numerics import ConvergenceError, Field, GridOperator
from microtwin.numerics.coupled_fields import coupled_correction

SHAPE = (6, 5, 4)


def system(seed, strength=1.0):
    rng = np.random.default_rng(seed)
    operators, scale = [], (1.0, 1e-4)
    for factor in scale:
        faces = [rng.random(SHAPE).astype(np.float32) for _ in range(3)]
        for axis, face in enumerate(faces):
            np.moveaxis(face, axis, 0)[-1] = 0.0
        operator = GridOperator(tuple(faces), (factor,) * 3)
        mass = operator.load((0.1 + rng.random(SHAPE)).astype(np.float32) * np.float32(factor))
        operators.append(operator.with_mass(mass, 1.0))
    ties = {
        (0, 1): operators[0].load((strength * rng.random(SHAPE)).astype(np.float32)),
        (1, 0): operators[0].load((-1e-4 * strength * rng.random(SHAPE)).astype(np.float32)),
        (1, 1): operators[0].load((-1e-5 * rng.random(SHAPE)).astype(np.float32)),
    }
    rhs = [
        op.load(s * rng.normal(size=SHAPE)).astype(np.float32)
        for op, s in zip(operators, scale, strict=True)
    ]
    return operators, ties, rhs


def dense(operators, ties):
    """Return the matrix on the grid."""
    n = int(np.prod(SHAPE))
    matrix = np.zeros((2 * n, 2 * n))
    for f, operator in enumerate(operators):
        for k in range(n):
            unit = np.zeros(n, np.float32)
            unit[k] = 1.0
            out = operator.zeros()
            operator.subtract_product(out, operator.load(unit.reshape(SHAPE)), -1.0)
            matrix[f * n : (f + 1) * n, f * n + k] = operator.unload(out).ravel()
    for (row, column), tie in ties.items():
        block = np.diag(operators[0].unload(tie).ravel())
        matrix[row * n : (row + 1) * n, column * n : (column + 1) * n] += block
    return matrix


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_it_is_the_dense_solution(seed):
    operators, ties, rhs = system(seed)
    fields = [Field(operator) for operator in operators]
    found, iterations = coupled_correction(fields, ties, rhs, 1e-5, [1.0, 1e4])
    known = np.linalg.solve(
        dense(operators, ties),
        np.concatenate([op.unload(part).ravel() for op, part in zip(operators, rhs, strict=True)]),
    )
    ours = np.concatenate([op.unload(p).ravel() for op, p in zip(operators, found, strict=True)])
    np.testing.assert_allclose(ours, known, atol=2e-4 * np.abs(known).max())
    assert iterations < 25


def test_what_does_not_converge_is_said():
    operators, ties, rhs = system(0, strength=1e4)
    fields = [Field(operator) for operator in operators]
    with pytest.raises(ConvergenceError, match="no convergence: in 2 iterations"):
        coupled_correction(fields, ties, rhs, 1e-12, [1.0, 1e4], max_iterations=2)
