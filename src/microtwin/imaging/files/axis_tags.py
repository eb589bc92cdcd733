"""Axes that a file names by letters, as ilastik, vigra and others write them.

The attribute ``axistags`` of ilastik (https://www.ilastik.org) is a JSON text of vigra: one entry
per axis of the array, slowest first, with its letter (``key``) and the distance of voxels
(``resolution``, 0 if not known). The attribute ``axis_units`` adds a JSON of units by letter.
Others keep the letters alone, ``axes = "zyxc"``, or as the labels of the dimensions of HDF5.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...microstructure import VoxelSize
from .stored import calibrated

__all__ = ["letters_of", "order_of", "tagged_voxel_size"]

_LETTERS = "tczyx"


def letters_of(attributes: Mapping[str, Any], count: int) -> str | None:
    """Return the letters of the axes of an array, slowest first.

    Parameters
    ----------
    attributes : mapping
        Attributes of the array.
    count : int
        Number of its axes.

    Returns
    -------
    str or None
        Of the letters t, c, z, y, x, each at most once; None if the attributes tell nothing of
        the kind for so many axes.
    """
    named: list[str] = [str(tag.get("key", "")) for tag in _tags(attributes)]
    for key in ("axes", "DIMENSION_LABELS"):
        if not named and key in attributes:
            items = np.ravel(attributes[key]).tolist()
            named = [item.decode() if isinstance(item, bytes) else str(item) for item in items]
    letters = "".join(named).lower()
    known = len(letters) == count == len(set(letters)) and set(letters) <= set(_LETTERS)
    return letters if known else None


def order_of(letters: str, shape: Sequence[int]) -> tuple[int, ...] | None:
    """Return which axes are z, y and x.

    Parameters
    ----------
    letters : str
        Of the axes, as `letters_of` returns them.
    shape : sequence of int
        Their lengths.

    Returns
    -------
    3 ints or None
        None if it is no volume of one channel and one time. Without an axis z that of time is
        taken for it: programs load the pages of a stack as times.
    """
    spatial = "zyx" if "z" in letters else "tyx"
    if not set(spatial) <= set(letters):
        return None
    others = (n for letter, n in zip(letters, shape, strict=True) if letter not in spatial)
    if any(n > 1 for n in others):
        return None
    return tuple(letters.index(letter) for letter in spatial)


def tagged_voxel_size(attributes: Mapping[str, Any]) -> tuple[VoxelSize | None, str]:
    """Return the voxel size along (z, y, x) in metres that axis tags give, or a note without it."""
    tags = {str(tag.get("key")).lower(): tag for tag in _tags(attributes)}
    sizes = [float(tags.get(letter, {}).get("resolution", 0)) for letter in "zyx"]
    if not all(sizes):
        return None, "the names of the axes have no resolution"
    units = _json(attributes.get("axis_units"))
    return calibrated(sizes, [units.get(letter) for letter in "zyx"], "the axis tags")


def _tags(attributes: Mapping[str, Any]) -> list[dict[str, Any]]:
    return list(_json(attributes.get("axistags")).get("axes", []))


def _json(text: Any) -> dict[str, Any]:
    """Return what a JSON text holds; nothing if it is none, for others may use the same name."""
    if isinstance(text, Mapping):
        return dict(text)
    try:
        found = json.loads(text)
    except (TypeError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
