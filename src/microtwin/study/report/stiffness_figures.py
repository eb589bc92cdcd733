"""The picture of moduli between their bounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .drawing import INK, SERIES, drawn

__all__ = ["stiffness_figure"]

_GIGAPASCAL = 1e9
_LETTERS = {"young_modulus": "Young's", "shear_modulus": "shear", "bulk_modulus": "bulk"}
# Height and opacity of the bars, from the widest bounds to the narrowest.
_BARS = ((0.62, 0.22), (0.36, 0.6))


def stiffness_figure(
    quantities: Sequence[Mapping[str, Any]],
    bounds: Mapping[str, Mapping[str, Sequence[float]]],
) -> str:
    """Draw moduli as points on the ranges that bounds leave them.

    Parameters
    ----------
    quantities : sequence of mapping
        Rows of results.json in Pa: name, direction, value, uncertainty.
    bounds : mapping
        By their name and that of the modulus: lowest and highest, in Pa. Two of them, the wider
        first, as the narrower are drawn upon it.

    Returns
    -------
    str
        An ``<img>`` with the figure.
    """
    alt = "Moduli of the image between their bounds."
    with drawn("stiffness", (7.2, 1.1 + 0.36 * len(quantities)), alt) as drawing:
        axes = drawing.figure.subplots()
        for (height, alpha), (kind, ranges) in zip(_BARS, bounds.items(), strict=True):
            for row, quantity in enumerate(quantities):
                low, high = (value / _GIGAPASCAL for value in ranges[quantity["name"]])
                axes.barh(
                    row, high - low, left=low, height=height, color=SERIES[2], alpha=alpha,
                    linewidth=0, label=f"bounds of {kind}" if row == 0 else None,
                )  # fmt: skip
        rows = range(len(quantities))
        values = [q["value"] / _GIGAPASCAL for q in quantities]
        errors = [(q["uncertainty"]["total"] or 0.0) / _GIGAPASCAL for q in quantities]
        axes.errorbar(
            values, rows, xerr=errors, fmt="o", color=SERIES[0], ecolor=INK, elinewidth=1.0,
            capsize=2.5, markersize=5, zorder=3, label="image",
        )  # fmt: skip
        axes.set_yticks(rows, [_name(q) for q in quantities])
        axes.tick_params(axis="y", length=0)
        axes.set_ylim(len(quantities) - 0.4, -0.6)
        axes.set_xlim(left=0.0)
        axes.set_xlabel("modulus (GPa)")
        axes.grid(axis="x", alpha=0.18)
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return drawing.html


def _name(quantity: Mapping[str, Any]) -> str:
    return " ".join(filter(None, (_LETTERS[quantity["name"]], quantity["direction"])))
