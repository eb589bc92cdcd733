"""The section 'generate': what may be written, and what comes out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import yaml

from microtwin.study import StudyError, run_study
from microtwin.study.generation_stage import PARTICLE_LIST
from microtwin.study.reading import parse_study, read_study
from microtwin.study.reporting import export_particles
from microtwin.study.runner import finished_entries

ELECTRODE = {
    "kind": "electrode",
    "shape": [40, 32, 32],
    "voxel_size": "500 nm",
    "porosity": 0.45,
    "binder_fraction": 0.05,
    "particles": [
        {"diameter": {"d10": "3 um", "d50": "4 um", "d90": "5 um"}, "form": "plate",
         "aspect_ratio": 0.5, "share": 3, "phase": "graphite"},
        {"diameter": "2 um", "phase": "silicon"},
    ],
    "periodic": [False, True, True],
    "seed": 1,
}  # fmt: skip
COATING = {
    "areal_loading": "3 mg/cm2",
    "mass_fractions": {"active": 0.96, "pvdf": 0.02, "carbon": 0.02},
    "densities": {"active": "4.7 g/cm3", "pvdf": "1.78 g/cm3", "carbon": "1.9 g/cm3"},
    "merge": {"binder": ["pvdf", "carbon"]},
    "internal_porosity": {"binder": 0.4},
}
WEIGHED = {
    "kind": "electrode",
    "shape": [32, 32],
    "voxel_size": "500 nm",
    "porosity": 0.45,
    "coating": COATING,
    "particles": {"diameter": {"mean": "3.5 um", "deviation": "0.5 um"}},
}
GAUSSIAN = {
    "kind": "gaussian",
    "shape": 32,
    "voxel_size": ["1 um", "500 nm", "500 nm"],
    "fractions": {"pore": 0.5, "active": 0.35, "binder": 0.15},
    "correlation_length": ["2 um", "1 um"],
}


def text_of(recipe: dict, **more) -> str:
    return yaml.safe_dump({"name": "made", "generate": recipe, "descriptors": False, **more})


def made(recipe: dict, tmp_path: Path, **more) -> tuple[dict, Path]:
    """Run a study of a recipe; return its results and the folder of the microstructure."""
    study = tmp_path / "study.yaml"
    study.write_text(text_of(recipe, **more), encoding="utf-8")
    run_study(study, tmp_path / "run")
    results = json.loads((tmp_path / "run" / "results.json").read_text(encoding="utf-8"))
    (folder,) = (tmp_path / "run" / "microstructure").iterdir()
    return results, folder


def message(recipe: dict) -> str:
    with pytest.raises(StudyError) as caught:
        parse_study(text_of(recipe))
    return str(caught.value)


def test_an_electrode_comes_with_its_particles(tmp_path):
    results, folder = made(
        {**ELECTRODE, "calendering": {"strain": 0.2, "flattening": 0.5}}, tmp_path
    )
    fractions = {
        q["phase"]: q["value"] for q in results["quantities"] if q["name"] == "volume_fraction"
    }
    assert list(fractions) == ["pore", "graphite", "silicon", "binder"]
    assert fractions["graphite"] == pytest.approx(0.375 / 0.8, abs=1e-3)
    assert fractions["pore"] == pytest.approx(1 - 0.55 / 0.8, abs=1e-3)
    numbers = json.loads((folder / "data.json").read_text(encoding="utf-8"))
    table = np.genfromtxt(folder / PARTICLE_LIST, delimiter=",", names=True, dtype=None)
    assert numbers["shape"] == [32, 32, 32]
    assert numbers["particles"]["count"] == len(table)
    assert set(table["form"]) == {"plate", "ellipsoid"}  # flattened spheres
    assert table["z"].max() < 16e-6
    entries = finished_entries(read_study(tmp_path / "study.yaml"), tmp_path / "run")
    (copy,) = export_particles(entries, tmp_path, "study")
    assert copy.name == "study-particles.csv"
    assert copy.read_bytes() == (folder / PARTICLE_LIST).read_bytes()


def test_thickness_follows_from_the_loading(tmp_path):
    recipe = parse_study(text_of(WEIGHED)).generate
    fractions, thickness = recipe.fractions_and_thickness()
    # 3 mg/cm2 of 4.7 g/cm3 and of binder with 40 % pores, in 55 % of the volume.
    solid = 0.03 * (0.96 / 4700 + (0.02 / 1780 + 0.02 / 1900) / 0.6)
    assert thickness == pytest.approx(solid / 0.55)
    assert recipe.voxels == (round(thickness / 5e-7), 32, 32)
    results, _ = made(WEIGHED, tmp_path)
    found = {
        q["phase"]: q["value"] for q in results["quantities"] if q["name"] == "volume_fraction"
    }
    assert found == pytest.approx(fractions, abs=1e-3)


def test_gaussian_phases(tmp_path):
    results, folder = made(GAUSSIAN, tmp_path)
    found = {
        q["phase"]: q["value"] for q in results["quantities"] if q["name"] == "volume_fraction"
    }
    assert found == pytest.approx(GAUSSIAN["fractions"], abs=1e-4)
    labels = np.load(folder / "labels.npy")
    # The same lengths in metres are half as many voxels along z.
    changes = [np.count_nonzero(np.diff(labels == 0, axis=axis)) for axis in (0, 1)]
    assert changes[0] / changes[1] == pytest.approx(2.0, rel=0.2)


def test_the_thickness_of_the_electrode_decides_on_the_scales(tmp_path):
    def verdict(folder, **uncertainty):
        folder.mkdir()
        results, _ = made(GAUSSIAN, folder, uncertainty=uncertainty)
        checks = [c for q in results["quantities"] if q["phase"] == "pore" for c in q["checks"]]
        return {c["name"]: c["verdict"] for c in checks}

    assert verdict(tmp_path / "thick", thickness="500 um")["scale_separation"] == "pass"
    thin = verdict(tmp_path / "thin", thickness="10 um")
    assert thin["scale_separation"] == "warn"
    assert thin["no_trend"] == "pass"
    assert "scale_separation" not in verdict(tmp_path / "none", sampling=False)


@pytest.mark.parametrize(
    ("base", "change", "words"),
    [
        (ELECTRODE, {"kind": "foam"}, "electrode"),
        (ELECTRODE, {"shape": [32, 32]}, "has no thickness"),
        (ELECTRODE, {"particles": []}, "at least 1"),
        (ELECTRODE, {"particles": {"diameter": {"width": "3 um"}}}, "not a distribution"),
        (ELECTRODE, {"particles": {"diameter": {"d10": "3 um", "d50": "2 um", "d90": "5 um"}}},
         "ascending"),
        (ELECTRODE, {"particles": {"diameter": "3 um", "form": "plate"}}, "below 1"),
        (ELECTRODE, {"particles": {"diameter": "3 um", "phase": "pore"}}, "name another"),
        (ELECTRODE, {"particles": {"diameter": "3 um", "colour": "red"}}, "colour"),
        (ELECTRODE, {"porosity": 0.6, "binder_fraction": 0.4}, "leave no room"),
        (ELECTRODE, {"calendering": {"strain": 0.9}}, "0.6"),
        (WEIGHED, {"shape": [20, 32, 32]}, "follow from 'coating'"),
        (WEIGHED, {"coating": {**COATING, "merge": None, "internal_porosity": None}},
         "gather components"),
        (GAUSSIAN, {"fractions": {"pore": 0.5, "active": 0.4}}, "sum 0.9"),
        (GAUSSIAN, {"correlation_length": ["1 um"] * 3}, "do not fit 3 phases"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told_in_a_sentence(base, change, words):
    assert words in message({**base, **change})


def test_profiles_need_walls():
    recipe = {**ELECTRODE, "periodic": True}
    recipe["particles"] = {"diameter": "3 um", "profile": [1, 2]}
    assert "needs walls along z; write periodic: [false, true, true]" in message(recipe)


def test_particles_that_jam_are_told(tmp_path):
    def growth(folder, porosity):
        folder.mkdir()
        recipe = {**ELECTRODE, "porosity": porosity, "periodic": True}
        recipe["particles"] = {"diameter": "3 um"}
        results, _ = made(recipe, folder, uncertainty={"sampling": False})
        (found,) = [q for q in results["quantities"] if q["name"] == "particle_growth"]
        return found["value"], found["checks"][0]["verdict"]

    value, verdict = growth(tmp_path / "loose", 0.5)
    assert 0.97 < value < 1.05 and verdict == "pass"
    value, verdict = growth(tmp_path / "dense", 0.25)
    assert 1.05 < value < 1.2 and verdict == "warn"
    report = (tmp_path / "dense" / "run" / "report.html").read_text(encoding="utf-8")
    assert "Generated from" in report and "particles.csv" in report
