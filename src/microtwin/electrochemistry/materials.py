"""What electrode materials and electrolytes are made of: numbers and curves of a half cell.

Curves are functions of the stoichiometry x (lithium in the active material over the most that it
takes up) or of the salt concentration; numbers stand for constant functions. Named materials come
from the parameter sets of PyBaMM (`parameter_sets`), own ones from a file (`material_files`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..checking import is_number

__all__ = ["Curve", "ElectrodeMaterial", "Electrolyte", "Separator", "curve"]

Curve = float | Callable[[NDArray[np.float64]], NDArray[np.float64]]
ExchangeCurrent = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]

SAMPLES = 4001


@dataclass(frozen=True, eq=False)
class ElectrodeMaterial:
    """Active material of an electrode.

    Parameters
    ----------
    name : str
    maximum_concentration : float
        Most lithium that it takes up, in mol/m^3.
    open_circuit_potential : callable
        Of x; in V against lithium.
    diffusivity : float or callable
        Of lithium in it, of x; in m^2/s.
    exchange_current_density : callable
        Of the salt concentration and of the concentration in the solid, both in mol/m^3; in A/m^2.
    conductivity : float
        Electronic, in S/m.
    voltage_window : tuple of 2 floats
        Lowest and highest cell voltage against lithium, in V.
    source : str
        Where the numbers are from.
    """

    name: str
    maximum_concentration: float
    open_circuit_potential: Callable[[NDArray[np.float64]], NDArray[np.float64]] = field(repr=False)
    diffusivity: Curve = field(repr=False)
    exchange_current_density: ExchangeCurrent = field(repr=False)
    conductivity: float
    voltage_window: tuple[float, float]
    source: str = ""

    def __post_init__(self) -> None:
        _positive("maximum_concentration", self.maximum_concentration, "mol/m^3")
        _positive("conductivity", self.conductivity, "S/m")
        low, high = self.voltage_window
        if not (is_number(low) and is_number(high) and low < high):
            raise ValueError(
                f"voltage window {self.voltage_window!r} of {self.name} is not allowed; give the "
                "lowest and the highest voltage against lithium, in V"
            )
        x = np.linspace(0.01, 0.99, 99)
        values = curve(self.diffusivity, x)
        if not (np.isfinite(values) & (values > 0.0)).all():
            raise ValueError(
                f"the diffusivity of {self.name} must be above 0 m^2/s at every stoichiometry; it "
                f"goes down to {float(np.min(values)):.3g}"
            )

    @property
    def stoichiometries(self) -> tuple[float, float]:
        """Stoichiometry in equilibrium at the highest and the lowest voltage of the window.

        Where the curve ends before a voltage is reached, 0.001 or 0.999.

        Raises
        ------
        ValueError
            If the curve lies outside the window.
        """
        high = self.stoichiometry_at(self.voltage_window[1])
        low = self.stoichiometry_at(self.voltage_window[0])
        if not high < low:
            raise ValueError(
                f"between {self.voltage_window[0]:g} and {self.voltage_window[1]:g} V {self.name} "
                "takes up no lithium; check the voltage window and the open-circuit potential"
            )
        return high, low

    def stoichiometry_at(self, voltage: float) -> float:
        """Return the largest stoichiometry at which the open-circuit potential reaches a voltage.

        Where the curve ends before that, 0.001 or 0.999.
        """
        x = np.linspace(0.001, 0.999, SAMPLES)
        u = curve(self.open_circuit_potential, x)
        # Curves fall with lithium uptake; where a fit does not, at its ends, it is passed over.
        falling = np.maximum.accumulate(u[::-1])[::-1]
        return float(np.interp(-voltage, -falling, x))


@dataclass(frozen=True, eq=False)
class Electrolyte:
    """A salt solution, in concentrated-solution theory.

    Parameters
    ----------
    name : str
    concentration : float
        Of salt at rest, in mol/m^3.
    conductivity : float or callable
        Of the concentration; in S/m.
    diffusivity : float or callable
        Of salt, of the concentration; in m^2/s.
    transference_number : float or callable
        Of lithium, of the concentration.
    thermodynamic_factor : float or callable
        1 + d ln f / d ln c, of the concentration.
    lithium_exchange_current_density : float or callable
        At the lithium counter electrode, of the concentration; in A/m^2.
    source : str
        Where the numbers are from.
    """

    name: str
    concentration: float
    conductivity: Curve = field(repr=False)
    diffusivity: Curve = field(repr=False)
    transference_number: Curve = field(repr=False)
    thermodynamic_factor: Curve = field(default=1.0, repr=False)
    lithium_exchange_current_density: Curve = field(default=12.6, repr=False)
    source: str = ""

    def __post_init__(self) -> None:
        _positive("concentration", self.concentration, "mol/m^3")
        around = np.linspace(0.5, 1.5, 11) * self.concentration
        transference = curve(self.transference_number, around)
        if not (np.isfinite(transference) & (transference < 1.0)).all():
            raise ValueError(
                f"transference number of {self.name} must be below 1 around "
                f"{self.concentration:g} mol/m^3; it goes up to {float(np.max(transference)):.3g}"
            )
        for quantity, unit in (
            ("conductivity", "S/m"),
            ("diffusivity", "m^2/s"),
            ("thermodynamic_factor", ""),
            ("lithium_exchange_current_density", "A/m^2"),
        ):
            values = curve(getattr(self, quantity), around)
            if not (np.isfinite(values) & (values > 0.0)).all():
                raise ValueError(
                    f"{quantity.replace('_', ' ')} of {self.name} must be above 0 {unit} around "
                    f"{self.concentration:g} mol/m^3; it goes down to {float(np.min(values)):.3g}"
                )


@dataclass(frozen=True)
class Separator:
    """The layer between electrode and lithium, soaked with electrolyte.

    Parameters
    ----------
    thickness : float
        In m.
    porosity : float
    tortuosity_factor : float
    """

    thickness: float = 12e-6
    porosity: float = 0.47
    tortuosity_factor: float = 0.47**-0.5

    def __post_init__(self) -> None:
        _positive("thickness of the separator", self.thickness, "m")
        _positive("tortuosity factor of the separator", self.tortuosity_factor, "1")
        if not (is_number(self.porosity) and 0.0 < self.porosity <= 1.0):
            raise ValueError(
                f"porosity {self.porosity!r} of the separator is not allowed; give a number above "
                "0 and up to 1"
            )

    @property
    def share(self) -> float:
        """Conductivity over that of free electrolyte."""
        return self.porosity / self.tortuosity_factor


def curve(value: Curve, at: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a number or function at some places."""
    found = value(at) if callable(value) else value
    return np.broadcast_to(np.asarray(found, float), np.shape(at)).astype(float)


def _positive(name: str, value: float, unit: str) -> None:
    if not (is_number(value) and value > 0.0):
        raise ValueError(f"{name.replace('_', ' ')} {value!r} is not allowed; give {unit} above 0")
