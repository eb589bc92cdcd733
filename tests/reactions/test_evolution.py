"""Concentrations over time against exact solutions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import erfc

import microtwin as mt
from microtwin import reactions as rx

D = 1e-9
LENGTH = 1e-4
TIME = LENGTH**2 / D


def slab(voxels=40):
    return mt.Microstructure(np.ones((voxels, 2, 3), np.uint8), LENGTH / voxels, {"film": 1})


def centres(voxels):
    return (np.arange(voxels) + 0.5) / voxels


def test_decay_of_a_cosine():
    """1 + cos(pi x / L) exp(-D pi^2 t / L^2): second order in space and in time."""
    errors = []
    for voxels, rtol in ((10, 1e-3), (20, 1e-5)):
        wave = np.cos(np.pi * centres(voxels))
        start = np.broadcast_to((1.0 + wave)[:, None, None], (voxels, 2, 3))
        found = rx.evolve(
            slab(voxels), {"x": rx.Species({"film": D})}, [], 0.1 * TIME,
            initial={"x": start}, rtol=rtol,
        )  # fmt: skip
        exact = 1.0 + wave * np.exp(-0.1 * np.pi**2)
        one = found.species["x"]
        errors.append(np.abs(one.concentration[:, 1, 1] - exact).max())
        assert one.balance < 1e-12
        assert one.stored[-1] == pytest.approx(one.stored[0], rel=1e-12, abs=0.0)
    assert errors[1] < 1e-3
    assert errors[0] / errors[1] > 2.5


def test_steps_get_finer_with_the_tolerance():
    wave = np.cos(np.pi * centres(40))
    start = np.broadcast_to((1.0 + wave)[:, None, None], (40, 2, 3))
    # The exact solution of the discrete system, so that only the error in time is left.
    rate = 4.0 * 40**2 * np.sin(0.5 * np.pi / 40) ** 2 / TIME
    exact = 1.0 + wave * np.exp(-rate * 0.1 * TIME)
    errors, steps = [], []
    for rtol in (1e-2, 1e-3, 1e-4):
        found = rx.evolve(
            slab(), {"x": rx.Species({"film": D})}, [], 0.1 * TIME,
            initial={"x": start}, rtol=rtol,
        )  # fmt: skip
        errors.append(np.abs(found.species["x"].concentration[:, 1, 1] - exact).max())
        steps.append(found.steps)
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 1e-4
    assert steps[2] > 2 * steps[0]


def test_a_front_moves_in_and_is_held_back():
    """c = erfc(x / (2 sqrt(D t / R))) far from the end; snapshots come at the times asked for."""
    for retardation in (1.0, 4.0):
        sorption = {"film": rx.Linear(retardation - 1.0)} if retardation > 1.0 else {}
        solute = rx.Species({"film": D}, {"z_low": 1.0}, sorption=sorption)
        times = [0.01 * TIME, 0.03 * TIME]
        found = rx.evolve(
            slab(60), {"x": solute}, [], 0.03 * TIME, snapshots=times, rtol=1e-4
        ).species["x"]
        for time, shot in zip(times, found.snapshots, strict=True):
            width = 2.0 * np.sqrt(D * time / retardation)
            exact = erfc(centres(60) * LENGTH / width)
            assert np.abs(shot[:, 0, 0] - exact).max() < 0.008
        taken = 2.0 * np.sqrt(D * times[1] * retardation / np.pi) * 6 * (LENGTH / 60) ** 2
        assert found.inflow["z_low"][-1] == pytest.approx(taken, rel=0.005, abs=0.0)


@pytest.mark.parametrize(
    "isotherm", [rx.Linear(3.0), rx.Langmuir(2.0, 5.0), rx.Freundlich(1.5, 0.6)]
)
def test_at_the_end_all_that_can_be_held_is(isotherm):
    solute = rx.Species({"film": D}, {"z_low": 0.5}, sorption={"film": isotherm})
    found = rx.evolve(slab(16), {"x": solute}, [], 40.0 * TIME).species["x"]
    volume = 6 * 16 * (LENGTH / 16) ** 3
    held = float(isotherm.amount(np.array(0.5), 0.5))
    assert found.stored[-1] == pytest.approx(volume * (0.5 + held), rel=1e-4, abs=0.0)
    assert found.inflow["z_low"][-1] == pytest.approx(found.stored[-1], rel=1e-10, abs=0.0)
    assert found.concentration == pytest.approx(0.5, rel=1e-4)


def test_a_nonlinear_isotherm_sharpens_the_front():
    """Behind a Langmuir front the sites are full; ahead of it they hold back all that comes."""
    fronts = []
    for isotherm in (rx.Linear(9.0), rx.Langmuir(9.09, 100.0)):
        solute = rx.Species({"film": D}, {"z_low": 1.0}, sorption={"film": isotherm})
        c = rx.evolve(slab(60), {"x": solute}, [], 0.5 * TIME).species["x"].concentration[:, 0, 0]
        x = centres(60)
        fronts.append(np.interp(-0.1, -c, x) - np.interp(-0.5, -c, x))
    assert fronts[1] < 0.7 * fronts[0]


def test_in_time_the_steady_state_comes():
    law = {"film": rx.MichaelisMenten(9.0 * 0.2 / TIME, 0.05)}
    species = {"x": rx.Species({"film": D}, {"z_low": 0.2})}
    found = rx.evolve(
        slab(), species, [rx.Reaction("film", {"x": law["film"]})], 20.0 * TIME, rtol=1e-4
    )
    steady = rx.solve_uptake(slab(), {"film": D}, law, {"z_low": 0.2})
    np.testing.assert_allclose(
        found.species["x"].concentration, steady.concentration, rtol=1e-3, atol=1e-6
    )


def test_what_runs_out_stays_at_nothing():
    """Uptake of order zero in a closed slab uses up all there is, and no more."""
    species = {"x": rx.Species({"film": D})}
    rate = 1.0 / TIME
    found = rx.evolve(
        slab(8), species, [rx.Reaction("film", {"x": rx.ZeroOrder(rate)})], 1.5 * TIME,
        initial={"x": 1.0}, snapshots=[0.0, 0.5 * TIME],
    ).species["x"]  # fmt: skip
    assert (found.snapshots[0] == 1.0).all()
    assert found.snapshots[1] == pytest.approx(0.5, abs=1e-3)
    assert found.concentration.max() < 1e-6
    assert found.made["film"][-1] == pytest.approx(-found.stored[0], rel=1e-5, abs=0.0)


def test_what_is_made_stays_in_a_closed_image():
    species = {"a": rx.Species({"film": D}), "b": rx.Species({"film": 0.5 * D})}
    reactions = [rx.Reaction("film", {"a": rx.FirstOrder(1.0 / TIME)}, {"a": -2.0, "b": 1.0})]
    found = rx.evolve(slab(8), species, reactions, TIME, initial={"a": 1.0}, rtol=1e-4)
    a, b = found.species["a"], found.species["b"]
    assert a.concentration == pytest.approx(np.exp(-2.0), rel=1e-3)
    assert b.concentration == pytest.approx(0.5 * (1.0 - np.exp(-2.0)), rel=1e-3)
    np.testing.assert_allclose(a.stored + 2.0 * b.stored, a.stored[0], rtol=1e-10)


@settings(max_examples=10, deadline=None)
@given(
    st.integers(0, 10_000),
    st.sampled_from([rx.Linear(2.0), rx.Langmuir(0.3, 4.0), rx.Freundlich(0.2, 0.7)]),
    st.booleans(),
)
def test_nothing_is_lost_whatever_the_image(seed, isotherm, periodic):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 4, (6, 7, 5)).astype(np.uint8)
    labels[3, 4, 2:4] = 1, 2
    phases = {"wall": 0, "film": 1, "vessel": 2, "water": 3}
    micro = mt.Microstructure(labels, (1e-6, 1.3e-6, 0.8e-6), phases)
    solute = rx.Species(
        {"film": D, "water": 2 * D}, {"vessel": rx.Exchange(1e-3, 0.2)}, {"film": 0.5},
        sorption={"film": isotherm, ("water", "wall"): rx.Linear(1e-7)},
    )  # fmt: skip
    start = rng.random(labels.shape)
    found = rx.evolve(
        micro, {"x": solute}, [rx.Reaction("film", {"x": rx.MichaelisMenten(1e3, 0.1)})], 1e-4,
        initial={"x": start}, periodic=periodic, rtol=1e-2,
    ).species["x"]  # fmt: skip
    assert found.balance < 1e-8
    inside = ~np.isnan(found.concentration)
    assert np.array_equal(inside, labels > 0)
    assert found.concentration[inside].min() >= 0.0
    assert found.concentration[inside].max() <= start.max() * 2.0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"duration": 0.0}, "duration 0.0 is not allowed"),
        ({"rtol": 2.0}, "rtol 2.0 is not allowed"),
        ({"snapshots": [2.0]}, "a snapshot at 2.0 s"),
        ({"initial": {"y": 1.0}}, "initial names 'y'"),
        ({"initial": {"x": -1.0}}, "is negative or no number"),
        ({"initial": {"x": np.ones(3)}}, "has shape"),
    ],
)
def test_problems_are_said(arguments, words):
    given_ = {"duration": 1.0} | arguments
    with pytest.raises(ValueError, match=words):
        rx.evolve(slab(4), {"x": rx.Species({"film": D})}, [], **given_)


def film():
    return mt.Microstructure(np.ones((6, 3, 2), np.uint8), 1e-6, {"film": 1})


@pytest.mark.parametrize(
    "reactions", [[], [rx.Reaction("film", {"x": rx.ZeroOrder(1.0)})]], ids=["at rest", "uptake"]
)
def test_where_there_is_nothing_nothing_happens(reactions):
    species = rx.Species({"film": 1e-9}, sorption={"film": rx.Freundlich(1.0, 0.5)})
    found = rx.evolve(film(), {"x": species}, reactions, 1.0).species["x"]
    assert (found.concentration == 0.0).all() and found.balance == 0.0


def test_a_species_that_dies_out_needs_no_digits():
    """b makes itself of a, but less than diffuses out."""
    growth = rx.Reaction(
        "film", {"a": rx.FirstOrder(1.0), "b": rx.Saturation(1.0)}, {"a": -1.0, "b": 1.0}
    )
    species = {
        "a": rx.Species({"film": 1e-9}, {"z_low": 1.0}),
        "b": rx.Species({"film": 1e-9}, {"z_high": 0.0}),
    }
    found = rx.evolve(film(), species, [growth], 1e4, initial={"a": 1.0, "b": 1e-3})
    assert found.species["b"].concentration.max() < 1e-12
    np.testing.assert_allclose(found.species["a"].concentration, 1.0, rtol=1e-9)
    assert found.steps < 200


def test_growth_is_as_exact_late_as_early():
    growth = rx.Reaction("film", {"x": rx.FirstOrder(1.0)}, {"x": 1.0})
    found = rx.evolve(film(), {"x": rx.Species({"film": 1e-9})}, [growth], 10.0, initial={"x": 1.0})
    np.testing.assert_allclose(found.species["x"].concentration, np.exp(10.0), rtol=0.01)
    assert found.steps < 400


def test_a_step_that_cannot_be_solved_is_done_again(monkeypatch):
    from microtwin.reactions import evolution

    solve, longest = evolution.newton, 0.004

    def fragile(system, state, tol, storage):
        if storage.rate < 1.0 / longest:
            raise mt.numerics.ConvergenceError("too long")
        return solve(system, state, tol, storage)

    monkeypatch.setattr(evolution, "newton", fragile)
    species = {"x": rx.Species({"film": 1e-9}, {"z_low": 1.0})}
    found = rx.evolve(film(), species, [], 0.1)
    assert np.diff(found.times).max() < 1.001 * longest and found.refused > 0
    longest = 1e-30
    with pytest.raises(mt.numerics.ConvergenceError, match="too long"):
        rx.evolve(film(), species, [], 0.1)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_an_initial_concentration_is_a_number_everywhere(value):
    start = np.ones((6, 3, 2))
    start[2, 1, 1] = value
    with pytest.raises(ValueError, match="initial concentration of x is"):
        rx.evolve(film(), {"x": rx.Species({"film": 1e-9})}, [], 1.0, initial={"x": start})
