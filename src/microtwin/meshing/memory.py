"""How large a mesh will be, before it is made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import psutil
from numpy.typing import NDArray

from .lattice import count_leaves
from .phase_fields import PhaseFields

__all__ = ["MeshEstimate", "check_memory", "estimate_of", "least_of"]

PER_LEAF = 12.6  # tetrahedra of the lattice, with those where sizes change
CUT = (
    1.3  # tetrahedra in the end over those of the lattice: 1.0 for smooth interfaces, 1.6 if rough
)
PER_CELL = 250.0  # bytes at most at the same time, per tetrahedron of the lattice
PER_SAMPLE = 14.0  # bytes per sample of the fields, beside the fields
PER_FINEST = 9.0  # bytes per finest cell of the octree
GROWTH = 1.15  # from one size that is tried to the next


@dataclass(frozen=True)
class MeshEstimate:
    """Size of a mesh before it is made.

    Attributes
    ----------
    cells : int
        Tetrahedra, good to a factor of about 1.5; necks of one voxel make it too large.
    memory : int
        Bytes needed to make it, at most.
    """

    cells: int
    memory: int


def estimate_of(fields: PhaseFields, levels: NDArray[np.uint8]) -> MeshEstimate:
    """Return the size of a mesh from the levels of its octree."""
    lattice = PER_LEAF * count_leaves(levels)
    samples = fields.values[..., 0].size
    memory = PER_CELL * lattice + samples * PER_SAMPLE + fields.values.nbytes
    return MeshEstimate(round(CUT * lattice), round(memory + PER_FINEST * levels.size))


def least_of(fields: PhaseFields, mixed: int, size: float) -> MeshEstimate:
    """Return the least size of a mesh, from the number of samples around interfaces."""
    sample = float(np.prod(np.array(fields.extent) / fields.values.shape[:3])) / fields.unit**3
    lattice = PER_LEAF * mixed * sample / size**3
    return MeshEstimate(round(CUT * lattice), round(PER_CELL * lattice))


def check_memory(size: float, largest: float, estimate: Callable[[float], MeshEstimate]) -> None:
    """Raise a `ValueError` if a mesh does not fit in memory, with a size that does if there is one.

    Parameters
    ----------
    size, largest : float
        The size wanted, and the largest that is allowed.
    estimate : callable
        Returns the estimate at a size.
    """
    free = psutil.virtual_memory().available
    wanted = estimate(size)
    if wanted.memory <= free:
        return
    remedy = "crop the image"
    fitting = size
    while (fitting := GROWTH * fitting) <= largest:
        # The size is named with two digits, so these are tried.
        named = float(f"{fitting:.2g}")
        if named <= largest and estimate(named).memory <= free:
            remedy = f"a size of {named:g} voxels fits, or crop the image"
            break
    raise ValueError(
        f"a mesh of size {size:g} voxels would have about {wanted.cells / 1e6:.3g} million "
        f"tetrahedra and need {wanted.memory / 1e9:.3g} GB, but {free / 1e9:.3g} GB are free; "
        f"{remedy}"
    )
