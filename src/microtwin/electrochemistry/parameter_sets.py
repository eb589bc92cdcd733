"""Electrode materials and electrolytes from the parameter sets that PyBaMM ships."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .kinetics import ROOM
from .materials import Curve, ElectrodeMaterial, Electrolyte, Separator

__all__ = [
    "LITHIUM",
    "electrolyte_from_pybamm",
    "import_pybamm",
    "known_parameter_sets",
    "material_from_parameter_values",
    "material_from_pybamm",
    "named_parameter_values",
    "separator_from_pybamm",
]

SIDES = ("positive", "negative")
# Against lithium; the limits in the sets are those of full cells.
NEGATIVE_WINDOW = (0.01, 1.5)
LITHIUM = "Exchange-current density for lithium metal electrode [A.m-2]"
LITHIUM_CONCENTRATION = 76900.0  # mol/m^3 in the metal


def known_parameter_sets() -> list[str]:
    """Return the names of the parameter sets of PyBaMM.

    Raises
    ------
    ImportError
        If PyBaMM is not there.
    """
    return sorted(import_pybamm().parameter_sets)


def material_from_pybamm(chemistry: str, temperature: float = ROOM) -> ElectrodeMaterial:
    """Return the active material of one electrode of a parameter set.

    Parameters
    ----------
    chemistry : str
        Name of the set and the electrode, as in "Chen2020:positive".
    temperature : float
        At which the set gives diffusivity, kinetics and conductivity, in K. The open-circuit
        potential is that at the reference temperature of the set.

    Returns
    -------
    ElectrodeMaterial
        With the voltage window of the set for a positive electrode, 0.01 to 1.5 V against lithium
        for a negative one. The conductivity is that of the set, which for many sets is measured on
        the whole electrode and so effective already.

    Raises
    ------
    ValueError
        If the set or its electrode is not known, or lacks a number or curve.
    ImportError
        If PyBaMM is not there.
    """
    name, side = _split(chemistry)
    return material_from_parameter_values(named_parameter_values(name), side, name, temperature)


def material_from_parameter_values(
    values: Any, side: str, name: str, temperature: float = ROOM
) -> ElectrodeMaterial:
    """Return the active material of one electrode of a set that is already there.

    Parameters
    ----------
    values : pybamm.ParameterValues
    side : {"positive", "negative"}
    name : str
        Of the set, for messages.
    temperature : float
        In K.

    Returns
    -------
    ElectrodeMaterial
        As `material_from_pybamm`.

    Raises
    ------
    ValueError
        If the electrode lacks a number or curve.
    """
    title = side.capitalize()
    keys = {
        "maximum_concentration": f"Maximum concentration in {side} electrode [mol.m-3]",
        "open_circuit_potential": f"{title} electrode OCP [V]",
        "diffusivity": f"{title} particle diffusivity [m2.s-1]",
        "exchange_current_density": f"{title} electrode exchange-current density [A.m-2]",
        "conductivity": f"{title} electrode conductivity [S.m-1]",
    }
    if missing := [key for key in keys.values() if key not in values]:
        raise ValueError(
            f"{name} has no usable {side} electrode: it lacks {', '.join(missing)}; use another "
            "parameter set, or a material of your own"
        )
    most = float(values[keys["maximum_concentration"]])
    potential = _curve(values, keys["open_circuit_potential"])
    if not callable(potential):
        raise ValueError(
            f"the {side} electrode of {name} is lithium, which does not take up lithium; use "
            f"'{name}:{SIDES[1 - SIDES.index(side)]}'"
        )
    j0 = values[keys["exchange_current_density"]]

    def exchange_current(salt: NDArray, solid: NDArray) -> NDArray[np.float64]:
        salt, solid = np.broadcast_arrays(salt, solid)
        if not callable(j0):
            return np.full(salt.shape, float(j0))
        return _evaluated(values, j0, salt, solid, most, temperature)

    if side == "positive":
        window = tuple(float(values[f"{k} voltage cut-off [V]"]) for k in ("Lower", "Upper"))
    else:
        window = NEGATIVE_WINDOW
    conductivity = values[keys["conductivity"]]
    if callable(conductivity):
        # Of temperature, and in some sets of the stoichiometry before it.
        places = (0.5, temperature)[-_arguments(conductivity) :]
        conductivity = _evaluated(values, conductivity, *places)[()]
    return ElectrodeMaterial(
        f"{name}:{side}",
        most,
        potential,
        _curve(values, keys["diffusivity"], temperature),
        exchange_current,
        float(conductivity),
        window,  # type: ignore[arg-type]
        f"PyBaMM parameter set {name}",
    )


def electrolyte_from_pybamm(name: str, temperature: float = ROOM) -> Electrolyte:
    """Return the electrolyte of a parameter set, by the name of the set, at a temperature in K.

    Sets without a lithium electrode get the exchange current density of Xu2019.

    Raises
    ------
    ValueError
        If the set is not known or lacks something.
    ImportError
        If PyBaMM is not there.
    """
    name = name.split(":")[0]
    values = named_parameter_values(name)
    keys = (
        "Initial concentration in electrolyte [mol.m-3]",
        "Electrolyte conductivity [S.m-1]",
        "Electrolyte diffusivity [m2.s-1]",
        "Cation transference number",
    )
    if missing := [key for key in keys if key not in values]:
        raise ValueError(
            f"{name} has no usable electrolyte: it lacks {', '.join(missing)}; use another set"
        )
    rest = float(values[keys[0]])
    factor = "Thermodynamic factor"
    return Electrolyte(
        name,
        rest,
        _curve(values, keys[1], temperature),
        _curve(values, keys[2], temperature),
        _curve(values, keys[3], temperature),
        _curve(values, factor, temperature) if factor in values else 1.0,
        _lithium(values if LITHIUM in values else named_parameter_values("Xu2019"), temperature),
        f"PyBaMM parameter set {name}",
    )


def separator_from_pybamm(name: str) -> Separator:
    """Return the separator of a parameter set, by the name of the set."""
    values = named_parameter_values(name.split(":")[0])
    porosity = float(values["Separator porosity"])
    exponent = float(values["Separator Bruggeman coefficient (electrolyte)"])
    return Separator(
        float(values["Separator thickness [m]"]), porosity, porosity ** (1.0 - exponent)
    )


def _lithium(values: Any, temperature: float) -> Curve:
    j0 = values[LITHIUM]
    if not callable(j0):
        return float(j0)
    return lambda c: _evaluated(values, j0, c, LITHIUM_CONCENTRATION, temperature)


def import_pybamm(
    what: str = "named parameter sets need", instead: str = ", or give a material of your own"
) -> Any:
    """Return the module of PyBaMM, or raise an ImportError that says what needs it.

    Parameters
    ----------
    what : str
        Subject and verb of the message.
    instead : str
        End of the message: what can be done without it.
    """
    try:
        import pybamm
    except ImportError:
        raise ImportError(
            f"{what} PyBaMM, which is not there: pip install 'microtwin[cell]'{instead}"
        ) from None
    return pybamm


def named_parameter_values(name: str) -> Any:
    """Return a parameter set of PyBaMM by its name; a `ValueError` lists the names there are."""
    pybamm = import_pybamm()
    if name not in pybamm.parameter_sets:
        raise ValueError(
            f"parameter set {name!r} is not known; there are "
            f"{', '.join(sorted(pybamm.parameter_sets))}"
        )
    return pybamm.ParameterValues(name)


def _split(chemistry: str) -> tuple[str, str]:
    name, _, side = chemistry.partition(":")
    if side not in SIDES:
        raise ValueError(
            f"chemistry {chemistry!r} is not allowed; name a parameter set and one of its "
            "electrodes, as in 'Chen2020:positive' or 'Chen2020:negative'"
        )
    return name, side


def _curve(values: Any, key: str, *more: float) -> Curve:
    found = values[key]
    if not callable(found):
        return float(found)
    return lambda at: _evaluated(values, found, at, *more)


def _evaluated(values: Any, function: Callable[..., Any], *args: ArrayLike) -> NDArray[np.float64]:
    """Return a function of PyBaMM, which is made of symbols, at an array of places."""
    pybamm = import_pybamm()
    shape, args = np.shape(args[0]), args[: _arguments(function)]
    symbols = [
        pybamm.Vector(np.ravel(arg).astype(float)) if np.ndim(arg) else pybamm.Scalar(float(arg))  # type: ignore[arg-type]
        for arg in args
    ]
    result = function(*symbols)
    if isinstance(result, pybamm.Symbol):
        result = values.process_symbol(result).evaluate()
    flat = np.ravel(np.asarray(result, float))
    return np.broadcast_to(flat, (int(np.prod(shape)),)).reshape(shape).copy()


def _arguments(function: Callable[..., Any]) -> int:
    return len(inspect.signature(function).parameters)
