"""Studies of flow and what it carries, from the file to the report."""

from __future__ import annotations

import csv

import h5py
import pytest
from typer.testing import CliRunner

import microtwin as mt
from microtwin.cli.app import app
from microtwin.study.errors import StudyError
from microtwin.study.reading import parse_study
from studies import run_study

STUDY = """\
name: flow
image: {path: labels.npy, voxel_size: 2 um, phases: {pore: 0, grain: 1}}
descriptors: false
uncertainty: {sampling: false}
output: {fields: true}
flow:
  phase: pore
  boundary: periodic
  dispersion: {peclet: [0, 10]}
  breakthrough: {diffusivity: 1e-9 m^2/s, velocity: 2 m/day, retardation: 1.5, pore_volumes: 4}
  filling: {viscosity: 1 mPa s, surface_tension: 72 mN/m, contact_angle: 30, length: 1 mm}
"""


@pytest.fixture(scope="module")
def micro():
    found = mt.generation.gaussian_field(20, 2.5, 0.5, seed=3, voxel_size=2e-6)
    return mt.Microstructure(found.labels, 2e-6, {"pore": 0, "grain": 1})


def run(folder, labels, text):
    return run_study(folder, labels, text, lambda q: (q["name"], q["direction"], q["condition"]))


def test_the_numbers_are_those_of_the_functions(tmp_path, micro):
    found, report, output = run(tmp_path, micro.labels, STUDY)
    flow = mt.transport.permeability(micro, "pore")
    k = found["permeability", "z", None]
    assert k["value"] == pytest.approx(flow.permeability, rel=1e-6, abs=0.0) and k["unit"] == "m^2"
    assert k["uncertainty"]["discretisation"] > 0.0
    d = mt.transport.dispersion(micro, flow, [0.0, 10.0])
    for n, peclet in enumerate(("Pe 0", "Pe 10")):
        along = found["longitudinal_dispersion", "z", peclet]["value"]
        assert along == pytest.approx(d.longitudinal[n], rel=1e-5)
    b = mt.transport.breakthrough(
        micro, flow, 1e-9, 2.0 / 86400.0, retardation=1.5, pore_volumes=4.0
    )
    apparent = found["apparent_dispersion", "z", None]["value"]
    assert apparent == pytest.approx(b.fit.dispersion, rel=1e-3, abs=0.0)
    filling = mt.transport.filling_time(
        micro, flow, viscosity=1e-3, surface_tension=0.072, contact_angle=30.0, length=1e-3
    )
    assert found["filling_time", "z", None]["value"] == pytest.approx(filling.seconds)
    checks = {check["name"] for check in k["checks"]}
    assert {"flux_spread", "mass_balance", "numerical_dispersion"} <= checks
    assert (
        'id="flow"' in report
        and "in darcy" in report
        and "The column with the same curve" in report
    )
    assert "permeability" in output
    out = tmp_path / "out"
    args = [
        "export",
        str(tmp_path / "study.yaml"),
        "--into",
        str(tmp_path / "run"),
        "--to",
        str(out),
    ]
    assert CliRunner().invoke(app, args).exit_code == 0
    with h5py.File(out / "study-flow-pore-z.vtkhdf") as file:
        cells = file["VTKHDF/CellData"]
        assert {"velocity", "pressure"} <= set(cells)
    with (out / "study-flow-pore-z.csv").open(encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert float(rows[-1][2]) == pytest.approx(b.concentration[-1], abs=1e-6)


def test_all_directions_and_a_pulse_that_decays(tmp_path, micro):
    text = STUDY.split("  dispersion:")[0].replace("periodic", "faces")
    text += "  directions: [z, x]\n"
    tracer = "diffusivity: 1e-9 m^2/s, velocity: 1e-5 m/s, pulse: 1 s, decay: 0.1 1/s"
    text += f"  breakthrough: {{{tracer}}}\n"
    found, report, _ = run(tmp_path, micro.labels, text)
    assert {d for name, d, _ in found if name == "permeability"} == {"z", "x"}
    assert not any(name == "apparent_dispersion" for name, _, _ in found)
    assert "a pulse of" in report


def test_what_does_not_percolate_is_said(tmp_path, micro):
    labels = micro.labels.copy()
    labels[9:11] = 1
    text = STUDY.replace("periodic", "faces")
    found, report, _ = run(tmp_path, labels, text)
    k = found["permeability", "z", None]
    assert k["value"] == 0.0 and k["checks"][0]["verdict"] == "warn"
    assert "does not percolate along z" in report
    assert len([name for name, _, _ in found if "dispersion" in name]) == 0


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("phase: pore", "phase: void", "phase 'void' is not in image.phases"),
        ("[0, 10]", "[10, 0]", "must ascend"),
        ("[0, 10]", "[-1]", "greater than or equal to 0"),
        ("retardation: 1.5", "retardation: 0.5", "retardation 0.5 is not allowed"),
        ("velocity: 2 m/day", "velocity: 2 m", "has a unit that is no velocity"),
        ("velocity: 2 m/day", "velocity: 0 m/day", "give more than 0"),
        ("1e-9 m^2/s, vel", "1e-9, velo: 1, vel", "velo"),
        ("contact_angle: 30", "contact_angle: 200", "180"),
        ("boundary: periodic", "boundary: periodic\n  tol: 0.01", "too loose for tracers"),
        ("boundary: periodic", "boundary: periodic\n  directions: [z, z]", "z"),
    ],
)
def test_problems_are_said_before_anything_runs(old, new, words):
    assert old in STUDY
    with pytest.raises(StudyError) as caught:
        parse_study(STUDY.replace(old, new))
    assert words in str(caught.value)
