"""The system of equations: half a voxel at the outer faces, weights, and the scale of residuals."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_allclose

from microtwin.transport.cell_problem import cell_problem

SHAPE = (4, 2, 2)


def open_faces(periodic: bool):
    faces = tuple(np.ones(SHAPE, np.float32) for _ in range(3))
    if not periodic:
        for axis, face in enumerate(faces):
            face[(slice(None),) * axis + (-1,)] = 0.0
    return faces, (np.ones(SHAPE[1:], np.float32), np.ones(SHAPE[1:], np.float32))


def residual_of_rest(operator, source):
    x, y, r = (operator.zeros() for _ in range(3))
    return operator.renew(r, x, y, operator.prepared(source))


def test_the_linear_potential_solves_an_empty_box():
    for periodic in (False, True):
        faces, outer = open_faces(periodic)
        operator, source, scale = cell_problem(faces, outer, (1.0, 1.0, 1.0), periodic)
        norm, flux = residual_of_rest(operator, source)
        assert norm == 0.0
        assert_allclose(flux, 4.0)  # four faces per layer, one step each; the outer ones too
        # 4 steps over half a voxel, twice the conductance, on four faces.
        assert_allclose(scale, 4 * np.linalg.norm(np.full(4, 2.0)))


def test_the_matrix_of_fixed_potentials():
    faces, outer = open_faces(False)
    operator, _, _ = cell_problem(faces, outer, (1.0, 2.0, 0.5), False, factor=3.0)
    matrix = operator.matrix().toarray().reshape(*SHAPE, *SHAPE)
    # Links along z conduct 3, along y 3 / 4 and along x 3 x 4; the outer face is half as far.
    assert_allclose(-matrix[0, 0, 0, 1, 0, 0], 3.0)
    assert_allclose(-matrix[0, 0, 0, 0, 1, 0], 0.75)
    assert_allclose(-matrix[0, 0, 0, 0, 0, 1], 12.0)
    assert_allclose(matrix[0, 0, 0, 0, 0, 0], 3.0 + 0.75 + 12.0 + 6.0)
    assert_allclose(matrix[1, 0, 0, 1, 0, 0], 2 * 3.0 + 0.75 + 12.0)
    rows = operator.matrix().sum(axis=1).reshape(SHAPE)
    assert_allclose(rows[[0, -1]], 6.0)
    assert_allclose(rows[1:-1], 0.0, atol=1e-6)


def test_a_periodic_matrix_has_no_rows_with_a_sum():
    faces, outer = open_faces(True)
    operator, source, _ = cell_problem(faces, outer, (1.0, 1.0, 1.0), True)
    assert_allclose(operator.matrix().sum(axis=1), 0.0, atol=1e-6)
    assert source.drive == (1.0, 0.0, 0.0)


def test_a_closed_face_drives_a_deviation():
    faces, outer = open_faces(True)
    faces[0][1, 0, 0] = 0.0
    operator, source, _ = cell_problem(faces, outer, (1.0, 1.0, 1.0), True)
    norm, flux = residual_of_rest(operator, source)
    assert norm > 0.0
    assert_allclose(flux, [4.0, 4.0, 3.0, 4.0, 4.0])
