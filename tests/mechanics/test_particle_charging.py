from __future__ import annotations

import numpy as np
import pytest

from microtwin.mechanics import (
    ElasticParticle,
    Host,
    charge_particle,
    coupled_quasi_steady_concentration,
    potentiostatic_concentration,
    potentiostatic_stress,
    quasi_steady_stress,
    stress_coupling,
)
from microtwin.mechanics.hosts import FARADAY
from microtwin.mechanics.particle_verification import CASES
from microtwin.mechanics.radial_diffusion import RadialDiffusion
from microtwin.numerics import ConvergenceError
from microtwin.trust import run_case

# Manganese spinel: Zhang, Shyy & Sastry, J. Electrochem. Soc. 154 (2007) A910.
RADIUS, DIFFUSIVITY, MOST = 5e-6, 7.08e-15, 2.29e4
SPINEL = ElasticParticle(RADIUS, 10e9, 0.3, 3.497e-6)
IDEAL, SITES = Host(DIFFUSIVITY), Host(DIFFUSIVITY, MOST)
UNIT = RADIUS**2 / DIFFUSIVITY
SHAPES = ("sphere", "cylinder", "plate")


def voltage(x):
    return 4.2 - 0.8 * x - 0.05 * np.tanh((x - 0.5) / 0.05)


PLATEAU = Host(DIFFUSIVITY, 3e4, lambda x: 0.1 - 1e-4 * x + 1e-3 * np.sin(9.0 * x), kind="self")
CURVES = Host(lambda x: DIFFUSIVITY * (1.0 - 0.5 * x), 4e4, voltage)


def shaped(shape, **more):
    return ElasticParticle(RADIUS, 10e9, 0.3, 3.497e-6, shape, **more)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.quantity)
def test_verification_case_passes(case):
    row = run_case(case)
    assert row.passed, f"{row.ours} against {row.reference}: {row.message}"


@pytest.mark.parametrize("shape", SHAPES)
def test_without_coupling_the_series_is_approached_at_second_order(shape):
    particle, tau = shaped(shape), 0.1
    errors = []
    for cells in (10, 20, 40):
        run = charge_particle(
            particle,
            IDEAL,
            1e3,
            tau * UNIT,
            surface_concentration=2e4,
            coupled=False,
            cells=cells,
            tol=1e-6,
        )
        known = (particle, run.edges, [tau * UNIT], DIFFUSIVITY, 1e3, 2e4)
        profile = potentiostatic_concentration(*known)[0]
        stress = potentiostatic_stress(*known).hydrostatic[0]
        errors.append(
            (
                np.abs(run.profile[-1] - profile).max() / 1.9e4,
                np.abs(run.stress.hydrostatic[-1] - stress).max() / np.abs(stress).max(),
            )
        )
    rates = np.log2(np.array(errors[:-1]) / np.array(errors[1:]))
    assert (rates > 1.9).all()
    assert max(errors[-1]) < 1e-3


def smooth_potential(time):
    return float(SITES.chemical_potential(8e3 + 6e3 * np.sin(time / (0.1 * UNIT))))


@pytest.mark.parametrize(
    "given",
    [
        {"flux": lambda t: 2e-5 * np.sin(np.pi * t / (0.2 * UNIT))},
        {"surface_concentration": lambda t: 8e3 + 6e3 * np.sin(t / (0.1 * UNIT))},
        {"chemical_potential": smooth_potential},
    ],
    ids=lambda given: next(iter(given)),
)
def test_steps_in_time_are_of_second_order(given):
    def end(steps):
        duration = 0.2 * UNIT
        run = charge_particle(
            SPINEL, SITES, 8e3, duration, cells=20, step=duration / steps, **given
        )
        assert len(run.times) == steps + 1
        assert run.balance < 1e-10
        return run.concentration[-1]

    exact = end(640)
    errors = [np.abs(end(steps) - exact).max() for steps in (10, 20, 40)]
    rates = np.log2(np.array(errors[:-1]) / np.array(errors[1:]))
    assert (np.abs(rates - 2.0) < 0.1).all()


def test_chosen_steps_keep_the_tolerance():
    """A step of the surface concentration, which begins as a front without width."""
    ends = {}
    for tol in (1e-3, 1e-4, 1e-7):
        run = charge_particle(
            SPINEL, SITES, 1e3, 0.1 * UNIT, surface_concentration=2e4, tol=tol, cells=40
        )
        ends[tol] = run.concentration[-1]
    errors = [np.abs(ends[tol] - ends[1e-7]).max() / 1.9e4 for tol in (1e-3, 1e-4)]
    assert errors[0] < 2e-3
    assert errors[1] < 4e-4
    assert errors[1] < 0.5 * errors[0]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("host", [IDEAL, SITES, CURVES], ids=["ideal", "sites", "curves"])
@pytest.mark.parametrize("coupled", [True, False])
def test_lithium_is_kept(shape, host, coupled):
    for given in (
        {"flux": 1e-5},
        {"flux": -1e-5},
        {"surface_concentration": 2e4},
        {"chemical_potential": float(host.chemical_potential(2e4))},
    ):
        run = charge_particle(shaped(shape), host, 1e4, 0.2 * UNIT, coupled=coupled, **given)
        assert run.balance < 1e-10
        if "flux" in given:
            expected = given["flux"] * run.particle.surface * run.times
            np.testing.assert_allclose(run.taken, expected, rtol=1e-12)


def test_flux_that_jumps():
    """Up, rest, down: the breaks are met, and what came in is what was given."""
    ends = (0.3 * UNIT, 0.6 * UNIT, UNIT)

    def flux(time):
        return np.where(time < ends[0], 1e-5, np.where(time < ends[1], 0.0, -5e-6))

    run = charge_particle(SPINEL, SITES, 8e3, UNIT, flux=flux, breaks=ends[:2])
    assert set(ends) <= set(run.times)
    expected = SPINEL.surface * (1e-5 * 0.3 - 5e-6 * 0.4) * UNIT
    assert run.taken[-1] == pytest.approx(expected, rel=1e-12)
    rest = np.searchsorted(run.times, ends[1])
    # At rest the difference falls as exp(-20.2 D t / R^2), the stress a little faster.
    assert abs(run.difference[rest]) < 0.01 * np.abs(run.difference).max()
    assert run.difference[-1] < 0.0 < run.stress.tangential[-1, -1]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("flux", [1e-5, -1e-5])
def test_coupled_profile_carries_a_flux_that_grows_as_the_radius(shape, flux):
    """(1 + theta c) c' = j r / (D R): concentrations rise everywhere alike, exactly."""
    particle = shaped(shape)
    equations = RadialDiffusion(particle, IDEAL, 25, True, "flux")
    places = np.append(0.5 * (equations.edges[1:] + equations.edges[:-1]), RADIUS)
    theta = stress_coupling(particle)
    c = coupled_quasi_steady_concentration(
        particle, [0.0, *places], 1.5e4, flux, DIFFUSIVITY, theta
    )
    rates = equations.rates(c[1:-1], flux)
    np.testing.assert_allclose(rates, particle.dimension * flux / RADIUS, rtol=1e-9)


def test_small_flux_has_the_profile_of_the_closed_form():
    """The difference is j R / (2 D) / (1 + theta c), the better the smaller the flux."""
    errors = []
    for flux in (4e-6, 2e-6, 1e-6):
        run = charge_particle(SPINEL, IDEAL, 1.5e4, 0.5 * UNIT, flux=flux, cells=80)
        known = coupled_quasi_steady_concentration(
            SPINEL,
            [0.0, RADIUS],
            float(run.profile[-1, 0]),
            flux,
            DIFFUSIVITY,
            stress_coupling(SPINEL),
        )
        errors.append(abs(run.difference[-1] / (known[1] - known[0]) - 1.0))
    assert errors[0] < 0.01
    assert errors[2] < 0.4 * errors[0]


@pytest.mark.parametrize("flux", [1e-5, -1e-5])
@pytest.mark.parametrize("host", [IDEAL, SITES, CURVES], ids=["ideal", "sites", "curves"])
def test_stress_that_acts_back_is_lower(flux, host):
    """As in Zhang, Shyy & Sastry: smaller differences of concentration, and less tension."""
    runs = [
        charge_particle(SPINEL, host, 1.1e4, 0.3 * UNIT, flux=flux, coupled=coupled)
        for coupled in (False, True)
    ]
    differences = [abs(run.difference[-1]) for run in runs]
    tensions = [run.stress.peak_tension.max() for run in runs]
    energies = [run.stress.energy.max() for run in runs]
    assert all(later < first for first, later in (differences, tensions, energies))


def test_stress_of_a_run_is_that_of_its_parabola():
    run = charge_particle(SPINEL, IDEAL, 1e3, 0.6 * UNIT, flux=1e-5, coupled=False, cells=80)
    closed = quasi_steady_stress(SPINEL, run.edges, 1e-5 * RADIUS / (2 * DIFFUSIVITY))
    size = closed.radial[0]
    for name in ("radial", "tangential", "hydrostatic"):
        here, there = getattr(run.stress, name)[-1], getattr(closed, name)
        np.testing.assert_allclose(here, there, atol=1e-3 * size)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("ends", ["free", "held"])
def test_surface_is_held_at_a_voltage(shape, ends):
    """Its concentration follows from the stress; in the end all of it is in equilibrium."""
    particle = shaped(shape, ends=ends, traction=-20e6, reference_concentration=8e3)
    run = charge_particle(particle, CURVES, 8e3, 9.0 * UNIT, chemical_potential=-FARADAY * 3.8)
    np.testing.assert_allclose(run.potential, 3.8, atol=1e-5)
    x = run.surface_concentration / 4e4
    shift = voltage(x) - 3.8
    pressure = -run.stress.hydrostatic[:, -1]
    np.testing.assert_allclose(shift, particle.partial_molar_volume * pressure / FARADAY, atol=1e-5)
    # Pressed more at first than in the end, so it takes up less at first; but a plate that is held
    # bears at each place what lithium does there.
    if (shape, ends) == ("plate", "held"):
        np.testing.assert_allclose(x, x[0], rtol=1e-9)
    else:
        assert x[0] < x[-1]
    np.testing.assert_allclose(run.profile[-1], run.surface_concentration[-1], rtol=1e-5)


def test_without_coupling_stress_does_not_shift_the_surface():
    run = charge_particle(
        SPINEL, CURVES, 8e3, 0.1 * UNIT, chemical_potential=-FARADAY * 3.8, coupled=False
    )
    np.testing.assert_allclose(run.surface_concentration, 2e4, rtol=1e-6)


@pytest.mark.parametrize(("flux", "ended"), [(2e-5, "full"), (-2e-5, "empty")])
def test_surface_that_is_full_or_empty_ends_the_run(flux, ended):
    run = charge_particle(SPINEL, SITES, 8e3, 10.0 * UNIT, flux=flux)
    assert run.ended == ended
    assert run.times[-1] < UNIT
    limit = MOST if flux > 0.0 else 0.0
    assert run.surface_concentration[-1] == pytest.approx(limit, abs=1e-5 * MOST)
    assert run.balance < 1e-10


def test_stress_holds_together_what_would_part():
    """Where the potential rises a little, the energy of stress outweighs it (coherent spinodal)."""
    run = charge_particle(SPINEL, PLATEAU, 1.8e4, 0.5 * UNIT, flux=1e-6)
    assert run.balance < 1e-10
    assert run.difference[-1] > 0.0
    with pytest.raises(ValueError, match="phases part"):
        charge_particle(SPINEL, PLATEAU, 1.8e4, 0.5 * UNIT, flux=1e-6, coupled=False)


def test_steps_without_end_are_refused(monkeypatch):
    monkeypatch.setattr("microtwin.mechanics.particle_charging.MOST_STEPS", 10)
    with pytest.raises(ConvergenceError, match="after 10 steps only"):
        charge_particle(SPINEL, SITES, 1e4, UNIT, flux=1e-6)


def test_initial_profile_of_cells():
    """What is uneven levels out and no lithium is lost."""
    start = np.linspace(1e4, 1.4e4, 30)
    run = charge_particle(SPINEL, SITES, start, 2.0 * UNIT, flux=0.0, cells=30)
    np.testing.assert_array_equal(run.concentration[0], start)
    assert np.ptp(run.concentration[-1]) < 1e-3
    assert run.balance < 1e-12


def bumpy(x):
    return 4.0 - 0.5 * x + 0.1 * np.sin(20.0 * x)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({}, "0 conditions are given"),
        ({"flux": 1.0, "surface_concentration": 1.0}, "2 conditions are given"),
        ({"flux": np.nan}, "flux nan at"),
        ({"surface_concentration": lambda t: -1.0}, "none negative"),
        ({"flux": 1e-5, "initial": 3e4}, "from 0 to 22900"),
        ({"flux": 1e-5, "initial": -1.0}, "from 0 to 22900"),
        ({"flux": 1e-5, "initial": [1.0, 2.0]}, "one for each of the 60 cells"),
        ({"flux": 1e-5, "cells": 3}, "cells 3 is not allowed"),
        ({"flux": 1e-5, "duration": 0.0}, "duration 0.0"),
        ({"flux": 1e-5, "breaks": [2e9]}, "breaks"),
        ({"flux": 1e-5, "tol": 0.0}, "tol 0.0"),
        ({"flux": 1e-5, "step": -1.0}, "step -1.0"),
        ({"flux": 1.0}, "give a smaller flux"),
        ({"surface_concentration": 3e4}, "not between 0 and 22900"),
        ({"chemical_potential": 1e6}, "reached at no concentration"),
        ({"flux": 1e-5, "host": Host(1e-14, 2.29e4, bumpy)}, "phases part"),
    ],
)
def test_what_does_not_fit_is_refused(more, words):
    given = {"initial": 1e4, "duration": 1000.0, "host": SITES} | more
    with pytest.raises(ValueError, match=words):
        charge_particle(SPINEL, given.pop("host"), **given)


def test_potential_needs_a_curve():
    run = charge_particle(SPINEL, IDEAL, 1e4, 10.0, flux=1e-6)
    with pytest.raises(ValueError, match="no open-circuit potential"):
        run.potential  # noqa: B018
