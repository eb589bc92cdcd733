"""How far an active material swells with its lithium."""

from __future__ import annotations

import numpy as np
import pytest

from microtwin.degradation import LithiumStrain, read_lithium_strain, strain_per_stoichiometry

# A layered oxide: steep where little lithium is left, and shallow elsewhere.
POINTS = ([0.2, 0.25, 0.3, 0.5, 1.0], [-0.020, -0.012, -0.008, -0.001, 0.0])


def test_points_are_met_and_nothing_overshoots():
    table = LithiumStrain(*POINTS)
    assert table(POINTS[0]) == pytest.approx(POINTS[1], abs=1e-15)
    fine = table(np.linspace(0.2, 1.0, 4001))
    # A cubic spline through the same points falls beyond the last one.
    assert (np.diff(fine) >= -1e-15).all() and fine.max() <= 0.0
    assert np.isnan(table([0.3, np.nan])).tolist() == [False, True]


def test_the_slope_is_that_of_the_curve():
    table, h = LithiumStrain(*POINTS), 1e-6
    x = np.array([0.22, 0.28, 0.4, 0.9])
    secants = (table(x + h) - table(x - h)) / (2 * h)
    assert table.slope(x) == pytest.approx(secants, rel=1e-6)


def test_a_number_is_a_straight_line():
    line = LithiumStrain.linear(0.02)
    assert line([0.0, 0.3, 1.0]) == pytest.approx([0.0, 0.006, 0.02])
    assert line.slope(0.7) == pytest.approx(0.02)
    # Zhang, Shyy & Sastry (2007): 3.497e-6 m^3/mol in spinel with 2.29e4 mol/m^3.
    assert strain_per_stoichiometry(3.497e-6, 2.29e4) == pytest.approx(0.026694, rel=1e-4)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.yaml", "stoichiometry: [0.2, 0.6, 1.0]\nstrain: [-1 %, -0.002, 0]\n"),
        ("t.csv", "strain, stoichiometry\n-1 %, 0.2\n-0.002, 0.6\n0, 1.0\n"),
    ],
)
def test_tables_are_read(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    found = read_lithium_strain(tmp_path / name)
    assert found.stoichiometry.tolist() == [0.2, 0.6, 1.0]
    assert found.strain == pytest.approx([-0.01, -0.002, 0.0])


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("t.yaml", "stoichiometry: [0.2, 0.6]\n", "has stoichiometry; a table of strains has"),
        ("t.yaml", "[1, 2]", "is no table; give lists under"),
        ("t.yaml", "a: [", "is not YAML"),
        ("t.yaml", "stoichiometry: [0.6, 0.2]\nstrain: [0, 1 %]\n", "must rise from point"),
        ("t.yaml", "stoichiometry: [0, 1]\nstrain: [0, 2.5]\n", "between -1 and 1"),
        ("t.yaml", "stoichiometry: [0, 1]\nstrain: [0, 1 nm]\n", "t.yaml"),
        ("t.csv", "stoichiometry,strain\n0,0\n1\n", "lines of different lengths"),
        ("t.csv", "stoichiometry,strain\n0,zero\n", "'zero' is no number"),
        ("t.csv", "", "has nothing"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path, name, text, words):
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=words):
        read_lithium_strain(tmp_path / name)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([0.5], [0.0]), "two or more"),
        (([0.0, 1.0], [0.0]), "are no table"),
        (([0.0, 1.2], [0.0, 0.1]), "between 0 and 1"),
    ],
)
def test_bad_tables_are_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        LithiumStrain(*arguments)


def test_nothing_is_known_beyond_the_table():
    with pytest.raises(ValueError, match=r"from 0\.1 to 0\.4, and the table of strains goes from"):
        LithiumStrain(*POINTS)([0.1, 0.4])
    with pytest.raises(ValueError, match="between -1 and 1"):
        LithiumStrain.linear(2.0)
    with pytest.raises(ValueError, match="give finite numbers"):
        strain_per_stoichiometry(3e-6, 0.0)
