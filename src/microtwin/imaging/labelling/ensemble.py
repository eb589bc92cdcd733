"""Plausible segmentations: labels drawn from the probabilities of a microstructure.

Voxels are not drawn one by one, which would sprinkle the interfaces with noise that averages out
in any property. Neighbours err together: a normal random field with the correlation length of the
instrument decides, phase by phase from dark to bright, at which level of probability a voxel
stands (a Gaussian copula). Over many members each voxel keeps its probabilities exactly. What is
wrong everywhere at once, the known fractions themselves, is drawn once for each member, and the
probabilities are weighted accordingly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ...microstructure import Microstructure
from ...numerics.threads import even_shares, over_slabs
from .segmentation import weights_for_fractions

__all__ = ["plausible_segmentation"]

# Voxels from which the weights of the phases are found.
_SAMPLE = 200_000


def plausible_segmentation(
    micro: Microstructure,
    seed: int,
    *,
    correlation: float | Sequence[float] = 1.0,
    fraction_uncertainty: float | Mapping[str, float] = 0.0,
) -> Microstructure:
    """Draw a segmentation that the probabilities allow.

    Parameters
    ----------
    micro : Microstructure
        With probabilities; its phases are ordered from dark to bright.
    seed : int
        The same seed gives the same member.
    correlation : float or 3 floats
        Standard deviation of the Gaussian that correlates the errors of neighbours, in voxels
        along (z, y, x): the blur of the scan.
    fraction_uncertainty : float or mapping of str to float
        Standard uncertainty of the volume fractions, of all phases or by phase. The fractions of
        a member differ from the expected ones by as much, and still add up to one: phases that
        are not named take what those named leave, and where all are named their uncertainties
        are met on (root mean square) average, for equal ones exactly.

    Returns
    -------
    Microstructure
        Labels without probabilities.

    Raises
    ------
    ValueError
        If the microstructure has no probabilities, a number is negative, or an uncertainty is
        given of a phase that there is not.
    """
    if micro.probabilities is None:
        raise ValueError(
            "the microstructure has no probabilities, so nothing is known of the uncertainty of "
            "its labels; segment a scan, or give probabilities"
        )
    names = micro.phase_names
    uncertainty = (
        dict(fraction_uncertainty)
        if isinstance(fraction_uncertainty, Mapping)
        else dict.fromkeys(names, fraction_uncertainty)
    )
    if not np.min(correlation) >= 0 or not all(value >= 0 for value in uncertainty.values()):
        raise ValueError(
            f"correlation {correlation!r} and fraction uncertainty {fraction_uncertainty!r} must "
            "not be negative"
        )
    for name in uncertainty:
        micro.label(name)  # names the phases there are, if this is none of them
    from scipy.stats import norm

    from .label_kernels import ordered_labels

    generator = np.random.default_rng(seed)
    probabilities = micro.probabilities
    if any(uncertainty.values()):
        probabilities = _reweighted(probabilities, names, uncertainty, generator)
    labels = np.empty(micro.shape, np.uint8)
    field = _normal_field(micro.shape, correlation, generator)
    shares = even_shares(micro.shape[0])
    levels = norm.ppf(np.arange(256) / 255).astype(np.float32)
    over_slabs(ordered_labels, shares, probabilities, levels, field, labels)
    values = np.array([micro.label(name) for name in names], np.uint8)
    return Microstructure(values[labels], micro.voxel_size, micro.phases)


def _reweighted(
    probabilities: NDArray[np.uint8],
    names: Sequence[str],
    uncertainty: Mapping[str, float],
    generator: np.random.Generator,
) -> NDArray[np.uint8]:
    """Return the probabilities of a sample whose fractions are other ones, drawn once."""
    from .label_kernels import shares_of_255

    flat = probabilities.reshape(len(names), -1)
    step = max(1, flat.shape[1] // _SAMPLE) | 1
    sample = flat[:, ::step].astype(np.float32) / np.float32(255)
    expected = sample.mean(axis=1, dtype=float)
    drawn = np.clip(expected + _deviations(expected, names, uncertainty, generator), 0.0, 1.0)
    weights = weights_for_fractions(sample, drawn / drawn.sum())
    out = np.empty_like(probabilities)
    shares = even_shares(probabilities.shape[1])
    over_slabs(shares_of_255, shares, probabilities, weights, out)
    return out


def _deviations(
    expected: NDArray[np.float64],
    names: Sequence[str],
    uncertainty: Mapping[str, float],
    generator: np.random.Generator,
) -> NDArray[np.float64]:
    """Draw deviations of the fractions whose sum is zero, shape (n_phases,)."""
    variance = np.array([uncertainty.get(name, 0.0) for name in names], float) ** 2
    drawn = np.sqrt(variance) * generator.standard_normal(len(names))
    free = np.array([name not in uncertainty for name in names])
    if free.any():
        # Phases of which nothing is known make room, each as it can.
        room = np.where(free, expected + 1e-9, 0.0)
        return drawn - room / room.sum() * drawn.sum()
    # Independent normal deviations under the condition that their sum is zero have smaller
    # variances, v - v^2 / sum v; the common factor makes up for that.
    share = variance / variance.sum()
    left = np.sum(variance * (1 - share))
    factor = np.sqrt(variance.sum() / left) if left > 0 else 0.0
    return factor * (drawn - share * drawn.sum())


def _normal_field(
    shape: tuple[int, int, int],
    correlation: float | Sequence[float],
    generator: np.random.Generator,
) -> NDArray[np.float32]:
    """Return a standard normal field, white noise under a Gaussian of a width in voxels."""
    from scipy.ndimage import correlate1d

    field = generator.standard_normal(shape, np.float32)
    for axis, (n, width) in enumerate(zip(shape, np.broadcast_to(correlation, 3), strict=True)):
        if width < 0.2:
            continue
        radius = int(np.ceil(3 * width))
        weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / width) ** 2)
        field = correlate1d(field, weights.astype(np.float32), axis, mode="constant")
        # At the border fewer numbers are added up.
        variance = correlate1d(np.ones(n), weights**2, mode="constant")
        turned = np.moveaxis(field, axis, -1)
        turned /= np.sqrt(variance).astype(np.float32)
    return field
