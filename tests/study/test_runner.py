from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from microtwin import Microstructure, write_microstructure
from microtwin.study import StudyError, run_study, study_status
from microtwin.study import store as store_module
from microtwin.study.locking import run_lock
from microtwin.study.runner import default_folder
from microtwin.study.store import Entry
from microtwin.study.tasks import Task

STUDY = """\
name: labels only
image:
  path: {image}
  voxel_size: "1 um"
  phases: {{pore: 0, active: 1}}
  {extra}
output: {{report: false}}
"""
STAGES = ["microstructure", "descriptors", "fractions/pore", "fractions/active"]


def image(path: Path, n: int = 24) -> Microstructure:
    rng = np.random.default_rng(0)
    coarse = rng.random((n // 4,) * 3) < 0.5
    labels = coarse.repeat(4, 0).repeat(4, 1).repeat(4, 2).astype(np.uint8)
    micro = Microstructure(labels, 1e-6, {"pore": 0, "active": 1})
    write_microstructure(micro, path)
    return micro


def study(folder: Path, extra: str = "") -> Path:
    if not (folder / "labels.tif").exists():
        image(folder / "labels.tif")
    path = folder / "study.yaml"
    path.write_text(STUDY.format(image="labels.tif", extra=extra), encoding="utf-8")
    return path


class Log:
    def __init__(self) -> None:
        self.begun: list[str] = []
        self.notes: list[str] = []
        self.done_before = -1

    def planned(self, tasks: list[Task], done: int) -> None:
        self.done_before = done

    def started(self, task: Task) -> None:
        self.begun.append(task.stage)

    def working(self, task: Task, text: str) -> None: ...

    def finished(self, task: Task, entry: Entry) -> None: ...

    def note(self, text: str) -> None:
        self.notes.append(text)


def test_a_run_leaves_results_records_and_its_study(tmp_path: Path) -> None:
    path = study(tmp_path)
    outcome = run_study(path)
    assert outcome.folder == default_folder(path) == tmp_path / "study-run"
    assert (outcome.folder / "study.yaml").read_text() == path.read_text()
    fraction = {q.phase: q for q in outcome.results.quantities if q.name == "volume_fraction"}
    micro = image(tmp_path / "again.tif")
    assert fraction["pore"].value == micro.volume_fraction("pore")
    # The two fractions add up to one, so their uncertainties are equal.
    assert fraction["pore"].uncertainty.sampling == pytest.approx(
        fraction["active"].uncertainty.sampling, rel=1e-9
    )
    record = json.loads((outcome.folder / fraction["pore"].source / "record.json").read_text())
    assert record["stage"] == "fractions/pore" and record["seconds"] >= 0
    assert {"microtwin", "numpy", "numba", "python"} <= set(record["versions"])
    assert record["peak_memory_bytes"] > 1e7  # Python alone takes more


def test_a_second_run_computes_nothing_and_changes_nothing(tmp_path: Path) -> None:
    path = study(tmp_path)
    first = run_study(path)
    files = {p: p.stat().st_mtime_ns for p in first.folder.rglob("*") if p.name != ".lock"}
    second = run_study(path)
    assert (second.computed, second.reused) == (0, first.computed)
    assert second.results == first.results
    assert {p: p.stat().st_mtime_ns for p in first.folder.rglob("*") if p.name != ".lock"} == files


def test_only_what_depends_on_a_change_is_computed_again(tmp_path: Path) -> None:
    path = study(tmp_path)
    run_study(path)
    path.write_text(path.read_text().replace("labels only", "another name") + "descriptors: true\n")
    assert run_study(path).computed == 0
    path.write_text(path.read_text() + "uncertainty: {discretisation: false}\n")
    log = Log()
    run_study(path, watcher=log)
    assert log.begun == STAGES[1:]  # the microstructure is the same
    path = study(tmp_path, "coarsen: 2")
    log = Log()
    assert run_study(path, watcher=log).results.microstructure.shape == (12, 12, 12)
    assert log.begun == STAGES


def test_the_content_of_the_image_counts_and_not_its_place(tmp_path: Path) -> None:
    path = study(tmp_path)
    run_study(path)
    (tmp_path / "labels.tif").rename(tmp_path / "moved.tif")
    path.write_text(path.read_text().replace("labels.tif", "moved.tif"))
    assert run_study(path).computed == 0
    labels = np.zeros((8, 8, 8), np.uint8)
    labels[:4] = 1
    other = Microstructure(labels, 1e-6, {"pore": 0, "active": 1})
    write_microstructure(other, tmp_path / "moved.tif")
    outcome = run_study(path)
    assert outcome.computed == len(STAGES)
    assert outcome.results.microstructure.shape == (8, 8, 8)


def test_a_damaged_result_is_set_aside_and_computed_again(tmp_path: Path) -> None:
    path = study(tmp_path)
    outcome = run_study(path)
    before = outcome.results_file.read_bytes()
    (labels,) = outcome.folder.glob("microstructure/*/labels.npy")
    content = bytearray(labels.read_bytes())
    content[-1] ^= 1
    labels.write_bytes(content)
    states = {stage.stage: stage.state for stage in study_status(path)[0]}
    assert states["microstructure"] == "damaged" and states["descriptors"] == "done"
    log = Log()
    assert run_study(path, watcher=log).computed == 1
    assert log.begun == ["microstructure"]
    assert any("microstructure is damaged" in note for note in log.notes)
    assert outcome.results_file.read_bytes() == before
    assert all(stage.state == "done" for stage in study_status(path)[0])


@pytest.mark.parametrize("kind", ["threads", "processes"])
def test_any_executor_gives_the_same_results(tmp_path: Path, kind: str) -> None:
    path = study(tmp_path)
    serial = run_study(path, tmp_path / "serial")
    pool: Any = (
        ThreadPoolExecutor(2)
        if kind == "threads"
        else ProcessPoolExecutor(2, mp_context=get_context("spawn"))
    )
    with pool:
        parallel = run_study(path, tmp_path / kind, executor=pool)
    assert parallel.results_file.read_bytes() == serial.results_file.read_bytes()


def test_two_runs_at_once_in_one_process(tmp_path: Path) -> None:
    path = study(tmp_path)
    folder = default_folder(path)
    with run_lock(folder):
        with pytest.raises(StudyError) as caught:
            run_study(path)
        assert study_status(path)[1] == f"process {os.getpid()} on {os.uname().nodename}"
    told = str(caught.value)
    assert "another run is working" in told and f"process {os.getpid()}" in told
    assert "--into" in told and "\n" not in told
    assert study_status(path)[1] is None
    run_study(path)


def test_the_lock_dies_with_its_process(tmp_path: Path) -> None:
    path = study(tmp_path)
    folder = default_folder(path)
    code = (
        "import sys, time, pathlib\n"
        "from microtwin.study.locking import run_lock\n"
        "with run_lock(pathlib.Path(sys.argv[1])):\n"
        "    print('locked', flush=True)\n"
        "    time.sleep(60)\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert child.stdout is not None and child.stdout.readline() == "locked\n"
        with pytest.raises(StudyError, match=f"process {child.pid}"):
            run_study(path)
    finally:
        child.kill()
        child.wait()
    run_study(path)


def test_a_folder_of_other_things_is_refused(tmp_path: Path) -> None:
    path = study(tmp_path)
    with pytest.raises(StudyError, match="holds other files"):
        run_study(path, tmp_path)
    with pytest.raises(StudyError, match="is a file"):
        run_study(path, tmp_path / "labels.tif")


def test_a_disk_that_fills_up_keeps_what_was_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = study(tmp_path)
    real, calls = np.save, []

    def save(file: Any, array: Any, **options: Any) -> None:
        calls.append(file)
        raise OSError(errno.ENOSPC, "No space left on device")

    run_study(path)
    path = study(tmp_path, "coarsen: 2")
    monkeypatch.setattr(store_module.np, "save", save)
    with pytest.raises(StudyError, match=r"is full; what was computed before is kept"):
        run_study(path)
    assert calls
    monkeypatch.setattr(store_module.np, "save", real)
    path = study(tmp_path)
    assert run_study(path).computed == 0


def test_a_folder_that_cannot_be_made_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    path = study(tmp_path)
    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(StudyError, match=r"cannot be written \(Read-only file system\)"):
        run_study(path)


def test_ctrl_c_leaves_a_run_that_goes_on(tmp_path: Path) -> None:
    path = study(tmp_path)

    class Impatient(Log):
        def started(self, task: Task) -> None:
            if task.stage == "fractions/pore":
                raise KeyboardInterrupt
            super().started(task)

    with pytest.raises(KeyboardInterrupt):
        run_study(path, watcher=Impatient())
    log = Log()
    run_study(path, watcher=log)
    assert log.begun == STAGES[2:]


def test_results_are_written_last(tmp_path: Path) -> None:
    path = study(tmp_path)
    outcome = run_study(path)
    text = outcome.results_file.read_text()
    outcome.results_file.write_text("{")
    assert run_study(path).computed == 0
    assert outcome.results_file.read_text() == text


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ("crop: {z: [0, 99]}", ["99", "24 voxels along z"]),
        ("crop: {z: [3, 4]}", ["fewer than 2 voxels"]),
    ],
)
def test_a_crop_outside_the_image(tmp_path: Path, extra: str, words: list[str]) -> None:
    with pytest.raises(StudyError) as caught:
        run_study(study(tmp_path, extra))
    assert all(word in str(caught.value) for word in words)
    assert "line 6, image.crop" in str(caught.value)


def test_a_crop_and_a_coarsening(tmp_path: Path) -> None:
    path = study(tmp_path, "crop: {z: [0, 16], x: [4, 20]}\n  coarsen: 2")
    results = run_study(path).results
    expected = image(tmp_path / "again.tif").crop(z=slice(0, 16), x=slice(4, 20)).coarsen(2)
    assert results.microstructure.shape == expected.shape
    assert results.microstructure.volume_fractions == expected.volume_fractions
    assert results.microstructure.voxel_size == pytest.approx((2e-6,) * 3)


def test_an_image_that_is_not_there(tmp_path: Path) -> None:
    path = study(tmp_path)
    path.write_text(path.read_text().replace("labels.tif", "lables.tif"))
    with pytest.raises(StudyError, match=r"study.yaml, line 3, image.path: there is no file"):
        run_study(path)


def test_a_label_without_a_name_is_listed_with_its_count(tmp_path: Path) -> None:
    path = study(tmp_path)
    path.write_text(path.read_text().replace("active: 1", "active: 2"))
    count = np.count_nonzero(image(tmp_path / "again.tif").labels)
    with pytest.raises(ValueError, match=rf"1 \({count} voxels\)"):
        run_study(path)


def test_a_truncated_image(tmp_path: Path) -> None:
    path = study(tmp_path)
    whole = (tmp_path / "labels.tif").read_bytes()
    (tmp_path / "labels.tif").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"labels\.tif"):
        run_study(path)


def test_stages_wait_for_their_inputs(tmp_path: Path) -> None:
    """With more workers than stages, none starts before its microstructure is stored."""
    path = study(tmp_path)
    finished: list[str] = []

    class Order(Log):
        def started(self, task: Task) -> None:
            assert all(needed.stage in finished for needed in task.inputs.values())

        def finished(self, task: Task, entry: Entry) -> None:
            finished.append(task.stage)

    with ThreadPoolExecutor(8) as pool:
        run_study(path, executor=pool, watcher=Order())
    assert sorted(finished) == sorted(STAGES)
