"""From a grey-scale volume to labels with probabilities, slab by slab.

The volume may be larger than the memory: the model is learned from blocks that are spread over
it, and each slab is then labelled by itself, with a halo. Known fractions of the phases are met
by the probabilities on average, and by the labels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...composition import checked_fractions
from ...microstructure import Microstructure
from ...numerics.threads import even_shares, over_slabs
from ..layers import Layers, float_slabs, sampled_blocks
from . import label_kernels as kernels
from .grey_levels import GreyLevels, find_grey_levels
from .learning import learn_grey_model
from .posterior import FULL_WEIGHT, GreyModel, LabelSampler

__all__ = [
    "HALO",
    "Segmentation",
    "first_guess",
    "label_voxels",
    "phase_probabilities",
    "segment",
    "weights_for_fractions",
]

# Draws that forget the first guess, and draws that count.
_FORGOTTEN = 6
_COUNTED = 8
# Layers of a neighbouring slab that take part: several correlation lengths of the labels.
HALO = 8
_LEARNED_FROM = 1_200_000
# Voxels from which the weights of the phases are found.
_WEIGHED = 1_000_000
_FIRST_SMOOTH = 0.7
# Rounds in which the weights of the labels are improved, phase by phase.
_ROUNDS = 20


@dataclass(frozen=True)
class Segmentation:
    """Labels of a scan, how sure they are, and how they were found.

    Parameters
    ----------
    microstructure : Microstructure
        Labels and probabilities.
    model : GreyModel
        How the phases look in the scan.
    known_fractions : mapping of str to float or None
        Fractions that were given, by phase.
    found_fractions : mapping of str to float
        Fractions of the labels before they were made to agree with the known ones. Those have
        entered the model as a weak prior, too, which decides where grey values do not.
    ambiguous : float
        Share of the voxels whose most probable phase has a probability below 0.9.
    levels : GreyLevels
        Grey values of the phases, and where they come from.
    """

    microstructure: Microstructure
    model: GreyModel
    known_fractions: Mapping[str, float] | None
    found_fractions: Mapping[str, float]
    ambiguous: float
    levels: GreyLevels


def segment(
    volume: Layers,
    voxel_size: float | Sequence[float],
    phases: Sequence[str],
    *,
    fractions: Mapping[str, float] | None = None,
    seed: int = 0,
    folder: Path | None = None,
) -> Segmentation:
    """Label a scan by the posterior probability of its phases.

    The model is that of `microtwin.imaging.labelling.posterior`: phases of constant grey value,
    blurred by the instrument, with noise. It is learned from the scan. Correct the scan first
    (`learn_corrections`), but do not denoise it: the model knows what noise is.

    Parameters
    ----------
    volume : Layers
        The scan, in memory or in a file.
    voxel_size : float or 3 floats
        Metres, along (z, y, x).
    phases : sequence of str
        Names of the phases from dark to bright; they get the labels 0, 1, 2, ...
    fractions : mapping of str to float, optional
        Known volume fraction of each phase, which the labels are made to have. Without them the
        grey values decide.
    seed : int
        The same seed gives the same bits.
    folder : Path, optional
        Where labels and probabilities are kept as files while they are made, for volumes that
        leave no room for them in memory.

    Returns
    -------
    Segmentation

    Raises
    ------
    ValueError
        If there are fewer than two phases or a name twice; if the fractions do not fit the
        phases; if the scan is constant.
    """
    known = _checked(phases, fractions)
    if folder is not None and not folder.is_dir():
        raise ValueError(f"folder {str(folder)!r} does not exist; make it first")
    levels = find_grey_levels(volume, len(phases), fractions=known)
    blocks = sampled_blocks(volume, _LEARNED_FROM)
    guesses = [first_guess(block, levels.thresholds) for block in blocks]
    model = learn_grey_model(blocks, guesses, levels.means, fractions=known, seed=seed)
    model = replace(model, mean_uncertainties=levels.uncertainties)
    probabilities = _room("probabilities", (len(phases), *volume.shape), folder)
    for first, start, stop, values in float_slabs(volume, HALO):
        found = phase_probabilities(values, model, seed, first)
        probabilities[:, start:stop] = found[:, start - first : stop - first]
    labels = _room("labels", volume.shape, folder)
    plain, unsure = label_voxels(probabilities, known, labels)
    names = {name: number for number, name in enumerate(phases)}
    return Segmentation(
        Microstructure(labels, voxel_size, names, probabilities),
        model,
        None if known is None else dict(zip(phases, known.tolist(), strict=True)),
        dict(zip(phases, plain.tolist(), strict=True)),
        unsure,
        levels,
    )


def label_voxels(
    probabilities: NDArray[np.uint8],
    known: NDArray[np.float64] | None,
    labels: NDArray[np.uint8],
) -> tuple[NDArray[np.float64], float]:
    """Label voxels by their probabilities and make both agree with known fractions.

    Parameters
    ----------
    probabilities : ndarray of uint8, shape (n_phases, nz, ny, nx)
        In 255ths. Where fractions are known they are weighted so that their means are these.
    known : ndarray of float, shape (n_phases,), or None
    labels : ndarray of uint8, shape (nz, ny, nx)
        Gets the number of the most probable phase, by probabilities that are weighted once more
        so that the labels have the known fractions.

    Returns
    -------
    found : ndarray of float, shape (n_phases,)
        Fractions that the labels would have without known fractions.
    ambiguous : float
        Share of the voxels whose largest probability is below 0.9.
    """
    sample = _spread(probabilities)
    found = np.bincount(np.argmax(sample, axis=0), minlength=len(sample)) / sample.shape[1]
    if known is not None:
        weights = weights_for_fractions(sample, known)
        shares = even_shares(probabilities.shape[1])
        over_slabs(kernels.shares_of_255, shares, probabilities, weights, probabilities)
        sample = _spread(probabilities)
    weights = _label_weights(sample, known)
    unsure = np.zeros(len(labels), np.int64)
    shares = even_shares(len(labels))
    over_slabs(kernels.most_probable, shares, probabilities, weights, labels, unsure)
    return found, float(unsure.sum() / labels.size)


def phase_probabilities(
    values: NDArray[np.float32], model: GreyModel, seed: int, start: int = 0
) -> NDArray[np.uint8]:
    """Return the probability of each phase in the voxels of one slab, in 255ths.

    Parameters
    ----------
    values : ndarray of float32, shape (n, ny, nx)
    model : GreyModel
    seed : int
    start : int
        Number of the first layer of the slab in the whole image.

    Returns
    -------
    ndarray of uint8, shape (n_phases, n, ny, nx)
    """
    means = np.array(model.means)
    guess = first_guess(values, ((means[1:] + means[:-1]) / 2).astype(np.float32))
    sampler = LabelSampler(values, guess, model, seed, start)
    for _ in range(_FORGOTTEN):
        sampler.draw()
    for draw in range(_COUNTED):
        # Now and then a phase may also appear in the middle of another.
        sampler.draw(everywhere=draw == _COUNTED // 2, weight=FULL_WEIGHT // _COUNTED)
    sums = sampler.sums
    out = np.empty(sums.shape, np.uint8)
    weights = np.ones(len(sums), np.float32)
    over_slabs(kernels.shares_of_255, even_shares(len(values)), sums, weights, out)
    return out


def weights_for_fractions(
    probabilities: NDArray[np.float32], fractions: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Return factors of the probabilities with which their means are some fractions.

    Bayes' rule for a prior that is another than the assumed one; the factors are found by the
    iteration of M. Saerens et al., Neural Comput. 14 (2002) 21, with the known fractions in the
    place of its estimate. Where so much of a phase is not possible, as much as is possible is
    approached.

    Parameters
    ----------
    probabilities : ndarray of float32, shape (n_phases, n)
        Of each phase in the voxels, 0 to 1.
    fractions : ndarray of float, shape (n_phases,)

    Returns
    -------
    ndarray of float32, shape (n_phases,)
    """
    weights = np.ones(len(fractions))
    for _ in range(60):
        shares = probabilities * weights[:, None].astype(np.float32)
        shares /= np.maximum(shares.sum(axis=0), 1e-12)
        means = shares.mean(axis=1, dtype=float)
        if np.abs(means - fractions).max() < 1e-5:
            break
        weights *= np.maximum(fractions, 1e-9) / np.maximum(means, 1e-9)
        weights /= weights.max()
    return weights.astype(np.float32)


def first_guess(values: NDArray[np.float32], thresholds: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return labels by thresholds on slightly smoothed grey values, shape (nz, ny, nx)."""
    from scipy.ndimage import gaussian_filter

    smooth = gaussian_filter(values, _FIRST_SMOOTH)
    labels = np.zeros(values.shape, np.uint8)
    for threshold in thresholds:
        labels += smooth > threshold
    return labels


def _checked(
    phases: Sequence[str], fractions: Mapping[str, float] | None
) -> NDArray[np.float64] | None:
    if len(phases) < 2 or len(set(phases)) != len(phases):
        raise ValueError(
            f"phases {list(phases)} are not allowed; name at least two, each once, from dark to "
            "bright"
        )
    if fractions is None:
        return None
    return np.array(list(checked_fractions(fractions, phases).values()))


def _room(name: str, shape: tuple[int, ...], folder: Path | None) -> NDArray[np.uint8]:
    if folder is None:
        return np.empty(shape, np.uint8)
    return np.lib.format.open_memmap(folder / f"{name}.npy", "w+", np.uint8, shape)


def _spread(probabilities: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the probabilities of voxels that are spread over the volume, shape (n_phases, n)."""
    flat = probabilities.reshape(len(probabilities), -1)
    # An odd step does not follow the rows of an even number of voxels.
    step = max(1, flat.shape[1] // _WEIGHED) | 1
    return flat[:, ::step].astype(np.float32) / np.float32(255)


def _label_weights(
    sample: NDArray[np.float32], known: NDArray[np.float64] | None
) -> NDArray[np.float32]:
    """Return factors of the probabilities with which the largest have the known fractions."""
    weights = np.ones(len(sample))
    if known is None:
        return weights.astype(np.float32)
    best, least = weights.copy(), np.inf
    for _ in range(_ROUNDS):
        for phase, fraction in enumerate(known):
            # With the other factors as they are, that of one phase is a quantile.
            others = np.max(
                np.delete(sample * weights[:, None].astype(np.float32), phase, 0), axis=0
            )
            needed = others / np.maximum(sample[phase], 1e-9)
            place = min(int(fraction * needed.size), needed.size - 1)
            weights[phase] = max(float(np.partition(needed, place)[place]), 1e-6)
        weights /= weights.max()
        largest = np.argmax(sample * weights[:, None].astype(np.float32), axis=0)
        now = np.bincount(largest, minlength=len(known)) / largest.size
        error = float(np.abs(now - known).max())
        if error < least:
            best, least = weights.copy(), error
        if error < 1e-4:
            break
    return best.astype(np.float32)
