from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import microtwin as mt
from microtwin.mechanics import isotropic, solve_swelling, stack_pressure, thickness_change


def test_layers_add_up():
    """80 um that swell by 1 %, 20 um that do not, 60 um that shrink by 0.5 %: 0.5 um."""
    grown = thickness_change([0.01, 0.0, -0.005], [80e-6, 20e-6, 60e-6])
    assert 1e6 * grown == pytest.approx(0.5)
    six = np.zeros((2, 6))
    six[:, 0], six[:, 1] = (0.01, 0.02), 5.0
    assert thickness_change(six, [80e-6, 50e-6]) == pytest.approx(1.8e-6)


def test_a_rigid_fixture_presses_as_the_solver_does():
    """An even solid that swells and is held in all directions."""
    micro = mt.Microstructure(np.ones((4, 4, 4), np.uint8), 1e-6, {"a": 1})
    solid = isotropic(100e9, 0.25)
    free = solve_swelling(
        micro, {"a": solid}, {"a": 0.01}, mean_strain=[np.nan, 0, 0, 0, 0, 0], tol=1e-9
    )
    held = solve_swelling(micro, {"a": solid}, {"a": 0.01}, mean_strain=np.zeros(6), tol=1e-9)
    found = stack_pressure(free.mean_strain, 80e-6, solid.stiffness[0, 0])
    assert found == pytest.approx(-held.mean_stress[0], rel=1e-6)


@given(st.floats(0.0, 0.1), st.floats(1e9, 1e15), st.floats(0.0, 1e6))
def test_a_fixture_in_series(strain, stiffness, initial):
    found = stack_pressure(
        strain, 80e-6, 1e9, fixture_stiffness=stiffness, initial=initial
    )  # fmt: skip
    # What the stack gives way and the fixture opens is what it would have grown.
    more = found - initial
    assert more * 80e-6 / 1e9 + more / stiffness == pytest.approx(strain * 80e-6, abs=1e-15)
    assert found <= stack_pressure(strain, 80e-6, 1e9, initial=initial) + 1e-6


def test_a_fixture_that_gives_way_presses_as_before_and_a_gap_not_at_all():
    assert stack_pressure(0.01, 80e-6, 1e9, fixture_stiffness=0.0, initial=2e5) == 2e5
    assert stack_pressure(-0.01, 80e-6, 1e9, initial=2e5) == 0.0


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: thickness_change(0.01, 0.0), "thickness 0.0 is not allowed"),
        (lambda: thickness_change([0.01, 0.02], 80e-6), "do not fit 1 layers"),
        (lambda: stack_pressure(0.01, 80e-6, 0.0), "modulus 0.0 is not allowed"),
        (
            lambda: stack_pressure(0.01, 80e-6, 1e9, fixture_stiffness=-1.0),
            "fixture_stiffness -1.0 is not allowed",
        ),
    ],
)
def test_what_does_not_fit_is_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()
