"""How far labels depend on what their model believes: a block is segmented by other models too.

Two things are believed that no scan tells well. The grey value of a phase is known so well only,
least where the phase is thin (`GreyLevels`); and the prior is that of a Potts model, which no
material is drawn from: whether what is grey between two bright particles is a thin film or a
narrow pore is decided by it. Where the grey values are clear the labels hardly change.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ...microstructure import Microstructure
from ..layers import Layers, read_blocks
from .posterior import GreyModel
from .segmentation import HALO, label_voxels, phase_probabilities

__all__ = ["alternative_segmentations"]

_EDGE = 96
# By how much the couplings of the true labels (maximum pseudo-likelihood) differ from learned ones
# on virtual scans of three cathodes: all are higher, by 0.22 to 0.33 on average, and those of
# phases that are no neighbours in grey more so than the others, by 0.09 to 0.12 from the middle.
_ALL_HIGHER = 0.25
_FAR_HIGHER = 0.1


def alternative_segmentations(
    volume: Layers,
    micro: Microstructure,
    model: GreyModel,
    *,
    seed: int = 0,
    calibrated: bool = True,
) -> Iterator[tuple[str, Microstructure, Microstructure]]:
    """Segment a block of a scan by five to seven models that could as well be believed.

    Grey values of the phases are higher or lower by their standard uncertainty, neighbours in grey
    in opposite directions and, unless the fractions are known, all in one; couplings of phases
    that are no neighbours in grey are higher and the others lower, or the other way round; all
    couplings are higher.

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
    source : {"grey values", "all grey values", "near and far", "all couplings"}
        What the other model differs in.
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
    (values,) = read_blocks(volume, wider[0].start, wider[0].stop, [(wider[1], wider[2])])
    chosen = micro.crop(*spans)
    original = np.array(list(micro.phases.values()), np.uint8)
    known = np.array([chosen.volume_fraction(name) for name in micro.phases])
    for source, other in _other_models(model, calibrated):
        probabilities = phase_probabilities(values, other, seed, wider[0].start)
        probabilities = np.ascontiguousarray(probabilities[:, inside[0], inside[1], inside[2]])
        labels = np.empty(chosen.shape, np.uint8)
        label_voxels(probabilities, known if calibrated else None, labels)
        yield source, chosen, Microstructure(original[labels], micro.voxel_size, micro.phases)


def _other_models(model: GreyModel, calibrated: bool) -> Iterator[tuple[str, GreyModel]]:
    number = np.arange(len(model.means))
    uncertainties = np.array(model.mean_uncertainties or [0.0])
    # Two neighbours that move towards each other keep a quarter of their contrast.
    closer = np.maximum(uncertainties[1:] + uncertainties[:-1], 1e-30)
    uncertainties = uncertainties * np.min(0.75 * np.diff(model.means) / closer, initial=1.0)
    for sign in (1.0, -1.0):
        means = np.array(model.means) + sign * (-1.0) ** number * uncertainties
        yield "grey values", replace(model, means=tuple(means.tolist()))
    if not calibrated:
        # Known fractions hold the balance between dark and bright; nothing else does.
        for sign in (1.0, -1.0):
            means = np.array(model.means) + sign * uncertainties
            yield "all grey values", replace(model, means=tuple(means.tolist()))
    distance = np.abs(number[:, None] - number)
    pattern = np.select([distance == 0, distance == 1], [0.0, -_FAR_HIGHER], _FAR_HIGHER)
    for sign in (1.0, -1.0):
        yield "near and far", _with_coupling(model, sign * pattern)
    yield "all couplings", _with_coupling(model, _ALL_HIGHER * (distance > 0))


def _with_coupling(model: GreyModel, change: NDArray[np.float64]) -> GreyModel:
    coupling = np.maximum(np.array(model.coupling) + change, 0.0)
    return replace(model, coupling=tuple(map(tuple, coupling.tolist())))
