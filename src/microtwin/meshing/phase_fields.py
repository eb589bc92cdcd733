"""One smooth field per phase: where it is the largest, the phase is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..connectivity import label_clusters
from ..microstructure import Microstructure
from ..numerics.threads import even_shares, over_slabs
from .field_kernels import Fields

__all__ = ["PhaseFields", "image_fields", "kernel_fields", "level_set_fields", "mixed_samples"]

SIGMA = 0.7  # voxels
WEAK = 0.1  # lead of a phase over the others below which it may be lost
MARGIN = 0.3  # by which a voxel is given back to its phase


@dataclass(frozen=True, eq=False)
class PhaseFields:
    """Fields of several phases on a grid; in between they are interpolated trilinearly.

    Parameters
    ----------
    values : ndarray of float32, shape (nz, ny, nx, phases)
        Samples at the centres of grid cells. At a point, the phase of the largest field wins.
    spacing : 3 floats
        Edges of a grid cell along (z, y, x) in metres.
    phases : tuple of str
        Names, in the order of the last axis.
    unit : float
        Length in metres in which the sizes of elements are given: the shortest edge of a voxel.
    fractions : mapping of str to float, optional
        Volume fraction that each phase should have in a mesh. Without it the fields count as exact.
    image : Microstructure, optional
        The image that the fields were made from.
    thin : ndarray of bool, shape (nz, ny, nx), optional
        Samples at necks that need elements of the size of a voxel.
    """

    values: NDArray[np.float32] = field(repr=False)
    spacing: tuple[float, float, float]
    phases: tuple[str, ...]
    unit: float
    fractions: Mapping[str, float] | None = None
    image: Microstructure | None = field(default=None, repr=False)
    thin: NDArray[np.bool_] | None = field(default=None, repr=False)

    @property
    def extent(self) -> tuple[float, float, float]:
        """Edges of the box along (z, y, x) in metres."""
        nz, ny, nx = self.values.shape[:3]
        return (nz * self.spacing[0], ny * self.spacing[1], nx * self.spacing[2])


def image_fields(micro: Microstructure, sigma: float = SIGMA) -> PhaseFields:
    """Return the sharpened masks (or probabilities) of the phases in an image.

    The field of a phase with mask m is 2 G m - G G m, G a Gaussian filter: it smooths the staircase
    of the voxels, but moves a curved interface by far less than G m alone does, since the leading
    errors of the two terms cancel. What the filter would cut through is given back: voxels that
    join parts of a phase that are connected in the image (not with probabilities, which know
    better than labels what is there).

    Parameters
    ----------
    micro : Microstructure
        Phases that are absent get no field.
    sigma : float
        Width of the filter in voxels.

    Returns
    -------
    PhaseFields

    Raises
    ------
    ValueError
        If the image holds one phase only.
    """
    names = tuple(name for name in micro.phases if micro.volume_fraction(name) > 0)
    if len(names) < 2:
        raise ValueError(
            f"the image holds one phase only, {names[0]!r}, so there is no interface to mesh; "
            "give an image with at least two phases"
        )
    values = np.empty((*micro.shape, len(names)), np.float32)

    def filtered(first: int, end: int) -> None:
        for p in range(first, end):
            mask = micro.probability(names[p])
            once = ndimage.gaussian_filter(mask, sigma, mode="nearest")
            values[..., p] = 2.0 * once
            values[..., p] -= ndimage.gaussian_filter(once, sigma, mode="nearest")

    over_slabs(filtered, even_shares(len(names)))
    thin = np.zeros(micro.shape, bool)
    if micro.probabilities is None:
        for p, name in enumerate(names):
            thin |= _given_back(values, p, micro.mask(name))
    fractions = {name: micro.volume_fraction(name) for name in names}
    return PhaseFields(
        values, micro.voxel_size, names, min(micro.voxel_size), fractions, micro, thin
    )


def level_set_fields(
    level_sets: Mapping[str, NDArray], extent: Sequence[float], background: str = "pore"
) -> PhaseFields:
    """Return the fields of an exact geometry.

    Parameters
    ----------
    level_sets : mapping of str to ndarray, shape (nz, ny, nx)
        By phase: samples at the centres of the cells of a grid that are positive inside the phase
        and negative outside, best a distance. Where several are positive the largest wins.
    extent : 3 floats
        Edges of the box along (z, y, x) in metres.
    background : str
        Name of the phase where none is positive.

    Returns
    -------
    PhaseFields
        Sizes of elements then count cells of this grid. For meshes whose vertices lie on the exact
        surface to second order, let the grid be no coarser than the elements.

    Raises
    ------
    ValueError
        If the arrays differ in shape, are not finite, or a name is given twice.
    """
    lengths = np.asarray(extent, float) if np.ndim(extent) == 1 else np.empty(0)
    if lengths.shape != (3,) or not np.all(np.isfinite(lengths)) or np.any(lengths <= 0):
        raise ValueError(
            f"extent {extent!r} is not allowed; give the edges of the box along (z, y, x), three "
            "positive lengths in metres"
        )
    arrays = {name: np.asarray(values, np.float32) for name, values in level_sets.items()}
    shapes = {values.shape for values in arrays.values()}
    if len(shapes) != 1 or len(next(iter(shapes))) != 3 or min(next(iter(shapes))) < 2:
        raise ValueError(
            f"level sets of shapes {sorted(shapes)} do not fit; give one array (nz, ny, nx) of the "
            "same shape for each phase, with at least 2 samples along each axis"
        )
    if background in arrays:
        raise ValueError(
            f"{background!r} is the background, so it needs no level set; name another background"
        )
    for name, values in arrays.items():
        if not np.isfinite(values).all():
            raise ValueError(f"the level set of {name!r} holds NaN or infinite values; cut it off")
    stacked = np.stack(list(arrays.values()), axis=3)
    rest = -stacked.max(axis=3, keepdims=True)
    shape = stacked.shape[:3]
    dz, dy, dx = (float(length / n) for length, n in zip(lengths, shape, strict=True))
    spacing = (dz, dy, dx)
    # Slopes of about one per cell, whatever the unit of the level sets.
    unit = min(spacing)
    values = np.concatenate([rest, stacked], axis=3)
    present = np.unique(values.argmax(axis=3))
    names = [background, *arrays]
    if len(present) < 2:
        raise ValueError(
            f"only {names[present[0]]!r} is present on the grid, so there is no interface to mesh"
        )
    return PhaseFields(
        np.ascontiguousarray(values[..., present] / _slope(values, unit, spacing)),
        spacing,
        tuple(names[k] for k in present),
        unit,
    )


def _slope(values: NDArray[np.float32], unit: float, spacing: Sequence[float]) -> float:
    """Return the usual slope of the difference of two fields where the winner changes, per unit.

    Raises
    ------
    ValueError
        If fields do not change there, such as masks of 0 and 1 whose rest is 0 as well.
    """
    winner = values.argmax(axis=3)
    slopes, leads = [], []
    for axis in range(3):
        low = [slice(None)] * 3
        high = [slice(None)] * 3
        low[axis], high[axis] = slice(0, -1), slice(1, None)
        first, second = tuple(low), tuple(high)
        at = np.nonzero(winner[first] != winner[second])
        p, q = winner[first][at], winner[second][at]
        near, far = values[first][at], values[second][at]
        row = np.arange(len(p))
        before, after = near[row, p] - near[row, q], far[row, q] - far[row, p]
        slopes.append((before + after) * unit / spacing[axis])
        leads.append(np.minimum(before, after))
    slope = float(np.median(np.concatenate(slopes)))
    if not slope > 0.0 or np.median(np.concatenate(leads)) <= 0.0:
        raise ValueError(
            "the level sets do not cross zero; give functions that are positive inside a phase and "
            "negative outside of it, best distances"
        )
    return slope


def _given_back(values: NDArray[np.float32], p: int, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Give a phase back the voxels that join parts of one of its clusters; return them.

    Between the parts lie voxels that the filter has taken from the phase, or nearly so.
    """
    others = np.delete(values, p, axis=3).max(axis=3)
    weak = mask & (values[..., p] - others < WEAK)
    parts, count = label_clusters(mask & ~weak)
    pieces, bridges = label_clusters(weak)
    if count < 2 or bridges == 0:
        return np.zeros_like(mask)
    touching = []
    for axis in range(3):
        for step in (1, -1):
            beside = np.roll(parts, step, axis)
            edge: list[slice | int] = [slice(None)] * 3
            edge[axis] = 0 if step == 1 else -1
            beside[tuple(edge)] = 0
            here = weak & (beside > 0)
            touching.append(np.stack([pieces[here], beside[here]], axis=1).astype(np.int64))
    pairs = np.unique(np.concatenate(touching), axis=0)
    joined, number = np.unique(pairs[:, 0], return_counts=True)
    back = weak & np.isin(pieces, joined[number > 1])
    around = mask & ndimage.binary_dilation(back, np.ones((3, 3, 3)))
    values[around, p] = np.maximum(values[around, p], others[around] + MARGIN)
    return back


def kernel_fields(fields: PhaseFields) -> Fields:
    """Return the fields as the kernels take them: lengths in units, no offsets."""
    steps = np.array(fields.spacing) / fields.unit
    return Fields(fields.values, steps, np.zeros(len(fields.phases)))


def mixed_samples(fields: Fields) -> NDArray[np.bool_]:
    """Mark the grid cells around which more than one phase wins, shape (nz, ny, nx)."""
    labels = np.argmax(fields.values + fields.offsets.astype(np.float32), axis=3).astype(np.uint8)
    high = ndimage.maximum_filter(labels, 3, mode="nearest")
    return high != ndimage.minimum_filter(labels, 3, mode="nearest")
