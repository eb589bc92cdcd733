from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import erfc

from microtwin.transport import fit_column, grid_breakthrough, ogata_banks, tracer_grid
from microtwin.transport.parallel_flows import even_column, plane_channel
from transport.flows import wandering

shapes = st.tuples(st.integers(3, 6), st.integers(2, 5), st.integers(2, 5))


def test_ogata_and_banks_as_it_is_written():
    x, t = np.meshgrid([0.1, 0.5, 1.0], [0.1, 0.5, 2.0])
    width = 2.0 * np.sqrt(0.1 * t)
    written = 0.5 * (erfc((x - t) / width) + np.exp(x / 0.1) * erfc((x + t) / width))
    np.testing.assert_allclose(ogata_banks(x, t, 1.0, 0.1), written, rtol=1e-12)


def test_ogata_and_banks_at_its_limits():
    assert ogata_banks(1.0, 1.0, 1.0, 1e-9) == pytest.approx(0.5, abs=1e-4)  # exp(1e9) inside
    assert ogata_banks(0.0, 1.0, 1.0, 1.0) == 1.0
    assert ogata_banks([0.0, 1.0], [0.0, -1.0], 1.0, 1.0).tolist() == [0.0, 0.0]
    assert ogata_banks(1.0, 1e9, 1.0, 1.0) == pytest.approx(1.0)
    # Without flow it is diffusion into a half space.
    assert ogata_banks(1.0, 2.0, 0.0, 0.3) == pytest.approx(erfc(1.0 / (2.0 * np.sqrt(0.6))))
    # Retardation stretches the time.
    assert ogata_banks(1.0, 3.0, 1.0, 0.2, 3.0) == pytest.approx(ogata_banks(1.0, 1.0, 1.0, 0.2))


def test_a_column_is_that_of_ogata_and_banks():
    length, dispersion = 150, 1.5
    found = grid_breakthrough(even_column(length), dispersion)
    exact = ogata_banks(length, found.times, 1.0, dispersion)
    assert np.abs(found.concentration - exact).max() < 0.01
    assert found.fit.velocity == pytest.approx(1.0, rel=1e-3)
    assert found.fit.dispersion == pytest.approx(dispersion, rel=0.03)
    assert found.fit.misfit < 1e-3
    assert found.velocity == pytest.approx(1.0)


def test_moments_of_a_closed_column():
    """Mean and variance of the residence time, with a flux at the inlet and no gradient at the end.

    Danckwerts, Chem. Eng. Sci. 2 (1953) 1; Levenspiel & Smith: 2 / P - 2 (1 - exp(-P)) / P^2.
    """
    peclet, length = 40.0, 40
    found = grid_breakthrough(even_column(length), length / peclet)
    step = found.time_step / length
    missing = 1.0 - found.concentration
    mean = missing.sum() * step
    variance = 2.0 * (missing * found.times / length).sum() * step - mean**2
    assert mean == pytest.approx(1.0, abs=1e-3)
    exact = 2.0 / peclet - 2.0 * (1.0 - np.exp(-peclet)) / peclet**2
    assert variance == pytest.approx(exact, rel=5e-3)


def test_the_curve_converges_at_second_order():
    def curve(n):
        found = grid_breakthrough(even_column(n), 0.01 * n, pore_volumes=1.6)
        return np.interp(np.linspace(0.6, 1.4, 21), found.pore_volumes, found.concentration)

    exact = curve(240)
    errors = [np.abs(curve(n) - exact).max() for n in (30, 60)]
    assert errors[1] < 6e-3
    assert np.log2(errors[0] / errors[1]) > 1.6


def test_the_share_of_the_scheme_is_known():
    """It is the share of the dispersion that the curve shows and the equation has not."""
    found = {p: grid_breakthrough(even_column(50), 50.0 / p) for p in (10.0, 1e3)}
    assert found[10.0].numerical_share < 1e-3
    assert "0 % of the mixing" in found[10.0].message
    excess = 1.0 - found[1e3].diffusivity / found[1e3].fit.dispersion
    assert found[1e3].numerical_share == pytest.approx(excess, abs=0.05)
    assert "use finer voxels" in found[1e3].message


def test_taylor_dispersion_in_the_curve():
    width, peclet = 6, 4.0
    dispersion = 0.5 * width / peclet
    grid = plane_channel(width, length=40 * width, ends=0)
    fit = grid_breakthrough(grid, dispersion, pore_volumes=1.8).fit
    assert fit.velocity == pytest.approx(1.0, rel=2e-3)
    expected = dispersion * (1.0 + 2.0 / 105.0 * peclet**2)
    assert fit.dispersion == pytest.approx(expected, rel=0.04)


@settings(max_examples=8, deadline=None)
@given(shapes, st.integers(0, 999), st.sampled_from([1e-3, 1.0]), st.booleans())
def test_nothing_is_lost_and_nothing_overshoots(shape, seed, diffusivity, pulse):
    grid = wandering(shape, seed, ends=0)
    time = 0.5 * grid.volume if pulse else None
    found = grid_breakthrough(grid, diffusivity, pulse=time, decay=0.01, retardation=1.5)
    assert abs(found.balance) < 1e-10
    assert found.lowest > -1e-8
    assert found.highest < 1.0 + 1e-8
    assert found.concentration.min() > -1e-8


def test_retardation_stretches_the_curve():
    grid = wandering((8, 4, 4), 5, ends=0)
    free, sorbed = (grid_breakthrough(grid, 0.1, retardation=r) for r in (1.0, 2.5))
    stretched = np.interp(2.5 * free.times, sorbed.times, sorbed.concentration)
    # Diffusion is slowed down as much as the flow.
    np.testing.assert_allclose(stretched, free.concentration, atol=1e-8)
    assert sorbed.pore_volumes[-1] == pytest.approx(7.5, rel=1e-2)


def test_decay_on_the_way():
    """The steady curve of a long column: exp((1 - sqrt(1 + 4 k D / v^2)) v L / (2 D))."""
    length, dispersion, decay = 100, 2.0, 0.01
    found = grid_breakthrough(even_column(length), dispersion, decay=decay, pore_volumes=4.0)
    root = np.sqrt(1.0 + 4.0 * decay * dispersion)
    exact = np.exp((1.0 - root) * length / (2.0 * dispersion))
    assert found.concentration[-1] == pytest.approx(exact, rel=0.01)
    assert found.decayed > 0.0
    with pytest.raises(ValueError, match="knows no decay"):
        _ = found.fit
    assert abs(found.balance) < 1e-10


def test_what_comes_in_goes_out_after_a_pulse():
    found = grid_breakthrough(even_column(40), 1.0, pulse=10.0, pore_volumes=4.0)
    assert found.injected == pytest.approx(10.0 * 4.0)  # m^3, through four voxels
    assert found.left == pytest.approx(found.injected, rel=1e-3)
    assert (found.concentration * found.time_step).sum() == pytest.approx(10.0, rel=1e-3)
    assert found.fit.velocity == pytest.approx(1.0, rel=5e-3)
    assert found.fit.dispersion == pytest.approx(1.0, rel=0.06)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("sign", [1, -1])
def test_any_axis_and_either_way(axis, sign):
    length = 20
    one = np.moveaxis(np.ones((length, 2, 3)), 0, axis)
    speeds = [0 * one] * 3
    speeds[axis] = sign * one
    grid = tracer_grid(speeds, (one, one, one), one, 1.0, axis)
    found = grid_breakthrough(grid, 0.5, snapshots=[0.5 * length, 1e9])
    same = grid_breakthrough(even_column(length), 0.5)
    np.testing.assert_allclose(found.concentration, same.concentration, atol=1e-9)
    profile = np.moveaxis(found.snapshots[0], axis, 0)[::sign, 0, 0]
    assert (np.diff(profile) < 1e-6).all() and profile[0] > 0.99 and profile[-1] < 0.1
    assert found.snapshots.shape == (2, *one.shape)
    assert found.snapshot_times[0] == pytest.approx(10.0, abs=found.time_step)


def test_the_velocity_can_be_set():
    slow, fast = (
        grid_breakthrough(even_column(12), d, velocity=v) for v, d in ((1.0, 0.5), (10.0, 5.0))
    )
    np.testing.assert_allclose(slow.concentration, fast.concentration, atol=1e-9)
    np.testing.assert_allclose(slow.times, 10.0 * fast.times)
    assert fast.velocity == pytest.approx(10.0)


def test_dead_ends_fill_by_diffusion():
    """Half of the fluid stands still beside the stream: the tail is long, the mean is one."""
    shape = (20, 2, 2)
    stream = np.zeros(shape)
    stream[:, 0] = 1.0
    one = np.ones(shape)
    links = (one, one, one)
    grid = tracer_grid((stream, 0 * one, 0 * one), links, one, 1.0, 0)
    found = grid_breakthrough(grid, 0.05, pore_volumes=8.0)
    mean = (1.0 - found.concentration).sum() * found.time_step / 40.0
    assert mean == pytest.approx(1.0, abs=0.02)
    assert found.concentration[np.searchsorted(found.pore_volumes, 1.0)] > 0.55


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"diffusivity": 0.0}, "diffusivity 0.0 is not allowed"),
        ({"retardation": 0.5}, "retardation 0.5 is not allowed"),
        ({"decay": -1.0}, "decay -1.0 is not allowed"),
        ({"pulse": 0.0}, "pulse 0.0 is not allowed"),
        ({"velocity": -1.0}, "velocity -1.0 is not allowed"),
        ({"pore_volumes": 0.0}, "pore_volumes 0.0 is not allowed"),
        ({"snapshots": [-1.0]}, "a snapshot at -1.0 is not possible"),
    ],
)
def test_what_does_not_fit_is_refused(change, words):
    with pytest.raises(ValueError, match=words):
        grid_breakthrough(even_column(4), **({"diffusivity": 1.0} | change))


def test_grids_without_a_way_through_are_refused():
    with pytest.raises(ValueError, match="an inlet and an outlet"):
        grid_breakthrough(plane_channel(4), 1.0)
    grid = even_column(6)
    with pytest.raises(ValueError, match="no fluid passes"):
        grid_breakthrough(replace(grid, flows=tuple(0 * q for q in grid.flows)), 1.0)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"velocity": -1.0}, "velocity -1.0 is not allowed"),
        ({"dispersion": 0.0}, "dispersion 0.0 is not allowed"),
        ({"retardation": 0.9}, "retardation 0.9 is not allowed"),
        ({"x": -1.0}, "the column begins at x = 0"),
    ],
)
def test_columns_that_do_not_fit_are_refused(change, words):
    with pytest.raises(ValueError, match=words):
        ogata_banks(**({"x": 1.0, "t": 1.0, "velocity": 1.0, "dispersion": 1.0} | change))


def test_curves_that_tell_no_column_are_refused():
    t = np.linspace(0.1, 3.0, 50)
    with pytest.raises(ValueError, match="five or more"):
        fit_column(t[:3], t[:3], 1.0)
    with pytest.raises(ValueError, match="go on until more than half"):
        fit_column(t, 0.1 * t / 3.0, 1.0)
    found = fit_column(t, ogata_banks(1.0, t, 0.8, 0.05, 1.3), 1.0, 1.3)
    assert found.velocity == pytest.approx(0.8)
    assert found.dispersion == pytest.approx(0.05)
    assert found.dispersivity == pytest.approx(0.05 / 0.8)
