"""Run a study: execute what the store does not hold yet, then publish results and report."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from .errors import DamagedEntryError, StudyError
from .estimate import estimate_cost, require_memory
from .live import listening
from .locking import LOCK_NAME, lock_holder, run_lock
from .planning import plan
from .reading import StudyFile, read_study
from .reporting import publish_report
from .results import Results, summarise, write_results
from .store import Entry, EntryState, Store, write_file
from .tasks import Executor, SerialExecutor, Task, execute

__all__ = [
    "Outcome",
    "StageStatus",
    "Watcher",
    "default_folder",
    "rewrite_report",
    "run_study",
    "study_status",
]


class Watcher(Protocol):
    """Told what a run is doing; the methods return at once."""

    def planned(self, tasks: list[Task], done: int) -> None:
        """Take note of how many tasks there are and how many are in the store already."""

    def started(self, task: Task) -> None:
        """Take note that a task begins."""

    def finished(self, task: Task, entry: Entry) -> None:
        """Take note that the result of a task is in the store."""

    def working(self, task: Task, text: str) -> None:
        """Take note of how far a task is."""

    def note(self, text: str) -> None:
        """Take note of something the user should know."""


class _Silent:
    def planned(self, tasks: list[Task], done: int) -> None: ...
    def started(self, task: Task) -> None: ...
    def finished(self, task: Task, entry: Entry) -> None: ...
    def working(self, task: Task, text: str) -> None: ...
    def note(self, text: str) -> None: ...


@dataclass(frozen=True)
class Outcome:
    """A finished run.

    Parameters
    ----------
    folder : Path
        The run directory.
    results : Results
        The content of results.json.
    results_file : Path
    report : Path or None
        report.html, unless the study switches it off.
    computed, reused : int
        How many stages were computed now and how many were in the store.
    """

    folder: Path
    results: Results
    results_file: Path
    report: Path | None
    computed: int
    reused: int


@dataclass(frozen=True)
class StageStatus:
    """Where a stage of a study stands: "done", "missing" or "damaged"."""

    stage: str
    key: str
    state: EntryState
    seconds: float | None


def default_folder(study: str | Path) -> Path:
    """Return the run directory of a study file: its name with ``-run``, next to it."""
    path = Path(study)
    return path.parent / f"{path.stem}-run"


def run_study(
    study: str | Path,
    into: str | Path | None = None,
    executor: Executor | None = None,
    watcher: Watcher | None = None,
) -> Outcome:
    """Run a study file; what has been computed before is not computed again.

    Parameters
    ----------
    study : str or Path
        The study file.
    into : str or Path, optional
        Run directory; by default next to the study file, see `default_folder`.
    executor : Executor, optional
        Anything with a ``submit`` method in the style of `concurrent.futures` whose workers see
        the same disk. By default the stages run one after another in this process.
    watcher : Watcher, optional
        Told about the progress.

    Returns
    -------
    Outcome

    Raises
    ------
    StudyError
        If the study is not valid, the run directory is in use or cannot be written, or a stage
        fails. What was computed until then stays in the store.
    """
    watcher = watcher or _Silent()
    file = read_study(study)
    folder = Path(into) if into is not None else default_folder(study)
    _check_folder(folder)
    tasks = plan(file)
    with run_lock(folder):
        store = Store(folder)
        store.clean()
        _keep_study(file, folder / "study.yaml")
        found = _stored(store, tasks, watcher)
        reused = len(found)
        if reused < len(tasks):
            require_memory(file, estimate_cost(file))
        watcher.planned(tasks, reused)
        entries = _execute(tasks, found, folder, executor or SerialExecutor(), watcher)
        outcome = _publish(file, folder, entries, reused < len(tasks), watcher)
    return Outcome(folder, *outcome, computed=len(tasks) - reused, reused=reused)


def study_status(
    study: str | Path, into: str | Path | None = None
) -> tuple[list[StageStatus], str | None]:
    """Tell where each stage of a study stands, and who is working on it.

    Parameters
    ----------
    study, into : str or Path
        As in `run_study`.

    Returns
    -------
    stages : list of StageStatus
    holder : str or None
        The process that is running the study now.

    Raises
    ------
    StudyError
        If the study is not valid.
    """
    folder = Path(into) if into is not None else default_folder(study)
    store = Store(folder)
    found = []
    for task in plan(read_study(study)):
        state = store.state(task.stage, task.key)
        seconds = None
        if state == "done":
            entry = store.open(task.stage, task.key)
            seconds = entry.record["seconds"] if entry is not None else None
        found.append(StageStatus(task.stage, task.key, state, seconds))
    return found, lock_holder(folder)


def rewrite_report(study: str | Path, into: str | Path | None = None) -> Path:
    """Write the report of a finished run anew.

    Raises
    ------
    StudyError
        If stages are missing or damaged, or the run directory is in use.
    """
    file = read_study(study)
    folder = Path(into) if into is not None else default_folder(study)
    entries = finished_entries(file, folder)
    with run_lock(folder):
        return publish_report(file, folder, entries, summarise(file, entries))


def finished_entries(file: StudyFile, folder: Path) -> dict[str, Entry]:
    """Return the stored results of every stage of a study.

    Raises
    ------
    StudyError
        If one of them is missing or damaged.
    """
    store, entries = Store(folder), {}
    for task in plan(file):
        try:
            entry = store.open(task.stage, task.key)
        except DamagedEntryError:
            entry = None
        if entry is None:
            raise StudyError(
                f"the stage {task.stage} is not finished in {folder}; run "
                f"'microtwin run {file.path.name}' first"
            )
        entries[task.stage] = entry
    return entries


def _check_folder(folder: Path) -> None:
    """Refuse to mix a run with a folder of other things."""
    if folder.is_file():
        raise StudyError(f"{folder} is a file; choose a folder with --into")
    if folder.is_dir() and not (folder / LOCK_NAME).exists() and any(folder.iterdir()):
        raise StudyError(
            f"{folder} holds other files and no run; choose an empty or a new folder with --into"
        )


def _keep_study(file: StudyFile, path: Path) -> None:
    if not path.is_file() or path.read_text(encoding="utf-8") != file.text:
        write_file(path, file.text)


def _stored(store: Store, tasks: list[Task], watcher: Watcher) -> dict[str, Entry]:
    found = {}
    for task in tasks:
        try:
            entry = store.open(task.stage, task.key)
        except DamagedEntryError:
            place = store.set_aside(task.stage, task.key)
            watcher.note(f"the stored result of {task.stage} is damaged; set aside in {place}")
            continue
        if entry is not None:
            found[task.stage] = entry
    return found


def _execute(
    tasks: list[Task],
    found: Mapping[str, Entry],
    folder: Path,
    executor: Executor,
    watcher: Watcher,
) -> dict[str, Entry]:
    """Run the tasks that are not in the store, each as soon as its inputs are there."""
    entries = dict(found)
    waiting = [task for task in tasks if task.stage not in entries]
    running: dict[Future[Entry], Task] = {}
    try:
        while waiting or running:
            ready = [t for t in waiting if all(i.stage in entries for i in t.inputs.values())]
            # One at a time keeps the order of the plan when tasks finish as they are submitted.
            for task in ready[:1]:
                waiting.remove(task)
                watcher.started(task)
                with listening(partial(watcher.working, task)):
                    running[executor.submit(execute, task, folder)] = task
            if len(ready) > 1 and not any(future.done() for future in running):
                continue
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                task = running.pop(future)
                entries[task.stage] = _result(future, task)
                watcher.finished(task, entries[task.stage])
    except BaseException:
        for future in running:
            future.cancel()
        raise
    return {task.stage: entries[task.stage] for task in tasks}


def _result(future: Future[Entry], task: Task) -> Entry:
    try:
        return future.result()
    except MemoryError as error:
        raise StudyError(
            f"stage {task.stage} needs more memory than there is; 'microtwin check' says how much, "
            "and which coarsening of the image fits"
        ) from error
    except StudyError:
        raise
    except ValueError as error:
        raise StudyError(f"stage {task.stage}: {error}") from error


def _publish(
    file: StudyFile,
    folder: Path,
    entries: Mapping[str, Entry],
    changed: bool,
    watcher: Watcher,
) -> tuple[Results, Path, Path | None]:
    """Write the report, then results.json, whose presence says that all of it is there."""
    results = summarise(file, entries)
    text = write_results(results)
    path, report = folder / "results.json", folder / "report.html"
    current = path.is_file() and path.read_text(encoding="utf-8") == text
    if changed or not current or (file.study.output.report and not report.is_file()):
        path.unlink(missing_ok=True)
        report.unlink(missing_ok=True)
        if file.study.output.report:
            watcher.note("writing the report")
            publish_report(file, folder, entries, results)
        write_file(path, text)
    return results, path, report if report.is_file() else None
