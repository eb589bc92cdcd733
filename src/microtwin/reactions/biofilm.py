"""Substrate and oxygen in biofilms, in the words and units of water treatment.

Arguments are numbers in SI units or text with a unit: ``"8 mg/L"``, ``"10 kg COD/m3"``,
``"6 1/day"``. Chemical oxygen demand (COD) is a mass of oxygen, so substrate and biomass count in
mol of the oxygen that burns them, 0.032 kg/mol, and reactions need no other factors.

Each default names its source. "As quoted by software" marks values read in the documentation of
other software that names the paper, "commonly used" those whose source was not read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from ..units import quantity
from . import exact
from .kinetics import MichaelisMenten, Reaction, Saturation, positive
from .species import Exchange, Species

__all__ = [
    "BIOMASS",
    "GROWTH",
    "OXYGEN_DIFFUSIVITY",
    "OXYGEN_HALF_SATURATION",
    "OXYGEN_MOLAR_MASS",
    "RELATIVE_DIFFUSIVITY",
    "SUBSTRATE_DIFFUSIVITY",
    "SUBSTRATE_HALF_SATURATION",
    "YIELD",
    "aerobic_growth",
    "boundary_layer",
    "mass_concentration",
    "oxygen",
    "oxygen_demand",
    "penetration_depth",
    "solute",
    "substrate",
    "substrate_uptake",
    "thiele_modulus",
]

#: In kg/mol, IUPAC.
OXYGEN_MOLAR_MASS = 0.031998
#: Largest growth rate of heterotrophs: I. D. Ofiteru et al., Water Res. (2013), as quoted by the
#: documentation of the software NUFEB-2, 6.9e-5 1/s. Activated Sludge Model 1 has 4 per day
#: (documentation of the software WaterTAP).
GROWTH = "6 1/day"
#: With substrate: the same, 4e-3 kg/m^3. Activated Sludge Model 1 has 10 mg COD/L.
SUBSTRATE_HALF_SATURATION = "4 mg COD/L"
#: With oxygen: the same, 2e-4 kg/m^3, and so has Activated Sludge Model 1.
OXYGEN_HALF_SATURATION = "0.2 mg/L"
#: COD in biomass over COD taken up: the same, without what becomes slime.
YIELD = 0.61
#: Active biomass in a biofilm (commonly used: 10 to 60 kg COD/m^3; benchmark BM1 of O. Wanner et
#: al., Mathematical Modeling of Biofilms, IWA (2006), which was not read).
BIOMASS = "10 kg COD/m3"
#: In water at 25 C: CRC Handbook, Diffusion of Gases in Water.
OXYGEN_DIFFUSIVITY = "2.42e-9 m2/s"
#: In water at 25 C, that of glucose: CRC Handbook, 57th edition, 0.673e-5 cm^2/s at 0.39 %.
SUBSTRATE_DIFFUSIVITY = "6.73e-10 m2/s"
#: In biofilm over that in water, after P. S. Stewart, J. Bacteriol. 185 (2003) 1485: 0.6 of gases
#: is commonly used, 0.25 of organic solutes is as quoted by software. H. Siegrist and W. Gujer,
#: Water Sci. Technol. 17 (1985) 1469 measured 0.5 to 0.6 for three small solutes, Y. C. Fu et al.,
#: Water Sci. Technol. 29 (1994) 455 from 0.25 at the bottom to 0.9 at the top for oxygen.
RELATIVE_DIFFUSIVITY = {"gas": 0.6, "organic": 0.25}


def oxygen_demand(value: float | str, noun: str = "concentration") -> float:
    """Return a concentration of oxygen or COD in mol of oxygen.

    Parameters
    ----------
    value : float or str
        A number is in mol/m^3 already. Text may be a mass in a volume, ``"8 mg/L"``,
        ``"10 kg COD/m3"``, or moles in a volume.
    noun : str, optional
        What it is, for the messages.

    Returns
    -------
    float
        In mol/m^3 of oxygen.

    Raises
    ------
    ValueError
        If the value or its unit is not of these kinds, or below 0.

    Examples
    --------
    >>> from microtwin.reactions import biofilm
    >>> round(biofilm.oxygen_demand("8 mg/L"), 4), round(biofilm.oxygen_demand("8 mg COD/L"), 4)
    (0.25, 0.25)
    """
    if not isinstance(value, str):
        found = quantity(value, "mol/m3", noun)
    else:
        text = re.sub(r"\b(COD|O2)\b", "", value)
        try:
            found = quantity(text, "kg/m3", noun) / OXYGEN_MOLAR_MASS
        except ValueError:
            try:
                found = quantity(text, "mol/m3", noun)
            except ValueError:
                found = -1.0
    if found < 0.0:
        raise ValueError(
            f"{noun} {value!r} is not allowed; give a number, 0 or more, in mol/m^3 of oxygen, or "
            "text such as '8 mg/L' or '10 kg COD/m3'"
        )
    return found


def mass_concentration(concentration: float) -> float:
    """Return a concentration of oxygen or COD in kg/m^3, from mol/m^3 of oxygen.

    Parameters
    ----------
    concentration : float
        In mol/m^3; arrays work too.

    Returns
    -------
    float
        In kg/m^3; a thousand times it in mg/L.
    """
    return concentration * OXYGEN_MOLAR_MASS


def boundary_layer(
    thickness: float | str, diffusivity: float | str, concentration: float | str
) -> Exchange:
    """Return the supply through water that stands on a biofilm, of permeability D / thickness.

    Parameters
    ----------
    thickness : float or str
        In m; commonly 10 to 1000 um, less the faster the water flows.
    diffusivity : float or str
        In water, in m^2/s.
    concentration : float or str
        Beyond it, as in `oxygen_demand`.

    Returns
    -------
    Exchange

    Raises
    ------
    ValueError
        If a quantity is not allowed.
    """
    thick = quantity(thickness, "m", "thickness")
    positive("thickness", thick, "m")
    return Exchange(
        quantity(diffusivity, "m2/s", "diffusivity") / thick, oxygen_demand(concentration)
    )


def solute(
    film: str,
    supply: Mapping[str, float | str | Exchange],
    diffusivity: float | str,
    relative_diffusivity: float | str,
    *,
    layer: float | str | None = None,
    water: str | None = None,
) -> Species:
    """Return a solute of a biofilm as a species.

    Parameters
    ----------
    film : str
        The phase of the biofilm.
    supply : mapping of str to float, str or Exchange
        Phases or faces of the box, each with a concentration as in `oxygen_demand`.
    diffusivity : float or str
        In water, in m^2/s.
    relative_diffusivity : float or str
        In the film over that in water.
    layer : float or str, optional
        Thickness of a `boundary_layer` on all that supplies; none if not given.
    water : str, optional
        A phase of water that does not flow, in which the solute diffuses too.

    Returns
    -------
    Species

    Raises
    ------
    ValueError
        If a quantity is not allowed.
    """
    free = quantity(diffusivity, "m2/s", "diffusivity")
    relative = quantity(relative_diffusivity, "", "relative diffusivity")
    if not 0.0 < relative <= 1.0:
        raise ValueError(
            f"relative diffusivity {relative_diffusivity!r} is not allowed; it is above 0, at most "
            "1, that in the film over that in water"
        )
    phases = {film: free * relative} | ({} if water is None else {water: free})
    return Species(
        phases,
        {
            name: value
            if isinstance(value, Exchange)
            else oxygen_demand(value)
            if layer is None
            else boundary_layer(layer, free, value)
            for name, value in supply.items()
        },
    )


def oxygen(
    film: str,
    supply: Mapping[str, float | str | Exchange],
    diffusivity: float | str = OXYGEN_DIFFUSIVITY,
    relative_diffusivity: float | str = RELATIVE_DIFFUSIVITY["gas"],
    *,
    layer: float | str | None = None,
    water: str | None = None,
) -> Species:
    """Return oxygen in a biofilm as a species.

    Parameters
    ----------
    film, supply, layer, water
        As in `solute`.
    diffusivity : float or str, optional
        In water, in m^2/s: 2.42e-9 at 25 C (CRC Handbook of Chemistry and Physics).
    relative_diffusivity : float or str, optional
        0.6 (commonly used, after Stewart, J. Bacteriol. 185 (2003) 1485).

    Returns
    -------
    Species

    Raises
    ------
    ValueError
        If a quantity is not allowed.

    Examples
    --------
    >>> from microtwin.reactions import biofilm
    >>> species = biofilm.oxygen("film", {"z_high": "8 mg/L"}, layer="100 um")
    >>> round(species.supplies["z_high"].permeability * 1e6, 1)  # um/s
    24.2
    """
    return solute(film, supply, diffusivity, relative_diffusivity, layer=layer, water=water)


def substrate(
    film: str,
    supply: Mapping[str, float | str | Exchange],
    diffusivity: float | str = SUBSTRATE_DIFFUSIVITY,
    relative_diffusivity: float | str = RELATIVE_DIFFUSIVITY["organic"],
    *,
    layer: float | str | None = None,
    water: str | None = None,
) -> Species:
    """Return an organic substrate in a biofilm as a species.

    Parameters
    ----------
    film, supply, layer, water
        As in `solute`; concentrations in COD.
    diffusivity : float or str, optional
        In water, in m^2/s: 6.73e-10, that of glucose at 25 C (CRC Handbook).
    relative_diffusivity : float or str, optional
        0.25 (Stewart, J. Bacteriol. 185 (2003) 1485, as quoted by software).

    Returns
    -------
    Species

    Raises
    ------
    ValueError
        If a quantity is not allowed.
    """
    return solute(film, supply, diffusivity, relative_diffusivity, layer=layer, water=water)


def substrate_uptake(
    biomass: float | str = BIOMASS,
    growth: float | str = GROWTH,
    half_saturation: float | str = SUBSTRATE_HALF_SATURATION,
    yielded: float | str = YIELD,
) -> MichaelisMenten:
    """Return Monod's law for substrate where oxygen does not limit, mu X / Y c / (K + c).

    Parameters
    ----------
    biomass : float or str, optional
        Active biomass in the film, as in `oxygen_demand`: 10 kg COD/m^3 (commonly used, Wanner et
        al., Mathematical Modeling of Biofilms, IWA 2006).
    growth : float or str, optional
        Largest growth rate, in 1/s: 6 per day (Ofiteru et al., Water Res. 2013, as quoted by
        software).
    half_saturation : float or str, optional
        As in `oxygen_demand`: 4 mg COD/L (the same).
    yielded : float or str, optional
        COD in new biomass over COD taken up: 0.61 (the same).

    Returns
    -------
    MichaelisMenten
        In mol/m^3/s of oxygen demand.

    Raises
    ------
    ValueError
        If a quantity is not allowed.
    """
    rate = quantity(growth, "1/s", "growth rate")
    most = rate * oxygen_demand(biomass, "biomass") / _checked_yield(yielded)
    return MichaelisMenten(most, oxygen_demand(half_saturation, "half saturation"))


def aerobic_growth(
    film: str,
    biomass: float | str = BIOMASS,
    growth: float | str = GROWTH,
    half_saturation: float | str = SUBSTRATE_HALF_SATURATION,
    oxygen_half_saturation: float | str = OXYGEN_HALF_SATURATION,
    yielded: float | str = YIELD,
) -> Reaction:
    """Return the reaction by which heterotrophs grow on substrate and oxygen (Monod).

    1 of COD and 1 - Y of oxygen become Y of biomass.

    Parameters
    ----------
    film : str
        The phase of the biofilm.
    biomass, growth, half_saturation, yielded : float or str, optional
        As in `substrate_uptake`.
    oxygen_half_saturation : float or str, optional
        As in `oxygen_demand`: 0.2 mg/L (Ofiteru et al., Water Res. 2013, as quoted by
        software).

    Returns
    -------
    Reaction
        Of the species "substrate" and "oxygen".

    Raises
    ------
    ValueError
        If a quantity is not allowed.

    Examples
    --------
    >>> from microtwin.reactions import biofilm
    >>> reaction = biofilm.aerobic_growth("film")
    >>> round(reaction.amounts["oxygen"], 2), round(reaction.laws["substrate"].maximum, 4)
    (-0.39, 0.0356)
    """
    law = substrate_uptake(biomass, growth, half_saturation, yielded)
    half = Saturation(oxygen_demand(oxygen_half_saturation, "half saturation"))
    return Reaction(
        film,
        {"substrate": law, "oxygen": half},
        {"substrate": -1.0, "oxygen": _checked_yield(yielded) - 1.0},
    )


def penetration_depth(
    concentration: float | str, uptake: float | MichaelisMenten, diffusivity: float | str
) -> float:
    """Return how deep a solute gets into a film that takes it up at its largest rate.

    Parameters
    ----------
    concentration : float or str
        At the surface of the film, as in `oxygen_demand`.
    uptake : float or MichaelisMenten
        Largest rate, in mol/m^3/s.
    diffusivity : float or str
        In the film, in m^2/s.

    Returns
    -------
    float
        sqrt(2 D c / q), in m; less than what a saturating rate lets through.

    Raises
    ------
    ValueError
        If a quantity is not allowed.

    Notes
    -----
    `exact.penetration_depth`.
    """
    most = uptake.maximum if isinstance(uptake, MichaelisMenten) else uptake
    return exact.penetration_depth(
        quantity(diffusivity, "m2/s", "diffusivity"), oxygen_demand(concentration), most
    )


def thiele_modulus(
    thickness: float | str, uptake: MichaelisMenten, diffusivity: float | str
) -> float:
    """Return the Thiele modulus of a film where there is little substrate, L sqrt(V / (K D)).

    `exact.slab_effectiveness` turns it into the effectiveness.

    Parameters
    ----------
    thickness : float or str
        Of the film, in m.
    uptake : MichaelisMenten
        As from `substrate_uptake`.
    diffusivity : float or str
        In the film, in m^2/s.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If a quantity is not allowed.

    Notes
    -----
    E. W. Thiele, Ind. Eng. Chem. 31 (1939) 916, with k = V / K.
    """
    thick, d = quantity(thickness, "m", "thickness"), quantity(diffusivity, "m2/s", "diffusivity")
    positive("thickness", thick, "m")
    positive("diffusivity", d, "m^2/s")
    return thick * float(np.sqrt(uptake.maximum / (uptake.half_saturation * d)))


def _checked_yield(yielded: float | str) -> float:
    value = quantity(yielded, "", "yield")
    if not 0.0 < value < 1.0:
        raise ValueError(
            f"yield {yielded!r} is not allowed; it lies between 0 and 1, COD in new biomass over "
            "COD taken up"
        )
    return value
