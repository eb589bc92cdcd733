"""Oxygen and glucose in tissue, in the words and units of tumour biology.

Arguments are numbers in SI units or text with a unit: ``"25 mmHg/s"``, ``"6 cm/min"``. A
concentration of oxygen is in mol/m^3, or text with a unit of pressure or in per cent of the
atmosphere, ``"160 mmHg"`` and ``"21 %"``.

Values differ between sources by a factor of two and more, and so do tissues. Each default names
its source. "As quoted by software" marks values read in the parameters of other software that
names the paper, "commonly used" those whose source was not read.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from ..units import quantity
from . import exact
from .kinetics import FirstOrder, MichaelisMenten, Reaction, Saturation, ZeroOrder, positive
from .species import Exchange, Species

__all__ = [
    "ANOXIA",
    "CELL_CONSUMPTION",
    "CONSUMPTION",
    "CONSUMPTION_PER_OXYGEN",
    "DIFFUSIVITY",
    "GLUCOSE",
    "GLUCOSE_DIFFUSIVITY",
    "GLUCOSE_HALF_SATURATION",
    "HALF_SATURATION",
    "HYPOXIA",
    "NORMOXIA",
    "PLASMA_TENSION",
    "QUIESCENCE",
    "SOLUBILITY",
    "VESSEL_PERMEABILITY",
    "diffusion_limit",
    "first_order_consumption",
    "glucose",
    "necrotic_radius",
    "oxygen",
    "oxygen_concentration",
    "oxygen_consumption",
    "oxygen_tension",
    "oxygen_uptake",
    "respiration",
    "vessel",
]

#: Of oxygen in plasma at 37 C: 0.003 mL/dL/mmHg of textbooks of physiology, with 22.4 L/mol.
#: Tissue is commonly taken alike: D. R. Grimes et al., J. R. Soc. Interface 13 (2016) 20160070
#: have 22779 mmHg m^3/kg, 1.37e-3 mol/m^3/mmHg (as quoted by software). Water at 37 C holds
#: 1.43e-3: 1.3e-5 mol/m^3/Pa at 25 C and 1500 K, R. Sander, Atmos. Chem. Phys. 23 (2023) 10901.
SOLUBILITY = "1.34e-3 mol/m3/mmHg"
#: 21 % oxygen in dry air (commonly used). In an incubator, with humid air and 5 % CO2, it is about
#: 142 mmHg.
NORMOXIA = "160 mmHg"
ATMOSPHERE = 160.0 / 0.21  # mmHg, so that 21 % are 160 mmHg
#: Of oxygen in tissue: D. R. Grimes et al., J. R. Soc. Interface 11 (2014) 20131124 (as quoted by
#: software). M. R. Owen et al., Cancer Res. 71 (2011) 2826 take 0.00145 cm^2/min = 2.4e-9 m^2/s,
#: others down to 1.7e-9.
DIFFUSIVITY = "2e-9 m2/s"
#: Uptake of spheroids: the middle of 25 to 33 mmHg/s (commonly used).
CONSUMPTION = "29 mmHg/s"
#: Of uptake: "typically below 1 mmHg" in D. R. Grimes et al. (2014) (as quoted by software);
#: commonly 0.5 to 5 mmHg.
HALF_SATURATION = "1 mmHg"
#: Range of cells in culture, from below 1 to above 350 amol/s: B. A. Wagner, S. Venkataraman and
#: G. R. Buettner, Free Radic. Biol. Med. 51 (2011) 700, abstract. There is no default.
CELL_CONSUMPTION = ("1 amol/s", "350 amol/s")
#: Uptake of order one of vessel-fed tissue: M. R. Owen et al., Cancer Res. 71 (2011) 2826, from
#: the parameters of the software MicrovesselChaste, which names that paper.
CONSUMPTION_PER_OXYGEN = "13 1/min"
#: Of the wall of vessels: the same.
VESSEL_PERMEABILITY = "6 cm/min"
#: Reference tension of blood in vessels: the same.
PLASMA_TENSION = "20 mmHg"
#: Below it cells become quiescent: the same. They leave that state above 9.8 mmHg.
QUIESCENCE = "8.9 mmHg"
#: The limit by which many clinical studies call tumours hypoxic, listed in Table 1 of Antioxid.
#: Redox Signal. 21 (2014) 1516; others take 2.5 or 5 mmHg.
HYPOXIA = "10 mmHg"
#: Severe hypoxia, as quoted by software from D. R. Grimes et al. (2014); commonly 0.5 to 1 mmHg.
#: The software PhysiCell lets necrosis begin at 5 mmHg and be as fast as it gets at 2.5 mmHg.
ANOXIA = "0.8 mmHg"
#: In medium and blood (commonly used); media rich in glucose have 25 mol/m^3.
GLUCOSE = "5.5 mol/m3"
#: In spheroids (commonly used, after J. J. Casciari, S. V. Sotirchos and R. M. Sutherland, Cancer
#: Res. 48 (1988) 3905, which was not read). In water at 25 C it is 6.73e-10 m^2/s (CRC Handbook).
GLUCOSE_DIFFUSIVITY = "1.1e-10 m2/s"
#: Of uptake (commonly used, after J. J. Casciari, S. V. Sotirchos and R. M. Sutherland, J. Cell.
#: Physiol. 151 (1992) 386, which was not read).
GLUCOSE_HALF_SATURATION = "0.04 mol/m3"


def oxygen_concentration(value: float | str, solubility: float | str = SOLUBILITY) -> float:
    """Return a concentration of oxygen, from a tension or a share of the atmosphere.

    Parameters
    ----------
    value : float or str
        A number is in mol/m^3 already. Text may be a pressure, ``"10 mmHg"`` or ``"1.3 kPa"``, a
        share of the atmosphere, ``"2 %"``, of which 21 % are 160 mmHg, or a concentration.
    solubility : float or str, optional
        In mol/m^3/Pa; that of plasma at 37 C (textbooks of physiology: 0.003 mL/dL/mmHg).

    Returns
    -------
    float
        In mol/m^3, what Henry's law gives: solubility times tension.

    Raises
    ------
    ValueError
        If the value or its unit is not of these kinds, or below 0.

    Examples
    --------
    >>> from microtwin.reactions import tumour
    >>> round(tumour.oxygen_concentration("160 mmHg"), 4)
    0.2144
    >>> tumour.oxygen_concentration("21 %") == tumour.oxygen_concentration("160 mmHg")
    True
    """
    return _from_tension(value, "", "concentration of oxygen", solubility)


def oxygen_tension(concentration: float, solubility: float | str = SOLUBILITY) -> float:
    """Return the tension of oxygen in mmHg, from its concentration.

    Parameters
    ----------
    concentration : float
        In mol/m^3.
    solubility : float or str, optional
        As in `oxygen_concentration`.

    Returns
    -------
    float
        In mmHg, in which people read it; arrays work too.

    Examples
    --------
    >>> from microtwin.reactions import tumour
    >>> round(tumour.oxygen_tension(0.0134), 3)
    10.0
    """
    return concentration / _per_mmhg(solubility)


def oxygen_uptake(value: float | str, solubility: float | str = SOLUBILITY) -> float:
    """Return how fast oxygen is taken up, from a rate of tension.

    Parameters
    ----------
    value : float or str
        A number is in mol/m^3/s already. Text may be ``"29 mmHg/s"``, ``"4 %/s"`` of the
        atmosphere, or ``"0.04 mol/m3/s"``.
    solubility : float or str, optional
        As in `oxygen_concentration`.

    Returns
    -------
    float
        In mol/m^3/s.

    Raises
    ------
    ValueError
        If the value or its unit is not of these kinds, or below 0.
    """
    return _from_tension(value, "/s", "uptake of oxygen", solubility)


def oxygen(
    tissue: str | Mapping[str, float | str],
    supply: Mapping[str, float | str | Exchange],
    diffusivity: float | str = DIFFUSIVITY,
    solubility: float | str = SOLUBILITY,
) -> Species:
    """Return oxygen as a species.

    Parameters
    ----------
    tissue : str or mapping of str to float or str
        The phase in which it diffuses, or several, each with its diffusivity.
    supply : mapping of str to float, str or Exchange
        Medium, vessels or faces of the box, each with a concentration or tension, ``"21 %"``, or
        the wall of a `vessel`.
    diffusivity : float or str, optional
        In the tissue, if it is one phase: 2e-9 m^2/s (Grimes et al., J. R. Soc. Interface 11
        (2014) 20131124, as quoted by software); Owen et al. (2011) take 2.4e-9 m^2/s.
    solubility : float or str, optional
        As in `oxygen_concentration`, and of all phases alike.

    Returns
    -------
    Species

    Raises
    ------
    ValueError
        If a quantity is not allowed.

    Examples
    --------
    >>> from microtwin.reactions import tumour
    >>> species = tumour.oxygen("tissue", {"medium": "21 %", "vessel": tumour.vessel()})
    >>> species.diffusivity["tissue"], round(species.supplies["vessel"].permeability, 6)
    (2e-09, 0.001)
    """
    phases = {tissue: diffusivity} if isinstance(tissue, str) else tissue
    return Species(
        {name: quantity(value, "m2/s", "diffusivity") for name, value in phases.items()},
        {
            name: value if isinstance(value, Exchange) else oxygen_concentration(value, solubility)
            for name, value in supply.items()
        },
    )


def vessel(
    tension: float | str = PLASMA_TENSION,
    permeability: float | str = VESSEL_PERMEABILITY,
    solubility: float | str = SOLUBILITY,
) -> Exchange:
    """Return the supply through the wall of a vessel.

    Parameters
    ----------
    tension : float or str, optional
        Of the plasma, as in `oxygen_concentration`: 20 mmHg (Owen et al., Cancer Res. 71 (2011)
        2826, as quoted by software).
    permeability : float or str, optional
        Of the wall, in m/s: 6 cm/min (the same paper).
    solubility : float or str, optional
        As in `oxygen_concentration`.

    Returns
    -------
    Exchange

    Raises
    ------
    ValueError
        If a quantity is not allowed.
    """
    return Exchange(
        quantity(permeability, "m/s", "permeability"), oxygen_concentration(tension, solubility)
    )


def oxygen_consumption(
    maximum: float | str = CONSUMPTION,
    half_saturation: float | str | None = HALF_SATURATION,
    *,
    cell_density: float | str | None = None,
    solubility: float | str = SOLUBILITY,
) -> MichaelisMenten | ZeroOrder:
    """Return how tissue takes up oxygen: by Michaelis and Menten, or at one rate.

    Parameters
    ----------
    maximum : float or str, optional
        As in `oxygen_uptake`: 29 mmHg/s, the middle of 25 to 33 mmHg/s (commonly used for
        spheroids). With a cell density: of one cell, in mol/s, ``"20 amol/s"``; cells in culture
        take 1 to 350 amol/s (Wagner et al., Free Radic. Biol. Med. 51 (2011) 700).
    half_saturation : float, str or None, optional
        As in `oxygen_concentration`: 1 mmHg (Grimes et al. (2014), as quoted by software; commonly
        0.5 to 5 mmHg). None for one rate as long as there is any.
    cell_density : float or str, optional
        Cells in a volume of tissue, in 1/m^3, ``"5e8 1/mL"``.
    solubility : float or str, optional
        As in `oxygen_concentration`.

    Returns
    -------
    MichaelisMenten or ZeroOrder

    Raises
    ------
    ValueError
        If a quantity is not allowed.

    Examples
    --------
    >>> from microtwin.reactions import tumour
    >>> tumour.oxygen_consumption("25 mmHg/s", None)
    ZeroOrder(constant=0.0335)
    >>> round(tumour.oxygen_consumption("50 amol/s", cell_density="5e8 1/mL").maximum, 6)
    0.025
    """
    if cell_density is None:
        rate = oxygen_uptake(maximum, solubility)
    else:
        rate = quantity(maximum, "mol/s", "uptake of a cell") * quantity(
            cell_density, "1/m3", "cell density"
        )
    if half_saturation is None:
        return ZeroOrder(rate)
    return MichaelisMenten(rate, oxygen_concentration(half_saturation, solubility))


def first_order_consumption(rate: float | str = CONSUMPTION_PER_OXYGEN) -> FirstOrder:
    """Return uptake in proportion to the concentration, as vessel-fed models have it.

    Parameters
    ----------
    rate : float or str, optional
        In 1/s: 13 per minute (Owen et al., Cancer Res. 71 (2011) 2826, as quoted by software).

    Returns
    -------
    FirstOrder

    Raises
    ------
    ValueError
        If the rate is not allowed.
    """
    return FirstOrder(quantity(rate, "1/s", "rate"))


def glucose(
    tissue: str,
    supply: Mapping[str, float | str | Exchange],
    diffusivity: float | str = GLUCOSE_DIFFUSIVITY,
) -> Species:
    """Return glucose as a species.

    Parameters
    ----------
    tissue : str
        The phase in which it diffuses.
    supply : mapping of str to float, str or Exchange
        As in `Species`, text with a unit of concentration: medium and blood hold 5.5 mol/m^3
        (commonly used).
    diffusivity : float or str, optional
        In m^2/s: 1.1e-10 (commonly used, after Casciari et al., Cancer Res. 48 (1988) 3905).

    Returns
    -------
    Species

    Raises
    ------
    ValueError
        If a quantity is not allowed.
    """
    return Species(
        {tissue: quantity(diffusivity, "m2/s", "diffusivity")},
        {
            name: value
            if isinstance(value, Exchange)
            else quantity(value, "mol/m3", "concentration of glucose")
            for name, value in supply.items()
        },
    )


def respiration(
    tissue: str,
    consumption: MichaelisMenten | ZeroOrder | FirstOrder | None = None,
    half_saturation: float | str = GLUCOSE_HALF_SATURATION,
    glucose_per_oxygen: float = 1.0 / 6.0,
) -> Reaction:
    """Return the reaction that takes up oxygen and glucose, for `steady_state`.

    Parameters
    ----------
    tissue : str
        The phase that takes them up.
    consumption : MichaelisMenten, ZeroOrder or FirstOrder, optional
        Of oxygen; `oxygen_consumption()` if not given.
    half_saturation : float or str, optional
        Of glucose, in mol/m^3: 0.04 (commonly used, after Casciari et al., J. Cell. Physiol. 151
        (1992) 386).
    glucose_per_oxygen : float, optional
        A sixth where all glucose is burnt, C6H12O6 + 6 O2; more where tumour cells ferment it.

    Returns
    -------
    Reaction
        Of the species "oxygen" and "glucose".

    Raises
    ------
    ValueError
        If a quantity is not allowed.
    """
    positive("glucose per oxygen", glucose_per_oxygen, "mol/mol")
    return Reaction(
        tissue,
        {
            "oxygen": consumption or oxygen_consumption(),
            "glucose": Saturation(quantity(half_saturation, "mol/m3", "half saturation")),
        },
        {"oxygen": -1.0, "glucose": -glucose_per_oxygen},
    )


def diffusion_limit(
    concentration: float | str = NORMOXIA,
    uptake: float | str = CONSUMPTION,
    diffusivity: float | str = DIFFUSIVITY,
) -> float:
    """Return the radius at which a spheroid begins to have a core, sqrt(6 D c0 / a).

    Parameters
    ----------
    concentration : float or str, optional
        Around it, as in `oxygen_concentration`.
    uptake : float or str, optional
        Of order zero, as in `oxygen_uptake`.
    diffusivity : float or str, optional
        In m^2/s.

    Returns
    -------
    float
        In m.

    Raises
    ------
    ValueError
        If a quantity is not allowed.

    Notes
    -----
    `exact.diffusion_limit`, from Grimes et al., J. R. Soc. Interface 11 (2014) 20131124.

    Examples
    --------
    >>> from microtwin.reactions import tumour
    >>> [round(tumour.diffusion_limit("21 %", a) * 1e6) for a in ("25 mmHg/s", "33 mmHg/s")]
    [277, 241]
    """
    return exact.diffusion_limit(
        quantity(diffusivity, "m2/s", "diffusivity"),
        oxygen_concentration(concentration),
        oxygen_uptake(uptake),
    )


def necrotic_radius(
    radius: float | str,
    concentration: float | str = NORMOXIA,
    uptake: float | str = CONSUMPTION,
    diffusivity: float | str = DIFFUSIVITY,
) -> float:
    """Return the radius of the necrotic core of a spheroid with uptake of order zero.

    Parameters
    ----------
    radius : float or str
        Of the spheroid, in m.
    concentration, uptake, diffusivity : float or str, optional
        As in `diffusion_limit`.

    Returns
    -------
    float
        In m; 0 up to the diffusion limit.

    Raises
    ------
    ValueError
        If a quantity is not allowed.

    Notes
    -----
    The cubic of `exact.spheroid_core`.
    """
    return exact.spheroid_core(
        quantity(radius, "m", "radius"),
        quantity(diffusivity, "m2/s", "diffusivity"),
        oxygen_concentration(concentration),
        oxygen_uptake(uptake),
    )


def _per_mmhg(solubility: float | str) -> float:
    """Return a solubility in mol/m^3/mmHg."""
    value = quantity(solubility, "mol/m3/Pa", "solubility")
    positive("solubility", value, "mol/m^3/Pa")
    return value * quantity("1 mmHg", "Pa")


def _from_tension(value: float | str, per: str, noun: str, solubility: float | str) -> float:
    """Return a concentration, or a rate of it, from text in any of the units people use."""
    found = None
    if isinstance(value, str):
        share = f"1{per}" if per else ""
        kinds = [(f"mol/m3{per}", 1.0), (f"mmHg{per}", _per_mmhg(solubility))]
        if "%" in value:  # bare numbers count as shares, but as text they are a missing unit
            kinds = [(share, ATMOSPHERE * _per_mmhg(solubility))]
        for unit, factor in kinds:
            with suppress(ValueError):
                found = factor * quantity(value, unit, noun)
    else:
        found = quantity(value, f"mol/m3{per}", noun)
    if found is None or found < 0.0:
        raise ValueError(
            f"{noun} {value!r} is not allowed; give a number, 0 or more, in mol/m^3{per}, or text "
            f"such as '10 mmHg{per}' or '2 %{per}' of the atmosphere"
        )
    return float(f"{found:.15g}")
