"""Errors of the study room: one sentence each, saying what to do."""

from __future__ import annotations

import errno
from pathlib import Path

__all__ = ["DamagedEntryError", "RunInUseError", "StorageError", "StudyError", "storage_error"]

_FULL = (errno.ENOSPC, errno.EDQUOT)
_CLOSED = (errno.EROFS, errno.EACCES, errno.EPERM)


class StudyError(ValueError):
    """Something about the study or its run directory that the user can put right."""


class RunInUseError(StudyError):
    """Another process is working in the run directory."""


class StorageError(StudyError):
    """The disk did not take what was to be written."""


class DamagedEntryError(StudyError):
    """A stored result does not have the checksum that it was written with."""


def storage_error(error: OSError, folder: Path) -> StorageError:
    """Put a failed write into one sentence that says what to do.

    Parameters
    ----------
    error : OSError
        What the operating system said.
    folder : Path
        The run directory.

    Returns
    -------
    StorageError
    """
    # NumPy reports a write that was cut short without a number: "96 requested and 32 written".
    cut_short = error.errno is None and "requested and" in str(error)
    if error.errno in _FULL or cut_short:
        return StorageError(
            f"the disk that holds {folder} is full; what was computed before is kept, so free some "
            "space and run again, or choose a folder on another disk with --into"
        )
    if error.errno in _CLOSED:
        return StorageError(
            f"{folder} cannot be written ({error.strerror}); what was computed before is kept, so "
            "make it writable or choose another folder with --into"
        )
    return StorageError(
        f"writing in {folder} failed ({error.strerror or error}); what was computed before is "
        "kept, so run again, or choose another folder with --into"
    )
