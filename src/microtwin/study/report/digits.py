"""Numbers as a reader expects them: digits that match the uncertainty, units, readable sizes."""

from __future__ import annotations

import math
from typing import Any

__all__ = [
    "frequency",
    "given",
    "length",
    "length_scale",
    "memory",
    "number",
    "percent",
    "readable_unit",
    "rounded_like",
    "scaled",
    "seconds",
    "uncertainty_term",
    "unit_html",
    "value_and_uncertainty",
    "value_with_uncertainty",
]

_FREQUENCIES = ((1e6, "MHz"), (1e3, "kHz"), (1.0, "Hz"), (1e-3, "mHz"), (1e-6, "µHz"))
_PREFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"))
_LENGTHS = ((1.0, "m"), (1e-3, "mm"), (1e-6, "µm"), (1e-9, "nm"))
_SUPERSCRIPT = str.maketrans("-0123456789", "\u207b⁰¹²³⁴⁵⁶⁷⁸⁹")
_MINUS = "\u2212"
_NBSP = "\u00a0"


def _signed(text: str) -> str:
    return text.replace("-", _MINUS)


def _power(exponent: int) -> str:
    return f"{_NBSP}×{_NBSP}10{str(exponent).translate(_SUPERSCRIPT)}" if exponent else ""


def _exponent(value: float) -> int:
    """Power of ten to take out of a value, 0 where plain decimals read well."""
    if value == 0 or 1e-3 <= abs(value) < 1e5:
        return 0
    return math.floor(math.log10(abs(value)))


def _as_float(value: Any) -> float | None:
    if value is None or isinstance(value, (bool, str)):
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def number(value: Any, significant: int = 4) -> str:
    """Return a number with a fixed count of significant digits, as plain text.

    Whole numbers of type int keep all their digits; infinity is "∞", no number is "–", and text
    is returned as it is.
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return _signed(f"{value:,}".replace(",", "\u202f"))
    x = _as_float(value)
    if x is None or math.isnan(x):
        return "–"
    if math.isinf(x):
        return "∞" if x > 0 else f"{_MINUS}∞"
    if x == 0:
        return "0"
    exponent = _exponent(x)
    if exponent:  # rounding may carry: 9.6e-16 becomes 1e-15
        x = float(f"{x:.{significant - 1}e}")
        exponent = _exponent(x)
    mantissa = x / 10.0**exponent
    decimals = max(0, significant - 1 - math.floor(math.log10(abs(mantissa))))
    return _signed(f"{mantissa:.{decimals}f}") + _power(exponent)


def given(value: float, significant: int = 4) -> str:
    """Return a number that somebody gave, without zeros at the end: "25", "0.8", "2 × 10⁻⁹"."""
    digits, times, power = number(float(value), significant).partition(f"{_NBSP}×")
    if "." in digits:
        digits = digits.rstrip("0").rstrip(".")
    return digits + times + power


def _uncertainty_decimals(uncertainty: float) -> int:
    """Decimals that show two significant digits of an uncertainty (GUM, section 7.2.6)."""
    decimals = 1 - math.floor(math.log10(uncertainty))
    # Rounding may carry to a third digit: 0.0999 becomes 0.10, not 0.100.
    if round(uncertainty, decimals) >= 10.0 ** (2 - decimals):
        decimals -= 1
    return decimals


def value_and_uncertainty(value: Any, uncertainty: Any) -> tuple[str, str, str]:
    """Return value, uncertainty and common power of ten, rounded to the same decimal place.

    The uncertainty keeps two significant digits and the value is rounded to the last of them, as
    the Guide to the Expression of Uncertainty in Measurement recommends (section 7.2.6).

    Returns
    -------
    (str, str, str)
        For example ("2.314", "0.052", "") or ("1.23", "0.10", " × 10⁻⁵"). The uncertainty is
        empty when it is not known, not finite or not positive.
    """
    x, u = _as_float(value), _as_float(uncertainty)
    known = x is not None and math.isfinite(x) and u is not None and math.isfinite(u) and u > 0
    if not known:
        return number(value), "", ""
    assert x is not None and u is not None
    exponent = _exponent(max(abs(x), u))
    x, u = x / 10.0**exponent, u / 10.0**exponent
    decimals = _uncertainty_decimals(u)
    shown = max(0, decimals)
    return (
        _signed(f"{round(x, decimals):.{shown}f}"),
        f"{round(u, decimals):.{shown}f}",
        _power(exponent),
    )


def value_with_uncertainty(value: Any, uncertainty: Any, unit: str = "") -> str:
    """Return "2.314 ± 0.052 unit", or the value alone when the uncertainty is not known."""
    v, u, power = value_and_uncertainty(value, uncertainty)
    suffix = f"{_NBSP}{unit_html(unit)}" if unit_html(unit) else ""
    if not u:
        return v + suffix
    body = f"{v}{_NBSP}±{_NBSP}{u}"
    return (f"({body}){power}" if power or suffix else body) + suffix


def uncertainty_term(term: float, value: Any) -> str:
    """Return one part of an uncertainty in two digits, with the power of ten of its value."""
    u = abs(float(term))
    if u == 0 or not math.isfinite(u):
        return number(u)
    x = _as_float(value)
    exponent = _exponent(max(abs(x), u)) if x is not None and math.isfinite(x) else _exponent(u)
    decimals = _uncertainty_decimals(u / 10.0**exponent)
    if decimals > 6:
        return number(u, 2)
    return f"{round(u / 10.0**exponent, decimals):.{max(0, decimals)}f}{_power(exponent)}"


def rounded_like(value: float, largest: float, significant: int = 4) -> str:
    """Return a value with the decimals that the largest of its companions needs."""
    if not math.isfinite(value) or not math.isfinite(largest) or largest == 0:
        return number(value)
    exponent = _exponent(largest)
    scale = 10.0**exponent
    decimals = max(0, significant - 1 - math.floor(math.log10(abs(largest) / scale)))
    shown = round(value / scale, decimals)
    return _signed(f"{shown + 0.0:.{decimals}f}") + (_power(exponent) if shown else "")


def unit_html(unit: str | None) -> str:
    """Return a unit with real superscripts ("m^-1" is "m⁻¹"); dimensionless is empty."""
    text = (unit or "").strip()
    if text in ("", "1", "-", "dimensionless"):
        return ""
    out, index = "", 0
    text = text.replace("**", "^")
    if text.startswith("1/") and "/" not in text[2:] and "-" not in text:
        # "1/m^2" is "m^-2", as a factor before a unit would be read as part of the number.
        base, _, power = text[2:].partition("^")
        text = f"{base}^-{power or 1}"
    while index < len(text):
        if text[index] != "^":
            out += "·" if text[index] == "*" else text[index]
            index += 1
            continue
        end = index + 1
        while end < len(text) and (text[end].isdigit() or (text[end] == "-" and end == index + 1)):
            end += 1
        out += text[index + 1 : end].translate(_SUPERSCRIPT)
        index = end
    return out


def length_scale(metres: float) -> tuple[float, str]:
    """Return factor and name of the unit (m, mm, µm, nm) in which a length reads well."""
    for factor, name in _LENGTHS:
        if abs(metres) >= factor * 0.9995:
            return factor, name
    return _LENGTHS[-1]


def length(metres: float, significant: int = 4) -> str:
    """Return a length in the unit that reads well, for example "398 nm" or "40 µm"."""
    if not math.isfinite(metres):
        return number(metres)
    factor, name = length_scale(metres)
    return f"{_signed(f'{metres / factor:.{significant}g}')}{_NBSP}{name}"


def frequency(hertz: float, significant: int = 3) -> str:
    """Return a frequency in the unit that reads well, for example "10 kHz" or "1 mHz"."""
    factor, name = next((f for f in _FREQUENCIES if hertz >= f[0] * 0.9995), _FREQUENCIES[-1])
    return f"{hertz / factor:.{significant}g}{_NBSP}{name}"


def percent(share: Any, decimals: int = 1) -> str:
    """Return a share (0 to 1) in percent."""
    x = _as_float(share)
    return (
        "–"
        if x is None or not math.isfinite(x)
        else f"{_signed(f'{100 * x:.{decimals}f}')}{_NBSP}%"
    )


def seconds(duration: Any) -> str:
    """Return a duration, for example "3.6 ms", "0.42 s", "12.3 s", "4 min 10 s" or "3 d 2 h"."""
    x = _as_float(duration)
    if x is None or not math.isfinite(x):
        return "–"
    if 0 < x < 0.01:
        return f"{1e3 * x:.2g}{_NBSP}ms"
    if x < 60:
        return f"{x:.2f}{_NBSP}s" if x < 10 else f"{x:.1f}{_NBSP}s"
    minutes, rest = divmod(round(x), 60)
    if minutes < 60:
        return f"{minutes}{_NBSP}min {rest}{_NBSP}s"
    hours = minutes // 60
    if hours >= 48:
        return f"{hours // 24}{_NBSP}d {hours % 24}{_NBSP}h"
    return f"{hours}{_NBSP}h {minutes % 60}{_NBSP}min"


def memory(size: Any) -> str:
    """Return a memory size in MiB or GiB."""
    x = _as_float(size)
    if x is None or not math.isfinite(x):
        return "–"
    mebibytes = x / 2**20
    if mebibytes < 1024:
        return f"{mebibytes:.0f}{_NBSP}MiB" if mebibytes >= 10 else f"{mebibytes:.1f}{_NBSP}MiB"
    return f"{mebibytes / 1024:.1f}{_NBSP}GiB"


def readable_unit(value: Any, unit: Any) -> tuple[float, str]:
    """Show a length in µm or nm, stress and energy with a prefix; other units stay as they are."""
    name = str(unit or "")
    if not isinstance(value, (int, float)) or not math.isfinite(value) or not value:
        return 1.0, name
    if name == "m":
        return length_scale(value)
    if name in ("Pa", "J/m^3"):
        for factor, prefix in _PREFIXES:
            if abs(value) >= factor * 0.9995:
                return factor, prefix + name
    return 1.0, name


def scaled(value: Any, factor: float) -> Any:
    """Return a number in a unit this many times larger; what is no number stays as it is."""
    return value / factor if factor != 1.0 and isinstance(value, (int, float)) else value
