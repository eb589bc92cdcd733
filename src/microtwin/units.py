"""Lengths that people write, in metres."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from numbers import Real
from typing import TYPE_CHECKING, Any, overload

if TYPE_CHECKING:
    import pint

__all__ = ["metres"]

_REMEDY = "give metres, 0.398e-6, or text with a unit, '398 nm'"


# Text is a sequence of text to a type checker; the first form that fits wins.
@overload
def metres(length: float | str) -> float: ...  # type: ignore[overload-overlap]
@overload
def metres(length: Sequence[float | str]) -> tuple[float, ...]: ...


def metres(length: float | str | Sequence[float | str]) -> float | tuple[float, ...]:
    """Return a length, or each length of a sequence, in metres.

    Parameters
    ----------
    length : float, str or sequence of them
        A number is a length in metres already. Text is a number with a unit of length, such as
        ``"398 nm"``, ``"0.4 um"`` or ``"1.2e-3 mm"``.

    Returns
    -------
    float or tuple of float
        Metres; a tuple for a sequence, in the same order.

    Raises
    ------
    ValueError
        If text has no unit, an unknown unit, or a unit that is not a length; if a value is not a
        finite number.

    Examples
    --------
    >>> from microtwin.units import metres
    >>> metres("398 nm")
    3.98e-07
    >>> metres(["1 um", "1 um", 2e-6])
    (1e-06, 1e-06, 2e-06)
    """
    if isinstance(length, str):
        return _from_text(length)
    if isinstance(length, Real):
        return _finite(float(length), length)
    try:
        parts = list(length)  # type: ignore[arg-type]
    except TypeError:
        raise ValueError(f"length {length!r} is not a number; {_REMEDY}") from None
    return tuple(metres(part) for part in parts)


def _finite(value: float, given: object) -> float:
    if not abs(value) < float("inf"):
        raise ValueError(f"length {given!r} is not a finite number; {_REMEDY}")
    return value


def _from_text(text: str) -> float:
    import pint

    try:
        quantity: pint.Quantity[Any] = _registry().Quantity(text)
    # pint hands unreadable text to Python's tokenizer, whose complaints are of many types.
    except Exception:
        raise ValueError(f"length {text!r} cannot be understood; {_REMEDY}") from None
    try:
        value = float(quantity.to("metre").magnitude)
    except pint.DimensionalityError:
        kind = "has no unit" if quantity.unitless else "has a unit that is no length"
        raise ValueError(f"length {text!r} {kind}; {_REMEDY}") from None
    # 398 nm becomes 3.9800000000000003e-07 on the way; fifteen digits say all that was given.
    return _finite(float(f"{value:.15g}"), text)


@cache
def _registry() -> pint.UnitRegistry:
    """Return the unit registry, made once: it takes a good part of a second."""
    import pint

    return pint.UnitRegistry()
