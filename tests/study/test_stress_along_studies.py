"""Studies that follow a discharge with the stress, from the file to the report."""

from __future__ import annotations

import csv
import io
import json

import h5py
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import microtwin as mt
from microtwin.cli.app import app
from microtwin.degradation import LithiumStrain
from microtwin.meshing import BOX_FACES
from microtwin.study import estimate_cost, plan, read_study
from microtwin.study.errors import StudyError
from microtwin.study.mechanics_along_stage import ALONG_UNITS
from microtwin.study.reading import parse_study
from microtwin.study.stored_states import unpacked

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
conductivity: 10 mS/cm
diffusivity: 3e-10 m^2/s
transference_number: 0.3
lithium_exchange_current_density: 10 A/m^2
"""
STUDY = """\
name: breathing
image:
  path: labels.npy
  voxel_size: 400 nm
  phases: {pore: 0, active: 1, binder: 2}
descriptors: false
uncertainty: {sampling: false}
half_cell: {chemistry: material.yaml, electrolyte: electrolyte.yaml, c_rates: [1, 3], frames: 0}
mechanics:
  materials:
    active: {young: 100 GPa, poisson: 0.25}
    binder: {young: 2 GPa, poisson: 0.35}
  swelling: {active: 0.01, binder: 0.002}
  stiffness: false
  ligaments: 0
  strength:
    binder: {tensile: 60 MPa, compressive: 180 MPa}
  along: {c_rate: 3, states: 4, strain: strain.csv, reference: 0.9}
"""
STRAIN = "stoichiometry,strain\n0.05,-2 %\n0.3,-0.6 %\n1.0,0\n"
TABLE = LithiumStrain([0.05, 0.3, 1.0], [-0.02, -0.006, 0.0])
SOLIDS = {
    "active": mt.mechanics.isotropic(100e9, 0.25),
    "binder": mt.mechanics.isotropic(2e9, 0.35),
}
PLATES = {
    "faces": dict.fromkeys(BOX_FACES, "roller"),
    "mean_strain": [np.nan, 0.0, 0.0, np.nan, np.nan, np.nan],
}
LENGTH = 1.6e-6
START = 0.1  # at 3.9 V


@pytest.fixture(scope="module")
def micro():
    particles = mt.generation.ParticleType(2.4e-6)
    return mt.generation.electrode(
        16, 4e-7, porosity=0.4, binder_fraction=0.1, particles=particles, seed=3
    ).micro


def prepare(folder, micro, text):
    np.save(folder / "labels.npy", micro.labels)
    (folder / "material.yaml").write_text(MATERIAL)
    (folder / "electrolyte.yaml").write_text(ELECTROLYTE)
    (folder / "strain.csv").write_text(STRAIN)
    (folder / "study.yaml").write_text(text)
    return folder / "study.yaml"


def invoke(*args):
    return CliRunner().invoke(app, [str(arg) for arg in args])


@pytest.fixture(scope="module")
def ran(tmp_path_factory, micro):
    folder = tmp_path_factory.mktemp("breathing")
    study = prepare(folder, micro, STUDY)
    result = invoke("run", study, "--into", folder / "run")
    assert result.exit_code == 0, result.output
    quantities = json.loads((folder / "run" / "results.json").read_text())["quantities"]
    keys = ("name", "phase", "direction", "condition")
    result = invoke("export", study, "--into", folder / "run", "--to", folder / "x")
    assert result.exit_code == 0, result.output
    return folder, {tuple(q[key] for key in keys): q for q in quantities}


def stored(folder, stage, name):
    (path,) = (folder / "run" / stage).glob(f"*/{name}")
    return np.load(path) if name.endswith(".npy") else path


@pytest.fixture(scope="module")
def expected(ran, micro):
    """Single solutions for the lithium that the discharge kept."""
    states = [unpacked(x) for x in stored(ran[0], "half_cell/3C", "states.npy")]
    return states, [solved(micro, x, 1e-4) for x in states]


def solved(micro, x, tol):
    # Material that takes no part keeps the lithium of the start.
    strain = TABLE(np.nan_to_num(x, nan=START)) - TABLE(0.9)
    given = {"active": strain, "binder": 0.002}
    return mt.mechanics.solve_swelling(micro, SOLIDS, given, tol=tol, **PLATES)


def test_the_discharge_keeps_the_lithium_of_its_states(ran, micro):
    folder, _ = ran
    at = stored(folder, "half_cell/3C", "states_at.npy")
    curve = stored(folder, "half_cell/3C", "curve.npy")
    states = stored(folder, "half_cell/3C", "states.npy")
    assert states.shape == (4, *micro.shape)
    assert at[0] == 0 and at[-1] == curve.shape[1] - 1
    means = [np.nanmean(unpacked(x)) for x in states]
    # The mean over voxels is not that over the volume within a smooth surface, but near it.
    assert means == pytest.approx(curve[3, at], abs=0.02)
    assert not list((folder / "run" / "half_cell" / "1C").glob("*/states.npy"))


def test_the_numbers_are_the_largest_of_single_solutions(ran, micro, expected):
    _, found = ran
    idle = ~np.isfinite(expected[0][0][micro.mask("active")])
    assert 0.0 < idle.mean() < 0.1
    grown = [x.mean_strain[0] for x in expected[1]]
    value = found["largest_swelling_strain", None, "z", "3C"]["value"]
    assert value == pytest.approx(max(grown, key=abs), rel=1e-3)
    change = found["largest_thickness_change", None, "z", "3C"]["value"]
    assert change == pytest.approx(value * micro.extent[0])
    pull = found["largest_mean_stress", None, "yy", "3C"]["value"]
    assert pull == pytest.approx(max((x.mean_stress[1] for x in expected[1]), key=abs), rel=2e-3)
    high = [
        mt.mechanics.phase_distributions(micro, x.stress, ["binder"], length=LENGTH)["binder"]
        .percentiles[0.95]
        for x in expected[1]
    ]  # fmt: skip
    name = ("largest_von_mises_stress", "binder", None, "95th percentile, 3C")
    assert found[name]["value"] == pytest.approx(max(high), rel=5e-3)
    along = {of[0]: q["unit"] for of, q in found.items() if of[0].startswith("largest_")}
    assert along == {
        name: unit
        for name, unit in ALONG_UNITS.items()
        if name not in ("largest_cracking_particle_fraction", "largest_debonding_area_fraction")
    }


def test_the_error_is_that_of_larger_voxels(ran, micro, expected):
    _, found = ran
    grown = []
    for x in expected[0]:
        blocks = x.reshape(8, 2, 8, 2, 8, 2).transpose(0, 2, 4, 1, 3, 5).reshape(8, 8, 8, 8)
        with np.errstate(invalid="ignore"):
            means = np.nansum(blocks, axis=3) / np.isfinite(blocks).sum(axis=3)
        grown.append(solved(micro.coarsen(2), means, 1e-3).mean_strain[0])
    quantity = found["largest_swelling_strain", None, "z", "3C"]
    change = abs(quantity["value"] - max(grown, key=abs))
    # Both solutions are exact to a thousandth.
    slack = 2e-3 * abs(quantity["value"])
    assert quantity["uncertainty"]["discretisation"] == pytest.approx(change, abs=slack)
    assert quantity["checks"][0]["name"] == "residual"
    assert quantity["checks"][0]["verdict"] == "pass"


def test_the_series_for_paraview_is_in_time(ran, micro, expected):
    folder, _ = ran
    curve = stored(folder, "half_cell/3C", "curve.npy")
    at = stored(folder, "half_cell/3C", "states_at.npy")
    with h5py.File(folder / "x" / "study-mechanics_along-3C.vtkhdf") as file:
        root = file["VTKHDF"]
        assert root["Steps"].attrs["NSteps"] == 4
        assert root["Steps/Values"][...] == pytest.approx(curve[0, at])
        cells = root["CellData"]
        np.testing.assert_array_equal(cells["stoichiometry"][2], expected[0][2])
        hydrostatic = expected[1][2].hydrostatic
        scale = np.abs(hydrostatic).max()
        assert np.abs(cells["hydrostatic"][2] - hydrostatic).max() < 0.01 * scale
        assert cells["displacement"].shape == (4, *micro.shape, 3)
        assert (cells["von_mises_averaged"][2][micro.mask("active")] > 0.0).all()
        assert cells["binder_index"][0].max() > 0.0


def test_the_table_and_the_film_are_exported(ran):
    folder, found = ran
    rows = list(csv.DictReader((folder / "x" / "study-mechanics_along-3C.csv").open()))
    grown = [float(row["swelling_strain z / 1"]) for row in rows]
    value = found["largest_swelling_strain", None, "z", "3C"]["value"]
    assert len(rows) == 4 and max(grown, key=abs) == pytest.approx(value, rel=1e-5)
    film = Image.open(io.BytesIO((folder / "x" / "study-mechanics_along-3C.gif").read_bytes()))
    assert film.n_frames == 4


def test_the_report_shows_the_course(ran):
    report = (ran[0] / "run" / "report.html").read_text(encoding="utf-8")
    for words in (
        "Stress along the discharge",
        "The discharge at 3 C is followed at 4 states",
        "Active swells with its lithium, by a table; there is no stress at",
        'alt="Lithium and stress in a plane during the discharge."',
        'alt="Change of thickness and mean stress over the charge."',
        'alt="Percentiles of the von Mises stress of each phase over the charge."',
        'alt="Share that is expected to fail, over the charge."',
        "what stress does to lithium is left out",
    ):
        assert words in report, words


@pytest.mark.parametrize(
    ("name", "old", "new", "again"),
    [
        # The content of the file counts.
        ("strain.csv", "-2 %", "-3 %", {"mechanics_along/3C"}),
        ("study.yaml", "{active: 0.01, b", "{active: 0.02, b", {"mechanics"}),
        ("study.yaml", "binder: 0.002", "binder: 0.003", {"mechanics", "mechanics_along/3C"}),
        ("study.yaml", "states: 4", "states: 5", {"half_cell/3C", "mechanics_along/3C"}),
    ],
)
def test_only_what_changes_is_computed_again(tmp_path, micro, name, old, new, again):
    study = prepare(tmp_path, micro, STUDY)
    before = {task.stage: task.key for task in plan(read_study(study))}
    changed = (tmp_path / name).read_text().replace(old, new)
    assert changed != (tmp_path / name).read_text()
    (tmp_path / name).write_text(changed)
    after = {task.stage: task.key for task in plan(read_study(study))}
    assert {stage for stage in before if before[stage] != after[stage]} == again


def test_studies_without_it_keep_their_keys(tmp_path, micro):
    with_it = plan(read_study(prepare(tmp_path, micro, STUDY)))
    text = STUDY[: STUDY.index("  along:")]
    without = plan(read_study(prepare(tmp_path, micro, text)))
    keys = {task.stage: task.key for task in with_it}
    changed = {task.stage for task in without if keys[task.stage] != task.key}
    # The discharge that is followed keeps its lithium.
    assert changed == {"half_cell/3C"}
    discharge = next(task for task in without if task.stage == "half_cell/3C")
    assert "states" not in discharge.params


def test_the_cost_of_the_states_is_estimated(tmp_path, micro):
    few = estimate_cost(read_study(prepare(tmp_path, micro, STUDY)))
    many = estimate_cost(
        read_study(prepare(tmp_path, micro, STUDY.replace("states: 4", "states: 40")))
    )
    assert many.seconds > few.seconds
    assert many.memory_bytes == few.memory_bytes + 36 * 26 * 16**3


def problem(text):
    with pytest.raises(StudyError) as caught:
        parse_study(text, "study.yaml")
    return str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("c_rate: 3", "c_rate: 2", "no discharge at 2 C; half_cell.c_rates has 1, 3"),
        ("states: 4", "states: 1", "along.states: input should be greater than or equal to 2"),
        ("strain.csv", "3", "a strain of 3.0 per stoichiometry is not allowed"),
        ("strain.csv", "strain.txt", "along.strain"),
        ("strain.csv", "{stoichiometry: [0, 1]}", "has the keys stoichiometry and strain, not"),
        ("strain.csv", "{stoichiometry: [1, 0], strain: [0, 1 %]}", "must rise from point"),
        ("strain.csv", "{stoichiometry: 1, strain: [0, 1 %]}", "of a table is a list"),
        ("    active: {young: 100 GPa, poisson: 0.25}\n", "", "but has no material"),
        ("reference: 0.9", "reference: 1.5", "along.reference: input should be less than"),
        ("half_cell: {chem", "half_cell: {impedance: {}, c_rates: [], chem", "name its rate under"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said(old, new, words):
    text = STUDY.replace(old, new)
    if "impedance" in new:
        text = text.replace(", c_rates: [1, 3]", "")
    assert words in problem(text)


def test_without_a_discharge_there_is_nothing_to_follow():
    start, end = STUDY.index("half_cell:"), STUDY.index("mechanics:")
    words = (
        "mechanics.along: there is no discharge to follow; name its rate under half_cell.c_rates"
    )
    assert words in problem(STUDY[:start] + STUDY[end:])


def test_a_file_that_is_not_there_is_named(tmp_path, micro):
    study = prepare(tmp_path, micro, STUDY.replace("strain.csv", "nowhere.yaml"))
    result = invoke("run", study, "--into", tmp_path / "run")
    words = f"{result.output} {result.exception}"
    assert "mechanics.along.strain: there is no file or folder" in words
