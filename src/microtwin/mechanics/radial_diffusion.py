"""Diffusion along the radius of a particle, on finite volumes, with the stress that it makes.

Lithium follows its chemical potential mu - Omega sigma_h. In an elastic particle the hydrostatic
stress is 2 E Omega / (9 (1 - nu)) (c_mean - c) and what is the same everywhere, so its gradient is
one of the concentration, and the flux inwards is

    D (1 + K / (d mu / d c)) dc/dr,    K = 2 E Omega^2 / (9 (1 - nu)):

for an ideal solution D (1 + theta c) with theta = K / (R T) (Zhang, Shyy & Sastry, J. Electrochem.
Soc. 154 (2007) A910). D is Fick's diffusivity without stress; see `Host` for that of single ions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_banded
from scipy.optimize import brentq

from ..numerics import ConvergenceError
from .elastic_particles import ElasticParticle
from .hosts import EDGE, GAS_CONSTANT, Host

__all__ = ["CONDITIONS", "Inflow", "RadialDiffusion"]

Values = NDArray[np.float64]

CONDITIONS = ("flux", "surface_concentration", "chemical_potential")
SPAN = 1e-6  # of the concentration: over which the diffusivity is differentiated
ITERATIONS = 50
ACCURACY = 1e-13  # of a surface concentration, over itself


@dataclass(frozen=True)
class Inflow:
    """Flux through the surface into the particle.

    Parameters
    ----------
    value : float
        In mol/(m^2 s).
    by_outermost, by_mean : float
        Its derivatives by the concentration of the outermost cell, and by the mean of all.
    """

    value: float
    by_outermost: float = 0.0
    by_mean: float = 0.0


class RadialDiffusion:
    """The equations of one particle: cells of equal width from the centre to the surface.

    Parameters
    ----------
    particle : ElasticParticle
    host : Host
    cells : int
    coupled : bool
        Whether stress acts on diffusion and on the surface.
    condition : {"flux", "surface_concentration", "chemical_potential"}
        What is given at the surface.

    Attributes
    ----------
    edges : ndarray, shape (cells + 1,)
        Radii between the cells, in m.
    shares : ndarray, shape (cells,)
        Volume of each cell over that of the particle.
    """

    def __init__(
        self, particle: ElasticParticle, host: Host, cells: int, coupled: bool, condition: str
    ) -> None:
        self.particle, self.host, self.condition = particle, host, condition
        self.width = particle.radius / cells
        self.edges = np.linspace(0.0, particle.radius, cells + 1)
        self.areas = self.edges ** (particle.dimension - 1)
        self.volumes = np.diff(self.edges**particle.dimension) / particle.dimension
        self.shares = self.volumes / self.volumes.sum()
        self.coupled = coupled
        self.extra = particle.coupling if coupled else 0.0

    def diffusivity(self, c: Values) -> Values:
        """Return the effective diffusivity at concentrations, in m^2/s."""
        return self.host.effective_diffusivity(c, self.extra)

    def _with_slope(self, c: Values) -> tuple[Values, Values]:
        span = SPAN * (self.host.maximum_concentration or max(float(np.abs(c).max()), 1e-300))
        value, above, below = self.diffusivity(np.stack([c, c + span, c - span]))
        return value, (above - below) / (2.0 * span)

    def rates(self, c: Values, inflow: float) -> Values:
        """Return how fast concentrations rise, in mol/(m^3 s), shape (cells,)."""
        d = self.diffusivity(c)
        flux = np.zeros(len(c) + 1)
        flux[1:-1] = 0.5 * (d[1:] + d[:-1]) * np.diff(c) / self.width
        flux[-1] = inflow
        return np.diff(self.areas * flux) / self.volumes

    def inflow(self, c: Values, given: float) -> Inflow:
        """Return the flux into the particle for what is given at the surface."""
        if self.condition == "flux":
            return Inflow(given)
        surface, by_mean = given, 0.0
        if self.condition == "chemical_potential":
            surface, by_mean = self._balanced(float(self.shares @ c), given)
        (out, last), slopes = self._with_slope(np.array([surface, c[-1]]))
        rise = surface - c[-1]
        by_surface = (slopes[0] * rise + out + last) / self.width
        return Inflow(
            float((out + last) * rise / self.width),
            float((slopes[1] * rise - out - last) / self.width),
            float(by_surface * by_mean),
        )

    def surface(self, c: Values, given: float) -> float:
        """Return the concentration at the surface, in mol/m^3."""
        if self.condition == "surface_concentration":
            return given
        if self.condition == "chemical_potential":
            return self._balanced(float(self.shares @ c), given)[0]
        last = float(c[-1])
        there = last
        for _ in range(ITERATIONS):
            (out, inner), slopes = self._with_slope(np.array([there, last]))
            error = (out + inner) * (there - last) - given * self.width
            step = float(error / (slopes[0] * (there - last) + out + inner))
            there -= step
            if abs(step) <= ACCURACY * max(abs(there), abs(last)):
                return there
        raise ConvergenceError(
            f"no surface concentration carries {given:.4g} mol/(m^2 s); give more cells, or, where "
            "the open-circuit potential is flat, a diffusivity of kind 'self'"
        )

    def _balanced(self, mean: float, given: float) -> tuple[float, float]:
        """Return the concentration that has a chemical potential at the surface.

        Its derivative by the mean concentration comes with it: where the particle is full the
        surface is pressed less.
        """
        swell, extra, host = self.particle.partial_molar_volume, self.extra, self.host
        even = by_mean = 0.0
        if self.coupled:
            even = swell * sum(map(float, self.particle.even_stress(mean))) / 3.0
            more = swell * sum(map(float, self.particle.even_stress(mean + 1.0))) / 3.0
            by_mean = extra + more - even
        goal = given + even + extra * mean

        def excess(c: float) -> float:
            return float(host.chemical_potential(c)) + extra * c - goal

        low, high = self._bracket(goal)
        if not excess(low) < 0.0 < excess(high):
            raise ValueError(
                f"a chemical potential of {given:.5g} J/mol is reached at no concentration; give "
                f"one between {excess(low) + given:.5g} and {excess(high) + given:.5g} J/mol"
            )
        found = float(brentq(excess, low, high, xtol=ACCURACY * high, rtol=4.0 * ACCURACY))
        thermal = GAS_CONSTANT * host.temperature
        slope = thermal * float(host.thermodynamic_factor(found)) / found
        return found, by_mean / (slope + extra)

    def _bracket(self, goal: float) -> tuple[float, float]:
        most = self.host.maximum_concentration
        if most is not None:
            return EDGE * most, (1.0 - EDGE) * most
        # Without stress; with it, less.
        high = float(np.exp(min(goal / (GAS_CONSTANT * self.host.temperature), 300.0)))
        return 1e-12 * high, 2.0 * high

    def implicit(self, c: Values, inflow: Inflow, step: float) -> Callable[[Values], Values]:
        """Return what solves x - step (d rates / d c) x = y, for the rates at c."""
        d, slope = self._with_slope(c)
        mean, rise = 0.5 * (d[1:] + d[:-1]), np.diff(c)
        # Of the flux inwards through each face, by the cell within and by the one around it.
        within = self.areas[1:-1] * (0.5 * slope[:-1] * rise - mean) / self.width
        around = self.areas[1:-1] * (0.5 * slope[1:] * rise + mean) / self.width
        bands = np.zeros((3, len(c)))
        bands[1] = 1.0
        bands[1, :-1] -= step * within / self.volumes[:-1]
        bands[0, 1:] = -step * around / self.volumes[:-1]
        bands[1, 1:] += step * around / self.volumes[1:]
        bands[2, :-1] = step * within / self.volumes[1:]
        pull = step * self.areas[-1] / self.volumes[-1]
        bands[1, -1] -= pull * inflow.by_outermost
        if not inflow.by_mean:
            return lambda y: solve_banded((1, 1), bands, y)
        # The mean of all cells acts on the last one: one more column and row (Sherman & Morrison).
        last = np.zeros(len(c))
        last[-1] = pull * inflow.by_mean
        column = solve_banded((1, 1), bands, last)

        def solved(y: Values) -> Values:
            first = solve_banded((1, 1), bands, y)
            return first + column * (self.shares @ first) / (1.0 - self.shares @ column)

        return solved
