"""Studies that put the imaged electrode into a cell model."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

import microtwin as mt
from microtwin.cli.app import app
from microtwin.study.errors import StudyError
from microtwin.study.reading import parse_study

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
    assert found["porosity"]["value"] == pytest.approx(expected.porosity.value)
    assert found["liquid_transport_efficiency"]["uncertainty"] > 0.0
    assert all(part["source"] for part in found.values() if isinstance(part, dict))
    again = mt.upscaling.ElectrodeParameters.from_dict(found)
    assert again.specific_surface.value == pytest.approx(expected.specific_surface.value)


def test_pybamm_reads_its_parameter_set(ran):
    import pybamm

    folder, micro = ran
    path = folder / "x" / "study-pybamm.json"
    values = pybamm.ParameterValues.from_json(str(path))
    assert values["Positive electrode thickness [m]"] == pytest.approx(60e-6)
    expected = mt.upscaling.measure_electrode(micro, discretisation=False).porosity.value
    assert values["Positive electrode porosity"] == pytest.approx(expected)


def test_the_report_shows_parameters_and_rates(ran):
    folder, _ = ran
    report = (folder / "run" / "report.html").read_text(encoding="utf-8")
    assert "Parameters of a cell model" in report
    assert "Transport efficiency of the electrolyte" in report
    assert "these two bracket the truth" in report
    store = next((folder / "run" / "cell").glob("*/rates.npy"))
    rates, free, lower, upper, guess, spheres = np.load(store)
    np.testing.assert_allclose(rates, [0.2, 3.0])
    assert free[0] > free[1] > 0.0
    np.testing.assert_allclose(upper, lower, rtol=0.01)  # so thin a salt gradient costs little
    assert np.all((lower > 0.0) & (upper > 0.0))
    assert np.isfinite(guess).all()
    # Spheres whose whole surface is the free one are larger, so lithium stays outside.
    assert np.all(spheres < free)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("SPMe", "P2D", "use DFN or SPMe or SPM"),
        ("[0.2, 3]", "[1, 1]", "twice"),
        ("model: SPMe", "active: zinc", "phase 'zinc' is not in image.phases"),
        ("model: SPMe", "pore: active", "'active' is active as well"),
        ("60 um", "60 kg", "no length"),
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
    assert "BPX" in f"{result.output} {result.exception}"
