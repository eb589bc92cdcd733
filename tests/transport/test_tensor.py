"""The effective tensor: laminates, symmetry, bounds, scaling."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from microtwin import Microstructure
from microtwin.generation import gaussian_field, laminate, lattice_spheres
from microtwin.transport import homogenize
from microtwin.transport.references import (
    hashin_shtrikman_bounds,
    laminate_tensor,
    sphere_array_conductivity,
)

from .pictures import PHASES, anisotropic, blobs, channel, random_images

INTERFACES = ("smooth", "voxel")
both = pytest.mark.parametrize("interface", INTERFACES)


@both
@pytest.mark.parametrize("boundary", ["faces", "periodic", "mirror"])
def test_a_full_box_gives_the_conductivity(boundary, interface):
    micro = Microstructure(np.zeros((4, 5, 6), np.uint8), (1e-6, 2e-6, 3e-7), {"pore": 0})
    result = homogenize(micro, {"pore": 3.0}, boundary, interface)
    assert_allclose(result.tensor, 3.0 * np.eye(3), rtol=1e-7)
    assert result.iterations == (0, 0, 0)


@pytest.mark.parametrize(
    ("shape", "waves", "limit"),
    [
        # Along the grid and both kinds of diagonals the rebuilt interface is flat.
        ((16, 16, 2), (1, 1, 0), 1e-6),
        ((16, 2, 16), (-1, 0, 1), 1e-6),
        ((16, 16, 16), (1, 1, 1), 1e-6),
        # In between it has steps, whose height over the thickness of the layers is the error.
        ((32, 40, 2), (1, 1, 0), 0.0035),
        ((32, 64, 2), (1, 1, 0), 0.0035),
        ((32, 96, 2), (1, 1, 0), 0.0065),
        ((32, 160, 2), (1, 1, 0), 0.0075),
        ((36, 36, 36), (3, 2, 1), 0.004),
    ],
)
def test_laminates_at_an_angle(shape, waves, limit):
    micro = laminate(shape, waves)
    normal = tuple(w / n for w, n in zip(waves, shape, strict=True))
    for contrast in (10.0, 100.0):
        exact = laminate_tensor(normal, (0.5, 0.5), (1.0, contrast))
        ours = homogenize(micro, {"a": 1.0, "b": contrast}, tol=1e-6).tensor
        assert np.abs(ours - exact).max() <= limit * exact.max()
        shear = np.abs(exact) > 0.1 * exact.max()
        assert (np.sign(ours[shear]) == np.sign(exact[shear])).all()


def test_the_error_of_a_tilted_laminate_is_of_first_order():
    errors = []
    for n in (16, 32, 64):
        exact = laminate_tensor((3.0, 1.0, 0.0), (0.5, 0.5), (1.0, 10.0))
        ours = homogenize(laminate((n, 3 * n, 2), (1, 1, 0)), {"a": 1.0, "b": 10.0}).tensor
        errors.append(np.abs(ours - exact).max())
    assert_allclose(np.log2(np.array(errors[:-1]) / errors[1:]), 1.0, atol=0.1)


def test_a_laminate_on_anisotropic_voxels():
    # 45 degrees on the grid are atan(2) in space.
    micro = laminate((32, 32, 2), (1, 1, 0), voxel_size=(2e-6, 1e-6, 1e-6))
    exact = laminate_tensor((1.0, 2.0, 0.0), (0.5, 0.5), (1.0, 10.0))
    ours = homogenize(micro, {"a": 1.0, "b": 10.0}, tol=1e-6).tensor
    assert np.abs(ours - exact).max() <= 0.02 * exact.max()
    staircase = homogenize(micro, {"a": 1.0, "b": 10.0}, interface="voxel", tol=1e-6).tensor
    assert np.abs(ours - exact).max() < np.abs(staircase - exact).max()


def test_one_insulating_layer_of_an_anisotropic_laminate():
    # With a single conducting phase nothing depends on how two of them touch.
    micro = laminate((32, 32, 2), (1, 1, 0), voxel_size=(2e-6, 1e-6, 1e-6))
    exact = 0.5 * (np.eye(3) - np.outer([1, 2, 0], [1, 2, 0]) / 5)
    ours = homogenize(micro, {"a": 1.0}, tol=1e-6).tensor
    assert np.abs(ours - exact).max() <= 0.005


@both
@pytest.mark.parametrize("make", [blobs, anisotropic])
def test_the_tensor_is_symmetric_before_it_is_made_so(make, interface):
    # Reciprocity: the flux along y under a gradient along z is that along z under one along y. Each
    # component is within its tolerance of the mean of the two, so a turned image agrees.
    micro = make(16)
    tensor = homogenize(micro, {"pore": 1.0, "solid": 0.1}, "periodic", interface, 1e-5).tensor
    assert_array_equal(tensor, tensor.T)
    assert np.linalg.eigvalsh(tensor).min() > 0.0
    order = (2, 0, 1)
    turned = Microstructure(
        np.ascontiguousarray(micro.labels.transpose(order)),
        tuple(micro.voxel_size[a] for a in order),
        PHASES,
    )
    again = homogenize(turned, {"pore": 1.0, "solid": 0.1}, "periodic", interface, 1e-5).tensor
    assert_allclose(again, tensor[np.ix_(order, order)], atol=1e-4 * tensor.max())


@both
def test_a_reflection_changes_the_sign_of_the_shear(interface):
    micro = blobs(16, 4)
    flipped = Microstructure(np.flip(micro.labels, 0).copy(), 1e-6, PHASES)
    tensor, mirrored = (
        homogenize(m, {"pore": 1.0, "solid": 0.1}, "periodic", interface, 1e-5).tensor
        for m in (micro, flipped)
    )
    sign = np.array([[1, -1, -1], [-1, 1, 1], [-1, 1, 1]])
    assert_allclose(mirrored, sign * tensor, atol=1e-4 * tensor.max())


@both
def test_scaling_the_conductivities_scales_the_tensor(interface):
    micro = blobs(16)
    one = homogenize(micro, {"pore": 1.0, "solid": 0.2}, interface=interface).tensor
    many = homogenize(micro, {"pore": 5e-11, "solid": 1e-11}, interface=interface).tensor
    assert_allclose(many, 5e-11 * one, atol=5e-11 * 1e-5)


@both
def test_more_conductivity_conducts_more(interface):
    micro = blobs(16)
    values = [
        np.trace(homogenize(micro, {"pore": 1.0, "solid": k}, interface=interface).tensor)
        for k in (0.0, 0.01, 0.1, 0.5, 2.0)
    ]
    assert (np.diff(values) > 0.0).all()


@both
@pytest.mark.parametrize("boundary", ["faces", "mirror"])
def test_without_a_period_the_tensor_is_diagonal(boundary, interface):
    tensor = homogenize(blobs(16), {"pore": 1.0, "solid": 0.1}, boundary, interface).tensor
    assert_array_equal(tensor, np.diag(np.diag(tensor)))
    periodic = homogenize(blobs(16), {"pore": 1.0, "solid": 0.1}, "periodic", interface).tensor
    assert np.abs(periodic - np.diag(np.diag(periodic))).max() > 1e-3


@both
def test_principal_values_and_directions(interface):
    result = homogenize(
        laminate((16, 16, 2), (1, 1, 0)), {"a": 1.0, "b": 10.0}, interface=interface
    )
    values, vectors = result.principal_values, result.principal_directions
    assert (np.diff(values) <= 0.0).all()
    assert_allclose(vectors.T @ vectors, np.eye(3), atol=1e-12)
    assert_allclose(result.tensor @ vectors, vectors * values, atol=1e-10)
    # The smallest value belongs to the layer normal (z + y) / sqrt(2).
    assert_allclose(np.abs(vectors[:, 2]), [math.sqrt(0.5), math.sqrt(0.5), 0.0], atol=1e-6)
    assert_allclose(result.anisotropy_ratio, values[0] / values[2])


def test_through_plane_and_in_plane():
    result = homogenize(channel(), {"pore": 2.0}, "faces")
    assert result.through_plane == result.tensor[0, 0] > 0.0
    assert result.in_plane == 0.0
    assert result.anisotropy_ratio == math.inf
    assert result.iterations[1:] == (0, 0)


@both
@pytest.mark.parametrize("boundary", ["faces", "periodic"])
def test_nothing_percolates(boundary, interface):
    labels = np.ones((6, 6, 6), np.uint8)
    labels[2:4, 2:4, 2:4] = 0
    result = homogenize(Microstructure(labels, 1e-6, PHASES), {"pore": 1.0}, boundary, interface)
    assert_array_equal(result.tensor, 0.0)
    assert result.anisotropy_ratio == 1.0


@given(random_images(), st.sampled_from([0.01, 0.1, 5.0]))
@settings(max_examples=30)
def test_wiener_bounds_of_random_images(micro, contrast):
    # Independent voxels are coarser than any rebuilt interface, so this is for the staircase.
    first = micro.volume_fraction("p0")
    upper = first + (1 - first) * contrast
    lower = 1 / (first + (1 - first) / contrast)
    for boundary in ("faces", "periodic"):
        result = homogenize(micro, {"p0": 1.0, "p1": contrast}, boundary, "voxel")
        values = result.principal_values
        assert lower * (1 - 1e-3) <= values.min()
        assert values.max() <= upper * (1 + 1e-3)


@given(random_images(labels=3))
@settings(max_examples=30)
def test_random_composites_are_finite_symmetric_and_positive(micro):
    phases = {"p0": 1.0, "p1": 0.1, "p2": 10.0}
    for interface in INTERFACES:
        result = homogenize(micro, phases, interface=interface)
        assert np.isfinite(result.tensor).all()
        assert_array_equal(result.tensor, result.tensor.T)
        # Films of single voxels come out too resistive with the smooth interface.
        lowest = 0.1 * 0.999 if interface == "voxel" else 0.0
        assert result.principal_values.min() >= lowest
        assert result.principal_values.max() <= 10.0 * 1.001


@both
@pytest.mark.parametrize("contrast", [0.1, 10.0, 1000.0])
def test_hashin_shtrikman_bounds_of_a_random_image(contrast, interface):
    micro = gaussian_field(40, 3.0, 0.4, 1)
    tensor = homogenize(micro, {"pore": 1.0, "solid": contrast}, interface=interface).tensor
    lower, upper = hashin_shtrikman_bounds((0.4, 0.6), (1.0, contrast))
    assert lower <= np.trace(tensor) / 3 <= upper


@pytest.mark.parametrize(
    ("interface", "contrast", "limits"),
    [
        # Measured at 24 and 48 voxels per period: +0.3, +0.1, -0.9, -0.2, -1.2, -0.3 %.
        ("smooth", 0.1, (0.006, 0.003)),
        ("smooth", 10.0, (0.015, 0.005)),
        ("smooth", 1000.0, (0.02, 0.007)),
        # The staircase with harmonic means errs by 1.5 % where the spheres conduct less.
        ("voxel", 0.1, (0.025, 0.012)),
        ("voxel", 10.0, (0.006, 0.004)),
    ],
)
def test_arrays_of_conducting_spheres(interface, contrast, limits):
    exact = sphere_array_conductivity(0.268, contrast)
    for n, limit in zip((24, 48), limits, strict=True):
        values = []
        for origin in np.random.default_rng(1).random((2, 3)).tolist():
            micro = lattice_spheres(n, 0.268, origin=origin)
            phases = {"matrix": 1.0, "sphere": contrast}
            tensor = homogenize(micro, phases, interface=interface).tensor
            values.append(np.trace(tensor) / 3)
        assert_allclose(np.mean(values), exact, rtol=limit)


def test_the_input_is_kept():
    given_values = {"pore": 1.0, "solid": 0.5}
    result = homogenize(blobs(12), given_values)
    assert result.conductivities == given_values
    assert result.conductivities is not given_values
    assert result.boundary == "periodic"
    assert result.interface == "smooth"
    assert len(result.residuals) == len(result.flux_spreads) == 3


@both
def test_runs_are_bit_identical(interface):
    first, second = (
        homogenize(blobs(20), {"pore": 1.0, "solid": 0.1}, interface=interface) for _ in range(2)
    )
    assert_array_equal(first.tensor, second.tensor)
