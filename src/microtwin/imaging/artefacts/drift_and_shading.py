"""Drift and shading of a scan, fitted to voxels in the open.

f(z, y, x) = o_z + (1 + g_z) (a(y, x) + (1 + b(y, x)) mu_class) .
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .layer_steps import centred
from .open_voxels import OpenVoxels, class_means, with_classes

__all__ = [
    "SmoothArtefacts",
    "covered",
    "fit_smooth_artefacts",
    "no_shading",
    "shading_field",
    "shading_size",
]

# The shading is a polynomial of this degree across the slices.
_DEGREE = 4
# It is fitted if two classes are seen, in so many voxels, in this share of so many tiles squared.
_TILES = 6
_FEWEST_PER_TILE = 20
_COVERED = 0.8
_ROUNDS = 4


@dataclass(frozen=True, eq=False)
class SmoothArtefacts:
    """Drift and shading.

    Parameters
    ----------
    drift : ndarray of float64, shape (2, nz)
        Offset and gain of each slice.
    shading : ndarray of float64, shape (2, n)
        Coefficients of the polynomials of offset and gain, see `shading_field`.
    """

    drift: NDArray[np.float64]
    shading: NDArray[np.float64]


def fit_smooth_artefacts(
    points: OpenVoxels,
    thresholds: NDArray[np.float32],
    shape: tuple[int, int, int],
    *,
    drift: bool,
    shading: bool,
) -> tuple[SmoothArtefacts, OpenVoxels, NDArray[np.float64]]:
    """Fit drift and shading in turns.

    Parameters
    ----------
    points : OpenVoxels
    thresholds : ndarray of float32
        Grey values between the classes.
    shape : (int, int, int)
        Of the scan.
    drift, shading : bool
        What to fit; the other stays zero.

    Returns
    -------
    found : SmoothArtefacts
    points : OpenVoxels
        With their final classes.
    corrected : ndarray of float64
        Grey values of the points after the correction.
    """
    nz, *slice_shape = shape
    layer, classes = points.place[0], len(thresholds) + 1
    found = SmoothArtefacts(np.zeros((2, nz)), np.array([no_shading(), no_shading()]))
    corrected = points.value
    points = with_classes(points, thresholds)
    means = class_means(corrected, points.label, classes)
    for _ in range(_ROUNDS):
        mu = means[points.label]
        added, more = _shading_at(found.shading, points, slice_shape)
        if drift:
            ideal = added + (1.0 + more) * mu
            rest = _without_outliers(points.value - ideal, found.drift[:, layer], ideal)
            contrast = float(np.ptp(means))
            found = replace(found, drift=_fit_drift(rest, layer, ideal, nz, contrast))
        offset, gain = found.drift[:, layer]
        if shading:
            rest = (points.value - offset) / (1.0 + gain) - mu
            rest = _without_outliers(rest, _shading_at(found.shading, points, slice_shape), mu)
            found = replace(found, shading=_fit_shading(rest, points, means, slice_shape))
        added, more = _shading_at(found.shading, points, slice_shape)
        # Smooth values follow the same law; classes get better as the scale does.
        smooth = ((points.smooth - offset) / (1.0 + gain) - added) / (1.0 + more)
        points = with_classes(points, thresholds, smooth)
        corrected = ((points.value - offset) / (1.0 + gain) - added) / (1.0 + more)
        means = class_means(corrected, points.label, classes)
    return found, points, corrected


def no_shading() -> NDArray[np.float64]:
    """Return the coefficients of a field that is zero."""
    return np.zeros(len(_basis(np.zeros(1), np.zeros(1))))


def shading_field(coefficients: NDArray[np.float64], shape: Sequence[int]) -> NDArray[np.float32]:
    """Return the polynomial with some coefficients on the pixels of a slice, shape (ny, nx)."""
    from numpy.polynomial.legendre import legvander

    by_degree = np.zeros((_DEGREE + 1, _DEGREE + 1))
    for (i, j), coefficient in zip(_degrees(), coefficients, strict=True):
        by_degree[i, j] = coefficient
    # Products of one-dimensional polynomials: a large slice takes no room but its own.
    py, px = (legvander(np.linspace(-1, 1, n), _DEGREE) for n in shape)
    return ((py @ by_degree).astype(np.float32) @ px.T.astype(np.float32)).astype(np.float32)


def shading_size(
    shading: Sequence[NDArray[np.float64]] | NDArray[np.float64], grey: float, shape: Sequence[int]
) -> float:
    """Return the largest difference that a shading makes to a grey value within a slice."""
    offset, gain = (shading_field(coefficients, shape) for coefficients in shading)
    return float(np.ptp(offset + grey * gain))


def _fit_drift(
    rest: NDArray[np.float64],
    layer: NDArray[np.int32],
    ideal: NDArray[np.float64],
    layers: int,
    contrast: float,
) -> NDArray[np.float64]:
    """Fit offset and gain of each slice, shape (2, layers); a slice of one class gets no gain.

    A ridge keeps the two apart where one class is rare: it is as strong as some hundred voxels.
    """

    def per_slice(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.bincount(layer, weights, layers).astype(float)

    ridge = 100.0
    n, s1 = per_slice(np.ones_like(rest)) + 1e-9, per_slice(ideal)
    r0, r1 = per_slice(rest), per_slice(ideal * rest)
    s2 = per_slice(ideal * ideal) + ridge * (contrast or 1.0) ** 2
    determinant = n * s2 - s1 * s1
    return centred(np.array([s2 * r0 - s1 * r1, n * r1 - s1 * r0]) / determinant)


def _fit_shading(
    rest: NDArray[np.float64],
    points: OpenVoxels,
    means: NDArray[np.float64],
    shape: Sequence[int],
) -> NDArray[np.float64]:
    """Fit the polynomials of offset and gain across the slices, shape (2, terms)."""
    y, x = (_unit(points.place[axis], n) for axis, n in enumerate(shape, 1))
    step = max(1, rest.size // 200_000)
    terms = _basis(y[::step], x[::step])
    # Gains are fitted about the mean of the classes: about a zero far away they could hardly be
    # told from offsets.
    middle = float(np.mean(means))
    columns = np.vstack([terms, terms * (means - middle)[points.label[::step]]])
    normal = columns @ columns.T
    # A small ridge: where a class is missing at the rim the fields do not run away.
    diagonal = np.diag(normal)
    normal += np.diag(1e-4 * diagonal + 1e-12 * diagonal.max())
    offset, gain = np.linalg.solve(normal, columns @ rest[::step]).reshape(2, -1)
    return np.array([offset - middle * gain, gain])


def covered(points: OpenVoxels, classes: int, shape: Sequence[int]) -> bool:
    """Whether at least two classes are found in most parts of the slices of some shape."""
    rows, columns = (points.place[axis] * _TILES // n for axis, n in enumerate(shape, 1))
    tile = rows * _TILES + columns
    shares = []
    for number in range(classes):
        counts = np.bincount(tile[points.label == number], minlength=_TILES**2)
        shares.append(np.mean(counts >= _FEWEST_PER_TILE))
    return classes > 1 and bool(sorted(shares)[-2] >= _COVERED)


def _without_outliers(
    rest: NDArray[np.float64], part: NDArray[np.float64], mu: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return a rest that differs little from the part of the model that was fitted to it before.

    What differs by more than four standard deviations belongs to a voxel of the wrong class, or
    to an artefact so strong that it takes several rounds.
    """
    fitted = part[0] + part[1] * mu
    error = rest - fitted
    middle = float(np.median(error))
    spread = 4 * 1.4826 * float(np.median(np.abs(error - middle)))
    return fitted + np.clip(error, middle - spread, middle + spread)


def _shading_at(
    shading: NDArray[np.float64], points: OpenVoxels, shape: Sequence[int]
) -> NDArray[np.float64]:
    # Looked up in the fields of a slice: the terms of all points would take far more memory.
    fields = [shading_field(coefficients, shape) for coefficients in shading]
    return np.array([field[points.place[1], points.place[2]] for field in fields])


def _unit(place: NDArray[np.int32], n: int) -> NDArray[np.float64]:
    return 2.0 * place / (n - 1) - 1.0


def _basis(y: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return products of Legendre polynomials up to the degree, without the constant."""
    from numpy.polynomial.legendre import legvander

    py, px = legvander(y, _DEGREE).T, legvander(x, _DEGREE).T
    return np.array([py[i] * px[j] for i, j in _degrees()])


def _degrees() -> list[tuple[int, int]]:
    degrees = [(i, j) for i in range(_DEGREE + 1) for j in range(_DEGREE + 1 - i)]
    return [(i, j) for i, j in degrees if i + j]
