"""Particles that lithium swells: shape, solid, and what holds them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..checking import is_number

__all__ = ["MEASURES", "ElasticParticle", "checked_radii"]

Values = NDArray[np.float64]

DIMENSIONS = {"sphere": 3, "cylinder": 2, "plate": 1}
# Of 4 pi r^2 dr; 2 pi r dr for 1 m of a cylinder; 2 dr for 1 m^2 of a plate with both halves.
MEASURES = {"sphere": 4.0 * np.pi, "cylinder": 2.0 * np.pi, "plate": 2.0}
ENDS = ("free", "held")


@dataclass(frozen=True)
class ElasticParticle:
    """Shape and solid of a particle that lithium swells.

    Parameters
    ----------
    radius : float
        In m; of a plate half of its thickness.
    young : float
        Young's modulus, in Pa.
    poisson : float
        Poisson's ratio, above -1 and below 0.5.
    partial_molar_volume : float
        By how much one mol of lithium swells the solid, in m^3/mol; negative where it shrinks.
    shape : {"sphere", "cylinder", "plate"}
        A cylinder is long, a plate is wide.
    ends : {"free", "held"}
        Free: a cylinder bears no force along its axis, a plate none within its plane. Held: neither
        changes its length. Spheres have none.
    traction : float
        Pull on the surface, in Pa; negative for pressure.
    reference_concentration : float
        At which the particle has its radius and its length, in mol/m^3.

    Raises
    ------
    ValueError
        If a number or name is not allowed.
    """

    radius: float
    young: float
    poisson: float
    partial_molar_volume: float
    shape: Literal["sphere", "cylinder", "plate"] = "sphere"
    ends: Literal["free", "held"] = "free"
    traction: float = 0.0
    reference_concentration: float = 0.0

    def __post_init__(self) -> None:
        for name, value, unit in (("radius", self.radius, "m"), ("young", self.young, "Pa")):
            if not (is_number(value) and value > 0.0):
                raise ValueError(
                    f"{name} {value!r} is not allowed; give a number above 0, in {unit}"
                )
        if not (is_number(self.poisson) and -1.0 < self.poisson < 0.5):
            raise ValueError(
                f"poisson {self.poisson!r} is not allowed; give a number above -1 and below 0.5"
            )
        if not is_number(self.partial_molar_volume):
            raise ValueError(
                f"partial_molar_volume {self.partial_molar_volume!r} is not allowed; give a finite "
                "number, in m^3/mol"
            )
        if self.shape not in DIMENSIONS:
            raise ValueError(
                f"shape {self.shape!r} is not known; give 'sphere', 'cylinder' or 'plate'"
            )
        if self.ends not in ENDS:
            raise ValueError(f"ends {self.ends!r} are not known; give 'free' or 'held'")
        if not is_number(self.traction):
            raise ValueError(f"traction {self.traction!r} is not allowed; give a number, in Pa")
        if not (is_number(self.reference_concentration) and self.reference_concentration >= 0.0):
            raise ValueError(
                f"reference_concentration {self.reference_concentration!r} is not allowed; give 0 "
                "or more, in mol/m^3"
            )

    @property
    def dimension(self) -> int:
        """Power of the radius in the volume: 3 of a sphere, 2 of a cylinder, 1 of a plate."""
        return DIMENSIONS[self.shape]

    @property
    def volume(self) -> float:
        """In m^3; for 1 m of a cylinder, for 1 m^2 of a plate."""
        return MEASURES[self.shape] * self.radius**self.dimension / self.dimension

    @property
    def surface(self) -> float:
        """In m^2; for 1 m of a cylinder, for 1 m^2 of a plate, which has two faces."""
        return MEASURES[self.shape] * self.radius ** (self.dimension - 1)

    @property
    def stiffness(self) -> float:
        """Stress within a plane where 1 mol/m^3 more cannot spread: E Omega / (3 (1 - nu))."""
        return self.young * self.partial_molar_volume / (3.0 * (1.0 - self.poisson))

    @property
    def coupling(self) -> float:
        """What stress adds to d mu / d c: 2 E Omega^2 / (9 (1 - nu)), in J m^3/mol^2."""
        return 2.0 / 3.0 * self.partial_molar_volume * self.stiffness

    def even_stress(self, mean: ArrayLike) -> tuple[Values, Values, Values]:
        """Return the part of the stress that is the same everywhere, from traction and held ends.

        Parameters
        ----------
        mean : array_like
            Concentration of the whole particle.

        Returns
        -------
        radial, tangential, axial : ndarray, shape of the mean
        """
        mean = np.asarray(mean, float)
        pull = np.full(mean.shape, self.traction)
        if self.shape == "sphere":
            return pull, pull, pull
        swollen = self.partial_molar_volume / 3.0 * (mean - self.reference_concentration)
        held = self.ends == "held"
        if self.shape == "cylinder":
            along = 2.0 * self.poisson * pull - self.young * swollen
            return pull, pull, along if held else np.zeros_like(pull)
        within = (self.poisson * pull - self.young * swollen) / (1.0 - self.poisson)
        within = within if held else np.zeros_like(pull)
        return pull, within, within


def checked_radii(particle: ElasticParticle, radii: ArrayLike) -> Values:
    """Return radii as an array, or raise a `ValueError` that says what is allowed."""
    r = np.asarray(radii, float)
    far = abs(float(r[-1]) - particle.radius) if r.ndim == 1 and len(r) > 1 else np.inf
    if not far <= 1e-9 * particle.radius or r[0] != 0.0 or not (np.diff(r) > 0.0).all():
        raise ValueError(
            f"radii of shape {r.shape} are not allowed; give two or more that ascend from 0 to the "
            f"radius of the particle, {particle.radius:g} m"
        )
    return r
