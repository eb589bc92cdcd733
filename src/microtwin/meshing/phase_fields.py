"""One smooth field per phase: where it is the largest, the phase is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..connectivity import label_clusters
from ..microstructure import Microstructure
from ..numerics.threads import even_shares, over_slabs
from .field_kernels import Fields

__all__ = ["PhaseFields", "image_fields", "kernel_fields", "mixed_samples"]

SIGMA = 0.7  # voxels
MARGIN = 0.1  # by which a voxel is given back to its phase


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
    """

    values: NDArray[np.float32] = field(repr=False)
    spacing: tuple[float, float, float]
    phases: tuple[str, ...]
    unit: float
    fractions: Mapping[str, float] | None = None
    image: Microstructure | None = field(default=None, repr=False)

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
    join parts of a phase that are connected in the image.

    Parameters
    ----------
    micro : Microstructure
        Phases that are absent get no field.
    sigma : float
        Width of the filter in voxels.

    Returns
    -------
    PhaseFields
    """
    names = tuple(name for name in micro.phases if micro.volume_fraction(name) > 0)
    values = np.empty((*micro.shape, len(names)), np.float32)

    def filtered(first: int, end: int) -> None:
        for p in range(first, end):
            mask = micro.probability(names[p])
            once = ndimage.gaussian_filter(mask, sigma, mode="nearest")
            values[..., p] = 2.0 * once
            values[..., p] -= ndimage.gaussian_filter(once, sigma, mode="nearest")

    over_slabs(filtered, even_shares(len(names)))
    if micro.probabilities is None:
        for p, name in enumerate(names):
            _reconnect(values, p, micro.mask(name))
    fractions = {name: micro.volume_fraction(name) for name in names}
    return PhaseFields(values, micro.voxel_size, names, min(micro.voxel_size), fractions, micro)


def _reconnect(values: NDArray[np.float32], p: int, mask: NDArray[np.bool_]) -> None:
    """Give voxels back to a phase where the filter cut through one of its clusters."""
    won = values.argmax(axis=3) == p
    lost = mask & ~won
    if not lost.any():
        return
    whole, parts = label_clusters(mask)[0], label_clusters(mask & won)[0]
    pairs = np.unique(np.stack([whole[parts > 0], parts[parts > 0]], axis=1), axis=0)
    clusters, pieces = np.unique(pairs[:, 0], return_counts=True)
    broken = np.isin(whole, clusters[pieces > 1])
    back = lost & broken
    if not back.any():
        return
    others = np.delete(values[back], p, axis=1).max(axis=1)
    values[back, p] = others + MARGIN


def kernel_fields(fields: PhaseFields) -> Fields:
    """Return the fields as the kernels take them: lengths in units, no offsets."""
    steps = np.array(fields.spacing) / fields.unit
    return Fields(fields.values, steps, np.zeros(len(fields.phases)))


def mixed_samples(fields: Fields) -> NDArray[np.bool_]:
    """Mark the grid cells around which more than one phase wins, shape (nz, ny, nx)."""
    labels = np.argmax(fields.values + fields.offsets.astype(np.float32), axis=3).astype(np.uint8)
    high = ndimage.maximum_filter(labels, 3, mode="nearest")
    return high != ndimage.minimum_filter(labels, 3, mode="nearest")
