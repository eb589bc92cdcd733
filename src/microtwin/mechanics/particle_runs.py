"""What comes out of a particle that takes up or gives off lithium."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .elastic_particles import ElasticParticle
from .hosts import FARADAY, Host, stress_potential_shift
from .particle_stresses import ParticleStress, stress_with_means

__all__ = ["ParticleRun"]

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ParticleRun:
    """Concentration and stress of a particle over time.

    Parameters
    ----------
    particle : ElasticParticle
    host : Host
    times : ndarray, shape (m,)
        Of the start and of every step, in s.
    edges : ndarray, shape (n + 1,)
        Radii between the cells, from 0 to the radius of the particle, in m.
    concentration : ndarray, shape (m, n)
        Mean of each cell, in mol/m^3.
    surface_concentration : ndarray, shape (m,)
        In mol/m^3.
    flux : ndarray, shape (m,)
        Through the surface into the particle, in mol/(m^2 s); where it jumps, the one before.
    taken : ndarray, shape (m,)
        Lithium that has come through the surface, in mol; for 1 m of a cylinder, 1 m^2 of a plate.
    ended : {"time", "full", "empty"}
        Why the run ended: the time was over, or the surface could take or give no more.
    """

    particle: ElasticParticle
    host: Host = field(repr=False)
    times: Values = field(repr=False)
    edges: Values = field(repr=False)
    concentration: Values = field(repr=False)
    surface_concentration: Values = field(repr=False)
    flux: Values = field(repr=False)
    taken: Values = field(repr=False)
    ended: Literal["time", "full", "empty"]

    @property
    def amount(self) -> Values:
        """Lithium in the particle, in mol, shape (m,)."""
        return self.concentration @ self._shares * self.particle.volume

    @property
    def balance(self) -> float:
        """Largest difference of the lithium that came in and the change of what is there.

        Over the largest amount there was.
        """
        amount = self.amount
        return float(np.abs(amount - amount[0] - self.taken).max() / np.abs(amount).max())

    @property
    def mean_concentration(self) -> Values:
        """In mol/m^3, shape (m,)."""
        return np.asarray(self.concentration @ self._shares)

    @cached_property
    def profile(self) -> Values:
        """Concentration at the radii `edges`, shape (m, n + 1), in mol/m^3."""
        c = self.concentration
        out = np.empty((len(c), c.shape[1] + 1))
        out[:, 1:-1] = 0.5 * (c[:, 1:] + c[:, :-1])
        # The profile is even in the radius: a parabola through the first two cells.
        out[:, 0] = c[:, 0] - 0.125 * (c[:, 1] - c[:, 0])
        out[:, -1] = self.surface_concentration
        return out

    @property
    def difference(self) -> Values:
        """Concentration at the surface less that in the centre, in mol/m^3, shape (m,)."""
        return np.asarray(self.profile[:, -1] - self.profile[:, 0])

    @cached_property
    def stress(self) -> ParticleStress:
        """Stress at the radii `edges`; arrays of the shape (m, n + 1)."""
        content = np.cumsum(self.concentration * self._shares, axis=1)
        means = self.profile.copy()
        means[:, 1:] = content * (self.edges[-1] / self.edges[1:]) ** self.particle.dimension
        return stress_with_means(self.particle, self.edges, self.profile, means)

    @property
    def potential(self) -> Values:
        """Open-circuit potential of the surface against lithium, with the stress there, in V.

        Raises
        ------
        ValueError
            If the host has no open-circuit potential.
        """
        if self.host.open_circuit_potential is None:
            raise ValueError("the host has no open-circuit potential; give it one")
        without = -self.host.chemical_potential(self.surface_concentration) / FARADAY
        swell = self.particle.partial_molar_volume
        return without + stress_potential_shift(self.stress.hydrostatic[:, -1], swell)

    @property
    def _shares(self) -> Values:
        d = self.particle.dimension
        return np.diff((self.edges / self.edges[-1]) ** d)
