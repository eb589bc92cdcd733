"""Sorption, decay and flow of solutes in soil and rock, in the words and units of hydrogeology.

Arguments are numbers in SI units or text with a unit: ``"0.4 L/kg"``, ``"1.6 g/cm3"``, ``"30
days"``. Each default names its source; "commonly used" marks those whose source was not read.

Sorption belongs to a phase of the image: for a phase that holds pores too small to see, porosity
and bulk density are those of the phase, and concentrations are those in its water.
"""

from __future__ import annotations

import math

from ..units import quantity
from .isotherms import Freundlich, Langmuir, Linear
from .kinetics import FirstOrder, positive

__all__ = [
    "DIFFUSIVITY",
    "GRAIN_DENSITY",
    "GRAVITY",
    "WATER_DENSITY",
    "WATER_VISCOSITY",
    "bulk_density",
    "damkohler_number",
    "decay",
    "diffusivity",
    "freundlich",
    "hydraulic_conductivity",
    "langmuir",
    "linear",
    "peclet_number",
    "permeability",
    "retardation_factor",
]

#: Of quartz: US EPA, On-line Tools for Site Assessment Calculation.
GRAIN_DENSITY = "2.65 g/cm3"
#: In m/s^2, the standard value.
GRAVITY = 9.80665
#: Of water at 20 C (commonly used, CRC Handbook).
WATER_DENSITY = "998.2 kg/m3"
#: Of water at 20 C (commonly used, CRC Handbook).
WATER_VISCOSITY = "1.002e-3 Pa s"
#: In water at 25 C, in m^2/s, much diluted. Gases: CRC Handbook, Diffusion of Gases in Water. Ions:
#: G. Kirk, The Biogeochemistry of Submerged Soils (2004), Table 2.3. Sugars: CRC Handbook, 57th
#: edition.
DIFFUSIVITY = {
    "oxygen": 2.42e-9,
    "carbon dioxide": 1.91e-9,
    "methane": 1.84e-9,
    "nitrogen": 2.0e-9,
    "hydrogen": 5.11e-9,
    "hydrogen sulphide": 1.36e-9,
    "radon": 1.33e-9,
    "H+": 9.31e-9,
    "Na+": 1.33e-9,
    "K+": 1.96e-9,
    "Cs+": 2.07e-9,
    "NH4+": 1.98e-9,
    "Mg2+": 0.70e-9,
    "Ca2+": 0.79e-9,
    "Sr2+": 0.79e-9,
    "Fe2+": 0.72e-9,
    "Cu2+": 0.73e-9,
    "Zn2+": 0.72e-9,
    "Cd2+": 0.72e-9,
    "Pb2+": 0.95e-9,
    "OH-": 5.27e-9,
    "F-": 1.47e-9,
    "Cl-": 2.03e-9,
    "Br-": 2.08e-9,
    "I-": 2.04e-9,
    "NO3-": 1.90e-9,
    "SO42-": 1.06e-9,
    "HCO3-": 1.18e-9,
    "glucose": 6.73e-10,
    "sucrose": 5.23e-10,
}


def diffusivity(solute: str) -> float:
    """Return the diffusivity of a solute in water at 25 C.

    Parameters
    ----------
    solute : str
        A key of `DIFFUSIVITY`, which names the sources.

    Returns
    -------
    float
        In m^2/s.

    Raises
    ------
    ValueError
        If the solute is not known.

    Examples
    --------
    >>> from microtwin.reactions import groundwater
    >>> groundwater.diffusivity("Cl-")
    2.03e-09
    """
    if solute not in DIFFUSIVITY:
        raise ValueError(
            f"the diffusivity of {solute!r} is not known; give it as a number, or name one of "
            f"{', '.join(DIFFUSIVITY)}"
        )
    return DIFFUSIVITY[solute]


def bulk_density(porosity: float | str, grain_density: float | str = GRAIN_DENSITY) -> float:
    """Return the dry mass in a volume of soil or rock, (1 - porosity) times that of its grains.

    Parameters
    ----------
    porosity : float or str
        Share of the volume, ``0.3`` or ``"30 %"``.
    grain_density : float or str, optional
        In kg/m^3: 2650, quartz (US EPA, On-line Tools for Site Assessment).

    Returns
    -------
    float
        In kg/m^3.

    Raises
    ------
    ValueError
        If a quantity is not allowed.
    """
    dense = _positive(grain_density, "kg/m3", "grain density")
    return (1.0 - _porosity(porosity)) * dense


def retardation_factor(
    distribution: float | str, density: float | str, porosity: float | str
) -> float:
    """Return by how much slower than water a sorbed solute moves, R = 1 + rho_b K_d / porosity.

    Parameters
    ----------
    distribution : float or str
        K_d, in m^3/kg, or ``"0.4 L/kg"``.
    density : float or str
        Bulk density, in kg/m^3.
    porosity : float or str
        Share of the volume.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If a quantity is not allowed.

    Notes
    -----
    R. A. Freeze and J. A. Cherry, Groundwater (1979); US EPA, On-line Tools for Site Assessment.

    Examples
    --------
    >>> from microtwin.reactions import groundwater
    >>> round(groundwater.retardation_factor("0.5 mL/g", "1.6 g/cm3", 0.4), 9)
    3.0
    """
    return 1.0 + _positive(distribution, "m3/kg", "K_d") * _solid_per_water(density, porosity)


def linear(distribution: float | str, density: float | str, porosity: float | str) -> Linear:
    """Return sorption in proportion to the concentration in water, K_d c.

    Parameters
    ----------
    distribution, density, porosity : float or str
        As in `retardation_factor`.

    Returns
    -------
    Linear
        Its constant is the retardation factor less 1.

    Raises
    ------
    ValueError
        If a quantity is not allowed.
    """
    return Linear(retardation_factor(distribution, density, porosity) - 1.0)


def langmuir(
    capacity: float | str,
    affinity: float | str,
    density: float | str,
    porosity: float | str,
    *,
    molar_mass: float | str | None = None,
) -> Langmuir:
    """Return sorption on a limited number of sites, q K c / (1 + K c) for a mass of solid.

    Parameters
    ----------
    capacity : float or str
        q, in mol/kg; with a molar mass, text may be a mass too, ``"5 mg/g"``.
    affinity : float or str
        K, in m^3/mol; with a molar mass, text may be ``"0.2 L/mg"`` too.
    density, porosity : float or str
        As in `retardation_factor`.
    molar_mass : float or str, optional
        Of the solute, in kg/mol.

    Returns
    -------
    Langmuir

    Raises
    ------
    ValueError
        If a quantity is not allowed.
    """
    mass = None if molar_mass is None else _positive(molar_mass, "kg/mol", "molar mass")
    held = _molar(capacity, "mol/kg", "kg/kg", "capacity", None if mass is None else 1.0 / mass)
    return Langmuir(
        held * _solid_per_water(density, porosity),
        _molar(affinity, "m3/mol", "m3/kg", "affinity", mass),
    )


def freundlich(
    constant: float,
    exponent: float,
    density: float | str,
    porosity: float | str,
    *,
    molar_mass: float | str | None = None,
) -> Freundlich:
    """Return sorption on sites of many kinds, K c^n for a mass of solid.

    Parameters
    ----------
    constant : float
        K, what a kg of solid holds at 1 mol/m^3, in mol. With a molar mass: what it holds at
        1 mg/L, in mg, as tables have it.
    exponent : float
        n, above 0 and at most 1.
    density, porosity : float or str
        As in `retardation_factor`.
    molar_mass : float or str, optional
        Of the solute, in kg/mol.

    Returns
    -------
    Freundlich

    Raises
    ------
    ValueError
        If a quantity is not allowed.

    Examples
    --------
    A kg of soil holds 1.2 mg of benzene (78 g/mol) at 1 mg/L:

    >>> from microtwin.reactions import groundwater
    >>> law = groundwater.freundlich(1.2, 1.0, "1.6 g/cm3", 0.4, molar_mass="78 g/mol")
    >>> round(law.constant, 6)  # as K_d = 1.2 L/kg
    4.8
    """
    positive("Freundlich constant", constant, "mol/kg at 1 mol/m^3, or mg/kg at 1 mg/L")
    if molar_mass is not None:
        mass = _positive(molar_mass, "kg/mol", "molar mass")
        # 1 mol/m^3 is 1000 M mg/L, and a mg is 1e-6 / M mol.
        constant *= (1e3 * mass) ** exponent * 1e-6 / mass
    return Freundlich(constant * _solid_per_water(density, porosity), exponent)


def decay(half_life: float | str) -> FirstOrder:
    """Return decay of order one, ln 2 over the half-life.

    Parameters
    ----------
    half_life : float or str
        In s, or ``"30 days"``.

    Returns
    -------
    FirstOrder
        Of what is dissolved; what is sorbed does not decay with it.

    Raises
    ------
    ValueError
        If the half-life is not allowed.
    """
    return FirstOrder(math.log(2.0) / _positive(half_life, "s", "half-life"))


def peclet_number(velocity: float | str, length: float | str, diffusivity: float | str) -> float:
    """Return how much flow carries over what diffuses, v L / D.

    Parameters
    ----------
    velocity : float or str
        Of the water in the pores, in m/s.
    length : float or str
        Such as the size of grains, in m.
    diffusivity : float or str
        In m^2/s.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If a quantity is not allowed.
    """
    return (
        _positive(velocity, "m/s", "velocity")
        * _positive(length, "m", "length")
        / _positive(diffusivity, "m2/s", "diffusivity")
    )


def damkohler_number(
    rate: float | str | FirstOrder,
    length: float | str,
    *,
    velocity: float | str | None = None,
    diffusivity: float | str | None = None,
) -> float:
    """Return how fast a reaction is over transport, k L / v with flow or k L^2 / D without.

    Parameters
    ----------
    rate : float, str or FirstOrder
        k, in 1/s.
    length : float or str
        In m.
    velocity, diffusivity : float or str, optional
        One of them, in m/s or m^2/s. With the diffusivity it is the Thiele modulus squared.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If a quantity is not allowed, or not exactly one of velocity and diffusivity is given.
    """
    k = rate.constant if isinstance(rate, FirstOrder) else _positive(rate, "1/s", "rate")
    size = _positive(length, "m", "length")
    if velocity is not None and diffusivity is None:
        return k * size / _positive(velocity, "m/s", "velocity")
    if diffusivity is not None and velocity is None:
        return k * size**2 / _positive(diffusivity, "m2/s", "diffusivity")
    raise ValueError(
        f"velocity {velocity!r} and diffusivity {diffusivity!r} are not allowed together; give one "
        "of them, the velocity where flow carries the solute, the diffusivity where it diffuses"
    )


def hydraulic_conductivity(
    permeability: float | str,
    density: float | str = WATER_DENSITY,
    viscosity: float | str = WATER_VISCOSITY,
) -> float:
    """Return the hydraulic conductivity, K = k rho g / mu.

    Parameters
    ----------
    permeability : float or str
        k, in m^2, or ``"1 darcy"``.
    density : float or str, optional
        Of the fluid, in kg/m^3: water at 20 C (commonly used).
    viscosity : float or str, optional
        In Pa s: water at 20 C (commonly used).

    Returns
    -------
    float
        In m/s.

    Raises
    ------
    ValueError
        If a quantity is not allowed.

    Notes
    -----
    R. A. Freeze and J. A. Cherry, Groundwater (1979).

    Examples
    --------
    >>> from microtwin.reactions import groundwater
    >>> f"{groundwater.hydraulic_conductivity('1 darcy'):.2e}"
    '9.64e-06'
    """
    return _positive(permeability, "m2", "permeability") * _weight(density, viscosity)


def permeability(
    conductivity: float | str,
    density: float | str = WATER_DENSITY,
    viscosity: float | str = WATER_VISCOSITY,
) -> float:
    """Return the permeability, k = K mu / (rho g), from the hydraulic conductivity.

    Parameters
    ----------
    conductivity : float or str
        K, in m/s, or ``"10 m/day"``.
    density, viscosity : float or str, optional
        As in `hydraulic_conductivity`.

    Returns
    -------
    float
        In m^2.

    Raises
    ------
    ValueError
        If a quantity is not allowed.
    """
    return _positive(conductivity, "m/s", "hydraulic conductivity") / _weight(density, viscosity)


def _positive(value: float | str, unit: str, noun: str) -> float:
    found = quantity(value, unit, noun)
    positive(noun, found, unit)
    return found


def _porosity(value: float | str) -> float:
    found = quantity(value, "", "porosity")
    if not 0.0 < found < 1.0:
        raise ValueError(
            f"porosity {value!r} is not allowed; it is the share of pores, between 0 and 1"
        )
    return found


def _solid_per_water(density: float | str, porosity: float | str) -> float:
    """Return the dry mass that touches a volume of water, in kg/m^3."""
    return _positive(density, "kg/m3", "bulk density") / _porosity(porosity)


def _weight(density: float | str, viscosity: float | str) -> float:
    dense, thick = _positive(density, "kg/m3", "density"), _positive(viscosity, "Pa s", "viscosity")
    return dense * GRAVITY / thick


def _molar(value: float | str, unit: str, by_mass: str, noun: str, factor: float | None) -> float:
    """Return a quantity per mol, from text that may have it per kg if there is a factor."""
    if isinstance(value, str) and factor is not None:
        try:
            found = quantity(value, by_mass, noun) * factor
        except ValueError:  # it is per mol, or nothing that is known
            found = quantity(value, unit, noun)
    else:
        found = quantity(value, unit, noun)
    positive(noun, found, unit)
    return found
