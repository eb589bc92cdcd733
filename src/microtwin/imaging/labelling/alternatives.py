"""How far labels depend on what their model believes: a block is segmented by other models too.

Two things are believed that no scan tells well. The grey value of a phase is known so well only,
least where the phase is thin (`GreyLevels`); and the prior is that of a Potts model, which no
material is drawn from: whether what is grey between two bright particles is a thin film or a
narrow pore is decided by it. Where the grey values are clear the labels hardly change.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import numpy as np

from ...microstructure import Microstructure
from ..layers import Layers
from .posterior import GreyModel
from .segmentation import HALO, label_voxels, phase_probabilities

__all__ = ["alternative_segmentations"]

_EDGE = 96
# By how much couplings are varied, less between neighbours in grey and more between others, or the
# other way round. Those that are learned and those of the true labels differ by 0.27 (root mean
# square) on virtual scans of three cathodes, and neither makes the better labels.
_COUPLING_STEP = 0.2


def alternative_segmentations(
    volume: Layers,
    micro: Microstructure,
    model: GreyModel,
    *,
    seed: int = 0,
    calibrated: bool = True,
) -> Iterator[tuple[Microstructure, Microstructure]]:
    """Segment a block of a scan by four models that could as well be believed.

    Grey values of the phases are higher or lower by their standard uncertainty, neighbours in grey
    in opposite directions, and couplings one way or the other.

    Parameters
    ----------
    volume : Layers
        The scan that was segmented.
    micro : Microstructure
        Result of `segment`.
    model : GreyModel
        With which it was found.
    seed : int
        Chooses the block.
    calibrated : bool
        Whether the fractions were known; then the alternatives have those of the block.

    Yields
    ------
    chosen, other : Microstructure
        Labels of a block of up to 96 voxels along each axis, and by another model.

    Raises
    ------
    ValueError
        If scan and labels differ in shape.
    """
    if volume.shape != micro.shape:
        raise ValueError(
            f"the scan has shape {volume.shape} and the labels {micro.shape}; they must be equal"
        )
    generator = np.random.default_rng([seed, 2])
    spans, wider, inside = [], [], []
    for size in micro.shape:
        edge = min(size, _EDGE)
        start = int(generator.integers(size - edge + 1))
        first = max(start - HALO, 0)
        spans.append(slice(start, start + edge))
        wider.append(slice(first, min(start + edge + HALO, size)))
        inside.append(slice(start - first, start - first + edge))
    layers = volume.read_layers(wider[0].start, wider[0].stop)
    values = np.ascontiguousarray(layers[:, wider[1], wider[2]], np.float32)
    chosen = micro.crop(*spans)
    original = np.array(list(micro.phases.values()), np.uint8)
    known = np.array([chosen.volume_fraction(name) for name in micro.phases])
    for grey, coupling in product((1.0, -1.0), repeat=2):
        other = _other_model(model, grey, coupling)
        probabilities = phase_probabilities(values, other, seed, wider[0].start)
        probabilities = np.ascontiguousarray(probabilities[:, inside[0], inside[1], inside[2]])
        labels = np.empty(chosen.shape, np.uint8)
        label_voxels(probabilities, known if calibrated else None, labels)
        yield chosen, Microstructure(original[labels], micro.voxel_size, micro.phases)


def _other_model(model: GreyModel, grey: float, coupling: float) -> GreyModel:
    number = np.arange(len(model.means))
    uncertainties = np.array(model.mean_uncertainties or [0.0])
    means = np.array(model.means) + grey * (-1.0) ** number * uncertainties
    distance = np.abs(number[:, None] - number)
    change = np.select([distance == 0, distance == 1], [0.0, -1.0], 1.0)
    couplings = np.maximum(np.array(model.coupling) + coupling * _COUPLING_STEP * change, 0.0)
    return replace(
        model, means=tuple(means.tolist()), coupling=tuple(map(tuple, couplings.tolist()))
    )
