"""Studies with a discharge against lithium, from the file to the report."""

from __future__ import annotations

import csv
import json

import h5py
import numpy as np
import pytest
from typer.testing import CliRunner

import microtwin as mt
from microtwin.cli.app import app
from microtwin.study.errors import StudyError
from microtwin.study.half_cell_stage import HALF_CELL_UNITS
from microtwin.study.live import listening, say
from microtwin.study.reading import parse_study

MATERIAL = """\
name: straight
maximum_concentration: 50 mol/L
open_circuit_potential: {stoichiometry: [0.0, 1.0], value: [4.0, 3.0], unit: V}
diffusivity: 1e-14 m^2/s
exchange_current_density: 2 A/m^2
conductivity: 1 S/m
voltage_window: [3.1 V, 3.9 V]
"""
ELECTROLYTE = """\
name: plain
concentration: 1 mol/L
conductivity: {concentration: [0.0, 1000.0, 3000.0], value: [0.0, 10.0, 5.0], unit: mS/cm}
diffusivity: 3e-10 m^2/s
transference_number: 0.3
lithium_exchange_current_density: 10 A/m^2
"""
STUDY = """\
name: discharge
image:
  path: labels.npy
  voxel_size: 400 nm
  phases: {pore: 0, active: 1, binder: 2}
descriptors: false
uncertainty: {sampling: false}
half_cell:
  chemistry: material.yaml
  electrolyte: electrolyte.yaml
  c_rates: [1, 4]
  frames: 6
"""


@pytest.fixture(scope="module")
def micro():
    return mt.generation.electrode(24, 4e-7, porosity=0.45, binder_fraction=0.08, seed=3).micro


def prepare(folder, micro, text):
    np.save(folder / "labels.npy", micro.labels)
    (folder / "material.yaml").write_text(MATERIAL)
    (folder / "electrolyte.yaml").write_text(ELECTROLYTE)
    (folder / "study.yaml").write_text(text)
    return folder / "study.yaml"


def invoke(*args):
    return CliRunner().invoke(app, [str(arg) for arg in args])


@pytest.fixture(scope="module")
def ran(tmp_path_factory, micro):
    folder = tmp_path_factory.mktemp("discharge")
    study = prepare(folder, micro, STUDY)
    result = invoke("run", study, "--into", folder / "run")
    assert result.exit_code == 0, result.output
    return folder, result.output


def test_the_numbers_are_those_of_the_function(ran, micro):
    folder, output = ran
    quantities = json.loads((folder / "run" / "results.json").read_text())["quantities"]
    found = {(q["name"], q["condition"]): q for q in quantities}
    for name, unit in HALF_CELL_UNITS.items():
        for rate in ("1C", "4C"):
            assert found[name, rate]["unit"] == unit
            assert found[name, rate]["uncertainty"]["discretisation"] is not None
    ec = mt.electrochemistry
    expected = ec.discharge(
        micro, ec.read_material(folder / "material.yaml"), 4.0,
        electrolyte=ec.read_electrolyte(folder / "electrolyte.yaml"),
    )  # fmt: skip
    value = found["discharge_capacity", "4C"]["value"]
    assert value == pytest.approx(expected.capacity, rel=1e-6)
    assert value < found["discharge_capacity", "1C"]["value"]
    assert "discharge capacity" in output
    assert "4C" in output


def test_the_report_shows_curves_film_and_losses(ran):
    report = (ran[0] / "run" / "report.html").read_text(encoding="utf-8")
    assert "Discharge against lithium" in report
    assert report.count("data:image/gif;base64,") == 2
    assert "Inside at 1 C" in report
    assert "Where the voltage goes at 4 C" in report
    assert "not connected to the" in report


def test_curves_films_and_fields_are_exported(ran, micro):
    folder, _ = ran
    result = invoke("export", folder / "study.yaml", "--into", folder / "run", "--to", folder / "x")
    assert result.exit_code == 0, result.output
    with (folder / "x" / "study-half_cell-1C.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert float(rows[-1]["Voltage / V"]) == pytest.approx(3.1, abs=1e-3)
    parts = [float(v) for k, v in rows[3].items() if k.endswith(" / V") and k != "Voltage / V"]
    assert sum(parts) == pytest.approx(float(rows[3]["Voltage / V"]), abs=1e-5)
    assert (folder / "x" / "study-half_cell-1C.gif").read_bytes()[:6] == b"GIF89a"
    with h5py.File(folder / "x" / "study-half_cell-1C.vtkhdf") as file:
        root = file["VTKHDF"]
        steps = int(root["Steps"].attrs["NSteps"])
        assert steps >= 3
        assert (np.diff(root["Steps/Values"]) > 0).all()
        assert root["CellData/stoichiometry"].shape == (steps, *micro.shape)
        assert root["CellData/labels"].shape == (1, *micro.shape)
        assert list(root["Steps/CellDataOffsets/labels"]) == [0] * steps
        first, last = (root["CellData/stoichiometry"][k] for k in (0, steps - 1))
        assert np.nanmean(last) > np.nanmean(first) + 0.2


def test_a_change_of_the_material_runs_again(ran):
    folder, _ = ran
    path = folder / "material.yaml"
    before = invoke("status", folder / "study.yaml", "--into", folder / "run").output
    path.write_text(MATERIAL.replace("2 A/m^2", "3 A/m^2"))
    after = invoke("status", folder / "study.yaml", "--into", folder / "run").output
    path.write_text(MATERIAL)
    assert before != after


def numbers_of(folder, micro, text):
    result = invoke("run", prepare(folder, micro, text), "--into", folder / "run")
    assert result.exit_code == 0, result.output
    quantities = json.loads((folder / "run" / "results.json").read_text())["quantities"]
    report = (folder / "run" / "report.html").read_text(encoding="utf-8")
    return {q["name"]: q for q in quantities}, report


def test_kinetics_that_vary_do_so_in_the_same_way_on_larger_voxels(tmp_path, micro):
    text = STUDY.replace("[1, 4]", "[2]").replace("frames: 6", "frames: 0")
    text += "  variation: {deviation: 0.8, correlation_length: 2 um, seed: 5}\n"
    found, _ = numbers_of(tmp_path, micro, text)
    ec = mt.electrochemistry
    field = ec.random_exchange_current(micro, 1.0, 0.8, 2e-6, 5)
    means = field.reshape(12, 2, 12, 2, 12, 2).mean(axis=(1, 3, 5))
    fine, coarse = (
        ec.discharge(
            image, ec.read_material(tmp_path / "material.yaml"), 2.0, exchange_factor=factor,
            electrolyte=ec.read_electrolyte(tmp_path / "electrolyte.yaml"),
        ).capacity
        for image, factor in ((micro, field), (micro.coarsen(2), means))
    )  # fmt: skip
    capacity = found["discharge_capacity"]
    assert capacity["value"] == pytest.approx(fine, rel=1e-6)
    assert capacity["uncertainty"]["discretisation"] == pytest.approx(abs(fine - coarse), rel=1e-3)


def test_a_discharge_that_ends_at_once_has_no_mean_voltage(tmp_path, micro):
    text = STUDY.replace("[1, 4]", "[1]").replace("frames: 6", "frames: 2\n  until_voltage: 4.2")
    found, report = numbers_of(tmp_path, micro, text)
    assert found["mean_voltage"]["value"] is None
    assert found["discharge_capacity"]["value"] == 0.0
    assert "already beyond the limit of 4.2 V" in report


def test_what_falls_apart_on_larger_voxels_keeps_its_discharge(tmp_path):
    """Threads one voxel thick are lost in the majority of a block."""
    labels = np.zeros((16, 16, 16), np.uint8)
    labels[:, 2::6, 2::6] = 1
    thin = mt.Microstructure(labels, 4e-7, {"pore": 0, "active": 1, "binder": 2})
    text = STUDY.replace("[1, 4]", "[1]").replace(", binder: 2", "")
    found, report = numbers_of(tmp_path, thin, text)
    assert found["discharge_capacity"]["value"] > 0.0
    assert found["discharge_capacity"]["uncertainty"]["discretisation"] is None
    assert "No error of the discretisation can be told: on voxels twice as large" in report


def problem(text):
    with pytest.raises(StudyError) as caught:
        parse_study(text, "study.yaml")
    return str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("material.yaml", "Chen2020", "neither a parameter set with one of its electrodes"),
        ("  electrolyte: electrolyte.yaml\n", "", "needs an electrolyte"),
        ("[1, 4]", "[1, 1]", "twice"),
        ("[1, 4]", "[0]", "greater than 0"),
        ("frames: 6", "active: zinc", "phase 'zinc' is not in image.phases"),
        ("frames: 6", "pore: active", "'active' is active as well"),
        ("frames: 6", "conductivities: {active: 0}", "must conduct electrons"),
        ("frames: 6", "porous_phases: {pore: {porosity: 1, tortuosity_factor: 1}}", "binder"),
    ],
)
def test_what_does_not_fit_is_said(old, new, words):
    assert words in problem(STUDY.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("50 mol/L", "50 mol/kg", "maximum concentration '50 mol/kg' has a unit that is no"),
        ("1e-14 m^2/s", "-1e-14 m^2/s", "must be above 0"),
        ("conductivity: 1 S/m\n", "", "lacks conductivity"),
        ("name:", "colour: red\nname:", "has colour, which is not known"),
        ("[0.0, 1.0], value", "[1.0, 0.0], value", "must grow from pair to pair"),
        ("[0.0, 1.0], value", "[0.0, 1.5], value", "between 0 and 1"),
        ("[3.1 V, 3.9 V]", "[5.1 V, 5.9 V]", "takes up no lithium"),
        ("[3.1 V, 3.9 V]", "3 V", "give two voltages"),
    ],
)
def test_materials_that_do_not_fit_are_refused(tmp_path, micro, old, new, words):
    study = prepare(tmp_path, micro, STUDY)
    (tmp_path / "material.yaml").write_text(MATERIAL.replace(old, new))
    result = invoke("run", study, "--into", tmp_path / "run")
    assert result.exit_code != 0
    assert words in f"{result.output} {result.exception}"


def test_a_material_file_that_is_not_there(tmp_path, micro):
    study = prepare(tmp_path, micro, STUDY.replace("material.yaml", "nowhere.yaml"))
    result = invoke("run", study, "--into", tmp_path / "run")
    assert "there is no file or folder" in f"{result.output} {result.exception}"


def test_what_a_stage_says_is_heard_only_by_who_listens():
    heard = []
    say("nobody")
    with listening(heard.append):
        say("3.9 V")
    say("nobody")
    assert heard == ["3.9 V"]
