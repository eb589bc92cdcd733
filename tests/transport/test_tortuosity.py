"""The tortuosity factor: exact cases, symmetries, conservation, and what is not there."""

from __future__ import annotations

import math
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from numpy.testing import assert_allclose, assert_array_equal

from microtwin import Microstructure
from microtwin.generation import lattice_spheres
from microtwin.transport import homogenize, tortuosity_factor
from microtwin.transport.references import sphere_array_conductivity

from .pictures import PHASES, bent, blobs, channel, noise, random_images

BOUNDARIES = ("faces", "periodic", "mirror")
INTERFACES = ("smooth", "voxel")
both = pytest.mark.parametrize("interface", INTERFACES)
everywhere = pytest.mark.parametrize("boundary", BOUNDARIES)


@both
@everywhere
def test_a_full_box_gives_exactly_one(boundary, interface):
    micro = Microstructure(np.zeros((5, 6, 7), np.uint8), (3e-7, 1e-6, 2e-6), {"pore": 0})
    for direction in "zyx":
        result = tortuosity_factor(micro, "pore", direction, boundary, interface)
        assert result.tortuosity_factor == 1.0
        assert result.relative_diffusivity == 1.0
        assert result.volume_fraction == result.percolating_fraction == 1.0
        assert_array_equal(result.layer_flux, 1.0)


@both
@everywhere
def test_a_straight_channel_gives_one(boundary, interface):
    result = tortuosity_factor(channel(), "pore", "z", boundary, interface)
    assert_allclose(result.tortuosity_factor, 1.0, rtol=1e-14)
    assert result.iterations == 0  # the linear potential is the solution
    assert tortuosity_factor(channel(), "pore", "x", boundary, interface).percolates is False


@both
def test_a_channel_of_anisotropic_voxels(interface):
    stretched = Microstructure(channel().labels, (5e-7, 1e-6, 3e-6), PHASES)
    result = tortuosity_factor(stretched, "pore", interface=interface)
    assert_allclose(result.tortuosity_factor, 1.0, rtol=1e-14)


def test_a_bent_duct_against_an_independent_solution():
    # The staircase of the bend as a network of unit resistors, solved densely.
    micro = bent()
    exact = staircase_diffusivity(micro.labels == 0)
    result = tortuosity_factor(micro, "pore", interface="voxel", tol=1e-5)
    assert_allclose(result.relative_diffusivity, exact, rtol=1e-5)
    assert result.tortuosity_factor > 2


def staircase_diffusivity(pore):
    """Mean flux between fixed potentials 1 and 0 on the outer faces of axis 0."""
    import scipy.sparse as sp
    from scipy.sparse.linalg import spsolve

    number = np.full(pore.shape, -1)
    number[pore] = np.arange(pore.sum())
    n = int(pore.sum())
    diagonal, rhs = np.zeros(n), np.zeros(n)
    rows, columns = [], []
    for axis in range(3):
        a = np.take(number, range(pore.shape[axis] - 1), axis)
        b = np.take(number, range(1, pore.shape[axis]), axis)
        linked = (a >= 0) & (b >= 0)
        rows.append(a[linked])
        columns.append(b[linked])
        np.add.at(diagonal, a[linked], 1.0)
        np.add.at(diagonal, b[linked], 1.0)
    low, high = number[0][pore[0]], number[-1][pore[-1]]
    diagonal[low] += 2.0
    diagonal[high] += 2.0
    rhs[low] = 2.0
    i, j = np.concatenate(rows), np.concatenate(columns)
    links = sp.coo_array((np.ones(len(i)), (i, j)), (n, n))
    # Pieces that touch neither end have a free constant; a grain of salt fixes it.
    matrix = sp.diags_array(diagonal + 1e-12) - links - links.T
    u = spsolve(matrix.tocsc(), rhs)
    return float(2.0 * np.sum(1.0 - u[low]) / (pore.shape[1] * pore.shape[2]) * pore.shape[0])


@given(random_images())
def test_the_staircase_agrees_with_a_direct_solution(micro):
    result = tortuosity_factor(micro, "p0", interface="voxel")
    if not result.percolates:
        assert result.relative_diffusivity == 0.0
        return
    exact = staircase_diffusivity(micro.labels == 0)
    assert_allclose(result.relative_diffusivity, exact, rtol=1e-4)


@given(random_images())
def test_bounds_hold_on_random_images(micro):
    for boundary in ("faces", "periodic"):
        for interface in INTERFACES:
            result = tortuosity_factor(micro, "p0", boundary=boundary, interface=interface)
            d = result.relative_diffusivity
            assert 0.0 <= d <= 1.0 + 1e-9
            assert (d > 0.0) == result.percolates
            assert 0.0 <= result.percolating_fraction <= 1.0
            assert 0.0 <= result.volume_fraction <= 1.0
            assert result.tortuosity_factor > 0.0
            assert not np.isnan(result.tortuosity_factor)
            if interface == "voxel":  # Wiener: no path is shorter than the straight one
                assert d <= result.volume_fraction * (1 + 1e-4)


@both
@everywhere
def test_a_resolved_pore_is_never_straighter_than_straight(boundary, interface):
    for seed in range(3):
        result = tortuosity_factor(blobs(24, seed), "pore", "z", boundary, interface)
        assert result.tortuosity_factor > 1.0


@both
@everywhere
def test_permuting_the_axes_permutes_the_directions(boundary, interface):
    micro = blobs(16, 4)
    labels = micro.labels[:14, :12, :]
    size = (1e-6, 1.5e-6, 0.7e-6)
    expected = {
        d: tortuosity_factor(
            Microstructure(labels, size, PHASES), "pore", d, boundary, interface, 1e-5
        ).relative_diffusivity
        for d in "zyx"
    }
    for order in permutations(range(3)):
        turned = Microstructure(
            np.ascontiguousarray(labels.transpose(order)), tuple(size[a] for a in order), PHASES
        )
        for new, old in enumerate(order):
            result = tortuosity_factor(turned, "pore", "zyx"[new], boundary, interface, 1e-5)
            # The smoothing order differs, the solution does not.
            assert_allclose(result.relative_diffusivity, expected["zyx"[old]], rtol=1e-4)


@both
def test_reflections_change_nothing(interface):
    micro = blobs(16, 4)
    expected = tortuosity_factor(micro, "pore", interface=interface, tol=1e-5)
    for axis in range(3):
        flipped = Microstructure(np.flip(micro.labels, axis).copy(), 1e-6, PHASES)
        result = tortuosity_factor(flipped, "pore", interface=interface, tol=1e-5)
        assert_allclose(result.relative_diffusivity, expected.relative_diffusivity, rtol=1e-4)


@both
def test_shifting_a_periodic_image_changes_nothing(interface):
    micro = blobs(16, 4)
    expected = tortuosity_factor(micro, "pore", "y", "periodic", interface, 1e-5)
    shifted = Microstructure(np.roll(micro.labels, (5, -3, 7), (0, 1, 2)), 1e-6, PHASES)
    result = tortuosity_factor(shifted, "pore", "y", "periodic", interface, 1e-5)
    assert_allclose(result.relative_diffusivity, expected.relative_diffusivity, rtol=1e-4)
    assert_allclose(result.percolating_fraction, expected.percolating_fraction, rtol=1e-12)
    assert_allclose(result.volume_fraction, expected.volume_fraction, rtol=1e-12)


@both
def test_mirror_is_faces_and_is_periodic_on_the_reflected_image(interface):
    for micro in (blobs(16, 2), noise((9, 10, 11), 0.6, 3)):
        mirror = tortuosity_factor(micro, "pore", boundary="mirror", interface=interface, tol=1e-5)
        faces = tortuosity_factor(micro, "pore", boundary="faces", interface=interface, tol=1e-5)
        joined = tortuosity_factor(
            micro.mirror(), "pore", boundary="periodic", interface=interface, tol=1e-5
        )
        assert mirror.relative_diffusivity == faces.relative_diffusivity
        assert_allclose(joined.relative_diffusivity, faces.relative_diffusivity, rtol=1e-4)
        assert_allclose(joined.volume_fraction, faces.volume_fraction, rtol=1e-12)
        assert mirror.boundary == "mirror"


@both
def test_repeating_a_periodic_image_changes_nothing(interface):
    micro = blobs(12, 4, 2.0)
    once = tortuosity_factor(micro, "pore", "z", "periodic", interface, 1e-5)
    twice = Microstructure(np.tile(micro.labels, (2, 1, 2)), 1e-6, PHASES)
    again = tortuosity_factor(twice, "pore", "z", "periodic", interface, 1e-5)
    assert_allclose(again.relative_diffusivity, once.relative_diffusivity, rtol=1e-4)


def test_a_cluster_that_crosses_the_period_in_pieces_is_one():
    # Two half ducts, at either side of the box, meet across the period of y, and the whole duct
    # runs along z. Nothing else is there: every piece belongs to the cluster that percolates.
    labels = np.ones((8, 10, 8), np.uint8)
    labels[:, :2, 2:6] = 0
    labels[:, -2:, 2:6] = 0
    micro = Microstructure(labels, 1e-6, PHASES)
    middle = Microstructure(np.roll(labels, 5, 1), 1e-6, PHASES)
    for interface in INTERFACES:
        split, whole = (
            tortuosity_factor(m, "pore", boundary="periodic", interface=interface)
            for m in (micro, middle)
        )
        assert_allclose(split.relative_diffusivity, whole.relative_diffusivity, rtol=1e-12)
        assert_allclose(split.tortuosity_factor, 1.0, rtol=1e-12)


@both
def test_a_path_that_exists_only_across_the_period(interface):
    # Going up, the duct leaves through the side and comes back at the other side.
    labels = np.ones((12, 12, 8), np.uint8)
    labels[:6, 8:, 2:6] = 0
    labels[4:, :4, 2:6] = 0
    micro = Microstructure(labels, 1e-6, PHASES)
    assert not tortuosity_factor(micro, "pore", interface=interface).percolates
    # Its two ends do not meet across the period of z, so it does not percolate there either ...
    assert not tortuosity_factor(micro, "pore", "z", "periodic", interface).percolates
    labels[10:, 8:, 2:6] = 0  # ... until it goes back at the top
    joined = Microstructure(labels, 1e-6, PHASES)
    result = tortuosity_factor(joined, "pore", "z", "periodic", interface)
    assert result.percolates
    centred = Microstructure(np.roll(labels, 6, 1), 1e-6, PHASES)
    again = tortuosity_factor(centred, "pore", "z", "periodic", interface)
    assert_allclose(result.relative_diffusivity, again.relative_diffusivity, rtol=1e-4)
    assert not tortuosity_factor(joined, "pore", "x", "periodic", interface).percolates


@both
@everywhere
def test_an_isolated_pore_carries_nothing(boundary, interface):
    micro = channel()
    labels = micro.labels.copy()
    labels[3:6, 10:11, 10:11] = 0
    with_island = Microstructure(labels, 1e-6, PHASES)
    island = tortuosity_factor(with_island, "pore", "z", boundary, interface)
    alone = tortuosity_factor(micro, "pore", "z", boundary, interface)
    assert_allclose(island.relative_diffusivity, alone.relative_diffusivity, rtol=1e-12)
    # tau is that of all the pore there is; the share that percolates is reported beside it.
    assert island.volume_fraction > alone.volume_fraction
    assert_allclose(island.percolating_fraction, 1 - 3 / np.count_nonzero(labels == 0), rtol=1e-12)
    assert_allclose(
        island.tortuosity_factor, island.volume_fraction / island.relative_diffusivity, rtol=1e-14
    )


@both
@everywhere
def test_a_blocked_phase_is_said_in_words(boundary, interface):
    labels = np.zeros((8, 6, 6), np.uint8)
    labels[3] = 1
    result = tortuosity_factor(
        Microstructure(labels, 1e-6, PHASES), "pore", "z", boundary, interface
    )
    assert result.relative_diffusivity == 0.0
    assert result.tortuosity_factor == math.inf
    assert result.percolating_fraction == 0.0
    assert not result.percolates
    assert result.iterations == 0
    assert "does not percolate along z" in result.message
    for field in (result.potential, result.flux, result.dissipation):
        with pytest.raises(ValueError, match="no fields: The pore phase does not percolate"):
            field()
    assert tortuosity_factor(
        Microstructure(labels, 1e-6, PHASES), "pore", "y", boundary, interface
    ).percolates


@both
def test_an_absent_phase_is_said_in_words(interface):
    micro = Microstructure(np.ones((4, 4, 4), np.uint8), 1e-6, PHASES)
    result = tortuosity_factor(micro, "pore", interface=interface)
    assert result.relative_diffusivity == 0.0
    assert result.tortuosity_factor == math.inf
    assert result.message.startswith("There is no voxel of pore")
    with pytest.raises(ValueError, match="no fields: There is no voxel of pore"):
        result.potential()


@both
@everywhere
def test_the_same_flux_runs_through_every_layer(boundary, interface):
    micro = blobs(24)
    for tol in (1e-2, 1e-4, 1e-6):
        result = tortuosity_factor(micro, "pore", "z", boundary, interface, tol)
        flux = result.layer_flux
        assert flux.shape == (24 if boundary == "periodic" else 23,)
        spread = (flux.max() - flux.min()) / flux.mean()
        # The spread of the solver covers the outer faces as well.
        assert spread <= result.flux_spread * (1 + 1e-4)
        assert result.flux_spread <= tol
        assert result.residual <= 0.01 * tol
        assert_allclose(flux.mean(), result.relative_diffusivity, rtol=1e-12)
        assert len(result.residual_history) == result.iterations + 1
        assert result.residual_history[-1] == result.residual


def test_the_tolerance_bounds_the_error():
    micro = blobs(32)
    exact = tortuosity_factor(micro, "pore", tol=1e-6).relative_diffusivity
    for tol in (1e-2, 1e-3, 1e-4):
        value = tortuosity_factor(micro, "pore", tol=tol).relative_diffusivity
        assert_allclose(value, exact, rtol=tol)


@both
def test_runs_are_bit_identical(interface):
    first, second = (tortuosity_factor(blobs(32), "pore", interface=interface) for _ in range(2))
    assert first.relative_diffusivity == second.relative_diffusivity
    assert_array_equal(first.potential(), second.potential())
    assert first.residual_history == second.residual_history


@both
@pytest.mark.parametrize("boundary", ["faces", "periodic"])
def test_a_warm_start_saves_iterations(boundary, interface):
    micro = blobs(32)
    cold = tortuosity_factor(micro, "pore", "y", boundary, interface)
    warm = tortuosity_factor(micro, "pore", "y", boundary, interface, initial=cold.potential())
    assert cold.iterations >= 3
    assert warm.iterations <= cold.iterations - 2
    assert_allclose(warm.relative_diffusivity, cold.relative_diffusivity, rtol=1e-4)


def test_a_warm_start_of_the_wrong_shape_is_refused():
    with pytest.raises(ValueError, match="initial"):
        tortuosity_factor(blobs(16), "pore", initial=np.zeros((4, 5, 6)))


def test_progress_is_told():
    seen = []
    result = tortuosity_factor(blobs(32), "pore", progress=lambda *row: seen.append(row))
    assert [row[0] for row in seen] == list(range(1, result.iterations + 1))
    assert seen[-1][1:] == (result.residual, result.flux_spread)


def test_the_voxel_size_does_not_matter_but_its_proportions_do():
    micro = blobs(16)
    small, large = (
        tortuosity_factor(Microstructure(micro.labels, h, PHASES), "pore") for h in (1e-9, 1e-3)
    )
    assert_allclose(small.relative_diffusivity, large.relative_diffusivity, rtol=1e-5)
    flat = tortuosity_factor(Microstructure(micro.labels, (1e-7, 1e-6, 1e-6), PHASES), "pore")
    # Layers ten times thinner: detours along the layers become expensive.
    assert flat.relative_diffusivity < 0.8 * small.relative_diffusivity


@pytest.mark.parametrize("direction", ["z", "y"])
def test_spheres_on_anisotropic_voxels(direction):
    # Every second layer of 48 voxels per period, on voxels twice as thick, is the same array.
    micro = lattice_spheres(48, 0.268, origin=(0.3, 0.1, 0.2))
    thin = Microstructure(micro.labels[::2].copy(), (2e-6, 1e-6, 1e-6), micro.phases)
    exact = sphere_array_conductivity(0.268)
    smooth = tortuosity_factor(thin, "matrix", direction, "periodic")
    # Between the limits for 24 and 48 voxels per period.
    assert_allclose(smooth.relative_diffusivity, exact, rtol=0.008)


@both
@pytest.mark.parametrize("boundary", ["faces", "periodic"])
@pytest.mark.parametrize("direction", ["z", "y", "x"])
def test_one_conducting_phase_is_the_same_as_homogenize(direction, boundary, interface):
    micro = blobs(16, 4)
    result = tortuosity_factor(micro, "pore", direction, boundary, interface, 1e-5)
    tensor = homogenize(micro, {"pore": 2.5}, boundary, interface, 1e-5).tensor
    axis = "zyx".index(direction)
    assert_allclose(tensor[axis, axis], 2.5 * result.relative_diffusivity, rtol=1e-4)


@both
def test_isolated_pores_are_the_same_for_homogenize(interface):
    micro = noise((12, 12, 12), 0.55, 7)
    result = tortuosity_factor(micro, "pore", interface=interface, tol=1e-5)
    assert 0.5 < result.percolating_fraction < 1.0
    tensor = homogenize(micro, {"pore": 1.0}, "faces", interface, 1e-5).tensor
    assert_allclose(tensor[0, 0], result.relative_diffusivity, rtol=1e-4)


def test_results_without_fields_say_so():
    bare = tortuosity_factor(blobs(16), "pore").without_fields()
    assert bare.percolates
    with pytest.raises(ValueError, match="stripped by without_fields"):
        bare.potential()


def test_the_message_gives_the_number():
    result = tortuosity_factor(blobs(16), "pore")
    assert f"{result.tortuosity_factor:.4g}" in result.message
