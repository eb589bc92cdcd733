"""The network of composites: contact resistance, layers, thin films, contrasts."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from microtwin import Microstructure
from microtwin.transport import homogenize
from microtwin.transport.composite import composite_problem, contact_resistance
from microtwin.transport.verification import checkerboard, layers

from .pictures import blobs

INTERFACES = ("smooth", "voxel")
both = pytest.mark.parametrize("interface", INTERFACES)


@pytest.mark.parametrize(("first", "second"), [(1.0, 10.0), (0.3, 0.2), (1e-3, 1e3)])
def test_contact_resistance_makes_a_flat_interface_exact(first, second):
    r = contact_resistance(first, second)
    assert r > 0.0
    # Two ways beside each other, each through half a face and one change of sides.
    ways = 1 / (2 * (1 / first + r)) + 1 / (2 * (1 / second + r))
    assert_allclose(1 / ways, 0.5 * (1 / first + 1 / second), rtol=1e-12)
    assert contact_resistance(second, first) == r


def test_contact_resistance_vanishes_between_equals():
    assert contact_resistance(2.0, 2.0) == 0.0


@both
@pytest.mark.parametrize("boundary", ["faces", "periodic", "mirror"])
@pytest.mark.parametrize(
    ("thicknesses", "values"),
    [
        ((5, 10, 5), (0.1, 1.0, 0.1)),
        ((10, 10), (0.1, 1.0)),
        ((7, 7, 7), (0.1, 1.0, 0.1)),
        ((2, 3, 4), (0.2, 1.0, 30.0)),
        ((6, 6), (1e-3, 1e3)),
        ((2, 2), (1.0, 1e6)),
    ],
)
def test_layers_in_series_and_in_parallel(thicknesses, values, boundary, interface):
    micro = layers(thicknesses)
    phases = {str(n): k for n, k in enumerate(values)}
    result = homogenize(micro, phases, boundary, interface, 1e-6)
    share, k = np.array(thicknesses) / sum(thicknesses), np.array(values)
    assert_allclose(result.through_plane, 1 / (share @ (1 / k)), rtol=1e-5)
    assert_allclose(result.in_plane, share @ k, rtol=1e-6)
    assert_allclose(result.tensor - np.diag(np.diag(result.tensor)), 0.0, atol=1e-6 * k.max())


@both
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_layers_across_every_axis(axis, interface):
    micro = layers((4, 6))
    turned = Microstructure(
        np.ascontiguousarray(np.moveaxis(micro.labels, 0, axis)), (1e-6, 2e-6, 3e-7), micro.phases
    )
    tensor = homogenize(turned, {"0": 1.0, "1": 5.0}, "periodic", interface, 1e-6).tensor
    expected = np.full(3, 0.4 * 1.0 + 0.6 * 5.0)
    expected[axis] = 1 / (0.4 / 1.0 + 0.6 / 5.0)
    assert_allclose(np.diag(tensor), expected, rtol=1e-5)


@both
@pytest.mark.parametrize("boundary", ["faces", "periodic"])
@pytest.mark.parametrize("value", [0.1, 0.5, 0.99, 10.0])
def test_a_film_of_one_voxel(value, boundary, interface):
    # A binder film is often one voxel thin; both its interfaces lie in neighbouring voxels.
    result = homogenize(layers((4, 1, 4)), {"0": 1.0, "1": value, "2": 1.0}, boundary, interface)
    assert_allclose(result.through_plane, 9 / (8 + 1 / value), rtol=0.02)
    assert_allclose(result.in_plane, (8 + value) / 9, rtol=1e-4)


@both
@pytest.mark.parametrize("boundary", ["faces", "periodic"])
def test_the_thinnest_layers_of_a_high_contrast(boundary, interface):
    result = homogenize(layers((1, 1)), {"0": 1.0, "1": 1e6}, boundary, interface)
    assert_allclose(result.through_plane, 2 / (1 + 1e-6), rtol=0.02)


@settings(max_examples=25)
@given(
    st.lists(st.tuples(st.integers(1, 3), st.integers(0, 3)), min_size=2, max_size=6),
    st.sampled_from(["faces", "periodic"]),
    st.sampled_from(INTERFACES),
    st.integers(0, 2),
)
def test_layers_of_any_thickness_are_exact(stack, boundary, interface, axis):
    """Films, pairs and thicker layers in any order, along any axis, on anisotropic voxels."""
    values = np.array([0.1, 1.0, 3.0, 40.0])
    sequence = np.repeat([n for _, n in stack], [t for t, _ in stack]).astype(np.uint8)
    labels = np.broadcast_to(sequence[:, None, None], (len(sequence), 2, 3))
    micro = Microstructure(
        np.ascontiguousarray(np.moveaxis(labels, 0, axis)),
        (1e-6, 2e-6, 3e-7),
        dict(zip("abcd", range(4), strict=True)),
    )
    phases = {name: values[n] for name, n in micro.phases.items() if n in sequence}
    tensor = homogenize(micro, phases, boundary, interface, 1e-5).tensor
    k = values[sequence]
    expected = np.full(3, k.mean())
    expected[axis] = 1 / (1 / k).mean()
    assert_allclose(np.diag(tensor), expected, rtol=1e-4)


@both
def test_equal_conductivities_are_one_phase(interface):
    labels = np.random.default_rng(2).integers(0, 3, (12, 12, 12)).astype(np.uint8)
    three = Microstructure(labels, 1e-6, {"a": 0, "b": 1, "c": 2})
    merged = Microstructure(np.minimum(labels, 1), 1e-6, {"a": 0, "b": 1})
    split = homogenize(three, {"a": 1.0, "b": 4.0, "c": 4.0}, interface=interface)
    joined = homogenize(merged, {"a": 1.0, "b": 4.0}, interface=interface)
    assert_allclose(split.tensor, joined.tensor, rtol=1e-12, atol=1e-14)


@both
@pytest.mark.parametrize("ratio", [0.9, 0.99, 0.999])
def test_nearly_equal_conductivities_are_nearly_one_phase(ratio, interface):
    # A perturbation of the conductivity by 1 - r changes the result by less than that.
    micro = blobs(24)
    tensor = homogenize(micro, {"pore": 1.0, "solid": ratio}, interface=interface).tensor
    values = np.linalg.eigvalsh(tensor)
    assert ratio - 1e-4 <= values.min()
    assert values.max() <= 1 + 1e-4


@both
def test_an_insulating_phase_and_a_zero_are_the_same(interface):
    micro = blobs(16)
    named = homogenize(micro, {"pore": 1.0, "solid": 0.0}, interface=interface)
    unnamed = homogenize(micro, {"pore": 1.0}, interface=interface)
    assert_allclose(named.tensor, unnamed.tensor, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("contrast", [1e3, 1e6])
@both
def test_high_contrast_takes_few_iterations(contrast, interface):
    micro = blobs(40, 3, 3.0)
    for phases in ({"pore": 1.0, "solid": contrast}, {"pore": contrast, "solid": 1.0}):
        result = homogenize(micro, phases, interface=interface)
        assert max(result.iterations) <= 15
        assert max(result.flux_spreads) <= 1e-4


@both
def test_three_phases_with_one_insulating_take_few_iterations(interface):
    labels = blobs(40, 3, 3.0).labels * 2
    labels[(blobs(40, 5, 3.0).labels == 1) & (labels == 2)] = 1
    micro = Microstructure(labels, 1e-6, {"pore": 0, "binder": 1, "active": 2})
    result = homogenize(micro, {"pore": 1.0, "binder": 0.05}, interface=interface)
    assert max(result.iterations) <= 15
    assert np.linalg.eigvalsh(result.tensor).min() > 0.0


def test_the_checkerboard_converges_with_the_order_of_its_corners():
    # Potential r^p at the corners, p = (4 / pi) atan(sqrt(k1 / k2)); the energy converges as h^2p.
    for contrast, first_error in ((2.0, 0.013), (10.0, 0.21)):
        exact = math.sqrt(contrast)
        errors = [
            1 - homogenize(
                checkerboard(n), {"black": 1.0, "white": contrast}, interface="voxel", tol=1e-6
            ).in_plane / exact
            for n in (4, 8, 16, 32)
        ]  # fmt: skip
        assert 0.0 < errors[0] < first_error
        orders = np.log2(np.array(errors[:-1]) / errors[1:])
        theory = 8 / math.pi * math.atan(contrast**-0.5)
        assert (np.diff(orders) > 0.0).all()
        assert_allclose(orders[-1], theory, atol=0.03)


def test_the_smooth_interface_rounds_the_corners_of_a_checkerboard():
    # The connection of equal squares at a corner is lost below the voxel size, so the smooth value
    # is lower, but converges to the same limit at the same order.
    exact = math.sqrt(10.0)
    smooth, voxel = (
        np.array(
            [
                homogenize(
                    checkerboard(n), {"black": 1.0, "white": 10.0}, interface=i, tol=1e-6
                ).in_plane
                for n in (16, 32, 64)
            ]
        )
        for i in INTERFACES
    )
    assert (smooth < voxel).all()
    assert (voxel < exact).all()
    assert (np.diff(np.log2(exact - smooth)) < -0.6).all()


@both
def test_nothing_that_percolates_gives_no_system(interface):
    labels = np.zeros((6, 4, 4), np.uint8)
    labels[2] = 1
    conductivity = np.zeros(256)
    conductivity[0] = 1.0
    smooth = interface == "smooth"
    spacing = (1.0, 1.0, 1.0)
    assert composite_problem(labels, conductivity, spacing, False, smooth) is None
    conductivity[1] = 1e-9
    assert composite_problem(labels, conductivity, spacing, False, smooth) is not None
