"""An imaged electrode in a parameter set of PyBaMM, as full cell and against lithium.

Keys of PyBaMM are the same for both electrodes but for the word "positive" or "negative".
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..checking import is_number
from ..electrochemistry import FARADAY, ElectrodeMaterial
from ..electrochemistry.parameter_sets import (
    LITHIUM,
    import_pybamm,
    material_from_parameter_values,
    named_parameter_values,
)
from .electrode_parameters import ElectrodeParameters

__all__ = [
    "checked_side",
    "electrode_capacity",
    "half_cell_parameters",
    "model_options",
    "pybamm_for_cells",
    "to_pybamm",
]

SIDES = ("positive", "negative")
CAPACITY = "Nominal cell capacity [A.h]"
CURRENT = "Current function [A]"
# Closer than this the utilisation counts as 1 and needs no option.
SAME_AREA = 1e-9
# The metal electrode of a half cell, from the one set that PyBaMM has for it.
LITHIUM_SET = "Xu2019"
LITHIUM_KEYS = (
    "Negative electrode thickness [m]",
    "Negative electrode conductivity [S.m-1]",
    "Negative electrode OCP [V]",
    "Negative electrode OCP entropic change [V.K-1]",
    "Negative electrode charge transfer coefficient",
    "Negative electrode double-layer capacity [F.m-2]",
    "Lithium metal partial molar volume [m3.mol-1]",
)


def to_pybamm(
    parameters: ElectrodeParameters,
    base: Any = "Chen2020",
    electrode: str = "positive",
    *,
    stoichiometries: tuple[float, float] | None = None,
) -> Any:
    """Return a parameter set of PyBaMM with one electrode replaced by the imaged one.

    Parameters
    ----------
    parameters : ElectrodeParameters
    base : str or pybamm.ParameterValues
        The set, or its name. It gives the material of the electrode, and all the rest of the cell.
        It is not changed.
    electrode : {"positive", "negative"}
        Which electrode was imaged.
    stoichiometries : tuple of 2 floats, optional
        Stoichiometry of the imaged electrode at the highest and the lowest potential that it is
        used at. By default in equilibrium at the voltage window of its material, see
        `microtwin.electrochemistry.ElectrodeMaterial`.

    Returns
    -------
    pybamm.ParameterValues
        Use it with a model that has the options of `model_options`.

    Raises
    ------
    ValueError
        If the set or its electrode is not known or has more than one active material, a
        stoichiometry is not allowed, or electrolyte or solid do not lead through the electrode.
    ImportError
        If PyBaMM is not there.

    Notes
    -----
    - PyBaMM derives the area of the particles from their radius, 3 x active fraction / radius. The
      radius stays the length of diffusion; the measured area enters as ``Initial positive electrode
      interface utilisation``, which needs the option ``{"interface utilisation": "constant"}``.
      Without that option the area is that of the spheres.
    - The Bruggeman coefficient of the electrolyte is the exponent with which the measured porosity
      gives the measured transport efficiency.
    - A solid conductivity is effective already, so its Bruggeman coefficient becomes 0. If none was
      measured, both stay as in the set.
    - The nominal capacity is that of the imaged electrode (`electrode_capacity`), and the current
      that of 1C. Its initial concentration is that of the charged cell. The other electrode stays
      as it is: a cell whose electrodes do not match needs another one, or another thickness.
    """
    checked_side(electrode)
    parameters.check_conduction()
    values, name = _base(base)
    window = _window(values, electrode, name, stoichiometries)
    most = float(values[f"Maximum concentration in {electrode} electrode [mol.m-3]"])
    title = electrode.capitalize()
    update = {
        f"{title} electrode thickness [m]": parameters.thickness.value,
        f"{title} electrode porosity": parameters.porosity.value,
        f"{title} electrode active material volume fraction": parameters.active_fraction.value,
        f"{title} particle radius [m]": parameters.particle_radius.value,
        f"{title} electrode Bruggeman coefficient (electrolyte)": parameters.bruggeman_exponent,
        f"Initial {electrode} electrode interface utilisation": parameters.interface_utilisation,
        # Charged: little lithium in the positive electrode, much in the negative one.
        f"Initial concentration in {electrode} electrode [mol.m-3]": most
        * window[0 if electrode == "positive" else 1],
    }
    if parameters.solid_conductivity is not None:
        update[f"{title} electrode conductivity [S.m-1]"] = parameters.solid_conductivity.value
        update[f"{title} electrode Bruggeman coefficient (electrode)"] = 0.0
    # The option that the area needs applies to both electrodes.
    other = f"Initial {SIDES[1 - SIDES.index(electrode)]} electrode interface utilisation"
    if other not in values:
        update[other] = 1.0
    area = float(values["Electrode height [m]"]) * float(values["Electrode width [m]"])
    parallel = float(values["Number of electrodes connected in parallel to make a cell"])
    capacity = electrode_capacity(parameters, most, window) * area * parallel
    update[CAPACITY] = capacity
    if is_number(values[CURRENT]):
        update[CURRENT] = capacity
    values.update(update, check_already_exists=False)
    return values


def half_cell_parameters(
    parameters: ElectrodeParameters,
    base: Any = "Chen2020",
    electrode: str = "positive",
    *,
    stoichiometries: tuple[float, float] | None = None,
    voltage_window: tuple[float, float] | None = None,
) -> Any:
    """Return a parameter set of PyBaMM for the imaged electrode against lithium.

    Parameters
    ----------
    parameters, base, electrode, stoichiometries
        As in `to_pybamm`. The material of either electrode of the set serves: PyBaMM has the
        working electrode of a half cell as the positive one, so that of a negative electrode is
        moved there.
    voltage_window : tuple of 2 floats, optional
        Lowest and highest voltage, in V; by default that of the material.

    Returns
    -------
    pybamm.ParameterValues
        For models with the options ``model_options(parameters, half_cell=True)``. The cell is at
        its highest voltage; it takes up lithium while the current is positive.

    Raises
    ------
    ValueError
        As `to_pybamm`, or if the voltages are not allowed, or the material takes up no lithium
        between them.
    ImportError
        If PyBaMM is not there.

    Notes
    -----
    Thickness, conductivity and molar volume of lithium are those of Xu2019, and its exchange
    current density too if the set has none.
    """
    checked_side(electrode)
    values, name = _base(base)
    material = _material(values, electrode, name)
    if voltage_window is not None:
        if not (_are_two_numbers(voltage_window) and voltage_window[0] < voltage_window[1]):
            raise ValueError(
                f"voltage window {voltage_window!r} is not allowed; give two numbers, the lowest "
                "and the highest voltage against lithium, in V"
            )
        low, high = voltage_window
        material = replace(material, voltage_window=(float(low), float(high)))
    if stoichiometries is None:
        stoichiometries = material.stoichiometries
    if electrode == "negative":
        _move_to_positive(values)
    values = to_pybamm(parameters, values, "positive", stoichiometries=stoichiometries)
    lowest, highest = material.voltage_window
    lithium = named_parameter_values(LITHIUM_SET)
    update = {key: lithium[key] for key in LITHIUM_KEYS}
    if LITHIUM not in values:
        update[LITHIUM] = lithium[LITHIUM]
    update |= {
        "Lower voltage cut-off [V]": lowest,
        "Upper voltage cut-off [V]": highest,
        "Open-circuit voltage at 0% SOC [V]": lowest,
        "Open-circuit voltage at 100% SOC [V]": highest,
    }
    values.update(update, check_already_exists=False)
    return values


def model_options(parameters: ElectrodeParameters, *, half_cell: bool = False) -> dict[str, str]:
    """Return the options that a model of PyBaMM needs for these parameters.

    Parameters
    ----------
    parameters : ElectrodeParameters
    half_cell : bool
        Whether the set is that of `half_cell_parameters`.

    Returns
    -------
    dict of str to str
        As in ``pybamm.lithium_ion.DFN(model_options(parameters))``.
    """
    options = {"working electrode": "positive"} if half_cell else {}
    if abs(parameters.interface_utilisation - 1.0) > SAME_AREA:
        options["interface utilisation"] = "constant"
    return options


def electrode_capacity(
    parameters: ElectrodeParameters,
    maximum_concentration: float,
    stoichiometries: tuple[float, float],
) -> float:
    """Return the capacity of an electrode between two stoichiometries, in A h/m^2.

    ``F c_max |x1 - x2| eps_s L``, with the fraction eps_s of active material that is connected and
    the thickness L.

    Parameters
    ----------
    parameters : ElectrodeParameters
    maximum_concentration : float
        Of lithium in the active material, in mol/m^3.
    stoichiometries : tuple of 2 floats

    Examples
    --------
    >>> from microtwin.upscaling import ElectrodeParameters, electrode_capacity
    >>> electrode = ElectrodeParameters.from_numbers(
    ...     thickness=75.6e-6,
    ...     porosity=0.335,
    ...     active_fraction=0.665,
    ...     liquid_transport_efficiency=0.19,
    ...     specific_surface=3.8e5,
    ...     particle_radius=5.22e-6,
    ... )
    >>> round(electrode_capacity(electrode, 63104.0, (0.27, 0.9)), 1)
    53.6
    """
    charge = FARADAY * maximum_concentration * abs(stoichiometries[0] - stoichiometries[1])
    return charge * parameters.active_fraction.value * parameters.thickness.value / 3600.0


def pybamm_for_cells() -> Any:
    """Return the module of PyBaMM, or raise an ImportError that says what needs it."""
    return import_pybamm("parameter sets for cell models need", "")


def checked_side(electrode: str) -> str:
    """Return the name of an electrode if it is one; otherwise raise a `ValueError`."""
    if electrode not in SIDES:
        raise ValueError(
            f"electrode {electrode!r} is not allowed; say which one was imaged, 'positive' or "
            "'negative'"
        )
    return electrode


def _base(base: Any) -> tuple[Any, str]:
    pybamm = pybamm_for_cells()
    if isinstance(base, str):
        return named_parameter_values(base), base
    if isinstance(base, pybamm.ParameterValues):
        return base.copy(), "the given set"
    raise ValueError(
        f"base {base!r} is not allowed; give the name of a parameter set of PyBaMM, such as "
        "'Chen2020', or a ParameterValues"
    )


def _material(values: Any, electrode: str, name: str) -> ElectrodeMaterial:
    if any(key.startswith("Primary: ") and electrode in key.lower() for key in values):
        raise ValueError(
            f"the {electrode} electrode of {name} is a blend of active materials, which one "
            "measured area and radius cannot be shared out to; use a set with one"
        )
    return material_from_parameter_values(values, electrode, name)


def _window(
    values: Any, electrode: str, name: str, given: tuple[float, float] | None
) -> tuple[float, float]:
    material = _material(values, electrode, name)
    if given is None:
        return material.stoichiometries
    if not (_are_two_numbers(given) and 0.0 < given[0] < given[1] < 1.0):
        raise ValueError(
            f"stoichiometries {given!r} are not allowed; give those at the highest and at the "
            "lowest potential, rising, between 0 and 1"
        )
    return float(given[0]), float(given[1])


def _are_two_numbers(given: object) -> bool:
    return isinstance(given, (tuple, list)) and len(given) == 2 and all(map(is_number, given))


def _move_to_positive(values: Any) -> None:
    """Put all that is known of the negative electrode in the place of the positive one."""
    words = (("Negative ", "Positive "), (" negative ", " positive "))
    moved = {}
    for key in values:
        new = key
        for old, other in words:
            new = new.replace(old, other)
        if new != key and "current collector" not in key:
            moved[new] = values[key]
    # Functions of the set may name the numbers of their own electrode, so these stay as well.
    values.update(moved, check_already_exists=False)
