"""The study that needs no image."""

from __future__ import annotations

from pathlib import Path

from .errors import StudyError, storage_error
from .locking import LOCK_NAME
from .store import write_file

__all__ = ["demo_text", "write_demo"]


def demo_text() -> str:
    """Return the text of the demo study."""
    return Path(__file__).with_name("demo_study.yaml").read_text(encoding="utf-8")


def write_demo(folder: Path) -> Path:
    """Write the demo study as study.yaml in its run directory and return its path.

    Raises
    ------
    StudyError
        If the folder holds other things, or cannot be written.
    """
    if folder.is_dir() and not (folder / LOCK_NAME).exists() and any(folder.iterdir()):
        raise StudyError(f"{folder} holds other files and no run; choose a new folder with --into")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / LOCK_NAME).touch()
    except OSError as error:
        raise storage_error(error, folder) from error
    path = folder / "study.yaml"
    write_file(path, demo_text())
    return path
