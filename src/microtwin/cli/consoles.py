"""Where the command line writes: results to one stream, messages to the other."""

from __future__ import annotations

import sys
from typing import TextIO

from rich.console import Console

__all__ = ["complain", "messages", "results"]

# A table that goes into a file or a pipe has no terminal to fit in.
WIDTH_WITHOUT_TERMINAL = 132


def results() -> Console:
    """Return the console for results (standard output)."""
    return _console(sys.stdout)


def messages() -> Console:
    """Return the console for progress and messages (standard error)."""
    return _console(sys.stderr)


def complain(text: str) -> None:
    """Say what went wrong."""
    console = messages()
    for line in text.splitlines():
        console.print("error:", style="bold red", end=" ")
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def _console(stream: TextIO) -> Console:
    width = None if stream.isatty() else WIDTH_WITHOUT_TERMINAL
    return Console(file=stream, width=width, highlight=False)
