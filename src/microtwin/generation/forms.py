"""Bodies from which particles are made: ball, plate, random polyhedra, irregular bodies."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from .form_kernels import ELLIPSOID, FARTHEST, IRREGULAR, NEAREST, PLATE, POLYHEDRON, SPHERE

__all__ = ["BALL", "Body", "Form", "bodies_of", "checked_form", "packed_bodies", "plate_volume"]

Form = Literal["sphere", "ellipsoid", "plate", "polyhedron", "irregular"]
KINDS: dict[str, int] = {
    "sphere": SPHERE,
    "ellipsoid": ELLIPSOID,
    "plate": PLATE,
    "polyhedron": POLYHEDRON,
    "irregular": IRREGULAR,
}
UNIT_VOLUME = 4.0 / 3.0 * math.pi

# Random bodies drawn for one type of particles; turned and stretched, they do not repeat visibly.
_VARIANTS = 24
# Degrees of the Legendre waves of an irregular surface, each in random directions.
_DEGREES = (2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5, 5)
# Corners that stand for the hull of an irregular body; moved outward until it holds the body.
_CORNERS = 96
# Directions in which the surface is measured, and what it may rise between them.
_DENSE = 2000
_BETWEEN = 1.005


@dataclass(frozen=True, eq=False)
class Body:
    """A body around the origin with the volume of the unit ball; a plate only when stretched.

    Parameters
    ----------
    form : str
        "sphere", "ellipsoid", "plate", "polyhedron" or "irregular".
    surface : ndarray of float, shape (n, 5)
        Facets or waves of the surface, as `form_kernels` describes; empty for the others.
    hull : ndarray of float, shape (n, 3)
        Corners of polyhedra and irregular bodies; empty for the others.
    reach : float
        Largest distance of the surface from the origin.
    """

    form: Form
    surface: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 5)), repr=False)
    hull: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 3)), repr=False)
    reach: float = 1.0

    def turned(self, rotation: NDArray[np.float64]) -> Body:
        """Return the body turned by a rotation matrix (points of it are columns)."""
        surface = self.surface.copy()
        surface[:, :3] = surface[:, :3] @ rotation.T
        return Body(self.form, surface, self.hull @ rotation.T, self.reach)


BALL = Body("sphere")


def checked_form(form: str) -> Form:
    """Return the name of a form, or say which there are."""
    if form not in KINDS:
        raise ValueError(f"form {form!r} is not known; use one of {', '.join(get_args(Form))}")
    return form  # type: ignore[return-value]


def bodies_of(form: Form, facets: int, roughness: float, rng: np.random.Generator) -> list[Body]:
    """Return the bodies from which the particles of one type are taken.

    Parameters
    ----------
    form : str
    facets : int
        Facets of a polyhedron.
    roughness : float
        Standard deviation of the radius of an irregular body relative to its mean.
    rng : numpy.random.Generator

    Returns
    -------
    list of Body
        One, or several random ones.
    """
    if form == "polyhedron":
        return [_polyhedron(facets, rng) for _ in range(_VARIANTS)]
    if form == "irregular":
        return [_irregular(roughness, rng) for _ in range(_VARIANTS)]
    return [Body(form)]


def plate_volume(half_thickness: NDArray[np.float64], radius: NDArray[np.float64]) -> NDArray:
    """Return the volume of a disc with a rounded rim.

    Steiner's formula for all points within h of a flat disc of radius s = R - h:
    2 pi s^2 h + pi^2 s h^2 + 4/3 pi h^3.
    """
    h = half_thickness
    s = radius - h
    volume: NDArray[np.float64] = math.pi * h * (2.0 * s**2 + math.pi * s * h + 4.0 / 3.0 * h**2)
    return volume


def packed_bodies(
    bodies: tuple[Body, ...],
) -> tuple[NDArray[np.int64], NDArray, NDArray[np.int64], NDArray, NDArray[np.int64]]:
    """Return kinds, all surfaces with the spans of each body in them, and all hulls with theirs."""

    def joined(parts: list[NDArray[np.float64]]) -> tuple[NDArray, NDArray[np.int64]]:
        ends = np.cumsum([len(part) for part in parts])
        spans = np.stack([np.concatenate([[0], ends[:-1]]), ends], axis=1).astype(np.int64)
        return np.concatenate(parts), spans

    kinds = np.array([KINDS[body.form] for body in bodies], np.int64)
    return kinds, *joined([b.surface for b in bodies]), *joined([b.hull for b in bodies])


def _polyhedron(facets: int, rng: np.random.Generator) -> Body:
    """Draw planes about a ball at random distances; what they enclose is the body.

    Their normals repel each other some times, so that few bodies are needles.
    """
    from scipy.spatial import ConvexHull, HalfspaceIntersection

    normals = _spread_directions(facets, rng)
    offsets = 1.0 + 0.1 * rng.standard_normal(facets).clip(-2.0, 2.0)
    corners = HalfspaceIntersection(np.column_stack([normals, -offsets]), np.zeros(3)).intersections
    size = (UNIT_VOLUME / ConvexHull(corners).volume) ** (1.0 / 3.0)
    surface = np.column_stack([normals, size * offsets, np.zeros(facets)])
    reach = float(np.linalg.norm(size * corners, axis=1).max())
    return Body("polyhedron", surface, size * corners, reach)


def _irregular(roughness: float, rng: np.random.Generator) -> Body:
    """Draw waves over the unit sphere, in random directions; the radius follows their sum."""
    dense = _fibonacci(_DENSE)
    while True:
        waves = _waves(roughness, rng)
        radii = _wavy_radii(waves, dense)
        size = float(np.mean(radii**3) ** (-1.0 / 3.0))
        reach = _BETWEEN * size * float(radii.max())
        # The roughest few have a waist that is thin or none at all.
        if size * radii.min() > _BETWEEN * NEAREST and reach < FARTHEST:
            break
    surface = np.vstack([waves, [0.0, 0.0, 0.0, 0.0, size]])
    corners = _fibonacci(_CORNERS)
    hull = size * _wavy_radii(waves, corners)[:, None] * corners
    points = size * radii[:, None] * dense
    hull *= _BETWEEN * np.max((points @ corners.T).max(0) / (hull @ corners.T).max(0))
    return Body("irregular", surface, hull, reach)


def _waves(roughness: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Rows of direction, degree and height of waves with this standard deviation together."""
    directions = rng.standard_normal((len(_DEGREES), 3))
    directions /= np.linalg.norm(directions, axis=1)[:, None]
    degrees = np.array(_DEGREES, float)
    # Longer waves are higher. P_n(k . u) has the variance 1 / (2 n + 1) over the sphere; waves of
    # one degree in random directions are hardly correlated.
    heights = rng.choice([-1.0, 1.0], degrees.size) / degrees
    heights *= roughness / math.sqrt(np.sum(heights**2 / (2.0 * degrees + 1.0)))
    return np.column_stack([directions, degrees, heights])


def _wavy_radii(waves: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Radius with these waves in the directions of points on the unit sphere, about 1."""
    from scipy.special import eval_legendre

    values: NDArray[np.float64] = eval_legendre(waves[:, 3], points @ waves[:, :3].T)
    return 1.0 + values @ waves[:, 4]


def _spread_directions(n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Random directions that repel each other a few times."""
    points = rng.standard_normal((n, 3))
    points /= np.linalg.norm(points, axis=1)[:, None]
    for _ in range(10):
        apart = points[:, None] - points
        squared = np.sum(apart**2, axis=2) + np.eye(n)
        points = points + (0.5 / n) * np.sum(apart / squared[:, :, None] ** 1.5, axis=1)
        points /= np.linalg.norm(points, axis=1)[:, None]
    return points


def _fibonacci(n: int) -> NDArray[np.float64]:
    """Directions that cover the sphere evenly (a spiral with the golden angle)."""
    height = 1.0 - (2.0 * np.arange(n) + 1.0) / n
    angle = math.pi * (3.0 - math.sqrt(5.0)) * np.arange(n)
    across = np.sqrt(1.0 - height**2)
    return np.column_stack([height, across * np.cos(angle), across * np.sin(angle)])
