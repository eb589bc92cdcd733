"""Own active materials and electrolytes, written in YAML with units."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..units import quantity
from .materials import Curve, ElectrodeMaterial, Electrolyte

__all__ = ["read_electrolyte", "read_material"]

MATERIAL = (
    "name",
    "maximum_concentration",
    "open_circuit_potential",
    "diffusivity",
    "exchange_current_density",
    "conductivity",
    "voltage_window",
)
ELECTROLYTE = ("name", "concentration", "conductivity", "diffusivity", "transference_number")
MAY = ("thermodynamic_factor", "lithium_exchange_current_density", "source")
REST = 1000.0  # mol/m^3, to which exchange current densities refer


def read_material(path: str | Path) -> ElectrodeMaterial:
    """Read an active material from a YAML file.

    Parameters
    ----------
    path : str or Path
        With the keys name, maximum_concentration ("51 mol/L"), open_circuit_potential,
        diffusivity ("4e-15 m^2/s"), exchange_current_density, conductivity ("0.2 S/m"),
        voltage_window (["3.0 V", "4.3 V"]) and, if wanted, source. A curve is a table: a mapping
        of `stoichiometry` and `value` to lists of the same length, and `unit`. The exchange
        current density is that at 1 mol/L of salt and a stoichiometry of 1/2; it changes with the
        square roots of the salt, of the lithium in the surface, and of the room left for it.

    Returns
    -------
    ElectrodeMaterial

    Raises
    ------
    ValueError
        If a key is missing or not known, or a value or its unit is not allowed.
    FileNotFoundError
        If there is no such file.
    """
    given = _read(path, MATERIAL, ("source",))
    most = _number(path, given, "maximum_concentration", "mol/m^3")
    potential = _curve(path, given, "open_circuit_potential", "V", "stoichiometry")
    if not callable(potential):
        raise ValueError(
            f"{path}: the open_circuit_potential is one number; give a table of stoichiometry and "
            "value"
        )
    middle = _number(path, given, "exchange_current_density", "A/m^2")
    window = given["voltage_window"]
    if not isinstance(window, list) or len(window) != 2:
        raise ValueError(f"{path}: voltage_window {window!r} is not allowed; give two voltages")
    low, high = (quantity(v, "V", "voltage") for v in window)

    def exchange(salt: NDArray, solid: NDArray) -> NDArray[np.float64]:
        room = np.maximum(solid * (most - solid), 0.0)
        return np.asarray(middle * np.sqrt(np.maximum(salt, 0.0) / REST * room) * 2.0 / most)

    return ElectrodeMaterial(
        str(given["name"]),
        most,
        potential,
        _curve(path, given, "diffusivity", "m^2/s", "stoichiometry"),
        exchange,
        _number(path, given, "conductivity", "S/m"),
        (low, high),
        str(given.get("source", path)),
    )


def read_electrolyte(path: str | Path) -> Electrolyte:
    """Read an electrolyte from a YAML file.

    Parameters
    ----------
    path : str or Path
        With the keys name, concentration ("1 mol/L"), conductivity ("1 S/m"), diffusivity
        ("3e-10 m^2/s"), transference_number and, if wanted, thermodynamic_factor,
        lithium_exchange_current_density ("12 A/m^2") and source. A curve is a table: a mapping of
        `concentration` (in mol/m^3) and `value` to lists of the same length, and `unit`.

    Returns
    -------
    Electrolyte

    Raises
    ------
    ValueError
        If a key is missing or not known, or a value or its unit is not allowed.
    FileNotFoundError
        If there is no such file.
    """
    given = _read(path, ELECTROLYTE, MAY)
    more: dict[str, Any] = {}
    for key, unit in (("thermodynamic_factor", ""), ("lithium_exchange_current_density", "A/m^2")):
        if key in given:
            more[key] = _curve(path, given, key, unit, "concentration")
    return Electrolyte(
        str(given["name"]),
        _number(path, given, "concentration", "mol/m^3"),
        _curve(path, given, "conductivity", "S/m", "concentration"),
        _curve(path, given, "diffusivity", "m^2/s", "concentration"),
        _curve(path, given, "transference_number", "", "concentration"),
        source=str(given.get("source", path)),
        **more,
    )


def _read(path: str | Path, keys: tuple[str, ...], more: tuple[str, ...]) -> Mapping[str, Any]:
    from ruamel.yaml import YAML, YAMLError

    try:
        given = YAML(typ="safe").load(Path(path).read_text(encoding="utf-8"))
    except YAMLError as error:
        raise ValueError(f"{path} is no YAML: {str(error).splitlines()[0]}") from None
    if not isinstance(given, Mapping):
        raise ValueError(f"{path} holds no keys; give {', '.join(keys)}")
    if missing := [key for key in keys if given.get(key) is None]:
        raise ValueError(f"{path} lacks {', '.join(missing)}")
    if unknown := [str(key) for key in given if key not in (*keys, *more)]:
        raise ValueError(
            f"{path} has {', '.join(unknown)}, which is not known; there are "
            f"{', '.join((*keys, *more))}"
        )
    return given


def _number(path: str | Path, given: Mapping[str, Any], key: str, unit: str) -> float:
    try:
        return quantity(given[key], unit, key.replace("_", " "))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _curve(path: str | Path, given: Mapping[str, Any], key: str, unit: str, over: str) -> Curve:
    """Return a number, or a table as a function that is straight between its points."""
    value = given[key]
    if not isinstance(value, Mapping):
        return _number(path, given, key, unit)
    wanted = {over, "value"}
    if not wanted <= set(value) <= wanted | {"unit"}:
        raise ValueError(f"{path}: {key} needs {over}, value and unit, and nothing else")
    places, values = (np.asarray(value[name], float) for name in (over, "value"))
    if places.ndim != 1 or places.shape != values.shape or len(places) < 2:
        raise ValueError(f"{path}: {key} needs two or more pairs of {over} and value")
    if not (np.isfinite(places).all() and np.isfinite(values).all()):
        raise ValueError(f"{path}: {key} has something that is no number")
    if not (np.diff(places) > 0.0).all():
        raise ValueError(f"{path}: the {over} of {key} must grow from pair to pair")
    if over == "stoichiometry" and not (places[0] >= 0.0 and places[-1] <= 1.0):
        raise ValueError(f"{path}: the stoichiometry of {key} must be between 0 and 1")
    try:
        factor = quantity(f"1 {value.get('unit', unit) or 'dimensionless'}", unit, key)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    return lambda at: np.interp(at, places, factor * values)
