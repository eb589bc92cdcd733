"""Studies with a reaction on the interface, from the file to the report."""

from __future__ import annotations

import math

import h5py
import numpy as np
import pytest
from typer.testing import CliRunner

import microtwin as mt
from microtwin.cli.app import app
from microtwin.electrochemistry import butler_volmer, interface_current
from microtwin.study.errors import StudyError
from microtwin.study.reaction_stage import REACTION_UNITS
from microtwin.study.reading import parse_study
from studies import run_study

STUDY = """\
name: reaction
image:
  path: labels.npy
  voxel_size: 400 nm
  phases: {pore: 0, active: 1, binder: 2}
descriptors: false
uncertainty: {sampling: false}
output: {fields: false}
reaction:
  active: {active: 1.5}
"""


@pytest.fixture(scope="module")
def micro():
    return mt.generation.electrode(32, 4e-7, porosity=0.4, binder_fraction=0.1, seed=3).micro


def run(folder, micro, text):
    return run_study(folder, micro.labels, text, lambda q: q["name"])


def test_the_numbers_are_those_of_the_function(tmp_path, micro):
    found, report, output = run(tmp_path, micro, STUDY)
    expected = interface_current(micro, 0.01, 1.5)
    volume = math.prod(micro.extent)
    values = {name: found[name]["value"] for name in REACTION_UNITS}
    assert values["reacting_surface"] == pytest.approx(expected.area / volume)
    assert values["volumetric_current"] == pytest.approx(expected.total_current / volume)
    assert values["interface_current_density"] == pytest.approx(float(butler_volmer(0.01, 1.5)))
    whole = expected.area + expected.blocked_area
    assert values["blocked_surface_fraction"] == pytest.approx(expected.blocked_area / whole)
    assert values["current_concentration_ratio"] == pytest.approx(1.0)
    assert values["hot_spot_current_fraction"] == 0.0
    assert {name: found[name]["unit"] for name in REACTION_UNITS} == REACTION_UNITS
    coarse = interface_current(micro.coarsen(2), 0.01, 1.5)
    change = abs(expected.area - coarse.area) / volume
    assert found["reacting_surface"]["uncertainty"]["discretisation"] == pytest.approx(change)
    assert 'id="reaction"' in report and "no place is a hot spot" in report
    assert "reacting surface" in output


def test_uneven_kinetics_have_hot_spots(tmp_path, micro):
    text = STUDY + "  variation: {deviation: 0.8, correlation_length: 1.2 um, seed: 2}\n"
    text += "  coverings: {binder: 1.0e-3}\n  overpotential: -0.02\n  hot_above: 2.5\n"
    found, report, _ = run(tmp_path, micro, text)
    field = mt.electrochemistry.random_exchange_current(micro, 1.0, 0.8, 1.2e-6, 2)
    expected = interface_current(micro, -0.02, 1.5 * field, coverings={"binder": 1e-3})
    spots = expected.hot_spots(multiple=2.5)
    assert found["hot_spot_current_fraction"]["value"] == pytest.approx(spots.share_of_current)
    assert found["volumetric_current"]["value"] < 0.0
    assert found["blocked_surface_fraction"]["value"] == 0.0
    assert "varying at random by 80\u00a0%" in report
    assert f"{len(spots.spots)} hot spots carry" in report
    assert "The hot spots that carry most" in report


def test_fields_are_exported(tmp_path, micro):
    text = STUDY.replace("fields: false", "fields: true")
    run(tmp_path, micro, text + "  variation: {deviation: 0.8, correlation_length: 1.2 um}\n")
    study, into, to = (str(tmp_path / name) for name in ("study.yaml", "run", "out"))
    result = CliRunner().invoke(app, ["export", study, "--into", into, "--to", to])
    assert result.exit_code == 0, result.output
    field = mt.electrochemistry.random_exchange_current(micro, 1.0, 0.8, 1.2e-6, 0)
    expected = interface_current(micro, 0.01, 1.5 * field)
    with h5py.File(tmp_path / "out" / "study-reaction.vtkhdf") as file:
        cells = file["VTKHDF/CellData"]
        assert np.allclose(cells["current_density"][:], expected.on_image(), equal_nan=True)
        spots = cells["hot_spot"][:]
    hot = expected.hot_spots(multiple=2.0)
    assert spots.max() == len(hot.spots)
    assert set(np.flatnonzero(spots)) == set(expected.facets.voxel[hot.number >= 0])


def test_phases_that_do_not_meet_stop_the_run_with_a_sentence(tmp_path):
    labels = np.zeros((12, 8, 8), np.uint8)
    labels[4:] = 2
    labels[8:] = 1
    micro = mt.Microstructure(labels, 4e-7, {"pore": 0, "active": 1, "binder": 2})
    np.save(tmp_path / "labels.npy", micro.labels)
    (tmp_path / "study.yaml").write_text(STUDY)
    result = CliRunner().invoke(app, ["run", str(tmp_path / "study.yaml")])
    assert isinstance(result.exception, StudyError)
    assert "stage reaction: active and pore do not meet" in str(result.exception)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("{active: 1.5}", "{carbon: 1.5}", "phase 'carbon' is not in image.phases"),
        ("{active: 1.5}", "{active: 0}", "greater than 0"),
        ("{active: 1.5}", "{}", "at least 1 item"),
        ("{active: 1.5}", "{active: 1.5}\n  electrolyte: active", "'active' is active as well"),
        ("{active: 1.5}", "{active: 1.5}\n  overpotential: 0", "nothing reacts; write some volts"),
        ("{active: 1.5}", "{active: 1.5}\n  coverings: {pore: 1}", "'pore' covers nothing"),
        ("{active: 1.5}", "{active: 1.5}\n  coverings: {glue: 1}", "phase 'glue' is not in"),
        (
            "{active: 1.5}",
            "{active: 1.5}\n  variation: {deviation: 0.5}",
            "reaction.variation.correlation_length: this key is missing",
        ),
    ],
)
def test_problems_of_the_section(old, new, words):
    with pytest.raises(StudyError) as caught:
        parse_study(STUDY.replace(old, new))
    assert words in str(caught.value)
