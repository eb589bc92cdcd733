from __future__ import annotations

from pathlib import Path

import pytest

from microtwin.study import StudyError, read_study
from microtwin.study.reading import parse_study

TEXT = """\
name: nmc cathode
image:
  path: electrode.tif
  voxel_size: "398 nm"
  phases:
    pore: 0
    active: 1
    binder: 2
transport:
  phases: [pore]
  directions: [z, y, x]
  tol: 1.0e-4
homogenize:
  conductivities: {pore: 1.0, binder: 0.05}
"""


def message(text: str) -> str:
    with pytest.raises(StudyError) as caught:
        parse_study(text, "study.yaml")
    return str(caught.value)


def test_values_and_defaults() -> None:
    study = parse_study(TEXT)
    assert study.image is not None and study.transport is not None
    assert study.image.voxel_size == pytest.approx((398e-9,) * 3, rel=1e-12)
    assert study.phase_names == ("pore", "active", "binder")
    assert study.transport.directions == ["z", "y", "x"]  # y is a letter here, not "yes"
    assert (study.transport.boundary, study.transport.interface) == ("faces", "smooth")
    assert study.uncertainty.discretisation and study.uncertainty.sampling
    assert study.output.fields and study.output.report


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("4.0e-7", (4e-7,) * 3),
        ('"0.4 um"', (4e-7,) * 3),
        ('["1 um", "400 nm", 4.0e-7]', (1e-6, 4e-7, 4e-7)),
    ],
)
def test_voxel_size_in_any_spelling(written: str, expected: tuple[float, ...]) -> None:
    study = parse_study(TEXT.replace('"398 nm"', written))
    assert study.image is not None
    assert study.image.voxel_size == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("old", "new", "line", "key", "hints"),
    [
        ("voxel_size:", "voxel_sise:", 4, "image.voxel_sise", ["did you mean 'voxel_size'"]),
        ("directions:", "direction:", 11, "transport.direction", ["did you mean 'directions'"]),
        ("homogenize:", "homogenise:", 13, "homogenise", ["did you mean 'homogenize'"]),
        ("[pore]", "[poer]", 10, "transport.phases[0]", ["did you mean 'pore'", "active, binder"]),
        ("{pore: 1.0", "{prore: 1.0", 14, "homogenize.conductivities.prore", ["'pore'"]),
        ("[z, y, x]", "[z, y, t]", 11, "transport.directions[2]", ["z or y or x"]),
        ("[z, y, x]", "[z, z]", 11, "transport.directions[1]", ["twice"]),
        ('"398 nm"', '"398 nn"', 4, "image.voxel_size", ["'398 nn'", "with a unit"]),
        ('"398 nm"', "-1.0", 4, "image.voxel_size", ["-1.0", "398 nm"]),
        ('"398 nm"', "", 4, "image.voxel_size", ["398 nm"]),
        ("binder: 2", "binder: 300", 8, "image.phases.binder", ["255", "300"]),
        ("binder: 2", "binder: 1", 2, "image", ["'active'", "'binder'", "label 1"]),
        ("1.0e-4", "tight", 12, "transport.tol", ["'tight'"]),
        ("1.0e-4", "2", 12, "transport.tol", ["0.1"]),
        ("phases: [pore]", "phases: pore", 10, "transport.phases", ["[pore]"]),
        ("homogenize:", "mesh: true\nhomogenize:", 13, "mesh", ["size, coarsest, formats"]),
        ("homogenize:", "mesh:\nhomogenize:", 13, "mesh", ["mesh: {}"]),
        ("homogenize:", "mesh: {formats: vtu}\nhomogenize:", 13, "mesh.formats", ["[vtu]"]),
        ("homogenize:", "mesh: {coarsest: .inf}\nhomogenize:", 13, "mesh.coarsest", ["finite"]),
    ],
)
def test_an_error_names_line_key_and_remedy(
    old: str, new: str, line: int, key: str, hints: list[str]
) -> None:
    text = TEXT.replace(old, new, 1)
    assert text != TEXT
    told = message(text)
    assert told.startswith(f"study.yaml, line {line}, {key}: ")
    assert told.count("\n") == 0  # one problem is one line
    for hint in hints:
        assert hint in told


def test_a_missing_voxel_size_says_how_to_give_it() -> None:
    told = message(TEXT.replace('  voxel_size: "398 nm"\n', ""))
    assert "line 2, image.voxel_size" in told
    assert 'voxel_size: "398 nm"' in told


def test_every_problem_is_reported_at_once() -> None:
    told = message(TEXT.replace("[z, y, x]", "[q]").replace("tol:", "tolerance:"))
    assert [line.split(",")[1] for line in told.splitlines()] == [" line 11", " line 12"]


def test_text_that_is_not_yaml_names_the_line() -> None:
    assert "line 9" in message(TEXT.replace("transport:", "transport: ]"))
    assert 'line 15: this is not YAML (found duplicate key "name"' in message(
        TEXT + "name: again\n"
    )


@pytest.mark.parametrize("text", ["", "just words", "- a\n- b\n"])
def test_text_that_is_not_a_mapping(text: str) -> None:
    assert "list of keys with values" in message(text)


def test_one_source_is_needed() -> None:
    assert "has none of them" in message("name: nothing\n")
    generate = (
        "generate: {kind: electrode, shape: 32, voxel_size: 1 um, porosity: 0.4,"
        " particles: {diameter: 6 um}}\n"
    )
    assert "has image and generate" in message(TEXT + generate)
    assert parse_study("name: g\n" + generate).generate.shape == (32, 32, 32)  # type: ignore[union-attr]


def test_particles_need_room() -> None:
    told = message(
        "name: g\ngenerate: {kind: electrode, shape: 32, voxel_size: 1 um, porosity: 0.6,"
        " binder_fraction: 0.4, particles: {diameter: 6 um}}\n"
    )
    assert "leave no room" in told and "below 1" in told


def test_a_missing_file_says_how_to_write_one(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="microtwin new"):
        read_study(tmp_path / "none.yaml")


def test_the_image_lies_beside_the_study_file(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(TEXT, encoding="utf-8")
    file = read_study(path)
    assert file.source_path == tmp_path / "electrode.tif"
    assert file.where("image", "path") == "study.yaml, line 3, image.path"
