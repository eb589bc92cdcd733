from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microtwin.composition import (
    checked_fractions,
    coating_from_porosity,
    fractions_from_loading,
    porosity_contradiction,
)

RECIPE = {"active": 0.96, "binder": 0.02, "carbon": 0.02}
DENSITIES = {"active": 4700.0, "binder": 1780.0, "carbon": 1900.0}


def test_fractions_by_hand():
    found = fractions_from_loading(0.2, 75e-6, RECIPE, DENSITIES)
    # m w / (rho L), worked out with a pocket calculator.
    assert found == pytest.approx(
        {"pore": 0.397286, "active": 0.544681, "binder": 0.0299625, "carbon": 0.0280702}, rel=1e-4
    )
    assert sum(found.values()) == pytest.approx(1, abs=1e-15)
    assert list(found) == ["pore", "active", "binder", "carbon"]


def test_text_with_units_gives_the_same():
    written = fractions_from_loading(
        "20 mg/cm2",
        "75 um",
        {"active": "96 %", "binder": "2 %", "carbon": "2 %"},
        {"active": "4.7 g/cm3", "binder": "1.78 g/cm3", "carbon": "1.9 g/cc"},
    )
    assert written == pytest.approx(
        fractions_from_loading(0.2, 75e-6, RECIPE, DENSITIES), rel=1e-12
    )


def test_components_that_look_alike_are_merged():
    apart = fractions_from_loading(0.2, 75e-6, RECIPE, DENSITIES)
    merged = fractions_from_loading(
        0.2, 75e-6, RECIPE, DENSITIES, merge={"binder": ["binder", "carbon"]}
    )
    assert list(merged) == ["pore", "active", "binder"]
    assert merged["binder"] == pytest.approx(apart["binder"] + apart["carbon"], rel=1e-12)
    assert merged["pore"] == pytest.approx(apart["pore"], rel=1e-12)


def test_pores_inside_the_binder_are_taken_from_the_visible_pore():
    solid = fractions_from_loading(0.2, 75e-6, RECIPE, DENSITIES)
    porous = fractions_from_loading(
        0.2, 75e-6, RECIPE, DENSITIES, internal_porosity={"binder": "50 %"}
    )
    assert porous["binder"] == pytest.approx(2 * solid["binder"], rel=1e-12)
    assert porous["pore"] == pytest.approx(solid["pore"] - solid["binder"], rel=1e-12)


@given(st.floats(0.01, 0.2), st.floats(0.02, 0.9))
def test_porosity_of_a_single_component(loading, share):
    # A solid of density rho at the share s weighs rho s L: the formula turned around.
    found = fractions_from_loading(
        loading, loading / (2000 * share), {"solid": 1.0}, {"solid": 2000}
    )
    assert found == pytest.approx({"pore": 1 - share, "solid": share}, rel=1e-9)


def test_what_is_not_allowed_of_a_recipe():
    with pytest.raises(ValueError, match=r"fill 144\.7 % of the coating, 0\.2 kg/m2 on 31\.25 um"):
        fractions_from_loading(0.2, 31.25e-6, RECIPE, DENSITIES)
    with pytest.raises(ValueError, match="the density of carbon is missing; give one in kg/m3"):
        fractions_from_loading(0.2, 75e-6, RECIPE, {"active": 4700, "binder": 1780})
    with pytest.raises(ValueError, match=r"mass fractions have the sum 0\.98 instead of 1"):
        fractions_from_loading(0.2, 75e-6, {"active": 0.96, "binder": 0.02}, DENSITIES)
    with pytest.raises(ValueError, match="areal loading 0 is not allowed; give a positive number"):
        fractions_from_loading(0, 75e-6, RECIPE, DENSITIES)
    with pytest.raises(ValueError, match="thickness '75' has no unit; give a number in m"):
        fractions_from_loading(0.2, "75", RECIPE, DENSITIES)
    with pytest.raises(ValueError, match="has a unit that is no density of active"):
        fractions_from_loading(0.2, 75e-6, RECIPE, {**DENSITIES, "active": "4.7 g"})
    with pytest.raises(ValueError, match="'graphite' cannot be merged into 'binder'"):
        fractions_from_loading(0.2, 75e-6, RECIPE, DENSITIES, merge={"binder": ["graphite"]})
    with pytest.raises(ValueError, match="at most once"):
        fractions_from_loading(
            0.2, 75e-6, RECIPE, DENSITIES, merge={"a": ["binder"], "b": ["binder"]}
        )
    with pytest.raises(ValueError, match="internal porosity 1 of 'binder' is not allowed"):
        fractions_from_loading(0.2, 75e-6, RECIPE, DENSITIES, internal_porosity={"binder": 1})
    with pytest.raises(ValueError, match=r"internal porosity 0\.5 of 'cbd' is not allowed"):
        fractions_from_loading(0.2, 75e-6, RECIPE, DENSITIES, internal_porosity={"cbd": 0.5})
    with pytest.raises(ValueError, match="'pore' is the name of a component and of the pore"):
        fractions_from_loading(0.2, 75e-6, {"pore": 1}, {"pore": 1000})


def test_checked_fractions_are_complete_and_in_order():
    phases = ["pore", "active", "binder"]
    found = checked_fractions({"binder": 0.1, "pore": "40 %", "active": 0.5}, phases)
    assert list(found) == phases
    assert found == pytest.approx({"pore": 0.4, "active": 0.5, "binder": 0.1}, abs=1e-12)
    left_out = checked_fractions({"pore": 0.4, "binder": 0.1}, phases)
    assert left_out["active"] == pytest.approx(0.5, abs=1e-12)


@given(st.lists(st.floats(0.01, 1), min_size=2, max_size=5))
def test_rounded_fractions_have_the_sum_one(parts):
    names = [f"phase {k}" for k in range(len(parts))]
    shares = {name: round(part / sum(parts), 4) for name, part in zip(names, parts, strict=True)}
    found = checked_fractions(shares, names)
    assert sum(found.values()) == pytest.approx(1, abs=1e-12)
    for name in names:
        # Four digits of at most five numbers are at most 0.00025 off together.
        assert found[name] == pytest.approx(shares[name], abs=3e-4)


@pytest.mark.parametrize(
    ("fractions", "message"),
    [
        ({"pore": 0.4, "active": 0.5}, r"sum 0\.9 instead of 1"),
        ({"pore": 0.4, "active": 0.602}, r"sum 1\.002 instead of 1"),
        ({"pore": 1.2, "active": -0.2}, r"fraction 1\.2 of pore is not allowed; .* from 0 to 1"),
        ({"pore": 40, "active": 60}, "or text in percent, '38 %'"),
        ({"pores": 0.4, "active": 0.6}, "given of pores, active, and the phases are pore, active"),
        ({}, "given of nothing"),
        ({"pore": "0.4 m", "active": 0.6}, "fraction of pore '0.4 m' has a unit"),
    ],
)
def test_fractions_that_cannot_be(fractions, message):
    with pytest.raises(ValueError, match=message):
        checked_fractions(fractions, ["pore", "active"])


def test_more_than_one_phase_left_out_or_nothing_left():
    with pytest.raises(ValueError, match="at most one left out"):
        checked_fractions({"pore": 0.4}, ["pore", "active", "binder"])
    with pytest.raises(ValueError, match="leaves nothing for binder"):
        checked_fractions({"pore": 0.6, "active": 0.5}, ["pore", "active", "binder"])


def test_a_contradiction_names_both_numbers_and_the_tolerance():
    assert porosity_contradiction(0.40, "38 %") is None
    sentence = porosity_contradiction(0.45, 0.397)
    assert sentence is not None
    for part in ("0.450", "0.397", "0.053", "0.03"):
        assert part in sentence
    assert porosity_contradiction(0.45, 0.397, tolerance=0.06) is None
    with pytest.raises(ValueError, match="tolerance 0 is not allowed"):
        porosity_contradiction(0.4, 0.4, tolerance=0)
    with pytest.raises(ValueError, match=r"porosity 1\.4 of the sample is not allowed"):
        porosity_contradiction(1.4, 0.4)


def test_thickness_from_loading_and_porosity_goes_there_and_back():
    thickness, fractions = coating_from_porosity("20 mg/cm2", 0.35, RECIPE, DENSITIES)
    assert fractions["pore"] == 0.35
    assert sum(fractions.values()) == pytest.approx(1.0, abs=1e-12)
    assert fractions_from_loading("20 mg/cm2", thickness, RECIPE, DENSITIES) == pytest.approx(
        fractions, rel=1e-9
    )
    with pytest.raises(ValueError, match=r"porosity 1\.2"):
        coating_from_porosity("20 mg/cm2", 1.2, RECIPE, DENSITIES)
