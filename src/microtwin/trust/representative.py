"""Is the image representative of the material: size, scale separation, trend, anisotropy.

All of it is read off one image: the integral range gives the scatter of the volume fraction and
the size that would be enough; trends along the axes are judged against the covariance, which says
how much layers of a stationary material differ by chance; the lengths that lines cut out of the
phase along each axis tell whether the directions differ.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from microtwin.microstructure import AXES, Direction, Microstructure, VoxelSize

from .covariance import IntegralRange, averaged_blocks, integral_range, range_of_values
from .sampling import TARGETS
from .sentences import length_words

__all__ = ["Intercepts", "Representativeness", "Trend", "representativeness"]

Verdict = Literal["pass", "warn"]

# Thickness over the edge of the cube of the integral range from which the material counts as
# continuous. With ten, the fraction of a cube as thick as the electrode is known to
# sqrt((1 - phi) / phi / 1000), 3 % at a fraction of one half.
SEPARATED = 10.0
# Deviations beyond this many standard uncertainties are called significant. Chance passes it in
# 1 of 100 cases, and as the uncertainty is an estimate too, in about 2.
SIGNIFICANT = 2.58
# Blocks along each axis between which the intercept lengths scatter, and their shortest edge.
BLOCKS = 4
SHORTEST_BLOCK = 8


@dataclass(frozen=True)
class Trend:
    """Linear change of a volume fraction from one face of the image to the opposite one.

    Attributes
    ----------
    change : float
        Fraction at the far face minus that at z, y or x = 0, of the straight line through the
        fractions of all layers.
    std : float
        Standard deviation of the change between images of a stationary material, from the
        covariance.
    """

    change: float
    std: float

    @property
    def significant(self) -> bool:
        """Whether chance makes such a change in no more than about two of a hundred images."""
        return abs(self.change) > SIGNIFICANT * self.std


@dataclass(frozen=True)
class Intercepts:
    """Mean length of the phase on grid lines along an axis, 2 phi / (crossings per length).

    Attributes
    ----------
    length : mapping of str to float
        For z, y and x (m); infinite along an axis on which the phase never ends.
    ratio : float or None
        Length along z over the geometric mean of those along y and x; None if one is infinite.
    ratio_std : float or None
        Standard uncertainty of the ratio, from its scatter between blocks; None for a small image.
    """

    length: Mapping[Direction, float]
    ratio: float | None
    ratio_std: float | None

    @property
    def significant(self) -> bool:
        """Whether the ratio differs from 1 by more than chance."""
        if self.ratio is None or self.ratio_std is None:
            return False
        return abs(self.ratio - 1) > SIGNIFICANT * self.ratio_std


@dataclass(frozen=True, eq=False)
class Representativeness:
    """What one image says about how representative it is of a phase.

    Attributes
    ----------
    phase : str
    integral_range : IntegralRange
    fraction_std : float
        Standard deviation of the volume fraction between images of this size.
    edge_for : mapping of float to float
        Relative standard uncertainty of the volume fraction -> edge of the cube for it (m). Empty
        if the image is too small to tell.
    structure_length : float
        Edge of the cube of the integral range (m).
    thickness : float
        Thickness that it was compared with (m).
    trends : mapping of str to Trend
        Along z, y and x.
    intercepts : Intercepts
    sentences : tuple of str
        The verdicts in plain words: size, scales, trend, directions.
    """

    phase: str
    integral_range: IntegralRange = field(repr=False)
    fraction_std: float
    edge_for: Mapping[float, float]
    structure_length: float
    thickness: float
    trends: Mapping[Direction, Trend]
    intercepts: Intercepts
    sentences: tuple[str, ...] = field(repr=False)

    @property
    def scale_ratio(self) -> float:
        """Thickness over the length of the structure."""
        return self.thickness / self.structure_length

    @property
    def separated(self) -> bool:
        """Whether the thickness is known to be at least ten times the length of the structure."""
        return self.integral_range.resolved and self.scale_ratio >= SEPARATED

    @property
    def stationary(self) -> bool:
        """Whether the fraction is known to have no trend beyond chance along any axis."""
        significant = any(trend.significant for trend in self.trends.values())
        return self.integral_range.resolved and not significant


def representativeness(
    micro: Microstructure, phase: str, thickness: float | None = None
) -> Representativeness:
    """Judge from one image how representative it is of a phase.

    Parameters
    ----------
    micro : Microstructure
    phase : str
    thickness : float, optional
        Thickness of the electrode (m), if the image shows a part of it; the length of the image
        along z by default.

    Returns
    -------
    Representativeness

    Raises
    ------
    ValueError
        If the phase fills the whole image or none of it, or the thickness is not positive.
    """
    thickness = micro.extent[0] if thickness is None else float(thickness)
    if not (math.isfinite(thickness) and thickness > 0):
        raise ValueError(f"thickness {thickness!r} is not allowed; give metres, for example 75e-6")
    structure = integral_range(micro, phase)
    trends = _trends(micro, phase)
    intercepts = _intercepts(micro, phase)
    std = math.sqrt(structure.variance(micro.extent))
    targets = TARGETS if structure.resolved else ()
    edges = {target: structure.edge_for(target) for target in targets}
    length = structure.value ** (1 / 3)
    sentences = (
        _size_sentence(structure, std, edges),
        _scale_sentence(structure, length, thickness),
        _trend_sentence(structure, trends),
        _direction_sentence(phase, intercepts),
    )
    return Representativeness(
        phase=phase,
        integral_range=structure,
        fraction_std=std,
        edge_for=MappingProxyType(edges),
        structure_length=length,
        thickness=thickness,
        trends=MappingProxyType(trends),
        intercepts=intercepts,
        sentences=sentences,
    )


def _trends(micro: Microstructure, phase: str) -> dict[Direction, Trend]:
    """Fit a straight line along each axis, and its scatter in a material without trend.

    The slope of the least-squares line through layer fractions f_k at heights t_k from -1/2 to 1/2
    is sum w_k f_k with w = t / sum t^2, and its variance sum_kl w_k w_l C(k - l) with the
    covariance C of layer means. The covariance is that of the image without its own trends.
    """
    values, spacing = averaged_blocks(micro, phase)
    shape = values.shape
    changes = {}
    without = values.astype(np.float32)
    for axis, name in enumerate(AXES):
        heights = (np.arange(shape[axis]) + 0.5) / shape[axis] - 0.5
        layers = values.mean(axis=tuple({0, 1, 2} - {axis}), dtype=float)
        weights = heights / (heights @ heights)
        changes[name] = (float(weights @ layers), weights)
        line = (changes[name][0] * heights).astype(np.float32)
        without -= line.reshape([-1 if a == axis else 1 for a in range(3)])
    structure = range_of_values(without, spacing, phase, micro.volume_fraction(phase))
    extent = [n * h for n, h in zip(shape, spacing, strict=True)]
    found: dict[Direction, Trend] = {}
    for axis, name in enumerate(AXES):
        change, weights = changes[name]
        between = structure.layer_covariance(axis, extent)
        half = between.size // 2
        spread = np.convolve(weights, between)[half : half + weights.size]
        found[name] = Trend(change, math.sqrt(max(float(weights @ spread), 0.0)))
    return found


def _intercepts(micro: Microstructure, phase: str) -> Intercepts:
    mask = micro.mask(phase)
    crossings = [_crossing_density(mask, axis, micro.voxel_size) for axis in range(3)]
    phi = micro.volume_fraction(phase)
    lengths: dict[Direction, float] = {
        name: 2 * phi / density if density else math.inf
        for name, density in zip(AXES, crossings, strict=True)
    }
    if 0.0 in crossings:
        return Intercepts(MappingProxyType(lengths), None, None)
    ratio = math.sqrt(crossings[1] * crossings[2]) / crossings[0]
    return Intercepts(MappingProxyType(lengths), ratio, _ratio_std(mask, micro, ratio))


def _crossing_density(mask: NDArray[np.bool_], axis: int, voxel_size: VoxelSize) -> float:
    """Return the changes between phase and rest per length of grid line along an axis.

    Points are compared over about the longest voxel edge along every axis, so that pieces shorter
    than that are missed along all axes alike.
    """
    step = max(1, min(round(max(voxel_size) / voxel_size[axis]), mask.shape[axis] - 1))
    ahead = [slice(None)] * 3
    behind = [slice(None)] * 3
    ahead[axis], behind[axis] = slice(step, None), slice(None, -step)
    changed = mask[tuple(ahead)] != mask[tuple(behind)]
    return float(np.count_nonzero(changed) / (changed.size * step * voxel_size[axis]))


def _ratio_std(mask: NDArray[np.bool_], micro: Microstructure, ratio: float) -> float | None:
    """Return the standard uncertainty of the ratio, from its logarithm in separate blocks."""
    counts = [min(BLOCKS, n // SHORTEST_BLOCK) for n in mask.shape]
    if math.prod(counts) < BLOCKS:
        return None
    cuts = [np.linspace(0, n, c + 1).astype(int) for n, c in zip(mask.shape, counts, strict=True)]
    logs = []
    for place in np.ndindex(*counts):
        part = mask[tuple(slice(c[i], c[i + 1]) for c, i in zip(cuts, place, strict=True))]
        z, y, x = (_crossing_density(part, a, micro.voxel_size) for a in range(3))
        if z and y and x:
            logs.append(0.5 * math.log(y * x) - math.log(z))
    if len(logs) < BLOCKS:
        return None
    return float(ratio * np.std(logs, ddof=1) / math.sqrt(len(logs)))


def _size_sentence(structure: IntegralRange, std: float, edges: Mapping[float, float]) -> str:
    name, phi = structure.phase, structure.volume_fraction
    if not structure.resolved:
        return (
            "The image is too small for its own structure: it cannot tell how large a sample of "
            f"{name} must be."
        )
    needed = " and ".join(
        f"{100 * target:g} % a cube of {length_words(edge)}" for target, edge in edges.items()
    )
    return (
        f"Between images of this size the fraction of {name} scatters by {100 * std / phi:.2g} % "
        f"of its value; {needed} would be needed."
    )


def _scale_sentence(structure: IntegralRange, length: float, thickness: float) -> str:
    phase, ratio = structure.phase, thickness / length
    if not structure.resolved:
        return (
            f"The structure of {phase} has a length of at least {length_words(length)}; the image "
            "is too small to tell whether the electrode is thick against it."
        )
    start = (
        f"The structure of {phase} forgets itself over {length_words(length)} (the cube root of "
        f"the integral range); the thickness of {length_words(thickness)} is {ratio:.2g} times "
        "as much"
    )
    if ratio >= SEPARATED:
        return f"{start}, so a homogenised model may use the mean properties of the electrode."
    return (
        f"{start}, less than {SEPARATED:g} times: layers of the electrode differ from each other, "
        "and a homogenised model with one value for all of it is an approximation."
    )


def _trend_sentence(structure: IntegralRange, trends: Mapping[Direction, Trend]) -> str:
    phase = structure.phase
    if not structure.resolved:
        return f"The image is too small to tell a trend of {phase} from chance."
    clear = {name: trend for name, trend in trends.items() if trend.significant}
    if not clear:
        return f"The fraction of {phase} has no trend along z, y or x beyond chance."
    parts = ", ".join(
        f"along {name} by {100 * trend.change:+.2g} ± {100 * trend.std:.1g} percentage points"
        for name, trend in clear.items()
    )
    return (
        f"The fraction of {phase} changes from one end of the image to the other, {parts}: the "
        "image is not one sample of one material, and sampling uncertainties are too small for it."
    )


def _direction_sentence(phase: str, intercepts: Intercepts) -> str:
    shown = ", ".join(
        f"{length_words(value)} along {name}" if math.isfinite(value) else f"endless along {name}"
        for name, value in intercepts.length.items()
    )
    start = f"Lines cut {phase} into pieces of mean length {shown}"
    if intercepts.ratio is None:
        return f"{start}."
    if intercepts.ratio_std is None:
        return f"{start}; the image is too small to tell whether the directions differ."
    ratio = f"{intercepts.ratio:.3f} ± {intercepts.ratio_std:.3f}"
    if not intercepts.significant:
        return f"{start}: through-plane over in-plane {ratio}, no difference beyond chance."
    word = "shorter" if intercepts.ratio < 1 else "longer"
    return f"{start}: through-plane over in-plane {ratio}, {word} through-plane; use the tensor."
