"""How much of its capacity an imaged electrode gives at a rate, and what the guess would say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checking import is_number
from .electrode_parameters import ElectrodeParameters
from .pybamm_parameters import CURRENT, half_cell_parameters, model_options, pybamm_for_cells

__all__ = ["RateCapability", "rate_capability"]

MODELS = ("DFN", "SPMe", "SPM")
VARIANTS = ("measured", "guess", "bounds")
EXPONENT = "Positive electrode Bruggeman coefficient (electrolyte)"
POINTS = {"x_n": 5, "x_s": 10, "x_p": 30, "r_n": 5, "r_p": 30}
# Discharges end here if the voltage does not, in multiples of the time that the rate stands for.
LONGEST = 1.2


@dataclass(frozen=True, eq=False)
class RateCapability:
    """Capacities of an electrode against lithium at several rates.

    Attributes
    ----------
    c_rates : ndarray, shape (n,)
    capacities : ndarray, shape (n,)
        With the measured parameters, in A h/m^2 of the collector; NaN where the model failed.
    guess : ndarray, shape (n,), or None
        The same electrode with the Bruggeman exponent of the base set; None if not asked for.
    lower, upper : ndarray, shape (n,), or None
        With the transport efficiency lowered and raised by its uncertainty; None if it has none,
        or if not asked for.
    nominal : float
        Between the stoichiometries at the ends of the voltage window, in A h/m^2. 1C takes it in
        an hour, in all variants.
    exponent : float
        Bruggeman exponent that was measured.
    guessed_exponent : float or None
        That of the base set; None if the guess was not asked for.
    notes : tuple of str
        What failed or ended early, and why.
    """

    c_rates: NDArray[np.float64]
    capacities: NDArray[np.float64]
    guess: NDArray[np.float64] | None
    lower: NDArray[np.float64] | None
    upper: NDArray[np.float64] | None
    nominal: float
    exponent: float
    guessed_exponent: float | None
    notes: tuple[str, ...] = field(default=())


def rate_capability(
    parameters: ElectrodeParameters,
    base: Any = "Chen2020",
    c_rates: Sequence[float] = (0.2, 0.5, 1.0, 2.0, 3.0, 5.0),
    *,
    electrode: str = "positive",
    model: str = "DFN",
    stoichiometries: tuple[float, float] | None = None,
    voltage_window: tuple[float, float] | None = None,
    variants: Sequence[str] = VARIANTS,
) -> RateCapability:
    """Discharge the electrode against lithium at several rates, in a cell model of PyBaMM.

    Parameters
    ----------
    parameters : ElectrodeParameters
    base, electrode, stoichiometries, voltage_window
        As in `half_cell_parameters`.
    c_rates : sequence of float
        1 takes the nominal capacity in an hour.
    model : {"DFN", "SPMe", "SPM"}
        SPM knows nothing of the electrolyte, so all its variants agree.
    variants : sequence of {"measured", "guess", "bounds"}
        What to discharge: the electrode with the measured exponent, which is always needed, with
        that of the base set, and with the ends of the uncertainty of its transport efficiency.

    Returns
    -------
    RateCapability

    Raises
    ------
    ValueError
        As `half_cell_parameters`, or if a rate, the model or a variant is not allowed. A run that
        fails is no error: its capacity is NaN, and a note says why.
    ImportError
        If PyBaMM is not there.
    """
    rates = np.atleast_1d(np.asarray(c_rates, float))
    if rates.ndim != 1 or not rates.size or not (np.isfinite(rates) & (rates > 0.0)).all():
        raise ValueError(f"c_rates {c_rates!r} are not allowed; give numbers above 0")
    if model not in MODELS:
        raise ValueError(f"model {model!r} is not allowed; use one of {', '.join(MODELS)}")
    if "measured" not in variants or not set(variants) <= set(VARIANTS):
        raise ValueError(
            f"variants {variants!r} are not allowed; give 'measured', and 'guess' and 'bounds' "
            "where they are wanted"
        )
    pybamm = pybamm_for_cells()
    values = half_cell_parameters(
        parameters,
        base,
        electrode,
        stoichiometries=stoichiometries,
        voltage_window=voltage_window,
    )
    exponents = {"measured": parameters.bruggeman_exponent}
    notes: list[str] = []
    if "guess" in variants:
        exponents["guessed"] = _guessed_exponent(base, electrode)
    if "bounds" in variants:
        for name, sign in (("lower", -1.0), ("upper", 1.0)):
            exponents |= _moved(parameters, name, sign, notes)
    area = float(values["Electrode height [m]"]) * float(values["Electrode width [m]"])
    area *= float(values["Number of electrodes connected in parallel to make a cell"])
    nominal = float(values["Nominal cell capacity [A.h]"]) / area
    # One model serves all runs: the exponent and the current are inputs of it.
    values.update({CURRENT: "[input]", EXPONENT: "[input]"})
    simulation = pybamm.Simulation(
        getattr(pybamm.lithium_ion, model)(model_options(parameters, half_cell=True)),
        parameter_values=values,
        var_pts=POINTS,
    )
    found = {
        name: np.array(
            [_capacity(simulation, rate, nominal * area, exponent, name, notes) for rate in rates]
        )
        / area
        for name, exponent in exponents.items()
    }
    return RateCapability(
        rates,
        found["measured"],
        found.get("guessed"),
        found.get("lower"),
        found.get("upper"),
        nominal,
        exponents["measured"],
        exponents.get("guessed"),
        tuple(notes),
    )


def _guessed_exponent(base: Any, electrode: str) -> float:
    values = pybamm_for_cells().ParameterValues(base) if isinstance(base, str) else base
    found = values[f"{electrode.capitalize()} electrode Bruggeman coefficient (electrolyte)"]
    if not is_number(found):
        raise ValueError(
            f"the Bruggeman coefficient of the {electrode} electrode in the base set is {found!r}; "
            "a guess to compare with needs a number"
        )
    return float(found)


def _moved(
    parameters: ElectrodeParameters, name: str, sign: float, notes: list[str]
) -> dict[str, float]:
    """Return the exponent for the transport efficiency at one end of its uncertainty."""
    efficiency = parameters.liquid_transport_efficiency
    if efficiency.uncertainty is None:
        return {}
    porosity = parameters.porosity.value
    # Straight pores are the most that a porosity allows.
    moved = min(efficiency.value + sign * efficiency.uncertainty, porosity)
    if moved <= 0.0:
        notes.append(
            f"{name}: the uncertainty of the transport efficiency is as large as itself, so no "
            "lower end of the capacity can be told."
        )
        return {name: np.nan}
    return {name: float(np.log(moved) / np.log(porosity))}


def _capacity(
    simulation: Any, rate: float, nominal: float, exponent: float, name: str, notes: list[str]
) -> float:
    """Return the capacity that one discharge gives, in A h; NaN if it fails."""
    if np.isnan(exponent):
        return np.nan
    end = LONGEST * 3600.0 / rate
    inputs = {CURRENT: rate * nominal, EXPONENT: exponent}
    try:
        solution = simulation.solve([0.0, end], inputs=inputs)
    except Exception as error:  # whatever the solver raises: one rate must not end the others
        if "non-positive at initial conditions" in str(error):
            notes.append(f"{name}, {rate:g}C: the voltage is below the lowest at once.")
            return 0.0
        notes.append(f"{name}, {rate:g}C: {type(error).__name__}: {str(error).splitlines()[0]}")
        return np.nan
    if solution.termination == "final time":
        notes.append(
            f"{name}, {rate:g}C: the lowest voltage was not reached in {LONGEST:g} times the hours "
            "that the rate stands for; the window of stoichiometries is narrower than that of the "
            "voltage."
        )
    return float(solution["Discharge capacity [A.h]"].entries[-1])
