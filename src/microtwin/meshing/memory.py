"""How large a mesh will be, before it is made."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import psutil
from numpy.typing import NDArray

from .lattice import count_leaves
from .phase_fields import PhaseFields

__all__ = ["MeshEstimate", "check_memory", "estimate_of"]

PER_LEAF = 12.6  # tetrahedra, with those where sizes change
PER_MIXED = 0.75  # more of them by cutting, over those of mixed leaves
PER_CELL = 130.0  # bytes at most at the same time, per tetrahedron after cutting
PER_SAMPLE = 14.0  # bytes per sample of the fields, beside the fields


@dataclass(frozen=True)
class MeshEstimate:
    """Size of a mesh before it is made.

    Attributes
    ----------
    cells : int
        Tetrahedra, good to about a quarter.
    memory : int
        Bytes needed to make it, at most.
    """

    cells: int
    memory: int


def estimate_of(
    fields: PhaseFields, levels: NDArray[np.uint8], mixed: NDArray[np.bool_]
) -> MeshEstimate:
    """Return the size of a mesh from the levels of its octree."""
    lattice = PER_LEAF * count_leaves(levels)
    share = float(np.mean(mixed))
    cut = PER_LEAF * PER_MIXED * share * levels.size * 0.5
    samples = fields.values[..., 0].size
    memory = PER_CELL * (lattice + cut) + samples * PER_SAMPLE + fields.values.nbytes
    return MeshEstimate(round(lattice + cut), round(memory + 9 * levels.size))


def check_memory(estimate: MeshEstimate, size: float) -> None:
    """Raise a `ValueError` with the size that fits if a mesh does not fit in memory."""
    free = psutil.virtual_memory().available
    if estimate.memory <= free:
        return
    # The number of elements falls with the square of the size at least.
    fitting = size * (estimate.memory / free) ** 0.5
    raise ValueError(
        f"a mesh of size {size:g} voxels would have about {estimate.cells / 1e6:.3g} million "
        f"tetrahedra and need {estimate.memory / 1e9:.3g} GB, but {free / 1e9:.3g} GB are free; "
        f"a size of {1.05 * fitting:.2g} voxels fits, or a crop of the image"
    )
