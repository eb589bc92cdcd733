"""Stress that acts on lithium, against a single particle and its own limits."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

import microtwin as mt
from microtwin.degradation import (
    ActingStress,
    LithiumStrain,
    coupled_run,
    coupling_strength,
    splitting_error,
    strain_per_stoichiometry,
)
from microtwin.electrochemistry.half_cell_verification import (
    MOST,
    ball_on_wire,
    ideal_electrolyte,
    ideal_material,
)

ec, mech = mt.electrochemistry, mt.mechanics
RADIUS, START, SLOPE, DIFFUSIVITY = 5e-6, 0.3, 0.2, 1e-14
YOUNG, POISSON, OMEGA = 30e9, 0.3, 3.5e-6
FLUX, TIME = 2e-5, 300.0
PER = strain_per_stoichiometry(OMEGA, MOST)
SOLIDS = {"active": mech.isotropic(YOUNG, POISSON)}


def ball_cell(voxels):
    material = ideal_material(
        slope=SLOPE, exchange=50.0, diffusivity=DIFFUSIVITY, conductivity=100.0,
        window=(3.81, 3.99),
    )  # fmt: skip
    micro = ball_on_wire(voxels)
    cell = ec.half_cell(
        micro, material, ideal_electrolyte(), stoichiometry=START,
        separator=ec.Separator(4e-6, 1.0, 1.0), conductivities={"wire": 100.0},
    )  # fmt: skip
    return micro, cell


def protocol(cell):
    rate = FLUX * ec.FARADAY * cell.area / (cell.capacity / 3600.0)
    return [ec.ConstantCurrent(rate, 3.0, TIME)]


def particle(coupled):
    ball = mech.ElasticParticle(RADIUS, YOUNG, POISSON, OMEGA, reference_concentration=START * MOST)
    host = mech.Host(DIFFUSIVITY, MOST, lambda x: 4.0 - SLOPE * x)
    return mech.charge_particle(ball, host, START * MOST, TIME, flux=FLUX, coupled=coupled)


def radii(micro):
    """Return the distance of each voxel from the centre of the ball, in m."""
    n = micro.shape[0]
    centre = 0.5 * n + np.array([0.13, 0.27, -0.21])
    apart = ((np.indices(micro.shape) + 0.5).T - centre).T
    return micro.voxel_size[0] * np.sqrt(np.square(apart).sum(axis=0))


def test_a_ball_is_that_of_the_particle_solver():
    """With half the coupling of the voltage: 30 % on the diffusivity, spread over the ball.

    A staircase of 10 voxels radius and the splitting leave a tenth of what stress does; without the
    drift at the surface, or with another sign, it would be half of it or more.
    """
    micro, cell = ball_cell(10)
    alone = ec.run(cell, protocol(cell))
    before = ec.fields(cell, cell.state).stoichiometry
    voltage, front = cell.state.voltage, float(cell.state.surface @ cell.grid.area / cell.area)
    micro, cell = ball_cell(10)
    both = coupled_run(cell, micro, SOLIDS, protocol(cell), PER, reference=START)
    after = ec.fields(cell, cell.state).stoichiometry

    free, pressed = particle(False), particle(True)
    edges = free.edges
    profile = (pressed.concentration[-1] - free.concentration[-1]) / MOST
    r = radii(micro)
    here = np.isfinite(after) & (r < RADIUS)
    expected = np.interp(r[here], 0.5 * (edges[1:] + edges[:-1]), profile)
    found = (after - before)[here]
    assert expected.max() > 0.008
    assert found @ expected / (expected @ expected) == pytest.approx(1.0, abs=0.13)
    # At the surface, what the voltage sees: the open-circuit potential with its shift.
    weight = cell.grid.area / cell.area
    potential = cell.tables.potential(cell.state.surface) + cell.potential_shift
    theirs = pressed.potential[-1] - (4.0 - SLOPE * free.surface_concentration[-1] / MOST)
    ours = float(weight @ potential) - float(cell.tables.potential(front))
    assert theirs == pytest.approx(-1.8e-4, abs=3e-5)
    assert ours == pytest.approx(theirs, rel=0.25)
    assert cell.state.voltage - voltage == pytest.approx(ours, abs=3e-5)

    # The surface is pressed while lithium enters, and not a mol of it is lost.
    assert abs(both.mean_shift[0]) < 1e-9 and both.mean_shift[-1] < -1e-3
    taken = FLUX * cell.area * TIME / (MOST * cell.grid.amount)
    assert cell.mean_stoichiometry(cell.state) - START == pytest.approx(taken, rel=1e-9)
    assert max(r.step.lithium_balance for r in both.run.records) < 1e-3
    assert both.times.tolist() == [r.time for r in both.run.records]
    assert len(alone.records) > 10


def after_steps(count):
    """Return lithium with and without stress after steps of equal length."""
    states = []
    for acts in (True, False):
        micro, cell = ball_cell(5)
        image = mech.ElasticImage(micro, SOLIDS)
        acting = ActingStress(cell, image, PER, reference=START, tol=1e-6)
        for k in range(count):
            if acts:
                acting.renew()
            applied = FLUX * ec.FARADAY * cell.area
            state, _ = cell.advance(TIME / count, applied, smooth=k > 0)
            cell.accept(state, TIME / count)
        states.append(state.lithium)
    return states[0] - states[1]


def test_turns_are_of_first_order():
    effects = [after_steps(count) for count in (10, 20, 40)]
    first, second = (
        float(np.sqrt(np.square(a - b).mean() / np.square(b).mean())) for a, b in pairwise(effects)
    )
    # At 40 steps a hundredth of the effect is left, and twice that at 20.
    assert second < 0.02
    assert 1.6 < first / second < 3.0


def test_without_strain_nothing_changes():
    micro, cell = ball_cell(5)
    alone = ec.run(cell, protocol(cell))
    micro, cell = ball_cell(5)
    both = coupled_run(cell, micro, SOLIDS, protocol(cell), 0.0, reference=START)
    assert both.run.voltage == pytest.approx(alone.voltage, abs=1e-6)
    assert not both.shift_change.any() and both.iterations == 0


def test_the_shift_is_that_of_the_local_volume_of_lithium():
    """With a table, the partial molar volume is that at the lithium of each voxel."""
    table = LithiumStrain([0.0, 0.3, 0.4, 1.0], [-0.01, 0.0, 0.004, 0.01])
    micro, cell = ball_cell(5)
    applied = FLUX * ec.FARADAY * cell.area
    for _ in range(3):
        state, _ = cell.advance(60.0, applied, smooth=cell.before is not None)
        cell.accept(state, 60.0)
    acting = ActingStress(cell, mech.ElasticImage(micro, SOLIDS), table, reference=START)
    stress = acting.renew().swelling.hydrostatic
    x = ec.fields(cell, state).stoichiometry
    from microtwin.numerics.quarters import to_quarters

    omega = np.where(np.isfinite(x), 3.0 * table.slope(np.nan_to_num(x, nan=0.5)) / MOST, 0.0)
    shift = to_quarters(omega * stress / ec.FARADAY).reshape(-1)[cell.grid.surface_place]
    assert np.ptp(omega[np.isfinite(x)]) > 0.2 * omega.max()
    assert cell.potential_shift == pytest.approx(shift, rel=1e-6, abs=1e-12)
    assert np.abs(shift).max() > 1e-4


def test_fewer_stresses_cost_accuracy_that_can_be_told():
    runs = {}
    for every in (4, 2, 1):
        micro, cell = ball_cell(5)
        runs[every] = coupled_run(
            cell, micro, SOLIDS, protocol(cell), PER, reference=START, every=every
        )
    assert len(runs[4].times) == -(-len(runs[4].run.records) // 4)
    coarse, fine = splitting_error(runs[4], runs[2]), splitting_error(runs[2], runs[1])
    assert 0.0 < fine < coarse < 1e-3


def test_the_strength_is_that_of_its_formula():
    _, cell = ball_cell(5)
    bulk = YOUNG / (3.0 * (1.0 - 2.0 * POISSON))
    expected = OMEGA**2 * bulk * MOST / (ec.FARADAY * SLOPE)
    assert coupling_strength(cell, SOLIDS["active"], PER) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"every": 0}, "every 0 is not allowed"),
        ({"materials": {"wire": SOLIDS["active"]}}, "'active' takes up lithium but has no"),
        ({"materials": {"active": mech.isotropic(60e9, 0.3)}}, "stress drives lithium 1.6 times"),
        ({"micro": ball_on_wire(4)}, "not that of the half cell"),
    ],
)
def test_bad_input_is_refused(change, words):
    micro, cell = ball_cell(5)
    given = {"micro": micro, "materials": SOLIDS} | change
    with pytest.raises(ValueError, match=words):
        coupled_run(cell, protocol=protocol(cell), strain=PER, reference=START, **given)
