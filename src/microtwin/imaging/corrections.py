"""Artefacts of a scan that can be told from its material, and their removal.

Grey values of one phase should be equal wherever it is. Where they are not, the instrument is to
blame: the scale of the slices drifts, beam hardening shades each slice, and faulty detector
pixels draw rings. All three are measured on voxels in the open, away from interfaces, against
the mean of their class, so that a gradient of the material itself (more pores on one side) is not
taken for one of the instrument, as a fit to all grey values takes it:

    f(z, y, x) = (1 + g_z + b(y, x)) (mu_class + ring_z(radius, half)) + o_z + a(y, x) .

`learn_corrections` finds gain g and offset o of every slice, the smooth fields a and b, and the
rings; `Corrections.apply` takes them away from any slab. A detector pixel sees a ring of its own
during a whole turn; during half a turn it sees half a ring, and the pixel on the other side of
the axis the other half, so that each half has its own profile.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..numerics.threads import even_shares, over_slabs
from .grey_levels import find_grey_levels, halfway
from .layers import Layers, float_slabs

__all__ = ["STEPS", "Corrected", "Corrections", "learn_corrections"]

Step = Literal["drift", "shading", "rings"]
STEPS: tuple[Step, ...] = ("drift", "shading", "rings")

# Classes are told apart on a picture smoothed by so many voxels, and hold in the open if they
# hold so many voxels around.
_SMOOTH = 1.0
_OPEN = 2
_HALO = 6
# Voxels in the open that drift and shading are fitted to.
_SAMPLE = 500_000
# The shading is a polynomial of this degree across the slices.
_DEGREE = 4
# It is fitted if two classes are seen, in so many voxels, in this share of so many tiles squared.
_TILES = 6
_FEWEST_PER_TILE = 20
_COVERED = 0.8
# Rings are what varies within so many voxels of radius; slower courses belong to the shading.
_WIDEST_RING = 25
# Sectors in which the rings are added up, to find where their halves begin.
_SECTORS = 24


@dataclass(frozen=True, eq=False)
class Corrections:
    """Artefacts that were found in a scan, in its grey values.

    Parameters
    ----------
    means : tuple of float
        Grey value of each class that was used, after the correction.
    noise : float
        Standard deviation of the grey values within a class, after the correction.
    gain, offset : ndarray of float32, shape (nz,)
        Drift: relative error of the scale of each slice, and what is added to it.
    shading_gain, shading_offset : ndarray of float64, shape (n,)
        Coefficients of the polynomials b and a, see `shading_field`.
    rings : ndarray of float32, shape (nz, 2, n_radii)
        What is added at each distance (in voxels) from the axis, in either half of the rings.
    split : float
        Angle at which the first half begins, in radians from x towards y.
    centre : (float, float)
        Row and column of the rotation axis.
    share : float
        Share of the voxels that lie in the open.
    note : str
        What could not be corrected, and why; empty if there is nothing to say.
    """

    means: tuple[float, ...]
    noise: float
    gain: NDArray[np.float32]
    offset: NDArray[np.float32]
    shading_gain: NDArray[np.float64]
    shading_offset: NDArray[np.float64]
    rings: NDArray[np.float32]
    split: float
    centre: tuple[float, float]
    share: float
    note: str = ""

    def apply(
        self, values: NDArray[np.float32], start: int, steps: Iterable[Step] = STEPS
    ) -> NDArray[np.float32]:
        """Return a slab without the artefacts.

        Parameters
        ----------
        values : ndarray of float32, shape (n, ny, nx)
            Layers ``start`` to ``start + n - 1`` of the scan; not changed.
        start : int
        steps : iterable of {"drift", "shading", "rings"}
            What to take away.

        Returns
        -------
        ndarray of float32, shape (n, ny, nx)
        """
        from .correction_kernels import subtract_rings

        steps = set(steps)
        layers = slice(start, start + len(values))
        shape = values.shape[1:]
        offset = np.zeros((len(values), 1, 1), np.float32)
        gain = np.ones((len(values), 1, 1), np.float32)
        if "drift" in steps:
            offset = offset + self.offset[layers, None, None]
            gain = gain + self.gain[layers, None, None]
        out = values - offset
        if "shading" in steps:
            out -= shading_field(self.shading_offset, shape)
            out /= gain + shading_field(self.shading_gain, shape)
        else:
            out /= gain
        if "rings" in steps:
            rings = np.ascontiguousarray(self.rings[layers])
            place = (self.split, *self.centre)
            over_slabs(subtract_rings, even_shares(len(out)), out, rings, *place)
        return out

    @property
    def drift_size(self) -> float:
        """Standard deviation over the slices of the error of the brightest class."""
        return float(np.std(self.offset + self.gain * max(self.means, key=abs)))

    @property
    def ring_size(self) -> float:
        """Root mean square of the rings over the area of the slices, in grey values."""
        radius = np.arange(self.rings.shape[-1]) + 0.1
        return float(np.sqrt(np.average(np.mean(self.rings**2, axis=(0, 1)), weights=radius)))

    def shading_size(self, shape: tuple[int, int]) -> float:
        """Largest difference that the shading makes within a slice, in grey values."""
        brightest = max(self.means, key=abs)
        field = shading_field(self.shading_offset, shape)
        field = field + brightest * shading_field(self.shading_gain, shape)
        return float(field.max() - field.min())


@dataclass(frozen=True, eq=False)
class Corrected:
    """A volume whose layers are corrected as they are read."""

    volume: Layers
    corrections: Corrections
    steps: tuple[Step, ...] = STEPS

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels along (z, y, x)."""
        return self.volume.shape

    def read_layers(self, start: int, stop: int) -> NDArray[np.float32]:
        """Return the corrected layers ``start`` to ``stop - 1``."""
        values = self.volume.read_layers(start, stop).astype(np.float32, copy=False)
        return self.corrections.apply(values, start, self.steps)


def learn_corrections(
    volume: Layers,
    classes: int = 2,
    *,
    steps: Sequence[Step] = STEPS,
    centre: tuple[float, float] | None = None,
) -> Corrections:
    """Find the drift, the shading and the rings of a scan.

    Parameters
    ----------
    volume : Layers
        The scan, in memory or in a file.
    classes : int
        How many phases can be told apart by their grey values.
    steps : sequence of {"drift", "shading", "rings"}
        What to look for; the others stay zero.
    centre : (float, float), optional
        Row and column of the rotation axis, around which rings are drawn; by default the middle.

    Returns
    -------
    Corrections

    Raises
    ------
    ValueError
        If a step is unknown, the volume is constant, or too few voxels lie in the open.
    """
    unknown = [step for step in steps if step not in STEPS]
    if unknown:
        raise ValueError(
            f"step {unknown[0]!r} is not known; corrections are made of {', '.join(STEPS)}"
        )
    nz, ny, nx = volume.shape
    centre = ((ny - 1) / 2, (nx - 1) / 2) if centre is None else centre
    levels = find_grey_levels(volume, classes)
    # A phase that looks different in different places counts as several here: its differences
    # would be taken for shading.
    greys = max(levels.means, levels.peaks, key=len)
    classes, thresholds = len(greys), halfway(greys)
    points = _points_in_the_open(volume, thresholds)
    points = _with_classes(points, thresholds, classes)
    drift = np.zeros((2, nz))
    shading = np.zeros((2, _basis(np.zeros(1), np.zeros(1)).shape[0]))
    means = _class_means(points.value, points.label, classes)
    note = ""
    if "shading" in steps and not _covered(points, classes, ny, nx):
        steps = [step for step in steps if step != "shading"]
        note = (
            "the shading was not corrected: at least two phases must be seen all over the slices, "
            "to tell what the instrument adds from what it amplifies"
        )
    for _ in range(4):
        drift_part, shading_part = _drift_at(drift, points), _shading_at(shading, points, ny, nx)
        if "drift" in steps:
            rest = _without(points.value, shading_part, points.label, means)
            rest = _without_outliers(rest, drift_part, means[points.label])
            drift = _fit_drift(rest, points, means, nz)
            drift_part = _drift_at(drift, points)
        if "shading" in steps:
            rest = _without(points.value, drift_part, points.label, means)
            rest = _without_outliers(rest, shading_part, means[points.label])
            shading = _fit_shading(rest, points, means, ny, nx)
            shading_part = _shading_at(shading, points, ny, nx)
        gain = 1.0 + drift_part[1] + shading_part[1]
        offset = drift_part[0] + shading_part[0]
        # Smooth values follow the same law; classes get better as the scale does.
        points = _with_classes(points, thresholds, classes, (points.smooth - offset) / gain)
        corrected = (points.value - offset) / gain
        means = _class_means(corrected, points.label, classes)
    noise = _robust_noise(corrected, points.label, means)
    found = Corrections(
        tuple(map(float, means)),
        noise,
        drift[1].astype(np.float32),
        drift[0].astype(np.float32),
        shading[1],
        shading[0],
        np.zeros((nz, 2, _radii(ny, nx, centre)), np.float32),
        0.0,
        centre,
        points.share,
        note,
    )
    if "rings" not in steps:
        return found
    rings, split = _rings(volume, found, thresholds)
    return replace(found, rings=rings, split=split)


def shading_field(coefficients: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return the polynomial with some coefficients on the pixels of a slice, shape (ny, nx)."""
    y, x = np.linspace(-1, 1, shape[0]), np.linspace(-1, 1, shape[1])
    terms = _basis(*(axis.ravel() for axis in np.meshgrid(y, x, indexing="ij")))
    return (coefficients @ terms).reshape(shape).astype(np.float32)


@dataclass(frozen=True)
class _Points:
    """Voxels in the open: where they are, grey value, smoothed grey value, class."""

    place: NDArray[np.int32]
    value: NDArray[np.float64]
    smooth: NDArray[np.float64]
    label: NDArray[np.uint8]
    share: float


def _open_classes(
    values: NDArray[np.float32], thresholds: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Return the smoothed values, and the class of the voxels in the open."""
    from scipy.ndimage import gaussian_filter

    from .correction_kernels import classes_in_the_open

    smooth = gaussian_filter(values, _SMOOTH, truncate=3.0)
    classes = np.empty(values.shape, np.uint8)
    shares = even_shares(len(values))
    over_slabs(classes_in_the_open, shares, smooth, thresholds, _OPEN, classes)
    return smooth, classes


def _points_in_the_open(volume: Layers, thresholds: NDArray[np.float32]) -> _Points:
    """Sample voxels in the open, as many from each layer as another of the same size would give."""
    from .correction_kernels import NO_CLASS

    nz, ny, nx = volume.shape
    stride = max(1, nz * ny * nx // (2 * _SAMPLE))
    parts, found = [], 0
    for first, start, stop, values in float_slabs(volume, _HALO):
        smooth, classes = _open_classes(values, thresholds)
        inside = slice(start - first, stop - first)
        # A step through the voxels in the open does not follow the rows; layer by layer, for
        # places take eight bytes each.
        picked = []
        for number, layer in enumerate(classes[inside]):
            flat = np.flatnonzero(layer.ravel() != NO_CLASS)
            picked.append(flat[-found % stride :: stride] + number * layer.size)
            found += flat.size
        chosen = np.concatenate(picked)
        place = np.array(np.unravel_index(chosen, (stop - start, ny, nx)), np.int32)
        place[0] += start
        parts.append((place, values[inside].ravel()[chosen], smooth[inside].ravel()[chosen]))
    place = np.concatenate([part[0] for part in parts], axis=1)
    if place.shape[1] < 1000:
        raise ValueError(
            f"only {found} voxels of the scan lie in the open, {_OPEN} voxels away from all "
            "interfaces; switch the corrections off, or scan with finer voxels"
        )
    value = np.concatenate([part[1] for part in parts]).astype(float)
    smooth_value = np.concatenate([part[2] for part in parts]).astype(float)
    label = np.zeros(value.shape, np.uint8)
    return _Points(place, value, smooth_value, label, found / (nz * ny * nx))


def _with_classes(
    points: _Points,
    thresholds: NDArray[np.float32],
    classes: int,
    smooth: NDArray[np.float64] | None = None,
) -> _Points:
    values = points.smooth if smooth is None else smooth
    label = np.minimum(np.searchsorted(thresholds, values), classes - 1).astype(np.uint8)
    return _Points(points.place, points.value, points.smooth, label, points.share)


def _class_means(
    values: NDArray[np.float64], label: NDArray[np.uint8], classes: int
) -> NDArray[np.float64]:
    counts = np.bincount(label, minlength=classes)
    return np.bincount(label, values, classes) / np.maximum(counts, 1)


def _robust_noise(
    values: NDArray[np.float64], label: NDArray[np.uint8], means: NDArray[np.float64]
) -> float:
    """Return the standard deviation within the classes, from the median deviation.

    Pictures without noise get a little, by which rings are told and weighted.
    """
    noise = 1.4826 * np.median(np.abs(values - means[label]))
    return float(max(noise, 1e-6 * np.abs(means).max(), 1e-30))


def _without(
    values: NDArray[np.float64],
    part: NDArray[np.float64],
    label: NDArray[np.uint8],
    means: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return what a part of the model leaves of the values, the class means included."""
    return values - part[0] - part[1] * means[label] - means[label]


def _fit_drift(
    rest: NDArray[np.float64], points: _Points, means: NDArray[np.float64], slices: int
) -> NDArray[np.float64]:
    """Fit offset and gain of each slice, shape (2, slices); a slice of one class gets no gain.

    A ridge keeps the two apart where one class is rare: it is as strong as some hundred voxels.
    """
    z, mu = points.place[0], means[points.label]
    scale = np.ptp(means) or 1.0

    def per_slice(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.bincount(z, weights, slices).astype(float)

    ridge = 100.0
    n, s1, s2 = per_slice(np.ones_like(rest)) + 1e-9, per_slice(mu), per_slice(mu * mu)
    r0, r1 = per_slice(rest), per_slice(mu * rest)
    s2 = s2 + ridge * scale**2
    determinant = n * s2 - s1 * s1
    offset = (s2 * r0 - s1 * r1) / determinant
    gain = (n * r1 - s1 * r0) / determinant
    # Only differences between slices are drift.
    return np.array([offset - np.median(offset), gain - np.median(gain)])


def _fit_shading(
    rest: NDArray[np.float64], points: _Points, means: NDArray[np.float64], ny: int, nx: int
) -> NDArray[np.float64]:
    """Fit the polynomials of offset and gain across the slices, shape (2, terms)."""
    y, x = _unit(points.place[1], ny), _unit(points.place[2], nx)
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


def _covered(points: _Points, classes: int, ny: int, nx: int) -> bool:
    """Whether at least two classes are found in most parts of the slices."""
    rows = points.place[1] * _TILES // ny
    columns = points.place[2] * _TILES // nx
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


def _drift_at(drift: NDArray[np.float64], points: _Points) -> NDArray[np.float64]:
    return drift[:, points.place[0]]


def _shading_at(
    shading: NDArray[np.float64], points: _Points, ny: int, nx: int
) -> NDArray[np.float64]:
    # Looked up in the fields of a slice: the terms of all points would take far more memory.
    fields = [shading_field(coefficients, (ny, nx)) for coefficients in shading]
    return np.array([field[points.place[1], points.place[2]] for field in fields])


def _unit(place: NDArray[np.int32], n: int) -> NDArray[np.float64]:
    return 2.0 * place / (n - 1) - 1.0


def _basis(y: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return products of Legendre polynomials up to the degree, without the constant."""
    from numpy.polynomial.legendre import legvander

    py, px = legvander(y, _DEGREE).T, legvander(x, _DEGREE).T
    degrees = [(i, j) for i in range(_DEGREE + 1) for j in range(_DEGREE + 1 - i)]
    return np.array([py[i] * px[j] for i, j in degrees if i + j])


def _radii(ny: int, nx: int, centre: tuple[float, float]) -> int:
    far_y = max(centre[0], ny - 1 - centre[0])
    far_x = max(centre[1], nx - 1 - centre[1])
    return int(np.hypot(far_y, far_x)) + 3


def _rings(
    volume: Layers, found: Corrections, thresholds: NDArray[np.float32]
) -> tuple[NDArray[np.float32], float]:
    """Measure the rings on voxels in the open; return the profiles and where a half begins.

    Least squares of what is left of the grey values on profiles that are linear between whole
    distances. What the slices have in common is known far better than what is their own; the own
    part is shrunk as its share of noise demands: a normal prior whose variance at each distance
    is what the scatter over the slices holds beyond the noise.
    """
    from .correction_kernels import ring_sums

    nz = volume.shape[0]
    sums = np.zeros((3, nz, _SECTORS, found.rings.shape[-1]), np.float32)
    means = np.asarray(found.means, np.float32)
    # Beyond halfway to another class a voxel is likely to be of that one; strong rings are not.
    middle = float(np.min(np.diff(np.sort(means)), initial=np.inf)) / 2
    limit = np.float32(max(3.0 * found.noise, middle))
    for first, start, stop, values in float_slabs(volume, _HALO):
        flat = found.apply(values, first, ("drift", "shading"))
        _, classes = _open_classes(flat, thresholds)
        inside = slice(start - first, stop - first)
        args = (flat[inside], classes[inside], means, limit, *found.centre)
        over_slabs(ring_sums, even_shares(stop - start), *args, sums[:, start:stop])
    begin = _where_halves_begin(sums.sum(axis=1, dtype=float))
    halves = _in_halves(sums, begin)
    common = _fast_part(
        np.array([_profile(halves[:, :, half].sum(axis=1)) for half in (0, 1)]),
        halves[1].sum(axis=0),
    )
    for half, course in enumerate(common):
        halves[0, :, half] -= _times(halves[:, :, half], course)
    noise = found.noise**2
    # Diagonal entries are two thirds of the voxels of a ring, the right side has their variance.
    weight = np.maximum(halves[1], 1e-9)
    scatter = halves[0] ** 2 - noise * halves[1]
    real = np.sum(scatter, axis=0) / np.sum(weight**2, axis=0)
    prior = np.maximum(_running_mean(real, 9), 1e-4 * noise)
    own = np.array(
        [[_profile(halves[:, z, half], noise / prior[half]) for half in (0, 1)] for z in range(nz)]
    )
    own = _fast_part(own, halves[1])
    return (common + own).astype(np.float32), 2 * np.pi * begin / _SECTORS


def _in_halves(sums: NDArray[np.floating], begin: int) -> NDArray[np.float64]:
    """Add up the sectors of each half; the axis of sectors is the last but one."""
    turned = np.roll(sums, -begin, axis=-2)
    shape = (*sums.shape[:-2], 2, _SECTORS // 2, sums.shape[-1])
    return turned.reshape(shape).sum(axis=-2, dtype=float)


def _where_halves_begin(sums: NDArray[np.float64]) -> int:
    """Return the sector from which profiles of two halves explain most of the squares."""
    explained = []
    for begin in range(_SECTORS // 2):
        halves = _in_halves(sums, begin)
        profiles = np.array([_profile(halves[:, half]) for half in (0, 1)])
        courses = _fast_part(profiles, halves[1])
        fitted = [_times(halves[:, half], courses[half]) for half in (0, 1)]
        explained.append(np.sum(courses * (2 * halves[0] - fitted)))
    return int(np.argmax(explained))


def _profile(
    sums: NDArray[np.float64], ridge: NDArray[np.float64] | float = 1.0
) -> NDArray[np.float64]:
    """Solve the normal equations of a profile; the ridge keeps empty rings at zero."""
    from scipy.linalg import solveh_banded

    right, diagonal, beside = sums
    # The two parts are rounded to float32 when they are added up.
    bands = np.vstack([np.r_[0.0, beside[:-1]], diagonal * (1 + 1e-6) + ridge])
    return solveh_banded(bands, right, check_finite=False)


def _times(sums: NDArray[np.float64], course: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the normal matrix times a profile."""
    _, diagonal, beside = sums
    product = diagonal * course
    product[..., :-1] += beside[..., :-1] * course[..., 1:]
    product[..., 1:] += beside[..., :-1] * course[..., :-1]
    return product


def _fast_part(courses: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return profiles less their running mean over the radius, weighted by the voxels of a ring."""
    weights = weights + 1.0
    smooth = _running_mean(weights * courses, _WIDEST_RING) / _running_mean(weights, _WIDEST_RING)
    return courses - smooth


def _running_mean(values: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    from scipy.ndimage import uniform_filter1d

    return uniform_filter1d(values, width, axis=-1, mode="nearest")
