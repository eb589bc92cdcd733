"""Choose one volume among the arrays of a file that can hold many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .axis_tags import order_of

__all__ = ["Candidate", "choose", "volume_axes"]

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


def choose(
    path: Path,
    candidates: Sequence[Candidate],
    dataset: str | None,
    preferred: Candidate | None = None,
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

    Raises
    ------
    ValueError
        If the named array is not there or is no volume; if none is named and there is no volume
        or several.
    """
    volumes = [candidate for candidate in candidates if volume_axes(candidate)]
    if dataset is not None:
        found = next((c for c in candidates if c.name.strip("/") == dataset.strip("/")), None)
        if found is None:
            raise ValueError(
                f"{path} holds no dataset {dataset!r}; its volumes are {_listed(volumes)}"
            )
        if not volume_axes(found):
            raise ValueError(f"{path}: {found} is {_NO_VOLUME}; its volumes are {_listed(volumes)}")
        return found
    if preferred is not None and volume_axes(preferred):
        return preferred
    if len(volumes) == 1:
        return volumes[0]
    if not volumes:
        others = f", only {_listed(candidates)}" if candidates else ""
        raise ValueError(
            f"{path} holds no 3-D dataset of numbers{others}; export the volume with one number "
            "per voxel, one channel and one time"
        )
    raise ValueError(
        f"{path} holds {len(volumes)} volumes, {_listed(volumes)}; name the one that is meant, "
        f"dataset={volumes[0].name.strip('/')!r}"
    )


_NO_VOLUME = "not a 3-D array of numbers with one channel and one time"


def _listed(candidates: Sequence[Candidate]) -> str:
    shown = ", ".join(map(str, candidates[:_LISTED])) or "none"
    more = len(candidates) - _LISTED
    return f"{shown} and {more} more" if more > 0 else shown
