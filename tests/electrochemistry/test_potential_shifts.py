"""Fields that act on lithium, without anything that makes them."""

from __future__ import annotations

import numpy as np
import pytest

from microtwin.electrochemistry import Separator, fields, half_cell, losses
from microtwin.electrochemistry.half_cell_verification import (
    MOST,
    VOXEL,
    ball_on_wire,
    ideal_electrolyte,
    ideal_material,
    layers,
)
from microtwin.electrochemistry.materials import ElectrodeMaterial
from microtwin.electrochemistry.potential_shifts import shift_on_network

FILL = 0.4


def curved(x):
    """Steeper where it is empty and where it is full."""
    return 4.0 - 0.3 * x - 0.05 * np.log(np.maximum(x, 1e-9) / np.maximum(1.0 - x, 1e-9))


def ball_cell(potential=None, start=FILL):
    material = ideal_material(slope=0.4, exchange=5.0, diffusivity=1e-13, window=(3.62, 3.98))
    if potential is not None:
        old = material
        material = ElectrodeMaterial(
            "curved", MOST, potential, old.diffusivity, old.exchange_current_density,
            old.conductivity, (3.55, 4.1),
        )  # fmt: skip
    micro = ball_on_wire(5)
    cell = half_cell(
        micro, material, ideal_electrolyte(), stoichiometry=start,
        separator=Separator(4e-6, 1.0, 1.0), conductivities={"wire": 100.0},
    )  # fmt: skip
    return micro, cell


def waves(micro, size=0.01):
    z, _, x = (np.indices(micro.shape).T / micro.shape).T
    return size * (np.sin(2 * np.pi * z) + 0.5 * np.cos(2 * np.pi * x))


def test_lithium_in_equilibrium_with_a_field_does_not_move():
    """Where U(x) + w is even, the drift is what diffuses back, on every link of the network."""
    micro, cell = ball_cell(curved)
    field = waves(micro, 0.03)
    cell.shift_potential(field)
    u = cell.tables.potential
    x = np.linspace(0.05, 0.95, 20001)
    values = shift_on_network(field, cell.grid)
    there = cell.grid.active_there > 0
    lithium = MOST * np.where(there, np.interp(-(u(FILL) - values), -u(x), x), 0.0)
    assert np.ptp(lithium[there]) > 0.1 * MOST
    species = cell._lithium
    balance = np.zeros_like(species.residual)
    species.operator.subtract_product(balance, lithium, 1.0)
    diffusing = np.abs(balance).max()
    species.residual[...] = 0.0
    drift = cell._drift()
    drift.renew(lithium)
    # Inverse and curve are tables of 8193 points; a drift with the slope of U at the middle of a
    # link would leave some per cent.
    assert np.abs(balance + species.residual).max() < 1e-4 * diffusing
    # What leaves one voxel arrives in the next.
    assert abs(species.residual.sum(dtype=float)) < 1e-6 * np.abs(species.residual).sum()
    drift.renew(lithium)
    assert np.abs(balance + species.residual).max() < 1e-4 * diffusing  # not added twice


@pytest.mark.parametrize("potential", [None, curved])
def test_at_rest_the_sum_of_both_potentials_becomes_even(potential):
    micro, cell = ball_cell(potential)
    field = waves(micro)
    cell.shift_potential(field)
    for length in (1.0, 10.0, 100.0, 1e3, 1e4, 1e4):
        state, step = cell.advance(length, 0.0, smooth=False)
        cell.accept(state, length)
        assert step.lithium_balance < 1e-3
    x = fields(cell, state).stoichiometry
    here = np.isfinite(x)
    total = cell.tables.potential(x[here]) + field[here]
    # Of 30 mV the solver leaves what it may, some tenths of a millivolt.
    assert np.ptp(field[here]) > 0.025
    assert np.ptp(total) < 4e-4
    assert cell.mean_stoichiometry(state) == pytest.approx(FILL, abs=1e-12)
    # Lithium has gone to where the field is large.
    assert np.corrcoef(x[here], field[here])[0, 1] > 0.95
    assert state.voltage == pytest.approx(total.mean(), abs=2e-4)


def test_a_field_drives_the_flux_that_its_gradient_says():
    """From an even layer, D c_max (dw / dz) / |U'| flows up the field through the middle."""
    slope, diffusivity, rise, time = 0.5, 1e-14, 400.0, 20.0  # V, m^2/s, V/m, s
    material = ideal_material(
        slope=slope, diffusivity=diffusivity, exchange=1e-9, window=(3.51, 3.99)
    )
    micro = layers(24, 4)
    cell = half_cell(
        micro, material, ideal_electrolyte(), stoichiometry=0.5, separator=Separator(2e-6, 1.0, 1.0)
    )
    z = (np.arange(28) + 0.5) * VOXEL
    cell.shift_potential(np.broadcast_to(rise * z[:, None, None], micro.shape))
    state, _ = cell.advance(time, 0.0, smooth=False)
    x = fields(cell, state).stoichiometry[:, 0, 0].astype(float)
    moved = MOST * (x[12:24] - 0.5).sum() * VOXEL
    assert moved == pytest.approx(diffusivity * MOST * rise / slope * time, rel=1e-3)


def test_a_field_that_is_the_same_everywhere_only_shifts_the_voltage():
    voltages, lithium = [], []
    for shift in (0.0, 0.02):
        micro, cell = ball_cell(curved)
        cell.shift_potential(np.full(micro.shape, shift))
        applied = cell.capacity / 3600.0
        for _ in range(3):
            state, _ = cell.advance(60.0, applied, smooth=cell.before is not None)
            cell.accept(state, 60.0)
        voltages.append(state.voltage)
        lithium.append(state.lithium)
        parts = losses(cell, state)
        assert parts.voltage == pytest.approx(state.voltage, abs=1e-12)
    assert voltages[1] - voltages[0] == pytest.approx(0.02, abs=2e-5)
    assert np.abs(lithium[1] - lithium[0]).max() < 1e-5 * MOST


def test_a_field_can_be_taken_away():
    micro, cell = ball_cell()
    cell.shift_potential(waves(micro))
    assert np.abs(cell.potential_shift).max() > 0.005
    cell.shift_potential(None)
    assert not cell.potential_shift.any()
    state, _ = cell.advance(100.0, 0.0, smooth=False)
    there = cell.grid.active_there > 0
    assert np.ptp(state.lithium[there]) < 1e-9 * MOST


def test_what_does_not_fit_is_refused():
    micro, cell = ball_cell()
    with pytest.raises(ValueError, match="give a number in V for each voxel"):
        cell.shift_potential(np.zeros(3))
    with pytest.raises(ValueError, match="give a number in V for each voxel"):
        cell.shift_potential(np.full(micro.shape, np.nan))
    with pytest.raises(ValueError, match=r"a shift of 100 V is not allowed; give it in V, up to"):
        cell.shift_potential(np.full(micro.shape, 100.0))
    micro, cell = ball_cell(lambda x: 4.0 - 0.4 * np.maximum(x - 0.5, 0.0) - 0.01 * x, start=0.7)
    with pytest.raises(ValueError, match=r"falls by 0\.01 V per stoichiometry at"):
        cell.shift_potential(waves(micro))
