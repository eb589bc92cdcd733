from __future__ import annotations

import math

import numpy as np
import pytest

import microtwin as mt
from microtwin.electrochemistry import interface_current, secondary_current
from microtwin.electrochemistry.half_cell_verification import layers

THERMAL = 8.31446261815324 * 298.15 / 96485.33212331001


@pytest.mark.parametrize(("sigma", "kappa", "j0"), [(1.0, 0.3, 2.0), (0.01, 0.3, 200.0)])
def test_a_flat_interface_is_a_sum_of_resistances(sigma, kappa, j0):
    micro = layers(5, 7, voxel=1e-6)
    found = secondary_current(micro, 1e-4, j0, {"active": sigma, "pore": kappa})
    expected = 5e-6 / sigma + 7e-6 / kappa + THERMAL / j0
    assert found.resistance == pytest.approx(expected, rel=5e-4)
    assert found.utilisation == pytest.approx(THERMAL / j0 / expected, rel=5e-4)
    assert found.total_current == pytest.approx(found.cell_current, rel=1e-9)


def test_a_flat_interface_far_from_equilibrium():
    from scipy.optimize import brentq

    found = secondary_current(
        layers(5, 7, voxel=1e-6), -0.2, 5.0, {"active": 0.01, "pore": 0.05}, film_resistance=1e-4
    )
    series = 5e-6 / 0.01 + 7e-6 / 0.05 + 1e-4

    def miss(i):
        return 2.0 * THERMAL * math.asinh(i / 10.0) + i * series + 0.2

    density = found.cell_current / found.cross_section
    assert density == pytest.approx(brentq(miss, -1e4, 0.0), rel=1e-3)


def test_good_conductors_leave_the_primary_distribution():
    micro = mt.generation.electrode(24, 4e-7, porosity=0.4, binder_fraction=0.1, seed=3).micro
    kinetics = 10.0 ** np.random.default_rng(0).uniform(-1, 1, micro.shape)
    conductivities = {"active": 1e5, "binder": 1e5, "pore": 1e4}
    found = secondary_current(micro, 0.03, kinetics, conductivities)
    primary = interface_current(micro, 0.03, kinetics)
    assert found.utilisation == pytest.approx(1.0, abs=2e-3)
    share = 1.0 - found.inactive.area
    assert found.total_current == pytest.approx(share * primary.total_current, rel=0.02)


def test_poor_conductors_move_the_reaction():
    """To the collector where the solid conducts worse, to the separator where the liquid does."""
    micro = mt.generation.electrode(24, 4e-7, porosity=0.4, binder_fraction=0.1, seed=3).micro

    def depth(sigma, kappa):
        conductivities = {"active": sigma, "binder": sigma, "pore": kappa}
        found = secondary_current(micro, 0.01, 100.0, conductivities)
        share = found.current_density * found.facets.area / found.total_current
        return float(share @ found.facets.centre[:, 0])

    assert depth(1e-3, 10.0) < depth(0.1, 0.1) < depth(10.0, 1e-3)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"potential": 0.0}, "volts other than 0"),
        ({"conductivities": {"active": 1.0}}, "'pore' does not conduct"),
        ({"conductivities": {"active": -1.0, "pore": 1.0}}, "give 0 or more, in S/m"),
        ({"conductivities": 3.0}, "give them by name"),
        ({"exchange_current_density": -1.0}, "exchange_current_density is negative"),
        ({"temperature": -1.0}, "kelvins above 0"),
    ],
)
def test_what_does_not_fit_is_refused(change, words):
    arguments = {
        "potential": 0.01,
        "exchange_current_density": 1.0,
        "conductivities": {"active": 1.0, "pore": 1.0},
    } | change
    with pytest.raises(ValueError, match=words):
        secondary_current(layers(3, 3), **arguments)
