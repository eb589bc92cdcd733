"""Accuracy on geometry whose truth is known from finer grids, and on a real image."""

from __future__ import annotations

import numpy as np
import pytest

import microtwin as mt
from microtwin.generation import gaussian_field, lattice_spheres
from microtwin.transport import tortuosity_factor
from microtwin.transport.references import sphere_array_conductivity
from microtwin.transport.verification import spheres_with_level_set
from microtwin.trust import coarsen_for
from real_images import real_image


def diffusivity(micro, interface="smooth", phase="pore"):
    return tortuosity_factor(
        micro, phase, boundary="periodic", interface=interface
    ).relative_diffusivity


@pytest.mark.slow
@pytest.mark.parametrize(
    ("length", "n", "limit", "staircase"),
    [
        (2.5, 64, 0.015, (-0.17, -0.11)),
        (4.0, 64, 0.01, (-0.11, -0.07)),
        (6.0, 72, 0.005, (-0.075, -0.04)),
    ],
)
def test_gaussian_fields_against_their_refinement(length, n, limit, staircase):
    # Two refinements and second order give the truth; the finest value is within 0.1 % of it.
    for seed in (0, 1):
        images = [gaussian_field(n, length, 0.4, seed, refine=r) for r in (1, 2, 3)]
        values = [diffusivity(micro) for micro in images]
        truth = (9 * values[2] - 4 * values[1]) / 5
        assert abs(values[0] / truth - 1) <= limit
        assert abs(values[2] / truth - 1) <= 0.002
        assert staircase[0] <= diffusivity(images[0], "voxel") / truth - 1 <= staircase[1]


@pytest.mark.slow
def test_the_truth_of_a_refined_grid_is_that_of_the_staircase():
    # Not to judge the smooth interface by itself: the staircase knows nothing of it. Its error has
    # first and second order, which three grids eliminate.
    images = [gaussian_field(48, 4.0, 0.4, 1, refine=r) for r in (1, 2, 4)]
    smooth = diffusivity(images[2])
    a, b, c = (diffusivity(micro, "voxel") for micro in images)
    first, second = 2 * b - a, 2 * c - b
    assert abs((4 * second - first) / 3 / smooth - 1) <= 0.005


@pytest.mark.parametrize(("n", "limit"), [(24, 0.008), (48, 0.003)])
def test_insulating_spheres_at_any_position(n, limit):
    exact = sphere_array_conductivity(0.268)
    for origin in np.random.default_rng(3).random((6, 3)).tolist():
        micro = lattice_spheres(n, 0.268, origin=origin)
        assert abs(diffusivity(micro, phase="matrix") / exact - 1) <= limit
        # The staircase is off by several times the limit.
        assert diffusivity(micro, "voxel", "matrix") / exact - 1 < -2 * limit


@pytest.mark.parametrize("origin", [(0.0, 0.0, 0.0), (0.5, 0.5, 0.5), (0.13, 0.29, 0.37)])
def test_an_exact_level_set_gives_second_order(origin):
    exact = sphere_array_conductivity(0.268)
    sizes = np.array([16, 24, 32, 48])
    errors = np.array(
        [spheres_with_level_set(n, origin).relative_diffusivity - exact for n in sizes]
    )
    orders = np.log(errors[:-1] / errors[1:]) / np.log(sizes[1:] / sizes[:-1])
    assert np.all(np.abs(orders - 2) <= 0.25)
    assert np.all(np.abs(errors) * sizes**2 <= 1.5)


@pytest.mark.parametrize(("n", "limit"), [(24, 0.008), (48, 0.003)])
def test_spheres_centred_on_the_grid_have_the_right_tortuosity(n, limit):
    # A sphere centred on the grid takes 2 % of its volume too little or too much, by the labels
    # alone. The conductivity follows the volume (+1.0 % at 24 voxels, which no treatment of the
    # interface can know); the tortuosity factor does not.
    exact = 0.732 / sphere_array_conductivity(0.268)
    for shift in (0.0, 0.5):
        micro = lattice_spheres(n, 0.268, origin=(shift,) * 3)
        tau = tortuosity_factor(micro, "matrix", boundary="periodic").tortuosity_factor
        assert abs(tau / exact - 1) <= limit


@pytest.mark.xfail(strict=True, reason="one-voxel features narrow no face: see the theory page")
def test_isolated_voxels_obstruct():
    # A lattice of single solid voxels, c = 1 / 216, lowers the diffusivity by 3 c / 2 or more.
    labels = np.zeros((12, 12, 12), np.uint8)
    labels[2::6, 2::6, 2::6] = 1
    micro = mt.Microstructure(labels, 1e-6, {"pore": 0, "solid": 1})
    result = tortuosity_factor(micro, "pore", boundary="periodic")
    assert result.tortuosity_factor >= 1.0


def test_a_real_image_and_its_coarsening():
    micro = mt.read_microstructure(
        real_image("nmc-cbd/nmc-1-cal_generatedCBD_bridge.tif"),
        voxel_size=398e-9,
        phases={"pore": 0, "active": 1, "binder": 2},
    )
    changes = []
    for z, y, x in ((0, 0, 0), (75, 100, 0), (75, 200, 200)):
        piece = micro.crop(slice(z, z + 100), slice(y, y + 100), slice(x, x + 100))
        coarse = coarsen_for(piece, "pore")
        changes.append(
            [
                abs(
                    tortuosity_factor(coarse, "pore", interface=i).relative_diffusivity
                    / tortuosity_factor(piece, "pore", interface=i).relative_diffusivity
                    - 1
                )
                for i in ("smooth", "voxel")
            ]
        )
    smooth, voxel = np.transpose(changes)
    # Measured: 2.6, 2.0, 1.9 % against 3.5, 4.8, 4.8 %.
    assert (smooth < voxel).all()
    assert smooth.mean() < 0.7 * voxel.mean()


@pytest.mark.slow
def test_the_formation_factor_of_a_sandstone_is_consistent():
    # Direct simulations on the parent image, eight times as large, gave 23.12, 23.99 and 25.22.
    # Codes spread by a few per cent and a piece differs from the whole: this asks for 15 %.
    pore = np.load(real_image("berea-sandstone/berea_100_to_300.npz"))["im"]
    micro = mt.Microstructure((~pore).view(np.uint8), 5.345e-6, {"pore": 0, "solid": 1})
    factors = {
        i: np.mean(
            [
                1 / tortuosity_factor(micro, "pore", d, interface=i).relative_diffusivity
                for d in "zyx"
            ]
        )
        for i in ("smooth", "voxel")
    }
    # Measured: 22.0 and 25.5; the staircase always finds the pores narrower than they are.
    assert factors["smooth"] < factors["voxel"]
    for value in factors.values():
        assert abs(value / 24.11 - 1) <= 0.15
