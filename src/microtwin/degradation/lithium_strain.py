"""By how much an active material swells with the lithium in it."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..checking import is_number
from ..units import quantity

__all__ = ["LithiumStrain", "read_lithium_strain", "strain_per_stoichiometry"]

Values = NDArray[np.float64]

LARGEST = 1.0  # strain; more is one in per cent by mistake
# Fields in single precision may leave a table by their rounding.
ROUNDING = 1e-6


@dataclass(frozen=True, eq=False)
class LithiumStrain:
    """Linear strain of an active material over its stoichiometry, as a table.

    Between the points run cubic curves that rise where the points rise and fall where they fall,
    with a slope without jumps (Fritsch & Butland, SIAM J. Sci. Stat. Comput. 5 (1984) 300).

    Parameters
    ----------
    stoichiometry : array, shape (n,)
        Rising, from 0 to 1.
    strain : array, shape (n,)
        In each direction; from where it is counted does not matter.

    Raises
    ------
    ValueError
        If there are fewer than two points, they do not rise, or a number is not allowed.

    Examples
    --------
    A layered oxide contracts steeply where little lithium is left:

    >>> oxide = LithiumStrain([0.2, 0.3, 0.5, 1.0], [-0.020, -0.008, -0.001, 0.0])
    >>> round(float(oxide(0.5)), 4), bool(oxide.slope(0.25) > 5 * oxide.slope(0.75))
    (-0.001, True)
    """

    stoichiometry: Values = field(repr=False)
    strain: Values = field(repr=False)

    def __post_init__(self) -> None:
        x, e = np.asarray(self.stoichiometry, float), np.asarray(self.strain, float)
        if x.ndim != 1 or x.shape != e.shape or len(x) < 2:
            raise ValueError(
                f"stoichiometries of shape {x.shape} and strains of shape {e.shape} are no table; "
                "give as many of one as of the other, two or more"
            )
        if not (np.isfinite(x).all() and x[0] >= 0.0 and x[-1] <= 1.0 and (np.diff(x) > 0.0).all()):
            raise ValueError(
                "the stoichiometries of a strain must rise from point to point, between 0 and 1"
            )
        if not (np.abs(e) < LARGEST).all():
            raise ValueError(
                "a strain of the table is not allowed; give numbers between -1 and 1, as 0.01"
            )
        object.__setattr__(self, "stoichiometry", x)
        object.__setattr__(self, "strain", e)

    @classmethod
    def linear(cls, per_stoichiometry: float) -> LithiumStrain:
        """Return a strain that grows evenly, by so much from a stoichiometry of 0 to 1."""
        if not (is_number(per_stoichiometry) and abs(per_stoichiometry) < LARGEST):
            raise ValueError(
                f"a strain of {per_stoichiometry!r} per stoichiometry is not allowed; give a "
                "number between -1 and 1, as 0.02"
            )
        return cls(np.array([0.0, 1.0]), np.array([0.0, per_stoichiometry]))

    def __call__(self, stoichiometry: ArrayLike) -> Values:
        """Return the strain at stoichiometries within the table; NaN stays NaN.

        Raises
        ------
        ValueError
            If one is outside of the table.
        """
        return self._curve(stoichiometry, 0)

    def slope(self, stoichiometry: ArrayLike) -> Values:
        """Return how much the strain grows per stoichiometry, within the table."""
        return self._curve(stoichiometry, 1)

    def _curve(self, stoichiometry: ArrayLike, derivative: int) -> Values:
        from scipy.interpolate import PchipInterpolator

        x = np.asarray(stoichiometry, float)
        first, last = self.stoichiometry[[0, -1]]
        outside = (x < first - ROUNDING) | (x > last + ROUNDING)
        if outside.any():
            raise ValueError(
                f"there are stoichiometries from {np.nanmin(x):.4g} to {np.nanmax(x):.4g}, and the "
                f"table of strains goes from {first:.4g} to {last:.4g}; extend it"
            )
        curve = PchipInterpolator(self.stoichiometry, self.strain)
        return np.asarray(curve(np.clip(x, first, last), derivative))


def strain_per_stoichiometry(partial_molar_volume: float, maximum_concentration: float) -> float:
    """Return the linear strain from an empty to a full host, from the volume of its lithium.

    Parameters
    ----------
    partial_molar_volume : float
        Omega, in m^3/mol.
    maximum_concentration : float
        c_max, in mol/m^3.

    Returns
    -------
    float
        Omega c_max / 3.

    Raises
    ------
    ValueError
        If a number is not allowed.

    Examples
    --------
    >>> round(strain_per_stoichiometry(3.497e-6, 2.29e4), 4)
    0.0267
    """
    positive = is_number(maximum_concentration) and maximum_concentration > 0.0
    if not (is_number(partial_molar_volume) and positive):
        raise ValueError(
            f"{partial_molar_volume!r} m^3/mol and {maximum_concentration!r} mol/m^3 are not "
            "allowed; give finite numbers, the concentration above 0"
        )
    return float(partial_molar_volume * maximum_concentration / 3.0)


def read_lithium_strain(path: str | Path) -> LithiumStrain:
    """Read a table of strains.

    Parameters
    ----------
    path : str or Path
        YAML with the keys `stoichiometry` and `strain`, lists of the same length, or CSV with these
        words as heads of columns. Strains are numbers, or text in per cent: "-0.4 %".

    Returns
    -------
    LithiumStrain

    Raises
    ------
    ValueError
        If the file is no such table.
    FileNotFoundError
        If there is no such file.
    """
    path = Path(path)
    columns = _from_csv(path) if path.suffix.lower() == ".csv" else _from_yaml(path)
    if set(columns) != {"stoichiometry", "strain"}:
        raise ValueError(
            f"{path} has {', '.join(columns) or 'nothing'}; a table of strains has stoichiometry "
            "and strain"
        )
    try:
        numbers = {
            name: np.array([quantity(value, "", name) for value in values])
            for name, values in columns.items()
        }
        return LithiumStrain(**numbers)
    except (ValueError, TypeError) as problem:
        raise ValueError(f"{path}: {problem}") from None


def _from_csv(path: Path) -> dict[str, list[float | str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = [[part.strip() for part in row] for row in csv.reader(file) if row]
    width = len(rows[0]) if rows else 0
    if any(len(row) != width for row in rows):
        raise ValueError(f"{path} has lines of different lengths; give a number in each column")
    # Text without a unit is a number that the file could not mark as one.
    return {
        head: [row[k] if "%" in row[k] else _number(path, row[k]) for row in rows[1:]]
        for k, head in enumerate(rows[0] if rows else [])
    }


def _number(path: Path, word: str) -> float:
    try:
        return float(word)
    except ValueError:
        raise ValueError(f"{path}: {word!r} is no number") from None


def _from_yaml(path: Path) -> dict[str, list]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        tree = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except YAMLError as problem:
        raise ValueError(f"{path} is not YAML: {problem}") from None
    if not isinstance(tree, dict) or not all(isinstance(part, list) for part in tree.values()):
        raise ValueError(f"{path} is no table; give lists under stoichiometry and strain")
    return {str(name): part for name, part in tree.items()}
