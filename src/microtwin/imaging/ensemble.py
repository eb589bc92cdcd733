"""Plausible segmentations: labels drawn from the probabilities of a microstructure.

Voxels are not drawn one by one, which would sprinkle the interfaces with noise that averages out
in any property. Neighbours err together: a normal random field with the correlation length of the
instrument decides, phase by phase from dark to bright, at which level of probability a voxel
stands (a Gaussian copula). Each voxel keeps its probabilities exactly. What is wrong everywhere
at once, the known fractions themselves, is drawn once for each member.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ..microstructure import Microstructure
from ..numerics.threads import even_shares, over_slabs

__all__ = ["plausible_segmentation"]

_SAMPLE = 2_000_000


def plausible_segmentation(
    micro: Microstructure,
    seed: int,
    *,
    correlation: float = 1.0,
    fraction_uncertainty: float | Mapping[str, float] = 0.0,
) -> Microstructure:
    """Draw a segmentation that the probabilities allow.

    Parameters
    ----------
    micro : Microstructure
        With probabilities; its phases are ordered from dark to bright.
    seed : int
        The same seed gives the same member.
    correlation : float
        Standard deviation of the Gaussian that correlates the errors of neighbours, in voxels:
        the blur of the scan.
    fraction_uncertainty : float or mapping of str to float
        Standard uncertainty of the volume fractions, of all phases or by phase. The member as a
        whole has fractions that differ from the expected ones by as much.

    Returns
    -------
    Microstructure
        Labels without probabilities.

    Raises
    ------
    ValueError
        If the microstructure has no probabilities, or a number is negative.
    """
    if micro.probabilities is None:
        raise ValueError(
            "the microstructure has no probabilities, so nothing is known of the uncertainty of "
            "its labels; segment a scan, or give probabilities"
        )
    names = micro.phase_names
    uncertainty = (
        {name: float(fraction_uncertainty.get(name, 0.0)) for name in names}
        if isinstance(fraction_uncertainty, Mapping)
        else dict.fromkeys(names, float(fraction_uncertainty))
    )
    if not correlation >= 0 or min(uncertainty.values()) < 0:
        raise ValueError(
            f"correlation {correlation!r} and fraction uncertainty {fraction_uncertainty!r} must "
            "not be negative"
        )
    from .label_kernels import ordered_labels

    generator = np.random.default_rng(seed)
    limits = _limits(micro, uncertainty, generator)
    labels = np.empty(micro.shape, np.uint8)
    field = _normal_field(micro.shape, correlation, generator)
    shares = even_shares(micro.shape[0])
    over_slabs(ordered_labels, shares, micro.probabilities, limits, field, labels)
    values = np.array([micro.label(name) for name in names], np.uint8)
    return Microstructure(values[labels], micro.voxel_size, micro.phases)


def _limits(
    micro: Microstructure, uncertainty: Mapping[str, float], generator: np.random.Generator
) -> NDArray[np.float32]:
    """Return the level of the field for each boundary of phases and cumulative probability.

    A boundary is moved by a shift d of the level; the fraction F of the phases below it then
    changes by d times the mean density at the level, which converts the uncertainty of F into
    one of d.
    """
    from scipy.stats import norm

    names = micro.phase_names
    flat = micro.probabilities.reshape(len(names), -1)  # type: ignore[union-attr]
    step = max(1, flat.shape[1] // _SAMPLE) | 1
    level = norm.ppf(np.arange(256) / 255)
    limits = np.empty((len(names) - 1, 256), np.float32)
    below = np.zeros(flat[:, ::step].shape[1], np.int64)
    for boundary in range(len(names) - 1):
        below += flat[boundary, ::step]
        density = float(np.mean(norm.pdf(level)[below]))
        # The fractions of single phases add up to that of all below the boundary.
        spread = np.hypot.reduce([uncertainty[name] for name in names[: boundary + 1]])
        spread = min(spread, uncertainty[names[boundary + 1]] or spread) if spread else 0.0
        shift = generator.standard_normal() * spread / max(density, 1e-9)
        # A voxel that is certain stays so whatever the shift.
        limits[boundary] = np.where(np.isfinite(level), level + shift, level)
    return limits


def _normal_field(
    shape: tuple[int, int, int], correlation: float, generator: np.random.Generator
) -> NDArray[np.float32]:
    """Return a standard normal field, white noise under a Gaussian of a width in voxels."""
    from scipy.ndimage import correlate1d

    field = generator.standard_normal(shape, np.float32)
    if correlation < 0.2:
        return field
    radius = int(np.ceil(3 * correlation))
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / correlation) ** 2)
    weights /= np.sqrt(np.sum(weights**2))
    for axis in range(3):
        # Beyond the border the field continues periodically, so that its variance is the same.
        field = correlate1d(field, weights.astype(np.float32), axis, mode="wrap")
    return field
