"""Choose one volume, or maps of phases, among the arrays of a file that can hold many."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from .axis_tags import order_of

__all__ = ["VOLUME", "Candidate", "Wanted", "choose", "map_axes", "maps_of", "volume_axes"]

_LISTED = 20


@dataclass(frozen=True)
class Candidate:
    """An array in a file that may be the volume that is meant.

    Parameters
    ----------
    name : str
        Path inside the file, with a leading slash.
    shape : tuple of int
    dtype : numpy dtype
    item : object
        What the library of the format calls it.
    letters : str or None
        Of its axes, as `axis_tags.letters_of` returns them.
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype
    item: Any
    letters: str | None = None

    def __str__(self) -> str:
        axes = f" {self.letters}" if self.letters else ""
        return f"{self.name} {self.shape}{axes} {self.dtype}"


def volume_axes(candidate: Candidate) -> tuple[int, ...] | None:
    """Return the axes of the volume in an array, or None if it holds no volume of numbers.

    Where letters name the axes, they are in the order (z, y, x). An array of more than three axes
    is a volume if all others have length one.
    """
    if candidate.dtype.kind not in "uifb":
        return None
    if candidate.letters:
        return order_of(candidate.letters, candidate.shape)
    axes = range(len(candidate.shape))
    if len(candidate.shape) > 3:
        axes = [axis for axis in axes if candidate.shape[axis] > 1]  # type: ignore[assignment]
    return tuple(axes) if len(axes) == 3 else None


def map_axes(candidate: Candidate, count: int) -> tuple[int, ...] | None:
    """Return the axes z, channel, y and x of maps in an array, or None if it holds none.

    Without letters the channel is the one axis that has as many entries as there are phases.

    Parameters
    ----------
    candidate : Candidate
    count : int
        Number of phases.
    """
    if candidate.dtype.kind not in "uif":
        return None
    letters, shape = candidate.letters, candidate.shape
    if letters:
        flat = [1 if letter == "c" else n for letter, n in zip(letters, shape, strict=True)]
        order = order_of(letters, flat)
        return (order[0], letters.index("c"), *order[1:]) if order and "c" in letters else None
    axes = [axis for axis, n in enumerate(shape) if n > 1 or len(shape) == 4]
    channels = [axis for axis in axes if shape[axis] == count]
    if len(axes) != 4 or len(channels) != 1:
        return None
    depth, height, width = (axis for axis in axes if axis not in channels)
    return depth, channels[0], height, width


@dataclass(frozen=True)
class Wanted:
    """What is looked for in a file, in the words of the messages."""

    axes_of: Callable[[Candidate], tuple[int, ...] | None]
    noun: str
    several: str
    described: str
    remedy: str


VOLUME = Wanted(
    volume_axes,
    "3-D dataset of numbers",
    "volumes",
    "not a 3-D array of numbers with one channel and one time",
    "export the volume with one number per voxel, one channel and one time",
)


def maps_of(count: int) -> Wanted:
    """Return what maps of so many phases are."""
    return Wanted(
        partial(map_axes, count=count),
        f"maps of {count} phases",
        "maps",
        f"not a 4-D array of numbers with one channel for each of {count} phases",
        "name one phase per channel, and name the axes in the file where two are as long as there "
        "are phases (as axes='zyxc' or axistags)",
    )


def choose(
    path: Path,
    candidates: Sequence[Candidate],
    dataset: str | None,
    preferred: Candidate | None = None,
    wanted: Wanted = VOLUME,
) -> Candidate:
    """Return the array that is meant.

    Parameters
    ----------
    path : Path
        The file, for the messages.
    candidates : sequence of Candidate
        The arrays in the file.
    dataset : str or None
        The name that the user gives.
    preferred : Candidate or None
        The one that the file itself names as its main content.
    wanted : Wanted
        Volumes, or maps of phases.

    Raises
    ------
    ValueError
        If the named array is not there or not what is wanted; if none is named and there is none
        or several.
    """
    fitting = [candidate for candidate in candidates if wanted.axes_of(candidate)]
    if dataset is not None:
        found = next((c for c in candidates if c.name.strip("/") == dataset.strip("/")), None)
        theirs = f"its {wanted.several} are {_listed(fitting)}"
        if found is None:
            raise ValueError(f"{path} holds no dataset {dataset!r}; {theirs}")
        if not wanted.axes_of(found):
            raise ValueError(f"{path}: {found} is {wanted.described}; {theirs}")
        return found
    if preferred is not None and wanted.axes_of(preferred):
        return preferred
    if len(fitting) == 1:
        return fitting[0]
    if not fitting:
        others = f", only {_listed(candidates)}" if candidates else ""
        raise ValueError(f"{path} holds no {wanted.noun}{others}; {wanted.remedy}")
    raise ValueError(
        f"{path} holds {len(fitting)} {wanted.several}, {_listed(fitting)}; name the one that is "
        f"meant, dataset={fitting[0].name.strip('/')!r}"
    )


def _listed(candidates: Sequence[Candidate]) -> str:
    shown = ", ".join(map(str, candidates[:_LISTED])) or "none"
    more = len(candidates) - _LISTED
    return f"{shown} and {more} more" if more > 0 else shown
