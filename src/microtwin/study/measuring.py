"""What a computation cost and what it was computed with."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ..numerics import thread_count

__all__ = ["Meter", "provenance"]


class Meter:
    """Wall time and peak memory of a block of code.

    Attributes
    ----------
    seconds : float
        Wall time of the block.
    peak_memory_bytes : int or None
        Largest resident memory of the process during the block; on systems where that cannot be
        measured, since the start of the process; None where neither is known.
    """

    def __enter__(self) -> Meter:
        self.started = datetime.now(UTC).isoformat(timespec="seconds")
        _forget_peak()
        self._start = time.perf_counter()
        return self

    def __exit__(self, *exc: object) -> None:
        self.seconds = time.perf_counter() - self._start
        self.peak_memory_bytes = _peak()


def _forget_peak() -> None:
    # Linux forgets the high-water mark when asked; elsewhere it covers the life of the process.
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def _peak() -> int | None:
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    try:
        import resource
    except ImportError:
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def provenance() -> dict[str, Any]:
    """Return the versions, the commit if there is one, the machine and the number of threads."""
    return {
        "versions": _versions(),
        "commit": _commit(),
        "machine": {
            "platform": platform.platform(),
            "processor_cores": os.cpu_count(),
            "threads": thread_count(),
        },
    }


@cache
def _versions() -> dict[str, str]:
    from microtwin import __version__

    found = {"microtwin": __version__, "python": platform.python_version()}
    for name in ("numpy", "numba", "scipy"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


@cache
def _commit() -> str | None:
    """Return the git commit of the package if its files are under version control."""
    folder = Path(__file__).resolve().parent

    def git(*arguments: str) -> str | None:
        try:
            done = subprocess.run(
                ["git", "-C", str(folder), *arguments],
                capture_output=True,
                text=True,
                timeout=5,
                check=True,
            )
        except (OSError, subprocess.SubprocessError):
            return None
        return done.stdout.strip()

    if git("ls-files", "--error-unmatch", Path(__file__).name) is None:
        return None
    commit = git("rev-parse", "HEAD")
    if commit and git("status", "--porcelain", "--untracked-files=no", "--", "."):
        commit += " with local changes"
    return commit
