"""Permeability: exact flows, an independent solution, symmetries, conservation, and failures."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from microtwin import Microstructure
from microtwin.connectivity import carrying_clusters
from microtwin.generation import lattice_spheres
from microtwin.numerics import ConvergenceError
from microtwin.transport import permeability, permeability_tensor

from .pictures import PHASES, bent, blobs, channel, random_images

BOUNDARIES = ("periodic", "faces", "mirror")
INTERFACES = ("smooth", "voxel")
both = pytest.mark.parametrize("interface", INTERFACES)
everywhere = pytest.mark.parametrize("boundary", BOUNDARIES)


def staircase_flow(pore, spacing=(1.0, 1.0, 1.0)):
    """Mean velocity in a periodic staircase driven along z, as one sparse system solved directly.

    The faces of solid voxels are walls; written down independently of the package.
    """
    import scipy.sparse as sp
    from scipy.sparse.linalg import spsolve

    number = [np.full(pore.shape, -1) for _ in range(3)]
    count = 0
    for a in range(3):
        opened = pore & np.roll(pore, -1, a)
        number[a][opened] = count + np.arange(opened.sum())
        count += int(opened.sum())
    cells = np.full(pore.shape, -1)
    cells[pore] = count + np.arange(pore.sum())
    total = count + int(pore.sum())
    entries: dict[tuple[int, int], float] = {}
    rhs = np.zeros(total)

    def add(i, j, value):
        entries[i, j] = entries.get((i, j), 0.0) + value

    shape = pore.shape
    for a in range(3):
        for face in np.argwhere(number[a] >= 0):
            i = number[a][tuple(face)]
            rhs[i] = 1.0 if a == 0 else 0.0
            after = face.copy()
            after[a] = (face[a] + 1) % shape[a]
            add(i, cells[tuple(after)], 1.0 / spacing[a])
            add(i, cells[tuple(face)], -1.0 / spacing[a])
            add(cells[tuple(face)], i, -1.0 / spacing[a])
            add(cells[tuple(after)], i, 1.0 / spacing[a])
            for b in range(3):
                weight = 1.0 / spacing[b] ** 2
                for step in (-1, 1):
                    beside = face.copy()
                    beside[b] = (face[b] + step) % shape[b]
                    j = number[a][tuple(beside)]
                    if j >= 0:
                        add(i, i, weight)
                        add(i, j, -weight)
                    elif a == b:
                        add(i, i, weight)
                    else:
                        other = beside.copy()
                        other[a] = (beside[a] + 1) % shape[a]
                        solid = 2 - int(pore[tuple(beside)]) - int(pore[tuple(other)])
                        add(i, i, weight * (1.0 + 0.5 * solid))
    for cell in cells[pore]:  # the level of the pressure is free
        add(cell, cell, -1e-11)
    rows, columns = np.array(list(entries)).T
    matrix = sp.csc_array((np.array(list(entries.values())), (rows, columns)), (total, total))
    x = spsolve(matrix, rhs)
    sums = [x[number[a][number[a] >= 0]].sum() for a in range(3)]
    return np.array(sums) / pore.size


def carrying(micro, label=0):
    return carrying_clusters(micro.labels == label, 0, True) > 0


@given(random_images(side=5))
@settings(max_examples=25)
def test_the_staircase_agrees_with_a_direct_solution(micro):
    inside = carrying(micro)
    result = permeability(micro, "p0", interface="voxel", tol=1e-7)
    if inside.all() or not inside.any():
        assert result.permeability == (math.inf if inside.any() else 0.0)
        return
    exact = 1e-12 * staircase_flow(inside)
    assert_allclose(result.superficial_velocity, exact, rtol=1e-5, atol=1e-5 * exact[0])


def test_anisotropic_voxels_agree_with_a_direct_solution():
    labels = (np.random.default_rng(5).random((5, 6, 7)) > 0.6).astype(np.uint8)
    edges = (1.0, 2.5, 0.4)
    micro = Microstructure(labels, edges, PHASES)
    result = permeability(micro, "pore", interface="voxel", tol=1e-8)
    assert result.percolates
    exact = staircase_flow(carrying(micro), edges)
    assert_allclose(result.superficial_velocity, exact, rtol=1e-6, atol=1e-6 * exact[0])


@both
@everywhere
def test_a_slit_and_a_duct(boundary, interface):
    # Width squared over 12, and 0.0351442537 of the square of the side (Shah & London 1978).
    for n, shape, value in ((32, (4, 4, 34), 1 / 12), (24, (3, 26, 26), 0.0351442537)):
        labels = np.ones(shape, np.uint8)
        labels[:, 1 if shape[1] > 4 else 0 : n + 1, 1 : n + 1] = 0
        micro = Microstructure(labels, 2e-6, PHASES)
        result = permeability(micro, "pore", "z", boundary, interface)
        exact = result.volume_fraction * value * (n * 2e-6) ** 2
        assert_allclose(result.permeability, exact, rtol=0.01)
        assert result.iterations <= 2  # the pressure that falls evenly is the solution
        assert_allclose(result.hydraulic_tortuosity(), 1.0, rtol=1e-6)
    assert permeability(micro, "pore", "x", boundary, interface).percolates is False


def slit(n, interface):
    labels = np.ones((2, 3, n + 1), np.uint8)
    labels[:, :, :n] = 0
    micro = Microstructure(labels, 1.0, PHASES)
    result = permeability(micro, "pore", interface=interface, tol=1e-8)
    return result.permeability / result.volume_fraction


def test_slits_of_any_width():
    for n in (1, 2, 5, 16, 40):
        assert_allclose(slit(n, "smooth"), n**2 / 12, rtol=1e-6)
        # The staircase is of second order: too much by (2 / n^2).
        assert_allclose(slit(n, "voxel"), (n**2 + 2) / 12, rtol=1e-6)


@pytest.mark.parametrize("offset", [0.0, 0.2, 0.4])
def test_slits_between_the_voxels_are_exact(offset):
    # Both walls at the same distance from the faces of voxels, wherever that is.
    x = np.arange(12) + 0.5
    level = np.minimum(x - 2.0 + offset, 8.0 + offset - x)
    level = np.broadcast_to(level.astype(np.float32), (2, 3, 12))
    micro = Microstructure((level < 0).astype(np.uint8), 1.0, PHASES)
    found = permeability(micro, "pore", level_set=level, tol=1e-8).permeability
    assert_allclose(12 * found, (6.0 + 2 * offset) ** 3 / 12, rtol=1e-5)


@everywhere
def test_what_does_not_percolate_is_zero_in_words(boundary):
    labels = np.zeros((6, 6, 6), np.uint8)
    labels[3] = 1
    result = permeability(Microstructure(labels, 1e-6, PHASES), "pore", boundary=boundary)
    assert result.permeability == 0.0
    assert result.percolates is False
    assert "does not percolate along z" in result.message
    assert_array_equal(result.interstitial_velocity, 0.0)
    with pytest.raises(ValueError, match="does not percolate"):
        result.velocity()
    tensor = permeability_tensor(Microstructure(labels, 1e-6, PHASES), "pore", boundary)
    assert_array_equal(tensor.tensor[0], 0.0)
    assert tensor.in_plane > 0.0


def test_an_empty_phase_and_an_empty_box():
    none = permeability(Microstructure(np.ones((3, 3, 3), np.uint8), 1e-6, PHASES), "pore")
    assert none.permeability == 0.0
    assert "no voxel of pore" in none.message
    full = Microstructure(np.zeros((3, 3, 3), np.uint8), 1e-6, PHASES)
    assert permeability(full, "pore").permeability == math.inf
    assert "infinite" in permeability(full, "pore", boundary="faces").message
    with pytest.raises(ValueError, match="no finite tensor"):
        permeability_tensor(full, "pore")


def test_pores_that_carry_nothing_change_nothing():
    micro = channel()
    labels = micro.labels.copy()
    labels[4:6, 0:2, 10:12] = 0
    alone = permeability(micro, "pore")
    beside = permeability(Microstructure(labels, 1e-6, PHASES), "pore")
    assert beside.permeability == alone.permeability
    assert beside.percolating_fraction < 1.0
    assert_allclose(beside.interstitial_velocity, alone.interstitial_velocity)


@both
def test_mirror_is_periodic_on_the_reflected_image(interface):
    labels = blobs(10, 4).labels[:7, :8, :9]
    doubled = labels
    for axis in range(3):
        doubled = np.concatenate([doubled, np.flip(doubled, axis)], axis)
    micro = Microstructure(labels, (1e-6, 2e-6, 1.5e-6), PHASES)
    whole = Microstructure(doubled, (1e-6, 2e-6, 1.5e-6), PHASES)
    for direction in "zyx":
        part = permeability(micro, "pore", direction, "mirror", interface, 1e-8)
        full = permeability(whole, "pore", direction, "periodic", interface, 1e-8)
        assert part.percolates
        assert_allclose(part.permeability, full.permeability, rtol=1e-6)
        nz, ny, nx = labels.shape
        scale = np.abs(full.velocity()).max()
        quarter = full.velocity()[:, :nz, :ny, :nx]
        assert_allclose(part.velocity(), quarter, atol=1e-6 * scale)
        assert_allclose(
            part.face_velocity(direction),
            full.face_velocity(direction)[
                tuple(slice(n + (d == direction)) for n, d in zip(labels.shape, "zyx", strict=True))
            ],
            atol=1e-6 * scale,
        )


@both
def test_faces_is_mirror_and_not_periodic(interface):
    micro = blobs(12, 5)
    values = [permeability(micro, "pore", boundary=b, interface=interface) for b in BOUNDARIES]
    assert values[1].permeability == values[2].permeability
    assert abs(values[0].permeability / values[1].permeability - 1.0) > 1e-3


@both
@everywhere
def test_mass_is_conserved_in_every_voxel(boundary, interface):
    micro = Microstructure(blobs(14, 2).labels, (1e-6, 2e-6, 0.7e-6), PHASES)
    for direction in "zyx":
        result = permeability(micro, "pore", direction, boundary, interface, 1e-9)
        balance = sum(
            np.diff(result.face_velocity(axis), axis=a) / micro.voxel_size[a]
            for a, axis in enumerate("zyx")
        )
        speed = np.abs(result.face_velocity(direction)).max() / 0.7e-6
        assert np.abs(balance).max() < 1e-7 * speed
        assert_allclose(result.layer_flux, result.permeability, rtol=1e-7)
        assert result.flux_spread < 1e-9
        mean = result.velocity().mean(axis=(1, 2, 3))
        k = result.permeability
        if boundary == "periodic":
            assert_allclose(mean, result.superficial_velocity, atol=1e-9 * k)
        assert_allclose(mean["zyx".index(direction)], k, rtol=1e-9)
        assert not result.velocity()[:, micro.labels == 1].any()


def test_the_dissipation_is_the_work_of_the_pressure():
    # <u> g = viscosity <u . A u>: the discrete energy, from the velocities alone.
    micro = lattice_spheres(16, 0.2)
    result = permeability(micro, "matrix", interface="voxel", tol=1e-8)
    h = 1e-6
    pore = micro.labels == 0
    power = 0.0
    for a, axis in enumerate("zyx"):
        u = np.moveaxis(result.face_velocity(axis), a, 0)[1:]
        u = np.moveaxis(u, 0, a)
        opened = pore & np.roll(pore, -1, a)
        for b in range(3):
            for step in (1, -1):
                beside = np.roll(u, step, b)
                linked = opened & np.roll(opened, step, b)
                power += 0.5 * ((u - beside)[linked] ** 2).sum()
                solid = 2 - (
                    np.roll(pore, step, b).astype(int)
                    + np.roll(np.roll(pore, step, b), -1, a).astype(int)
                )
                strength = 1.0 if a == b else 1.0 + 0.5 * solid
                walled = opened & ~np.roll(opened, step, b)
                power += ((strength * np.ones(u.shape))[walled] * u[walled] ** 2).sum()
    assert_allclose(power / h**2 / pore.size, result.permeability, rtol=1e-6)


def test_pressure_falls_from_one_to_zero():
    for boundary in ("faces", "periodic"):
        result = permeability(channel((8, 12, 12)), "pore", boundary=boundary)
        pressure = result.pressure()
        inside = channel((8, 12, 12)).labels == 0
        assert_array_equal(np.isfinite(pressure), inside)
        expected = np.broadcast_to((1.0 - (np.arange(8) + 0.5) / 8)[:, None, None], inside.shape)
        assert_allclose(pressure[inside], expected[inside], atol=1e-6)
    result = permeability(bent(), "pore", boundary="faces")
    pressure = result.pressure()
    assert 0.0 < np.nanmin(pressure) < np.nanmax(pressure) < 1.0
    assert result.hydraulic_tortuosity() > 1.3


@both
@everywhere
def test_rotating_the_image_rotates_the_tensor(boundary, interface):
    micro = blobs(10, 8)
    tensor = permeability_tensor(micro, "pore", boundary, interface, 1e-8).tensor
    turned = Microstructure(np.rot90(micro.labels, axes=(0, 1)), 1e-6, PHASES)
    other = permeability_tensor(turned, "pore", boundary, interface, 1e-8).tensor
    turn = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    assert_allclose(other, turn @ tensor @ turn.T, atol=1e-6 * tensor.max())
    off = tensor[~np.eye(3, dtype=bool)]
    assert (np.abs(off).max() > 0.0) == (boundary == "periodic")


@given(random_images(side=5), st.sampled_from(INTERFACES))
@settings(max_examples=20)
def test_the_tensor_is_symmetric_and_positive(micro, interface):
    if not micro.labels.any():
        return
    tensor = permeability_tensor(micro, "p0", "periodic", interface, 1e-7)
    rows = np.stack([load.superficial_velocity for load in tensor.loads])
    assert_allclose(rows, rows.T, atol=1e-5 * max(rows.max(), 1e-30))
    assert tensor.principal_values[2] >= -1e-5 * max(rows.max(), 1e-30)
    assert_array_equal([load.percolates for load in tensor.loads], np.diag(rows) > 0.0)


@given(random_images(side=5), st.integers(0, 2**31 - 1))
@settings(max_examples=20)
def test_more_pores_carry_more(micro, seed):
    # The minimal dissipation can only rise when walls are put in: exact for the staircase.
    labels = micro.labels.copy()
    solid = np.flatnonzero(labels)
    if len(solid) < 2:
        return
    before = permeability(micro, "p0", interface="voxel", tol=1e-7).permeability
    labels.reshape(-1)[np.random.default_rng(seed).choice(solid)] = 0
    opened = Microstructure(labels, micro.voxel_size, micro.phases)
    assert permeability(opened, "p0", interface="voxel", tol=1e-7).permeability >= before * (
        1 - 1e-5
    )


def test_permeability_grows_with_the_square_of_the_voxel():
    micro = blobs(12, 4)
    small = permeability(micro, "pore")
    large = permeability(Microstructure(micro.labels, 1e-3, PHASES), "pore")
    assert_allclose(large.permeability, 1e6 * small.permeability, rtol=1e-9)


@both
def test_a_level_set_is_more_accurate_than_labels(interface):
    # A tube, area times radius squared over 8, off the centre of the grid.
    radius, n = 6.3, 16
    y, x = np.ogrid[:n, :n]
    level = np.broadcast_to(radius - np.hypot(y - 7.7, x - 7.2), (3, n, n)).astype(np.float32)
    micro = Microstructure((level < 0).astype(np.uint8), 1.0, PHASES)
    exact = math.pi * radius**4 / 8 / n**2
    if interface == "voxel":
        with pytest.raises(ValueError, match="contradict"):
            permeability(micro, "pore", interface=interface, level_set=level)
        return
    fine = permeability(micro, "pore", level_set=level).permeability
    assert_allclose(fine, exact, rtol=0.004)
    with pytest.raises(ValueError, match="contradicts the labels"):
        permeability(micro, "pore", level_set=-level)


def test_the_same_bits_every_time():
    one, two = (permeability(blobs(20, 2), "pore") for _ in range(2))
    assert one.permeability == two.permeability
    assert_array_equal(one.pressure(), two.pressure())


def test_bad_input_is_explained():
    micro = channel()
    with pytest.raises(ValueError, match="boundary 'open' is not known; use"):
        permeability(micro, "pore", boundary="open")
    with pytest.raises(ValueError, match="direction 'w' is not known"):
        permeability(micro, "pore", "w")
    with pytest.raises(ValueError, match="tol 0 is not allowed"):
        permeability(micro, "pore", tol=0)
    with pytest.raises(ConvergenceError, match="no convergence in 2 iterations"):
        permeability(blobs(16), "pore", max_iterations=2)


def test_progress_is_told():
    told = []
    result = permeability(blobs(16), "pore", progress=lambda *values: told.append(values))
    assert told[0][0] == 0
    assert told[-1] == (result.iterations, result.residual, result.flux_spread)
    assert [values[0] for values in told] == sorted(values[0] for values in told)


def test_fields_can_be_left_behind():
    result = permeability(channel(), "pore").without_fields()
    assert result.permeability > 0.0
    with pytest.raises(ValueError, match="stripped"):
        result.pressure()
