"""Show the progress of a run: a bar in a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ..study.runner import Watcher
from ..study.store import Entry
from ..study.tasks import Task
from .consoles import messages

__all__ = ["watching"]


@contextmanager
def watching() -> Iterator[Watcher]:
    """Yield a watcher that writes to the standard error."""
    console = messages()
    if not console.is_terminal:
        yield _Lines(console)
        return
    bar = Progress(
        BarColumn(bar_width=12),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
        console=console,
        transient=True,
    )
    with bar:
        yield _Bar(bar)


class _Lines:
    def __init__(self, console: Console) -> None:
        self._console = console
        self._total = self._done = 0

    def planned(self, tasks: list[Task], done: int) -> None:
        self._total, self._done = len(tasks), done
        if done:
            self.note(f"{done} of {len(tasks)} stages are in the store already")

    def started(self, task: Task) -> None:
        pass

    def working(self, task: Task, text: str) -> None:
        pass

    def finished(self, task: Task, entry: Entry) -> None:
        self._done += 1
        self.note(f"[{self._done}/{self._total}] {task.stage} {entry.record['seconds']:.1f} s")

    def note(self, text: str) -> None:
        self._console.print(text, markup=False, soft_wrap=True)


class _Bar:
    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._id = bar.add_task("", total=None)

    def planned(self, tasks: list[Task], done: int) -> None:
        self._bar.update(self._id, total=len(tasks), completed=done)

    def started(self, task: Task) -> None:
        self._bar.update(self._id, description=escape(task.stage))

    def working(self, task: Task, text: str) -> None:
        self._bar.update(self._id, description=escape(f"{task.stage}: {text}"))

    def finished(self, task: Task, entry: Entry) -> None:
        self._bar.update(self._id, advance=1)

    def note(self, text: str) -> None:
        self._bar.console.print(text, style="dim", markup=False, soft_wrap=True)
