"""The number of iterations: flat in the size of the image, bounded for high contrast.

Stopping as in transport by default: residual 1e-6 of the driving term, flux spread 1e-4.
"""

from __future__ import annotations

import numpy as np
import pytest

from microtwin.connectivity import percolating_mask
from microtwin.generation import gaussian_field, laminate
from microtwin.numerics import GridOperator, NetworkOperator, PlaneField, Source, solve


def conduction(values, periodic=False):
    """Return the problem of conduction along z in a cell-wise conductivity, harmonic at faces."""
    values = values.astype(float)
    faces = []
    for axis in range(3):
        after = np.roll(values, -1, axis)
        total = values + after
        face = np.divide(2 * values * after, total, out=np.zeros_like(total), where=total > 0)
        if not periodic:
            face[(slice(None),) * axis + (-1,)] = 0
        faces.append(face.astype(np.float32))
    nz, drive = len(values), (1.0, 0.0, 0.0)
    if periodic:
        return GridOperator(tuple(faces)), Source(PlaneField.zeros(values.shape), drive)
    low, high = values[0], values[-1]
    operator = GridOperator(tuple(faces), ends=PlaneField.outer(2 * low, 2 * high, nz))
    return operator, Source(PlaneField.outer(-low, high, nz), drive)


def network(operator):
    """Return the same operator with coarse levels that keep grains apart."""
    return NetworkOperator([operator], {})


def iterations(values, periodic=False):
    operator, source = conduction(values, periodic)
    # The norm for the potential itself with 0 and nz steps at the ends.
    high = values[-1].astype(float) if not periodic else operator.faces[0][-1].astype(float)
    scale = len(values) * float(np.linalg.norm(2 * high))
    if len(np.unique(values)) > 2 or values.min() > 0:  # as transport does
        operator, source = network(operator), (source,)
    solution = solve(operator, source, rtol=1e-6, flux_tol=1e-4, scale=scale)
    return solution.iterations


@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize("n", [32, 48, 64, 96])
def test_pore_space_takes_ten_iterations_at_every_size(n, periodic):
    image = gaussian_field(n, 3.0, 0.4, seed=2, periodic=periodic)
    pore = percolating_mask(image.labels == 0, 0, periodic)
    assert iterations(pore, periodic) <= 10


@pytest.mark.parametrize("n", [33, 47, 49])
def test_odd_periods_cost_no_more(n):
    image = gaussian_field(n, 3.0, 0.4, seed=2, periodic=True)
    assert iterations(percolating_mask(image.labels == 0, 0, True), True) <= 10


@pytest.mark.parametrize("contrast", [1e3, 1e6])
@pytest.mark.parametrize("n", [48, 64])
@pytest.mark.parametrize("seed", [0, 1])
def test_two_phases_of_high_contrast(contrast, n, seed):
    image = gaussian_field(n, 3.0, 0.5, seed=seed)
    assert iterations(np.where(image.labels == 0, 1.0, 1 / contrast)) <= 15


@pytest.mark.parametrize("contrast", [1e3, 1e6])
def test_laminate_of_high_contrast(contrast):
    labels = laminate((48, 48, 48), (1, 1, 0), 0.5).labels
    assert iterations(np.where(labels == 0, 1.0, 1 / contrast), periodic=True) <= 15


@pytest.mark.parametrize("contrast", [1e3, 1e6])
def test_scattered_islands_of_high_contrast(contrast):
    """Conducting islands a few voxels wide in a poor matrix: what blocks of voxels would merge."""
    image = gaussian_field(48, 2.0, 0.15, seed=1)
    assert iterations(np.where(image.labels == 0, 1.0, 1 / contrast)) <= 15


@pytest.mark.parametrize("contrast", [1e3, 1e6])
def test_uncorrelated_voxels_of_high_contrast(contrast):
    labels = np.random.default_rng(0).random((48, 48, 48)) < 0.5
    assert iterations(np.where(labels, 1.0, 1 / contrast)) <= 15


def test_three_phases_one_of_them_insulating():
    image = gaussian_field(48, 3.0, 0.4, seed=0).labels
    other = gaussian_field(48, 3.0, 0.3, seed=7).labels
    values = np.where(image == 0, 1.0, np.where(other == 0, 0.0, 1e-3))
    values[~percolating_mask(values > 0, 0)] = 0
    assert iterations(values) <= 15


def test_flat_voxels():
    """Voxels five times longer along z, as in tomography with thick slices."""
    image = gaussian_field((24, 96, 96), (1.2, 6.0, 6.0), 0.4, seed=3)
    pore = percolating_mask(image.labels == 0, 0).astype(float)
    operator, source = conduction(pore)
    stretched = GridOperator(operator.faces, (1.0, 25.0, 25.0), operator.ends)
    scale = len(pore) * float(np.linalg.norm(2 * pore[-1]))
    solution = solve(stretched, source, rtol=1e-6, flux_tol=1e-4, scale=scale)
    assert solution.iterations <= 40
