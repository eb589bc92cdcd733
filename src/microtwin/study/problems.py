"""What is wrong in a study although each key is allowed by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Problem", "repeated"]


@dataclass(frozen=True)
class Problem:
    """Something in a study that is allowed by itself but does not fit the rest.

    Parameters
    ----------
    path : tuple of str or int
        Where it stands in the study file: ("transport", "phases", 0).
    message : str
        What is wrong and what to do.
    given, allowed : str, sequence of str
        What was written and what could have been, where that is a list of words.
    """

    path: tuple[str | int, ...]
    message: str
    given: str = ""
    allowed: Sequence[str] = ()


def repeated(path: tuple[str | int, ...], words: Sequence[str]) -> list[Problem]:
    """Return a problem for each word that has been written before."""
    return [
        Problem((*path, i), f"{word!r} is written twice; leave one out")
        for i, word in enumerate(words)
        if word in words[:i]
    ]
