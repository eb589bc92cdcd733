"""Labels from grey values by their posterior probability, with the blur of the instrument.

A scan is taken for a picture of piecewise constant phases, blurred by the instrument, with noise:

    f = G * mu[label] + n .

A voxel between pore and active is grey like binder, but no binder is needed to explain it: the
blur does. With Gaussian noise of standard deviation s and a Potts prior, the labels have the
probability ``exp(-E)`` with

    E = |f - G * mu[label]|^2 / (2 s^2) + sum of beta[label, label'] - sum of h[label]

over pairs of neighbours and over voxels (S. Geman, D. Geman, IEEE Trans. Pattern Anal. Mach.
Intell. 6 (1984) 721, where blur is part of the model too). A Gibbs sampler draws from it, and the
average of the conditional probabilities over the draws is the probability of each phase in each
voxel. What the model needs (`GreyModel`) is learned from the scan itself, in turns with drawing
labels. Beyond its border the image is continued as in a mirror.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ...numerics.threads import even_shares, over_slabs
from . import posterior_kernels as kernels

__all__ = ["GreyModel", "LabelSampler", "blurred", "learn_grey_model"]

# The blur is followed to this distance in voxels at most: bands are wider than twice of it.
_FARTHEST = 6
# Along z the blur is learned by itself if so many layers show it: tomographs blur otherwise along
# their axis than across it, where views are interpolated.
_LAYERS_TO_TELL = 16
# Range in which the blur is looked for: narrower ones cannot be told from none, and wider ones
# reach further than they are followed.
_BLURS = (0.3, _FARTHEST / 2.5)
# Least noise in units of the least contrast. The model is not exact (views are finite, voxels
# are cut by interfaces): on clear virtual scans its errors would count as evidence, and labels
# become worse and far too sure.
_LEAST_NOISE = 0.2
# Least share of voxels away from interfaces from which the noise is measured there.
_FEWEST_CORE = 0.01
# The coupling begins here and stays in this range: without any, noise would be labelled, and from
# some strength on a Potts model freezes.
_FIRST_COUPLING = 0.35
_COUPLINGS = (0.1, 1.5)
# Voxels whose neighbours are looked at to learn the coupling.
_PAIRS = 40_000
_DRAWS_PER_ROUND = 3
# Smaller fractions, known or found, are not told apart when labels are led to known fractions.
_LEAST_FRACTION = 1e-4
# External field of a phase whose known fraction is zero.
_ABSENT = -30.0
# Residuals that are smooth over so many voxels are no noise.
_SLOW = 4.0
# Noise of a tomogram is stronger at the scale of a voxel than at that of the blur or, in other
# words, its neighbours are correlated: less of it is left to the label of one voxel than the blur
# shows. The share is where labels and tortuosity of virtual scans come out best.
NOISE_SHARE = 0.9
# Probabilities are added up in 16 bits; all draws together have this weight.
FULL_WEIGHT = 65000


@dataclass(frozen=True)
class GreyModel:
    """How the phases of a material look in a scan.

    Parameters
    ----------
    means : tuple of float
        Grey value of each phase in the open, away from interfaces.
    noise : float
        Standard deviation of the noise, per voxel, that matters for the labels: that of white
        noise which is as strong as the noise of the scan after the blur, and at least a fifth of
        the least contrast, for the model itself is not exact.
    blur : (float, float, float)
        Standard deviation of the Gaussian response of the instrument along (z, y, x), in voxels.
    coupling : tuple of tuple of float, shape (n_phases, n_phases)
        Energy of a pair of neighbours that share a face, by their phases; 1/sqrt(2) and 1/sqrt(3)
        of it count for neighbours over an edge and a corner.
    field : tuple of float
        External field h of each phase, which sets the fractions.
    mean_uncertainties : tuple of float
        Standard uncertainty of each of the means; empty if they are known.
    """

    means: tuple[float, ...]
    noise: float
    blur: tuple[float, float, float]
    coupling: tuple[tuple[float, ...], ...]
    field: tuple[float, ...]
    mean_uncertainties: tuple[float, ...] = ()

    @property
    def contrast_to_noise(self) -> float:
        """Least difference of two means in units of the noise."""
        return float(np.min(np.diff(np.sort(self.means))) / self.noise)


class LabelSampler:
    """A Gibbs sampler for the labels of one slab.

    Parameters
    ----------
    values : ndarray of float32, shape (nz, ny, nx)
        Grey values.
    labels : ndarray of uint8, shape (nz, ny, nx)
        Labels to start from, 0 ... n_phases - 1; they change from draw to draw.
    model : GreyModel
    seed : int
    start : int
        Number of the first plane of the slab in the whole image.
    """

    def __init__(
        self,
        values: NDArray[np.float32],
        labels: NDArray[np.uint8],
        model: GreyModel,
        seed: int = 0,
        start: int = 0,
    ) -> None:
        self.values = values
        self.labels = labels
        self._seed, self._start, self._turn = seed, start, 0
        self.residuals = np.empty_like(values)
        self._sums = np.zeros((0, 0, 0, 0), np.uint16)
        self.use(model)

    def use(self, model: GreyModel) -> None:
        """Go on with another model."""
        self.model = model
        weights, reach = _response(model.blur)
        self._stencil = _stencil(weights, reach)
        planes = zip(weights, self.values.shape, strict=True)
        self._response = (reach, *(_by_plane(along, n) for along, n in planes))
        # Grey values far from zero would leave few digits to sums of them.
        middle = np.mean(model.means)
        self._means = (np.asarray(model.means) - middle).astype(np.float32)
        over_slabs(
            kernels.residual,
            even_shares(self.values.shape[0]),
            self.values,
            np.float32(middle),
            self.labels,
            self._means,
            *self._response,
            self.residuals,
        )

    def draw(self, everywhere: bool = False, weight: int = 0) -> None:
        """Draw every label once.

        Parameters
        ----------
        everywhere : bool
            Also the labels of voxels whose six neighbours agree with them.
        weight : int
            Weight with which the conditional probabilities are added to `sums`.
        """
        if weight and not self._sums.size:
            self._sums = np.zeros((len(self.model.means), *self.values.shape), np.uint16)
        bands = -(-self.values.shape[0] // kernels.BAND)
        for parity in (0, 1):
            over_slabs(
                kernels.sweep,
                even_shares((bands + 1 - parity) // 2),
                parity,
                self._start,
                self.labels,
                self.residuals,
                self._means,
                np.float32(self.model.noise**-2),
                np.asarray(self.model.coupling, np.float32),
                np.asarray(self.model.field, np.float32),
                self._stencil,
                *self._response,
                self._seed,
                2 * self._turn + parity,
                everywhere,
                np.uint16(weight),
                self._sums,
            )
        self._turn += 1

    @property
    def sums(self) -> NDArray[np.uint16]:
        """Weighted sums of the conditional probabilities, shape (n_phases, nz, ny, nx)."""
        return self._sums

    @property
    def fractions(self) -> NDArray[np.float64]:
        """Share of each label now, shape (n_phases,)."""
        counts = np.bincount(self.labels.ravel(), minlength=len(self.model.means))
        return counts / self.labels.size


def learn_grey_model(
    blocks: Sequence[NDArray[np.float32]],
    labels: Sequence[NDArray[np.uint8]],
    means: Sequence[float],
    *,
    fractions: Sequence[float] | NDArray[np.float64] | None = None,
    rounds: int = 12,
    seed: int = 0,
) -> GreyModel:
    """Learn how the phases look from blocks of a scan.

    Stochastic expectation maximisation (G. Celeux, J. Diebolt, Comput. Stat. Quarterly 2 (1985)
    73): labels are drawn with the present model; then the noise follows from voxels away from
    interfaces, the blur from the least residual, the coupling by maximum
    pseudo-likelihood of the labels, and the external field from the fractions. Repeated.

    Parameters
    ----------
    blocks : sequence of ndarray of float32
        Parts of the scan that together are representative.
    labels : sequence of ndarray of uint8
        A first guess of their labels, 0 ... n_phases - 1; not changed.
    means : sequence of float
        Grey value of each phase in the open. It is not learned: from drawn labels the mean of a
        rare phase of weak contrast would drift to that of its neighbour, step by step.
    fractions : sequence of float, optional
        Known volume fraction of each phase in the blocks together. Without them the external
        field is zero: the grey values and the coupling decide alone.
    rounds : int
        Of as many draws as `_DRAWS_PER_ROUND`, after which the model is updated.
    seed : int

    Returns
    -------
    GreyModel
        The average over the last third of the rounds.

    Raises
    ------
    ValueError
        If one of the phases has no voxel in the first guess.
    """
    phases = len(means)
    counts = sum(np.bincount(part.ravel(), minlength=phases) for part in labels)
    if np.min(counts) == 0:
        raise ValueError(
            f"phase number {int(np.argmin(counts))}, counted from 0 and from dark to bright, has "
            "no voxel in the first guess of the labels; name only phases that the scan shows"
        )
    unlike = _FIRST_COUPLING * (1.0 - np.eye(phases))
    known = tuple(map(float, means))
    model = GreyModel(
        known, 1.0, (1.0, 1.0, 1.0), tuple(map(tuple, unlike.tolist())), (0.0,) * phases
    )
    samplers = [
        LabelSampler(block, part.copy(), model, seed + i)
        for i, (block, part) in enumerate(zip(blocks, labels, strict=True))
    ]
    model = replace(model, noise=_noise(model, samplers))
    for sampler in samplers:
        sampler.use(model)
    history = []
    for turn in range(rounds):
        for draw in range(_DRAWS_PER_ROUND):
            for sampler in samplers:
                sampler.draw(everywhere=turn == draw == 0)
            if fractions is not None:
                model = replace(model, field=_followed(model.field, samplers, fractions))
                for sampler in samplers:
                    sampler.model = model
        model = _updated(model, samplers, turn * 4 // rounds)
        for sampler in samplers:
            sampler.use(model)
        history.append(model)
    return _mean_model(history[-(rounds // 3) :])


def _followed(
    field: Sequence[float], samplers: Sequence[LabelSampler], fractions: Sequence[float] | NDArray
) -> tuple[float, ...]:
    """Return the external field after a step towards the known fractions.

    Labels follow the field within some draws; larger steps would overshoot.
    """
    sizes = [sampler.labels.size for sampler in samplers]
    now = np.average([sampler.fractions for sampler in samplers], axis=0, weights=sizes)
    wanted = np.asarray(fractions, float)
    there = wanted > 0
    changed = np.asarray(field) + 0.3 * np.log(
        np.maximum(wanted, _LEAST_FRACTION) / np.maximum(now, _LEAST_FRACTION)
    )
    changed -= changed[there].mean()
    # A phase that is not there stays away, whatever its grey value.
    changed[~there] = _ABSENT
    return tuple(changed.tolist())


def _updated(model: GreyModel, samplers: Sequence[LabelSampler], stage: int) -> GreyModel:
    """Return the model that fits the present labels best; the external field stays.

    What depends on good labels is learned later: first the noise, then the blur, then the coupling.
    """
    if stage >= 1:
        model = replace(model, blur=_best_blur(model, samplers))
    if stage >= 2:
        # Half of the way: the pseudo-likelihood of one draw is noisy.
        coupling = 0.5 * (np.asarray(model.coupling) + _best_coupling(model, samplers))
        model = replace(model, coupling=tuple(map(tuple, coupling.tolist())))
    return replace(model, noise=_noise(model, samplers))


def _best_coupling(model: GreyModel, samplers: Sequence[LabelSampler]) -> NDArray[np.float64]:
    """Return the symmetric coupling of largest pseudo-likelihood of the present labels.

    J. Besag, The Statistician 24 (1975) 179: the product over the voxels of the probability of
    their label given their neighbours, which is that of a logistic regression.
    """
    from scipy.optimize import minimize

    phases = len(model.means)
    rows = []
    for sampler in samplers:
        room = np.zeros((_PAIRS // len(samplers), phases + 1), np.float32)
        stride = max(1, sampler.labels.size // len(room)) | 1
        rows.append(room[: kernels.neighbour_statistics(sampler.labels, stride, room)])
    table = np.concatenate(rows).astype(float)
    own, around = table[:, 0].astype(int), table[:, 1:]
    pairs = np.triu_indices(phases, 1)
    picked = np.zeros((len(own), phases))
    picked[np.arange(len(own)), own] = 1.0

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        unlike = np.zeros((phases, phases))
        unlike[pairs] = parameters[: len(pairs[0])]
        energy = around @ (unlike + unlike.T) - np.append(parameters[len(pairs[0]) :], 0.0)
        energy -= energy.min(axis=1, keepdims=True)
        likely = np.exp(-energy)
        total = likely.sum(axis=1, keepdims=True)
        excess = picked - likely / total
        slope = excess.T @ around
        slope = (slope + slope.T)[pairs]
        value = float(np.sum(energy * picked) + np.sum(np.log(total)))
        return value / len(own), np.append(slope, -excess.sum(axis=0)[:-1]) / len(own)

    start = np.append(np.asarray(model.coupling)[pairs], np.zeros(phases - 1))
    bounds = [_COUPLINGS] * len(pairs[0]) + [(-10.0, 10.0)] * (phases - 1)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds)
    unlike = np.zeros((phases, phases))
    unlike[pairs] = found.x[: len(pairs[0])]
    return unlike + unlike.T


def _best_blur(model: GreyModel, samplers: Sequence[LabelSampler]) -> tuple[float, float, float]:
    """Return the blur with the least residual, among steps around the present one.

    One step along z and one across it; of thin images both at once.
    """
    least, most = _BLURS
    present = np.clip(model.blur, least / 0.88, most / 1.14)
    means = np.asarray(model.means, np.float32)

    def misfit(blur: NDArray[np.float64]) -> float:
        total = 0.0
        for sampler in samplers:
            left = sampler.values - blurred(means[sampler.labels], blur)
            total += float(np.sum(np.square(left), dtype=float))
        return total

    thin = min(sampler.values.shape[0] for sampler in samplers) < _LAYERS_TO_TELL
    groups = [[0, 1, 2]] if thin else [[0], [1, 2]]
    middle = misfit(present)
    best = present.copy()
    for axes in groups:
        steps = np.array([0.88, 1.0, 1.14])
        changed = np.repeat(present[None], 3, axis=0)
        changed[:, axes] *= steps[:, None]
        heights = np.array([misfit(changed[0]), middle, misfit(changed[2])])
        best[axes] *= np.exp(_vertex(np.log(steps), heights))
    return _triple(best)


def _vertex(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Return the lowest place of the parabola through three points, kept between them."""
    slope = (y[2] - y[0]) / (x[2] - x[0])
    bend = ((y[2] - y[1]) / (x[2] - x[1]) - (y[1] - y[0]) / (x[1] - x[0])) / (x[2] - x[0])
    if bend <= 0:
        return float(x[int(np.argmin(y))])
    return float(np.clip(0.5 * (x[0] + x[2]) - slope / (2 * bend), x[0], x[2]))


def _noise(model: GreyModel, samplers: Sequence[LabelSampler]) -> float:
    """Return the white noise that is as strong as the residual is after the blur.

    Measured away from interfaces, where labels do not change from draw to draw; otherwise noise
    would make labels fluctuate, which would pass for more noise. The mean of what is left in
    each phase is an error of the model, not noise.
    """
    from scipy.ndimage import gaussian_filter

    means = np.asarray(model.means, np.float32)
    seen = []
    for s in samplers:
        rest = blurred(s.values - blurred(means[s.labels], model.blur), model.blur)
        # Streaks and shadows, wider than the blur, are no noise that single labels have to bear.
        seen.append(rest - gaussian_filter(rest, _SLOW))
    for distance in (3, 2, 1, 0):
        cores = [_core(sampler.labels, distance) for sampler in samplers]
        count = sum(int(core.sum()) for core in cores)
        if count >= _FEWEST_CORE * sum(core.size for core in cores) or distance == 0:
            break
    label = np.concatenate([s.labels[c] for s, c in zip(samplers, cores, strict=True)])
    left = np.concatenate([v[c] for v, c in zip(seen, cores, strict=True)]).astype(float)
    numbers = np.maximum(np.bincount(label), 1)
    left -= (np.bincount(label, left) / numbers)[label]
    weights, _ = _response(model.blur)
    # How much of white noise the blur leaves; more where a thin image is mirrored.
    left_by_blur = np.mean(
        [
            np.prod(
                [
                    np.sum(_by_plane(along, n) ** 2) / n
                    for along, n in zip(weights, s.values.shape, strict=True)
                ]
            )
            for s in samplers
        ]
    )
    # The median is not moved by the voxels whose label is wrong.
    noise = NOISE_SHARE * 1.4826 * np.median(np.abs(left)) / np.sqrt(left_by_blur)
    return float(max(noise, _LEAST_NOISE * np.min(np.diff(np.sort(model.means)))))


def _core(labels: NDArray[np.uint8], distance: int) -> NDArray[np.bool_]:
    """Mark the voxels with no other label within a distance along each axis."""
    from scipy.ndimage import maximum_filter, minimum_filter

    if distance == 0:
        return np.ones(labels.shape, bool)
    size = 2 * distance + 1
    return maximum_filter(labels, size) == minimum_filter(labels, size)


def blurred(values: NDArray, blur: float | Sequence[float] | NDArray) -> NDArray[np.float32]:
    """Return values as the instrument sees them: under its Gaussian response, in float32.

    Parameters
    ----------
    values : ndarray, shape (nz, ny, nx)
    blur : float or 3 floats
        Standard deviation of the response in voxels, along (z, y, x); 0 leaves the values as they
        are. The response is cut off at 3 standard deviations, and at 6 voxels.

    Returns
    -------
    ndarray of float32, shape (nz, ny, nx)
    """
    from scipy.ndimage import correlate1d

    weights, _ = _response(blur)
    out = np.asarray(values, np.float32)
    for axis in range(3):
        out = correlate1d(out, weights[axis], axis, mode="reflect")
    return out


def _mean_model(models: Sequence[GreyModel]) -> GreyModel:
    couplings = np.mean([m.coupling for m in models], axis=0)
    return replace(
        models[-1],
        coupling=tuple(map(tuple, couplings.tolist())),
        means=tuple(np.mean([m.means for m in models], axis=0).tolist()),
        noise=float(np.mean([m.noise for m in models])),
        blur=_triple(np.mean([m.blur for m in models], axis=0)),
        field=tuple(np.mean([m.field for m in models], axis=0).tolist()),
    )


def _triple(values: NDArray[np.float64]) -> tuple[float, float, float]:
    z, y, x = map(float, values)
    return z, y, x


def _response(
    blur: float | Sequence[float] | NDArray,
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return the Gaussian along each axis, shape (3, n), and how far it is followed along x.

    Weights below a thousandth of the largest are left out: an ellipsoid instead of a box.
    """
    widths = np.broadcast_to(np.asarray(blur, float), (3,))
    # So little blur that there is none: all weights but one are zero.
    widths = np.maximum(widths, 0.01)
    radius = int(min(_FARTHEST, max(1, np.ceil(3.0 * widths.max()))))
    place = np.arange(-radius, radius + 1)
    squares = (place / widths[:, None]) ** 2
    weights = np.exp(-0.5 * squares)
    left = 2 * np.log(1000.0) - np.add.outer(squares[0], squares[1])
    reach = np.minimum(np.sqrt(np.maximum(left, 0)) * widths[2], radius)
    weights /= weights.sum(axis=1, keepdims=True)
    return weights.astype(np.float32), np.where(left >= 0, reach, -1).astype(np.int64)


def _stencil(weights: NDArray[np.float32], reach: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the response in three dimensions, its rows along x padded to octets."""
    side = weights.shape[1]
    radius = side // 2
    stencil = np.zeros((side, side, -(-side // 8) * 8), np.float32)
    near = np.abs(np.arange(side) - radius) <= reach[..., None]
    stencil[..., :side] = np.einsum("z,y,x->zyx", *weights) * near
    return stencil


def _by_plane(weights: NDArray[np.float32], planes: int) -> NDArray[np.float32]:
    """Return the weight of a source in each plane for the planes around it.

    Beyond its ends the image is continued as in a mirror: sources near an end count twice, and
    all others as they would anywhere.
    """
    radius = len(weights) // 2
    target = np.arange(planes)
    table = np.zeros((planes, 2 * radius + 1), np.float32)
    for shift, weight in enumerate(weights, -radius):
        source = (target + shift) % (2 * planes)
        source = np.where(source < planes, source, 2 * planes - 1 - source)
        np.add.at(table, (source, radius + target - source), weight)
    return table
