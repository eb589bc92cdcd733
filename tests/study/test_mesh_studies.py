"""Studies with a mesh, from the file to the report."""

from __future__ import annotations

import importlib.util
import json

import numpy as np
import pytest
from typer.testing import CliRunner

from microtwin.cli.app import app
from microtwin.study.planning import plan
from microtwin.study.reading import read_study
from microtwin.study.schema import Study

STUDY = """\
name: meshed
generate:
  kind: gaussian
  shape: [24, 20, 20]
  voxel_size: 400 nm
  fractions: {pore: 0.5, solid: 0.5}
  correlation_length: 1.6 um
transport:
  phases: [pore]
  directions: [z]
mesh:
  size: 2.0
  formats: [vtu, vtkhdf]
descriptors: [surface]
uncertainty: {sampling: false}
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    pytest.importorskip("ngsolve")
    folder = tmp_path_factory.mktemp("meshed")
    (folder / "study.yaml").write_text(STUDY)
    result = CliRunner().invoke(
        app, ["run", str(folder / "study.yaml"), "--into", str(folder / "run")]
    )
    assert result.exit_code == 0, result.output
    return folder


def quantities(run):
    found = json.loads((run / "run" / "results.json").read_text())["quantities"]
    return {(q["name"], q["phase"]): q for q in found}


def test_results_hold_the_mesh_and_transport_on_it(run):
    found = quantities(run)
    cells = found["mesh_cells", None]
    assert cells["value"] > 1000
    angle = found["smallest_dihedral_angle", None]
    assert angle["value"] > 10
    assert all("angle" in check["name"] for check in angle["checks"])
    names = {check["name"] for check in cells["checks"]}
    assert {"inverted_tetrahedra", "unmatched_faces", "connected_as_in_the_image"} <= names
    on_mesh = found["mesh_relative_diffusivity", "pore"]
    on_voxels = found["relative_diffusivity", "pore"]
    assert on_mesh["value"] == pytest.approx(on_voxels["value"], rel=0.05)


def test_the_difference_joins_the_error_budget(run):
    found = quantities(run)
    on_mesh, on_voxels = (
        found["mesh_relative_diffusivity", "pore"]["value"],
        found["relative_diffusivity", "pore"],
    )
    gap = abs(on_mesh - on_voxels["value"])
    assert on_voxels["uncertainty"]["discretisation"] >= gap * (1 - 1e-9)
    tau = found["tortuosity_factor", "pore"]
    share = tau["uncertainty"]["discretisation"] / tau["value"]
    assert share >= gap / on_voxels["value"] * (1 - 1e-9)


def test_the_report_shows_the_mesh(run):
    report = (run / "run" / "report.html").read_text(encoding="utf-8")
    assert 'id="mesh"' in report
    for words in ("What the mesh must fulfil", "The worst places", "coarser mesh"):
        assert words in report


def test_files_are_exported(run):
    result = CliRunner().invoke(
        app,
        ["export", str(run / "study.yaml"), "--into", str(run / "run"), "--to", str(run / "out")],
    )
    assert result.exit_code == 0, result.output
    assert (run / "out" / "study-mesh.vtu").stat().st_size > 10_000
    assert (run / "out" / "study-mesh.vtkhdf").exists()


def test_a_stored_mesh_is_the_mesh(run):
    from microtwin.study.mesh_stages import mesh_of
    from microtwin.study.runner import finished_entries
    from microtwin.study.stages import microstructure_of

    entries = finished_entries(read_study(run / "study.yaml"), run / "run")
    mesh = mesh_of(entries["mesh"], microstructure_of(entries["microstructure"]))
    assert mesh.quality().cells == entries["mesh"].numbers["cells"]
    assert np.prod(mesh.extent) == pytest.approx(mesh.volumes.sum())


def test_stages_follow_the_section(tmp_path):
    path = tmp_path / "study.yaml"
    path.write_text(STUDY.replace("size: 2.0", "size: 2.0\n  cross_verification: false"))
    stages = [task.stage for task in plan(read_study(path))]
    assert "mesh" in stages
    assert not any(stage.startswith("cross_verification") for stage in stages)


def study(**mesh):
    generate = {
        "kind": "gaussian",
        "shape": 16,
        "voxel_size": 1e-6,
        "fractions": {"pore": 0.5, "solid": 0.5},
        "correlation_length": 2e-6,
    }
    transport = {"phases": ["pore"]}
    return Study(name="s", generate=generate, transport=transport, mesh=mesh)


def test_problems_of_the_section(monkeypatch):
    words = [problem.message for problem in study(size=3.0, coarsest=2.0).problems()]
    assert any("at least size (3)" in word for word in words)
    words = [problem.message for problem in study(formats=["vtu", "vtu"]).problems()]
    assert any("written twice" in word for word in words)
    found = importlib.util.find_spec
    monkeypatch.setattr(
        "microtwin.study.schema.find_spec", lambda name: None if name == "pyamg" else found(name)
    )
    words = [problem.message for problem in study().problems()]
    assert any("pip install 'microtwin[mesh]'" in word for word in words)
    assert study(cross_verification=False).problems() == []


def test_an_image_of_few_elements_is_compared_with_a_finer_mesh(tmp_path):
    pytest.importorskip("ngsolve")
    path = tmp_path / "study.yaml"
    text = STUDY.replace("[24, 20, 20]", "[14, 12, 12]").replace("size: 2.0", "size: 5.0")
    path.write_text(text)
    run = ["run", str(path), "--into", str(tmp_path / "run")]
    result = CliRunner().invoke(app, run)
    assert "mesh_relative_diffusivity" in (tmp_path / "run" / "results.json").read_text(), result
