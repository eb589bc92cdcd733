"""Studies with impedances, from the file to the report."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import microtwin as mt
from microtwin.cli.app import app
from microtwin.study.errors import StudyError
from microtwin.study.estimate import NS_PER_VOXEL_HALF_CELL_IMPEDANCE, estimate_cost
from microtwin.study.impedance_stage import HALF_CELL_IMPEDANCE_UNITS, IMPEDANCE_UNITS
from microtwin.study.planning import plan
from microtwin.study.reading import parse_study, read_study
from microtwin.transport.impedance_verification import plates
from study.test_half_cell_studies import ELECTROLYTE, MATERIAL

SLITS = """\
name: slits
image:
  path: labels.npy
  voxel_size: [1 um, 1 um, 0.25 um]
  phases: {pore: 0, solid: 1}
descriptors: false
uncertainty: {sampling: false}
impedance:
  conductivity: 0.5
  capacitance: 0.1
"""
HALF_CELL = """\
name: at rest
image:
  path: labels.npy
  voxel_size: 400 nm
  phases: {pore: 0, active: 1, binder: 2}
descriptors: false
uncertainty: {sampling: false}
half_cell:
  chemistry: material.yaml
  electrolyte: electrolyte.yaml
  c_rates: []
  impedance:
    stoichiometries: [0.7, 0.3]
    frequencies: [1, 1.0e+4]
    per_decade: 1
"""
GUIDE = Path(__file__).parents[2] / "docs" / "howto" / "impedance.md"
# Of the slits: 48 um long, half of them pore, two walls in 2 um.
RESISTANCE = 48e-6 / (0.5 * 0.5)  # ohm m^2
CAPACITANCE = 0.1 * 48.0  # F/m^2


def invoke(*args):
    return CliRunner().invoke(app, [str(arg) for arg in args])


def prepare(folder, micro, text):
    np.save(folder / "labels.npy", micro.labels)
    (folder / "material.yaml").write_text(MATERIAL)
    (folder / "electrolyte.yaml").write_text(ELECTROLYTE)
    (folder / "study.yaml").write_text(text)
    return folder / "study.yaml"


def run_and_export(folder, micro, text):
    study = prepare(folder, micro, text)
    result = invoke("run", study, "--into", folder / "run")
    assert result.exit_code == 0, result.output
    exported = invoke("export", study, "--into", folder / "run", "--to", folder / "x")
    assert exported.exit_code == 0, exported.output
    return result.output


def quantities(folder):
    found = json.loads((folder / "run" / "results.json").read_text())["quantities"]
    return {(q["name"], q["condition"]): q for q in found}


def table(path):
    with path.open() as file:
        return [{k: float(v) for k, v in row.items()} for row in csv.DictReader(file)]


@pytest.fixture(scope="module")
def slits(tmp_path_factory):
    folder = tmp_path_factory.mktemp("slits")
    return folder, run_and_export(folder, plates(), SLITS)


@pytest.fixture(scope="module")
def at_rest(tmp_path_factory):
    folder = tmp_path_factory.mktemp("at-rest")
    micro = mt.generation.electrode(24, 4e-7, porosity=0.45, binder_fraction=0.08, seed=3).micro
    return folder, micro, run_and_export(folder, micro, HALF_CELL)


def test_straight_slits_have_their_resistance(slits):
    folder, output = slits
    found = quantities(folder)
    for name, unit in IMPEDANCE_UNITS.items():
        quantity = found[name, None]
        assert (quantity["unit"], quantity["phase"], quantity["direction"]) == (unit, "pore", "z")
        assert quantity["uncertainty"]["discretisation"] is not None
    values = {name: found[name, None]["value"] for name in IMPEDANCE_UNITS}
    assert values["ionic_resistance"] == pytest.approx(RESISTANCE, rel=1e-3)
    assert values["impedance_tortuosity_factor"] == pytest.approx(1.0, rel=1e-3)
    assert values["tortuosity_factor"] == pytest.approx(1.0, rel=1e-4)
    assert values["areal_capacitance"] == pytest.approx(CAPACITANCE, rel=1e-3)
    assert values["fitted_ionic_resistance"] == pytest.approx(RESISTANCE, rel=0.01)
    middle = 1.0 / (2.0 * np.pi * RESISTANCE * CAPACITANCE)
    assert values["characteristic_frequency"] == pytest.approx(middle, rel=2e-3)
    assert "ionic resistance" in output
    assert "impedance tortuosity factor" in output


def test_the_spectrum_is_exported(slits):
    folder, _ = slits
    rows = table(folder / "x" / "study-impedance.csv")
    f = np.array([row["Frequency / Hz"] for row in rows])
    z = np.array([complex(row["Z_re / ohm.m2"], row["Z_im / ohm.m2"]) for row in rows])
    assert len(rows) == 21
    assert (np.diff(f) < 0.0).all()
    exact = mt.transport.transmission_line(f, RESISTANCE, CAPACITANCE)
    np.testing.assert_allclose(z, exact, rtol=0.01)
    np.testing.assert_allclose([row["|Z| / ohm.m2"] for row in rows], np.abs(z), rtol=1e-6)
    np.testing.assert_allclose(
        [row["Phase / deg"] for row in rows], np.angle(z, deg=True), rtol=1e-6
    )
    content = json.loads((folder / "x" / "study-impedance.json").read_text())
    assert content["conductivity"] == {"value": 0.5, "unit": "S/m"}
    assert content["ionic_resistance"]["value"] == pytest.approx(RESISTANCE, rel=1e-3)


def test_the_report_shows_the_symmetric_cell(slits):
    report = (slits[0] / "run" / "report.html").read_text(encoding="utf-8")
    assert "Impedance of a symmetric cell" in report
    assert "Impedance of the symmetric cell in the complex plane" in report
    assert "agree within a per cent" in report
    assert "Impedance against lithium" not in report


def test_a_second_run_computes_nothing(slits, monkeypatch):
    folder, _ = slits

    def refuse(*_args, **_more):
        raise AssertionError("computed again")

    monkeypatch.setattr(mt.transport, "blocking_impedance", refuse)
    before = (folder / "run" / "results.json").read_text()
    assert invoke("run", folder / "study.yaml", "--into", folder / "run").exit_code == 0
    assert (folder / "run" / "results.json").read_text() == before
    (folder / "other.yaml").write_text(SLITS.replace("0.5\n", "0.6\n"))
    again = invoke("run", folder / "other.yaml", "--into", folder / "run")
    assert "computed again" in f"{again.output} {again.exception}"


def test_the_interface_is_that_of_the_transport_section(tmp_path):
    text = SLITS + "transport: {phases: [pore], directions: [z], interface: voxel}\n"
    micro = mt.generation.gaussian_field(16, 2.0, 0.5, seed=1)
    text = text.replace("[1 um, 1 um, 0.25 um]", "1 um").replace(
        "  capacitance", "  frequencies: [1.0e+6, 1.0e+7]\n  capacitance"
    )
    run_and_export(tmp_path, micro, text)
    found = json.loads((tmp_path / "run" / "results.json").read_text())["quantities"]
    sources = [q["source"] for q in found if q["name"] == "tortuosity_factor"]
    assert len(sources) == 1
    assert sources[0].startswith("transport/")
    values = quantities(tmp_path)
    staircase = mt.transport.blocking_impedance(
        micro, conductivity=0.5, frequencies=[1.0], interface="voxel"
    )
    value = values["areal_capacitance", None]["value"]
    assert value == pytest.approx(staircase.capacitance, rel=1e-9)
    # Nothing is fitted to frequencies that are all far above the characteristic one.
    assert values["fitted_ionic_resistance", None]["value"] is None
    assert "on one side" in values["fitted_ionic_resistance", None]["text"]
    assert len(table(tmp_path / "x" / "study-impedance.csv")) == 6
    report = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "than that of steady diffusion" in report


def test_dead_ends_have_an_impedance_and_no_steady_current(tmp_path):
    labels = np.ones((24, 8, 8), np.uint8)
    labels[8:, 2:6, 2:6] = 0
    micro = mt.Microstructure(labels, 1e-6, {"pore": 0, "solid": 1})
    run_and_export(tmp_path, micro, SLITS.replace("[1 um, 1 um, 0.25 um]", "1 um"))
    found = quantities(tmp_path)
    assert found["tortuosity_factor", None]["value"] is None
    assert found["ionic_resistance", None]["value"] > 0.0
    report = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "steady diffusion is impossible" in report


def test_pores_that_larger_voxels_close_have_no_estimate(tmp_path):
    labels = np.ones((16, 8, 8), np.uint8)
    labels[:, 2::4, 2::4] = 0
    micro = mt.Microstructure(labels, 1e-6, {"pore": 0, "solid": 1})
    run_and_export(tmp_path, micro, SLITS.replace("[1 um, 1 um, 0.25 um]", "1 um"))
    found = quantities(tmp_path)["ionic_resistance", None]
    assert found["value"] > 0.0
    assert found["uncertainty"]["discretisation"] is None
    report = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "No error of the discretisation can be told: on voxels twice as large" in report


def test_half_cells_at_rest_are_those_of_the_function(at_rest):
    folder, micro, output = at_rest
    found = quantities(folder)
    ec = mt.electrochemistry
    material = ec.read_material(folder / "material.yaml")
    electrolyte = ec.read_electrolyte(folder / "electrolyte.yaml")
    for x in (0.3, 0.7):
        cell = ec.half_cell(micro, material, electrolyte, stoichiometry=x)
        rows = table(folder / "x" / f"study-half_cell_impedance-{x}.csv")
        f = [row["Frequency / Hz"] for row in rows]
        np.testing.assert_allclose(f, [1e4, 1e3, 1e2, 10.0, 1.0])
        expected = ec.half_cell_impedance(cell, f).impedance
        np.testing.assert_allclose([row["Z_re / ohm.m2"] for row in rows], expected.real, rtol=1e-4)
        np.testing.assert_allclose([row["Z_im / ohm.m2"] for row in rows], expected.imag, rtol=1e-4)
        for name, unit in HALF_CELL_IMPEDANCE_UNITS.items():
            quantity = found[name, f"stoichiometry {x}"]
            assert quantity["unit"] == unit
            assert quantity["uncertainty"]["discretisation"] is not None
        value = found["cell_resistance", f"stoichiometry {x}"]["value"]
        assert value == pytest.approx(expected[1].real, rel=1e-4)
        # All facets have the same kinetics: R T / (F j_0), and their area over the cross-section.
        j0 = float(np.squeeze(material.exchange_current_density(1000.0, 50e3 * x)))
        alone = 8.314462618 * 298.15 / 96485.33212 / j0 * cell.grid.cross_section / cell.area
        value = found["charge_transfer_resistance", f"stoichiometry {x}"]["value"]
        assert value == pytest.approx(alone, rel=1e-3)
        content = json.loads((folder / "x" / f"study-half_cell_impedance-{x}.json").read_text())
        assert content["open_circuit_voltage"]["value"] == pytest.approx(4.0 - x, abs=1e-3)
    assert "charge transfer resistance" in output


def test_the_report_shows_the_half_cell(at_rest):
    report = (at_rest[0] / "run" / "report.html").read_text(encoding="utf-8")
    assert "Impedance against lithium" in report
    assert "Impedance of the half cell in the complex plane" in report
    assert "Discharge against lithium" not in report


def test_without_stoichiometries_the_start_of_the_discharge_counts(tmp_path, at_rest):
    text = HALF_CELL.replace("    stoichiometries: [0.7, 0.3]\n", "")
    text = text.replace("[1, 1.0e+4]", "[2.0e+4, 3.0e+4]").replace(
        "sampling: false", "sampling: false, discretisation: false"
    )
    run_and_export(tmp_path, at_rest[1], text)
    # 1 kHz is found although it lies outside, and stays out of the spectrum.
    quantity = quantities(tmp_path)["cell_resistance", "stoichiometry 0.1"]
    assert quantity["uncertainty"]["discretisation"] is None
    rows = table(tmp_path / "x" / "study-half_cell_impedance-start.csv")
    assert [row["Frequency / Hz"] for row in rows] == pytest.approx([3e4, 2.4495e4, 2e4], rel=1e-3)
    assert quantity["value"] > rows[-1]["Z_re / ohm.m2"]


def test_discharges_do_not_depend_on_the_impedance(tmp_path, at_rest):
    text = HALF_CELL.replace("c_rates: []", "c_rates: [1]")
    with_it = plan(read_study(prepare(tmp_path, at_rest[1], text)))
    without = plan(read_study(prepare(tmp_path, at_rest[1], text.split("  impedance:")[0])))
    keys = {task.stage: task.key for task in with_it}
    assert keys["half_cell/1C"] == {task.stage: task.key for task in without}["half_cell/1C"]
    frames = plan(
        read_study(prepare(tmp_path, at_rest[1], text.replace("[1]", "[1]\n  frames: 9")))
    )
    other = {task.stage: task.key for task in frames}
    assert other["half_cell_impedance/0.3"] == keys["half_cell_impedance/0.3"]
    assert other["half_cell/1C"] != keys["half_cell/1C"]


def test_the_cost_counts_frequencies(tmp_path, at_rest):
    def cost(text):
        return estimate_cost(read_study(prepare(tmp_path, at_rest[1], text)))

    plain = cost(SLITS.split("impedance:")[0] + "transport: {phases: [pore]}\n")
    charged, resting = cost(SLITS), cost(HALF_CELL)
    assert plain.memory_bytes < charged.memory_bytes < resting.memory_bytes
    assert (resting.memory_bytes - 400e6) / 24**3 == pytest.approx(2700)
    more = cost(HALF_CELL.replace("per_decade: 1", "per_decade: 2"))
    # 9 frequencies in the place of 5, at two stoichiometries.
    expected = 8e-9 * NS_PER_VOXEL_HALF_CELL_IMPEDANCE * 24**3
    assert more.seconds - resting.seconds == pytest.approx(expected)


def test_the_study_of_the_guide_runs(tmp_path, at_rest):
    pytest.importorskip("pybamm")
    shown = GUIDE.read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0]
    small = at_rest[1].crop(z=slice(0, 12), y=slice(0, 12), x=slice(0, 12))
    run_and_export(tmp_path, small, HALF_CELL.split("half_cell:")[0] + shown)
    found = quantities(tmp_path)
    for name in ("fitted_ionic_resistance", "areal_capacitance"):
        assert found[name, None]["value"] > 0.0
    for x in (0.4, 0.6, 0.8):
        assert found["cell_resistance", f"stoichiometry {x}"]["value"] > 0.0
    rows = table(tmp_path / "x" / "study-half_cell_impedance-0.4.csv")
    assert rows[0]["Frequency / Hz"] == 1e5
    assert rows[-1]["Frequency / Hz"] == 1e-3


@pytest.mark.parametrize(
    ("text", "old", "new", "words"),
    [
        (SLITS, "capacitance: 0.1", "phase: void", "phase 'void' is not in image.phases"),
        (SLITS, "capacitance: 0.1", "capacitance: -0.1", "greater than 0, not -0.1"),
        (SLITS, "conductivity: 0.5", "conductivity: 0", "greater than 0, not 0"),
        (SLITS, "capacitance: 0.1", "solids: [pore]", "holds the electrolyte; name the solids"),
        (SLITS, "capacitance: 0.1", "solids: [solid, solid]", "twice"),
        (SLITS, "capacitance: 0.1", "solids: [iron]", "phase 'iron' is not in image.phases"),
        (SLITS, "capacitance: 0.1", "frequencies: [10, 10]", "[10, 10] is not a range of freq"),
        (SLITS, "capacitance: 0.1", "frequencies: [0, 10]", "write the lowest and the highest"),
        (SLITS, "capacitance: 0.1", "frequencies: 10", "10 is not a range of frequencies"),
        (SLITS, "capacitance: 0.1", "direction: w", "use z or y or x"),
        (SLITS, "pore: 0, solid: 1", "pore: 0", "'pore' is the only phase"),
        (HALF_CELL, "[1, 1.0e+4]", "[1, 1.0e+7]", "give frequencies from 1e-06 to 1e+06 Hz"),
        (HALF_CELL, "[1, 1.0e+4]", "[1.0e+4, 1]", "is not a range of frequencies"),
        (HALF_CELL, "[0.7, 0.3]", "[0.7, 0.7]", "twice"),
        (HALF_CELL, "[0.7, 0.3]", "[1.2]", "less than 1, not 1.2"),
        (HALF_CELL, "per_decade: 1", "per_decade: 0", "greater than or equal to 1, not 0"),
        (
            HALF_CELL,
            "per_decade: 1",
            "double_layer_capacitance: -1",
            "greater than or equal to 0, not -1",
        ),
        (HALF_CELL, "per_decade: 1", "steps: 1", "'steps' is not known here"),
        (HALF_CELL.split("  impedance:")[0], "c_rates: []", "c_rates: [ ]", "nothing to compute"),
    ],
)
def test_what_does_not_fit_is_said(text, old, new, words):
    with pytest.raises(StudyError) as caught:
        parse_study(text.replace(old, new), "study.yaml")
    assert words in str(caught.value)


def test_a_phase_that_does_not_reach_the_separator_is_said(tmp_path):
    labels = np.ones((12, 8, 8), np.uint8)
    labels[:6, 2:6, 2:6] = 0
    micro = mt.Microstructure(labels, 1e-6, {"pore": 0, "solid": 1})
    study = prepare(tmp_path, micro, SLITS)
    result = invoke("run", study, "--into", tmp_path / "run")
    assert "no 'pore' is connected to the separator" in str(result.exception)
