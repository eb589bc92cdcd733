"""The same property by two methods.

Each method gives a value at two resolutions, and the two are extrapolated to what they would be
without an error of that resolution. What is then left between the methods is an error that neither
knows of by itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

__all__ = ["CrossVerification", "Refinement", "cross_verification", "refined"]

CLOSE = 0.01  # relative difference up to which two methods agree, whatever their error estimates


@dataclass(frozen=True)
class Refinement:
    """Values of one method at successively coarser resolutions.

    Attributes
    ----------
    sizes : tuple of float
        Size of the elements or voxels, the finest first; in any unit.
    values : tuple of float
    order : float
        By which values were extrapolated: the observed one of three resolutions, but no more than
        the formal one and no less than half of it; the formal one if none is observed.
    observed_order : float or None
        Of the first three resolutions; None if there are fewer or they do not converge steadily.
    extrapolated : float
        Value at size 0, v_1 + (v_1 - v_2) / ((s_2 / s_1)^order - 1).
    error : float
        Standard uncertainty of the first value: abs(extrapolated - v_1).
    """

    sizes: tuple[float, ...]
    values: tuple[float, ...]
    order: float
    observed_order: float | None
    extrapolated: float
    error: float


@dataclass(frozen=True)
class CrossVerification:
    """Two methods beside each other.

    Attributes
    ----------
    first, second : Refinement
    names : tuple of 2 str
    difference : float
        Of the extrapolated values, relative to the mean of their sizes; 2 if only one is 0.
    agrees : bool
        Whether that is no more than 1 %, or no more than both error estimates explain.
    sentence : str
        The finding in plain words.
    """

    first: Refinement
    second: Refinement
    names: tuple[str, str]
    difference: float
    agrees: bool
    sentence: str


def refined(sizes: Sequence[float], values: Sequence[float], order: float) -> Refinement:
    """Extrapolate values at two or three resolutions.

    Parameters
    ----------
    sizes : sequence of float
        Growing.
    values : sequence of float
    order : float
        Formal order of the method.

    Returns
    -------
    Refinement

    Raises
    ------
    ValueError
        If there are fewer than two resolutions, or sizes do not grow.
    """
    if len(sizes) != len(values) or len(sizes) < 2:
        raise ValueError(
            f"{len(sizes)} sizes and {len(values)} values were given; at least two resolutions "
            "are needed, with one value each"
        )
    if any(b <= a for a, b in pairwise(sizes)) or sizes[0] <= 0:
        raise ValueError(f"sizes {list(sizes)} do not grow; give the finest first")
    observed = _observed_order(sizes[:3], values[:3]) if len(sizes) > 2 else None
    used = order if observed is None else min(max(observed, 0.5 * order), order)
    rise = values[0] - values[1]
    extrapolated = values[0] + rise / ((sizes[1] / sizes[0]) ** used - 1.0)
    return Refinement(
        tuple(sizes), tuple(values), used, observed, extrapolated, abs(extrapolated - values[0])
    )


def _observed_order(sizes: Sequence[float], values: Sequence[float]) -> float | None:
    """Return p such that v = v_0 + c s^p passes through three values, None if there is none."""
    near, far = values[1] - values[0], values[2] - values[1]
    if near == 0.0 or far / near <= 0.0:
        return None

    def excess(p: float) -> float:
        a, b, c = (s**p for s in sizes)
        return (c - b) / (b - a) - far / near

    low, high = 1e-3, 12.0
    if excess(low) > 0.0 or excess(high) < 0.0:
        return None
    for _ in range(100):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if excess(middle) < 0.0 else (low, middle)
    return 0.5 * (low + high)


def cross_verification(
    first: Callable[[float], float],
    second: Callable[[float], float],
    sizes: tuple[Sequence[float], Sequence[float]],
    orders: tuple[float, float] = (2.0, 2.0),
    names: tuple[str, str] = ("voxels", "mesh"),
) -> CrossVerification:
    """Compute one property by two methods, each at two or three resolutions.

    Parameters
    ----------
    first, second : callable
        Returns the property at a size of voxels or elements.
    sizes : tuple of 2 sequences of float
        Of the first and of the second method, the finest first.
    orders : tuple of 2 floats
        Formal orders of the methods.
    names : tuple of 2 str

    Returns
    -------
    CrossVerification

    Raises
    ------
    ValueError
        If a method has fewer than two sizes, or they do not grow.
    """
    one = refined(sizes[0], [first(size) for size in sizes[0]], orders[0])
    two = refined(sizes[1], [second(size) for size in sizes[1]], orders[1])
    mean = 0.5 * (abs(one.extrapolated) + abs(two.extrapolated))
    gap = abs(one.extrapolated - two.extrapolated)
    difference = gap / mean if mean > 0 else 0.0
    explained = math.hypot(one.error, two.error)
    agrees = difference <= CLOSE or gap <= explained
    if difference <= CLOSE:
        verdict = "the two agree"
    elif agrees:
        verdict = f"that is within what the resolutions explain ({100 * explained / mean:.2g} %)"
    else:
        verdict = (
            f"that is more than the resolutions explain ({100 * explained / mean:.2g} %): they see "
            "different details of the image"
        )
    sentence = (
        f"Extrapolated from {_listed(one)} on {names[0]} and {_listed(two)} on {names[1]}, the "
        f"values are {one.extrapolated:.4g} and {two.extrapolated:.4g}, {100 * difference:.2g} % "
        f"apart; {verdict}."
    )
    for none, some, found in ((0, 1, two), (1, 0, one)):
        if not any((one, two)[none].values) and any(found.values):
            sentence = (
                f"On {names[none]} the value is 0, on {names[some]} {_listed(found)}: a connection "
                "is open to the one and closed to the other, as thin as the image can resolve."
            )
    return CrossVerification(one, two, names, difference, agrees, sentence)


def _listed(values: Refinement) -> str:
    return " and ".join(f"{value:.4g}" for value in values.values)
