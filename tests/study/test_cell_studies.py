"""Studies that put the imaged electrode into a cell model."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

import microtwin as mt
from microtwin.cli.app import app
from microtwin.study.errors import StudyError
from microtwin.study.reading import parse_study
from upscaling.electrodes import TEMPLATE

pytest.importorskip("pybamm")

STUDY = """\
name: cell
image:
  path: labels.npy
  voxel_size: 400 nm
  phases: {pore: 0, active: 1, binder: 2}
descriptors: false
uncertainty: {sampling: false}
cell:
  base: Chen2020
  c_rates: [0.2, 3]
  model: SPMe
  thickness: 60 um
"""


def invoke(*args):
    return CliRunner().invoke(app, [str(arg) for arg in args])


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cell")
    micro = mt.generation.electrode(24, 4e-7, porosity=0.4, binder_fraction=0.1, seed=3).micro
    np.save(folder / "labels.npy", micro.labels)
    (folder / "study.yaml").write_text(STUDY)
    result = invoke("run", folder / "study.yaml", "--into", folder / "run")
    assert result.exit_code == 0, result.output
    result = invoke("export", folder / "study.yaml", "--into", folder / "run", "--to", folder / "x")
    assert result.exit_code == 0, result.output
    return folder, micro


def test_parameters_carry_their_uncertainty_and_source(ran):
    folder, micro = ran
    found = json.loads((folder / "x" / "study-electrode.json").read_text())
    expected = mt.upscaling.measure_electrode(micro, thickness=60e-6)
    again = mt.upscaling.ElectrodeParameters.from_dict(found).quantities()
    assert set(again) == set(expected.quantities())
    for name, quantity in expected.quantities().items():
        assert again[name].source == quantity.source != ""
        assert again[name].value == pytest.approx(quantity.value)
        assert again[name].uncertainty == (
            None if quantity.uncertainty is None else pytest.approx(quantity.uncertainty)
        )


def test_pybamm_reads_its_parameter_set(ran):
    import pybamm

    folder, micro = ran
    path = folder / "x" / "study-pybamm.json"
    values = pybamm.ParameterValues.from_json(str(path))
    assert values["Positive electrode thickness [m]"] == pytest.approx(60e-6)
    expected = mt.upscaling.measure_electrode(micro, discretisation=False).porosity.value
    assert values["Positive electrode porosity"] == pytest.approx(expected)


def test_the_report_shows_parameters_and_rates(ran):
    folder, micro = ran
    report = (folder / "run" / "report.html").read_text(encoding="utf-8")
    assert "Parameters of a cell model" in report
    assert "Transport efficiency of the electrolyte" in report
    assert "the two curves bracket the influence of the covered area" in report
    assert "The shape and contacts of particles are in neither" in report
    store = next((folder / "run" / "cell").glob("*/rates.npy"))
    rates, free, lower, upper, guess, spheres = np.load(store)
    np.testing.assert_allclose(rates, [0.2, 3.0])
    found = mt.upscaling.measure_electrode(micro, thickness=60e-6)
    direct = mt.upscaling.rate_capability(found, "Chen2020", [0.2, 3.0], model="SPMe")
    stored = (free, lower, upper, guess)
    computed = (direct.capacities, direct.lower, direct.upper, direct.guess)
    for one, other in zip(stored, computed, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)
    assert free[0] > free[1]
    # Spheres whose whole surface is the free one are larger, so lithium stays outside.
    large = replace(found, particle_radius=mt.upscaling.Quantity(found.sauter_radius, "m"))
    covered = mt.upscaling.rate_capability(large, "Chen2020", [0.2, 3.0], model="SPMe")
    np.testing.assert_allclose(spheres, covered.capacities, rtol=1e-6)
    assert np.all(spheres < free)


@pytest.mark.parametrize(
    ("phases", "changes", "words"),
    [
        # Holes in one solid, and grains that do not touch: spheres far below where they percolate.
        ("{active: 0, pore: 1}", "", "a transport efficiency of 0"),
        ("{pore: 0, active: 1}", "  conductivities: {active: 1}\n", "solid conductivity is 0"),
    ],
)
def test_an_electrode_that_does_not_conduct_has_parameters_only(phases, changes, words, tmp_path):
    spheres = mt.generation.boolean_spheres(24, 4, 0.85, seed=1)
    np.save(tmp_path / "labels.npy", spheres.labels)
    (tmp_path / "cell.json").write_text(json.dumps(TEMPLATE))
    text = STUDY.replace("{pore: 0, active: 1, binder: 2}", phases) + changes
    (tmp_path / "study.yaml").write_text(text + "  template: cell.json\n")
    into = ("--into", tmp_path / "run")
    result = invoke("run", tmp_path / "study.yaml", *into)
    assert result.exit_code == 0, result.output
    assert (tmp_path / "run" / "results.json").exists()
    result = invoke("export", tmp_path / "study.yaml", *into, "--to", tmp_path / "x")
    assert result.exit_code == 0, result.output
    found = json.loads((tmp_path / "x" / "study-electrode.json").read_text())
    assert found["porosity"]["value"] == pytest.approx(
        spheres.volume_fraction("pore" if "pore: 0" in phases else "solid"), abs=0.02
    )
    assert not list((tmp_path / "x").glob("*pybamm*"))
    assert not list((tmp_path / "x").glob("*bpx*"))
    report = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "Reacting surface per volume" in report
    assert "There are no parameter sets of cell models and no capacities" in report
    assert words in report
    assert "rate-capability" not in report


def test_an_electrode_in_which_nothing_reacts_has_none(tmp_path):
    labels = mt.generation.boolean_spheres(24, 4, 0.85, seed=1).labels.copy()
    labels[-1] = 0  # every hole is closed
    np.save(tmp_path / "labels.npy", labels)
    text = STUDY.replace("{pore: 0, active: 1, binder: 2}", "{active: 0, pore: 1}")
    (tmp_path / "study.yaml").write_text(text)
    result = invoke("run", tmp_path / "study.yaml", "--into", tmp_path / "run")
    assert result.exit_code == 0, result.output
    report = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "The electrode has no parameters: no &#x27;pore&#x27; is connected" in report
    assert "Reacting surface per volume" not in report


def test_notes_say_which_curve_they_belong_to(ran):
    folder, _ = ran
    (folder / "fast.yaml").write_text(STUDY.replace("[0.2, 3]", "[1000]"))
    result = invoke("run", folder / "fast.yaml", "--into", folder / "fast")
    assert result.exit_code == 0, result.output
    (record,) = (folder / "fast" / "cell").glob("*/data.json")
    notes = json.loads(record.read_text())["notes"]
    image = [note for note in notes if note.startswith("With the parameters of the image: ")]
    spheres = [note for note in notes if note.startswith("With spheres of free surface: ")]
    # Measured, guessed, lower and upper; of the spheres only the measured exponent is discharged.
    assert [note.partition(": ")[2].partition(",")[0] for note in image] == [
        "measured", "guessed", "lower", "upper",
    ]  # fmt: skip
    assert [note.partition(": ")[2].partition(",")[0] for note in spheres] == ["measured"]
    assert len(image) + len(spheres) == len(notes) == len(set(notes))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("SPMe", "P2D", "use DFN or SPMe or SPM"),
        ("[0.2, 3]", "[1, 1]", "twice"),
        ("model: SPMe", "active: zinc", "phase 'zinc' is not in image.phases"),
        ("model: SPMe", "pore: active", "'active' is active as well"),
        ("60 um", "60 kg", "no length"),
        ("model: SPMe", "conductivities: {pore: 1}", "'pore' holds electrolyte"),
    ],
)
def test_what_does_not_fit_is_said(old, new, words):
    with pytest.raises(StudyError) as caught:
        parse_study(STUDY.replace(old, new), "study.yaml")
    assert words in str(caught.value)


def test_a_template_that_is_no_bpx_file_is_refused(ran):
    folder, _ = ran
    (folder / "wrong.json").write_text('{"colour": "red"}')
    text = STUDY.replace("model: SPMe", "template: wrong.json")
    (folder / "wrong.yaml").write_text(text)
    result = invoke("run", folder / "wrong.yaml", "--into", folder / "other")
    assert result.exit_code != 0
    assert "the template is no BPX: it needs a 'Header'" in f"{result.output} {result.exception}"
