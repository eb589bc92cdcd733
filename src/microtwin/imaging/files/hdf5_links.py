"""The files that a dataset of HDF5 comes from, besides the one in which it is looked up.

A name may lead through links to other files; a dataset may keep its numbers in files without any
format (external storage), or be put together from datasets of other files (a virtual dataset).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from glob import escape, glob
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import h5py

__all__ = ["files_behind"]

# The number of a file in the name of a series, as virtual datasets have it.
_NUMBER = re.compile(r"%\d*b")


def files_behind(path: Path, names: Iterable[str]) -> tuple[Path, ...]:
    """Return the other files that datasets come from.

    Parameters
    ----------
    path : Path
        An HDF5 file.
    names : iterable of str
        Datasets in it; those that are not there are left out.

    Returns
    -------
    tuple of Path
        Those that exist, each once, in the order in which they are met.
    """
    trail = _Trail(path)
    for name in names:
        trail.follow(path, name)
    return tuple(trail.files.values())


class _Trail:
    """The files met so far, by where they really lie."""

    def __init__(self, start: Path) -> None:
        self.files: dict[Path, Path] = {}
        self._start = start.resolve()
        self._seen: set[tuple[Path, str]] = set()

    def follow(self, path: Path, name: str) -> None:
        """Note what lies between a name in a file and its numbers; links may lead in circles."""
        import h5py

        place = (path.resolve(), name)
        if place in self._seen:
            return
        self._seen.add(place)
        try:
            with h5py.File(path, "r") as file:
                self._walk(file, path, [part for part in name.split("/") if part])
        except (OSError, KeyError, RuntimeError):
            # Who reads the dataset tells what is damaged or missing.
            return

    def _walk(self, file: h5py.File, path: Path, parts: list[str]) -> None:
        import h5py

        item = file
        for number, part in enumerate(parts):
            link = item.get(part, getlink=True)
            rest = parts[number + 1 :]
            if isinstance(link, h5py.ExternalLink):
                other = _located(path.parent, link.filename)
                if other is not None:
                    self._note(other)
                    self.follow(other, "/".join([link.path, *rest]))
                return
            if isinstance(link, h5py.SoftLink):
                above = "" if link.path.startswith("/") else item.name
                self.follow(path, "/".join([above, link.path, *rest]))
                return
            item = item[part]
        if isinstance(item, h5py.Dataset):
            self._storage(item, path)

    def _storage(self, dataset: h5py.Dataset, path: Path) -> None:
        for name, *_ in dataset.external or ():
            other = _located(path.parent, name)
            if other is not None:
                self._note(other)
        for source in dataset.virtual_sources() if dataset.is_virtual else ():
            others = [path] if source.file_name == "." else _series(path.parent, source.file_name)
            for other in others:
                self._note(other)
                self.follow(other, source.dset_name)

    def _note(self, path: Path) -> None:
        if path.resolve() != self._start:
            self.files.setdefault(path.resolve(), path)


def _located(folder: Path, name: str) -> Path | None:
    """Return the file that a name in a file of this folder stands for, if it is there."""
    # Names written on other systems may separate folders with a backslash.
    beside = folder / Path(name.replace("\\", "/")).name
    return next((file for file in (folder / name, beside, Path(name)) if file.is_file()), None)


def _series(folder: Path, name: str) -> list[Path]:
    if not _NUMBER.search(name):
        found = _located(folder, name)
        return [] if found is None else [found]
    pattern = "*".join(escape(part) for part in _NUMBER.split(str(folder / name)))
    return sorted(Path(file) for file in glob(pattern))
