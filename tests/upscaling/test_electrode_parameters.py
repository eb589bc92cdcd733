from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from microtwin.upscaling import ElectrodeParameters, Quantity
from upscaling.electrodes import NUMBERS, electrode


@given(st.floats(0.05, 0.95), st.floats(0.01, 1.0))
def test_the_exponent_gives_the_transport_efficiency(porosity, share):
    found = electrode(
        porosity=porosity,
        active_fraction=1.0 - porosity,
        liquid_transport_efficiency=porosity * share,
    )
    assert porosity**found.bruggeman_exponent == pytest.approx(porosity * share, rel=1e-12)
    assert found.tortuosity_factor == pytest.approx(1.0 / share, rel=1e-12)


def test_derived_numbers():
    found = electrode()
    assert found.sauter_radius == pytest.approx(10e-6)
    assert found.interface_utilisation == pytest.approx(0.5)
    # What is left over, without an error of its own.
    assert found.inert_fraction.value == pytest.approx(0.08)
    assert found.inert_fraction.uncertainty is None
    assert str(found.liquid_transport_efficiency) == "0.130 ± 0.020"
    assert str(found.thickness) == "7e-05 m"
    assert found.sentences()[1] == "porosity: 0.340 ± 0.010 (Made up for a test.)"


def test_an_uncertainty_of_zero_is_none():
    assert Quantity(1, "m", 0.0).uncertainty is None
    assert Quantity(1, "m", 0.0) == Quantity(1.0, "m")


def test_round_trip_through_json():
    found = ElectrodeParameters.from_numbers(
        **NUMBERS,
        uncertainties={"thickness": 1e-6},
        porosity_profile=[0.3, 0.4],
        particle_radii=[1e-6, 3e-6],
        radius_weights=[1.0, 3.0],
    )
    again = ElectrodeParameters.from_dict(json.loads(json.dumps(found.as_dict())))
    assert again.as_dict() == found.as_dict()
    assert again.thickness == found.thickness
    assert again.radius_weights.tolist() == [0.25, 0.75]
    assert not again.porosity_profile.flags.writeable


def test_the_rest_follows_a_change_of_the_others():
    found = electrode()
    assert found.inert_fraction.value == pytest.approx(0.08)
    for same in (found, ElectrodeParameters.from_dict(found.as_dict())):
        denser = replace(same, active_fraction=Quantity(0.64, "1"))
        assert denser.inert_fraction.value == pytest.approx(0.02)
        assert denser.inert_fraction.source == found.inert_fraction.source
    # One that was given stays, and contradictions are said.
    given = electrode(inert_fraction=0.08)
    assert replace(given, porosity=Quantity(0.3, "1")).inert_fraction == given.inert_fraction
    with pytest.raises(ValueError, match=r"add up to 1\.06"):
        replace(given, active_fraction=Quantity(0.64, "1"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda plain: plain.update(tortuosity=2.0, colour="red"), "^tortuosity, colour not known"),
        (lambda plain: plain.pop("porosity"), "^porosity missing of an electrode"),
        (lambda plain: plain["thickness"].pop("unit"), "^unit missing of thickness"),
        (lambda plain: plain["thickness"].update(error=1.0), "^error not known of thickness"),
        (lambda plain: plain.update(thickness=7e-5), "thickness is given by 7e-05; give a dict"),
    ],
)
def test_names_in_a_file_that_do_not_fit(change, message):
    plain = electrode().as_dict()
    change(plain)
    with pytest.raises(ValueError, match=message):
        ElectrodeParameters.from_dict(plain)


def test_a_file_that_holds_a_list_is_refused():
    with pytest.raises(ValueError, match=r"an electrode is given by \[1\]; give a dict with"):
        ElectrodeParameters.from_dict([1])


def test_pores_that_lead_nowhere_have_no_exponent():
    found = electrode(liquid_transport_efficiency=0.0)
    assert found.tortuosity_factor == math.inf
    with pytest.raises(ValueError, match="no Bruggeman exponent"):
        _ = found.bruggeman_exponent


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"porosity": 1.2}, "porosity 1.2 is not allowed"),
        ({"thickness": 0.0}, "thickness 0 is not allowed"),
        ({"specific_surface": -1.0}, "specific surface -1"),
        ({"particle_radius": np.nan}, "finite number"),
        ({"solid_conductivity": -0.1}, "solid conductivity -0.1"),
        ({"active_fraction": 0.7}, "add up to 1.04"),
        ({"inert_fraction": 0.2}, "add up to 1.12"),
        ({"liquid_transport_efficiency": 0.5}, "larger than the porosity"),
        ({"tortuosity": 2.0}, "tortuosity not known"),
        ({"thickness": None}, "thickness missing"),
    ],
)
def test_numbers_that_are_not_allowed(changes, message):
    with pytest.raises(ValueError, match=message):
        electrode(**changes)


def test_other_units_and_plain_numbers_are_refused():
    parts = electrode().quantities()
    with pytest.raises(ValueError, match="thickness is in 'um'"):
        ElectrodeParameters(**(parts | {"thickness": Quantity(70.0, "um")}))
    with pytest.raises(ValueError, match="from_numbers"):
        ElectrodeParameters(**(parts | {"thickness": 70e-6}))
    with pytest.raises(ValueError, match="uncertainty -1"):
        Quantity(1.0, "m", -1.0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"particle_radii": [1e-6]}, "needs both"),
        ({"particle_radii": [1e-6], "radius_weights": [1.0, 2.0]}, "one weight each"),
        ({"particle_radii": [0.0], "radius_weights": [1.0]}, "must be positive"),
        ({"porosity_profile": [[0.3]]}, "porosity_profile of shape"),
        ({"porosity_profile": [-0.1]}, "none negative"),
    ],
)
def test_arrays_that_are_not_allowed(changes, message):
    with pytest.raises(ValueError, match=message):
        ElectrodeParameters.from_numbers(**NUMBERS, **changes)
