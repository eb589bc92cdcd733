from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import microtwin as mt
from microtwin.electrochemistry import (
    ConstantCurrent,
    ConstantVoltage,
    CurrentProfile,
    ElectrodeMaterial,
    Rest,
    Separator,
    charge,
    cycle,
    depth_profile,
    discharge,
    fields,
    half_cell,
    load_checkpoint,
    losses,
    particle_filling,
    reaction,
    run,
    save_checkpoint,
)
from microtwin.electrochemistry.half_cell_verification import (
    CASES,
    ball_on_wire,
    ideal_electrolyte,
    ideal_material,
    layers,
)
from microtwin.numerics import weighted_sum
from microtwin.trust import run_cases

SEPARATOR = Separator(2e-6, 0.5, 2.0)
FARADAY = 96485.33212331


def image(labels, voxel=5e-7):
    return mt.Microstructure(labels, voxel, {"pore": 0, "active": 1, "binder": 2})


def electrode(seed=0, n=16, depth=20):
    """Return an electrode of smooth random shapes, with some binder on its active material."""
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(seed)
    field = gaussian_filter(rng.normal(size=(depth, n, n)), 2.0)
    cuts = np.quantile(field, [0.42, 0.5])
    return image(np.where(field < cuts[0], 0, np.where(field < cuts[1], 2, 1)).astype(np.uint8))


def cell(micro=None, material=None, **more):
    arguments = {"electrolyte": ideal_electrolyte(), "separator": SEPARATOR} | more
    return half_cell(micro or electrode(), material or ideal_material(), **arguments)


@pytest.mark.parametrize("row", run_cases(CASES), ids=lambda row: row.case)
def test_known_half_cells(row):
    assert row.verdict == "pass", row


def steps(a_cell, lengths, rate=1.0):
    for k, length in enumerate(lengths):
        state, step = a_cell.advance(length, rate * a_cell.capacity / 3600.0, smooth=k > 0)
        a_cell.accept(state, step.length)
    return a_cell.state


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.2, 4.0))
def test_lithium_and_salt_are_balanced_at_every_step(seed, rate):
    a_cell = cell(electrode(seed, n=10, depth=12))
    grid = a_cell.grid
    volume = float(np.prod(grid.voxel_size))
    start = weighted_sum(a_cell.state.lithium, grid.active_volume)
    salt = weighted_sum(a_cell.state.salt, grid.liquid_volume)
    for k, length in enumerate((2.0, 3.0, 3.0, 7.0, 5.0)):
        state, step = a_cell.advance(length / rate, rate * a_cell.capacity / 3600.0, k > 0)
        a_cell.accept(state, step.length)
        taken = (weighted_sum(state.lithium, grid.active_volume) - start) * volume * FARADAY
        assert taken == pytest.approx(state.charge, rel=1e-8)
        assert weighted_sum(state.salt, grid.liquid_volume) == pytest.approx(salt, rel=1e-10)
        assert state.current @ grid.area == pytest.approx(-state.applied, rel=1e-12)
        assert state.salt[grid.liquid_there > 0].min() > 0.0
        assert np.isclose(losses(a_cell, state).voltage, state.voltage, atol=1e-12)


def test_salt_is_balanced_where_the_transference_number_varies():
    varied = ideal_electrolyte(diffusivity=1e-11, transference=lambda c: 0.5 - 2e-4 * (c - 1000.0))
    a_cell, plain = cell(electrolyte=varied), cell(electrolyte=ideal_electrolyte(
        diffusivity=1e-11, transference=0.5
    ))  # fmt: skip
    grid = a_cell.grid
    before = weighted_sum(a_cell.state.salt, grid.liquid_volume)
    for one in (a_cell, plain):
        steps(one, [5.0, 10.0, 20.0, 30.0], 2.0)
    assert weighted_sum(a_cell.state.salt, grid.liquid_volume) == pytest.approx(before, rel=1e-10)
    _, step = a_cell.advance(30.0, 2.0 * a_cell.capacity / 3600.0)
    assert step.salt_balance < 1e-4
    # Less salt gathers at lithium where more of it is carried on at high concentrations, or less.
    spread = [np.ptp(one.state.salt[grid.liquid_there > 0]) for one in (a_cell, plain)]
    assert abs(spread[0] / spread[1] - 1.0) > 0.01


def test_second_order_in_time():
    """A smooth current makes errors that fall with the square of the step."""

    def voltage(count):
        a_cell = cell(layers(8, 4), ideal_material(diffusivity=2e-15))
        length = 64.0 / count
        for k in range(count):
            now = (k + 1) * length
            state, _ = a_cell.advance(length, 1e-10 * (now / 64.0) ** 2, smooth=k > 0)
            a_cell.accept(state, length)
        return a_cell.state.voltage

    found = [voltage(count) for count in (8, 16, 32, 256)]
    errors = np.abs(np.array(found[:3]) - found[3])
    order = np.log2(errors[:-1] / errors[1:])
    assert (order > 1.7).all(), (errors, order)


def test_a_ball_converges_with_the_voxels_to_its_radial_solution():
    """Errors in the voltage stay below 3 mV at 16 voxels per radius, and fall with the voxels."""
    from scipy.integrate import solve_ivp

    material = ideal_material(slope=0.6, exchange=2.0, conductivity=100.0, window=(3.43, 3.9))
    errors = []
    for radius in (5.0, 10.0, 16.0):
        a_cell = half_cell(
            ball_on_wire(radius), material, ideal_electrolyte(conductivity=100.0, diffusivity=1e-7),
            separator=Separator(2e-6, 1.0, 1.0), conductivities={"wire": 100.0},
        )  # fmt: skip
        found = run(a_cell, [ConstantCurrent(2.0, 3.45)])
        edges = np.linspace(0.0, 5e-6, 201)
        volumes = np.diff(edges**3) / 3.0
        links = 1e-14 * edges[1:-1] ** 2 / np.diff(edges)[1:]
        flux = found.cell.capacity / 1800.0 / FARADAY / found.cell.grid.amount * 5e-6 / 3.0

        def rate(_, c, links=links, volumes=volumes, edges=edges, flux=flux):
            through = np.concatenate([[0.0], links * np.diff(c), [flux * edges[-1] ** 2]])
            return np.diff(through) / volumes

        start = np.full(200, material.stoichiometries[0] * material.maximum_concentration)
        times = found.time
        exact = solve_ivp(rate, (0.0, times[-1]), start, "BDF", times, rtol=1e-7, atol=1e-2).y[-1]
        x = (exact + flux * 1.25e-8 / 1e-14) / material.maximum_concentration
        thermal = 8.314462618 * 298.15 / FARADAY
        eta = 2.0 * thermal * np.arcsinh(flux * FARADAY / 4.0)
        section = found.cell.grid.cross_section
        metal = 2.0 * thermal * np.arcsinh(found.cell.capacity / 1800.0 / section / 20.0)
        expected = 4.0 - 0.6 * x - eta - metal
        late = slice(3, None)
        weight = np.gradient(times)[late]
        square = np.square(found.voltage - expected)[late]
        errors.append(np.sqrt((square * weight).sum() / weight.sum()))
    assert errors[2] < 1e-3
    assert errors[2] < 0.7 * errors[0]


def test_the_voltage_converges_with_the_voxels():
    """One smooth geometry on three sizes of voxels: the differences fall by more than three."""
    runs = []
    for refine in (1, 2, 4):
        field = mt.generation.gaussian_field(
            12, 3.0, 0.45, seed=1, voxel_size=16e-6 / 12, refine=refine
        )
        micro = mt.Microstructure(field.labels, field.voxel_size, {"pore": 0, "active": 1})
        runs.append(
            discharge(
                micro, ideal_material(diffusivity=4e-15), 1.0, electrolyte=ideal_electrolyte(),
                separator=SEPARATOR, conductivities={"active": 10.0},
            )
        )  # fmt: skip
    charge = np.linspace(0.0, 0.95 * min(r.charge[-1] for r in runs), 200)[1:]
    curves = [np.interp(charge, r.charge, r.voltage) for r in runs]
    steps = [np.sqrt(np.square(b - a).mean()) for a, b in pairwise(curves)]
    assert steps[1] < 6e-3
    assert np.log2(steps[0] / steps[1]) > 1.6, steps


def test_rest_ends_in_equilibrium():
    a_cell = cell(material=ideal_material(diffusivity=1e-13))
    found = run(a_cell, [ConstantCurrent(1.0, until_time=600.0), Rest(3600.0)])
    expected = float(a_cell.tables.potential(a_cell.mean_stoichiometry(a_cell.state)))
    assert found.voltage[-1] == pytest.approx(expected, abs=1e-4)
    assert np.ptp(a_cell.state.surface) < 1e-3
    assert found.ended == "rested for 3600 s"


def test_slow_discharge_takes_the_capacity_of_the_image():
    found = discharge(
        electrode(), ideal_material(diffusivity=1e-13), 0.05,
        electrolyte=ideal_electrolyte(), separator=SEPARATOR,
    )  # fmt: skip
    assert found.complete
    assert found.ended == "the voltage reached 2.9 V"
    assert found.utilisation == pytest.approx(0.99, abs=0.015)
    assert found.voltage[-1] == pytest.approx(2.9, abs=1e-3)


def test_the_higher_the_rate_the_less_is_taken():
    runs = [
        discharge(
            electrode(), ideal_material(), rate, electrolyte=ideal_electrolyte(),
            separator=SEPARATOR,
        )
        for rate in (0.2, 1.0, 5.0)
    ]  # fmt: skip
    assert np.all(np.diff([r.capacity for r in runs]) < 0.0)


def test_a_cycle_comes_back():
    micro, material = electrode(), ideal_material(diffusivity=1e-13)
    protocol = [ConstantCurrent(0.5), ConstantCurrent(-0.5), ConstantVoltage(3.9, 0.02)]
    found = cycle(
        micro, material, protocol, electrolyte=ideal_electrolyte(), separator=SEPARATOR, keep=5
    )
    assert found.complete
    assert found.ended == "the current fell to 0.02 C"
    assert found.charge[-1] == pytest.approx(0.0, abs=0.02 * found.capacity)
    held = np.array([r.voltage for r in found.records if r.phase == 2])
    np.testing.assert_allclose(held, 3.9, atol=5e-4)
    assert len(found.kept) == len(found.kept_at) >= 10


def test_charge_starts_empty():
    found = charge(
        electrode(), ideal_material(), 0.5, electrolyte=ideal_electrolyte(), separator=SEPARATOR
    )
    assert found.charge[-1] < 0.0
    assert found.voltage[-1] == pytest.approx(3.9, abs=1e-3)


def test_a_profile_is_followed():
    profile = CurrentProfile([0.0, 60.0, 60.0, 120.0, 180.0], [1.0, 1.0, -0.5, -0.5, 0.0])
    found = run(cell(stoichiometry=0.4), [profile])
    per_c = found.cell.capacity / 3600.0 / found.cell.grid.cross_section
    at = found.time
    expected = np.interp(at, [0.0, 60.0], [1.0, 1.0])
    later = np.interp(at, [60.0, 120.0, 180.0], [-0.5, -0.5, 0.0])
    expected = np.where(at > 60.0 + 1e-6, later, expected)
    np.testing.assert_allclose(found.current_density[1:] / per_c, expected[1:], atol=1e-8)
    assert {60.0, 120.0, 180.0} <= set(np.round(at, 6))
    assert found.charge[-1] * 3600.0 / per_c == pytest.approx(60.0 - 30.0 - 15.0, rel=5e-3)


def test_a_bend_of_the_current_makes_no_jump_of_the_voltage():
    profile = CurrentProfile([0.0, 60.0, 120.0], [1.0, 1.0, 0.0])
    found = run(cell(stoichiometry=0.4), [profile])
    at = found.time
    fine = run(cell(stoichiometry=0.4), [profile], accuracy=5e-6)
    np.testing.assert_allclose(
        found.voltage[1:], np.interp(at[1:], fine.time, fine.voltage), atol=5e-4
    )


def test_no_charge_flows_in_a_rest_after_a_ramp():
    """Nor does the charge of a current with bends differ from its integral."""
    a_cell = cell(stoichiometry=0.4)
    ramp = CurrentProfile([0.0, 100.0], [1.0, 0.0])
    found = run(a_cell, [ConstantCurrent(1.0, until_time=200.0), ramp, Rest(300.0)])
    per_c = a_cell.capacity / 3600.0 / a_cell.grid.cross_section
    resting = np.array([r.charge for r in found.records if r.phase == 2])
    before = [r.charge for r in found.records if r.phase == 1][-1]
    np.testing.assert_allclose(resting, before, rtol=1e-12)
    assert before * 3600.0 / per_c == pytest.approx(250.0, rel=2e-3)


def test_a_profile_may_begin_with_a_rest_at_the_end_of_the_window():
    """Where the voltage stands beyond its limit by rounding."""
    a_cell = cell(stoichiometry=0.0999)
    assert a_cell.state.voltage == pytest.approx(3.9001)
    found = run(a_cell, [CurrentProfile([0.0, 100.0, 100.0, 300.0], [0.0, 0.0, 1.0, 1.0])])
    assert found.complete
    assert found.ended == "the current profile came to its end"
    assert found.time[-1] == pytest.approx(300.0)


def test_a_rest_may_reach_a_voltage():
    def ended(limit):
        a_cell = cell(material=ideal_material(diffusivity=1e-14), stoichiometry=0.6)
        rest = CurrentProfile([0.0, 900.0], [0.0, 0.0], (limit, 3.9))
        return run(a_cell, [ConstantCurrent(-4.0, until_voltage=3.7), rest])

    free = ended(2.9)
    first = next(r.time for r in free.records if r.phase == 1)
    limit = float(np.interp(first + 100.0, free.time, free.voltage))
    found = ended(limit)
    assert found.complete, found.ended
    assert found.ended == f"the voltage reached {limit:g} V"
    assert found.time[-1] == pytest.approx(first + 100.0, rel=0.02)
    at_once = ended(3.69)
    assert at_once.complete
    assert "at once, beyond 3.69 V" in at_once.ended


def test_a_phase_that_is_beyond_its_limit_after_another_is_passed_over():
    """More current takes the voltage beyond at once; what follows still runs."""
    protocol = [ConstantCurrent(-1.0, 3.8), ConstantCurrent(-3.0, 3.6), ConstantVoltage(3.7, 0.1)]
    found = run(cell(stoichiometry=0.6), protocol)
    assert found.complete, found.ended
    assert found.ended == "the current fell to 0.1 C"
    assert {r.phase for r in found.records} == {0, 2}


def test_a_voltage_that_the_electrolyte_cannot_give_is_said_soon():
    thin = ideal_electrolyte(diffusivity=2e-12, conductivity=0.5)
    a_cell = half_cell(
        layers(8, 30), ideal_material(window=(0.5, 3.9)), thin, separator=SEPARATOR,
        stoichiometry=0.15,
    )  # fmt: skip
    found = run(a_cell, [ConstantVoltage(3.0, 0.05)])
    assert not found.complete
    assert "no step could be taken at 0 s and 3.850 V" in found.ended
    # Where it can for a while, as salt lasts, it does.
    a_cell = half_cell(
        layers(8, 30), ideal_material(window=(0.5, 3.9)),
        ideal_electrolyte(diffusivity=2e-11, conductivity=0.5), separator=SEPARATOR,
        stoichiometry=0.15,
    )  # fmt: skip
    found = run(a_cell, [ConstantVoltage(1.0, 0.05, 60.0)])
    assert len(found.records) < 150
    assert a_cell.state.salt[a_cell.grid.liquid_there > 0].min() > 0.0


def test_what_is_cut_in_two_ends_where_the_whole_does(tmp_path):
    """Phases of the same current, and a resumed run, go on as if nothing had been."""
    whole = run(cell(), [ConstantCurrent(1.0, until_time=1200.0)])
    parts = run(cell(), [ConstantCurrent(1.0, until_time=600.0)] * 2)
    assert parts.voltage[-1] == pytest.approx(whole.voltage[-1], abs=5e-4)
    run(cell(), [ConstantCurrent(1.0, until_time=600.0)], checkpoint=tmp_path / "half.npz")
    again = cell()
    load_checkpoint(again, tmp_path / "half.npz")
    rest = run(again, [ConstantCurrent(1.0, until_time=600.0)])
    assert rest.voltage[-1] == pytest.approx(parts.voltage[-1], abs=1e-5)
    # No short steps after the cut.
    assert rest.records[1].step.length > 10.0 * whole.records[1].step.length
    assert rest.voltage[1] == pytest.approx(
        np.interp(600.0 + rest.records[1].step.length, whole.time, whole.voltage), abs=5e-4
    )


def test_a_held_voltage_is_found_from_far_away():
    """Also where the current at first is many times what it becomes, on charge and on discharge."""
    for voltage, start in ((3.9, 0.95), (2.9, 0.15)):
        found = run(cell(stoichiometry=start), [ConstantVoltage(voltage, 0.05)])
        assert found.complete, found.ended
        # Near the end of the curve a change of the current by 1e-4 is one of millivolts.
        early = found.time[1:] < 600.0
        np.testing.assert_allclose(found.voltage[1:][early], voltage, atol=1e-4)
        np.testing.assert_allclose(found.voltage[1:], voltage, atol=5e-3)
        assert np.all(np.diff(np.abs(found.current_density[1:])) < 0.0)


def test_a_checkpoint_goes_on_where_it_was(tmp_path):
    whole = cell()
    steps(whole, [1.0, 2.0, 3.0])
    save_checkpoint(whole, tmp_path / "half.npz")
    again = cell()
    load_checkpoint(again, tmp_path / "half.npz")
    for a_cell in (whole, again):
        for length in (3.0, 4.0):
            state, _ = a_cell.advance(length, a_cell.capacity / 3600.0)
            a_cell.accept(state, length)
    assert again.state.time == whole.state.time == 13.0
    assert again.state.charge == pytest.approx(whole.state.charge, rel=1e-14)
    # Solvers that start anew stop elsewhere within their tolerance.
    assert again.state.voltage == pytest.approx(whole.state.voltage, abs=1e-6)
    others = (
        cell(electrode(1, n=12)),
        cell(separator=Separator(9e-6, 0.5, 2.0)),
        cell(separator=Separator(2e-6, 0.9, 2.0)),
        cell(material=ideal_material(diffusivity=2e-14)),
        cell(electrolyte=ideal_electrolyte(transference=0.4)),
    )
    for other in others:
        with pytest.raises(ValueError, match="checkpoint of another cell"):
            load_checkpoint(other, tmp_path / "half.npz")


def test_covered_and_uneven_surfaces_cost_voltage():
    micro = electrode()
    rng = np.random.default_rng(0)
    plain = steps(cell(micro), [10.0]).voltage
    slow = steps(cell(micro, exchange_factor=0.2), [10.0]).voltage
    film = steps(cell(micro, film_resistance=0.02), [10.0])
    uneven = cell(micro, exchange_factor=rng.lognormal(-0.5, 1.0, micro.shape))
    assert slow < plain - 0.01
    mean = -film.applied / cell(micro).area
    assert film.voltage == pytest.approx(plain + 0.02 * mean, abs=2e-3)
    state = steps(uneven, [10.0])
    assert reaction(uneven, state).concentration_ratio() > 1.3


def test_binder_that_is_porous_lets_the_surface_below_react():
    micro = electrode()
    shut = cell(micro)
    open_ = cell(micro, porous_phases={"binder": (0.5, 4.0)})
    assert open_.area > 1.2 * shut.area
    assert steps(open_, [10.0], 2.0).voltage > steps(shut, [10.0], 2.0).voltage


def test_what_is_connected_to_nothing_keeps_its_lithium():
    labels = np.zeros((16, 10, 10), np.uint8)
    labels[:6] = 1
    labels[9:12, 3:7, 3:7] = 1
    a_cell = cell(image(labels))
    assert a_cell.grid.inactive.active == pytest.approx(48 / 648)
    assert 0.2 < a_cell.grid.inactive.area < 0.8
    state = steps(a_cell, [5.0, 5.0])
    shown = fields(a_cell, state)
    assert np.isnan(shown.stoichiometry[10, 5, 5])
    assert (shown.stoichiometry[5] > a_cell.material.stoichiometries[0]).all()


def test_unconnected_specks_leave_the_rest_as_it_is():
    """Their area is measured too small, and must not shrink that of what is connected."""
    labels = np.zeros((16, 16, 16), np.uint8)
    labels[:6] = 1
    dotted = labels.copy()
    dotted[8:14:2, 2:14:3, 2:14:3] = 1
    one, other = cell(image(labels)), cell(image(dotted))
    assert other.area == pytest.approx(one.area, rel=1e-6)
    assert other.grid.inactive.area > 0.1


def test_a_solid_that_conducts_too_well_is_reported():
    weak = ideal_material(conductivity=1e-3)
    with pytest.warns(UserWarning, match="conductivity of 'binder', 100 S/m, counts as 0.1 S/m"):
        cell(material=weak, conductivities={"binder": 100.0})


@pytest.mark.parametrize("porous", [None, {"binder": (0.5, 4.0)}])
def test_fields_profiles_and_particles_say_the_same(porous):
    a_cell = cell(porous_phases=porous)
    state = steps(a_cell, [20.0, 40.0])
    mean = a_cell.mean_stoichiometry(state)
    pieces = particle_filling(a_cell, state)
    # Slivers in voxels of other phases belong to no piece.
    assert np.average(pieces.stoichiometry, weights=pieces.volume) == pytest.approx(mean, abs=0.01)
    profile = depth_profile(a_cell, state)
    volume = a_cell.grid.active_volume.sum(axis=1)
    assert np.average(profile["stoichiometry"], weights=volume) == pytest.approx(mean, rel=1e-6)
    height = a_cell.grid.voxel_size[0]
    total = profile["current"].sum() * height * a_cell.grid.cross_section
    assert total == pytest.approx(-state.applied, rel=1e-9)
    shown = fields(a_cell, state)
    assert np.nanmax(np.abs(shown.solid_potential)) < 0.01
    result = reaction(a_cell, state)
    assert result.total_current == pytest.approx(-state.applied, rel=1e-9)
    assert result.facets.area.sum() == pytest.approx(a_cell.area)
    # Butler-Volmer at the overpotential that is reported gives the current of each facet.
    thermal = 8.314462618 * a_cell.temperature / FARADAY
    expected = 2.0 * result.exchange_current_density * np.sinh(result.overpotential / 2.0 / thermal)
    worst = np.abs(expected - state.current) * a_cell.grid.area
    assert worst.sum() < 2e-2 * np.abs(state.current * a_cell.grid.area).sum()
    micro = electrode()
    holding = micro.mask(["pore", "binder"]) if porous else micro.mask("pore")
    assert not np.isfinite(shown.salt[~holding]).any()
    assert np.isfinite(shown.salt[holding]).mean() > 0.9


def test_particles_that_touch_can_be_told_apart():
    a_cell = cell()
    state = steps(a_cell, [20.0, 40.0])
    pieces = particle_filling(a_cell, state)
    halves = np.zeros(a_cell.grid.shape, int)
    halves[:, :, :8], halves[:, :, 8:] = 1, 2
    found = particle_filling(a_cell, state, halves)
    assert len(found.volume) == 2
    assert found.volume.sum() == pytest.approx(pieces.volume.sum())
    expected = np.average(pieces.stoichiometry, weights=pieces.volume)
    assert np.average(found.stoichiometry, weights=found.volume) == pytest.approx(expected)
    with pytest.raises(ValueError, match="do not fit an image of shape"):
        particle_filling(a_cell, state, halves[1:])


def flat_material():
    """Lithium iron phosphate in the rough: flat, and steep at both ends."""
    return ElectrodeMaterial(
        "flat",
        22806.0,
        lambda x: 3.42 + 0.3 * np.exp(-80.0 * x) - 0.9 * np.exp(60.0 * (x - 1.0)) - 1e-3 * x,
        5e-15,
        lambda salt, solid: 0.5 * np.sqrt(np.maximum(salt, 0.0) / 1e3) + 0.0 * solid,
        0.3,
        (2.6, 3.6),
    )


@pytest.mark.parametrize("rate", [0.1, 1.0, 5.0])
@pytest.mark.parametrize(
    "material",
    [flat_material(), ideal_material(slope=3.0, window=(1.2, 3.9))],
    ids=["flat", "steep"],
)
def test_no_curve_and_no_rate_makes_it_fail(material, rate):
    found = discharge(
        electrode(), material, rate, electrolyte=ideal_electrolyte(), separator=SEPARATOR
    )
    assert found.complete, found.ended
    low = material.voltage_window[0]
    if found.ended.startswith("the voltage reached"):
        assert found.voltage[-1] == pytest.approx(low, abs=6e-4)
    else:
        assert found.ended.startswith("the voltage falls off")
        assert found.voltage[-1] > low
    state, grid = found.cell.state, found.cell.grid
    assert state.salt[grid.liquid_there > 0].min() > 0.0
    inner = fields(found.cell, state).stoichiometry
    assert np.nanmin(inner) > 0.0
    assert np.nanmax(inner) < 1.001


def test_salt_that_runs_out_ends_the_run_with_a_reason(tmp_path):
    thin = ideal_electrolyte(diffusivity=2e-12, conductivity=0.5)
    micro = layers(8, 30)
    a_cell = half_cell(
        micro, ideal_material(window=(0.5, 3.9)), thin, separator=SEPARATOR, stoichiometry=0.15
    )
    found = run(a_cell, [ConstantCurrent(40.0, -3.0)], checkpoint=tmp_path / "last.npz")
    low = a_cell.state.salt[a_cell.grid.liquid_there > 0].min()
    assert 0.0 < low < 0.02 * 1000.0
    assert not found.complete
    # In front of the active material, whose surface is 4 um above the collector.
    assert "the electrolyte is depleted 3.7 um from the collector" in found.ended
    assert len(found.records) > 5
    again = half_cell(
        micro, ideal_material(window=(0.5, 3.9)), thin, separator=SEPARATOR, stoichiometry=0.15
    )
    load_checkpoint(again, tmp_path / "last.npz")
    assert again.state.voltage == found.voltage[-1]


def test_more_current_than_the_electrode_can_carry_is_said():
    slow = ideal_material(diffusivity=1e-20)
    found = discharge(
        electrode(), slow, 20.0, electrolyte=ideal_electrolyte(), separator=SEPARATOR
    )  # fmt: skip
    assert found.voltage[-1] > 2.0
    assert not found.complete
    assert "more than the electrode can carry" in found.ended


def test_a_file_that_is_no_checkpoint_is_refused(tmp_path):
    wrong = tmp_path / "wrong.npz"
    wrong.write_text("voltage: 3.7")
    with pytest.raises(ValueError, match="is no checkpoint of a half cell"):
        load_checkpoint(cell(), wrong)
    np.savez(wrong, colour=1)
    with pytest.raises(ValueError, match="is no checkpoint of a half cell"):
        load_checkpoint(cell(), wrong)


def test_a_long_phase_is_saved_on_the_way(tmp_path):
    path, found = tmp_path / "on.npz", []
    run(
        cell(), [ConstantCurrent(1.0, until_time=400.0)], checkpoint=path,
        watch=lambda record: found.append(path.exists()),
    )  # fmt: skip
    assert not found[8]
    assert found[11]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"active": "zinc"}, "phase 'zinc' is not known"),
        ({"conductivities": {"active": -1.0}}, "conductivity -1.0 of 'active' is not allowed"),
        ({"conductivities": {"active": 0.0}}, "must conduct electrons"),
        ({"porous_phases": {"pore": (0.5, 2.0)}}, "'pore' cannot be a porous phase"),
        ({"porous_phases": {"binder": (1.5, 2.0)}}, "porosity, up to 1"),
        ({"stoichiometry": 1.2}, "stoichiometry 1.2 is not allowed"),
        ({"temperature": 0.0}, "kelvins above 0"),
        ({"temperature": "warm"}, "kelvins above 0"),
        ({"film_resistance": -1.0}, "film_resistance is negative"),
        ({"exchange_factor": np.nan}, "exchange_factor is negative or no number"),
        ({"exchange_factor": 0.0}, "is 0 everywhere"),
        ({"electrolyte": None}, "needs an electrolyte"),
    ],
)
def test_what_does_not_fit_is_refused(change, words):
    with pytest.raises(ValueError, match=words):
        cell(**change)


def test_images_without_a_way_for_the_current_are_refused():
    floating = np.zeros((10, 6, 6), np.uint8)
    floating[4:7] = 1
    with pytest.raises(ValueError, match="connected to the current collector at z = 0"):
        cell(image(floating))
    shut = np.ones((10, 6, 6), np.uint8)
    shut[2:5, 1:4, 1:4] = 0
    with pytest.raises(ValueError, match="connected to the separator"):
        cell(image(shut))
    apart = np.full((10, 6, 6), 2, np.uint8)
    apart[:3], apart[7:] = 1, 0
    with pytest.raises(ValueError, match="do not meet"):
        cell(image(apart))


def test_protocols_are_checked():
    with pytest.raises(ValueError, match="c_rate 0"):
        ConstantCurrent(0.0)
    with pytest.raises(ValueError, match="seconds above 0"):
        Rest(-1.0)
    with pytest.raises(ValueError, match="until_c_rate"):
        ConstantVoltage(4.0, 0.0)
    with pytest.raises(ValueError, match="start at 0 and grow"):
        CurrentProfile([0.0, 2.0, 1.0], [1.0, 1.0, 1.0])
    with pytest.raises(ValueError, match="until_voltages"):
        CurrentProfile([0.0, 1.0], [1.0, 1.0], until_voltages=(4.0, 3.0))
    with pytest.raises(ValueError, match="as many times"):
        CurrentProfile([0.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="empty"):
        run(cell(), [])
    with pytest.raises(ValueError, match="above 0"):
        discharge(electrode(), ideal_material(), -1.0, electrolyte=ideal_electrolyte())
    already = run(cell(stoichiometry=0.5), [ConstantCurrent(1.0, 3.8)])
    assert not already.complete
    assert "already beyond the limit of 3.8 V" in already.ended


def test_materials_are_checked():
    with pytest.raises(ValueError, match="takes up no lithium"):
        _ = ideal_material(window=(4.5, 5.0)).stoichiometries
    with pytest.raises(ValueError, match="voltage window"):
        ideal_material(window=(4.0, 3.0))
    with pytest.raises(ValueError, match="diffusivity of ideal must be above 0"):
        ideal_material(diffusivity=0.0)
    with pytest.raises(ValueError, match="conductivity of ideal must be above 0"):
        ideal_electrolyte(conductivity=-1.0)
    with pytest.raises(ValueError, match="porosity 0"):
        Separator(1e-5, 0.0, 1.0)
