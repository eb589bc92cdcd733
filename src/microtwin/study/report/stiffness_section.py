"""The section on the stiffness of the image as a whole."""

from __future__ import annotations

from typing import Any

import numpy as np

from .digits import number, rounded_like, scaled, value_with_uncertainty
from .markup import callout, figure, table, text
from .model import ReportData, StiffnessView
from .stiffness_figures import stiffness_figure
from .words import coarse_problem, quantity_name, sampling_problem

__all__ = ["stiffness_section"]

_GIGAPASCAL = 1e9
_NAMES = ("young_modulus", "shear_modulus", "bulk_modulus")
# From the widest to the narrowest, which stored JSON does not keep.
_BOUNDS = ("Voigt and Reuss", "Hashin and Shtrikman")
_COMPONENTS = ("zz", "yy", "xx", "yx", "zx", "zy")


def stiffness_section(data: ReportData) -> str:
    """Return the moduli beside what bounds them, and the whole matrix."""
    view = data.stiffness
    if view is None:
        return ""
    if "problem" in view.numbers:
        return callout(f"There is no effective stiffness: {view.numbers['problem']}.")
    body = (
        "<p>The image is repeated periodically, and strained in six ways. A crop of a real "
        "electrode does not fit to itself across its faces, so its outer layers are softer or "
        f"stiffer than within.{coarse_problem(view.numbers)}{sampling_problem(view.numbers)}</p>"
    )
    rows = [q for q in data.results.get("quantities", []) if q["name"] in _NAMES]
    body += table(
        ("Modulus, GPa", "Along", "Value", *_BOUNDS),
        [
            (
                quantity_name(q["name"]),
                q["direction"] or "all",
                value_with_uncertainty(
                    scaled(q["value"], _GIGAPASCAL),
                    scaled(q["uncertainty"]["total"], _GIGAPASCAL),
                ),
                *(_range(view, kind, q["name"]) for kind in _BOUNDS),
            )
            for q in rows
        ],
        caption="Moduli of the image, and between which bounds those of any isotropic mixture of "
        "these solids lie; with void the lower bounds are 0.",
        words=2,
    )
    body += figure(
        stiffness_figure(rows, {kind: view.numbers["bounds"][kind] for kind in _BOUNDS}),
        "Moduli of the image (points, with their standard uncertainty) between the bounds.",
    )
    matrix = np.asarray(view.numbers["stiffness"], float) / _GIGAPASCAL
    largest = float(np.abs(matrix).max())
    return body + table(
        ("", *_COMPONENTS),
        [
            (name, *(rounded_like(float(value), largest, 3) for value in row))
            for name, row in zip(_COMPONENTS, matrix, strict=True)
        ],
        caption="Stiffness matrix in GPa, for engineering shear strains.",
    )


def _range(view: StiffnessView, kind: str, name: str) -> Any:
    low, high = (scaled(value, _GIGAPASCAL) for value in view.numbers["bounds"][kind][name])
    return text(f"{number(low, 3)} to {number(high, 3)}")
