"""Results on disk, found by what they were computed from.

An entry is a folder ``<root>/<stage>/<key>`` with data files and a ``record.json``. The key is a
hash of everything that determines the data, so an entry never changes: it is written in a
temporary folder next door and renamed once. A process that dies leaves either a complete entry or
a temporary folder that the next run removes. The record holds a checksum of each file, which is
compared before the file is used; an entry that does not agree is set aside and computed again.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import socket
import sys
import traceback
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .canonical import digest_of_file, dumps, key_of, plain
from .errors import DamagedEntryError, storage_error

__all__ = ["Entry", "EntryState", "StageOutput", "Store", "write_file"]

EntryState = Literal["done", "missing", "damaged"]
RECORD = "record.json"
NUMBERS = "data.json"
_TEMPORARY = ".tmp-"


@dataclass(frozen=True, eq=False)
class StageOutput:
    """What a stage hands to the store.

    Parameters
    ----------
    numbers : mapping
        Anything that JSON can hold; stored as ``data.json``. Infinity and NaN become null.
    arrays : mapping of str to ndarray
        Stored as ``<name>.npy``.
    files : mapping of str to callable
        File name and a function that writes the file at the path that it is given.
    checks : list of dict
        Each with name, value, limit and verdict; kept in the record.
    """

    numbers: Mapping[str, Any]
    arrays: Mapping[str, NDArray] = field(default_factory=dict)
    files: Mapping[str, Callable[[Path], object]] = field(default_factory=dict)
    checks: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Entry:
    """A stored result; each file is compared with its checksum before it is read."""

    folder: Path
    record: Mapping[str, Any]

    @property
    def stage(self) -> str:
        """Name of the stage that made it."""
        return self.record["stage"]

    @property
    def key(self) -> str:
        """Hash of everything that determines the data."""
        return self.record["key"]

    @property
    def numbers(self) -> dict[str, Any]:
        """The content of ``data.json``."""
        return json.loads(self.file(NUMBERS).read_text(encoding="utf-8"))

    def array(self, name: str) -> NDArray:
        """Return a stored array."""
        return np.load(self.file(f"{name}.npy"), allow_pickle=False)

    def has(self, filename: str) -> bool:
        """Whether the entry holds a file of this name."""
        return filename in self.record["files"]

    def file(self, filename: str) -> Path:
        """Return the path of a data file after comparing its checksum.

        Raises
        ------
        DamagedEntryError
            If the file is missing or has another checksum.
        """
        path = self.folder / filename
        expected = self.record["files"][filename]["blake2b"]
        try:
            actual = digest_of_file(path)
        except OSError:
            actual = None
        if actual != expected:
            raise DamagedEntryError(
                f"{path} does not have the checksum that it was written with; run the study again, "
                "and this stage is computed anew"
            )
        return path

    def verify(self) -> None:
        """Compare every file with its checksum.

        Raises
        ------
        DamagedEntryError
            At the first file that does not agree.
        """
        for filename in self.record["files"]:
            self.file(filename)


class Store:
    """The stored results of one run directory.

    Parameters
    ----------
    root : Path
        The run directory.
    """

    def __init__(self, root: Path) -> None:
        self.root = Path(root)

    def folder(self, stage: str, key: str) -> Path:
        """Return where the entry of a stage lies, whether it is there or not."""
        return self.root / stage / key

    def open(self, stage: str, key: str) -> Entry | None:
        """Return an entry whose files all have their checksum, or None if there is no entry.

        Raises
        ------
        DamagedEntryError
            If there is an entry, but a file is missing or changed.
        """
        folder = self.folder(stage, key)
        if not folder.is_dir():
            return None
        try:
            record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
            entry = Entry(folder, record)
            content = {name: value for name, value in record.items() if name != "sha256"}
            intact = (entry.stage, entry.key, record["sha256"]) == (stage, key, key_of(content))
        except (OSError, ValueError, KeyError, TypeError):
            intact = False
        if not intact:
            raise DamagedEntryError(f"{folder / RECORD} is missing or cannot be read; run again")
        entry.verify()
        return entry

    def state(self, stage: str, key: str) -> EntryState:
        """Tell whether an entry is there and intact; changes nothing."""
        try:
            return "missing" if self.open(stage, key) is None else "done"
        except DamagedEntryError:
            return "damaged"

    def set_aside(self, stage: str, key: str) -> Path:
        """Move a damaged entry out of the way and return where it went."""
        target = (
            self.root / "damaged" / f"{stage.replace('/', '-')}-{key[:12]}-{uuid.uuid4().hex[:8]}"
        )
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(self.folder(stage, key), target)
        except OSError as error:
            raise storage_error(error, self.root) from error
        return target

    def write(self, stage: str, key: str, output: StageOutput, record: Mapping[str, Any]) -> Entry:
        """Store what a stage returned, together with its record.

        Parameters
        ----------
        stage, key : str
            Where the entry goes.
        output : StageOutput
            The data.
        record : mapping
            What is known about the computation; stage, key, checks and the checksums are added.

        Returns
        -------
        Entry

        Raises
        ------
        StorageError
            If the disk is full or read-only; the partial entry is removed.
        """
        temporary = (
            self.root / f"{_TEMPORARY}{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex}"
        )
        try:
            temporary.mkdir(parents=True)
            _write_data(temporary, output)
            files = {
                path.name: {"bytes": path.stat().st_size, "blake2b": digest_of_file(path)}
                for path in sorted(temporary.iterdir())
            }
            whole = plain(
                {**record, "stage": stage, "key": key, "files": files, "checks": output.checks}
            )
            whole["sha256"] = key_of(whole)
            _write_text(temporary / RECORD, dumps(whole, indent=2) + "\n")
            for path in temporary.iterdir():
                _sync(path)
            _sync(temporary)
            target = self.folder(stage, key)
            target.parent.mkdir(parents=True, exist_ok=True)
            _rename_once(temporary, target)
            _sync(target.parent)
        except OSError as error:
            shutil.rmtree(temporary, ignore_errors=True)
            raise storage_error(error, self.root) from error
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
        return Entry(target, json.loads((target / RECORD).read_text(encoding="utf-8")))

    def clean(self) -> int:
        """Remove what dead processes of this machine left half-written; return how many.

        To be called under the lock of the run directory, before anything is written.
        """
        removed = 0
        for path in self.root.glob(f"{_TEMPORARY}{socket.gethostname()}-*"):
            pid = path.name.rsplit("-", 2)[-2]
            # A temporary with our own number is older than us: nothing has been written yet.
            if pid.isdigit() and (int(pid) == os.getpid() or not _alive(int(pid))):
                shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink()
                removed += 1
        return removed


def write_file(path: Path, text: str) -> None:
    """Replace a text file at once: readers see the old content or the new, never a part.

    Raises
    ------
    StorageError
        If the disk is full or read-only; the old file is kept.
    """
    temporary = _temporary_in(path.parent)
    try:
        _write_text(temporary, text)
        _sync(temporary)
        os.replace(temporary, path)
        _sync(path.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise storage_error(error, path.parent) from error


def _temporary_in(folder: Path) -> Path:
    """Return a name that tells which process of which machine will have written it."""
    return folder / f"{_TEMPORARY}{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex}"


def _write_data(folder: Path, output: StageOutput) -> None:
    _write_text(folder / NUMBERS, dumps(output.numbers, indent=2) + "\n")
    for name, array in output.arrays.items():
        np.save(folder / f"{name}.npy", np.ascontiguousarray(array), allow_pickle=False)
    for name, write in output.files.items():
        with _one_complaint():
            write(folder / name)


@contextmanager
def _one_complaint() -> Iterator[None]:
    """Raise the first error of a writer and keep the echoes of it off the screen.

    HDF5 writes again when its objects are freed, and what fails there cannot be raised, so it is
    printed: once as a traceback and once as an unraisable exception.
    """
    hooks = sys.excepthook, sys.unraisablehook
    sys.excepthook = lambda *_: None
    sys.unraisablehook = lambda _: None
    try:
        yield
    except OSError as error:
        traceback.clear_frames(error.__traceback__)
        raise
    finally:
        sys.excepthook, sys.unraisablehook = hooks


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def _sync(path: Path) -> None:
    """Make sure that a file or a folder has reached the disk."""
    if path.is_dir() and os.name == "nt":
        return  # Windows cannot open a folder, and renames are durable there.
    handle = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _rename_once(temporary: Path, target: Path) -> None:
    try:
        os.rename(temporary, target)
    except OSError as error:
        if error.errno not in (errno.EEXIST, errno.ENOTEMPTY) and not target.is_dir():
            raise
        # Another worker has finished the same entry first; equal keys mean equal data.
        shutil.rmtree(temporary, ignore_errors=True)


def _alive(pid: int) -> bool:
    import psutil

    return psutil.pid_exists(pid)
