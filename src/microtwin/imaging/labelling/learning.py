"""How the phases of a material look in a scan, learned from the scan itself.

In turns labels are drawn by the sampler of `posterior`, and the noise, the blur, the coupling and
the external field of its model are fitted to them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from . import posterior_kernels as kernels
from .posterior import GreyModel, LabelSampler
from .response import FARTHEST, blurred, response, weights_by_plane

__all__ = ["NOISE_SHARE", "learn_grey_model"]

# Along z the blur is learned by itself if so many layers show it: tomographs blur otherwise along
# their axis than across it, where views are interpolated.
_LAYERS_TO_TELL = 16
# Range in which the blur is looked for: narrower ones cannot be told from none, and wider ones
# reach further than they are followed.
_BLURS = (0.3, FARTHEST / 2.5)
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
    weights, _ = response(model.blur)
    # How much of white noise the blur leaves; more where a thin image is mirrored.
    left_by_blur = np.mean(
        [
            np.prod(
                [
                    np.sum(weights_by_plane(along, n) ** 2) / n
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
