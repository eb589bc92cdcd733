from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import microtwin as mt
from microtwin.connectivity import carrying_clusters
from microtwin.geometry import phase_fractions, smooth_geometry
from microtwin.numerics import GridOperator, PlaneField, Source, solve
from microtwin.transport import grid_dispersion, tracer_grid
from microtwin.transport.parallel_flows import (
    duct_dispersion,
    even_column,
    plane_channel,
    round_tube,
    square_duct,
    wave_dispersion,
    waves,
)
from transport.flows import wandering

shapes = st.tuples(st.integers(3, 5), st.integers(2, 5), st.integers(2, 5))


def reversed_flow(grid):
    return replace(grid, flows=tuple(-q for q in grid.flows))


def error_in(flow, width, reference, peclet=100.0):
    found = grid_dispersion(flow(width), peclet, 0.5 * width)
    return abs(found.longitudinal[0] / reference(peclet) - 1.0)


@pytest.mark.parametrize(
    ("flow", "reference", "accuracy", "order"),
    [
        (plane_channel, lambda p: 1.0 + 2.0 / 105.0 * p**2, 1e-3, 3.5),
        (square_duct, lambda p: duct_dispersion(2.0 * p), 2e-3, 2.5),
        (lambda n: round_tube(0.5 * n), lambda p: 1.0 + p**2 / 48.0, 1e-2, 1.6),
    ],
    ids=["channel", "duct", "tube"],
)
def test_taylor_and_aris(flow, reference, accuracy, order):
    coarse, middle, fine = (error_in(flow, n, reference) for n in (8, 16, 32))
    assert middle < accuracy
    assert 0.5 * np.log2(coarse / fine) > order


@pytest.mark.parametrize("radius", [7.2, 8.6])
def test_a_tube_between_voxels(radius):
    found = grid_dispersion(round_tube(radius), 50.0, radius)
    assert found.longitudinal[0] == pytest.approx(1.0 + 50.0**2 / 48.0, rel=0.01)
    assert found.transverse[0] == pytest.approx(0.0, abs=1e-5)  # walls on all sides


@pytest.mark.parametrize("skew", [False, True])
@pytest.mark.parametrize("peclet", [1.0, 20.0])
def test_waves_that_a_stream_carries(peclet, skew):
    """Here the stream carries the deviations along the axis in which they change."""
    errors = []
    for n in (16, 32):
        found = grid_dispersion(waves(n, 2.0, skew), peclet, n / (2.0 * np.pi), tol=1e-9)
        exact = wave_dispersion(n, 2.0, n / (2.0 * np.pi) / peclet, skew)
        tensor = found.relative_tensor[0]
        errors.append(abs((tensor[2, 2] - 1.0) / (exact[2, 2] - 1.0) - 1.0))
    np.testing.assert_allclose(tensor, exact, atol=0.01 * np.abs(exact).max())
    assert errors[1] < 0.02
    assert np.log2(errors[0] / errors[1]) > 1.9


def test_duct_of_chatwin_and_sullivan():
    # A square has 1.76 times the dispersion of plates at the same distance.
    assert (duct_dispersion(1.0) - 1.0) * 210.0 == pytest.approx(1.76, abs=0.005)


def test_even_flow_spreads_by_diffusion_alone():
    grid = even_column(4)
    periodic = tracer_grid(
        (np.ones((4, 3, 3)), *np.zeros((2, 4, 3, 3))), tuple(np.ones((3, 4, 3, 3))),
        np.ones((4, 3, 3)), (1.0, 2.0, 3.0),
    )  # fmt: skip
    found = grid_dispersion(periodic, [0.0, 1.0, 1e3], 1.0, 2e-9)
    np.testing.assert_allclose(found.relative_tensor, np.tile(np.eye(3), (3, 1, 1)), atol=1e-12)
    np.testing.assert_allclose(found.tensor, 2e-9 * found.relative_tensor)
    with pytest.raises(ValueError, match="has ends"):
        grid_dispersion(grid, 1.0, 1.0)


@pytest.fixture(scope="module")
def pores():
    return mt.generation.gaussian_field(20, 2.0, 0.55, seed=2)


@pytest.fixture(scope="module")
def grid(pores):
    """A flow through a random image that is slow in narrow faces, and has no divergence."""
    inside = pores.mask("pore")
    clusters = carrying_clusters(inside, 0, True)
    geometry = smooth_geometry(inside.view(np.uint8), 1, clusters, periodic=True)
    openings = tuple(geometry.unit * face for face in geometry.faces)
    volumes = phase_fractions(inside.view(np.uint8), 1, True)
    wet = volumes > 0.0
    faces = tuple(np.float32(o**2) * (wet & np.roll(wet, -1, a)) for a, o in enumerate(openings))
    operator = GridOperator(faces)
    source = Source(PlaneField.zeros(operator.shape), (1.0, 0.0, 0.0))
    x = solve(operator, source, rtol=1e-9).x
    fluxes = tuple(f * (np.roll(x, -1, a) - x + (a == 0)) for a, f in enumerate(faces))
    return tracer_grid(fluxes, openings, volumes, 1e-6)


def test_without_flow_it_is_the_effective_diffusivity(pores, grid):
    steady = mt.transport.tortuosity_factor(pores, "pore", boundary="periodic", tol=1e-7)
    found = grid_dispersion(grid, 0.0, 1e-5, tol=1e-8)
    tensor = mt.transport.homogenize(pores, {"pore": 1.0}, tol=1e-7).tensor
    assert grid.volume_fraction * found.relative_tensor[0, 0, 0] == pytest.approx(
        steady.relative_diffusivity, rel=1e-6
    )
    np.testing.assert_allclose(grid.volume_fraction * found.relative_tensor[0], tensor, atol=2e-6)


def test_dispersion_grows_with_the_flow(grid):
    found = grid_dispersion(grid, [30.0, 0.0, 3.0], 4e-6)
    assert found.longitudinal[0] > found.longitudinal[2] > found.longitudinal[1]
    assert found.cell_peclet[0] == pytest.approx(10.0 * found.cell_peclet[2])
    assert found.numerical_share[1] == 0.0
    assert 0.0 <= found.numerical_share[2] < found.numerical_share[0] < 0.3
    assert found.iterations.max() < 60
    assert found.velocity[0] == pytest.approx(30.0 * 1e-9 / 4e-6)
    assert "use finer voxels there" in found.message
    assert "less than 1 %" in grid_dispersion(grid, 0.0, 4e-6).message


@settings(max_examples=15, deadline=None)
@given(shapes, st.integers(0, 999), st.sampled_from([1.0, 20.0]))
def test_reversed_flow_has_the_transposed_tensor(shape, seed, peclet):
    grid = wandering(shape, seed)
    one, other = (
        grid_dispersion(g, peclet, 1.0, tol=1e-9).relative_tensor[0]
        for g in (grid, reversed_flow(grid))
    )
    np.testing.assert_allclose(one, other.T, atol=1e-6 * np.abs(one).max())


@settings(max_examples=15, deadline=None)
@given(shapes, st.integers(0, 999), st.sampled_from([1.0, 20.0]))
def test_what_spreads_is_never_negative(shape, seed, peclet):
    tensor = grid_dispersion(wandering(shape, seed), peclet, 1.0, tol=1e-9).relative_tensor[0]
    values = np.linalg.eigvalsh(0.5 * (tensor + tensor.T))
    assert values.min() > -1e-8 * values.max()


def test_only_the_part_that_carries_most_counts():
    """A tracer does not change between channels that nothing joins."""
    section = np.zeros((3, 6, 8))
    section[:, :2], section[:, 3:6] = 1.0, 0.5
    wet = section > 0.0
    links = [wet & np.roll(wet, -1, a) for a in range(3)]
    links[1][:, -1] = False
    found = tracer_grid((section, 0 * section, 0 * section), links, wet, 1.0)
    assert found.volume_fraction == pytest.approx(1.0 / 3.0)
    assert found.mean_velocity == pytest.approx([1.0, 0.0, 0.0])


def test_a_flow_to_a_tolerance_is_put_right():
    grid = wandering((6, 5, 4), 3)
    random = np.random.default_rng(1)
    worse = [
        q + 1e-4 * np.abs(q).max() * random.standard_normal(q.shape) * (q != 0) for q in grid.flows
    ]
    size = np.array(grid.voxel_size)
    areas = size.prod() / size
    speeds = [q / a for q, a in zip(worse, areas, strict=True)]
    openings = [g * h / a for g, h, a in zip(grid.links, size, areas, strict=True)]
    found = tracer_grid(speeds, openings, grid.volumes / size.prod(), grid.voxel_size)
    largest = max(np.abs(q).max() for q in found.flows)
    assert np.abs(found.outflow()).max() < 1e-12 * largest
    for one, other in zip(found.flows, grid.flows, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-3 * largest)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"peclet": -1.0}, "peclet -1.0 is not allowed"),
        ({"peclet": []}, "one or more numbers, zero or above"),
        ({"peclet": "fast"}, "peclet 'fast' is not allowed"),
        ({"length": 0.0}, "length 0.0 is not allowed"),
        ({"diffusivity": -1e-9}, "diffusivity -1e-09 is not allowed"),
        ({"tol": 0.0}, "tol 0.0 is not allowed"),
    ],
)
def test_what_does_not_fit_is_refused(change, words):
    options = {"peclet": 1.0, "length": 1.0} | change
    with pytest.raises(ValueError, match=words):
        grid_dispersion(plane_channel(4), **options)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"fluxes": (0.0, 0.0, 0.0)}, "nothing flows"),
        ({"fluxes": (np.nan, 0.0, 0.0)}, "a velocity is not finite"),
        ({"openings": (1.0, 2.0, 1.0)}, "openings from 1 to 2 are not allowed"),
        ({"volumes": np.zeros((3, 4, 5))}, "holds no fluid"),
        ({"volumes": np.ones((3, 4, 4))}, "differ; give one number per voxel"),
        ({"voxel_size": 0.0}, "give metres above 0"),
        ({"ends": 3}, "ends 3 is not allowed"),
    ],
)
def test_grids_that_do_not_fit_are_refused(change, words):
    options = {
        "fluxes": (1.0, 0.0, 0.0), "openings": (1.0, 1.0, 1.0), "volumes": np.ones((3, 4, 5)),
        "voxel_size": 1.0, "ends": None,
    } | change  # fmt: skip
    for name in ("fluxes", "openings"):
        options[name] = tuple(np.full((3, 4, 5), value) for value in options[name])
    with pytest.raises(ValueError, match=words):
        tracer_grid(**options)


def test_flow_that_vanishes_or_only_goes_round_is_refused():
    one = np.ones((4, 4, 4))
    leaking = one.copy()
    leaking[2] = 0.5
    with pytest.raises(ValueError, match="the flow does not balance"):
        tracer_grid((leaking, 0 * one, 0 * one), (one, one, one), one, 1.0)
    flow = np.zeros((3, 4, 4, 4))
    flow[0, 1, 1, 1], flow[1, 2, 1, 1], flow[0, 1, 2, 1], flow[1, 1, 1, 1] = 1, 1, -1, -1
    grid = tracer_grid(tuple(flow), (one, one, one), one, 1.0)
    with pytest.raises(ValueError, match="goes round but not through"):
        grid_dispersion(grid, 1.0, 1.0)
