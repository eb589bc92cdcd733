"""Studies of species that diffuse and react, from the file to the report."""

from __future__ import annotations

import csv

import h5py
import numpy as np
import pytest
from typer.testing import CliRunner

import microtwin as mt
from microtwin import reactions as rx
from microtwin.cli.app import app
from microtwin.study import report as report_room
from microtwin.study.errors import StudyError
from microtwin.study.reading import parse_study
from studies import run_study

SPHEROID = """\
name: spheroid
image: {path: labels.npy, voxel_size: 20 um, phases: {medium: 0, tissue: 1}}
descriptors: false
uncertainty: {sampling: false}
output: {fields: true}
uptake:
  species:
    oxygen:
      diffusivity: {tissue: 2e-9 m^2/s}
      solubility: 1.34e-3 mol/m^3/mmHg
      supply: {medium: 160 mmHg}
  reactions:
    - {where: tissue, of: oxygen, zero_order: 29 mmHg/s}
  viability: {of: oxygen, phases: [tissue], threshold: 1 mmHg, hypoxic: 10 mmHg}
"""
BIOFILM = """\
name: biofilm
image: {path: labels.npy, voxel_size: 5 um, phases: {water: 0, biofilm: 1, grain: 2}}
descriptors: false
uncertainty: {sampling: false}
output: {fields: false}
uptake:
  species:
    oxygen:
      diffusivity: {water: 2.4e-9 m^2/s, biofilm: 1.4e-9 m^2/s}
      molar_mass: 32 g/mol
      supply: {z_high: 8 mg/L}
      initial: 8 mg/L
    substrate:
      diffusivity: {water: 6.7e-10 m^2/s, biofilm: 1.7e-10 m^2/s}
      supply: {z_high: {concentration: 1 mol/m^3, permeability: 6.7e-6 m/s}}
      sorption: {biofilm: {linear: 0.5}}
  reactions:
    - where: biofilm
      of: substrate
      michaelis_menten: {maximum: 2.0e-2 mol/m^3/s, half_saturation: 0.1 mol/m^3}
      limited_by: {oxygen: 0.2 mg/L}
      amounts: {substrate: -1, oxygen: -0.4}
    - {where: biofilm/grain, of: substrate, first_order: 1.0e-8 m/s}
"""


@pytest.fixture(scope="module")
def spheroid():
    place = np.indices((40, 40, 40)) + 0.5 - 20.0
    return (np.sqrt((place**2).sum(axis=0)) < 16.0).astype(np.uint8)


@pytest.fixture(scope="module")
def biofilm():
    rng = np.random.default_rng(3)
    height = 14 + 3 * np.sin(2 * np.pi * np.arange(16) / 16)[None, :] + rng.normal(0, 0.3, (16, 1))
    z = np.arange(28)[:, None, None]
    labels = np.where(z < 4, 2, np.where(z < height[None], 1, 0)).astype(np.uint8)
    return labels


def run(folder, labels, text):
    return run_study(folder, labels, text, lambda q: (q["name"], q["phase"], q["condition"]))


def test_a_spheroid_is_that_of_the_functions(tmp_path, spheroid):
    found, report, output = run(tmp_path, spheroid, SPHEROID)
    micro = mt.Microstructure(spheroid, 2e-5, {"medium": 0, "tissue": 1})
    oxygen = rx.tumour.oxygen("tissue", {"medium": "160 mmHg"})
    law = rx.tumour.oxygen_consumption("29 mmHg/s", None)
    expected = rx.solve_uptake(micro, oxygen.diffusivity, {"tissue": law}, oxygen.supply)
    eta = found["effectiveness_factor", "tissue", None]
    assert eta["value"] == pytest.approx(expected.effectiveness["tissue"], rel=1e-6)
    assert 0.0 < eta["uncertainty"]["discretisation"] < 0.05
    alive = rx.viability(
        micro,
        expected.concentration,
        "tissue",
        rx.tumour.oxygen_concentration("1 mmHg"),
        rx.tumour.oxygen_concentration("10 mmHg"),
        sources=["medium"],
    )
    starved = found["starved_fraction", "tissue", None]
    assert starved["value"] == pytest.approx(alive.core_fraction, rel=1e-4)
    assert found["hypoxic_fraction", "tissue", None]["value"] > starved["value"] > 0.0
    rim = found["rim_thickness", "tissue", None]
    assert rim["value"] == pytest.approx(float(alive.rim_percentiles((50,))[0]), rel=1e-4)
    assert rim["checks"][0]["name"] == "mass_balance"
    assert 'id="uptake"' in report and "mmHg" in report and "in one core" in report
    assert "solved no transport problem" not in report
    assert "effectiveness factor" in output and "rim thickness" in output
    CliRunner().invoke(
        app,
        ["export", str(tmp_path / "study.yaml"), "--into", str(tmp_path / "run"), "--to",
         str(tmp_path / "out")],
    )  # fmt: skip
    with h5py.File(tmp_path / "out" / "study-uptake.vtkhdf") as file:
        cells = file["VTKHDF/CellData"]
        np.testing.assert_allclose(
            cells["concentration_oxygen"][:], expected.concentration, rtol=1e-5, atol=1e-9
        )
        assert cells["core"][:].max() == 1.0


@pytest.mark.parametrize("boundary", ["closed", "periodic"])
def test_the_rate_of_a_surface_is_per_its_whole_area(tmp_path, boundary):
    text = f"""\
name: wall
image: {{path: labels.npy, voxel_size: 1 um, phases: {{water: 0, wall: 1}}}}
descriptors: false
uncertainty: {{sampling: false, discretisation: false}}
output: {{fields: false}}
uptake:
  boundary: {boundary}
  species:
    solute: {{diffusivity: {{wall: 1e-9 m^2/s}}, supply: {{water: 2 mol/m^3}}}}
  reactions:
    - {{where: wall/water, of: solute, first_order: 1e-9 m/s}}
"""
    labels = np.zeros((12, 10, 10), np.uint8)
    labels[6:] = 1
    found, _, _ = run(tmp_path, labels, text)
    rate = found["uptake_rate", "wall/water", None]["value"]
    assert rate == pytest.approx(1e-9 * 2.0, rel=1e-3, abs=0.0)


def test_a_biofilm_with_two_species(tmp_path, biofilm):
    found, report, _ = run(tmp_path, biofilm, BIOFILM)
    substrate = found["uptake_rate", "biofilm", "substrate"]["value"]
    oxygen = found["uptake_rate", "biofilm", "oxygen"]["value"]
    assert oxygen == pytest.approx(0.4 * substrate, rel=1e-6)
    assert found["uptake_rate", "biofilm", "substrate"]["unit"] == "mol/m^3/s"
    assert found["uptake_rate", "biofilm/grain", "substrate"]["unit"] == "mol/m^2/s"
    assert 0.0 < found["effectiveness_factor", "biofilm", "substrate"]["value"] < 1.0
    assert "mg/L" in report and "through a wall or film of" in report


def test_a_biofilm_over_time(tmp_path, biofilm):
    text = BIOFILM + "  duration: 2 min\n  frames: 4\n"
    found, report, _ = run(tmp_path, biofilm, text)
    assert not any(name == "uptake_rate" for name, _, _ in found)
    assert found["mean_concentration", "biofilm", "oxygen"]["value"] > 0.0
    assert "Amounts in the image, and since the start" in report
    out = tmp_path / "out"
    result = CliRunner().invoke(
        app,
        ["export", str(tmp_path / "study.yaml"), "--into", str(tmp_path / "run"), "--to", str(out)],
    )
    assert result.exit_code == 0, result.output
    with (out / "study-uptake.csv").open(encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows[0][:2] == ["time [s]", "oxygen stored [mol]"]
    assert float(rows[-1][0]) == pytest.approx(120.0)
    oxygen = [float(x) for x in rows[-1][1:4]]
    first = float(rows[1][1])
    assert oxygen[0] - first == pytest.approx(oxygen[1] + oxygen[2], rel=1e-6, abs=0.0)


def test_pictures_are_those_of_their_species(tmp_path, spheroid, monkeypatch):
    seen = []
    write = report_room.write_report
    monkeypatch.setattr(
        report_room, "write_report", lambda data, path: (seen.append(data), write(data, path))
    )
    # Stored mappings are sorted by name; these are not.
    glucose = "    glucose: {diffusivity: {tissue: 1e-10 m^2/s}, supply: {medium: 5 mol/m^3}}\n"
    text = SPHEROID.replace("  reactions:", glucose + "  reactions:")
    _, report, _ = run(tmp_path, spheroid, text)
    view = seen[0].uptake
    assert [name for name, _, _ in view.scales] == ["oxygen", "glucose"]
    factors = [factor for _, factor, _ in view.scales]
    highest = [f * plane.max() for f, plane in zip(factors, view.planes, strict=True)]
    assert highest == pytest.approx([160.0, 5.0], rel=1e-3)
    assert "160 mmHg at medium" in report and "used up in tissue" in report
    assert "white lines are levels of oxygen: 1 mmHg (solid) and 10 mmHg (dotted)" in report


def test_a_spheroid_without_anything_has_a_core_and_no_rim(tmp_path, spheroid):
    found, report, _ = run(tmp_path, spheroid, SPHEROID.replace("1 mmHg, hyp", "500 mmHg, hyp")
                           .replace("hypoxic: 10 mmHg", "hypoxic: 600 mmHg"))  # fmt: skip
    assert found["starved_fraction", "tissue", None]["value"] == 1.0
    assert "0.0\u00a0% of tissue has at least 500 mmHg oxygen" in report
    assert ("rim_thickness", "tissue", None) not in found


def test_a_thin_section_is_shown_in_its_plane(tmp_path, spheroid, monkeypatch):
    seen = []
    monkeypatch.setattr(
        report_room, "write_report", lambda data, path: (seen.append(data), path.write_text("x"))
    )
    section = spheroid[18:22]
    run(tmp_path, section, SPHEROID)
    view = seen[0].uptake
    assert view.numbers["shown"]["across"] == "z"
    assert view.planes[0].shape == section.shape[1:]


def test_what_is_made_leaves(tmp_path, spheroid):
    lactate = "    lactate: {diffusivity: {tissue: 4e-10 m^2/s}, supply: {medium: 0}}\n"
    text = SPHEROID.replace("  reactions:", lactate + "  reactions:").replace(
        "29 mmHg/s}", "29 mmHg/s, amounts: {oxygen: -1, lactate: 2}}"
    )
    found, report, _ = run(tmp_path, spheroid, text)
    made = found["production_rate", "tissue", "lactate"]["value"]
    used = found["uptake_rate", "tissue", "oxygen"]["value"]
    assert made == pytest.approx(2.0 * used, rel=1e-5)
    assert "to medium" in report and "made in tissue" in report


def test_depths_in_a_film_count_from_its_surface(tmp_path, biofilm):
    text = BIOFILM + "  viability: {of: oxygen, phases: [biofilm], threshold: 0.1 mg/L}\n"
    depth = {}
    for name, sources in (("box", ""), ("film", ", sources: [water]")):
        folder = tmp_path / name
        folder.mkdir()
        found, report, _ = run(folder, biofilm, text.replace("0.1 mg/L", f"0.1 mg/L{sources}"))
        depth[name] = found["distance_to_supply", "biofilm", None]["value"]
    assert depth["film"] < 70e-6 < depth["box"]
    assert "by distance from water" in report


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("tissue: 2e-9 m^2/s", "bone: 2e-9 m^2/s", "phase 'bone' is not in image.phases"),
        ("tissue: 2e-9 m^2/s", "tissue: -2e-9 m^2/s", "diffusivity '-2e-9 m^2/s' is not allowed"),
        ("tissue: 2e-9 m^2/s", "tissue: 2e-9 m", "has a unit that is no diffusivity"),
        ("      solubility: 1.34e-3 mol/m^3/mmHg\n", "", "needs the key solubility"),
        ("{medium: 160 mmHg}", "{medium: -1 mmHg}", "is not allowed; it is 0 or more"),
        ("{medium: 160 mmHg}", "{top: 160 mmHg}", "'top' is neither a phase"),
        ("{medium: 160 mmHg}", "{medium: {speed: 3}}", "supply of medium has the keys speed"),
        ("      supply: {medium: 160 mmHg}\n", "", "oxygen has no supply"),
        ("zero_order: 29 mmHg/s", "zero_order: 0 mmHg/s", "give more than 0"),
        ("zero_order: 29 mmHg/s", "order: 1", "the key 'order' is not known"),
        (", zero_order: 29 mmHg/s", "", "has no rate"),
        ("of: oxygen, zero", "of: glucose, zero", "'glucose' is no species"),
        ("29 mmHg/s}", "29 mmHg/s, amounts: {ozone: 1}}", "'ozone' is no species"),
        ("hypoxic: 10 mmHg", "hypoxic: 0.1 mmHg", "second threshold above the first"),
        ("threshold: 1 mmHg", "threshold: 0 mmHg", "threshold '0 mmHg' is not allowed"),
        ("threshold: 1 mmHg", "threshold: 1", "second threshold above the first"),
        ("viability: {of: oxygen", "viability: {of: oxigen", "'oxigen', no species"),
        ("phases: [tissue]", "phases: [medium]", "oxygen does not diffuse in 'medium' but in"),
        ("where: tissue", "where: medium", "oxygen does not diffuse in 'medium'; give its"),
        ("{medium: 160 mmHg}", "{medium: 160 um}", "'160 mmHg' (with solubility)"),
        ("zero_order: 29 mmHg/s", "michaelis_menten: {vmax: 1, km: 1}", "has the keys vmax, km"),
        ("29 mmHg/s}", "29 mmHg/s, amounts: {oxygen: 0}}", "the amount of oxygen is 0"),
        ("hypoxic: 10 mmHg", "sources: [air]", "'air' is neither a phase"),
        ("hypoxic: 10 mmHg", "sources: [tissue]", "cannot be both a source and what is supplied"),
    ],
)
def test_problems_are_said_before_anything_runs(old, new, words):
    assert old in SPHEROID
    with pytest.raises(StudyError) as caught:
        parse_study(SPHEROID.replace(old, new))
    assert words in str(caught.value)
