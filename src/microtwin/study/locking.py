"""One process at a time in a run directory.

The lock is held by the operating system on an open file, so it disappears with the process that
holds it, however that process ends. The text in the file only tells others who holds it.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import RunInUseError, storage_error

__all__ = ["LOCK_NAME", "lock_holder", "run_lock"]

LOCK_NAME = ".lock"


@contextmanager
def run_lock(folder: Path) -> Iterator[None]:
    """Hold the lock of a run directory, which is created if it is not there.

    Parameters
    ----------
    folder : Path
        The run directory.

    Raises
    ------
    RunInUseError
        If another process holds the lock.
    StorageError
        If the directory cannot be created or written.
    """
    path = folder / LOCK_NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise storage_error(error, folder) from error
    try:
        if not _acquire_patiently(handle):
            raise RunInUseError(
                f"another run is working in {folder} ({_owner(path)}); wait until it has "
                "finished, or choose another folder with --into"
            )
        try:
            os.ftruncate(handle, 0)
            os.write(handle, f"process {os.getpid()} on {socket.gethostname()}\n".encode())
        except OSError as error:
            raise storage_error(error, folder) from error
        yield
    finally:
        os.close(handle)


def lock_holder(folder: Path) -> str | None:
    """Return who holds the lock of a run directory ("process 12 on host"), or None."""
    path = folder / LOCK_NAME
    try:
        handle = os.open(path, os.O_RDWR)
    except OSError:
        return None
    try:
        return None if _acquire(handle) else _owner(path)
    finally:
        os.close(handle)


def _owner(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip() or "unknown process"
    except OSError:
        return "unknown process"


def _acquire_patiently(handle: int) -> bool:
    # Whoever only asks who works here holds the lock for an instant; a run holds it for longer.
    for _ in range(4):
        if _acquire(handle):
            return True
        time.sleep(0.05)
    return False


def _acquire(handle: int) -> bool:
    try:
        import fcntl
    except ImportError:
        return _acquire_windows(handle)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _acquire_windows(handle: int) -> bool:
    import msvcrt

    # One byte far behind the text, so that others can still read who holds the lock.
    os.lseek(handle, 1 << 30, os.SEEK_SET)
    try:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
    except OSError:
        return False
    finally:
        os.lseek(handle, 0, os.SEEK_SET)
    return True
