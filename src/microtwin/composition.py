"""What a recipe or a laboratory knows of a coating: loading, thickness and volume fractions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .units import quantity

__all__ = [
    "checked_fractions",
    "coating_from_porosity",
    "fractions_from_loading",
    "porosity_contradiction",
]

# Fractions are written with two or three digits; a sum further off than this is a mistake.
_ROUNDING = 1e-3


def fractions_from_loading(
    areal_loading: float | str,
    thickness: float | str,
    mass_fractions: Mapping[str, float | str],
    densities: Mapping[str, float | str],
    *,
    merge: Mapping[str, Sequence[str]] | None = None,
    internal_porosity: Mapping[str, float | str] | None = None,
    pore: str = "pore",
) -> dict[str, float]:
    """Return the volume fractions of a coating from what is weighed and measured.

    A component of mass fraction w and density rho fills the share ``m w / (rho L)`` of a coating
    of mass m per area and thickness L; the pore is what is left.

    Parameters
    ----------
    areal_loading : float or str
        Mass of the dry coating per area, without the foil and of one side: kg/m2, or text such as
        ``"12 mg/cm2"``.
    thickness : float or str
        Of the same coating, without the foil: metres, or text such as ``"75 um"``.
    mass_fractions : mapping of str to float or str
        Share of each component in the mass of the coating; the sum is 1.
    densities : mapping of str to float or str
        Of the solid components, without pores: kg/m3, or text such as ``"4.7 g/cm3"``.
    merge : mapping of str to sequence of str, optional
        Components that a scan shows as one phase: ``{"binder": ["binder", "carbon"]}``.
    internal_porosity : mapping of str to float or str, optional
        Pores inside a phase that are too fine to be seen, as a share of the volume of the phase:
        ``{"binder": 0.5}``. The phase is the larger for them, and the visible pore the smaller.
    pore : str
        Name of the pore.

    Returns
    -------
    dict of str to float
        Volume fraction of each phase, the pore first; the sum is 1.

    Raises
    ------
    ValueError
        If a value is not allowed, a density is missing, or the solids fill more than the coating.

    Examples
    --------
    >>> from microtwin.composition import fractions_from_loading
    >>> found = fractions_from_loading(
    ...     "20 mg/cm2",
    ...     "75 um",
    ...     {"active": 0.96, "binder": 0.02, "carbon": 0.02},
    ...     {"active": "4.7 g/cm3", "binder": "1.78 g/cm3", "carbon": "1.9 g/cm3"},
    ...     merge={"binder": ["binder", "carbon"]},
    ... )
    >>> {phase: round(share, 3) for phase, share in found.items()}
    {'pore': 0.397, 'active': 0.545, 'binder': 0.058}
    """
    loading = _positive(areal_loading, "kg/m2", "areal loading")
    length = _positive(thickness, "m", "thickness")
    shares = checked_fractions(mass_fractions, list(mass_fractions), "mass fraction")
    missing = [name for name in shares if name not in densities]
    if missing:
        raise ValueError(
            f"the density of {', '.join(missing)} is missing; give one in kg/m3 for each of "
            f"{', '.join(shares)}"
        )
    solids = {
        name: loading * share / _positive(densities[name], "kg/m3", f"density of {name}") / length
        for name, share in shares.items()
    }
    phases = _merged(solids, merge or {})
    for name, given in (internal_porosity or {}).items():
        inside = quantity(given, "", f"internal porosity of {name}")
        if name not in phases or not 0 <= inside < 1:
            raise ValueError(
                f"internal porosity {given!r} of {name!r} is not allowed; give a share of at least "
                f"0 and below 1, for one of {', '.join(phases)}"
            )
        phases[name] /= 1 - inside
    if pore in phases:
        raise ValueError(
            f"{pore!r} is the name of a component and of the pore; give the pore another by pore="
        )
    filled = sum(phases.values())
    if filled > 1:
        raise ValueError(
            f"the solids would fill {100 * filled:.1f} % of the coating, {loading:.4g} kg/m2 on "
            f"{1e6 * length:.4g} um; check loading, thickness and densities (both of the coating "
            "without the foil, of one side)"
        )
    return {pore: 1 - filled, **phases}


def coating_from_porosity(
    areal_loading: float | str,
    porosity: float | str,
    mass_fractions: Mapping[str, float | str],
    densities: Mapping[str, float | str],
    *,
    merge: Mapping[str, Sequence[str]] | None = None,
    internal_porosity: Mapping[str, float | str] | None = None,
    pore: str = "pore",
) -> tuple[float, dict[str, float]]:
    """Return thickness and volume fractions of a coating of given loading and porosity.

    Parameters
    ----------
    areal_loading, mass_fractions, densities, merge, internal_porosity, pore
        As in `fractions_from_loading`.
    porosity : float or str
        Volume fraction of the pore, or text in percent (``"40 %"``), without the pores inside
        other phases.

    Returns
    -------
    thickness : float
        In metres.
    fractions : dict of str to float
        Volume fraction of each phase, the pore first; the sum is 1.

    Raises
    ------
    ValueError
        As `fractions_from_loading`, and if the porosity is not between 0 and 1.

    Examples
    --------
    >>> from microtwin.composition import coating_from_porosity
    >>> thickness, found = coating_from_porosity(
    ...     "20 mg/cm2",
    ...     0.35,
    ...     {"active": 0.96, "binder": 0.04},
    ...     {"active": "4.7 g/cm3", "binder": "1.8 g/cm3"},
    ... )
    >>> round(1e6 * thickness, 1), {phase: round(share, 3) for phase, share in found.items()}
    (69.7, {'pore': 0.35, 'active': 0.586, 'binder': 0.064})
    """
    given, porosity = porosity, quantity(porosity, "", "porosity")
    if not 0 < porosity < 1:
        raise ValueError(
            f"porosity {given!r} is not allowed; give a fraction between 0 and 1, for example 0.4"
        )
    # Spread over a metre the solids always fit; their fractions are then volumes per area.
    thin = fractions_from_loading(
        areal_loading,
        1.0,
        mass_fractions,
        densities,
        merge=merge,
        internal_porosity=internal_porosity,
        pore=pore,
    )
    thickness = (1 - thin[pore]) / (1 - porosity)
    solids = {name: share / thickness for name, share in thin.items() if name != pore}
    return thickness, {pore: porosity, **solids}


def checked_fractions(
    fractions: Mapping[str, float | str], phases: Sequence[str], noun: str = "fraction"
) -> dict[str, float]:
    """Return known fractions in the order of the phases, with a sum of exactly one.

    Parameters
    ----------
    fractions : mapping of str to float or str
        Share of each phase, from 0 to 1 or in percent (``"38 %"``). One phase may be left out:
        it is the rest.
    phases : sequence of str
    noun : str
        What the shares are called in messages.

    Returns
    -------
    dict of str to float

    Raises
    ------
    ValueError
        If names do not match, a fraction is not from 0 to 1, or the sum is further than 0.001
        from one.
    """
    values = {name: quantity(given, "", f"{noun} of {name}") for name, given in fractions.items()}
    unknown = [name for name in values if name not in phases]
    left_out = [name for name in phases if name not in values]
    if unknown or len(left_out) > 1 or not values:
        raise ValueError(
            f"{noun}s are given of {', '.join(values) or 'nothing'}, and the phases are "
            f"{', '.join(phases)}; give one of each, at most one left out"
        )
    for name, value in values.items():
        if not 0 <= value <= 1:
            raise ValueError(
                f"{noun} {value:g} of {name} is not allowed; give a number from 0 to 1, or text in "
                "percent, '38 %'"
            )
    total = sum(values.values())
    if left_out:
        if total > 1 + _ROUNDING:
            raise ValueError(
                f"{noun}s have the sum {total:.4g}, which leaves nothing for {left_out[0]}; give "
                "shares of one whole"
            )
        values[left_out[0]] = max(1 - total, 0.0)
        total = sum(values.values())
    # A little more than the tolerance, for 0.333 three times is meant to pass.
    if abs(total - 1) > _ROUNDING * (1 + 1e-9):
        raise ValueError(
            f"{noun}s have the sum {total:.4g} instead of 1; give shares of one whole, or leave "
            "out the phase that is the rest"
        )
    return {name: values[name] / total for name in phases}


def porosity_contradiction(
    measured: float | str, calculated: float | str, tolerance: float = 0.03
) -> str | None:
    """Tell whether a measured porosity contradicts the one that follows from the loading.

    Parameters
    ----------
    measured : float or str
        From mercury intrusion, say; or, with other reasons to differ, from the image.
    calculated : float or str
        From loading, thickness and densities; see `fractions_from_loading`.
    tolerance : float
        Largest difference that counts as agreement. A thickness of 75 um known to 2 um alone
        makes 0.016 at a porosity of 0.4.

    Returns
    -------
    str or None
        A sentence with both numbers, or None if they agree.

    Raises
    ------
    ValueError
        If a porosity is not from 0 to 1, or the tolerance is not positive.
    """
    values = [
        checked_fractions({noun: given}, [noun, "rest"], "porosity")[noun]
        for noun, given in (("the sample", measured), ("the recipe", calculated))
    ]
    if not 0 < tolerance < 1:
        raise ValueError(f"tolerance {tolerance!r} is not allowed; give a number between 0 and 1")
    first, second = values
    if abs(first - second) <= tolerance:
        return None
    return (
        f"the measured porosity {first:.3f} and the porosity {second:.3f} that follows from "
        f"loading, thickness and densities differ by {abs(first - second):.3f}, more than the "
        f"tolerance {tolerance:g}; check them before the image is calibrated to either"
    )


def _positive(given: float | str, unit: str, noun: str) -> float:
    value = quantity(given, unit, noun)
    if not value > 0:
        raise ValueError(f"{noun} {given!r} is not allowed; give a positive number in {unit}")
    return value


def _merged(solids: Mapping[str, float], merge: Mapping[str, Sequence[str]]) -> dict[str, float]:
    """Add up the components that are one phase; the others keep their names and order."""
    target: dict[str, str] = {}
    for phase, components in merge.items():
        for component in components:
            if component not in solids or component in target:
                raise ValueError(
                    f"{component!r} cannot be merged into {phase!r}; merge each of "
                    f"{', '.join(solids)} at most once"
                )
            target[component] = phase
    phases: dict[str, float] = {}
    for component, share in solids.items():
        phase = target.get(component, component)
        phases[phase] = phases.get(phase, 0.0) + share
    return phases
