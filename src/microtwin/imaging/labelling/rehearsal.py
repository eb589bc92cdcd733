"""How far a segmentation errs: it is repeated on a truth that could be the true one.

A plausible segmentation is taken for the truth, a scan of it is made with the blur and the noise
of the real one, and that scan is segmented in the same way. What a property of the answer differs
from that of the known truth is the error of the method on this material (a parametric bootstrap:
B. Efron, R. J. Tibshirani, An Introduction to the Bootstrap, Chapman & Hall 1993, sec. 6.5).
Blocks of the image are enough, as only differences matter.
"""

from __future__ import annotations

import numpy as np

from ...microstructure import Microstructure
from .ensemble import plausible_segmentation
from .learning import NOISE_SHARE
from .posterior import GreyModel
from .response import blurred
from .segmentation import label_voxels, phase_probabilities

__all__ = ["rehearse"]

_EDGE = 120


def rehearse(
    micro: Microstructure, model: GreyModel, seed: int, *, calibrated: bool = True
) -> tuple[Microstructure, Microstructure]:
    """Segment a virtual scan of a plausible truth.

    Parameters
    ----------
    micro : Microstructure
        Result of `segment`, with probabilities.
    model : GreyModel
        With which it was found.
    seed : int
        Chooses the block, the truth and the noise.
    calibrated : bool
        Whether the fractions were known; then those of the truth are known to the rehearsal.

    Returns
    -------
    truth, answer : Microstructure
        Labels of a block of up to 120 voxels along each axis.

    Raises
    ------
    ValueError
        If the microstructure has no probabilities.
    """
    generator = np.random.default_rng([seed, 1])
    spans = []
    for size in micro.shape:
        edge = min(size, _EDGE)
        start = int(generator.integers(size - edge + 1))
        spans.append(slice(start, start + edge))
    block = micro.crop(*spans)
    truth = plausible_segmentation(block, seed, correlation=model.blur)
    numbers = np.zeros(256, np.uint8)
    numbers[list(truth.phases.values())] = np.arange(len(truth.phases))
    labels = numbers[truth.labels]
    values = blurred(np.asarray(model.means, np.float32)[labels], model.blur)
    values += np.float32(model.noise / NOISE_SHARE) * generator.standard_normal(
        values.shape, np.float32
    )
    probabilities = phase_probabilities(values, model, seed)
    known = np.bincount(labels.ravel(), minlength=len(model.means)) / labels.size
    found = np.empty(labels.shape, np.uint8)
    label_voxels(probabilities, known if calibrated else None, found)
    original = np.array(list(truth.phases.values()), np.uint8)
    return truth, Microstructure(original[found], truth.voxel_size, truth.phases)
