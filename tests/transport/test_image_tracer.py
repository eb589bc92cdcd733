from __future__ import annotations

import numpy as np
import pytest

import microtwin as mt
from microtwin.transport import (
    breakthrough,
    dispersion,
    flow_grid,
    grain_diameter,
    homogenize,
    tortuosity_factor,
)
from transport.pictures import PHASES, blobs


@pytest.fixture(scope="module")
def pores():
    return mt.generation.gaussian_field(20, 2.0, 0.55, seed=2)


@pytest.fixture(scope="module")
def flows(pores):
    return {b: mt.transport.permeability(pores, "pore", boundary=b) for b in ("periodic", "faces")}


def test_without_flow_it_is_the_effective_diffusivity(pores, flows):
    found = dispersion(pores, flows["periodic"], 0.0, tol=1e-8)
    tensor = homogenize(pores, {"pore": 1.0}, tol=1e-7).tensor
    np.testing.assert_allclose(found.volume_fraction * found.relative_tensor[0], tensor, atol=2e-6)
    steady = tortuosity_factor(pores, "pore", boundary="periodic", tol=1e-7)
    connected = found.volume_fraction / steady.volume_fraction
    zz = found.relative_tensor[0, 0, 0]
    assert zz * connected * steady.tortuosity_factor == pytest.approx(1.0, rel=1e-6)


def test_fixed_pressures_reflect_the_image(pores, flows):
    found = dispersion(pores, flows["faces"], [0.0, 10.0], tol=1e-8)
    for axis, direction in enumerate("zyx"):
        steady = tortuosity_factor(pores, "pore", direction, tol=1e-7)
        assert found.volume_fraction * found.relative_tensor[0, axis, axis] == pytest.approx(
            steady.relative_diffusivity, rel=2e-3
        )
    # By symmetry nothing is off the diagonal.
    off = found.relative_tensor[1] - np.diag(np.diag(found.relative_tensor[1]))
    assert np.abs(off).max() < 1e-5
    np.testing.assert_allclose(found.direction, [1.0, 0.0, 0.0], atol=1e-9)


def test_a_reflected_image_gives_the_same_as_its_half(pores, flows):
    """The periodic flow of the image joined to its reflections is that between fixed pressures."""
    half = mt.Microstructure(pores.labels[:10, :10, :8], pores.voxel_size, dict(pores.phases))
    whole = mt.Microstructure(
        np.pad(half.labels, [(0, n) for n in half.shape], "symmetric"), half.voxel_size,
        dict(half.phases),
    )  # fmt: skip
    one = mt.transport.permeability(half, "pore", boundary="mirror", tol=1e-7)
    other = mt.transport.permeability(whole, "pore", boundary="periodic", tol=1e-7)
    assert one.percolates
    tensors = [
        dispersion(micro, flow, 20.0, length=4e-6, tol=1e-8).relative_tensor
        for micro, flow in ((half, one), (whole, other))
    ]
    np.testing.assert_allclose(*tensors, atol=1e-3 * np.abs(tensors[0]).max())


@pytest.mark.parametrize("direction", ["y", "x"])
def test_directions_only_rename_the_axes(pores, flows, direction):
    axis = "zyx".index(direction)
    order = {1: (1, 0, 2), 2: (1, 2, 0)}[axis]
    turned = mt.Microstructure(pores.labels.transpose(order), pores.voxel_size, dict(pores.phases))
    flow = mt.transport.permeability(turned, "pore", direction)
    one = dispersion(pores, flows["periodic"], 10.0, length=4e-6)
    other = dispersion(turned, flow, 10.0, length=4e-6)
    assert other.longitudinal == pytest.approx(one.longitudinal, rel=1e-3)
    assert other.transverse == pytest.approx(one.transverse, rel=1e-3)
    np.testing.assert_allclose(
        other.relative_tensor[0], one.relative_tensor[0][np.ix_(order, order)],
        atol=2e-3 * one.longitudinal[0],
    )  # fmt: skip


def test_plates_from_the_flow_solver():
    exact = 1.0 + 2.0 / 105.0 * 100.0**2
    errors = []
    for width in (16, 32):
        labels = np.ones((2, 2, width + 2), np.uint8)
        labels[:, :, 1:-1] = 0
        micro = mt.Microstructure(labels, 1e-6, PHASES)
        flow = mt.transport.permeability(micro, "pore", tol=1e-8)
        length = 0.5e-6 * width
        found = dispersion(micro, flow, 100.0, length=length, diffusivity=2e-9)
        errors.append(abs(found.longitudinal[0] / exact - 1.0))
    assert errors[1] < 5e-3
    assert np.log2(errors[0] / errors[1]) > 1.8
    assert found.tensor[0, 0, 0] == pytest.approx(2e-9 * found.longitudinal[0], rel=1e-6, abs=0.0)
    assert found.velocity[0] == pytest.approx(100.0 * 2e-9 / length)


def test_voxels_of_three_edges():
    """The same slit on voxels that are narrow across it and long along it."""
    labels = np.ones((2, 2, 34), np.uint8)
    labels[:, :, 1:-1] = 0
    found = []
    for size in (1e-6, (4e-6, 2e-6, 1e-6)):
        micro = mt.Microstructure(labels, size, PHASES)
        flow = mt.transport.permeability(micro, "pore", tol=1e-8)
        found.append(dispersion(micro, flow, 100.0, length=16e-6).relative_tensor)
    np.testing.assert_allclose(*found, atol=1e-4 * np.abs(found[0]).max())


@pytest.mark.parametrize("boundary", ["periodic", "faces"])
def test_a_curve_through_an_image(pores, flows, boundary):
    flow = flows[boundary]
    length = grain_diameter(pores, "pore")
    velocity = 20.0 * 1e-9 / length
    found = breakthrough(
        pores, flow, 1e-9, velocity, pore_volumes=2.5, retardation=1.5, snapshots=[1e-3]
    )
    assert abs(found.balance) < 1e-8
    assert found.lowest > -1e-8 and found.highest < 1.0 + 1e-8
    assert (np.diff(found.concentration) > -1e-6).all()
    assert found.concentration[-1] > 0.8
    assert found.velocity == pytest.approx(velocity)
    inside = np.isfinite(found.snapshots[0])
    assert inside[flow.velocity()[0] != 0.0].all()


def test_particles_spread_as_the_closure_problem_says():
    """An independent method: random walks in the same velocities, on the staircase."""
    micro = mt.generation.lattice_spheres(10, 0.3)
    flow = mt.transport.permeability(micro, "matrix", interface="voxel")
    peclet = 20.0
    expected = dispersion(micro, flow, peclet, length=10.0 * micro.voxel_size[0])
    found = random_walk(flow_grid(micro, flow), peclet / 10.0, particles=3000, time=250.0)
    assert found == pytest.approx(expected.longitudinal[0], rel=0.1)


def random_walk(grid, speed, particles, time, step=0.05, seed=1):
    """Return what the variance along z grows by, over that of free diffusion.

    In voxels, and the time that diffusion takes over one; speed is the mean in the fluid.
    """
    random = np.random.default_rng(seed)
    wet = grid.volumes > 0.0
    shape = np.array(grid.shape)
    scale = speed * np.count_nonzero(wet) / grid.flows[0].sum()
    place = np.argwhere(wet)[random.integers(np.count_nonzero(wet), size=particles)]
    place = place + random.random((particles, 3))
    start = place.copy()
    early = None
    for n in range(int(time / step)):
        cell = np.floor(place).astype(int)
        part = place - cell
        at = tuple((cell % shape).T)
        moved = place.copy()
        for a in range(3):  # linear between the two faces: no divergence, so none gather
            below = list(at)
            below[a] = (below[a] - 1) % shape[a]
            before, after = grid.flows[a][tuple(below)], grid.flows[a][at]
            moved[:, a] += step * scale * (before + part[:, a] * (after - before))
        moved += np.sqrt(2.0 * step) * random.standard_normal(moved.shape)
        for a in range(3):  # axis by axis, back where a wall is in between
            tried = place.copy()
            tried[:, a] = moved[:, a]
            open_ = wet[tuple((np.floor(tried).astype(int) % shape).T)]
            place[open_] = tried[open_]
        if n == int(0.25 * time / step):
            early = (place - start)[:, 0].var()
    return ((place - start)[:, 0].var() - early) / (2.0 * 0.75 * time)


def test_grain_diameter_of_spheres():
    micro = mt.generation.lattice_spheres(32, 0.3)
    exact = 32 * micro.voxel_size[0] * (6.0 * 0.3 / np.pi) ** (1.0 / 3.0)
    assert grain_diameter(micro, "matrix") == pytest.approx(exact, rel=0.03)
    with pytest.raises(ValueError, match="pore has no surface in this image"):
        grain_diameter(mt.Microstructure(np.zeros((4, 4, 4), np.uint8), 1e-6, PHASES), "pore")


def test_the_seam_of_an_image_that_does_not_repeat_is_no_surface():
    labels = np.zeros((24, 12, 12), np.uint8)
    labels[:12] = 1  # one wall; a period would have another one
    micro = mt.Microstructure(labels, 1.0, PHASES)
    assert grain_diameter(micro, "pore", periodic=False) == pytest.approx(6.0 * 11.5, rel=1e-3)
    assert grain_diameter(micro, "pore") == pytest.approx(6.0 * 12 / 2, rel=1e-3)
    side = np.zeros((12, 12, 24), np.uint8)
    side[:, :, :12] = 1
    held = mt.Microstructure(side, 1.0, PHASES)
    flow = mt.transport.permeability(held, "pore", boundary="faces")
    assert dispersion(held, flow, 1.0).length == pytest.approx(6.0 * 11.5, rel=1e-3)


def test_what_does_not_flow_is_refused(pores, flows):
    labels = np.zeros((8, 8, 8), np.uint8)
    labels[3] = 1
    shut = mt.Microstructure(labels, 1e-6, PHASES)
    flow = mt.transport.permeability(shut, "pore")
    for call in (
        lambda: dispersion(shut, flow, 1.0),
        lambda: breakthrough(shut, flow, 1e-9, 1e-3),
    ):
        with pytest.raises(ValueError, match=r"does not percolate along z.*No tracer flows"):
            call()
    with pytest.raises(ValueError, match="compute the flow on this image"):
        dispersion(blobs(8), flows["periodic"], 1.0)
    with pytest.raises(ValueError, match="this result has no fields"):
        dispersion(pores, flows["periodic"].without_fields(), 1.0)
    with pytest.raises(ValueError, match=r"peclet -1\.0 is not allowed"):
        dispersion(pores, flows["periodic"], -1.0)
    with pytest.raises(ValueError, match=r"diffusivity 0\.0 is not allowed"):
        breakthrough(pores, flows["periodic"], 0.0, 1e-3)
