"""The section on the cell model: what it shows, and what belongs in its figure."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from microtwin.study.report import CellView, HalfCellView
from microtwin.study.report.cell_section import cell_section
from study.report.report_samples import full

GIVEN = {"active": "active", "pore": "pore", "porous_phases": None}
RATES = np.array([[0.5, 2.0], [40.0, 30.0], [39.0, 28.0], [41.0, 32.0], [41.0, 33.0], [39.0, 25.0]])
POINTS = "Points: discharges resolved on the image"


def parameter(value: float, unit: str) -> dict[str, Any]:
    return {"value": value, "unit": unit, "uncertainty": None, "source": "Made up."}


def cell_view(rates: Any = RATES, notes: tuple[str, ...] = (), **given: Any) -> CellView:
    there = rates is not None
    numbers = {
        "parameters": {"thickness": parameter(70e-6, "m"), "porosity": parameter(0.4, "1")},
        "bruggeman_exponent": 1.9 if there else None,
        "guessed_exponent": 1.5 if there else None,
        "nominal": 42.0 if there else None,
        "interface_utilisation": 0.6,
        "image_height": 70e-6,
        "notes": list(notes),
    }
    named = {"base": "Chen2020", "electrode": "positive", "model": "DFN"}
    return CellView(numbers, GIVEN | named | given, rates)


def half_cell_view(**given: Any) -> HalfCellView:
    numbers = {"discharge_capacity": 31.0, "discretisation": {"discharge_capacity": 1.0}}
    named = {"chemistry": "Chen2020:positive", "c_rate": 1.0}
    return HalfCellView(numbers, GIVEN | named | given, {}, None, None)


BINDER = {"binder": {"porosity": 0.5, "tortuosity_factor": 2.0}}


@pytest.mark.parametrize(
    ("cell", "half_cell", "shown"),
    [
        ({}, {}, True),
        ({}, {"porous_phases": {}}, True),
        ({"porous_phases": BINDER}, {"porous_phases": BINDER}, True),
        ({}, {"chemistry": "Chen2020:negative"}, False),
        ({"base": "Ecker2015"}, {}, False),
        ({}, {"chemistry": "material.yaml"}, False),
        ({"porous_phases": BINDER}, {}, False),
        ({"active": "graphite"}, {}, False),
        ({}, {"pore": "void"}, False),
    ],
)
def test_points_are_of_the_same_electrode(cell, half_cell, shown):
    data = full(cell=cell_view(**cell), half_cells=(half_cell_view(**half_cell),))
    assert (POINTS in cell_section(data)) == shown


def test_notes_are_escaped():
    found = cell_section(full(cell=cell_view(notes=("Solver: <class 'X'> & more.", "Second."))))
    assert "<p>Solver: &lt;class &#x27;X&#x27;&gt; &amp; more.</p><p>Second.</p>" in found


def test_the_curves_bracket_the_covered_area_only():
    found = cell_section(full(cell=cell_view()))
    assert "the two curves bracket the influence of the covered area" in found
    alone = RATES.copy()
    alone[5] = np.nan
    assert "bracket" not in cell_section(full(cell=cell_view(alone)))


def test_without_rates_there_are_parameters_and_the_reason():
    found = cell_section(full(cell=cell_view(None, ("Pores lead nowhere.",))))
    assert "Thickness" in found
    assert "Pores lead nowhere." in found
    assert "Bruggeman" not in found
    assert "<figure" not in found
