"""Potential, flux and dissipation: ranges, means, and the energy identity."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from numpy.testing import assert_allclose, assert_array_equal

from microtwin import Microstructure
from microtwin.transport import tortuosity_factor

from .pictures import PHASES, anisotropic, bent, blobs, channel, random_images

BOUNDARIES = ("faces", "periodic")
INTERFACES = ("smooth", "voxel")
everything = pytest.mark.parametrize(
    ("boundary", "interface"), [(b, i) for b in BOUNDARIES for i in INTERFACES]
)


@pytest.mark.parametrize("direction", ["z", "y", "x"])
@pytest.mark.parametrize("interface", INTERFACES)
def test_the_potential_of_an_empty_box_is_linear(direction, interface):
    micro = Microstructure(np.zeros((4, 5, 6), np.uint8), (1e-6, 2e-6, 3e-6), PHASES)
    result = tortuosity_factor(micro, "pore", direction, interface=interface)
    axis = "zyx".index(direction)
    n = micro.shape[axis]
    # The faces lie half a voxel outside the first and the last voxel centre.
    expected = 1 - (np.arange(n) + 0.5) / n
    potential = np.moveaxis(result.potential(), axis, -1)
    assert_allclose(potential, np.broadcast_to(expected, potential.shape), atol=1e-14)
    flux = result.flux()
    assert_array_equal(flux[axis], 1.0)
    assert_array_equal(np.delete(flux, axis, 0), 0.0)
    assert_allclose(result.dissipation(), 1.0, rtol=1e-6)


@everything
def test_the_potential_is_defined_in_the_percolating_phase(boundary, interface):
    micro = blobs(20, 4)
    labels = micro.labels.copy()
    labels[8:13, 8:13, 8:13] = 1
    labels[10, 10, 10] = 0  # an island
    result = tortuosity_factor(
        Microstructure(labels, 1e-6, PHASES), "pore", "y", boundary, interface
    )
    potential = result.potential()
    assert potential.shape == labels.shape
    assert potential.dtype == np.float64
    assert np.isnan(potential[labels == 1]).all()
    assert np.isnan(potential[10, 10, 10])
    inside = np.count_nonzero(~np.isnan(potential))
    assert inside == round(result.percolating_fraction * np.count_nonzero(labels == 0))
    if boundary == "faces":
        assert np.nanmin(potential) > 0.0
        assert np.nanmax(potential) < 1.0
        assert np.nanmean(potential[:, 0]) > np.nanmean(potential[:, -1])


@given(random_images())
def test_the_maximum_principle(micro):
    for interface in INTERFACES:
        result = tortuosity_factor(micro, "p0", interface=interface)
        if result.percolates:
            potential = result.potential()
            assert np.nanmin(potential) > -1e-5
            assert np.nanmax(potential) < 1 + 1e-5


@everything
@pytest.mark.parametrize("direction", ["z", "y", "x"])
@pytest.mark.parametrize("make", [blobs, anisotropic])
def test_the_mean_flux_is_the_relative_diffusivity(make, direction, boundary, interface):
    result = tortuosity_factor(make(20), "pore", direction, boundary, interface, 1e-5)
    flux = result.flux()
    axis = "zyx".index(direction)
    assert flux.shape == (3, 20, 20, 20)
    # Every voxel takes half of both its faces: in the mean each layer counts once.
    assert_allclose(flux[axis].mean(), result.relative_diffusivity, rtol=1e-4)
    assert np.abs(flux[:, np.isnan(result.potential())]).max() <= np.abs(flux).max()
    if boundary == "faces":  # nothing leaves through the sides
        for a in {0, 1, 2} - {axis}:
            along = np.moveaxis(flux[a], a, 0)
            assert np.abs(along[0]).max() < np.abs(flux).max()


@everything
@pytest.mark.parametrize("direction", ["z", "y", "x"])
@pytest.mark.parametrize("make", [blobs, anisotropic])
def test_the_energy_identity(make, direction, boundary, interface):
    # The power that the mean flux takes out of the mean gradient is dissipated in the voxels, so
    # the mean of the dissipation over D_eff is 1. It holds to the square of the error of the flux.
    micro = make(20)
    result = tortuosity_factor(micro, "pore", direction, boundary, interface, 1e-5)
    dissipation = result.dissipation()
    assert dissipation.shape == micro.shape
    assert dissipation.min() >= 0.0
    assert_allclose(dissipation.mean(dtype=float), 1.0, rtol=1e-4)


@pytest.mark.parametrize("interface", INTERFACES)
def test_the_energy_identity_of_a_bent_duct(interface):
    result = tortuosity_factor(bent(), "pore", interface=interface, tol=1e-5)
    assert_allclose(result.dissipation().mean(dtype=float), 1.0, rtol=1e-4)


@pytest.mark.parametrize("interface", INTERFACES)
def test_bottlenecks_are_where_the_duct_is_narrow(interface):
    labels = np.ones((20, 12, 12), np.uint8)
    labels[:, 1:11, 1:11] = 0
    labels[8:12] = 1
    labels[8:12, 4:8, 4:8] = 0
    result = tortuosity_factor(Microstructure(labels, 1e-6, PHASES), "pore", interface=interface)
    dissipation = result.dissipation()
    neck = dissipation[8:12, 4:8, 4:8]
    # The neck is 4 % of the pore; without the constriction in front of it, it has 4 / (4 + 16 x
    # 16 / 100) = 61 % of the resistance, and the constriction takes some of that.
    assert 0.4 < neck.sum() / dissipation.sum() < 0.61


@pytest.mark.parametrize("interface", INTERFACES)
def test_the_flux_of_a_channel(interface):
    result = tortuosity_factor(channel(), "pore", interface=interface)
    flux = result.flux()
    # Away from the walls the flux is that of an empty box; there is none across.
    assert_allclose(flux[0, :, 4:8, 3:8], 1.0, rtol=1e-6)
    assert_allclose(flux[1:], 0.0, atol=1e-7)
