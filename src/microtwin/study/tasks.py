"""A stage of a study with its parameters and inputs, and how to execute one.

Tasks are plain data around a module-level function, so any executor with a ``submit`` method in
the style of `concurrent.futures` can run them, in this process or in others that see the same
disk: the worker reads the inputs from the store and writes the result there itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from .canonical import key_of
from .errors import StudyError
from .measuring import Meter, provenance
from .store import Entry, StageOutput, Store

__all__ = ["Executor", "Inputs", "SerialExecutor", "Source", "Task", "execute"]


@dataclass(frozen=True)
class Inputs:
    """What a stage function reads.

    Parameters
    ----------
    entries : mapping of str to Entry
        Stored results of other stages, by role.
    sources : mapping of str to Path
        Files of the user, by role.
    """

    entries: Mapping[str, Entry] = field(default_factory=dict)
    sources: Mapping[str, Path] = field(default_factory=dict)

    def __getitem__(self, role: str) -> Entry:
        return self.entries[role]


StageFunction = Callable[[Mapping[str, Any], Inputs], StageOutput]


@dataclass(frozen=True)
class Source:
    """A file or folder of the user with the checksum of its content."""

    path: Path
    digest: str


@dataclass(frozen=True, eq=False)
class Task:
    """One stage of a plan.

    Parameters
    ----------
    stage : str
        Name, which is also its folder in the run directory: ``"transport/pore-z"``.
    function : callable
        ``function(params, inputs)`` returns a `StageOutput` that depends on nothing else.
    version : int
        Raised whenever the function gives other results from the same input.
    params : mapping
        What JSON can hold.
    inputs : mapping of str to Task
        Tasks whose results are read, by role.
    sources : mapping of str to Source
        Files of the user that are read, by role; the key depends on their content, not on where
        they lie.
    """

    stage: str
    function: StageFunction
    version: int
    params: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, Task] = field(default_factory=dict)
    sources: Mapping[str, Source] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Hash of everything that determines the result."""
        return key_of(
            {
                "stage": self.stage,
                "version": self.version,
                "params": self.params,
                "inputs": {role: task.key for role, task in self.inputs.items()},
                "sources": {role: source.digest for role, source in self.sources.items()},
            }
        )


class Executor(Protocol):
    """The part of `concurrent.futures.Executor` that a run needs."""

    def submit(self, fn: Callable[..., Any], /, *args: Any) -> Future[Any]:
        """Schedule ``fn(*args)`` and return its future."""


class SerialExecutor:
    """Runs each call at once in this process: a single solve already uses every core."""

    def submit(self, fn: Callable[..., Any], /, *args: Any) -> Future[Any]:
        """Run ``fn(*args)`` and return a finished future; only `Exception` is kept in it."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args))
        except Exception as error:
            future.set_exception(error)
        return future


def execute(task: Task, root: Path) -> Entry:
    """Run one task whose inputs are in the store, and store its result.

    Parameters
    ----------
    task : Task
    root : Path
        The run directory.

    Returns
    -------
    Entry

    Raises
    ------
    StudyError
        If an input is missing or damaged, or the disk does not take the result.
    """
    store = Store(root)
    entries = {}
    for role, needed in task.inputs.items():
        entry = store.open(needed.stage, needed.key)
        if entry is None:
            raise StudyError(f"the result of {needed.stage} has gone from {root}; run again")
        entries[role] = entry
    inputs = Inputs(entries, {role: source.path for role, source in task.sources.items()})
    with Meter() as meter:
        output = task.function(task.params, inputs)
    record = {
        "version": task.version,
        "parameters": task.params,
        "inputs": {role: {"stage": t.stage, "key": t.key} for role, t in task.inputs.items()},
        "sources": {
            role: {"path": str(source.path), "blake2b": source.digest}
            for role, source in task.sources.items()
        },
        "started": meter.started,
        "seconds": round(meter.seconds, 3),
        "peak_memory_bytes": meter.peak_memory_bytes,
        **provenance(),
    }
    return store.write(task.stage, task.key, output, record)
