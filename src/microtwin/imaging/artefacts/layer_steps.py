"""How the scale of a scan changes from one layer to the next, told without its phases.

The material of one layer goes on in the next one, so that the grey values of both, voxel above
voxel, lie about a line,

    f(z + 1) = f(z) + offset + gain (f(z) - middle) ,

which is the identity if the instrument has not changed. Interfaces in between scatter to both
sides of it. No phase needs to be known, and a layer far brighter than all others, whose phases
would be taken for others, is recognised.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..layers import Layers, float_slabs

__all__ = ["centred", "chain", "line_between", "steps_between_layers"]

# Voxels are smoothed within their layer by so many voxels, and every third is used along y and x:
# further apart their noise is independent.
_SMOOTH = 1.0
_STRIDE = 3
# A step counts if it is known to so many standard deviations.
_SIGNIFICANT = 4.0
# Grey values must spread over so many standard deviations of what scatters about the line: of a
# layer of one phase nobody can tell whether the next one is brighter or another phase.
_LEAST_SPREAD = 4.0
# Beyond such a gain the next layer is not the same material.
_LARGEST_GAIN = 0.3


def steps_between_layers(volume: Layers) -> NDArray[np.float64]:
    """Return offset and gain of each layer, shape (2, nz).

    Grey values are ``offset + (1 + gain) s`` with s on a scale that does not change along z. The
    median of both is zero. Steps that are not significant count as none, so that noise does not
    add up over the layers. Where fractions change by more than a hundredth from layer to layer,
    interfaces that all move to one side pass for a small step; a fit that knows the phases
    (`fit_smooth_artefacts`) has the last word.

    Parameters
    ----------
    volume : Layers

    Returns
    -------
    ndarray of float64, shape (2, nz)
    """
    from scipy.ndimage import gaussian_filter

    middle = None
    offsets, gains = np.zeros((2, volume.shape[0]))
    before = None
    for first, start, stop, values in float_slabs(volume, 0):
        smooth = gaussian_filter(values, (0, _SMOOTH, _SMOOTH), truncate=3.0)
        layers = smooth[:, ::_STRIDE, ::_STRIDE].reshape(stop - start, -1).astype(float)
        if middle is None:
            middle = float(np.median(layers))
        layers -= middle
        for z, layer in enumerate(layers, first):
            if before is not None:
                offset, gain = line_between(before, layer)
                offsets[z] = offset + (1.0 + gain) * offsets[z - 1]
                gains[z] = (1.0 + gain) * (1.0 + gains[z - 1]) - 1.0
            before = layer
    assert middle is not None
    return centred(np.array([offsets - middle * gains, gains]))


def line_between(lower: NDArray[np.float64], upper: NDArray[np.float64]) -> tuple[float, float]:
    """Return offset and gain that turn the grey values of one layer into those of the next.

    A line through the differences over the means of both, which noise does not tilt; points
    further than three (robust) standard deviations from it are left out, again and again.

    Parameters
    ----------
    lower, upper : ndarray of float64, shape (n,)
        Grey values above each other, measured from the middle of all.

    Returns
    -------
    offset, gain : float
        Zero if the step is not significant, or cannot be told from a change of the material.
    """
    mean, difference = 0.5 * (lower + upper), upper - lower
    changed = difference != 0
    if 2 * np.count_nonzero(changed) < changed.size:
        # Most of both layers is constant: masked, or saturated. That tells of no step.
        mean, difference = mean[changed], difference[changed]
    if difference.size < 3:
        return 0.0, 0.0
    bright = mean >= np.median(mean)
    if bright.all():
        return 0.0, 0.0
    levels = [float(np.median(mean[half])) for half in (~bright, bright)]
    heights = [float(np.median(difference[half])) for half in (~bright, bright)]
    slope = (heights[1] - heights[0]) / (levels[1] - levels[0])
    height = heights[0] - slope * levels[0]
    for _ in range(10):
        error = difference - height - slope * mean
        spread = 1.4826 * float(np.median(np.abs(error)))
        kept = np.abs(error) <= 3 * spread + 1e-9 * (levels[1] - levels[0])
        x, y = mean[kept], difference[kept]
        if x.size < 3 or np.ptp(x) == 0.0:
            return 0.0, 0.0
        slope = float(np.mean((x - x.mean()) * (y - y.mean()))) / float(np.var(x))
        height = float(y.mean()) - slope * float(x.mean())
    if abs(slope) * np.sqrt(x.size) * np.std(x) < _SIGNIFICANT * spread:
        slope, height = 0.0, float(np.median(y))
    dark, light = np.quantile(x, (0.05, 0.95))
    largest = max(abs(height + slope * dark), abs(height + slope * light))
    # The layers are lower and upper = (1 + gain) lower + offset, and the slope is per mean of both.
    gain = slope / (1.0 - 0.5 * slope) if slope < 1.0 else np.inf
    if (
        abs(gain) > _LARGEST_GAIN
        or light - dark < _LEAST_SPREAD * spread
        or largest * np.sqrt(x.size) < _SIGNIFICANT * spread
    ):
        return 0.0, 0.0
    return height * (1.0 + 0.5 * gain), gain


def centred(drift: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a drift whose medians are zero: only differences between layers are drift."""
    offset, gain = drift
    scale = np.median(1.0 + gain)
    gain = (1.0 + gain) / scale - 1.0
    # Gains change the median of the offsets a little as they are moved.
    for _ in range(3):
        offset = offset - np.median(offset) * (1.0 + gain)
    return np.array([offset, gain])


def chain(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the drift whose removal is that of the first and then of the second, shape (2, nz)."""
    (offset, gain), (rest, more) = first, second
    return centred(np.array([offset + (1.0 + gain) * rest, (1.0 + gain) * (1.0 + more) - 1.0]))
