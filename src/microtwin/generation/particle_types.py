"""What a recipe says about one type of particles."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..microstructure import Direction, axis_index
from .forms import Form, checked_form
from .sizes import diameters_from

__all__ = ["ParticleType", "checked_profile", "profile_at"]


@dataclass(frozen=True)
class ParticleType:
    """One type of particles in a recipe.

    Parameters
    ----------
    diameter : float, (float, float), mapping or sampler
        Diameters of the spheres of equal volume, in metres, as `diameters_from` takes them: one
        value; mean and standard deviation of a lognormal distribution by number; ``{"d10": ...,
        "d50": ..., "d90": ...}`` or ``{"table": [(diameter, share below), ...]}`` by volume; a
        frozen `scipy.stats` distribution.
    form : {"sphere", "ellipsoid", "plate", "polyhedron", "irregular"}
        Plates are discs with a rounded rim; polyhedra have random facets; irregular particles
        have a wavy surface.
    aspect_ratio : float or (float, float)
        Length along the axis of the particle over its width: 0.2 is flat, 5 is a rod, 1 is
        neither. Two numbers are mean and standard deviation of a lognormal distribution; values
        of plates that come out above 0.99 are set to that.
    alignment : float
        Order parameter of the particle axes, the mean of (3 cos^2 t - 1) / 2 over the angles t
        to `axis`: 0 is random, 1 all along the axis, -0.5 all across it.
    axis : {"z", "y", "x"}
        Axis of the image to which `alignment` refers. Flat particles that lie in the plane of
        the electrode have their axes along z.
    share : float
        Volume of this type relative to the other types.
    profile : sequence of float, optional
        Relative number of particles per height, from z = 0 to z = L at equal distances, linear
        between them: (1, 2) has twice as many at the top. Needs walls along z.
    phase : str
        Name of the phase that these particles make.
    facets : int
        Number of facets of a polyhedron, 6 to 60.
    roughness : float
        Standard deviation of the radius of an irregular particle over its mean, up to 0.2.

    Raises
    ------
    ValueError
        If a value is not allowed.
    """

    diameter: Any
    form: Form = "sphere"
    aspect_ratio: float | tuple[float, float] = 1.0
    alignment: float = 0.0
    axis: Direction = "z"
    share: float = 1.0
    profile: Sequence[float] | None = None
    phase: str = "active"
    facets: int = 14
    roughness: float = 0.1

    def __post_init__(self) -> None:
        diameters_from(self.diameter)
        checked_form(self.form)
        axis_index(self.axis)
        ratio = self.aspect_ratio
        numbers = (ratio, 0.0) if isinstance(ratio, int | float) else tuple(ratio)
        mean, deviation = numbers if len(numbers) == 2 else (math.nan, math.nan)
        if not (0.02 <= mean <= 50 and 0 <= deviation <= mean):
            raise ValueError(
                f"aspect ratio {ratio!r} is not allowed; give length over width from 0.02 to 50, "
                "or its mean and standard deviation"
            )
        if self.form == "sphere" and (mean, deviation) != (1.0, 0.0):
            raise ValueError(
                f"a sphere has no aspect ratio {ratio!r}; choose form 'ellipsoid', 'plate', "
                "'polyhedron' or 'irregular'"
            )
        if self.form == "plate" and mean >= 1:
            raise ValueError(
                f"aspect ratio {ratio!r} of a plate is not allowed; give its thickness over its "
                "diameter, below 1"
            )
        allowed = {
            "alignment": (-0.5 <= self.alignment <= 1, "from -0.5 (all across) to 1 (all along)"),
            "share": (math.isfinite(self.share) and self.share > 0, "a number above 0"),
            "facets": (self.facets in range(6, 61), "a whole number from 6 to 60"),
            "roughness": (0 <= self.roughness <= 0.2, "from 0 to 0.2"),
        }
        for name, (fine, remedy) in allowed.items():
            if not fine:
                raise ValueError(f"{name} {getattr(self, name)!r} is not allowed; give {remedy}")
        if self.profile is not None:
            checked_profile(self.profile)


def checked_profile(profile: Sequence[float]) -> NDArray[np.float64]:
    """Return relative amounts at equal distances from z = 0 to z = L, with a mean of about 1."""
    values = np.array(profile, float)
    fine = values.ndim == 1 and values.size > 1 and np.all((values >= 0) & (values < np.inf))
    if not fine or not values.sum() > 0:
        raise ValueError(
            f"profile {profile!r} is not allowed; give two or more relative amounts from z = 0 to "
            "z = L, none below 0, for example (1, 2)"
        )
    mean: float = np.trapezoid(values) / (values.size - 1)
    return values / mean


def profile_at(profile: Sequence[float], heights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the relative amount of a profile at heights from 0 to 1."""
    values = checked_profile(profile)
    return np.interp(heights, np.linspace(0.0, 1.0, values.size), values)
