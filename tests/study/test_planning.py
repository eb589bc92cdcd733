from __future__ import annotations

from pathlib import Path

import pytest

from microtwin.study import StudyError, plan, read_study
from microtwin.study.canonical import digest_of_source, dumps, key_of, plain
from microtwin.study.planning import VERSIONS


def keys(path: Path) -> dict[str, str]:
    return {task.stage: task.key for task in plan(read_study(path))}


def test_every_stage_comes_after_its_inputs(small_study: Path) -> None:
    tasks = plan(read_study(small_study))
    seen: set[str] = set()
    for task in tasks:
        assert {needed.stage for needed in task.inputs.values()} <= seen
        seen.add(task.stage)
    assert [task.stage for task in tasks] == [
        "microstructure",
        "descriptors",
        "fractions/pore",
        "fractions/active",
        "fractions/binder",
        "transport/pore-z",
        "discretisation/pore-z",
        "sampling/pore-z",
        "transport/pore-x",
        "discretisation/pore-x",
        "sampling/pore-x",
        "homogenize",
    ]


def test_keys_do_not_depend_on_comments_order_or_spelling(small_study: Path) -> None:
    before = keys(small_study)
    text = small_study.read_text()
    small_study.write_text("# a comment\n" + text.replace('"500 nm"', "0.5 um # the same"))
    assert keys(small_study) == before


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("seed: 3", "seed: 4", set()),
        ("unit: S/m", "unit: mS/m", {"microstructure", "transport/pore-z", "sampling/pore-x"}),
        ("[z, x]", "[x, z]", {"microstructure", "transport/pore-z", "homogenize"}),
        ("[z, x]", "[z, x]\n  tol: 1.0e-3", {"microstructure", "descriptors", "homogenize"}),
        ("report: false", "report: true", {"microstructure", "transport/pore-z", "homogenize"}),
    ],
)
def test_a_key_changes_with_what_it_depends_on(
    small_study: Path, old: str, new: str, same: set[str]
) -> None:
    before = keys(small_study)
    small_study.write_text(small_study.read_text().replace(old, new))
    after = keys(small_study)
    changed = {stage for stage in before if before[stage] != after[stage]}
    assert not changed & same
    if not same:
        assert changed == set(before)
    if "tol" in new:
        assert {stage for stage in before if stage.endswith(("-z", "-x"))} == changed


def test_a_new_version_of_a_stage_is_a_new_key(
    small_study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = keys(small_study)
    monkeypatch.setitem(VERSIONS, "transport", 99)
    after = keys(small_study)
    assert after["transport/pore-z"] != before["transport/pore-z"]
    assert after["sampling/pore-z"] != before["sampling/pore-z"]  # it reads the transport
    assert after["descriptors"] == before["descriptors"]


def test_switches_of_the_error_budget(small_study: Path) -> None:
    off = "uncertainty: {discretisation: false, sampling: false}\ndescriptors: false\n"
    small_study.write_text(small_study.read_text() + off)
    assert list(keys(small_study)) == [
        "microstructure",
        "transport/pore-z",
        "transport/pore-x",
        "homogenize",
    ]


def test_a_study_from_python_is_checked_too(small_study: Path) -> None:
    file = read_study(small_study)
    assert file.study.transport is not None
    transport = file.study.transport.model_copy(update={"phases": ["void"]})
    broken = file.study.model_copy(update={"transport": transport})
    with pytest.raises(StudyError, match="'void' is not in the generated image"):
        plan(type(file)(broken, file.text, file.path))


def test_one_spelling_for_equal_data() -> None:
    assert dumps({"b": 1, "a": (1.5, None)}) == '{"a":[1.5,null],"b":1}'
    assert key_of({"a": 1, "b": 2}) == key_of({"b": 2, "a": 1})
    assert key_of({"a": 1}) != key_of({"a": 2})
    assert plain({"x": float("nan"), "y": float("inf")}) == {"x": None, "y": None}
    with pytest.raises(TypeError, match="set"):
        plain({1, 2})


def test_a_folder_counts_with_names_and_contents(tmp_path: Path) -> None:
    folder = tmp_path / "slices"
    folder.mkdir()
    (folder / "1.tif").write_bytes(b"one")
    (folder / "2.tif").write_bytes(b"two")
    before = digest_of_source(folder)
    assert digest_of_source(folder) == before
    (folder / "2.tif").rename(folder / "3.tif")
    renamed = digest_of_source(folder)
    (folder / "3.tif").write_bytes(b"too")
    assert len({before, renamed, digest_of_source(folder)}) == 3
