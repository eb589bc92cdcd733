from __future__ import annotations

import numpy as np
import pytest

import microtwin as mt
from microtwin.electrochemistry import (
    ConstantCurrent,
    Rest,
    Separator,
    half_cell,
    half_cell_impedance,
    run,
)
from microtwin.electrochemistry.half_cell_verification import (
    ideal_electrolyte,
    ideal_material,
)
from microtwin.electrochemistry.impedance_verification import (
    CASES,
    exact_flat,
    flat_cell,
)
from microtwin.trust import run_cases

FARADAY = 96485.33212331
THERMAL = 8.314462618 * 298.15 / FARADAY


def electrode(n=16, depth=20, seed=0):
    from scipy.ndimage import gaussian_filter

    field = gaussian_filter(np.random.default_rng(seed).normal(size=(depth, n, n)), 2.0)
    cuts = np.quantile(field, [0.42, 0.5])
    labels = np.where(field < cuts[0], 0, np.where(field < cuts[1], 2, 1)).astype(np.uint8)
    return mt.Microstructure(labels, 5e-7, {"pore": 0, "active": 1, "binder": 2})


def cell(material=None, electrolyte=None, **more):
    arguments = {"separator": Separator(2e-6, 0.5, 2.0), "stoichiometry": 0.5} | more
    return half_cell(
        electrode(), material or ideal_material(), electrolyte or ideal_electrolyte(), **arguments
    )


@pytest.mark.parametrize("row", run_cases(CASES), ids=lambda row: f"{row.case}: {row.quantity}")
def test_known_impedances(row):
    assert row.verdict == "pass", row


def test_each_frequency_is_told():
    told = []
    found = half_cell_impedance(flat_cell(), [1e3, 1.0], watch=lambda f, z: told.append((f, z)))
    assert told == list(zip([1e3, 1.0], found.impedance, strict=True))


def test_iterations_do_not_grow_with_frequency():
    found = half_cell_impedance(cell(), np.geomspace(1e5, 1e-4, 7))
    assert max(found.iterations) <= 25, found.iterations


def test_steep_curves_at_low_frequencies():
    """A level of the potential that is large against all differences does not drown these."""
    steep = cell(ideal_material(slope=2000.0, window=(-3000.0, 3.9)))
    found = half_cell_impedance(steep, [1e-3, 1e-4])
    assert max(found.iterations) <= 40, found.iterations
    filling = FARADAY * 5e4 * steep.grid.amount / steep.grid.cross_section
    layer = 0.2 * steep.area / steep.grid.cross_section
    total = 2.0 * np.pi * 1e-4 * (layer + filling / 2000.0)
    assert found.impedance[1].imag == pytest.approx(-1.0 / total, rel=0.05)


def test_it_is_passive_and_capacitive():
    """Real parts are positive and fall with the frequency, imaginary ones are not positive."""
    found = half_cell_impedance(cell(), np.geomspace(1e5, 1e-3, 17))
    assert (found.impedance.real > 0.0).all()
    assert (np.diff(found.impedance.real) > 0.0).all()
    assert (found.impedance.imag < 0.0).all()


def test_without_a_double_layer_it_is_what_a_step_of_the_current_meets():
    """Where neither lithium nor salt changes, the impedance is the resistance of a time step."""
    still = ideal_material(diffusivity=1e-9, slope=0.02, window=(3.981, 3.999))
    a_cell = cell(still, ideal_electrolyte(conductivity=0.1, transference=0.9999999))
    found = half_cell_impedance(a_cell, 1e3, double_layer_capacitance=0.0).impedance[0]
    density = 1e-3
    state, _ = a_cell.advance(1e-6, density * a_cell.grid.cross_section, smooth=False)
    lost = float(a_cell.tables.potential(state.surface.mean())) - state.voltage
    assert found.real == pytest.approx(lost / density, rel=2e-3)
    assert abs(found.imag) < 1e-3 * found.real


def test_at_the_lowest_frequencies_it_is_the_capacity_of_the_image():
    """Im Z -> U' / (w Q), with the charge Q that fills the active material."""
    a_cell = cell(ideal_material(diffusivity=1e-12))
    f = 1e-5
    found = half_cell_impedance(a_cell, f).impedance[0]
    filling = FARADAY * 5e4 * a_cell.grid.amount / a_cell.grid.cross_section
    filling += 0.2 * a_cell.area / a_cell.grid.cross_section * 1.0  # the double layer
    assert found.imag == pytest.approx(-1.0 / (2.0 * np.pi * f * filling), rel=5e-3)


def test_the_area_of_the_double_layer_shows_at_high_frequency():
    a_cell = cell(ideal_material(exchange=1e-4), ideal_electrolyte(conductivity=50.0))
    found = half_cell_impedance(a_cell, 100.0, double_layer_capacitance=0.1).impedance[0]
    expected = 2.0 * np.pi * 100.0 * 0.1 * a_cell.area / a_cell.grid.cross_section
    assert found.imag == pytest.approx(-1.0 / expected, rel=0.01)


def test_films_and_slow_places_resist():
    plain = half_cell_impedance(cell(), 0.1).impedance[0]
    film = cell(film_resistance=0.02)
    slow = cell(exchange_factor=0.5)
    ratio = film.grid.cross_section / film.area
    added = half_cell_impedance(film, 0.1).impedance[0] - plain
    assert added.real == pytest.approx(0.02 * ratio, rel=0.05)
    added = half_cell_impedance(slow, 0.1).impedance[0] - plain
    assert added.real == pytest.approx(THERMAL / 2.0 * ratio, rel=0.1)


def test_after_a_rest_it_is_that_of_the_new_state():
    a_cell = cell(ideal_material(diffusivity=1e-13), stoichiometry=0.3)
    run(a_cell, [ConstantCurrent(1.0, until_time=600.0), Rest(3600.0)])
    x = a_cell.mean_stoichiometry(a_cell.state)
    found = half_cell_impedance(a_cell, [10.0, 1e-2])
    same = half_cell_impedance(
        cell(ideal_material(diffusivity=1e-13), stoichiometry=x), [10.0, 1e-2]
    )
    np.testing.assert_allclose(found.impedance, same.impedance, rtol=5e-3)


def test_a_diffusivity_that_depends_on_the_stoichiometry():
    varying = ideal_material(diffusivity=lambda x: 1e-14 * (0.5 + x))
    found = half_cell_impedance(cell(varying), [1e-2, 1e-3])
    same = half_cell_impedance(cell(ideal_material(diffusivity=1e-14)), [1e-2, 1e-3])
    np.testing.assert_allclose(found.impedance, same.impedance, rtol=1e-4)


def test_default_frequencies():
    found = half_cell_impedance(flat_cell())
    assert found.frequencies[0] == 1e5
    assert found.frequencies[-1] == pytest.approx(1e-3)
    assert len(found.frequencies) == len(found.impedance) == len(found.iterations) == 25
    assert found.lithium_resistance == pytest.approx(THERMAL / 10.0)
    expected = np.array([exact_flat(f) for f in found.frequencies])
    np.testing.assert_allclose(found.impedance, expected, rtol=0.02)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"frequencies": [0.0]}, "numbers above 0, in Hz"),
        ({"frequencies": [[1.0]]}, "numbers above 0, in Hz"),
        ({"frequencies": []}, "numbers above 0, in Hz"),
        ({"frequencies": ["high"]}, "numbers above 0, in Hz"),
        ({"double_layer_capacitance": -0.1}, "double_layer_capacitance -0.1 is not allowed"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        half_cell_impedance(flat_cell(), **arguments)


def test_a_cell_under_current_is_refused():
    a_cell = flat_cell()
    state, _ = a_cell.advance(1.0, 0.1 * a_cell.grid.cross_section, smooth=False)
    a_cell.accept(state, 1.0)
    with pytest.raises(ValueError, match="take it through a Rest first"):
        half_cell_impedance(a_cell, 1.0)


def test_a_cell_that_has_not_rested_long_is_refused():
    """Between full and less full places currents flow on when that through the cell has ended."""
    a_cell = cell(ideal_material(diffusivity=1e-15, exchange=0.05), stoichiometry=0.3)
    run(a_cell, [ConstantCurrent(2.0, until_time=300.0), Rest(1e-3)])
    with pytest.raises(ValueError, match="let the cell rest longer"):
        half_cell_impedance(a_cell, 1.0)
    run(a_cell, [Rest(2e5)])
    rested = half_cell_impedance(a_cell, 1.0).impedance[0]
    x = a_cell.mean_stoichiometry(a_cell.state)
    fresh = cell(ideal_material(diffusivity=1e-15, exchange=0.05), stoichiometry=x)
    assert rested == pytest.approx(half_cell_impedance(fresh, 1.0).impedance[0], rel=1e-3)
