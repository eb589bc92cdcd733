"""Studies that start from grey values or from projections."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile

import microtwin.imaging
from microtwin import Microstructure
from microtwin.cli.tables import remarks
from microtwin.generation import gaussian_field
from microtwin.imaging import Scanner, project, virtual_scan, write_microstructure, write_scan
from microtwin.study import run_study
from microtwin.study.errors import StudyError
from microtwin.study.reading import parse_study

SHAPE = (40, 44, 44)
BODY = """
transport: {phases: [pore], directions: [z]}
uncertainty: {members: 2}
output: {fields: false}
"""


@pytest.fixture(scope="module")
def truth() -> Microstructure:
    field = gaussian_field(SHAPE, 5.0, 0.45, seed=4)
    labels = np.where(field.mask("pore"), 0, 1).astype(np.uint8)
    return Microstructure(labels, 1e-6, {"pore": 0, "solid": 1})


@pytest.fixture(scope="module")
def folder(truth, tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("scan")
    scanner = Scanner({"pore": 0.0, "solid": 2e4}, photons=4e4, blur=0.8, rings=0.002, drift=0.02)
    write_scan(virtual_scan(truth, scanner, seed=1), place / "scan.tif")
    marks = np.zeros(SHAPE, np.uint8)
    marks[::6, ::3, ::3] = truth.labels[::6, ::3, ::3] + 1
    np.save(place / "marks.npy", marks)
    return place


def study(folder: Path, name: str, segmentation: str, extra: str = "") -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(
        f"name: {name}\nscan: {{path: scan.tif, voxel_size: 1 um}}\n"
        f"segmentation: {{{segmentation}}}\n{extra}{BODY}",
        encoding="utf-8",
    )
    return path


def quantity(outcome, name, phase):
    return next(q for q in outcome.results.quantities if (q.name, q.phase) == (name, phase))


def agreement(outcome, truth) -> float:
    entry = next((outcome.folder / "microstructure").iterdir())
    return float(np.mean(np.load(entry / "labels.npy") == truth.labels))


def test_a_scan_with_known_fractions(folder, truth):
    known = truth.volume_fraction("pore")
    path = study(folder, "known", f"phases: [pore, solid], fractions: {{pore: {known:.4f}}}")
    outcome = run_study(path)
    # Blur and noise leave the voxels at the interface in doubt, a few per cent of all.
    assert agreement(outcome, truth) > 0.93
    porosity = quantity(outcome, "volume_fraction", "pore")
    assert abs(porosity.value - known) < 0.005
    # The uncertainty of the known fraction, 0.01 by default, is that of the result.
    assert 0.002 < porosity.uncertainty.segmentation < 0.03
    tau = quantity(outcome, "tortuosity_factor", "pore")
    assert tau.uncertainty.segmentation > 0
    assert quantity(outcome, "between_class_variance", None).verdict == "pass"
    assert quantity(outcome, "known_fractions_met", None).verdict == "pass"
    text = outcome.report.read_text(encoding="utf-8")
    assert "From scan to labels" in text and "Plausible segmentations" in text
    again = run_study(path)
    assert again.computed == 0 and again.reused == outcome.computed


def test_a_phase_that_percolates_on_some_segmentations_only(folder, truth, monkeypatch):
    plain = microtwin.imaging.plausible_segmentation

    def cut(micro, seed, **options):
        member = plain(micro, seed, **options)
        labels = member.labels.copy()
        labels[18:22] = 1
        return member if seed == 0 else Microstructure(labels, member.voxel_size, member.phases)

    monkeypatch.setattr(microtwin.imaging, "plausible_segmentation", cut)
    known = truth.volume_fraction("pore")
    path = study(folder, "cut", f"phases: [pore, solid], fractions: {{pore: {known:.4f}}}")
    outcome = run_study(path)
    tau = quantity(outcome, "tortuosity_factor", "pore")
    assert tau.uncertainty.segmentation is None and tau.verdict == "warn"
    (check,) = [c for c in tau.checks if c.name == "finite_on_segmentations"]
    # The chosen labels and two members, one of which is cut.
    assert check.value == pytest.approx(2 / 3)
    assert any("not finite on some plausible" in line for line in remarks(outcome.results))
    assert quantity(outcome, "relative_diffusivity", "pore").uncertainty.segmentation > 0


def test_without_known_fractions_and_corrections(folder, truth):
    off = "correction: {drift: false, shading: false, rings: false}\n"
    outcome = run_study(study(folder, "free", "phases: [pore, solid]", off))
    assert agreement(outcome, truth) > 0.9
    numbers = json.loads(
        next((outcome.folder / "correction").iterdir()).joinpath("data.json").read_text()
    )
    assert numbers["steps"] == []


def test_thresholds_on_a_denoised_scan(folder, truth):
    outcome = run_study(
        study(
            folder,
            "thresholds",
            "phases: [pore, solid], method: thresholds",
            "denoise: {strength: 0.5}\n",
        )
    )
    assert agreement(outcome, truth) > 0.9
    # Labels by thresholds carry no probabilities, so nothing is known of their uncertainty.
    assert quantity(outcome, "tortuosity_factor", "pore").uncertainty.segmentation is None


def test_a_classifier_learns_from_marks(folder, truth):
    outcome = run_study(
        study(
            folder,
            "classifier",
            "phases: [pore, solid], method: classifier, scribbles: marks.npy, "
            f"fractions: {{pore: {truth.volume_fraction('pore'):.4f}}}",
        )
    )
    assert agreement(outcome, truth) > 0.93
    assert quantity(outcome, "tortuosity_factor", "pore").uncertainty.segmentation > 0


def test_crop_and_coarsening(folder):
    path = folder / "part.yaml"
    path.write_text(
        "name: part\nscan: {path: scan.tif, voxel_size: 1 um, coarsen: 2, crop: {z: [0, 36]}}\n"
        "segmentation: {phases: [pore, solid]}\ncorrection: {rings: false}\n"
        "uncertainty: {segmentation: false}\noutput: {report: false}\n",
        encoding="utf-8",
    )
    outcome = run_study(path)
    assert outcome.results.microstructure.shape == (18, 22, 22)
    assert outcome.results.microstructure.voxel_size == (2e-6, 2e-6, 2e-6)


def test_projections(tmp_path, truth):
    # Line integrals per voxel of 1 um become transmissions, as a detector counts them.
    angles = np.arange(80) * np.pi / 80
    integrals = project((truth.labels == 1).astype(np.float32)[:24] * 0.02, angles)
    tifffile.imwrite(tmp_path / "views.tif", np.exp(-integrals).transpose(1, 0, 2))
    path = tmp_path / "study.yaml"
    path.write_text(
        "name: views\n"
        "projections: {path: views.tif, pixel_size: 1 um, angles: [0, 180], region: square}\n"
        "segmentation: {phases: [pore, solid]}\nuncertainty: {segmentation: false}\n"
        "output: {report: false}\n",
        encoding="utf-8",
    )
    outcome = run_study(path)
    assert outcome.results.microstructure.shape[0] == 24
    porosity = quantity(outcome, "volume_fraction", "pore").value
    # The reconstructed square reaches a little beyond the sample, into air.
    assert abs(porosity - truth.volume_fraction("pore")) < 0.1


def message(text: str) -> str:
    with pytest.raises(StudyError) as told:
        parse_study(f"name: n\n{text}", "s.yaml")
    return str(told.value)


SCAN = "scan: {path: s.tif, voxel_size: 1 um}\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (SCAN, "needs the section 'segmentation'"),
        (SCAN + "segmentation: {phases: [pore]}\n", "at least 2 items"),
        (SCAN + "segmentation: {phases: [a, a]}\n", "written twice"),
        (
            SCAN + "segmentation: {phases: [a, b], fractions: {a: 0.4, b: 0.4}}\n",
            "0.8",
        ),
        (
            SCAN + "segmentation: {phases: [a, b], fractions: {c: 0.4}}\n",
            "c",
        ),
        (
            SCAN + "segmentation: {phases: [a, b], method: classifier}\n",
            "scribbles: marks.tif",
        ),
        (
            SCAN + "segmentation: {phases: [a, b], thresholds: [1]}\n",
            "belongs to method: thresholds",
        ),
        (
            SCAN + "segmentation: {phases: [a, b, c], method: thresholds, thresholds: [2, 1]}\n",
            "must ascend",
        ),
        (
            SCAN + "segmentation: {phases: [a, b], method: thresholds, thresholds: [1, 2]}\n",
            "need 1 thresholds",
        ),
        (
            SCAN + "segmentation: {phases: [a, b]}\ndenoise: {}\n",
            "must see the noise as it is",
        ),
        (
            SCAN + "segmentation: {phases: [pore, active], laboratory: {areal_loading: 30 mg/cm2, "
            "thickness: 20 um, mass_fractions: {active: 1}, densities: {active: 4.7 g/cm3}}}\n",
            "would fill 319.1 % of the coating",
        ),
        (
            "generate: {kind: electrode, shape: 32, voxel_size: 1 um, porosity: 0.4, "
            "particles: {diameter: 6 um}}\nsegmentation: {phases: [a, b]}\n",
            "nothing to segment",
        ),
        ("projections: {path: p.h5, pixel_size: 0}\n", "pixel size"),
    ],
)
def test_what_does_not_fit_is_told_in_a_sentence(text, words):
    assert words in message(text)


def test_a_constant_scan_is_told(tmp_path):
    np.save(tmp_path / "flat.npy", np.full((20, 20, 20), 7, np.uint8))
    path = tmp_path / "s.yaml"
    path.write_text(
        "name: flat\nscan: {path: flat.npy, voxel_size: 1 um}\n"
        "segmentation: {phases: [pore, solid]}\n",
        encoding="utf-8",
    )
    with pytest.raises(StudyError, match="stage correction: the scan is constant"):
        run_study(path)


def test_the_probabilities_of_an_image_of_labels_are_kept(tmp_path, truth):
    soft = np.where(truth.labels == 0, 200, 55).astype(np.uint8)
    micro = Microstructure(truth.labels, 1e-6, truth.phases, np.stack([soft, 255 - soft]))
    write_microstructure(micro, tmp_path / "labels.h5")
    path = tmp_path / "s.yaml"
    path.write_text(
        "name: soft\nimage: {path: labels.h5, voxel_size: 1 um, phases: {pore: 0, solid: 1}}\n"
        "output: {report: false}\n",
        encoding="utf-8",
    )
    outcome = run_study(path)
    entry = next((outcome.folder / "microstructure").iterdir())
    assert np.array_equal(np.load(entry / "probabilities.npy"), micro.probabilities)


def test_swelling_is_solved_again_on_plausible_segmentations(folder):
    extra = (
        "mechanics: {materials: {solid: {young: 100 GPa, poisson: 0.25}}, swelling: {solid: 0.01}, "
        "stiffness: false, mean_strain: {zz: 0, yy: 0, xx: 0}}\n"
    )
    path = study(folder, "swelling", "phases: [pore, solid]", extra + "descriptors: false\n")
    text = path.read_text(encoding="utf-8").replace(
        "transport: {phases: [pore], directions: [z]}", ""
    )
    small = "voxel_size: 1 um, crop: {z: [0, 24], y: [0, 24], x: [0, 24]}"
    path.write_text(text.replace("voxel_size: 1 um", small), encoding="utf-8")
    outcome = run_study(path)
    found = {(q.name, q.direction): q for q in outcome.results.quantities}
    energy = found["elastic_energy_density", None]
    assert 0.0 < energy.uncertainty.segmentation < 0.5 * energy.value
    assert found["mean_stress", "zz"].uncertainty.segmentation > 0.0
    assert found["von_mises_stress", None].uncertainty.segmentation is None
