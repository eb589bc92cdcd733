"""Lengths and other quantities that people write, in the unit that is computed with."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from numbers import Real
from typing import TYPE_CHECKING, Any, overload

if TYPE_CHECKING:
    import pint

__all__ = ["metres", "quantity"]

_REMEDY = "give metres, 0.398e-6, or text with a unit, '398 nm'"
# The power in "g/cm3" and "g cm-3", which pint would take for a name or a difference; not the
# exponent in "1e-3".
_POWER = re.compile(r"(?<=[^\W\d_])(?<![\d.][eE])(-?[1-9])(?![\d.])")


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


def quantity(value: float | str, unit: str, noun: str = "quantity") -> float:
    """Return a quantity in a unit.

    Parameters
    ----------
    value : float or str
        A number is in the unit already. Text is a number with any unit of the same kind, such as
        ``"12 mg/cm2"`` for an areal density, ``"4.7 g/cm3"`` for a density, ``"38 %"`` for a
        share.
    unit : str
        The unit of the result, for example ``"kg/m2"``; ``""`` for a share, which needs none.
    noun : str, optional
        What the quantity is, for the messages.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If text has no unit, an unknown unit, or a unit of another kind; if the value is not a
        finite number.

    Examples
    --------
    >>> from microtwin.units import quantity
    >>> quantity("12 mg/cm2", "kg/m2")
    0.12
    >>> quantity("38 %", "")
    0.38
    """
    remedy = (
        f"give a number in {unit}, or text with a unit"
        if unit
        else "give a number, or text in percent, '38 %'"
    )
    if isinstance(value, str):
        return _from_text(value, unit, noun, remedy)
    if isinstance(value, Real):
        return _finite(float(value), value, noun, remedy)
    raise ValueError(f"{noun} {value!r} is not a number; {remedy}")


def _finite(value: float, given: object, noun: str = "length", remedy: str = _REMEDY) -> float:
    if not abs(value) < float("inf"):
        raise ValueError(f"{noun} {given!r} is not a finite number; {remedy}")
    return value


def _from_text(text: str, unit: str = "m", noun: str = "length", remedy: str = _REMEDY) -> float:
    import pint

    try:
        given: pint.Quantity[Any] = _registry().Quantity(_POWER.sub(r"**\1", text))
    # pint hands unreadable text to Python's tokenizer, whose complaints are of many types.
    except Exception:
        raise ValueError(f"{noun} {text!r} cannot be understood; {remedy}") from None
    try:
        value = float(given.to(_POWER.sub(r"**\1", unit)).magnitude)
    except pint.DimensionalityError:
        kind = "has no unit" if given.unitless else f"has a unit that is no {noun}"
        raise ValueError(f"{noun} {text!r} {kind}; {remedy}") from None
    # 398 nm becomes 3.9800000000000003e-07 on the way; fifteen digits say all that was given.
    return _finite(float(f"{value:.15g}"), text, noun, remedy)


@cache
def _registry() -> pint.UnitRegistry:
    """Return the unit registry, made once: it takes a good part of a second."""
    import pint

    return pint.UnitRegistry()
