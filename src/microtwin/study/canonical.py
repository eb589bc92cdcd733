"""One spelling for data that is hashed, stored or compared."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["digest_of_file", "digest_of_source", "dumps", "key_of", "plain"]

_BLOCK = 1 << 20


def plain(value: Any) -> Any:
    """Return a value as JSON knows it: NumPy scalars as numbers, tuples as lists.

    Infinity and NaN become None, because JSON has no word for them.
    """
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, bool) or value is None or isinstance(value, (int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


def dumps(value: Any, indent: int | None = None) -> str:
    """Write JSON with sorted keys, so that equal data is equal text."""
    separators = (",", ":") if indent is None else (",", ": ")
    return json.dumps(
        plain(value),
        sort_keys=True,
        separators=separators,
        indent=indent,
        allow_nan=False,
        ensure_ascii=False,
    )


def key_of(value: Any) -> str:
    """Return the SHA-256 of data in its canonical spelling, 64 hexadecimal digits."""
    return hashlib.sha256(dumps(value).encode()).hexdigest()


def digest_of_file(path: Path) -> str:
    """Return the BLAKE2b checksum of a file's content, 64 hexadecimal digits."""
    checksum = hashlib.blake2b(digest_size=32)
    with open(path, "rb") as file:
        while block := file.read(_BLOCK):
            checksum.update(block)
    return checksum.hexdigest()


def digest_of_source(path: Path, *companions: Path) -> str:
    """Return a checksum of a file, or of the names and contents of the files in a folder.

    With companions, other files that its content refers to, theirs count too, in this order and
    without their names: the file itself names them.
    """
    if companions:
        return key_of([digest_of_source(path), *map(digest_of_file, companions)])
    if path.is_file():
        return digest_of_file(path)
    files = sorted(p for p in path.rglob("*") if p.is_file())
    return key_of([[p.relative_to(path).as_posix(), digest_of_file(p)] for p in files])
