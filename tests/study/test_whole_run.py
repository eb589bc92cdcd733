"""A whole study with solves, error budgets, report and fields, against direct calls."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import jsonschema
import numpy as np
import pytest

import microtwin as mt
from microtwin.study import Outcome, run_study
from microtwin.study.reading import read_study
from microtwin.study.reporting import export_fields
from microtwin.study.results import SCHEMA_FILE, Quantity
from microtwin.study.runner import finished_entries
from microtwin.study.stages import microstructure_of


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Outcome]:
    from microtwin.study.demo import demo_text

    path = tmp_path_factory.mktemp("whole") / "study.yaml"
    text = demo_text().replace("[100, 100, 100]", "[32, 36, 40]").replace('"5 um"', '"3 um"')
    path.write_text(text.replace("[z, y, x]", "[z, y]"), encoding="utf-8")
    return path, run_study(path)


def find(outcome: Outcome, name: str, direction: str) -> Quantity:
    (found,) = (
        q for q in outcome.results.quantities if q.name == name and q.direction == direction
    )
    return found


def test_results_follow_the_published_schema(finished: tuple[Path, Outcome]) -> None:
    _, outcome = finished
    schema = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    jsonschema.validate(json.loads(outcome.results_file.read_text(encoding="utf-8")), schema)


def test_values_are_those_of_direct_calls(finished: tuple[Path, Outcome]) -> None:
    path, outcome = finished
    entries = finished_entries(read_study(path), outcome.folder)
    micro = microstructure_of(entries["microstructure"])
    assert micro.shape == (32, 36, 40) and micro.phase_names == ("pore", "active", "binder")
    direct = mt.transport.tortuosity_factor(micro, "pore", direction="y")
    tau = find(outcome, "tortuosity_factor", "y")
    # The same code on the same bits: nothing may be lost between the solver and the file.
    assert tau.value == direct.tortuosity_factor
    assert find(outcome, "relative_diffusivity", "y").value == direct.relative_diffusivity
    tensor = mt.transport.homogenize(micro, {"pore": 1.0, "binder": 0.05}).tensor
    assert find(outcome, "effective_conductivity", "zz").value == tensor[0, 0]
    assert find(outcome, "effective_conductivity", "xy").value == tensor[1, 2]
    assert find(outcome, "effective_conductivity", "zz").unit == "S/m"


def test_every_transport_number_has_its_error_budget(finished: tuple[Path, Outcome]) -> None:
    _, outcome = finished
    for name in ("tortuosity_factor", "relative_diffusivity"):
        for direction in ("z", "y"):
            quantity = find(outcome, name, direction)
            terms = quantity.uncertainty
            assert terms.discretisation is not None and terms.sampling is not None
            assert terms.total == pytest.approx(np.hypot(terms.discretisation, terms.sampling))
            assert quantity.value is not None and 0 < terms.total < quantity.value
            named = {check.name: check.verdict for check in quantity.checks}
            assert named["flux_spread"] == "pass"
            assert named["tortuosity_factor_at_least_1"] == "pass"
            assert {"relative_uncertainty", "staircase_agrees", "enough_samples"} <= set(named)


def test_discretisation_is_the_change_on_coarser_voxels(finished: tuple[Path, Outcome]) -> None:
    path, outcome = finished
    entries = finished_entries(read_study(path), outcome.folder)
    numbers = entries["discretisation/pore-z"].numbers
    fine, coarse, coarsest = numbers["smooth"]
    assert fine == find(outcome, "relative_diffusivity", "z").value
    # The second term guards against two grids that agree by chance.
    expected = max(abs(fine - coarse), abs(coarse - coarsest) / 4)
    assert find(outcome, "relative_diffusivity", "z").uncertainty.discretisation == expected
    staircase = numbers["staircase"]
    assert numbers["richardson"] == pytest.approx(2 * staircase[0] - staircase[1], rel=1e-12)
    assert staircase[0] < fine  # the staircase closes pores


def test_sources_lead_to_records(finished: tuple[Path, Outcome]) -> None:
    _, outcome = finished
    for quantity in outcome.results.quantities:
        record = json.loads((outcome.folder / quantity.source / "record.json").read_text())
        assert f"{record['stage']}/{record['key']}" == quantity.source


def test_the_report_is_one_file_with_the_numbers(finished: tuple[Path, Outcome]) -> None:
    path, outcome = finished
    assert outcome.report is not None
    page = outcome.report.read_text(encoding="utf-8")
    assert page.lstrip().lower().startswith("<!doctype html>")
    assert "demo electrode" in page
    outcome.report.unlink()
    again = run_study(path)  # the report alone is written again
    assert again.computed == 0 and again.report is not None and again.report.is_file()


def test_fields_are_exported_for_paraview(finished: tuple[Path, Outcome], tmp_path: Path) -> None:
    path, outcome = finished
    entries = finished_entries(read_study(path), outcome.folder)
    written = export_fields(entries, tmp_path / "out", "study")
    assert [p.name for p in written] == ["study-pore-z.vtkhdf", "study-pore-y.vtkhdf"]
    with h5py.File(written[0]) as file:
        cells = file["VTKHDF/CellData"]
        assert set(cells) == {"labels", "potential", "flux", "dissipation"}
        potential = cells["potential"][...]
        assert potential.shape == (32, 36, 40)
        # From 1 at the low face to 0 at the high face; the maximum principle holds between.
        assert 0.0 < np.nanmin(potential) < np.nanmax(potential) < 1.0
        assert np.nanmean(potential[0]) > 0.9 and np.nanmean(potential[-1]) < 0.1


def test_a_phase_that_does_not_percolate_is_a_result(tmp_path: Path) -> None:
    labels = np.zeros((24, 24, 24), np.uint8)
    labels[10:14] = 1
    micro = mt.Microstructure(labels, 1e-6, {"pore": 0, "wall": 1})
    mt.write_microstructure(micro, tmp_path / "wall.h5")
    path = tmp_path / "study.yaml"
    path.write_text(
        "name: a wall across z\n"
        "image: {path: wall.h5, voxel_size: 1 um, phases: {pore: 0, wall: 1}}\n"
        "transport: {phases: [pore, wall], directions: [z, x]}\n"
    )
    outcome = run_study(path)
    for quantity in outcome.results.quantities:
        if quantity.phase != "pore" or quantity.direction is None:
            continue
        if quantity.name == "tortuosity_factor" and quantity.direction == "z":
            assert quantity.value is None and "does not percolate along z" in str(quantity.text)
        if quantity.name == "relative_diffusivity" and quantity.direction == "z":
            assert quantity.value == 0.0
        if quantity.name == "tortuosity_factor" and quantity.direction == "x":
            assert quantity.value == pytest.approx(1.0, abs=2e-4)  # straight, to the tolerance
    assert outcome.results.verdict == "warn"
    assert outcome.report is not None
