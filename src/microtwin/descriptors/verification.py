"""Known surfaces and correlations, measured and compared.

Where the result of one picture depends on where the object lies within its voxels, the case is
the mean over several positions and says so in its name.
"""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from ..generation import boolean_spheres, gaussian_field
from ..geometry.orientation import area_from_projections
from ..geometry.surface import projected_area, surface_area
from ..microstructure import Microstructure
from ..trust.verification import Case
from .balls import constrictivity
from .correlation import two_point
from .curvature import minkowski_functionals
from .paths import geodesic_tortuosity
from .random_media import (
    boolean_specific_surface,
    boolean_two_point,
    gaussian_euler_density,
    gaussian_mean_curvature,
    gaussian_specific_surface,
    gaussian_two_point,
)

__all__ = ["CASES", "digitised_box", "digitised_ellipsoid", "spheroid_area"]

_PHASES = {"outside": 0, "inside": 1}
# One position of a digitised sphere scatters by 0.7, 0.24 and 0.10 % at R = 5, 10 and 20.
_POSITIONS = 256


def digitised_ellipsoid(
    semi_axes: tuple[float, float, float], offset: tuple[float, float, float] = (0.0, 0.0, 0.0)
) -> Microstructure:
    """Return an ellipsoid in a box with two voxels to spare, on voxels of edge 1 m.

    Parameters
    ----------
    semi_axes : 3 floats
        Along (z, y, x), in voxels.
    offset : 3 floats
        Shift of the centre from the middle of the box, in voxels, below 1.
    """
    squares = []
    for axis, shift in zip(semi_axes, offset, strict=True):
        n = 2 * math.ceil(axis) + 6
        squares.append(((np.arange(n) + 0.5 - 0.5 * n - shift) / axis) ** 2)
    z, y, x = np.ix_(*squares)
    return Microstructure((z + y + x < 1.0).view(np.uint8), (1.0, 1.0, 1.0), _PHASES)


def digitised_box(edges: tuple[int, int, int]) -> Microstructure:
    """Return a box aligned with the voxels, of edge 1 m, with two voxels to spare around it."""
    labels = np.pad(np.ones(edges, np.uint8), 2)
    return Microstructure(labels, (1.0, 1.0, 1.0), _PHASES)


def spheroid_area(equatorial: float, polar: float) -> float:
    """Return the area of an elongated spheroid, polar > equatorial semi-axis (closed form)."""
    eccentricity = math.sqrt(1.0 - (equatorial / polar) ** 2)
    ratio = polar / (equatorial * eccentricity)
    return 2.0 * math.pi * equatorial**2 * (1.0 + ratio * math.asin(eccentricity))


def _mean_sphere_area(radius: float) -> float:
    """Area from the projections averaged over positions of the centre within a voxel."""
    offsets = np.random.default_rng(1).random((_POSITIONS, 3)).tolist()
    spheres = [digitised_ellipsoid((radius,) * 3, (z, y, x)) for z, y, x in offsets]
    projected = np.mean([projected_area(sphere, "inside") for sphere in spheres], axis=0)
    return area_from_projections(projected, (1.0, 1.0, 1.0))


def _spheroid() -> float:
    return surface_area(digitised_ellipsoid((30.0, 10.0, 10.0), (0.1, 0.2, 0.3)), "inside")


def _plate() -> float:
    return surface_area(digitised_box((16, 128, 128)), "inside")


def _specific_surface(micro: Microstructure) -> float:
    """Surface of the pore per volume of a periodic image with voxels of edge 1 m."""
    return surface_area(micro, "pore", periodic=True) / micro.labels.size


def _boolean_surface() -> float:
    """Measured over exact surface, at the porosity each image happens to have."""
    ratios = []
    for seed in range(16):
        micro = boolean_spheres(96, radius=12.0, porosity=0.5, seed=seed, voxel_size=1.0)
        exact = boolean_specific_surface(12.0, micro.volume_fraction("pore"))
        ratios.append(_specific_surface(micro) / exact)
    return float(np.mean(ratios))


def _boolean_porosity() -> float:
    images = [boolean_spheres(64, 5.0, 0.5, seed) for seed in range(16)]
    return float(np.mean([micro.volume_fraction("pore") for micro in images]))


def _boolean_correlation() -> float:
    """Largest deviation of S2 from the closed form at the measured porosity, up to lag 3 R."""
    micro = boolean_spheres(96, radius=6.0, porosity=0.5, seed=1, voxel_size=1.0)
    distance, measured = two_point(micro, "pore", 18, periodic=True).radial()
    exact = boolean_two_point(distance, 6.0, micro.volume_fraction("pore"))
    return float(np.max(np.abs(measured - exact)))


def _gaussian_surface() -> float:
    images = [gaussian_field(96, 4.0, 0.4, seed, voxel_size=1.0) for seed in range(8)]
    return float(np.mean([_specific_surface(micro) for micro in images]))


def _mean_sphere_curvature(radius: float) -> float:
    """Integral of the mean curvature, averaged over positions of the centre within a voxel."""
    offsets = np.random.default_rng(1).random((_POSITIONS, 3)).tolist()
    spheres = [digitised_ellipsoid((radius,) * 3, (z, y, x)) for z, y, x in offsets]
    # Per volume between the outermost voxel centres.
    volume = (spheres[0].shape[0] - 1) ** 3
    return float(
        np.mean([minkowski_functionals(s, "inside").mean_curvature * volume for s in spheres])
    )


def _gaussian_minkowski(name: str) -> float:
    images = [gaussian_field(96, 4.0, 0.3, seed, voxel_size=1.0) for seed in range(8)]
    return float(
        np.mean([getattr(minkowski_functionals(i, "pore", periodic=True), name) for i in images])
    )


def _channel() -> Microstructure:
    labels = np.zeros((24, 15, 15), np.uint8)
    labels[:, 4:11, 4:11] = 1
    return Microstructure(labels, (1.0, 1.0, 1.0), _PHASES)


def _gaussian_correlation() -> float:
    """Largest deviation of S2 from the closed form, up to lag 6 l."""
    micro = gaussian_field(96, 4.0, 0.4, seed=1, voxel_size=1.0)
    distance, measured = two_point(micro, "pore", 24, periodic=True).radial()
    return float(np.max(np.abs(measured - gaussian_two_point(distance, 4.0, 0.4))))


CASES: tuple[Case, ...] = (
    *(
        Case(
            name=f"digitised sphere, R = {radius} voxels, mean of {_POSITIONS} positions",
            quantity="surface area, voxel^2",
            reference=4.0 * math.pi * radius**2,
            compute=partial(_mean_sphere_area, radius),
            limit=limit,
            source="exact",
        )
        for radius, limit in ((5, 0.01), (10, 0.002), (20, 0.001))
    ),
    Case(
        name=f"digitised sphere, R = 10 voxels, mean of {_POSITIONS} positions",
        quantity="integral of the mean curvature, voxel",
        reference=4.0 * math.pi * 10,
        compute=partial(_mean_sphere_curvature, 10),
        limit=0.005,
        source="exact",
    ),
    Case(
        name="straight channel",
        quantity="constrictivity",
        reference=1.0,
        compute=lambda: constrictivity(_channel(), "inside"),
        limit=1e-6,
        source="exact",
    ),
    Case(
        name="straight channel",
        quantity="geodesic tortuosity",
        reference=1.0,
        compute=lambda: geodesic_tortuosity(_channel(), "inside"),
        limit=1e-6,
        source="exact",
    ),
    Case(
        name="digitised spheroid 1:1:3, semi-axes 10, 10, 30 voxels",
        quantity="surface area, voxel^2",
        reference=partial(spheroid_area, 10.0, 30.0),
        compute=_spheroid,
        limit=0.02,
        source="exact",
    ),
    Case(
        name="plate 1:8:8 along the voxel faces, 16 voxels thick",
        quantity="surface area, voxel^2",
        reference=2.0 * (128 * 128 + 2 * 16 * 128),
        compute=_plate,
        limit=0.02,
        source="exact",
    ),
    Case(
        name="overlapping spheres, expected porosity 0.5, mean of 16 images",
        quantity="porosity",
        reference=0.5,
        compute=_boolean_porosity,
        # Four standard errors of the mean: sqrt(p q A / V / 16), A the integral range.
        limit=0.02,
        source="Chiu et al. 2013, exp(-lambda V)",
        relative=False,
    ),
    Case(
        name="overlapping spheres, R = 12 voxels, mean of 16 images of 96^3",
        quantity="specific surface over -3 eps ln(eps) / R",
        reference=1.0,
        compute=_boolean_surface,
        # The creases where spheres meet are rounded by a voxel: the expected error is -3.1 %.
        limit=0.05,
        source="Chiu et al. 2013, lambda S eps",
    ),
    Case(
        name="overlapping spheres, R = 6 voxels, one image of 96^3",
        quantity="largest deviation of S2",
        reference=0.0,
        compute=_boolean_correlation,
        limit=0.01,
        source="Chiu et al. 2013",
        relative=False,
    ),
    Case(
        name="cut Gaussian field, l = 4 voxels, porosity 0.4, mean of 8 images of 96^3",
        quantity="specific surface, 1/voxel",
        reference=partial(gaussian_specific_surface, 4.0, 0.4),
        compute=_gaussian_surface,
        limit=0.02,
        source="Teubner 1991",
    ),
    Case(
        name="cut Gaussian field, l = 4 voxels, porosity 0.3, mean of 8 images of 96^3",
        quantity="mean curvature per volume, 1/voxel^2",
        reference=partial(gaussian_mean_curvature, 4.0, 0.3),
        compute=partial(_gaussian_minkowski, "mean_curvature"),
        limit=0.02,
        source="Adler & Taylor 2007",
    ),
    Case(
        name="cut Gaussian field, l = 4 voxels, porosity 0.3, mean of 8 images of 96^3",
        quantity="Euler number per volume, 1/voxel^3",
        reference=partial(gaussian_euler_density, 4.0, 0.3),
        compute=partial(_gaussian_minkowski, "euler_number"),
        # Four standard errors of the mean.
        limit=0.15,
        source="Adler & Taylor 2007",
    ),
    Case(
        name="cut Gaussian field, l = 4 voxels, porosity 0.4, one image of 96^3",
        quantity="largest deviation of S2",
        reference=0.0,
        compute=_gaussian_correlation,
        limit=0.01,
        source="Berk 1991",
        relative=False,
    ),
)
