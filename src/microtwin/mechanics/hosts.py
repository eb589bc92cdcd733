"""Solids that take up lithium: how fast it spreads in them, and what it gains by being there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.constants import N_A, e
from scipy.constants import R as GAS_CONSTANT

from ..checking import is_number
from .elastic_particles import ElasticParticle

__all__ = ["FARADAY", "GAS_CONSTANT", "Host", "stress_coupling", "stress_potential_shift"]

Values = NDArray[np.float64]

FARADAY = N_A * e  # C/mol
ROOM = 298.15  # K
EDGE = 1e-6  # stoichiometry: curves are not asked for closer to 0 and 1
SPAN = 1e-5  # stoichiometry: over which curves are differentiated


@dataclass(frozen=True, eq=False)
class Host:
    """A solid that takes up lithium.

    Parameters
    ----------
    diffusivity : float or callable
        Of lithium without stress, in m^2/s; a function of the stoichiometry
        x = c / maximum_concentration.
    maximum_concentration : float, optional
        Most lithium that it takes up, in mol/m^3. None for an ideal solution without bound.
    open_circuit_potential : callable, optional
        Of x; in V against lithium.
    temperature : float
        In K.
    kind : {"chemical", "self"}
        Which diffusivity is given: that of Fick's law, as it is measured, or that of single ions.
        The former is the latter times the thermodynamic factor.

    Raises
    ------
    ValueError
        If a number, name or curve is not allowed.

    Notes
    -----
    The chemical potential of lithium without stress, up to a constant: -F U(x) with an open-circuit
    potential; R T ln(x / (1 - x)) with a maximum only, sites that are taken or not; R T ln c
    without.
    """

    diffusivity: float | Callable[[Values], Values] = field(repr=False)
    maximum_concentration: float | None = None
    open_circuit_potential: Callable[[Values], Values] | None = field(default=None, repr=False)
    temperature: float = ROOM
    kind: Literal["chemical", "self"] = "chemical"

    def __post_init__(self) -> None:
        if self.kind not in ("chemical", "self"):
            raise ValueError(f"kind {self.kind!r} is not known; give 'chemical' or 'self'")
        most = self.maximum_concentration
        if most is not None and not (is_number(most) and most > 0.0):
            raise ValueError(
                f"maximum_concentration {most!r} is not allowed; give a number above 0, in mol/m^3"
            )
        curves = callable(self.diffusivity) or self.open_circuit_potential is not None
        if most is None and curves:
            raise ValueError("curves of the stoichiometry need a maximum_concentration; give one")
        if not callable(self.diffusivity) and not is_number(self.diffusivity):
            raise ValueError(
                f"diffusivity {self.diffusivity!r} is not allowed; give a number or a function"
            )
        checked_temperature(self.temperature)
        found = self.diffusivity_at(np.linspace(0.01, 0.99, 99) * (most or 1.0))
        if not (np.isfinite(found) & (found > 0.0)).all():
            raise ValueError(
                "the diffusivity must be above 0 m^2/s at every stoichiometry; it goes down to "
                f"{float(np.min(found)):.3g}"
            )

    def stoichiometry(self, concentration: ArrayLike) -> Values:
        """Return concentrations over the most there can be, kept within the curves."""
        if self.maximum_concentration is None:
            raise ValueError("without a maximum_concentration there is no stoichiometry; give one")
        x = np.asarray(concentration, float) / self.maximum_concentration
        return np.asarray(np.clip(x, EDGE, 1.0 - EDGE))

    def diffusivity_at(self, concentration: Values) -> Values:
        """Return the diffusivity that was given, at concentrations in mol/m^3."""
        if not callable(self.diffusivity):
            return np.full(np.shape(concentration), float(self.diffusivity))
        found = np.asarray(self.diffusivity(self.stoichiometry(concentration)), float)
        return np.broadcast_to(found, np.shape(concentration))

    def chemical_potential(self, concentration: ArrayLike) -> Values:
        """Return that of lithium without stress, in J/mol, at concentrations in mol/m^3."""
        c = np.asarray(concentration, float)
        thermal = GAS_CONSTANT * self.temperature
        if self.maximum_concentration is None:
            return np.asarray(thermal * np.log(c))
        if self.open_circuit_potential is not None:
            x = self.stoichiometry(c)
            return np.asarray(-FARADAY * np.asarray(self.open_circuit_potential(x), float))
        x = c / self.maximum_concentration
        return np.asarray(thermal * (np.log(x) - np.log1p(-x)))

    def thermodynamic_factor(self, concentration: ArrayLike) -> Values:
        """Return c / (R T) d mu / d c without stress: 1 in an ideal solution."""
        c = np.asarray(concentration, float)
        if self.maximum_concentration is None:
            return np.ones_like(c)
        x = self.stoichiometry(c)
        if self.open_circuit_potential is None:
            return np.asarray(1.0 / (1.0 - x))
        low, high = np.clip(x - SPAN, EDGE, None), np.clip(x + SPAN, None, 1.0 - EDGE)
        ends = [np.asarray(self.open_circuit_potential(place), float) for place in (low, high)]
        thermal = GAS_CONSTANT * self.temperature
        return np.asarray(x * FARADAY * (ends[0] - ends[1]) / (thermal * (high - low)))

    def effective_diffusivity(self, concentration: ArrayLike, coupling: float = 0.0) -> Values:
        """Return the diffusivity of Fick's law with stress.

        Parameters
        ----------
        concentration : array_like
            In mol/m^3.
        coupling : float
            What stress adds to d mu / d c, in J m^3/mol^2: see `ElasticParticle.coupling`.

        Returns
        -------
        ndarray
            In m^2/s. With the thermodynamic factor g and theta = coupling / (R T), it is
            D (1 + theta c / g) for a chemical diffusivity, and D (g + theta c) for that of single
            ions.

        Raises
        ------
        ValueError
            If phases part there: g is not above 0, for a chemical diffusivity with stress, or
            g + theta c is not, for that of single ions.
        """
        c = np.asarray(concentration, float)
        d = self.diffusivity_at(c)
        if self.kind == "chemical" and not coupling:
            return d
        factor = self.thermodynamic_factor(c)
        stress = coupling * c / (GAS_CONSTANT * self.temperature)
        total = factor if self.kind == "chemical" else factor + stress
        parts = ~(total > 0.0)
        if parts.any():
            raise ValueError(
                f"at {float(c[parts].flat[0]):.5g} mol/m^3 lithium gains by being where there is "
                "more of it, so phases part, and there is no diffusivity; give an open-circuit "
                "potential that falls, or a diffusivity of kind 'chemical' without coupling"
            )
        return np.asarray(d * (1.0 + stress / factor) if self.kind == "chemical" else d * total)


def stress_coupling(particle: ElasticParticle, temperature: float = ROOM) -> float:
    """Return theta: with stress, lithium in an ideal solution diffuses with D (1 + theta c).

    Parameters
    ----------
    particle : ElasticParticle
    temperature : float
        In K.

    Returns
    -------
    float
        2 E Omega^2 / (9 R T (1 - nu)), in m^3/mol.

    Raises
    ------
    ValueError
        If the temperature is not above 0 K.

    Notes
    -----
    Zhang, Shyy & Sastry, J. Electrochem. Soc. 154 (2007) A910: of mu = R T ln c - Omega sigma_h
    follows the flux -D (grad c - Omega c / (R T) grad sigma_h), and in an elastic particle
    grad sigma_h = -2 E Omega / (9 (1 - nu)) grad c.

    Examples
    --------
    Manganese spinel with the numbers of that paper:

    >>> from microtwin.mechanics import ElasticParticle
    >>> ball = ElasticParticle(5e-6, 10e9, 0.3, 3.497e-6)
    >>> round(2.29e4 * stress_coupling(ball, 300.0), 3)
    0.356
    """
    return particle.coupling / (GAS_CONSTANT * checked_temperature(temperature))


def stress_potential_shift(hydrostatic: ArrayLike, partial_molar_volume: float) -> Values:
    """Return by how much stress raises the open-circuit potential against lithium, in V.

    Parameters
    ----------
    hydrostatic : array_like
        Mean normal stress where lithium enters or leaves, in Pa; positive where it pulls.
    partial_molar_volume : float
        In m^3/mol.

    Returns
    -------
    ndarray
        Omega sigma_h / F, shape of the stress. A pull makes room for lithium, so it enters more
        readily: the chemical potential falls by Omega sigma_h and the potential rises. During
        insertion the surface is under pressure, so the potential falls; during extraction it rises.
        Both come on top of overpotentials, with the same sign.

    Raises
    ------
    ValueError
        If a number is not finite.

    Notes
    -----
    mu = -F U(x) - Omega sigma_h (Larche & Cahn, Acta Metall. 21 (1973) 1051; for electrodes
    Sethuraman et al., J. Electrochem. Soc. 157 (2010) A1253), of first order in the stress.

    Examples
    --------
    >>> float(round(1e3 * stress_potential_shift(-100e6, 3.5e-6), 2))
    -3.63
    """
    stress = np.asarray(hydrostatic, float)
    if not is_number(partial_molar_volume) or not np.isfinite(stress).all():
        raise ValueError(
            "the stress or the partial molar volume is not finite; give numbers in Pa and m^3/mol"
        )
    return np.asarray(partial_molar_volume * stress / FARADAY)


def checked_temperature(temperature: float) -> float:
    """Return a temperature, or raise a `ValueError` that says what is allowed."""
    if not (is_number(temperature) and temperature > 0.0):
        raise ValueError(f"temperature {temperature!r} is not allowed; give K above 0")
    return float(temperature)
